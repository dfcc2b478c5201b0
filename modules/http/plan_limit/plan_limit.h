/*
 * plan_limit.h - what the parts of plan_limit share: what its directives say, and what is known of a request.
 */
#ifndef WEIR_PLAN_LIMIT_H
#define WEIR_PLAN_LIMIT_H

#include "http/guard/calendar.h"
#include "http/guard/consumer.h"
#include "http/guard/dry_run.h"
#include "http/guard/limit.h"
#include "shm/holds.h"
#include "shm/rate.h"

#define PLAN_NS_A_S UINT64_C(1000000000)

#define PLAN_REFUSED 64                      /* clients that a process has refused lately and looks at first */

enum { PLAN_HOUR, PLAN_DAY, PLAN_MONTH, PLAN_PERIODS };
typedef enum {
    PLAN_ADMITTED, PLAN_RATE, PLAN_CONCURRENCY, PLAN_QUOTA,
    PLAN_NO_ROOM,                            /* the zone is full of others */
    PLAN_UNKNOWN,                            /* the store cannot be read */
} plan_result_t;

typedef struct { const char *name; weir_period_unit_t unit; size_t offset; } plan_period_t;
extern const plan_period_t plan_periods[PLAN_PERIODS];

/* What places that say the same scope count as one. */
typedef struct plan_scope { struct plan_scope *next; weir_str_t text; } plan_scope_t;

typedef struct {
    weir_limit_zone_t zone;                  /* first; its key is not used */
    weir_calendar_t   calendar[PLAN_PERIODS];
    /* from .check */
    weir_str_t        names[PLAN_PERIODS];   /* of the quotas' memory */
    weir_keyed_t     *rates;
    weir_holds_t      holds;
    uint32_t          stats;                 /* row */
    uint64_t         *refused;               /* names of keys, each at its place; this process's */
    plan_scope_t     *scopes;
} plan_zone_t;

typedef struct { plan_zone_t *at; size_t n; } plan_zones_t;

typedef struct {
    bool                   is_on;
    weir_str_t             name;             /* of the zone; empty: the only one */
    const weir_template_t *scope;            /* NULL: none */
    weir_conf_words_t      words;
    plan_zone_t           *zone;             /* from .check */
    const void            *what;             /* … and what it counts: one of the zone's scopes */
} plan_limit_t;

typedef struct {
    plan_zones_t zones;
    plan_limit_t limit;
    uint32_t     log_level, status, dry_run;
    weir_flag_t  headers, require;
} plan_conf_t;

/* A quota that counts a request. */
typedef struct {
    bool                is_on;
    uint64_t            allowed;
    weir_quota_period_t period;
    weir_quota_count_t  count;
} plan_quota_t;

/* Of one request in one place. */
typedef struct plan_state {
    struct plan_state      *before;          /* in the place that it was redirected from */
    weir_limit_status_t     status;
    bool                    is_rehearsal, is_told, has_rate, is_held;
    plan_result_t           result;
    const plan_zone_t      *zone;
    const weir_consumer_t  *client;
    weir_keyed_key_t        key;             /* in all the tables */
    weir_rate_t             rate;
    weir_rate_verdict_t     verdict;
    weir_hold_t             hold;
    plan_quota_t            quotas[PLAN_PERIODS];
    const plan_quota_t     *refused;         /* the quota that did; NULL: none */
} plan_state_t;

extern const size_t weir_http_plan_limit_index;

/* -- guard.c -- */
weir_cause_t plan_cause(plan_result_t result);       /* of a refusal */
weir_step_t  plan_access(weir_request_t *req, const void *conf);
/* -- told.c -- */
weir_step_t  plan_head(weir_request_t *req, const void *conf);

#endif
