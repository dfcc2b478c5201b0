/*
 * oauth2.h - what the files of auth_oauth2 share.
 *
 *     module.c  directives        guard.c   the access phase        token.c   what an answer says of a token
 *     flight.c  one question for all that wait for it                cache.c   answers in shared memory
 */
#ifndef WEIR_AUTH_OAUTH2_H
#define WEIR_AUTH_OAUTH2_H

#include "http/fetch/fetch.h"
#include "http/guard/bearer.h"
#include "http/guard/digests.h"
#include "http/guard/dry_run.h"
#include "http/module.h"
#include "http/route/captures.h"
#include "jose/jwt.h"

#define OAUTH2_ANSWER_MAX ((size_t) 64 << 10)

extern const size_t weir_http_auth_oauth2_index;

/* oauth2_introspection: one address, as one line of the configuration says it. */
typedef struct {
    weir_fetch_url_t         at;
    weir_str_t               trusted;            /* a path; empty: the system's authorities */
    weir_msec_t              timeout;
    const weir_conf_words_t *words;
    bool                     is_bound;
} oauth2_endpoint_t;

/* oauth2_introspection_client: the client that Weir is there. */
typedef struct {
    weir_str_t id, secret;
    weir_str_t basic;                            /* a value of Authorization; empty: they stand in the form */
} oauth2_client_t;

/* oauth2_introspection_cache. */
typedef struct {
    weir_str_t               name;               /* empty: off */
    uint64_t                 size;
    weir_msec_t              max, negative;
    const weir_conf_words_t *words;
    weir_digests_t          *digests;            /* from build */
} oauth2_cache_t;

/* A variable of oauth2_claim_set. */
typedef struct {
    weir_http_definition_t definition;
    weir_strs_t            path;
} oauth2_path_t;
typedef struct { oauth2_path_t **at; size_t n; } oauth2_paths_t;

typedef struct {
    weir_bearer_t      ask;
    oauth2_endpoint_t *endpoint;
    oauth2_client_t   *client;
    oauth2_cache_t    *cache;                    /* NULL: the default, off */
    weir_strs_t        issuers, audiences, scopes;       /* n 0: any */
    weir_msec_t        leeway;
    weir_bytes_t       max_size;
    weir_flag_t        strip;
    uint32_t           dry_run;
    oauth2_paths_t     claims;                   /* http only */
    /* derived */
    uint8_t            asker[32];                /* a digest of the server, and of the client that Weir is there */
    weir_str_t         scope_text;               /* for the challenge */
} oauth2_conf_t;

static inline bool oauth2_is_on(const oauth2_conf_t *conf) { return conf->ask.realm != NULL; }
static inline bool
oauth2_has_cache(const oauth2_conf_t *conf)
{
    return conf->cache != NULL && conf->cache->name.len != 0;
}

/* -- token.c -- */
/* What is known of the token of a request in a place. */
typedef struct {
    const oauth2_conf_t *conf;
    weir_request_t      *req;
    weir_str_t           token;
    weir_digest_t        digest;                 /* of the token and the asker */
    bool                 is_rehearsal;
    bool                 is_settled;             /* cause is the verdict; else the answer is waited for */
    weir_cause_t         cause;
    const char          *detail;                 /* NULL, or in the request's arena */
    weir_jwt_t           answer;                 /* when the token is good; claims NULL: it is not */
} oauth2_state_t;

/* The state of the request in the place where it is; NULL: no token is asked for here or was before.  Settled as far as
 * the cache knows. */
oauth2_state_t *oauth2_state_of(weir_request_t *req);
/* What was answered, or why nothing was (text.at NULL). */
void            oauth2_settle(oauth2_state_t *state, weir_str_t text, const char *why);
void            oauth2_refuse(oauth2_state_t *state, weir_cause_t cause, const char *detail);
/* A verdict of some time ago: is the token still good? */
void            oauth2_look_again(oauth2_state_t *state);

/* An answer as it is (RFC 7662 §2.2).  false: it is none. */
bool            oauth2_read_answer(weir_arena_t *arena, weir_str_t text, weir_jwt_t *answer,
                                   bool *is_active) WEIR_MUST_USE;

extern const weir_variable_t oauth2_variables[];
bool oauth2_get_path(const void *data, weir_request_t *req, weir_str_t *value);

/* -- cache.c -- */
extern const weir_zone_kind_t oauth2_cache_kind;
bool oauth2_digest_asker(oauth2_conf_t *conf) WEIR_MUST_USE;     /* false: no memory */
bool oauth2_digest(const oauth2_conf_t *conf, weir_str_t token, weir_digest_t *digest) WEIR_MUST_USE;    /* … */
/* *text: in the arena.  false: it is not there. */
bool oauth2_cache_find(const oauth2_conf_t *conf, const weir_digest_t *digest, weir_arena_t *arena,
                       weir_str_t *text) WEIR_MUST_USE;
/* As long as it holds. */
void oauth2_cache_put(const oauth2_conf_t *conf, const weir_digest_t *digest, weir_str_t text);

/* -- flight.c -- */
typedef struct oauth2_flight oauth2_flight_t;
/* A request that waits; zeroed at first. */
typedef struct oauth2_waiter {
    weir_list_t      link;
    oauth2_flight_t *flight;                     /* NULL: it does not wait */
    /* Called once, by the loop.  text.at NULL: it failed, for the reason why; both good for the time of the call. */
    void           (*on_answer)(struct oauth2_waiter *waiter, weir_str_t text, const char *why);
} oauth2_waiter_t;

bool  oauth2_flights_begin(weir_life_t *life);
void  oauth2_flights_adopt(weir_life_t *life, weir_generation_t *generation);
void  oauth2_flights_end(weir_life_t *life);
/* Asks, or joins a question that is the same.  false: too many are under way or wait, or there is no memory. */
bool oauth2_flight_join(const oauth2_state_t *state, oauth2_waiter_t *waiter) WEIR_MUST_USE;
void oauth2_flight_leave(oauth2_waiter_t *waiter);        /* again is nothing */

/* -- guard.c -- */
weir_step_t oauth2_rewrite(weir_request_t *req, const void *conf);
weir_step_t oauth2_preaccess(weir_request_t *req, const void *conf);
weir_step_t oauth2_access(weir_request_t *req, const void *conf);

#endif
