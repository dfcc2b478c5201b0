/*
 * settings.c - see settings.h.  Runs in the master and in workers; allocates nothing.
 */
#include "proc/common/settings.h"

#include "conf/core.h"
#include "store/conf.h"

void
weir_settings_read(weir_settings_t *settings, const weir_generation_t *generation)
{
    const weir_core_conf_t   *core = weir_core_conf(generation);
    const weir_bundle_user_t *user = &core->workers_user;

    *settings = (weir_settings_t) {
        .daemon = core->daemon.on,
        .master = core->master_process.on,
        .control = { core->control.path.text, core->control.group, core->control.mode },
        .control_changes_user = !core->control_runs_as.ignored,
        .control_uid = core->control_runs_as.uid,
        .control_gid = core->control_runs_as.gid,
        .pid_file = core->pid.text,
        .state_path = core->state_path.text,
        .store_path = weir_store_conf(generation)->path.text,
        .store_size = weir_store_conf(generation)->size,
        .workers = core->worker_processes,
        .connections = core->worker_connections,
        .upgrade_timeout = core->upgrade_timeout,
        .upgrade_trial = core->upgrade_trial,
        .shutdown_timeout = core->worker_shutdown_timeout,
        .watchdog = core->worker_watchdog,
        .changes_user = !user->ignored,
        .user = { .uid = user->uid, .gid = user->gid, .groups = user->groups, .n_groups = user->n_groups },
        .priority = core->worker_priority,
        .limits_files = core->worker_rlimit_nofile != WEIR_CORE_NO_LIMIT,
        .limits_core = core->worker_rlimit_core.n != WEIR_CORE_NO_LIMIT,
        .may_dump = core->worker_rlimit_core.n != WEIR_CORE_NO_LIMIT && core->worker_rlimit_core.n != 0,
        .files = core->worker_rlimit_nofile,
        .core = core->worker_rlimit_core.n,
        .working_directory = core->working_directory.text.len != 0 ? core->working_directory.text.at : NULL,
        .cpus = core->cpus,
        .cpu_words = WEIR_CORE_CPU_WORDS,
        .environment = core->env,
    };
}

static bool
settings_same_text(const char *a, const char *b)
{
    return weir_str_eq(weir_str_from_z(a), weir_str_from_z(b));
}

static bool
settings_same_user(const weir_settings_t *a, const weir_settings_t *b)
{
    return a->changes_user == b->changes_user && a->user.uid == b->user.uid && a->user.gid == b->user.gid
        && a->user.n_groups == b->user.n_groups
        && (a->user.n_groups == 0
            || memcmp(a->user.groups, b->user.groups, a->user.n_groups * sizeof(*a->user.groups)) == 0);
}

/* For the same number of workers. */
static bool
settings_same_cpus(const weir_settings_t *a, const weir_settings_t *b)
{
    weir_assert(a->workers == b->workers && a->cpu_words == b->cpu_words);
    if (a->cpus == NULL || b->cpus == NULL) {
        return a->cpus == b->cpus;
    }
    return memcmp(a->cpus, b->cpus, a->workers * a->cpu_words * sizeof(*a->cpus)) == 0;
}

static bool
settings_same_environment(const weir_settings_t *a, const weir_settings_t *b)
{
    if (a->environment.n != b->environment.n) {
        return false;
    }
    for (size_t i = 0; i < a->environment.n; i++) {
        if (!weir_str_eq(a->environment.at[i], b->environment.at[i])) {
            return false;
        }
    }
    return true;
}

bool
weir_settings_differ(const weir_settings_t *a, const weir_settings_t *b)
{
    return a->workers != b->workers || a->connections != b->connections || a->priority != b->priority
        || a->limits_files != b->limits_files || a->files != b->files
        || a->limits_core != b->limits_core || a->core != b->core
        || !settings_same_text(a->working_directory, b->working_directory)
        || !settings_same_user(a, b) || !settings_same_cpus(a, b) || !settings_same_environment(a, b);
}
