/*
 * reload.c - the master's way from one generation to the next, without a worker that stops serving.
 *
 *     read and check -> open logs and new sockets -> this is the generation -> tell every worker, or start new ones
 *          |                     |                                                    |
 *          +------- fails: all stays as it was                  all answered: close what is not listened on any more
 *
 * Runs in the master.  Requests that come while one is under way become one more after it.
 */
#include "proc/master/current.h"
#include "proc/master/master.h"

#include "conf/core.h"
#include "log/log.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/outcome.h"
#include "proc/common/shared.h"
#include "proc/master/fragments_live.h"
#include "proc/master/inherit.h"
#include "proc/master/keep.h"
#include "proc/master/load.h"
#include "proc/master/store_process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RELOAD_PATIENCE ((weir_msec_t) { 60 * 1000 })

/* -- the end -- */

static void
reload_on_task(weir_task_t *task)
{
    weir_master_t *master = weir_container_of(task, weir_master_t, reload_task);

    if (master->reload_again && master->state == WEIR_MASTER_SERVING) {
        master->reload_again = false;
        weir_reload_request(master);
    } else if (master->fragments_again) {
        weir_reload_fragments(master);
    }
}

static void
reload_close_bundle(weir_master_t *master)
{
    if (master->bundle_fd >= 0) {
        (void) weir_sys_close(master->bundle_fd);
        master->bundle_fd = -1;
    }
}

/* text: how, printf's. */
WEIR_PRINTF(2, 3)
static void
reload_tell_outcome(bool good, const char *text, ...)
{
    char    room[sizeof(((weir_outcome_row_t *) 0)->text)];
    va_list args;

    va_start(args, text);
    (void) vsnprintf(room, sizeof(room), text, args);
    va_end(args);
    weir_outcome_end(WEIR_OUTCOME_RELOAD, good, room);
}

static void
reload_on_left(weir_timer_t *timer)
{
    weir_master_t *master = weir_container_of(timer, weir_master_t, left_timer);
    weir_msec_t    again = weir_sockets_close_left(&master->sockets);

    if (again.ms != 0) {
        weir_timer_set(master->loop, timer, again, reload_on_left);
    }
}

static void
reload_finish(weir_master_t *master)
{
    weir_assert(master->reloading);
    master->reloading = false;
    weir_timer_clear(&master->reload_timer);
    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        weir_link_drop_reload(weir_list_entry(at, weir_child_t, link));
    }
    reload_close_bundle(master);
    weir_sockets_leave_unused(&master->sockets, master->generation->serial);
    reload_on_left(&master->left_timer);
    weir_fragments_live_done(master->generation->serial);
    if (master->reload_again || master->fragments_again) {
        weir_task_post(master->loop, &master->reload_task, reload_on_task);
    }
}

/*
 * Whether some worker serves the generation and none is behind.  One that served and waits to be started again is not
 * behind: it begins with what there is then.  One that never came up may be for what its settings are: those of before
 * stay until it does.
 */
static bool
reload_is_done(const weir_master_t *master, uint32_t *down)
{
    uint32_t serve = 0;

    *down = 0;
    for (const weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        const weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (child->cohort != master->cohort || child->leaving) {
            continue;
        }
        if (child->serial == master->generation->serial) {
            serve++;
        } else if (child->pid < 0 && child->has_served) {
            *down += 1;
        } else {
            return false;
        }
    }
    return serve != 0 || *down == 0;
}

static void
reload_tell_in_use(weir_master_t *master, uint32_t down)
{
    char more[80] = "";

    if (down != 0) {
        (void) snprintf(more, sizeof(more), "; workers that are down and will start with it: %u", (unsigned) down);
    }
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "configuration %llu is in use%s",
             (unsigned long long) master->generation->serial, more);
    reload_tell_outcome(true, "configuration %llu is in use%s", (unsigned long long) master->generation->serial, more);
}

