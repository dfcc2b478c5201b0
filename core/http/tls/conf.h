/*
 * conf.h - what the ssl_* directives of the http part say, and what is built of them for each server; inside
 * core/http/tls only.
 */
#ifndef WEIR_HTTP_TLS_CONF_H
#define WEIR_HTTP_TLS_CONF_H

#include "http/conf.h"
#include "http/tls/tls.h"
#include "shm/entries.h"
#include "tls/context.h"
#include "upstream/group.h"

/* A file that a directive names: absolute, or empty when there is none. */
typedef struct {
    weir_str_t               path;
    const weir_conf_words_t *words;              /* the directive, for errors */
} weir_http_tls_file_t;

/* One entry of ssl_certificate, ssl_certificate_key or ssl_session_ticket_key. */
typedef struct {
    const weir_template_t   *name;
    const weir_conf_words_t *words;
} weir_http_tls_name_t;

typedef struct { weir_http_tls_name_t *at; size_t n; } weir_http_tls_names_t;
typedef struct { weir_http_tls_file_t *at; size_t n; } weir_http_tls_files_t;

/* ssl_conf_command */
typedef struct {
    weir_str_t name, value;
} weir_http_tls_command_t;
typedef struct { weir_http_tls_command_t *at; size_t n; } weir_http_tls_commands_t;

/* ssl_certificate_cache; max 0: off */
typedef struct {
    uint32_t    max;
    weir_msec_t inactive, valid;
} weir_http_tls_cache_t;

/* ssl_session_cache, ssl_ocsp_cache: shared memory, or none */
typedef struct {
    weir_str_t               name;               /* empty: none */
    uint64_t                 size;
    const weir_conf_words_t *words;
} weir_http_tls_zone_t;

/* An http:// address that OCSP is asked at, its host resolved when the configuration was read. */
typedef struct {
    weir_str_t         url, host, path;          /* host as it stands in the Host field; empty: none was named */
    weir_addrs_t       addrs;
    /* of a configured one, once bound: its peers, kept connections and statistics */
    weir_group_id_t    group;
} weir_http_tls_responder_t;

enum { WEIR_HTTP_TLS_OCSP_OFF, WEIR_HTTP_TLS_OCSP_ON, WEIR_HTTP_TLS_OCSP_LEAF };

typedef struct {
    weir_http_tls_names_t     certificates, keys;
    weir_http_tls_cache_t     certificate_cache;
    weir_http_tls_file_t      password_file, dhparam, client_certificate, trusted_certificate, crl, stapling_file;
    weir_http_tls_files_t     ticket_keys;
    weir_http_tls_commands_t  commands;
    weir_http_tls_zone_t      session_cache, ocsp_cache;
    weir_http_tls_responder_t stapling_responder, ocsp_responder;
    weir_str_t                ciphers, curves;
    weir_bytes_t              buffer_size;
    weir_msec_t               session_timeout;
    uint32_t                  protocols, verify, verify_depth, ocsp;
    weir_flag_t prefer_server_ciphers, early_data, reject_handshake, session_tickets, stapling, stapling_verify;
    weir_flag_t               gone;              /* `ssl on` */
} weir_http_tls_conf_t;

/* responder.c: what an http:// address says; false with *why.  Of a directive's the host is found when it is bound; of
 * one in a server's certificate, at load, through the bundle; of one in a client's only a numeric address will do. */
bool weir_http_tls_split_responder(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder,
                                   const char **why) WEIR_MUST_USE;
bool weir_http_tls_read_responder(weir_conf_t *cf, weir_str_t url, weir_http_tls_responder_t *responder,
                                  const char **why) WEIR_MUST_USE;
bool weir_http_tls_read_numeric_responder(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder,
                                          const char **why) WEIR_MUST_USE;

/* At build: its group, an upstream block's or one of its own.  true where it has no host; false: cf->error is set. */
bool weir_http_tls_bind_responder(weir_conf_t *cf, weir_generation_t *generation,
                                  weir_http_tls_responder_t *responder) WEIR_MUST_USE;

/* responder.c: one question asked of one responder of the generation, each of its addresses in turn.  `request` and the
 * responder live until done or cancel.  done is called once, never from within: an empty answer is a failure, *why says
 * which.  NULL: no memory. */
typedef struct weir_http_tls_fetch weir_http_tls_fetch_t;
typedef void weir_http_tls_fetched_t(void *data, weir_str_t answer, const char *why);
weir_http_tls_fetch_t *weir_http_tls_fetch(weir_http_t *http, const weir_generation_t *generation,
                                           const weir_http_tls_responder_t *responder, weir_str_t request,
                                           weir_http_tls_fetched_t *done, void *data) WEIR_MUST_USE;
void weir_http_tls_fetch_cancel(weir_http_tls_fetch_t *fetch);       /* NULL is fine */

typedef struct weir_http_tls_certs weir_http_tls_certs_t;
typedef struct weir_http_tls_stapler weir_http_tls_stapler_t;

/* What belongs to the worker's loop, in the generation's live memory. */
typedef struct {
    weir_http_tls_certs_t   *certs;              /* those loaded for names that have variables */
    weir_tls_context_t      *held;               /* what the last choice lent, when nothing else holds it */
    weir_http_tls_stapler_t *stapler;            /* keeps the staple fresh */
    bool                     has_begun;          /* a handshake has used it */
} weir_http_tls_runs_t;

/* A server's.  Immutable, but for what is behind `runs`. */
struct weir_http_tls {
    const weir_http_tls_conf_t *conf;
    /* a reference; without a certificate when names have variables or it only refuses */
    weir_tls_context_t         *context;
    weir_str_t                  folder;          /* of the configuration's file: relative names begin there */
    bool                        rejects;         /* ssl_reject_handshake */
    bool                        is_dynamic;      /* a certificate's name has variables */
    bool                        may_have_none;   /* toward peers: no certificate is shown where the name is empty */
    weir_http_tls_runs_t       *runs;

    /* OCSP */
    struct weir_tls_ocsp       *staple;          /* the question about its own certificate; NULL: none is asked */
    weir_http_tls_responder_t   staple_from, ocsp_from;
    const weir_entries_t       *ocsp_cache;      /* of ssl_ocsp_cache; NULL: none */
};

extern const size_t weir_http_ssl_index;

/* build.c: the module's build. */
/* The kinds of its zones, ended by NULL. */
extern const struct weir_zone_kind *const weir_http_tls_zone_kinds[];
bool weir_http_tls_build(weir_conf_t *cf, weir_generation_t *generation);

/* certs.c: the context for a server whose certificates' names have variables, at a hello; NULL: logged. Borrowed, until
 * the next call at least. */
weir_tls_context_t *weir_http_tls_load(weir_http_tls_t *tls, weir_request_t *req);
void                weir_http_tls_certs_free(weir_http_tls_t *tls);

/* stapling.c: the answer about this server's certificate is kept fresh from now on; and no more for this server. */
void weir_http_tls_staple(weir_http_tls_t *tls, weir_http_t *http);
void weir_http_tls_unstaple(weir_http_tls_t *tls);

/* client_ocsp.c: begins to ask about the client's certificate.  NEXT: nothing to ask, or all is known · PARK · (what is
 * wrong is told by weir_http_tls_objection, to each request) */
weir_step_t weir_http_tls_ask_about_client(weir_http_conn_t *c, void (*go_on)(weir_http_conn_t *c));
/* Why OCSP does not let the client's certificate pass; NULL: it does, or was not asked.  Constant text. */
const char *weir_http_tls_objection(const weir_client_t *client);

#endif
