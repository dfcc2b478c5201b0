/*
 * require.c - `require CONDITION [error=STATUS] [dry_run]`: requests are let in by a condition over variables.
 *
 * All the conditions of a place must hold; those of an outer block hold where no `require` stands.  What cannot be told
 * (expression.h) does not hold, and neither does a condition that says one thing of a path whose encoded slashes are
 * kept and another where they are slashes.  With `satisfy any`, requirements that are met let a request in as one
 * guard.
 *
 * Runs in workers; memory: what the texts of the condition take, of the request's arena.
 */
#include "http/module.h"

#include "conf/expression.h"
#include "http/guard/dry_run.h"
#include "http/record/story.h"
#include "http/vars/uri_text.h"

#define REQUIRE_STATUS 403

typedef struct {
    const weir_expression_t *condition;
    weir_str_t              text;            /* as written, NUL behind it */
    uint16_t                status;
    bool                    is_dry_run;
    weir_verdict_t          passed;          /* what the story says of it */
} require_t;

typedef struct { require_t *at; size_t n; } requires_t;
typedef struct { requires_t requires; } require_conf_t;

/* -- a request -- */

static weir_str_t
require_plain(const weir_template_t *template, const weir_scope_t *scope, weir_arena_t *arena)
{
    (void) arena;
    return weir_uri_text_plain(scope->of[WEIR_OF_REQUEST], template);
}

static bool
require_holds(const require_t *require, weir_request_t *req)
{
    const weir_scope_t scope = weir_request_scope(req);
    bool               holds = weir_expression_holds(require->condition, NULL, &scope, &req->arena);

    weir_assert(require->condition != NULL);
    if (weir_unlikely(req->uri.has_slash || req->has_plain_forms) && holds) {
        holds = weir_expression_holds(require->condition, require_plain, &scope, &req->arena);
    }
    weir_dry_run_leave(req);
    return holds;
}

/* It would be refused. */
static weir_step_t
require_tried(const require_t *require, weir_request_t *req)
{
    weir_request_log(req, WEIR_LOG_INFO, WEIR_CAUSE_ACCESS_REQUIRE, "a requirement does not hold (dry run): %.*s",
                     WEIR_STR_ARG(require->text));
    weir_http_story_judged(req, "require", require->text, weir_dry_run_verdict(true, true));
    return weir_dry_run_deny(req);
}

static weir_step_t
require_access(weir_request_t *req, const void *conf_)
{
    const require_conf_t *conf = conf_;
    bool                  is_met = false, is_met_rehearsed = false;

    weir_assert(conf->requires.n != 0);
    for (size_t i = 0; i < conf->requires.n; i++) {
        const require_t *require = &conf->requires.at[i];
        weir_policy_t    policy = weir_dry_run_begin(req, weir_dry_run_of(require->is_dry_run));

        if (policy == WEIR_POLICY_NOT_ASKED) {
            continue;
        }
        if (require_holds(require, req)) {
            weir_http_story_say(req, &require->passed);
            *(policy == WEIR_POLICY_REHEARSED ? &is_met_rehearsed : &is_met) = true;
        } else if (policy == WEIR_POLICY_HOLDS) {
            weir_http_story_judged(req, "require", require->text, WEIR_STR("REJECTED"));
            return weir_request_deny_status(req, WEIR_CAUSE_ACCESS_REQUIRE, require->status, require->text.at);
        } else {
            (void) !require_tried(require, req);
            if (weir_request_core(req)->dry_run.on) {
                return WEIR_NEXT;                /* in earnest it is the last one that is asked */
            }
        }
    }
    if (is_met_rehearsed) {
        (void) !weir_dry_run_grant(req);
    }
    return is_met ? weir_request_grant(req) : WEIR_NEXT;
}

static bool
require_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const require_conf_t *) conf)->requires.n != 0;
}

/* -- directives -- */

static bool
require_option(const weir_conf_word_t *word, require_t *require, bool *is_good)
{
    weir_str_t name, value;
    uint32_t   status;

    *is_good = true;
    if (word->quoted) {
        return false;
    }
    if (weir_str_eq(word->text, WEIR_STR("dry_run"))) {
        return require->is_dry_run = true;
    }
    if (!weir_str_cut(word->text, '=', &name, &value) || !weir_str_eq(name, WEIR_STR("error"))) {
        return false;
    }
    *is_good = weir_conf_read_u32(value, &status) && status >= 400 && status <= 599;
    require->status = *is_good ? (uint16_t) status : REQUIRE_STATUS;
    return true;
}

/* The words of the condition with a space between them. */
static weir_str_t
require_text(weir_conf_t *cf, const weir_conf_words_t *words, size_t end)
{
    weir_str_t text = words->at[1].text;

    for (size_t i = 2; i < end; i++) {
        text = weir_str_printf(cf->arena, "%.*s %.*s", WEIR_STR_ARG(text), WEIR_STR_ARG(words->at[i].text));
    }
    return weir_str(weir_str_to_z(cf->arena, text), text.len);
}

static bool
require_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    require_t require = { .status = REQUIRE_STATUS };
    size_t    end = words->n;
    bool      is_good = true;

    while (end > 1 && require_option(&words->at[end - 1], &require, &is_good)) {
        if (!is_good) {
            return weir_conf_invalid(cf, end - 1, "error=STATUS with a status from 400 to 599");
        }
        end--;
    }
    if (end == 1) {
        return weir_conf_error(cf, 0, "\"require\" needs a condition");
    }
    require.condition = weir_conf_predicate(cf, words, 1, end);
    if (require.condition == NULL) {
        return false;
    }
    require.text = require_text(cf, words, end);
    require.passed = weir_http_story_prepare(cf->arena, "require", require.text, WEIR_STR("PASSED"));
    *(require_t *) weir_conf_list_push(cf, list, sizeof(require)) = require;
    return true;
}

static const weir_conf_type_t require_type = {
    .name = "condition [error=status] [dry_run]", .size = sizeof(requires_t), .min_args = 1, .max_args = 255,
    .repeats = true,
    .parse = require_parse, .item = sizeof(require_t),
};

static const weir_directive_t require_directives[] = {
    WEIR_DIRECTIVE_OF(require_conf_t, requires, "require", &require_type, .where = WEIR_IN_ANY,
                      .help = "Refuses a request of which the condition does not hold; of several all must hold."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_require = {
    .name = "http_require",
    .area = "Access",
    .conf_size = sizeof(require_conf_t),
    .directives = require_directives,
    .on = { [WEIR_PHASE_ACCESS] = require_access },
    .pure = 1u << WEIR_PHASE_ACCESS,
    .enabled = require_enabled,
    .after = "http_access http_auth_basic http_api_key http_auth_request http_ext_authz http_consumer",
};
