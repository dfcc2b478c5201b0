/*
 * cors.c - cors { … }: which pages of other origins may use a place, as browsers ask (WHATWG Fetch, CORS protocol).
 *
 * A preflight is answered here, before any guard asks for the client's identity, for the place that would take the
 * request that it announces (module.h: answers_preflight).  Every other answer gets the fields that let the page read
 * it, of Weir's own answers, too; what a peer says of CORS is dropped where `cors` stands.
 *
 * Runs in workers; memory: a field's text, of the request's arena.
 */
#include "http/module.h"

#include "expr/regex.h"
#include "http/guard/dry_run.h"
#include "http/message/syntax.h"
#include "http/record/story.h"

typedef struct { weir_strs_t texts; bool any; } cors_names_t;
typedef struct { const weir_regex_t **at; size_t n; } cors_patterns_t;

/* The lines of a block. */
typedef struct {
    cors_names_t    origins;             /* exact, or with "*" for a first label */
    cors_patterns_t patterns;
    cors_names_t    methods, headers, exposed;
    weir_str_t      max_age;             /* seconds, as text; empty: not said */
    bool            has_methods, has_credentials;
} cors_rules_t;

typedef struct { const cors_rules_t *rules; } cors_field_t;
typedef struct { cors_field_t cors; } cors_conf_t;

extern const size_t weir_http_cors_index;

typedef enum { CORS_ALLOWED, CORS_BAD_ORIGIN, CORS_BAD_METHOD, CORS_BAD_HEADER } cors_verdict_t;

static const weir_str_t cors_credentials = WEIR_STR_INIT("Access-Control-Allow-Credentials");
static const weir_str_t cors_asked_method = WEIR_STR_INIT("access-control-request-method");
static const weir_str_t cors_asked_headers = WEIR_STR_INIT("access-control-request-headers");

/* -- judging -- */

/* Something without a slash or colon stands for an asterisk, which may be the host's first label. */
static bool
cors_fits(weir_str_t rule, weir_str_t origin)
{
    weir_str_t head, tail, middle;

    if (!weir_str_cut(rule, '*', &head, &tail)) {
        return weir_str_eq(rule, origin);
    }
    if (origin.len <= head.len + tail.len || !weir_str_starts(origin, head) || !weir_str_ends(origin, tail)) {
        return false;
    }
    middle = weir_str(origin.at + head.len, origin.len - head.len - tail.len);
    return weir_str_find(middle, '/') == NULL && weir_str_find(middle, ':') == NULL;
}

/* An origin's scheme and host are in lower case as browsers send them; a client that sends others is no browser. */
static bool
cors_takes_origin(const cors_rules_t *rules, weir_str_t origin)
{
    if (origin.len == 0) {
        return false;
    }
    for (size_t i = 0; i < rules->origins.texts.n; i++) {
        if (cors_fits(rules->origins.texts.at[i], origin)) {
            return true;
        }
    }
    for (size_t i = 0; i < rules->patterns.n; i++) {
        if (weir_regex_exec(rules->patterns.at[i], origin, NULL) == WEIR_REGEX_MATCH) {
            return true;
        }
    }
    return rules->origins.any;
}

static bool
cors_has(const cors_names_t *names, weir_str_t name, bool folds)
{
    for (size_t i = 0; i < names->texts.n; i++) {
        if (folds ? weir_str_eq_fold(names->texts.at[i], name) : weir_str_eq(names->texts.at[i], name)) {
            return true;
        }
    }
    return names->any;
}

static bool
cors_takes_headers(const cors_rules_t *rules, weir_str_t list)
{
    weir_str_t name;

    while (list.len != 0) {
        (void) weir_str_cut(list, ',', &name, &list);
        name = weir_str_trim(name);
        if (name.len != 0 && (!weir_syntax_is_token(name) || !cors_has(&rules->headers, name, true))) {
            return false;
        }
    }
    return true;
}

static weir_str_t
cors_field(weir_request_t *req, weir_str_t name)
{
    return weir_fields_join(&req->head.fields, name, &req->arena);
}

/* -- what is said -- */

static void
cors_add(weir_request_t *req, weir_str_t name, weir_str_t value)
{
    (void) weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_OTHER, name, value, 0);
}

