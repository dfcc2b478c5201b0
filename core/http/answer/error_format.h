/*
 * error_format.h - what the body of an answer that Weir makes itself looks like: HTML, JSON, or problem details (RFC
 * 9457).
 */
#ifndef WEIR_HTTP_ERROR_FORMAT_H
#define WEIR_HTTP_ERROR_FORMAT_H

#include "http/request.h"

/* The error's body for this client, in the request's arena, by error_format and Accept; *type: its Content-Type.  Adds
 * Vary where Accept decides.  status: as in causes, also 495 to 497. */
weir_str_t weir_error_body(weir_request_t *req, uint16_t status, weir_str_t *type);

/* The page of HTML alone, for any status; id: of the request, or empty. */
weir_str_t weir_error_page(weir_request_t *req, uint16_t status, weir_str_t id);

#endif
