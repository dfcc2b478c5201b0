/*
 * jwt.h - what the files of auth_jwt share.
 *
 *     module.c  directives             guard.c   the access phase        token.c     one token's verification
 *     claims.c  its variables          keys.c    where keys come from
 *     verified.c  tokens that were verified before
 */
#ifndef WEIR_AUTH_JWT_H
#define WEIR_AUTH_JWT_H

#include "http/fetch/document.h"
#include "http/guard/bearer.h"
#include "http/guard/digests.h"
#include "http/module.h"
#include "http/route/captures.h"
#include "jose/jwe.h"
#include "jose/jws.h"
#include "jose/jwt.h"
#include "shm/zone.h"

extern const size_t weir_http_auth_jwt_index;

typedef struct jwt_state jwt_state_t;

/* An issuer's URL, of a generation: fetched by one process for all. */
typedef struct jwt_url {
    weir_document_t document;
    weir_str_t      trusted;                     /* a path; empty: the system's authorities */
    bool            is_bound;
} jwt_url_t;

/* One set of keys that is counted: a request under way keeps what it verifies with. */
typedef struct { weir_jwks_t *keys; uint32_t refs; } jwt_set_t;

jwt_set_t *jwt_set_make(weir_jwks_t *keys);      /* takes them; one reference */
jwt_set_t *jwt_set_ref(jwt_set_t *set);
void       jwt_set_unref(jwt_set_t *set);        /* NULL is fine */

#define JWT_URI_MAX 512

typedef struct jwt_cached {
    weir_str_t     uri;
    jwt_set_t     *set;                          /* NULL: none */
    weir_instant_t until;
    char           room[JWT_URI_MAX];
} jwt_cached_t;

/* What auth_jwt_key_file or auth_jwt_key_request names. */
typedef struct {
    enum { JWT_FILE, JWT_URI, JWT_URL } kind;
    weir_str_t               text;               /* as written */
    const weir_conf_words_t *words;
    weir_jwks_t             *file;               /* FILE: the generation's */
    const weir_template_t   *uri;                /* URI: of a location of this server */
    struct jwt_cached       *cached;             /* URI: what was fetched last */
    struct jwt_url          *url;                /* URL: see issuer.c */
} jwt_source_t;

typedef struct { jwt_source_t *at; size_t n; } jwt_sources_t;

typedef struct {
    const weir_template_t **values;
    size_t                  n;
    uint16_t                status;
    weir_str_t              text;                /* as written */
} jwt_require_t;
typedef struct { jwt_require_t *at; size_t n; } jwt_requires_t;

typedef enum { JWT_SIGNED, JWT_ENCRYPTED, JWT_NESTED } jwt_type_t;

/* A variable of auth_jwt_claim_set or auth_jwt_header_set. */
typedef struct {
    weir_http_definition_t definition;
    weir_strs_t            path;
    bool                   is_header;
} jwt_path_t;
typedef struct { jwt_path_t **at; size_t n; } jwt_paths_t;

typedef struct {
    weir_bearer_t  ask;
    jwt_sources_t  files, requests;
    jwt_requires_t requires;
    weir_strs_t    issuers, audiences;           /* n 0: any */
    uint64_t       algorithms;
    uint32_t       type;
    weir_msec_t    leeway, key_cache, key_stale, key_refresh;
    weir_bytes_t   max_size, cache_size;
    uint32_t       dry_run;
    weir_str_t     trusted_certificate;          /* a path; empty: the system's authorities */
    jwt_paths_t    claims, headers;              /* http only */
    /* derived */
    bool           has_key_cache;
    uint8_t        policy[32];                   /* a digest of what a verification depends on beside token and keys */
    weir_digests_t *verified;                    /* NULL: tokens are not remembered */
} jwt_conf_t;

static inline bool jwt_is_on(const jwt_conf_t *conf) { return conf->ask.realm != NULL; }

/* -- token.c -- */
/* What is known of the token of a request in a place. */
struct jwt_state {
    const jwt_conf_t  *conf;
    weir_request_t    *req;
    weir_str_t         token;
    bool               is_rehearsal;
    bool               is_settled;               /* cause is the verdict; else keys are waited for */
    weir_cause_t       cause;
    bool               lacks_keys;               /* those of a source cannot be had */
    bool               has_new_key;              /* perhaps: its key is none of those that there are */
    int64_t            expires, not_before;
    weir_arena_t      *room;                     /* for what is decoded: the request's, or: */
    weir_arena_t       secrets;                  /* what was decrypted; wiped with the request */
    const weir_json_t *header, *claims;          /* NULL: not read yet */
    weir_str_t         payload;
    jwt_set_t        **fetched;                  /* by the place's source: sets of URIs for this request; NULL */
    uint64_t           asked;                    /* bits by source: it was waited for, and no second time */
    uint64_t           refreshed;                /* … for keys that were not there */
};

/* The state of the request in the place where it is; NULL: no token is asked for here or was before.  Verified as far
 * as the keys are at hand. */
jwt_state_t *jwt_state_of(weir_request_t *req);
/* Once more, with what has come meanwhile. */
void         jwt_judge(jwt_state_t *state);
/* A verdict of some time ago: is the token still good? */
void         jwt_look_again(jwt_state_t *state);
/* Of a token that is good; NULL: it is not.  With the claims there is the payload. */
const weir_json_t *jwt_header(jwt_state_t *state);
const weir_json_t *jwt_claims(jwt_state_t *state);

/* -- keys.c -- */
extern const weir_zone_kind_t     jwt_issuer_kind;       /* sets of issuers in shared memory */
extern const weir_document_kind_t jwt_document_kind;
#define JWT_SOURCES_MAX 64
typedef enum { JWT_KEYS_HERE, JWT_KEYS_WAIT, JWT_KEYS_NONE } jwt_keys_t;
size_t        jwt_sources(const jwt_conf_t *conf);
jwt_source_t *jwt_source(const jwt_conf_t *conf, size_t i);
/* The set of a source now.  WAIT: it is to be fetched first (guard.c does) · NONE: there is none to be had. */
jwt_keys_t    jwt_keys_now(jwt_state_t *state, size_t i, weir_jwks_t **keys);
/* What the location of a source has answered: for this request, and as auth_jwt_key_cache says for others.  false: it
 * is no set. */
bool          jwt_keys_answered(jwt_state_t *state, size_t i, weir_str_t text, weir_error_t *error) WEIR_MUST_USE;

/* -- verified.c -- */
typedef struct { int64_t expires, not_before; uint8_t print[WEIR_JWK_PRINT]; } jwt_found_t;

extern const weir_zone_kind_t jwt_verified_kind;
void jwt_verified_digest(const jwt_conf_t *conf, weir_str_t token, weir_digest_t *digest);
bool jwt_verified_find(const jwt_conf_t *conf, const weir_digest_t *digest, jwt_found_t *found) WEIR_MUST_USE;
void jwt_verified_put(const jwt_conf_t *conf, const weir_digest_t *digest, const jwt_found_t *found);

/* -- claims.c -- */
extern const weir_variable_t jwt_variables[];
bool jwt_get_path(const void *data, weir_request_t *req, weir_str_t *value);

/* -- guard.c -- */
weir_step_t jwt_rewrite(weir_request_t *req, const void *conf);
weir_step_t jwt_preaccess(weir_request_t *req, const void *conf);
weir_step_t jwt_access(weir_request_t *req, const void *conf);
bool        jwt_judges_head(weir_request_t *req, const void *conf);

#endif