/* With credentials, or for some origins only, the answer is for this origin. */
static void
cors_add_origin(weir_request_t *req, const cors_rules_t *rules, weir_str_t origin)
{
    (void) weir_response_add(req, WEIR_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN,
                             rules->origins.any ? WEIR_STR("*") : origin);
    if (rules->has_credentials) {
        cors_add(req, cors_credentials, WEIR_STR("true"));
    }
}

static weir_str_t
cors_join(weir_request_t *req, const cors_names_t *names)
{
    weir_str_t text = WEIR_STR_NONE;

    for (size_t i = 0; i < names->texts.n; i++) {
        text = weir_str_printf(&req->arena, "%.*s%s%.*s", WEIR_STR_ARG(text), i != 0 ? ", " : "",
                               WEIR_STR_ARG(names->texts.at[i]));
    }
    return names->any ? WEIR_STR("*") : text;
}

/* -- preflights -- */

static bool
cors_is_preflight(const weir_request_t *req)
{
    return !req->is_sub && weir_request_preflight(req) != NULL;
}

static cors_verdict_t
cors_judge(const cors_rules_t *rules, weir_str_t origin, weir_str_t method, weir_str_t headers)
{
    if (!cors_takes_origin(rules, origin)) {
        return CORS_BAD_ORIGIN;
    }
    if (!weir_syntax_is_token(method) || (rules->has_methods && !cors_has(&rules->methods, method, false))) {
        return CORS_BAD_METHOD;
    }
    return cors_takes_headers(rules, headers) ? CORS_ALLOWED : CORS_BAD_HEADER;
}

static weir_step_t
cors_answer_preflight(weir_request_t *req, const cors_rules_t *rules, bool is_rehearsal)
{
    weir_str_t     origin = cors_field(req, WEIR_STR("origin")), method = cors_field(req, cors_asked_method);
    weir_str_t     headers = cors_field(req, cors_asked_headers);
    cors_verdict_t verdict = cors_judge(rules, origin, method, headers);

    weir_http_story_judged(req, "cors", origin, weir_dry_run_verdict(verdict != CORS_ALLOWED, is_rehearsal));
    if (is_rehearsal) {
        return weir_dry_run_ends(req);       /* answered, this way or the other */
    }
    (void) weir_response_add(req, WEIR_HEADER_VARY,
                             WEIR_STR("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
    switch (verdict) {
    case CORS_BAD_ORIGIN:
        return weir_request_fail(req, WEIR_CAUSE_CORS_ORIGIN, NULL);
    case CORS_BAD_METHOD:
        return weir_request_fail(req, WEIR_CAUSE_CORS_METHOD, NULL);
    case CORS_BAD_HEADER:
        return weir_request_fail(req, WEIR_CAUSE_CORS_HEADER, NULL);
    case CORS_ALLOWED:
        break;
    }
    cors_add_origin(req, rules, origin);
    cors_add(req, WEIR_STR("Access-Control-Allow-Methods"),
             rules->has_methods && !rules->methods.any ? cors_join(req, &rules->methods) : method);
    if (headers.len != 0) {
        cors_add(req, WEIR_STR("Access-Control-Allow-Headers"), headers);
    }
    if (rules->max_age.len != 0) {
        cors_add(req, WEIR_STR("Access-Control-Max-Age"), rules->max_age);
    }
    return weir_request_reply(req, 204, WEIR_STR_NONE, WEIR_STR_NONE);
}

static weir_step_t
cors_preaccess(weir_request_t *req, const void *conf)
{
    weir_policy_t policy = cors_is_preflight(req) ? weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE)
                           : WEIR_POLICY_NOT_ASKED;

    return policy == WEIR_POLICY_NOT_ASKED ? WEIR_NEXT
           : cors_answer_preflight(req, ((const cors_conf_t *) conf)->cors.rules, policy == WEIR_POLICY_REHEARSED);
}

/* -- other answers -- */

static void
cors_drop_named(weir_request_t *req, weir_str_t name)
{
    for (weir_field_t *field = weir_fields_find(&req->res.fields, name); field != NULL;
         field = weir_fields_next(&req->res.fields, field))
    {
        field->flags |= WEIR_FIELD_DROP;
    }
}

/* What a peer, or an add_header, says of it. */
static void
cors_drop(weir_request_t *req)
{
    weir_response_drop(req, WEIR_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN);
    cors_drop_named(req, cors_credentials);
    cors_drop_named(req, WEIR_STR("Access-Control-Expose-Headers"));
}

static weir_step_t
cors_head(weir_request_t *req, const void *conf)
{
    const cors_rules_t *rules = ((const cors_conf_t *) conf)->cors.rules;
    weir_str_t          origin = cors_field(req, WEIR_STR("origin"));

    if (cors_is_preflight(req) || weir_dry_run_is_on(req, WEIR_DRY_RUN_AS_PLACE)) {
        return WEIR_NEXT;
    }
    cors_drop(req);
    if (!rules->origins.any) {
        (void) weir_response_add(req, WEIR_HEADER_VARY, WEIR_STR("Origin"));
    }
    if (cors_takes_origin(rules, origin)) {
        cors_add_origin(req, rules, origin);
        if (rules->exposed.texts.n != 0 || rules->exposed.any) {
            cors_add(req, WEIR_STR("Access-Control-Expose-Headers"), cors_join(req, &rules->exposed));
        }
    }
    return WEIR_NEXT;
}

static bool
cors_enabled(const void *conf_, weir_phase_t phase)
{
    const cors_rules_t *rules = ((const cors_conf_t *) conf_)->cors.rules;

    (void) phase;
    return rules != NULL && (rules->origins.any || rules->origins.texts.n != 0 || rules->patterns.n != 0);
}

static bool
cors_answers_preflight(const void *conf)
{
    return cors_enabled(conf, WEIR_PHASE_PREACCESS);
}

/* -- directives -- */

/* The words behind the first; "*" is any. */
static bool
cors_read_names(weir_conf_t *cf, const weir_conf_words_t *words, bool (*is_good)(weir_str_t), const char *expected,
                cors_names_t *names)
{
    if (words->n == 1) {
        return weir_conf_error(cf, 0, "\"%.*s\" in \"cors\" needs %s", WEIR_STR_ARG(words->at[0].text), expected);
    }
    names->texts.at = weir_new_n(cf->arena, weir_str_t, words->n);
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t word = words->at[i].text;

        if (weir_str_eq(word, WEIR_STR("*"))) {
            names->any = true;
        } else if (is_good(word)) {
            names->texts.at[names->texts.n++] = word;
        } else {
            return weir_conf_invalid(cf, i, expected);
        }
    }
    return true;
}

