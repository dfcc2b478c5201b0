/*
 * response.h - an answer between its producer and its filters; inside core/http only.
 */
#ifndef WEIR_HTTP_RESPONSE_H
#define WEIR_HTTP_RESPONSE_H

#include "http/request.h"

/* By its status and the request's method. */
bool weir_response_is_bodiless(const weir_request_t *req);
/* What was made of an answer is no more, for another one; nothing of it has left. */
void weir_response_discard(weir_request_t *req);

#endif
