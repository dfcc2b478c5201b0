/*
 * expression.c - see expression.h.  Runs at load time; memory is the generation's.
 */
#include "conf/expression.h"

#include "base/array.h"

#define EXPRESSION_LIST_MAX 4096          /* texts or networks of one `in` */

typedef struct { weir_str_t text; size_t word; bool is_quoted; } expression_token_t;

typedef struct {
    weir_conf_t             *cf;
    const expression_token_t *at;
    size_t                   n, next, last_word;
    unsigned                 depth;
} expression_reader_t;

/* -- tokens -- */

static bool
expression_is_pattern_op(const expression_token_t *token)
{
    return !token->is_quoted && (weir_str_eq(token->text, WEIR_STR("~")) || weir_str_eq(token->text, WEIR_STR("~*"))
                                 || weir_str_eq(token->text, WEIR_STR("!~"))
                                 || weir_str_eq(token->text, WEIR_STR("!~*")));
}

static void
expression_push(weir_array_t *tokens, weir_str_t text, size_t word, bool is_quoted)
{
    if (text.len != 0 || is_quoted) {
        *(expression_token_t *) weir_array_push(tokens) = (expression_token_t) { text, word, is_quoted };
    }
}

/* Where the token that begins at `from` ends.  One in quotes ends behind the second of them; 0: there is none. */
static size_t
expression_token_end(weir_str_t text, size_t from)
{
    char quote = text.at[from];

    weir_assert(from < text.len);
    if (quote == '(' || quote == ')' || quote == ',') {
        return from + 1;
    }
    for (size_t i = from + 1; i < text.len; i++) {
        char c = text.at[i];

        if (quote == '"' || quote == '\'') {
            if (c == quote) {
                return i + 1;
            }
        } else if (c == '(' || c == ')' || c == ',') {
            return i;
        }
    }
    return quote == '"' || quote == '\'' ? 0 : text.len;
}

static bool
expression_split(weir_conf_t *cf, weir_array_t *tokens, weir_str_t text, size_t word)
{
    for (size_t from = 0, end; from < text.len; from = end) {
        bool is_quoted = text.at[from] == '"' || text.at[from] == '\'';

        end = expression_token_end(text, from);
        if (end == 0) {
            return weir_conf_error(cf, word,
                                   "the quotes in \"%.*s\" do not end: a text with spaces stands apart from \"(\" and "
                                   "\",\"",
                                   WEIR_STR_ARG(text));
        }
        expression_push(tokens, weir_str(text.at + from + is_quoted, end - from - (is_quoted ? 2 : 0)), word,
                        is_quoted);
    }
    return true;
}

static bool
expression_tokens(weir_conf_t *cf, weir_array_t *tokens, const weir_conf_words_t *words, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const weir_conf_word_t   *word = &words->at[i];
        const expression_token_t *before = tokens->n != 0 ? weir_array_at(tokens, expression_token_t, tokens->n - 1)
                                           : NULL;

        if (word->quoted || (before != NULL && expression_is_pattern_op(before))) {
            expression_push(tokens, word->text, i, word->quoted);
        } else if (!expression_split(cf, tokens, word->text, i)) {
            return false;
        }
    }
    return true;
}

/* Is the next one this word?  Then it is taken. */
static bool
expression_take(expression_reader_t *r, const char *word)
{
    weir_assert(r->next <= r->n);
    if (r->next == r->n || r->at[r->next].is_quoted || !weir_str_eq(r->at[r->next].text, weir_str_from_z(word))) {
        return false;
    }
    r->next++;
    return true;
}

static weir_condition_t *
expression_wrong(expression_reader_t *r, const char *expected)
{
    if (r->next == r->n) {
        (void) weir_conf_error(r->cf, r->last_word, "the condition ends where %s was expected", expected);
    } else {
        (void) weir_conf_error(r->cf, r->at[r->next].word, "unexpected \"%.*s\" in the condition: expected %s",
                               WEIR_STR_ARG(r->at[r->next].text), expected);
    }
    return NULL;
}

