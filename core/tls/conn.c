/*
 * conn.c - the TLS transport: handshake, transfers, close_notify, over bio.c.
 *
 * Runs in workers; one allocation per connection beside OpenSSL's own.
 */
#include "tls/conn.h"

#include "base/mem.h"
#include "tls/internal.h"
#include "tls/verify.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* KeyUpdates, alerts, tickets in a row without a byte of the stream */
#define CONN_IDLE_MAX    64
#define CONN_RECORD_MAX  16384

static char conn_why[512];                           /* of the last failure */
static char conn_record[CONN_RECORD_MAX];            /* small pieces become one record here */

weir_tls_conn_t *
weir_tls_conn_of_ssl(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* -- outcomes -- */

static void
conn_tell_verification(const weir_tls_conn_t *tls, size_t len)
{
    long result = SSL_get_verify_result(tls->ssl);

    if (!tls->is_server && result != WEIR_TLS_VERIFIED && len < sizeof(conn_why)) {
        (void) snprintf(conn_why + len, sizeof(conn_why) - len, " (%ld: %s)", result, weir_tls_verify_text(result));
    }
}

static weir_io_t
conn_fail(weir_tls_conn_t *tls)
{
    weir_conn_t *conn = tls->conn;
    size_t len = weir_tls_take_errors(conn_why, sizeof(conn_why));

    tls->failed = true;
    if (tls->flooded) {
        conn->error = EPROTO;
        (void) snprintf(conn_why, sizeof(conn_why), "too many messages that carry nothing");
    } else if (tls->was_plain) {
        conn->error = EPROTO;
        (void) snprintf(conn_why, sizeof(conn_why), "the client did not speak TLS");
    } else if (tls->eof) {
        conn->error = ECONNRESET;
        (void) snprintf(conn_why, sizeof(conn_why), "the peer closed the connection%s",
                        tls->done ? " without close_notify" : "");
    } else if (len != 0) {
        conn->error = EPROTO;
        conn_tell_verification(tls, len);
    } else if (conn->error == 0) {
        conn->error = EPROTO;
    }
    return WEIR_ERROR;
}

/* After an OpenSSL call that did not succeed. */
static weir_io_t
conn_outcome(weir_tls_conn_t *tls, int rc)
{
    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return tls->flooded ? conn_fail(tls) : WEIR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        tls->peer_done = true;
        return WEIR_EOF;
    default:
        return conn_fail(tls);
    }
}

const char *
weir_tls_why(const weir_conn_t *conn)
{
    const weir_tls_conn_t *tls = weir_tls_conn_of(conn);

    return tls != NULL && tls->failed ? conn_why : "";
}

/* -- the handshake -- */

/* 1: done; else for SSL_get_error. */
static int
conn_shake(weir_tls_conn_t *tls)
{
    size_t n;

    if (tls->tries_early) {
        switch (SSL_read_early_data(tls->ssl, &tls->early_byte, 1, &n)) {
        case SSL_READ_EARLY_DATA_SUCCESS:
            tls->tries_early = false;
            tls->is_early = true;
            tls->has_early_byte = n == 1;
            return 1;
        case SSL_READ_EARLY_DATA_FINISH:
            tls->tries_early = false;
            break;
        default:
            return 0;
        }
    }
    return SSL_do_handshake(tls->ssl);
}

/* A flood of messages that carry nothing costs us and not the sender. */
static void
conn_on_message(int is_ours, int version WEIR_UNUSED, int type, const void *bytes WEIR_UNUSED, size_t len WEIR_UNUSED,
                SSL *ssl,
                void *data WEIR_UNUSED)
{
    weir_tls_conn_t *tls = weir_tls_conn_of_ssl(ssl);

    if (!is_ours && (type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT) && ++tls->idle_records > CONN_IDLE_MAX) {
        tls->flooded = true;
    }
}

