/*
 * ask.h - a tool asks the control socket of the running instance: HTTP/1.1 with JSON, as many requests before their
 * answers as it likes, one connection.
 *
 * What goes wrong is said on standard error.
 */
#ifndef WEIR_TOOL_ASK_H
#define WEIR_TOOL_ASK_H

#include "proc/common/settings.h"

#include <jansson.h>

typedef struct {
    int    fd;
    char  *in;                               /* heap; what came and was not taken */
    size_t len, cap;
} weir_tool_ask_t;

bool    weir_tool_ask_open(weir_tool_ask_t *ask, const weir_settings_t *settings) WEIR_MUST_USE;
void    weir_tool_ask_close(weir_tool_ask_t *ask);
/* path: encoded (weir_tool_ask_path).  body: NULL or JSON. */
bool    weir_tool_ask_send(weir_tool_ask_t *ask, const char *method, const char *path,
                           const json_t *body) WEIR_MUST_USE;
/* The next answer, new; what the instance refuses has "error".  NULL: there is none. */
json_t *weir_tool_ask_read(weir_tool_ask_t *ask);
/* Appends "/" and the text with %XX.  false: it does not fit. */
bool    weir_tool_ask_path(char *path, size_t room, const char *text) WEIR_MUST_USE;

#endif
