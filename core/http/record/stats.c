/*
 * stats.c - see stats.h.  Runs in workers; a row costs a few stores.
 */
#include "http/record/stats.h"

#include "shm/stats.h"

_Static_assert(WEIR_CAUSE_MAX <= WEIR_STATS_CAUSES, "each cause has its counter");

void
weir_http_stats_connection(bool opened)
{
    weir_stats_row_t *row = weir_stats_mine(WEIR_STATS_PROCESS);

    row->active += opened ? 1 : -1;
    row->count[opened ? WEIR_COUNT_ACCEPTED : WEIR_COUNT_CLOSED]++;
}

void
weir_http_stats_idle(int by)
{
    weir_stats_mine(WEIR_STATS_PROCESS)->idle += by;
}

void
weir_http_stats_handshake(bool done, bool resumed)
{
    weir_stats_row_t *row = weir_stats_mine(WEIR_STATS_PROCESS);

    row->count[done ? WEIR_COUNT_HANDSHAKES : WEIR_COUNT_HANDSHAKES_FAILED]++;
    row->count[WEIR_COUNT_RESUMED] += resumed;
}

void
weir_http_stats_begin(weir_request_t *req)
{
    weir_assert(!req->is_counted && req->server != NULL);
    if (weir_unlikely(req->witness != NULL)) {
        return;
    }
    weir_stats_mine(WEIR_STATS_PROCESS)->busy++;
    req->is_counted = true;
    req->counted_in = req->server->stats;
    if (req->counted_in != 0) {
        weir_stats_mine(req->counted_in)->busy++;
    }
}

static inline void
stats_add(uint32_t index, const weir_request_t *req, uint64_t us)
{
    weir_stats_row_t *row = weir_stats_mine(index);
    uint16_t          status = weir_request_status(req);

    row->requests++;
    row->received += req->received;
    row->sent += req->res.bytes_sent;
    if (status >= 100 && status < 600) {
        row->statuses[weir_stats_status(status)]++;
    }
    if (req->cause != WEIR_CAUSE_NONE) {
        weir_stats_count_cause(row, req->cause);
    }
    weir_stats_latency(row, us);
}

void
weir_http_stats_add(uint32_t index, const weir_request_t *req)
{
    if (weir_stats_is_on() && req->witness == NULL) {
        stats_add(index, req, req->total_us);
    }
}

static void
stats_add_attempt(uint32_t index, const weir_attempt_t *attempt)
{
    weir_stats_row_t *row = weir_stats_mine(index);

    weir_assert(attempt->cause < WEIR_CAUSE_MAX);
    row->requests++;
    row->received += attempt->bytes_received;
    row->sent += attempt->bytes_sent;
    row->count[WEIR_COUNT_FAILS] += attempt->cause != WEIR_CAUSE_NONE;
    row->count[WEIR_COUNT_CONNECTED] += attempt->connected;
    if (attempt->has_header && attempt->status >= 100 && attempt->status < 600) {
        row->statuses[weir_stats_status(attempt->status)]++;
    }
    if (attempt->cause != WEIR_CAUSE_NONE) {
        weir_stats_count_cause(row, attempt->cause);
    }
    weir_stats_latency(row, attempt->response_time.ms * 1000);
}

void
weir_http_stats_attempt(const weir_attempt_t *attempt)
{
    if (weir_stats_is_on() && attempt->peer_stats != 0) {
        stats_add_attempt(attempt->peer_stats, attempt);
        stats_add_attempt(attempt->group_stats, attempt);
    }
}

void
weir_http_stats_end(weir_request_t *req)
{
    uint64_t us = req->total_us;

    if (!weir_stats_is_on() || req->witness != NULL) {
        return;
    }
    if (req->is_counted) {
        weir_stats_mine(WEIR_STATS_PROCESS)->busy--;
        req->is_counted = false;
        if (req->counted_in != 0) {
            weir_stats_mine(req->counted_in)->busy--;
        }
    }
    stats_add(WEIR_STATS_PROCESS, req, us);
    if (req->server != NULL && req->server->stats != 0) {
        stats_add(req->server->stats, req, us);
    }
    if (req->location != NULL && req->location->stats != 0) {
        stats_add(req->location->stats, req, us);
    }
    for (uint32_t i = 0; i < req->n_attempts; i++) {
        weir_http_stats_attempt(&req->attempts[i]);
    }
}
