/*
 * upstream.c - variables of what the proxy engine did: a value for each attempt, joined by ", ", or by " : " where
 * an internal redirect led to another location; "-" where one has none.
 *
 * Runs in workers.
 */
#include "http/vars/vars.h"

#include "base/buf.h"

#define UPSTREAM_NUMBER_MAX 24

typedef enum {
    UPSTREAM_ADDR, UPSTREAM_STATUS, UPSTREAM_CONNECT_TIME, UPSTREAM_HEADER_TIME, UPSTREAM_RESPONSE_TIME,
    UPSTREAM_RESPONSE_LENGTH, UPSTREAM_BYTES_RECEIVED, UPSTREAM_BYTES_SENT,
} upstream_column_t;

static void
upstream_add_seconds(weir_buf_t *out, bool has, weir_msec_t duration)
{
    char text[UPSTREAM_NUMBER_MAX];

    if (has) {
        weir_buf_add(out, text, (size_t) (weir_str_from_seconds(text, duration) - text));
    } else {
        weir_buf_add_char(out, '-');
    }
}

static void
upstream_add(weir_buf_t *out, const weir_attempt_t *attempt, upstream_column_t column)
{
    switch (column) {
    case UPSTREAM_ADDR:            weir_buf_add_str(out, attempt->peer); break;
    case UPSTREAM_CONNECT_TIME:    upstream_add_seconds(out, attempt->connected, attempt->connect_time); break;
    case UPSTREAM_HEADER_TIME:     upstream_add_seconds(out, attempt->has_header, attempt->header_time); break;
    case UPSTREAM_RESPONSE_TIME:   upstream_add_seconds(out, true, attempt->response_time); break;
    case UPSTREAM_RESPONSE_LENGTH: weir_buf_add_u64(out, attempt->response_length); break;
    case UPSTREAM_BYTES_RECEIVED:  weir_buf_add_u64(out, attempt->bytes_received); break;
    case UPSTREAM_BYTES_SENT:      weir_buf_add_u64(out, attempt->bytes_sent); break;
    case UPSTREAM_STATUS:
        if (attempt->status != 0) {
            weir_buf_add_u64(out, attempt->status);
        } else {
            weir_buf_add_char(out, '-');
        }
        break;
    }
}

WEIR_GETTER(upstream_get)
{
    const weir_request_t *req = subject;
    size_t room = 0;
    weir_buf_t out;

    if (req->n_attempts == 0) {
        return false;
    }
    for (uint32_t i = 0; i < req->n_attempts; i++) {
        room += weir_max(req->attempts[i].peer.len, UPSTREAM_NUMBER_MAX) + 3;
    }
    weir_buf_init(&out, weir_alloc_bytes(arena, room), room);
    for (uint32_t i = 0; i < req->n_attempts; i++) {
        if (i != 0) {
            weir_buf_add_str(&out, req->attempts[i].after_redirect ? WEIR_STR(" : ") : WEIR_STR(", "));
        }
        upstream_add(&out, &req->attempts[i], (upstream_column_t) ref->row->data);
    }
    weir_assert(!out.full);     /* the room was counted before */
    *value = weir_buf_str(&out);
    return true;
}

WEIR_GETTER(upstream_get_field)
{
    const weir_response_head_t *head = ((const weir_request_t *) subject)->upstream_head;

    return head != NULL && weir_vars_field(&head->fields, ref, false, arena, value);
}

WEIR_GETTER(upstream_get_cookie)
{
    const weir_response_head_t *head = ((const weir_request_t *) subject)->upstream_head;
    const weir_field_t *field = head == NULL ? NULL : weir_fields_first(&head->fields, WEIR_HEADER_SET_COOKIE);

    for (; field != NULL; field = weir_fields_next(&head->fields, field)) {
        if (weir_vars_cookie(field->value, ref->suffix, true, value)) {
            return true;
        }
    }
    return false;
}

WEIR_GETTER(upstream_get_trailer)
{
    const weir_request_t *req = subject;

    return req->n_attempts != 0 && weir_vars_field(&req->upstream_trailers, ref, false, arena, value);
}

#define COLUMN(column) .get = upstream_get, .data = (column)

static const weir_variable_t upstream_variables[] = {
    { "upstream_addr", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_ADDR), .help = "The peers that were asked." },
    { "upstream_bytes_received", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_BYTES_RECEIVED),
      .help = "Bytes received from each." },
    { "upstream_bytes_sent", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_BYTES_SENT), .help = "Bytes sent to each." },
    { "upstream_connect_time", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_CONNECT_TIME),
      .help = "Seconds until each was connected." },
    { "upstream_cookie_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = upstream_get_cookie,
      .help = "A cookie that the last peer set." },
    { "upstream_header_time", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_HEADER_TIME),
      .help = "Seconds until each had sent its head." },
    { "upstream_http_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = upstream_get_field,
      .bind = weir_vars_bind_field, .help = "A field of the last peer's answer." },
    { "upstream_response_length", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_RESPONSE_LENGTH),
      .help = "Bytes of each answer's body." },
    { "upstream_response_time", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_RESPONSE_TIME),
      .help = "Seconds that each took in all." },
    { "upstream_trailer_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = upstream_get_trailer,
      .bind = weir_vars_bind_field, .help = "A field that the last peer sent behind its answer's body." },
    { "upstream_status", .subject = WEIR_OF_REQUEST, COLUMN(UPSTREAM_STATUS), .help = "The status of each answer." },
    WEIR_VARIABLES_END
};

const weir_module_t weir_http_vars_upstream = { .name = "http_vars_upstream",
                                                .area = "Variables",
                                                .variables = upstream_variables };
