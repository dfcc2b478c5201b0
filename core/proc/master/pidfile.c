/*
 * pidfile.c - see pidfile.h.  Runs in the master and in `weir -s`; allocates while reading only.
 */
#define _GNU_SOURCE 1

#include "proc/master/pidfile.h"

#include "base/buf.h"
#include "log/log.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define PIDFILE_MAX 64
#define PIDFILE_OLD ".oldbin"

/* The path as C has it; false and logged when it is too long for one. */
static bool
pidfile_name(weir_str_t path, char name[PATH_MAX])
{
    if (path.len >= PATH_MAX) {
        weir_log(WEIR_LOG_EMERG, NULL, ENAMETOOLONG, "open() \"%.*s\" failed", WEIR_STR_ARG(path));
        return false;
    }
    memcpy(name, path.at, path.len);
    name[path.len] = '\0';
    return true;
}

bool
weir_pidfile_write(weir_str_t path, pid_t pid)
{
    char name[PATH_MAX], text[24];

    if (!pidfile_name(path, name)) {
        return false;
    }
    (void) snprintf(text, sizeof(text), "%d\n", (int) pid);
    if (!weir_file_write(name, weir_str_from_z(text))) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "open() \"%s\" failed", name);
        return false;
    }
    return true;
}

bool
weir_pidfile_read(weir_str_t path, pid_t *pid)
{
    weir_arena_t arena;
    weir_str_t   text;
    char         name[PATH_MAX];
    uint64_t     number = 0;
    bool         read_it, good;

    if (!pidfile_name(path, name)) {
        return false;
    }
    weir_arena_init(&arena, 1024);
    read_it = weir_file_read(&arena, name, PIDFILE_MAX, &text);
    if (!read_it) {
        weir_log(WEIR_LOG_ERROR, NULL, errno, "open() \"%s\" failed", name);
        weir_arena_fini(&arena);
        return false;
    }
    while (text.len != 0 && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r')) {
        text.len--;
    }
    good = weir_str_to_u64(text, &number) && number > 0 && number <= INT_MAX;
    if (!good) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "invalid PID number \"%.*s\" in \"%s\"", WEIR_STR_ARG(text), name);
    }
    weir_arena_fini(&arena);
    *pid = (pid_t) number;
    return good;
}

bool
weir_pidfile_check(weir_str_t path)
{
    char name[PATH_MAX], folder[PATH_MAX], *slash;

    if (!pidfile_name(path, name)) {
        return false;
    }
    memcpy(folder, name, path.len + 1);
    slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    if (access(name, W_OK) != 0 && (errno != ENOENT || access(folder, W_OK | X_OK) != 0)) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "open() \"%s\" failed", name);
        return false;
    }
    return true;
}

void
weir_pidfile_remove(weir_str_t path)
{
    char name[PATH_MAX];

    if (pidfile_name(path, name) && weir_sys_unlink(name) != 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "unlink() \"%s\" failed", name);
    }
}

bool
weir_pidfile_names(weir_str_t path, weir_pidfile_names_t *names)
{
    if (path.len + sizeof(PIDFILE_OLD) > PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void) snprintf(names->name, PATH_MAX, "%.*s", WEIR_STR_ARG(path));
    (void) snprintf(names->old, PATH_MAX, "%.*s" PIDFILE_OLD, WEIR_STR_ARG(path));
    return true;
}
