/*
 * queue.c - see queue.h.
 */
#include "upstream/queue.h"

#include "os/clock.h"
#include "upstream/running.h"

/* Words of the part's record, behind its name. */
enum { QUEUE_WAITED = 1, QUEUE_FULL, QUEUE_TIMED_OUT };

typedef struct weir_queue {
    weir_group_t               *group;
    const weir_queue_settings_t *settings;
    weir_state_part_t          *part;        /* its gauge: requests that wait */
    weir_list_t                 waiting;     /* the first one came first */
    weir_wake_listener_t        listener;
    uint64_t                    which;       /* its bit of the topic */
    weir_timer_t                timer;       /* while some wait */
    weir_task_t                 task;
} queue_t;

static void
queue_add(const queue_t *queue, unsigned word)
{
    (void) __atomic_fetch_add((uint64_t *) queue->part->place.record + word, 1, __ATOMIC_RELAXED);
}

static void
queue_remove(weir_upqueued_t *queued)
{
    queue_t *queue = queued->queue;

    weir_assert(queue != NULL && weir_list_linked(&queued->link));
    weir_list_remove(&queued->link);
    weir_timer_drop(&queued->timer);
    weir_state_part_leave(queue->part);
    queued->queue = NULL;
    if (weir_list_empty(&queue->waiting)) {
        weir_timer_drop(&queue->timer);
        weir_task_cancel(&queue->task);
    }
}

/* Some peer would be asked, but for its max_conns. */
static bool
queue_is_for_room(const weir_group_t *group, weir_instant_t now)
{
    for (size_t i = 0; i < group->conf.n_peers; i++) {
        const weir_peer_t *peer = group->peers[i];

        if (peer->conf->max_conns != 0 && !peer->conf->down && !peer->is_gone && !weir_peer_rests(peer, now)
            && weir_state_in_use(peer) >= peer->conf->max_conns)
        {
            return true;
        }
    }
    return false;
}

/* The first one has its turn as long as there are places.  A waiter that is told may end its request, and the group
 * with it. */
static void
queue_run(queue_t *queue)
{
    weir_group_t  *group = weir_group_ref(queue->group);
    weir_instant_t now = weir_clock_now();

    while (!weir_list_empty(&queue->waiting)) {
        weir_upqueued_t *first = weir_list_entry(queue->waiting.next, weir_upqueued_t, link);

        if (!weir_pick_next(first->pick, now) && first->pick->refusal == WEIR_REFUSED_NO_PEER
            && queue_is_for_room(group, now))
        {
            break;
        }
        queue_remove(first);
        first->done(first);
    }
    weir_group_unref(group);
}

static void
queue_on_task(weir_task_t *task)
{
    queue_run(weir_container_of(task, queue_t, task));
}

static void
queue_on_wake(weir_wake_listener_t *listener, uint64_t which)
{
    queue_t *queue = weir_container_of(listener, queue_t, listener);

    if ((which & queue->which) != 0) {
        queue_run(queue);
    }
}

static void
queue_on_timer(weir_timer_t *timer)
{
    queue_t *queue = weir_container_of(timer, queue_t, timer);

    weir_assert(!weir_list_empty(&queue->waiting));
    weir_timer_set(queue->group->loop, timer, (weir_msec_t) { WEIR_QUEUE_LOOK_MS }, queue_on_timer);
    queue_run(queue);
}

static void
queue_on_timeout(weir_timer_t *timer)
{
    weir_upqueued_t *queued = weir_container_of(timer, weir_upqueued_t, timer);

    queue_add(queued->queue, QUEUE_TIMED_OUT);
    queued->pick->refusal = WEIR_REFUSED_QUEUE_TIMEOUT;
    queue_remove(queued);
    queued->done(queued);
}

