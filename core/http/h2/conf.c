/*
 * conf.c - the directives of HTTP/2 (see conf.h).  Load time only.
 */
#include "http/h2/conf.h"

#define V2(field, text, ...) WEIR_DIRECTIVE(weir_http_v2_conf_t, field, text, __VA_ARGS__)

static const weir_directive_t conf_directives[] = {
    V2(max_concurrent_streams, "http2_max_concurrent_streams", .where = WEIR_IN_HTTP | WEIR_IN_SERVER, .dflt = "128",
       .min = "1", .max = "65535",
       .help = "Limits how many requests may be under way at once on one HTTP/2 connection."),
    V2(chunk_size, "http2_chunk_size", .where = WEIR_IN_ANY, .dflt = "8k", .min = "64", .max = "16384",
       .help = "Limits the piece of an answer's body in one frame, while several answers share an HTTP/2 "
               "connection."),
    V2(body_preread_size, "http2_body_preread_size", .where = WEIR_IN_HTTP | WEIR_IN_SERVER, .dflt = "64k", .min = "0",
       .max = "16m",
       .help = "Sets how much of a request's body a client may send on a stream before Weir has taken any of it."),
    V2(header_budget, "http2_header_budget", .where = WEIR_IN_HTTP | WEIR_IN_SERVER, .dflt = "1m", .min = "1",
       .max = "1g",
       .help = "Limits the bytes of header fields that the unfinished requests of one HTTP/2 connection hold "
               "together, with 1,024 bytes per request and 96 per field."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_http_v2 = {
    .name = "http_v2",
    .area = "HTTP",
    .conf_size = sizeof(weir_http_v2_conf_t),
    .directives = conf_directives,
};
