/*
 * life.h - what modules live through in a process that serves: it begins, generations come and go, it ticks, it ends.
 *
 * A module says what it does at each (weir_module.life); the process calls the functions below.  All of it on the
 * loop's thread.
 */
#ifndef WEIR_CONF_LIFE_H
#define WEIR_CONF_LIFE_H

#include "conf/generation.h"
#include "event/loop.h"

/* Of one process. */
typedef struct weir_life {
    weir_loop_t      *loop;
    void            **kept;          /* by module index: what the module's begin made; its own */
    weir_turn_hook_t  turn;
    weir_timer_t      timer;
    bool              is_ticking;    /* this turn is the tick's own */
} weir_life_t;

/* A module's part; each may be NULL.  In the modules' order, retire and end in the reverse of it. */
struct weir_module_life {
    /* Once, before the first generation.  false: the process cannot serve; the module has said why. */
    bool (*begin)(weir_life_t *life);
    /* This generation is about to serve: what its build made gets what it needs to run.  The one before serves
     * still. */
    void (*adopt)(weir_life_t *life, weir_generation_t *generation);
    /* It serves no new request.  Those under way keep it. */
    void (*retire)(weir_life_t *life, weir_generation_t *generation);
    /* A second after the last tick, or after the first turn of the loop behind it: an idle process is not woken.  true:
     * in a second again, whatever happens. */
    bool (*tick)(weir_life_t *life);
    /* Once, when no request is left and before the loop's last turn: what the module holds is given back. */
    void (*end)(weir_life_t *life);
};

/* Begins every module.  NULL: one could not; those before it have ended. */
weir_life_t *weir_life_create(weir_loop_t *loop) WEIR_MUST_USE;
void         weir_life_adopt(weir_life_t *life, weir_generation_t *generation);
void         weir_life_retire(weir_life_t *life, weir_generation_t *generation);
/* Ends every module, once. */
void         weir_life_end(weir_life_t *life);
void         weir_life_destroy(weir_life_t *life);       /* NULL is fine; after its end */

#endif
