/*
 * wake.c - see wake.h.
 */
#include "event/wake.h"


#include <errno.h>

#define WAKE_NOBODY UINT32_MAX

/* A test may stop the process here. */
#ifndef WEIR_WAKE_BEFORE_STEP
#define WEIR_WAKE_BEFORE_STEP() ((void) 0)
#endif

typedef struct {                             /* in shared memory; no two share a pair of cache lines */
    _Alignas(128) uint64_t is_there;
    uint64_t topics[WEIR_WAKE_TOPICS];
} wake_box_t;

_Static_assert(WEIR_WAKE_BOXES * sizeof(wake_box_t) == WEIR_WAKE_BYTES, "boxes fill their memory");

static struct {
    wake_box_t  *boxes;                      /* NULL: nowhere */
    int          bells[WEIR_WAKE_BELLS];
    size_t       n_bells;
    uint32_t     mine;                       /* box of this process */
    weir_loop_t *loop;
    weir_watch_t watch;
    weir_list_t  listeners;
} wake = { .mine = WAKE_NOBODY, .watch = { .fd = -1 }, .listeners = { &wake.listeners, &wake.listeners } };

/* -- bells -- */

void
weir_wake_adopt_bell(int fd)
{
    weir_assert(fd >= 0 && wake.boxes == NULL);
    if (wake.n_bells < WEIR_WAKE_BELLS) {
        wake.bells[wake.n_bells++] = fd;
    } else {
        (void) weir_sys_close(fd);
    }
}

bool
weir_wake_open(void *memory)
{
    weir_assert(memory != NULL && (uintptr_t) memory % _Alignof(wake_box_t) == 0);
    while (wake.n_bells < WEIR_WAKE_BELLS) {
        int fd = weir_sys_eventfd();

        if (fd < 0) {
            int error = errno;

            weir_wake_close();
            errno = error;
            return false;
        }
        wake.bells[wake.n_bells++] = fd;
    }
    wake.boxes = memory;
    return true;
}

void
weir_wake_each_bell(void (*each)(void *data, int fd), void *data)
{
    for (size_t i = 0; i < wake.n_bells; i++) {
        each(data, wake.bells[i]);
    }
}

void
weir_wake_close(void)
{
    weir_wake_end();
    while (wake.n_bells > 0) {
        (void) weir_sys_close(wake.bells[--wake.n_bells]);
    }
    wake.boxes = NULL;
}

/* It is never read: every write is an edge for each loop that watches it, and 2^64 of them never come. */
static void
wake_ring(uint32_t box)
{
    const uint64_t one = 1;

    if (wake.n_bells != 0) {
        (void) !weir_sys_write(wake.bells[box % wake.n_bells], &one, sizeof(one));
    }
}

/* -- posting -- */

static bool
wake_is_there(const wake_box_t *box)
{
    return __atomic_load_n(&box->is_there, __ATOMIC_ACQUIRE) != 0;
}

void
weir_wake_post(uint32_t box, weir_wake_topic_t topic, uint64_t which)
{
    weir_assert(box < WEIR_WAKE_BOXES && topic < WEIR_WAKE_TOPICS);
    if (wake.boxes == NULL || which == 0 || !wake_is_there(&wake.boxes[box])) {
        return;
    }
    WEIR_WAKE_BEFORE_STEP();
    if (__atomic_fetch_or(&wake.boxes[box].topics[topic], which, __ATOMIC_ACQ_REL) == 0) {
        WEIR_WAKE_BEFORE_STEP();
        wake_ring(box);
    }
}

void
weir_wake_post_all(weir_wake_topic_t topic, uint64_t which)
{
    for (uint32_t box = 0; wake.boxes != NULL && box < WEIR_WAKE_BOXES; box++) {
        if (box != wake.mine) {
            weir_wake_post(box, topic, which);
        }
    }
}

static bool
wake_is_empty(const wake_box_t *box)
{
    uint64_t all = 0;

    for (size_t i = 0; i < WEIR_WAKE_TOPICS; i++) {
        all |= __atomic_load_n(&box->topics[i], __ATOMIC_ACQUIRE);
    }
    return all == 0;
}