/* SCHEME://HOST[:PORT] in lower case, as browsers serialise it (RFC 6454 §6.2); the host's first label may be "*". */
static bool
cors_is_origin(weir_str_t text)
{
    weir_str_t scheme, rest;
    size_t     stars = 0;

    if (weir_str_eq(text, WEIR_STR("null"))) {
        return true;
    }
    if (!weir_str_cut(text, ':', &scheme, &rest) || scheme.len == 0 || !weir_str_starts(rest, WEIR_STR("//"))
        || rest.len == 2)
    {
        return false;
    }
    rest = weir_str_skip(rest, 2);
    for (size_t i = 0; i < rest.len; i++) {
        stars += rest.at[i] == '*';
        if (rest.at[i] == '/' || rest.at[i] == '?' || rest.at[i] == '#' || rest.at[i] == '@' || rest.at[i] <= ' '
            || (rest.at[i] >= 'A' && rest.at[i] <= 'Z'))
        {
            return false;
        }
    }
    return stars == 0 || (stars == 1 && weir_str_starts(rest, WEIR_STR("*.")) && rest.len > 2);
}

static bool
cors_read_origins(weir_conf_t *cf, const weir_conf_words_t *words, cors_rules_t *rules)
{
    weir_conf_words_t plain = *words;
    weir_conf_word_t *others = weir_new_n(cf->arena, weir_conf_word_t, words->n);

    others[0] = words->at[0];
    plain.n = 1;
    plain.at = others;
    rules->patterns.at = weir_new_n(cf->arena, const weir_regex_t *, words->n);
    for (size_t i = 1; i < words->n; i++) {
        if (!weir_str_starts(words->at[i].text, WEIR_STR("~"))) {
            others[plain.n++] = words->at[i];
            continue;
        }
        rules->patterns.at[rules->patterns.n] = weir_conf_regex(cf, i, weir_str_skip(words->at[i].text, 1), false);
        if (rules->patterns.at[rules->patterns.n++] == NULL) {
            return false;
        }
    }
    return (plain.n == 1 && rules->patterns.n != 0)
        || cors_read_names(cf, &plain, cors_is_origin,
                           "origins such as https://app.example.com, with *. before a host, \"null\", patterns with ~, "
                           "or *", &rules->origins);
}