weir_io_t
weir_tls_handshake(weir_conn_t *conn)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    weir_io_t io, flushed;
    int rc;

    weir_assert(tls != NULL && tls->conn == conn);
    if (tls->failed) {
        return WEIR_ERROR;
    }
    if (tls->done) {
        return weir_tls_flush(tls);
    }
    ERR_clear_error();
    conn->error = 0;
    rc = conn_shake(tls);
    if (rc != 1) {
        io = conn_outcome(tls, rc);
        flushed = weir_tls_flush(tls);               /* a flight, or the alert that says why */
        if (io == WEIR_EOF) {
            tls->eof = true;
            io = conn_fail(tls);
        }
        return io == WEIR_AGAIN && flushed == WEIR_ERROR ? conn_fail(tls) : io;
    }
    tls->done = true;
    SSL_set_msg_callback(tls->ssl, conn_on_message);
    io = weir_tls_flush(tls);
    if (SSL_has_pending(tls->ssl) || tls->is_early) {
        conn->watch.readable = true;
    }
    return io == WEIR_ERROR ? conn_fail(tls) : io;
}

bool
weir_tls_was_plain(const weir_conn_t *conn)
{
    return weir_tls_conn_of(conn)->was_plain;
}

int
weir_tls_keep_plain(weir_tls_conn_t *tls, const char *at, size_t len)
{
    weir_assert(len != 0 && !tls->done);
    weir_assert(tls->plain == NULL);
    tls->plain = weir_mem_try(len);
    if (tls->plain != NULL) {
        memcpy(tls->plain, at, len);
        tls->plain_len = len;
    }
    return -1;
}

/* -- making one -- */

static void
conn_free(weir_tls_conn_t *tls)
{
    SSL_free(tls->ssl);
    weir_tls_context_unref(tls->context);
    weir_mem_free(tls->kept);
    weir_mem_free(tls->plain);
    weir_mem_free(tls);
}

static weir_tls_conn_t *
conn_make(weir_conn_t *conn, weir_tls_context_t *context)
{
    weir_tls_conn_t *tls = weir_mem_try(sizeof(*tls));
    BIO_METHOD *method = weir_tls_bio_method();
    BIO *bio;

    weir_assert(context->ctx != NULL);
    if (tls == NULL) {
        return NULL;
    }
    *tls = (weir_tls_conn_t) { .conn = conn, .context = weir_tls_context_ref(context),
                               .is_server = context->is_server };
    ERR_clear_error();
    tls->ssl = method != NULL ? SSL_new(context->ctx) : NULL;
    bio = tls->ssl != NULL ? BIO_new(method) : NULL;
    if (bio == NULL || SSL_set_app_data(tls->ssl, tls) != 1) {
        BIO_free(bio);
        conn_free(tls);
        return NULL;
    }
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    return tls;
}

static void
conn_secure(weir_conn_t *conn, weir_tls_conn_t *tls)
{
    weir_assert(conn->secure == NULL);     /* there is one layer of TLS */
    conn->secure = tls;
    conn->transport = &weir_transport_tls;
}

bool
weir_tls_accept(weir_conn_t *conn, weir_tls_context_t *context, const weir_tls_acceptor_t *acceptor, void *owner)
{
    weir_tls_conn_t *tls = conn_make(conn, context);

    if (tls == NULL) {
        return false;
    }
    tls->acceptor = acceptor;
    tls->owner = owner;
    tls->tries_early = weir_tls_some_early_data();
    SSL_set_accept_state(tls->ssl);
    conn_secure(conn, tls);
    return true;
}

static bool
conn_is_ip(const char *name)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);

    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    return ip != NULL;
}

/* RFC 9525: the name of the certificate; no wildcard but as a whole label. */
static bool
conn_expect(weir_tls_conn_t *tls, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);

    if (conn_is_ip(name)) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static bool
