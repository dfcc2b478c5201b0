/*
 * hello.c - see hello.h.
 */
#include "serve/hello.h"

#include "os/sys.h"

#include <errno.h>
#include <sys/socket.h>

/* -- TLS -- */

static weir_hello_result_t
hello_handshake(weir_hello_t *hello)
{
    weir_assert(hello->stage == WEIR_HELLO_TLS);
    switch (weir_tls_handshake(hello->conn)) {
    case WEIR_OK:
        hello->stage = WEIR_HELLO_OVER;
        return WEIR_HELLO_DONE;
    case WEIR_AGAIN:
        return WEIR_HELLO_WAIT;
    default:
        hello->stage = WEIR_HELLO_OVER;
        return WEIR_HELLO_NO_TLS;
    }
}

static weir_hello_result_t
hello_secure(weir_hello_t *hello, const weir_listen_t *listen)
{
    weir_tls_context_t *context;

    weir_assert(hello->stage == WEIR_HELLO_PROXIED);
    if (!listen->is_ssl) {
        hello->stage = WEIR_HELLO_OVER;
        return WEIR_HELLO_DONE;
    }
    context = hello->area->secure(hello->owner);
    if (context == NULL || !weir_tls_accept(hello->conn, context, hello->area->acceptor, hello->owner)) {
        return WEIR_HELLO_GONE;
    }
    hello->stage = WEIR_HELLO_TLS;
    return WEIR_HELLO_WAIT;
}

/* -- the PROXY protocol: looked at, and only its own bytes taken, as TLS may follow -- */

static weir_hello_result_t
hello_take_proxied(weir_hello_t *hello, const weir_proxied_t *proxied, char *room, size_t used)
{
    size_t got;

    weir_assert(used != 0 && used <= WEIR_PROXY_PROTOCOL_MAX);
    if (!hello->area->proxied(hello->owner, proxied)) {
        return WEIR_HELLO_GONE;
    }
    return weir_conn_recv(hello->conn, room, used, &got) == WEIR_OK && got == used ? WEIR_HELLO_DONE : WEIR_HELLO_GONE;
}

static weir_hello_result_t
hello_read_proxied(weir_hello_t *hello, char *room)
{
    weir_watch_t  *watch = &hello->conn->watch;
    weir_proxied_t proxied;
    size_t         used;
    ssize_t        n;

    if (!watch->readable && !watch->failed) {
        return WEIR_HELLO_WAIT;                          /* an edge of writing */
    }
    n = weir_sys_recv(watch->fd, room, WEIR_PROXY_PROTOCOL_MAX, MSG_PEEK);
    if (n < 0 && errno == EAGAIN) {
        watch->readable = false;
        return WEIR_HELLO_WAIT;
    }
    if (n <= 0) {
        return WEIR_HELLO_GONE;
    }
    switch (weir_proxy_protocol_read(weir_str(room, (size_t) n), &proxied, &used)) {
    case WEIR_PROXIED_DONE:
        return hello_take_proxied(hello, &proxied, room, used);
    case WEIR_PROXIED_MORE:
        return watch->peer_closed ? WEIR_HELLO_NO_PROXY : WEIR_HELLO_WAIT;      /* the next edge tells of more */
    default:
        return WEIR_HELLO_NO_PROXY;
    }
}

/* -- the stages -- */

weir_hello_result_t
weir_hello_begin(weir_hello_t *hello, const weir_hello_area_t *area, void *owner, weir_conn_t *conn,
                 const weir_listen_t *listen)
{
    weir_assert(weir_conn_is_open(conn) && !weir_tls_is_on(conn));
    *hello = (weir_hello_t) { .area = area, .owner = owner, .conn = conn, .stage = WEIR_HELLO_PROXIED };
    return listen->is_proxied ? WEIR_HELLO_WAIT : hello_secure(hello, listen);
}

weir_hello_result_t
weir_hello_step(weir_hello_t *hello, const weir_listen_t *listen, char *room)
{
    weir_hello_result_t result;

    weir_assert(hello->stage != WEIR_HELLO_OVER);
    if (hello->stage == WEIR_HELLO_TLS) {
        return hello_handshake(hello);
    }
    result = hello_read_proxied(hello, room);
    if (result == WEIR_HELLO_DONE) {
        result = hello_secure(hello, listen);
    }
    if (hello->stage == WEIR_HELLO_TLS && hello->conn->watch.readable) {
        return hello_handshake(hello);                   /* what follows the header may be here already */
    }
    return result;
}
