/*
 * group.h - groups of peers: what the configuration says, and what a worker knows about them while it runs.
 *
 * The configuration's part is of the generation.  The running part (weights in use, failures, idle connections) is of
 * the worker, kept by name and digest, so that a reload that changes nothing about a group changes nothing in it.
 */
#ifndef WEIR_UPSTREAM_GROUP_H
#define WEIR_UPSTREAM_GROUP_H

#include "conf/life.h"
#include "event/conn.h"
#include "os/addr.h"
#include "shm/places.h"
#include "tls/conn.h"
#include "upstream/id.h"

typedef struct {
    weir_addr_t addr;
    weir_str_t  text;            /* $upstream_addr: "127.0.0.1:80" */
    weir_str_t  server;          /* as written after `server` */
    uint32_t    weight;          /* >= 1 */
    uint32_t    max_fails;       /* 0: never marked */
    uint32_t    max_conns;       /* in all workers; 0: no limit */
    weir_msec_t fail_timeout;
    weir_msec_t slow_start;      /* how long it takes to its whole weight when it comes back; 0: it has it at once */
    uint32_t    stats;           /* its row (shm/stats.h) */
    uint16_t    priority;        /* lower ones are asked first */
    uint8_t     distance;        /* from this gateway: near ones are asked first; or its zone, with zone_aware */
    weir_str_t  locality;        /* as written; empty: none was said */
    weir_str_t  route;           /* what `sticky route` knows it by; empty: nothing */
    bool        backup, down, drain;
    /* what comes here is compared in members.c (members_conf_eq) and digested in conf.c */
} weir_peer_conf_t;

/* Peers of one rank are a host set; the set of the lowest rank is asked first. */
static inline uint32_t
weir_peer_rank(const weir_peer_conf_t *peer)
{
    return (uint32_t) peer->backup << 24 | (uint32_t) peer->priority << 8 | peer->distance;
}

/* A part of the gateways that ask a group: those in one place. */
typedef struct { weir_str_t locality; uint32_t callers; } weir_caller_zone_t;

typedef struct weir_balancer weir_balancer_t;     /* balancer.h */
typedef struct weir_uppolicy weir_uppolicy_t;         /* policy.h */
typedef struct weir_uppolicy_of weir_uppolicy_of_t;
typedef struct weir_host_set weir_host_set_t;
typedef struct weir_group weir_group_t;

#define WEIR_POLICIES_MAX 12

/* A policy that a group has; settings: plain bytes without pointers, which make it this one and no other. */
typedef struct { const weir_uppolicy_t *policy; weir_str_t settings; } weir_uppolicy_conf_t;

#define WEIR_BALANCING 2                     /* numbers that a balancer may have been told */

/* Nothing writes to it once it is built; what runs for it is found by its number (weir_upstream_running). */
typedef struct weir_group_conf {
    weir_group_id_t        id;               /* 0: of no generation */
    weir_str_t             name;             /* of the upstream block, or "host:port" of an implicit one */
    weir_str_t             host_header;      /* $proxy_host: the name; "host[:port]" of an implicit one */
    weir_peer_conf_t      *peers;            /* by rank; an address each.  Of a running group: NULL */
    size_t                 n_peers;
    uint32_t               overprovisioning; /* percent: so many times its health a set is trusted with (shares.c) */
    uint32_t               panic;            /* percent: of how many healthy peers all of a set are used; 0: never */
    const weir_caller_zone_t *zones;         /* zone_aware: by the distance of their peers; the first is our own */
    size_t                 n_zones;          /* peers of other localities are at this distance; 0: not zone_aware */
    uint32_t               keepalive;        /* idle connections kept a worker; 0: none */
    uint32_t               keepalive_requests;
    weir_msec_t            keepalive_time, keepalive_timeout;
    const weir_balancer_t *balancer;
    uint32_t               balancing[WEIR_BALANCING];     /* what the balancer's directive said beside the key */
    uint64_t               states;         /* names that all workers have room for (state.h); 0: for none */
    weir_uppolicy_conf_t     policies[WEIR_POLICIES_MAX];
    uint32_t               n_policies;
    const weir_template_t *key;            /* of the generation: what a request has as weir_pick_t.key; NULL: nothing */
    const struct weir_sticky *sticky;      /* of the generation: how requests are bound to peers; NULL: they are not */
    uint64_t               digest;           /* of all the above but the key */
    uint64_t               settings;         /* the same but the peers; 0: it is not known */
    uint32_t               stats;            /* its row (shm/stats.h) */
    const struct weir_follow_conf *follow;   /* it has servers marked resolve; NULL */
    weir_group_id_t        fallback;         /* has what this one does not take; none … */
    weir_str_t             fallback_location;    /* … but this "@location", if it is not empty */
    weir_str_t             own;              /* where this gateway is: its locality */
    weir_str_t             state;            /* the file that its servers are in; empty: they are in the block */
    bool                   may_change;       /* at run time: of an upstream block (changes.h) */
} weir_group_conf_t;

