/*
 * runtime.c - see runtime.h: the pool of pipes.
 *
 * Runs in workers, on the loop.
 */
#include "http/serve/runtime.h"

#define RUNTIME_PIPES_IDLE ((weir_msec_t) { 500 })

bool
weir_http_take_pipe(weir_http_t *http, weir_pipe_t *pipe)
{
    int fds[2];

    weir_assert(http->n_pipes <= WEIR_PIPES_MAX);
    if (http->n_pipes != 0) {
        *pipe = http->pipes[--http->n_pipes];
        return true;
    }
    if (weir_sys_pipe(fds, WEIR_PIPE_BYTES) != 0) {
        return false;
    }
    *pipe = (weir_pipe_t) { .in = fds[1], .out = fds[0] };
    return true;
}

static void
runtime_close_pipe(weir_pipe_t pipe)
{
    weir_sys_close(pipe.in);
    weir_sys_close(pipe.out);
}

void
weir_http_close_pipes(weir_http_t *http)
{
    weir_timer_drop(&http->pipe_timer);
    while (http->n_pipes != 0) {
        runtime_close_pipe(http->pipes[--http->n_pipes]);
    }
}

/* None was given back for a while: the kernel's memory for them is better used elsewhere. */
static void
runtime_on_pipes(weir_timer_t *timer)
{
    weir_http_close_pipes(weir_container_of(timer, weir_http_t, pipe_timer));
}

void
weir_http_give_pipe(weir_http_t *http, weir_pipe_t pipe, bool is_empty)
{
    weir_assert(pipe.in >= 0 && pipe.out >= 0 && pipe.in != pipe.out);
    if (is_empty && http->n_pipes < WEIR_PIPES_MAX && !http->quitting) {
        http->pipes[http->n_pipes++] = pipe;
        weir_timer_set(http->loop, &http->pipe_timer, RUNTIME_PIPES_IDLE, runtime_on_pipes);
    } else {
        runtime_close_pipe(pipe);
    }
}
