/*
 * http.c - a worker's http, as core/serve knows it: its connections come, make room, and leave politely.
 *
 * Runs in workers, on the loop.
 */
#include "http/accept.h"
#include "http/h2/session.h"
#include "http/sub.h"

#include "base/mem.h"
#include "tls/conn.h"

#define HTTP_FREE_BLOCKS 64

/* -- generations -- */

static weir_log_level_t
http_log_level(const weir_generation_t *generation)
{
    const weir_http_conf_t *conf = weir_http_conf_of(generation);

    return conf != NULL ? conf->log_level : WEIR_LOG_EMERG;
}

static void
http_use(void *part, weir_generation_t *generation)
{
    ((weir_http_t *) part)->generation = generation;
}

/* -- begin and end -- */

static void *
http_create(weir_serve_t *serve)
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
    weir_chain_pool_init(&http->blocks, HTTP_FREE_BLOCKS);
    http->groups = weir_upstream_groups(serve->life);
    serve->life->kept[weir_http_core_index] = http;
    return http;
}

weir_http_t *
weir_http_in(const weir_life_t *life)
{
    return life->kept[weir_http_core_index];
}

bool
weir_http_is_leaving(const weir_life_t *life)
{
    const weir_http_t *http = weir_http_in(life);

    return http != NULL && http->quitting;
}

weir_http_t *
weir_http_of(const weir_serve_t *serve)
{
    return weir_serve_part(serve, &weir_http_area);
}

/* -- connections -- */

static bool
http_accept(void *part, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer)
{
    return weir_http_accept(part, socket, fd, peer);
}

static bool
http_make_room(void *part)
{
    weir_http_t      *http = part;
    weir_http_conn_t *oldest;

    if (weir_list_empty(&http->idle)) {
        return false;
    }
    oldest = weir_list_entry(http->idle.next, weir_http_conn_t, idle_link);
    weir_assert(!oldest->closed);
    oldest->protocol->quit(oldest, true);
    return true;
}

static void
http_quit(void *part, weir_quit_t how)
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
http_busy(const void *part)
{
    return ((const weir_http_t *) part)->n_detached;
}

static void
http_destroy(void *part)
{
    weir_http_t *http = part;

    weir_assert(weir_list_empty(&http->conns) && http->detached == NULL && http->n_detached == 0);
    http->life->kept[weir_http_core_index] = NULL;
    weir_http_close_pipes(http);
    weir_timer_drop(&http->trim_timer);
    weir_requests_free(http);
    weir_h2_streams_fini();
    weir_h2_heads_fini();
    weir_tls_conn_fini();
    weir_chain_pool_fini(&http->blocks);
    weir_mem_free(http->rx);
    weir_mem_free(http->h2_rx);
    weir_mem_free(http->file);
    weir_send_queue_fini(http);
    weir_mem_free(http);
}

const weir_area_t weir_http_area = {
    .name = "http",
    .log_level = http_log_level,
    .create = http_create,
    .destroy = http_destroy,
    .use = http_use,
    .accept = http_accept,
    .make_room = http_make_room,
    .quit = http_quit,
    .busy = http_busy,
};
