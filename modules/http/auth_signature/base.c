/*
 * base.c - what is signed (RFC 9421 §2): the components that a signature names become one text.
 *
 * The profile: fields by their names; @method, @authority, @scheme, @target-uri, @request-target, @path, @query, and
 * @query-param with its name.  The parameters sf, key, bs, tr and req are not supported, and neither are @status (of
 * answers) and what is not known.  A component is named once.
 *
 * What is signed must be what is sent on, so a component that two readers may take for different things is refused: a
 * field that comes several times, unless its value is a list by its definition (its lines are the list then, RFC 9110
 * §5.3); an argument that comes several times; a path that is not in its normal form, which is what Weir sends on.  So
 * is a field that is not sent on at all, for Connection names it (RFC 9110 §7.6.1), which is not signed.
 *
 * Runs in workers; memory: the request's arena.
 */
#include "signature.h"

#define BASE_COMPONENTS 64
#define BASE_ARGUMENTS  16               /* each is looked for in the whole query */

/* Of requests, and lists by definition: several lines are one list for all readers. */
static const weir_str_t base_lists[] = {
    WEIR_STR_INIT("accept"), WEIR_STR_INIT("accept-charset"), WEIR_STR_INIT("accept-encoding"),
    WEIR_STR_INIT("accept-language"), WEIR_STR_INIT("cache-control"), WEIR_STR_INIT("content-encoding"),
    WEIR_STR_INIT("content-language"), WEIR_STR_INIT("forwarded"), WEIR_STR_INIT("if-match"),
    WEIR_STR_INIT("if-none-match"), WEIR_STR_INIT("pragma"), WEIR_STR_INIT("prefer"), WEIR_STR_INIT("via"),
    WEIR_STR_INIT("x-forwarded-for"), WEIR_STR_INIT("content-digest"), WEIR_STR_INIT("repr-digest"),
    WEIR_STR_INIT("want-content-digest"), WEIR_STR_INIT("want-repr-digest"), WEIR_STR_INIT("signature"),
    WEIR_STR_INIT("signature-input"), WEIR_STR_INIT("accept-signature"), WEIR_STR_INIT("client-cert-chain"),
};

/* One component: NONE, and its value; or why it has none. */
typedef weir_cause_t base_get_t(weir_request_t *req, const weir_sf_item_t *item, weir_str_t *value,
                                const char **detail);

static weir_cause_t
base_refuse(const char **detail, const char *why)
{
    *detail = why;
    return WEIR_CAUSE_AUTH_SIGNATURE_COMPONENT;
}

/* -- derived components (§2.2) -- */

static weir_cause_t
base_method(weir_request_t *req, const weir_sf_item_t *item WEIR_UNUSED, weir_str_t *value,
            const char **detail WEIR_UNUSED)
{
    *value = req->head.method_name;
    return WEIR_CAUSE_NONE;
}

static weir_cause_t
base_scheme(weir_request_t *req, const weir_sf_item_t *item WEIR_UNUSED, weir_str_t *value,
            const char **detail WEIR_UNUSED)
{
    *value = req->client->is_tls ? WEIR_STR("https") : WEIR_STR("http");
    return WEIR_CAUSE_NONE;
}

/* In lower case, without the scheme's own port. */
static weir_cause_t
base_authority(weir_request_t *req, const weir_sf_item_t *item WEIR_UNUSED, weir_str_t *value, const char **detail)
{
    uint16_t port = req->head.port;

    if (req->head.host.len == 0) {
        return base_refuse(detail, "the request has no host");
    }
    *value = weir_str_lower(&req->arena, req->head.host);
    if (port != 0 && port != (req->client->is_tls ? 443 : 80)) {
        *value = weir_str_printf(&req->arena, "%.*s:%u", WEIR_STR_ARG(*value), (unsigned) port);
    }
    return WEIR_CAUSE_NONE;
}

