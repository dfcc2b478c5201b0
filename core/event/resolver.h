/*
 * resolver.h - names to addresses while a worker runs: a stub that asks the name servers of `resolver`, and remembers.
 *
 * One for each set of servers.  Several who want the same name wait for one answer.  Runs in workers, on the loop's
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
} weir_resolver_conf_t;

typedef struct weir_resolver weir_resolver_t;
typedef struct weir_lookup weir_lookup_t;

typedef enum { WEIR_LOOKUP_OK, WEIR_LOOKUP_NO_NAME, WEIR_LOOKUP_FAILED, WEIR_LOOKUP_TIMEOUT } weir_lookup_result_t;

/* Embedded in its owner; zeroed before. */
struct weir_lookup {
    weir_list_t          link;
    struct weir_name    *name;
    weir_timer_t         timer;
    void               (*done)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n);
};

weir_resolver_t *weir_resolver_create(weir_loop_t *loop, const weir_resolver_conf_t *conf);    /* conf is copied */
/* who waits is not told, and may cancel afterwards */
void             weir_resolver_destroy(weir_resolver_t *resolver);
bool             weir_resolver_is(const weir_resolver_t *resolver, const weir_resolver_conf_t *conf);
/* done is called once, perhaps from inside: OK with addresses (port 0, borrowed for the call; one at least), or why
 * not. */
void weir_resolver_lookup(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t name, weir_msec_t timeout,
                          void (*done)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs,
                                       size_t n));
/* done is not called any more.  Safe at any moment, also when it was. */
void weir_resolver_cancel(weir_lookup_t *lookup);
/* When the answer given last for the name ends to hold: for those who ask again then.  0: it is not known. */
weir_instant_t weir_resolver_expires(const weir_resolver_t *resolver, weir_str_t name);

#endif