typedef struct weir_peer_state weir_peer_state_t;            /* state.h */

typedef struct {
    const weir_peer_conf_t *conf;            /* its own; another one when what is said of it changes (members.c) */
    weir_group_t           *group;
    const weir_host_set_t  *set;             /* that it is in; NULL: it has just come, or has gone */
    uint32_t                index;           /* … and where in it */
    uint32_t                number;          /* its own in its group, which it keeps: weir_peer_number */
    uint32_t                refs;            /* the group while it is a member, requests and connections on it */
    bool                    is_gone;         /* from the group: it is not picked, and ends with its last reference */
    bool                    is_fresh;        /* in no set yet; members.c and settle.c, as what follows */
    const weir_peer_conf_t *next_conf, *plan_conf, *before;
    uint32_t                planned;         /* its place in the sets that are being made, and 1 (settle.c); 0: none */
    uint8_t                 zone;            /* of its locality, from 1 on; 0: it has none */
    weir_peer_state_t      *state;           /* what all workers know about it */
    weir_place_t            place;           /* where that is; its gauge: requests on the peer now, in this worker */
    bool                    is_shared;       /* else the state is this worker's own, and only the gauge is there */
    bool                    is_carried;      /* from the group of this name before */
    bool                    is_marked;   /* it has failed too often; so it is counted in its group, and in statistics */
    weir_list_t             rising;          /* in its group's list, while it starts slowly (slow_start.c) */
    uint32_t                part;            /* of its weight that it has then, of WEIR_TURNS_WHOLE; 0: all of it */
    uint64_t                risen;           /* the start that is over (state->risen) */
    void                   *policies;        /* what those of its group keep of it; policies.c */
    weir_list_t             parts;           /* that they have taken of it; state.c */
    weir_arena_t            arena;           /* of these, and of a state of its own */
    weir_list_t             idle;            /* kept connections, newest first */
    /* connections that serve several at once and have some (weir_upconn_t.shared_link) */
    weir_list_t             shared;
    weir_list_t             slots;           /* TLS sessions to resume (upconn_secure.c) */
    uint32_t                n_slots;
} weir_peer_t;

/* How an attempt on a peer ended: what all judge it by. */
typedef enum {
    WEIR_OUTCOME_ABANDONED,      /* no request waits any more for what has not come: it says nothing about the peer */
    WEIR_OUTCOME_ANSWER,         /* all of an answer came, or as much of it as was wanted */
    WEIR_OUTCOME_CONNECT,        /* there was no connection, or TLS failed */
    WEIR_OUTCOME_RESET,          /* the peer closed or reset what it had not answered to the end */
    WEIR_OUTCOME_TIMEOUT,        /* it was connected, and too slow */
    WEIR_OUTCOME_INVALID,        /* what came is no answer */
} weir_outcome_kind_t;

typedef struct {
    weir_outcome_kind_t kind;
    uint16_t            status;              /* that the peer answered with, of gRPC too; 0: no head came */
    bool                failed;              /* the peer is to blame: it counts towards max_fails */
    /* without what the client took to send its body: */
    weir_msec_t         header_time;         /* from the pick to the head; of no worth without a status */
    weir_msec_t         total_time;          /* … to the end */
} weir_outcome_t;

/* Why a request gets no peer. */
typedef enum {
    WEIR_REFUSED_NOT,
    WEIR_REFUSED_NO_PEER,                    /* none is left that may be picked */
    WEIR_REFUSED_REQUESTS,                   /* it has max_requests */
    WEIR_REFUSED_PENDING,                    /* … max_pending */
    WEIR_REFUSED_CONCURRENCY,                /* its adaptive limit is reached */
    WEIR_REFUSED_QUEUE_FULL,                 /* no peer has room, and as many as may wait for that */
    WEIR_REFUSED_QUEUE_TIMEOUT,              /* no peer had room in time */
    WEIR_REFUSED_BREAKER,                    /* the group's circuit breaker is open */
} weir_refusal_t;

/* What a connection to a peer is secured with, and where it comes from: one that is kept serves those only who want
 * exactly the same. */
