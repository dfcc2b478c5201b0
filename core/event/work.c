/*
 * work.c - see work.h.
 *
 * Threads and the loop share the two lists, under one lock that is held for a few instructions; all else of a work is
 * handed over whole.
 */
#include "event/work.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#define WORK_THREADS   2
#define WORK_PATIENCE  1                 /* s, for what is being run when the process leaves */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t  has_work, has_left;
    weir_work_t    *first, **last;       /* waiting */
    weir_work_t    *finished;
    size_t          n_waiting, n_threads, n_idle;
    weir_wakeup_t   wakeup;
    bool            is_open;             /* the loop wants to hear */
} work_pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .has_work = PTHREAD_COND_INITIALIZER,
                .has_left = PTHREAD_COND_INITIALIZER };

/* -- in a thread -- */

static weir_work_t *
work_take(void)
{
    weir_work_t *work = work_pool.first;

    weir_assert(work != NULL && work_pool.n_waiting > 0);
    work_pool.first = work->next;
    if (work_pool.first == NULL) {
        work_pool.last = &work_pool.first;
    }
    work_pool.n_waiting--;
    weir_assert((work_pool.first != NULL) == (work_pool.n_waiting != 0));
    return work;
}

static void *
work_thread(void *data)
{
    (void) data;
    pthread_mutex_lock(&work_pool.lock);
    for ( ;; ) {
        while (work_pool.is_open && work_pool.first == NULL) {
            work_pool.n_idle++;
            pthread_cond_wait(&work_pool.has_work, &work_pool.lock);
            work_pool.n_idle--;
        }
        if (!work_pool.is_open) {
            break;
        }
        weir_work_t *work = work_take();
        pthread_mutex_unlock(&work_pool.lock);
        work->run(work);
        pthread_mutex_lock(&work_pool.lock);
        work->next = work_pool.finished;
        work_pool.finished = work;
        if (work_pool.is_open) {
            weir_wakeup_send(&work_pool.wakeup);
        }
    }
    work_pool.n_threads--;
    pthread_cond_signal(&work_pool.has_left);
    pthread_mutex_unlock(&work_pool.lock);
    return NULL;
}

/* -- on the loop -- */

static void
work_end(weir_work_t *list)
{
    while (list != NULL) {
        weir_work_t *next = list->next;

        list->done(list);
        list = next;
    }
}

static void
work_on_wake(void *data)
{
    (void) data;
    pthread_mutex_lock(&work_pool.lock);
    weir_work_t *list = work_pool.finished;
    work_pool.finished = NULL;
    pthread_mutex_unlock(&work_pool.lock);
    work_end(list);
}

/* One more, that takes no signals: they are the loop's. */
static bool
work_add_thread(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    bool made;

    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    made = pthread_create(&thread, &attributes, work_thread, NULL) == 0;
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void) pthread_attr_destroy(&attributes);
    work_pool.n_threads += made;
    weir_assert(work_pool.n_threads <= WORK_THREADS);
    return made;
}

bool
weir_work_open(weir_loop_t *loop)
{
    if (!work_pool.is_open) {
        work_pool.last = &work_pool.first;
        work_pool.is_open = weir_wakeup_init(&work_pool.wakeup, loop, work_on_wake, NULL);
    }
    return work_pool.is_open;
}

bool
weir_work_post(weir_work_t *work)
{
    bool is_taken;

    pthread_mutex_lock(&work_pool.lock);
    is_taken = work_pool.is_open && work_pool.n_waiting < WEIR_WORK_WAITING_MAX;
    if (is_taken && work_pool.n_idle <= work_pool.n_waiting && work_pool.n_threads < WORK_THREADS) {
        is_taken = work_add_thread() || work_pool.n_threads != 0;
    }
    if (is_taken) {
        weir_assert(work->run != NULL && work->done != NULL);
        work->next = NULL;
        *work_pool.last = work;
        work_pool.last = &work->next;
        work_pool.n_waiting++;
        pthread_cond_signal(&work_pool.has_work);
    }
    pthread_mutex_unlock(&work_pool.lock);
    return is_taken;
}

void
weir_work_stop(void)
{
    weir_work_t *waiting, *finished;
    struct timespec until;

    if (!work_pool.is_open) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WORK_PATIENCE;
    pthread_mutex_lock(&work_pool.lock);
    work_pool.is_open = false;
    pthread_cond_broadcast(&work_pool.has_work);
    while (work_pool.n_threads != 0 && pthread_cond_timedwait(&work_pool.has_left, &work_pool.lock, &until) == 0) {
    }
    waiting = work_pool.first;
    finished = work_pool.finished;
    work_pool.first = work_pool.finished = NULL;
    work_pool.n_waiting = 0;
    pthread_mutex_unlock(&work_pool.lock);
    weir_wakeup_fini(&work_pool.wakeup);
    work_end(waiting);
    work_end(finished);
}
