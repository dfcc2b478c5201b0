/*
 * request.h - one request and its answer, whatever the wire format.
 *
 * Owned by its codec's connection or stream; all it points at is in its own arena, its connection or its generation.
 */
#ifndef WEIR_HTTP_REQUEST_H
#define WEIR_HTTP_REQUEST_H

#include "event/conn.h"
#include "http/message/cause.h"
#include "http/codec.h"
#include "http/conf.h"
#include "http/hold.h"
#include "http/message/head.h"
#include "http/message/syntax.h"
#include "http/message/uri.h"
#include "upstream/id.h"

typedef struct weir_http weir_http_t;               /* a worker's http runtime */

/* What a request knows about where it came from. */
typedef struct {
    weir_endpoint_t addr;        /* client */
    weir_endpoint_t local;       /* server's side; .family 0 until asked (weir_request_local) */
    weir_str_t  text;            /* $remote_addr: without port */
    uint64_t    number;          /* $connection, unique in the worker */
    uint32_t    requests;        /* $connection_requests */
    int         fd;              /* for getsockname; -1 */
    weir_instant_t opened;
    const weir_conn_t *conn;     /* what it comes over: for $ssl_*; NULL: nothing */
    const struct weir_proxied *proxied;   /* what a balancer said of it (proxy_protocol.h); NULL: nothing */
    uint64_t    stored;          /* bytes of answers of peers that are kept for it, of all its requests */
    uint64_t    stored_mem;      /* … in memory */
    bool        is_tls;
    bool        is_pipelined;    /* the request under way was here before the one before it was answered */
} weir_client_t;

typedef enum {
    WEIR_PHASE_REWRITE,          /* may answer (return) or change the path */
    WEIR_PHASE_PREACCESS,        /* limits */
    WEIR_PHASE_ACCESS,
    WEIR_PHASE_FILTER,           /* filters of requests, from the client's side to the producer's (filter.h) */
    WEIR_PHASE_PRECONTENT,       /* of requests that are let in: what is looked for first (try_files) */
    WEIR_PHASE_CONTENT,          /* exactly one producer: the first that does not say NEXT */
    WEIR_PHASE_LOG,              /* always, once, all of them */
    WEIR_PHASE_MAX
} weir_phase_t;

typedef struct {
    uint16_t      status;                /* 0: none yet */
    weir_str_t    reason;                /* empty: the standard phrase */
    weir_fields_t fields;                /* without framing, Date, Server, Connection */
    uint64_t      length;                /* WEIR_LENGTH_NONE: unknown, chunked or until close */
    weir_fields_t trailers;
    bool          head_given, head_sent;  /* by the producer; to the codec, which is later where a filter holds it */
    bool          end_given, complete;
    bool          no_body;               /* HEAD, 1xx, 204, 304 */
    bool          upgraded;              /* 101: Connection: upgrade is kept */
    /* a Range may ask for parts of it; its producer has called weir_ranges_check */
    bool          has_ranges;
    bool          may_go_back;           /* … in any order: the producer asks for what is wanted (ranges.h) */
    bool          has_trailers;          /* there may be some: the end comes behind them */
    bool          is_live;               /* what is flushed is wanted at once: filters hold nothing back */
    uint16_t      head_row;              /* the location's next head filter */
    weir_filter_t *head_holder;          /* the filter that holds the head; NULL: none does */
    struct weir_filter_verdict *verdict; /* what a filter says in place of the answer; NULL: nothing */
    uint64_t      body_sent;             /* $body_bytes_sent, without framing */
    uint64_t      bytes_sent;            /* $bytes_sent; the codec counts */
} weir_response_t;

/* What follows a request that no client sent (probe.h): it is not counted and tells no story. */
typedef struct weir_witness weir_witness_t;
struct weir_witness {
    /* A directive of the rewrite phase was run: it held, or it did not. */
    void (*met)(weir_witness_t *witness, weir_request_t *req, const weir_conf_words_t *words, bool held);
    /* What the recorder would be told (record/story.h). */
    void (*judged)(weir_witness_t *witness, const char *policy, weir_str_t name, weir_str_t verdict);
};

