/*
 * deprecation.h - what clients are told of a place that will go: Deprecation (RFC 9745), Sunset (RFC 8594), and a Link
 * to words for people; read from since=DATE, sunset=DATE and link=URL.
 *
 * Read at load time; the fields' texts are of the generation.
 */
#ifndef WEIR_HTTP_ANSWER_DEPRECATION_H
#define WEIR_HTTP_ANSWER_DEPRECATION_H

#include "conf/module.h"
#include "http/request.h"

#define WEIR_DEPRECATION_NO_DATE INT64_MIN

typedef struct {
    weir_str_t since, sunset, link;          /* values of the fields; empty: it is not sent */
    weir_str_t url;                          /* of the link, as written */
    int64_t    since_s, sunset_s;            /* seconds since 1970, or WEIR_DEPRECATION_NO_DATE */
} weir_deprecation_t;

#define WEIR_DEPRECATION_NONE ((weir_deprecation_t) { .since_s = WEIR_DEPRECATION_NO_DATE, \
                                                      .sunset_s = WEIR_DEPRECATION_NO_DATE })

/* Readers of options (weir_conf_read_options), whose data begins with a weir_deprecation_t. */
bool weir_deprecation_read_since(weir_conf_t *cf, size_t word, weir_str_t value, void *data);
bool weir_deprecation_read_sunset(weir_conf_t *cf, size_t word, weir_str_t value, void *data);
bool weir_deprecation_read_link(weir_conf_t *cf, size_t word, weir_str_t value, void *data);
#define WEIR_DEPRECATION_OPTIONS                                     \
    { .name = "since", .read = weir_deprecation_read_since },        \
    { .name = "sunset", .read = weir_deprecation_read_sunset },      \
    { .name = "link", .read = weir_deprecation_read_link }

/* The sunset is not before the deprecation (RFC 9745 §4).  false: recorded. */
bool weir_deprecation_check(weir_conf_t *cf, const weir_deprecation_t *deprecation) WEIR_MUST_USE;
/* 2026-12-31, or with a time.  false: recorded. */
bool weir_deprecation_read_date(weir_conf_t *cf, size_t word, weir_str_t text, int64_t *seconds) WEIR_MUST_USE;

/* The answer's fields, in the place of what stands there under these names (a peer's; what an outer place says): each
 * is one value.  A Link is added. */
void weir_deprecation_tell(weir_request_t *req, const weir_deprecation_t *deprecation);

#endif
