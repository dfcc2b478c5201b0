/*
 * issuer.h - sets of keys that an issuer publishes at a URL: fetched by one process for all, kept in shared memory.
 *
 *     shared:   the text of the set and until when it holds · a lease of who fetches now · a mark of a fetch that was
 *               asked for by an unknown key · a mark of failures, during which nobody asks
 *     process:  the set, read from that text · requests that wait
 *
 * Whoever finds that a set is due takes the lease and fetches; what came replaces the text at once and rings for the
 * other workers, which read it.  A lease ends by its time, and when its worker dies.  A set is used until its own end,
 * which is as far behind the time of renewal as auth_jwt_key_stale says, while the issuer is down.  A reload, and a
 * binary upgrade, keep all that is shared.
 */
#ifndef WEIR_AUTH_JWT_ISSUER_H
#define WEIR_AUTH_JWT_ISSUER_H

#include "http/fetch/fetch.h"
#include "jwt.h"

/* Of a generation. */
typedef struct jwt_url {
    weir_fetch_url_t     at;
    weir_msec_t          cache, stale, refresh;      /* cache 0: as the issuer says */
    weir_str_t            trusted;                   /* a path; empty: the system's authorities */
    bool                  is_bound;
    const weir_entries_t *shared;                    /* from build */
    jwt_issuer_t         *issuer;                    /* runs: this process's */
    struct jwt_url       *next;                      /* of the generation */
} jwt_url_t;

extern const weir_zone_kind_t jwt_issuer_kind;

/* At build: the generation's URLs; false: cf->error. */
bool jwt_issuer_bind(weir_conf_t *cf, jwt_url_t *urls) WEIR_MUST_USE;

/* In the module's life. */
bool jwt_issuers_begin(weir_life_t *life);
void jwt_issuers_adopt(weir_life_t *life, weir_generation_t *generation, jwt_url_t *urls);
void jwt_issuers_retire(jwt_url_t *urls);
void jwt_issuers_end(weir_life_t *life);

/* The set now; NULL: there is none (yet). */
weir_jwks_t *jwt_issuer_set(const jwt_url_t *url);

/* A request that waits; zeroed at first.  on_wake is called in a task or by a timer; the waiter does not wait any more
 * then. */
typedef struct jwt_waiter {
    weir_list_t    link;
    weir_timer_t   timer;
    jwt_issuer_t  *issuer;                           /* NULL: it does not wait */
    weir_instant_t last;                             /* so long at most */
    bool           wants_other;                      /* … for another set than there is: */
    uint64_t       serial;
    void         (*on_wake)(struct jwt_waiter *waiter);
} jwt_waiter_t;

/* Waits for a set, when there is none, or else for another one: an unknown key may be a new one.  One such fetch is
 * made in each auth_jwt_key_refresh; who comes in between waits for the next.  false: it is of no use now (the issuer
 * has just failed, or too many wait). */
bool jwt_issuer_wait(const jwt_url_t *url, weir_http_t *http, jwt_waiter_t *waiter,
                     void (*on_wake)(jwt_waiter_t *waiter)) WEIR_MUST_USE;
void jwt_issuer_forget(jwt_waiter_t *waiter);        /* again is nothing */

#endif
