/*
 * changes.h - what is changed of groups' peers at run time, by `weir upstream` and other clients of the control socket.
 *
 *     {"do":"upstream.add","group":"api","server":"10.0.0.1:80","weight":2}
 *         "weight" · "max_fails" · "max_conns" · "priority": numbers   "fail_timeout" · "slow_start": "10s"
 *         "locality": "eu/de/a"   "backup" · "down" · "drain": true or false
 *     {"do":"upstream.set","group":"api","server":"10.0.0.1:80","down":true}     also the first three, times, drain
 *     {"do":"upstream.drain","group":"api","server":"10.0.0.1:80"}                 as set with "drain":true
 *     {"do":"upstream.remove","group":"api","server":"10.0.0.1:80"}              "forget":true: its changes are
 *
 * Each process has all changes that still say something, by group and address: the master makes them and tells the
 * workers in the same words, and a new worker begins with the master's.  What a group's peers are is what its sources
 * say (the configuration, names, lists), and on top of that what has changed (members.c).  A reload keeps them, and so
 * does an upgrade.
 *
 * Runs in the master and in workers; memory of the heap.
 */
#ifndef WEIR_UPSTREAM_CHANGES_H
#define WEIR_UPSTREAM_CHANGES_H

#include "base/error.h"
#include "upstream/group.h"

#include <jansson.h>

typedef enum { WEIR_CHANGE_ADD, WEIR_CHANGE_SET, WEIR_CHANGE_REMOVE } weir_change_kind_t;

/* What is given of a peer. */
#define WEIR_CHANGE_WEIGHT       1u
#define WEIR_CHANGE_MAX_FAILS    2u
#define WEIR_CHANGE_FAIL_TIMEOUT 4u
#define WEIR_CHANGE_MAX_CONNS    8u
#define WEIR_CHANGE_SLOW_START   16u
#define WEIR_CHANGE_PRIORITY     32u
#define WEIR_CHANGE_LOCALITY     64u
#define WEIR_CHANGE_BACKUP       128u
#define WEIR_CHANGE_DOWN         256u
#define WEIR_CHANGE_DRAIN        512u
#define WEIR_CHANGE_OF_SET       (~(WEIR_CHANGE_PRIORITY | WEIR_CHANGE_LOCALITY | WEIR_CHANGE_BACKUP))

typedef struct {
    weir_change_kind_t kind;
    uint32_t           given;
    weir_str_t         group;
    weir_peer_conf_t   peer;                 /* addr, text, and what is given; of ADD the rest is as a server's is */
    bool               is_drained;
    bool               forgets;              /* of REMOVE: it is what the sources say, if they say it */
    char               text[WEIR_ADDR_TEXT];
} weir_change_t;

#define WEIR_CHANGES_MAX   131072            /* that say something at one time */
#define WEIR_CHANGES_GROUP 255               /* bytes of a group's name */

/* What a command says; texts are the command's.  false with *error: it is none, or says what may not be. */
bool    weir_change_read(weir_change_t *change, const json_t *command, weir_error_t *error) WEIR_MUST_USE;
/* The same as a command; new. */
json_t *weir_change_write(const weir_change_t *change);

/* From now on it is so; the number is greater than that of any before.  false: there are too many. */
bool                 weir_changes_put(uint64_t number, const weir_change_t *change) WEIR_MUST_USE;
uint64_t             weir_changes_number(void);          /* of the last one */
/* NULL: nothing is changed of that peer. */
const weir_change_t *weir_changes_find(weir_str_t group, weir_str_t text);
/* Those of a group in the order in which they were made first. */
void                 weir_changes_each(weir_str_t group, void (*each)(void *data, const weir_change_t *change),
                                       void *data);
/* All, as lines of commands; put again, in this order, they are what they were. */
void                 weir_changes_each_line(void (*each)(void *data, const char *line), void *data);
/* Such lines, each with a newline, in a process that has none.  false: something in them is none. */
bool                 weir_changes_load(weir_str_t lines) WEIR_MUST_USE;
size_t               weir_changes_count(void);
/* Peers that were added have rows of statistics, once there are any. */
void                 weir_changes_hold_rows(void);
/* What was changed of the group up to that number is what its configuration says, or the group is gone. */
void                 weir_changes_forget(weir_str_t group, uint64_t until);
void                 weir_changes_each_group(void (*each)(void *data, weir_str_t group), void *data);

/* The change on top of what sources say of a peer (NULL: nothing; then it is an ADD). */
void                 weir_change_apply(const weir_change_t *change, weir_peer_conf_t *conf);

#endif