struct weir_request {
    const weir_codec_t  *codec;          /* never replaced: what stands before it is a layer */
    void                *wire;           /* the codec's: connection or stream */
    weir_http_t         *http;
    weir_client_t       *client;
    weir_arena_t         arena;
    weir_generation_t   *generation;     /* a reference: the last that is given back */
    const weir_http_listen_t *listen;    /* its entry there */
    weir_http_server_t  *server;
    weir_http_location_t *location;
    const weir_rule_t   *route;          /* the match line by which a route took it last; NULL: none did */
    void *const         *conf;           /* of location, by module index */
    void               **ctx;            /* a module's own state of this request, by module index; NULL until set */
    struct weir_verdict *verdicts;       /* what policies said of it: for its story (story.h) */
    struct weir_limited *limited;        /* zones of limits that have counted it, or its first request (limit.h) */
    /* why a variable that this place asked for could not be worked out; NONE: all could */
    weir_cause_t         failed_value;
    /* what modules want to know again after an internal redirect, which clears ctx */
    struct weir_kept    *kept;

    /* the value: validated, and after the head is parsed changed only by internal redirects (uri, query, method to
     * GET) */
    weir_request_head_t  head;           /* method, fields, length … */
    /* the client's, while head.fields are what the place has made of them; NULL: they are the client's */
    const weir_fields_t *sent_fields;
    uint8_t              version;        /* 10, 11, 20 */
    weir_str_t           host;           /* lower case, without port; server's primary name when there is none */
    weir_uri_t           uri;            /* path: $uri */
    weir_str_t           query;          /* $args */
    bool                 uri_changed;    /* by a redirect or rewrite: wire was made from path */
    bool                 is_rewritten;   /* by the location under way: another is to be found */
    /* the path was rewritten and stays in this location, which may not be a part of it any more */
    bool                 is_elsewhere;
    uint64_t             id[2];          /* $request_id; made when asked */
    const char          *id_text;        /* its digits; NULL: not needed yet */

    weir_str_t           shown_line;     /* for logs, once something of the target was hidden; else empty */
    char                *shown_target;   /* in it, as long as the target; NULL: nothing is hidden */
    const struct weir_hidden *hidden;    /* names of arguments that are */

    weir_fields_t        trailers;       /* of the request; after its body */
    uint64_t             body_received;
    bool                 body_complete;
    bool                 body_dropped;   /* an error page made it a GET: the body goes nowhere */
    /* all of it, once it was read ahead; a second producer of the answer may send it */
    struct weir_store   *body;

    weir_response_t      res;
    weir_cause_t         cause;
    const char          *detail;         /* constant text beside the cause, for the error log */
    uint64_t             whole_length;   /* of what a Range asked for no part of: for the 416 */
    weir_filter_t       *filters, *last_filter;      /* outermost, innermost (filter.h); NULL: none */
    uint8_t              n_replaced;     /* answers in whose place filters put others */
    weir_str_t           charset;        /* X-Accel-Charset; at == NULL: not said */
    weir_str_t           asked_method;   /* of a subrequest: the client's, $request_method; else empty */
    /* the client's that it is made for; itself: it is a client's, or detached from it */
    weir_request_t      *main;
    struct weir_sub     *subs;           /* that are under way for it, not detached */
    uint8_t              depth;          /* 0: of a client */
    uint64_t             limit_rate;     /* said for this request, when has_limit_rate: 0 is none */
    bool                 has_limit_rate;
    weir_str_t           challenge;      /* WWW-Authenticate of a 401 of our own, whichever page it has; empty: none */
    /* of a peer's answer of 401 or 407 in whose place a page of ours comes; NULL: there is none */
    const weir_fields_t *challenges;
    /* satisfy any: what was said so far */
    struct { weir_cause_t cause; uint16_t status; const char *detail; bool is_granted; } guard;
    /* what policies that only rehearse have said (guard/dry_run.h); is_over: they would have ended it */
    struct { weir_cause_t failed_before; bool is_at_work, is_over, is_denied, is_granted; } rehearsal;

