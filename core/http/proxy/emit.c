/*
 * emit.c - what a request to a peer says, whatever the wire: method, target, fields.  Runs in workers; texts in the
 * request's arena.
 */
#include "http/proxy/emit.h"

/* The request's own method, or proxy_method's. */
static bool
emit_method(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_exchange_t *x = p->x;

    x->method = req->head.method;
    x->method_name = req->head.method_name;
    if (p->conf->method != NULL && !weir_template_is_empty(p->conf->method)) {
        x->method_name = weir_request_eval(req, p->conf->method);
        x->method = weir_method_parse(x->method_name);
        return weir_syntax_is_token(x->method_name);
    }
    return true;
}

/* What is told of its length where there is none: of methods that expect a body (RFC 9110 §8.6). */
static uint64_t
emit_no_length(weir_method_t method)
{
    return method == WEIR_METHOD_POST || method == WEIR_METHOD_PUT || method == WEIR_METHOD_PATCH ? 0
                                                                                                  : WEIR_LENGTH_NONE;
}

/* Does the list that this makes have such a member? */
static bool
emit_list_has(weir_request_t *req, const weir_template_t *list, weir_str_t member)
{
    return list != NULL && weir_syntax_list_has(weir_request_eval(req, list), member);
}

bool
weir_proxy_make_question(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_exchange_t *x = p->x;
    bool has_store = x->has_body && !p->streaming;

    x->length = !x->has_body ? emit_no_length(req->head.method)
              : has_store    ? weir_store_size(p->body)
                             : req->head.content_length;
    x->has_whole = has_store && p->body->file_len == 0;
    x->whole = x->has_whole ? weir_str(p->body->mem, p->body->mem_len) : WEIR_STR_NONE;
    x->takes_trailers = p->conf->te != NULL ? emit_list_has(req, p->conf->te, WEIR_STR("trailers"))
                                            : p->conf->pass_trailers.on;
    x->says_close = emit_list_has(req, p->conf->connection, WEIR_STR("close"));
    if (!emit_method(p)) {
        return false;
    }
    x->may_repeat = weir_method_is_idempotent(req->head.method) && weir_method_is_idempotent(x->method)
                 && !p->streaming;
    return true;
}

/* Bytes of the path that proxy_pass's takes the place of. */
static size_t
emit_prefix_len(const weir_proxy_t *p)
{
    return p->conf->is_of_route ? weir_rule_literal(p->req->route) : p->conf->prefix_len;
}

/* proxy_pass's path and what is left of the request's.  Both are normal, but where they meet a segment may be made that
 * is none: "/b/" and "../x" of /a../x.  false: such a one. */
static bool
emit_join(weir_proxy_t *p, weir_str_t *path)
{
    weir_request_t *req = p->req;
    weir_str_t uri = p->pass->uri,
               rest = weir_str_skip(req->uri.wire, weir_uri_wire_offset(&req->uri, emit_prefix_len(p)));
    size_t begin = uri.len, end;
    weir_uri_t segment;

    if (p->conf->is_of_route && rest.len != 0 && weir_str_ends(uri, WEIR_STR("/"))) {
        rest = weir_str_skip(rest, 1);                  /* by segment: it begins with one */
    }
    *path = weir_str_concat(&req->arena, uri, rest);
    if (rest.len == 0 || rest.at[0] == '/' || weir_str_find(uri, '?') != NULL) {
        return true;
    }
    while (begin > 0 && path->at[--begin] != '/') {
    }
    for (end = uri.len; end < path->len && path->at[end] != '/'; end++) {
    }
    return weir_uri_normalise(&segment, weir_str(path->at + begin, end - begin), false, &req->arena) == WEIR_URI_OK
        && !segment.is_reshaped;
}

/* rewrite_path, rewrite_prefix. */
static bool
emit_is_rewritten(const weir_proxy_t *p)
{
    return p->plan != NULL && weir_path_edit_is_set(&p->plan->conf->path);
}

bool
weir_proxy_make_host(weir_proxy_t *p)
{
    weir_str_t name;
    uint16_t port;

    if (p->plan->conf->host == NULL) {
        return true;
    }
    p->plan->host = weir_request_eval(p->req, p->plan->conf->host);
    return p->plan->host.len == 0 || weir_uri_authority(p->plan->host, &name, &port);
}

