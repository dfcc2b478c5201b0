/*
 * runtime.c - a worker's http, as core/serve knows it: its connections come, make room, and leave politely.
 *
 * Runs in workers, on the loop.
 */
#include "http/serve/conn.h"
#include "http/sub.h"
#include "http/h2/session.h"

#include "base/mem.h"
#include "tls/conn.h"

#define RUNTIME_PIPES_IDLE  ((weir_msec_t) { 500 })
#define RUNTIME_FREE_BLOCKS 64

/* -- generations -- */

static weir_log_level_t
runtime_log_level(const weir_generation_t *generation)
{
    const weir_http_conf_t *conf = weir_http_conf_of(generation);

    return conf != NULL ? conf->log_level : WEIR_LOG_EMERG;
}

static void
runtime_use(void *part, weir_generation_t *generation)
{
    ((weir_http_t *) part)->generation = generation;
}

/* -- begin and end -- */

static void *
runtime_create(weir_serve_t *serve)
{
    weir_http_t *http = weir_mem_need(sizeof(*http));

    http->serve = serve;
    http->loop = serve->loop;
    http->life = serve->life;
    http->rx = weir_mem_need(WEIR_RX_BYTES);
    http->h2_rx = weir_mem_need(WEIR_RX_BYTES);
    weir_send_queue_init(http);
    weir_list_init(&http->conns);
    weir_list_init(&http->idle);
    weir_list_init(&http->free_requests);
    weir_block_pool_init(&http->blocks, RUNTIME_FREE_BLOCKS);
    http->groups = weir_upstream_groups(serve->life);
    return http;
}

weir_http_t *
weir_http_of(const weir_serve_t *serve)
{
    return weir_serve_part(serve, &weir_http_area);
}

bool
weir_http_take_pipe(weir_http_t *http, weir_pipe_t *pipe)
{
    int fds[2];

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

static void
runtime_close_pipes(weir_http_t *http)
{
    while (http->n_pipes != 0) {
        runtime_close_pipe(http->pipes[--http->n_pipes]);
    }
}

/* Nobody has given one back for a while: the kernel's memory for them is better used elsewhere. */
static void
runtime_on_pipes(weir_timer_t *timer)
{
    runtime_close_pipes(weir_container_of(timer, weir_http_t, pipe_timer));
}

void
weir_http_give_pipe(weir_http_t *http, weir_pipe_t pipe, bool is_empty)
{
    if (is_empty && http->n_pipes < WEIR_PIPES_MAX && !http->quitting) {
        http->pipes[http->n_pipes++] = pipe;
        weir_timer_set(http->loop, &http->pipe_timer, RUNTIME_PIPES_IDLE, runtime_on_pipes);
    } else {
        runtime_close_pipe(pipe);
    }
}

/* -- connections -- */

static bool
runtime_accept(void *part, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer)
{
    return weir_http_accept(part, socket, fd, peer);
}

static bool
runtime_make_room(void *part)
{
    weir_http_t      *http = part;
    weir_http_conn_t *oldest;

    if (weir_list_empty(&http->idle)) {
        return false;
    }
    oldest = weir_list_entry(http->idle.next, weir_http_conn_t, idle_link);
    oldest->protocol->quit(oldest, true);
    return true;
}

static void
runtime_quit(void *part, weir_quit_t how)
{
    weir_http_t *http = part;
    bool         now = how == WEIR_QUIT_NOW;

    http->quitting = true;
    if (how == WEIR_QUIT_LAST) {
        return;
    }
    if (now) {
        weir_send_queue_drain(http);
    }
    for (weir_list_t *l = http->conns.next, *next; l != &http->conns; l = next) {
        weir_http_conn_t *c = weir_list_entry(l, weir_http_conn_t, link);

        next = l->next;
        c->protocol->quit(c, now);
    }
    if (now) {
        weir_subs_end_detached(http);
    }
}

/* Mirrors. */
static size_t
runtime_busy(const void *part)
{
    return ((const weir_http_t *) part)->n_detached;
}

static void
runtime_destroy(void *part)
{
    weir_http_t *http = part;

    weir_timer_drop(&http->pipe_timer);
    runtime_close_pipes(http);
    weir_timer_drop(&http->trim_timer);
    weir_requests_free(http);
    weir_h2_streams_fini();
    weir_h2_heads_fini();
    weir_tls_conn_fini();
    weir_block_pool_fini(&http->blocks);
    weir_mem_free(http->rx);
    weir_mem_free(http->h2_rx);
    weir_mem_free(http->file);
    weir_send_queue_fini(http);
    weir_mem_free(http);
}

const weir_area_t weir_http_area = {
    .name = "http",
    .log_level = runtime_log_level,
    .create = runtime_create,
    .destroy = runtime_destroy,
    .use = runtime_use,
    .accept = runtime_accept,
    .make_room = runtime_make_room,
    .quit = runtime_quit,
    .busy = runtime_busy,
};
