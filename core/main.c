/*
 * main.c - the program: a command line, a configuration, and then a test, a signal, or the server.
 *
 * Runs as the user who typed it; what it becomes is in proc/master/master.c and single.c.
 */
#include "conf/core.h"
#include "conf/manual.h"
#include "config.h"
#include "http/message/cause.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/rights.h"
#include "proc/control/control.h"
#include "proc/control/resources.h"
#include "proc/master/current.h"
#include "proc/master/daemon.h"
#include "proc/master/fragments_live.h"
#include "proc/master/inherit.h"
#include "proc/master/load.h"
#include "proc/master/master.h"
#include "proc/master/pidfile.h"
#include "proc/master/single.h"
#include "serve/sockets.h"
#include "tool/command.h"
#include "tool/signal.h"
#include "tool/tool.h"
#include "tool/version.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIN_FAILED 1

/* -- where things are -- */

/* Absolute; a folder ends with '/'. */
static weir_str_t
main_absolute(weir_arena_t *arena, const char *path, bool is_folder)
{
    char        here[4096];
    weir_str_t  full = weir_str_from_z(path);
    const char *slash = is_folder && !weir_str_ends(full, WEIR_STR("/")) ? "/" : "";

    if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL) {
        return weir_str_printf(arena, "%s%s", path, slash);
    }
    if (is_folder && strcmp(path, ".") == 0) {
        path = slash = "";
    }
    return weir_str_printf(arena, "%s/%s%s", here, path, slash);
}

static weir_str_t
main_in_prefix(weir_arena_t *arena, weir_str_t prefix, const char *path)
{
    return path[0] == '/' ? weir_str_dup(arena, weir_str_from_z(path))
                          : weir_str_printf(arena, "%.*s%s", WEIR_STR_ARG(prefix), path);
}

static weir_conf_source_t
main_source(weir_arena_t *arena, const weir_command_t *command)
{
    weir_conf_source_t source = { .keeps_lines = false };

    source.prefix = main_absolute(arena, command->prefix != NULL ? command->prefix : WEIR_PREFIX, true);
    source.file = main_in_prefix(arena, source.prefix, command->file != NULL ? command->file : WEIR_CONF_PATH);
    source.directives = weir_str_from_z(command->directives);
    return source;
}

static void
main_open_boot_log(weir_arena_t *arena, const weir_command_t *command, const weir_conf_source_t *source)
{
    const char *path = command->error_log;

    if (command->tool != NULL && weir_tool_find(command->tool[0])->run_source != NULL) {
        path = "stderr";                     /* it only looks at the files, and any user may run it */
    }
    if (path == NULL || strcmp(path, "stderr") != 0) {
        path = main_in_prefix(arena, source->prefix, path != NULL ? path : WEIR_ERROR_LOG_PATH).at;
    }
    weir_load_boot_log(path, command->test && command->quiet);
}

/* For settings: what is wrong with the files is said on standard error and in the boot log, but for fragments. */
static weir_generation_t *
main_load(const weir_conf_source_t *source)
{
    weir_error_t error = { .text = "" };

    weir_fragments_live_hush();
    return weir_load(source, 1, NULL, &error);
}

/* -- -t, -T -- */

static bool
main_check_files(weir_generation_t *generation)
{
    weir_settings_t settings;
    weir_error_t    error = { 0 };

    weir_settings_read(&settings, generation);
    if (!weir_load_open_logs(generation, &error)) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
        return false;
    }
    weir_log_close(weir_core_sinks(generation));
    return weir_pidfile_check(settings.pid_file);
}

static bool
main_dump(const weir_command_t *command, weir_bundle_t *bundle)
{
    weir_error_t error = { .text = "" };

    if (!command->json) {
        weir_conf_dump(bundle, STDOUT_FILENO);
    } else if (!weir_conf_dump_json(bundle, stdout, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return false;
    }
    return true;
}

static int
main_test(const weir_command_t *command, const weir_conf_source_t *source)
{
    weir_bundle_t     *bundle = NULL;
    weir_error_t       error = { .text = "" };
    weir_generation_t *generation = weir_load_strictly(source, 1, &bundle, &error);
    bool               good = generation != NULL;

    if (good) {
        if (!command->quiet) {
            fprintf(stderr, "weir: the configuration file %.*s syntax is ok\n", WEIR_STR_ARG(source->file));
        }
        good = main_check_files(generation);
    }
    if (!good || !command->quiet) {
        fprintf(stderr, "weir: configuration file %.*s test %s\n", WEIR_STR_ARG(source->file),
                good ? "is successful" : "failed");
    }
    if (good && command->dump) {
        good = main_dump(command, bundle);
    }
    if (generation != NULL) {
        weir_bundle_destroy(bundle);
        weir_generation_unref(generation);
    }
    return good ? 0 : MAIN_FAILED;
}

/* -- tools, -s -- */

static int
main_run_tool(const weir_command_t *command, const weir_conf_source_t *source)
{
    const weir_tool_t *tool = weir_tool_find(command->tool[0]);
    weir_generation_t *generation;
    weir_settings_t    settings;
    int                code;

    if (tool->run_source != NULL) {
        return tool->run_source(source, command->tool + 1);
    }
    generation = main_load(source);
    if (generation == NULL) {
        return MAIN_FAILED;
    }
    weir_settings_read(&settings, generation);
    code = tool->run(&settings, command->tool + 1);
    weir_generation_unref(generation);
    return code;
}

static int
main_send_signal(const weir_command_t *command, const weir_conf_source_t *source)
{
    weir_generation_t *generation = main_load(source);
    weir_settings_t    settings;
    int                code;

    if (generation == NULL) {
        return MAIN_FAILED;
    }
    weir_settings_read(&settings, generation);
    code = weir_tool_signal(&settings, command->signal, command->wait);
    weir_generation_unref(generation);
    return code;
}

/* -- the server -- */

/* false: logged, and everything is given back but the generation. */
static bool
main_prepare(weir_generation_t *generation, const weir_settings_t *settings, weir_sockets_t *sockets)
{
    weir_error_t error = { 0 };

    if (!weir_load_open_logs(generation, &error)) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
        return false;
    }
    weir_load_use_logs(generation, NULL);
    if (!weir_sockets_open(sockets, generation, settings->master ? settings->workers : 1, true, &error)) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
    } else if (settings->daemon && !weir_inherit_is_under_way() && !weir_daemon_start()) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "leaving the terminal failed");
    } else {
        return true;
    }
    weir_sockets_fini(sockets, !weir_inherit_is_under_way());
    return false;
}

