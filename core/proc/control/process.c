/*
 * process.c - see control.h.
 */
#include "proc/control/control.h"

#include "log/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/rights.h"
#include "os/sys.h"
#include "proc/control/server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_EVENTS 64

/* -- the command line -- */

void
weir_control_start_write(const weir_control_start_t *start, char word[WEIR_CONTROL_WORD])
{
    (void) snprintf(word, WEIR_CONTROL_WORD, "%d,%d,%u,%u,%o,%d,%u,%u", start->listener, start->link,
                    (unsigned) start->owner, (unsigned) start->group, (unsigned) start->mode, start->changes_user,
                    (unsigned) start->uid, (unsigned) start->gid);
}

bool
weir_control_start_read(weir_control_start_t *start, const char *word)
{
    unsigned owner, group, mode, changes_user, uid, gid;
    int      listener, link, end = 0;

    if (sscanf(word, "%d,%d,%u,%u,%o,%u,%u,%u%n", &listener, &link, &owner, &group, &mode, &changes_user, &uid, &gid,
               &end) != 8 || word[end] != '\0' || listener <= STDERR_FILENO || link <= STDERR_FILENO
        || listener == link)
    {
        return false;
    }
    *start = (weir_control_start_t) { .listener = listener, .link = link, .owner = owner, .group = group,
                                      .mode = mode, .changes_user = changes_user != 0, .uid = uid, .gid = gid };
    return true;
}

/* -- life -- */

static bool process_has_ended;

static void
process_on_end(void *data WEIR_UNUSED)
{
    process_has_ended = true;
}

static bool
process_is_socket(int fd)
{
    int       type = 0;
    socklen_t len = sizeof(type);

    return weir_sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM
        && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
process_drop_rights(const weir_control_start_t *start, const char **why)
{
    weir_rights_user_t user = { .uid = start->uid, .gid = start->gid };

    return weir_rights_drop(start->changes_user ? &user : NULL, why) && weir_rights_lock(false, why);
}

/* It ends with the link; what a terminal, a supervisor or the kernel sends to all is for the master. */
static void
process_ignore_signals(void)
{
    static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE, SIGTSTP };

    for (size_t i = 0; i < weir_countof(numbers); i++) {
        weir_process_on_signal(numbers[i], NULL);
    }
}

static int
process_run(const weir_control_start_t *start)
{
    weir_control_setup_t setup = { .listener = start->listener, .link = start->link, .owner = start->owner,
                                   .group = start->group, .mode = start->mode, .on_end = process_on_end };
    bool                 is_first = start->listener < start->link;
    int                  keep[2] = { is_first ? start->listener : start->link,
                                     is_first ? start->link : start->listener };
    const char          *why = "";
    weir_loop_t         *loop;

    if (!weir_process_clean_descriptors(keep, 2) || !process_drop_rights(start, &why)) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "the control process could not begin: %s", why);
        return 1;
    }
    (void) dup2(STDIN_FILENO, STDOUT_FILENO);        /* /dev/null: the master has closed its own */
    weir_clock_update();
    setup.loop = loop = weir_loop_create(PROCESS_EVENTS);
    if (loop == NULL || !weir_control_server_begin(&setup)) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "the control process could not begin");
        weir_loop_destroy(loop);
        return 1;
    }
    while (!process_has_ended) {
        weir_loop_turn(loop, (weir_msec_t) { 3600 * 1000 });
    }
    weir_control_server_end();
    weir_loop_destroy(loop);
    return 0;
}

bool
weir_control_process(char *const *argv, int *code)
{
    weir_control_start_t start;

    if (argv[0] == NULL || argv[1] == NULL || strcmp(argv[1], WEIR_CONTROL_OPTION) != 0) {
        return false;
    }
    if (argv[2] == NULL || argv[3] != NULL || !weir_control_start_read(&start, argv[2])
        || !process_is_socket(start.listener) || !process_is_socket(start.link))
    {
        fprintf(stderr, "weir: \"" WEIR_CONTROL_OPTION "\" is what the master process starts, and no command\n");
        *code = 1;
        return true;
    }
    weir_process_set_title(WEIR_CONTROL_TITLE);
    weir_process_set_name("weir");
    (void) umask(077);
    process_ignore_signals();
    *code = process_run(&start);
    weir_process_fini();
    return true;
}
