/*
 * identity.h - by what a client's certificate names it, where it was verified.
 *
 * Runs in workers.  Texts are in the caller's arena.
 */
#ifndef WEIR_TLS_IDENTITY_H
#define WEIR_TLS_IDENTITY_H

#include "base/arena.h"
#include "tls/conn.h"

#define WEIR_TLS_IDENTITY_NAMES 64       /* alternative names that are looked at */

/* The client has sent a certificate, an authority that is trusted here has signed it, and nothing is wrong with it:
 * what optional and optional_no_ca let pass beyond that is not verified. */
bool weir_tls_identity_is_verified(const weir_conn_t *conn) WEIR_MUST_USE;
/* Of a certificate that is there.  SHA-256 of it, in hex digits; its subject, as RFC 2253 writes it.  Empty: there is
 * no memory, or nothing in it. */
weir_str_t weir_tls_identity_fingerprint(const weir_conn_t *conn, weir_arena_t *arena);
weir_str_t weir_tls_identity_subject(const weir_conn_t *conn, weir_arena_t *arena);
/* Its alternative names in order: "dns:HOST" in lower case, "email:…", "uri:…", "ip:…".  One with a NUL or another
 * control character is none.  How many. */
size_t weir_tls_identity_names(const weir_conn_t *conn, weir_arena_t *arena,
                               weir_str_t names[WEIR_TLS_IDENTITY_NAMES]);

#endif