static bool
cors_read_age(weir_conf_t *cf, const weir_conf_words_t *words, cors_rules_t *rules)
{
    weir_msec_t age;

    if (words->n != 2 || !weir_conf_read_msec(words->at[1].text, &age)) {
        return weir_conf_error(cf, 0, "\"max_age\" in \"cors\" needs a time");
    }
    rules->max_age = weir_str_printf(cf->arena, "%llu", (unsigned long long) (age.ms / 1000));
    return true;
}

static bool
cors_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    cors_rules_t *rules = block->owner;
    weir_str_t    name = words->at[0].text;

    if (weir_str_eq(name, WEIR_STR("allow_origin"))) {
        return cors_read_origins(cf, words, rules);
    }
    if (weir_str_eq(name, WEIR_STR("allow_methods"))) {
        rules->has_methods = true;
        return cors_read_names(cf, words, weir_syntax_is_token, "methods, or *", &rules->methods);
    }
    if (weir_str_eq(name, WEIR_STR("allow_headers"))) {
        return cors_read_names(cf, words, weir_syntax_is_token, "names of fields, or *", &rules->headers);
    }
    if (weir_str_eq(name, WEIR_STR("expose_headers"))) {
        return cors_read_names(cf, words, weir_syntax_is_token, "names of fields, or *", &rules->exposed);
    }
    if (weir_str_eq(name, WEIR_STR("max_age"))) {
        return cors_read_age(cf, words, rules);
    }
    if (weir_str_eq(name, WEIR_STR("allow_credentials")) && words->n == 2
        && (weir_str_eq(words->at[1].text, WEIR_STR("on")) || weir_str_eq(words->at[1].text, WEIR_STR("off"))))
    {
        rules->has_credentials = weir_str_eq(words->at[1].text, WEIR_STR("on"));
        return true;
    }
    return weir_conf_error(cf, 0, "unknown line \"%.*s\" in \"cors\": expected allow_origin, allow_methods, "
                           "allow_headers, expose_headers, allow_credentials on|off or max_age", WEIR_STR_ARG(name));
}

static bool
cors_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words WEIR_UNUSED)
{
    cors_conf_t  *conf = weir_conf_own(cf, cf->block, weir_http_cors_index);
    cors_rules_t *rules = weir_new(cf->arena, cors_rules_t);

    block->owner = rules;
    conf->cors.rules = rules;
    return true;
}

/* Any page at all, with the user's cookies: browsers refuse that (Fetch, §3.2.5), so it is a mistake. */
static bool
cors_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const cors_rules_t *rules = ((cors_conf_t *) conf_)->cors.rules;

    if (rules == NULL || !rules->has_credentials || (!rules->origins.any && !rules->exposed.any)) {
        return true;
    }
    return weir_conf_error_at(cf, &block->words,
                              "\"allow_credentials on\" in \"cors\" takes no \"*\" for origins or exposed fields");
}

static const weir_conf_type_t cors_type = { .name = "", .size = sizeof(cors_field_t) };

static const weir_directive_t cors_directives[] = {
    WEIR_DIRECTIVE_OF(cors_conf_t, cors, "cors", &cors_type, .where = WEIR_IN_ANY, .opens = WEIR_IN_DATA, .args = "",
                      .single = true, .opened = cors_opened, .line = cors_line,
                      .help = "Says which pages of other origins may use a place, and answers browsers that ask so; "
                              "an empty block takes back an outer one."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_cors = {
    .name = "http_cors",
    .area = "Access",
    .conf_size = sizeof(cors_conf_t),
    .directives = cors_directives,
    .check = cors_check,
    .on = { [WEIR_PHASE_PREACCESS] = cors_preaccess },
    .pure = 1u << WEIR_PHASE_PREACCESS,
    .looks_at = "http_origin",
    .enabled = cors_enabled,
    .filter_head = cors_head,
    .filter_after = "http_headers http_grpc",
    .answers_preflight = cors_answers_preflight,
    .after = "http_limit_req http_limit_conn",
};
