/*
 * upstream.h - `weir upstream`: the groups of servers of the running instance, and their servers, to look at and to
 * change, by its control socket (proc/master/control.h).
 *
 *     weir upstream                              the groups
 *     weir upstream GROUP [list] [--json]        its servers
 *     weir upstream GROUP add|set|drain|remove ADDRESS [name=value | backup | down | up | drain]...
 *     weir upstream -                            commands of JSON from standard input, a line each
 */
#ifndef WEIR_TOOL_UPSTREAM_H
#define WEIR_TOOL_UPSTREAM_H

#include "proc/common/settings.h"

/* argv: behind "upstream".  0: done · 1: not · 3: done, but not in every worker yet. */
int weir_tool_upstream(const weir_settings_t *settings, char *const *argv);

#endif
