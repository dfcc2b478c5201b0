/*
 * filter.h - the chain of filters between the producer of an answer and the wire, and, the other way, between the wire
 * and the reader of a request's body.
 *
 *     producer ──> FIELDS ──> TRANSFORM ──> ENCODE ──> RANGE ──> PROTOCOL ──> PACE ──> codec      answers, pushed
 *     reader   <── FIELDS <── TRANSFORM <── ENCODE <── RANGE <── PROTOCOL <── PACE <── codec      requests, pulled
 *
 * A request has one list of filters, outermost (the producer's side) first, in the order of their places, and of one
 * place in the order in which they were added.  A filter's struct holds a weir_filter_t; it lies in the request's arena
 * and lives as long as the request, or as the answer that it was added for.  What it does not have in its row goes past
 * it.
 *
 * Heads.  weir_response_head asks, in the chain's order, the head filters of the location's modules (module.h), which
 * may add filters of this answer, and the filters that have a `head`.  Each says one of:
 *     NEXT   it passes, as it was changed
 *     PARK   it waits (weir_filter_hold, then weir_filter_go_on from a timer, a task or another's callback): the head
 *            waits with it, and what the producer gives meanwhile is kept in front of the filter
 *     DONE   another answer comes in its place (weir_filter_answer, weir_filter_redirect)
 *     FAIL   it fails (weir_filter_fail)
 *
 * Requests.  Handlers of WEIR_PHASE_FILTER look at the request's head, the client's side first, before the body is
 * read, and may add filters with a `read`: for its reader, ahead or piece by piece.  They wait as handlers of other
 * phases do (hold.h).  A `read` that waits says AGAIN, and calls weir_request_body_ready when it goes on.
 *
 * Bodies.  A filter passes on with the functions weir_filter_pass_…; it may pass on other bytes, none, or more.  It may
 * hold as well: weir_filter_keep keeps the rest of what it was given; that and what comes later is given to it again
 * after weir_filter_go_on.  It may fail (weir_filter_error), and while the head has not left, answer instead.
 *
 * The producer sees no more of all that than OK, AGAIN and ERROR.  It pauses at AGAIN; so what is kept for one filter
 * is WEIR_FILTER_KEEP and what a producer gives at once.  At ERROR it lets go, and weir_response_lost does what fits.
 *
 * A function that the chain calls never calls back: weir_filter_go_on is for functions that the loop has called.  Runs
 * in workers.
 */
#ifndef WEIR_HTTP_FILTER_H
#define WEIR_HTTP_FILTER_H

#include "base/chain.h"
#include "http/request.h"

#define WEIR_FILTER_KEEP 262144          /* bytes: with as many kept no more are taken */

/* Their order, from the producer to the client. */
typedef enum {
    WEIR_FILTER_FIELDS,                  /* adds, changes and drops fields */
    WEIR_FILTER_TRANSFORM,               /* makes another body, or says what it is */
    WEIR_FILTER_ENCODE,                  /* Content-Encoding */
    WEIR_FILTER_RANGE,                   /* parts of it */
    WEIR_FILTER_PROTOCOL,                /* what the client speaks on top of HTTP */
    WEIR_FILTER_PACE,                    /* how fast it goes */
    WEIR_FILTER_PLACES
} weir_filter_place_t;

/* The calls that answers make are those of codec.h, and promise the same. */
typedef struct {
    weir_filter_place_t place;
    /* called anew for an answer in the place of another */
    weir_step_t (*head)(weir_filter_t *self);
    weir_io_t   (*body)(weir_filter_t *self, weir_str_t bytes);               /* some: never none */
    /* Without these two a filter that has a body wants the bytes of files and pipes. */
    weir_io_t   (*file)(weir_filter_t *self, int fd, uint64_t *offset, uint64_t end);
    weir_io_t   (*pipe)(weir_filter_t *self, int pipe, size_t n, size_t *moved);
    /* res.trailers are known; passes on what it has, then the end */
    weir_io_t   (*end)(weir_filter_t *self);
    /* so that what came so far can be read; also behind the end */
    weir_io_t   (*flush)(weir_filter_t *self);
    /* does it have bytes of its own that wait? */
    bool        (*pending)(const weir_filter_t *self);
    /* What is inside of it has taken all.  true: it has more, or waits; no filter outside of it is called. */
    bool        (*on_writable)(weir_filter_t *self);
    /* What of [*from, *to) of the whole it wants next, of a producer that can begin anywhere: narrower, or EOF. */
    weir_io_t   (*wants)(weir_filter_t *self, uint64_t *from, uint64_t *to);
    weir_io_t   (*read)(weir_filter_t *self, weir_str_t *bytes);              /* codec.h: read_body */
    /* it is no more: timers, tasks and buffers go */
    void        (*fini)(weir_filter_t *self);
} weir_filter_ops_t;