typedef struct {
    const weir_addr_t  *from;                /* the address of ours it is bound to; NULL: any */
    weir_tls_context_t *context;             /* NULL: plain, and all below is empty */
    weir_str_t          name;                /* of the peer's certificate; with sends_name also asked for (SNI) */
    weir_str_t          protocols;           /* ALPN's wire format; a literal */
    bool                sends_name, verifies, resumes;
} weir_upsecure_t;

/* One request's way through a group. */
typedef struct {
    weir_group_t *group;                     /* counted from weir_pick_begin to weir_pick_end */
    weir_peer_t  *peer;                      /* the one picked; NULL: none */
    uint64_t     *tried;                     /* bitmap by weir_peer_number, of n_tried words in the request's arena */
    size_t        n_tried;
    weir_arena_t *arena;
    weir_str_t    key;               /* that the balancer may go by; empty: there is none.  Set after weir_pick_begin */
    weir_str_t    bond;              /* what the request says of the peer it is bound to (sticky.h); likewise */
    weir_str_t    learned;           /* what an answer says of requests that are bound to its peer from now on */
    weir_peer_t  *bound;             /* weir_pick_bind */
    uint64_t      failed_zones;              /* a bit for each weir_peer_t.zone where an attempt failed */
    uint64_t      avoids;                    /* those of them that are passed over while a peer is picked now */
    weir_instant_t picked;                   /* when the peer was, for latency.c */
    bool          is_retry;                  /* a place of max_retries goes with the peer that is held; caps.c */
    bool          is_beside;                 /* a retry goes on with the peer that is held */
    bool          on_trial;                  /* the peer is marked failed and this is the one try after fail_timeout */
    bool          is_admitted;               /* by all policies of the group */
    weir_refusal_t refusal;                  /* why weir_pick_next said false */
    const char   *refused_by;                /* the policy for which weir_pick_may_retry said false; NULL: it did not */
    weir_msec_t   refused_for;               /* … and after what time it makes sense to come again; 0: not known */
    uint8_t       notes[WEIR_POLICIES_MAX];  /* of the policies; policy.h */
    uint32_t      words[WEIR_POLICIES_MAX];
} weir_pick_t;

/* A peer that a pick holds no more, while it holds a second one for the same request. */
typedef struct { weir_peer_t *peer; bool on_trial, is_retry; weir_instant_t at; } weir_picked_t;

typedef struct weir_upconn weir_upconn_t;

/* A connection that serves several exchanges at once: what the pool asks while it is idle. */
typedef struct {
    void (*idle_ready)(weir_upconn_t *up);   /* an edge came; may weir_upconn_drop it */
    bool (*is_usable)(weir_upconn_t *up);
    void (*closing)(weir_upconn_t *up);      /* it goes: what owner points to as well */
} weir_upshare_t;

/* A kept connection to a peer.  What the HTTP/1 client codec needs beside it lives in the exchange, not here. */
struct weir_upconn {
    weir_conn_t    conn;
    weir_peer_t   *peer;                     /* its group is counted while the connection is in use */
    void          *owner;                    /* what uses it; NULL while idle, unless `share` is set */
    const weir_upshare_t *share;             /* NULL: one exchange at a time */
    weir_upsecure_t secure;                  /* a reference to the context, copies of the name and the address */
    weir_addr_t    from;
    struct weir_state_part *cap;             /* where it is counted; NULL: nowhere */
    struct weir_upslot *slot;                /* where its TLS session is kept; NULL: nowhere */
    uint32_t       requests;                 /* sent on it; counted by the owner */
    weir_instant_t created;
    weir_list_t    idle_link, group_link;
    weir_list_t    shared_link;              /* peer->shared, while its owner has it there */
    weir_timer_t   timer;                    /* idle timeout; the owner may use it while it holds the connection */
    bool           reused;                   /* it has served before */
    bool           is_terse;                 /* and its last answer was short; the owner's */
};

/* -- running groups of this process -- */
typedef struct weir_groups weir_groups_t;
weir_groups_t *weir_groups_create(weir_loop_t *loop);
void           weir_groups_destroy(weir_groups_t *groups);      /* closes what is idle; groups in use live on */
/* The running group for a configuration: the one of the same name and digest, or a new one, whose peers carry on with
 * the failures and idle connections of peers of the same address in the group of that name before.  Takes a
 * reference. */
weir_group_t  *weir_group_attach(weir_groups_t *groups, const weir_group_conf_t *conf);
/* A group that only a request makes: of these addresses (a port each), with nothing kept of it; not counted under its
 * name, which any client may have chosen.  name and host_header are copied.  Takes a reference; conf (the caller's) is
 * filled in. */
