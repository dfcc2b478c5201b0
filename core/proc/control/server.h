/*
 * server.h - the control socket's server: HTTP/1.1 with JSON on a unix socket, for root, the user who started the
 * instance and users that the socket's mode lets in.
 *
 *     client --head, body--> resource (resources.h) --words--> REQUEST --link--> master
 *        ^                      |                                                  |
 *        +------ answer --------+--- refused here                  ANSWER <--------+
 *
 * It knows nothing of the instance: what a request says goes to the master as it is, and an answer comes back.  Bounds:
 * so many clients, bytes of a head, of a body and of all bodies, requests under way, answers that are not read, time
 * for each.  When the link ends, what is under way and what still comes is answered 503, and the server ends.
 *
 * Runs in the control process, or in the single process; memory: the heap.  One a process.
 */
#ifndef WEIR_PROC_CONTROL_SERVER_H
#define WEIR_PROC_CONTROL_SERVER_H

#include "event/loop.h"

#include <sys/types.h>

#define WEIR_CONTROL_BODY (4 * 1024 * 1024)  /* bytes of a body, at most */

typedef struct {
    weir_loop_t *loop;
    int          listener, link;             /* become the server's */
    uid_t        owner;                      /* may ask, as root may */
    gid_t        group;                      /* may ask where the mode says so */
    mode_t       mode;
    void       (*on_end)(void *data);        /* the link has ended, or LEAVE came, and all is answered */
    void        *data;
} weir_control_setup_t;

/* false: errno; nothing is left. */
bool weir_control_server_begin(const weir_control_setup_t *setup) WEIR_MUST_USE;
/* What is open is closed. */
void weir_control_server_end(void);

#endif
