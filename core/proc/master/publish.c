/*
 * publish.c - changes of groups' peers on their way to the workers.
 *
 * Runs in the master.  A change is the master's own first, so that a worker that starts has it; then it is a line of a
 * log from which each worker is sent what it lacks, a message at a time: the next one goes when it says that requests
 * go by the last (link.c).  What all have is dropped from the log.  Meanwhile the files of `state` are written
 * (keep.c): a change is answered when all go by it and its file has it.
 */
#include "proc/master/master.h"

#include "base/mem.h"
#include "log/log.h"
#include "proc/master/control.h"
#include "proc/master/keep.h"

#include <signal.h>
#include <stdlib.h>

#define PUBLISH_LOG_MAX 65536                /* lines that a worker may be behind */

static struct {
    char   **lines;                          /* heap; of the changes first … first + n - 1, in a ring */
    size_t   at, n, cap;
    uint64_t first;
} publish;

/* -- the log -- */

static char **
publish_at(size_t i)
{
    return &publish.lines[(publish.at + i) % publish.cap];
}

static void
publish_push(uint64_t number, weir_str_t line)
{
    char *copy = weir_mem_need(line.len + 1);

    if (publish.n == publish.cap) {
        size_t cap = publish.cap * 2 + 64;
        char **grown = weir_mem_need(cap * sizeof(*grown));

        for (size_t i = 0; i < publish.n; i++) {
            grown[i] = *publish_at(i);
        }
        weir_mem_free(publish.lines);
        publish.lines = grown;
        publish.cap = cap;
        publish.at = 0;
    }
    memcpy(copy, line.at, line.len);
    publish.first = publish.n == 0 ? number : publish.first;
    weir_assert(publish.first + publish.n == number);
    *publish_at(publish.n++) = copy;
}

weir_str_t
weir_publish_line(uint64_t number)
{
    weir_assert(number >= publish.first && number - publish.first < publish.n);
    return weir_str_from_z(*publish_at((size_t) (number - publish.first)));
}

/* One that is to be told of changes. */
static bool
publish_counts(const weir_child_t *child)
{
    return child->pid > 0 && child->channel.fd >= 0;
}

static void
publish_trim(const weir_master_t *master)
{
    uint64_t sent = weir_changes_number();

    for (const weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        const weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (publish_counts(child)) {
            sent = weir_min(sent, child->changes_sent);
        }
    }
    while (publish.n != 0 && publish.first <= sent) {
        weir_mem_free(*publish_at(0));
        publish.at = (publish.at + 1) % publish.cap;
        publish.first++;
        publish.n--;
    }
}

/* -- the workers -- */

static void
publish_on_task(weir_task_t *task)
{
    weir_master_t *master = weir_container_of(task, weir_master_t, publish_task);

    for (weir_list_t *at = master->children.next, *next; at != &master->children; at = next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        next = at->next;
        if (publish_counts(child)) {
            weir_link_send_changes(child);
        }
        if (publish_counts(child) && weir_changes_number() - child->changes_sent > PUBLISH_LOG_MAX) {
            weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d does not take changes of upstreams up: it is killed",
                     (int) child->pid);
            weir_spawn_leave(child, SIGKILL);
        }
    }
    publish_trim(master);
    weir_control_settle();
}

void
weir_publish_settle(weir_master_t *master)
{
    if (weir_changes_number() != 0) {
        weir_task_post(master->loop, &master->publish_task, publish_on_task);
    }
}

/* -- what the socket asks -- */

static weir_generation_t *
publish_generation(void *data)
{
    return ((weir_master_t *) data)->generation;
}

static const char *
publish_is_closed(void *data)
{
    const weir_master_t *master = data;

    if (master->state != WEIR_MASTER_SERVING) {
        return "the instance is shutting down";
    }
    return master->successor != 0 ? "another program is taking over: ask again in a moment" : NULL;
}

static bool
publish_change(void *data, uint64_t number, const weir_change_t *change, weir_str_t line, weir_error_t *error)
{
    weir_master_t           *master = data;
    const weir_group_conf_t *group = weir_upstream_find(master->generation, change->group);

    weir_assert(group != NULL);              /* it was checked */
    if (!weir_changes_put(number, change)) {
        return weir_error_set(error, "more than %d changes at one time: write them into the configuration",
                              WEIR_CHANGES_MAX);
    }
    publish_push(number, line);
    weir_keep_change(master, group, number);
    weir_task_post(master->loop, &master->publish_task, publish_on_task);
    return true;
}

/* Those that leave serve what they have; one that is down starts with all there is. */
static uint64_t
publish_settled(void *data, uint64_t number, json_t *late)
{
    const weir_master_t *master = data;
    uint64_t             settled = weir_keep_done();

    if (late != NULL && settled < number && weir_keep_pid() != 0) {
        (void) json_array_append_new(late, json_integer(weir_keep_pid()));
    }
    for (const weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        const weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (!publish_counts(child) || child->leaving) {
            continue;
        }
        settled = weir_min(settled, child->changes_done);
        if (late != NULL && child->changes_done < number) {
            (void) json_array_append_new(late, json_integer(child->pid));
        }
    }
    return settled;
}

static const char *
publish_fault(void *data WEIR_UNUSED, uint64_t number)
{
    return weir_keep_fault(number);
}

void
weir_publish_open(weir_master_t *master)
{
    const weir_command_ops_t ops = {
        .data = master, .master = master, .loop = master->loop,
        .generation = publish_generation, .is_closed = publish_is_closed,
        .publish = publish_change, .settled = publish_settled,
        .fault = publish_fault,
    };

    weir_control_open(&ops, master->pid_file, &master->settings);
}

void
weir_publish_use(weir_master_t *master)
{
    weir_upstream_prune_changes(master->generation);
    weir_keep_use(master);
    weir_control_use(master->pid_file, &master->settings);
}

void
weir_publish_close(weir_master_t *master)
{
    weir_keep_wait(master);
    weir_task_cancel(&master->publish_task);
    weir_control_close();
}
