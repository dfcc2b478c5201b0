/*
 * consumer.c - see consumer.h: which methods are asked, what is kept of them, and the last word of the access phase.
 * Runs in workers.
 */
#include "http/guard/consumer_conf.h"

#include "http/guard/dry_run.h"
#include "http/record/story.h"
#include "store/read.h"
#include "tls/identity.h"

#define CONSUMER_WAYS 16                     /* modules that have a way of their own */

typedef struct consumer_vouch {
    struct consumer_vouch *next;
    const char            *kind;
    weir_str_t             value;
} consumer_vouch_t;

/* What is kept of a request. */
typedef struct {
    /* as the methods say it: another one whenever they are asked, since a caller may hold on to the one before */
    weir_consumer_t            *who;
    const consumer_line_t      *lines;       /* by which was asked, and */
    const weir_consumer_said_t *said;        /* what modules had said */
    uint16_t                    phase, handler;      /* … when */
    bool                        was_asked, is_complete;      /* nothing can be added */
    bool                        is_settled;  /* the access phase has judged by it */
    bool                        is_copied;   /* it is the answer of the request that this one was made for */
    bool                        lets_in;     /* a certificate says so, of which no other guard speaks */
    weir_consumer_t            *stranger;    /* with what `anonymous` says in */
    const consumer_anonymous_t *stranger_of;
    bool                        has_profile;
    weir_store_profile_t       *profile;     /* NULL: none */
    consumer_vouch_t           *vouches;
} consumer_state_t;

static const weir_consumer_t consumer_nobody = { .state = WEIR_CONSUMER_NOBODY };

static weir_consumer_t *
consumer_new(weir_request_t *req)
{
    weir_consumer_t *who = weir_new(&req->arena, weir_consumer_t);

    *who = consumer_nobody;
    return who;
}

static consumer_state_t *
consumer_kept(weir_request_t *req)
{
    consumer_state_t *state = weir_request_kept(req, weir_http_consumer_index);

    if (state == NULL) {
        state = weir_new(&req->arena, consumer_state_t);
        state->who = consumer_new(req);
        weir_request_keep(req, weir_http_consumer_index, state);
    }
    return state;
}

/* -- asking -- */

/* One round of it. */
typedef struct {
    weir_request_t        *req;
    const consumer_conf_t *conf;
    consumer_state_t      *state;
    weir_store_consumer_t  record;           /* of the first consumer that was found */
    uint32_t               won;              /* lines, as bits, that have named a consumer */
    bool                   is_stranger;      /* a fact was there that is no consumer's identity */
    bool                   is_conflict, is_broken, lacks_fact;
} consumer_ask_t;

static bool
consumer_is_done(const consumer_ask_t *ask)
{
    return ask->is_broken
           || (ask->conf->conflict == CONSUMER_CONFLICT_FIRST && ask->state->who->name.len != 0);
}

/* A consumer that is there. */
static void
consumer_take(consumer_ask_t *ask, weir_str_t method, weir_str_t name, const weir_store_consumer_t *record,
              bool lets_in)
{
    weir_consumer_t *who = ask->state->who;

    weir_assert(name.len != 0 && name.len < WEIR_STORE_NAME);
    if (who->name.len != 0) {
        ask->is_conflict = ask->is_conflict || !weir_str_eq(who->name, name);
        return;
    }
    who->name = weir_str_dup(&ask->req->arena, name);
    who->method = method;
    ask->record = *record;
    ask->state->lets_in = lets_in;
}

/* true: there is one of that name. */
static bool
consumer_take_name(consumer_ask_t *ask, const consumer_line_t *line, weir_str_t name, bool lets_in)
{
    weir_store_consumer_t record;
    weir_store_found_t    found = weir_store_name_is_good(name) ? weir_store_find_consumer(name, &record)
                                  : WEIR_STORE_MISSING;

    ask->is_broken = ask->is_broken || found == WEIR_STORE_BROKEN;
    ask->is_stranger = ask->is_stranger || found == WEIR_STORE_MISSING;
    if (found == WEIR_STORE_FOUND) {
        consumer_take(ask, line->kind, name, &record, lets_in);
    }
    return found == WEIR_STORE_FOUND;
}

/* A fact; true: it is the identity of a consumer. */
static bool
consumer_take_fact(consumer_ask_t *ask, const consumer_line_t *line, weir_str_t value, bool lets_in)
{
    char               name[WEIR_STORE_NAME];
    weir_store_found_t found = weir_store_find_identity(line->kind, value, name);

    weir_assert(value.len != 0);
    ask->is_broken = ask->is_broken || found == WEIR_STORE_BROKEN;
    ask->is_stranger = ask->is_stranger || found == WEIR_STORE_MISSING;
    return found == WEIR_STORE_FOUND && consumer_take_name(ask, line, weir_str_from_z(name), lets_in);
}

