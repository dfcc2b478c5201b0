/*
 * proxy.h - the one proxy engine: pick a peer, connect, send, receive, stream, tunnel; retried only while it is safe.
 *
 * It asks its peers by exchanges (http/exchange/exchange.h), which know the wire.  modules/http/proxy.c has the
 * directives; other modules (grpc) bring their own settings and codec.
 */
#ifndef WEIR_HTTP_PROXY_PROXY_H
#define WEIR_HTTP_PROXY_PROXY_H

#include "http/exchange/exchange.h"
#include "http/proxy/edit.h"
#include "http/proxy/forward.h"
#include "http/proxy/hedge.h"
#include "http/filter/store.h"
#include "base/chain.h"
#include "http/request.h"
#include "http/serve/runtime.h"
#include "http/tls/upstream.h"
#include "event/resolver.h"
#include "upstream/group.h"
#include "upstream/queue.h"

#include <stddef.h>

/* proxy_next_upstream: kinds of failure after which another peer is asked. */
enum {
    WEIR_NEXT_ERROR = 1 << 0, WEIR_NEXT_TIMEOUT = 1 << 1, WEIR_NEXT_INVALID_HEADER = 1 << 2,
    WEIR_NEXT_HTTP_500 = 1 << 3,
    WEIR_NEXT_HTTP_502 = 1 << 4, WEIR_NEXT_HTTP_503 = 1 << 5, WEIR_NEXT_HTTP_504 = 1 << 6, WEIR_NEXT_HTTP_403 = 1 << 7,
    WEIR_NEXT_HTTP_404 = 1 << 8, WEIR_NEXT_HTTP_429 = 1 << 9, WEIR_NEXT_NON_IDEMPOTENT = 1 << 10,
    WEIR_NEXT_OFF = 1 << 11,
};

/* proxy_path: what is sent of a path that proxy_pass does not replace. */
enum { WEIR_PROXY_PATH_NORMAL, WEIR_PROXY_PATH_AS_SENT };

/* proxy_ignore_headers: fields of peers that are for Weir.  (The last four are for a cache.) */
enum {
    WEIR_IGNORE_REDIRECT = 1 << 0, WEIR_IGNORE_LIMIT_RATE = 1 << 1, WEIR_IGNORE_BUFFERING = 1 << 2,
    WEIR_IGNORE_CHARSET = 1 << 3,
    WEIR_IGNORE_EXPIRES_AT = 1 << 4, WEIR_IGNORE_EXPIRES = 1 << 5, WEIR_IGNORE_CACHE_CONTROL = 1 << 6,
    WEIR_IGNORE_SET_COOKIE = 1 << 7,
    WEIR_IGNORE_VARY = 1 << 8,
};

typedef struct { weir_str_t name; weir_header_id_t id; const weir_template_t *value; } weir_proxy_header_t;
typedef struct { weir_proxy_header_t *at; size_t n; } weir_proxy_headers_t;

struct weir_proxy_scheme;

/* Where proxy_pass points. */
typedef struct weir_proxy_pass {
    weir_str_t         url;          /* as written; empty: not set */
    weir_str_t         authority;    /* group's name or host[:port] or unix:path */
    weir_str_t         uri;          /* path and query put in place of the location's text; empty: none */
    bool               has_uri, is_tls;
    uint16_t           default_port;
    weir_group_id_t    group;        /* none: it has variables */
    const weir_template_t *text;     /* … which make it; NULL: it has none */
    const struct weir_proxy_scheme *schemes;
    struct weir_proxy_targets *targets;      /* of which this is the first (split.h); NULL: it is the only one */
    /* of one request */
    uint16_t           port;
    weir_str_t         host_header;
    const weir_group_conf_t *own;    /* the group that was made for it alone; NULL */
} weir_proxy_pass_t;

/* The group that it points to, of the generation that has it, or its own.  NULL: it is not known yet. */
static inline const weir_group_conf_t *
weir_proxy_pass_group(const weir_generation_t *generation, const weir_proxy_pass_t *pass)
{
    if (weir_unlikely(!weir_group_id_is(pass->group))) {
        return pass->own;
    }
    return weir_upstream_by_id(generation, pass->group);
}

