/*
 * response.c - variables of the answer: status, cause, fields, bytes.
 *
 * Runs in workers; most make sense in the log only.
 */
#include "http/vars/vars.h"

WEIR_GETTER(response_get_status)
{
    uint16_t status = weir_request_status(subject);

    if (status >= 100) {
        return weir_vars_number(arena, status, value);
    }
    *value = WEIR_STR("000");                        /* the connection ended before there was one */
    return true;
}

WEIR_GETTER(response_get_cause)
{
    weir_cause_t cause = ((const weir_request_t *) subject)->cause;

    *value = weir_cause_row(cause)->word;
    return cause != WEIR_CAUSE_NONE;
}

WEIR_GETTER(response_get_body_bytes)
{
    return weir_vars_number(arena, ((const weir_request_t *) subject)->res.body_sent, value);
}

WEIR_GETTER(response_get_bytes)
{
    return weir_vars_number(arena, ((const weir_request_t *) subject)->res.bytes_sent, value);
}

/* What the wire adds by itself is told from what it goes by. */
WEIR_GETTER(response_get_field)
{
    const weir_request_t *req = subject;

    if (weir_str_eq(ref->suffix, WEIR_STR("content_length"))) {
        return req->res.length != WEIR_LENGTH_NONE && weir_vars_number(arena, req->res.length, value);
    }
    if (weir_str_eq(ref->suffix, WEIR_STR("connection"))) {
        *value = req->res.upgraded ? WEIR_STR("upgrade") : req->keep_alive ? WEIR_STR("keep-alive") : WEIR_STR("close");
        return req->res.head_sent;
    }
    return weir_vars_field(&req->res.fields, ref, true, arena, value);
}

WEIR_GETTER(response_get_limit_rate)
{
    const weir_request_t *req = subject;

    return weir_vars_number(arena, req->has_limit_rate ? req->limit_rate : 0, value);
}

WEIR_GETTER(response_get_trailer)
{
    return weir_vars_field(&((const weir_request_t *) subject)->res.trailers, ref, true, arena, value);
}

static const weir_variable_t response_variables[] = {
    { "body_bytes_sent", .subject = WEIR_OF_REQUEST, .get = response_get_body_bytes,
      .help = "Bytes of the answer's body that were sent." },
    { "bytes_sent", .subject = WEIR_OF_REQUEST, .get = response_get_bytes,
      .help = "All bytes that were sent for the answer." },
    { "limit_rate", .subject = WEIR_OF_REQUEST, .get = response_get_limit_rate,
      .help = "Bytes of a body per second, as `set $limit_rate` or X-Accel-Limit-Rate set them; 0: unset." },
    { "sent_http_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = response_get_field,
      .bind = weir_vars_bind_field, .help = "A field of the answer; dashes are written as underscores." },
    { "sent_trailer_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = response_get_trailer,
      .bind = weir_vars_bind_field, .help = "A field sent behind the answer's body." },
    { "status", .subject = WEIR_OF_REQUEST, .get = response_get_status, .help = "The answer's status." },
    { "weir_cause", .subject = WEIR_OF_REQUEST, .get = response_get_cause,
      .help = "Why Weir itself answered, in one stable word." },
    WEIR_VARIABLES_END
};

const weir_module_t weir_http_vars_response = { .name = "http_vars_response",
                                                .area = "Variables",
                                                .variables = response_variables };
