/*
 * assign.c - see assign.h.  Read at load; runs in workers, memory is the request's arena.
 */
#include "http/route/assign.h"

#include "http/request.h"
#include "http/vars/uri_text.h"

/* A name that a prefix makes is what it would be otherwise. */
static bool
assign_unset_prefix(const void *data, weir_request_t *req, weir_str_t *value)
{
    const weir_var_ref_t *ref = data;

    return weir_request_get(req, ref, value);
}

bool
weir_http_assign_read(weir_conf_t *cf, const weir_conf_words_t *words,
                      bool (*unset)(const void *data, weir_request_t *req, weir_str_t *value),
                      weir_http_assign_t *assign)
{
    weir_http_definition_t *definition;
    weir_var_ref_t         *prefix;
    weir_str_t              name = words->at[1].text;

    assign->value = weir_conf_template(cf, 2, words->at[2].text);
    if (assign->value == NULL) {
        return false;
    }
    if (weir_str_eq_fold(name, WEIR_STR("$args")) || weir_str_eq_fold(name, WEIR_STR("$query_string"))) {
        assign->kind = WEIR_ASSIGN_ARGS;
        return true;
    }
    if (weir_str_eq_fold(name, WEIR_STR("$limit_rate"))) {
        assign->kind = WEIR_ASSIGN_RATE;
        return true;
    }
    assign->kind = WEIR_ASSIGN_SLOT;
    definition = weir_new(cf->arena, weir_http_definition_t);
    *definition = (weir_http_definition_t){
        .get = unset,
        .data = weir_str_to_z(cf->arena, weir_str_skip(name, 1)),
        .subject = WEIR_OF_REQUEST,
        .is_fallback = true,
    };
    prefix = weir_new(cf->arena, weir_var_ref_t);
    if (name.len > 1 && weir_vars_find_prefix(cf->vars, weir_str_skip(name, 1), prefix)) {
        definition->get = assign_unset_prefix;
        definition->data = prefix;
        definition->is_volatile = true;
    }
    if (!weir_http_define(cf, 1, name, definition)) {
        return false;
    }
    assign->slot = definition->slot;
    return true;
}

static void
assign_slot(weir_request_t *req, weir_request_t *from, const weir_http_assign_t *assign)
{
    weir_str_t *value = weir_alloc(&req->arena, sizeof(*value));

    *value = weir_request_eval(from, assign->value);
    if (value->at == NULL) {
        *value = WEIR_STR("");                           /* it has a value: none of any length */
    }
    if (from != req) {
        *value = weir_str_dup(&req->arena, *value);
        req->slots[assign->slot] = value;
        weir_uri_text_forget(req, assign->slot);
        return;
    }
    req->slots[assign->slot] = value;
    weir_uri_text_keep(req, assign->slot, assign->value, *value);
}

void
weir_http_assign(weir_request_t *req, weir_request_t *from, const weir_http_assign_t *assign)
{
    weir_bytes_t rate;

    switch (assign->kind) {
    case WEIR_ASSIGN_SLOT:
        assign_slot(req, from, assign);
        return;
    case WEIR_ASSIGN_ARGS:
        req->query = weir_uri_encode_query(weir_uri_text(from, assign->value, WEIR_URI_QUERY), &from->arena);
        if (from != req) {
            req->query = weir_str_dup(&req->arena, req->query);
        }
        req->uri_changed = true;
        return;
    case WEIR_ASSIGN_RATE:                               /* of what is no rate nothing comes */
        if (weir_conf_read_bytes(weir_request_eval(from, assign->value), &rate)) {
            req->has_limit_rate = true;
            req->limit_rate = rate.n;
        }
        return;
    }
}
