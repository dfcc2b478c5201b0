/*
 * core_module.c - the directives of main and events: processes, limits, the user they run as, logs, include.
 *
 * Read in the master (which looks up users and counts CPUs) and replayed in workers from the bundle.
 */
#include "conf/core.h"

#include "conf/read.h"
#include "config.h"

#define CORE_ARGS weir_conf_t *cf, WEIR_UNUSED const weir_directive_t *row, const weir_conf_words_t *words, void *field

/* --- types of its own --- */

static bool
core_parse_user(CORE_ARGS)
{
    weir_core_user_t  *user = field;
    weir_bundle_user_t found;
    weir_error_t       why = { .text = "" };

    if (words->at[1].text.len == 0) {
        return weir_conf_invalid(cf, 1, "the name of a user");
    }
    user->user = words->at[1].text;
    user->group = words->n > 2 ? words->at[2].text : words->at[1].text;
    if (!weir_bundle_user(cf->bundle, user->user, user->group, &found, &why)) {
        return weir_conf_error(cf, 1, "%s", why.text);
    }
    if (found.ignored) {
        weir_conf_warn(cf, 0, "the \"%.*s\" directive makes sense only if the master process runs with super-user "
                              "privileges, ignored", WEIR_STR_ARG(words->at[0].text));
    }
    return true;
}

static bool
core_parse_priority(CORE_ARGS)
{
    weir_str_t text = words->at[1].text;
    bool       negative = weir_str_starts(text, WEIR_STR("-"));
    uint32_t   number;

    if (!weir_conf_read_u32(weir_str_skip(text, negative), &number) || number > (negative ? 20 : 19)) {
        return weir_conf_invalid(cf, 1, "a number from -20 to 19");
    }
    *(int32_t *) field = negative ? -(int32_t) number : (int32_t) number;
    return true;
}

static bool
core_parse_env(CORE_ARGS)
{
    weir_str_t text = words->at[1].text;

    if (text.len == 0 || text.at[0] == '=') {
        return weir_conf_invalid(cf, 1, "NAME or NAME=value");
    }
    *(weir_str_t *) weir_conf_list_push(cf, field, sizeof(weir_str_t)) = text;
    return true;
}

/* 0 is off. */
static bool
core_parse_watchdog(CORE_ARGS)
{
    weir_msec_t *limit = field;

    if (weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        *limit = (weir_msec_t) { 0 };
        return true;
    }
    if (!weir_conf_read_msec(words->at[1].text, limit) || (limit->ms != 0 && limit->ms < 100)) {
        return weir_conf_invalid(cf, 1, "a time of at least 100ms, or off");
    }
    return true;
}

/* What follows in the file is compiled as it says. */
static bool
core_parse_jit(CORE_ARGS)
{
    if (!weir_type_flag.parse(cf, row, words, field)) {
        return false;
    }
    weir_regex_use_jit(((const weir_flag_t *) field)->on);
    return true;
}

const weir_conf_type_t weir_type_user = { .name = "user [group]", .size = sizeof(weir_core_user_t), .min_args = 1,
                                                 .max_args = 2, .parse = core_parse_user };
static const weir_conf_type_t core_type_priority = { .name = "number", .size = sizeof(int32_t), .min_args = 1,
                                                     .max_args = 1, .parse = core_parse_priority };
static const weir_conf_type_t core_type_env = { .name = "name[=value]", .size = sizeof(weir_strs_t), .min_args = 1,
                                                .max_args = 1, .repeats = true, .parse = core_parse_env,
                                                .item = sizeof(weir_str_t) };
static const weir_conf_type_t core_type_jit = { .name = "on | off", .size = sizeof(weir_flag_t), .min_args = 1,
                                                .max_args = 1, .parse = core_parse_jit };
static const weir_conf_type_t core_type_watchdog = { .name = "time | off", .size = sizeof(weir_msec_t), .min_args = 1,
                                                     .max_args = 1, .parse = core_parse_watchdog };