    /* captures and defined variables */
    weir_captures_t      captures;       /* of the last pattern that matched: $1 */
    bool                 captures_decoded;   /* … what it was matched with is a decoded path */
    /* … and what they are for a reader that takes its encoded slashes for slashes; NULL: the same */
    const weir_captures_t *captures_plain;
    struct weir_wire_form *wire_forms;   /* of variables: see uri_text.h */
    bool                 has_plain_forms;    /* one of them, or a capture, has another reading */
    const weir_str_t   **slots;          /* by weir_vars_define's number */

    /* flow */
    const struct weir_http_pipeline *pipeline;
    uint16_t             phase, handler; /* where to go on after PARK */
    weir_holder_t       *holder;         /* what waits on its behalf, or makes its answer (hold.h); NULL: nothing */
    weir_holder_t        rest;           /* of request.c: what is pending when the answer was made */
    uint8_t              redirects;
    bool                 is_counted;
    uint32_t             counted_in;     /* the server's row that it is under way in; 0: none */
    uint32_t             retry_after;    /* seconds, for Retry-After of a failure of our own; 0: nothing is known */
    uint16_t             error_status;   /* what error_page keeps or sets; 0: the target's own */
    bool                 is_internal, finalised, is_cancelling, in_error_page, keep_alive, is_ended,
                         is_sub,         /* Weir made it itself (sub.h) */
                         is_exempt,      /* … and guards do not judge it: its maker said so */
                         is_last_page,   /* it went to a page from a place whose recursive_error_pages is off */
                         is_call_counted,    /* calls.h */
                         is_looping;     /* no page answers for it any more */
    bool                 ignore_client_close;  /* work goes on although no client will read the answer */

    uint64_t             started_wall_ms, started_us;
    uint64_t             total_us;             /* from its end on */
    weir_instant_t       started;              /* first byte */
    uint64_t             received;             /* $request_length */
    weir_log_context_t   log;
    weir_witness_t      *witness;        /* NULL: a client sent it, or it was made for one */

    /* what the proxy engine leaves for $upstream_*: one entry an attempt */
    struct weir_attempt *attempts;
    uint32_t             n_attempts, cap_attempts;
    const weir_response_head_t *upstream_head;
    weir_fields_t        upstream_trailers;
    /* what the variables of proxy_pass made, or which of several was chosen; NULL: it has none, and is alone */
    const struct weir_proxy_pass *proxied_to;
    weir_group_id_t      pass_to;               /* a copy: the group it is passed on to, instead; none: it is no copy */
    const struct weir_proxy_target *target;     /* of several that share the place's requests; NULL: none */
    weir_msec_t          target_took;           /* … ms from the first try to its answer, and 1; 0: none */
};

/* One attempt to get an answer from a peer. */
typedef struct weir_attempt {
    weir_str_t  peer;            /* $upstream_addr */
    uint16_t    status;          /* $upstream_status; 0 while none */
    bool        connected, has_header;
    bool        after_redirect;  /* the first of another location: set off by a colon */
    bool        is_excused;      /* it failed for a limit that the client set, or used up: its peer is not to blame */
    uint32_t    peer_stats, group_stats;         /* rows */
    weir_msec_t connect_time, header_time, response_time;
    weir_msec_t client_time;     /* of header_time: its peer waited for the client's body */
    uint64_t    bytes_received, bytes_sent, response_length;
    weir_cause_t cause;
} weir_attempt_t;

/* -- flow; every function may end in the request being finished and gone unless said otherwise -- */

/* A codec made a request: find the server and run the phases. */
void weir_request_run(weir_request_t *req);
/* A codec made a part of one: the same as weir_request_fail, at the server that its host names as far as that is
 * known. */
