/*
 * shared.c - see shared.h.  Runs in the master, the single process, and once after the fork in workers.
 */
#include "proc/common/shared.h"

#include "base/mem.h"
#include "event/wake.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "proc/common/outcome.h"
#include "shm/slots.h"
#include "shm/stats.h"
#include "shm/zone.h"
#include "tls/context.h"
#include "tls/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define SHARED_SAVED_MAX 16384
#define SHARED_FILE      "tls-ticket-keys"

static struct {
    weir_zone_t *slots, *tickets, *strikes, *outcomes, *wake;
    weir_loop_t *loop;
    weir_timer_t timer;
    char         path[PATH_MAX];                     /* of the saved keys; empty: they are not saved */
    bool         complained;
} shared;

/* -- the file -- */

static bool
shared_set_path(weir_str_t state_path)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%.*s/" SHARED_FILE, WEIR_STR_ARG(state_path));

    if (state_path.len == 0 || len < 0 || (size_t) len >= sizeof(path)) {
        path[0] = '\0';
    }
    if (weir_str_eq(weir_str_from_z(path), weir_str_from_z(shared.path))) {
        return false;
    }
    memcpy(shared.path, path, sizeof(path));
    return true;
}

static void
shared_save(void)
{
    char text[SHARED_SAVED_MAX], folder[PATH_MAX];
    size_t len;
    bool saved;

    if (shared.path[0] == '\0' || !weir_tls_contexts_want_tickets()) {
        return;
    }
    len = weir_tls_tickets_save(weir_zone_memory(shared.tickets), text, sizeof(text));
    weir_assert(len <= sizeof(text) && strchr(shared.path, '/') != NULL);
    memcpy(folder, shared.path, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    saved = weir_file_make_dirs(folder, true) && weir_file_write_secret(shared.path, weir_str(text, len));
    if (!saved && !shared.complained) {
        weir_log(WEIR_LOG_WARN, NULL, errno, "TLS sessions will not outlive a restart: \"%s\" cannot be written",
                 shared.path);
    }
    shared.complained = !saved;
    weir_mem_wipe(text, len);
}

static weir_str_t
shared_read_saved(weir_arena_t *arena)
{
    weir_str_t saved = WEIR_STR_NONE;

    if (shared.path[0] != '\0' && !weir_file_read(arena, shared.path, SHARED_SAVED_MAX, &saved) && errno != ENOENT
        && errno != ENOTDIR)
    {
        weir_log(WEIR_LOG_WARN, NULL, errno, "the saved keys of TLS session tickets cannot be read from \"%s\"",
                 shared.path);
    }
    return saved;
}

/* -- from time to time -- */

static void
shared_sweep_one(void *data, uint32_t slot, pid_t pid)
{
    (void) data;
    (void) slot;
    if (weir_process_kill(pid, 0) != 0 && errno == ESRCH) {
        weir_slots_reap(pid, weir_zones_fold);
    }
}

/* Of processes that are not there any more what no master came to is settled: a master before may have died itself. */
static void
shared_sweep(void)
{
    weir_slots_each(shared_sweep_one, NULL);
}

static void
shared_on_timer(weir_timer_t *timer WEIR_UNUSED)
{
    uint64_t next_s;

    weir_assert(shared.tickets != NULL && shared.loop != NULL);
    shared_sweep();
    if (weir_tls_tickets_rotate(weir_zone_memory(shared.tickets), weir_clock_wall_ms() / 1000, &next_s)) {
        weir_log(WEIR_LOG_INFO, NULL, 0, "the keys of TLS session tickets were rotated");
        shared_save();
    }
    /* Not later than in an hour: the wall clock may be set. */
    weir_timer_set(shared.loop, &shared.timer, (weir_msec_t) { weir_min(next_s, 3600) * 1000 }, shared_on_timer);
}

/* -- zones -- */

static const weir_zone_kind_t shared_slots = { .name = "processes", .layout = 1, .describe = weir_slots_describe };
static const weir_zone_kind_t shared_tickets = { .name = "tls-tickets", .layout = 1 };
static const weir_zone_kind_t shared_strikes = { .name = "tls-strikes", .layout = 1 };
static const weir_zone_kind_t shared_wake = { .name = "wake-ups", .layout = 1, .fold = weir_wake_fold };

_Static_assert(WEIR_WAKE_BOXES == WEIR_SLOTS, "a box for each slot");

const weir_zone_kind_t *const weir_shared_kinds[] = { &shared_slots, &shared_tickets,     &shared_strikes,
                                                      &shared_wake,  &weir_outcomes_zone, NULL };

static weir_zone_t *
shared_take(const weir_zone_kind_t *kind, uint64_t size, weir_error_t *error)
{
    return weir_zone_take(&(weir_zone_id_t) { .kind = kind, .size = size }, error);
}

static bool
shared_take_zones(void)
{
    weir_error_t error = { .text = "" };

    shared.slots = shared_take(&shared_slots, WEIR_SLOTS_BYTES, &error);
    shared.tickets = shared_take(&shared_tickets, WEIR_TLS_TICKETS_BYTES, &error);
    shared.strikes = shared_take(&shared_strikes, WEIR_TLS_STRIKES_BYTES, &error);
    shared.outcomes = shared_take(&weir_outcomes_zone, WEIR_OUTCOMES_BYTES, &error);
    shared.wake = shared_take(&shared_wake, WEIR_WAKE_BYTES, &error);
    if (shared.wake == NULL || shared.outcomes == NULL || shared.slots == NULL || shared.tickets == NULL
        || shared.strikes == NULL)
    {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
        return false;
    }
    return true;
}

static void
shared_format(void)
{
    weir_arena_t arena;
    weir_str_t saved;

    weir_slots_use(weir_zone_memory(shared.slots));
    weir_outcome_use(weir_zone_memory(shared.outcomes));
    weir_arena_init(&arena, 4096);
    saved = shared_read_saved(&arena);
    if (!weir_tls_tickets_init(weir_zone_memory(shared.tickets), saved, weir_clock_wall_ms() / 1000)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "no randomness for the keys of TLS session tickets");
    }
    weir_mem_wipe((void *) (uintptr_t) saved.at, saved.len);
    weir_arena_fini(&arena);
    weir_tls_strikes_init(weir_zone_memory(shared.strikes), WEIR_TLS_STRIKES_BYTES, weir_clock_now().ms);
    weir_tls_tickets_use(weir_zone_memory(shared.tickets));
    weir_tls_strikes_use(weir_zone_memory(shared.strikes), WEIR_TLS_STRIKES_BYTES);
}

