/*
 * consumer.h - which consumer a request is from, whichever method has found it out: the one answer that limits,
 * requirements, variables and logs share.
 *
 * A method is `api_key`, or a line of `identify`: a kind and a fact that a guard has verified (a claim of a token, a
 * certificate, a name with its password), which the store knows as an identity of a consumer.  What is found leads to
 * the consumer's record, its plan, its groups and metadata.  A client that is no consumer may have the plan that
 * `anonymous` gives.
 *
 *     api_key ──────────┐
 *     identify jwt …    ├─> weir_consumer_of(req) ─> $consumer…, plan_limit, require, quotas, logs
 *     identify basic …  ┘
 *
 * When it is known.  A caller gets what is known at that moment: an API key, a certificate and a verified token (which
 * auth_jwt has waited for in the preaccess phase) are known to limits; a name with its password is not before the
 * access phase, when auth_basic has let it in.  It is worked out at the first call, and again only while something may
 * have been added since.  In the access phase the handler of http_consumer, behind all that verify and in front of
 * quotas, limits by plan and requirements, has the last word: from then on the answer stays.  A handler that judges by
 * it says .after = "http_consumer".
 *
 * Several methods.  All kinds are asked.  Lines of one kind are readings of the same credential: the first that names a
 * known consumer wins.  Two kinds (an API key is one) that name different consumers are two clients in one request: it
 * is refused (auth.consumer.conflict), unless `identify_conflict first` says otherwise.
 *
 * Where it is asked.  An internal redirect takes the answer along, to places that ask nothing themselves; a place that
 * asks itself asks anew.  A subrequest of a client's request has that request's answer where it does not ask itself.
 *
 * Runs in workers: one look into the store's map for an identity, one for the consumer, two for its plan; groups and
 * metadata are looked up when they are wanted.  All of it lives as long as the request.
 */
#ifndef WEIR_HTTP_CONSUMER_H
#define WEIR_HTTP_CONSUMER_H

#include "http/module.h"
#include "store/record.h"

typedef enum {
    WEIR_CONSUMER_NOBODY,        /* no method has anything, and there is no `anonymous` here */
    WEIR_CONSUMER_ANONYMOUS,     /* the same, with the plan of `anonymous` */
    WEIR_CONSUMER_KNOWN,
    /* something was sent that is not to be served: see .cause; name, plan and key are empty.  The request is refused in
     * the access phase, unless it is a rehearsal. */
    WEIR_CONSUMER_REFUSED,
} weir_consumer_state_t;

typedef struct {
    weir_consumer_state_t state;
    weir_cause_t          cause;         /* REFUSED: why; else NONE */
    weir_str_t            name;          /* KNOWN; else empty */
    weir_str_t            method;        /* "api_key", the kind of `identify`, "anonymous"; else empty */
    weir_str_t            plan;          /* its name; empty: none */
    bool                  has_plan;      /* … and it is in the store: */
    weir_store_plan_t     quotas;        /* UINT64_MAX: no limit */
    weir_store_rates_t    rates;
    /* What a limit by plan counts by, the same in all places and workers: "consumer:NAME"; "anonymous:KEY", of which
     * KEY is the client's address (of IPv6 the first 64 bits) or what key= of `anonymous` says; empty: it is not
     * counted.  A plan's name is not in it. */
    weir_str_t            limit_key;
} weir_consumer_t;

/* Never NULL, and what it points to never changes: once something was added, the answer is another one.  When the
 * store cannot be read, that is REFUSED with that cause, and weir_request_value_failed was called, as a token's
 * variable does whose keys cannot be had. */
const weir_consumer_t *weir_consumer_of(weir_request_t *req);
/* Of a consumer that is KNOWN: its groups and metadata; NULL: it has none, or they cannot be had (as above). */
const weir_store_profile_t *weir_consumer_profile(weir_request_t *req);
bool weir_consumer_meta(weir_request_t *req, weir_str_t name, weir_str_t *value);

/* A method has verified that the request has that value of that kind: auth_basic's name, a signature's key.  `identify
 * KIND` without a text takes it.  It holds for the whole request, over internal redirects.  kind: constant; value:
 * lives as long as the request. */
void weir_consumer_vouch(weir_request_t *req, const char *kind, weir_str_t value);

/* What a module with a way of its own (.identify of module.h) says of a request. */
typedef struct weir_consumer_said {
    const char  *method;                 /* constant */
    weir_str_t   name;                   /* of a consumer that is there; empty: none */
    weir_cause_t cause;                  /* NONE, or why there is no consumer, or why it is not to be served */
    const weir_store_consumer_t *record; /* of the name */
} weir_consumer_said_t;

/* -- inside core/http -- */
/* A subrequest that was just made on behalf of another request: it has that one's answer. */
void weir_consumer_copy(weir_request_t *to, weir_request_t *from);

#endif
