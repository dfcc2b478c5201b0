/*
 * conf.h - settings that every proxying module has: rows for its directives, and what is derived of them when a
 * configuration is built.
 */
#ifndef WEIR_HTTP_PROXY_CONF_H
#define WEIR_HTTP_PROXY_CONF_H

#include "http/proxy/proxy.h"
#include "http/proxy/split.h"

struct weir_proxy_scheme {
    const char *prefix;                          /* "https://" */
    bool        is_tls;
    uint16_t    port;                            /* where the authority has none */
};

/* scheme://authority[uri] into its parts, borrowed.  false: another scheme. */
bool weir_proxy_split_pass(const weir_proxy_scheme_t *schemes, weir_str_t url, weir_proxy_pass_t *pass);

/* url: PREFIXauthority[uri], into the arena.  schemes end with a NULL prefix; the first is what errors suggest. */
bool weir_proxy_read_pass(weir_conf_t *cf, const char *directive, const weir_proxy_scheme_t *schemes, weir_str_t url,
                          weir_proxy_pass_t *pass) WEIR_MUST_USE;
/* A module's check: fields replaced, hidden and set. */
void weir_proxy_derive(weir_conf_t *cf, weir_proxy_conf_t *conf);
/* A module's check of a block that has a URL: what its location is besides. */
void weir_proxy_take_location(weir_conf_block_t *block);
/* The same of one in a route or a part of it, where the URI replaces what the match line names.  false: cf->error, a
 * line names no path and no beginning of one. */
bool weir_proxy_take_route(weir_conf_t *cf, const weir_http_route_t *route, const weir_proxy_pass_t *pass,
                           weir_proxy_conf_t *conf) WEIR_MUST_USE;
/* What proxy_redirect default takes for the peer's address, and what it puts in its place, at this URL. */
void weir_proxy_derive_edits(weir_conf_t *cf, const weir_http_location_t *location, const weir_proxy_pass_t *pass,
                             weir_edits_conf_t *edits);
/* A module's bind: a location with a URL of its own gets its group, TLS and default Host.  prefix: "proxy_". */
bool weir_proxy_bind(weir_conf_t *cf, weir_generation_t *generation, weir_conf_block_t *block, size_t module,
                     const char *prefix) WEIR_MUST_USE;

extern const weir_conf_type_t weir_proxy_type_set_header, weir_proxy_type_name, weir_proxy_type_bind;
extern const weir_conf_enum_t weir_proxy_next[], weir_proxy_ignored[];

#define WEIR_PROXY_ROW(field, text, ...)                                                                               \
    WEIR_DIRECTIVE(weir_proxy_conf_t, field, text, .where = WEIR_IN_ANY, __VA_ARGS__)
#define WEIR_PROXY_ROW_OF(field, text, type, ...)                                                                      \
    WEIR_DIRECTIVE_OF(weir_proxy_conf_t, field, text, type, .where = WEIR_IN_ANY, __VA_ARGS__)

/* The same directive with a block of the target's own rules. */
#define WEIR_PROXY_TARGET_ROW(text, pass_type, how, syntax)                                                            \
    WEIR_DIRECTIVE_OF(weir_proxy_conf_t, pass, text, pass_type, .where = WEIR_IN_LOCATION | WEIR_IN_PART,              \
                      .inherit = WEIR_LOCAL, .opens = WEIR_IN_DATA, .block_min_args = 2, .block_max_args = 2,          \
                      .opened = (how), .line = weir_split_line, .args = syntax " weight=number",                       \
                      .help = "Names one of several targets, with fields of its own: request_header, "                 \
                              "response_header.")

/* Rows of any module that proxies HTTP; P: "proxy", "grpc". */
#define WEIR_PROXY_ROWS(P) \
    WEIR_PROXY_ROW_OF(set_headers, P "_set_header", &weir_proxy_type_set_header, \
                      .help = "Sets a field of the request to the peer; an empty value removes it."),                 \
    WEIR_PROXY_ROW_OF(hide_headers, P "_hide_header", &weir_proxy_type_name, \
                      .help = "Hides a field of the peer's answer from the client."),                                 \
    WEIR_PROXY_ROW_OF(pass_headers, P "_pass_header", &weir_proxy_type_name, \
                      .help = "Passes a field of the peer's answer that is hidden by default."),                      \
    WEIR_PROXY_ROW_OF(ignore_headers, P "_ignore_headers", &weir_type_mask, .values = weir_proxy_ignored, \
                      .help = "Ignores these fields of the peer's answer, which are instructions for Weir."),         \
    WEIR_PROXY_ROW(intercept_errors, P "_intercept_errors", .dflt = "off", \
                   .help = "Lets error_page replace the peer's answers of 300 and above."),                           \
    WEIR_PROXY_ROW_OF(bind, P "_bind", &weir_proxy_type_bind, .args = "address[:port] | off", \
                      .help = "Sets the address of this machine that connections to peers come from."),               \
    WEIR_PROXY_ROW(peer.socket_keepalive, P "_socket_keepalive", .dflt = "off", \
                   .help = "Turns on TCP keep-alive on connections to peers."),                                       \
    WEIR_PROXY_ROW_OF(next_upstream, P "_next_upstream", &weir_type_mask, .dflt = "error timeout", \
        .values = weir_proxy_next, \
                      .help = "Says after which failures another peer is asked."),                                    \
    WEIR_PROXY_ROW(next_upstream_tries, P "_next_upstream_tries", .dflt = "0", \
                   .help = "Limits how many peers are asked for one request; 0 sets no limit."),                      \
    WEIR_PROXY_ROW(next_upstream_timeout, P "_next_upstream_timeout", .dflt = "0", \
                   .help = "Sets the time after which no other peer is asked; 0 sets no limit."),                     \
    WEIR_PROXY_ROW(peer.connect_timeout, P "_connect_timeout", .dflt = "60s", .min = "1ms", \
                   .help = "Limits the time to connect to a peer, its TLS handshake included."),                      \
    WEIR_PROXY_ROW(peer.send_timeout, P "_send_timeout", .dflt = "60s", .min = "1ms", \
                   .help = "Limits the pause between two writes to a peer."),                                         \
    WEIR_PROXY_ROW(peer.read_timeout, P "_read_timeout", .dflt = "60s", .min = "1ms", \
                   .help = "Limits the pause between two reads from a peer, and how long a tunnel may be " \
                           "silent."),                                                                                \
    WEIR_PROXY_ROW(peer.buffer_size, P "_buffer_size", .dflt = "8k", .min = "1", .max = "16m", \
                   .help = "Limits the head of an answer; from HTTP/2 peers to 64k at most."),                        \
    WEIR_HTTP_TLS_UPSTREAM_ROWS(weir_proxy_conf_t, tls, P)

#endif
