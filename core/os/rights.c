/*
 * rights.c - see rights.h.
 *
 * Runs in a worker between fork and its first request.  Allocates nothing.
 */
#define _GNU_SOURCE 1

#include "os/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same number everywhere; libraries of before know no name. */
#define RIGHTS_CREATE_RULESET 444
#define RIGHTS_RESTRICT_SELF  446

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RIGHTS_LEAK_CHECKER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define RIGHTS_LEAK_CHECKER 1
#endif

#ifdef RIGHTS_LEAK_CHECKER
static const bool rights_keep_dumpable = true;      /* it looks at the process with ptrace when that ends */
#else
static const bool rights_keep_dumpable = false;
#endif

bool
weir_rights_are_root(void)
{
    return geteuid() == 0;
}

/* Not by way of libcap: it would be a library for one call. */
static bool
rights_drop_capabilities(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
    struct __user_cap_data_struct   none[_LINUX_CAPABILITY_U32S_3];

    memset(none, 0, sizeof(none));
    (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);    /* before Linux 4.3 there are none */
    return syscall(SYS_capset, &head, none) == 0;
}

static bool
rights_verify(const weir_rights_user_t *to, const char **why)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    weir_assert(to->uid != 0);
    errno = 0;
    *why = "user or group are not what they were set to";
    if (getresuid(&real, &effective, &saved) != 0 || real != to->uid || effective != to->uid || saved != to->uid) {
        return false;
    }
    if (getresgid(&real_group, &effective_group, &saved_group) != 0
        || real_group != to->gid || effective_group != to->gid || saved_group != to->gid) {
        return false;
    }
    *why = "the process could become root again";
    return setuid(0) != 0 && seteuid(0) != 0 && (to->gid == 0 || setgid(0) != 0);
}

static bool
rights_change_user(const weir_rights_user_t *to, const char **why)
{
    weir_assert(to->n_groups == 0 || to->groups != NULL);
    *why = "setgroups() failed";
    if (setgroups(to->n_groups, to->groups) != 0) {
        return false;
    }
    *why = "setresgid() failed";
    if (setresgid(to->gid, to->gid, to->gid) != 0) {
        return false;
    }
    *why = "setresuid() failed";
    return setresuid(to->uid, to->uid, to->uid) == 0;
}

bool
weir_rights_drop(const weir_rights_user_t *to, const char **why)
{
    if (to != NULL) {
        if (!rights_change_user(to, why)) {
            return false;
        }
        if (to->uid == 0) {
            return true;        /* "user root": as the administrator wants it */
        }
        if (!rights_verify(to, why)) {
            return false;
        }
    }
    *why = "capset() failed";
    return rights_drop_capabilities();
}

/*
 * Workers run as one user, which may signal them all.  Landlock (since its sixth version) takes that away: a process
 * that shuts itself in reaches no process outside.  On an older kernel, or where a sandbox does not let it, it stays as
 * it was.
 */
static void
rights_fence_signals(void)
{
    static const struct { uint64_t files, net, scoped; } rules = { .scoped = 2 };    /* LANDLOCK_SCOPE_SIGNAL */
    long ruleset = syscall(RIGHTS_CREATE_RULESET, &rules, sizeof(rules), 0);

    if (ruleset >= 0) {
        (void) syscall(RIGHTS_RESTRICT_SELF, ruleset, 0);
        (void) close((int) ruleset);
    }
}

bool
weir_rights_lock(bool dumpable, const char **why)
{
    *why = "prctl(PR_SET_NO_NEW_PRIVS) failed";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return false;
    }
    rights_fence_signals();
    *why = "prctl(PR_SET_DUMPABLE) failed";
    return prctl(PR_SET_DUMPABLE, dumpable || rights_keep_dumpable ? 1 : 0, 0, 0, 0) == 0;
}

static bool
rights_limit(int resource, uint64_t n)
{
    struct rlimit limit = { .rlim_cur = n, .rlim_max = n };

    return setrlimit((__rlimit_resource_t) resource, &limit) == 0;
}

bool
weir_rights_limit_files(uint64_t n)
{
    return rights_limit(RLIMIT_NOFILE, n);
}

bool
weir_rights_limit_core(uint64_t bytes)
{
    return rights_limit(RLIMIT_CORE, bytes);
}

uint64_t
weir_rights_files(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

void
weir_rights_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool
weir_rights_set_priority(int priority)
{
    return setpriority(PRIO_PROCESS, 0, priority) == 0;
}

bool
weir_rights_set_cpus(const uint64_t *words, size_t n)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (size_t i = 0; i < n * 64 && i < CPU_SETSIZE; i++) {
        if ((words[i / 64] >> (i % 64) & 1) != 0) {
            CPU_SET(i, &set);
        }
    }
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}