conn_aim(weir_tls_conn_t *tls, const weir_tls_target_t *target)
{
    char name[256];

    weir_assert(tls->slot == NULL && !tls->is_server);
    if (target->server_name.len != 0 && target->server_name.len < sizeof(name)) {
        memcpy(name, target->server_name.at, target->server_name.len);
        name[target->server_name.len] = '\0';
        if (!conn_is_ip(name) && SSL_set_tlsext_host_name(tls->ssl, name) != 1) {
            return false;
        }
    }
    if (target->verify_name.len != 0) {
        if (target->verify_name.len >= sizeof(name)) {
            return false;
        }
        memcpy(name, target->verify_name.at, target->verify_name.len);
        name[target->verify_name.len] = '\0';
        if (!conn_expect(tls, name)) {
            return false;
        }
    }
    if (target->protocols.len != 0
        && SSL_set_alpn_protos(tls->ssl, (const unsigned char *) target->protocols.at,
                               (unsigned) target->protocols.len) != 0)
    {
        return false;
    }
    tls->slot = target->slot;
    if (tls->slot != NULL && tls->slot->session != NULL) {
        (void) SSL_set_session(tls->ssl, tls->slot->session);      /* refused: a full handshake */
    }
    return true;
}

bool
weir_tls_connect(weir_conn_t *conn, weir_tls_context_t *context, const weir_tls_target_t *target)
{
    weir_tls_conn_t *tls = conn_make(conn, context);

    if (tls == NULL) {
        return false;
    }
    if (!conn_aim(tls, target)) {
        conn_free(tls);
        return false;
    }
    SSL_set_connect_state(tls->ssl);
    conn_secure(conn, tls);
    return true;
}

void
weir_tls_use_slot(weir_conn_t *conn, weir_tls_slot_t *slot)
{
    weir_assert(!weir_tls_conn_of(conn)->is_server);
    weir_tls_conn_of(conn)->slot = slot;
}

size_t
weir_tls_take_plain(weir_conn_t *conn, char *room, size_t cap)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    size_t len = weir_min(tls->plain_len, cap);

    weir_assert(tls->was_plain);
    if (len != 0) {
        memcpy(room, tls->plain, len);
    }
    conn->secure = NULL;
    conn->transport = &weir_transport_plain;
    conn_free(tls);
    return len;
}

/* -- receiving -- */

/* 0-RTT data, then the rest of the handshake.  OK: the handshake is done. */
static weir_io_t
conn_recv_early(weir_tls_conn_t *tls, char *room, size_t cap, size_t *got)
{
    size_t n;
    int rc;

    weir_assert(cap != 0 && *got == 0);
    if (tls->has_early_byte) {
        room[(*got)++] = (char) tls->early_byte;
        tls->has_early_byte = false;
    }
    while (tls->is_early) {
        if (*got == cap) {
            return WEIR_AGAIN;
        }
        switch (SSL_read_early_data(tls->ssl, room + *got, cap - *got, &n)) {
        case SSL_READ_EARLY_DATA_SUCCESS:
            *got += n;
            break;
        case SSL_READ_EARLY_DATA_FINISH:
            tls->is_early = false;
            tls->finishes = true;
            break;
        default:
            return conn_outcome(tls, 0);
        }
    }
    rc = SSL_do_handshake(tls->ssl);
    if (rc != 1) {
        return conn_outcome(tls, rc);
    }
    tls->finishes = false;
    return WEIR_OK;
}

static weir_io_t
conn_recv_records(weir_tls_conn_t *tls, char *room, size_t cap, size_t *got)
{
    size_t n;
    int rc;

    while (*got < cap) {
        rc = SSL_read_ex(tls->ssl, room + *got, cap - *got, &n);
        if (rc != 1) {
            return conn_outcome(tls, rc);
        }
        *got += n;
        tls->idle_records = 0;
    }
    return WEIR_OK;
}

/* What had to be sent unasked: an alert, an answer to KeyUpdate. */
static void
conn_send_own(weir_tls_conn_t *tls)
{
    weir_io_t io = weir_tls_flush(tls);

    if (io == WEIR_OK && tls->close_sent) {
        (void) weir_sys_shutdown(tls->conn->watch.fd, SHUT_WR);
    }
}

