/*
 * consumer_conf.h - what the files of http_consumer share: consumer.c and consumer_module.c.
 */
#ifndef WEIR_HTTP_CONSUMER_CONF_H
#define WEIR_HTTP_CONSUMER_CONF_H

#include "http/guard/consumer.h"

/* Where the fact of a line of `identify` comes from. */
typedef enum {
    CONSUMER_TEXT,               /* what its text says */
    CONSUMER_VOUCHED,            /* what a method has vouched for */
    CONSUMER_NAME,               /* its text is the consumer's name */
    CONSUMER_FINGERPRINT, CONSUMER_SUBJECT, CONSUMER_SAN,        /* of the client's certificate */
} consumer_source_t;

typedef struct {
    weir_str_t             kind;
    uint32_t               source;
    const weir_template_t *text;             /* TEXT, NAME */
} consumer_line_t;

#define CONSUMER_LINES_MAX 32                /* in one place */

typedef struct {
    consumer_line_t  *at;
    size_t            n;
    weir_conf_words_t words;
    bool              off;
} consumer_lines_t;

typedef struct {
    weir_str_t             plan;             /* empty: off */
    const weir_template_t *key;              /* NULL: the client's address */
    weir_conf_words_t      words;
} consumer_anonymous_t;

enum { CONSUMER_UNKNOWN_REFUSE, CONSUMER_UNKNOWN_PASS };
enum { CONSUMER_CONFLICT_REFUSE, CONSUMER_CONFLICT_FIRST };

typedef struct {
    consumer_lines_t     lines;
    consumer_anonymous_t anonymous;
    uint32_t             unknown, conflict, dry_run;
} consumer_conf_t;

extern const size_t weir_http_consumer_index;

/* The handler of the access phase. */
weir_step_t weir_consumer_access(weir_request_t *req, const void *conf);

#endif
