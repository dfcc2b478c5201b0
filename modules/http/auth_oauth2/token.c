/*
 * token.c - what is known of the token of a request: where it is, what the authorization server has answered (RFC
 * 7662), whether that is enough here, and the variables that tell of it.
 *
 * A verdict is kept with the request, so that a variable that asks early, the guard and the log know one and the same;
 * an internal redirect to a place with other directives has it judged again.  Runs in workers; memory: the request's
 * arena.
 */
#include "oauth2.h"

#include "http/guard/claims.h"
#include "http/vars/vars.h"
#include "os/clock.h"

/* -- an answer -- */

bool
oauth2_read_answer(weir_arena_t *arena, weir_str_t text, weir_jwt_t *answer, bool *is_active)
{
    const weir_json_t *active;

    if (text.len > OAUTH2_ANSWER_MAX || weir_jwt_read(arena, text, answer) != WEIR_JOSE_GOOD) {
        return false;
    }
    active = weir_json_get(answer->claims, WEIR_STR("active"));
    *is_active = active != NULL && active->kind == WEIR_JSON_TRUE;
    return active != NULL && (active->kind == WEIR_JSON_TRUE || active->kind == WEIR_JSON_FALSE);
}

/* RFC 6749 §3.3: names with a blank between. */
static bool
token_has_scope(const weir_json_t *claims, weir_str_t wanted)
{
    weir_str_t rest, one;

    if (!weir_json_get_string(claims, WEIR_STR("scope"), &rest)) {
        return false;
    }
    while (rest.len != 0) {
        (void) weir_str_cut(rest, ' ', &one, &rest);
        if (weir_str_eq(one, wanted)) {
            return true;
        }
    }
    return false;
}

/* A token that is for a client that proves that it has a key (RFC 8705, RFC 9449), or no access token at all. */
static bool
token_is_bearer(const weir_json_t *claims)
{
    const weir_json_t *type = weir_json_get(claims, WEIR_STR("token_type")), *use;

    use = weir_json_get(claims, WEIR_STR("token_use"));
    return weir_json_get(claims, WEIR_STR("cnf")) == NULL
           && (type == NULL || (type->kind == WEIR_JSON_STRING
                                && (weir_str_eq_fold(type->text, WEIR_STR("Bearer"))
                                    || weir_str_eq_fold(type->text, WEIR_STR("access_token")))))
           && (use == NULL || (use->kind == WEIR_JSON_STRING && (weir_str_eq(use->text, WEIR_STR("access_token"))
                                                                 || weir_str_eq(use->text, WEIR_STR("access")))));
}

static weir_cause_t
token_time_cause(const oauth2_state_t *state)
{
    int64_t now_s = (int64_t) (weir_clock_wall_ms() / 1000), leeway_s = (int64_t) (state->conf->leeway.ms / 1000);

    switch (weir_jwt_check_time(state->answer.expires, state->answer.not_before, now_s, leeway_s)) {
    case WEIR_JWT_EXPIRED: return WEIR_CAUSE_AUTH_OAUTH2_EXPIRED;
    case WEIR_JWT_NOT_YET: return WEIR_CAUSE_AUTH_OAUTH2_NOT_YET;
    default:               return WEIR_CAUSE_NONE;
    }
}

static weir_cause_t
token_check(const oauth2_state_t *state)
{
    const oauth2_conf_t *conf = state->conf;
    weir_cause_t         cause = token_time_cause(state);

    if (cause != WEIR_CAUSE_NONE) {
        return cause;
    }
    if (!token_is_bearer(state->answer.claims)) {
        return WEIR_CAUSE_AUTH_OAUTH2_TYPE;
    }
    if (conf->issuers.n != 0 && !weir_jwt_is_of(&state->answer, conf->issuers)) {
        return WEIR_CAUSE_AUTH_OAUTH2_ISSUER;
    }
    if (conf->audiences.n != 0 && !weir_jwt_is_for(&state->answer, conf->audiences)) {
        return WEIR_CAUSE_AUTH_OAUTH2_AUDIENCE;
    }
    for (size_t i = 0; i < conf->scopes.n; i++) {
        if (!token_has_scope(state->answer.claims, conf->scopes.at[i])) {
            return WEIR_CAUSE_AUTH_OAUTH2_SCOPE;
        }
    }
    return WEIR_CAUSE_NONE;
}

/* -- the verdict -- */

void
oauth2_refuse(oauth2_state_t *state, weir_cause_t cause, const char *detail)
{
    weir_assert(!state->is_settled && cause != WEIR_CAUSE_NONE);
    state->is_settled = true;
    state->cause = cause;
    state->detail = detail != NULL ? weir_str_to_z(&state->req->arena, weir_str_from_z(detail)) : NULL;
}

