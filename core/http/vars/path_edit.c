/*
 * path_edit.c - see path_edit.h.  Read at load; made in workers, in the request's arena.
 */
#include "http/vars/path_edit.h"

#include "http/vars/uri_text.h"

#include <string.h>

/* -- load -- */

static weir_str_t
edit_without_slash(weir_str_t text)
{
    while (text.len != 0 && text.at[text.len - 1] == '/') {
        text.len--;
    }
    return text;
}

/* A text with variables is a path when they are known; one without is made one now, so that it is what is sent. */
static const weir_template_t *
edit_read(weir_conf_t *cf, size_t i, weir_str_t text)
{
    weir_uri_t uri;

    if (memchr(text.at, '?', text.len) != NULL || memchr(text.at, '#', text.len) != NULL) {
        (void) weir_conf_error(cf, i, "\"%.*s\" is to be a path: it has a query or a fragment, and the request's query "
                               "stays as it is", WEIR_STR_ARG(text));
        return NULL;
    }
    if (!weir_conf_has_variables(cf, i, text)) {
        text = weir_uri_encode_rest(text, cf->arena);
        if (text.at[0] != '/' || weir_uri_normalise(&uri, text, false, cf->arena) != WEIR_URI_OK || uri.is_reshaped) {
            (void) weir_conf_invalid(cf, i, "a path that begins with \"/\" and has no dot segments");
            return NULL;
        }
        text = uri.wire;
    } else if (text.at[0] != '/' && text.at[0] != '$') {
        (void) weir_conf_invalid(cf, i, "a path that begins with \"/\" or a variable");
        return NULL;
    }
    return weir_conf_template(cf, i, text);
}

bool
weir_path_edit_read_path(weir_conf_t *cf, size_t i, weir_str_t text, weir_path_edit_t *edit)
{
    if (text.len == 0) {
        return weir_conf_invalid(cf, i, "a path");
    }
    edit->path = edit_read(cf, i, text);
    return edit->path != NULL;
}

/* "" is "/". */
bool
weir_path_edit_read_to(weir_conf_t *cf, size_t i, weir_str_t text, weir_path_edit_t *edit)
{
    edit->to = edit_read(cf, i, text.len != 0 ? text : WEIR_STR("/"));
    edit->is_of_place = true;
    return edit->to != NULL;
}

bool
weir_path_edit_read_from(weir_conf_t *cf, size_t i, weir_str_t text, weir_path_edit_t *edit)
{
    if (text.len == 0 || text.at[0] != '/' || weir_conf_has_variables(cf, i, text)) {
        return weir_conf_invalid(cf, i, "a prefix of paths, without variables, that begins with \"/\"");
    }
    edit->from = edit_without_slash(weir_str_dup(cf->arena, text));
    edit->is_of_place = false;
    return true;
}

static bool
edit_has_prefix(const weir_http_location_t *location)
{
    if (location->route != NULL) {
        return weir_rules_not_literal(location->route->lines, location->route->n_lines) == NULL;
    }
    return !location->is_named && location->rule.kind != WEIR_PATH_REGEX && location->rule.text.len != 0;
}

bool
weir_path_edit_check(weir_conf_t *cf, const weir_conf_block_t *block, const char *directive,
                     const weir_path_edit_t *edit)
{
    const weir_http_location_t *location = block->owner;

    if (edit->to == NULL || !edit->is_of_place
        || !(block->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE | WEIR_IN_PART)) || edit_has_prefix(location))
    {
        return true;
    }
    return weir_conf_error_at(cf, &block->words, "\"%s\" must say which prefix it replaces in a location that is given "
                              "by a regular expression, a template or a name: \"%.*s\"", directive,
                              WEIR_STR_ARG(location->name));
}

/* -- a request -- */

/* A text of ours whose variables bring what they like: no query, no fragment. */
static weir_str_t
edit_text(weir_request_t *req, const weir_template_t *template)
{
    weir_str_t text = weir_uri_encode_rest(weir_uri_text(req, template, WEIR_URI_TARGET), &req->arena);
    size_t     n = 0;
    char      *out;

    for (size_t i = 0; i < text.len; i++) {
        n += text.at[i] == '?' || text.at[i] == '#';
    }
    if (weir_likely(n == 0)) {
        return text;
    }
    out = weir_alloc_bytes(&req->arena, text.len + 2 * n);
    n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '?' || text.at[i] == '#') {
            memcpy(out + n, text.at[i] == '?' ? "%3F" : "%23", 3);
            n += 3;
        } else {
            out[n++] = text.at[i];
        }
    }
    weir_assert(n > text.len);
    return weir_str(out, n);
}

static bool
edit_finish(weir_request_t *req, weir_str_t text, weir_str_t *wire)
{
    weir_uri_t uri;

    if (text.len == 0 || text.at[0] != '/') {
        text = weir_str_concat(&req->arena, WEIR_STR("/"), text);
    }
    if (weir_uri_normalise(&uri, text, false, &req->arena) != WEIR_URI_OK || uri.is_reshaped
        || weir_request_is_split(req))
    {
        return false;
    }
    weir_assert(uri.wire.len != 0 && uri.wire.at[0] == '/' && weir_str_find(uri.wire, '?') == NULL);
    *wire = uri.wire;
    return true;
}

/* What the place's path begins with. */
static weir_str_t
edit_place(const weir_request_t *req)
{
    return edit_without_slash(req->location->route != NULL ? req->route->text : req->location->rule.text);
}

bool
weir_path_edit_make(weir_request_t *req, const weir_path_edit_t *edit, weir_str_t *wire)
{
    weir_str_t from = edit->is_of_place ? edit_place(req) : edit->from, path = req->uri.path, rest;

    weir_assert((edit->path != NULL) != (edit->to != NULL) && path.len != 0);
    if (edit->path != NULL) {
        return edit_finish(req, edit_text(req, edit->path), wire);
    }
    if (!weir_str_starts(path, from) || (path.len != from.len && path.at[from.len] != '/')) {
        *wire = req->uri.wire;
        return true;
    }
    rest = weir_str_skip(req->uri.wire, weir_uri_wire_offset(&req->uri, from.len));
    return edit_finish(req, weir_str_concat(&req->arena, edit_without_slash(edit_text(req, edit->to)), rest), wire);
}
