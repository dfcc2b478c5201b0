/*
 * status.h - what status codes are called, and the built-in page of an answer without a body of its own.
 */
#ifndef WEIR_HTTP_STATUS_H
#define WEIR_HTTP_STATUS_H

#include "base/str.h"

/* "Not Found"; empty when unknown. */
weir_str_t weir_status_reason(uint16_t status);
/* 495, 496 and 497 are for error_page: what is sent without one is 400. */
uint16_t weir_status_shown(uint16_t status);
/* What nginx calls it; as_title: on a page. */
weir_str_t weir_status_reason_nginx(uint16_t status, bool as_title);
/* A short HTML page that names the status and the server, and the request by its id unless that is empty; in the
 * arena. */
weir_str_t weir_status_page(uint16_t status, bool as_nginx, weir_str_t server_token, weir_str_t request_id,
                            weir_arena_t *arena);

#endif