void
weir_reload_check_done(weir_master_t *master)
{
    uint32_t down;

    if (!reload_is_done(master, &down)) {
        return;
    }
    if (master->reloading) {
        reload_tell_in_use(master, down);
        reload_finish(master);
    }
    /* Those of before the last change of settings; again and again harmless, so that none is forgotten. */
    for (weir_list_t *at = master->children.next, *next; at != &master->children; at = next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        next = at->next;
        if (child->cohort != master->cohort && !child->leaving) {
            weir_spawn_let_go(child, SIGQUIT);
        }
    }
}

static void
reload_on_timeout(weir_timer_t *timer)
{
    weir_master_t *master = weir_container_of(timer, weir_master_t, reload_timer);

    for (weir_list_t *at = master->children.next, *next; at != &master->children; at = next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        next = at->next;
        if (child->cohort == master->cohort && !child->leaving && child->serial != 0
            && child->serial != master->generation->serial)
        {
            weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d does not take configuration %llu over, it is replaced",
                     (int) child->pid, (unsigned long long) master->generation->serial);
            weir_spawn_replace(child);
        }
    }
    reload_tell_outcome(false, "workers did not take configuration %llu over within %u s: they are replaced",
                        (unsigned long long) master->generation->serial, (unsigned) (RELOAD_PATIENCE.ms / 1000));
    reload_finish(master);
}

void
weir_reload_forget(weir_master_t *master)
{
    weir_task_cancel(&master->reload_task);
    weir_task_cancel(&master->fragments_task);
    weir_timer_drop(&master->reload_timer);
    weir_timer_drop(&master->left_timer);
    reload_close_bundle(master);
    master->reloading = master->reload_again = master->fragments_again = false;
}

void
weir_reload_abort(weir_master_t *master)
{
    if (master->reloading) {
        reload_tell_outcome(false, "the reload was given up: the workers were told to leave");
    }
    weir_reload_forget(master);
}

/* -- the beginning -- */

static void
reload_tell(weir_master_t *master)
{
    for (weir_list_t *at = master->children.next, *next; at != &master->children; at = next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        next = at->next;
        if (child->cohort != master->cohort || child->leaving || child->pid < 0
            || child->asked == master->generation->serial)
        {
            continue;       /* one that is not started yet will begin with it */
        }
        if (!weir_link_send_generation(child)) {
            weir_spawn_replace(child);
        }
    }
}

/* What is new becomes the master's own; from here on there is no way back. */
static void
reload_use(weir_master_t *master, weir_generation_t *generation)
{
    weir_assert(generation->serial > master->generation->serial && master->bundle_fd >= 0);
    if (master->successor == 0 && !weir_inherit_has_predecessor()) {    /* else another program may listen there */
        weir_sockets_refuse_unused(&master->sockets, generation->serial);
    }
    weir_current_keep(master->bundle_fd);
    weir_load_use_logs(generation, master->generation);
    master->generation = generation;
    weir_settings_read(&master->settings, generation);
    weir_shared_use(&master->settings);
    weir_watchdog_set(master);
    weir_master_write_pid(master);
    weir_store_process_change(master);
    weir_publish_use(master);
    weir_fragments_live_use(generation->serial);
}

static bool
reload_prepare(weir_master_t *master, weir_generation_t *generation, weir_error_t *error)
{
    weir_settings_t settings;

    weir_settings_read(&settings, generation);
    if (!weir_load_open_logs(generation, error)) {
        return false;
    }
    if (!weir_sockets_open(&master->sockets, generation, settings.workers, false, error)) {
        weir_log_close(weir_core_sinks(generation));
        return false;
    }
    return true;
}

