/*
 * rewrite.c - rewrite, set, if, break and return: what is done with a request before anything else, in the order in
 * which it stands.
 *
 * Each block that has any of them has a program, its own (nothing is inherited).  A server's runs before a location is
 * looked for, a location's when it was found; when a program leaves another path behind, the location for that is
 * found, not more often than 10 times.  An `if` that holds runs the program of its block in the place where it stands;
 * in a location, all else in that block holds from then on.
 *
 * Programs are made at load; they run in workers, and what they make is of the request's arena.
 */
#include "http/module.h"

#include "http/proxy/split.h"
#include "http/route/assign.h"
#include "http/route/condition.h"
#include "http/route/part.h"
#include "http/answer/return.h"
#include "http/vars/uri_text.h"

extern const size_t weir_http_rewrite_index;

typedef enum { REWRITE_PATH, REWRITE_SET, REWRITE_IF, REWRITE_BREAK, REWRITE_RETURN } rewrite_kind_t;
typedef enum { REWRITE_ON, REWRITE_LAST, REWRITE_HERE } rewrite_then_t;      /* no flag, last, break */

typedef struct {
    rewrite_kind_t           kind;
    const weir_conf_words_t *words;          /* where it is said */
    /* PATH */
    const weir_regex_t    *regex;
    const weir_template_t *path, *query;     /* query: behind a '?' in the replacement; NULL: there is none */
    uint16_t               redirect;         /* to the client, with this status; 0: inside */
    bool                   drops_query;      /* the replacement ends with '?': the client's does not follow */
    rewrite_then_t         then;
    /* SET */
    weir_http_assign_t     assign;
    /* IF */
    weir_condition_t         condition;
    const weir_conf_block_t *block;
    /* RETURN */
    weir_http_return_t     answer;
} rewrite_step_t;

typedef struct { rewrite_step_t *at; size_t n; } rewrite_program_t;

typedef struct {
    rewrite_program_t program;
    weir_flag_t       log, warn;
} rewrite_conf_t;

typedef enum { REWRITE_GO_ON, REWRITE_STOP, REWRITE_ANSWERED } rewrite_result_t;

/* -- texts -- */

/* What no query may have is encoded, wherever it comes from. */
static weir_str_t
rewrite_query_text(weir_request_t *req, const weir_template_t *template)
{
    return weir_uri_encode_query(weir_uri_text(req, template, WEIR_URI_QUERY), &req->arena);
}

static weir_str_t
rewrite_query(weir_request_t *req, const rewrite_step_t *step)
{
    weir_str_t own = step->query != NULL ? rewrite_query_text(req, step->query) : WEIR_STR_NONE;

    if (step->drops_query || req->query.len == 0) {
        return own;
    }
    return own.len == 0 ? req->query : weir_str_printf(&req->arena, "%.*s&%.*s", WEIR_STR_ARG(own),
                                                       WEIR_STR_ARG(req->query));
}

/* -- running -- */

static rewrite_result_t
rewrite_redirect(weir_request_t *req, const rewrite_step_t *step)
{
    weir_str_t to = weir_uri_text(req, step->path, WEIR_URI_REDIRECT), query = rewrite_query(req, step);

    weir_assert(step->redirect >= 301 && step->redirect <= 308);
    if (query.len != 0) {
        to = weir_str_printf(&req->arena, "%.*s?%.*s", WEIR_STR_ARG(to), WEIR_STR_ARG(query));
    }
    (void) weir_request_redirect_client(req, step->redirect, to);
    return REWRITE_ANSWERED;
}

