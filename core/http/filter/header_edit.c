/*
 * header_edit.c - see header_edit.h.  Read at load; run in workers, values in the request's arena.
 *
 * A field that goes is taken out of the row, so that no variable sees it any more.  A value that is empty adds nothing,
 * as with proxy_set_header and add_header.
 */
#include "http/filter/header_edit.h"

#include "http/message/cookies.h"
#include "http/module.h"

#include <string.h>

/* -- a message -- */

static bool
edit_is_of(const weir_header_change_t *edit, const weir_field_t *field)
{
    return field->id == edit->id && (edit->id != WEIR_HEADER_OTHER || weir_str_eq_fold(field->name, edit->name));
}

/* Where the first of each name lies changes, so the row is made anew in its place. */
static void
edit_remove(const weir_header_change_t *edit, weir_fields_t *fields, weir_arena_t *arena)
{
    uint32_t n = fields->n, i = 0;

    while (i < n && !edit_is_of(edit, &fields->at[i])) {
        i++;
    }
    if (i == n) {
        return;
    }
    weir_fields_reset(fields);
    for (i = 0; i < n; i++) {
        weir_field_t  was = fields->at[i];
        weir_field_t *now;

        if (edit_is_of(edit, &was)) {
            continue;
        }
        now = weir_fields_add(fields, arena, (weir_header_id_t) was.id, was.name, was.value, 0);
        weir_assert(now != NULL);
        now->flags |= was.flags & (WEIR_FIELD_DROP | WEIR_FIELD_HOP | WEIR_FIELD_CLEAN);
    }
}

static void
edit_apply(weir_request_t *req, const weir_header_change_t *change, weir_fields_t *fields)
{
    if (change->kind != WEIR_HEADER_EDIT_ADD) {
        edit_remove(change, fields, &req->arena);
    }
    if (change->value.len != 0 && change->kind != WEIR_HEADER_EDIT_REMOVE) {
        weir_assert(weir_fields_add(fields, &req->arena, change->id, change->name, change->value, 0) != NULL);
    }
}

/* The value is worked out before its field is touched: `set X "$http_x, more"`. */
static weir_header_change_t
edit_change(weir_request_t *req, const weir_header_edit_t *edit)
{
    return (weir_header_change_t) { edit->kind, edit->id, edit->name,
                                    edit->value != NULL ? weir_request_eval(req, edit->value) : WEIR_STR_NONE };
}

/* What the client sent, for the place that the request goes to next. */
void
weir_header_edit_keep(weir_request_t *req)
{
    weir_fields_t *sent;

    if (req->sent_fields != NULL) {
        return;
    }
    sent = weir_new(&req->arena, weir_fields_t);
    *sent = req->head.fields;
    sent->cap = sent->n;
    if (sent->n != 0) {
        sent->at = weir_alloc(&req->arena, sent->n * sizeof(*sent->at));
        memcpy(sent->at, req->head.fields.at, sent->n * sizeof(*sent->at));
    }
    req->sent_fields = sent;
}

void
weir_header_change_request(weir_request_t *req, const weir_header_change_t *change)
{
    weir_assert(weir_header_may_change(change->id, true));
    weir_header_edit_keep(req);
    edit_apply(req, change, &req->head.fields);
}

void
weir_header_edit_request(weir_request_t *req, const weir_header_edits_t *edits)
{
    for (size_t i = 0; i < edits->n; i++) {
        weir_header_change_t change = edit_change(req, &edits->at[i]);

        weir_header_change_request(req, &change);
    }
}

/* Weir sends Server where the answer does not: a field that is there, and not sent, keeps it from that. */
static void
edit_say_no_server(weir_request_t *req)
{
    if (weir_fields_first(&req->res.fields, WEIR_HEADER_SERVER) == NULL) {
        weir_response_add(req, WEIR_HEADER_SERVER, WEIR_STR(""))->flags |= WEIR_FIELD_DROP;
    }
}

void
weir_header_change_response(weir_request_t *req, const weir_header_change_t *change)
{
    weir_assert(weir_header_may_change(change->id, false));
    edit_apply(req, change, &req->res.fields);
    if (change->id == WEIR_HEADER_SERVER) {
        edit_say_no_server(req);
    }
}

void
weir_header_edit_response(weir_request_t *req, const weir_header_edits_t *edits)
{
    for (size_t i = 0; i < edits->n; i++) {
        weir_header_change_t change = edit_change(req, &edits->at[i]);

        weir_header_change_response(req, &change);
    }
}

/* Of the framing, which is Weir's alone, or of one connection (RFC 9110 §7.6.1). */
static bool
edit_is_of_connection(weir_header_id_t id)
{
    switch (id) {
    case WEIR_HEADER_CONTENT_LENGTH: case WEIR_HEADER_TRANSFER_ENCODING: case WEIR_HEADER_CONNECTION:
    case WEIR_HEADER_KEEP_ALIVE: case WEIR_HEADER_PROXY_CONNECTION: case WEIR_HEADER_TE: case WEIR_HEADER_TRAILER:
    case WEIR_HEADER_UPGRADE: case WEIR_HEADER_HTTP2_SETTINGS:
        return true;
    default:
        return false;
    }
}

