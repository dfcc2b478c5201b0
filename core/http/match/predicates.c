/*
 * predicates.c - what a rule asks of a request beside its path: method, header fields, cookies, query arguments.
 *
 * Runs in workers.  Allocates only for what is not in one piece: a field that came in several lines, which is judged as
 * it would be sent on, as one list (RFC 9110 §5.3), and an argument with encoded bytes.
 */
#include "http/match/match.h"

#define PREDS_CHUNK 2048

/* -- query arguments: names and values as a form has them -- */

static int
preds_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                                                                        : -1;
}

/* The byte that the text's next ones are, which are taken: "%41" is A and '+' a space; a percent sign that begins no
 * encoded byte is itself. */
static char
preds_take_byte(weir_str_t *text)
{
    char c = text->at[0];
    int  high = c == '%' && text->len > 2 ? preds_digit(text->at[1]) : -1;
    int  low = high >= 0 ? preds_digit(text->at[2]) : -1;

    *text = weir_str_skip(*text, low >= 0 ? 3 : 1);
    return low >= 0 ? (char) (high * 16 + low) : c == '+' ? ' ' : c;
}

static bool
preds_is_encoded(weir_str_t text)
{
    return weir_str_find(text, '%') != NULL || weir_str_find(text, '+') != NULL;
}

static weir_str_t
preds_decode(weir_str_t text, weir_arena_t *arena)
{
    char  *out;
    size_t n = 0;

    if (!preds_is_encoded(text)) {
        return text;
    }
    out = weir_alloc_bytes(arena, text.len);
    while (text.len != 0) {
        out[n++] = preds_take_byte(&text);
    }
    weir_assert(n != 0);                               /* and never more than there were: each takes one at least */
    return weir_str(out, n);
}

static bool
preds_decodes_to(weir_str_t text, weir_str_t name)
{
    if (!preds_is_encoded(text)) {
        return weir_str_eq(text, name);
    }
    while (text.len != 0 && name.len != 0) {
        if (preds_take_byte(&text) != name.at[0]) {
            return false;
        }
        name = weir_str_skip(name, 1);
    }
    return text.len == 0 && name.len == 0;
}

/* The first of that name; one without a '=' has an empty value. */
static bool
preds_argument(weir_str_t query, weir_str_t name, weir_arena_t *arena, weir_str_t *value)
{
    weir_str_t pair, key;

    while (query.len != 0) {
        (void) weir_str_cut(query, '&', &pair, &query);
        (void) weir_str_cut(pair, '=', &key, &pair);
        if (preds_decodes_to(key, name)) {
            *value = preds_decode(pair, arena);
            return true;
        }
    }
    return false;
}

/* -- cookies (RFC 6265 §4.2.1): the first of that name -- */

static bool
preds_cookie(const weir_fields_t *fields, weir_str_t name, weir_str_t *value)
{
    const weir_field_t *field = weir_fields_first(fields, WEIR_HEADER_COOKIE);

    for (; field != NULL; field = weir_fields_next(fields, field)) {
        weir_str_t text = field->value, pair, key, rest;

        while (text.len != 0) {
            (void) weir_str_cut(text, ';', &pair, &text);
            if (weir_str_cut(pair, '=', &key, &rest) && weir_str_eq(weir_str_trim(key), name)) {
                *value = weir_str_trim(rest);
                return true;
            }
        }
    }
    return false;
}

/* -- any of them -- */

bool
weir_predicates_value(const weir_predicate_t *pred, const weir_match_input_t *input, weir_arena_t *arena,
                      weir_str_t *value)
{
    switch (pred->kind) {
    case WEIR_PRED_METHOD:
        *value = input->method;
        return true;
    case WEIR_PRED_HEADER:
        *value = weir_fields_join(input->fields, pred->name, arena);
        return value->at != NULL || weir_fields_find(input->fields, pred->name) != NULL;
    case WEIR_PRED_QUERY:
        return preds_argument(input->query, pred->name, arena, value);
    case WEIR_PRED_COOKIE:
        return preds_cookie(input->fields, pred->name, value);
    }
    return false;
}

/* Methods are case-sensitive (RFC 9110 §9.1). */
static bool
preds_method_holds(const weir_predicate_t *pred, weir_str_t method)
{
    for (size_t i = 0; i < pred->names.n; i++) {
        if (weir_str_eq(pred->names.at[i], method)) {
            return true;
        }
    }
    return pred->names.n == 0 && weir_str_eq(pred->name, method);
}

static bool
preds_value_holds(const weir_predicate_t *pred, weir_str_t value, bool *limit)
{
    weir_regex_result_t result;

    if (pred->regex == NULL) {
        return pred->value.at == NULL || weir_str_eq(value, pred->value);
    }
    result = weir_regex_exec(pred->regex, value, NULL);
    *limit |= result == WEIR_REGEX_LIMIT;
    return result == WEIR_REGEX_MATCH;
}

bool
weir_predicates_hold(const weir_predicate_t *preds, size_t n, const weir_match_input_t *input, bool *limit)
{
    weir_arena_t arena;
    bool         all = true;

    weir_arena_init(&arena, PREDS_CHUNK);
    for (size_t i = 0; all && i < n; i++) {
        weir_str_t value;
        bool       holds;

        if (preds[i].kind == WEIR_PRED_METHOD) {
            holds = preds_method_holds(&preds[i], input->method);
        } else {
            holds = weir_predicates_value(&preds[i], input, &arena, &value)
                    && preds_value_holds(&preds[i], value, limit);
        }
        all = !*limit && holds != preds[i].negate;
    }
    weir_arena_fini(&arena);
    return all;
}

/* -- order -- */

static size_t
preds_count(const weir_rule_t *rule, int kind, int or_kind)
{
    size_t n = 0;

    for (size_t i = 0; i < rule->n_preds; i++) {
        n += (int) rule->preds[i].kind == kind || (int) rule->preds[i].kind == or_kind;
    }
    return n;
}

int
weir_predicates_compare(const weir_rule_t *a, const weir_rule_t *b)
{
    static const int kinds[][2] = { { WEIR_PRED_METHOD, WEIR_PRED_METHOD }, { WEIR_PRED_HEADER, WEIR_PRED_COOKIE },
                                    { WEIR_PRED_QUERY, WEIR_PRED_QUERY } };

    for (size_t i = 0; i < weir_countof(kinds); i++) {
        size_t left = preds_count(a, kinds[i][0], kinds[i][1]), right = preds_count(b, kinds[i][0], kinds[i][1]);

        if (left != right) {
            return left > right ? -1 : 1;
        }
    }
    return a->order < b->order ? -1 : a->order > b->order;
}
