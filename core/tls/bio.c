/*
 * bio.c - ciphertext between OpenSSL and the socket: one recv and one send where the plain transport has one.
 *
 * Runs in workers.  What OpenSSL writes is gathered in one buffer per worker and leaves at weir_tls_flush; what the
 * socket does not take is copied to memory of the connection, bounded by what one flush gathers and a few records of
 * the handshake's kind.
 */
#include "base/mem.h"
#include "tls/internal.h"

#include <errno.h>
#include <openssl/bio.h>
#include <string.h>

/* A record more than what a caller gathers at a time, with all that OpenSSL adds. */
#define BIO_GATHER   (WEIR_TLS_GATHER + 20 * 1024)
#define BIO_KEPT_MAX (4 * 1024 * 1024)               /* a handshake's own flights, which are ours, stay far below */

static char       *bio_room;                         /* of the worker */
static size_t      bio_len;
static BIO_METHOD *bio_method;

/* -- reading -- */

static int
bio_read(BIO *bio, char *room, int cap)
{
    weir_tls_conn_t *tls = BIO_get_data(bio);
    weir_watch_t *watch = &tls->conn->watch;
    size_t asked;
    ssize_t n;

    BIO_clear_retry_flags(bio);
    if (cap <= 0) {
        return 0;
    }
    if (tls->eof || tls->flooded) {
        return tls->eof ? 0 : -1;
    }
    if (!watch->readable) {
        BIO_set_retry_read(bio);
        return -1;
    }
    n = weir_loop_recv(tls->conn->loop, watch, room, (size_t) cap, &asked);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        watch->readable = false;
        BIO_set_retry_read(bio);
        return -1;
    }
    if (n < 0) {
        tls->conn->error = errno;
        return -1;
    }
    if (n == 0) {
        watch->peer_closed = tls->eof = true;
        return 0;
    }
    if ((size_t) n < asked && !watch->peer_closed && !watch->failed) {
        watch->readable = false;
    }
    if (!tls->looked) {
        tls->looked = true;
        /* a handshake's record; SSLv2's */
        tls->was_plain = tls->is_server && room[0] != 0x16 && ((unsigned char) room[0] & 0x80) == 0;
        if (tls->was_plain) {
            return weir_tls_keep_plain(tls, room, (size_t) n);
        }
    }
    return (int) n;
}

/* -- writing -- */

static bool
bio_keep(weir_tls_conn_t *tls, const char *at, size_t len)
{
    size_t held = tls->kept_len - tls->kept_at, need = held + len;
    char *room;

    weir_assert(tls->kept_at <= tls->kept_len && tls->kept_len <= tls->kept_cap);
    if (need > BIO_KEPT_MAX) {
        return false;
    }
    if (tls->kept_at != 0) {
        memmove(tls->kept, tls->kept + tls->kept_at, held);
        tls->kept_at = 0;
        tls->kept_len = held;
    }
    if (need > tls->kept_cap) {
        room = weir_mem_try_resize(tls->kept, need);
        if (room == NULL) {
            return false;
        }
        tls->kept = room;
        tls->kept_cap = need;
    }
    memcpy(tls->kept + tls->kept_len, at, len);
    tls->kept_len += len;
    return true;
}

static int
bio_write(BIO *bio, const char *at, int len)
{
    weir_tls_conn_t *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len <= 0 || tls->was_plain) {
        return len > 0 ? len : 0;                 /* an alert means nothing to a client without TLS */
    }
    weir_assert(bio_len <= BIO_GATHER);
    if (tls->kept == NULL && bio_room == NULL) {
        bio_room = weir_mem_try(BIO_GATHER);
    }
    if (tls->kept == NULL && bio_room != NULL && (size_t) len <= BIO_GATHER - bio_len) {
        memcpy(bio_room + bio_len, at, (size_t) len);
        bio_len += (size_t) len;
        return len;
    }
    if ((bio_len != 0 && !bio_keep(tls, bio_room, bio_len))) {
        tls->conn->error = ENOMEM;
        return -1;
    }
    bio_len = 0;
    if (!bio_keep(tls, at, (size_t) len)) {
        tls->conn->error = ENOMEM;
        return -1;
    }
    return len;
}

static weir_io_t
bio_send(weir_tls_conn_t *tls, const char *at, size_t len, size_t *sent)
{
    weir_watch_t *watch = &tls->conn->watch;
    ssize_t n;

    *sent = 0;
    if (!watch->writable) {
        return WEIR_AGAIN;
    }
    n = weir_sys_send(watch->fd, at, len, weir_conn_send_flags(tls->conn));
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        tls->conn->error = errno;
        return WEIR_ERROR;
    }
    *sent = n > 0 ? (size_t) n : 0;
    weir_assert(*sent <= len);
    if (*sent < len) {
        weir_loop_no_room(tls->conn->loop, watch);
        return WEIR_AGAIN;
    }
    return WEIR_OK;
}

static weir_io_t
bio_flush_kept(weir_tls_conn_t *tls)
{
    size_t sent;
    weir_io_t io = bio_send(tls, tls->kept + tls->kept_at, tls->kept_len - tls->kept_at, &sent);

    tls->kept_at += sent;
    weir_assert(tls->kept_at <= tls->kept_len);
    if (io == WEIR_OK) {
        weir_mem_free(tls->kept);
        tls->kept = NULL;
        tls->kept_at = tls->kept_len = tls->kept_cap = 0;
    }
    return io;
}

bool
weir_tls_wants_flush(const weir_tls_conn_t *tls)
{
    return bio_len != 0 || (tls->kept != NULL && tls->conn->watch.writable);
}

weir_io_t
weir_tls_flush(weir_tls_conn_t *tls)
{
    size_t len = bio_len, sent;
    weir_io_t io;

    if (tls->kept != NULL) {
        return bio_flush_kept(tls);
    }
    if (len == 0) {
        return WEIR_OK;
    }
    bio_len = 0;
    io = bio_send(tls, bio_room, len, &sent);
    if (io == WEIR_AGAIN && !bio_keep(tls, bio_room + sent, len - sent)) {
        tls->conn->error = ENOMEM;
        return WEIR_ERROR;
    }
    return io;
}

/* -- the method -- */

static long
bio_ctrl(BIO *bio, int command, long number WEIR_UNUSED, void *data WEIR_UNUSED)
{
    const weir_tls_conn_t *tls = BIO_get_data(bio);

    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_EOF:
        return tls->eof;
    default:
        return 0;
    }
}

static int
bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *
weir_tls_bio_method(void)
{
    if (bio_method == NULL) {
        bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir connection");
        if (bio_method == NULL || BIO_meth_set_read(bio_method, bio_read) != 1
            || BIO_meth_set_write(bio_method, bio_write) != 1
            || BIO_meth_set_ctrl(bio_method, bio_ctrl) != 1 || BIO_meth_set_create(bio_method, bio_create) != 1)
        {
            weir_tls_bio_fini();
        }
    }
    return bio_method;
}

void
weir_tls_bio_fini(void)
{
    BIO_meth_free(bio_method);
    bio_method = NULL;
    weir_mem_free(bio_room);
    bio_room = NULL;
    bio_len = 0;
}