/* -- texts -- */

/* Words that mean something are no texts unless they are in quotes. */
static bool
expression_is_text(const expression_token_t *token)
{
    static const char *const words[] = { "(", ")", ",", "and", "or", "not", "in", "has", "=", "==", "!=", "<", "<=",
                                         ">", ">=", "~", "~*", "!~", "!~*" };

    for (size_t i = 0; i < weir_countof(words) && !token->is_quoted; i++) {
        if (weir_str_eq(token->text, weir_str_from_z(words[i]))) {
            return false;
        }
    }
    return true;
}

static const weir_template_t *
expression_text(expression_reader_t *r, const char *expected)
{
    const weir_template_t *text;

    if (r->next == r->n || !expression_is_text(&r->at[r->next])) {
        (void) expression_wrong(r, expected);
        return NULL;
    }
    text = weir_conf_template(r->cf, r->at[r->next].word, r->at[r->next].text);
    r->next += text != NULL;
    return text;
}

static weir_str_t
expression_constant(const weir_template_t *text)
{
    weir_assert(text->is_constant);
    return text->n == 0 ? WEIR_STR("") : text->parts[0].literal;
}

static weir_condition_t *
expression_new(expression_reader_t *r, weir_expression_op_t op, const weir_template_t *left,
               const weir_template_t *right)
{
    weir_condition_t *p = weir_new(r->cf->arena, weir_condition_t);

    *p = (weir_condition_t) { .op = op, .left = left, .right = right };
    return p;
}

static weir_condition_t *
expression_not(expression_reader_t *r, weir_condition_t *inner)
{
    weir_condition_t *p;

    if (inner == NULL) {
        return NULL;
    }
    p = expression_new(r, WEIR_EXPRESSION_NOT, NULL, NULL);
    p->first = inner;
    return p;
}

/* -- tests -- */

static weir_condition_t *
expression_pattern(expression_reader_t *r, const weir_template_t *left, bool folds_case)
{
    weir_condition_t *p = expression_new(r, WEIR_EXPRESSION_MATCH, left, NULL);

    if (r->next == r->n) {
        return expression_wrong(r, "a pattern");
    }
    p->regex = weir_conf_regex(r->cf, r->at[r->next].word, r->at[r->next].text, folds_case);
    r->next++;
    return p->regex != NULL ? p : NULL;
}

static bool
expression_may_be_number(const weir_template_t *text)
{
    return !text->is_constant || weir_expression_is_number(expression_constant(text));
}

static weir_condition_t *
expression_number(expression_reader_t *r, const weir_template_t *left, bool or_equal, bool is_swapped)
{
    size_t                 at = r->next;
    const weir_template_t *right = expression_text(r, "a number");

    if (right == NULL) {
        return NULL;
    }
    if (!expression_may_be_number(right) || !expression_may_be_number(left)) {
        r->next = expression_may_be_number(right) ? at - 2 : at;
        return expression_wrong(r, "a number");
    }
    return expression_new(r, or_equal ? WEIR_EXPRESSION_LESS_EQUAL : WEIR_EXPRESSION_LESS, is_swapped ? right : left,
                          is_swapped ? left : right);
}

typedef struct { weir_array_t texts, networks; } expression_list_t;     /* const weir_template_t *, weir_cidr_t */