weir_group_t  *weir_upstream_attach_addrs(weir_groups_t *groups, weir_arena_t *arena, weir_group_conf_t *conf,
                                          weir_str_t name, weir_str_t host_header,
                                          const weir_addr_t *addrs, size_t n);
/* A group of this peer alone, or of another port of its host (0: its own), for questions of Weir's own: with no state
 * of the peer's, counted nowhere.  It keeps one connection, so long; 0: none.  Takes a reference. */
weir_group_t  *weir_upstream_attach_alone(weir_groups_t *groups, const weir_peer_t *peer, uint16_t port,
                                          weir_msec_t keepalive_time);
/* A change at run time (changes.h): a command's line, of that number.  false with *error: it is none. */
bool           weir_groups_change(weir_groups_t *groups, uint64_t number, weir_str_t line,
                                  weir_error_t *error) WEIR_MUST_USE;
/* The last change that, with all before it, requests go by; and a call when that may be another. */
uint64_t       weir_groups_settled(const weir_groups_t *groups);
void           weir_groups_on_settled(weir_groups_t *groups, void (*on_settled)(void *data), void *data);
weir_group_t  *weir_group_ref(weir_group_t *group);
void           weir_group_unref(weir_group_t *group);           /* the last one closes its idle connections */
const weir_group_conf_t *weir_group_conf(const weir_group_t *group);
/* Those that requests are given to, until the loop's next turn. */
size_t         weir_group_peers(const weir_group_t *group, weir_peer_t *const **first);
/* A newer configuration has another group of its name: requests that it has go on. */
bool weir_group_is_replaced(const weir_group_t *group);
/* The one of that address, as text; NULL: none.  Of two with one address the first. */
weir_peer_t   *weir_group_find_peer(const weir_group_t *group, weir_str_t text);
/* The sources of its peers (names, lists) say that these are all of them from now on, in any order; copied.  Peers that
 * stay keep what they have.  Those that go get no request from now on, those that come get some from the end of this
 * turn on.  For the sources of the last generation that has attached it. */
void           weir_group_renew(weir_group_t *group, const weir_peer_conf_t *peers, size_t n);
/* Among the peers of its group: a small number that it keeps, and that is another's only long after it has gone. */
static inline size_t weir_peer_number(const weir_peer_t *peer) { return peer->number; }
weir_loop_t   *weir_group_loop(const weir_group_t *group);

/* -- picking -- */
void weir_pick_begin(weir_pick_t *pick, weir_group_t *group, weir_arena_t *arena);    /* refs the group */
/* Picks the next peer (pick->peer, in_use raised) that was not tried yet; false: pick->refusal says why not.  A peer
 * that is still held is abandoned.  After a failure peers of other localities come before those of one where an attempt
 * has failed; backups after both.  A group with a single peer never marks it failed, as in nginx. */
bool weir_pick_next(weir_pick_t *pick, weir_instant_t now) WEIR_MUST_USE;
/* What weir_pick_next does first: is the request let in?  false: pick->refusal. */
bool weir_pick_admit(weir_pick_t *pick, weir_instant_t now) WEIR_MUST_USE;
/* By a policy that admits it: the request's first peer is that one, if it may be picked.  NULL: the balancer chooses.
 * The peer is held until it was picked or the request ends, since the request may wait, and the peer go meanwhile. */
void weir_pick_bind(weir_pick_t *pick, weir_peer_t *peer);
/* The connection to pick->peer is ready. */
void weir_pick_connected(weir_pick_t *pick);
/* The group's fallback has the request now. */
void weir_pick_fell_back(weir_pick_t *pick);
/* How the attempt on pick->peer ended; lowers in_use and lets go of the peer.  An abandoned one says nothing about the
 * peer, so that a client that leaves cannot make one that is marked as failed a good one. */
void weir_pick_report(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now);
/* May the request be sent once more, by the group's policies?  Asked once, and only by a caller that then does so. */
bool weir_pick_may_retry(weir_pick_t *pick, weir_instant_t now) WEIR_MUST_USE;
/* The peer has answered so far, and it is the client that is waited for now; perhaps again. */
void weir_pick_gave(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now);
/* It may, and is not after all; what it has goes on. */
void weir_pick_retry_not(weir_pick_t *pick);
/* A peer that was not tried yet may be picked now: not down, not resting after failures, with room for a connection.
 * The bound of retries. */
bool weir_pick_has_next(const weir_pick_t *pick, weir_instant_t now);
/* For requests that ask peers again: each peer counts as not tried yet. */
void weir_pick_renew(weir_pick_t *pick);
/* Whether a peer may be picked after that, once pick->peer has failed. */
bool weir_pick_may_renew(const weir_pick_t *pick, weir_instant_t now);
/* The peer that is held becomes *other, and what was there is held: a request that is with two peers at once reports on
 * each while it holds it. */
