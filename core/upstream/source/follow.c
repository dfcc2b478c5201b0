/*
 * follow.c - see follow.h.  Runs in workers; requests under way keep the group they began with.
 *
 * Every worker has each list; one of them asks for it (lists.h).  A task looks at which worker asks, never while a
 * generation is adopted, and again every few seconds.
 */
#include "upstream/follow.h"

#include "base/mem.h"
#include "event/wake.h"
#include "upstream/lists.h"
#include "upstream/running.h"

#include <string.h>

#define FOLLOW_CHUNK 4096

typedef struct {
    weir_source_run_t  run;                  /* source NULL: a server that is written; nothing below is used */
    weir_follow_t     *follow;
    weir_source_list_t list;
    weir_lists_place_t place;
    bool               is_known, is_asking;
} follow_line_t;

struct weir_follow {
    weir_list_t               link;          /* of the worker's, newest first */
    weir_groups_t            *groups;
    weir_generation_t        *generation;
    const weir_group_conf_t  *conf;
    weir_group_t             *running;       /* referred to since it began to follow */
    const weir_follow_conf_t *follow;
    weir_loop_t              *loop;
    weir_task_t               soon;
    weir_timer_t              tick;
    weir_wake_listener_t      listener;
    bool                      is_retired;
    follow_line_t             lines[];       /* follow->n */
};

/* -- the group -- */

/* What is known now, as the group's configuration; in the arena. */
static void
follow_fill(weir_follow_t *follow, weir_arena_t *arena, weir_group_conf_t *conf)
{
    weir_follow_known_t *known = weir_new_n(arena, weir_follow_known_t, follow->follow->n);

    *conf = *follow->conf;
    for (size_t i = 0; i < follow->follow->n; i++) {
        const follow_line_t *line = &follow->lines[i];

        known[i] = (weir_follow_known_t) { line->list.at, line->list.n, line->is_known };
    }
    weir_upstream_fill(arena, conf, follow->follow, known);
}

/* The group that the generation begins with. */
static void
follow_attach(weir_follow_t *follow)
{
    weir_arena_t      scratch;
    weir_group_conf_t conf;

    weir_arena_init(&scratch, FOLLOW_CHUNK);
    follow_fill(follow, &scratch, &conf);
    follow->running = weir_group_attach(follow->groups, &conf);
    weir_arena_fini(&scratch);
}

/* It has what is known now. */
static void
follow_rebuild(weir_follow_t *follow)
{
    weir_arena_t      scratch;
    weir_group_conf_t conf;

    weir_assert(follow->running != NULL && !follow->is_retired);
    weir_arena_init(&scratch, FOLLOW_CHUNK);
    follow_fill(follow, &scratch, &conf);
    weir_group_renew(follow->running, conf.peers, conf.n_peers);
    weir_arena_fini(&scratch);
}

/* -- lists -- */

static void
line_take(follow_line_t *line, weir_source_list_t list)
{
    weir_source_free(&line->list);
    line->list = list;
    line->is_known = true;
}

/* What another worker has found out.  true: the group is another now. */
static bool
line_look(follow_line_t *line)
{
    weir_source_list_t list;

    if (line->run.source == NULL || !weir_lists_read(&line->place, &list)) {
        return false;
    }
    if (line->is_known && weir_source_eq(line->list.at, line->list.n, list.at, list.n)) {
        weir_source_free(&list);
        return false;
    }
    line_take(line, list);
    return true;
}

void
weir_follow_give(weir_source_run_t *run, const weir_source_peer_t *peers, size_t n)
{
    follow_line_t     *line = weir_container_of(run, follow_line_t, run);
    weir_source_list_t list;

    weir_assert(line->is_asking && n <= WEIR_SOURCE_PEERS);
    if (line->is_known && weir_source_eq(line->list.at, line->list.n, peers, n)) {
        return;
    }
    list = weir_source_copy(peers, n);
    if (list.n != n) {
        return;                              /* no memory: the list stays as it was */
    }
    line_take(line, list);
    weir_lists_put(&line->place, list.at, list.n);
    follow_rebuild(line->follow);
}

/* -- which worker asks -- */

static void
line_end(follow_line_t *line)
{
    if (line->is_asking) {
        line->is_asking = false;
        line->run.source->ops->end(&line->run);
    }
}

static void
line_tick(follow_line_t *line)
{
    if (!weir_lists_lease(&line->place)) {
        line_end(line);
    } else if (!line->is_asking) {
        line->is_asking = true;
        line->run.source->ops->begin(&line->run);
    }
}

static void follow_on_tick(weir_timer_t *timer);

/* Others' news first, then the lease: a worker that begins to ask knows what was found out before. */
static void
follow_look(weir_follow_t *follow)
{
    bool is_new = false;

    for (size_t i = 0; i < follow->follow->n; i++) {
        is_new = line_look(&follow->lines[i]) || is_new;
    }
    if (is_new) {
        follow_rebuild(follow);
    }
    for (size_t i = 0; i < follow->follow->n; i++) {
        if (follow->lines[i].run.source != NULL) {
            line_tick(&follow->lines[i]);
        }
    }
    weir_timer_set(follow->loop, &follow->tick, (weir_msec_t) { WEIR_LISTS_TICK }, follow_on_tick);
}

