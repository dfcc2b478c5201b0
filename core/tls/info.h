/*
 * info.h - what a TLS connection can tell: the values behind $ssl_* and the logs.
 *
 * Runs in workers.  Texts are made in the arena, or live as long as the connection.
 */
#ifndef WEIR_TLS_INFO_H
#define WEIR_TLS_INFO_H

#include "base/arena.h"
#include "tls/conn.h"

typedef enum {
    WEIR_TLS_PROTOCOL,              /* "TLSv1.3" */
    WEIR_TLS_CIPHER,                /* "TLS_AES_128_GCM_SHA256" */
    WEIR_TLS_CIPHERS,               /* those the client offered, names (unknown: 0x…), ":" between */
    WEIR_TLS_CURVE,                 /* of the key exchange */
    WEIR_TLS_CURVES,                /* those the client supports */
    WEIR_TLS_SIGALG,                /* of the server's signature, where OpenSSL tells */
    WEIR_TLS_SERVER_NAME,           /* SNI */
    WEIR_TLS_ALPN,
    WEIR_TLS_SESSION_ID,            /* hex */
    WEIR_TLS_SESSION_REUSED,        /* "r" or "." */
    WEIR_TLS_EARLY_DATA,            /* "1" or empty */
    WEIR_TLS_CLIENT_CERT,           /* PEM, every line but the first with a tab before it */
    WEIR_TLS_CLIENT_RAW_CERT,       /* PEM */
    WEIR_TLS_CLIENT_ESCAPED_CERT,   /* PEM, percent-encoded */
    WEIR_TLS_CLIENT_FINGERPRINT,    /* SHA-1, hex */
    WEIR_TLS_CLIENT_S_DN,           /* RFC 2253 */
    WEIR_TLS_CLIENT_I_DN,
    WEIR_TLS_CLIENT_S_DN_LEGACY,    /* "/C=…/O=…" */
    WEIR_TLS_CLIENT_I_DN_LEGACY,
    WEIR_TLS_CLIENT_SERIAL,
    WEIR_TLS_CLIENT_PRINCIPAL,      /* the first URI among its names, else the first DNS name, else the subject */
    WEIR_TLS_CLIENT_VERIFY,         /* SUCCESS, FAILED:reason, NONE */
    WEIR_TLS_CLIENT_V_START,        /* "May  1 00:00:00 2026 GMT" */
    WEIR_TLS_CLIENT_V_END,
    WEIR_TLS_CLIENT_V_REMAIN,       /* days */
    WEIR_TLS_INFO_MAX
} weir_tls_info_t;

/* false: there is none (no TLS, no certificate, no memory). */
bool weir_tls_info(const weir_conn_t *conn, weir_tls_info_t what, weir_arena_t *arena, weir_str_t *value) WEIR_MUST_USE;

#endif
