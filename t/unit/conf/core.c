/*
 * The core module: processes, CPUs, limits, logs, users.
 */
#include "reading.h"
#include "conf/core.h"
#include "config.h"

#define AT " in /etc/weir/weir.conf:1"

static weir_generation_t *generation;

static const weir_core_conf_t *
core_of(const char *text)
{
    generation = reading(text);
    if (generation == NULL) {
        printf("# %s\n", reading_error.text);
        abort();
    }
    return weir_core_conf(generation);
}

static void
forget(void)
{
    reading_done(generation);
    generation = NULL;
}

static void
test_processes(void)
{
    const weir_core_conf_t *core = core_of("");

    ok(core->daemon.on && core->master_process.on && core->pcre_jit.on && !core->multi_accept.on, "flags by default");
    is_int(core->worker_processes, 1, "one worker by default");
    ok(core->worker_rlimit_nofile == WEIR_CORE_NO_LIMIT && core->worker_rlimit_core.n == WEIR_CORE_NO_LIMIT,
       "no limits");
    is_int(core->worker_shutdown_timeout.ms, 0, "no time to leave in");
    ok(core->cpus == NULL, "any CPU");
    ok(core->working_directory.text.len == 0, "no folder");
    ok(weir_str_ends(core->pid.text, WEIR_STR(WEIR_PID_PATH)), "a pid file");
    forget();

    core = core_of("daemon off; worker_processes auto; worker_rlimit_nofile 1024; worker_rlimit_core 0; "
                   "worker_priority -5;"
                   "worker_shutdown_timeout 10s; working_directory cores; pid /run/w.pid; env A; env B=c; env TZ=;"
                   "events { use epoll; multi_accept on; }");
    ok(core->worker_processes >= 1, "auto counts CPUs");
    is_int(core->worker_rlimit_nofile, 1024, "limit on files");
    is_int(core->worker_rlimit_core.n, 0, "a limit of nothing is one");
    is_int(core->worker_priority, -5, "a negative priority");
    is_str(core->working_directory.text, "/usr/weir/cores", "a folder under the prefix");
    is_str(core->pid.text, "/run/w.pid", "an absolute pid file");
    is_int(core->env.n, 3, "three variables");
    is_str(core->env.at[1], "B=c", "in order");
    ok(core->multi_accept.on && weir_core_multi_accept(generation), "multi_accept");
    forget();

    reading_refuses("worker_processes 0;",
                    "invalid value \"0\" in \"worker_processes\" directive: must be at least 1" AT);
    reading_refuses("worker_processes many;",
                    "invalid value \"many\" in \"worker_processes\" directive: expected a number or auto" AT);
    reading_refuses("worker_priority 20;",
                    "invalid value \"20\" in \"worker_priority\" directive: expected a number from -20 to 19" AT);
    reading_refuses("worker_priority -21;",
                    "invalid value \"-21\" in \"worker_priority\" directive: expected a number from -20 to 19" AT);
    reading_refuses("env =a;", "invalid value \"=a\" in \"env\" directive: expected NAME or NAME=value" AT);
    reading_refuses("events { use kqueue; }", "invalid value \"kqueue\" in \"use\" directive: expected epoll" AT);
    reading_refuses("events { worker_connections 0; }",
                    "invalid value \"0\" in \"worker_connections\" directive: must be at least 1" AT);
}

static void
test_cpus(void)
{
    const weir_core_conf_t *core = core_of("worker_processes 3; worker_cpu_affinity 0001 1010;");

    is_int(core->cpus[0], 1, "the first worker's mask");
    is_int(core->cpus[WEIR_CORE_CPU_WORDS], 10, "the second's");
    is_int(core->cpus[2 * WEIR_CORE_CPU_WORDS], 10, "the last mask goes on");
    forget();

    reading_begin();
    reading_file(READING_FILE, "worker_processes auto; worker_cpu_affinity auto;");
    (void) weir_bundle_add(reading_bundle, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"),
                           weir_str_dup(&reading_bundle->arena, weir_str((const char[128]) { 0x0a, [9] = 1 }, 128)));
    generation = reading_build("");
    core = weir_core_conf(generation);
    is_int(core->worker_processes, 3, "auto counts those that there are");
    is_int(core->cpus[0], 2, "automatic: one CPU a worker");
    is_int(core->cpus[WEIR_CORE_CPU_WORDS], 8, "the next one");
    is_int(core->cpus[2 * WEIR_CORE_CPU_WORDS + 1], 256, "beyond the first 64 too");
    forget();

    reading_begin();
    reading_file(READING_FILE, "worker_processes 3; worker_cpu_affinity auto 1000;");
    (void) weir_bundle_add(reading_bundle, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"),
                           weir_str_dup(&reading_bundle->arena, weir_str((const char[128]) { 0x0a }, 128)));
    generation = reading_build("");
    is_int(weir_core_conf(generation)->cpus[2 * WEIR_CORE_CPU_WORDS], 8, "automatic within a mask, round and round");
    forget();

    reading_refuses("worker_cpu_affinity 012;",
                    "invalid value \"012\" in \"worker_cpu_affinity\" directive: expected up to "
                    "1024 digits 0 or 1" AT);
    reading_refuses("worker_cpu_affinity 000;",
                    "invalid value \"000\" in \"worker_cpu_affinity\" directive: expected at least "
                    "one digit 1" AT);
    reading_refuses("worker_cpu_affinity auto 1 1;",
                    "invalid value \"1\" in \"worker_cpu_affinity\" directive: expected no "
                    "more than one mask after auto" AT);
}

