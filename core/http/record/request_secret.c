/*
 * request_secret.c - a part of a request's target that no log may show, such as an API key in the query.
 *
 * What goes upstream, and what the configuration makes of the target while the request is answered, stay as the client
 * sent them; what the error log says of the request and all that is evaluated in its log phase have asterisks in that
 * place.  Runs in workers; two copies of the line in the request's arena.
 */
#include "http/request.h"

#include <string.h>

struct weir_hidden { const struct weir_hidden *next; weir_str_t name; };

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

    weir_assert(req->shown_target == NULL && target.len != 0);
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
weir_request_hide_arg(weir_request_t *req, weir_str_t name)
{
    struct weir_hidden *hidden = weir_alloc(&req->arena, sizeof(*hidden));
    weir_str_t          query = req->head.query, value;

    *hidden = (struct weir_hidden) { req->hidden, name };
    req->hidden = hidden;
    while (weir_uri_next_arg(&query, name, &value)) {
        if (!secret_is_in(value, req->head.target)) {
            continue;
        }
        if (req->shown_target == NULL) {
            secret_copy(req);
        }
        memset(req->shown_target + (value.at - req->head.target.at), '*', value.len);
    }
}

void
weir_request_strip_arg(weir_request_t *req, weir_str_t name)
{
    weir_str_t rest = req->query, pair, value;
    char      *copy;
    size_t     n = 0;

    if (!weir_uri_arg(rest, name, &value)) {
        return;
    }
    copy = weir_alloc_bytes(&req->arena, rest.len);
    while (rest.len != 0) {
        (void) weir_str_cut(rest, '&', &pair, &rest);
        if (weir_uri_arg(pair, name, &value)) {
            continue;
        }
        if (n != 0) {
            copy[n++] = '&';
        }
        memcpy(copy + n, pair.at, pair.len);
        n += pair.len;
    }
    weir_assert(n <= req->query.len);     /* what is left is not longer */
    req->query = weir_str(copy, n);
    req->head.has_query = req->head.has_query && n != 0;
}

/* A query that rewrite or set has made. */
static void
secret_mask_query(weir_request_t *req)
{
    char *copy = weir_alloc_bytes(&req->arena, req->query.len);

    memcpy(copy, req->query.at, req->query.len);
    req->query.at = copy;
    for (const struct weir_hidden *hidden = req->hidden; hidden != NULL; hidden = hidden->next) {
        weir_str_t query = req->query, value;

        while (weir_uri_next_arg(&query, hidden->name, &value)) {
            if (value.len != 0) {
                memset(copy + (value.at - req->query.at), '*', value.len);
            }
        }
    }
}

void
weir_request_show_hidden(weir_request_t *req)
{
    weir_str_t target = req->head.target;

    if (req->hidden != NULL && req->query.len != 0 && !secret_is_in(req->query, target)) {
        secret_mask_query(req);
    }
    if (req->shown_target == NULL) {
        return;
    }
    weir_assert(req->shown_line.len >= target.len);     /* the copy has all of it */
    if (secret_is_in(req->query, target)) {
        req->query.at = req->shown_target + (req->query.at - target.at);
    }
    if (secret_is_in(req->head.query, target)) {
        req->head.query.at = req->shown_target + (req->head.query.at - target.at);
    }
    req->head.target.at = req->shown_target;
    req->head.line = req->shown_line;
}
