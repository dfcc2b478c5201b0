/*
 * api.h - APIs and their versions: `api NAME { version v1 …; }` in http says what there is, `api NAME VERSION;` in a
 * server, a location or a route says what belongs to it.
 *
 *     api orders {
 *         title    "Orders";
 *         plans    gold silver;
 *         preview  $remote_addr in 10.0.0.0/8;
 *         version  v1 state=deprecated since=2026-10-01 sunset=2027-04-01 link=https://docs.example.com/v1;
 *         version  v2 openapi=orders.json;
 *         version  v3 state=draft;
 *     }
 *
 *     draft        its places are not there (404), but for requests that `preview` holds for
 *     published    as any place
 *     deprecated   clients are told so (answer/deprecation.h), and calls are counted (record/calls.h)
 *     retired      410, with the link
 *
 * The value is immutable, of the generation; `weir apis` lists it, and so will what shows APIs to people.
 */
#ifndef WEIR_HTTP_ROUTE_API_H
#define WEIR_HTTP_ROUTE_API_H

#include "conf/expression.h"
#include "http/answer/deprecation.h"
#include "http/conf.h"
#include "http/record/calls.h"

typedef enum { WEIR_API_DRAFT, WEIR_API_PUBLISHED, WEIR_API_DEPRECATED, WEIR_API_RETIRED } weir_api_state_t;

/* What an OpenAPI document says of itself; file empty: there is none. */
typedef struct {
    weir_str_t file;                         /* as written */
    weir_str_t bytes;
    weir_str_t etag;                         /* in quotes */
    weir_str_t openapi, title, version;
    uint32_t   operations;
} weir_api_document_t;

typedef struct weir_api weir_api_t;

typedef struct {
    weir_deprecation_t       deprecation;    /* first, for the readers of its options */
    weir_api_t              *api;
    weir_str_t               name;           /* "v1" */
    weir_str_t               label;          /* "orders/v1" */
    uint32_t                 state;          /* weir_api_state_t */
    weir_api_document_t      document;
    weir_conf_words_t        words;
    uint32_t                 stats;          /* row */
} weir_api_version_t;

typedef struct { weir_api_version_t *at; size_t n; } weir_api_versions_t;

struct weir_api {
    weir_api_t              *next;           /* in the order of the file */
    weir_str_t               name, title;
    weir_strs_t              plans;          /* none: consumers of any plan, and requests without one */
    bool                     is_plans_dry_run;
    const weir_expression_t *preview;        /* NULL: drafts are shown to no client */
    weir_conf_words_t        preview_words;
    weir_api_document_t      document;       /* of versions that do not say */
    weir_api_versions_t      versions;
    weir_conf_words_t        words;
};

/* `api NAME VERSION;` of a place. */
typedef struct {
    weir_str_t          api, version;        /* empty: of none */
    weir_conf_words_t words;
    const weir_api_version_t *at;            /* from .check */
} weir_api_use_t;

typedef struct {
    weir_api_use_t use;
    weir_api_use_t document;                 /* api_document */
    weir_api_t    *first, **end;             /* in http: what there is */
} weir_api_conf_t;

extern const size_t weir_http_api_index;

const char *weir_api_state_name(uint32_t state);
/* The first of all; NULL: there is none. */
const weir_api_t *weir_api_first(const weir_generation_t *generation);
/* NULL: there is none of that name. */
weir_api_t *weir_api_find(weir_api_t *first, weir_str_t name);
weir_api_version_t *weir_api_find_version(weir_api_t *api, weir_str_t name);

/* -- api_read.c: the lines of the block -- */
bool weir_api_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
bool weir_api_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
/* When all was read: what versions have of the API.  false: recorded. */
bool weir_api_settle(weir_conf_t *cf, weir_api_t *api) WEIR_MUST_USE;
/* -- api_document.c: an OpenAPI document, read and checked.  false: recorded at the word. -- */
bool weir_api_document_read(weir_conf_t *cf, size_t word, weir_str_t file, weir_api_document_t *document) WEIR_MUST_USE;

#endif