bool
weir_shared_open(weir_loop_t *loop, const weir_settings_t *settings)
{
    weir_assert(shared.slots == NULL && shared.wake == NULL);
    if (!shared_take_zones()) {
        return false;
    }
    if (!weir_wake_open(weir_zone_memory(shared.wake))) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "eventfd() for the wake-up of workers failed");
        return false;
    }
    shared.loop = loop;
    (void) shared_set_path(settings->state_path);
    shared_format();
    shared_save();
    shared_on_timer(&shared.timer);
    return true;
}

void
weir_shared_use(const weir_settings_t *settings)
{
    if (shared_set_path(settings->state_path)) {
        shared.complained = false;
    }
    shared_save();
}

void
weir_shared_in_store(void)
{
    shared.path[0] = '\0';
    shared.timer = (weir_timer_t) { 0 };             /* its wheel was the master's */
    weir_outcome_use(NULL);                          /* what is told is the master's, too */
    weir_zones_may_make(false);
}

bool
weir_shared_in_worker(void)
{
    weir_assert(shared.slots != NULL);     /* the master opened it before it forked */
    weir_shared_in_store();
    if (!weir_slots_take(getpid())) {
        return false;
    }
    weir_stats_hold_all();
    return true;
}

void
weir_shared_reap(pid_t pid)
{
    weir_slots_reap(pid, weir_zones_fold);
}

static void
shared_give_back(weir_zone_t **zone)
{
    if (*zone != NULL) {
        weir_zone_give_back(*zone);
        *zone = NULL;
    }
}

void
weir_shared_close(void)
{
    weir_timer_drop(&shared.timer);
    weir_wake_close();
    weir_slots_use(NULL);
    weir_outcome_use(NULL);
    weir_tls_tickets_use(NULL);
    weir_tls_strikes_use(NULL, 0);
    shared_give_back(&shared.slots);
    shared_give_back(&shared.tickets);
    shared_give_back(&shared.strikes);
    shared_give_back(&shared.outcomes);
    shared_give_back(&shared.wake);
}