/* As it came, which must be as it is sent on. */
static weir_cause_t
base_path(weir_request_t *req, const weir_sf_item_t *item WEIR_UNUSED, weir_str_t *value, const char **detail)
{
    weir_uri_t uri;

    *value = req->head.path;
    if (value->len == 0 || weir_request_read_path(req, &uri) != WEIR_URI_OK || !weir_str_eq(uri.wire, *value)) {
        *detail = NULL;
        return WEIR_CAUSE_AUTH_SIGNATURE_TARGET;
    }
    return WEIR_CAUSE_NONE;
}

static weir_cause_t
base_query(weir_request_t *req, const weir_sf_item_t *item WEIR_UNUSED, weir_str_t *value,
           const char **detail WEIR_UNUSED)
{
    *value = weir_str_concat(&req->arena, WEIR_STR("?"), req->head.query);
    return WEIR_CAUSE_NONE;
}

static weir_cause_t
base_target(weir_request_t *req, const weir_sf_item_t *item, weir_str_t *value, const char **detail)
{
    weir_cause_t cause = base_path(req, item, value, detail);

    *value = req->head.target;
    return cause;
}

static weir_cause_t
base_target_uri(weir_request_t *req, const weir_sf_item_t *item, weir_str_t *value, const char **detail)
{
    weir_str_t   authority, path, scheme;
    weir_cause_t cause = base_authority(req, item, &authority, detail);

    if (cause == WEIR_CAUSE_NONE) {
        cause = base_path(req, item, &path, detail);
    }
    if (cause == WEIR_CAUSE_NONE) {
        cause = base_scheme(req, item, &scheme, detail);
    }
    if (cause == WEIR_CAUSE_NONE) {
        *value = weir_str_printf(&req->arena, "%.*s://%.*s%.*s%s%.*s", WEIR_STR_ARG(scheme), WEIR_STR_ARG(authority),
                                 WEIR_STR_ARG(path), req->head.has_query ? "?" : "", WEIR_STR_ARG(req->head.query));
    }
    return cause;
}

/* -- @query-param (§2.2.8) -- */

/* The next byte of a form's text, decoded, and encoded again as the URL standard does it, but with %20: so many
 * characters. */
static size_t
base_form_next(weir_str_t *text, char coded[3])
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char     c = (unsigned char) text->at[0];
    size_t            taken = 1;

    if (c == '+') {
        c = ' ';
    } else if (c == '%' && text->len > 2 && weir_byte_is(text->at[1], WEIR_BYTE_HEX)
               && weir_byte_is(text->at[2], WEIR_BYTE_HEX))
    {
        c = (unsigned char) (weir_byte_hex(text->at[1]) << 4 | weir_byte_hex(text->at[2]));
        taken = 3;
    }
    *text = weir_str_skip(*text, taken);
    if (c != '~' && (weir_byte_is((char) c, WEIR_BYTE_UNRESERVED) || c == '*')) {
        coded[0] = (char) c;
        return 1;
    }
    coded[0] = '%';
    coded[1] = digits[c >> 4];
    coded[2] = digits[c & 0xf];
    return 3;
}

static bool
base_form_is(weir_str_t text, weir_str_t coded)
{
    char   one[3];
    size_t n;

    while (text.len != 0) {
        n = base_form_next(&text, one);
        if (coded.len < n || memcmp(coded.at, one, n) != 0) {
            return false;
        }
        coded = weir_str_skip(coded, n);
    }
    return coded.len == 0;
}

static weir_str_t
base_form_text(weir_arena_t *arena, weir_str_t text)
{
    size_t     room = 3 * text.len + 1;
    weir_buf_t out;
    char       one[3];

    weir_buf_init(&out, weir_alloc_bytes(arena, room), room);
    while (text.len != 0) {
        weir_buf_add(&out, one, base_form_next(&text, one));
    }
    return weir_buf_str(&out);
}

