/*
 * hold.h - waiting is one thing: the code that makes a request's answer, or waits for something on its behalf, holds
 * it.
 *
 *     RUNS ──hold──> HELD ──let_go──> RUNS ──finish──> SENDS ──> ENDED
 *
 * RUNS: a handler of a phase is at work, or a holder that has just let go.  HELD: exactly one hold: a guard that waits
 * for its timer, a body that is read ahead, the producer of the answer.  SENDS: the answer was made, its rest waits for
 * the client.  ENDED: its codec has it back.
 *
 * A handler that takes a hold returns PARK when the phases go on afterwards (weir_request_resume), or DONE when it
 * makes the answer.  The holder lets go before it resumes, fails, finishes or hands over the request.  When something
 * else ends the waiting (the client leaves, the worker stops, another answers instead), on_cancel is called, once: it
 * lets go of timers, tasks, subrequests and peers, and never calls back.
 */
#ifndef WEIR_HTTP_HOLD_H
#define WEIR_HTTP_HOLD_H

#include "base/base.h"
#include "event/loop.h"

#include <stdbool.h>

typedef struct weir_request weir_request_t;
typedef struct weir_holder weir_holder_t;

typedef struct {
    void (*on_body)(weir_holder_t *holder);      /* more of the request's body can be read · NULL: it is not wanted */
    void (*on_writable)(weir_holder_t *holder);  /* the client has taken what was pending · NULL: nothing was sent */
    void (*on_cancel)(weir_holder_t *holder);    /* the hold is over; the request ends, or another answers */
} weir_holder_ops_t;

/* Embedded in the struct of what waits (weir_container_of); zeroed at first. */
struct weir_holder {
    const weir_holder_ops_t *ops;
    weir_request_t          *req;              /* NULL: it does not hold */
    bool                     wants_body;       /* on_body is called; the holder may change it at any time */
};

typedef enum { WEIR_REQUEST_RUNS, WEIR_REQUEST_HELD, WEIR_REQUEST_SENDS, WEIR_REQUEST_ENDED } weir_request_state_t;

weir_request_state_t weir_request_state(const weir_request_t *req);

/* The request must not be held yet.  The holder wants its body when there is an on_body. */
void weir_request_hold(weir_request_t *req, weir_holder_t *holder, const weir_holder_ops_t *ops);
/* The holder's: it is called no more. */
void weir_request_let_go(weir_holder_t *holder);

/* For a handler that waits for nothing but a time.  Embedded; zeroed at first. */
typedef struct weir_wait weir_wait_t;
struct weir_wait {
    weir_holder_t hold;
    weir_timer_t  timer;
    void        (*on_time)(weir_wait_t *wait, weir_request_t *req);
};

/* Holds the request for that time, then lets go and calls on_time, which goes on (weir_request_resume) or answers;
 * NULL: it goes on.  Returns WEIR_PARK. */
weir_step_t weir_request_wait(weir_request_t *req, weir_wait_t *wait, weir_msec_t time,
                              void (*on_time)(weir_wait_t *wait, weir_request_t *req));

/* -- for codecs: what they tell the holder, if there is one that wants to know; each may end the request -- */
bool weir_request_wants_body(const weir_request_t *req);
void weir_request_body_ready(weir_request_t *req);

/* -- inside core/http -- */
/* What the producer waits for has come: after the filters (weir_request_writable is the codecs'). */
void weir_request_tell_writable(weir_request_t *req);
/* Something else than the holder ends the waiting, if there is a holder. */
void weir_request_cancel(weir_request_t *req);

#endif
