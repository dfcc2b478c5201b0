/*
 * wake.h - one worker wakes another: a note in shared memory, and a bell (an eventfd) that all processes of the
 * instance have.
 *
 * Every worker has a box, by the number of its slot (shm/slots.h).  In it there is a word for each topic, of 64 bits
 * that mean what the topic says: to post is to set some of them, to be woken is to be given all that were set since,
 * once.  Posts that come before the worker looks are one; nothing queues, nothing overflows, nothing waits.  It is a
 * hint: a worker that is woken looks at what the topic is about, and finds that it has changed or that it has not.
 *
 *     post:     bits into the word   ·   when it was empty: ring
 *     woken:    the word is taken out, whole   ·   its listeners are told in a task of this turn
 *
 * A process that is killed between the two steps leaves a word and has not rung: the master rings for all that are not
 * empty when a worker has died.  Bells are made by the master before it forks its first worker, and handed to the
 * program that takes over, so that workers of all configurations and of both programs wake one another.  There are
 * WEIR_WAKE_BELLS; of workers that share one some look in vain.
 *
 * For requests that wait until another worker has filled a shared entry (shm/entries.h: bits by the name of the key),
 * for a cluster's state and a peer's end that others must hear of, and for queues of Wasm filters: topics are added as
 * these come.
 *
 * Runs in the master, workers and the store's process; allocates nothing.
 */
#ifndef WEIR_EVENT_WAKE_H
#define WEIR_EVENT_WAKE_H

#include "event/loop.h"

#define WEIR_WAKE_BOXES  256
#define WEIR_WAKE_TOPICS 8
#define WEIR_WAKE_BELLS  16
#define WEIR_WAKE_BYTES  (WEIR_WAKE_BOXES * 128)

/* The names of what may be posted.  0 … WEIR_WAKE_TOPICS - 1. */
typedef enum {
    WEIR_WAKE_ENTRY,                         /* an entry of a shared table has come or gone: weir_wake_of its name */
    WEIR_WAKE_QUEUE,                         /* a peer may have room (upstream/queue.h): weir_wake_of its group */
} weir_wake_topic_t;

/* Which bit is that of a hash. */
static inline uint64_t weir_wake_of(uint64_t hash) { return (uint64_t) 1 << (hash & 63); }

/* -- the master, before it forks -- */
/* A bell of the program before; taken over. */
void weir_wake_adopt_bell(int fd);
/* memory: WEIR_WAKE_BYTES, zeroed at first.  Makes the bells that are missing.  false: errno. */
bool weir_wake_open(void *memory) WEIR_MUST_USE;
void weir_wake_each_bell(void (*each)(void *data, int fd), void *data);
/* That worker is dead: its box is empty, and what it may have left undone is done.  For a kind of zones
 * (shm/zone.h). */
void weir_wake_fold(void *memory, uint64_t size, uint32_t box);
void weir_wake_close(void);

/* -- a worker -- */
/* The box is this worker's from now on.  false: errno. */
bool weir_wake_begin(weir_loop_t *loop, uint32_t box) WEIR_MUST_USE;
void weir_wake_end(void);                    /* before the loop goes; again is nothing */

/* Zeroed before its first use. */
typedef struct weir_wake_listener weir_wake_listener_t;
struct weir_wake_listener {
    weir_list_t link;
    weir_task_t task;
    uint64_t    topic, which;
    /* In a task, with the bits that were set since the last time; it may forget its listener and free it. */
    void      (*on_wake)(weir_wake_listener_t *listener, uint64_t which);
};
void weir_wake_listen(weir_wake_listener_t *listener, weir_wake_topic_t topic,
                      void (*on_wake)(weir_wake_listener_t *, uint64_t));
void weir_wake_forget(weir_wake_listener_t *listener);       /* what was on its way to it is, too */

/* -- any process -- */
/* which: not 0.  A box that no worker has is allowed: nothing happens. */
void weir_wake_post(uint32_t box, weir_wake_topic_t topic, uint64_t which);
/* To every worker but this one. */
void weir_wake_post_all(weir_wake_topic_t topic, uint64_t which);

#endif
