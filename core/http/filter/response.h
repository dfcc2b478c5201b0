/*
 * response.h - an answer between its producer and its filters; inside core/http only.
 */
#ifndef WEIR_HTTP_RESPONSE_H
#define WEIR_HTTP_RESPONSE_H

#include "http/request.h"

/* By its status and the request's method. */
static inline bool
weir_response_is_bodiless(const weir_request_t *req)
{
    const weir_response_t *res = &req->res;

    return req->head.method == WEIR_METHOD_HEAD || res->status < 200 || res->status == 204 || res->status == 304;
}

/* What was made of an answer is no more, for another one; nothing of it has left. */
void weir_request_discard_answer(weir_request_t *req);

#endif