void weir_pick_swap(weir_pick_t *pick, weir_picked_t *other);
void weir_pick_end(weir_pick_t *pick);               /* a peer that is still held is abandoned; unrefs */

/* -- connections -- */
/* An idle connection to the peer, secured and shared so, or NULL.  The caller sets owner and conn.watch.on_ready. */
weir_upconn_t *weir_upconn_take_idle(weir_peer_t *peer, const weir_upsecure_t *secure, const weir_upshare_t *share);
/* Starts a new one; *done: connected at once. NULL: errno; EUSERS: the group has as many as it
 * may.  The caller waits for writable and checks weir_sock_error,
 * then goes on with weir_upconn_secure until that says OK. */
weir_upconn_t *weir_upconn_open(weir_peer_t *peer, const weir_upsecure_t *secure, void (*on_ready)(weir_watch_t *),
                                bool *done);
/* A step of the TLS handshake, if there is to be one.  OK: done · AGAIN: at the next edge · ERROR: *why (lives until
 * the next failure). */
weir_io_t      weir_upconn_secure(weir_upconn_t *up, const char **why) WEIR_MUST_USE;
bool           weir_upconn_secure_eq(const weir_upsecure_t *a, const weir_upsecure_t *b);
/* Back to the group's pool, or closed: when keepalive says so, bytes are waiting, or no other holds a reference to the
 * group. */
void           weir_upconn_keep(weir_upconn_t *up);
void           weir_upconn_close(weir_upconn_t *up);
/* An idle one: closed, for its share's own reasons. */
void           weir_upconn_drop(weir_upconn_t *up);
/* Looks (without taking) whether the peer has closed or sent something on an idle connection: one recv(MSG_PEEK). */
bool           weir_upconn_is_fresh(weir_upconn_t *up);

/* -- configuration -- */
extern const weir_module_t weir_upstream;            /* `upstream` blocks and their directives */
extern const size_t        weir_upstream_index;
/* Explicit group by name (any case) or NULL.  Valid once the upstream module's build has run: before that of http. */
weir_group_conf_t *weir_upstream_find(weir_generation_t *generation, weir_str_t name);
/* Explicit groups in their order; NULL behind the last one. */
const weir_group_conf_t *weir_upstream_at(weir_generation_t *generation, size_t i);
/* What was changed at run time of groups that this generation does not have is forgotten, and so is what the files of
 * `state` had when it was read.  In each process, when it takes the generation up. */
void weir_upstream_prune_changes(weir_generation_t *generation);
/* Of a bundle that is recorded: the last change before that; and of a generation that was built of it. */
#define WEIR_UPSTREAM_CHANGES "upstream changes"
/* … and the numbers of its groups, once it was built. */
#define WEIR_UPSTREAM_NUMBERS "upstream numbers"
uint64_t weir_upstream_changes(const weir_generation_t *generation);
/* The group a URL's authority names: an `upstream` block's, or an implicit one of its addresses (resolved through the
 * bundle). NULL: cf->error is set, with the position of word 1 of cf->words. For use in module builds. */
weir_group_conf_t *weir_upstream_for(weir_conf_t *cf, weir_generation_t *generation, weir_str_t authority,
                                     uint16_t default_port);
/* For module builds: the group is judged by this policy, too.  settings live as long as the generation. */
void               weir_upstream_judge(weir_generation_t *generation, weir_group_id_t group,
                                       const weir_uppolicy_t *policy, weir_str_t settings);
/* All of the configuration; returns how many. */
size_t             weir_upstream_list(const weir_generation_t *generation, weir_group_conf_t *const **first);
/* While running: an upstream block's, or one that some proxy_pass without variables has made of this address.  NULL:
 * neither. */
weir_group_conf_t *weir_upstream_known(weir_generation_t *generation, weir_str_t authority, uint16_t default_port);
/* The group of that number, which the generation has: in O(1). */
const weir_group_conf_t *weir_upstream_by_id(const weir_generation_t *generation,
                                             weir_group_id_t id) __attribute__((returns_nonnull));
/* What runs for it in this process, while it serves with this generation; NULL: it does not. */
weir_group_t *weir_upstream_running(const weir_generation_t *generation, weir_group_id_t id);
/* In a worker, once, when it adopts a generation: attaches each of its groups.  They are given back when the generation
 * goes. */
void weir_upstream_start(weir_generation_t *generation, weir_groups_t *groups);
/* Those of this process: there from the module's begin to its end. */
weir_groups_t *weir_upstream_groups(const weir_life_t *life);

#endif