bool
weir_header_may_change(weir_header_id_t id, bool is_request)
{
    return !edit_is_of_connection(id) && (is_request ? id != WEIR_HEADER_EXPECT && id != WEIR_HEADER_HOST
                                                     : id != WEIR_HEADER_DATE);
}

/* -- directives -- */

static bool
edit_may_name(weir_conf_t *cf, const weir_directive_t *row, const weir_header_edit_t *edit, bool is_request)
{
    if (edit_is_of_connection(edit->id) || (is_request && edit->id == WEIR_HEADER_EXPECT)) {
        return weir_conf_error(cf, 2, "\"%.*s\" is of the connection, not of the message: \"%s\" may not change it",
                               WEIR_STR_ARG(edit->name), row->name);
    }
    if (is_request && edit->id == WEIR_HEADER_HOST) {
        return weir_conf_error(cf, 2, "\"%s\" may not change \"Host\": \"rewrite_host\" and \"proxy_set_header\" say "
                               "what the peer gets", row->name);
    }
    if (!is_request && edit->id == WEIR_HEADER_DATE) {
        return weir_conf_error(cf, 2, "every answer has the Date of this gateway: \"%s\" may not change it", row->name);
    }
    return true;
}

static bool
edit_read_value(weir_conf_t *cf, const weir_conf_words_t *words, weir_header_edit_t *edit)
{
    if (edit->kind == WEIR_HEADER_EDIT_REMOVE) {
        return words->n == 3 || weir_conf_error(cf, 3, "\"remove\" takes a name and nothing else");
    }
    if (words->n != 4) {
        return weir_conf_error(cf, 1, "\"%.*s\" takes a name and a value", WEIR_STR_ARG(words->at[1].text));
    }
    if (!weir_syntax_is_field_value(words->at[3].text)) {
        return weir_conf_invalid(cf, 3, "a text without line ends and other controls");
    }
    edit->value = weir_conf_template(cf, 3, words->at[3].text);
    return edit->value != NULL;
}

static bool
edit_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list, bool is_request)
{
    static const weir_str_t kinds[] = {
        [WEIR_HEADER_EDIT_SET] = WEIR_STR_INIT("set"),
        [WEIR_HEADER_EDIT_ADD] = WEIR_STR_INIT("add"),
        [WEIR_HEADER_EDIT_REMOVE] = WEIR_STR_INIT("remove"),
    };
    weir_header_edit_t edit = { .name = words->at[2].text, .id = weir_header_id(words->at[2].text) };

    while (edit.kind < weir_countof(kinds) && !weir_str_eq(words->at[1].text, kinds[edit.kind])) {
        edit.kind++;
    }
    if (edit.kind == weir_countof(kinds)) {
        return weir_conf_invalid(cf, 1, "\"set\", \"add\" or \"remove\"");
    }
    if (!weir_syntax_is_token(edit.name)) {
        return weir_conf_invalid(cf, 2, "the name of a header field");
    }
    if (!edit_may_name(cf, row, &edit, is_request) || !edit_read_value(cf, words, &edit)) {
        return false;
    }
    *(weir_header_edit_t *) weir_conf_list_push(cf, list, sizeof(edit)) = edit;
    return true;
}

static bool
edit_parse_request(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    return edit_parse(cf, row, words, list, true);
}

static bool
edit_parse_response(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    return edit_parse(cf, row, words, list, false);
}

#define EDIT_TYPE(how)                                                                                                 \
    { .name = "set name value | add name value | remove name", .size = sizeof(weir_header_edits_t), .min_args = 2,     \
      .max_args = 3, .repeats = true, .parse = (how), .item = sizeof(weir_header_edit_t) }

const weir_conf_type_t weir_header_edit_type_request = EDIT_TYPE(edit_parse_request);
const weir_conf_type_t weir_header_edit_type_response = EDIT_TYPE(edit_parse_response);

/* -- what others are told -- */

static bool
header_edit_is_told(void *data, weir_str_t name)
{
    weir_request_t *req = data;

    for (size_t m = 0; m < weir_modules_count; m++) {
        const weir_http_module_t *module = weir_http_modules[m];

        if (module != NULL && module->owns_cookie != NULL && req->conf[m] != NULL
            && module->owns_cookie(req->conf[m], name))
        {
            return false;
        }
    }
    return true;
}

weir_str_t
weir_header_edit_told(weir_request_t *req, const weir_field_t *field)
{
    weir_assert(req->location != NULL);
    return field->id != WEIR_HEADER_COOKIE ? field->value
           : weir_cookies_without(field->value, &req->arena, header_edit_is_told, req);
}
