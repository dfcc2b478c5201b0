/*
 * accept.h - the listening sockets of a process that serves: accepting, looking away for a moment, sockets of a worker
 * that is down.
 */
#ifndef WEIR_SERVE_ACCEPT_H
#define WEIR_SERVE_ACCEPT_H

#include "event/loop.h"
#include "serve/listen.h"

/* A socket we accept on.  Connections count it, so that it outlives its removal from the configuration. */
struct weir_serve_socket {
    weir_watch_t         watch;
    weir_list_t          link;
    weir_serve_t        *serve;
    weir_addr_t          addr;
    weir_generation_t   *generation;         /* the newest that listens here; a reference */
    weir_listen_t       *listen;             /* its entry there */
    void                *part;               /* of the entry's area */
    weir_timer_t         leave_timer;
    uint32_t             refs;
    int                  paused_fd;          /* not watched for a moment; -1 */
    bool                 is_shared;          /* other processes accept on it too */
    bool                 is_leaving;         /* its address is gone: it takes clients that have begun, until
                                              * leave_timer */
    bool                 is_removed;         /* its connections are to end politely */
    bool                 is_kept;            /* for a worker that is down: kept_for */
    uint32_t             kept_for;
    weir_serve_socket_t *owner;              /* of a kept one: our own of that address, counted, which its connections
                                              * belong to; NULL: we have none */
};

static inline weir_serve_socket_t *
weir_accept_ref(weir_serve_socket_t *socket)
{
    socket->refs++;
    return socket;
}

void weir_accept_unref(weir_serve_socket_t *socket);

/* -- processes -- */

/* Accepts on fd (taken over; closed by use, quit or stop).  shared: several processes accept on it (unix sockets).
 * false: errno; EADDRNOTAVAIL: the generation does not listen there. */
bool weir_accept_listen(weir_serve_t *serve, const weir_addr_t *addr, int fd, bool shared) WEIR_MUST_USE;
/* Accepts on fd (taken over) for worker `of`, which is down, until weir_accept_keep_end; without a word when the
 * generation has no such address. */
void weir_accept_keep(weir_serve_t *serve, const weir_addr_t *addr, int fd, uint32_t of);
void weir_accept_keep_end(weir_serve_t *serve, uint32_t of);

/* -- areas -- */

/* A connection that the area has accepted is no more: accepting may go on. */
void weir_accept_closed(weir_serve_t *serve);

/* -- for serve.c -- */

/* Out of descriptors, memory or connections: looks away for a moment.  What waits in the kernel's queue is not lost. */
void weir_accept_pause(weir_serve_t *serve);
/* Another generation serves: sockets get their entries there.  Who is connected to
 * one that has none, or will be in a moment, is accepted on the generation that was, and then it is closed. */
void weir_accept_use(weir_serve_t *serve);
/* What is queued is accepted, then no more. */
void weir_accept_end(weir_serve_t *serve);

#endif