static const weir_conf_type_t core_type_include = { .name = "file | mask", .min_args = 1, .max_args = 1,
                                                    .repeats = true,
                                                    .parse = weir_conf_include };

/* --- after reading --- */

static bool
core_check_user(weir_conf_t *cf, weir_conf_block_t *block, weir_core_conf_t *core)
{
    weir_error_t why = { .text = "" };

    if (core->user.user.at == NULL) {
        core->user = (weir_core_user_t) { WEIR_STR(WEIR_USER), WEIR_STR(WEIR_GROUP) };
    }
    if (!weir_bundle_user(cf->bundle, core->user.user, core->user.group, &core->workers_user, &why)) {
        return weir_conf_error_at(cf, &block->words, "%s", why.text);
    }
    if (core->workers_user.n_groups != 0) {
        size_t bytes = sizeof(gid_t) * core->workers_user.n_groups;

        core->workers_user.groups = memcpy(weir_alloc(cf->arena, bytes), core->workers_user.groups, bytes);
    }
    return true;
}

static bool
core_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    weir_core_conf_t *core = conf;

    if (!weir_conf_is_set(block, weir_core_index, "worker_rlimit_nofile")) {
        core->worker_rlimit_nofile = WEIR_CORE_NO_LIMIT;
    }
    if (!weir_conf_is_set(block, weir_core_index, "worker_rlimit_core")) {
        core->worker_rlimit_core.n = WEIR_CORE_NO_LIMIT;
    }
    core->control.mode = core->control.path.text.len != 0 ? core->control.mode : WEIR_CORE_CONTROL_MODE;
    return core_check_user(cf, block, core) && weir_core_check_control(cf, block, core)
           && weir_core_check_affinity(cf, core);
}

/* --- rows --- */

static const weir_conf_enum_t core_methods[] = { { "epoll", 0 }, { NULL, 0 } };

#define CORE_ROW(field, text, ...) WEIR_DIRECTIVE(weir_core_conf_t, field, text, __VA_ARGS__)
#define CORE_ROW_OF(field, text, conf_type, ...) \
    WEIR_DIRECTIVE_OF(weir_core_conf_t, field, text, conf_type, __VA_ARGS__)

