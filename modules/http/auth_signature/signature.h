/*
 * signature.h - what the files of auth_signature share.
 *
 *     module.c   directives        guard.c    the phases, the body's digest, variables
 *     verify.c   one request's signatures against keys, clock and policy
 *     base.c     what is signed: components of the request become a text      nonce.c    nonces that were used
 */
#ifndef WEIR_SIGNATURE_H
#define WEIR_SIGNATURE_H

#include "http/guard/dry_run.h"
#include "http/message/sf.h"
#include "http/module.h"
#include "jose/jws.h"
#include "shm/keyed.h"
#include "shm/zone.h"

#define SIGNATURE_TEXT_MAX   ((size_t) 16 << 10)     /* of a field */
#define SIGNATURE_VALUES     256                     /* in it */
#define SIGNATURE_TRIES      4                       /* signatures that are looked at */
#define SIGNATURE_NONCE_MAX  256

extern const size_t weir_http_auth_signature_index;

typedef struct {
    weir_jwks_t *keys;                               /* the generation's */
    weir_str_t   path;
} signature_set_t;

/* The directive `signature`. */
typedef struct {
    bool             is_on;
    signature_set_t *sets;
    size_t           n;
    weir_str_t       label, tag;                     /* at NULL: any */
    weir_str_t       realm;
} signature_ask_t;

/* signature_nonce. */
typedef struct {
    weir_str_t               name;                   /* empty: off */
    uint64_t                 size;
    const weir_conf_words_t *words;
    weir_keyed_t            *table;                  /* from build */
} signature_zone_t;

typedef struct {
    signature_ask_t   ask;
    weir_strs_t       require;                       /* names, in lower case */
    weir_msec_t       max_age, skew;                 /* max_age 0: any */
    signature_zone_t *nonces;                        /* NULL: off */
    weir_bytes_t      max_body;
    uint32_t          dry_run;
} signature_conf_t;

static inline bool
signature_has_nonces(const signature_conf_t *conf)
{
    return conf->nonces != NULL && conf->nonces->name.len != 0;
}

/* -- what is known of a request in a place -- */
typedef enum { SIGNATURE_BODY_UNKNOWN, SIGNATURE_BODY_GOOD, SIGNATURE_BODY_BAD } signature_body_t;

typedef struct signature_state {
    const signature_conf_t *conf;
    weir_request_t         *req;
    bool                    is_rehearsal;
    weir_cause_t            cause;                   /* NONE: it is verified */
    const char             *detail;                  /* NULL, constant, or in the request's arena */
    weir_str_t              key_id, label;
    bool                    wants_digest;            /* the body is to be held against Content-Digest */
    signature_body_t        body;
    const signature_zone_t *spent;                   /* the nonce was put there for this request */
    weir_str_t              spent_key;
} signature_state_t;

/* -- base.c -- */
/* The text that is signed (RFC 9421 §2.5), in the request's arena.  NONE, or why there is none, with *detail. */
weir_cause_t signature_base(weir_request_t *req, const weir_sf_member_t *input, weir_str_t *base,
                            const char **detail);
/* Does a signature with those components cover that name? */
bool         signature_covers(const weir_sf_member_t *input, weir_str_t name);
/* Is it a component of requests that is known? */
bool         signature_is_component(weir_str_t name);

/* -- verify.c -- */
/* before: what the request knew in another place, or NULL.  Sets cause and all that hangs on it. */
void signature_verify(signature_state_t *state, const signature_state_t *before);

/* -- nonce.c -- */
extern const weir_zone_kind_t signature_nonce_kind;
typedef enum { SIGNATURE_NONCE_NEW, SIGNATURE_NONCE_USED, SIGNATURE_NONCE_FULL } signature_nonce_t;
/* From now on it was used, for so long. */
signature_nonce_t signature_spend(const signature_zone_t *zone, weir_str_t key, uint64_t ms);
bool signature_nonce_open(weir_conf_t *cf, signature_zone_t *zone) WEIR_MUST_USE;

/* -- guard.c -- */
extern const weir_variable_t signature_variables[];
weir_step_t signature_access(weir_request_t *req, const void *conf);
weir_step_t signature_precontent(weir_request_t *req, const void *conf);

#endif
