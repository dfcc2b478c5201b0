/*
 * sockets.h - the master's listening sockets: for every address one per worker, kept while the address is configured.
 *
 * Closing one of several SO_REUSEPORT sockets drops what waits in its queue, so that none is closed while its address
 * is configured: worker k of n serves every socket i with i mod n == k, however many there are.
 *
 *     opened --its address is in no generation--> left --SOCKETS_LEAVES--> closed, known --SOCKETS_KNOWN--> gone
 *        ^                                         |                          |
 *        +--------------------its address is in one again (opened anew)-------+
 */
#ifndef WEIR_SERVE_SOCKETS_H
#define WEIR_SERVE_SOCKETS_H

#include "serve/listen.h"

typedef struct {
    weir_addr_t           addr;
    char                  text[WEIR_ADDR_TEXT];
    weir_listen_options_t options;
    int                  *fds;
    size_t                n_fds;
    uint64_t              since;        /* serial of the generation that brought it */
    uint64_t              last;         /* serial of the newest generation that listens on it */
    bool                  refuses;      /* no client begins to connect: its address goes, or is gone */
    weir_instant_t        left_at;      /* no generation in use listens on it since then; 0: one does */
} weir_listener_t;

typedef struct {
    weir_listener_t **at;               /* heap */
    size_t            n, cap;
} weir_sockets_t;

/* Opens what `generation` listens on and is not open yet: `workers` sockets for each address (one for a unix socket).
 * patient: as at start, where an instance that is just leaving gets a few seconds.  false with *error: all is as it
 * was. */
bool weir_sockets_open(weir_sockets_t *sockets, const weir_generation_t *generation, uint32_t workers, bool patient,
                       weir_error_t *error) WEIR_MUST_USE;
/* Could it?  All is as it was.  only_fragments: the addresses that fragments name first.  false with *error, which says
 * where the address stands. */
bool weir_sockets_check(weir_sockets_t *sockets, const weir_generation_t *generation, uint32_t workers, bool patient,
                        bool only_fragments, weir_error_t *error) WEIR_MUST_USE;
/* One that was inherited, taken over: it belongs to the address it is bound to. false: errno. */
bool weir_sockets_adopt(weir_sockets_t *sockets, int fd) WEIR_MUST_USE;
/* Closes those of addresses that generation `serial` does not have. */
void weir_sockets_close_unused(weir_sockets_t *sockets, uint64_t serial);
/* Whether socket i of the listener is served by worker `index` of `workers`. */
bool weir_sockets_serves(const weir_listener_t *listener, size_t i, uint32_t index, uint32_t workers);
/* The same without a loss, where workers have the sockets, too.  When they are told: no client begins to connect from
 * now on to what that generation does not have. */
void weir_sockets_refuse_unused(weir_sockets_t *sockets, uint64_t serial);
/* When they have it: they accept for a moment clients that have begun, and weir_sockets_close_left closes a moment
 * later, unless a generation that comes meanwhile listens there again: it gets them back.  Files of unix sockets go at
 * once. */
void weir_sockets_leave_unused(weir_sockets_t *sockets, uint64_t serial);
/* Those whose moment is over.  Returns when it is to be called again; 0: not until more leave. */
weir_msec_t weir_sockets_close_left(weir_sockets_t *sockets) WEIR_MUST_USE;
/* Whether it is one of these. */
bool weir_sockets_has_left(const weir_listener_t *listener);
bool weir_sockets_are_shared(const weir_listener_t *listener);

/* Closes all; unlink_paths: also removes the files of unix sockets (the master's last act, never a worker's). */
void weir_sockets_fini(weir_sockets_t *sockets, bool unlink_paths);

#endif