static bool
expression_add(expression_reader_t *r, expression_list_t *list)
{
    const expression_token_t *token = r->next < r->n ? &r->at[r->next] : NULL;
    const weir_template_t   *text = expression_text(r, "a text or a network");
    weir_cidr_t              cidr;
    weir_cidr_result_t       result;

    if (text == NULL) {
        return false;
    }
    result = token->is_quoted || !text->is_constant ? WEIR_CIDR_BAD : weir_cidr_parse(&cidr, expression_constant(text));
    if (result == WEIR_CIDR_LOW_BITS) {
        weir_conf_warn(r->cf, token->word, "low address bits of %.*s are meaningless", WEIR_STR_ARG(token->text));
    }
    if (result != WEIR_CIDR_BAD && !weir_str_eq(token->text, WEIR_STR("all"))
        && !weir_str_eq(token->text, WEIR_STR("unix:")))
    {
        *(weir_cidr_t *) weir_array_push(&list->networks) = cidr;
    }
    *(const weir_template_t **) weir_array_push(&list->texts) = text;
    if (list->texts.n > EXPRESSION_LIST_MAX) {
        return weir_conf_error(r->cf, token->word, "\"in\" has room for %d texts; a map has room for more",
                               EXPRESSION_LIST_MAX);
    }
    if (list->networks.n != 0 && list->networks.n != list->texts.n) {
        return weir_conf_error(r->cf, token->word, "\"%.*s\" stands among others that are %s; in quotes it is a text",
                               WEIR_STR_ARG(token->text),
                               result == WEIR_CIDR_BAD ? "addresses" : "no addresses");
    }
    return true;
}

static weir_condition_t *
expression_in(expression_reader_t *r, const weir_template_t *left)
{
    expression_list_t list;
    weir_condition_t *p = expression_new(r, WEIR_EXPRESSION_ONE_OF, left, NULL);

    weir_array_init(&list.texts, r->cf->arena, sizeof(const weir_template_t *), 0);
    weir_array_init(&list.networks, r->cf->arena, sizeof(weir_cidr_t), 0);
    if (expression_take(r, "(")) {
        do {
            if (!expression_add(r, &list)) {
                return NULL;
            }
        } while (expression_take(r, ","));
        if (!expression_take(r, ")")) {
            return expression_wrong(r, "\",\" or \")\"");
        }
    } else if (!expression_add(r, &list)) {
        return NULL;
    }
    p->n = list.texts.n;
    p->texts = (const weir_template_t *const *) list.texts.at;
    if (list.networks.n != 0) {
        p->op = WEIR_EXPRESSION_IN_NETWORK;
        p->networks = (const weir_cidr_t *) list.networks.at;
    }
    return p;
}

static weir_condition_t *
expression_of_text(expression_reader_t *r, weir_expression_op_t op, const weir_template_t *left)
{
    const weir_template_t *right = expression_text(r, "a text");

    return right != NULL ? expression_new(r, op, left, right) : NULL;
}

/* More than variables: it is never empty, as "$a=b" without spaces. */
static bool
expression_has_literal(const weir_template_t *text)
{
    for (size_t i = 0; i < text->n; i++) {
        if (text->parts[i].ref.row == NULL && text->parts[i].literal.len != 0) {
            return true;
        }
    }
    return false;
}

/* No list has one that is empty or has a separator in it. */
static bool
expression_may_be_element(const weir_template_t *text)
{
    for (size_t i = 0; i < text->n; i++) {
        for (size_t k = 0; text->parts[i].ref.row == NULL && k < text->parts[i].literal.len; k++) {
            if (weir_expression_is_separator(text->parts[i].literal.at[k])) {
                return false;
            }
        }
    }
    return !text->is_constant || expression_constant(text).len != 0;
}

static weir_condition_t *
expression_element(expression_reader_t *r, const weir_template_t *left)
{
    size_t            at = r->next;
    weir_condition_t *p = expression_of_text(r, WEIR_EXPRESSION_HAS, left);

    if (p == NULL || expression_may_be_element(p->right)) {
        return p;
    }
    r->next = at;
    return expression_wrong(r, "one element of a list, which has no comma, space or tab in it and is not empty");
}

