/*
 * version.h - the texts that answer -v, -V, -h and -?: to standard error, as nginx does.
 */
#ifndef WEIR_TOOL_VERSION_H
#define WEIR_TOOL_VERSION_H

#include <stdbool.h>

void weir_version_print_usage(void);
void weir_version_print(bool build);

#endif
