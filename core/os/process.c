/*
 * process.c - see process.h.
 *
 * Runs in the master and at the start and end of a worker.  Allocates copies of the environment, given back by
 * weir_process_fini.
 */
#define _GNU_SOURCE 1

#include "os/process.h"

#include "base/mem.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char  *process_title;         /* room that ps reads: argv and what follows it */
static size_t process_title_size;
static char **process_arguments;     /* copies of main's, one piece; the first one is a path to execute */
static char **process_environment;   /* ours, in one piece with its strings; NULL: the kernel's */

/* -- children and signals -- */

int
weir_process_kill(pid_t pid, int signal)
{
    weir_assert(pid > 0);     /* 0 and less are groups of processes */
    return kill(pid, signal);
}

int
weir_process_kill_main(pid_t pid, int signal)
{
    weir_assert(pid > 0);
    return (int) syscall(SYS_tgkill, pid, pid, signal);
}

pid_t
weir_process_wait_any(int *status)
{
    pid_t pid;

    do {
        pid = waitpid(-1, status, WNOHANG);
    } while (pid < 0 && errno == EINTR);
    return pid;
}

bool
weir_process_is_stopped(pid_t pid)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t) pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

void
weir_process_on_signal(int signal, void (*handler)(int signal, siginfo_t *info, void *context))
{
    struct sigaction action = { 0 };

    if (handler != NULL) {
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO;
    } else {
        action.sa_handler = SIG_IGN;
    }
    sigfillset(&action.sa_mask);            /* one at a time */
    weir_assert(sigaction(signal, &action, NULL) == 0);
}

void
weir_process_default_signal(int signal)
{
    struct sigaction action = { .sa_handler = SIG_DFL };

    weir_assert(sigaction(signal, &action, NULL) == 0);
}

const char *
weir_process_signal_name(int signal)
{
    static const struct { int number; const char *name; } names[] = {
        { SIGHUP, "SIGHUP" }, { SIGINT, "SIGINT" }, { SIGQUIT, "SIGQUIT" }, { SIGTERM, "SIGTERM" },
        { SIGUSR1, "SIGUSR1" }, { SIGUSR2, "SIGUSR2" }, { SIGWINCH, "SIGWINCH" }, { SIGCHLD, "SIGCHLD" },
        { SIGKILL, "SIGKILL" }, { SIGSEGV, "SIGSEGV" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },
        { SIGILL, "SIGILL" }, { SIGFPE, "SIGFPE" }, { SIGSYS, "SIGSYS" },
    };

    for (size_t i = 0; i < weir_countof(names); i++) {
        if (names[i].number == signal) {
            return names[i].name;
        }
    }
    return "signal";
}

bool
weir_process_die_with_parent(int signal)
{
    return prctl(PR_SET_PDEATHSIG, (unsigned long) signal, 0, 0, 0) == 0;
}

/* -- descriptors -- */

bool
weir_process_clean_descriptors(const int *keep, size_t n)
{
    unsigned from = STDERR_FILENO + 1;
    int      fd;

    do {
        fd = weir_sys_open("/dev/null", O_RDWR, 0);
        if (fd < 0) {
            return false;
        }
        if (fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) != 0) {
            return false;
        }
    } while (fd < STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        (void) weir_sys_close(fd);
    }
    for (size_t i = 0; i < n; from = (unsigned) keep[i++] + 1) {
        weir_assert((unsigned) keep[i] + 1 >= from);     /* they ascend */
        if ((unsigned) keep[i] > from) {
            (void) close_range(from, (unsigned) keep[i] - 1, 0);
        }
    }
    (void) close_range(from, ~0u, 0);
    return true;
}

/* -- title and environment -- */

/* Room for pointers and bytes in one piece, so that one free gives it back. */
static char **
process_copy_strings(char *const *entries, size_t n)
{
    size_t  bytes = (n + 1) * sizeof(char *), i;
    char  **copy, *at;

    for (i = 0; i < n; i++) {
        bytes += strlen(entries[i]) + 1;
    }
    copy = weir_mem_need(bytes);
    at = (char *) (copy + n + 1);
    for (i = 0; i < n; i++) {
        copy[i] = at;
        at = stpcpy(at, entries[i]) + 1;
    }
    weir_assert(at == (char *) copy + bytes);
    copy[n] = NULL;
    return copy;
}

static void
process_use_environment(char **environment)
{
    char **old = process_environment;

    process_environment = environment;
    environ = environment;
    weir_mem_free(old);
}

