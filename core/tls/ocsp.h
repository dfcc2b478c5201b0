/*
 * ocsp.h - asking whether a certificate was revoked (RFC 6960): what is asked, and what an answer is worth.
 *
 * No I/O: the caller carries the bytes.  Questions are made at load (stapling) or on the loop (a client's certificate);
 * an answer is believed when it is about the certificate asked for, fits the time, and is signed by the certificate's
 * issuer or by a responder that the issuer itself appointed.
 */
#ifndef WEIR_TLS_OCSP_H
#define WEIR_TLS_OCSP_H

#include "base/str.h"
#include "tls/conn.h"

typedef struct weir_tls_ocsp weir_tls_ocsp_t;      /* a question about one certificate */

#define WEIR_TLS_OCSP_ID_LEN 32
#define WEIR_TLS_OCSP_ANSWER_MAX 16384             /* bytes; longer answers are not read */

/* About the first certificate of a PEM text; its issuer is found behind it or in `more` (PEM, may be empty).  NULL with
 * *why. */
weir_tls_ocsp_t *weir_tls_ocsp_of_certificate(weir_str_t pem, weir_str_t more, const char **why) WEIR_MUST_USE;
/* About the client's certificate (depth 0) or one above it.  NULL: *why is NULL when there is none to ask about (no
 * certificate at that depth, or the root), else says what went wrong. */
weir_tls_ocsp_t *weir_tls_ocsp_of_peer(const weir_conn_t *conn, size_t depth, const char **why) WEIR_MUST_USE;
void             weir_tls_ocsp_destroy(weir_tls_ocsp_t *question);     /* NULL is fine */

/* All live as long as the question. */
weir_str_t weir_tls_ocsp_url(const weir_tls_ocsp_t *question);     /* http:// address in the certificate; empty: none */
weir_str_t weir_tls_ocsp_request(const weir_tls_ocsp_t *question);     /* DER */
/* WEIR_TLS_OCSP_ID_LEN bytes, the same for the same certificate */
weir_str_t weir_tls_ocsp_id(const weir_tls_ocsp_t *question);

typedef enum {
    WEIR_TLS_OCSP_INVALID,           /* not an answer to this, too old, or not signed by one that may */
    WEIR_TLS_OCSP_GOOD, WEIR_TLS_OCSP_REVOKED, WEIR_TLS_OCSP_UNKNOWN,
} weir_tls_ocsp_status_t;

/* der: what came.  verify: the signature too.  *until_s: the wall clock's second after which the answer is void (0: it
 * does not say).
 * *why: constant text. */
weir_tls_ocsp_status_t weir_tls_ocsp_read(const weir_tls_ocsp_t *question, weir_str_t der, bool verify, uint64_t wall_s,
                                          uint64_t *until_s, const char **why);

#endif