static bool
consumer_ask_vouched(consumer_ask_t *ask, const consumer_line_t *line)
{
    bool has_fact = false;

    for (const consumer_vouch_t *vouch = ask->state->vouches; vouch != NULL; vouch = vouch->next) {
        if (weir_str_eq(line->kind, weir_str_from_z(vouch->kind))) {
            has_fact = true;
            if (consumer_take_fact(ask, line, vouch->value, false)) {
                return true;
            }
        }
    }
    ask->lacks_fact = ask->lacks_fact || !has_fact;
    return false;
}

static bool
consumer_ask_names(consumer_ask_t *ask, const consumer_line_t *line)
{
    weir_arena_t *arena = &ask->req->arena;
    weir_str_t    names[WEIR_TLS_IDENTITY_NAMES];
    size_t        n = weir_tls_identity_names(ask->req->client->conn, arena, names);

    for (size_t i = 0; i < n; i++) {
        if (consumer_take_fact(ask, line, weir_str_printf(arena, "san:%.*s", WEIR_STR_ARG(names[i])), true)) {
            return true;
        }
    }
    ask->is_stranger = true;                 /* (a certificate without names, too) */
    return false;
}

/* Of a connection these never change.  What was not verified is no fact. */
static bool
consumer_ask_certificate(consumer_ask_t *ask, const consumer_line_t *line)
{
    weir_arena_t      *arena = &ask->req->arena;
    const weir_conn_t *conn = ask->req->client->conn;
    weir_str_t         text;

    if (!ask->req->client->is_tls || !weir_tls_identity_is_verified(conn)) {
        return false;
    }
    switch (line->source) {
    case CONSUMER_FINGERPRINT:
        text = weir_tls_identity_fingerprint(conn, arena);
        return consumer_take_fact(ask, line, weir_str_printf(arena, "fingerprint:%.*s", WEIR_STR_ARG(text)), true);
    case CONSUMER_SUBJECT:
        text = weir_tls_identity_subject(conn, arena);
        return consumer_take_fact(ask, line, weir_str_printf(arena, "subject:%.*s", WEIR_STR_ARG(text)), true);
    default:
        return consumer_ask_names(ask, line);
    }
}

/* A text with a gap is no fact: "acme/$jwt_claim_sub" of clients without a token would be the same text for all of
 * them. */
static weir_str_t
consumer_eval(weir_request_t *req, const weir_template_t *text)
{
    weir_str_t value;

    for (size_t i = 0; i < text->n; i++) {
        if (text->parts[i].ref.row != NULL
            && (!weir_request_get(req, &text->parts[i].ref, &value) || value.len == 0))
        {
            return WEIR_STR_NONE;
        }
    }
    return weir_request_eval(req, text);
}

/* true: it has named a consumer. */
static bool
consumer_ask_line(consumer_ask_t *ask, const consumer_line_t *line)
{
    weir_str_t text;

    switch (line->source) {
    case CONSUMER_VOUCHED:
        return consumer_ask_vouched(ask, line);
    case CONSUMER_TEXT:
    case CONSUMER_NAME:
        text = consumer_eval(ask->req, line->text);
        if (text.len == 0) {
            ask->lacks_fact = true;
            return false;
        }
        return line->source == CONSUMER_NAME ? consumer_take_name(ask, line, text, false)
               : consumer_take_fact(ask, line, text, false);
    default:
        return consumer_ask_certificate(ask, line);
    }
}

/* Has a line of that kind named a consumer before? */
static bool
consumer_has_won(const consumer_ask_t *ask, size_t line)
{
    for (size_t i = 0; i < line; i++) {
        if ((ask->won >> i & 1) != 0 && weir_str_eq(ask->conf->lines.at[i].kind, ask->conf->lines.at[line].kind)) {
            return true;
        }
    }
    return false;
}

static weir_store_found_t
consumer_find_plan(weir_consumer_t *who)
{
    weir_store_found_t found = weir_store_find_plan(who->plan, &who->quotas), rates;

    who->has_plan = found == WEIR_STORE_FOUND;
    who->rates = WEIR_STORE_RATES_NONE;
    if (found != WEIR_STORE_FOUND) {
        return found;
    }
    rates = weir_store_find_rates(who->plan, &who->rates);
    if (rates != WEIR_STORE_FOUND) {
        who->rates = WEIR_STORE_RATES_NONE;
    }
    return rates == WEIR_STORE_BROKEN ? rates : found;
}

