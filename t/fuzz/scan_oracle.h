/*
 * scan_oracle.h - what the targets h1_request and h1_response share: the scan's verdict must not depend on how bytes
 * arrive, and what was parsed must be slices of the head that hold what they promise.
 */
#ifndef WEIR_T_FUZZ_SCAN_ORACLE_H
#define WEIR_T_FUZZ_SCAN_ORACLE_H

#include "http/h1/parse.h"
#include "http/message/field_rules.h"
#include "http/message/syntax.h"

#include <stdlib.h>

static inline weir_h1_scan_result_t
oracle_scan(const weir_h1_limits_t *limits, const char *data, size_t len, size_t step, size_t *head)
{
    weir_h1_scan_t        scan = { .at = 0 };
    weir_h1_scan_result_t result = WEIR_H1_MORE;
    size_t                at;

    *head = 0;
    for (at = 0; at < len && result == WEIR_H1_MORE;) {
        at = step < len - at ? at + step : len;
        result = weir_h1_scan(&scan, limits, data, at, head);
    }
    return result;
}

/* Whole, byte by byte and in pieces of some size: one verdict. */
static inline weir_h1_scan_result_t
oracle_scan_all_ways(const weir_h1_limits_t *limits, const char *data, size_t len, size_t *head)
{
    weir_h1_scan_result_t whole = oracle_scan(limits, data, len, len, head);
    size_t                step = len != 0 ? 2 + (unsigned char) data[len - 1] % 29u : 1, other;

    weir_assert(oracle_scan(limits, data, len, 1, &other) == whole && other == *head);
    weir_assert(oracle_scan(limits, data, len, step, &other) == whole && other == *head);
    weir_assert(whole != WEIR_H1_DONE || (*head <= limits->max_head && *head <= len));
    return whole;
}

static inline void
oracle_check_fields(const weir_fields_t *fields, weir_str_t head, weir_arena_t *arena)
{
    weir_str_t          joined;
    const weir_field_t *field;
    uint32_t            i;

    for (i = 0; i < fields->n; i++) {
        field = &fields->at[i];
        weir_assert(weir_syntax_is_token(field->name) && weir_syntax_is_field_value(field->value));
        weir_assert(field->name.at >= head.at && field->value.at + field->value.len <= head.at + head.len);
        weir_assert(field->value.len == 0 || weir_str_trim(field->value).len == field->value.len);
        weir_assert(field->id == weir_header_id(field->name));
        weir_assert(weir_fields_find(fields, field->name) <= field);
        joined = weir_fields_join(fields, field->name, arena);
        weir_assert(joined.at != NULL && weir_syntax_is_field_value(joined));
        (void) weir_field_rules_may_trail(field);
    }
}

#endif
