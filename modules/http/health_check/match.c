/*
 * match.c - `match NAME { … }`: conditions of a peer's answer, all of which must hold.
 *
 * Read at load time, in the generation's arena; judged in workers, which allocates nothing.
 */
#include "health.h"

#define MATCH_SAID 80                        /* bytes of a name, or of a condition, in the log */

typedef enum { MATCH_STATUS, MATCH_HEADER, MATCH_BODY, MATCH_REQUIRE } match_kind_t;
typedef enum { MATCH_IS_THERE, MATCH_EQUALS, MATCH_LOOKS_LIKE } match_test_t;

typedef struct { uint16_t from, to; } match_range_t;

struct health_condition {
    health_condition_t *next;
    match_kind_t        kind;
    match_test_t        test;
    bool                is_not;
    weir_str_t          text;                /* as written, for the log */
    match_range_t      *ranges;
    size_t              n_ranges;
    weir_str_t          name, value;
    weir_regex_t       *pattern;
    const weir_conf_words_t      *words;     /* of `require` */
    const weir_template_t *const *texts;
    size_t              n_texts;
};

/* -- reading -- */

health_match_t *
health_match_open(weir_conf_t *cf, const weir_conf_words_t *words)
{
    health_match_t *match = weir_new(cf->arena, health_match_t);

    match->name = words->at[1].text;
    match->end = &match->first;
    if (match->name.len == 0) {
        weir_conf_error(cf, 1, "empty name of \"match\"");
        return NULL;
    }
    return match;
}

static weir_str_t
match_text(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_str_t text = words->at[0].text;

    for (size_t i = 1; i < words->n; i++) {
        text = weir_str_printf(cf->arena, words->at[i].quoted ? "%.*s \"%.*s\"" : "%.*s %.*s", WEIR_STR_ARG(text),
                               WEIR_STR_ARG(words->at[i].text));
    }
    return text;
}

/* 200 or 200-399 */
static bool
match_read_range(weir_str_t word, match_range_t *range)
{
    weir_str_t from, to;
    uint64_t   a, b;

    if (!weir_str_cut(word, '-', &from, &to)) {
        to = from;
    }
    if (!weir_str_to_u64(from, &a) || !weir_str_to_u64(to, &b) || a < 100 || b > 599 || a > b) {
        return false;
    }
    *range = (match_range_t) { (uint16_t) a, (uint16_t) b };
    return true;
}

static bool
match_read_status(weir_conf_t *cf, health_condition_t *condition, const weir_conf_words_t *words)
{
    size_t first = 1;

    if (words->n > 1 && weir_str_eq(words->at[1].text, WEIR_STR("!"))) {
        condition->is_not = true;
        first = 2;
    }
    if (words->n == first) {
        return weir_conf_error(cf, 0, "\"status\" names no status");
    }
    condition->ranges = weir_new_n(cf->arena, match_range_t, words->n);
    for (size_t i = first; i < words->n; i++) {
        if (!match_read_range(words->at[i].text, &condition->ranges[condition->n_ranges++])) {
            return weir_conf_invalid(cf, i, "a status such as 200, or a range such as 200-399");
        }
    }
    return true;
}

/* ~, ~*, =, and the same behind "!".  false: it is none of them. */
static bool
match_read_operator(weir_str_t word, health_condition_t *condition, bool *folds_case)
{
    condition->is_not = weir_str_starts(word, WEIR_STR("!"));
    word = weir_str_skip(word, condition->is_not ? 1 : 0);
    *folds_case = weir_str_eq(word, WEIR_STR("~*"));
    condition->test = weir_str_eq(word, WEIR_STR("=")) ? MATCH_EQUALS : MATCH_LOOKS_LIKE;
    return condition->test == MATCH_EQUALS || *folds_case || weir_str_eq(word, WEIR_STR("~"));
}

/* Words i and i + 1: an operator and what it compares with. */
static bool
match_read_test(weir_conf_t *cf, health_condition_t *condition, const weir_conf_words_t *words, size_t i)
{
    bool folds_case;

    if (!match_read_operator(words->at[i].text, condition, &folds_case)
        || (condition->kind == MATCH_BODY && condition->test == MATCH_EQUALS))
    {
        return weir_conf_invalid(cf, i, condition->kind == MATCH_BODY ? "~, ~*, !~ or !~*"
                                                                       : "=, !=, ~, ~*, !~ or !~*");
    }
    condition->value = words->at[i + 1].text;
    if (condition->test == MATCH_EQUALS) {
        return true;
    }
    condition->pattern = weir_conf_regex(cf, i + 1, condition->value, folds_case);
    return condition->pattern != NULL;
}

static bool
match_read_header(weir_conf_t *cf, health_condition_t *condition, const weir_conf_words_t *words)
{
    size_t name = 1;

    if (words->n == 3 && weir_str_eq(words->at[1].text, WEIR_STR("!"))) {
        condition->is_not = true;
        name = 2;
    } else if (words->n != 2 && words->n != 4) {
        return weir_conf_error(cf, 0, "invalid \"header\": expected a name, \"!\" and a name, or a name, an operator "
                               "and a value");
    }
    condition->name = words->at[name].text;
    if (!weir_syntax_is_token(condition->name)) {
        return weir_conf_invalid(cf, name, "the name of a header");
    }
    return words->n != 4 || match_read_test(cf, condition, words, 2);
}

