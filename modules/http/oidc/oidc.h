/*
 * oidc.h - what the files of OpenID Connect share.
 *
 *     module.c   the module and its life     conf.c      oidc_provider { … }, auth_oidc
 *     provider.c where a provider is: its endpoints and keys, as it publishes them
 *     guard.c    clients are let in          login.c     off to the provider      callback.c  and back from there
 *     grant.c    the token endpoint asked    id_token.c  what its answer says     refresh.c   once for all requests
 *     logout.c   the end                     vars.c      variables
 *     session.c  a session as bytes          cookies.c   what browsers are told to keep, and peers do not get
 *
 * A session is nowhere but in the browser: a sealed text (jose/seal.h), in as many cookies as it takes.  So a reload,
 * an upgrade or another worker changes nothing.  What is shared between workers are the provider's endpoints and keys
 * (http/fetch/document.h), refreshes that have just been made, and sessions that were logged out.
 */
#ifndef WEIR_OIDC_H
#define WEIR_OIDC_H

#include "http/fetch/document.h"
#include "http/message/cookies.h"
#include "http/module.h"
#include "jose/jws.h"
#include "jose/jwt.h"
#include "jose/seal.h"

extern const size_t weir_http_oidc_index;

#define OIDC_URL_MAX      2048
#define OIDC_DIGEST       32
#define OIDC_LEEWAY_S     60                     /* how much clocks may differ */
#define OIDC_SESSION_MAX  ((size_t) 32 << 10)    /* bytes of a session before it is sealed */
#define OIDC_LOGINS       8                      /* of one browser under way at one time */

typedef struct oidc_process oidc_process_t;
typedef struct oidc_grant   oidc_grant_t;

/* What a provider says of itself (OpenID Connect Discovery 1.0 §3). */
typedef struct {
    weir_arena_t arena;
    weir_str_t   issuer, authorization, token, jwks, end_session;    /* empty: it has none */
    bool         says_issuer;                    /* its answers have "iss" (RFC 9207) */
} oidc_metadata_t;

/* oidc_provider NAME { … } */
typedef struct oidc_provider {
    weir_str_t               name;
    const weir_conf_words_t *words;
    weir_str_t               issuer, client_id, client_secret, scope, extra_args;
    weir_str_t               redirect_uri, callback;         /* as written; its path */
    weir_str_t               logout_uri, post_logout_uri;    /* empty: none */
    weir_str_t               cookie_name, trusted_certificate;
    weir_strs_t              secrets;                        /* of session_key_file; n 0: there is none */
    uint64_t                 algorithms;
    weir_msec_t              session_timeout, session_lifetime, login_timeout, refresh_before;
    weir_bytes_t             cookie_max_size;
    bool                     has_pkce, has_hint, has_token_url, has_jwks_url;
    enum { OIDC_AUTH_BASIC, OIDC_AUTH_POST, OIDC_AUTH_NONE } client_auth;
    /* derived */
    weir_str_t               cookie[2], login_cookie[2];     /* plain, and of https */
    uint8_t                  bound[OIDC_DIGEST];             /* a digest of whose sessions these are */
    weir_seal_t             *session_seal, *login_seal;
    weir_fetch_url_t         token_url;                      /* of token_endpoint */
    weir_document_t          endpoints, keys;
    char                     keys_room[OIDC_URL_MAX];        /* keys.at has its target there */
    const struct oidc_tables *tables;
    /* from adopt */
    weir_generation_t       *generation;                     /* borrowed */
    oidc_process_t          *process;
} oidc_provider_t;

typedef struct { oidc_provider_t **at; size_t n; } oidc_providers_t;

typedef struct {
    weir_str_t               name;                           /* empty: off */
    const weir_conf_words_t *words;
} oidc_ask_t;

typedef struct {
    oidc_providers_t providers;                  /* http's, for all below it */
    oidc_ask_t       ask;
    uint32_t         dry_run;
    oidc_provider_t *provider;                   /* derived; NULL: off */
} oidc_conf_t;

/* Shared memory of all workers. */
typedef struct oidc_tables {
    weir_entries_t refreshes, logouts;
    const uint8_t *secret;                       /* of those who have no session_key_file */
} oidc_tables_t;
#define OIDC_SECRET 48

/* -- session.c: pure -- */
typedef struct {
    uint64_t   created_s, seen_s;                /* wall clock */
    uint64_t   access_until_s, refresh_at_s;     /* 0: it is not said */
    uint8_t    id[16];
    weir_str_t id_token, access_token, refresh_token;        /* empty: there is none */
} oidc_session_t;

/* NULL at: it is longer than OIDC_SESSION_MAX.  In the arena, whose owner wipes it. */
weir_str_t oidc_session_write(const oidc_session_t *session, weir_arena_t *arena);
/* The texts are slices of `bytes`, or in the arena.  false: these are no session's. */
bool       oidc_session_read(weir_str_t bytes, weir_arena_t *arena, oidc_session_t *session) WEIR_MUST_USE;

