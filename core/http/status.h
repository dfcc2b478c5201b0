/*
 * status.h - the built-in pages of error answers.
 */
#ifndef WEIR_HTTP_STATUS_H
#define WEIR_HTTP_STATUS_H

#include "base/str.h"

/* A short HTML page that names the status and the server; in the arena. */
weir_str_t weir_status_page(uint16_t status, weir_str_t server_token, weir_arena_t *arena);

#endif
