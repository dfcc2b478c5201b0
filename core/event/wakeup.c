/*
 * wakeup.c - an eventfd by which a thread or a signal handler gets the loop's attention.
 *
 * Owned by the process that owns the loop; allocates nothing but the descriptor.
 */
#include "event/loop.h"

#include <errno.h>

static void
wakeup_ready(weir_watch_t *watch)
{
    weir_wakeup_t *w = weir_container_of(watch, weir_wakeup_t, watch);
    uint64_t       sends;

    /* Emptied first, so that a send from here on is a wake of its own; what cannot be read comes again by its level. */
    if (weir_sys_read(watch->fd, &sends, sizeof(sends)) == (ssize_t) sizeof(sends)) {
        w->on_wake(w->data);
    }
}

bool
weir_wakeup_init(weir_wakeup_t *w, weir_loop_t *loop, void (*on_wake)(void *data), void *data)
{
    int fd = weir_sys_eventfd();

    weir_assert(on_wake != NULL);
    *w = (weir_wakeup_t) { .watch = { .fd = -1 }, .loop = loop, .on_wake = on_wake, .data = data };
    if (fd == -1) {
        return false;
    }
    if (!weir_loop_watch_level(loop, &w->watch, fd, wakeup_ready, false)) {
        int error = errno;

        weir_sys_close(fd);
        errno = error;
        return false;
    }
    return true;
}

void
weir_wakeup_send(weir_wakeup_t *w)
{
    const uint64_t one = 1;
    int            error = errno;       /* a signal handler's caller may be about to look at it */

    /* The only refusal is a counter that is full: then a wake is on its way anyhow. */
    (void) !weir_sys_write(w->watch.fd, &one, sizeof(one));
    errno = error;
}

void
weir_wakeup_fini(weir_wakeup_t *w)
{
    int fd = w->watch.fd;

    if (w->loop == NULL || fd < 0) {
        return;
    }
    weir_loop_unwatch(w->loop, &w->watch);
    weir_sys_close(fd);
}
