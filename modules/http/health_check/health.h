/*
 * health.h - active health checks: what a configuration says of them, and what its parts have of one another.
 *
 *     module.c    the directive, and which checks a group has          (load time; the module's life)
 *     match.c     `match` blocks: what an answer is to look like       (load time; judged in workers)
 *     record.h    what all workers know of a peer's checks
 *     watch.c     which worker probes which peer when, and what becomes of it (workers: a policy of the group)
 *     probe.c     one question to one peer, HTTP and gRPC              (workers)
 *     tcp.c       one connection to one peer                           (workers)
 */
#ifndef WEIR_HTTP_HEALTH_CHECK_H
#define WEIR_HTTP_HEALTH_CHECK_H

#include "http/answered.h"
#include "http/exchange/ask.h"
#include "http/module.h"
#include "http/proxy/conf.h"
#include "upstream/policy.h"

#define HEALTH_CHECKS   4                    /* of one group */
#define HEALTH_BODY     ((size_t) 256 << 10) /* bytes of an answer's body that are looked at, as nginx does */
#define HEALTH_WHY      256                  /* bytes of a reason */
#define HEALTH_RUN_MAX  1000                 /* fails=, passes= */

typedef enum { HEALTH_HTTP, HEALTH_GRPC, HEALTH_TCP } health_kind_t;

/* -- match.c -- */
typedef struct health_condition health_condition_t;

typedef struct health_match {
    struct health_match *next;
    weir_str_t           name;
    health_condition_t  *first, **end;
    bool                 sees_body;          /* a condition is about it */
    bool                 is_of_http;         /* it has status, header, body or require */
    bool                 is_of_tcp;          /* it has send or expect: */
    weir_str_t           send, expect;       /* empty: nothing */
    weir_regex_t        *expect_pattern;     /* in place of expect; NULL */
} health_match_t;

/* What came of a peer. */
typedef struct {
    weir_http_t          *http;
    weir_generation_t    *generation;        /* the match's */
    weir_answered_t       answered;
    weir_str_t            body;              /* as far as it was read */
} health_answer_t;

health_match_t *health_match_open(weir_conf_t *cf, const weir_conf_words_t *words);
bool            health_match_line(weir_conf_t *cf, health_match_t *match, const weir_conf_words_t *words);
/* At build: variables of `require` are known by now. */
bool            health_match_settle(weir_conf_t *cf, const weir_generation_t *generation,
                                    const health_match_t *match) WEIR_MUST_USE;
/* match NULL: a status from 200 to 399 is good.  false: *why is filled in. */
bool            health_match_judge(const health_match_t *match, const health_answer_t *answer,
                                   weir_buf_t *why) WEIR_MUST_USE;
/* Of what a TCP peer has sent so far.  OK: that is it · AGAIN: it may come yet · ERROR: *why is filled in. */
weir_io_t       health_match_bytes(const health_match_t *match, weir_str_t bytes, bool is_all,
                                   weir_buf_t *why) WEIR_MUST_USE;

/* -- module.c: a check of a group, of a generation -- */
typedef struct {
    const weir_conf_words_t *words;
    health_kind_t            kind;
    weir_msec_t              interval, jitter, keepalive_time, timeout;      /* timeout 0: the place's */
    uint32_t                 fails, passes, port;
    weir_str_t               uri, match_name, grpc_service;
    uint32_t                 grpc_status;
    bool                     is_mandatory, is_persistent, has_uri, has_grpc_status, has_grpc_service;
    /* from build on */
    const health_match_t    *match;          /* NULL: none */
    weir_group_id_t          group;
    const weir_proxy_conf_t *place;          /* how its requests are sent; NULL: plainly */
    bool                     is_tls;
    weir_msec_t              limit;          /* of all of one probe */
    uint32_t                 id;             /* what tells it from other checks of its group */
} health_check_t;

/* The checks of one group. */
typedef struct health_list {
    struct health_list *next;
    weir_group_id_t     group;
    weir_str_t          name;                /* the group's */
    uint32_t            n;
    health_check_t     *checks[HEALTH_CHECKS];
} health_list_t;

/* What a generation has. */
typedef struct { health_list_t *lists; } health_built_t;

extern const size_t weir_http_health_check_index;

/* -- watch.c -- */
/* What the policy is told of the checks: what a peer's first state follows from. */
typedef struct {
    uint32_t n, unused;
    struct { uint32_t id, fresh_s; uint8_t is_mandatory, is_persistent, unused[6]; } checks[HEALTH_CHECKS];
} health_settings_t;

extern const weir_uppolicy_t health_policy;

/* The checks of this generation are made from now on; NULL: none are. */
void health_watch_use(weir_life_t *life, weir_generation_t *generation);
const weir_generation_t *health_watch_used(void);

/* -- probe.c, tcp.c -- */
typedef struct health_probe health_probe_t;

/* What a probe begins with. */
typedef struct {
    weir_http_t          *http;
    weir_generation_t    *generation;        /* the check's */
    const health_check_t *check;
    weir_group_t         *alone;             /* of the peer alone */
    /* Once, by the loop, unless it was cancelled; the probe is gone with it.  why NULL: it passed. */
    void                (*done)(void *data, const char *why);
    void                 *data;
} health_spec_t;

/* NULL: no memory. */
health_probe_t *health_probe_begin(const health_spec_t *spec) WEIR_MUST_USE;
void            health_probe_cancel(health_probe_t *probe);          /* NULL is fine */
/* The status in the one message of a gRPC answer, which a stranger has sent.  false: there is none that can be read. */
bool            health_probe_serving(weir_str_t body, uint64_t *serving) WEIR_MUST_USE;
/* How its connections to that address are secured, and from which one of ours they come: maybe *from, which lives as
 * long as it is used. */
weir_upsecure_t health_probe_secure(const health_spec_t *spec, const weir_addr_t *to, weir_addr_t *from);

typedef struct health_tcp health_tcp_t;
health_tcp_t *health_tcp_begin(const health_spec_t *spec) WEIR_MUST_USE;
void          health_tcp_cancel(health_tcp_t *tcp);                  /* NULL is fine */

#endif
