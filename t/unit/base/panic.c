/* panic.c - an assertion that fails says where, tells the hook, and aborts. */
#include "base/base.h"
#include "base/mem.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static void
hook_writes(const char *text)
{
    ssize_t n = write(STDOUT_FILENO, text, strlen(text));

    (void) n;
}

static void
hook_panics(const char *text)
{
    weir_panic("hook", 1, text[0] != '\0' ? "again" : "");
}

/* Runs the panic in a child; what it wrote to both outputs comes back. */
static weir_str_t
child_panics(void (*hook)(const char *), const char *file, int *status)
{
    static char   text[4096];
    struct rlimit no_core = { 0, 0 };
    size_t        len = 0;
    ssize_t       n;
    pid_t         pid;
    int           fds[2];

    if (pipe(fds) != 0 || (pid = fork()) < 0) {
        return WEIR_STR_NONE;
    }
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(fds[1], STDERR_FILENO);
        dup2(fds[1], STDOUT_FILENO);
        weir_panic_hook = hook;
        weir_panic(file, 12, "n <= size");
    }
    close(fds[1]);
    while ((n = read(fds[0], text + len, sizeof(text) - len)) > 0) {
        len += (size_t) n;
    }
    close(fds[0]);
    waitpid(pid, status, 0);
    return weir_str(text, len);
}

int
main(void)
{
    weir_str_t text;
    char       file[2000];
    int        status = 0;

    text = child_panics(NULL, "x.c", &status);
    is_str(text, "panic: x.c:12: n <= size\n", "standard error is told where and what");
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "and the process aborts");

    text = child_panics(hook_writes, "x.c", &status);
    is_str(text, "panic: x.c:12: n <= size\npanic: x.c:12: n <= size", "the hook is told, without the newline");

    text = child_panics(hook_panics, "x.c", &status);
    is_str(text, "panic: x.c:12: n <= size\npanic: hook:1: again\n", "a hook that panics ends it");
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "at once");

    memset(file, 'f', sizeof(file));
    file[sizeof(file) - 1] = '\0';
    text = child_panics(NULL, file, &status);
    ok(text.len > 400 && text.len <= 512 && text.at[text.len - 1] == '\n', "a long text is cut and stays a line");

    weir_assert(status != 0);
    ok(true, "an assertion that holds says nothing");
    return done();
}
