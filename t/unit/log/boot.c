/* boot.c - before a configuration, and on standard error with one; a panic reaches the log. */
#define _GNU_SOURCE 1

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "capture.h"

/* Runs in a child whose standard error is a pipe; what came is the result. */
static const char *
child_says(void (*run)(void))
{
    static char text[8192];
    size_t      len = 0;
    ssize_t     n;
    pid_t       pid;
    int         fds[2];

    text[0] = '\0';
    if (pipe(fds) != 0 || (pid = fork()) < 0) {
        return text;
    }
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        run();
        _exit(0);
    }
    close(fds[1]);
    while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0) {
        len += (size_t) n;
    }
    text[len] = '\0';
    close(fds[0]);
    waitpid(pid, NULL, 0);
    return text;
}

static void
run_boot(void)
{
    weir_log(WEIR_LOG_EMERG, NULL, 0, "unknown directive \"%s\" in %s:%d", "foo", "/etc/weir.conf", 3);
    weir_log(WEIR_LOG_EMERG, NULL, EACCES, "open() failed");
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "seen");
    weir_log(WEIR_LOG_INFO, NULL, 0, "unseen");
}

static void
run_configured(void)
{
    weir_log_sink_t sink = { .kind = WEIR_LOG_TO_STDERR, .level = WEIR_LOG_WARN };
    const char     *why;

    if (weir_log_open(&sink, &why)) {
        weir_log_use(&sink);
        weir_log(WEIR_LOG_WARN, NULL, 0, "hello");
        if ((fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) == 0 && (fcntl(sink.fd, F_GETFL) & O_NONBLOCK) != 0) {
            weir_log(WEIR_LOG_WARN, NULL, 0, "does not wait");
        }
        weir_log_use(NULL);
        weir_log_close(&sink);
        weir_log(WEIR_LOG_WARN, NULL, 0, "bye");
    }
}

static void
run_panic(void)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    capture_open(false, WEIR_LOG_ERROR);
    weir_panic("x.c", 3, "n < 4");
}

int
main(void)
{
    const char *text;

    capture_open(false, WEIR_LOG_ERROR);    /* the folder, for the children */
    weir_log_use(NULL);
    weir_log_close(&capture_sink);
    is_str(weir_str_from_z(child_says(run_boot)),
           "weir: [emerg] unknown directive \"foo\" in /etc/weir.conf:3\n"
           "weir: [emerg] open() failed (13: Permission denied)\n"
           "weir: [notice] seen\n", "the short form before a configuration");

    text = child_says(run_configured);
    ok(text[4] == '/' && strstr(text, ": hello\n") != NULL, "nginx's form with one");
    ok(strstr(text, ": does not wait\n") != NULL, "a pipe is written without waiting, and left as it is");
    ok(strstr(text, "weir: [warn] bye\n") != NULL, "closing the sink leaves standard error open");

    is_str(weir_str_from_z(child_says(run_panic)), "panic: x.c:3: n < 4\n", "a panic is on standard error");
    ok(strstr(capture_text(), "[alert]") != NULL && strstr(capture_text(), ": panic: x.c:3: n < 4\n") != NULL,
       "and in the log");
    return done();
}