/* A path that begins in a folder is made absolute; a bare name is where this program was found. */
static void
process_keep_arguments(char **argv)
{
    char   path[4096], *first = argv[0];
    size_t n = 0, used = 0;

    if (strchr(first, '/') == NULL) {
        ssize_t len = weir_sys_readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (len > 0) {
            path[len] = '\0';
            argv[0] = path;
        }
    } else if (first[0] != '/' && getcwd(path, sizeof(path)) != NULL) {
        used = strlen(path);
        if (used + strlen(first) + 2 <= sizeof(path)) {
            path[used] = '/';
            memcpy(path + used + 1, first, strlen(first) + 1);
            argv[0] = path;
        }
    }
    for (; argv[n] != NULL; n++) {}
    process_arguments = process_copy_strings(argv, n);
    argv[0] = first;
}

void
weir_process_exec_again(void)
{
    errno = ENOENT;
    if (process_arguments != NULL) {
        (void) execve(process_arguments[0], process_arguments, environ);
    }
}

void
weir_process_exec_self(char *const *argv)
{
    static const char *const names[] = { "TZ", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                         "LLVM_PROFILE_FILE" };
    char  *kept[weir_countof(names) + 1];
    size_t n = 0, len;

    for (size_t i = 0; i < weir_countof(names); i++) {
        len = strlen(names[i]);
        for (char **at = environ; at != NULL && *at != NULL; at++) {
            if (strncmp(*at, names[i], len) == 0 && (*at)[len] == '=') {
                kept[n++] = *at;
                break;
            }
        }
    }
    kept[n] = NULL;
    (void) execve("/proc/self/exe", argv, kept);
    if (process_arguments != NULL) {
        (void) execve(process_arguments[0], argv, kept);
    }
}

void
weir_process_reset_signals(void)
{
    sigset_t all;

    for (int i = 1; i < NSIG; i++) {
        (void) signal(i, SIG_DFL);
    }
    sigfillset(&all);
    (void) sigprocmask(SIG_UNBLOCK, &all, NULL);
}

char *const *
weir_process_title_start(char **argv)
{
    char  *end = argv[0];
    size_t i, n = 0;

    if (argv[0] == NULL) {
        return argv;
    }
    process_keep_arguments(argv);
    for (i = 0; argv[i] != NULL && argv[i] == end; i++) {
        end += strlen(argv[i]) + 1;
    }
    for (; environ != NULL && environ[n] != NULL; n++) {
        if (argv[i] == NULL && environ[n] == end) {
            end += strlen(environ[n]) + 1;
        }
    }
    process_title = argv[0];
    process_title_size = (size_t) (end - argv[0]);
    process_use_environment(process_copy_strings(environ, n));
    return process_arguments;
}

void
weir_process_set_title(const char *title)
{
    size_t len = strlen(title);

    if (process_title_size == 0) {
        return;
    }
    len = (size_t) weir_min(len, process_title_size - 1);
    weir_assert(len < process_title_size);
    memcpy(process_title, title, len);
    memset(process_title + len, 0, process_title_size - len);
}

void
weir_process_set_name(const char *name)
{
    (void) prctl(PR_SET_NAME, name, 0, 0, 0);
}

void
weir_process_set_environment(weir_strs_t keep)
{
    weir_arena_t arena;
    char       **entries, **copy;
    const char  *value;
    size_t       n = 0, i;

    weir_arena_init(&arena, 4096);
    entries = weir_new_n(&arena, char *, keep.n + 1);
    for (i = 0; i <= keep.n; i++) {
        weir_str_t name = i < keep.n ? keep.at[i] : WEIR_STR("TZ");

        if (weir_str_find(name, '=') != NULL) {
            entries[n++] = (char *) (uintptr_t) weir_str_to_z(&arena, name);
            continue;
        }
        value = getenv(weir_str_to_z(&arena, name));
        if (value != NULL) {
            entries[n++] = (char *) (uintptr_t) weir_str_printf(&arena, "%.*s=%s", WEIR_STR_ARG(name), value).at;
        }
    }
    weir_assert(n <= keep.n + 1);
    copy = process_copy_strings(entries, n);
    weir_arena_fini(&arena);
    process_use_environment(copy);
}

void
weir_process_fini(void)
{
    static char *nothing[] = { NULL };

    weir_mem_free(process_arguments);
    process_arguments = NULL;
    if (process_environment != NULL) {
        environ = nothing;
        weir_mem_free(process_environment);
        process_environment = NULL;
    }
}

uint32_t
weir_process_cpus(void)
{
    cpu_set_t set;
    long      online;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) {
        return (uint32_t) CPU_COUNT(&set);
    }
    online = sysconf(_SC_NPROCESSORS_ONLN);     /* more than 1024 */
    return online > 0 ? (uint32_t) online : 1;
}
