/*
 * poll.c - see discovery.h: a list is asked for by the one worker that asks for all, and again when its time has come.
 *
 * What fails, is no list, or is too long, keeps the list that is there: it is asked for again later, and the later the
 * oftener it has failed.  The log has each reason once in a row of failures, and that they are over.
 */
#include "discovery.h"

#include "base/mem.h"
#include "os/clock.h"

#define POLL_CHUNK    65536
#define POLL_MAX_BODY ((size_t) 32 << 20)
#define POLL_LIMIT    15000                  /* ms of a question, without the time that the server may wait */
#define POLL_BACKOFF  1000                   /* ms after a failure, doubled up to: */
#define POLL_MAX      10000
#define POLL_SOON     10                     /* ms, while http is not there yet */

static void poll_ask(discovery_asks_t *asks);

static void
poll_on_timer(weir_timer_t *timer)
{
    poll_ask(weir_container_of(timer, discovery_asks_t, timer));
}

static void
poll_later(discovery_asks_t *asks, uint64_t ms)
{
    weir_assert(asks->fetch == NULL);
    weir_timer_set(weir_source_loop(asks->run), &asks->timer, (weir_msec_t) { ms }, poll_on_timer);
}

static void
poll_failed(discovery_asks_t *asks, weir_source_reason_t reason, const char *why)
{
    uint64_t wait = weir_min(asks->conf->interval.ms, (uint64_t) POLL_BACKOFF);
    uint64_t digest = weir_str_hash(weir_str_from_z(why), 1);

    weir_source_failed(asks->run, reason);
    if (asks->failures == 0 || asks->told != digest) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the servers of upstream \"%.*s\" cannot be had from %.*s: %s; those that "
                 "are known stay", WEIR_STR_ARG(asks->conf->source->group->name), WEIR_STR_ARG(asks->conf->url.text),
                 why);
    }
    asks->told = digest;
    for (uint32_t i = 0; i < asks->failures && wait < POLL_MAX; i++) {
        wait *= 2;
    }
    asks->failures += asks->failures < UINT32_MAX;
    asks->version_len = 0;
    asks->index = 0;
    poll_later(asks, weir_min(wait, (uint64_t) POLL_MAX));
}

static void
poll_recovered(discovery_asks_t *asks)
{
    if (asks->failures != 0) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the servers of upstream \"%.*s\" can be had from %.*s again",
                 WEIR_STR_ARG(asks->conf->source->group->name), WEIR_STR_ARG(asks->conf->url.text));
    }
    asks->failures = 0;
    weir_source_confirm(asks->run);
}

/* false: *error. */
static bool
poll_take(discovery_asks_t *asks, weir_str_t body, weir_error_t *error)
{
    weir_arena_t       arena;
    weir_source_list_t list;
    bool               is_good;

    weir_arena_init(&arena, POLL_CHUNK);
    is_good = asks->conf->kind->parse(&arena, body, &list, error);
    if (is_good) {
        weir_source_give(asks->run, list.at, list.n);
    }
    weir_arena_fini(&arena);
    return is_good;
}

static void
poll_fetched(void *data, const weir_fetched_t *fetched)
{
    discovery_asks_t *asks = data;
    weir_error_t error = { .text = "" };

    asks->fetch = NULL;
    if (fetched->body.at == NULL) {
        poll_failed(asks, WEIR_SOURCE_SILENT, fetched->why);
        return;
    }
    if (fetched->status == 304 && asks->version_len != 0) {
        poll_recovered(asks);
        poll_later(asks, asks->conf->interval.ms);
        return;
    }
    if (fetched->status != 200) {
        (void) weir_error_set(&error, "it answered with status %u", fetched->status);
        poll_failed(asks, WEIR_SOURCE_REFUSED, error.text);
        return;
    }
    if (!poll_take(asks, fetched->body, &error)) {
        poll_failed(asks, WEIR_SOURCE_MALFORMED, error.text);
        return;
    }
    poll_recovered(asks);
    poll_later(asks, asks->conf->kind->taken(asks, fetched->field));
}

static void
poll_ask(discovery_asks_t *asks)
{
    weir_http_t      *http = weir_http_in(asks->run->generation->kept[weir_http_discovery_index]);
    weir_fetch_spec_t spec = { .accept = WEIR_STR("application/json"), .authorization = asks->conf->authorization,
                               .any_status = true, .wanted = asks->conf->kind->wanted, .max_body = POLL_MAX_BODY,
                               .limit = { POLL_LIMIT } };

    if (http == NULL) {
        poll_later(asks, POLL_SOON);
        return;
    }
    asks->at = asks->conf->url;
    asks->asked = weir_clock_now().ms;
    asks->conf->kind->ask(asks, &spec);
    asks->fetch = weir_fetch(http, asks->run->generation, &asks->at, &spec, poll_fetched, asks);
    if (asks->fetch == NULL) {
        poll_failed(asks, WEIR_SOURCE_SILENT, "there is no memory");
    }
}

static void
poll_begin(weir_source_run_t *run)
{
    discovery_asks_t *asks = weir_mem_need(sizeof(*asks));

    weir_assert(run->state == NULL && run->generation->kept[weir_http_discovery_index] != NULL);
    asks->conf = run->source->owner;
    asks->run = run;
    run->state = asks;
    poll_ask(asks);
}

static void
poll_end(weir_source_run_t *run)
{
    discovery_asks_t *asks = run->state;

    weir_fetch_cancel(asks->fetch);
    weir_timer_drop(&asks->timer);
    weir_mem_free(asks);
    run->state = NULL;
}

const weir_source_ops_t discovery_ops = { .begin = poll_begin, .end = poll_end };
