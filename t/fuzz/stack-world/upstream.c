/*
 * upstream.c - what scripted upstreams do: accept, answer well and badly, send bodies, leave.
 */
#include "world.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* A head without its last line, and how its body comes: `given` bytes of it along with it. */
static const struct {
    const char     *head;
    upstream_mode_t mode;
    uint32_t        length, given;
    const char     *end;                 /* CHUNKED: what ends it; NULL: later */
} answers[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", UPSTREAM_LENGTH, 5, 5, NULL },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", UPSTREAM_CHUNKED, 0, 5, "0\r\n\r\n" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n", UPSTREAM_CHUNKED, 0, 3, "0\r\nx: y\r\n\r\n" },
    { "HTTP/1.1 200 OK\r\n", UPSTREAM_TO_CLOSE, 0, 11, NULL },
    { "HTTP/1.1 100 Continue\r\n", UPSTREAM_NOTHING, 0, 0, NULL },
    { "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n", UPSTREAM_NOTHING, 0, 0, NULL },
    { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n",
      UPSTREAM_NOTHING, 0, 0, NULL },
    { "HTTP/1.1 204 No Content\r\n", UPSTREAM_NOTHING, 0, 0, NULL },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n", UPSTREAM_NOTHING, 0, 0, NULL },
    { "HTTP/1.1 503 Bad\r\nContent-Length: 0\r\n", UPSTREAM_LENGTH, 0, 0, NULL },
    { "HTTP/1.1 404 No\r\nContent-Length: 2\r\n", UPSTREAM_LENGTH, 2, 2, NULL },
    { "HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n", UPSTREAM_LENGTH, 0, 0, NULL },
    { "HTTP/1.1 403 F\r\nContent-Length: 0\r\n", UPSTREAM_LENGTH, 0, 0, NULL },
    { "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /int/a\r\nContent-Length: 3\r\n", UPSTREAM_LENGTH, 3, 3, NULL },
    { "HTTP/1.1 200 OK\r\nX-Accel-Redirect: @named\r\nX-Accel-Limit-Rate: 100\r\n", UPSTREAM_TO_CLOSE, 0, 0, NULL },
    { "HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\nContent-Length: 300000\r\n", UPSTREAM_LENGTH, 300000, 0, NULL },
    { "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n", UPSTREAM_LENGTH, 100000, 0, NULL },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n", UPSTREAM_LENGTH, 1000000, 0, NULL },
    { "HTTP/1.1 302 F\r\nLocation: http://up/\r\nSet-Cookie: a=b; path=/\r\nContent-Length: 0\r\n",
      UPSTREAM_LENGTH, 0, 0, NULL },
    { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n", UPSTREAM_LENGTH, 1, 1, NULL },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 30\r\n", UPSTREAM_LENGTH, 30, 0, NULL },
    { "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /file\r\nX-Accel-Charset: x\r\n", UPSTREAM_TO_CLOSE, 0, 0, NULL },
    { "HTTP/1.1 417 E\r\nTransfer-Encoding: chunked\r\n", UPSTREAM_CHUNKED, 0, 0, NULL },
    { "HTTP/1.1 413 L\r\nConnection: close\r\n", UPSTREAM_TO_CLOSE, 0, 5, NULL },
    { "HTTP/1.1 200 OK\r\nX-Accel-Limit-Rate: 300\r\nContent-Length: 20000\r\n", UPSTREAM_LENGTH, 20000, 0, NULL },
    { "HTTP/1.1 200 OK\nContent-Length: 5\n", UPSTREAM_LENGTH, 5, 5, NULL },
    { "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /es/k%2Fa\r\nContent-Length: 0\r\n", UPSTREAM_LENGTH, 0, 0, NULL },
    { "HTTP/1.1 500 E\r\nContent-Length: 0\r\n", UPSTREAM_LENGTH, 0, 0, NULL },
};

/* Whatever comes behind what was sent is no answer any more that anybody could name. */
static void
upstream_is_wild(peer_t *u)
{
    u->is_wild = true;
    ledger_answer_is_blind(u->answer);
}

static void
upstream_is_answered(peer_t *u)
{
    u->mode = UPSTREAM_NOTHING;
    u->seen.n_asked -= u->seen.n_asked != 0;
}

/* So many bytes of the answer's body, framed as it says; ends: with what ends it. */
static size_t
upstream_h1_part(peer_t *u, char *out, size_t n, const char *end)
{
    size_t at = 0;

    if (u->mode == UPSTREAM_CHUNKED && n != 0) {
        at = (size_t) sprintf(out, "%zx\r\n", n);
    }
    memcpy(out + at, ledger_bytes(n, u->answer, u->seen.own), n);
    at += n;
    u->seen.own += n;
    if (u->mode == UPSTREAM_CHUNKED) {
        at += (size_t) sprintf(out + at, "%s%s", n != 0 ? "\r\n" : "", end != NULL ? end : "");
    } else if (u->mode == UPSTREAM_LENGTH) {
        u->left -= n;
    }
    return at;
}

