/*
 * rollout.h - a release that takes over requests step by step: what share it has, how it and the others fare in the
 * same time, and what follows from that.  For all workers, in a zone of its own.
 *
 * One word says where it stands, and changes by one compare-and-swap: the worker that makes a change is the only one of
 * all to do so, and all see it with their next request.  Requests are counted in one of two banks, the one of the
 * word's number, so that each change begins with empty counts.  A worker may be killed at any instruction: then the
 * change was made or it was not.  The word is kept in the store (saved.h), where there is one.
 *
 * When an interval is over, the release goes to its next step if it and the others had enough requests and it is within
 * its bounds; else it stays until they had.  Out of its bounds it is rolled back as soon as it had enough requests:
 * its share is 0 then, for good.  With a share of 100 % there is nothing to compare it with any more.
 */
#ifndef WEIR_SHM_ROLLOUT_H
#define WEIR_SHM_ROLLOUT_H

#include "base/buf.h"
#include "shm/saved.h"
#include "shm/stats.h"
#include "shm/zone.h"

#define WEIR_ROLLOUT_STEPS 16
#define WEIR_ROLLOUT_WHOLE 10000             /* shares and rates are in hundredths of a percent */
#define WEIR_ROLLOUT_BYTES 16384             /* of a zone */

typedef struct {
    uint32_t steps[WEIR_ROLLOUT_STEPS];      /* shares, each more than the one before */
    uint32_t n_steps;
    uint32_t errors;                         /* so much more of its requests may fail than of the others' … */
    uint32_t judges_errors;                  /* … if 1 */
    uint32_t quantile;                       /* of times, percent; 0: times are not judged */
    uint32_t factor;                         /* it may be so many times the others', in thousandths … */
    uint32_t unused;
    uint64_t slack;                          /* … or longer than theirs by less than these milliseconds */
    uint64_t interval;                       /* milliseconds */
    uint64_t min_requests;
} weir_rollout_conf_t;

typedef enum { WEIR_ROLLOUT_NONE, WEIR_ROLLOUT_RISING, WEIR_ROLLOUT_COMPLETE, WEIR_ROLLOUT_ROLLED_BACK,
               WEIR_ROLLOUT_STATES } weir_rollout_state_t;

/* The last thing that was found. */
typedef enum {
    WEIR_ROLLOUT_BEGAN,
    WEIR_ROLLOUT_ROSE,                       /* to its next step */
    WEIR_ROLLOUT_STAYS,                      /* it is well, and at its last step, or the interval is not over */
    WEIR_ROLLOUT_FEW,                        /* it had too few requests to be judged: it is held where it is */
    WEIR_ROLLOUT_FEW_OTHERS,                 /* the others had */
    WEIR_ROLLOUT_ERRORS, WEIR_ROLLOUT_LATENCY,           /* why it was rolled back */
    WEIR_ROLLOUT_FINDINGS
} weir_rollout_finding_t;

extern const char *const weir_rollout_states[WEIR_ROLLOUT_STATES];
extern const char *const weir_rollout_findings[WEIR_ROLLOUT_FINDINGS];

/* How one side did: the release, or the others. */
typedef struct { uint64_t requests, errors, time; } weir_rollout_side_t;     /* time: the quantile; 0: not judged */

typedef struct weir_rollout weir_rollout_t;  /* in shared memory */

typedef struct {
    weir_rollout_state_t   state;
    uint32_t               step, share;      /* the step from 0 on */
    weir_rollout_finding_t finding;
    weir_rollout_side_t    release, others;  /* the figures of the finding */
    uint64_t               found_s;          /* when: Unix time */
    uint64_t               rises, holds, rollbacks;
} weir_rollout_look_t;

/* One request's end. */
typedef struct {
    bool        is_release, failed;
    weir_msec_t took;
} weir_rollout_request_t;

typedef struct { weir_instant_t now; uint64_t wall_s; } weir_rollout_clock_t;

#define WEIR_ROLLOUT_KIND "rollout"          /* the zones' kind, as the store knows it */
extern const weir_zone_kind_t weir_rollout_kind;

/* Of a zone of WEIR_ROLLOUT_BYTES.  NULL: it is of another size. */
weir_rollout_t *weir_rollout_open(void *memory, uint64_t size);
/* Which share of the requests the release has now.  zone: its name, for the store; while that cannot be read: none. */
uint32_t weir_rollout_share(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, weir_str_t zone,
                            weir_rollout_clock_t clock);
/* true: it is the one of all workers that has made out something that is to be told: *look. */
bool     weir_rollout_count(weir_rollout_t *rollout, const weir_rollout_conf_t *conf,
                            const weir_rollout_request_t *request, weir_rollout_clock_t clock,
                            weir_rollout_look_t *look);
void     weir_rollout_look(const weir_rollout_t *rollout, weir_rollout_look_t *look);
/* What was counted since the last change. */
void     weir_rollout_sides(const weir_rollout_t *rollout, weir_rollout_side_t *release, weir_rollout_side_t *others);

/* Is the release out of its bounds?  For tests, too. */
weir_rollout_finding_t weir_rollout_judge(const weir_rollout_conf_t *conf, const weir_rollout_side_t *release,
                                          const weir_rollout_side_t *others);

#endif