typedef struct {
    weir_proxy_pass_t    pass;
    weir_proxy_headers_t set_headers;
    weir_strs_t          hide_headers, pass_headers;
    weir_flag_t          buffering, request_buffering, ignore_client_abort, intercept_errors, pass_request_headers,
                         pass_request_body, pass_trailers, force_ranges;
    weir_exchange_conf_t peer;
    uint32_t             next_upstream, next_upstream_tries, ignore_headers, path;
    weir_msec_t          next_upstream_timeout;
    weir_bytes_t         max_temp_file_size;
    weir_bufs_t          buffers;
    weir_temp_path_t     temp_path;
    const weir_template_t *method, *set_body, *limit_rate;
    const weir_template_t *bind;     /* NULL or "off": any address of ours */
    weir_http_tls_upstream_conf_t tls;
    weir_edits_conf_t    edits;
    /* An answer that was cut after its head: completed in the wire's own way (gRPC: a status in trailers)?  true:
     * res.trailers are set, it ends as if it were whole.  NULL: never. */
    bool               (*end_cut)(weir_request_t *req, weir_cause_t cause);
    /* derived when the configuration is built */
    weir_proxy_headers_t emit;               /* set_headers, and the default Host when it is not among them */
    const weir_template_t *connection;       /* a Connection that the user sets and that may say close; NULL: none */
    const weir_template_t *te;               /* a TE the user sets; it only says trailers */
    /* client's fields that are not passed on: replaced ones */
    uint8_t              set_known[(WEIR_HEADER_MAX + 7) / 8];
    weir_str_t          *set_other;          /* the same, by name */
    size_t               n_set_other;
    uint8_t              hide_known[(WEIR_HEADER_MAX + 7) / 8];
    weir_str_t          *hide_other;
    size_t               n_hide_other;
    bool                 is_built;
    size_t               prefix_len;         /* of the location's text that uri replaces */
    bool                 is_of_route;        /* … it is the match line's that took the request */
} weir_proxy_conf_t;

typedef struct weir_proxy weir_proxy_t;
typedef struct weir_proxy_target weir_proxy_target_t;
typedef struct weir_proxy_scheme weir_proxy_scheme_t;

typedef enum {
    WEIR_PROXY_COLLECT,    /* buffering the request's body before a peer is picked */
    WEIR_PROXY_ASK,        /* picking peers, one exchange after another, until one answers */
    WEIR_PROXY_STREAM,     /* the answer's body */
    WEIR_PROXY_TUNNEL,
    WEIR_PROXY_DONE,
} weir_proxy_state_t;

/* What is more than passing on: only where forward.h's directives ask for it. */
typedef struct {
    struct weir_proxy         *proxy;
    const weir_forward_conf_t *conf;
    weir_str_t                 host;            /* rewrite_host's; empty: it does not say */
    const weir_proxy_target_t *target;          /* of several; NULL: there is one */
    weir_instant_t             asked;           /* when it was first */
    weir_edits_conf_t          edits;           /* p->edits of that target */
    bool                       is_timeout;      /* p->deadline is `timeout`, not the client's */
    weir_timer_t               try_timers[2];   /* try_timeout, while an answer is waited for; of the second exchange */
    weir_hedge_t               hedge;
    weir_timer_t               pause;           /* before another try */
} weir_proxy_plan_t;

struct weir_proxy {
    weir_holder_t              hold;            /* from its beginning to weir_proxy_release */
    weir_request_t          *req;
    const weir_proxy_conf_t *conf;
    const weir_proxy_pass_t *pass;            /* conf's, that of the target chosen, or what its variables made */
    const weir_edits_conf_t *edits;           /* conf's, with the address of that target */
    weir_proxy_pass_t       *own_pass;        /* the latter; NULL */
    weir_proxy_plan_t       *plan;            /* NULL: it is passed on, and nothing else */
    const weir_group_conf_t *fallback;        /* the group that is asked in the place of pass's; NULL */
    weir_upqueued_t           *queued;          /* with which it waits for a peer with room; NULL: it never did */
    weir_group_t            *own_group;       /* made for it alone: a reference; NULL */
    weir_lookup_t            lookup;
    bool                     is_resolving;
    weir_proxy_state_t       state;
    /* the try at hand; of two, the other one is plan->other (hedge.h) */
    weir_exchange_t         *x;               /* first, or plan's second */
    weir_pick_t              pick;
    weir_attempt_t          *attempt;
    weir_instant_t           began, attempt_began;
    weir_task_t              task, collect_task;  /* go on after a long turn */
    uint32_t                 tries;
    bool                     picked, raced, released;
    bool                     has_client_limit;    /* the client said how long it waits (grpc-timeout), and peers know */
    weir_timer_t             deadline;        /* of all tries together (gRPC's grpc-timeout) */

    /* toward the peer */
    weir_store_t            *body;            /* the request's body, when it is buffered; in the request's arena */
    bool                     streaming, body_taken, body_is_ours;
    weir_instant_t           waits_for_client;  /* since then, for the rest of a streamed body; 0: not now */

    /* from the peer */
    weir_pipe_t              pipe;            /* with has_pipe */
    size_t                   pipe_held;       /* bytes in it: they come before the store's */
    bool                     has_pipe, no_pipe;
    /* of a streamed body: what was sent so far, while it is small; another attempt begins with it */
    weir_store_t             taken;
    weir_store_t             store;           /* answer's bytes the slow client has not taken */
    weir_client_t           *stored_for;      /* … counted there; NULL: nothing is */
    uint64_t                 stored, stored_mem;
    uint8_t                  interims;
    uint64_t                 rate;            /* proxy_limit_rate; 0: none */
    weir_timer_t             rate_timer;
    weir_instant_t           answer_began;
    bool                     peer_done, client_paused, client_eof, buffering, is_tunnel_open;

    weir_exchange_t          first;           /* last: the codec's state lies behind it */
};