static void
test_logs(void)
{
    const weir_log_sink_t *sink;

    (void) core_of("");
    ok(weir_str_ends(weir_core_sinks(generation)->path, WEIR_STR(WEIR_ERROR_LOG_PATH)), "a log by default");
    is_int(weir_core_sinks(generation)->level, WEIR_LOG_ERROR, "at error");
    forget();

    reading_begin();
    reading_file(READING_FILE, "");
    weir_bundle_put(reading_bundle, WEIR_STR("error_log"), WEIR_STR("stderr"));
    generation = reading_build("");
    is_int(weir_core_sinks(generation)->kind, WEIR_LOG_TO_STDERR, "-e says where");
    forget();

    (void) core_of("error_log a.log; error_log /b.log json warn; error_log stderr debug;"
                   "error_log syslog:server=127.0.0.1,facility=daemon,tag=gw info;"
                   "error_log syslog:server=[::1]:1514; error_log syslog:server=unix:/dev/log;");
    sink = weir_core_sinks(generation);
    is_str(sink->path, "/usr/weir/a.log", "a file");
    sink = sink->next;
    ok(sink->json && sink->level == WEIR_LOG_WARN && sink->fd == -1, "JSON, and a level after it");
    sink = sink->next;
    ok(sink->kind == WEIR_LOG_TO_STDERR && sink->level == WEIR_LOG_DEBUG, "standard error");
    sink = sink->next;
    is_str(sink->path, "127.0.0.1:514", "syslog, on its port");
    is_str(sink->tag, "gw", "its tag");
    is_int(sink->facility, 3, "its facility");
    is_str(sink->next->path, "[::1]:1514", "another port");
    is_int(sink->next->facility, 23, "local7 by default");
    is_str(sink->next->next->path, "unix:/dev/log", "a socket");
    ok(sink->next->next->next == NULL, "and no more");
    forget();

    reading_refuses("error_log a.log loud;",
                    "invalid value \"loud\" in \"error_log\" directive: expected one level (debug, "
                    "info, notice, warn, error, crit, alert, emerg) and json" AT);
    reading_refuses("error_log syslog:facility=user;", "no syslog server given: expected syslog:server=address" AT);
    reading_refuses("error_log syslog:server=127.0.0.1,colour=red;",
                    "unknown syslog parameter \"colour\": expected server, "
                    "facility, tag, severity or nohostname" AT);
    reading_refuses("error_log syslog:server=127.0.0.1,tag=a-b;",
                    "invalid syslog tag \"a-b\": expected up to 32 letters, "
                    "digits and underscores" AT);
    reading_refuses("error_log syslog:server=127.0.0.1,server=127.0.0.1;", "duplicate syslog \"server\"" AT);
}

static void
test_user(void)
{
    reading_begin();
    reading_file(READING_FILE, "user web;");
    (void) weir_bundle_add(reading_bundle, WEIR_BUNDLE_USER, WEIR_STR("web:web"),
                           weir_str_dup(&reading_bundle->arena,
                                        weir_str((const char *) (const uint32_t[]) { 0, 33, 34, 34, 50 }, 20)));
    generation = reading_build("");
    is_int(weir_core_conf(generation)->workers_user.uid, 33, "the user's number");
    is_int(weir_core_conf(generation)->workers_user.gid, 34, "its group's");
    is_int(weir_core_conf(generation)->workers_user.n_groups, 2, "its groups");
    is_int(weir_core_conf(generation)->workers_user.groups[1], 50, "the second");
    is_str(weir_core_conf(generation)->user.user, "web", "its name");
    forget();
}

int
main(void)
{
    test_processes();
    test_cpus();
    test_logs();
    test_user();
    return done();
}
