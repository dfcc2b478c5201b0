/*
 * deprecation.c - see deprecation.h.
 */
#include "http/answer/deprecation.h"

#include "base/date.h"

bool
weir_deprecation_read_date(weir_conf_t *cf, size_t word, weir_str_t text, int64_t *seconds)
{
    return weir_date_iso_read(text, seconds)
        || weir_conf_invalid(cf, word, "a date such as 2026-12-31 or 2026-12-31T09:30:00Z");
}

bool
weir_deprecation_read_since(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_deprecation_t *deprecation = data;

    if (!weir_deprecation_read_date(cf, word, value, &deprecation->since_s)) {
        return false;
    }
    deprecation->since = weir_str_printf(cf->arena, "@%lld", (long long) deprecation->since_s);
    return true;
}

bool
weir_deprecation_read_sunset(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_deprecation_t *deprecation = data;
    char               *room = weir_alloc_bytes(cf->arena, WEIR_DATE_HTTP_BYTES);

    if (!weir_deprecation_read_date(cf, word, value, &deprecation->sunset_s)) {
        return false;
    }
    weir_date_http(room, deprecation->sunset_s);
    deprecation->sunset = weir_str(room, WEIR_DATE_HTTP_BYTES);
    return true;
}

/* A URI that may stand between < and >. */
static bool
deprecation_is_link(weir_str_t url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.at[i] <= ' ' || url.at[i] >= 0x7f || url.at[i] == '<' || url.at[i] == '>' || url.at[i] == '"') {
            return false;
        }
    }
    return url.len != 0;
}

bool
weir_deprecation_read_link(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_deprecation_t *deprecation = data;

    if (!deprecation_is_link(value)) {
        return weir_conf_invalid(cf, word, "link=URL, an address without spaces, quotes, < and >");
    }
    deprecation->url = value;
    deprecation->link = weir_str_printf(cf->arena, "<%.*s>; rel=\"deprecation\"", WEIR_STR_ARG(value));
    return true;
}

bool
weir_deprecation_check(weir_conf_t *cf, const weir_deprecation_t *deprecation)
{
    return deprecation->since_s == WEIR_DEPRECATION_NO_DATE || deprecation->sunset_s == WEIR_DEPRECATION_NO_DATE
        || deprecation->since_s <= deprecation->sunset_s
        || weir_conf_error(cf, 0, "the sunset comes before the deprecation (RFC 9745 §4)");
}

/* One value of that name, and no other. */
static void
deprecation_set(weir_request_t *req, weir_str_t name, weir_str_t value)
{
    for (weir_field_t *field = weir_fields_find(&req->res.fields, name); field != NULL;
         field = weir_fields_next(&req->res.fields, field))
    {
        field->flags |= WEIR_FIELD_DROP;
    }
    (void) weir_fields_add(&req->res.fields, &req->arena, weir_header_id(name), name, value, 0);
}

void
weir_deprecation_tell(weir_request_t *req, const weir_deprecation_t *deprecation)
{
    weir_assert(!req->res.head_sent);
    if (deprecation->since.len != 0) {
        deprecation_set(req, WEIR_STR("Deprecation"), deprecation->since);
    }
    if (deprecation->sunset.len != 0) {
        deprecation_set(req, WEIR_STR("Sunset"), deprecation->sunset);
    }
    if (deprecation->link.len != 0) {
        (void) weir_response_add(req, WEIR_HEADER_LINK, deprecation->link);
    }
}
