/*
 * secret.c - a part of a request's target that no log may show, such as an API key in the query.
 *
 * What goes upstream, and what the configuration makes of the target while the request is answered, stay as the client sent them; what the
 * error log says of the request and all that is evaluated in its log phase have asterisks in that place.
 * Runs in workers; two copies of the line in the request's arena.
 */
#include "http/request.h"

#include <string.h>

static bool
secret_is_in(weir_str_t part, weir_str_t whole)
{
    uintptr_t begin = (uintptr_t) whole.at, at = (uintptr_t) part.at;

    return part.len != 0 && at >= begin && at - begin <= whole.len && part.len <= whole.len - (at - begin);
}

/* Its copy: where the line has the target, the target is a slice of it again. */
static void
secret_copy(weir_request_t *req)
{
    const weir_str_t line = req->head.line, target = req->head.target;
    size_t           at = req->head.method_name.len + 1;

    if (at + target.len <= line.len && memcmp(line.at + at, target.at, target.len) == 0) {
        char *copy = weir_alloc_bytes(&req->arena, line.len);
        memcpy(copy, line.at, line.len);
        req->shown_line = weir_str(copy, line.len);
        req->shown_target = copy + at;
    } else {
        char *copy = weir_alloc_bytes(&req->arena, target.len);
        memcpy(copy, target.at, target.len);
        req->shown_line = weir_str(copy, target.len);
        req->shown_target = copy;
    }
}

void
weir_request_hide(weir_request_t *req, weir_str_t part)
{
    if (!secret_is_in(part, req->head.target)) {
        return;
    }
    if (req->shown_target == NULL) {
        secret_copy(req);
    }
    memset(req->shown_target + (part.at - req->head.target.at), '*', part.len);
}

void
weir_request_show_hidden(weir_request_t *req)
{
    weir_str_t target = req->head.target;

    if (req->shown_target == NULL) {
        return;
    }
    if (secret_is_in(req->query, target)) {
        req->query.at = req->shown_target + (req->query.at - target.at);
    }
    if (secret_is_in(req->head.query, target)) {
        req->head.query.at = req->shown_target + (req->head.query.at - target.at);
    }
    req->head.target.at = req->shown_target;
    req->head.line = req->shown_line;
}
