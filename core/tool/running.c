/*
 * running.c - see running.h.  Runs in tools.
 */
#include "tool/running.h"

#include "os/sys.h"
#include "proc/master/pidfile.h"
#include "tool/attach.h"

#include <stdio.h>

bool
weir_running_has_file(const char *path)
{
    struct stat st;

    return weir_sys_stat(path, &st) == 0;
}

bool
weir_running_named(weir_str_t pid_file, pid_t *pid)
{
    weir_error_t         error = { .text = "" };
    weir_pidfile_names_t names;

    if (!weir_pidfile_read(pid_file, pid)) {
        if (weir_pidfile_names(pid_file, &names) && !weir_running_has_file(names.name)) {
            fprintf(stderr, "weir: nothing runs with this configuration, or its pid file is elsewhere (-p, -c, pid)\n");
        }
        return false;
    }
    if (!weir_attach_check(*pid, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return false;
    }
    return true;
}

bool
weir_running_serving(weir_str_t pid_file, pid_t *pid)
{
    weir_pidfile_names_t names;

    if (weir_pidfile_names(pid_file, &names) && !weir_running_has_file(names.name)
        && weir_running_has_file(names.old))
    {
        pid_file = weir_str_from_z(names.old);
    }
    return weir_running_named(pid_file, pid);
}
