/*
 * serve.h - the side of a process that listens: its sockets, the areas that take what comes there, the generation that
 * all of it runs on, and how it leaves.
 *
 *     create ── use ── … ── quit (politely) ── stop ── destroy            sockets come by accept.h
 *
 * Runs in workers and in the one process of `master_process off`, on the loop.
 */
#ifndef WEIR_SERVE_SERVE_H
#define WEIR_SERVE_SERVE_H

#include "conf/life.h"
#include "serve/accept.h"

typedef struct { const weir_area_t *area; void *part; } weir_serve_part_t;

struct weir_serve {
    weir_loop_t       *loop;
    weir_life_t       *life;
    weir_generation_t *generation;           /* a reference */
    weir_serve_part_t *parts;                /* one of each area */
    size_t             n_parts;
    weir_list_t        sockets;
    size_t             n_conns;              /* open, of all areas */
    uint32_t           max_conns;            /* worker_connections */
    uint64_t           next_number;          /* $connection */
    uint64_t          *taken;                /* &untold, or memory that the master looks at */
    uint64_t           untold;
    weir_turn_hook_t   turn;
    weir_timer_t       accept_timer, quit_timer, polite_timer;
    uint64_t           told_serial;          /* what statistics were told last */
    uint32_t           told_alive;
    bool               is_paused, is_quitting, multi_accept;
};

/* -- processes -- */

/* areas: ended by NULL.  Takes its own reference of the generation, which the modules adopt. */
weir_serve_t *weir_serve_create(weir_life_t *life, const weir_area_t *const *areas, weir_generation_t *generation,
                                uint32_t max_connections);
/* For a process that ends now.  What is open is closed; the loop is turned.  Then its modules may end (weir_life_end),
 * and then it goes itself; the loop is turned again. */
void          weir_serve_stop(weir_serve_t *serve);
void          weir_serve_destroy(weir_serve_t *serve);
/* Every connection that is accepted adds one there. */
void          weir_serve_count_taken(weir_serve_t *serve, uint64_t *taken);
/* Swaps the generation.  Sockets of addresses it does not listen on are drained (accepted until empty, on the old
 * generation), and closed a moment later. */
void          weir_serve_use(weir_serve_t *serve, weir_generation_t *generation);
/* Takes what is queued and accepts no more; connections end politely; after `limit` (0: none) they are cut. */
void          weir_serve_quit(weir_serve_t *serve, weir_msec_t limit);
/* Open connections, and what areas have under way beside them: none is left when the process may end. */
size_t        weir_serve_busy(const weir_serve_t *serve);

/* -- areas -- */

/* The area's part; NULL: it has none here. */
void         *weir_serve_part(const weir_serve_t *serve, const weir_area_t *area);

#endif