static const weir_directive_t core_directives[] = {
    { .name = "include", .type = &core_type_include, .where = ~0U,
      .help = "Reads another file, or all files that match a mask in the order of their names, as if they stood "
              "here." },
    CORE_ROW(daemon, "daemon", .where = WEIR_IN_MAIN, .dflt = "on",
             .help = "Lets the program leave the terminal and run in the background."),
    CORE_ROW(master_process, "master_process", .where = WEIR_IN_MAIN, .dflt = "on",
             .help = "Starts worker processes; off serves in one process, for development."),
    CORE_ROW_OF(worker_processes, "worker_processes", &weir_core_type_processes, .where = WEIR_IN_MAIN, .dflt = "1",
                .min = "1", .max = "1024", .help = "Sets how many workers there are; auto starts one per CPU."),
    CORE_ROW_OF(affinity, "worker_cpu_affinity", &weir_core_type_affinity, .where = WEIR_IN_MAIN,
                .help = "Binds each worker to the CPUs of its mask; auto binds each worker to one CPU (of the "
                        "mask)."),
    CORE_ROW(worker_rlimit_nofile, "worker_rlimit_nofile", .where = WEIR_IN_MAIN, .min = "1",
             .help = "Sets the limit on open files of a worker (RLIMIT_NOFILE)."),
    CORE_ROW(worker_rlimit_core, "worker_rlimit_core", .where = WEIR_IN_MAIN,
             .help = "Sets the limit on the size of a worker's core file (RLIMIT_CORE); more than 0 lets the "
                     "workers' user trace them."),
    CORE_ROW_OF(worker_priority, "worker_priority", &core_type_priority, .where = WEIR_IN_MAIN, .dflt = "0",
                .help = "Sets the scheduling priority of workers, from -20 to 19, as nice does."),
    CORE_ROW(upgrade_timeout, "upgrade_timeout", .where = WEIR_IN_MAIN, .dflt = "60s", .min = "1s", .max = "1h",
             .help = "Limits how long the new program of an upgrade may take until its workers accept; then the old "
                     "one goes on alone."),
    CORE_ROW(upgrade_trial, "upgrade_trial", .where = WEIR_IN_MAIN, .dflt = "2s", .max = "1h",
             .help = "Sets how long `weir -s upgrade` lets the new program serve beside the old one before the old "
                     "one is told to leave."),
    CORE_ROW(worker_shutdown_timeout, "worker_shutdown_timeout", .where = WEIR_IN_MAIN,
             .help = "Limits how long a worker that was asked to leave waits for its connections; without it, it "
                     "waits as long as it takes."),
    CORE_ROW_OF(worker_watchdog, "worker_watchdog", &core_type_watchdog, .where = WEIR_IN_MAIN, .dflt = "30s",
                .help = "Limits how long a worker may hang or be stopped before it is killed and replaced; off is "
                        "for debuggers."),
    CORE_ROW(working_directory, "working_directory", .where = WEIR_IN_MAIN,
             .help = "Sets the current folder of workers, in which their core files are written."),
    CORE_ROW_OF(user, "user", &weir_type_user, .where = WEIR_IN_MAIN,
                .help = "Sets the user and group that workers run as; the group is the one named like the user "
                        "unless it is given."),
    CORE_ROW(state_path, "state_path", .where = WEIR_IN_MAIN, .dflt = "state",
             .help = "Sets the folder of what outlives a restart: the keys of TLS session tickets."),
    CORE_ROW(pid, "pid", .where = WEIR_IN_MAIN, .dflt = WEIR_PID_PATH,
             .help = "Names the file that holds the process id of the master."),
    CORE_ROW_OF(control, "control", &weir_core_type_control, .where = WEIR_IN_MAIN,
                .help = "Names the control socket, which speaks HTTP with JSON, and says who may ask it beside root "
                        "and the user who starts Weir."),
    CORE_ROW_OF(control_user, "control_user", &weir_type_user, .where = WEIR_IN_MAIN,
                .help = "Sets whom the control process runs as, where root starts Weir."),
    CORE_ROW_OF(error_log, "error_log", &weir_core_type_log, .where = WEIR_IN_MAIN, .inherit = WEIR_APPEND,
                .args = "file | stderr | syslog:server=address[,facility=name][,tag=text][,nohostname] [level] [json]",
                .help = "Names a log of errors, the lowest level that it gets (error unless given) and whether its "
                        "records are JSON; it may stand several times."),
    CORE_ROW_OF(env, "env", &core_type_env, .where = WEIR_IN_MAIN,
                .help = "Keeps or sets a variable of the workers' environment."),
    CORE_ROW_OF(pcre_jit, "pcre_jit", &core_type_jit, .where = WEIR_IN_MAIN, .dflt = "on",
                .help = "Compiles the regular expressions further down to machine code."),
    WEIR_BLOCK("events", WEIR_IN_EVENTS, .where = WEIR_IN_MAIN, .single = true,
               .help = "Holds the directives about connections as such."),
    CORE_ROW(worker_connections, "worker_connections", .where = WEIR_IN_EVENTS, .dflt = "512", .min = "1",
             .help = "Limits how many connections of clients a worker has."),
    CORE_ROW_OF(use, "use", &weir_type_enum, .where = WEIR_IN_EVENTS, .values = core_methods, .dflt = "epoll",
                .help = "Chooses how a worker learns which connections are ready."),
    CORE_ROW(multi_accept, "multi_accept", .where = WEIR_IN_EVENTS, .dflt = "off",
             .help = "Lets a worker take all new connections at once instead of one at a time."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_core = {
    .name = "core",
    .area = "Process",
    .conf_size = sizeof(weir_core_conf_t),
    .directives = core_directives,
    .check = core_check,
    .build = weir_core_build_logs,
};
