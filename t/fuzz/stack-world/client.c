/*
 * client.c - what scripted clients do: connect, ask, send bodies, play with HTTP/2's control frames, leave.
 */
#include "world.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_KEY_PATH "/key/a?key=" SITE_KEY

static const char *const client_paths[] = {
    "/h1/a", "/h1s/a", "/h1nb/a", "/h2/a", "/h2s/a", "/auth/a", "/mir/a", "/mirs/a", "/x/a", "/204", "/file", "/err/a",
    "/ws/a", "/next/a",
    "/gz/a", "/lim/a", "/rate/a", "/ea/a", "/grpc/a", "/gw/a", "/gwr/a", "/af/a", "/big", "/req/a", "/quota/a",
    "/name/a?n=one.test",
    "/name/a?n=two.test", "/name/a?n=three.test", "/tls/a", "/any/a", "/try/none", "/guard/a", "/guard/none", "/rw/a",
    "/dir/", "/dir", "/len",
    "/h2big/a", "/names/a", "/ej/a", "/ep/a", "/es/k%2Fa", "/es/k%5cb/%252f", "/esa/k%2Fa/%7e?a%2Fb", "/esd/k%2fb%5c",
    "/esr/k%2Fa", "/esx/k%2Fa", "/gzs/z", "/plf/a", "/pw/a", "/pwany/a", "/pwar/a", CLIENT_KEY_PATH, "/key/a", "/up/a",
    "/upb/a", "/nee/a?n=six.test", "/jwt/a?t=eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.e30.AAAA", "/rt/a",
    "/wt/a", "/wt/a?k=1", "/mt/a", "/gt/a", "/xa/a", "/xb/a", "/fb/a", "/oa/a?t=abc",
    "/on/a?t=abc", "/hg/a", "/hh/a", "/hp/a",
};
static const char *const client_methods[] = { "GET", "POST", "HEAD", "PUT" };

/* -- connect -- */

static void
client_h2_begins(peer_t *c, uint32_t how)
{
    char p[6] = { 0, WEIR_H2_SET_INITIAL_WINDOW_SIZE };

    peer_say(c, WEIR_H2_PREFACE);
    weir_h2_put_u32(p + 2, how & 4 ? 0 : how & 8 ? 100 : 0x7fffffff);
    peer_frame(c, WEIR_H2_SETTINGS, 0, 0, p, how & 16 ? 6 : 0);
    if (how & 32) {
        weir_h2_put_u32(p, 0x7fff0000 - 65536);
        peer_frame(c, WEIR_H2_WINDOW_UPDATE, 0, 0, p, 4);
    }
    peer_frame(c, WEIR_H2_SETTINGS, WEIR_H2_ACK, 0, NULL, 0);
}

