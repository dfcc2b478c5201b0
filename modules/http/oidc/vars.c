/*
 * vars.c - $oidc_id_token, $oidc_access_token, $oidc_claim_NAME: what a session says.  Without one they are empty.
 *
 * Values lie in the state's own memory, which lives as long as the request, or in the request's arena.
 */
#include "oidc.h"

#include "http/guard/claims.h"
#include "http/vars/vars.h"
#include "os/clock.h"

static oidc_state_t *
vars_session(weir_request_t *req)
{
    oidc_state_t *state = oidc_state_of(req);

    return state != NULL && state->verdict == OIDC_SESSION ? state : NULL;
}

WEIR_GETTER(vars_get_id_token)
{
    const oidc_state_t *state = vars_session(subject);

    (void) ref;
    (void) arena;
    if (state == NULL) {
        return false;
    }
    *value = state->session.id_token;
    return true;
}

/* One that has ended is of no use. */
WEIR_GETTER(vars_get_access_token)
{
    const oidc_state_t *state = vars_session(subject);

    (void) ref;
    (void) arena;
    if (state == NULL || (state->session.access_until_s != 0
                          && weir_clock_wall_ms() / 1000 >= state->session.access_until_s))
    {
        return false;
    }
    *value = state->session.access_token;
    return true;
}

WEIR_GETTER(vars_get_claim)
{
    oidc_state_t *state = vars_session(subject);

    if (state == NULL) {
        return false;
    }
    if (state->claims == NULL) {
        state->claims = oidc_id_token_claims(&state->secrets, state->session.id_token);
    }
    return weir_claims_text(arena, weir_claims_find(state->claims, ref->suffix), value);
}

const weir_variable_t oidc_variables[] = {
    { "oidc_id_token", .subject = WEIR_OF_REQUEST, .get = vars_get_id_token,
      .help = "The id token of the session of auth_oidc." },
    { "oidc_access_token", .subject = WEIR_OF_REQUEST, .get = vars_get_access_token,
      .help = "The access token of the session of auth_oidc, while it is valid." },
    { "oidc_claim_", true, .subject = WEIR_OF_REQUEST, .get = vars_get_claim,
      .help = "Claim of the session's id token; of a list its elements, with commas between." },
    WEIR_VARIABLES_END
};
