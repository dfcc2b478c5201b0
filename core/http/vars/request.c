/*
 * request.c - variables of the request: its line, its target, its fields, its time.
 *
 * Runs in workers.  Values borrow from the request.
 */
#include "http/message/credentials.h"
#include "http/filter/store.h"
#include "http/filter/read_ahead.h"
#include "http/vars/vars.h"

#include "os/clock.h"

WEIR_GETTER(request_get_text)
{
    *value = *(const weir_str_t *) ((const char *) subject + ref->row->data);
    return value->len != 0;
}

/* nginx's $request_uri of an absolute-form request is its path and query, as they came. */
WEIR_GETTER(request_get_target)
{
    const weir_request_t *req = subject;
    const weir_str_t target = req->head.target;
    size_t at = 0;

    *value = target;
    if (req->head.form != WEIR_TARGET_ABSOLUTE || req->head.scheme.len + 3 > target.len) {
        return target.len != 0;
    }
    for (at = req->head.scheme.len + 3; at < target.len && strchr("/?#", target.at[at]) == NULL; at++) {
    }
    *value = weir_str_skip(target, at);
    if (value->len == 0 || value->at[0] != '/') {
        *value = weir_str_concat(arena, WEIR_STR("/"), *value);
    }
    return true;
}

WEIR_GETTER(request_get_arg)
{
    const weir_str_t query = ((const weir_request_t *) subject)->query;

    return query.len != 0 && ref->suffix.len != 0 && weir_uri_arg(query, ref->suffix, value);
}

WEIR_GETTER(request_get_is_args)
{
    *value = ((const weir_request_t *) subject)->query.len != 0 ? WEIR_STR("?") : WEIR_STR("");
    return true;
}

WEIR_GETTER(request_get_field)
{
    return weir_vars_field(&((const weir_request_t *) subject)->head.fields, ref, false, arena, value);
}

WEIR_GETTER(request_get_known_field)
{
    const weir_field_t *field = weir_fields_first(&((const weir_request_t *) subject)->head.fields,
                                                  (weir_header_id_t) ref->row->data);

    if (field == NULL) {
        return false;
    }
    *value = field->value;
    return true;
}

WEIR_GETTER(request_get_cookie)
{
    const weir_fields_t *fields = &((const weir_request_t *) subject)->head.fields;
    const weir_field_t *field = weir_fields_first(fields, WEIR_HEADER_COOKIE);

    for (; field != NULL; field = weir_fields_next(fields, field)) {
        if (weir_vars_cookie(field->value, ref->suffix, false, value)) {
            return true;
        }
    }
    return false;
}

WEIR_GETTER(request_get_protocol)
{
    switch (((const weir_request_t *) subject)->version) {
    case 20: *value = WEIR_STR("HTTP/2.0"); break;
    case 10: *value = WEIR_STR("HTTP/1.0"); break;
    default: *value = WEIR_STR("HTTP/1.1"); break;
    }
    return true;
}

WEIR_GETTER(request_get_method)
{
    const weir_request_t *req = subject;

    *value = req->asked_method.len != 0 ? req->asked_method : req->head.method_name;
    return value->len != 0;
}

WEIR_GETTER(request_get_length)
{
    return weir_vars_number(arena, ((const weir_request_t *) subject)->received, value);
}

WEIR_GETTER(request_get_time)
{
    const weir_request_t *req = subject;

    return weir_vars_seconds(arena, (weir_msec_t) { weir_clock_now().ms - req->started.ms }, value);
}

WEIR_GETTER(request_get_id)
{
    *value = weir_request_id(subject);
    return true;
}

WEIR_GETTER(request_get_completion)
{
    *value = ((const weir_request_t *) subject)->res.complete ? WEIR_STR("OK") : WEIR_STR("");
    return true;
}

WEIR_GETTER(request_get_pipe)
{
    *value = ((const weir_request_t *) subject)->client->is_pipelined ? WEIR_STR("p") : WEIR_STR(".");
    return true;
}

/* -- the user of Basic authentication (RFC 7617): what stands before the colon -- */

WEIR_GETTER(request_get_user)
{
    weir_str_t password;
    bool is_there = weir_credentials_basic(&((const weir_request_t *) subject)->head.fields, arena, value, &password);

    if (is_there) {
        weir_credentials_forget(password);
    }
    return is_there;
}

#define TEXT(member) .get = request_get_text, .is_text = true, .data = offsetof(weir_request_t, member)

/* The port that the client named: with a colon before it, or alone. */
WEIR_GETTER(request_get_port)
{
    uint16_t port = ((const weir_request_t *) subject)->head.port;

    if (port == 0) {
        return false;
    }
    if (ref->row->data) {
        *value = WEIR_STR(":");
        return true;
    }
    return weir_vars_number(arena, port, value);
}

