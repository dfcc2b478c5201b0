/*
 * h1_line_ends.c - fuzz target: a head whose lines may end in LF, through scan, line_ends and parser.
 *
 * Oracles: the scan's verdict does not depend on cuts; what is parsed has no line end but CRLF; a head that is taken
 * holds one kind of line end; a head in CRLF means the same as without client_line_ends.
 */
#include "scan_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const weir_h1_limits_t strict = { .max_line = 4096, .max_field = 4096, .max_head = 16384, .max_fields = 100 };
static const weir_h1_limits_t loose = { .max_line = 4096, .max_field = 4096, .max_head = 16384, .max_fields = 100,
                                        .takes_lf = true };

static void
check_taken(weir_str_t head, weir_str_t text)
{
    size_t crlf = 0, lf = 0;

    for (size_t i = 0; i < text.len; i++) {
        weir_assert(text.at[i] != '\n' || (i != 0 && text.at[i - 1] == '\r'));
    }
    for (size_t i = 0; i < head.len; i++) {
        if (head.at[i] == '\n') {
            *(i != 0 && head.at[i - 1] == '\r' ? &crlf : &lf) += 1;
        }
    }
    weir_assert(crlf == 0 || lf == 0);
    weir_assert(text.len == head.len + lf);
}

static void
check_request(weir_str_t head, weir_arena_t *arena)
{
    weir_h1_options_t options = { .ignore_invalid = true, .max_fields = 50 };
    weir_request_head_t req;
    weir_str_t        text = head;

    if (weir_h1_line_ends(&text, arena) == WEIR_H1_OK
        && weir_h1_parse_request(&req, &options, text, arena) == WEIR_H1_OK)
    {
        check_taken(head, text);
        oracle_check_fields(&req.fields, text, arena);
    }
}

static void
check_response(weir_str_t head, weir_arena_t *arena)
{
    weir_response_head_t res;
    weir_str_t         text = head;

    if (weir_h1_line_ends(&text, arena) == WEIR_H1_OK && weir_h1_parse_response(&res, text, 50, arena) == WEIR_H1_OK) {
        check_taken(head, text);
        oracle_check_fields(&res.fields, text, arena);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_arena_t arena;
    size_t       head, same;
    char        *exact = malloc(size + 1);

    weir_assert(exact != NULL);
    if (size != 0) {
        memcpy(exact, data, size);
    }
    weir_arena_init(&arena, 4096);
    if (oracle_scan_all_ways(&loose, exact, size, &head) == WEIR_H1_DONE) {
        if (oracle_scan_all_ways(&strict, exact, size, &same) == WEIR_H1_DONE) {
            weir_assert(same == head);
        }
        exact = realloc(exact, head);
        weir_assert(exact != NULL);
        check_request(weir_str(exact, head), &arena);
        check_response(weir_str(exact, head), &arena);
    }
    weir_arena_fini(&arena);
    free(exact);
    return 0;
}
