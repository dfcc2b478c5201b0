/*
 * load.c - see load.h.  Runs in the program that a person typed and in the master; allocates generations.
 */
#include "proc/master/load.h"

#include "conf/core.h"
#include "conf/fragment_file.h"
#include "conf/fragment_source.h"
#include "log/log.h"
#include "os/file.h"
#include "os/sys.h"
#include "proc/master/current.h"
#include "proc/master/fragments_live.h"
#include "proc/master/fragments_state.h"
#include "serve/listen.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static weir_log_sink_t *load_stderr;        /* the short form, from before any configuration */
static weir_log_sink_t  load_file = { .fd = -1 };
static weir_log_sink_t *load_tail;          /* last sink of the generation that is followed by load_stderr */
static const char      *load_path;

/* -- before there is a configuration -- */

void
weir_load_boot_log(const char *path, bool quiet)
{
    const char *why;

    load_stderr = weir_log_main.sinks;
    load_stderr->level = quiet ? WEIR_LOG_ERROR : WEIR_LOG_NOTICE;
    load_path = path;
    weir_log_use(load_stderr);
    if (path == NULL || strcmp(path, "stderr") == 0) {
        return;
    }
    load_file = (weir_log_sink_t) {
        .next = load_stderr, .kind = WEIR_LOG_TO_FILE, .path = weir_str_from_z(path),
        .level = WEIR_LOG_NOTICE, .fd = -1,
    };
    if (weir_log_open(&load_file, &why)) {
        weir_log_use(&load_file);
    } else {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "could not open error log file: open() \"%s\" failed", path);
    }
}

static bool
load_has_stderr(const weir_log_sink_t *sink)
{
    while (sink != NULL && sink->kind != WEIR_LOG_TO_STDERR) {
        sink = sink->next;
    }
    return sink != NULL;
}

/* Errors of the start are also shown to the user who started it. */
static void
load_append_stderr(weir_generation_t *generation)
{
    weir_log_sink_t *last = weir_core_sinks(generation);

    weir_assert(load_tail == NULL);
    if (load_stderr == NULL || last == NULL || load_has_stderr(last)) {
        return;
    }
    while (last->next != NULL) {
        last = last->next;
    }
    load_stderr->level = WEIR_LOG_WARN;
    last->next = load_stderr;
    load_tail = last;
}

void
weir_load_boot_end(void)
{
    if (load_tail != NULL) {
        load_tail->next = NULL;
        load_tail = NULL;
        weir_log_use(weir_log_main.sinks);
    }
    load_stderr = NULL;
}

void
weir_load_boot_fini(void)
{
    weir_log_use(NULL);
    load_file.next = NULL;
    weir_log_close(&load_file);
}

/* -- generations -- */

void
weir_load_warn(const weir_generation_t *generation)
{
    weir_settings_t settings;
    uint64_t        files;

    weir_settings_read(&settings, generation);
    files = settings.limits_files ? settings.files : weir_rights_files();
    if (settings.connections > files) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "%u worker_connections exceed open file resource limit: %llu",
                 settings.connections, (unsigned long long) files);
    }
    if (weir_listens_of(generation).n == 0) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "the configuration has no server: Weir listens on no address");
    }
}

void
weir_load_tell_errors(const weir_conf_errors_t *errors, weir_error_t *first)
{
    weir_assert(errors->n <= WEIR_LOAD_ERRORS);
    for (size_t i = 0; i < errors->n; i++) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", errors->at[i].text);
    }
    if (errors->n == WEIR_LOAD_ERRORS) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "there may be more errors: reading ended after %d", WEIR_LOAD_ERRORS);
    }
    (void) weir_error_set(first, errors->n > 1 ? "%s (the first of %zu errors; the error log has all)" : "%s",
                          errors->at[0].text, errors->n);
}

