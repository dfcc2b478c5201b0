/*
 * uri_text.c - see uri_text.h.
 *
 * Runs in workers; memory is the request's arena.  A text in which nothing is to be encoded, as nearly all are, is kept
 * nowhere.
 */
#include "http/vars/uri_text.h"

#include "http/message/syntax.h"

/* A variable's form in URIs; at == NULL: it is the value.  plain: its value for a reader that takes encoded slashes for
 * slashes, when that is another. */
struct weir_wire_form { struct weir_wire_form *next; uint32_t slot; weir_str_t text, plain; bool has_plain; };

static struct weir_wire_form *
text_find(const weir_request_t *req, uint32_t slot)
{
    struct weir_wire_form *form = req->wire_forms;

    while (form != NULL && form->slot != slot) {
        form = form->next;
    }
    return form;
}

/* plain == NULL: it is the value. */
static void
text_put(weir_request_t *req, uint32_t slot, weir_str_t text, const weir_str_t *plain)
{
    struct weir_wire_form *form = text_find(req, slot);

    if (form == NULL) {
        if (text.at == NULL && plain == NULL) {
            return;
        }
        form = weir_alloc(&req->arena, sizeof(*form));
        *form = (struct weir_wire_form) { .next = req->wire_forms, .slot = slot };
        req->wire_forms = form;
    }
    weir_assert(form->slot == slot);
    form->text = text;
    form->has_plain = plain != NULL;
    form->plain = plain != NULL ? *plain : WEIR_STR_NONE;
    req->has_plain_forms = req->has_plain_forms || plain != NULL;
}

static bool
text_is_plain(weir_str_t value)
{
    return value.len == 0
        || weir_byte_span(value.at, value.at + value.len, WEIR_BYTE_UNRESERVED) == value.at + value.len;
}

static bool
text_part_is_decoded(const weir_request_t *req, const weir_var_ref_t *ref)
{
    const struct weir_wire_form *form;

    if (ref->row == NULL) {
        return false;
    }
    if (ref->row == &weir_http_capture_row) {
        return req->captures_decoded;
    }
    if (ref->row == &weir_http_slot_row) {
        form = text_find(req, ref->slot);
        return form != NULL && form->text.at != NULL;
    }
    return ref->row->kind == WEIR_VALUE_PATH;
}

bool
weir_uri_text_is_decoded(const weir_request_t *req, const weir_template_t *template)
{
    for (size_t i = 0; i < template->n; i++) {
        if (text_part_is_decoded(req, &template->parts[i].ref)) {
            return true;
        }
    }
    return false;
}

bool
weir_uri_text_other_reading(weir_request_t *req, weir_str_t value, weir_str_t *other)
{
    weir_uri_t uri;

    if (weir_likely(value.len == 0 || memchr(value.at, '%', value.len) == NULL)) {
        return false;
    }
    *other = weir_uri_plain_slashes(value, &req->arena);
    if (weir_str_starts(*other, WEIR_STR("/"))
        && weir_uri_normalise(&uri, weir_uri_encode(*other, &req->arena), req->server->core->merge_slashes.on,
                              &req->arena)
               == WEIR_URI_OK)
    {
        *other = uri.path;
    }
    return !weir_str_eq(*other, value);
}

static weir_str_t
text_plain_part(weir_request_t *req, const weir_var_ref_t *ref)
{
    const struct weir_wire_form *form;
    weir_str_t value = WEIR_STR_NONE, other;

    weir_assert(ref->row != NULL);
    if (!weir_request_get(req, ref, &value)) {
        /* (a group that took no part here may have in the other reading) */
        value = WEIR_STR_NONE;
    }
    if (ref->row == &weir_http_capture_row) {
        return req->captures_plain != NULL ? weir_captures_get(req->captures_plain, ref->group) : value;
    }
    if (ref->row == &weir_http_slot_row) {
        form = text_find(req, ref->slot);
        return form != NULL && form->has_plain ? form->plain : value;
    }
    if (ref->row->kind == WEIR_VALUE_PATH && weir_uri_text_other_reading(req, value, &other)) {
        return other;
    }
    return ref->row->kind == WEIR_VALUE_FILE ? weir_uri_plain_slashes(value, &req->arena) : value;
}

weir_str_t
weir_uri_text_plain(weir_request_t *req, const weir_template_t *template)
{
    weir_assert(template != NULL);

    weir_str_t all = weir_request_eval(req, template);

    /* (asked for only now: variables have just been made) */
    if (weir_likely(!req->uri.has_slash && !req->has_plain_forms)) {
        return all;
    }
    all = WEIR_STR_NONE;
    for (size_t i = 0; i < template->n; i++) {
        const weir_template_part_t *part = &template->parts[i];
        weir_str_t                  piece = part->ref.row == NULL ? part->literal : text_plain_part(req, &part->ref);

        all = all.len == 0 ? piece : weir_str_concat(&req->arena, all, piece);
    }
    return all;
}

/* $request_uri where a path is wanted: the target's normal form. */
static weir_str_t
text_of_target(weir_request_t *req)
{
    weir_uri_t uri;
    weir_str_t query = weir_uri_encode_query(req->head.query, &req->arena);

    if (req->head.form == WEIR_TARGET_ASTERISK || weir_request_read_path(req, &uri) != WEIR_URI_OK) {
        return req->head.target;
    }
    return req->head.has_query ? weir_str_printf(&req->arena, "%.*s?%.*s", WEIR_STR_ARG(uri.wire), WEIR_STR_ARG(query))
                               : uri.wire;
}

