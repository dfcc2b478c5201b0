/*
 * discovery.h - lists of servers at addresses: what the parts of this folder share.
 *
 *     module.c    the directives, and the module's life
 *     poll.c      the worker that asks for all: asks, and asks again
 *     consul.c    what Consul's health API is asked, and what its answer says
 */
#ifndef WEIR_DISCOVERY_H
#define WEIR_DISCOVERY_H

#include "http/module.h"

#include "http/fetch/fetch.h"
#include "upstream/source.h"

#define DISCOVERY_TARGET_MAX 4096
#define DISCOVERY_FIELD_MAX  256

typedef struct discovery discovery_t;
typedef struct discovery_asks discovery_asks_t;

/* What tells one kind of list from another. */
typedef struct {
    weir_str_t  wanted;                  /* the field of an answer that says which version it is */
    const char *what;                    /* for the log */
    /* The target of the next question, from url.target and what is known; false: it has not changed. */
    void      (*ask)(discovery_asks_t *asks, weir_fetch_spec_t *spec);
    /* false: *error.  In the arena. */
    bool      (*parse)(weir_arena_t *arena, weir_str_t text, weir_source_list_t *list, weir_error_t *error);
    /* An answer was taken, whose field is this one: in how many ms it is to be asked for again. */
    uint64_t  (*taken)(discovery_asks_t *asks, weir_str_t field);
} discovery_kind_t;

/* One directive, of the generation. */
struct discovery {
    const discovery_kind_t  *kind;
    weir_source_t           *source;
    const weir_conf_words_t *words;
    weir_fetch_url_t         url;
    weir_str_t               authorities;        /* ca=; empty: those of the system */
    weir_str_t               authorization;      /* a field's value; empty: none.  A secret. */
    weir_str_t               target;             /* of Consul: what is asked for, without its version */
    weir_msec_t              interval;           /* of Consul: how long it may wait for news */
};

/* In the worker that asks. */
struct discovery_asks {
    const discovery_t       *conf;
    weir_source_run_t       *run;
    weir_timer_t             timer;
    weir_fetch_t            *fetch;
    weir_fetch_url_t         at;                 /* the question under way */
    char                     room[DISCOVERY_TARGET_MAX];
    char                     version[DISCOVERY_FIELD_MAX];
    size_t                   version_len;
    uint64_t                 index, asked;       /* of Consul; when, ms */
    uint32_t                 failures;           /* since the last answer that was taken */
    uint64_t                 told;               /* why, as the log was told */
};

extern const size_t weir_http_discovery_index;       /* generation->kept: the process' life */

/* poll.c */
extern const weir_source_ops_t discovery_ops;

/* consul.c */
extern const discovery_kind_t discovery_consul;
/* "/v1/health/service/NAME?passing=1…" behind the address' own path, from words that follow; false: cf->error. */
bool discovery_consul_option(weir_conf_t *cf, size_t word, discovery_t *source, weir_str_t name, weir_str_t value,
                             bool *is_mine) WEIR_MUST_USE;
bool discovery_consul_bind(weir_conf_t *cf, discovery_t *source) WEIR_MUST_USE;
bool discovery_consul_parse(weir_arena_t *arena, weir_str_t text, weir_source_list_t *list, weir_error_t *error);

#endif
