/*
 * rights.c - what is given up cannot be had back, and a half of it is no success.
 */
#define _GNU_SOURCE 1

#include "os/rights.h"

#include "os/sys.h"
#include "tap.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int
in_child(int (*run)(void))
{
    int   status = 0;
    pid_t pid;

    fflush(stdout);
    pid = weir_sys_fork();
    if (pid == 0) {
        _exit(run());
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
drop(void)
{
    static const gid_t       groups[] = { 60001, 60002 };
    const weir_rights_user_t to = { .uid = 60000, .gid = 60001, .groups = groups, .n_groups = 2 };
    const char              *why = "";
    gid_t                    got[8];

    if (!weir_rights_drop(&to, &why) || !weir_rights_lock(false, &why)) {
        return 1;
    }
    if (getuid() != 60000 || geteuid() != 60000 || getgid() != 60001 || getegid() != 60001
        || getgroups(8, got) != 2 || got[0] != 60001 || got[1] != 60002) {
        return 2;
    }
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0) {
        return 3;
    }
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 4;
}

static int
drop_twice(void)
{
    const weir_rights_user_t first = { .uid = 60000, .gid = 60000 }, second = { .uid = 60001, .gid = 60001 };
    const char              *why = "";

    return weir_rights_drop(&first, &why) && !weir_rights_drop(&second, &why) && why[0] != '\0' ? 0 : 1;
}

static int
keep_root(void)
{
    const weir_rights_user_t root = { .uid = 0, .gid = 0 };
    const char              *why = "";

    return weir_rights_drop(&root, &why) && geteuid() == 0 ? 0 : 1;
}

static int
drop_capabilities(void)
{
    const char *why = "";

    return weir_rights_drop(NULL, &why) && (geteuid() != 0 || sethostname("x", 1) != 0) ? 0 : 1;
}

static int
limit(void)
{
    const uint64_t cpus[16] = { 0 };

    weir_rights_raise_files();
    return weir_rights_limit_files(32) && weir_rights_files() == 32 && weir_rights_limit_core(0)
        && !weir_rights_set_cpus(cpus, 16) && weir_rights_set_priority(19) ? 0 : 1;
}

/* Two of one user: neither reaches the other, nor whoever began them; itself and its own child it does. */
static int
signal_others(void)
{
    const char *why = "";
    pid_t       other = weir_sys_fork(), own;
    int         result = 0;

    if (other == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(10);
        pause();
        _exit(0);
    }
    if (!weir_rights_lock(false, &why)) {
        return 1;
    }
    own = weir_sys_fork();
    if (own == 0) {
        pause();
        _exit(0);
    }
    if (kill(other, 0) == 0 || errno != EPERM || kill(getppid(), 0) == 0 || kill(other, SIGKILL) == 0) {
        result = 2;
    }
    if (kill(getpid(), 0) != 0 || kill(own, SIGKILL) != 0) {
        result = 3;
    }
    (void) waitpid(own, NULL, 0);
    return result;      /* (the other ends with us) */
}

static bool
can_fence(void)
{
    return syscall(444, NULL, 0, 1) >= 6;       /* the version of Landlock */
}

int
main(void)
{
    if (weir_rights_are_root()) {
        is_int(in_child(drop), 0, "user, groups and capabilities are given up for good");
        is_int(in_child(drop_twice), 0, "who is not root cannot become another, and is told so");
        is_int(in_child(keep_root), 0, "root may stay root where that is wanted");
    }
    is_int(in_child(drop_capabilities), 0, "without a user only capabilities go");
    if (can_fence()) {
        is_int(in_child(signal_others), 0, "who is locked signals nobody else, not even of the same user");
    }
    is_int(in_child(limit), 0, "limits are set, no CPU at all is an error");
    return done();
}