/* A login under way. */
typedef struct {
    uint64_t   created_ms;                       /* wall clock */
    weir_str_t state, nonce, verifier, uri;
} oidc_login_t;
weir_str_t oidc_login_write(const oidc_login_t *login, weir_arena_t *arena);
bool       oidc_login_read(weir_str_t bytes, oidc_login_t *login) WEIR_MUST_USE;

/* -- conf.c -- */
extern const weir_conf_type_t oidc_type_providers, oidc_type_ask;
bool oidc_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
bool oidc_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
/* The block is whole: what is missing is told, what is derived is made. */
bool oidc_settle(weir_conf_t *cf, oidc_provider_t *provider);
/* At build: its addresses. */
bool oidc_bind(weir_conf_t *cf, weir_generation_t *generation, oidc_provider_t *provider);

/* -- provider.c -- */
extern const weir_document_kind_t oidc_endpoints_kind, oidc_keys_kind;
void oidc_provider_on_endpoints(weir_document_t *document, void *value);
/* Its endpoints now, good for the time of the call; NULL: they are not known, or those of another issuer. */
const oidc_metadata_t *oidc_provider_endpoints(const oidc_provider_t *provider);
/* Where tokens are asked for.  false: at an address that is not bound. */
bool oidc_provider_token_url(const oidc_provider_t *provider, weir_arena_t *arena, weir_fetch_url_t *url);

/* -- guard.c -- */
typedef enum { OIDC_NO_SESSION, OIDC_SESSION, OIDC_ENDED } oidc_verdict_t;

/* What is known of the browser's session in a place. */
typedef struct oidc_state {
    oidc_provider_t   *provider;
    weir_request_t    *req;                      /* the client's */
    weir_arena_t       secrets;                  /* wiped with the request */
    oidc_session_t     session;                  /* when the verdict is SESSION */
    oidc_verdict_t     verdict;
    const char        *why;                      /* of NO_SESSION and ENDED: for the log */
    bool               is_secure;                /* cookies are Secure and have __Host- */
    bool               is_old_key, has_waited, is_renewed, is_answered;
    uint32_t           pieces;                   /* that the browser has sent */
    const weir_json_t *claims;                   /* NULL: not read yet */
    weir_filter_t      filter;                   /* adds what is set: */
    struct oidc_set   *sets;
} oidc_state_t;

/* NULL: no login is asked for here, nor was before. */
oidc_state_t *oidc_state_of(weir_request_t *req);
/* A sealed session in the place of the state's.  false: it is none. */
bool          oidc_state_open(oidc_state_t *state, weir_str_t sealed) WEIR_MUST_USE;
weir_step_t   oidc_rewrite(weir_request_t *req, const void *conf);
weir_step_t   oidc_preaccess(weir_request_t *req, const void *conf);
weir_step_t   oidc_access(weir_request_t *req, const void *conf);

/* What waits for a provider on behalf of a request. */
typedef struct oidc_work {
    weir_holder_t          hold;
    oidc_state_t          *state;
    weir_request_t        *req;
    weir_document_waiter_t waiter;
    bool                   has_waited;
    oidc_grant_t          *grant;
    oidc_login_t           login;                /* of a callback */
    weir_step_t          (*go_on)(struct oidc_work *work);
} oidc_work_t;

oidc_work_t *oidc_work_make(weir_request_t *req, oidc_state_t *state, weir_step_t (*go_on)(oidc_work_t *work));
void         oidc_work_hold(oidc_work_t *work);
/* The provider's endpoints; NULL: *step says what the handler returns (they are waited for, or the request failed). */
const oidc_metadata_t *oidc_work_endpoints(oidc_work_t *work, weir_step_t *step);

/* -- cookies.c -- */
/* With the answer to the client's request, if its head has not left: a session that was sealed, or that there is none
 * any more.  false: it is too long. */
bool        oidc_cookies_set_session(oidc_state_t *state, weir_str_t sealed);
void        oidc_cookies_clear_session(oidc_state_t *state);
void        oidc_cookies_set_login(oidc_state_t *state, weir_str_t name, weir_str_t value);      /* empty: it is over */
/* The answer is one of ours, and no cache keeps it. */
void        oidc_cookies_no_store(oidc_state_t *state);
weir_step_t oidc_cookies_filter(weir_request_t *req, const void *conf);
/* A cookie of a provider there is, in either of its forms: no other module looks at it (module.h). */
bool        oidc_cookies_owns(const void *conf, weir_str_t name);