static bool
match_read_body(weir_conf_t *cf, health_condition_t *condition, const weir_conf_words_t *words)
{
    return words->n == 3 ? match_read_test(cf, condition, words, 1)
                         : weir_conf_error(cf, 0, "invalid \"body\": expected ~ or !~ and a regular expression");
}

static bool
match_read_require(weir_conf_t *cf, health_condition_t *condition, const weir_conf_words_t *words)
{
    weir_conf_words_t      *kept = weir_new(cf->arena, weir_conf_words_t);
    const weir_template_t **texts = weir_new_n(cf->arena, const weir_template_t *, words->n);

    *kept = *words;
    condition->words = kept;
    condition->texts = texts;
    if (words->n < 2) {
        return weir_conf_error(cf, 0, "invalid \"require\": expected variables");
    }
    for (size_t i = 1; i < words->n; i++) {
        texts[condition->n_texts] = weir_conf_template(cf, i, words->at[i].text);
        if (texts[condition->n_texts++] == NULL) {
            return false;
        }
    }
    return true;
}

bool
health_match_settle(weir_conf_t *cf, const weir_generation_t *generation, const health_match_t *match)
{
    const weir_http_conf_t *http = weir_http_conf_of(generation);

    for (const health_condition_t *condition = match->first; condition != NULL; condition = condition->next) {
        if (condition->kind == MATCH_REQUIRE && http->n_servers == 0) {
            return weir_conf_error_at(cf, condition->words,
                                      "\"require\" of a match needs a server in the configuration");
        }
        for (size_t i = 0; i < condition->n_texts; i++) {
            const char *lacks = weir_answered_lacks(cf->vars, condition->texts[i]);

            if (lacks != NULL) {
                return weir_conf_error_at(cf, condition->words, "\"require\" of match \"%.*s\" asks for \"$%s\", "
                                          "which a health check has not: it may ask for $upstream_ variables, and what "
                                          "map makes of them", WEIR_STR_ARG(match->name), lacks);
            }
        }
    }
    return true;
}

static int
match_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \x and two digits is a byte. */
static weir_str_t
match_bytes(weir_conf_t *cf, weir_str_t text)
{
    char  *out = weir_alloc(cf->arena, text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (i + 3 < text.len && text.at[i] == '\\' && text.at[i + 1] == 'x' && match_hex(text.at[i + 2]) >= 0
            && match_hex(text.at[i + 3]) >= 0)
        {
            out[n++] = (char) (match_hex(text.at[i + 2]) << 4 | match_hex(text.at[i + 3]));
            i += 3;
        } else {
            out[n++] = text.at[i];
        }
    }
    return weir_str(out, n);
}

static bool
match_read_tcp(weir_conf_t *cf, health_match_t *match, const weir_conf_words_t *words)
{
    bool is_send = weir_str_eq(words->at[0].text, WEIR_STR("send"));

    match->is_of_tcp = true;
    if (is_send ? match->send.len != 0 : match->expect.len != 0 || match->expect_pattern != NULL) {
        return weir_conf_error(cf, 0, "\"%.*s\" stands twice", WEIR_STR_ARG(words->at[0].text));
    }
    if (!is_send && words->n == 3 && (weir_str_eq(words->at[1].text, WEIR_STR("~"))
                                      || weir_str_eq(words->at[1].text, WEIR_STR("~*"))))
    {
        match->expect_pattern = weir_conf_regex(cf, 2, words->at[2].text, words->at[1].text.len == 2);
        return match->expect_pattern != NULL;
    }
    if (words->n != 2 || words->at[1].text.len == 0) {
        return weir_conf_error(cf, 0, "invalid \"%.*s\": expected a text%s", WEIR_STR_ARG(words->at[0].text),
                               is_send ? "" : ", or ~ and a regular expression");
    }
    *(is_send ? &match->send : &match->expect) = match_bytes(cf, words->at[1].text);
    return true;
}

static bool
match_has_status(const health_match_t *match)
{
    const health_condition_t *condition = match->first;

    while (condition != NULL && condition->kind != MATCH_STATUS) {
        condition = condition->next;
    }
    return condition != NULL;
}

