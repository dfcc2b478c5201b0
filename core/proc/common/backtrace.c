/*
 * backtrace.c - see backtrace.h.
 *
 * Runs in workers, in a signal handler: it allocates nothing, takes no lock and calls only what is safe there.  Frames
 * are written as program(+offset): `addr2line -fe PROGRAM OFFSET` tells function and line.
 */
#include "proc/common/backtrace.h"

#include "log/log.h"
#include "os/process.h"
#include "os/sys.h"

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define BACKTRACE_IS_THERE 1
#endif
#endif
#include <string.h>
#include <unistd.h>

#define BACKTRACE_FRAMES 64

#ifdef BACKTRACE_IS_THERE

static size_t
backtrace_put_number(char *to, unsigned number)
{
    char   digits[16];
    size_t n = 0, len = 0;

    do {
        digits[n++] = (char) ('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (n != 0) {
        to[len++] = digits[--n];
    }
    return len;
}

static void
backtrace_write(int fd, void *const *frames, int n)
{
    static const char before[] = "backtrace of worker process ";
    char              line[64];
    size_t            len = sizeof(before) - 1;

    memcpy(line, before, len);
    len += backtrace_put_number(line + len, (unsigned) getpid());
    line[len++] = '\n';
    (void) !write(fd, line, len);
    backtrace_symbols_fd(frames, n, fd);
}

static void
backtrace_on_abort(int signal, siginfo_t *info, void *context)
{
    void *frames[BACKTRACE_FRAMES];
    int   n = backtrace(frames, BACKTRACE_FRAMES);

    (void) info;
    (void) context;
    for (const weir_log_sink_t *sink = weir_log_main.sinks; sink != NULL; sink = sink->next) {
        if (sink->fd >= 0 && sink->kind != WEIR_LOG_TO_SYSLOG) {
            backtrace_write(sink->fd, frames, n);
        }
    }
    weir_process_default_signal(signal);
    (void) raise(signal);       /* when the handler returns */
}

void
weir_backtrace_prepare(void)
{
    void *frames[1];

    (void) backtrace(frames, 1);
}

void
weir_backtrace_on_abort(void)
{
    weir_process_on_signal(SIGABRT, backtrace_on_abort);
}

#else

void weir_backtrace_prepare(void) {}
void weir_backtrace_on_abort(void) {}

#endif