/* The content handler's work: starts proxying; DONE.  limit: for all of it, 0: none. */
weir_step_t weir_proxy_start_within(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_peer_codec_t *codec,
                                    weir_msec_t limit);
weir_step_t weir_proxy_start(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_peer_codec_t *codec);

/* -- inside the engine; the request may have ended when these return -- */
extern const weir_asker_t weir_proxy_asker;                       /* engine.c */
/* The attempt failed: next peer or the end.  kind: WEIR_NEXT_…; 0: no other peer. */
void weir_proxy_fail(weir_proxy_t *p, weir_cause_t cause, const char *detail, unsigned kind);
/* No peer can be told what the configuration made of the request. */
void weir_proxy_fail_emit(weir_proxy_t *p);
void weir_proxy_next_peer(weir_proxy_t *p);                       /* retry.c */
/* The group that is asked; not NULL once it is found. */
static inline const weir_group_conf_t *
weir_proxy_group(const weir_proxy_t *p)
{
    return weir_unlikely(p->fallback != NULL) ? p->fallback : weir_proxy_pass_group(p->req->generation, p->pass);
}
/* fallback.c: the group has not taken the request, for that cause.  true: it is in other hands, or over. */
bool weir_proxy_fall_back(weir_proxy_t *p, weir_cause_t cause);
/* The peer that was picked is asked, beside another one (hedge.c). */
void weir_proxy_try_again(weir_proxy_t *p);                       /* retry.c */
/* This try's answer has begun, or it has none: try_timeout is over. */
static inline void
weir_proxy_answers(weir_proxy_t *p)
{
    if (weir_unlikely(p->plan != NULL)) {
        weir_timer_drop(&p->plan->try_timers[p->plan->hedge.is_second]);
        weir_timer_drop(&p->plan->hedge.timer);
    }
}
/* What the variables of `from` make of it for this request.  GOOD: its group may not be known yet. */
typedef enum {
    WEIR_PROXY_READ_GOOD,
    WEIR_PROXY_READ_SPLIT,           /* encoded slashes may be read in two ways */
    WEIR_PROXY_READ_NO_URL,
    WEIR_PROXY_READ_DOTS,            /* the path has dot segments */
} weir_proxy_read_t;
weir_proxy_read_t weir_proxy_read_target(weir_request_t *req, const weir_proxy_pass_t *from, weir_proxy_pass_t *pass,
                                         weir_str_t *url) WEIR_MUST_USE;
/* target.c: p->pass with its group.  false: later (weir_proxy_next_peer is called again), or the request was
 * answered. */
bool weir_proxy_find_target(weir_proxy_t *p);
weir_io_t weir_proxy_secure(weir_proxy_t *p);                     /* p->x->secure.  ERROR: cause and detail are set */
/* the answer's status asks for another peer: done, when true */
bool weir_proxy_retry_status(weir_proxy_t *p);
void weir_proxy_release(weir_proxy_t *p);              /* lets go of the peer and of everything held; idempotent */
void weir_proxy_end_attempt(weir_proxy_t *p, bool failed);
void weir_proxy_gave(weir_proxy_t *p);                 /* retry.c: it is good so far, and the client's turn */
void weir_proxy_body_ready(weir_proxy_t *p);                      /* the client's bytes: body or tunnel */
void weir_proxy_lost(weir_proxy_t *p);                            /* the client has gone: the request is over */
void weir_proxy_answer(weir_proxy_t *p);                          /* answer.c: the final head came */
bool weir_proxy_copy_fields(weir_proxy_t *p);                     /* answer.c */
void weir_proxy_unstore(weir_proxy_t *p);                         /* answer.c: before the store is cleared */
void weir_proxy_pump(weir_proxy_t *p);                            /* answer.c: body toward the client */
void weir_proxy_hide_fields(weir_proxy_t *p);                     /* answer.c: those of an interim answer */
/* upgrade.c: sets p->x->upgrade when the client asks for one that may be.  false: answered. */
bool weir_proxy_upgrade_begin(weir_proxy_t *p);
bool weir_proxy_upgrade_switches(const weir_proxy_t *p, weir_str_t *to);      /* the 101 is what was asked for */
bool weir_proxy_upgrade_may_pass(weir_str_t list);                /* an Upgrade field that may go on */
void weir_proxy_tunnel_begin(weir_proxy_t *p, weir_str_t to);     /* tunnel.c */
void weir_proxy_tunnel_pump(weir_proxy_t *p);
void weir_proxy_tunnel_go_on(weir_proxy_t *p);
weir_io_t weir_proxy_next_body(weir_proxy_t *p, weir_str_t *bytes);     /* upload.c: see weir_asker_t */
bool weir_proxy_collect_body(weir_proxy_t *p);                    /* upload.c: true: complete */
void weir_proxy_client_came(weir_proxy_t *p);                     /* upload.c: it is not waited for (any more) */
void weir_proxy_body_failed(weir_proxy_t *p, weir_cause_t cause); /* upload.c: the client's body: the request is over */

#endif