static void
upstream_h1_answer(peer_t *u, uint32_t which, uint32_t how)
{
    size_t k = which % weir_countof(answers), len;
    char out[1024];
    bool is_interim = answers[k].head[9] == '1', is_empty = u->seen.method == 'H';
    bool ends = answers[k].mode == UPSTREAM_LENGTH ? answers[k].given == answers[k].length : answers[k].end != NULL;
    const char *line_end = strchr(answers[k].head, '\n')[-1] == '\r' ? "\r\n" : "\n";

    if (u->mode != UPSTREAM_NOTHING || u->seen.n_asked == 0 || (is_empty && answers[k].given != 0)) {
        upstream_is_wild(u);
    }
    len = (size_t) sprintf(out, "%s", answers[k].head);
    if (!is_interim) {
        u->answer = u->is_wild ? 0 : ledger_make_answer(u->seen.tag);
        u->mode = answers[k].mode;
        u->left = answers[k].length;
        u->seen.own = 0;
        len += (size_t) sprintf(out + len, "X-Answer: %08x%s", u->answer, line_end);
    }
    len += (size_t) sprintf(out + len, "%s", line_end);
    if (!is_interim) {
        len += upstream_h1_part(u, out + len, answers[k].given, answers[k].end);
    }
    if (how & 1) {
        len = how % (len + 1);
        upstream_is_wild(u);
    }
    if (memcmp(out, "HTTP/1.1 101", 12) == 0) {
        seen_blind(&u->seen);
        upstream_is_wild(u);
    }
    if (!peer_put(u, out, len)) {
        upstream_is_wild(u);
    }
    if (!is_interim) {
        ledger_answer_sent(u->answer, answers[k].given, ends || answers[k].mode == UPSTREAM_NOTHING);
        if (ends || answers[k].mode == UPSTREAM_NOTHING || u->seen.method == 'H') {
            upstream_is_answered(u);
        }
    }
}

static void
upstream_h1_wild_body(peer_t *u, uint32_t how, uint32_t n)
{
    char head[16];

    upstream_is_wild(u);
    if (how & 1) {
        (void) peer_put(u, head, (size_t) snprintf(head, sizeof(head), "%x\r\n", n));
    }
    for (uint32_t i = how & 1 ? 0 : how >> 5 & 3; i != UINT32_MAX; i--) {
        (void) peer_put(u, ledger_bytes(n, 0, 0), n);
    }
    if (how & 1) {
        peer_say(u, "\r\n");
    }
    if (how & 2) {
        peer_say(u, "0\r\n\r\n");
    }
}

/* What its head promised; 8: anything. */
static void
upstream_h1_body(peer_t *u, uint32_t how, uint32_t n)
{
    static char out[65536 + 64];

    if (how & 8 || u->is_wild) {
        upstream_h1_wild_body(u, how, n);
        return;
    }
    for (uint32_t i = how >> 5 & 3; i != UINT32_MAX && u->mode != UPSTREAM_NOTHING; i--) {
        size_t part = u->mode == UPSTREAM_LENGTH ? (size_t) weir_min((uint64_t) n, u->left) : n;
        const char *end = u->mode == UPSTREAM_CHUNKED && how & 2 && i == 0 ? "0\r\n\r\n" : NULL;
        bool ends;
        if (u->out_len + part + 64 > WORLD_BUFFER) {
            return;                          /* there is no room for all of it */
        }
        size_t len = upstream_h1_part(u, out, part, end);
        (void) peer_put(u, out, len);
        ends = u->mode == UPSTREAM_LENGTH ? u->left == 0 : end != NULL;
        ledger_answer_sent(u->answer, part, ends);
        if (ends) {
            upstream_is_answered(u);
        }
    }
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
    uint32_t stream = upstream_stream(u, how >> 4);
    seen_stream_t *its = seen_h2_stream(&u->seen, stream);
    char b[1024], digits[12];
    size_t n = 0;

    if (!u->has_settings && !(how & 0x80)) {
        upstream_h2_begins(u, how);
    }
    if (which & 0x80) {
        n += peer_field(b + n, "grpc-status", "0", 1);
        n += peer_field(b + n, "x-t", "1", 1);
    } else {
        n += peer_field(b + n, ":status", statuses[which & 7], 3);
        if (its != NULL && its->answer == 0 && its->has_head && statuses[which & 7][0] != '1') {
            its->answer = ledger_make_answer(its->tag);
            its->own_length = which & 8 ? (which & 16 ? 5 : 100000) : UINT64_MAX;
        }
        snprintf(digits, sizeof(digits), "%08x", its != NULL ? its->answer : 0);
        n += peer_field(b + n, "x-answer", digits, LEDGER_DIGITS);
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
    peer_frame(u, WEIR_H2_HEADERS, WEIR_H2_END_HEADERS | (which & 0x40 ? WEIR_H2_END_STREAM : 0), stream, b, n);
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

/* 16: whatever the windows say. */
static void
upstream_h2_body(peer_t *u, uint32_t how, uint32_t n)
{
    uint32_t stream = upstream_stream(u, how >> 1);

    for (uint32_t i = how >> 5; i != UINT32_MAX; i--) {
        size_t part = how & 16 ? n % 16385 : (size_t) weir_min(seen_h2_room(&u->seen, stream), (uint64_t) n % 16385);
        peer_data(u, how & 1 && i == 0 ? WEIR_H2_END_STREAM : 0, stream, part);
    }
}

void
upstream_body(peer_t *u)
{
    uint32_t how = world_take(1), n = world_take(2);

    if (u->fd < 0) {
        return;
    }
    if (u->is_h2) {
        upstream_h2_body(u, how, n);
    } else {
        upstream_h1_body(u, how, n);
    }
}
