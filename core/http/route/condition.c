/*
 * condition.c - the condition of an `if`, read and judged.
 *
 * Read at load; judged in workers, where it may look at the file system (stat), which can wait.
 */
#include "http/route/condition.h"

#include "http/route/captures.h"
#include "http/vars/uri_text.h"
#include "http/request.h"
#include "os/sys.h"

#define CONDITION_MAX_WORDS 5    /* "(", two values with what is between them, ")" */

typedef struct { weir_str_t text; size_t word; } condition_part_t;

/* -- load -- */

/* The words without the parentheses around them; 0: there are none. */
static size_t
condition_parts(const weir_conf_words_t *words, condition_part_t *parts)
{
    size_t n = 0, last = words->n - 1;

    if (words->n > CONDITION_MAX_WORDS + 1 || !weir_str_starts(words->at[1].text, WEIR_STR("(")) || words->at[1].quoted
        || !weir_str_ends(words->at[last].text, WEIR_STR(")")) || words->at[last].quoted
        || (last == 1 && words->at[1].text.len < 2))
    {
        return 0;
    }
    for (size_t i = 1; i <= last; i++) {
        weir_str_t text = words->at[i].text;

        if (i == 1) {
            text = weir_str_skip(text, 1);
        }
        if (i == last) {
            text.len--;
        }
        if (text.len != 0 || words->at[i].quoted || (i != 1 && i != last)) {
            parts[n++] = (condition_part_t) { text, i };
        }
    }
    return n;
}

static bool
condition_file(weir_conf_t *cf, const condition_part_t *parts, size_t n, weir_condition_t *condition)
{
    static const struct { const char *word; weir_condition_kind_t kind; } kinds[] = {
        { "-f", WEIR_CONDITION_FILE }, { "-d", WEIR_CONDITION_FOLDER }, { "-e", WEIR_CONDITION_EXISTS },
        { "-x", WEIR_CONDITION_EXECUTABLE },
    };
    weir_str_t word = parts[0].text;

    condition->negate = weir_str_starts(word, WEIR_STR("!"));
    for (size_t i = 0; n == 2 && i < weir_countof(kinds); i++) {
        if (weir_str_eq(weir_str_skip(word, condition->negate), weir_str_from_z(kinds[i].word))) {
            condition->kind = kinds[i].kind;
            condition->left = weir_conf_template(cf, parts[1].word, parts[1].text);
            return condition->left != NULL;
        }
    }
    return weir_conf_error(cf, parts[0].word, "invalid condition \"%.*s\"", WEIR_STR_ARG(word));
}

static bool
condition_compare(weir_conf_t *cf, const condition_part_t *parts, weir_condition_t *condition)
{
    weir_str_t op = parts[1].text;

    condition->negate = weir_str_starts(op, WEIR_STR("!"));
    op = weir_str_skip(op, condition->negate);
    if (weir_str_eq(op, WEIR_STR("="))) {
        condition->kind = WEIR_CONDITION_EQUAL;
        condition->right = weir_conf_template(cf, parts[2].word, parts[2].text);
        return condition->right != NULL;
    }
    if (weir_str_eq(op, WEIR_STR("~")) || weir_str_eq(op, WEIR_STR("~*"))) {
        condition->kind = WEIR_CONDITION_PATTERN;
        condition->regex = weir_http_captures_announce(cf, parts[2].word, parts[2].text, op.len == 2, WEIR_OF_REQUEST);
        return condition->regex != NULL;
    }
    return weir_conf_error(cf, parts[1].word, "unexpected \"%.*s\" in condition: expected =, !=, ~, ~*, !~ or !~*",
                           WEIR_STR_ARG(parts[1].text));
}