static weir_cause_t
base_query_param(weir_request_t *req, const weir_sf_item_t *item, weir_str_t *value, const char **detail)
{
    weir_str_t wanted = item->params->value.text, rest = req->head.query, found = WEIR_STR_NONE, one, name, text;
    size_t     n = 0;

    while (rest.len != 0) {
        (void) weir_str_cut(rest, '&', &one, &rest);
        (void) weir_str_cut(one, '=', &name, &text);
        if (one.len != 0 && base_form_is(name, wanted)) {
            found = text;
            n++;
        }
    }
    *value = n == 1 ? base_form_text(&req->arena, found) : WEIR_STR_NONE;
    return n == 1 ? WEIR_CAUSE_NONE : base_refuse(detail, n == 0 ? "an argument that it covers is not there"
                                                          : "an argument that it covers comes several times");
}

static const struct { weir_str_t name; base_get_t *get; bool has_name; } base_derived[] = {
    { WEIR_STR_INIT("@method"), base_method, false },
    { WEIR_STR_INIT("@authority"), base_authority, false },
    { WEIR_STR_INIT("@scheme"), base_scheme, false },
    { WEIR_STR_INIT("@target-uri"), base_target_uri, false },
    { WEIR_STR_INIT("@request-target"), base_target, false },
    { WEIR_STR_INIT("@path"), base_path, false },
    { WEIR_STR_INIT("@query"), base_query, false },
    { WEIR_STR_INIT("@query-param"), base_query_param, true },
};

/* -- fields (§2.1) -- */

static bool
base_is_list(weir_str_t name)
{
    for (size_t i = 0; i < weir_countof(base_lists); i++) {
        if (weir_str_eq(base_lists[i], name)) {
            return true;
        }
    }
    return false;
}

static weir_cause_t
base_field(weir_request_t *req, weir_str_t name, weir_str_t *value, const char **detail)
{
    const weir_fields_t *fields = req->sent_fields != NULL ? req->sent_fields : &req->head.fields;
    const weir_field_t  *field = weir_fields_find(fields, name);

    if (field == NULL) {
        return base_refuse(detail, "a field that it covers is not there");
    }
    if (weir_fields_next(fields, field) != NULL && !base_is_list(name)) {
        return base_refuse(detail, "a field that it covers comes several times");
    }
    for (const weir_field_t *one = field; one != NULL; one = weir_fields_next(fields, one)) {
        if ((one->flags & WEIR_FIELD_HOP) != 0) {            /* a proxy in between may have added to Connection */
            return base_refuse(detail, "a field that it covers is not sent on: it is of the connection only");
        }
    }
    *value = weir_fields_join(fields, name, &req->arena);
    return WEIR_CAUSE_NONE;
}

/* -- all of them -- */

static bool
base_is_field_name(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] >= 'A' && name.at[i] <= 'Z') {
            return false;
        }
    }
    return weir_syntax_is_token(name);
}

bool
signature_is_component(weir_str_t name)
{
    for (size_t i = 0; i < weir_countof(base_derived); i++) {
        if (weir_str_eq(base_derived[i].name, name)) {
            return !base_derived[i].has_name;
        }
    }
    return base_is_field_name(name);
}

/* Its parameters are the name of an argument, where it wants one, and none otherwise. */
static bool
base_has_right_params(const weir_sf_item_t *item, bool has_name)
{
    const weir_sf_param_t *param = item->params;

    return has_name ? param != NULL && param->next == NULL && weir_str_eq(param->key, WEIR_STR("name"))
                      && param->value.kind == WEIR_SF_STRING
           : param == NULL;
}

static weir_cause_t
base_component(weir_request_t *req, const weir_sf_item_t *item, weir_str_t *value, const char **detail)
{
    for (size_t i = 0; i < weir_countof(base_derived); i++) {
        if (weir_str_eq(base_derived[i].name, item->value.text)) {
            return base_has_right_params(item, base_derived[i].has_name)
                   ? base_derived[i].get(req, item, value, detail)
                   : base_refuse(detail, "a parameter of a component is not supported");
        }
    }
    if (item->params != NULL) {
        return base_refuse(detail, "a parameter of a component is not supported");
    }
    return base_is_field_name(item->value.text) ? base_field(req, item->value.text, value, detail)
           : base_refuse(detail, "a component is not supported");
}