static weir_io_t
conn_tls_recv(weir_conn_t *conn, char *room, size_t cap, size_t *got)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    weir_io_t io = WEIR_OK;

    weir_assert(cap > 0 && tls->done);
    if (tls->peer_done || tls->failed) {
        return tls->failed ? WEIR_ERROR : WEIR_EOF;
    }
    if (!conn->watch.readable) {
        return WEIR_AGAIN;
    }
    ERR_clear_error();
    conn->error = 0;
    if (tls->is_early || tls->finishes) {
        io = conn_recv_early(tls, room, cap, got);
    }
    if (io == WEIR_OK) {
        io = conn_recv_records(tls, room, cap, got);
    }
    if (weir_tls_wants_flush(tls)) {
        conn_send_own(tls);
    }
    if (*got == 0) {
        return io;
    }
    conn->received += *got;
    if (io == WEIR_EOF || io == WEIR_ERROR || (*got == cap && (SSL_has_pending(tls->ssl) || tls->is_early))) {
        conn->watch.readable = true;
    }
    return WEIR_OK;
}

static bool
conn_tls_is_quiet(weir_conn_t *conn)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    char byte;
    int rc;

    if (!tls->done || tls->failed || tls->peer_done || tls->kept != NULL) {
        return false;
    }
    ERR_clear_error();
    conn->error = 0;
    conn->watch.readable = true;
    rc = SSL_peek(tls->ssl, &byte, 1);
    if (rc > 0 || conn_outcome(tls, rc) != WEIR_AGAIN) {
        conn->watch.readable = true;
        return false;
    }
    return weir_tls_flush(tls) == WEIR_OK;
}

/* -- sending -- */

typedef struct {
    weir_tls_conn_t *tls;
    size_t           held;                           /* bytes in conn_record */
    size_t           gathered;                       /* of the stream, encrypted since the last flush */
    size_t           taken;                          /* of the stream, encrypted in all */
} conn_out_t;

static weir_io_t
conn_encrypt(conn_out_t *out, const char *at, size_t len)
{
    SSL *ssl = out->tls->ssl;
    weir_io_t io;
    size_t n;
    int rc;

    weir_assert(out->held == 0);     /* what was held is before it */
    while (len != 0) {
        rc = out->tls->is_early || out->tls->finishes ? SSL_write_early_data(ssl, at, len, &n)
             : SSL_write_ex(ssl, at, len, &n);
        if (rc != 1) {
            return conn_fail(out->tls);              /* the BIO takes all there is memory for */
        }
        at += n;
        len -= n;
        out->taken += n;
        out->gathered += n;
        if (out->gathered >= WEIR_TLS_GATHER - CONN_RECORD_MAX) {
            out->gathered = 0;
            io = weir_tls_flush(out->tls);
            if (io != WEIR_OK) {
                return io;
            }
        }
    }
    return WEIR_OK;
}

static weir_io_t
conn_encrypt_held(conn_out_t *out)
{
    size_t len = out->held;

    out->held = 0;
    return conn_encrypt(out, conn_record, len);
}

/* Pieces that do not fill a record go together into one. */
static weir_io_t
conn_put(conn_out_t *out, const char *at, size_t len)
{
    size_t full = (size_t) out->tls->context->fragment;

    weir_assert(full != 0 && full <= CONN_RECORD_MAX && out->held < full);
    while (len != 0) {
        size_t n = weir_min(len, full - out->held);
        weir_io_t io;
        if (out->held == 0 && len >= full) {
            n = len - len % full;
            io = conn_encrypt(out, at, n);
        } else {
            memcpy(conn_record + out->held, at, n);
            out->held += n;
            io = out->held == full ? conn_encrypt_held(out) : WEIR_OK;
        }
        if (io != WEIR_OK) {
            return io;
        }
        at += n;
        len -= n;
    }
    return WEIR_OK;
}

static weir_io_t
conn_put_all(conn_out_t *out, const struct iovec *iov, size_t n, size_t skip)
{
    weir_io_t io = WEIR_OK;

    if (n == 1 && iov->iov_len - skip <= (size_t) out->tls->context->fragment) {
        return conn_encrypt(out, (const char *) iov->iov_base + skip, iov->iov_len - skip);
    }
    for (size_t i = 0; i < n && io == WEIR_OK; i++) {
        size_t over = weir_min(skip, iov[i].iov_len);
        skip -= over;
        io = conn_put(out, (const char *) iov[i].iov_base + over, iov[i].iov_len - over);
    }
    return io == WEIR_OK ? conn_encrypt_held(out) : io;
}

