/*
 * probe.h - what a generation would do with a request that no client sent, found by the code that does it.
 *
 * A probe runs requests through request.c: the server, the route or location, the rewrite phase, and each handler that
 * its module calls pure (module.h).  A policy of the phases preaccess and access is run where the caller says that all
 * it looks at is known; each other one is noted, and taken for one that lets the request in.  Where the content would
 * be made it stops and looks.  It owns the generation's pipelines from then on, so that this generation serves no
 * client.
 *
 * Runs in tools, which have neither workers nor shared memory of an instance.
 */
#ifndef WEIR_HTTP_PROBE_H
#define WEIR_HTTP_PROBE_H

#include "http/module.h"
#include "http/proxy/preview.h"

/* A directive of the rewrite phase that was run. */
typedef struct weir_probe_step {
    struct weir_probe_step  *next;
    const weir_conf_words_t *words;
    bool                     held;       /* false: an `if` or a pattern that did not */
    weir_str_t               path, query;    /* behind it */
} weir_probe_step_t;

/* A place that the request came to. */
typedef struct weir_probe_visit {
    struct weir_probe_visit    *next;
    const weir_http_location_t *location;    /* the server's fallback: its own rewrite phase, or none's */
    const weir_rule_t          *line;        /* of a route: the match line; NULL: it is none */
    weir_str_t                  path, query;
    bool                        is_page;     /* for an error */
} weir_probe_visit_t;

/* What a policy of the place said. */
typedef enum {
    WEIR_PROBE_DEPENDS,                      /* it was not asked: what it looks at is not known */
    WEIR_PROBE_PASSED,
    WEIR_PROBE_REFUSED,                      /* with `satisfy any` another guard may let it in */
    WEIR_PROBE_ANSWERED,
    WEIR_PROBE_REHEARSED,                    /* it would have refused it, and lets it pass (guard/dry_run.h) */
} weir_probe_verdict_t;

typedef struct weir_probe_judgement {
    struct weir_probe_judgement *next;
    size_t                       module;
    weir_phase_t                 phase;
    weir_probe_verdict_t         verdict;
    const weir_http_location_t  *place;
    const char                  *policy;     /* the directive that decided; NULL: not told */
    weir_str_t                   name;       /* what tells its line from others of that name; empty: nothing */
} weir_probe_judgement_t;

typedef struct {
    weir_arena_t               *arena;       /* lives until the next request */
    const weir_http_listen_t   *listen;
    const weir_http_server_t   *server;
    weir_str_t                  host;
    weir_probe_visit_t         *visits;
    weir_probe_step_t          *steps;
    weir_probe_judgement_t     *judgements;  /* in their order */
    /* where handlers behind the rewrite phase are asked, or what answered in it; NULL: it did not come so far */
    const weir_http_location_t *place;
    const weir_rule_t          *line;
    bool                        arrived;     /* at the policies of the place */
    bool                        is_unrouted; /* … which is the server itself: no route and no location took it */
    /* an answer of this place, before any other handler was asked; 0: none */
    uint16_t                    status;
    weir_cause_t                cause;
    const char                 *detail;
    weir_str_t                  redirect;    /* its Location; empty: none */
    /* passed on: by what, and what is asked; of several targets the first that is one */
    const weir_proxy_conf_t    *proxy;       /* NULL: it is not */
    weir_proxy_preview_t        preview;
    weir_str_t                  file;        /* where files are served: its name; empty: none are */
    weir_str_t                  path, query; /* at the end */
} weir_probe_answer_t;

typedef struct {
    weir_str_t               text;           /* head as HTTP/1.1 has it */
    const weir_http_listen_t *listen;
    bool                     is_tls;
    bool                     is_http2;
    weir_addr_t              client;
    /* Is all known that this module looks at in that place?  NULL: policies are not asked at all. */
    bool                   (*decides)(void *data, const weir_probe_answer_t *answer, const weir_http_location_t *place,
                                      size_t module);
    void                    *data;
} weir_probe_request_t;

typedef struct weir_probe weir_probe_t;
/* NULL: errno. */
weir_probe_t *weir_probe_create(weir_generation_t *generation) WEIR_MUST_USE;
void          weir_probe_destroy(weir_probe_t *probe);
/* *problem: why the head is refused before it is a request; NULL: it is none of that. */
void          weir_probe_ask(weir_probe_t *probe, const weir_probe_request_t *request, weir_probe_answer_t *answer,
                             const char **problem);
/* What the matcher looked at when the request had this path. */
weir_match_input_t weir_probe_input(const weir_probe_t *probe, weir_str_t path, weir_str_t query);
/* Does that module only rehearse in a place?  (A line's own word dry_run is not seen.) */
bool weir_probe_is_rehearsed(const weir_http_location_t *place, size_t module, const void *conf);
/* What the place would run, phase by phase. */
const weir_http_pipeline_t *weir_probe_pipeline(const weir_http_location_t *place);

#endif