void
client_connect(peer_t *c)
{
    static const unsigned char both[] = "\2h2\10http/1.1";
    uint32_t how = world_take(1), where = world_take(1);
    int listener = where & 1 ? SITE_PLAIN : (int) (where >> 1) % SITE_LISTENERS, fd, small = 4096;
    bool is_h2 = how & 1;
    SSL *ssl = NULL;

    if (c->fd >= 0 || (fd = site_connect(listener)) < 0) {
        return;
    }
    if (how & 0x40) {
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    }
    if (listener == SITE_TLS || listener == SITE_TLS_PROXIED) {
        ssl = SSL_new(world.tls_client);
        SSL_set_connect_state(ssl);
        (void) SSL_set_alpn_protos(ssl, is_h2 ? both : both + 3, is_h2 ? 3 : 9);
    }
    peer_begin(c, fd, ssl, is_h2, true);
    c->is_slow = how & 2;
    if (listener >= SITE_PROXIED) {
        if (where & 0x80) {
            c->is_held = true;
            world_turn();                            /* accepted, and nothing has come: a reload may meet it so */
            world_step();
            c->is_held = false;
        }
        if (c->fd == fd) {
            (void) !send(fd, WORLD_PROXY_HEADER, strlen(WORLD_PROXY_HEADER), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    if (c->fd == fd && is_h2) {
        client_h2_begins(c, how);
    }
}

/* -- ask -- */

/* Lines that end in LF alone. */
static size_t
client_bare_lf(char *head, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (head[i] != '\r') {
            head[n++] = head[i];
        }
    }
    return n;
}

static void
client_h1_request(peer_t *c, uint32_t how, const char *path, uint32_t with)
{
    static const char *const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    const char *method = client_methods[how & 3];
    seen_t *seen = &c->seen;
    char head[1024], *end = head + sizeof(head), *at = head;
    uint32_t length = 0;

    if (seen->owed != 0 || seen->n_asked == WORLD_METHODS || (with & 4)) {
        seen_blind(seen);
    }
    seen->tag = ledger_ask(seen, with & 128, false);
    seen->own = 0;
    at += snprintf(at, (size_t) (end - at), "%s %s HTTP/1.%d\r\nHost: %s\r\nX-Tag: %08x\r\n", method, path,
                   how & 0x80 ? 0 : 1, how & 0x40 ? "b" : "a", seen->tag);
    if (how & 4) {
        length = world_take(2) % 40000;
        at += snprintf(at, (size_t) (end - at), "Content-Length: %u\r\n", length);
    } else if (how & 8) {
        at += snprintf(at, (size_t) (end - at), "Transfer-Encoding: chunked\r\n");
    }
    at += snprintf(at, (size_t) (end - at), "%s%s%s%s%s%s\r\n", with & 2 ? "Expect: 100-continue\r\n" : "",
                   with & 4 ? upgrade : with & 8 ? "Connection: close\r\n" : how & 0x20 ? "Connection: keep-alive\r\n"
                   : "",
                   with & 16 ? "Range: bytes=0-10,20-30\r\n" : "",
                   with & 32 ? "TE: trailers\r\nAccept-Encoding: gzip\r\n" : "",
                   with & 64 ? how & 0x20 ? "Authorization: Basic dTp4\r\n" : "Authorization: Basic dTpw\r\n" : "",
                   with & 128 ? with & 1 ? "Content-Type: application/grpc-web-text\r\n"
                   : "Content-Type: application/grpc-web\r\n" : "");
    if (with == 1) {
        at = head + client_bare_lf(head, (size_t) (at - head));
    }
    if (!seen->is_blind) {
        seen->asked[seen->n_asked].method = method[0];
        seen->asked[seen->n_asked++].tag = seen->tag;
    }
    seen->owed = how & 4 ? length : how & 8 ? UINT64_MAX : 0;
    if (!peer_put(c, head, (size_t) (at - head))) {
        seen_blind(seen);
    }
    ledger_sent(seen->tag, 0, seen->owed == 0);
}

static void
client_h2_request(peer_t *c, uint32_t how, const char *path, uint32_t with)
{
    const char *method = with & 4 ? "CONNECT" : client_methods[how & 3];
    char b[2048], digits[12];
    seen_stream_t *its = seen_h2_stream(&c->seen, c->next_id);
    bool ends = !(how & 0x10) && !(with & 4);
    size_t n = peer_field(b, ":method", method, strlen(method));

    if (with & 4) {
        n += peer_field(b + n, ":protocol", "websocket", 9);
    }
    n += peer_field(b + n, ":scheme", "http", 4);
    n += peer_field(b + n, ":path", path, strlen(path));
    n += peer_field(b + n, ":authority", how & 0x40 ? "b" : "a", 1);
    if (how & 4) {
        n += peer_field(b + n, "content-length", digits,
                        (size_t) snprintf(digits, sizeof(digits), "%u", ends ? 0 : world_take(2) % 40000));
    }
    if (with & 2) {
        n += peer_field(b + n, "expect", "100-continue", 12);
    }
    if (with & 4) {
        n += peer_field(b + n, "sec-websocket-version", "13", 2);
    }
    if (with & 16) {
        n += peer_field(b + n, "range", "bytes=1-5", 9);
    }
    if (with & 32) {
        n += peer_field(b + n, "te", "trailers", 8);
        n += peer_field(b + n, "accept-encoding", "gzip", 4);
    }
    if (with & 64) {
        n += peer_field(b + n, "authorization", how & 0x20 ? "Basic dTp4" : "Basic dTpw", 10);
        n += peer_field(b + n, "priority", "u=1, i", 6);
    }
    if (with & 128) {
        n += peer_field(b + n, "content-type", with & 1 ? "application/grpc-web-text" : "application/grpc-web",
                        with & 1 ? 25 : 20);
    }
    if (its != NULL) {
        its->is_head_request = (how & 3) == 2 && !(with & 4);
        its->tag = ledger_ask(&c->seen, with & 128, with & 4);
        n += peer_field(b + n, "x-tag", digits, (size_t) snprintf(digits, sizeof(digits), "%08x", its->tag));
    }
    peer_frame(c, WEIR_H2_HEADERS, WEIR_H2_END_HEADERS | (ends ? WEIR_H2_END_STREAM : 0), c->next_id, b, n);
    c->next_id += 2;
}

void
client_request(peer_t *c)
{
    uint32_t how = world_take(1), which = world_take(1), with = world_take(1);
    const char *path = client_paths[which % weir_countof(client_paths)];

    if (c->fd < 0) {
        return;
    }
    if (c->is_h2) {
        client_h2_request(c, how, path, with);
    } else {
        client_h1_request(c, how, path, with);
    }
}

/* -- bodies -- */

static uint32_t
peer_pick(const peer_t *p)
{
    uint32_t k = world_take(1);

    return k & 0x80 ? (k & 0x1f) * 2 + 1 : p->next_id > 2
           ? p->next_id - 2 - 2 * (k % (p->next_id / 2 < 4 ? p->next_id / 2 : 4)) : 1;
}

static void
client_h1_chunk(peer_t *c, uint32_t how, uint32_t n)
{
    seen_t *seen = &c->seen;
    char head[16];

    if (n != 0) {
        (void) peer_put(c, head, (size_t) snprintf(head, sizeof(head), "%x\r\n", n));
        (void) peer_put(c, ledger_bytes(n, seen->tag, seen->own), n);
        peer_say(c, "\r\n");
        ledger_sent(seen->tag, n, false);
        seen->own += n;
    }
    if (how & 6) {
        peer_say(c, how & 2 ? "0\r\n\r\n" : "0\r\nx-t: 1\r\n\r\n");
        seen->owed = 0;
        ledger_sent(seen->tag, 0, true);
    }
}

/* What is owed of the last request's body; more, or parts that it cannot have, and nobody knows what the rest means. */
static void
client_h1_body(peer_t *c, uint32_t how, uint32_t n)
{
    seen_t *seen = &c->seen;

    if (c->out_len + n + 64 > WORLD_BUFFER) {
        return;                              /* there is no room for all of it */
    }
    if (seen->owed == UINT64_MAX) {
        client_h1_chunk(c, how, n);
        return;
    }
    n = how & 8 ? n : (uint32_t) weir_min(seen->owed, (uint64_t) n);
    if (n > seen->owed) {
        seen_blind(seen);
    } else if (n != 0) {
        ledger_sent(seen->tag, n, n == seen->owed);
    }
    seen->owed -= weir_min(seen->owed, (uint64_t) n);
    (void) peer_put(c, ledger_bytes(n, seen->tag, seen->own), n);
    seen->own += n;
}

void
client_body(peer_t *c)
{
    uint32_t how = world_take(1), n = world_take(2) % 17000;

    if (c->fd < 0) {
        return;
    }
    if (c->is_h2) {
        uint32_t stream = peer_pick(c);
        uint64_t room = how & 16 ? n : seen_h2_room(&c->seen, stream);
        peer_data(c, how & 1 ? WEIR_H2_END_STREAM : 0, stream, (size_t) weir_min(room, (uint64_t) n));
    } else {
        client_h1_body(c, how, n);
    }
}

/* -- HTTP/2's control, of either side -- */

static void
peer_h2_setting(peer_t *p, uint32_t how)
{
    char b[6];
    uint32_t id = 1 + world_take(1) % 6, value = id == WEIR_H2_SET_HEADER_TABLE_SIZE ? world_take(1) : how & 16
                  ? world_take(4) : world_take(1);

    weir_h2_put_u16(b, (uint16_t) id);
    weir_h2_put_u32(b + 2, value);
    peer_frame(p, WEIR_H2_SETTINGS, 0, 0, b, 6);
}

static void
peer_h2_anything(peer_t *p)
{
    int type = (int) world_take(1), flags = (int) world_take(1);
    uint32_t id = peer_pick(p);
    weir_str_t b = world_take_bytes(60);

    seen_h2_stream_is_blind(&p->seen, id);
    if (type != WEIR_H2_SETTINGS) {                  /* peer_h2_setting does that */
        peer_frame(p, type, flags, id, b.at, b.len);
    }
}

void
peer_h2_control(peer_t *p)
{
    uint32_t how = world_take(1);
    char b[16] = "12345678";
    weir_str_t bytes;
    uint32_t stream;

    if (p->fd < 0 || !p->is_h2) {
        return;
    }
    switch (how % 10) {
    case 0:
        weir_h2_put_u32(b, world_take(1));
        peer_frame(p, WEIR_H2_RST_STREAM, 0, peer_pick(p), b, 4);
        break;
    case 1:
        weir_h2_put_u32(b, how & 16 ? 65536 * 4 : world_take(1));
        peer_frame(p, WEIR_H2_WINDOW_UPDATE, 0, how & 32 ? 0 : peer_pick(p), b, 4);
        break;
    case 2:
        peer_h2_setting(p, how);
        break;
    case 3: case 8:
        for (uint32_t i = how & 16 ? 1 : 120; i > 0; i--) {
            peer_frame(p, WEIR_H2_PING, 0, 0, b, 8);
        }
        break;
    case 4:
        weir_h2_put_u32(b, world_take(1));
        weir_h2_put_u32(b + 4, world_take(1) & 15);
        peer_frame(p, WEIR_H2_GOAWAY, 0, 0, b, 8);
        break;
    case 5:
        bytes = world_take_bytes(60);
        stream = peer_pick(p);
        seen_h2_stream_is_blind(&p->seen, stream);
        peer_frame(p, WEIR_H2_HEADERS, WEIR_H2_END_HEADERS | (int) (how & 16), stream, bytes.at, bytes.len);
        break;
    case 6:
        bytes = world_take_bytes(60);
        stream = peer_pick(p);
        seen_h2_stream_is_blind(&p->seen, stream);
        peer_frame(p, WEIR_H2_CONTINUATION, how & 16 ? WEIR_H2_END_HEADERS : 0, stream, bytes.at, bytes.len);
        break;
    case 7:
        peer_h2_anything(p);
        break;
    default:
        peer_data(p, how & 16 ? WEIR_H2_END_STREAM : 0, peer_pick(p), how >> 5);
    }
}
