/*
 * life.c - see life.h.
 */
#include "conf/life.h"

#include "base/mem.h"
#include "conf/read.h"

#define LIFE_TICK ((weir_msec_t) { 1000 })

static void
life_end_first(weir_life_t *life, size_t n)
{
    weir_assert(n <= weir_conf_table_size());
    while (n-- > 0) {
        const struct weir_module_life *module = weir_modules_in_use[n]->life;

        if (module != NULL && module->end != NULL) {
            module->end(life);
        }
    }
}

/* -- ticks -- */

static void
life_on_timer(weir_timer_t *timer)
{
    weir_life_t *life = weir_container_of(timer, weir_life_t, timer);
    bool again = false;

    weir_assert(life->kept != NULL);
    for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
        const struct weir_module_life *module = weir_modules_in_use[m]->life;

        if (module != NULL && module->tick != NULL) {
            again |= module->tick(life);
        }
    }
    life->is_ticking = !again;
}

static void
life_on_turn(void *data)
{
    weir_life_t *life = data;

    if (life->is_ticking) {
        life->is_ticking = false;              /* nothing but the tick has happened: the next one waits for something */
    } else if (weir_unlikely(life->timer.deadline.ms == 0)) {
        weir_timer_set(life->loop, &life->timer, LIFE_TICK, life_on_timer);
    }
}

/* -- begin and end -- */

weir_life_t *
weir_life_create(weir_loop_t *loop)
{
    weir_life_t *life = weir_mem_need(sizeof(*life));

    *life = (weir_life_t) { .loop = loop, .kept = weir_mem_need(sizeof(void *) * weir_conf_module_slots()) };
    for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
        const struct weir_module_life *module = weir_modules_in_use[m]->life;

        if (module != NULL && module->begin != NULL && !module->begin(life)) {
            life_end_first(life, m);
            weir_life_destroy(life);
            return NULL;
        }
    }
    weir_loop_on_turn(loop, &life->turn, life_on_turn, life);
    return life;
}

void
weir_life_adopt(weir_life_t *life, weir_generation_t *generation)
{
    for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
        const struct weir_module_life *module = weir_modules_in_use[m]->life;

        if (module != NULL && module->adopt != NULL) {
            module->adopt(life, generation);
        }
    }
}

void
weir_life_retire(weir_life_t *life, weir_generation_t *generation)
{
    for (size_t m = weir_conf_table_size(); m-- > 0; ) {
        const struct weir_module_life *module = weir_modules_in_use[m]->life;

        if (module != NULL && module->retire != NULL) {
            module->retire(life, generation);
        }
    }
}

void
weir_life_end(weir_life_t *life)
{
    weir_list_remove(&life->turn.link);
    weir_timer_drop(&life->timer);
    life_end_first(life, weir_conf_table_size());
}

void
weir_life_destroy(weir_life_t *life)
{
    if (life != NULL) {
        weir_mem_free(life->kept);
        weir_mem_free(life);
    }
}
