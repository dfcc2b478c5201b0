/*
 * work.c - work beside the loop: all of it is done, in threads; so much waits and no more; what waits when the process
 * leaves is done with, not run.
 */
#include "event/work.h"

#include "pair.h"

#include <pthread.h>

#define ALL (WEIR_WORK_WAITING_MAX + 16)

typedef struct { weir_work_t work; pthread_t thread; bool was_run, is_done; } item_t;

static weir_loop_t    *loop;
static item_t          items[ALL];
static size_t          n_done, n_beside;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void
run(weir_work_t *work)
{
    item_t *item = weir_container_of(work, item_t, work);

    pthread_mutex_lock(&gate);           /* main holds it until it has posted all */
    pthread_mutex_unlock(&gate);
    item->thread = pthread_self();
    item->was_run = true;
}

static void
done_with(weir_work_t *work)
{
    item_t *item = weir_container_of(work, item_t, work);

    ok(!item->is_done, "a work is done once");
    item->is_done = true;
    n_done++;
    n_beside += item->was_run && !pthread_equal(item->thread, pthread_self());
}

static size_t
post_all(void)
{
    size_t n = 0;

    memset(items, 0, sizeof(items));
    n_done = n_beside = 0;
    for (size_t i = 0; i < ALL; i++) {
        items[i].work = (weir_work_t) { .run = run, .done = done_with };
        n += weir_work_post(&items[i].work);
    }
    return n;
}

int
main(void)
{
    size_t n;

    loop = weir_loop_create(64);
    ok(!weir_work_post(&items[0].work), "nothing is taken before there is a loop");
    ok(weir_work_open(loop), "a pool");
    pthread_mutex_lock(&gate);
    n = post_all();
    pthread_mutex_unlock(&gate);
    ok(n >= WEIR_WORK_WAITING_MAX && n < ALL, "so much waits and no more");
    PAIR_TURN_UNTIL(loop, n_done == n);
    is_int(n_done, n, "all that was taken is done");
    is_int(n_beside, n, "in threads");

    pthread_mutex_lock(&gate);
    n = post_all();
    pthread_mutex_unlock(&gate);
    weir_work_stop();
    is_int(n_done, n, "what waits at the end is done with");
    ok(!weir_work_post(&items[0].work), "and nothing is taken any more");
    weir_work_stop();
    weir_loop_destroy(loop);
    return done();
}
