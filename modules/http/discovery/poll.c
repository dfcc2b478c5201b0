/*
 * poll.c - see discovery.h: a list is asked for by the one worker that asks for all, and again when its time has come.
 *
 * What fails, is no list, or is too long, keeps the list that is there: it is asked for again later, and the later the
 * oftener it has failed.  The log has each reason once in a row of failures, and that they are over.
 */
#include "discovery.h"

#include "os/clock.h"

#define POLL_CHUNK    65536
#define POLL_MAX_BODY ((size_t) 32 << 20)
#define POLL_LIMIT    15000                  /* ms of a question, without the time that the server may wait */
#define POLL_BACKOFF  1000                   /* ms after a failure, doubled up to: */
#define POLL_MAX      10000
#define POLL_SOON     10                     /* ms, while http is not there yet */

static void poll_ask(discovery_t *source);

static void
poll_on_timer(weir_timer_t *timer)
{
    poll_ask(weir_container_of(timer, discovery_t, timer));
}

static void
poll_later(discovery_t *source, uint64_t ms)
{
    weir_assert(source->fetch == NULL);
    weir_timer_set(source->life->loop, &source->timer, (weir_msec_t) { ms }, poll_on_timer);
}

static void
poll_failed(discovery_t *source, weir_source_reason_t reason, const char *why)
{
    uint64_t wait = weir_min(source->interval.ms, (uint64_t) POLL_BACKOFF);
    uint64_t digest = weir_str_hash(weir_str_from_z(why), 1);

    weir_source_failed(source->source, reason);
    if (source->failures == 0 || source->told != digest) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the servers of upstream \"%.*s\" cannot be had from %.*s: %s; those that "
                 "are known stay", WEIR_STR_ARG(source->source->group->name), WEIR_STR_ARG(source->url.text), why);
    }
    source->told = digest;
    for (uint32_t i = 0; i < source->failures && wait < POLL_MAX; i++) {
        wait *= 2;
    }
    source->failures += source->failures < UINT32_MAX;
    source->version_len = 0;
    source->index = 0;
    poll_later(source, weir_min(wait, (uint64_t) POLL_MAX));
}

static void
poll_recovered(discovery_t *source)
{
    if (source->failures != 0) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the servers of upstream \"%.*s\" can be had from %.*s again",
                 WEIR_STR_ARG(source->source->group->name), WEIR_STR_ARG(source->url.text));
    }
    source->failures = 0;
    weir_source_confirm(source->source);
}

/* false: *error. */
static bool
poll_take(discovery_t *source, weir_str_t body, weir_error_t *error)
{
    weir_arena_t       arena;
    weir_source_list_t list;
    bool               is_good;

    weir_arena_init(&arena, POLL_CHUNK);
    is_good = source->kind->parse(&arena, body, &list, error);
    if (is_good) {
        weir_source_give(source->source, list.at, list.n);
    }
    weir_arena_fini(&arena);
    return is_good;
}

static void
poll_fetched(void *data, const weir_fetched_t *fetched)
{
    discovery_t *source = data;
    weir_error_t error = { .text = "" };

    source->fetch = NULL;
    if (fetched->body.at == NULL) {
        poll_failed(source, WEIR_SOURCE_SILENT, fetched->why);
        return;
    }
    if (fetched->status == 304 && source->version_len != 0) {
        poll_recovered(source);
        poll_later(source, source->interval.ms);
        return;
    }
    if (fetched->status != 200) {
        (void) weir_error_set(&error, "it answered with status %u", fetched->status);
        poll_failed(source, WEIR_SOURCE_REFUSED, error.text);
        return;
    }
    if (!poll_take(source, fetched->body, &error)) {
        poll_failed(source, WEIR_SOURCE_MALFORMED, error.text);
        return;
    }
    poll_recovered(source);
    poll_later(source, source->kind->taken(source, fetched->field));
}

static void
poll_ask(discovery_t *source)
{
    weir_http_t      *http = weir_http_in(source->life);
    weir_fetch_spec_t spec = { .accept = WEIR_STR("application/json"), .authorization = source->authorization,
                               .any_status = true, .wanted = source->kind->wanted, .max_body = POLL_MAX_BODY,
                               .limit = { POLL_LIMIT } };

    if (http == NULL) {
        poll_later(source, POLL_SOON);
        return;
    }
    source->at = source->url;
    source->asked = weir_clock_now().ms;
    source->kind->ask(source, &spec);
    source->fetch = weir_fetch(http, &source->at, &spec, poll_fetched, source);
    if (source->fetch == NULL) {
        poll_failed(source, WEIR_SOURCE_SILENT, "there is no memory");
    }
}

static void
poll_begin(weir_source_t *source_)
{
    discovery_t *source = source_->owner;

    weir_assert(source->life != NULL && source->fetch == NULL);
    source->failures = 0;
    source->version_len = 0;
    source->index = 0;
    poll_ask(source);
}

static void
poll_end(weir_source_t *source_)
{
    discovery_t *source = source_->owner;

    weir_fetch_cancel(source->fetch);
    source->fetch = NULL;
    weir_timer_drop(&source->timer);
}

const weir_source_ops_t discovery_ops = { .begin = poll_begin, .end = poll_end };