void
weir_queue_place_is_free(weir_group_t *group)
{
    queue_t *queue = group->queue;

    if (!weir_list_empty(&queue->waiting)) {
        weir_task_post(group->loop, &queue->task, queue_on_task);
    }
    /* A worker that begins to wait says so, and then looks at the places once more: so one of the two sees the
     * other. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (weir_state_part_sum(queue->part) > *queue->part->place.gauge) {
        weir_wake_post_all(WEIR_WAKE_QUEUE, queue->which);
    }
}

/* -- requests -- */

bool
weir_queue_may_wait(const weir_pick_t *pick)
{
    return pick->group->queue != NULL;
}

static weir_queue_result_t
queue_enter(queue_t *queue, weir_pick_t *pick, weir_upqueued_t *queued, void (*done)(weir_upqueued_t *))
{
    weir_loop_t *loop = queue->group->loop;

    if (!weir_state_part_admit(queue->part, queue->settings->max)) {
        queue_add(queue, QUEUE_FULL);
        pick->refusal = WEIR_REFUSED_QUEUE_FULL;
        return WEIR_QUEUE_NEXT;
    }
    queue_add(queue, QUEUE_WAITED);
    queued->queue = queue;
    queued->pick = pick;
    queued->done = done;
    weir_timer_set(loop, &queued->timer, queue->settings->timeout, queue_on_timeout);
    if (weir_list_empty(&queue->waiting)) {
        weir_timer_set(loop, &queue->timer, (weir_msec_t) { WEIR_QUEUE_LOOK_MS }, queue_on_timer);
    }
    weir_list_append(&queue->waiting, &queued->link);
    weir_task_post(loop, &queue->task, queue_on_task);         /* a place may be free since it looked */
    return WEIR_QUEUE_WAITS;
}

weir_queue_result_t
weir_queue_pick(weir_pick_t *pick, weir_upqueued_t *queued, void (*done)(weir_upqueued_t *), weir_instant_t now)
{
    queue_t *queue = pick->group->queue;

    weir_assert(queued->queue == NULL && pick->peer == NULL);
    if (queue != NULL && !weir_list_empty(&queue->waiting)) {  /* behind those that are there */
        return weir_pick_admit(pick, now) ? queue_enter(queue, pick, queued, done) : WEIR_QUEUE_NEXT;
    }
    if (weir_pick_next(pick, now) || queue == NULL || pick->refusal != WEIR_REFUSED_NO_PEER
        || !queue_is_for_room(pick->group, now))
    {
        return WEIR_QUEUE_NEXT;
    }
    return queue_enter(queue, pick, queued, done);
}

void
weir_queue_leave(weir_upqueued_t *queued)
{
    if (queued->queue != NULL) {
        queue_remove(queued);
    }
}

/* -- the policy -- */

static void
queue_begin(weir_uppolicy_of_t *of)
{
    queue_t *queue = of->state;

    queue->group = of->group;
    queue->settings = of->settings;
    queue->part = weir_state_part(of->group, NULL, "queue");
    queue->which = weir_wake_of(weir_str_hash(of->group->conf.name, 0));
    weir_list_init(&queue->waiting);
    weir_wake_listen(&queue->listener, WEIR_WAKE_QUEUE, queue_on_wake);
    of->group->queue = queue;
}

static void
queue_end(weir_uppolicy_of_t *of)
{
    queue_t *queue = of->state;

    weir_assert(weir_list_empty(&queue->waiting));             /* a request that waits holds the group */
    weir_wake_forget(&queue->listener);
    weir_task_cancel(&queue->task);
    of->group->queue = NULL;
}

static const weir_told_t queue_tells[] = {
    { .name = "now", .help = "Requests that wait for a server with room.", .kind = WEIR_TOLD_GAUGE },
    { .name = "waited", .help = "Requests that came into the queue.", .kind = WEIR_TOLD_COUNT },
    { .name = "refused", .help = "Requests that the queue has let go without a server.", .kind = WEIR_TOLD_COUNT,
      .label = "reason", .value = "full" },
    { .name = "refused", .help = "Requests that the queue has let go without a server.", .kind = WEIR_TOLD_COUNT,
      .label = "reason", .value = "timeout" },
};

static void
queue_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const queue_t *queue = of->state;

    if (peer != NULL) {
        return;
    }
    numbers[0] = weir_state_part_sum(queue->part);
    for (unsigned word = QUEUE_WAITED; word <= QUEUE_TIMED_OUT; word++) {
        numbers[word] = __atomic_load_n((const uint64_t *) queue->part->place.record + word, __ATOMIC_RELAXED);
    }
}

const weir_uppolicy_t weir_queue_policy = {
    .name = "queue",
    .group_size = sizeof(queue_t),
    .begin = queue_begin,
    .end = queue_end,
    .tells = queue_tells,
    .n_tells = weir_countof(queue_tells),
    .tell = queue_tell,
};
