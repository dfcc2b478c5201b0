/*
 * resolver.h - names to addresses while a worker runs: a stub that asks the name servers of `resolver`, and remembers.
 *
 * A name is asked for as it is written: neither a hosts file nor a search list has a part in it.  An answer holds as
 * long as it says (RFC 2308 for those that say no).  When it has ended and no server gives another, it serves on for a
 * while (RFC 8767).
 *
 * One for each set of servers.  Several waiters for the same name wait for one answer.  Runs in workers, on the loop's
 * thread.
 */
#ifndef WEIR_EVENT_RESOLVER_H
#define WEIR_EVENT_RESOLVER_H

#include "event/loop.h"
#include "os/addr.h"

typedef struct {
    weir_addr_t *servers;
    size_t       n;
    weir_msec_t  valid;                  /* how long an answer holds; 0: as long as it says */
    bool         ipv4, ipv6;             /* which addresses are asked for; one at least */
    bool         keeps_case;             /* questions have letters of random case, and so have their answers */
    weir_msec_t  stale;                  /* so long behind its end an answer serves while no server gives a newer one */
} weir_resolver_conf_t;

typedef struct weir_resolver weir_resolver_t;
typedef struct weir_lookup weir_lookup_t;

/* An SRV record: the lowest priority first (RFC 2782). */
typedef struct { uint16_t priority, weight, port; weir_str_t target; } weir_service_t;

typedef enum { WEIR_LOOKUP_OK, WEIR_LOOKUP_NO_NAME, WEIR_LOOKUP_FAILED, WEIR_LOOKUP_TIMEOUT } weir_lookup_result_t;

/* Embedded in its owner; zeroed before. */
struct weir_lookup {
    weir_list_t          link;
    struct weir_name    *name;
    weir_timer_t         timer;
    /* When what it is told ends to hold; it is old and stands in for an answer that does not come.  From done on. */
    weir_instant_t       until;
    bool                 is_stale;
    void               (*done)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n);
    void               (*served)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_service_t *services,
                                 size_t n);
};

weir_resolver_t *weir_resolver_create(weir_loop_t *loop, const weir_resolver_conf_t *conf);    /* conf is copied */
/* a waiter is not told, and may cancel afterwards */
void             weir_resolver_destroy(weir_resolver_t *resolver);
bool             weir_resolver_is(const weir_resolver_t *resolver, const weir_resolver_conf_t *conf);
/* done is called once, perhaps from inside: OK with addresses (port 0, borrowed for the call; one at least), or why
 * not. */
void weir_resolver_lookup(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t name, weir_msec_t timeout,
                          void (*done)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs,
                                       size_t n));
/* The same for services: served is called. */
void weir_resolver_services(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t name, weir_msec_t timeout,
                            void (*served)(weir_lookup_t *lookup, weir_lookup_result_t result,
                                           const weir_service_t *services, size_t n));
/* done is not called any more.  Safe at any moment, also when it was. */
void weir_resolver_cancel(weir_lookup_t *lookup);
#endif
