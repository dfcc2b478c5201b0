/*
 * shared_link.h - a connection to a peer that many exchanges use at once: HTTP/2's.
 *
 * Found by peer and by how it is secured; made when there is none with room; kept idle in the group's pool like any
 * other.  An exchange joins, gets a stream, and leaves; the last one to leave makes the connection idle, or ends it
 * when it is to end.  Runs in workers; one allocation per connection beside the session's.
 */
#ifndef WEIR_HTTP_EXCHANGE_SHARED_LINK_H
#define WEIR_HTTP_EXCHANGE_SHARED_LINK_H

#include "http/h2/session.h"
#include "http/exchange/exchange.h"

typedef struct weir_shared_link weir_shared_link_t;

/* What an exchange keeps of it; embedded. */
typedef struct weir_joint {
    weir_exchange_t       *exchange;
    weir_shared_link_t *link;            /* NULL: not joined */
    weir_h2_stream_t   *stream;          /* NULL: the connection is being made */
    weir_list_t         waiting;         /* link's, until it is made */
    bool                reused;          /* the connection has served before */
} weir_joint_t;

/* role: of the streams; stream->owner is the joint.  OK: joint->stream is there · AGAIN:
 * later, by weir_exchange_connected or weir_exchange_fail · ERROR: cause and detail are set, nothing is joined. */
weir_io_t weir_shared_link_join(weir_joint_t *joint, weir_exchange_t *x, const weir_h2_role_t *role) WEIR_MUST_USE;
/* Leaves; a stream that has not ended is reset. */
void      weir_shared_link_leave(weir_joint_t *joint);

/* For roles: on_change and on_dead of every session here; on_idle does nothing. */
void weir_shared_link_on_change(weir_h2_session_t *session);
void weir_shared_link_on_dead(weir_h2_session_t *session);
void weir_shared_link_on_idle(weir_h2_session_t *session, bool idle);

#endif