static bool
base_is_same(const weir_sf_item_t *a, const weir_sf_item_t *b)
{
    return weir_str_eq(a->value.text, b->value.text)
           && (a->params == NULL || b->params == NULL ? a->params == b->params
               : weir_str_eq(a->params->value.text, b->params->value.text));
}

/* NONE: each is a text, and there once; there are not too many. */
static weir_cause_t
base_check(const weir_sf_member_t *input, const char **detail)
{
    size_t n = 0, n_params = 0;

    for (const weir_sf_item_t *item = input->items; item != NULL; item = item->next) {
        n_params += item->params != NULL;
        if (item->value.kind != WEIR_SF_STRING) {
            return base_refuse(detail, "the name of a component is no string");
        }
        if (++n > BASE_COMPONENTS || n_params > BASE_ARGUMENTS) {
            return base_refuse(detail, "it covers more than 64 components, or 16 arguments");
        }
    }
    for (const weir_sf_item_t *item = input->items; item != NULL; item = item->next) {
        for (const weir_sf_item_t *other = item->next; other != NULL; other = other->next) {
            if (base_is_same(item, other)) {
                return base_refuse(detail, "a component is named twice");
            }
        }
    }
    return WEIR_CAUSE_NONE;
}

/* Room that the one form of a member takes at most: a string doubles, bytes grow by a third and some. */
static size_t
base_room(weir_str_t input)
{
    return 2 * input.len + 64;
}

weir_cause_t
signature_base(weir_request_t *req, const weir_sf_member_t *input, weir_str_t *base, const char **detail)
{
    const weir_fields_t *fields = req->sent_fields != NULL ? req->sent_fields : &req->head.fields;
    size_t       names = base_room(weir_fields_join(fields, WEIR_STR("signature-input"), &req->arena));
    size_t       n = 0, room = 2 * names + 32;
    weir_cause_t cause = base_check(input, detail);
    weir_str_t   values[BASE_COMPONENTS];
    weir_buf_t   out;
    char        *at;

    for (const weir_sf_item_t *item = input->items; item != NULL && cause == WEIR_CAUSE_NONE; item = item->next) {
        weir_assert(n < BASE_COMPONENTS);            /* base_check */
        cause = base_component(req, item, &values[n], detail);
        room += cause == WEIR_CAUSE_NONE ? values[n].len + 8 : 0;
        n++;
    }
    if (cause != WEIR_CAUSE_NONE) {
        return cause;
    }
    at = weir_try_alloc(&req->arena, room);
    if (at == NULL) {
        return WEIR_CAUSE_INTERNAL_MEMORY;
    }
    weir_buf_init(&out, at, room);
    n = 0;
    for (const weir_sf_item_t *item = input->items; item != NULL; item = item->next) {
        weir_sf_add_item(&out, item);
        weir_buf_add_lit(&out, ": ");
        weir_buf_add_str(&out, values[n++]);
        weir_buf_add_char(&out, '\n');
    }
    weir_buf_add_lit(&out, "\"@signature-params\": ");
    weir_sf_add_member(&out, input);
    weir_assert(!out.full);
    *base = weir_buf_str(&out);
    return WEIR_CAUSE_NONE;
}

static bool
base_names(const weir_sf_member_t *input, weir_str_t name)
{
    for (const weir_sf_item_t *item = input->items; item != NULL; item = item->next) {
        if (item->value.kind == WEIR_SF_STRING && item->params == NULL && weir_str_eq(item->value.text, name)) {
            return true;
        }
    }
    return false;
}

/* A target says its path and query; that of a URI its scheme and authority as well. */
bool
signature_covers(const weir_sf_member_t *input, weir_str_t name)
{
    bool is_path = weir_str_eq(name, WEIR_STR("@path")) || weir_str_eq(name, WEIR_STR("@query"));
    bool is_place = weir_str_eq(name, WEIR_STR("@authority")) || weir_str_eq(name, WEIR_STR("@scheme"));

    return base_names(input, name) || (is_path && base_names(input, WEIR_STR("@request-target")))
           || ((is_path || is_place) && base_names(input, WEIR_STR("@target-uri")));
}
