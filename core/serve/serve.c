/*
 * serve.c - see serve.h.  Allocates one struct and a row for each area.
 */
#include "serve/serve.h"

#include "base/mem.h"
#include "conf/core.h"
#include "log/log.h"
#include "shm/stats.h"

#define SERVE_POLITE_DELAY ((weir_msec_t) { 1000 })   /* no idle connection is closed sooner after we begin to leave */
#define SERVE_RESERVE      (256 * 1024)               /* memory for what must not fail when it runs out */

/* -- generations -- */

static void
serve_take_settings(weir_serve_t *serve)
{
    weir_log_level_t level = WEIR_LOG_EMERG;

    serve->multi_accept = weir_core_multi_accept(serve->generation);
    for (size_t i = 0; i < serve->n_parts; i++) {
        weir_log_level_t its = serve->parts[i].area->log_level(serve->generation);

        level = its > level ? its : level;
        serve->parts[i].area->use(serve->parts[i].part, serve->generation);
    }
    weir_log_raise(level);
}

void
weir_serve_use(weir_serve_t *serve, weir_generation_t *generation)
{
    weir_generation_t *old = serve->generation;

    weir_assert(generation != NULL && generation != old);
    weir_life_adopt(serve->life, generation);
    serve->generation = weir_generation_ref(generation);
    serve_take_settings(serve);
    weir_accept_use(serve);
    weir_life_retire(serve->life, old);
    weir_generation_unref(old);
}

/* -- begin -- */

/* To statistics, when it has changed; not from a process that counts nothing. */
static void
serve_tell_generations(weir_serve_t *serve)
{
    uint32_t alive = weir_generations_alive();

    if (weir_unlikely(serve->told_alive != alive || serve->told_serial != serve->generation->serial)
        && weir_slot_mine.number != WEIR_SLOT_NONE)
    {
        serve->told_alive = alive;
        serve->told_serial = serve->generation->serial;
        weir_stats_tell_generations(serve->told_serial, alive);
    }
}

static void
serve_on_turn(void *data)
{
    weir_serve_t *serve = data;

    serve_tell_generations(serve);
    if (weir_unlikely(!weir_mem_keep_reserve(SERVE_RESERVE))) {
        weir_accept_pause(serve);
    }
}

static void
serve_create_parts(weir_serve_t *serve, const weir_area_t *const *areas)
{
    weir_assert(serve->n_parts == 0 && areas[0] != NULL);
    while (areas[serve->n_parts] != NULL) {
        serve->n_parts++;
    }
    serve->parts = weir_mem_need(serve->n_parts * sizeof(*serve->parts));
    for (size_t i = 0; i < serve->n_parts; i++) {
        serve->parts[i] = (weir_serve_part_t) { .area = areas[i], .part = areas[i]->create(serve) };
    }
}

weir_serve_t *
weir_serve_create(weir_life_t *life, const weir_area_t *const *areas, weir_generation_t *generation,
                  uint32_t max_connections)
{
    weir_serve_t *serve = weir_mem_need(sizeof(*serve));

    serve->loop = life->loop;
    serve->life = life;
    serve->generation = weir_generation_ref(generation);
    serve->max_conns = max_connections;
    serve->taken = &serve->untold;
    weir_list_init(&serve->sockets);
    serve_create_parts(serve, areas);
    weir_life_adopt(life, generation);
    serve_take_settings(serve);
    (void) weir_mem_keep_reserve(SERVE_RESERVE);
    serve_tell_generations(serve);
    weir_loop_on_turn(serve->loop, &serve->turn, serve_on_turn, serve);
    return serve;
}

void
weir_serve_count_taken(weir_serve_t *serve, uint64_t *taken)
{
    serve->taken = taken;
}

void *
weir_serve_part(const weir_serve_t *serve, const weir_area_t *area)
{
    for (size_t i = 0; i < serve->n_parts; i++) {
        if (serve->parts[i].area == area) {
            return serve->parts[i].part;
        }
    }
    return NULL;
}

size_t
weir_serve_busy(const weir_serve_t *serve)
{
    size_t n = serve->n_conns;

    for (size_t i = 0; i < serve->n_parts; i++) {
        n += serve->parts[i].area->busy(serve->parts[i].part);
    }
    return n;
}

/* -- end -- */

static void
serve_quit_all(weir_serve_t *serve, weir_quit_t how)
{
    for (size_t i = 0; i < serve->n_parts; i++) {
        serve->parts[i].area->quit(serve->parts[i].part, how);
    }
}

static void
serve_on_polite(weir_timer_t *timer)
{
    weir_assert(weir_container_of(timer, weir_serve_t, polite_timer)->is_quitting);
    serve_quit_all(weir_container_of(timer, weir_serve_t, polite_timer), WEIR_QUIT_IDLE);
}

static void
serve_on_limit(weir_timer_t *timer)
{
    weir_serve_t *serve = weir_container_of(timer, weir_serve_t, quit_timer);

    weir_assert(serve->is_quitting);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "worker_shutdown_timeout: %zu connections are cut", serve->n_conns);
    serve_quit_all(serve, WEIR_QUIT_NOW);
}

/* What is queued is taken still, to be told that it is the last. */
static void
serve_leave(weir_serve_t *serve, weir_quit_t how)
{
    serve->is_quitting = true;
    serve_quit_all(serve, WEIR_QUIT_LAST);
    weir_accept_end(serve);
    if (how != WEIR_QUIT_LAST) {
        serve_quit_all(serve, how);
    }
}

void
weir_serve_quit(weir_serve_t *serve, weir_msec_t limit)
{
    if (serve->is_quitting) {
        return;
    }
    serve_leave(serve, WEIR_QUIT_LAST);
    weir_timer_set(serve->loop, &serve->polite_timer, SERVE_POLITE_DELAY, serve_on_polite);
    if (limit.ms != 0) {
        weir_timer_set(serve->loop, &serve->quit_timer, limit, serve_on_limit);
    }
}

void
weir_serve_stop(weir_serve_t *serve)
{
    serve_leave(serve, WEIR_QUIT_NOW);
    weir_timer_drop(&serve->polite_timer);
    weir_timer_drop(&serve->quit_timer);
    weir_timer_drop(&serve->accept_timer);
    weir_loop_turn(serve->loop, (weir_msec_t) { 0 });     /* closed connections are freed at the end of a turn */
    weir_life_retire(serve->life, serve->generation);
}

void
weir_serve_destroy(weir_serve_t *serve)
{
    weir_assert(serve->is_quitting && weir_list_empty(&serve->sockets));
    weir_loop_turn(serve->loop, (weir_msec_t) { 0 });     /* what modules closed */
    weir_assert(serve->n_conns == 0);
    for (size_t i = 0; i < serve->n_parts; i++) {
        serve->parts[i].area->destroy(serve->parts[i].part);
    }
    weir_generation_unref(serve->generation);
    weir_list_remove(&serve->turn.link);
    (void) weir_mem_use_reserve();
    weir_mem_free(serve->parts);
    weir_mem_free(serve);
}