/* What they said becomes an answer. */
static void
consumer_conclude(consumer_ask_t *ask)
{
    weir_consumer_t *who = ask->state->who;
    weir_cause_t     cause = WEIR_CAUSE_NONE;

    if (ask->is_broken) {
        cause = WEIR_CAUSE_STORE_UNAVAILABLE;
    } else if (ask->is_conflict && ask->conf->conflict == CONSUMER_CONFLICT_REFUSE) {
        cause = WEIR_CAUSE_AUTH_CONSUMER_CONFLICT;
    } else if (who->name.len == 0) {
        cause = ask->is_stranger && ask->conf->unknown == CONSUMER_UNKNOWN_REFUSE ? WEIR_CAUSE_AUTH_CONSUMER_UNKNOWN
                : WEIR_CAUSE_NONE;
    } else if (ask->record.is_disabled) {
        cause = WEIR_CAUSE_AUTH_CONSUMER_DISABLED;
    } else {
        who->plan = weir_str_dup(&ask->req->arena, weir_store_text(ask->record.plan, sizeof(ask->record.plan)));
        if (consumer_find_plan(who) == WEIR_STORE_BROKEN) {
            cause = WEIR_CAUSE_STORE_UNAVAILABLE;
        }
        who->limit_key = weir_str_concat(&ask->req->arena, WEIR_STR("consumer:"), who->name);
    }
    if (cause != WEIR_CAUSE_NONE) {
        *who = (weir_consumer_t) { .state = WEIR_CONSUMER_REFUSED, .cause = cause };
    } else if (who->name.len != 0) {
        who->state = WEIR_CONSUMER_KNOWN;
    }
}

static void
consumer_ask(weir_request_t *req, const consumer_conf_t *conf, consumer_state_t *state,
             const weir_consumer_said_t *said)
{
    consumer_ask_t ask = { .req = req, .conf = conf, .state = state };

    weir_assert(conf->lines.n <= CONSUMER_LINES_MAX);
    state->who = consumer_new(req);
    state->has_profile = state->is_settled = state->lets_in = state->is_copied = false;
    if (said != NULL && said->cause == WEIR_CAUSE_STORE_UNAVAILABLE) {
        ask.is_broken = true;
    } else if (said != NULL && said->cause == WEIR_CAUSE_NONE && said->name.len != 0) {
        consumer_take(&ask, weir_str_from_z(said->method), said->name, said->record, false);
    }
    for (size_t i = 0; i < conf->lines.n && !consumer_is_done(&ask); i++) {
        if (!consumer_has_won(&ask, i) && consumer_ask_line(&ask, &conf->lines.at[i])) {
            ask.won |= UINT32_C(1) << i;
        }
    }
    consumer_conclude(&ask);
    state->was_asked = true;
    state->is_complete = !ask.lacks_fact && !ask.is_broken;
    state->lines = conf->lines.at;
    state->said = said;
    state->phase = req->phase;
    state->handler = req->handler;
}

/* -- which methods are asked, and when -- */

/* What the first of the modules says that have a way of their own and were asked. */
static const weir_consumer_said_t *
consumer_said(weir_request_t *req)
{
    static size_t ways[CONSUMER_WAYS], n;
    static bool   is_known;

    for (size_t i = 0; !is_known && i < weir_modules_count; i++) {
        if (weir_http_modules[i] != NULL && weir_http_modules[i]->identify != NULL) {
            weir_assert(n < CONSUMER_WAYS);
            ways[n++] = i;
        }
    }
    is_known = true;
    for (size_t i = 0; i < n; i++) {
        const weir_consumer_said_t *said = weir_http_modules[ways[i]]->identify(req);

        if (said != NULL) {
            return said;
        }
    }
    return NULL;
}

static bool
consumer_must_ask(const weir_request_t *req, const consumer_conf_t *conf, const consumer_state_t *state,
                  const weir_consumer_said_t *said)
{
    bool is_same = state->lines == conf->lines.at;

    if (state->is_copied && is_same && conf->lines.n != 0) {
        return false;
    }
    if (conf->lines.n == 0 && said == state->said) {
        return false;                        /* the place asks nothing itself */
    }
    if (!state->was_asked || !is_same || said != state->said) {
        return true;
    }
    return !state->is_settled && !state->is_complete && (state->phase != req->phase || state->handler != req->handler);
}

