/*
 * jwt.c - see jwt.h.
 */
#include "jose/jwt.h"

/* A time that is there must be one. */
static bool
jwt_time(const weir_json_t *claims, weir_str_t name, int64_t *time)
{
    const weir_json_t *member = weir_json_get(claims, name);

    return member == NULL || weir_json_to_whole(member, time);
}

weir_jose_result_t
weir_jwt_read(weir_arena_t *arena, weir_str_t payload, weir_jwt_t *jwt)
{
    weir_jose_result_t result;

    *jwt = (weir_jwt_t) { .expires = WEIR_JWT_NEVER, .not_before = WEIR_JWT_ALWAYS };
    result = weir_jose_parse_object(arena, payload, &jwt->claims);
    if (result != WEIR_JOSE_GOOD) {
        return result;
    }
    return jwt_time(jwt->claims, WEIR_STR("exp"), &jwt->expires)
           && jwt_time(jwt->claims, WEIR_STR("nbf"), &jwt->not_before) ? WEIR_JOSE_GOOD : WEIR_JOSE_MALFORMED;
}

weir_jwt_time_t
weir_jwt_check_time(int64_t expires, int64_t not_before, int64_t now_s, int64_t leeway_s)
{
    if (expires != WEIR_JWT_NEVER && now_s - leeway_s >= expires) {
        return WEIR_JWT_EXPIRED;                 /* on or after: RFC 7519 §4.1.4 */
    }
    return not_before != WEIR_JWT_ALWAYS && now_s + leeway_s < not_before ? WEIR_JWT_NOT_YET : WEIR_JWT_VALID;
}

static bool
jwt_is_among(weir_str_t text, weir_strs_t texts)
{
    for (size_t i = 0; i < texts.n; i++) {
        if (weir_str_eq(texts.at[i], text)) {
            return true;
        }
    }
    return false;
}

bool
weir_jwt_is_of(const weir_jwt_t *jwt, weir_strs_t issuers)
{
    weir_str_t text;

    return weir_json_get_string(jwt->claims, WEIR_STR("iss"), &text) && jwt_is_among(text, issuers);
}

bool
weir_jwt_is_for(const weir_jwt_t *jwt, weir_strs_t audiences)
{
    const weir_json_t *aud = weir_json_get(jwt->claims, WEIR_STR("aud"));

    if (aud == NULL || aud->kind != WEIR_JSON_ARRAY) {
        return aud != NULL && aud->kind == WEIR_JSON_STRING && jwt_is_among(aud->text, audiences);
    }
    for (const weir_json_t *one = aud->first; one != NULL; one = one->next) {
        if (one->kind == WEIR_JSON_STRING && jwt_is_among(one->text, audiences)) {
            return true;
        }
    }
    return false;
}