/* While it is in memory, all of it. */
WEIR_GETTER(request_get_body)
{
    const weir_store_t *store = ((const weir_request_t *) subject)->body;

    if (store == NULL || store->fd >= 0) {
        return false;
    }
    *value = weir_str(store->mem_len != 0 ? store->mem : "", store->mem_len);
    return true;
}

WEIR_GETTER(request_get_body_file)
{
    *value = weir_read_ahead_file(subject);
    return value->len != 0;
}

WEIR_GETTER(request_get_http2)
{
    const weir_request_t *req = subject;

    *value = req->version != 20 ? WEIR_STR("") : req->client->is_tls ? WEIR_STR("h2") : WEIR_STR("h2c");
    return true;
}

static const weir_variable_t request_variables[] = {
    { "arg_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = request_get_arg,
      .help = "An argument of the query, as it came." },
    { "args", .subject = WEIR_OF_REQUEST, TEXT(query), .help = "The query." },
    { "content_length", .subject = WEIR_OF_REQUEST, .get = request_get_known_field, .data = WEIR_HEADER_CONTENT_LENGTH,
      .help = "The request's Content-Length." },
    { "content_type", .subject = WEIR_OF_REQUEST, .get = request_get_known_field, .data = WEIR_HEADER_CONTENT_TYPE,
      .help = "The request's Content-Type." },
    { "cookie_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = request_get_cookie, .help = "A cookie." },
    { "document_uri", .subject = WEIR_OF_REQUEST, TEXT(uri.path), .kind = WEIR_VALUE_PATH,
      .help = "The same as $uri." },
    { "host", .subject = WEIR_OF_REQUEST, .is_early = true, TEXT(host),
      .help = "The request's host in lower case, without the port; else the server's name." },
    { "http2", .subject = WEIR_OF_REQUEST, .get = request_get_http2,
      .help = "\"h2\" over HTTP/2 with TLS, \"h2c\" without, else nothing." },
    { "http_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = request_get_field,
      .bind = weir_vars_bind_field, .help = "A field of the request; dashes are written as underscores." },
    { "is_request_port", .subject = WEIR_OF_REQUEST, .get = request_get_port, .data = 1,
      .help = "\":\" if the client named a port." },
    { "request_port", .subject = WEIR_OF_REQUEST, .get = request_get_port, .help = "The port that the client named." },
    { "is_args", .subject = WEIR_OF_REQUEST, .get = request_get_is_args, .help = "\"?\" if there is a query." },
    { "pipe", .subject = WEIR_OF_REQUEST, .get = request_get_pipe,
      .help = "\"p\" if the request was pipelined, else \".\"." },
    { "query_string", .subject = WEIR_OF_REQUEST, TEXT(query), .help = "The same as $args." },
    { "remote_user", .subject = WEIR_OF_REQUEST, .get = request_get_user,
      .help = "The user name of Basic authentication." },
    { "request", .subject = WEIR_OF_REQUEST, TEXT(head.line), .help = "The request line as it came." },
    { "request_body", .subject = WEIR_OF_REQUEST, .get = request_get_body,
      .help = "The body, once it was read ahead, if it is small enough to be in memory." },
    { "request_body_file", .subject = WEIR_OF_REQUEST, .get = request_get_body_file,
      .help = "The name of the file that the body is in, once it was read ahead with client_body_in_file_only." },
    { "request_completion", .subject = WEIR_OF_REQUEST, .get = request_get_completion,
      .help = "\"OK\" if the answer was complete." },
    { "request_id", .subject = WEIR_OF_REQUEST, .get = request_get_id,
      .help = "A random number of the request: 32 hexadecimal digits." },
    { "request_length", .subject = WEIR_OF_REQUEST, .get = request_get_length,
      .help = "Bytes received of the request, line and fields included." },
    { "request_method", .subject = WEIR_OF_REQUEST, .get = request_get_method, .help = "GET, POST, …" },
    { "request_time", .subject = WEIR_OF_REQUEST, .get = request_get_time,
      .help = "Seconds since the request's first byte, to the millisecond." },
    { "request_uri", .subject = WEIR_OF_REQUEST, .get = request_get_target, .kind = WEIR_VALUE_TARGET,
      .help = "Path and query of the target as they came." },
    { "server_protocol", .subject = WEIR_OF_REQUEST, .get = request_get_protocol, .help = "HTTP/1.0, HTTP/1.1, …" },
    { "uri", .subject = WEIR_OF_REQUEST, TEXT(uri.path), .kind = WEIR_VALUE_PATH,
      .help = "The path, decoded and in its normal form; changed by internal redirects." },
    WEIR_VARIABLES_END
};

const weir_module_t weir_http_vars_request = { .name = "http_vars_request",
                                               .area = "Variables",
                                               .variables = request_variables };