static rewrite_result_t
rewrite_refuse_slashes(weir_request_t *req)
{
    (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash");
    return REWRITE_ANSWERED;
}

/* Does the pattern fit the path for one who keeps its encoded slashes, or for one who takes them for slashes, but not
 * for both? */
static bool
rewrite_splits_readers(weir_request_t *req, const weir_regex_t *regex)
{
    weir_captures_t captures;
    weir_str_t      other;

    return weir_unlikely(weir_uri_text_other_reading(req, req->uri.path, &other))
           && weir_regex_exec(regex, req->uri.path, &captures) != weir_regex_exec(regex, other, &captures);
}

static rewrite_result_t
rewrite_path(weir_request_t *req, const rewrite_conf_t *conf, const rewrite_step_t *step)
{
    weir_str_t path;

    weir_assert(step->kind == REWRITE_PATH && step->regex != NULL && step->path != NULL);
    if (rewrite_splits_readers(req, step->regex)) {
        return rewrite_refuse_slashes(req);
    }
    switch (weir_http_captures_match(req, step->regex, req->uri.path, true)) {
    case WEIR_REGEX_LIMIT:
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_PATTERN_LIMIT, "rewrite");
        return REWRITE_ANSWERED;
    case WEIR_REGEX_NO_MATCH:
        weir_request_met(req, step->words, false);
        if (conf->log.on) {
            weir_log(WEIR_LOG_NOTICE, &req->log, 0, "\"%.*s\" does not match \"%.*s\"",
                     WEIR_STR_ARG(weir_regex_pattern(step->regex)),
                     WEIR_STR_ARG(req->uri.path));
        }
        return REWRITE_GO_ON;
    case WEIR_REGEX_MATCH:
        break;
    }
    if (step->redirect != 0) {
        weir_request_met(req, step->words, true);
        return rewrite_redirect(req, step);
    }
    path = weir_request_eval(req, step->path);
    if (path.len != 0 && path.at[0] != '/') {
        path = weir_str_concat(&req->arena, WEIR_STR("/"), path);
    }
    if (!weir_request_set_path(req, path, rewrite_query(req, step))) {
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_REWRITE,
                                 path.len == 0 ? "the rewritten URI has a zero length" : NULL);
        return REWRITE_ANSWERED;
    }
    if (conf->log.on) {
        weir_log(WEIR_LOG_NOTICE, &req->log, 0, "rewritten data: \"%.*s\", args: \"%.*s\"", WEIR_STR_ARG(req->uri.path),
                 WEIR_STR_ARG(req->query));
    }
    req->is_internal = true;
    weir_request_met(req, step->words, true);
    req->is_rewritten = step->then != REWRITE_HERE;
    req->is_elsewhere = step->then == REWRITE_HERE;
    return step->then == REWRITE_ON ? REWRITE_GO_ON : REWRITE_STOP;
}

static rewrite_result_t rewrite_run(weir_request_t *req, const weir_conf_block_t *block);

static rewrite_result_t
rewrite_if(weir_request_t *req, const rewrite_step_t *step)
{
    weir_assert(step->kind == REWRITE_IF && step->block != NULL);
    switch (weir_condition_holds(&step->condition, req)) {
    case WEIR_CONDITION_LIMIT:
        (void) weir_request_fail(req, req->failed_value != WEIR_CAUSE_NONE ? req->failed_value
                                 : WEIR_CAUSE_ROUTE_PATTERN_LIMIT, "if");
        return REWRITE_ANSWERED;
    case WEIR_CONDITION_SLASHES:
        return rewrite_refuse_slashes(req);
    case WEIR_CONDITION_FALSE:
        weir_request_met(req, step->words, false);
        return REWRITE_GO_ON;
    case WEIR_CONDITION_TRUE:
        break;
    }
    weir_request_met(req, step->words, true);
    if (step->block->context == WEIR_IN_LOCATION_IF) {
        weir_request_use_part(req, step->block->owner);
    }
    return rewrite_run(req, step->block);
}

static rewrite_result_t
rewrite_step(weir_request_t *req, const rewrite_conf_t *conf, const rewrite_step_t *step)
{
    switch (step->kind) {
    case REWRITE_PATH:
        return rewrite_path(req, conf, step);
    case REWRITE_SET:
        weir_http_assign(req, req, &step->assign);
        weir_request_met(req, step->words, true);
        return REWRITE_GO_ON;
    case REWRITE_IF:
        return rewrite_if(req, step);
    case REWRITE_BREAK:
        weir_request_met(req, step->words, true);
        req->is_elsewhere = req->is_elsewhere || req->is_rewritten;
        req->is_rewritten = false;
        return REWRITE_STOP;
    case REWRITE_RETURN:
        weir_request_met(req, step->words, true);
        (void) weir_http_return(req, &step->answer);
        return REWRITE_ANSWERED;
    }
    return REWRITE_GO_ON;
}

/* A block within a block is all there is: an `if` has none in it. */
static rewrite_result_t
rewrite_run(weir_request_t *req, const weir_conf_block_t *block)
{
    const rewrite_conf_t *conf = weir_conf_of(block, weir_http_rewrite_index);
    rewrite_result_t      result = REWRITE_GO_ON;

    for (size_t i = 0; i < conf->program.n && result == REWRITE_GO_ON; i++) {
        result = rewrite_step(req, conf, &conf->program.at[i]);
    }
    return result;
}