bool
health_match_line(weir_conf_t *cf, health_match_t *match, const weir_conf_words_t *words)
{
    static const struct {
        const char  *name;
        match_kind_t kind;
        bool       (*read)(weir_conf_t *cf, health_condition_t *condition, const weir_conf_words_t *words);
    } rows[] = {
        { "status", MATCH_STATUS, match_read_status },
        { "header", MATCH_HEADER, match_read_header },
        { "body", MATCH_BODY, match_read_body },
        { "require", MATCH_REQUIRE, match_read_require },
    };
    weir_str_t name = words->at[0].text;

    if (weir_str_eq(name, WEIR_STR("send")) || weir_str_eq(name, WEIR_STR("expect"))) {
        return match_read_tcp(cf, match, words);
    }
    if (weir_str_eq(name, WEIR_STR("status")) && match_has_status(match)) {
        return weir_conf_error(cf, 0, "\"status\" stands twice: expected one with all statuses and ranges");
    }
    for (size_t i = 0; i < weir_countof(rows); i++) {
        if (weir_str_eq(name, weir_str_from_z(rows[i].name))) {
            health_condition_t *condition = weir_new(cf->arena, health_condition_t);

            condition->kind = rows[i].kind;
            condition->text = match_text(cf, words);
            match->is_of_http = true;
            match->sees_body |= condition->kind == MATCH_BODY;
            *match->end = condition;
            match->end = &condition->next;
            return rows[i].read(cf, condition, words);
        }
    }
    return weir_conf_error(cf, 0, "unknown condition \"%.*s\" of \"match\": expected status, header, body, require, "
                           "send or expect", WEIR_STR_ARG(name));
}

/* -- judging -- */

static bool
match_pattern(const weir_regex_t *pattern, weir_str_t text, bool *limit)
{
    weir_regex_result_t result = weir_regex_exec(pattern, text, NULL);

    *limit |= result == WEIR_REGEX_LIMIT;
    return result == WEIR_REGEX_MATCH;
}

static bool
match_status(const health_condition_t *condition, uint16_t status)
{
    for (size_t i = 0; i < condition->n_ranges; i++) {
        if (status >= condition->ranges[i].from && status <= condition->ranges[i].to) {
            return true;
        }
    }
    return false;
}

/* Does one of the fields of that name look so? */
static bool
match_header(const health_condition_t *condition, const weir_fields_t *fields, bool *limit)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        if (weir_str_eq_fold(fields->at[i].name, condition->name)
            && (condition->test == MATCH_IS_THERE
                || (condition->test == MATCH_EQUALS ? weir_str_eq(fields->at[i].value, condition->value)
                                                    : match_pattern(condition->pattern, fields->at[i].value, limit))))
        {
            return true;
        }
    }
    return false;
}

static bool
match_holds(const health_condition_t *condition, const health_answer_t *answer, bool *limit)
{
    switch (condition->kind) {
    case MATCH_STATUS:
        return match_status(condition, answer->answered.head->status) != condition->is_not;
    case MATCH_HEADER:
        return match_header(condition, &answer->answered.head->fields, limit) != condition->is_not;
    case MATCH_BODY:
        return match_pattern(condition->pattern, answer->body, limit) != condition->is_not;
    case MATCH_REQUIRE:
        return weir_answered_judge(answer->http, answer->generation, &answer->answered, condition->texts,
                                   condition->n_texts) == condition->n_texts;
    }
    weir_assert(false);
}

/* As much as a reason has room for. */
static weir_str_t
match_cut(weir_str_t text)
{
    return weir_str(text.at, weir_min(text.len, MATCH_SAID));
}

bool
health_match_judge(const health_match_t *match, const health_answer_t *answer, weir_buf_t *why)
{
    uint16_t status = answer->answered.head->status;
    bool     limit = false;

    if (match == NULL) {
        if (status < 200 || status > 399) {
            weir_buf_printf(why, "status %u", status);
            return false;
        }
        return true;
    }
    for (const health_condition_t *condition = match->first; condition != NULL; condition = condition->next) {
        if (!match_holds(condition, answer, &limit) || limit) {
            weir_buf_printf(why, "match \"%.*s\" failed: %.*s", WEIR_STR_ARG(match_cut(match->name)),
                            WEIR_STR_ARG(match_cut(condition->text)));
            if (limit) {
                weir_buf_add_lit(why, ", whose pattern ran into its match limit");
            } else if (condition->kind == MATCH_STATUS) {
                weir_buf_printf(why, ", it was %u", status);
            }
            return false;
        }
    }
    return true;
}

static bool
match_has(weir_str_t bytes, weir_str_t wanted)
{
    for (; bytes.len >= wanted.len; bytes = weir_str_skip(bytes, 1)) {
        if (weir_str_starts(bytes, wanted)) {
            return true;
        }
        if (bytes.len == 0) {
            return false;
        }
    }
    return false;
}

weir_io_t
health_match_bytes(const health_match_t *match, weir_str_t bytes, bool is_all, weir_buf_t *why)
{
    bool found, limit = false;

    if (match->expect_pattern != NULL) {
        found = match_pattern(match->expect_pattern, bytes, &limit);
    } else {
        found = match_has(bytes, match->expect);
    }
    if (found) {
        return WEIR_OK;
    }
    if (!is_all && !limit) {
        return WEIR_AGAIN;
    }
    weir_buf_printf(why, "match \"%.*s\" failed: %s", WEIR_STR_ARG(match_cut(match->name)),
                    limit ? "the pattern of expect ran into its match limit" : "what came is not what expect says");
    return WEIR_ERROR;
}
