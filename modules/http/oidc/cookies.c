/*
 * cookies.c - what is set with an answer, whichever answer that becomes, and what no peer gets to see.
 *
 * A filter of the request adds the fields when the head of its answer leaves: an error page, or an answer that comes in
 * the place of another, has them, too.  Runs in workers; all of it in the request's arena.
 */
#include "oidc.h"

#include "http/filter/header_edit.h"

/* One field of the answer. */
struct oidc_set { struct oidc_set *next; weir_str_t value; };

static const weir_str_t cookies_name = WEIR_STR_INIT("Set-Cookie");

/* -- the answer -- */

static weir_step_t
cookies_head(weir_filter_t *self)
{
    oidc_state_t   *state = weir_container_of(self, oidc_state_t, filter);
    weir_request_t *req = self->req;

    for (const struct oidc_set *set = state->sets; set != NULL; set = set->next) {
        (void) weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_SET_COOKIE, cookies_name, set->value, 0);
    }
    if (state->is_answered) {
        weir_response_set(req, WEIR_HEADER_CACHE_CONTROL, WEIR_STR("no-store"));
    } else if (state->sets != NULL) {                        /* what a peer says stays; no cache keeps the cookie */
        (void) weir_response_add(req, WEIR_HEADER_CACHE_CONTROL, WEIR_STR("no-cache=\"Set-Cookie\""));
    }
    return WEIR_NEXT;
}

static const weir_filter_ops_t cookies_filter = { .place = WEIR_FILTER_FIELDS, .head = cookies_head };

static bool
cookies_filter_up(oidc_state_t *state)
{
    if (state->req->res.head_given) {
        return false;
    }
    if (state->filter.ops == NULL) {
        weir_filter_add(state->req, &state->filter, &cookies_filter);
    }
    return true;
}

void
oidc_cookies_no_store(oidc_state_t *state)
{
    state->is_answered = cookies_filter_up(state);
}

static void
cookies_set(oidc_state_t *state, weir_str_t name, unsigned piece, weir_str_t value, uint64_t max_age_s, bool is_gone)
{
    weir_arena_t    *arena = &state->req->arena;
    struct oidc_set *set = weir_new(arena, struct oidc_set);
    char             number[4] = { 0 }, age[40] = { 0 };
    weir_buf_t       out;

    if (piece != 0) {
        number[0] = '.';
        number[1] = (char) ('0' + piece);
    }
    if (max_age_s != 0 || is_gone) {
        weir_buf_init(&out, age, sizeof(age) - 1);
        weir_buf_printf(&out, "; Max-Age=%llu", (unsigned long long) max_age_s);
        *out.pos = '\0';
    }
    set->value = weir_str_printf(arena, "%.*s%s=%.*s; Path=/%s; HttpOnly; SameSite=Lax%s", WEIR_STR_ARG(name), number,
                                 WEIR_STR_ARG(value), age, state->is_secure ? "; Secure" : "");
    set->next = state->sets;
    state->sets = set;
}

/* What was to be set of a name, and is not any more. */
static void
cookies_unset(oidc_state_t *state, weir_str_t name)
{
    struct oidc_set **at = &state->sets;

    while (*at != NULL) {
        weir_str_t cookie, rest;

        (void) weir_str_cut((*at)->value, '=', &cookie, &rest);
        if (weir_cookies_piece(cookie, name) != SIZE_MAX) {
            *at = (*at)->next;
        } else {
            at = &(*at)->next;
        }
    }
}

/* Pieces from `from` on that the browser has. */
static void
cookies_clear_pieces(oidc_state_t *state, weir_str_t name, unsigned from)
{
    for (unsigned i = from; i < WEIR_COOKIES_PIECES; i++) {
        if ((state->pieces & 1u << i) != 0) {
            cookies_set(state, name, i, WEIR_STR_NONE, 0, true);
        }
    }
}

bool
oidc_cookies_set_session(oidc_state_t *state, weir_str_t sealed)
{
    weir_str_t name = state->provider->cookie[state->is_secure], first;
    unsigned   n = (unsigned) ((sealed.len + WEIR_COOKIES_PIECE - 1) / WEIR_COOKIES_PIECE);

    if (sealed.len > state->provider->cookie_max_size.n || n > WEIR_COOKIES_PIECES) {
        return false;
    }
    if (!cookies_filter_up(state)) {
        return true;                             /* too late for this answer: the browser keeps what it has */
    }
    cookies_unset(state, name);
    for (unsigned i = 0; i < n; i++) {
        weir_str_t rest = weir_str_skip(sealed, (size_t) i * WEIR_COOKIES_PIECE);

        rest.len = weir_min(rest.len, (size_t) WEIR_COOKIES_PIECE);
        first = i == 0 ? weir_str_printf(&state->req->arena, "%u.%.*s", n, WEIR_STR_ARG(rest)) : rest;
        cookies_set(state, name, i, first, 0, false);
    }
    cookies_clear_pieces(state, name, n);
    return true;
}

void
oidc_cookies_clear_session(oidc_state_t *state)
{
    weir_str_t name = state->provider->cookie[state->is_secure];

    if (cookies_filter_up(state)) {
        cookies_unset(state, name);
        cookies_clear_pieces(state, name, 0);
    }
}

void
oidc_cookies_set_login(oidc_state_t *state, weir_str_t name, weir_str_t value)
{
    if (cookies_filter_up(state)) {
        cookies_set(state, name, 0, value, value.len != 0 ? state->provider->login_timeout.ms / 1000 : 0,
                    value.len == 0);
    }
}

/* -- the request -- */

bool
oidc_cookies_owns(const void *conf_, weir_str_t name)
{
    const oidc_conf_t *conf = conf_;

    for (size_t i = 0; i < conf->providers.n; i++) {
        const oidc_provider_t *provider = conf->providers.at[i];

        for (size_t k = 0; k < 2; k++) {
            if (weir_cookies_piece(name, provider->cookie[k]) != SIZE_MAX
                || weir_str_starts(name, provider->login_cookie[k]))
            {
                return true;
            }
        }
    }
    return false;
}

weir_step_t
oidc_cookies_filter(weir_request_t *req, const void *conf WEIR_UNUSED)
{
    for (weir_field_t *field = weir_fields_first(&req->head.fields, WEIR_HEADER_COOKIE); field != NULL;
         field = weir_fields_next(&req->head.fields, field))
    {
        weir_str_t text = weir_header_edit_told(req, field);

        if (text.at == field->value.at && text.len == field->value.len) {
            continue;
        }
        weir_header_edit_keep(req);
        field->value = text;
        if (text.len == 0) {
            field->flags |= WEIR_FIELD_DROP;
        }
    }
    return WEIR_NEXT;
}
