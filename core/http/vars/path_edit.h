/*
 * path_edit.h - another path in the place of a request's: all of it, or what stands before the rest of its segments
 * (the Gateway API's ReplaceFullPath and ReplacePrefixMatch).
 *
 * For code that passes a request on (core/http/proxy) or sends its client elsewhere (modules/http/redirect.c).  What
 * comes out is a path in its normal form (uri.h), whatever the variables in it hold: they bring no query, no fragment
 * and no dot segments.
 */
#ifndef WEIR_HTTP_PATH_EDIT_H
#define WEIR_HTTP_PATH_EDIT_H

#include "conf/module.h"
#include "http/request.h"

typedef struct {
    const weir_template_t *path;         /* in the place of all of it; NULL */
    const weir_template_t *to;           /* in the place of the prefix; NULL */
    weir_str_t             from;         /* that prefix, without a slash at its end */
    bool                   is_of_place;  /* … is the location's, or the route's that matched */
} weir_path_edit_t;

static inline bool
weir_path_edit_is_set(const weir_path_edit_t *edit)
{
    return edit->path != NULL || edit->to != NULL;
}

/* A path, or a prefix's new text, of word i of the directive.  false: recorded. */
bool weir_path_edit_read_path(weir_conf_t *cf, size_t i, weir_str_t text, weir_path_edit_t *edit) WEIR_MUST_USE;
bool weir_path_edit_read_to(weir_conf_t *cf, size_t i, weir_str_t text, weir_path_edit_t *edit) WEIR_MUST_USE;
/* The prefix that is replaced; without this call it is the place's. */
bool weir_path_edit_read_from(weir_conf_t *cf, size_t i, weir_str_t text, weir_path_edit_t *edit) WEIR_MUST_USE;
/* From a module's check: does the place have the prefix that is asked for? */
bool weir_path_edit_check(weir_conf_t *cf, const weir_conf_block_t *block, const char *directive,
                          const weir_path_edit_t *edit) WEIR_MUST_USE;

/* The path for a target, encoded: the request's own where the prefix is not its.  false: there would be dot segments,
 * or it would be none. */
bool weir_path_edit_make(weir_request_t *req, const weir_path_edit_t *edit, weir_str_t *wire) WEIR_MUST_USE;

#endif
