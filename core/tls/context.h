/*
 * context.h - a TLS context: certificates, keys and policy of one side, immutable once made, counted by reference.
 *
 * Made when a configuration is built: in the master (to check it), in a worker's build thread.  Settings that are equal
 * byte for byte give the same context again, so that a reload that changes nothing about a server leaves its context,
 * and the sessions under it, as they are.  OpenSSL's names are known inside core/tls only.
 *
 * Keys' bytes are wiped where Weir held a copy of them.
 */
#ifndef WEIR_TLS_CONTEXT_H
#define WEIR_TLS_CONTEXT_H

#include "base/error.h"

typedef struct weir_tls_context weir_tls_context_t;

typedef struct { weir_str_t name, bytes; } weir_tls_file_t;            /* as the configuration names it; what it held */
/* PEM; the certificate with its chain behind it */
typedef struct { weir_tls_file_t certificate, key; } weir_tls_pair_t;
typedef struct { weir_str_t name, value; } weir_tls_command_t;             /* SSL_CONF_cmd, e.g. "Ciphersuites" */
typedef struct { weir_tls_file_t *at; size_t n; } weir_tls_files_t;

enum { WEIR_TLS_V1_0 = 1, WEIR_TLS_V1_1 = 2, WEIR_TLS_V1_2 = 4, WEIR_TLS_V1_3 = 8 };
typedef enum { WEIR_TLS_VERIFY_OFF, WEIR_TLS_VERIFY_ON, WEIR_TLS_VERIFY_OPTIONAL,
               WEIR_TLS_VERIFY_OPTIONAL_NO_CA } weir_tls_verify_t;

typedef struct {
    bool                 is_server;
    bool                 is_base;           /* its pairs come later, by weir_tls_context_with_pairs */
    weir_tls_pair_t     *pairs;             /* of different key types; the client side has one at most */
    size_t               n_pairs;
    weir_strs_t          passwords;         /* tried in turn for keys that are encrypted */
    uint32_t             protocols;         /* WEIR_TLS_V… */
    weir_str_t           ciphers;           /* TLS 1.2 and before, OpenSSL's list format; empty: OpenSSL's default */
    weir_str_t           curves;            /* "auto" or empty: OpenSSL's */
    bool                 prefer_server_ciphers;
    weir_tls_command_t  *commands;
    size_t               n_commands;
    weir_tls_file_t      dhparam;           /* empty name: no DHE */

    /* what is verified of the other side */
    weir_tls_verify_t    verify;            /* client side: off or on */
    uint32_t             verify_depth;
    weir_tls_file_t      client_ca;         /* ssl_client_certificate: trusted, and their names are sent */
    weir_tls_file_t      trusted;        /* ssl_trusted_certificate, proxy_ssl_trusted_certificate: trusted, not sent */
    weir_tls_file_t      crl;
    bool                 system_roots;     /* trust what the system trusts (client side, when `trusted` is not named) */
    /* more of the server's verification policy, e.g. ssl_ocsp's; sessions are bound to it */
    uint32_t             policy;

    /* sessions */
    uint32_t             session_timeout_s;
    bool                 tickets, early_data;
    /* ssl_session_ticket_key: 48 or 80 bytes each, the first encrypts; none: Weir's own */
    weir_tls_files_t     ticket_keys;
    struct weir_tls_cache *cache;           /* shared between workers; NULL: none (session.h) */
    weir_str_t           cache_name;        /* what tells caches apart for the digest */

    weir_str_t           stapled;           /* ssl_stapling_file: DER; empty: none */
    weir_str_t           staple_from;   /* else the responder that is asked, and how: for the digest */
    size_t               buffer_size;       /* largest record sent; 16384 at most */
} weir_tls_settings_t;

/* A reference to the context of these settings.  NULL with *error: names the file and says what OpenSSL says.  Nothing
 * of
 * *settings is kept by reference.  Any thread. */
weir_tls_context_t *weir_tls_context_create(const weir_tls_settings_t *settings, weir_error_t *error) WEIR_MUST_USE;
weir_tls_context_t *weir_tls_context_ref(weir_tls_context_t *context);
void                weir_tls_context_unref(weir_tls_context_t *context);    /* NULL is fine; any thread */

/* Two contexts ask the same of a client's certificate: a request may go from a connection of one to a server of the
 * other (RFC 9110 §7.4: else 421). */
bool weir_tls_context_same_policy(const weir_tls_context_t *a, const weir_tls_context_t *b);
weir_tls_verify_t weir_tls_context_verify(const weir_tls_context_t *context);

/* Is there a server's context that issues tickets under keys of Weir's own? */
bool weir_tls_contexts_want_tickets(void);

/* A stapled OCSP answer that came later (ssl_stapling): for handshakes from now on.  DER, copied.  false: no memory.
 * Loop's thread. */
bool weir_tls_context_staple(weir_tls_context_t *context, weir_str_t der) WEIR_MUST_USE;
void weir_tls_context_unstaple(weir_tls_context_t *context);

/* A pair with the settings of `base`, for names with variables: loaded while the server runs.  The result is a context
 * of its own that shares policy and sessions' context with its base. */
weir_tls_context_t *weir_tls_context_with_pairs(const weir_tls_context_t *base, const weir_tls_pair_t *pairs, size_t n,
                                                weir_error_t *error) WEIR_MUST_USE;

/* "OpenSSL 3.0.17" … for -V; and what its queue of errors says now, emptied, without secrets.  text is
 * NUL-terminated. */
size_t weir_tls_take_errors(char *text, size_t cap);

#endif
