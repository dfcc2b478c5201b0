/*
 * wire.c - the peers' ends of connections: bytes out in order, TLS, bytes in to the readers.
 */
#include "world.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
peer_begin(peer_t *p, int fd, SSL *ssl, bool is_h2, bool is_client)
{
    char *out = p->out;
    seen_t seen = p->seen;

    *p = (peer_t) { .fd = fd, .ssl = ssl, .in_handshake = ssl != NULL, .is_h2 = is_h2, .next_id = 1, .out = out,
                    .seen = seen };
    if (p->out == NULL) {
        p->out = malloc(WORLD_BUFFER);
    }
    if (ssl != NULL) {
        SSL_set_fd(ssl, fd);
    }
    seen_begin(&p->seen, is_client, is_h2);
}

/* An answer that ends with its connection ends well when all of it was sent; over TLS that takes a word, too. */
static void
peer_ends_answer(peer_t *p)
{
    if (!p->seen.is_client && p->mode == UPSTREAM_TO_CLOSE) {
        if (p->out_len == 0 && p->ssl == NULL) {
            ledger_answer_sent(p->answer, 0, true);
        } else {
            ledger_answer_is_blind(p->answer);
        }
    }
    p->mode = UPSTREAM_NOTHING;
}

void
peer_end(peer_t *p)
{
    if (p->fd < 0) {
        return;
    }
    peer_ends_answer(p);
    ledger_client_left(&p->seen);
    SSL_free(p->ssl);
    close(p->fd);
    seen_end(&p->seen);
    p->fd = -1;
    p->ssl = NULL;
}

/* -- out -- */

static void
peer_flush(peer_t *p)
{
    ssize_t n = 0;

    while (p->out_len != 0 && !p->in_handshake) {
        n = p->ssl ? SSL_write(p->ssl, p->out, (int) p->out_len)
            : send(p->fd, p->out, p->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) {
            ERR_clear_error();
            if (p->ssl == NULL && errno != EAGAIN) {
                p->out_len = 0;                      /* the other side has gone */
            }
            return;
        }
        memmove(p->out, p->out + n, p->out_len - (size_t) n);
        p->out_len -= (size_t) n;
    }
}

bool
peer_put(peer_t *p, const void *bytes, size_t len)
{
    if (p->fd < 0 || len > WORLD_BUFFER - p->out_len) {
        return false;
    }
    memcpy(p->out + p->out_len, bytes, len);
    p->out_len += len;
    peer_flush(p);
    return true;
}

void
peer_say(peer_t *p, const char *text)
{
    (void) peer_put(p, text, strlen(text));
}

void
peer_frame(peer_t *p, int type, int flags, uint32_t stream, const void *payload, size_t len)
{
    static char whole[WEIR_H2_FRAME_HEAD + 20000];

    len = weir_min(len, sizeof(whole) - WEIR_H2_FRAME_HEAD);
    if (p->fd < 0 || len + WEIR_H2_FRAME_HEAD > WORLD_BUFFER - p->out_len) {
        return;
    }
    weir_h2_frame_write(whole, (uint32_t) len, (weir_h2_type_t) type, (uint8_t) flags, stream);
    if (len != 0) {
        memcpy(whole + WEIR_H2_FRAME_HEAD, payload, len);
    }
    seen_h2_sent(&p->seen, type, flags, stream, payload, len);
    (void) peer_put(p, whole, len + WEIR_H2_FRAME_HEAD);
}

void
peer_data(peer_t *p, int flags, uint32_t stream, size_t len)
{
    const seen_stream_t *its = seen_h2_stream(&p->seen, stream);
    uint32_t of = its == NULL ? 0 : p->seen.is_client ? its->tag : its->answer;

    len = weir_min(len, (size_t) 20000);
    peer_frame(p, WEIR_H2_DATA, flags, stream, ledger_bytes(len, of, its != NULL ? its->own : 0), len);
}

size_t
peer_field(char *out, const char *name, const char *value, size_t value_len)
{
    size_t at = 0, n = strlen(name);

    value_len = weir_min(value_len, (size_t) 120);
    out[at++] = 0x10;
    out[at++] = (char) n;
    memcpy(out + at, name, n);
    at += n;
    out[at++] = (char) value_len;
    memcpy(out + at, value, value_len);
    return at + value_len;
}

/* -- in -- */

static ssize_t
peer_recv(peer_t *p, char *room, size_t cap)
{
    ssize_t n = p->ssl ? SSL_read(p->ssl, room, (int) cap) : recv(p->fd, room, cap, MSG_DONTWAIT);

    if (p->ssl != NULL && n <= 0) {
        n = SSL_get_error(p->ssl, (int) n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
        ERR_clear_error();
    }
    return n;
}

static void
peer_shake(peer_t *p)
{
    const unsigned char *name;
    unsigned len;

    if (SSL_do_handshake(p->ssl) == 1) {
        p->in_handshake = false;
        SSL_get0_alpn_selected(p->ssl, &name, &len);
        if (p->is_h2 != (len == 2)) {
            seen_blind(&p->seen);                    /* who speaks another language than agreed may hear anything */
        }
    }
    ERR_clear_error();
}

void
peer_move(peer_t *p, size_t max)
{
    seen_t *seen = &p->seen;

    if (p->fd < 0 || p->is_held) {
        return;
    }
    if (p->in_handshake) {
        peer_shake(p);
        if (p->in_handshake) {
            return;
        }
    }
    peer_flush(p);
    while (max != 0) {
        ssize_t n;
        if (seen->len == WORLD_BUFFER) {
            world_fail("a reader holds %zu bytes that mean nothing to it", seen->len);
        }
        n = peer_recv(p, seen->bytes + seen->len, weir_min(max, WORLD_BUFFER - seen->len));
        if (n <= 0) {
            return;
        }
        max -= (size_t) n;
        seen->len += (size_t) n;
        if (seen->is_blind) {
            seen->len = 0;
        } else if (p->is_h2) {
            seen_h2_read(seen);
        } else {
            seen_h1_read(seen);
        }
    }
}

/* Bytes of the input as they are: nothing is known afterwards of what the other side makes of them. */
void
peer_raw(peer_t *p)
{
    weir_str_t bytes = world_take_bytes(255);

    if (p->fd < 0) {
        return;
    }
    if (p->is_h2 || p->seen.is_client) {
        seen_blind(&p->seen);
    } else {
        p->is_wild = true;
        ledger_answer_is_blind(p->answer);
    }
    (void) peer_put(p, bytes.at, bytes.len);
}

/* -- leave -- */

void
peer_close(peer_t *p)
{
    uint32_t how = world_take(1);

    if (p->fd < 0) {
        return;
    }
    if (how & 1) {
        peer_ends_answer(p);
        if (how & 2 && p->ssl != NULL) {
            (void) SSL_shutdown(p->ssl);
        }
        shutdown(p->fd, SHUT_WR);
    } else {
        peer_end(p);
    }
}
