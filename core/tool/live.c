/*
 * live.c - see live.h.  Runs in tools.  What the memory file says is checked as whatever comes from another process.
 */
#include "tool/live.h"

#include "proc/common/settings.h"
#include "proc/master/current.h"
#include "proc/master/load.h"
#include "tool/attach.h"
#include "tool/running.h"

#include <stdio.h>

typedef struct { weir_bundle_t *bundle; uint64_t serial; weir_error_t error; } live_t;

/* While a reload is under way there are two: what is served is the older one. */
static void
live_on_file(void *data, int fd)
{
    live_t        *live = data;
    weir_bundle_t *bundle = weir_wire_bundle_from_fd(fd, &live->error);
    weir_str_t     text;
    uint64_t       serial;

    if (bundle == NULL) {
        return;
    }
    if (weir_bundle_get(bundle, WEIR_STR(WEIR_CURRENT_SERIAL), &text) && weir_str_to_u64(text, &serial)
        && (live->bundle == NULL || serial < live->serial))
    {
        if (live->bundle != NULL) {
            weir_bundle_destroy(live->bundle);
        }
        live->bundle = bundle;
        live->serial = serial;
        return;
    }
    weir_bundle_destroy(bundle);
}

static weir_generation_t *
live_replay(live_t *live, int pid)
{
    weir_conf_source_t source = { .keeps_lines = true };
    weir_generation_t *generation;

    if (live->bundle == NULL) {
        fprintf(stderr, "weir: process %d keeps no configuration to look at: it is another version of Weir, or it is "
                        "starting\n", pid);
        return NULL;
    }
    if (!weir_bundle_get(live->bundle, WEIR_STR(WEIR_CURRENT_PREFIX), &source.prefix)
        || !weir_bundle_get(live->bundle, WEIR_STR(WEIR_CURRENT_FILE), &source.file)
        || !weir_bundle_get(live->bundle, WEIR_STR(WEIR_CURRENT_DIRECTIVES), &source.directives))
    {
        fprintf(stderr, "weir: the configuration that process %d keeps is damaged\n", pid);
        return NULL;
    }
    generation = weir_generation_build(live->bundle, &source, live->serial, &live->error);
    if (generation == NULL) {
        fprintf(stderr, "weir: the configuration that process %d serves cannot be read by this program: %s\n", pid,
                live->error.text);
    }
    return generation;
}

/* The files say where the pid file is, and nothing else. */
weir_generation_t *
weir_live_load(const weir_conf_source_t *source, weir_bundle_t **bundle)
{
    live_t             live = { .bundle = NULL };
    weir_error_t       error = { .text = "" };
    weir_generation_t *files = weir_load(source, 1, NULL, &error), *generation = NULL;
    weir_settings_t    settings;
    pid_t              pid;

    if (files == NULL) {
        return NULL;
    }
    weir_settings_read(&settings, files);
    if (weir_running_serving(settings.pid_file, &pid)) {
        if (!weir_attach_bundles(pid, live_on_file, &live, &error)) {
            fprintf(stderr, "weir: %s\n", error.text);
        } else {
            generation = live_replay(&live, (int) pid);
        }
    }
    if (generation != NULL && bundle != NULL) {
        *bundle = live.bundle;
    } else if (live.bundle != NULL) {
        weir_bundle_destroy(live.bundle);
    }
    weir_generation_unref(files);
    return generation;
}
