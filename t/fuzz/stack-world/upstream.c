/*
 * upstream.c - what scripted upstreams do: accept, answer well and badly, send bodies, leave.
 */
#include "world.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char zeros[65536];

void
upstream_accept(void)
{
    for (int which = 0; which < SITE_UPSTREAMS; which++) {
        int fd;
        while ((fd = site_upstream(which)) >= 0) {
            peer_t *free_one = NULL;
            for (size_t i = 0; i < WORLD_UPSTREAMS; i++) {
                if (world.upstreams[i].fd < 0) {
                    free_one = &world.upstreams[i];
                    break;
                }
            }
            if (free_one == NULL) {
                close(fd);
                continue;
            }
            SSL *ssl = which == SITE_H1_TLS ? SSL_new(world.tls_server) : NULL;
            if (ssl != NULL) {
                SSL_set_accept_state(ssl);
            }
            peer_begin(free_one, fd, ssl, which == 1, false);
        }
    }
}

/* -- HTTP/1 -- */

static const char *const answers[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil close",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
    "HTTP/1.1 503 Bad\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
    "HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /int/a\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nX-Accel-Redirect: @named\r\nX-Accel-Limit-Rate: 100\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\nContent-Length: 300000\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "HTTP/1.1 302 F\r\nLocation: http://up/\r\nSet-Cookie: a=b; path=/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 30\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /file\r\nX-Accel-Charset: x\r\n\r\n",
    "HTTP/1.1 417 E\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 413 L\r\nConnection: close\r\n\r\nlarge",
    "HTTP/1.1 200 OK\r\nX-Accel-Limit-Rate: 300\r\nContent-Length: 20000\r\n\r\n",
};

static void
upstream_h1_answer(peer_t *u, uint32_t which, uint32_t how)
{
    const char *answer = answers[which % weir_countof(answers)];
    size_t len = strlen(answer);

    if (how & 1) {
        len = how % (len + 1);
    }
    u->seen.is_blind = u->seen.is_blind || memcmp(answer, "HTTP/1.1 101", 12) == 0;
    peer_put(u, answer, len);
}

/* -- HTTP/2 -- */

static void
upstream_h2_begins(peer_t *u, uint32_t how)
{
    char b[6] = { 0, WEIR_H2_SET_INITIAL_WINDOW_SIZE };

    weir_h2_put_u32(b + 2, how & 2 ? 0 : 0x7fffffff);
    peer_frame(u, WEIR_H2_SETTINGS, 0, 0, b, how & 4 ? 6 : 0);
    if (how & 8) {
        weir_h2_put_u32(b, 0x7fff0000 - 65536);
        peer_frame(u, WEIR_H2_WINDOW_UPDATE, 0, 0, b, 4);
    }
    u->has_settings = true;
}

static uint32_t
upstream_stream(const peer_t *u, uint32_t k)
{
    uint32_t last = u->seen.last_stream;

    return k & 4 || last < 8 ? 1 + 2 * (k & 3) : last - 2 * (k & 3);
}

static void
upstream_h2_answer(peer_t *u, uint32_t which, uint32_t how)
{
    static const char *const statuses[] = { "200", "103", "204", "304", "503", "404", "100", "401" };
    char b[1024];
    size_t n = 0;

    if (!u->has_settings && !(how & 0x80)) {
        upstream_h2_begins(u, how);
    }
    if (which & 0x80) {
        n += peer_field(b + n, "grpc-status", "0", 1);
        n += peer_field(b + n, "x-t", "1", 1);
    } else {
        n += peer_field(b + n, ":status", statuses[which & 7], 3);
        if (which & 8) {
            n += peer_field(b + n, "content-length", which & 16 ? "5" : "100000", which & 16 ? 1 : 6);
        }
        if (which & 32) {
            n += peer_field(b + n, "x-accel-redirect", "/int/a", 6);
        }
        n += peer_field(b + n, "content-type", how & 2 ? "application/grpc" : "text/html", how & 2 ? 16 : 9);
        if (how & 8) {
            n += peer_field(b + n, "x-accel-limit-rate", "300", 3);
        }
    }
    peer_frame(u, WEIR_H2_HEADERS, WEIR_H2_END_HEADERS | (which & 0x40 ? WEIR_H2_END_STREAM : 0), upstream_stream(u, how >> 4), b, n);
}

void
upstream_answer(peer_t *u)
{
    uint32_t which = world_take(1), how = world_take(1);

    if (u->fd < 0) {
        return;
    }
    if (u->is_h2) {
        upstream_h2_answer(u, which, how);
    } else {
        upstream_h1_answer(u, which, how);
    }
}

void
upstream_body(peer_t *u)
{
    uint32_t how = world_take(1), n = world_take(2);
    char head[16];

    if (u->fd < 0) {
        return;
    }
    if (u->is_h2) {
        for (uint32_t i = how >> 5; i != UINT32_MAX; i--) {
            peer_frame(u, WEIR_H2_DATA, how & 1 && i == 0 ? WEIR_H2_END_STREAM : 0, upstream_stream(u, how >> 1), zeros, n % 16385);
        }
        return;
    }
    if (how & 1) {
        peer_put(u, head, (size_t) snprintf(head, sizeof(head), "%x\r\n", n));
    }
    for (uint32_t i = how & 1 ? 0 : how >> 5 & 3; i != UINT32_MAX; i--) {
        peer_put(u, zeros, n);
    }
    if (how & 1) {
        peer_say(u, "\r\n");
    }
    if (how & 2) {
        peer_say(u, "0\r\n\r\n");
    }
}

void
upstream_close(peer_t *u)
{
    uint32_t how = world_take(1);

    if (u->fd < 0) {
        return;
    }
    if (how & 1) {
        if (how & 2 && u->ssl != NULL) {
            (void) SSL_shutdown(u->ssl);
        }
        shutdown(u->fd, SHUT_WR);
    } else {
        peer_end(u);
    }
}
