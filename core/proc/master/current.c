/*
 * current.c - see current.h.  Runs in the master, or in the one process.
 */
#include "proc/master/current.h"

#include "log/log.h"
#include "os/sys.h"
#include "proc/master/keep.h"
#include "proc/master/master.h"
#include "upstream/changes.h"

#include <errno.h>
#include <stdio.h>

static int current_fd = -1;

void
weir_current_describe(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) serial);
    weir_bundle_put(bundle, WEIR_STR(WEIR_CURRENT_PREFIX), source->prefix);
    weir_bundle_put(bundle, WEIR_STR(WEIR_CURRENT_FILE), source->file);
    weir_bundle_put(bundle, WEIR_STR(WEIR_CURRENT_DIRECTIVES), source->directives);
    weir_bundle_put(bundle, WEIR_STR(WEIR_CURRENT_SERIAL), weir_str_from_z(text));
    (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) weir_keep_safe());
    weir_bundle_put(bundle, WEIR_STR(WEIR_UPSTREAM_CHANGES), weir_str_from_z(text));
}

static void
current_use(int fd)
{
    weir_current_forget();
    current_fd = fd;
    if (fd < 0) {
        weir_log(WEIR_LOG_WARN, NULL, errno, "the configuration in use cannot be kept for tools: weir explain --live");
    }
}

void
weir_current_keep(int fd)
{
    current_use(weir_sys_dup(fd));
}

void
weir_current_keep_bundle(const weir_bundle_t *bundle)
{
    current_use(weir_wire_bundle_to_fd(bundle));
}

weir_bundle_t *
weir_current_bundle(void)
{
    weir_error_t error = { .text = "" };

    return current_fd < 0 ? NULL : weir_wire_bundle_from_fd(current_fd, &error);
}

void
weir_current_forget(void)
{
    if (current_fd >= 0) {
        (void) weir_sys_close(current_fd);
        current_fd = -1;
    }
}
