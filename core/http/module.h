/*
 * module.h - what an http module is: one symbol of this type in one file of modules/http; configure finds it.
 */
#ifndef WEIR_HTTP_MODULE_H
#define WEIR_HTTP_MODULE_H

#include "conf/life.h"
#include "http/filter.h"
#include "http/request.h"

typedef struct weir_http_module {
    WEIR_MODULE_FIELDS;
    /* conf: the module's struct of the location.  A handler is left out of a location's pipeline when .enabled says
     * so. */
    weir_step_t (*on[WEIR_PHASE_MAX])(weir_request_t *req, const void *conf);
    /* NULL: always; WEIR_PHASE_MAX asks for the filter */
    bool        (*enabled)(const void *conf, weir_phase_t phase);
    /* on[WEIR_PHASE_FILTER]: a request before its body is read; may change its fields and its length, add a filter for
     * its body.  In the order of filter_place, too, the client's side first. */
    /* Before an answer's head leaves (filter.h): may change it, add a filter for its body, wait, answer instead,
     * fail.  In the order of filter_place, and of one place behind the modules that filter_after names. */
    weir_step_t (*filter_head)(weir_request_t *req, const void *conf);
    weir_filter_place_t filter_place;
    /* names, with spaces between; NULL: as they are */
    const char         *filter_after;
    /* Does a place with that conf answer preflights (Fetch, CORS)?  They are matched as the requests that they announce
     * then.  NULL: no. */
    bool        (*answers_preflight)(const void *conf);
    /* Is a cookie of that name the module's own affair in a place with that conf?  Neither peers nor services that are
     * asked about a request are told of it (weir_header_edit_told).  NULL: none is. */
    bool        (*owns_cookie)(const void *conf, weir_str_t name);
    /* Which consumer the request is from, by this module's own way (guard/consumer.h), in a place that asks or after
     * one that did; NULL: nothing was asked.  Called again and again: it keeps what it has found. */
    const struct weir_consumer_said *(*identify)(weir_request_t *req);
    /* phases, as bits, in which its handler only looks at the request's head and changes nothing else than the request:
     * `weir explain` runs those */
    uint32_t     pure;
    /* of the access phase: can this request be judged by its head alone, where others of that place cannot?  NULL: as
     * .pure says.  For `weir explain`, which has neither a store nor a service to ask */
    bool        (*judges_head)(weir_request_t *req, const void *conf);
    /* variables that a pure handler looks at beside those which its lines name, with spaces between; NULL: none */
    const char  *looks_at;
    /* its access handler does not say which clients may come (quotas, translations): no loss for `weir reload
     * --guard` */
    bool         admits_anybody;
    /* else: does it refuse any request with that conf?  NULL: it does, but for a rehearsal */
    bool        (*guards)(const void *conf);
    /* its struct is a weir_proxy_conf_t (proxy/proxy.h), by which its content is passed on */
    bool         is_proxy;
    /* its content is asked for where no other module's is: files */
    bool         is_fallback;
    /* handlers: the module it comes behind; NULL: any place */
    const char  *after;
} weir_http_module_t;

/* Made by configure, aligned with weir_modules: NULL where a module is not an http one. */
extern const weir_http_module_t *const weir_http_modules[];

/* Handlers of one location, flattened: policies are a row of function pointers. */
typedef struct {
    weir_step_t (*run)(weir_request_t *req, const void *conf);
    const void  *conf;
} weir_http_handler_t;

typedef struct {
    weir_step_t       (*run)(weir_request_t *req, const void *conf);
    const void         *conf;
    weir_filter_place_t place;
} weir_http_filter_row_t;

typedef struct weir_http_pipeline {
    const weir_http_handler_t *phase[WEIR_PHASE_MAX];
    uint16_t                   n[WEIR_PHASE_MAX];
    const weir_http_filter_row_t *filters;            /* of heads, in their order */
    uint16_t                   n_filters;
} weir_http_pipeline_t;

#endif
