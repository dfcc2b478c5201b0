/*
 * condition.h - the condition of an `if`: a variable that is set, a comparison, a pattern, a file that is there.
 */
#ifndef WEIR_HTTP_CONDITION_H
#define WEIR_HTTP_CONDITION_H

#include "conf/module.h"

struct weir_request;

typedef enum {
    WEIR_CONDITION_SET,              /* neither empty nor "0" */
    WEIR_CONDITION_EQUAL, WEIR_CONDITION_PATTERN,
    WEIR_CONDITION_FILE, WEIR_CONDITION_FOLDER, WEIR_CONDITION_EXISTS, WEIR_CONDITION_EXECUTABLE,
} weir_condition_kind_t;

typedef struct {
    weir_condition_kind_t  kind;
    bool                   negate;
    const weir_template_t *left, *right;     /* right: of EQUAL */
    const weir_regex_t    *regex;            /* of PATTERN */
} weir_condition_t;

typedef enum {
    WEIR_CONDITION_FALSE,
    WEIR_CONDITION_TRUE,
    WEIR_CONDITION_LIMIT,
    WEIR_CONDITION_SLASHES
} weir_condition_result_t;

/* "(…)", the words 1 to the last of the directive being read.  false: cf->error. */
bool weir_condition_read(weir_conf_t *cf, const weir_conf_words_t *words, weir_condition_t *condition) WEIR_MUST_USE;
/* A pattern that matches leaves its groups in the request.  LIMIT: one ran into its limit, and the request must be
 * denied.  SLASHES: it holds for a reader that keeps the encoded slashes of the path, or for one that takes them for
 * slashes, but not for both. */
weir_condition_result_t weir_condition_holds(const weir_condition_t *condition, struct weir_request *req);

#endif