static void
follow_on_tick(weir_timer_t *timer)
{
    follow_look(weir_container_of(timer, weir_follow_t, tick));
}

static void
follow_on_soon(weir_task_t *task)
{
    follow_look(weir_container_of(task, weir_follow_t, soon));
}

static void
follow_on_wake(weir_wake_listener_t *listener, uint64_t which)
{
    if ((which & WEIR_LISTS_RING) != 0) {
        follow_look(weir_container_of(listener, weir_follow_t, listener));
    }
}

/* -- from generation to generation -- */

static weir_follow_t *
follow_before(weir_groups_t *groups, weir_str_t name)
{
    weir_list_t *list = weir_groups_follows(groups);

    for (weir_list_t *l = list->next; l != list; l = l->next) {
        weir_follow_t *follow = weir_list_entry(l, weir_follow_t, link);

        if (weir_str_eq(follow->conf->name, name)) {
            return follow;
        }
    }
    return NULL;
}

/* The line of that name, of the generation before, asks no more; its list is this one's to begin with, and its
 * lease. */
static void
line_inherit(follow_line_t *line, weir_follow_t *before)
{
    for (size_t i = 0; before != NULL && i < before->follow->n; i++) {
        follow_line_t *from = &before->lines[i];

        if (from->run.source == NULL || !weir_str_eq(from->run.source->name, line->run.source->name)) {
            continue;
        }
        line_end(from);
        line->place.lease = from->place.lease;
        from->place.lease = 0;
        if (from->is_known && !line->is_known) {
            line_take(line, weir_source_copy(from->list.at, from->list.n));
            line->is_known = line->list.n == from->list.n;
            line->place.serial = from->place.serial;
        }
        return;
    }
}

static void
line_start(follow_line_t *line, weir_follow_t *follow, const weir_source_t *source, weir_follow_t *before)
{
    line->follow = follow;
    line->run = (weir_source_run_t) { .source = source, .generation = follow->generation };
    if (source == NULL) {
        return;
    }
    weir_assert(source->ops != NULL);
    line->place.entries = follow->follow->entries;
    line->place.name = source->key;
    (void) line_look(line);
    line_inherit(line, before);
    if (!line->is_known && source->loaded.n != 0) {
        line_take(line, weir_source_copy(source->loaded.at, source->loaded.n));
        line->is_known = line->list.n != 0;
    }
}

weir_follow_t *
weir_follow_start(weir_groups_t *groups, weir_generation_t *generation, const weir_group_conf_t *conf)
{
    const weir_follow_conf_t *servers = conf->follow;
    weir_follow_t *follow = weir_mem_need(sizeof(*follow) + servers->n * sizeof(follow->lines[0]));
    weir_follow_t *before = follow_before(groups, conf->name);

    follow->groups = groups;
    follow->generation = generation;
    follow->conf = conf;
    follow->follow = servers;
    follow->loop = weir_groups_loop(groups);
    for (size_t i = 0; i < servers->n; i++) {
        line_start(&follow->lines[i], follow, servers->servers[i].source, before);
    }
    follow_attach(follow);
    weir_list_push(weir_groups_follows(groups), &follow->link);
    weir_wake_listen(&follow->listener, WEIR_WAKE_ENTRY, follow_on_wake);
    weir_task_post(follow->loop, &follow->soon, follow_on_soon);
    return follow;
}

void
weir_follow_retire(weir_follow_t *follow)
{
    if (follow->is_retired) {
        return;
    }
    weir_task_cancel(&follow->soon);
    weir_timer_drop(&follow->tick);
    weir_wake_forget(&follow->listener);
    weir_list_remove(&follow->link);
    for (size_t i = 0; i < follow->follow->n; i++) {
        follow_line_t *line = &follow->lines[i];

        if (line->run.source != NULL) {
            line_end(line);
            weir_lists_let_go(&line->place);
        }
    }
    follow->is_retired = true;
}

void
weir_follow_stop(weir_follow_t *follow)
{
    weir_follow_retire(follow);
    for (size_t i = 0; i < follow->follow->n; i++) {
        weir_source_free(&follow->lines[i].list);
    }
    weir_mem_free(follow);
}

void
weir_follow_retire_all(weir_groups_t *groups)
{
    weir_list_t *list = weir_groups_follows(groups);

    while (!weir_list_empty(list)) {
        weir_follow_retire(weir_list_entry(list->next, weir_follow_t, link));
    }
}

/* -- of a source that runs -- */

static follow_line_t *
follow_line_of(const weir_source_run_t *run)
{
    return weir_container_of((weir_source_run_t *) (uintptr_t) run, follow_line_t, run);
}

weir_group_t *
weir_follow_group(const weir_follow_t *follow)
{
    return follow->running;
}

weir_loop_t *
weir_follow_loop(const weir_source_run_t *run)
{
    return follow_line_of(run)->follow->loop;
}

weir_source_list_t
weir_follow_list(const weir_source_run_t *run)
{
    return follow_line_of(run)->list;
}

weir_groups_t *
weir_follow_groups(const weir_source_run_t *run)
{
    return follow_line_of(run)->follow->groups;
}

weir_group_t *
weir_follow_running(const weir_source_run_t *run)
{
    return follow_line_of(run)->follow->running;
}
