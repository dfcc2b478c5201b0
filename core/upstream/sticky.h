/*
 * sticky.h - `sticky` in an upstream block: requests say which peer they are bound to, and answers tell clients.
 *
 * A request's bond is a text: a cookie, a field, or what templates make of it.  The proxy reads it off the request
 * before a peer is picked (weir_pick_t.bond); the module's policy finds the peer.  When the head of an answer goes to
 * the client, the proxy asks what the client is to be told (tell), or says what the answer has to be learned by.
 *
 * Of the generation, in its arena; used by workers.
 */
#ifndef WEIR_UPSTREAM_STICKY_H
#define WEIR_UPSTREAM_STICKY_H

#include "upstream/group.h"

typedef enum { WEIR_STICKY_COOKIE, WEIR_STICKY_HEADER, WEIR_STICKY_ROUTE, WEIR_STICKY_LEARN } weir_sticky_kind_t;

/* Between the values of several templates, of which the first that is not empty holds. */
#define WEIR_STICKY_BETWEEN '\x1f'
#define WEIR_STICKY_FOR_EVER INT64_MAX   /* expires=max */

typedef struct weir_sticky {
    weir_sticky_kind_t     kind;
    weir_str_t             name;         /* of the cookie or field */
    const weir_template_t *lookup;       /* of ROUTE and LEARN: the bond of a request */
    const weir_template_t *learn;        /* of LEARN: the bond that requests have from this answer on */
    bool                   learns_at_head;       /* else when all of the answer is there */
    /* of the cookie */
    bool                   has_expires, is_httponly, is_secure;
    int64_t                expires;      /* seconds from now on; 0: at once */
    weir_str_t             path;
    const weir_template_t *domain, *samesite;    /* NULL: not said */
    /* The bond that the client of this answer is to be told of; empty: it has it. */
    weir_str_t           (*tell)(weir_pick_t *pick, weir_arena_t *arena);
    /* pick->learned is to be known now: of LEARN, at the head.  (Else the policy does so when the answer has ended.) */
    void                 (*learned)(weir_pick_t *pick, weir_instant_t now);
} weir_sticky_t;

/* Of several values the first that is not empty. */
weir_str_t weir_sticky_first(weir_str_t values);

#endif
