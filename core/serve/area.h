/*
 * area.h - what takes connections on listening sockets: http; stream will be another.  A row of functions for each: the
 * sockets, and the processes that hold them, know an area by its row only.
 *
 *     configuration   an area's build adds its listeners to the generation (listen.h): each names its area
 *     a process       create ─ use ─ (accept … use … accept) ─ quit ─ destroy      (serve.h calls all of these)
 *
 * A connection that was accepted is the area's from the first byte on.  What may stand before the area's own protocol
 * (a PROXY header, a TLS handshake with the server's name) hello.h reads for it.
 */
#ifndef WEIR_SERVE_AREA_H
#define WEIR_SERVE_AREA_H

#include "conf/generation.h"
#include "os/addr.h"

typedef struct weir_serve        weir_serve_t;           /* serve.h */
typedef struct weir_serve_socket weir_serve_socket_t;    /* accept.h */

/* How connections are to end; each includes what is above it. */
typedef enum {
    WEIR_QUIT_LAST,          /* what a connection is at now is its last; one that is idle stays for a moment */
    WEIR_QUIT_IDLE,          /* those that are idle are closed */
    WEIR_QUIT_NOW            /* all are cut */
} weir_quit_t;

typedef struct weir_area {
    const char *name;                                    /* "http" */
    /* The most verbose of its error logs in this generation; WEIR_LOG_EMERG: it has none of its own. */
    weir_log_level_t (*log_level)(const weir_generation_t *generation);

    /* Its part in a process begins; the generation comes by use. */
    void *(*create)(weir_serve_t *serve);
    /* When its connections have gone.  The loop does not turn again. */
    void  (*destroy)(void *part);
    /* This generation serves from now on; it is borrowed until the next one comes.  What began on another one keeps
     * that by a reference of its own. */
    void  (*use)(void *part, weir_generation_t *generation);
    /* fd is taken over, and closed when nothing comes of it: false.  true: there is a connection, whose end
     * weir_accept_closed is told, from a task.  socket->listen is a listener of this area. */
    bool  (*accept)(void *part, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer);
    /* As many connections are open as may be: one that is idle, the one that waited longest, is ended.  false: none is
     * idle. */
    bool  (*make_room)(void *part);
    void  (*quit)(void *part, weir_quit_t how);
    /* What is under way beside connections, and must end before the process may. */
    size_t (*busy)(const void *part);
} weir_area_t;

#endif
