/*
 * bearer.h - what asks for a bearer token (RFC 6750): "realm [token=$variable] | off", where the token is, what a
 * client is told that has none.
 *
 * The token is a secret: one in the query is hidden in logs (weir_bearer_hide).  Runs in workers, and at load time.
 */
#ifndef WEIR_HTTP_GUARD_BEARER_H
#define WEIR_HTTP_GUARD_BEARER_H

#include "http/request.h"

typedef struct {
    const weir_template_t *realm;                /* NULL: off */
    const weir_template_t *token;                /* NULL: Authorization */
} weir_bearer_t;

extern const weir_conf_type_t weir_bearer_type;          /* weir_bearer_t: "realm [token=$variable] | off" */

/* The realm has variables, and says off for this request. */
bool weir_bearer_is_off(weir_request_t *req, const weir_bearer_t *bearer);

/* Of Authorization: the scheme in any case, one space or more, and what is behind it, for as long as the request; or
 * the variable's value, in the request's arena.  Empty: there is none, or there are several fields. */
weir_str_t weir_bearer_token(weir_request_t *req, const weir_bearer_t *bearer);
/* Is it b64token (RFC 6750 §2.1)? */
bool       weir_bearer_is_token(weir_str_t token) WEIR_MUST_USE;

/* For the rewrite phase, if it is of use there: a token in the query is shown by no log. */
bool       weir_bearer_may_hide(const weir_bearer_t *bearer);
void       weir_bearer_hide(weir_request_t *req, const weir_bearer_t *bearer);
/* The token is not sent on: the field, or the argument, that it came in. */
void       weir_bearer_strip(weir_request_t *req, const weir_bearer_t *bearer);

/* RFC 6750 §3, into req->challenge.  error, scope: NULL and empty: nothing is said of it. */
void       weir_bearer_challenge(weir_request_t *req, const weir_template_t *realm, const char *error,
                                 weir_str_t scope);

#endif
