/*
 * base.c - the end of a process that found the impossible.
 *
 * Runs in every process; allocates nothing, because the memory may be what is broken.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void (*weir_panic_hook)(const char *text);

static void
base_write_stderr(const char *text, size_t len)
{
    ssize_t n = write(STDERR_FILENO, text, len);

    (void) n;   /* there is no caller left to return it to */
}

_Noreturn void
weir_panic(const char *file, int line, const char *what)
{
    static bool panicking;
    char        text[512];
    int         n;
    void (*hook)(const char *) = weir_panic_hook;

    n = snprintf(text, sizeof(text) - 1, "panic: %s:%d: %s", file, line, what);
    if (n < 0) {
        n = 0;
    }
    if ((size_t) n > sizeof(text) - 2) {
        n = (int) sizeof(text) - 2;
    }
    text[n] = '\n';
    base_write_stderr(text, (size_t) n + 1);

    if (hook != NULL && !panicking) {
        panicking = true;   /* a hook that panics itself does not come back here */
        text[n] = '\0';
        hook(text);
    }
    abort();
}
