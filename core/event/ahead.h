/*
 * ahead.h - what was received before the handlers of a turn ran; the loop's own (outside: weir_loop_expect,
 * weir_loop_recv).
 *
 * Why: see docs/performance.md; receiving many messages one after another, then handling them, costs less than turn
 * about.
 *
 * A message lies in one area, which is the loop's, until it is taken.  What was not taken in its turn moves to memory
 * of its own, so that the next turn has the whole area again.
 */
#ifndef WEIR_EVENT_AHEAD_H
#define WEIR_EVENT_AHEAD_H

#include "os/sys.h"

#define WEIR_AHEAD_BYTES   8192      /* of one message; a longer one's rest stays in the socket */
#define WEIR_AHEAD_AREA    65536
#define WEIR_AHEAD_ENTRIES 256

typedef struct {
    char    *at;                     /* what is left of it */
    char    *own;                    /* NULL: it lies in the area */
    uint32_t left;
    int      error;                  /* errno of a recv that failed */
    bool     is_used;
    bool     is_whole;               /* the socket had no more */
} weir_ahead_entry_t;

typedef struct {
    char              *area;         /* NULL until the first */
    size_t             filled;
    uint32_t           next;         /* where a free entry is looked for */
    uint32_t           n_area;       /* entries used that lie in the area */
    weir_ahead_entry_t at[WEIR_AHEAD_ENTRIES];
} weir_ahead_t;

/* One recv.  The entry's number; 0: there is no place, or nothing to receive. */
uint16_t weir_ahead_receive(weir_ahead_t *ahead, int fd);
/* As recv, of the entry; *asked as in weir_loop_recv.  *entry: 0 when that was all of it. */
ssize_t  weir_ahead_take(weir_ahead_t *ahead, uint16_t *entry, char *room, size_t cap, size_t *asked);
/* The socket has more: the entry's end is not the end of what there is. */
void     weir_ahead_continues(weir_ahead_t *ahead, uint16_t entry);
void     weir_ahead_drop(weir_ahead_t *ahead, uint16_t entry);
/* At the end of a turn. */
void     weir_ahead_settle(weir_ahead_t *ahead);
void     weir_ahead_fini(weir_ahead_t *ahead);

#endif