weir_generation_t *
weir_load_build(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial, weir_conf_errors_t *errors)
{
    if (load_path != NULL) {
        weir_bundle_put(bundle, WEIR_STR("error_log"), weir_str_from_z(load_path));
    }
    if (source->keeps_lines) {
        weir_bundle_look_only(bundle);
    }
    weir_current_describe(bundle, source, serial);
    return weir_generation_build_all(bundle, source, serial, errors);
}

weir_generation_t *
weir_load(const weir_conf_source_t *source, uint64_t serial, weir_bundle_t **kept, weir_error_t *error)
{
    weir_bundle_t     *bundle = NULL;
    weir_generation_t *generation = weir_fragments_live_load(source, serial, true, NULL, &bundle, error);

    if (generation != NULL && kept != NULL) {
        *kept = bundle;
    } else {
        weir_bundle_destroy(bundle);
    }
    return generation;
}

/* -- a fragment that is bad is an error -- */

static void
load_tell_fragment(const weir_error_t *error)
{
    weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error->text);
}

static bool
load_put_folder(void *data WEIR_UNUSED, weir_bundle_t *bundle, weir_str_t path, weir_error_t *error)
{
    return weir_fragment_files_put(bundle, path, load_tell_fragment, error);
}

static bool
load_put_state(void *data WEIR_UNUSED, weir_bundle_t *bundle, weir_str_t path, weir_error_t *error)
{
    return weir_fragments_state_put(bundle, path, error);
}

weir_generation_t *
weir_load_strictly(const weir_conf_source_t *source, uint64_t serial, weir_bundle_t **kept, weir_error_t *error)
{
    static const weir_fragment_source_t fragments = { .folder = load_put_folder, .state = load_put_state };
    static weir_error_t                 at[WEIR_LOAD_ERRORS];
    weir_conf_errors_t                  errors = { at, 0, WEIR_LOAD_ERRORS };
    weir_bundle_t                      *bundle = weir_bundle_create();
    weir_generation_t                  *generation;

    weir_fragment_source_set(bundle, &fragments);
    generation = weir_load_build(bundle, source, serial, &errors);
    if (generation != NULL) {
        weir_load_warn(generation);
    } else {
        weir_load_tell_errors(&errors, error);
    }
    if (generation != NULL && kept != NULL) {
        *kept = bundle;
    } else {
        weir_bundle_destroy(bundle);
    }
    return generation;
}

bool
weir_load_open_logs(weir_generation_t *generation, weir_error_t *error)
{
    const char *why = "";

    for (weir_log_sink_t *sink = weir_core_sinks(generation); sink != NULL; sink = sink->next) {
        if (weir_log_open(sink, &why)) {
            continue;
        }
        if (sink->kind == WEIR_LOG_TO_FILE) {
            (void) weir_error_set(error, "open() \"%.*s\" failed (%d: %s)", WEIR_STR_ARG(sink->path), errno,
                                  strerror(errno));
        } else {
            (void) weir_error_set(error, "error log \"%.*s\": %s", WEIR_STR_ARG(sink->path), why);
        }
        weir_log_close(weir_core_sinks(generation));
        return false;
    }
    return true;
}

int
weir_load_stderr(const weir_generation_t *generation)
{
    int file = -1;

    for (const weir_log_sink_t *sink = weir_core_sinks(generation); sink != NULL; sink = sink->next) {
        if (sink->kind == WEIR_LOG_TO_STDERR) {
            return STDERR_FILENO;
        }
        if (sink->kind == WEIR_LOG_TO_FILE && file < 0) {
            file = sink->fd;
        }
    }
    return file;
}

void
weir_load_use_logs(weir_generation_t *generation, weir_generation_t *old)
{
    if (old == NULL) {
        load_append_stderr(generation);
    }
    weir_log_use(weir_core_sinks(generation));
    load_file.next = NULL;      /* standard error stays */
    weir_log_close(&load_file);
    if (old != NULL) {
        weir_log_close(weir_core_sinks(old));
        weir_generation_unref(old);
    }
}