static weir_step_t
rewrite_handler(weir_request_t *req, const void *conf)
{
    (void) conf;
    return rewrite_run(req, req->location->block) == REWRITE_ANSWERED ? WEIR_DONE : WEIR_NEXT;
}

static bool
rewrite_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const rewrite_conf_t *) conf)->program.n != 0;
}

/* A variable that nothing has set yet. */
static bool
rewrite_unset(const void *data, weir_request_t *req, weir_str_t *value)
{
    const rewrite_conf_t *conf = weir_request_conf(req, http_rewrite, rewrite_conf_t);

    if (conf->warn.on) {
        weir_log(WEIR_LOG_WARN, &req->log, 0, "using uninitialized \"%s\" variable", (const char *) data);
    }
    *value = WEIR_STR("");
    return true;
}

/* -- directives -- */

static rewrite_step_t *
rewrite_push(weir_conf_t *cf, void *program, rewrite_kind_t kind)
{
    rewrite_step_t *step = weir_conf_list_push(cf, program, sizeof(*step));

    step->kind = kind;
    step->words = cf->words;
    return step;
}

static bool
rewrite_parse_flag(weir_conf_t *cf, const weir_conf_words_t *words, rewrite_step_t *step)
{
    static const struct { const char *word; uint16_t redirect; rewrite_then_t then; } flags[] = {
        { "last", 0, REWRITE_LAST }, { "break", 0, REWRITE_HERE }, { "redirect", 302, REWRITE_LAST },
        { "permanent", 301, REWRITE_LAST },
    };

    if (weir_http_is_address(words->at[2].text)) {
        step->redirect = 302;
    }
    if (words->n == 3) {
        return true;
    }
    for (size_t i = 0; i < weir_countof(flags); i++) {
        if (weir_str_eq(words->at[3].text, weir_str_from_z(flags[i].word))) {
            step->redirect = flags[i].redirect != 0 ? flags[i].redirect : step->redirect;
            step->then = flags[i].then;
            return true;
        }
    }
    return weir_conf_invalid(cf, 3, "\"last\", \"break\", \"redirect\" or \"permanent\"");
}

static bool
rewrite_parse_rewrite(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *program)
{
    rewrite_step_t *step = rewrite_push(cf, program, REWRITE_PATH);
    weir_str_t      to = words->at[2].text, path, query;
    bool            has_query;

    (void) row;
    step->regex = weir_http_captures_announce(cf, 1, words->at[1].text, false, WEIR_OF_REQUEST);
    if (step->regex == NULL || !rewrite_parse_flag(cf, words, step)) {
        return false;
    }
    step->drops_query = weir_str_ends(to, WEIR_STR("?"));
    if (step->drops_query) {
        to.len--;
    }
    has_query = weir_str_cut(to, '?', &path, &query);
    step->path = weir_conf_template(cf, 2, path);
    if (step->path == NULL || (step->path->is_constant && step->path->n == 0 && step->redirect == 0)) {
        return step->path != NULL && weir_conf_invalid(cf, 2, "a path or an address");
    }
    step->query = has_query ? weir_conf_template(cf, 2, query) : NULL;
    return !has_query || step->query != NULL;
}

static bool
rewrite_parse_set(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *program)
{
    (void) row;
    return weir_http_assign_read(cf, words, rewrite_unset, &rewrite_push(cf, program, REWRITE_SET)->assign);
}

static bool
rewrite_parse_break(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *program)
{
    (void) row;
    (void) words;
    (void) rewrite_push(cf, program, REWRITE_BREAK);
    return true;
}

static bool
rewrite_parse_return(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *program)
{
    (void) row;
    return weir_http_return_read(cf, words, &rewrite_push(cf, program, REWRITE_RETURN)->answer);
}

static bool
rewrite_opened_if(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    rewrite_conf_t *conf = weir_conf_own(cf, block->parent, weir_http_rewrite_index);
    rewrite_step_t *step = rewrite_push(cf, &conf->program, REWRITE_IF);

    step->block = block;
    step->words = words;
    if (!weir_condition_read(cf, words, &step->condition)) {
        return false;
    }
    return block->context == WEIR_IN_SERVER_IF || weir_http_part_opened(cf, block, words);
}

