/*
 * precondition.h - what a client already has: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range
 * (RFC 9110 §13).
 */
#ifndef WEIR_HTTP_PRECONDITION_H
#define WEIR_HTTP_PRECONDITION_H

#include "http/request.h"

/* how If-Modified-Since is read */
typedef enum { WEIR_MODIFIED_OFF, WEIR_MODIFIED_EXACT, WEIR_MODIFIED_BEFORE } weir_if_modified_t;

/* Is `tag` (an ETag's value) in a list of If-Match or If-None-Match?  "*" has all.  weak: W/ makes no difference
 * (§8.8.3.2). */
bool weir_precondition_has_etag(weir_str_t list, weir_str_t tag, bool weak);

/* Before the head of a 200 whose ETag and Last-Modified are in res.fields: NEXT: go on; DONE: answered with 304 or 412.
 * The producer itself lets go of what it holds, before or after. */
weir_step_t weir_precondition_check(weir_request_t *req, weir_if_modified_t how);

/* May a Range be answered with a part (§13.1.5)?  True without If-Range. */
bool weir_precondition_if_range_holds(const weir_request_t *req);

#endif