/* A variable's form that is kept: what is no whole argument or query by itself must not become more than a value in
 * one. */
static weir_str_t
text_of_form(weir_request_t *req, weir_str_t text, bool in_query)
{
    bool is_value = weir_str_find(text, '=') == NULL && weir_str_find(text, '?') == NULL;

    return in_query && is_value ? weir_uri_encode_separators(text, &req->arena) : text;
}

static weir_str_t
text_of_part(weir_request_t *req, const weir_template_part_t *part, weir_uri_place_t place)
{
    const weir_var_ref_t *ref = &part->ref;
    weir_str_t value = WEIR_STR_NONE;
    bool is_decoded;

    if (ref->row == NULL) {
        return part->literal;
    }
    if (!weir_request_get(req, ref, &value)) {
        return WEIR_STR_NONE;
    }
    if (place == WEIR_URI_TARGET && ref->row->kind == WEIR_VALUE_TARGET) {
        return text_of_target(req);
    }
    /* (asked for only now: a map's value has just been made) */
    is_decoded = text_part_is_decoded(req, ref);
    if (!is_decoded) {
        return place == WEIR_URI_REDIRECT ? weir_uri_decode_printable(value, &req->arena) : value;
    }
    weir_assert(place != WEIR_URI_TARGET || ref->row->kind != WEIR_VALUE_TARGET);
    if (ref->row == &weir_http_slot_row) {
        return text_of_form(req, text_find(req, ref->slot)->text, place == WEIR_URI_QUERY);
    }
    if (place == WEIR_URI_QUERY) {
        return weir_uri_encode_argument(value, &req->arena);
    }
    return ref->row->kind == WEIR_VALUE_PATH && req->uri.wire.at[0] == '/' ? req->uri.wire
                                                                           : weir_uri_encode(value, &req->arena);
}

weir_str_t
weir_uri_text(weir_request_t *req, const weir_template_t *template, weir_uri_place_t place)
{
    weir_str_t all = WEIR_STR_NONE;

    for (size_t i = 0; i < template->n; i++) {
        weir_str_t piece = text_of_part(req, &template->parts[i], place);

        place = weir_str_find(piece, '?') != NULL ? WEIR_URI_QUERY : place;
        all = all.len == 0 ? piece : weir_str_concat(&req->arena, all, piece);
    }
    return all;
}

/* What a part adds to a path inside, which is decoded.  true: a query began, and *query is what the part adds to it. */
static bool
text_split_part(weir_request_t *req, const weir_template_part_t *part, weir_str_t *piece, weir_str_t *query)
{
    weir_str_t text = text_of_part(req, part, WEIR_URI_REFERENCE), value = WEIR_STR_NONE;
    bool is_decoded = text_part_is_decoded(req, &part->ref), has_query = weir_str_cut(text, '?', piece, query);

    if (is_decoded && part->ref.row != &weir_http_slot_row) {
        *piece = weir_request_get(req, &part->ref, &value) ? value : WEIR_STR_NONE;
        return false;
    }
    if (is_decoded) {
        *piece = weir_uri_decode(*piece, &req->arena);
    }
    return has_query;
}

bool
weir_uri_text_split(weir_request_t *req, const weir_template_t *template, weir_str_t *path, weir_str_t *query)
{
    bool has_query = false;

    *path = *query = WEIR_STR_NONE;
    for (size_t i = 0; i < template->n; i++) {
        weir_str_t piece, rest;

        if (has_query) {
            *query = weir_str_concat(&req->arena, *query, text_of_part(req, &template->parts[i], WEIR_URI_QUERY));
            continue;
        }
        has_query = text_split_part(req, &template->parts[i], &piece, &rest);
        *path = weir_str_concat(&req->arena, *path, piece);
        *query = has_query ? rest : WEIR_STR_NONE;
    }
    weir_assert(has_query || query->len == 0);
    *query = weir_uri_encode_query(*query, &req->arena);
    return has_query;
}

void
weir_uri_text_keep(weir_request_t *req, uint32_t slot, const weir_template_t *template, weir_str_t value)
{
    weir_str_t text = WEIR_STR_NONE, plain = value;

    if (!text_is_plain(value) && weir_uri_text_is_decoded(req, template)) {
        text = weir_uri_text(req, template, WEIR_URI_REFERENCE);
    }
    if (weir_unlikely(req->uri.has_slash || req->has_plain_forms)) {
        plain = weir_uri_text_plain(req, template);
    }
    text_put(req, slot, text, weir_str_eq(plain, value) ? NULL : &plain);
}

void
weir_uri_text_keep_group(weir_request_t *req, uint32_t slot, weir_str_t value, weir_str_t plain, bool is_decoded)
{
    text_put(req, slot, is_decoded && !text_is_plain(value) ? weir_uri_encode(value, &req->arena) : WEIR_STR_NONE,
             weir_str_eq(plain, value) ? NULL : &plain);
}

void
weir_uri_text_forget(weir_request_t *req, uint32_t slot)
{
    text_put(req, slot, WEIR_STR_NONE, NULL);
}

void
weir_uri_text_copy(weir_request_t *req, const weir_request_t *parent)
{
    weir_assert(req != parent && req->wire_forms == NULL);     /* it was just made */
    for (const struct weir_wire_form *form = parent->wire_forms; form != NULL; form = form->next) {
        weir_str_t plain = weir_str_dup(&req->arena, form->plain);

        text_put(req, form->slot, form->text.at != NULL ? weir_str_dup(&req->arena, form->text) : WEIR_STR_NONE,
                 form->has_plain ? &plain : NULL);
    }
}
