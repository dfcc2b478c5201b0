/*
 * claims.c - $jwt_claim_NAME, $jwt_header_NAME, $jwt_payload, and the variables of auth_jwt_claim_set and
 * auth_jwt_header_set: what a verified token says.  One that is not verified says nothing.
 *
 * Values lie in the request's arena, or in that of the state, which lives as long.
 */
#include "jwt.h"

#include "http/guard/claims.h"
#include "http/vars/vars.h"

/* NULL: there is no token.  That it is not known yet whether it is good is something else than that it is not. */
static jwt_state_t *
claim_state(weir_request_t *req)
{
    jwt_state_t *state = jwt_state_of(req);

    if (state != NULL && !state->is_settled && !state->is_rehearsal) {
        weir_request_value_failed(req, WEIR_CAUSE_AUTH_JWT_KEYS);
        return NULL;
    }
    return state;
}

static const weir_json_t *
claim_object(jwt_state_t *state, bool is_header)
{
    return state == NULL ? NULL : is_header ? jwt_header(state) : jwt_claims(state);
}

WEIR_GETTER(claim_get)
{
    const weir_json_t *object = claim_object(claim_state(subject), ref->row->data != 0);

    return weir_claims_text(arena, weir_claims_find(object, ref->suffix), value);
}

WEIR_GETTER(claim_get_payload)
{
    jwt_state_t *state = claim_state(subject);

    if (claim_object(state, false) == NULL) {
        return false;
    }
    *value = state->payload;
    return true;
}

bool
jwt_get_path(const void *data, weir_request_t *req, weir_str_t *value)
{
    const jwt_path_t  *path = data;
    const weir_json_t *top = claim_object(claim_state(req), path->is_header);

    return weir_claims_text(&req->arena, weir_claims_follow(top, path->path), value);
}

const weir_variable_t jwt_variables[] = {
    { "jwt_claim_", true, .subject = WEIR_OF_REQUEST, .get = claim_get,
      .help = "Claim of the request's verified JWT; of a list its elements, with commas between." },
    { "jwt_header_", true, .subject = WEIR_OF_REQUEST, .get = claim_get, .data = 1,
      .help = "Member of the header of the request's verified JWT." },
    { "jwt_payload", .subject = WEIR_OF_REQUEST, .get = claim_get_payload,
      .help = "Payload of the verified JWT; of a nested one the signed token inside." },
    WEIR_VARIABLES_END
};