static weir_condition_t *
expression_test(expression_reader_t *r)
{
    const weir_template_t *left = expression_text(r, "a variable, \"not\" or \"(\"");
    size_t                 at = r->next;

    if (left == NULL) {
        return NULL;
    }
    if (expression_take(r, "=") || expression_take(r, "==")) {
        return expression_of_text(r, WEIR_EXPRESSION_EQUAL, left);
    }
    if (expression_take(r, "!=")) {
        return expression_not(r, expression_of_text(r, WEIR_EXPRESSION_EQUAL, left));
    }
    if (expression_take(r, "<") || expression_take(r, "<=")) {
        return expression_number(r, left, r->at[at].text.len == 2, false);
    }
    if (expression_take(r, ">") || expression_take(r, ">=")) {
        return expression_number(r, left, r->at[at].text.len == 2, true);
    }
    if (expression_take(r, "~") || expression_take(r, "~*")) {
        return expression_pattern(r, left, r->at[at].text.len == 2);
    }
    if (expression_take(r, "!~") || expression_take(r, "!~*")) {
        return expression_not(r, expression_pattern(r, left, r->at[at].text.len == 3));
    }
    if (expression_take(r, "in")) {
        return expression_in(r, left);
    }
    if (expression_take(r, "not")) {
        return expression_take(r, "in") ? expression_not(r, expression_in(r, left)) : expression_wrong(r, "\"in\"");
    }
    if (expression_take(r, "has")) {
        return expression_element(r, left);
    }
    if (left->is_constant || expression_has_literal(left)) {
        r->next = at - 1;
        return expression_wrong(r, left->is_constant ? "a variable" : "a variable alone, or spaces around an operator");
    }
    return expression_new(r, WEIR_EXPRESSION_SET, left, NULL);
}

/* -- what joins them -- */

static weir_condition_t *expression_any(expression_reader_t *r);

static weir_condition_t *
expression_inside(expression_reader_t *r)
{
    weir_condition_t *inner = expression_any(r);

    return inner == NULL || expression_take(r, ")") ? inner : expression_wrong(r, "\"and\", \"or\" or \")\"");
}

static weir_condition_t *
expression_one(expression_reader_t *r)
{
    weir_condition_t *p;

    if (r->depth == WEIR_EXPRESSION_DEPTH) {
        return expression_wrong(r, "less: it is nested too deeply");
    }
    r->depth++;
    if (expression_take(r, "not")) {
        p = expression_not(r, expression_one(r));
    } else {
        p = expression_take(r, "(") ? expression_inside(r) : expression_test(r);
    }
    r->depth--;
    return p;
}

/* One, or several with the word between them. */
static weir_condition_t *
expression_joined(expression_reader_t *r, weir_expression_op_t op, const char *word,
                  weir_condition_t *(*one)(expression_reader_t *r))
{
    weir_condition_t        *first = one(r), *all;
    const weir_condition_t **end;

    if (first == NULL || !expression_take(r, word)) {
        return first;
    }
    all = expression_new(r, op, NULL, NULL);
    all->first = first;
    end = &first->next;
    do {
        weir_condition_t *next = one(r);

        if (next == NULL) {
            return NULL;
        }
        *end = next;
        end = &next->next;
    } while (expression_take(r, word));
    return all;
}

static weir_condition_t *
expression_all(expression_reader_t *r)
{
    return expression_joined(r, WEIR_EXPRESSION_AND, "and", expression_one);
}

static weir_condition_t *
expression_any(expression_reader_t *r)
{
    return expression_joined(r, WEIR_EXPRESSION_OR, "or", expression_all);
}

const weir_expression_t *
weir_conf_predicate(weir_conf_t *cf, const weir_conf_words_t *words, size_t first, size_t end)
{
    weir_array_t        tokens;
    expression_reader_t r = { .cf = cf, .last_word = end - 1 };
    weir_condition_t   *p;

    weir_array_init(&tokens, cf->arena, sizeof(expression_token_t), 0);
    if (!expression_tokens(cf, &tokens, words, first, end)) {
        return NULL;
    }
    r.at = (const expression_token_t *) tokens.at;
    r.n = tokens.n;
    p = expression_any(&r);
    if (p != NULL && r.next != r.n) {
        p = expression_wrong(&r, "\"and\" or \"or\"");
    }
    return p != NULL ? weir_expression_make(cf->arena, p) : NULL;
}
