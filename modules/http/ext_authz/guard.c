/*
 * guard.c - a request waits while a service is asked about it (envoy.service.auth.v3.Authorization/Check, over gRPC),
 * and goes on, changed as the service says, or is refused.
 *
 *     access, or precontent where the body goes along ──> asked ──> allowed · refused · no usable answer
 *
 * A body is there only when filters have had the request, so that it is the precontent phase that asks then; the access
 * phase counts it as a guard that has let in, and the other lets no request pass without an answer.
 *
 * What a service says that it may not say refuses the request, whatever ext_authz_fail_open says: that is for a service
 * that does not answer.  Runs in workers; memory: the question and the answer, of the request's arena.
 */
#include "ext_authz.h"

#include "http/filter/header_edit.h"
#include "http/filter/read_ahead.h"
#include "http/guard/dry_run.h"
#include "http/record/story.h"

#define GUARD_ANSWER_MAX ((size_t) 64 << 10)     /* of the answer's message */
#define GUARD_FRAME      5
#define GUARD_TRIES      3                       /* peers */
#define GUARD_UNAVAILABLE 14                     /* of gRPC: another peer may answer */

/* While the service is asked. */
typedef struct {
    weir_holder_t     hold;
    weir_request_t   *req;
    const ext_conf_t *conf;
    weir_ask_t       *ask;
    bool              is_rehearsed;              /* what it says is only told */
    bool              is_of_request;             /* it failed for what the request is: no reason to let that in */
    weir_ask_field_t  fields[2];
    char             *room;                      /* the answer; NULL: nothing came */
    size_t            len;
    const weir_fields_t *head;                   /* of an answer without a body: its status may be there */
} guard_t;

/* What the answer to the client is to have, for the filter of heads. */
typedef struct { const ext_fields_t *fields; bool is_refusal; } guard_shown_t;

/* -- what the service said is done -- */

static weir_header_change_t
guard_change(const ext_field_t *field, weir_header_edit_kind_t kind)
{
    return (weir_header_change_t) { .kind = kind, .id = field->id, .name = field->name, .value = field->value };
}

static bool
guard_has(const weir_fields_t *fields, const ext_field_t *field)
{
    return field->id != WEIR_HEADER_OTHER ? weir_fields_first(fields, field->id) != NULL
                                          : weir_fields_find(fields, field->name) != NULL;
}

static void
guard_change_request(weir_request_t *req, const ext_conf_t *conf, const ext_answer_t *answer)
{
    for (size_t i = 0; i < answer->fields.n; i++) {
        const ext_field_t   *field = &answer->fields.at[i];
        weir_header_change_t change = guard_change(field, field->how == EXT_APPEND ? WEIR_HEADER_EDIT_ADD
                                                                                   : WEIR_HEADER_EDIT_SET);
        bool                 has = guard_has(&req->head.fields, field);

        if ((conf->taken.is_set && !ext_names_has(&conf->taken, field->name))
            || (field->how == EXT_IF_ABSENT && has) || (field->how == EXT_IF_PRESENT && !has))
        {
            continue;
        }
        weir_header_change_request(req, &change);
    }
    for (size_t i = 0; i < answer->removed.n; i++) {
        weir_str_t name = answer->removed.at[i];

        weir_header_change_request(req, &(weir_header_change_t) { WEIR_HEADER_EDIT_REMOVE, weir_header_id(name), name,
                                                                  WEIR_STR_NONE });
    }
}