void weir_request_refuse(weir_request_t *req, weir_cause_t cause, const char *detail);
/* A handler that said PARK has let go: the request goes on behind it. */
void weir_request_resume(weir_request_t *req);

/* Answers by Weir itself with a cause: its status, the error_page for it or the built-in page.  Before a head was sent
 * only; afterwards it aborts.  Returns WEIR_DONE. */
weir_step_t weir_request_fail(weir_request_t *req, weir_cause_t cause, const char *detail);
/* The same with another status than the table's (ROUTE_RETURN, intercepted upstream statuses). */
weir_step_t weir_request_fail_status(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail);
/* The same with a page that a module or a service has made, where no error_page is for the status: any from 200 on. */
weir_step_t weir_request_fail_page(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail,
                                   weir_str_t content_type, weir_str_t page);
/* A record in the error log in words of its own, with this cause and the request's id. */
void weir_request_log(weir_request_t *req, uint32_t level, weir_cause_t cause, const char *format, ...)
    WEIR_PRINTF(4, 5);
/* What a guard of the access phase says of a request: refused, which is the same as to fail, but with `satisfy any`
 * another guard may yet let it in; or let in, where one that does not care says only NEXT.  Returns what the handler
 * returns. */
weir_step_t weir_request_deny(weir_request_t *req, weir_cause_t cause, const char *detail);
weir_step_t weir_request_grant(weir_request_t *req);
/* The same as to deny, with another status than the cause's. */
weir_step_t weir_request_deny_status(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail);
/* For a handler of the access phase behind all guards: has the request been let in?  is_rehearsal: by those that are
 * rehearsed, too (guard/dry_run.h). */
bool weir_request_is_let_in(const weir_request_t *req, bool is_rehearsal);
/* Is there an error_page for this status where the request is now? */
bool weir_request_has_error_page(const weir_request_t *req, uint16_t status);
/* A complete answer with a small body (copied nowhere: must live until sent or be in the arena).  Returns WEIR_DONE. */
weir_step_t weir_request_reply(weir_request_t *req, uint16_t status, weir_str_t content_type, weir_str_t body);
/* A path as an address that a client can use, as absolute_redirect & co. say; anything else as it is. */
weir_str_t weir_request_absolute(weir_request_t *req, weir_str_t location);
/* A redirect: Location made absolute as absolute_redirect & co. say.  status 301, 302, 303, 307, 308. */
weir_step_t weir_request_redirect_client(weir_request_t *req, uint16_t status, weir_str_t location);
/* To another path or "@name"; counts against 10. */
weir_step_t weir_request_redirect(weir_request_t *req, weir_str_t path, weir_str_t query);
weir_step_t weir_request_redirect_named(weir_request_t *req, weir_str_t name);
/* A request of our own: from its server on with this decoded path. */
void weir_request_run_inside(weir_request_t *req, weir_str_t path, weir_str_t query);
/* The same, of another request's place and path, behind the filters, which have seen the other. */
void weir_request_run_beside(weir_request_t *req, const weir_request_t *other);
/* The request goes on as a GET (a HEAD stays one) without its body. */
void weir_request_be_get(weir_request_t *req);
/* The path of the client's own target in its normal form, as encoded_slash of the server has it. */
weir_uri_result_t weir_request_read_path(weir_request_t *req, weir_uri_t *uri) WEIR_MUST_USE;
/* For handlers of the rewrite phase.  Another path (decoded) and query from here on; false: no such path can be, and
 * the request is as it was. */
bool weir_request_set_path(weir_request_t *req, weir_str_t path, weir_str_t query) WEIR_MUST_USE;
/* A directive was run: for the request's witness. */
static inline void
weir_request_met(weir_request_t *req, const weir_conf_words_t *words, bool held)
{
    if (weir_unlikely(req->witness != NULL)) {
        req->witness->met(req->witness, req, words, held);
    }
}
/* What this part of its location says holds from here on. */
void weir_request_use_part(weir_request_t *req, weir_http_location_t *part);

