/*
 * exchange.c - see exchange.h: what every codec toward peers needs.
 */
#include "http/exchange/exchange.h"

#include "tls/verify.h"

#include <errno.h>
#include <string.h>

void
weir_exchange_reset(weir_exchange_t *x)
{
    x->received = 0;
    x->got_bytes = false;
    x->cause = WEIR_CAUSE_NONE;
    x->detail = NULL;
}

void
weir_exchange_fail(weir_exchange_t *x, weir_cause_t cause, const char *detail)
{
    x->cause = cause;
    x->detail = detail;
    x->asker->on_failed(x);
}

weir_cause_t
weir_exchange_connect_cause(int error)
{
    return error == ECONNREFUSED ? WEIR_CAUSE_UPSTREAM_CONNECT_REFUSED : WEIR_CAUSE_UPSTREAM_CONNECT_FAILED;
}

weir_io_t
weir_exchange_secure_failed(weir_exchange_t *x, const weir_conn_t *conn, const char *why)
{
    bool verified = !weir_tls_is_on(conn) || weir_tls_verify_result(conn) == WEIR_TLS_VERIFIED;

    if (why == NULL || why[0] == '\0') {
        why = strerror(conn->error);
    }
    return weir_exchange_error(x, verified ? WEIR_CAUSE_UPSTREAM_TLS_HANDSHAKE : WEIR_CAUSE_UPSTREAM_TLS_VERIFY,
                               weir_str_to_z(x->arena, weir_str_from_z(why)));
}

bool
weir_exchange_has_no_body(const weir_exchange_t *x, uint16_t status)
{
    return x->method == WEIR_METHOD_HEAD || status < 200 || status == 204 || status == 304;
}
