/*
 * sub.h - subrequests: requests that Weir makes itself, to its own server, on behalf of one of a client.
 *
 * A subrequest is a request like any other, on a codec of its own: it finds a location, is rewritten, goes to peers,
 * has its own body, attempts, cause and time limits.  Several may be under way at once.  What makes it different: it is
 * internal; guards judge it unless its maker says that they need not, because its answer is not the client's to read;
 * and zones of limits that have counted the first one do not count it again, nor do limits that it inherits from the
 * server (its location's own do); it is logged with log_subrequest only; $request_method and $request_uri are those of
 * the first one.
 *
 * It has a copy of the first one's fields, as they came from the client, and of its variables.  One that is detached
 * lives on when the first one has ended.
 */
#ifndef WEIR_HTTP_SUB_H
#define WEIR_HTTP_SUB_H

#include "http/request.h"

typedef struct weir_sub weir_sub_t;
struct weir_store;

/* What is told of its answer; each may be NULL.  Called from inside the subrequest's work: they may not end its parent,
 * only post a task. */
typedef struct {
    void      (*on_head)(weir_sub_t *sub);                       /* status and fields: weir_sub_request(sub)->res */
    /* borrowed for the call; AGAIN: no more until weir_sub_go_on · NULL: it is dropped */
    weir_io_t (*on_body)(weir_sub_t *sub, weir_str_t bytes);
    /* Not from inside: on a turn of its own.  is_whole: the answer was complete.  Afterwards the subrequest is gone. */
    void      (*on_end)(weir_sub_t *sub, bool is_whole);
} weir_sub_sink_t;

typedef struct {
    weir_str_t             path, query;      /* decoded; query without '?' */
    weir_str_t             method;           /* empty: GET */
    struct weir_store     *body;             /* of the parent, read ahead: copied; NULL: none */
    const weir_sub_sink_t *sink;
    void                  *owner;            /* the sink's */
    /* It begins in the place where its parent is, behind guards and filters, with its parent's path and with the fields
     * that these have made, and is passed on to this group instead of the place's own.  None: from its server on, by
     * path. */
    weir_group_id_t        pass_to;
    bool                   is_detached;
    bool                   is_exempt;        /* guards (the access phase) do not judge it, wherever it is redirected */
} weir_sub_spec_t;

/* Starts it; it may have been answered when this returns (the sink was told).  NULL: no memory, too many, or too
 * deep. */
weir_sub_t     *weir_sub_start(weir_request_t *parent, const weir_sub_spec_t *spec);
void           *weir_sub_owner(const weir_sub_t *sub);
weir_request_t *weir_sub_request(const weir_sub_t *sub);
/* After on_body said AGAIN. */
void            weir_sub_go_on(weir_sub_t *sub);
/* Its maker does not want it any more: its sink is not called again.  Not from inside on_head or on_body. */
void            weir_sub_cancel(weir_sub_t *sub);

/* Inside core/http: the parent ends, or the worker does. */
void            weir_subs_end(weir_request_t *parent);
void            weir_subs_end_detached(weir_http_t *http);

#endif