/* Is the argument one that the answer sets or removes?  Its name is decoded as a form's is. */
static bool
guard_sets_arg(weir_request_t *req, const ext_args_t *args, weir_str_t pair)
{
    weir_str_t name, value;

    (void) weir_str_cut(pair, '=', &name, &value);
    name = weir_uri_decode_form(name, &req->arena);
    for (size_t i = 0; i < args->n; i++) {
        if (weir_str_eq(args->at[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* What the answer names goes, and comes back behind the rest as the last one says. */
static void
guard_change_query(weir_request_t *req, const ext_args_t *args)
{
    weir_str_t rest = req->query, pair;
    size_t     size = rest.len;
    weir_buf_t query;

    if (args->n == 0) {
        return;
    }
    for (size_t i = 0; i < args->n; i++) {
        size += 3 * (args->at[i].name.len + args->at[i].value.len) + 2;
    }
    weir_buf_init(&query, weir_alloc_bytes(&req->arena, size), size);
    while (rest.len != 0) {
        (void) weir_str_cut(rest, '&', &pair, &rest);
        if (!guard_sets_arg(req, args, pair)) {
            weir_buf_add_str(&query, weir_buf_len(&query) != 0 ? WEIR_STR("&") : WEIR_STR_NONE);
            weir_buf_add_str(&query, pair);
        }
    }
    for (size_t i = 0; i < args->n; i++) {
        if (!args->at[i].is_removed) {
            weir_buf_add_str(&query, weir_buf_len(&query) != 0 ? WEIR_STR("&") : WEIR_STR_NONE);
            weir_buf_add_percent(&query, args->at[i].name);
            weir_buf_add_char(&query, '=');
            weir_buf_add_percent(&query, args->at[i].value);
        }
    }
    weir_assert(!query.full);
    req->query = weir_buf_str(&query);
    req->head.has_query = req->query.len != 0;
}

static void
guard_show(weir_request_t *req, const ext_fields_t *fields, bool is_refusal)
{
    guard_shown_t *shown = weir_new(&req->arena, guard_shown_t);
    ext_fields_t  *kept = weir_new(&req->arena, ext_fields_t);

    *kept = *fields;
    *shown = (guard_shown_t) { kept, is_refusal };
    weir_request_keep(req, weir_http_ext_authz_index, shown);
}

static bool
guard_came_before(const ext_fields_t *fields, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (weir_str_eq_fold(fields->at[k].name, fields->at[i].name)) {
            return true;
        }
    }
    return false;
}

/* Several of one name stay several (Set-Cookie): the first takes the place of those that were there. */
weir_step_t
ext_head(weir_request_t *req, const void *conf_)
{
    const ext_conf_t    *conf = conf_;
    const guard_shown_t *shown = weir_request_kept(req, weir_http_ext_authz_index);

    if (shown == NULL || (shown->is_refusal && req->cause != WEIR_CAUSE_AUTH_EXT_DENIED
                          && req->cause != WEIR_CAUSE_AUTH_EXT_UNKNOWN)) {
        return WEIR_NEXT;
    }
    for (size_t i = 0; i < shown->fields->n; i++) {
        const ext_field_t   *field = &shown->fields->at[i];
        bool                 has = guard_has(&req->res.fields, field);
        bool                 adds = field->how == EXT_APPEND || guard_came_before(shown->fields, i);
        weir_header_change_t change = guard_change(field, adds ? WEIR_HEADER_EDIT_ADD : WEIR_HEADER_EDIT_SET);

        if ((conf->shown.is_set && !ext_names_has(&conf->shown, field->name))
            || (field->how == EXT_IF_ABSENT && has) || (field->how == EXT_IF_PRESENT && !has))
        {
            continue;
        }
        weir_header_change_response(req, &change);
    }
    return WEIR_NEXT;
}

/* -- verdicts -- */

static void
guard_tell(const guard_t *guard, const char *verdict)
{
    weir_http_story_judged(guard->req, "ext_authz", guard->conf->service->to.text, weir_str_from_z(verdict));
}

/* Only looked at: it would have been refused. */
static weir_step_t
guard_tried(const guard_t *guard, weir_cause_t cause, const char *detail)
{
    guard_tell(guard, "REJECTED_DRY_RUN");
    weir_request_log(guard->req, WEIR_LOG_INFO, cause, "the request would be refused (dry run): %s", detail);
    return guard->conf->body.size != 0 ? weir_dry_run_ends(guard->req) : weir_dry_run_deny(guard->req);
}

/* There is no answer of use.  mends: ext_authz_fail_open may let it pass. */
static weir_step_t
guard_fail(const guard_t *guard, weir_cause_t cause, bool mends, const char *detail)
{
    weir_request_t   *req = guard->req;
    const ext_conf_t *conf = guard->conf;
    const char       *kept = weir_str_to_z(&req->arena, weir_str_from_z(detail));

    if (guard->is_rehearsed) {
        return guard_tried(guard, cause, kept);
    }
    if (mends && conf->fail_open.on) {
        guard_tell(guard, "FAILED_OPEN");
        weir_request_log(req, WEIR_LOG_WARN, cause, "without an answer ext_authz_fail_open lets the request in: %s",
                         kept);
        return weir_request_core(req)->satisfy == WEIR_SATISFY_ALL ? weir_request_grant(req) : WEIR_NEXT;
    }
    guard_tell(guard, "REJECTED");
    return weir_request_fail_status(req, cause, (uint16_t) conf->error_status, kept);
}

static weir_step_t
guard_refuse(const guard_t *guard, const ext_answer_t *answer)
{
    weir_request_t *req = guard->req;
    weir_cause_t    cause = answer->status == 401 ? WEIR_CAUSE_AUTH_EXT_UNKNOWN : WEIR_CAUSE_AUTH_EXT_DENIED;
    weir_str_t      type = WEIR_STR_NONE;

    if (guard->is_rehearsed) {
        return guard_tried(guard, cause, "the service refuses it");
    }
    guard_tell(guard, "REJECTED");
    for (size_t i = 0; i < answer->fields.n; i++) {
        const ext_field_t *field = &answer->fields.at[i];

        if (field->id == WEIR_HEADER_WWW_AUTHENTICATE && answer->status == 401) {
            req->challenge = field->value;
        }
        type = field->id == WEIR_HEADER_CONTENT_TYPE ? field->value : type;
    }
    if (weir_request_core(req)->satisfy != WEIR_SATISFY_ALL) {
        return weir_request_deny_status(req, cause, answer->status >= 400 ? answer->status : 403, NULL);
    }
    guard_show(req, &answer->fields, true);
    if (answer->body.len == 0 && answer->status >= 400) {
        return weir_request_fail_status(req, cause, answer->status, NULL);
    }
    return weir_request_fail_page(req, cause, answer->status, NULL,
                                  type.len != 0 ? type : WEIR_STR("text/plain"), answer->body);
}

static weir_step_t
guard_allow(const guard_t *guard, const ext_answer_t *answer)
{
    weir_request_t *req = guard->req;

    guard_tell(guard, "PASSED");
    if (guard->is_rehearsed) {
        return weir_dry_run_grant(req);
    }
    guard_change_request(req, guard->conf, answer);
    guard_change_query(req, &answer->args);
    guard_show(req, &answer->shown, false);
    return weir_request_grant(req);
}

/* -- the answer -- */

static bool
guard_number(const weir_fields_t *fields, uint64_t *status)
{
    const weir_field_t *field = fields != NULL ? weir_fields_find(fields, WEIR_STR("grpc-status")) : NULL;

    return field != NULL && weir_str_to_u64(field->value, status);
}

/* Statuses of gRPC by which a service, or what stands before it, says something about the question: a client that can
 * make it so (with a body that is longer than the service takes) is not let in for it. */
static bool
guard_is_of_request(uint64_t status)
{
    enum { INVALID_ARGUMENT = 3, PERMISSION_DENIED = 7, RESOURCE_EXHAUSTED = 8, OUT_OF_RANGE = 11,
           UNAUTHENTICATED = 16 };

    return status == INVALID_ARGUMENT || status == PERMISSION_DENIED || status == RESOURCE_EXHAUSTED
        || status == OUT_OF_RANGE || status == UNAUTHENTICATED;
}

/* All of it came. */
static weir_step_t
guard_judge(guard_t *guard, const weir_fields_t *trailers)
{
    const unsigned char *frame = (const unsigned char *) guard->room;
    ext_answer_t         answer;
    uint64_t             status;
    const char          *why;
    size_t               length;

    if (!guard_number(trailers, &status) && (guard->len != 0 || !guard_number(guard->head, &status))) {
        return guard_fail(guard, WEIR_CAUSE_AUTH_EXT_UNAVAILABLE, true, "its answer has no grpc-status");
    }
    if (status != 0) {
        weir_str_t text = weir_str_printf(&guard->req->arena, "it answered with the grpc-status %llu",
                                          (unsigned long long) status);

        return guard_fail(guard, WEIR_CAUSE_AUTH_EXT_UNAVAILABLE, !guard_is_of_request(status), text.at);
    }
    length = guard->len < GUARD_FRAME ? 0 : (size_t) frame[1] << 24 | (size_t) frame[2] << 16 | (size_t) frame[3] << 8
                                            | frame[4];
    if (guard->len < GUARD_FRAME || frame[0] != 0 || length != guard->len - GUARD_FRAME) {
        return guard_fail(guard, WEIR_CAUSE_AUTH_EXT_ANSWER, false,
                          guard->len >= GUARD_FRAME && frame[0] != 0 ? "its message is compressed"
                                                                     : "it is not one message");
    }
    if (!ext_answer_read(&guard->req->arena, weir_str(guard->room + GUARD_FRAME, length), &answer, &why)) {
        return guard_fail(guard, WEIR_CAUSE_AUTH_EXT_ANSWER, false, why);
    }
    return answer.is_allowed ? guard_allow(guard, &answer) : guard_refuse(guard, &answer);
}

static void
guard_on_ask_head(weir_ask_t *ask, const weir_response_head_t *head)
{
    guard_t   *guard = weir_ask_data(ask);
    weir_str_t type = weir_fields_join(&head->fields, WEIR_STR("content-type"), &guard->req->arena);
    uint64_t   status = 0;

    guard->len = 0;
    guard->head = &head->fields;
    guard->is_of_request = head->status >= 400 && head->status <= 499;
    if (head->status != 200) {
        weir_ask_refuse(ask, "it answered with another status than 200");
    } else if (!weir_str_eq_fold(type, WEIR_STR("application/grpc"))
               && !weir_str_starts_fold(type, WEIR_STR("application/grpc+"))
               && !weir_str_starts_fold(type, WEIR_STR("application/grpc;")))
    {
        weir_ask_refuse(ask, "its answer is not gRPC");
    } else if (guard_number(&head->fields, &status) && status == GUARD_UNAVAILABLE) {
        weir_ask_refuse(ask, "it answered with the grpc-status 14");
    }
}

static void
guard_on_ask_body(weir_ask_t *ask, weir_str_t bytes)
{
    guard_t *guard = weir_ask_data(ask);

    if (guard->room == NULL) {
        guard->room = weir_try_alloc(&guard->req->arena, GUARD_FRAME + GUARD_ANSWER_MAX);
    }
    if (guard->room == NULL) {
        weir_ask_refuse(ask, "there is no memory for its answer");
        return;
    }
    weir_assert(bytes.len <= GUARD_FRAME + GUARD_ANSWER_MAX - guard->len);       /* max_body */
    memcpy(guard->room + guard->len, bytes.at, bytes.len);
    guard->len += bytes.len;
}

/* None of the peers gave an answer that could be read to its end. */
static weir_step_t
guard_lost(const guard_t *guard, weir_cause_t cause, const char *detail)
{
    if (cause == WEIR_CAUSE_UPSTREAM_BODY_TOO_LARGE) {
        return guard_fail(guard, WEIR_CAUSE_AUTH_EXT_ANSWER, false, "its answer is longer than 64 KiB");
    }
    if (cause == WEIR_CAUSE_UPSTREAM_DEADLINE) {
        detail = "it did not answer in ext_authz_timeout";
    }
    return guard_fail(guard, WEIR_CAUSE_AUTH_EXT_UNAVAILABLE, !guard->is_of_request,
                      detail != NULL ? detail : weir_cause_row(cause)->help);
}

static void
guard_on_ask_end(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    guard_t        *guard = weir_ask_data(ask);
    weir_request_t *req = guard->req;
    weir_step_t     step;

    weir_assert(guard->ask == ask && guard->hold.req == req);
    guard->ask = NULL;
    weir_request_let_go(&guard->hold);
    step = cause == WEIR_CAUSE_NONE ? guard_judge(guard, weir_ask_trailers(ask)) : guard_lost(guard, cause, detail);
    if (step == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static const weir_ask_handler_t guard_handler = { .on_head = guard_on_ask_head, .on_body = guard_on_ask_body,
                                                  .on_end = guard_on_ask_end };

/* -- the question -- */

static void
guard_on_cancel(weir_holder_t *hold)
{
    guard_t *guard = weir_container_of(hold, guard_t, hold);

    weir_ask_cancel(guard->ask);
    guard->ask = NULL;
}

static const weir_holder_ops_t guard_hold = { .on_cancel = guard_on_cancel };

/* The service knows how long it is waited for. */
static bool
guard_ask(guard_t *guard, weir_str_t message)
{
    const ext_conf_t       *conf = guard->conf;
    const weir_fetch_url_t *to = &conf->service->to;
    weir_question_t         q = {
        .http = guard->req->http,
        .to = weir_upstream_running(guard->req->generation, to->group),
        .codec = &weir_peer_h2,
        .conf = weir_ask_conf(),
        .method = WEIR_STR("POST"),
        .target = WEIR_STR("/envoy.service.auth.v3.Authorization/Check"),
        .host = to->authority,
        .fields = guard->fields,
        .n_fields = weir_countof(guard->fields),
        .body = message,
        .may_repeat = true,
        .tries = GUARD_TRIES,
        .limit = conf->timeout,
        .max_body = GUARD_FRAME + GUARD_ANSWER_MAX,
        .handler = &guard_handler,
        .data = guard,
    };

    guard->fields[0] = (weir_ask_field_t) { WEIR_STR("Content-Type"), WEIR_STR("application/grpc") };
    guard->fields[1] = (weir_ask_field_t) {
        WEIR_STR("grpc-timeout"),
        weir_str_printf(&guard->req->arena, "%llum", (unsigned long long) conf->timeout.ms)
    };
    q.conf.http_version = 20;
    if (to->is_tls) {
        q.secure = (weir_upsecure_t) { .context = to->tls.built->context, .name = to->host, .sends_name = true,
                                       .verifies = true, .resumes = true };
    }
    guard->ask = weir_ask(&q);
    return guard->ask != NULL;
}

static weir_step_t
guard_begin(weir_request_t *req, const ext_conf_t *conf)
{
    guard_t   *guard = weir_new(&req->arena, guard_t);
    weir_str_t message;

    guard->req = req;
    guard->conf = conf;
    guard->is_rehearsed = weir_dry_run_is_on(req, conf->dry_run);
    switch (ext_check_make(req, conf, &message)) {
    case WEIR_OK:
        break;
    case WEIR_EOF:
        if (guard->is_rehearsed) {
            return guard_tried(guard, WEIR_CAUSE_AUTH_EXT_BODY, "ext_authz_body");
        }
        guard_tell(guard, "REJECTED");
        return weir_request_fail(req, WEIR_CAUSE_AUTH_EXT_BODY, NULL);
    default:
        return guard->is_rehearsed ? WEIR_NEXT : weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "ext_authz");
    }
    if (req->failed_value != WEIR_CAUSE_NONE && !guard->is_rehearsed) {
        guard_tell(guard, "REJECTED");               /* the service would judge a context that is not the request's */
        return weir_request_fail(req, req->failed_value, "a value of ext_authz_context cannot be computed");
    }
    if (!guard_ask(guard, message)) {
        return guard->is_rehearsed ? WEIR_NEXT : weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "ext_authz");
    }
    weir_request_hold(req, &guard->hold, &guard_hold);
    return WEIR_PARK;
}

/* -- the phases -- */

weir_step_t
ext_access(weir_request_t *req, const void *conf_)
{
    const ext_conf_t *conf = conf_;
    weir_policy_t     policy = weir_dry_run_begin(req, conf->dry_run);

    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    if (conf->body.size == 0) {
        return guard_begin(req, conf);
    }
    return policy == WEIR_POLICY_REHEARSED ? weir_dry_run_grant(req) : weir_request_grant(req);  /* asked in time */
}

static void
guard_on_body(weir_request_t *req)
{
    if (guard_begin(req, weir_request_conf(req, http_ext_authz, ext_conf_t)) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

weir_step_t
ext_precontent(weir_request_t *req, const void *conf_)
{
    const ext_conf_t *conf = conf_;
    weir_step_t       step;

    weir_assert(conf->body.size != 0);
    if (req->is_exempt || weir_dry_run_begin(req, conf->dry_run) == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    if (req->is_sub || req->body_dropped) {
        return guard_begin(req, conf);                   /* no body of the client's goes on from here */
    }
    if (req->head.content_length != WEIR_LENGTH_NONE && req->head.content_length > conf->body.size
        && !conf->body.is_partial && !weir_dry_run_is_on(req, conf->dry_run) && req->body == NULL)
    {
        return weir_request_fail(req, WEIR_CAUSE_AUTH_EXT_BODY, NULL);
    }
    step = weir_read_ahead(req, guard_on_body);
    return step == WEIR_NEXT ? guard_begin(req, conf) : step;
}
