/*
 * sticky.c - see sticky.h.  The cookie is RFC 6265's, its attributes as nginx writes them.
 */
#include "http/proxy/sticky.h"

#include "base/buf.h"
#include "base/date.h"
#include "http/message/cookies.h"
#include "http/message/syntax.h"
#include "os/clock.h"
#include "upstream/sticky.h"

#define STICKY_COOKIE   4096             /* bytes; browsers take no more: one that would be longer is not set */
#define STICKY_MAX_DATE WEIR_STR("Thu, 31 Dec 2037 23:55:55 GMT")        /* expires=max */

static const weir_fields_t *
sticky_fields(const weir_request_t *req)
{
    return req->sent_fields != NULL ? req->sent_fields : &req->head.fields;
}

/* Of several cookies of the name the first. */
static weir_str_t
sticky_cookie(const weir_request_t *req, weir_str_t cookie)
{
    weir_cookies_t at = { .fields = sticky_fields(req) };
    weir_str_t     name, value;

    while (weir_cookies_next(&at, &name, &value)) {
        if (weir_str_eq(name, cookie)) {
            return value;
        }
    }
    return WEIR_STR_NONE;
}

void
weir_proxy_sticky_ask(weir_proxy_t *p)
{
    const weir_sticky_t *sticky = weir_proxy_group(p)->sticky;
    weir_request_t      *req = p->req;
    const weir_field_t  *field;

    switch (sticky->kind) {
    case WEIR_STICKY_COOKIE:
        p->pick.bond = sticky_cookie(req, sticky->name);
        return;
    case WEIR_STICKY_HEADER:
        field = weir_fields_find(sticky_fields(req), sticky->name);
        p->pick.bond = field != NULL ? field->value : WEIR_STR_NONE;
        return;
    case WEIR_STICKY_ROUTE:
    case WEIR_STICKY_LEARN:
        p->pick.bond = weir_sticky_first(weir_request_eval(req, sticky->lookup));
        return;
    }
}

/* -- answers -- */

/* "; name=value", unless the value would say more than that: it may come from a client. */
static void
sticky_add_attribute(weir_request_t *req, weir_buf_t *out, const char *name, const weir_template_t *template)
{
    weir_str_t value = template != NULL ? weir_request_eval(req, template) : WEIR_STR_NONE;

    if (value.len != 0 && weir_syntax_is_token(value)) {
        weir_buf_printf(out, "; %s=%.*s", name, WEIR_STR_ARG(value));
    }
}

static weir_str_t
sticky_make_cookie(weir_request_t *req, const weir_sticky_t *sticky, weir_str_t bond)
{
    weir_buf_t out;
    char       room[STICKY_COOKIE], date[WEIR_DATE_HTTP_BYTES];

    weir_buf_init(&out, room, sizeof(room));
    weir_buf_printf(&out, "%.*s=%.*s", WEIR_STR_ARG(sticky->name), WEIR_STR_ARG(bond));
    if (sticky->has_expires && sticky->expires == WEIR_STICKY_FOR_EVER) {
        weir_buf_printf(&out, "; expires=%.*s; max-age=315360000", WEIR_STR_ARG(STICKY_MAX_DATE));
    } else if (sticky->has_expires) {
        weir_date_http(date, (int64_t) (weir_clock_wall_ms() / 1000) + sticky->expires);
        weir_buf_printf(&out, "; expires=%.*s; max-age=%lld", WEIR_DATE_HTTP_BYTES, date,
                        (long long) sticky->expires);
    }
    sticky_add_attribute(req, &out, "domain", sticky->domain);
    if (sticky->path.len != 0) {
        weir_buf_printf(&out, "; path=%.*s", WEIR_STR_ARG(sticky->path));
    }
    sticky_add_attribute(req, &out, "SameSite", sticky->samesite);
    if (sticky->is_secure) {
        weir_buf_add_lit(&out, "; Secure");
    }
    if (sticky->is_httponly) {
        weir_buf_add_lit(&out, "; HttpOnly");
    }
    return !out.full ? weir_str_dup(&req->arena, weir_buf_str(&out)) : WEIR_STR_NONE;
}

/* A peer's own field of the name says nothing that clients should send back. */
static void
sticky_set_field(weir_request_t *req, weir_str_t name, weir_str_t bond)
{
    weir_field_t *field = weir_fields_find(&req->res.fields, name);

    if (field != NULL) {
        weir_field_set_value(field, bond);
        return;
    }
    (void) weir_fields_add(&req->res.fields, &req->arena, weir_header_id(name), name, bond, 0);
}

void
weir_proxy_sticky_answer(weir_proxy_t *p)
{
    const weir_sticky_t *sticky = weir_proxy_group(p)->sticky;
    weir_request_t      *req = p->req;
    weir_str_t           bond;

    if (p->pick.peer == NULL) {
        return;
    }
    if (sticky->kind == WEIR_STICKY_LEARN) {
        p->pick.learned = weir_sticky_first(weir_request_eval(req, sticky->learn));
        if (sticky->learns_at_head) {
            sticky->learned(&p->pick, weir_clock_now());
        }
        return;
    }
    bond = sticky->kind != WEIR_STICKY_ROUTE ? sticky->tell(&p->pick, &req->arena) : WEIR_STR_NONE;
    if (bond.len != 0 && sticky->kind == WEIR_STICKY_HEADER) {
        sticky_set_field(req, sticky->name, bond);
    } else if (bond.len != 0) {
        bond = sticky_make_cookie(req, sticky, bond);
        if (bond.len != 0) {
            weir_response_add(req, WEIR_HEADER_SET_COOKIE, bond);
        }
    }
}