static void
wake_empty(wake_box_t *box)
{
    for (size_t i = 0; i < WEIR_WAKE_TOPICS; i++) {
        __atomic_store_n(&box->topics[i], 0, __ATOMIC_RELEASE);
    }
}

void
weir_wake_fold(void *memory, uint64_t size, uint32_t box)
{
    wake_box_t *boxes = memory;

    if (size != WEIR_WAKE_BYTES || box >= WEIR_WAKE_BOXES) {
        return;
    }
    __atomic_store_n(&boxes[box].is_there, 0, __ATOMIC_RELEASE);
    wake_empty(&boxes[box]);
    for (uint32_t i = 0; i < WEIR_WAKE_BOXES; i++) {
        if (wake_is_there(&boxes[i]) && !wake_is_empty(&boxes[i])) {
            wake_ring(i);
        }
    }
}

/* -- being woken -- */

static void
wake_run(weir_task_t *task)
{
    weir_wake_listener_t *listener = weir_container_of(task, weir_wake_listener_t, task);
    uint64_t              which = listener->which;

    weir_assert(which != 0 && weir_list_linked(&listener->link));
    listener->which = 0;
    listener->on_wake(listener, which);
}

static void
wake_tell(weir_wake_topic_t topic, uint64_t which)
{
    for (weir_list_t *at = wake.listeners.next; at != &wake.listeners; at = at->next) {
        weir_wake_listener_t *listener = weir_list_entry(at, weir_wake_listener_t, link);

        if (listener->topic == topic) {
            weir_assert(which != 0);
            listener->which |= which;
            weir_task_post(wake.loop, &listener->task, wake_run);
        }
    }
}

static void
wake_on_bell(weir_watch_t *watch WEIR_UNUSED)
{
    wake_box_t *box = &wake.boxes[wake.mine];

    weir_assert(wake.mine < WEIR_WAKE_BOXES);
    for (size_t i = 0; i < WEIR_WAKE_TOPICS; i++) {
        uint64_t which = __atomic_exchange_n(&box->topics[i], 0, __ATOMIC_ACQ_REL);

        if (which != 0) {
            wake_tell((weir_wake_topic_t) i, which);
        }
    }
}

bool
weir_wake_begin(weir_loop_t *loop, uint32_t box)
{
    weir_assert(wake.boxes != NULL && wake.mine == WAKE_NOBODY && box < WEIR_WAKE_BOXES);
    if (!weir_loop_watch_open(loop, &wake.watch, wake.bells[box % wake.n_bells], wake_on_bell)) {
        return false;
    }
    wake.loop = loop;
    wake.mine = box;
    wake_empty(&wake.boxes[box]);
    __atomic_store_n(&wake.boxes[box].is_there, 1, __ATOMIC_RELEASE);
    return true;
}

void
weir_wake_end(void)
{
    if (wake.mine == WAKE_NOBODY) {
        return;
    }
    __atomic_store_n(&wake.boxes[wake.mine].is_there, 0, __ATOMIC_RELEASE);
    while (!weir_list_empty(&wake.listeners)) {
        weir_wake_forget(weir_list_entry(wake.listeners.next, weir_wake_listener_t, link));
    }
    weir_loop_unwatch(wake.loop, &wake.watch);
    wake.mine = WAKE_NOBODY;
}

void
weir_wake_listen(weir_wake_listener_t *listener, weir_wake_topic_t topic,
                 void (*on_wake)(weir_wake_listener_t *, uint64_t))
{
    weir_assert(on_wake != NULL && topic < WEIR_WAKE_TOPICS);
    weir_assert(!weir_list_linked(&listener->link));
    listener->topic = topic;
    listener->which = 0;
    listener->on_wake = on_wake;
    weir_list_append(&wake.listeners, &listener->link);
}

void
weir_wake_forget(weir_wake_listener_t *listener)
{
    weir_list_remove(&listener->link);
    weir_task_cancel(&listener->task);
}
