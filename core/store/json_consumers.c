/*
 * json_consumers.c - see json.h: rates of plans, profiles of consumers, identities.  Runs in the store's process and in
 * tools.
 */
#include "store/json.h"

#include "shm/quota.h"

#include <stdio.h>

#define JSON_RATE_MAX    1000000000          /* requests a second or a minute, and of a burst */
#define JSON_FINGERPRINT (sizeof("fingerprint:") - 1 + 2 * (size_t) WEIR_STORE_HASH)     /* bytes of one */

/* -- rates -- */

static bool
json_read_rate(weir_str_t text, weir_store_rates_t *rates)
{
    weir_str_t number = text.len > 3 ? weir_str(text.at, text.len - 3) : WEIR_STR_NONE, unit = WEIR_STR_NONE;

    if (number.len != 0) {
        unit = weir_str_skip(text, number.len);
    }
    rates->per_s = weir_str_eq(unit, WEIR_STR("r/m")) ? 60 : 1;
    return (weir_str_eq(unit, WEIR_STR("r/s")) || weir_str_eq(unit, WEIR_STR("r/m")))
           && weir_str_to_u64(number, &rates->rate) && rates->rate >= 1 && rates->rate <= JSON_RATE_MAX;
}

bool
weir_store_json_rates(const json_t *object, weir_store_rates_t *rates, weir_error_t *error)
{
    const json_t *rate = json_object_get(object, "rate");

    if (json_is_null(rate)) {
        rates->rate = UINT64_MAX;
        rates->per_s = 1;
    } else if (rate != NULL && !json_read_rate(weir_store_json_str(rate), rates)) {
        return weir_error_set(error, "\"rate\" must be requests a second or a minute, as 10r/s or 600r/m, of 1 to %d",
                              JSON_RATE_MAX);
    }
    if (json_is_null(json_object_get(object, "burst"))) {
        rates->burst = 0;
    } else if (!weir_store_json_number(object, "burst", &rates->burst, error)) {
        return false;
    }
    if (rates->burst > JSON_RATE_MAX) {
        return weir_error_set(error, "\"burst\" may be at most %d", JSON_RATE_MAX);
    }
    if (!weir_store_json_limit(object, "concurrency", &rates->concurrency, error)) {
        return false;
    }
    return rates->concurrency != 0
           || weir_error_set(error, "\"concurrency\" must be at least 1, or null, which is no limit");
}

void
weir_store_json_tell_rates(json_t *object, const weir_store_rates_t *rates)
{
    char text[40];

    (void) snprintf(text, sizeof(text), "%llur/%c", (unsigned long long) rates->rate, rates->per_s == 60 ? 'm' : 's');
    (void) json_object_set_new(object, "rate", rates->rate == UINT64_MAX ? json_null() : json_string(text));
    (void) json_object_set_new(object, "burst", json_integer((json_int_t) rates->burst));
    (void) json_object_set_new(object, "concurrency", rates->concurrency == UINT64_MAX ? json_null()
                               : json_integer((json_int_t) rates->concurrency));
}

/* -- profiles -- */

static bool
json_add_text(weir_store_profile_t *profile, weir_str_t text, weir_error_t *error)
{
    return weir_store_profile_add(profile, text)
           || weir_error_set(error, "groups and metadata of a consumer have more than %d bytes",
                             WEIR_STORE_PROFILE_TEXT);
}

static bool
json_has_group(const weir_store_profile_t *profile, weir_str_t group)
{
    weir_str_t rest = weir_str(profile->text, profile->len), text;

    while (weir_store_profile_next(&rest, &text)) {
        if (weir_str_eq(text, group)) {
            return true;
        }
    }
    return false;
}

/* profile has nothing yet. */
static bool
json_read_groups(const json_t *groups, weir_store_profile_t *profile, weir_error_t *error)
{
    if (!json_is_array(groups) || json_array_size(groups) > WEIR_STORE_GROUPS) {
        return weir_error_set(error, "\"groups\" must be at most %d names", WEIR_STORE_GROUPS);
    }
    for (size_t i = 0; i < json_array_size(groups); i++) {
        weir_str_t group = weir_store_json_str(json_array_get(groups, i));

        if (!weir_store_name_is_good(group)) {
            return weir_error_set(error, "a group must be a name: 1 to %d letters, digits or any of ._@+-",
                                  WEIR_STORE_NAME - 1);
        }
        if (!json_has_group(profile, group)) {
            if (!json_add_text(profile, group, error)) {
                return false;
            }
            profile->n_groups++;
        }
    }
    return true;
}

static bool
json_add_meta(weir_store_profile_t *profile, weir_str_t name, weir_str_t value, weir_error_t *error)
{
    if (profile->n_meta == WEIR_STORE_META_ENTRIES) {
        return weir_error_set(error, "\"meta\" may have at most %d entries", WEIR_STORE_META_ENTRIES);
    }
    profile->n_meta++;
    return json_add_text(profile, name, error) && json_add_text(profile, value, error);
}

static bool
json_read_meta(json_t *meta, weir_store_profile_t *profile, weir_error_t *error)
{
    const char *name;
    json_t     *value;

    if (!json_is_object(meta)) {
        return weir_error_set(error, "\"meta\" must be an object of names and texts");
    }
    json_object_foreach(meta, name, value) {
        weir_str_t text = weir_store_json_str(value);

        if (!weir_store_meta_name_is_good(weir_str_from_z(name))) {
            return weir_error_set(error, "a name of \"meta\" must be 1 to %d lower case letters, digits or _",
                                  WEIR_STORE_META_NAME);
        }
        if ((!json_is_string(value) && !json_is_null(value)) || text.len > WEIR_STORE_META_VALUE
            || weir_store_json_has_controls(text))
        {
            return weir_error_set(error, "a value of \"meta\" must be a text of at most %d bytes without control "
                                  "characters", WEIR_STORE_META_VALUE);
        }
        if (text.len != 0 && !json_add_meta(profile, weir_str_from_z(name), text, error)) {
            return false;
        }
    }
    return true;
}

