/*
 * upgrade.c - Upgrade between a client and a peer (RFC 9110 §7.8, RFC 6455 §4.2.1): what a client may ask for, whether
 * the peer's 101 is what was asked for, and which offers of a peer go on.
 *
 * Protocols that change how HTTP itself is spoken on the connection (h2c, HTTP/2.0, TLS/1.0) never pass: Weir's own
 * connections do not do that.  Runs in workers; texts are the heads'.
 */
#include "http/proxy/proxy.h"

#define UPGRADE_MAX 8            /* protocols in one field */

/* protocol-name ["/" protocol-version] */
static bool
upgrade_is_protocol(weir_str_t text)
{
    static const weir_str_t never[] = { WEIR_STR_INIT("h2c"), WEIR_STR_INIT("h2"), WEIR_STR_INIT("http"),
                                        WEIR_STR_INIT("tls") };
    weir_str_t name, version;
    bool has_version = weir_str_cut(text, '/', &name, &version);

    if (!weir_syntax_is_token(name) || (has_version && !weir_syntax_is_token(version))) {
        return false;
    }
    for (size_t i = 0; i < weir_countof(never); i++) {
        if (weir_str_eq_fold(name, never[i])) {
            return false;
        }
    }
    return true;
}

bool
weir_proxy_upgrade_may_pass(weir_str_t list)
{
    weir_str_t protocol;
    size_t n = 0;

    while (weir_syntax_list_next(&list, &protocol)) {
        if (++n > UPGRADE_MAX || !upgrade_is_protocol(protocol)) {
            return false;
        }
    }
    return n != 0;
}

static bool
upgrade_list_names(weir_str_t list, weir_str_t wanted)
{
    weir_str_t protocol;

    while (weir_syntax_list_next(&list, &protocol)) {
        if (weir_str_eq_fold(protocol, wanted)) {
            return true;
        }
    }
    return false;
}

/* What the client asks for is also what the configuration sends. */
static bool
upgrade_is_configured(const weir_proxy_t *p, weir_str_t offer)
{
    for (size_t i = 0; i < p->conf->emit.n; i++) {
        const weir_proxy_header_t *h = &p->conf->emit.at[i];

        if (h->id == WEIR_HEADER_UPGRADE && weir_str_eq_fold(weir_request_eval(p->req, h->value), offer)) {
            return true;
        }
    }
    return false;
}

/* RFC 6455 §4.2.1.  false: answered. */
static bool
upgrade_check_websocket(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    const weir_field_t *f = weir_fields_first(&req->head.fields, WEIR_HEADER_SEC_WEBSOCKET_VERSION);

    if (p->x->has_body) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_UPGRADE_REFUSED, "with a body");
        return false;
    }
    if (f == NULL || !weir_str_eq(f->value, WEIR_STR("13"))) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_WEBSOCKET_VERSION, NULL);
        return false;
    }
    f = weir_fields_first(&req->head.fields, WEIR_HEADER_SEC_WEBSOCKET_KEY);
    if (req->head.method != WEIR_METHOD_GET || f == NULL || f->value.len != 24
        || !weir_str_ends(f->value, WEIR_STR("==")))
    {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_UPGRADE_REFUSED, "Sec-WebSocket-Key or the method");
        return false;
    }
    return true;
}

bool
weir_proxy_upgrade_begin(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    const weir_field_t *upgrade = weir_fields_first(&req->head.fields, WEIR_HEADER_UPGRADE);

    if (!req->head.upgrade || upgrade == NULL || p->conf->peer.http_version != 11) {
        return true;
    }
    if (weir_fields_next(&req->head.fields, upgrade) != NULL || !weir_proxy_upgrade_may_pass(upgrade->value)
        || !upgrade_is_configured(p, upgrade->value))
    {
        return true;                                  /* not forwarded: an ordinary request */
    }
    if (!req->body_complete && (!p->x->has_body || p->body_is_ours)) {
        /* its body is not for the peer: behind a 101 it would be taken for bytes of the tunnel */
        return true;
    }
    p->x->upgrade = upgrade->value;
    /* whatever the answer: what the client sends next is no request */
    req->keep_alive = false;
    return !upgrade_list_names(p->x->upgrade, WEIR_STR("websocket")) || upgrade_check_websocket(p);
}

bool
weir_proxy_upgrade_switches(const weir_proxy_t *p, weir_str_t *to)
{
    const weir_field_t *upgrade = weir_fields_first(&p->x->head.fields, WEIR_HEADER_UPGRADE);
    weir_str_t list, protocol;

    if (p->x->upgrade.len == 0 || !p->x->head.upgrade || upgrade == NULL
        || weir_fields_next(&p->x->head.fields, upgrade) != NULL || !weir_proxy_upgrade_may_pass(upgrade->value)
        || !p->x->codec->ended(p->x))
    {
        return false;
    }
    *to = list = upgrade->value;
    while (weir_syntax_list_next(&list, &protocol)) {
        if (!upgrade_list_names(p->x->upgrade, protocol)) {
            return false;
        }
    }
    return true;
}
