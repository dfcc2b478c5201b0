/*
 * internal.h - what the files of core/tls that know OpenSSL share, OpenSSL's types among it; inside core/tls only.
 */
#ifndef WEIR_TLS_INTERNAL_H
#define WEIR_TLS_INTERNAL_H

#include "tls/conn.h"
#include "tls/tickets.h"

#include <openssl/ssl.h>

struct weir_tls_context {
    SSL_CTX                   *ctx;
    uint32_t                   refs;                 /* atomic */
    bool                       is_registered;
    uint8_t                    digest[32];           /* of all settings */
    uint8_t                    policy[32];    /* of what is asked of the peer's certificate: the sessions' id context */
    weir_tls_verify_t          verify;
    uint32_t                   verify_depth, session_timeout_s;
    bool                       is_server, tickets, early_data;
    long                       fragment;             /* largest record sent, in bytes of the stream */
    weir_tls_cache_t          *cache;
    weir_tls_ticket_key_t     *ticket_keys;          /* the configuration's own, the first encrypts; wiped */
    size_t                     n_ticket_keys;
    char                      *groups;               /* as OpenSSL's list; NULL: its own */
    unsigned char             *stapled;              /* OPENSSL_malloc */
    size_t                     stapled_len;
    struct weir_tls_settings_copy *settings;         /* of a base: for weir_tls_context_with_pairs */
    struct weir_tls_context   *next;                 /* of the registry by digest */
};

/* settings.c */
typedef struct weir_tls_settings_copy weir_tls_settings_copy_t;
void weir_tls_settings_digest(const weir_tls_settings_t *settings, uint8_t digest[32]);
/* What is asked of the peer's certificate only. */
void weir_tls_settings_policy(const weir_tls_settings_t *settings, uint8_t policy[32]);
/* All but the pairs.  The copy is wiped when it goes. */
weir_tls_settings_copy_t  *weir_tls_settings_keep(const weir_tls_settings_t *settings);
const weir_tls_settings_t *weir_tls_settings_kept(const weir_tls_settings_copy_t *copy);
void                       weir_tls_settings_forget(weir_tls_settings_copy_t *copy);    /* NULL is fine */

/* files.c: what PEM files hold, into ctx.  false: *error. */
bool weir_tls_use_pair(SSL_CTX *ctx, const weir_tls_pair_t *pair, weir_strs_t passwords,
                       weir_error_t *error) WEIR_MUST_USE;
bool weir_tls_use_authorities(SSL_CTX *ctx, const weir_tls_settings_t *settings, weir_error_t *error) WEIR_MUST_USE;
bool weir_tls_use_dhparam(SSL_CTX *ctx, const weir_tls_file_t *file, weir_error_t *error) WEIR_MUST_USE;
/* error: what, and what OpenSSL says about it. */
bool weir_tls_error(weir_error_t *error, const char *fmt, ...) WEIR_PRINTF(2, 3);

/* Callbacks of every context, by the file that knows them: sessions and 0-RTT (resume.c), hello, ALPN and stapling
 * (hello.c). */
void weir_tls_resume_prepare(weir_tls_context_t *context);
void weir_tls_hello_prepare(weir_tls_context_t *context);
/* A server's connection whose context is known: it issues what it has keys or a cache for, and takes early data if it
 * may. */
void weir_tls_resume_limit(SSL *ssl, const weir_tls_context_t *context);
/* Did any context of this process ever take early data?  Then every handshake looks for it. */
bool weir_tls_some_early_data(void);

/* A connection: conn->secure. */
typedef struct weir_tls_conn {
    SSL                       *ssl;
    weir_conn_t               *conn;
    weir_tls_context_t        *context;     /* a reference: the one chosen */
    const weir_tls_acceptor_t *acceptor;
    void                      *owner;
    weir_tls_slot_t           *slot;
    char                       server_name[256];   /* SNI as checked; NUL-terminated, "" for none */
    char                      *kept;               /* ciphertext that the socket did not take; NULL: none */
    size_t                     kept_at, kept_len, kept_cap;
    char                      *plain;              /* what came when it was no TLS; NULL: nothing */
    size_t                     plain_len;
    size_t                     owed;          /* bytes of the stream in `kept` that the caller thinks unsent (conn.c) */
    uint32_t                   idle_records;       /* messages without a byte of the stream since the last with one */
    uint8_t                    early_byte;         /* the first of the 0-RTT data, read to learn that there is some */
    bool                       has_early_byte;
    bool                       is_server;
    bool                       done;               /* the handshake, or it waits only for the end of 0-RTT data */
    bool                       tries_early;        /* the hello has not been looked at for 0-RTT data */
    bool                       is_early;           /* 0-RTT data are being read */
    bool                       finishes;           /* they are at their end; the handshake's rest is due */
    bool                       looked;             /* at the first byte */
    bool                       was_plain, failed, peer_done, close_sent, eof, flooded;
} weir_tls_conn_t;

static inline weir_tls_conn_t *weir_tls_conn_of(const weir_conn_t *conn) { return conn->secure; }
/* bio.c: between OpenSSL and the socket.  What OpenSSL writes is gathered until flush: one send for all of it.  OK: all
 * of it went ·
 * AGAIN: some is kept until the socket is writable · ERROR (conn->error). */
BIO_METHOD *weir_tls_bio_method(void);
weir_io_t   weir_tls_flush(weir_tls_conn_t *tls) WEIR_MUST_USE;
bool        weir_tls_wants_flush(const weir_tls_conn_t *tls);
void        weir_tls_bio_fini(void);
#define WEIR_TLS_GATHER (64 * 1024)                 /* bytes of the stream a send */
/* The first bytes are no TLS: kept for weir_tls_take_plain.  -1, as a BIO's read. */
int         weir_tls_keep_plain(weir_tls_conn_t *tls, const char *at, size_t len);

/* The connection an SSL belongs to (ex data). */
weir_tls_conn_t *weir_tls_conn_of_ssl(const SSL *ssl);
/* SSL_CTX -> context (ex data). */
weir_tls_context_t *weir_tls_context_of_ctx(const SSL_CTX *ctx);

#endif
