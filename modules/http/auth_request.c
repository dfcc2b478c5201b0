/*
 * auth_request.c - whether a request may come in is asked of another place, by a subrequest: 2xx lets it in, 401 and
 * 403 are its answer, all else is an error and refuses the client.
 *
 * The subrequest is a GET without a body, with the request's fields; its answer's body does not matter and is not
 * waited for.  What it says in fields is taken over by auth_request_set.  Runs in workers.
 */
#include "http/module.h"

#include "http/guard/dry_run.h"
#include "http/route/assign.h"
#include "http/record/story.h"
#include "http/sub.h"
#include "http/vars/uri_text.h"

typedef struct { weir_http_assign_t *at; size_t n; } ask_sets_t;
typedef struct { const weir_template_t *uri; ask_sets_t sets; } ask_conf_t;       /* uri "off": none */

typedef struct {
    weir_holder_t       hold;
    weir_request_t   *req;
    const ask_conf_t *conf;
    weir_sub_t       *sub;
    weir_task_t       task;
    bool              is_told, is_rehearsal;
    uint16_t          status;            /* of its answer */
    weir_str_t        challenge;
} ask_t;

extern const size_t weir_http_auth_request_index;

/* Now, while its fields are there. */
static void
ask_take_variables(ask_t *ask, weir_request_t *asked)
{
    for (size_t i = 0; i < ask->conf->sets.n; i++) {
        weir_http_assign(ask->req, asked, &ask->conf->sets.at[i]);
    }
}

static weir_step_t
ask_rehearse(weir_request_t *req, weir_cause_t cause)
{
    weir_dry_run_log(req, cause);
    return cause == WEIR_CAUSE_AUTH_REQUEST_FAILED ? weir_dry_run_ends(req) : weir_dry_run_deny(req);
}

static weir_step_t
ask_judge(ask_t *ask)
{
    weir_request_t *req = ask->req;

    if (ask->status >= 200 && ask->status < 300) {
        weir_http_story_judged(req, "auth_request", WEIR_STR_NONE, WEIR_STR("PASSED"));
        return ask->is_rehearsal ? weir_dry_run_grant(req) : weir_request_grant(req);
    }
    weir_http_story_judged(req, "auth_request", WEIR_STR_NONE, weir_dry_run_verdict(true, ask->is_rehearsal));
    if (ask->is_rehearsal) {
        return ask_rehearse(req, ask->status == 401 ? WEIR_CAUSE_AUTH_REQUEST_UNKNOWN
                                 : ask->status == 403 ? WEIR_CAUSE_AUTH_REQUEST_DENIED
                                 : WEIR_CAUSE_AUTH_REQUEST_FAILED);
    }
    if (ask->status == 401) {
        if (ask->challenge.len != 0) {
            req->challenge = ask->challenge;         /* else, with `satisfy any`, that of a guard before it stands */
        }
        return weir_request_deny(req, WEIR_CAUSE_AUTH_REQUEST_UNKNOWN, NULL);
    }
    if (ask->status == 403) {
        return weir_request_deny(req, WEIR_CAUSE_AUTH_REQUEST_DENIED, NULL);
    }
    return weir_request_fail(req, WEIR_CAUSE_AUTH_REQUEST_FAILED, NULL);
}