/* While ciphertext of the stream is kept, its last byte is called unsent: the caller comes back with it when the socket
 * can be written to, and it is passed over then. */
static weir_io_t
conn_tls_send(weir_conn_t *conn, const struct iovec *iov, size_t n, size_t *sent)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    conn_out_t out = { .tls = tls };
    size_t owed = tls->owed, total = 0;
    weir_io_t io;

    for (size_t i = 0; i < n; i++) {
        total += iov[i].iov_len;
    }
    if (total == 0) {
        return WEIR_OK;
    }
    if (tls->failed || tls->close_sent) {
        conn->error = EPIPE;
        return WEIR_ERROR;
    }
    if (!conn->watch.writable) {
        return WEIR_AGAIN;
    }
    ERR_clear_error();
    conn->error = 0;
    io = weir_tls_flush(tls);
    if (io != WEIR_OK) {
        tls->close_sent = tls->close_sent || io == WEIR_ERROR;
        return io;
    }
    weir_assert(owed <= total);
    tls->owed = 0;
    io = conn_put_all(&out, iov, n, owed);
    if (io == WEIR_OK) {
        io = weir_tls_flush(tls);
    }
    if (io == WEIR_ERROR) {
        tls->close_sent = true;                /* when it is the socket: the peer may have said why, and can be heard */
        return io;
    }
    *sent = owed + out.taken;
    weir_assert(*sent <= total);
    if (io == WEIR_AGAIN && out.taken != 0) {
        tls->owed = 1;
        *sent -= 1;
    }
    conn->sent += *sent;
    tls->idle_records = 0;
    return io;
}

/* -- the end -- */

static void
conn_say_goodbye(weir_tls_conn_t *tls)
{
    weir_assert(!tls->close_sent);
    tls->close_sent = true;
    if (tls->done && !tls->failed && !tls->is_early && !tls->finishes && !tls->conn->watch.failed) {
        ERR_clear_error();
        (void) SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
}

static void
conn_tls_shutdown(weir_conn_t *conn)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);

    if (!tls->close_sent) {
        conn_say_goodbye(tls);
        conn_send_own(tls);
    }
}

static void
conn_tls_close(weir_conn_t *conn)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);

    weir_assert(tls != NULL && tls->conn == conn);
    if (!tls->close_sent && tls->kept == NULL) {
        conn_say_goodbye(tls);
        conn_send_own(tls);
    }
    if (!tls->failed) {
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);    /* the session is good */
    }
    conn->secure = NULL;
    conn_free(tls);
    ERR_clear_error();
}

const weir_transport_t weir_transport_tls = {
    .name = "tls",
    .recv = conn_tls_recv,
    .send = conn_tls_send,
    .shutdown = conn_tls_shutdown,
    .close = conn_tls_close,
    .is_quiet = conn_tls_is_quiet,
};

/* -- what it knows -- */

weir_str_t
weir_tls_protocol(const weir_conn_t *conn)
{
    const unsigned char *at = NULL;
    unsigned len = 0;

    if (weir_tls_is_on(conn)) {
        SSL_get0_alpn_selected(weir_tls_conn_of(conn)->ssl, &at, &len);
    }
    return weir_str((const char *) at, len);
}

weir_tls_context_t *
weir_tls_context_of(const weir_conn_t *conn)
{
    return weir_tls_conn_of(conn)->context;
}

bool
weir_tls_was_resumed(const weir_conn_t *conn)
{
    return SSL_session_reused(weir_tls_conn_of(conn)->ssl) == 1;
}

bool
weir_tls_is_early(const weir_conn_t *conn)
{
    const weir_tls_conn_t *tls = weir_tls_conn_of(conn);

    return tls->is_early || tls->finishes;
}

bool
weir_tls_has_peer_certificate(const weir_conn_t *conn)
{
    return SSL_get0_peer_certificate(weir_tls_conn_of(conn)->ssl) != NULL;
}

long
weir_tls_verify_result(const weir_conn_t *conn)
{
    return SSL_get_verify_result(weir_tls_conn_of(conn)->ssl);
}

void
weir_tls_conn_fini(void)
{
    weir_tls_bio_fini();
}