/* -- login.c -- */
weir_step_t oidc_login_begin(weir_request_t *req, oidc_state_t *state);
/* Does a browser show the answer as a page?  Others are not sent to log in. */
bool        oidc_login_is_navigation(const weir_request_t *req);
/* "https://host:port/path" of a path of this site. */
weir_str_t  oidc_login_absolute(const oidc_state_t *state, weir_str_t uri);
/* The name of the cookie of a login. */
weir_str_t  oidc_login_cookie(const oidc_state_t *state, weir_str_t login_state);
void        oidc_login_add_arg(weir_buf_t *out, const char *name, weir_str_t value);

/* -- callback.c -- */
weir_step_t oidc_callback(weir_request_t *req, oidc_state_t *state);

/* -- logout.c -- */
weir_step_t oidc_logout(weir_request_t *req, oidc_state_t *state);
bool        oidc_logout_has(const oidc_provider_t *provider, const oidc_session_t *session);

/* -- id_token.c -- */
typedef struct {
    weir_str_t nonce;                            /* empty: it is a refresh, which need not have one */
    weir_str_t subject;                          /* that it must have; empty: any */
    weir_str_t access_token;                     /* for at_hash */
} oidc_expected_t;

typedef struct { weir_cause_t cause; const char *detail; bool has_new_key; } oidc_fault_t;

/* cause NONE: it is good.  has_new_key: perhaps its key is one that has come since. */
oidc_fault_t oidc_id_token_check(const oidc_provider_t *provider, weir_jwks_t *keys, weir_arena_t *arena,
                                 weir_str_t token, const oidc_expected_t *expected);
/* Of a token that was verified before; NULL: it is none. */
const weir_json_t *oidc_id_token_claims(weir_arena_t *arena, weir_str_t token);

/* -- grant.c -- */
typedef struct {
    weir_str_t code, verifier, redirect_uri, nonce;          /* or: */
    weir_str_t refresh_token, subject;
} oidc_grant_spec_t;

typedef struct {
    weir_cause_t cause;                          /* NONE: tokens came; auth.oidc.code: they were refused for good */
    const char  *detail;                         /* constant */
    weir_str_t   id_token, access_token, refresh_token;      /* empty: none came; good for the time of the call */
    uint64_t     lifetime_s;                     /* of the access token; 0: it is not said */
} oidc_granted_t;

/* Asks the token endpoint, and verifies what comes.  The texts are copied.  done is called once, by the loop, unless it
 * is cancelled.  NULL: no memory. */
oidc_grant_t *oidc_grant(weir_http_t *http, oidc_provider_t *provider, const oidc_grant_spec_t *spec,
                         void (*done)(void *data, const oidc_granted_t *granted), void *data) WEIR_MUST_USE;
void          oidc_grant_cancel(oidc_grant_t *grant);        /* NULL is fine */

/* -- refresh.c -- */
typedef enum {
    OIDC_REFRESH_NONE,                           /* no worker has begun */
    OIDC_REFRESH_WAITS,
    OIDC_REFRESH_DONE,                           /* *sealed is the session that came out */
    OIDC_REFRESH_REFUSED,                        /* the provider has ended the session */
    OIDC_REFRESH_FAILED,                         /* it cannot be asked now */
} oidc_refreshed_t;

/* One that waits; zeroed at first. */
typedef struct oidc_refresh_wait {
    weir_list_t     link;
    weir_timer_t    timer;
    oidc_process_t *process;                     /* NULL: it does not wait */
    const oidc_provider_t *provider;
    uint8_t         key[OIDC_DIGEST + 1];
    weir_instant_t  last;
    weir_arena_t   *arena;
    /* In a task or by a timer; it does not wait any more. */
    void          (*on_end)(struct oidc_refresh_wait *wait, oidc_refreshed_t result, weir_str_t sealed);
} oidc_refresh_wait_t;

/* The session of the state is refreshed, by this process or by another one, once: WAITS: on_end is called. */
oidc_refreshed_t oidc_refresh(oidc_state_t *state, weir_http_t *http, oidc_refresh_wait_t *wait,
                              void (*on_end)(oidc_refresh_wait_t *wait, oidc_refreshed_t result, weir_str_t sealed),
                              weir_str_t *sealed) WEIR_MUST_USE;
void             oidc_refresh_forget(oidc_refresh_wait_t *wait);     /* again is nothing */
void             oidc_refreshes_begin(oidc_process_t *process);
void             oidc_refreshes_end(oidc_process_t *process);

/* A session of these tokens, sealed; before: what it was (NULL: it is new).  at NULL: it is too large, or there is no
 * memory. */
weir_str_t oidc_session_seal(const oidc_provider_t *provider, const oidc_session_t *before,
                             const oidc_granted_t *granted, weir_arena_t *arena, oidc_session_t *session);

/* Of a process. */
struct oidc_process {
    weir_documents_t    *documents;
    weir_loop_t         *loop;
    weir_list_t          refreshes, waits;
    size_t               n_waits;
    struct weir_wake_listener *listener;
};

/* -- vars.c -- */
extern const weir_variable_t oidc_variables[];

#endif
