/*
 * resolver_name.h - a name that a stub resolver knows or asks for: what resolver.c (what is known) and resolver_ask.c
 * (how it is asked) share.  Inside core/event only.
 */
#ifndef WEIR_EVENT_RESOLVER_NAME_H
#define WEIR_EVENT_RESOLVER_NAME_H

#include "base/dns.h"
#include "event/conn.h"
#include "event/resolver.h"

#define RESOLVE_BUCKETS   1024            /* a power of two */
#define RESOLVE_TTL_MAX   86400           /* s */

typedef enum { HALF_NONE, HALF_WAITS, HALF_TCP, HALF_DONE } half_state_t;      /* of one kind of address */

typedef struct {
    half_state_t      state;
    weir_dns_type_t   type;
    uint16_t          id;
    uint8_t           upper[32];          /* letters that are capitals in the question */
    bool              is_plain, any_case;
    uint8_t           aliases;            /* followed so far; the last is what is asked for: */
    uint8_t           alias_len;
    char              alias[WEIR_DNS_NAME_MAX];
    uint32_t          ttl, negative_ttl;  /* the smallest of their answers */
    weir_dns_result_t result;
    void             *found;              /* n of weir_addr_t, or of weir_service_t; heap */
    size_t            n;
} half_t;

typedef struct weir_name {
    weir_list_t        bucket, recent;
    weir_resolver_t   *resolver;
    weir_list_t        waiting;           /* weir_lookup_t */
    weir_addr_t       *addrs;
    weir_service_t    *services;          /* with their texts behind them; of a service's name */
    size_t             n;                 /* of those or these */
    weir_lookup_result_t result;
    weir_instant_t     until;             /* what is known holds; 0: nothing is */
    weir_instant_t     last;              /* … and stands in for another answer */
    bool               is_service, is_stale;
    /* while it is asked for */
    /* of the server asked now; a half has come to one */
    bool               is_asked, is_tcp_tried, is_refused, has_alias, asks_anew;
    uint32_t           pins;              /* its users are told of changes and read addrs: it stays */
    half_t             half[2];           /* A, AAAA; of a service: SRV, none */
    weir_watch_t       udp;
    bool               udp_open;
    weir_conn_t        tcp;
    char              *tcp_in;
    size_t             tcp_len, n_messages;
    size_t             server;            /* the one asked now */
    uint32_t           tries;
    weir_timer_t       again;
    weir_task_t        told;
    size_t             text_len;
    char               text[];            /* lower case */
} name_t;

/* What a server does not understand, until when. */
typedef struct { weir_instant_t loses_case, has_no_edns; bool is_told; } server_habits_t;

struct weir_resolver {
    weir_loop_t         *loop;
    weir_resolver_conf_t conf;
    server_habits_t     *habits;          /* of each server */
    weir_list_t          buckets[RESOLVE_BUCKETS], recent;      /* recent: newest first */
    size_t               n_names, next_server;
    uint64_t             seed;
    weir_dns_answer_t    answer;          /* the one that is read */
};

static inline weir_str_t
name_text(const name_t *name)
{
    return weir_str(name->text, name->text_len);
}

/* resolver_ask.c: the question goes out; weir_resolver_over follows, in this call or later. */
void weir_resolver_ask(name_t *name);
/* No answer is taken any more. */
void weir_resolver_hang_up(name_t *name);
void weir_resolver_forget_found(name_t *name);
/* resolver.c: the question is over. */
void weir_resolver_over(name_t *name);

#endif
