/*
 * predicates.c - what a rule asks of a request beside its path: method, header fields, query arguments.
 *
 * Runs in workers.  Allocates only to join a field that came in several lines, which is then judged as it would be sent
 * on: as one list (RFC 9110 §5.3).
 */
#include "http/match/match.h"
#include "http/message/uri.h"

#define PREDS_JOIN_CHUNK 2048

static bool
preds_value_holds(const weir_predicate_t *pred, weir_str_t value, bool *limit)
{
    weir_regex_result_t result;

    if (pred->regex == NULL) {
        return pred->value.len == 0 || weir_str_eq(value, pred->value);
    }
    result = weir_regex_exec(pred->regex, value, NULL);
    *limit |= result == WEIR_REGEX_LIMIT;
    return result == WEIR_REGEX_MATCH;
}

static bool
preds_header_holds(const weir_predicate_t *pred, const weir_fields_t *fields, bool *limit)
{
    const weir_field_t *field = weir_fields_find(fields, pred->name);
    weir_arena_t        joined;
    bool                holds;

    if (field == NULL) {
        return false;
    }
    if (weir_fields_next(fields, field) == NULL) {
        return preds_value_holds(pred, field->value, limit);
    }
    weir_arena_init(&joined, PREDS_JOIN_CHUNK);
    holds = preds_value_holds(pred, weir_fields_join(fields, pred->name, &joined), limit);
    weir_arena_fini(&joined);
    return holds;
}

static bool
preds_one_holds(const weir_predicate_t *pred, const weir_match_input_t *input, bool *limit)
{
    weir_str_t value;

    switch (pred->kind) {
    case WEIR_PRED_METHOD:
        return weir_str_eq(pred->name, input->method);      /* case-sensitive (RFC 9110 §9.1) */
    case WEIR_PRED_HEADER:
        return preds_header_holds(pred, input->fields, limit);
    case WEIR_PRED_QUERY:
        return weir_uri_arg(input->query, pred->name, &value) && preds_value_holds(pred, value, limit);
    }
    return false;
}

bool
weir_predicates_hold(const weir_predicate_t *preds, size_t n, const weir_match_input_t *input, bool *limit)
{
    for (size_t i = 0; i < n; i++) {
        bool holds = preds_one_holds(&preds[i], input, limit);

        if (*limit || holds == preds[i].negate) {
            return false;
        }
    }
    return true;
}
