/*
 * channel.h - what master and worker say to one another: messages over a SEQPACKET socket pair.
 *
 *     master                                          worker
 *       (fork) ---------------------------------------> builds itself from what it inherits
 *              <--------------------------------------- READY  serial
 *
 *       RELOAD serial, how many follow, the bundle ----> expects them
 *       FILES  serial, descriptors, names -------------> adopts them: files by path, zones by label; after the last
 *       builds the generation in a thread
 *       LOGS   serial, descriptors --------------------> keeps them
 *       SOCKETS serial, descriptors, addresses --------> keeps them
 *              <--------------------------------------- READY  serial         all is there and in use
 *                                                  or   FAILED serial, text   it goes on as it was
 *
 *       CHANGES serial, lines -----------------------> changes groups' peers (upstream/changes.h); serial is the last
 *              <--------------------------------------- CHANGED serial        line's number; requests go by it
 *
 *       LEND   index, descriptors, addresses --------> accepts on them for worker `index`, which is down
 *       RETURN index --------------------------------> no more
 *
 * A worker may be in an attacker's hands: what comes from one is checked against its kind's exact size, has no
 * descriptors, and says nothing that the master did not ask (its state is the caller's to check).
 */
#ifndef WEIR_PROC_COMMON_CHANNEL_H
#define WEIR_PROC_COMMON_CHANNEL_H

#include "os/addr.h"
#include "os/sock.h"

typedef enum {
    WEIR_CHANNEL_RELOAD = 1, WEIR_CHANNEL_FILES, WEIR_CHANNEL_LOGS, WEIR_CHANNEL_SOCKETS,
    WEIR_CHANNEL_LEND, WEIR_CHANNEL_RETURN, WEIR_CHANNEL_CHANGES,       /* to a worker */
    WEIR_CHANNEL_READY, WEIR_CHANNEL_FAILED, WEIR_CHANNEL_CHANGED       /* to the master */
} weir_channel_kind_t;

typedef enum { WEIR_CHANNEL_OF_MASTER, WEIR_CHANNEL_OF_WORKER } weir_channel_end_t;

#define WEIR_CHANNEL_TEXT  1024
#define WEIR_CHANNEL_PATHS 8192

typedef struct {
    weir_addr_t addr;
    bool        shared;                             /* other workers accept on it too */
} weir_channel_socket_t;

typedef struct {
    weir_channel_kind_t   kind;
    uint64_t              serial;                   /* of the generation it is about; CHANGES, CHANGED: see above */
    uint32_t              n_files, n_logs, n_sockets;   /* RELOAD: descriptors to come */
    uint32_t              index;                    /* LEND, RETURN: of the worker that is down */
    int                   fds[WEIR_SOCK_MAX_FDS];   /* RELOAD: one; FILES; LOGS; SOCKETS; LEND */
    size_t                n_fds;
    weir_channel_socket_t sockets[WEIR_SOCK_MAX_FDS];   /* SOCKETS, LEND: one for each descriptor */
    /* FILES: a path or a zone's label for each descriptor; CHANGES: a line each; NUL-terminated */
    char                  paths[WEIR_CHANNEL_PATHS];
    size_t                paths_len;
    char                  text[WEIR_CHANNEL_TEXT];  /* FAILED: NUL-terminated */
} weir_channel_message_t;

/* fds[0] for the master, fds[1] for the worker. */
bool weir_channel_open(int fds[2]) WEIR_MUST_USE;
/* Takes no descriptor over.  OK · AGAIN: it has no room now · ERROR: errno. */
weir_io_t weir_channel_send(int fd, const weir_channel_message_t *message) WEIR_MUST_USE;
/* `end` is the receiver's.  OK: the message's descriptors are the caller's · AGAIN · EOF · ERROR: errno, EPROTO for
 * what is no message for this end (its descriptors are closed already). */
weir_io_t weir_channel_recv(int fd, weir_channel_end_t end, weir_channel_message_t *message) WEIR_MUST_USE;
/* FILES: adds a file.  false: it finds no room in this message. */
bool weir_channel_add_file(weir_channel_message_t *message, weir_str_t path, int fd) WEIR_MUST_USE;
/* CHANGES: adds a line.  false: it finds no room. */
bool weir_channel_add_line(weir_channel_message_t *message, weir_str_t line) WEIR_MUST_USE;
void weir_channel_close_fds(weir_channel_message_t *message);

#endif
