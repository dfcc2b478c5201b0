/*
 * master.h - the master process: what its parts share.  Outside core/proc only weir_master_run matters.
 */
#ifndef WEIR_PROC_MASTER_MASTER_H
#define WEIR_PROC_MASTER_MASTER_H

#include "event/loop.h"
#include "proc/common/channel.h"
#include "proc/common/pulse.h"
#include "proc/common/settings.h"
#include "serve/sockets.h"

typedef struct weir_master weir_master_t;

/*
 * A worker as the master sees it.
 *
 *     (timer) --fork--> starting ---READY---> serving ---RELOAD---> taking over --READY--> serving
 *        ^             serial == 0        serial == asked         serial != asked
 *        |                  |                    |                       |
 *        +---- back-off ----+------- dies -------+-----------------------+     leaving: freed when it dies
 *
 * The back-off is for a worker that dies before it has taken a connection; one that has is started again at once, up to
 * a rate.
 */
typedef struct weir_child weir_child_t;
struct weir_child {
    weir_list_t    link;                /* of master->children */
    weir_master_t *master;
    uint32_t       index;               /* 0 … workers - 1 */
    uint32_t       cohort;              /* workers of one cohort were started with the same settings */
    pid_t          pid;                 /* -1: waits to be started */
    bool           leaving;             /* told to; another one has its index, or none shall */
    weir_watch_t   channel;             /* fd -1: closed */
    weir_list_t    queue;               /* messages that had no room yet */
    weir_timer_t   timer;               /* to start it */
    weir_instant_t started;
    uint32_t       deaths;              /* in a row, each before it took a connection */
    /* ms; ahead of the clock by what starts after the others' deaths have used up */
    uint64_t       due;
    bool           has_died, has_served;    /* one before it did; has */
    weir_pulse_t  *pulse;               /* of the process; NULL: none */
    uint64_t       beat;                /* of it, when it was last looked at */
    uint32_t       looks;               /* since then, with nothing new */
    weir_child_t  *keeper;              /* which worker takes its connections while it is down; NULL: none */
    uint64_t       lent;                /* the keeper's generation then */
    uint64_t       serial;              /* generation it serves; 0: it is starting */
    uint64_t       began, asked;        /* generation it was forked with; that it was last told of */
    uint64_t       changes_sent, changes_done;   /* publish.c: the last that it was told of; that it goes by */
};

struct weir_master {
    const weir_conf_source_t *source;
    weir_loop_t              *loop;
    weir_generation_t        *generation;   /* what a worker that starts now gets */
    weir_settings_t           settings;     /* of it */
    weir_sockets_t            sockets;
    weir_list_t               children;
    weir_str_t                pid_file;     /* heap; as written */
    pid_t                     pid;
    uint32_t                  cohort;

    /* one reload at a time */
    bool                      reloading, reload_again;
    bool                      fragments_again;  /* one with other fragments is wanted behind it */
    int                       bundle_fd;    /* of the reload under way; -1 */
    weir_timer_t              reload_timer;
    weir_timer_t              left_timer;       /* sockets of addresses that are gone (weir_sockets_close_left) */
    weir_task_t               reload_task;
    weir_task_t               publish_task;
    weir_task_t               fragments_task;

    enum { WEIR_MASTER_SERVING, WEIR_MASTER_QUITTING, WEIR_MASTER_STOPPING } state;
    weir_timer_t              stop_timer, watchdog_timer;
    bool                      is_quiet;     /* WINCH: its workers were let go, none is started until HUP */

    /* upgrade.c: the program that takes over */
    pid_t                     successor;    /* 0: none */
    bool                      successor_is_ready, pid_moved;
    struct { bool reload, reopen; } successor_owes;     /* what came while it was starting */
    weir_watch_t              successor_pipe;
    weir_timer_t              successor_timer;  /* until it must be ready; until the pid file is moved back */
};

/* Takes generation over (its logs are in use, its sockets open); serves until it is told to stop.  Exit code. */
int weir_master_run(const weir_conf_source_t *source, weir_generation_t *generation, weir_sockets_t *sockets);
/* After each reload and each death: what became possible by it. */
void weir_master_settle(weir_master_t *master);
void weir_master_write_pid(weir_master_t *master);

/* -- spawn.c -- */
void weir_spawn_cohort(weir_master_t *master);                       /* settings.workers new ones */
void weir_spawn_replace(weir_child_t *child);                        /* it leaves, another takes its place */
void weir_spawn_reap(weir_master_t *master);
void weir_spawn_tell(weir_master_t *master, int signal);             /* to all that live */
void weir_spawn_leave(weir_child_t *child, int signal);
/* no worker takes its place; freed if it is not running */
void weir_spawn_let_go(weir_child_t *child, int signal);
void weir_spawn_leave_all(weir_master_t *master, int signal);        /* so with all */
bool weir_spawn_anybody(const weir_master_t *master);                /* whether a worker lives */
void weir_spawn_free_all(weir_master_t *master);                     /* what is left of dead ones */

void weir_spawn_forget_master(weir_master_t *master);                /* in a forked child: what is the master's */

/* -- link.c: the channel to one worker -- */
bool weir_link_open(weir_child_t *child, int fd) WEIR_MUST_USE;      /* takes fd over */
void weir_link_close(weir_child_t *child);                           /* safe when closed */
/* What the worker lacks of the generation: the bundle, logs, sockets it will serve; sent as there is room. */
bool weir_link_send_generation(weir_child_t *child) WEIR_MUST_USE;
void weir_link_clear_queue(weir_child_t *child);
void weir_link_drop_reload(weir_child_t *child);                     /* of the queue: what belongs to a reload */
/* The sockets of worker `index` as far as the child's generation has them, and back.  lend false: it cannot be told. */
bool weir_link_lend(weir_child_t *child, uint32_t index) WEIR_MUST_USE;
void weir_link_return(weir_child_t *child, uint32_t index);

/* The next changes of publish.c's, when it has answered what was sent. */
void weir_link_send_changes(weir_child_t *child);

/* -- publish.c: what the control socket changes, on its way to the workers -- */
void weir_publish_open(weir_master_t *master);                       /* the socket beside the pid file; again is new */
void weir_publish_close(weir_master_t *master);
void weir_publish_use(weir_master_t *master);                        /* another generation is in use */
void weir_publish_settle(weir_master_t *master);                     /* a worker has answered, has come or gone */
weir_str_t weir_publish_line(uint64_t number);                       /* of a change that some worker lacks */

/* -- lend.c: which worker serves the sockets of another -- */
void weir_lend_settle(weir_master_t *master);                        /* after each death, and when a worker serves */
/* before its memory goes: what it keeps, and the workers that keep for it */
void weir_lend_forget(weir_child_t *child);

/* -- watchdog.c -- */
void weir_watchdog_set(weir_master_t *master);                       /* as the settings say now */

/* -- reload.c -- */
void weir_reload_request(weir_master_t *master);                     /* now, or when the one under way has ended */
/* With the fragments that are asked for, and else nothing new: when the turn ends, or behind the one under way. */
void weir_reload_fragments(weir_master_t *master);
void weir_reload_check_done(weir_master_t *master);
void weir_reload_abort(weir_master_t *master);                       /* the workers are told to leave */
void weir_reload_forget(weir_master_t *master);                      /* in a forked child: the master goes on with it */

#endif
