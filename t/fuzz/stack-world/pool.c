/*
 * pool.c - in the place of event/work.c: what takes long is done when the input says so, in this thread; the result is
 * told as there, by a wake-up of the loop.
 *
 * Without threads a run is the same each time, and the input says whether a request ends before its work, between the
 * work and the result, or after it, and when the pool is full.
 */
#include "world.h"

#include "event/work.h"

#define POOL_WAITING_MAX 3

static struct {
    weir_work_t  *waiting[POOL_WAITING_MAX], *finished;
    size_t        n_waiting;
    weir_wakeup_t wakeup;
    bool          is_open;
} pool;

static void
pool_end(weir_work_t *list)
{
    while (list != NULL) {
        weir_work_t *next = list->next;
        list->done(list);
        list = next;
    }
}

static void
pool_on_wake(void *data WEIR_UNUSED)
{
    weir_work_t *list = pool.finished;

    pool.finished = NULL;
    pool_end(list);
}

static weir_work_t *
pool_take(size_t at)
{
    weir_work_t *work = pool.waiting[at];

    pool.n_waiting--;
    for (size_t i = at; i < pool.n_waiting; i++) {
        pool.waiting[i] = pool.waiting[i + 1];
    }
    return work;
}

bool
weir_work_open(weir_loop_t *loop)
{
    pool.is_open = pool.is_open || weir_wakeup_init(&pool.wakeup, loop, pool_on_wake, NULL);
    return pool.is_open;
}

bool
weir_work_post(weir_work_t *work)
{
    if (!pool.is_open || pool.n_waiting == POOL_WAITING_MAX) {
        return false;
    }
    pool.waiting[pool.n_waiting++] = work;
    return true;
}

void
weir_work_stop(void)
{
    weir_work_t *finished = pool.finished;

    if (!pool.is_open) {
        return;
    }
    pool.is_open = false;
    pool.finished = NULL;
    weir_wakeup_fini(&pool.wakeup);
    while (pool.n_waiting != 0) {
        weir_work_t *work = pool_take(0);
        work->done(work);
    }
    pool_end(finished);
}

bool
pool_run(uint32_t which)
{
    weir_work_t *work;

    if (pool.n_waiting == 0) {
        return false;
    }
    work = pool_take(which % pool.n_waiting);
    work->run(work);
    work->next = pool.finished;
    pool.finished = work;
    weir_wakeup_send(&pool.wakeup);
    return true;
}