/* `return STATUS weight=N` among targets that share the place's requests is one of them. */
static bool
rewrite_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    rewrite_program_t *program = &((rewrite_conf_t *) conf)->program;
    size_t             n = 0;

    for (size_t i = 0; i < program->n; i++) {
        const weir_http_return_t *answer = &program->at[i].answer;
        bool                      is_target = false;

        if (program->at[i].kind == REWRITE_RETURN && answer->text != NULL && answer->text->is_constant
            && !weir_split_take_return(cf, block, answer->status, answer->text->source, &is_target))
        {
            return false;
        }
        if (!is_target) {
            program->at[n++] = program->at[i];
        }
    }
    program->n = n;
    return true;
}

#define REWRITE_TYPE(syntax, min, max, how)                                                                            \
    { .name = (syntax), .size = sizeof(rewrite_program_t), .min_args = (min),                                          \
      .max_args = (max), .repeats = true, .parse = (how),                                                              \
      .item = sizeof(rewrite_step_t) }

static const weir_conf_type_t rewrite_type_rewrite = REWRITE_TYPE("regex replacement [last | break | redirect | "
                                                                  "permanent]", 2, 3,
                                                                  rewrite_parse_rewrite);
static const weir_conf_type_t rewrite_type_set = REWRITE_TYPE("$variable value", 2, 2, rewrite_parse_set);
static const weir_conf_type_t rewrite_type_break = REWRITE_TYPE("", 0, 0, rewrite_parse_break);
static const weir_conf_type_t rewrite_type_return = REWRITE_TYPE("code [text | URL] | URL", 1, 2, rewrite_parse_return);
static const weir_conf_type_t rewrite_type_if = REWRITE_TYPE("(condition)", 1, 255, NULL);

#define REWRITE_IN                  (WEIR_IN_SERVER | WEIR_IN_LOCATION | WEIR_IN_SERVER_IF)
#define REWRITE_ROW(text, type, ...)                                                                                   \
    WEIR_DIRECTIVE_OF(rewrite_conf_t, program, text, type, .where = REWRITE_IN, .inherit = WEIR_OWN, __VA_ARGS__)
#define REWRITE_IF_ROW(context, in)                                                                                    \
    WEIR_DIRECTIVE_OF(rewrite_conf_t, program, "if", &rewrite_type_if, .where = (in),                                  \
                      .inherit = WEIR_OWN, .opens = (context),                                                         \
                      .block_min_args = 1, .block_max_args = 255, .opened = rewrite_opened_if, .args = "(condition)",  \
                      .help = "Holds what is done and what applies when a variable is set, equals a text or " \
                              "matches a pattern, or a file exists.")

static const weir_directive_t rewrite_directives[] = {
    REWRITE_ROW("rewrite", &rewrite_type_rewrite,
                .help = "Changes the path of requests that match: for the directives behind it, for the location, "
                        "or as a redirect."),
    REWRITE_ROW("set", &rewrite_type_set, .help = "Gives a variable a value."),
    REWRITE_ROW("break", &rewrite_type_break,
                .help = "Ends the directives of this module; the request stays in its location."),
    REWRITE_ROW("return", &rewrite_type_return,
                .help = "Answers with a status and a text or a redirect; 444 (and 499 without a text) closes the "
                        "connection without an answer."),
    REWRITE_IF_ROW(WEIR_IN_SERVER_IF, WEIR_IN_SERVER),
    REWRITE_IF_ROW(WEIR_IN_LOCATION_IF, WEIR_IN_LOCATION),
    WEIR_DIRECTIVE(rewrite_conf_t, log, "rewrite_log", .where = WEIR_IN_ANY | WEIR_IN_SERVER_IF, .dflt = "off",
                   .help = "Writes what rewrite does to the error log, as notices."),
    WEIR_DIRECTIVE(rewrite_conf_t, warn, "uninitialized_variable_warn", .where = WEIR_IN_ANY | WEIR_IN_SERVER_IF,
                   .dflt = "on",
                   .help = "Writes a record to the error log when a variable is used that no set has set yet."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_rewrite = {
    .name = "http_rewrite",
    .area = "Rewriting",
    .conf_size = sizeof(rewrite_conf_t),
    .directives = rewrite_directives,
    .check = rewrite_check,
    .on = { [WEIR_PHASE_REWRITE] = rewrite_handler },
    .pure = 1u << WEIR_PHASE_REWRITE,
    .enabled = rewrite_enabled,
};
