/*
 * notation.h - `weir fmt` and `weir convert`: configurations as texts and as JSON (conf/tree.h, conf/tree_json.h), one
 * file at a time.  No directive need be known, and no file that is included is read.
 */
#ifndef WEIR_TOOL_NOTATION_H
#define WEIR_TOOL_NOTATION_H

#include "tool/tool.h"

int weir_notation_fmt(const weir_conf_source_t *source, char *const *argv);
int weir_notation_convert(const weir_conf_source_t *source, char *const *argv);

#endif