bool
weir_condition_read(weir_conf_t *cf, const weir_conf_words_t *words, weir_condition_t *condition)
{
    condition_part_t parts[CONDITION_MAX_WORDS];
    size_t           n = condition_parts(words, parts);

    *condition = (weir_condition_t) { .kind = WEIR_CONDITION_SET };
    if (n == 0) {
        return weir_conf_error(
            cf, 1, "invalid condition: expected ($variable), ($variable = value), ($variable ~ pattern) or (-f file)");
    }
    if (parts[0].text.len < 2 || parts[0].text.at[0] != '$' || words->at[parts[0].word].is_literal) {
        return condition_file(cf, parts, n, condition);
    }
    condition->left = weir_conf_template(cf, parts[0].word, parts[0].text);
    if (condition->left == NULL) {
        return false;
    }
    if (condition->left->n != 1 || (n != 1 && n != 3)) {
        return weir_conf_error(cf, parts[0].word, "invalid condition \"%.*s\"", WEIR_STR_ARG(parts[0].text));
    }
    return n == 1 || condition_compare(cf, parts, condition);
}

/* -- requests -- */

static bool
condition_looks(weir_condition_kind_t kind, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    switch (kind) {
    case WEIR_CONDITION_FILE:   return S_ISREG(st.st_mode);
    case WEIR_CONDITION_FOLDER: return S_ISDIR(st.st_mode);
    case WEIR_CONDITION_EXECUTABLE: return (st.st_mode & S_IXUSR) != 0;
    default: return true;
    }
}

static bool
condition_is_met(const weir_condition_t *condition, weir_request_t *req, weir_str_t value, weir_str_t right)
{
    weir_captures_t captures;

    switch (condition->kind) {
    case WEIR_CONDITION_SET:
        return value.len != 0 && !weir_str_eq(value, WEIR_STR("0"));
    case WEIR_CONDITION_EQUAL:
        return weir_str_eq(value, right);
    case WEIR_CONDITION_PATTERN:
        return weir_regex_exec(condition->regex, value, &captures) == WEIR_REGEX_MATCH;
    default:
        return value.len != 0 && condition_looks(condition->kind, weir_str_to_z(&req->arena, value));
    }
}

/* As with locations: a path with encoded slashes must be judged the same in both of its readings. */
static bool
condition_splits_readers(const weir_condition_t *condition, weir_request_t *req, weir_str_t value)
{
    weir_str_t other = weir_uri_text_plain(req, condition->left), right = WEIR_STR_NONE, right_other = WEIR_STR_NONE;

    if (condition->kind == WEIR_CONDITION_EQUAL) {
        right = weir_request_eval(req, condition->right);
        right_other = weir_uri_text_plain(req, condition->right);
    }
    return (!weir_str_eq(value, other) || !weir_str_eq(right, right_other))
           && condition_is_met(condition, req, value, right) != condition_is_met(condition, req, other, right_other);
}

static weir_condition_result_t
condition_judge(const weir_condition_t *condition, weir_request_t *req)
{
    weir_str_t          value = weir_request_eval(req, condition->left);
    weir_regex_result_t result;
    bool                holds;

    if (weir_unlikely(req->uri.has_slash || req->has_plain_forms) && condition_splits_readers(condition, req, value)) {
        return WEIR_CONDITION_SLASHES;
    }
    if (condition->kind == WEIR_CONDITION_PATTERN) {
        result = weir_http_captures_match(req, condition->regex, value, weir_uri_text_is_decoded(req, condition->left));
        if (result == WEIR_REGEX_LIMIT) {
            return WEIR_CONDITION_LIMIT;
        }
        holds = result == WEIR_REGEX_MATCH;
    } else {
        holds = condition_is_met(condition, req, value,
                                 condition->kind == WEIR_CONDITION_EQUAL ? weir_request_eval(req, condition->right)
                                                                         : WEIR_STR_NONE);
    }
    return holds != condition->negate ? WEIR_CONDITION_TRUE : WEIR_CONDITION_FALSE;
}

weir_condition_result_t
weir_condition_holds(const weir_condition_t *condition, weir_request_t *req)
{
    weir_condition_result_t result = condition_judge(condition, req);

    return weir_unlikely(req->failed_value != WEIR_CAUSE_NONE) ? WEIR_CONDITION_LIMIT : result;
}
