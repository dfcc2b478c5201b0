/*
 * h1_request.c - fuzz target: a request head through scan, parser and normaliser.
 *
 * Oracles: the scan's verdict does not depend on cuts; what was accepted and is written anew, field by field, is
 * accepted again and means the same.
 */
#include "http/message/uri.h"
#include "scan_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const weir_h1_limits_t roomy = { .max_line = 8192, .max_field = 8192, .max_head = 32768, .max_fields = 100 };
static const weir_h1_limits_t tight = { .max_line = 40, .max_field = 24, .max_head = 90, .max_fields = 3 };

static char *
put(char *out, weir_str_t text)
{
    if (text.len != 0) {
        memcpy(out, text.at, text.len);
    }
    return out + text.len;
}

/* The same request in other bytes: no white space but one SP, version 1.0 or 1.1. */
static weir_str_t
write_anew(const weir_request_head_t *req, size_t len, weir_arena_t *arena)
{
    char    *start = weir_alloc(arena, 2 * len + 64), *out = start;
    uint32_t i;

    out = put(put(put(out, req->method_name), WEIR_STR(" ")), req->target);
    out = put(out, req->minor != 0 ? WEIR_STR(" HTTP/1.1\r\n") : WEIR_STR(" HTTP/1.0\r\n"));
    for (i = 0; i < req->fields.n; i++) {
        out = put(put(put(out, req->fields.at[i].name), WEIR_STR(": ")), req->fields.at[i].value);
        out = put(out, WEIR_STR("\r\n"));
    }
    out = put(out, WEIR_STR("\r\n"));
    return weir_str(start, (size_t) (out - start));
}

static void
check_same(const weir_request_head_t *a, const weir_request_head_t *b)
{
    weir_assert(a->method == b->method && a->form == b->form && a->minor == b->minor && a->port == b->port);
    weir_assert(weir_str_eq(a->target, b->target) && weir_str_eq(a->path, b->path) && weir_str_eq(a->query, b->query));
    weir_assert(weir_str_eq(a->host, b->host) && weir_str_eq(a->scheme, b->scheme) && a->has_query == b->has_query);
    weir_assert(a->content_length == b->content_length && a->chunked == b->chunked && a->keep_alive == b->keep_alive);
    weir_assert(a->expect_continue == b->expect_continue && a->expect_unknown == b->expect_unknown);
    weir_assert(a->upgrade == b->upgrade && a->te_trailers == b->te_trailers && a->fields.n == b->fields.n);
}

static void
check_request(const weir_request_head_t *req, weir_str_t head, weir_arena_t *arena)
{
    weir_uri_t uri;

    oracle_check_fields(&req->fields, head, arena);
    weir_assert(!(req->chunked && req->content_length != WEIR_LENGTH_NONE));
    weir_assert(req->host.len != 0 || req->minor == 0);
    weir_assert(weir_syntax_is_token(req->method_name) && weir_syntax_is_field_value(req->target));
    weir_assert(weir_uri_query_ok(weir_uri_encode_query(req->query, arena)));      /* (bytes from 0x80 on may come as they are) */
    if (req->path.len != 0 && weir_uri_normalise(&uri, req->path, true, arena) == WEIR_URI_OK) {
        weir_assert(weir_syntax_is_field_value(uri.wire) && uri.path.at[0] == '/');
    }
}

static void
parse_twice(weir_str_t head, const weir_h1_options_t *options, weir_arena_t *arena)
{
    weir_request_head_t req, again;

    if (weir_h1_parse_request(&req, options, head, arena) != WEIR_H1_OK) {
        return;
    }
    check_request(&req, head, arena);
    weir_assert(weir_h1_parse_request(&again, options, write_anew(&req, head.len, arena), arena) == WEIR_H1_OK);
    weir_assert(again.dropped == 0);
    check_same(&req, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_h1_options_t options = { .ignore_invalid = true, .max_fields = 100 };
    weir_arena_t      arena;
    size_t            head;
    char             *exact;

    (void) oracle_scan_all_ways(&tight, (const char *) data, size, &head);
    weir_arena_init(&arena, 4096);
    if (oracle_scan_all_ways(&roomy, (const char *) data, size, &head) == WEIR_H1_DONE) {
        exact = malloc(head);
        weir_assert(exact != NULL);
        memcpy(exact, data, head);
        parse_twice(weir_str(exact, head), &options, &arena);
        options.ignore_invalid = false;
        options.underscores = size % 2 != 0;
        parse_twice(weir_str(exact, head), &options, &arena);
        free(exact);
    }
    weir_arena_fini(&arena);
    return 0;
}