struct weir_filter {
    weir_request_t          *req;
    weir_filter_t           *outer, *inner;      /* toward the producer, toward the client; NULL: none between */
    const weir_filter_ops_t *ops;
    weir_chain_t             kept;               /* given to it, not taken yet */
    size_t                   rest;               /* of the piece it is given again: what it keeps once more */
    bool                     holds;              /* until weir_filter_go_on */
    bool                     is_waiting;         /* it holds, or something is kept in front of it */
    bool                     has_end;            /* … and the answer's end */
    bool                     is_draining, has_head;
    bool                     is_of_answer;       /* goes with it, when another comes in its place */
    bool                     is_of_request;      /* of WEIR_PHASE_FILTER: of the place where the request is now */
};

/* -- for filters -- */

/* Behind the others of its place.  Before the head has left. */
void weir_filter_add(weir_request_t *req, weir_filter_t *filter, const weir_filter_ops_t *ops);

weir_io_t weir_filter_pass_body(weir_filter_t *self, weir_str_t bytes);
weir_io_t weir_filter_pass_file(weir_filter_t *self, int fd, uint64_t *offset, uint64_t end);
weir_io_t weir_filter_pass_pipe(weir_filter_t *self, int pipe, size_t n, size_t *moved);
weir_io_t weir_filter_pass_end(weir_filter_t *self);
weir_io_t weir_filter_pass_flush(weir_filter_t *self);
weir_io_t weir_filter_pull(weir_filter_t *self, weir_str_t *bytes);           /* of the request's body, from inside */
bool      weir_filter_is_pending(const weir_filter_t *self);                  /* do bytes wait inside of it? */

/* What a head filter returns when it waits: PARK. */
weir_step_t weir_filter_hold(weir_filter_t *self);
/* What `body` returns when it waits: keeps `rest`, the end of what it was given (it may be nothing).  AGAIN, or ERROR.
 * `end` may wait so, too, with nothing: it is called again. */
weir_io_t   weir_filter_keep(weir_filter_t *self, weir_str_t rest);
/* What was waited for has come.  The caller was called by the loop; the request may have ended afterwards. */
void        weir_filter_go_on(weir_filter_t *self);
/* What a filter kept on its own has gone: those outside of it go on.  As weir_filter_go_on. */
void        weir_filter_writable(weir_filter_t *self);
/* A filter meets a failure outside of any call to it: the request ends as weir_filter_error said, or because the
 * client has gone.  As weir_filter_go_on. */
void        weir_filter_fell(weir_filter_t *self);

/* Another answer in the place of this one.  `head` returns it. */
weir_step_t weir_filter_answer(weir_request_t *req, uint16_t status, weir_cause_t cause, const char *detail);
weir_step_t weir_filter_redirect(weir_request_t *req, weir_str_t path, weir_str_t query);
weir_step_t weir_filter_fail(weir_request_t *req, weir_cause_t cause, const char *detail);
/* The same for the other calls, which return it. */
weir_io_t   weir_filter_error(weir_request_t *req, weir_cause_t cause, const char *detail);

/* -- inside core/http -- */

/* The rest of the head's way through the filters.  OK: all of it · AGAIN: one holds it · ERROR. */
weir_io_t weir_filters_head(weir_request_t *req);
/* Does a filter in front of this place change the body? */
bool      weir_filters_change_body(const weir_request_t *req, weir_filter_place_t place);
weir_io_t weir_filters_end(weir_request_t *req);
/* Those of the answer go, nothing of which has left; or all of them. */
void      weir_filters_reset(weir_request_t *req);
void      weir_filters_fini(weir_request_t *req);
/* The request goes to another place: what the one before made of its fields goes, and what it filtered of a body that
 * nothing has begun to read. */
void      weir_filters_leave(weir_request_t *req);
/* Has one said that it fails, or answers instead? */
static inline bool weir_filters_fell(const weir_request_t *req) { return req->res.verdict != NULL; }
/* Does what a filter said in the place of the answer: the request has no holder. */
void      weir_filters_answer_instead(weir_request_t *req);
/* From the codec: what was pending has gone. */
void      weir_filters_writable(weir_request_t *req);

weir_io_t weir_filters_give_body(weir_request_t *req, weir_filter_t *to, weir_str_t bytes);
weir_io_t weir_filters_give_file(weir_request_t *req, weir_filter_t *to, int fd, uint64_t *offset, uint64_t end);
weir_io_t weir_filters_give_pipe(weir_request_t *req, weir_filter_t *to, int pipe, size_t n, size_t *moved);
weir_io_t weir_filters_give_end(weir_request_t *req, weir_filter_t *to);
weir_io_t weir_filters_give_flush(weir_request_t *req, weir_filter_t *to);
bool      weir_filters_are_pending(const weir_request_t *req, const weir_filter_t *from);
weir_io_t weir_filters_read(weir_request_t *req, weir_filter_t *from, weir_str_t *bytes);

/* response.c: goes on with a head that was held. */
weir_io_t weir_response_head_rest(weir_request_t *req);

#endif