void
oauth2_settle(oauth2_state_t *state, weir_str_t text, const char *why)
{
    bool is_active;

    if (text.at == NULL) {
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_UNAVAILABLE, why);
    } else if (!oauth2_read_answer(&state->req->arena, text, &state->answer, &is_active)) {
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_UNAVAILABLE, "its answer is not what RFC 7662 says");
    } else if (!is_active) {
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_INACTIVE, NULL);
    } else {
        state->is_settled = true;
        state->cause = token_check(state);
    }
}

void
oauth2_look_again(oauth2_state_t *state)
{
    if (state->is_settled && state->cause == WEIR_CAUSE_NONE) {
        state->cause = token_time_cause(state);
    }
}

/* -- of a request -- */

/* What can be said without asking the server. */
static void
token_judge(oauth2_state_t *state)
{
    const oauth2_conf_t *conf = state->conf;
    weir_str_t           text;

    if (state->token.len == 0) {
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_MISSING, NULL);
    } else if (state->token.len > conf->max_size.n) {
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_TOO_LARGE, NULL);
    } else if (!weir_bearer_is_token(state->token)) {
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_MALFORMED, NULL);
    } else if (!oauth2_digest(conf, state->token, &state->digest)) {
        oauth2_refuse(state, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    } else if (oauth2_cache_find(conf, &state->digest, &state->req->arena, &text)) {
        oauth2_settle(state, text, NULL);
    }
}

oauth2_state_t *
oauth2_state_of(weir_request_t *req)
{
    const oauth2_conf_t *conf = weir_request_conf(req, http_auth_oauth2, oauth2_conf_t);
    oauth2_state_t      *state = weir_request_kept(req, weir_http_auth_oauth2_index);

    if (state != NULL && (state->conf == conf || !oauth2_is_on(conf))) {
        return state;                        /* an internal redirect keeps what was found */
    }
    if (req->main != req && req->main != NULL) {
        oauth2_state_t *of_main = weir_request_kept(req->main, weir_http_auth_oauth2_index);

        if (!oauth2_is_on(conf) || (of_main != NULL && of_main->conf == conf && of_main->is_settled)) {
            return of_main;
        }
    }
    if (!oauth2_is_on(conf)) {
        return NULL;
    }
    state = weir_new(&req->arena, oauth2_state_t);
    state->conf = conf;
    state->req = req;
    state->is_rehearsal = weir_dry_run_is_on(req, conf->dry_run);
    state->token = weir_bearer_token(req, &conf->ask);
    weir_request_keep(req, weir_http_auth_oauth2_index, state);
    token_judge(state);
    return state;
}

/* -- variables -- */

/* Of a token that is good; NULL: there is none.  That it is not known yet is something else. */
static const weir_json_t *
token_claims(weir_request_t *req)
{
    oauth2_state_t *state = oauth2_state_of(req);

    if (state != NULL && !state->is_settled && !state->is_rehearsal) {
        weir_request_value_failed(req, WEIR_CAUSE_AUTH_OAUTH2_UNAVAILABLE);
        return NULL;
    }
    return state != NULL && state->is_settled && state->cause == WEIR_CAUSE_NONE ? state->answer.claims : NULL;
}

WEIR_GETTER(token_get_claim)
{
    return weir_claims_text(arena, weir_claims_find(token_claims(subject), ref->suffix), value);
}

WEIR_GETTER(token_get_scope)
{
    return weir_claims_text(arena, weir_json_get(token_claims(subject), WEIR_STR("scope")), value);
}

WEIR_GETTER(token_get_active)
{
    *value = WEIR_STR("1");
    return token_claims(subject) != NULL;
}

bool
oauth2_get_path(const void *data, weir_request_t *req, weir_str_t *value)
{
    const oauth2_path_t *path = data;

    return weir_claims_text(&req->arena, weir_claims_follow(token_claims(req), path->path), value);
}

const weir_variable_t oauth2_variables[] = {
    { "oauth2_claim_", true, .subject = WEIR_OF_REQUEST, .get = token_get_claim,
      .help = "Member of what the authorization server says of the request's token, when that is good; of a list its "
              "elements, with commas between." },
    { "oauth2_active", .subject = WEIR_OF_REQUEST, .get = token_get_active,
      .help = "1 when the request's OAuth 2.0 token is good here, else empty." },
    { "oauth2_scope", .subject = WEIR_OF_REQUEST, .get = token_get_scope,
      .help = "Scopes of the request's OAuth 2.0 token, when that is good, with blanks between." },
    WEIR_VARIABLES_END
};
