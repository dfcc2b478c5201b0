/*
 * conf.h - the http part of a generation: listeners, servers, locations; and the directives of the http core.
 */
#ifndef WEIR_HTTP_CONF_H
#define WEIR_HTTP_CONF_H

#include "conf/core.h"
#include "http/match/match.h"
#include "serve/listen.h"

typedef struct weir_http_server weir_http_server_t;
typedef struct weir_http_location weir_http_location_t;
typedef struct weir_http_listen weir_http_listen_t;

/* -- error_page code … [=[response]] uri -- */
typedef struct {
    uint16_t               code;
    int32_t                overwrite;      /* -1: keep the code; 0: "=" take the target's; else that status */
    const weir_template_t *target;         /* URI, @name or absolute URL */
} weir_error_page_t;
typedef struct { weir_error_page_t *at; size_t n; } weir_error_pages_t;
extern const weir_conf_type_t weir_type_error_pages;
extern const weir_conf_enum_t weir_line_ends_values[];

typedef struct { weir_msec_t timeout, header; } weir_keepalive_times_t;   /* header: said in Keep-Alive; 0: not */

/* -- directives of the http core; one struct for http, server and location -- */
typedef struct {
    weir_bytes_t client_header_buffer_size, client_max_body_size, client_body_buffer_size;
    weir_bufs_t  large_client_header_buffers;
    weir_msec_t  client_header_timeout, client_body_timeout, send_timeout, lingering_time, lingering_timeout;
    weir_keepalive_times_t keepalive_timeout;
    weir_msec_t  keepalive_time;
    uint32_t keepalive_requests, max_headers, lingering_close, server_tokens, error_format, satisfy, if_modified_since,
        client_body_in_file_only, encoded_slash, reason_phrases;
    weir_flag_t reset_timedout_connection, underscores_in_headers, ignore_invalid_headers, merge_slashes, tcp_nodelay,
        chunked_transfer_encoding, absolute_redirect, server_name_in_redirect, port_in_redirect, internal, http2,
        sendfile, tcp_nopush, log_not_found, log_subrequest, recursive_error_pages, default_deny, dry_run;
    weir_temp_path_t client_body_temp_path;
    weir_str_t   default_type;
    weir_bytes_t sendfile_max_chunk;
    const weir_template_t *limit_rate, *limit_rate_after;    /* NULL: none */
    uint32_t     max_ranges, client_line_ends;
    weir_error_pages_t error_pages;
    weir_str_t   status_zone;
    weir_core_logs_t error_log;          /* n 0: the process's */
} weir_http_core_conf_t;

enum { WEIR_LINGER_OFF, WEIR_LINGER_ON, WEIR_LINGER_ALWAYS };
enum { WEIR_LINE_ENDS_CRLF, WEIR_LINE_ENDS_LF };
enum { WEIR_TOKENS_OFF, WEIR_TOKENS_ON };
enum { WEIR_BODY_FILE_OFF, WEIR_BODY_FILE_CLEAN, WEIR_BODY_FILE_ON };
enum { WEIR_ERRORS_HTML, WEIR_ERRORS_JSON, WEIR_ERRORS_PROBLEM };
enum { WEIR_SATISFY_ALL, WEIR_SATISFY_ANY };
enum { WEIR_PHRASES_STANDARD, WEIR_PHRASES_NGINX };
enum { WEIR_SLASH_REFUSE, WEIR_SLASH_KEEP, WEIR_SLASH_DECODE };

typedef struct {
    weir_str_t            name;
    weir_http_location_t *location;
    weir_rule_t         **lines;      /* what match lines say, in their order; without any the one that takes all */
    size_t                n_lines;
} weir_http_route_t;

struct weir_http_location {
    weir_str_t                  name;         /* as written: "/api/", "@fallback", "~ \.php$" */
    weir_conf_block_t          *block;
    void *const                *conf;         /* by module index */
    const weir_http_core_conf_t *core;
    struct weir_http_pipeline  *pipeline;     /* phases' handlers compiled for this location */
    weir_http_server_t         *server;
    bool                        is_named;
    bool                        answers_preflight;   /* module.h */
    bool                        is_proxied;   /* a module of its passes requests on */
    const weir_http_route_t    *route;        /* what makes it a route (route/routes.h); NULL: it is a location */
    uint32_t                    stats;        /* row of its status_zone; 0: none */
    weir_rule_t                 rule;
    weir_paths_t               *inner;
    weir_http_location_t       *limited;      /* limit_except: in its place for other methods than these; NULL: none */
    struct weir_proxy_targets  *targets;      /* that share its requests, said in this very block; NULL: none */
    uint32_t                    methods;      /* bits by weir_method_t: those that `limited` is not for */
};

struct weir_http_server {
    weir_conf_block_t           *block;
    void *const                 *conf;
    const weir_http_core_conf_t *core;
    struct weir_http_pipeline   *pipeline;    /* of the server level: rewrite before a location is found */
    weir_strs_t                  names;
    weir_str_t                   primary_name;/* $server_name; may be empty */
    weir_http_location_t        *fallback;    /* the server's own confs as a location: what runs when none matches */
    weir_paths_t                *paths;
    weir_routes_t               *routes;      /* tried before the paths; NULL: there are none */
    bool                         has_paths_only;  /* paths, and no routes */
    weir_http_location_t       **named;
    size_t                       n_named;
    uint32_t                     stats;       /* row of its status_zone; 0: none */
    struct weir_http_tls        *tls;         /* NULL: no certificate, no handshake (tls/tls.h) */
};

struct weir_http_listen {
    weir_listen_t         base;
    weir_http_server_t   *default_server;
    weir_hosts_t         *hosts;              /* names of its servers */
    bool                  default_set;
    bool                  is_http2;           /* `listen … http2`: for each of its servers */
};

typedef struct {
    weir_generation_t   *generation;
    weir_http_server_t **servers;
    size_t               n_servers;
    const struct weir_http_captures *captures;   /* see captures.h */
    weir_log_level_t     log_level;              /* the most verbose of error_log inside http */
} weir_http_conf_t;

extern const size_t weir_http_blocks_index;
/* NULL when there is no http block. */
static inline weir_http_conf_t *
weir_http_conf_of(const weir_generation_t *generation)
{
    return generation->built[weir_http_blocks_index];
}

/* const weir_template_t *: a size a second, which variables may make when it is used. */
extern const weir_conf_type_t weir_http_type_rate;

extern const weir_module_t weir_http_core;
extern const size_t        weir_http_core_index;

#endif