/* As the methods say it; NULL: nothing was asked. */
static consumer_state_t *
consumer_state(weir_request_t *req)
{
    const consumer_conf_t      *conf = weir_request_conf(req, http_consumer, consumer_conf_t);
    consumer_state_t           *state = weir_request_kept(req, weir_http_consumer_index);
    const weir_consumer_said_t *said = consumer_said(req);

    if (state == NULL && (said != NULL || conf->lines.n != 0)) {
        state = consumer_kept(req);
    }
    if (state != NULL && consumer_must_ask(req, conf, state, said)) {
        consumer_ask(req, conf, state, said);
    }
    if (state != NULL && state->who->cause == WEIR_CAUSE_STORE_UNAVAILABLE) {
        weir_request_value_failed(req, WEIR_CAUSE_STORE_UNAVAILABLE);
    }
    return state;
}

/* -- clients that are no consumers -- */

/* Of IPv6 the first 64 bits: a client that has one address there has all of them. */
static weir_str_t
consumer_address(weir_request_t *req)
{
    const weir_endpoint_t *addr = &req->client->addr;
    const unsigned char   *bytes = (const unsigned char *) &addr->v6;
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (addr->family != AF_INET6 || memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        return req->client->text;
    }
    return weir_str_printf(&req->arena, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", bytes[0], bytes[1], bytes[2],
                           bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
}

/* NOBODY: the place has no `anonymous`, nor had one that the request came from. */
static const weir_consumer_t *
consumer_stranger(weir_request_t *req, const consumer_conf_t *conf)
{
    const consumer_anonymous_t *anonymous = &conf->anonymous;
    consumer_state_t           *state;
    weir_consumer_t            *who;
    weir_str_t                  key = WEIR_STR_NONE;

    if (anonymous->plan.len == 0) {
        state = anonymous->words.n == 0 ? weir_request_kept(req, weir_http_consumer_index) : NULL;
        return state != NULL && state->stranger != NULL ? state->stranger : &consumer_nobody;
    }
    state = consumer_kept(req);
    who = state->stranger;
    if (state->stranger_of != anonymous) {
        who = state->stranger = consumer_new(req);
        *who = (weir_consumer_t) { .state = WEIR_CONSUMER_ANONYMOUS, .method = WEIR_STR("anonymous"),
                                   .plan = anonymous->plan };
        if (anonymous->key != NULL) {
            key = weir_request_eval(req, anonymous->key);
        }
        who->limit_key = key.len != 0 ? weir_str_printf(&req->arena, "anonymous:=%.*s", WEIR_STR_ARG(key))
                         : weir_str_printf(&req->arena, "anonymous:%.*s", WEIR_STR_ARG(consumer_address(req)));
        state->stranger_of = anonymous;
        switch (consumer_find_plan(who)) {
        case WEIR_STORE_FOUND:
            break;
        case WEIR_STORE_MISSING:
            who->cause = WEIR_CAUSE_AUTH_CONSUMER_PLAN;
            break;
        default:
            who->cause = WEIR_CAUSE_STORE_UNAVAILABLE;
            break;
        }
        if (who->cause != WEIR_CAUSE_NONE) {
            *who = (weir_consumer_t) { .state = WEIR_CONSUMER_REFUSED, .cause = who->cause };
        }
    }
    if (who->cause == WEIR_CAUSE_STORE_UNAVAILABLE) {
        weir_request_value_failed(req, who->cause);
    }
    return who;
}

/* The consumer that the place takes the request to be from; `state` holds what the methods say. */
static const weir_consumer_t *
consumer_here(weir_request_t *req, const consumer_conf_t *conf, const consumer_state_t *state)
{
    if (state != NULL && state->who->state == WEIR_CONSUMER_KNOWN) {
        return state->who;
    }
    /* in a rehearsal a request that would be refused has no consumer */
    if (state != NULL && state->who->state == WEIR_CONSUMER_REFUSED && !weir_dry_run_is_on(req, conf->dry_run)) {
        return state->who;
    }
    return consumer_stranger(req, conf);
}

/* -- for callers -- */

const weir_consumer_t *
weir_consumer_of(weir_request_t *req)
{
    const consumer_conf_t *conf = weir_request_conf(req, http_consumer, consumer_conf_t);

    return consumer_here(req, conf, consumer_state(req));
}

const weir_store_profile_t *
weir_consumer_profile(weir_request_t *req)
{
    consumer_state_t    *state = consumer_state(req);
    weir_store_profile_t profile;
    weir_store_found_t   found;

    if (state == NULL || state->who->state != WEIR_CONSUMER_KNOWN) {
        return NULL;
    }
    if (!state->has_profile) {
        found = weir_store_find_profile(state->who->name, &profile);
        if (found == WEIR_STORE_BROKEN) {
            weir_request_value_failed(req, WEIR_CAUSE_STORE_UNAVAILABLE);
            return NULL;
        }
        state->has_profile = true;
        state->profile = NULL;
        if (found == WEIR_STORE_FOUND) {
            state->profile = weir_alloc(&req->arena, weir_store_profile_size(&profile));
            memcpy(state->profile, &profile, weir_store_profile_size(&profile));
        }
    }
    return state->profile;
}

bool
weir_consumer_meta(weir_request_t *req, weir_str_t name, weir_str_t *value)
{
    const weir_store_profile_t *profile = weir_consumer_profile(req);
    weir_str_t                  rest, text;
    size_t                      n = 0;

    if (profile == NULL) {
        return false;
    }
    rest = weir_str(profile->text, profile->len);
    while (n < profile->n_groups && weir_store_profile_next(&rest, &text)) {
        n++;
    }
    while (weir_store_profile_next(&rest, &text) && weir_store_profile_next(&rest, value)) {
        if (weir_str_eq(text, name)) {
            return true;
        }
    }
    return false;
}

void
weir_consumer_vouch(weir_request_t *req, const char *kind, weir_str_t value)
{
    consumer_state_t *state = consumer_kept(req);
    consumer_vouch_t *vouch = weir_new(&req->arena, consumer_vouch_t);

    weir_assert(weir_store_kind_is_good(weir_str_from_z(kind)));
    if (value.len != 0) {
        *vouch = (consumer_vouch_t) { .next = state->vouches, .kind = kind, .value = value };
        state->vouches = vouch;
        state->is_complete = false;          /* what was asked before did not know it */
    }
}

void
weir_consumer_copy(weir_request_t *to, weir_request_t *from)
{
    weir_cause_t            failed = from->failed_value;
    const consumer_state_t *theirs = consumer_state(from);
    consumer_state_t       *ours;

    from->failed_value = failed;             /* it has not asked itself */
    if (theirs == NULL) {
        return;
    }
    ours = consumer_kept(to);
    weir_assert(!ours->was_asked && ours->vouches == NULL);      /* it was just made */
    *ours->who = *theirs->who;
    ours->who->name = weir_str_dup(&to->arena, theirs->who->name);
    ours->who->plan = weir_str_dup(&to->arena, theirs->who->plan);
    ours->who->limit_key = weir_str_dup(&to->arena, theirs->who->limit_key);
    ours->lines = theirs->lines;
    ours->was_asked = ours->is_copied = theirs->was_asked;
    ours->lets_in = theirs->lets_in;
    for (const consumer_vouch_t *vouch = theirs->vouches; vouch != NULL; vouch = vouch->next) {
        weir_consumer_vouch(to, vouch->kind, weir_str_dup(&to->arena, vouch->value));
    }
}

/* -- the last word -- */

static weir_str_t
consumer_shown(const weir_consumer_t *who)
{
    return who->state == WEIR_CONSUMER_KNOWN ? who->name : who->method;
}

static weir_step_t
consumer_rehearse(weir_request_t *req, const weir_consumer_t *who, bool lets_in)
{
    if (who->cause == WEIR_CAUSE_NONE) {
        return lets_in ? weir_dry_run_grant(req) : WEIR_NEXT;
    }
    weir_dry_run_log(req, who->cause);
    return weir_dry_run_ends(req);
}

/* What it refuses no other guard can let in: with `satisfy any` the token of a consumer that is disabled would. */
weir_step_t
weir_consumer_access(weir_request_t *req, const void *conf_)
{
    const consumer_conf_t *conf = conf_;
    weir_policy_t          policy = weir_dry_run_begin(req, conf->dry_run);
    consumer_state_t      *state;
    const weir_consumer_t *who;
    bool                   lets_in;

    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    state = consumer_state(req);
    who = state != NULL && state->who->state != WEIR_CONSUMER_NOBODY ? state->who : consumer_stranger(req, conf);
    lets_in = who->state == WEIR_CONSUMER_KNOWN && state->lets_in;
    if (state != NULL) {
        state->is_settled = true;
    }
    weir_http_story_judged(req, "identify", consumer_shown(who),
                           weir_dry_run_verdict(who->cause != WEIR_CAUSE_NONE, policy == WEIR_POLICY_REHEARSED));
    if (policy == WEIR_POLICY_REHEARSED) {
        return consumer_rehearse(req, who, lets_in);
    }
    if (who->cause != WEIR_CAUSE_NONE) {
        return weir_request_fail(req, who->cause, NULL);
    }
    return lets_in ? weir_request_grant(req) : WEIR_NEXT;
}