/* An address of a fragment that is another program's is that fragment's fault alone. */
static bool
main_check_sockets(void *data, const weir_generation_t *generation, weir_error_t *error)
{
    weir_settings_t settings;

    weir_settings_read(&settings, generation);
    return weir_sockets_check(data, generation, settings.master ? settings.workers : 1, true, true, error);
}

static int
main_serve(const weir_conf_source_t *source)
{
    weir_sockets_t     sockets = { 0 };
    weir_error_t       error = { .text = "" };
    weir_bundle_t     *bundle = NULL;
    weir_generation_t *generation;
    weir_settings_t    settings;
    int                code;

    const weir_fragments_judge_t judge = { .data = &sockets, .check = main_check_sockets };

    weir_inherit_zones();
    if (!weir_inherit_sockets(&sockets)) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "taking over listening sockets failed");
        return MAIN_FAILED;
    }
    generation = weir_fragments_live_load(source, 1, true, &judge, &bundle, &error);
    if (generation == NULL) {
        weir_inherit_failed(error.text);
        weir_sockets_fini(&sockets, !weir_inherit_is_under_way());
        return MAIN_FAILED;
    }
    weir_current_keep_bundle(bundle);
    weir_bundle_destroy(bundle);
    weir_settings_read(&settings, generation);
    if (!main_prepare(generation, &settings, &sockets)) {
        weir_load_boot_end();
        weir_log_use(NULL);
        weir_log_close(weir_core_sinks(generation));
        weir_generation_unref(generation);
        weir_current_forget();
        return MAIN_FAILED;
    }
    code = settings.master ? weir_master_run(source, generation, &sockets)
                           : weir_single_run(source, generation, &sockets);
    weir_current_forget();
    return code;
}

/* -- the command line -- */

/* What is answered without reading a configuration. */
static bool
main_answer(const weir_command_t *command, int *code)
{
    *code = 0;
    if (command->topic != NULL) {
        *code = weir_conf_print_help(weir_str_from_z(command->topic), STDOUT_FILENO) ? 0 : MAIN_FAILED;
    } else if (command->help) {
        weir_version_print_usage();
    } else if (command->manual) {
        weir_conf_print_manual(STDOUT_FILENO);
        weir_cause_print_manual(STDOUT_FILENO);
        weir_resources_manual_print(STDOUT_FILENO);
        *code = weir_manual_check(STDERR_FILENO) ? 0 : MAIN_FAILED;
    } else if (command->version) {
        weir_version_print(command->build);
    } else {
        return false;
    }
    return !command->test;
}

int
main(int argc, char **argv)
{
    /* titles are written over argv: nothing keeps a slice of that */
    char *const       *words = weir_process_title_start(argv);
    weir_command_t     command;
    weir_error_t       error = { 0 };
    weir_arena_t       arena;
    weir_conf_source_t source;
    int                code = 0;
    const int         *inherited;
    size_t             n_inherited;

    (void) argc;
    if (weir_control_process(words, &code)) {
        return code;
    }
    if (!weir_command_parse(&command, words, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return MAIN_FAILED;
    }
    if (main_answer(&command, &code)) {
        return code;
    }
    weir_clock_update();
    if (!weir_inherit_read(&error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return MAIN_FAILED;
    }
    inherited = weir_inherit_fds(&n_inherited);
    if (!weir_process_clean_descriptors(inherited, n_inherited)) {
        fprintf(stderr, "weir: /dev/null cannot be opened: %s\n", strerror(errno));
        return MAIN_FAILED;
    }
    weir_arena_init(&arena, 4096);
    source = main_source(&arena, &command);
    main_open_boot_log(&arena, &command, &source);

    if (command.tool != NULL) {
        code = main_run_tool(&command, &source);
    } else if (command.signal != NULL && !command.test) {
        code = main_send_signal(&command, &source);
    } else if (command.test) {
        code = main_test(&command, &source);
    } else {
        (void) umask(umask(077) | 022);     /* stricter when told so */
        weir_rights_raise_files();      /* a socket a worker for every address */
        code = main_serve(&source);
        if (code != 0) {                /* the program that started this one in place of another is told, too */
            weir_inherit_failed(weir_log_last_emerg());
        }
    }
    weir_load_boot_fini();
    weir_process_fini();
    weir_arena_fini(&arena);
    return code;
}
