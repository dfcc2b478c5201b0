/*
 * record.c - see record.h.  Pure.
 */
#include "store/record.h"

bool
weir_store_name_is_good(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
              || (c != '\0' && strchr("._@+-", c) != NULL)))
        {
            return false;
        }
    }
    return name.len > 0 && name.len < WEIR_STORE_NAME;
}

static bool
record_is_lower(weir_str_t text, size_t max, bool with_dash)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c == '-' && with_dash))) {
            return false;
        }
    }
    return text.len > 0 && text.len <= max;
}

bool
weir_store_kind_is_good(weir_str_t kind)
{
    return record_is_lower(kind, WEIR_STORE_KIND - 1, true);
}

bool
weir_store_meta_name_is_good(weir_str_t name)
{
    return record_is_lower(name, WEIR_STORE_META_NAME, false);
}

bool
weir_store_profile_next(weir_str_t *rest, weir_str_t *text)
{
    const char *end = rest->len != 0 ? memchr(rest->at, '\0', rest->len) : NULL;

    if (end == NULL) {
        return false;
    }
    *text = weir_str(rest->at, (size_t) (end - rest->at));
    *rest = weir_str_skip(*rest, text->len + 1);
    return true;
}

bool
weir_store_profile_add(weir_store_profile_t *profile, weir_str_t text)
{
    weir_assert(profile->len <= sizeof(profile->text) && (text.len == 0 || memchr(text.at, '\0', text.len) == NULL));
    if (text.len >= sizeof(profile->text) - profile->len) {
        return false;
    }
    memcpy(profile->text + profile->len, text.at != NULL ? text.at : "", text.len);
    profile->text[profile->len + text.len] = '\0';
    profile->len += (uint32_t) text.len + 1;
    return true;
}

bool
weir_store_profile_is_good(const weir_store_profile_t *profile, size_t size)
{
    weir_str_t rest, text;
    size_t     n = 0;

    if (size < offsetof(weir_store_profile_t, text) || profile->len > sizeof(profile->text)
        || size != weir_store_profile_size(profile) || profile->n_groups > WEIR_STORE_GROUPS
        || profile->n_meta > WEIR_STORE_META_ENTRIES)
    {
        return false;
    }
    rest = weir_str(profile->text, profile->len);
    while (weir_store_profile_next(&rest, &text)) {
        n++;
    }
    return rest.len == 0 && n == (size_t) profile->n_groups + 2 * (size_t) profile->n_meta;
}

bool
weir_store_identity_is_good(const weir_store_identity_t *identity, size_t size)
{
    return size >= offsetof(weir_store_identity_t, value) && identity->len <= sizeof(identity->value)
           && size == weir_store_identity_size(identity)
           && weir_store_kind_is_good(weir_store_text(identity->kind, sizeof(identity->kind)))
           && weir_store_name_is_good(weir_store_text(identity->consumer, sizeof(identity->consumer)));
}

void
weir_store_put_text(char *room, size_t size, weir_str_t text)
{
    size_t len = weir_min(text.len, size - 1);

    weir_assert(size != 0);
    memset(room, 0, size);
    memcpy(room, text.at != NULL ? text.at : "", len);
}

weir_str_t
weir_store_text(const char *room, size_t size)
{
    return weir_str(room, strnlen(room, size));
}
