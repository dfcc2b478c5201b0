/*
 * mirror.h - `mirror_to GROUP [percent=]`: copies of a place's requests to other groups; their answers are read away.
 */
#ifndef WEIR_HTTP_PROXY_MIRROR_H
#define WEIR_HTTP_PROXY_MIRROR_H

#include "http/proxy/share.h"
#include "http/request.h"

#define WEIR_MIRROR_MAX 16               /* in one place */

typedef struct {
    weir_str_t              authority;
    uint32_t                hundredths;  /* of a percent */
    weir_conf_words_t       words;       /* for errors */
    /* derived */
    weir_group_id_t         group;       /* none: nothing passes requests on in this place */
    uint64_t                below;       /* positions of the share that are copied; with share.sum 1: all, or none */
    weir_share_t            share;
} weir_mirror_t;

typedef struct { weir_mirror_t *at; size_t n; } weir_mirrors_t;

extern const weir_conf_type_t weir_mirror_type;

/* For a place that passes requests on, whose peers' port is this one where none is said.  false: recorded. */
bool        weir_mirror_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                              weir_mirrors_t *mirrors, uint16_t port) WEIR_MUST_USE;
/* The handler of the phase before the content's. */
weir_step_t weir_mirror_precontent(weir_request_t *req, const weir_mirrors_t *mirrors);

#endif
