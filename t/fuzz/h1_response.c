/*
 * h1_response.c - fuzz target: a response head through scan and parser; the same bytes as trailers.
 *
 * Oracles: the scan's verdict does not depend on cuts; accepted fields are tokens and values inside the head.
 */
#include "scan_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const weir_h1_limits_t limits = { .max_line = 4096, .max_field = 4096, .max_head = 16384, .max_fields = 100 };

static void
check_response(const weir_response_head_t *res, weir_str_t head, weir_arena_t *arena)
{
    oracle_check_fields(&res->fields, head, arena);
    weir_assert(res->status >= 100 && res->status <= 599 && res->minor <= 1);
    weir_assert(weir_syntax_is_field_value(res->reason));
    weir_assert(!(res->chunked && (res->content_length != WEIR_LENGTH_NONE || res->minor == 0)));
    weir_assert(!res->upgrade || res->status == 101);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_response_head_t res;
    weir_fields_t      trailers = { .n = 0 };
    weir_arena_t       arena;
    size_t             head;
    char              *exact = malloc(size + 1);

    weir_assert(exact != NULL);
    if (size != 0) {
        memcpy(exact, data, size);
    }
    weir_arena_init(&arena, 4096);
    if (weir_h1_parse_trailers(&trailers, weir_str(exact, size), 50, &arena) == WEIR_H1_OK) {
        oracle_check_fields(&trailers, weir_str(exact, size), &arena);
    }
    if (oracle_scan_all_ways(&limits, exact, size, &head) == WEIR_H1_DONE) {
        exact = realloc(exact, head);
        weir_assert(exact != NULL);
        if (weir_h1_parse_response(&res, weir_str(exact, head), 50, &arena) == WEIR_H1_OK) {
            check_response(&res, weir_str(exact, head), &arena);
        }
    }
    weir_arena_fini(&arena);
    free(exact);
    return 0;
}