static void
reload_start(weir_master_t *master, weir_generation_t *generation)
{
    weir_settings_t before = master->settings, after;

    weir_assert(!master->reloading && master->bundle_fd >= 0);
    weir_settings_read(&after, generation);
    master->reloading = true;
    weir_timer_set(master->loop, &master->reload_timer, RELOAD_PATIENCE, reload_on_timeout);
    if (weir_settings_differ(&before, &after)) {        /* while both generations are there to be read */
        reload_use(master, generation);
        weir_log(WEIR_LOG_NOTICE, NULL, 0,
                 "settings that only new workers can take have changed: new workers are started");
        weir_spawn_cohort(master);
    } else {
        reload_use(master, generation);
        reload_tell(master);
    }
    weir_master_settle(master);
}

/* Can what the generation listens on be bound? */
static bool
reload_judge(void *data, const weir_generation_t *generation, weir_error_t *error)
{
    weir_master_t  *master = data;
    weir_settings_t settings;

    weir_settings_read(&settings, generation);
    return weir_sockets_check(&master->sockets, generation, settings.workers, false, false, error);
}

/* What was loaded is given to the workers; if it cannot be used, all is as it was. */
static void
reload_take(weir_master_t *master, weir_generation_t *generation, weir_bundle_t *bundle)
{
    weir_error_t error = { .text = "" };

    weir_assert(master->bundle_fd < 0);
    master->bundle_fd = weir_wire_bundle_to_fd(bundle);
    weir_bundle_destroy(bundle);
    if (master->bundle_fd < 0) {
        (void) weir_error_set(&error, "the memory file of the configuration could not be made (%d: %s)", errno,
                              strerror(errno));
    }
    if (master->bundle_fd >= 0 && reload_prepare(master, generation, &error)) {
        reload_start(master, generation);
        return;
    }
    weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
    reload_tell_outcome(false, "%s", error.text);
    reload_close_bundle(master);
    weir_generation_unref(generation);
    weir_fragments_live_give_up(&error);
}

void
weir_reload_request(weir_master_t *master)
{
    const weir_fragments_judge_t judge = { .data = master, .check = reload_judge };
    weir_error_t                 error = { .text = "" };
    weir_bundle_t               *bundle = NULL;
    weir_generation_t           *generation;

    if (master->reloading) {
        master->reload_again = true;
        return;
    }
    weir_outcome_begin(WEIR_OUTCOME_RELOAD);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "reconfiguring");
    weir_keep_wait(master);              /* a file of `state` that has yet to lose a server would bring it back */
    weir_publish_settle(master);
    generation = weir_fragments_live_load(master->source, master->generation->serial + 1, true, &judge, &bundle,
                                          &error);
    if (generation == NULL) {
        reload_tell_outcome(false, "%s", error.text);
        weir_reload_fragments(master);       /* those that waited go on with the files of before */
        return;
    }
    reload_take(master, generation, bundle);
}

static void
reload_on_fragments(weir_task_t *task)
{
    weir_master_t               *master = weir_container_of(task, weir_master_t, fragments_task);
    const weir_fragments_judge_t judge = { .data = master, .check = reload_judge };
    weir_error_t                 error = { .text = "" };
    weir_bundle_t               *bundle = NULL;
    weir_generation_t           *generation;

    if (master->state != WEIR_MASTER_SERVING || master->successor != 0 || master->is_quiet) {
        return;                              /* asked again when that is over, or never needed */
    }
    if (master->reloading) {
        master->fragments_again = true;
        return;
    }
    master->fragments_again = false;
    if (!weir_fragments_are_asked(weir_fragments_live_table())) {
        return;
    }
    weir_keep_wait(master);              /* a file of `state` that has yet to lose a server would bring it back */
    weir_publish_settle(master);
    generation = weir_fragments_live_load(master->source, master->generation->serial + 1, false, &judge, &bundle,
                                          &error);
    if (generation == NULL) {
        return;                              /* what is wrong with them was said */
    }
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "fragments have changed: configuration %llu",
             (unsigned long long) generation->serial);
    reload_take(master, generation, bundle);
}

void
weir_reload_fragments(weir_master_t *master)
{
    weir_task_post(master->loop, &master->fragments_task, reload_on_fragments);
}