/* -- producing an answer piece by piece -- */
weir_field_t *weir_response_add(weir_request_t *req, weir_header_id_t id, weir_str_t value);   /* never NULL: panics */
/* in the place of all of that name */
void          weir_response_set(weir_request_t *req, weir_header_id_t id, weir_str_t value);
void          weir_response_drop(weir_request_t *req, weir_header_id_t id);                    /* all of that name */
/* the first that is sent; at == NULL: none is */
weir_str_t    weir_response_value(const weir_request_t *req, weir_header_id_t id);
weir_io_t     weir_response_head(weir_request_t *req);      /* through the filters (filter.h), then the codec */
weir_io_t     weir_response_body(weir_request_t *req, weir_str_t bytes);
/* The same of a file; see the codec's send_file. */
weir_io_t     weir_response_file(weir_request_t *req, int fd, uint64_t *offset, uint64_t end);
/* The same of what a pipe holds; see the codec's send_pipe.  n == 0: EOF or not, whether it can be done for this
 * answer. */
weir_io_t     weir_response_pipe(weir_request_t *req, int pipe, size_t n, size_t *moved);
/* For a producer that can begin anywhere: what of [*from, *to), which it has left, comes next.  OK · AGAIN: not known
 * yet, on_writable is called · EOF: nothing more. */
weir_io_t     weir_response_wants(weir_request_t *req, uint64_t *from, uint64_t *to);
weir_io_t     weir_response_flush(weir_request_t *req);     /* at the end of each turn of a producer */
/* One of these said ERROR: the client has gone, or a filter fails or has another answer.  The producer has let go; the
 * request ends, or a filter answers it. */
void          weir_response_lost(weir_request_t *req);
/* Bytes of a body, of `most`, that are worth having now: what the client can take, and a first small piece in any
 * case. */
size_t        weir_response_piece(const weir_request_t *req, size_t most);
/* bytes are waiting: the hold's on_writable is called when they have gone */
bool          weir_response_pending(const weir_request_t *req);
/* then: weir_request_finish when nothing is pending (see on_writable) */
weir_io_t     weir_response_end(weir_request_t *req);
/* The end: logs, then the codec has the request back.  After this req is gone. Waits by itself until what is pending
 * was sent. */
void          weir_request_finish(weir_request_t *req);
/* cut: head was sent, cannot complete */
void          weir_request_abort(weir_request_t *req, weir_cause_t cause, const char *detail);
/* Codec -> request: the client has gone (EOF, reset, timeout). */
void          weir_request_client_gone(weir_request_t *req, weir_cause_t cause);

/* The next piece of the request's body, through its filters; as the codec's read_body. */
weir_io_t     weir_request_read(weir_request_t *req, weir_str_t *bytes);

/* Of a preflight (Fetch, CORS): the field that says which method the request that it announces has.  NULL: it is
 * none. */
static inline const weir_field_t *
weir_request_preflight(const weir_request_t *req)
{
    if (req->head.method != WEIR_METHOD_OPTIONS || weir_fields_first(&req->head.fields, WEIR_HEADER_ORIGIN) == NULL) {
        return NULL;
    }
    return weir_fields_find(&req->head.fields, WEIR_STR("access-control-request-method"));
}

/* -- for handlers -- */
/* By module index; lives as long as the request, over internal redirects.  NULL: nothing was kept. */
void  weir_request_keep(weir_request_t *req, size_t module_index, void *data);
void *weir_request_kept(const weir_request_t *req, size_t module_index);
/* A variable cannot be worked out, which is something else than that it is empty: if a handler of the phases up to
 * access asked for it, the request is refused for this cause.  For getters of variables. */
void  weir_request_value_failed(weir_request_t *req, weir_cause_t cause);
/* One was asked for that says one thing where encoded slashes are kept and another where they are slashes: whatever
 * depends on it is not done, and the request is refused for CLIENT_TARGET; once it is, by the code that answers for it,
 * no more. */