bool
weir_proxy_make_target(weir_proxy_t *p)
{
    const weir_proxy_conf_t *conf = p->conf;
    weir_request_t *req = p->req;
    bool query = req->query.len != 0 || (req->head.has_query && !req->uri_changed);
    weir_str_t path = req->uri.wire;

    if (req->head.form == WEIR_TARGET_ASTERISK && !req->uri_changed) {
        p->x->target = path;
        return true;
    }
    if (weir_unlikely(emit_is_rewritten(p))) {
        if (!weir_path_edit_make(req, &p->plan->conf->path, &path)) {
            return false;
        }
    } else if (p->pass->text != NULL && p->pass->has_uri) {
        p->x->target = p->pass->uri;                       /* what the variables made, query and all */
        return true;
    } else if (p->pass->has_uri && !req->is_elsewhere && emit_prefix_len(p) <= req->uri.path.len) {
        if (!emit_join(p, &path)) {
            return false;
        }
    } else if (conf->path == WEIR_PROXY_PATH_AS_SENT && !req->uri_changed) {
        if (req->uri.is_reshaped) {
            return false;                               /* another path than the one that was matched */
        }
        path = weir_uri_encode_query(req->head.path, &req->arena);       /* bytes >= 0x80 stand in no target */
    }
    p->x->target = query ? weir_str_printf(&req->arena, "%.*s?%.*s", WEIR_STR_ARG(path), WEIR_STR_ARG(req->query))
                        : path;
    return true;
}

static bool
emit_is_replaced(const weir_proxy_conf_t *conf, const weir_field_t *f)
{
    if (f->id != WEIR_HEADER_OTHER) {
        return (conf->set_known[f->id / 8] >> (f->id % 8)) & 1;
    }
    for (size_t i = 0; i < conf->n_set_other; i++) {
        if (weir_str_eq_fold(conf->set_other[i], f->name)) {
            return true;
        }
    }
    return false;
}

/* A value in lines that a space or tab begins ($ssl_client_cert) is one line, with a space for each fold (RFC 9112
 * §5.2). */
static weir_str_t
emit_unfold(weir_str_t value, weir_arena_t *arena)
{
    char *out, *at;

    if (weir_likely(value.len == 0 || memchr(value.at, '\n', value.len) == NULL)) {
        return value;
    }
    out = at = weir_alloc_bytes(arena, value.len);
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] != '\n' || i + 1 == value.len || (value.at[i + 1] != ' ' && value.at[i + 1] != '\t')) {
            *at++ = value.at[i];                        /* (an end of a line that is no fold: not sent) */
            continue;
        }
        at -= at > out && at[-1] == '\r';
        while (i + 1 < value.len && (value.at[i + 1] == ' ' || value.at[i + 1] == '\t')) {
            i++;
        }
        *at++ = ' ';
    }
    return weir_str(out, (size_t) (at - out));
}

static inline weir_str_t
emit_value(weir_proxy_t *p, const weir_proxy_header_t *h)
{
    weir_request_t *req = p->req;
    weir_str_t value = h->value->is_constant && h->value->n
                         ? h->value->parts[0].literal
                         : emit_unfold(weir_request_eval(req, h->value), &req->arena);

    if (h->id == WEIR_HEADER_HOST && weir_unlikely(p->plan != NULL) && p->plan->host.len != 0) {
        return p->plan->host;
    }
    if (value.len == 0 && h->id == WEIR_HEADER_HOST) {
        /* $http_host of a client that sent none: 1.1 must have one */
        return weir_proxy_pass_group(req->generation, p->pass)->host_header;
    }
    return value;
}

weir_str_t
weir_proxy_field_value(weir_proxy_t *p, const weir_proxy_header_t *h)
{
    return emit_value(p, h);
}

static void
emit_set_fields(weir_proxy_t *p, weir_exchange_put_t *put, void *data)
{
    const weir_proxy_conf_t *conf = p->conf;

    for (size_t i = 0; i < conf->emit.n; i++) {
        const weir_proxy_header_t *h = &conf->emit.at[i];
        weir_field_t field = { .name = h->name, .id = (uint16_t) h->id };

        if (h->id == WEIR_HEADER_UPGRADE) {
            continue;                                   /* with the framing, when it is one */
        }
        field.value = emit_value(p, h);
        if (field.value.len != 0) {
            put(data, &field);
        }
    }
}

void
weir_proxy_each_field(weir_proxy_t *p, weir_exchange_put_t *put, void *data)
{
    const weir_request_t *req = p->req;

    emit_set_fields(p, put, data);
    if (!p->conf->pass_request_headers.on) {
        return;
    }
    for (uint32_t i = 0; i < req->head.fields.n; i++) {
        const weir_field_t *f = &req->head.fields.at[i];
        if ((f->flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP)) == 0 && !emit_is_replaced(p->conf, f)) {
            put(data, f);
        }
    }
}
