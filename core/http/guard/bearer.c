/*
 * bearer.c - see bearer.h.
 */
#include "http/guard/bearer.h"

static bool
bearer_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    weir_bearer_t *bearer = field;
    weir_str_t     text;

    *bearer = (weir_bearer_t) { .realm = NULL };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    bearer->realm = weir_conf_template(cf, 1, words->at[1].text);
    if (bearer->realm == NULL || words->n == 2) {
        return bearer->realm != NULL;
    }
    text = words->at[2].text;
    if (!weir_str_starts(text, WEIR_STR("token=$")) || text.len == sizeof("token=$") - 1) {
        return weir_conf_invalid(cf, 2, "token=$variable");
    }
    bearer->token = weir_conf_template(cf, 2, weir_str_skip(text, sizeof("token=") - 1));
    return bearer->token != NULL;
}

const weir_conf_type_t weir_bearer_type = {
    .name = "realm [token=$variable] | off", .size = sizeof(weir_bearer_t), .min_args = 1, .max_args = 2,
    .parse = bearer_parse,
};

bool
weir_bearer_is_off(weir_request_t *req, const weir_bearer_t *bearer)
{
    return !bearer->realm->is_constant && weir_str_eq(weir_request_eval(req, bearer->realm), WEIR_STR("off"));
}

/* -- the token -- */

static weir_str_t
bearer_of_field(const weir_request_t *req)
{
    static const weir_str_t scheme = WEIR_STR_INIT("Bearer ");
    weir_str_t              value = WEIR_STR_NONE;
    size_t                  n = 0;

    for (uint32_t i = 0; i < req->head.fields.n; i++) {
        if (req->head.fields.at[i].id == WEIR_HEADER_AUTHORIZATION) {
            value = req->head.fields.at[i].value;
            n++;
        }
    }
    return n == 1 && weir_str_starts_fold(value, scheme) ? weir_str_trim(weir_str_skip(value, scheme.len))
           : WEIR_STR_NONE;
}

weir_str_t
weir_bearer_token(weir_request_t *req, const weir_bearer_t *bearer)
{
    return bearer->token != NULL ? weir_str_dup(&req->arena, weir_request_eval(req, bearer->token))
           : bearer_of_field(req);
}

bool
weir_bearer_is_token(weir_str_t token)
{
    size_t n = token.len;

    while (n != 0 && token.at[n - 1] == '=') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        char c = token.at[i];

        if (!weir_byte_is(c, WEIR_BYTE_UNRESERVED) && c != '+' && c != '/') {
            return false;
        }
    }
    return n != 0;
}

/* The name of the argument that a part of the token is; empty: it is none. */
static weir_str_t
bearer_arg(const weir_bearer_t *bearer, size_t i)
{
    const weir_var_ref_t *ref = &bearer->token->parts[i].ref;

    return ref->row != NULL && strcmp(ref->row->name, "arg_") == 0 ? ref->suffix : WEIR_STR_NONE;
}

bool
weir_bearer_may_hide(const weir_bearer_t *bearer)
{
    return bearer->token != NULL;
}

void
weir_bearer_hide(weir_request_t *req, const weir_bearer_t *bearer)
{
    for (size_t i = 0; bearer->token != NULL && i < bearer->token->n; i++) {
        weir_str_t name = bearer_arg(bearer, i);

        if (name.len != 0) {
            weir_request_hide_arg(req, name);
        }
    }
}

void
weir_bearer_strip(weir_request_t *req, const weir_bearer_t *bearer)
{
    for (size_t i = 0; bearer->token != NULL && i < bearer->token->n; i++) {
        weir_str_t name = bearer_arg(bearer, i);

        if (name.len != 0) {
            weir_request_strip_arg(req, name);
        }
    }
    for (uint32_t i = 0; bearer->token == NULL && i < req->head.fields.n; i++) {
        if (req->head.fields.at[i].id == WEIR_HEADER_AUTHORIZATION) {
            req->head.fields.at[i].flags |= WEIR_FIELD_DROP;
        }
    }
}

/* -- the challenge -- */

/* A text as it stands in quotes. */
static weir_str_t
bearer_quoted(weir_arena_t *arena, weir_str_t text)
{
    char  *room = weir_alloc_bytes(arena, 2 * text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char) text.at[i] >= ' ' && text.at[i] != 0x7f) {
            if (text.at[i] == '"' || text.at[i] == '\\') {
                room[n++] = '\\';
            }
            room[n++] = text.at[i];
        }
    }
    return weir_str(room, n);
}

void
weir_bearer_challenge(weir_request_t *req, const weir_template_t *realm, const char *error, weir_str_t scope)
{
    weir_str_t text = bearer_quoted(&req->arena, weir_request_eval(req, realm));

    req->challenge = weir_str_printf(&req->arena, "Bearer realm=\"%.*s\"%s%s%s%s%.*s%s", WEIR_STR_ARG(text),
                                     error != NULL ? ", error=\"" : "", error != NULL ? error : "",
                                     error != NULL ? "\"" : "", scope.len != 0 ? ", scope=\"" : "",
                                     WEIR_STR_ARG(scope), scope.len != 0 ? "\"" : "");
}
