/*
 * outcome.c - see outcome.h.
 */
#include "http/exchange/outcome.h"

/* What a client takes to send its request is not its peer's time: else it could make good peers slow. */
static weir_msec_t
outcome_time(const weir_attempt_t *attempt, weir_msec_t time)
{
    return (weir_msec_t) { time.ms - weir_min(time.ms, attempt->client_time.ms) };
}

/* ABANDONED: no failure of a peer. */
static weir_outcome_kind_t
outcome_kind(weir_cause_t cause)
{
    switch (cause) {
    case WEIR_CAUSE_UPSTREAM_CONNECT_REFUSED:
    case WEIR_CAUSE_UPSTREAM_CONNECT_FAILED:
    case WEIR_CAUSE_UPSTREAM_CONNECT_TIMEOUT:
    case WEIR_CAUSE_UPSTREAM_TLS_HANDSHAKE:
    case WEIR_CAUSE_UPSTREAM_TLS_VERIFY:
    case WEIR_CAUSE_UPSTREAM_TLS_PROTOCOL:
        return WEIR_OUTCOME_CONNECT;
    case WEIR_CAUSE_UPSTREAM_SEND_FAILED:
    case WEIR_CAUSE_UPSTREAM_CLOSED:
    case WEIR_CAUSE_UPSTREAM_RESET:
    case WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE:
    case WEIR_CAUSE_UPSTREAM_H2_REFUSED:
    case WEIR_CAUSE_UPSTREAM_H2_RESET:
        return WEIR_OUTCOME_RESET;
    case WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT:
    case WEIR_CAUSE_UPSTREAM_READ_TIMEOUT:
    case WEIR_CAUSE_UPSTREAM_TIMEOUT:
    case WEIR_CAUSE_UPSTREAM_TRY_TIMEOUT:
    case WEIR_CAUSE_UPSTREAM_DEADLINE:
        return WEIR_OUTCOME_TIMEOUT;
    case WEIR_CAUSE_UPSTREAM_MALFORMED:
    case WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE:
    case WEIR_CAUSE_UPSTREAM_INTERIM:
    case WEIR_CAUSE_UPSTREAM_BODY_TOO_LARGE:
    case WEIR_CAUSE_UPSTREAM_BODY_MALFORMED:
    case WEIR_CAUSE_UPSTREAM_ANSWER:
    case WEIR_CAUSE_UPSTREAM_H2_PROTOCOL:
    case WEIR_CAUSE_UPSTREAM_REDIRECT:
        return WEIR_OUTCOME_INVALID;
    default:
        return WEIR_OUTCOME_ABANDONED;
    }
}

weir_outcome_t
weir_outcome_of(const weir_attempt_t *attempt, bool failed)
{
    weir_outcome_t outcome = { .kind = WEIR_OUTCOME_ABANDONED,
                               .header_time = outcome_time(attempt, attempt->header_time),
                               .total_time = outcome_time(attempt, attempt->response_time) };

    outcome.status = attempt->has_header ? attempt->status : 0;
    if (failed) {
        outcome.kind = outcome_kind(attempt->cause);
    }
    if (outcome.kind == WEIR_OUTCOME_ABANDONED && attempt->has_header) {
        outcome.kind = WEIR_OUTCOME_ANSWER;
    }
    outcome.failed = failed && outcome.kind != WEIR_OUTCOME_ABANDONED;
    return outcome;
}

uint16_t
weir_outcome_grpc(const weir_fields_t *fields)
{
    static const uint16_t statuses[] = { 200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500,
                                         401 };
    const weir_field_t   *field = weir_fields_find(fields, WEIR_STR("grpc-status"));
    uint64_t              number;

    if (field == NULL) {
        return 0;
    }
    return weir_str_to_u64(field->value, &number) && number < weir_countof(statuses) ? statuses[number] : 500;
}

weir_cause_t
weir_outcome_refused(const weir_pick_t *pick)
{
    weir_assert(pick->peer == NULL && pick->refusal != WEIR_REFUSED_NOT);
    switch (pick->refusal) {
    case WEIR_REFUSED_REQUESTS: return WEIR_CAUSE_UPSTREAM_FULL_REQUESTS;
    case WEIR_REFUSED_PENDING: return WEIR_CAUSE_UPSTREAM_FULL_PENDING;
    case WEIR_REFUSED_QUEUE_FULL: return WEIR_CAUSE_UPSTREAM_QUEUE_FULL;
    case WEIR_REFUSED_QUEUE_TIMEOUT: return WEIR_CAUSE_UPSTREAM_QUEUE_TIMEOUT;
    case WEIR_REFUSED_CONCURRENCY: return WEIR_CAUSE_UPSTREAM_CONCURRENCY;
    case WEIR_REFUSED_BREAKER: return WEIR_CAUSE_UPSTREAM_BREAKER;
    default: return WEIR_CAUSE_UPSTREAM_NONE;
    }
}

uint32_t
weir_outcome_retry_after(const weir_pick_t *pick)
{
    switch (pick->refusal) {
    case WEIR_REFUSED_BREAKER: return (uint32_t) weir_max((pick->refused_for.ms + 999) / 1000, UINT64_C(1));
    default: return 0;
    }
}