/* On a turn of its own: the subrequest's work is not under way. */
static void
ask_on_task(weir_task_t *task)
{
    ask_t *ask = weir_container_of(task, ask_t, task);
    weir_request_t *req = ask->req;

    weir_assert(ask->is_told && ask->hold.req == req);
    weir_request_let_go(&ask->hold);
    if (ask->sub != NULL) {
        weir_sub_cancel(ask->sub);
        ask->sub = NULL;
    }
    if (ask_judge(ask) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static void
ask_told(ask_t *ask)
{
    if (!ask->is_told) {
        ask->is_told = true;
        weir_task_post(weir_request_loop(ask->req), &ask->task, ask_on_task);
    }
}

static void
ask_on_head(weir_sub_t *sub)
{
    ask_t *ask = weir_sub_owner(sub);
    weir_request_t *asked = weir_sub_request(sub);

    weir_assert(ask->sub == sub || ask->sub == NULL);
    ask->status = asked->res.status;
    if (ask->status == 401) {
        ask->challenge = weir_str_dup(&ask->req->arena, weir_response_value(asked, WEIR_HEADER_WWW_AUTHENTICATE));
    }
    ask_take_variables(ask, asked);
    ask_told(ask);
}

/* Before a head: it broke off. */
static void
ask_on_end(weir_sub_t *sub, bool is_whole)
{
    ask_t *ask = weir_sub_owner(sub);

    weir_assert(ask->sub == sub);
    (void) is_whole;
    ask->sub = NULL;
    ask_told(ask);
}

static const weir_sub_sink_t ask_sink = { .on_head = ask_on_head, .on_end = ask_on_end };

static void
ask_on_cancel(weir_holder_t *hold)
{
    ask_t *ask = weir_container_of(hold, ask_t, hold);

    weir_task_cancel(&ask->task);
    if (ask->sub != NULL) {
        weir_sub_cancel(ask->sub);
        ask->sub = NULL;
    }
}

static const weir_holder_ops_t ask_hold = { .on_cancel = ask_on_cancel };

static weir_step_t
ask_access(weir_request_t *req, const void *conf_)
{
    const ask_conf_t *conf = conf_;
    weir_policy_t policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);
    weir_str_t path, query;
    ask_t *ask;

    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    (void) weir_uri_text_split(req, conf->uri, &path, &query);
    if (weir_str_eq(path, WEIR_STR("off"))) {
        return WEIR_NEXT;
    }
    ask = weir_new(&req->arena, ask_t);
    ask->req = req;
    ask->conf = conf;
    ask->is_rehearsal = policy == WEIR_POLICY_REHEARSED;
    req->ctx[weir_http_auth_request_index] = ask;
    ask->sub = weir_sub_start(req, &(weir_sub_spec_t) { .path = path, .query = query, .sink = &ask_sink, .owner = ask,
                                                        .is_exempt = true });
    if (ask->sub == NULL && ask->is_rehearsal) {
        return ask_rehearse(req, WEIR_CAUSE_AUTH_REQUEST_FAILED);
    }
    if (ask->sub == NULL) {
        return weir_request_fail(req, WEIR_CAUSE_AUTH_REQUEST_FAILED, "no memory for it");
    }
    weir_request_hold(req, &ask->hold, &ask_hold);
    return WEIR_PARK;
}

static bool
ask_enabled(const void *conf, weir_phase_t phase)
{
    const weir_template_t *uri = ((const ask_conf_t *) conf)->uri;

    (void) phase;
    return uri != NULL && !weir_str_eq(uri->source, WEIR_STR("off"));
}

/* -- directives -- */

static bool
ask_unset(const void *data, weir_request_t *req, weir_str_t *value)
{
    (void) data;
    (void) req;
    *value = WEIR_STR("");
    return true;
}

static bool
ask_parse_set(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    (void) row;
    return weir_http_assign_read(cf, words, ask_unset, weir_conf_list_push(cf, list, sizeof(weir_http_assign_t)));
}

static const weir_conf_type_t ask_type_set = {
    .name = "$variable value", .size = sizeof(ask_sets_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = ask_parse_set,
    .item = sizeof(weir_http_assign_t),
};

static const weir_directive_t ask_directives[] = {
    WEIR_DIRECTIVE(ask_conf_t, uri, "auth_request", .where = WEIR_IN_ANY, .args = "uri | off",
                   .help = "Asks another location whether a request may come in: 2xx lets it in, 401 and 403 refuse "
                           "it, everything else is a 500."),
    WEIR_DIRECTIVE_OF(ask_conf_t, sets, "auth_request_set", &ask_type_set, .where = WEIR_IN_ANY,
                      .help = "Gives a variable a value from the answer to auth_request, such as "
                              "$upstream_http_x_user."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_auth_request = {
    .name = "http_auth_request",
    .area = "Access",
    .conf_size = sizeof(ask_conf_t),
    .directives = ask_directives,
    .on = { [WEIR_PHASE_ACCESS] = ask_access },
    .enabled = ask_enabled,
    .after = "http_access http_auth_basic http_api_key",
};