static inline bool
weir_request_is_split(const weir_request_t *req)
{
    return weir_unlikely(req->failed_value == WEIR_CAUSE_CLIENT_TARGET && req->cause != WEIR_CAUSE_CLIENT_TARGET);
}
/* Arguments of this name (any case) are not sent on. */
void  weir_request_strip_arg(weir_request_t *req, weir_str_t name);
/* Arguments of this name (any case; it lives as long as the request) are secrets: no log shows their values. */
void  weir_request_hide_arg(weir_request_t *req, weir_str_t name);
/* The answer's status as logs and statistics tell it: of one that ended before error_page's answer was made, the one
 * that it was to have.  0: there was none. */
static inline uint16_t
weir_request_status(const weir_request_t *req)
{
    return req->res.status != 0 ? req->res.status : req->error_status;
}

/* Has it a body, as far as is known now?  (Over HTTP/2 one may come without a length.) */
static inline bool
weir_request_has_body(const weir_request_t *req)
{
    return !req->body_complete || req->body != NULL || req->body_received != 0;
}

/* The worker's loop: for the timers of handlers that PARK. */
weir_loop_t *weir_request_loop(const weir_request_t *req);

/* -- for codecs -- */
/* What was pending has gone. */
void weir_request_writable(weir_request_t *req);
/* First of all: ties it to its client and to a generation (referenced); the default server's confs hold until the host
 * is known. */
void weir_request_begin(weir_request_t *req, weir_client_t *client, const weir_http_listen_t *listen,
                        weir_generation_t *generation);
/* By req->host inside the connection's listener; false: a pattern ran into its limit (the default server is set). */
bool weir_request_find_server(weir_request_t *req);
void weir_request_use_location(weir_request_t *req, weir_http_location_t *location);
weir_str_t weir_request_server_token(const weir_request_t *req);    /* what Server and the error pages say */

/* From here on all readers see asterisks where something was hidden: the answer is made, logs are written. */
void weir_request_show_hidden(weir_request_t *req);

/* -- looking -- */
weir_addr_t weir_request_local(weir_request_t *req);
#define WEIR_REQUEST_ID_DIGITS 32
weir_str_t         weir_request_id(weir_request_t *req);    /* hex digits */
extern const weir_variable_t weir_http_slot_row, weir_http_capture_row;
/* Keeps a pattern's captures: $1… and its named groups' slots.  is_decoded: what was matched is a decoded path, or has
 * a piece of one. */
void weir_http_captures_set(weir_request_t *req, const weir_captures_t *captures, const weir_regex_t *regex,
                            bool is_decoded);
/* A route has taken it: $route, and the captures of its path. */
void weir_http_captures_set_route(weir_request_t *req, const weir_match_t *match);
/* Matches, and keeps the captures of a match. */
weir_regex_result_t weir_http_captures_match(weir_request_t *req, const weir_regex_t *regex, weir_str_t subject,
                                             bool is_decoded) WEIR_MUST_USE;

/* What variables and texts are made of. */
static inline weir_scope_t
weir_request_scope(weir_request_t *req)
{
    return (weir_scope_t) { .of = { [WEIR_OF_CONNECTION] = req->client, [WEIR_OF_REQUEST] = req } };
}

/* A variable's value, and a text's. */
static inline bool
weir_request_get(weir_request_t *req, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_scope_t scope = weir_request_scope(req);

    return weir_vars_get(ref, &scope, &req->arena, value);
}

static inline weir_str_t
weir_request_eval(weir_request_t *req, const weir_template_t *template)
{
    const weir_scope_t scope = weir_request_scope(req);

    return weir_template_eval(template, &scope, &req->arena);
}

#define weir_request_conf(req, name, type) ((const type *) (req)->conf[weir_##name##_index])
#define weir_request_core(req)             ((req)->location->core)

#endif
