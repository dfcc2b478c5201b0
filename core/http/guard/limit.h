/*
 * limit.h - what limits have in common: zones of keys that all workers share, the directives around them, how a refusal
 * is told.
 *
 * A limit counts by a key, any template; requests whose key is empty are not counted.  One that is refused gets the
 * status and the record in the error log that its directives say, unless it is a rehearsal (dry_run), which is logged
 * and lets all requests pass.
 */
#ifndef WEIR_HTTP_LIMIT_H
#define WEIR_HTTP_LIMIT_H

#include "http/module.h"
#include "shm/zone.h"

#define WEIR_LIMIT_ZONE_MIN 32768            /* bytes, as nginx asks for */

/* As limit_*_zone says it; how a list's entry begins. */
typedef struct {
    weir_str_t             name;
    uint64_t               size;             /* bytes */
    const weir_template_t *key;
    weir_conf_words_t      words;            /* for errors */
} weir_limit_zone_t;

/* The key of word 1, then "zone=name:size" among the other words: *zone, and which word that was.  false: recorded. */
bool weir_limit_read_zone(weir_conf_t *cf, const weir_conf_words_t *words, weir_limit_zone_t *zone,
                          size_t *at) WEIR_MUST_USE;
/* The one of that name in a list of entries of `item` bytes that begin as above; NULL. */
void *weir_limit_find_zone(const weir_conf_list_t *zones, size_t item, weir_str_t name);
/* Its memory, of `bytes` usable ones, given back with the generation.  NULL: recorded. */
void *weir_limit_take_zone(weir_conf_t *cf, const weir_limit_zone_t *zone, const weir_zone_kind_t *kind,
                           uint64_t bytes);
/* For a limit that names a zone which is none: records it. false. */
bool  weir_limit_no_zone(weir_conf_t *cf, const weir_conf_words_t *words, const char *directive, weir_str_t name);

typedef enum {
    WEIR_LIMIT_NONE, WEIR_LIMIT_PASSED, WEIR_LIMIT_DELAYED, WEIR_LIMIT_REJECTED, WEIR_LIMIT_DELAYED_DRY_RUN,
    WEIR_LIMIT_REJECTED_DRY_RUN
} weir_limit_status_t;
/* "PASSED" …: the value of $limit_req_status and its like; false: NONE. */
bool weir_limit_status_text(weir_limit_status_t status, weir_str_t *value);

/* The request's key; empty: it is not counted.  Of a path with encoded slashes it is the one that a path with slashes
 * has, so that no spelling of a path is counted for itself. */
weir_str_t weir_limit_key(weir_request_t *req, const weir_limit_zone_t *zone);

/* The row that a zone's limits are counted in; what: "req" or "conn". */
uint32_t weir_limit_stats_row(weir_conf_t *cf, const char *what, weir_str_t zone);
/* Counted there, and in the request's story. */
void weir_limit_judged(weir_request_t *req, const char *policy, weir_str_t name, uint32_t row,
                       weir_limit_status_t status);

/* A client's request is one for a zone, wherever it is redirected inside and whichever subrequests it has.  One that a
 * rehearsal would have refused is so for rehearsals only.
 * Does a limit of this zone count it?  what: the zone's key, or what else stands for one thing that counts, as long as
 * the generation.  is_of_server: the limit stands outside of the location: it has judged the
 * client's request, if it was to, and no subrequest. */
bool     weir_limit_counts(const weir_request_t *req, const void *what, bool is_of_server,
                           bool is_rehearsal);
void     weir_limit_counted(weir_request_t *req, const void *what, bool is_rehearsal);   /* … that refuses it */
/* Of a request that was just made on behalf of another. */
void     weir_limit_copy(weir_request_t *to, const weir_request_t *from);

/* What a client is told of a limit; times in seconds. */
typedef struct {
    uint64_t quota, window_s;                /* so many requests in that time */
    uint64_t left, reset_s;                  /* how many are left now; until they are as at first */
    uint64_t retry_s;                        /* of one that was refused: when to come again, 0: at once */
    bool     refused;
} weir_limit_told_t;

/* An element of RateLimit-Policy and one of RateLimit (draft-ietf-httpapi-ratelimit-headers), behind those that are
 * there, and Retry-After (RFC 9110 §10.2.3) with a refusal, unless there is a later one. */
void weir_limit_tell(weir_request_t *req, weir_str_t name, const weir_limit_told_t *told);

/* limit_*_log_level: info | notice | warn | error. */
extern const weir_conf_enum_t weir_limit_levels[];

#endif