bool
weir_store_json_profile(const json_t *object, weir_store_profile_t *profile, weir_error_t *error)
{
    const weir_store_profile_t before = *profile;
    const json_t              *groups = json_object_get(object, "groups");
    json_t                    *meta = json_object_get(object, "meta");
    weir_str_t                 rest = weir_str(before.text, before.len), name, value;

    profile->n_groups = profile->n_meta = 0;
    profile->len = 0;
    for (size_t i = 0; i < before.n_groups && weir_store_profile_next(&rest, &name); i++) {
        if (groups == NULL && !json_add_text(profile, name, error)) {
            return false;
        }
    }
    profile->n_groups = groups == NULL ? before.n_groups : 0;
    if (groups != NULL && !json_read_groups(groups, profile, error)) {
        return false;
    }
    while (weir_store_profile_next(&rest, &name) && weir_store_profile_next(&rest, &value)) {
        /* (names have a NUL behind them) */
        if (json_object_get(meta, name.at) == NULL && !json_add_meta(profile, name, value, error)) {
            return false;
        }
    }
    return meta == NULL || json_read_meta(meta, profile, error);
}

void
weir_store_json_tell_profile(json_t *object, const weir_store_profile_t *profile)
{
    json_t    *groups = json_array(), *meta = json_object();
    weir_str_t rest = weir_str(profile->text, profile->len), name, value;

    for (size_t i = 0; i < profile->n_groups && weir_store_profile_next(&rest, &name); i++) {
        (void) json_array_append_new(groups, json_stringn(name.at, name.len));
    }
    while (weir_store_profile_next(&rest, &name) && weir_store_profile_next(&rest, &value)) {
        (void) json_object_set_new(meta, name.at, json_stringn(value.at, value.len));
    }
    (void) json_object_set_new(object, "groups", groups);
    (void) json_object_set_new(object, "meta", meta);
}

/* -- identities -- */

/* AB:CD… as openssl prints it, or abcd…: the latter. */
static bool
json_read_fingerprint(weir_str_t text, weir_store_identity_t *identity)
{
    weir_store_put_text(identity->value, sizeof(identity->value), WEIR_STR("fingerprint:"));
    identity->len = sizeof("fingerprint:") - 1;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == ':') {
            continue;
        }
        c = c >= 'A' && c <= 'F' ? (char) (c | 0x20) : c;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) || identity->len == JSON_FINGERPRINT) {
            return false;
        }
        identity->value[identity->len++] = c;
    }
    return identity->len == JSON_FINGERPRINT;
}

/* What stands in a certificate, by its place there, so that nothing in one place can pass for another. */
static bool
json_read_certificate(weir_str_t value, weir_store_identity_t *identity, weir_error_t *error)
{
    static const weir_str_t places[] = {
        WEIR_STR_INIT("subject:"), WEIR_STR_INIT("san:dns:"), WEIR_STR_INIT("san:email:"), WEIR_STR_INIT("san:uri:"),
        WEIR_STR_INIT("san:ip:"),
    };

    if (weir_str_starts(value, WEIR_STR("fingerprint:"))) {
        return json_read_fingerprint(weir_str_skip(value, sizeof("fingerprint:") - 1), identity)
               || weir_error_set(error, "a fingerprint must be the SHA-256 of the certificate, %d hex digits",
                                 2 * WEIR_STORE_HASH);
    }
    for (size_t i = 0; i < weir_countof(places); i++) {
        if (weir_str_starts(value, places[i]) && value.len > places[i].len) {
            for (size_t k = 0; i == 1 && k < identity->len; k++) {           /* names of hosts have no case */
                char c = identity->value[k];

                identity->value[k] = c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
            }
            return true;
        }
    }
    return weir_error_set(error, "an identity \"certificate:\" must go on with fingerprint:, subject:, san:dns:, "
                          "san:email:, san:uri: or san:ip:");
}

bool
weir_store_json_identity(const json_t *text, weir_store_identity_t *identity, weir_error_t *error)
{
    static const char *const others[] = { "consumer", "api_key", "anonymous" };
    weir_str_t               kind = WEIR_STR_NONE, value = WEIR_STR_NONE;

    if (!weir_str_cut(weir_store_json_str(text), ':', &kind, &value) || !weir_store_kind_is_good(kind) || value.len == 0
        || value.len > WEIR_STORE_IDENTITY_VALUE || weir_store_json_has_controls(value))
    {
        return weir_error_set(error, "an identity must be KIND:VALUE: a kind of 1 to %d lower case letters, digits or "
                              "_-, and a text of at most %d bytes without control characters", WEIR_STORE_KIND - 1,
                              WEIR_STORE_IDENTITY_VALUE);
    }
    for (size_t i = 0; i < weir_countof(others); i++) {
        if (weir_str_eq(kind, weir_str_from_z(others[i]))) {
            return weir_error_set(error, "\"%s\" is no kind of identities", others[i]);
        }
    }
    weir_store_put_text(identity->kind, sizeof(identity->kind), kind);
    memcpy(identity->value, value.at, value.len);
    identity->len = value.len;
    return !weir_str_eq(kind, WEIR_STR("certificate")) || json_read_certificate(value, identity, error);
}
