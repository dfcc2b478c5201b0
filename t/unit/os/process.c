/*
 * process.c - the environment that is kept, the title that ps shows, and descriptors that nobody meant to inherit.
 */
#define _GNU_SOURCE 1

#include "os/process.h"

#include "os/sys.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_environment(void)
{
    static weir_str_t keep[] = { WEIR_STR_INIT("KEPT"), WEIR_STR_INIT("SET=by us"), WEIR_STR_INIT("ABSENT") };

    setenv("KEPT", "yes", 1);
    setenv("SECRET", "sesame", 1);
    setenv("TZ", "UTC", 1);
    for (int i = 0; i < 2; i++) {       /* again: from what is kept already */
        weir_process_set_environment((weir_strs_t) { keep, weir_countof(keep) });
        is_str(weir_str_from_z(getenv("KEPT")), "yes", "a name that is listed is kept");
        is_str(weir_str_from_z(getenv("SET")), "by us", "or set");
        is_str(weir_str_from_z(getenv("TZ")), "UTC", "and so is the time zone");
        ok(getenv("ABSENT") == NULL, "what was not there is not made");
        ok(getenv("SECRET") == NULL && getenv("PATH") == NULL, "all others are gone");
    }
}

static void
test_title(char **argv)
{
    char    text[64] = "";
    int     fd;
    ssize_t n;

    char *const *words = weir_process_title_start(argv);

    weir_process_set_title("weir: a title");
    ok(words[0] != argv[0] && strstr(words[0], "process") != NULL && words[1] == argv[1],
       "the command line is kept where no title is written");
    fd = weir_sys_open("/proc/self/cmdline", O_RDONLY, 0);
    n = weir_sys_read(fd, text, sizeof(text) - 1);
    (void) weir_sys_close(fd);
    ok(n > 0 && strncmp(text, "weir: a title", (size_t) n) == 0, "ps shows the title, as far as it fits");
    is_str(weir_str_from_z(getenv("KEPT_BY_TITLE")), "yes", "the environment is as it was");
}

static int
in_child(int (*run)(void))
{
    pid_t pid;
    int   status = 0;

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
clean_descriptors(void)
{
    int fd = dup2(STDERR_FILENO, 77);

    (void) weir_sys_close(STDIN_FILENO);
    (void) weir_sys_close(STDOUT_FILENO);
    return fd == 77 && weir_process_clean_descriptors(NULL, 0) && fcntl(77, F_GETFD) < 0
        && fcntl(STDIN_FILENO, F_GETFD) == 0 && fcntl(STDOUT_FILENO, F_GETFD) == 0 && fcntl(3, F_GETFD) < 0 ? 0 : 1;
}

static int
keep_descriptors(void)
{
    static const int keep[] = { 60, 61, 77 };

    for (int fd = 59; fd < 80; fd++) {
        (void) dup2(STDERR_FILENO, fd);
    }
    if (!weir_process_clean_descriptors(keep, weir_countof(keep))) {
        return 1;
    }
    for (int fd = 3; fd < 80; fd++) {
        bool is_kept = fd == 60 || fd == 61 || fd == 77;

        if ((fcntl(fd, F_GETFD) >= 0) != is_kept) {
            return fd;
        }
    }
    return 0;
}

static volatile sig_atomic_t seen;

static void
see(int signal, siginfo_t *info, void *context)
{
    (void) context;
    seen = signal == SIGUSR1 && info->si_pid == getpid();
}

int
main(int argc, char **argv)
{
    (void) argc;
    setenv("KEPT_BY_TITLE", "yes", 1);
    test_title(argv);
    test_environment();
    is_int(in_child(clean_descriptors), 0, "standard descriptors are open, others closed");
    is_int(in_child(keep_descriptors), 0, "those to be kept stay open, and none between them");
    weir_process_on_signal(SIGUSR1, see);
    (void) weir_process_kill(getpid(), SIGUSR1);
    ok(seen, "a handler is told who sent the signal");
    weir_process_on_signal(SIGUSR1, NULL);
    (void) weir_process_kill(getpid(), SIGUSR1);
    is_str(weir_str_from_z(weir_process_signal_name(SIGTERM)), "SIGTERM", "signals have names");
    ok(weir_process_cpus() >= 1, "there is a CPU");
    weir_process_fini();
    return done();
}
