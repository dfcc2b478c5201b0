/*
 * split.h - several targets in one place: `proxy_pass URL weight=N [{ … }]`, `grpc_pass …`, `return STATUS weight=N`.
 *
 * One is chosen for each request: by its turn, so that shares are exact over all workers (share.h), or by the hash of
 * split_key's text, so that a key stays with its target as long as the targets and their weights do.
 */
#ifndef WEIR_HTTP_PROXY_SPLIT_H
#define WEIR_HTTP_PROXY_SPLIT_H

#include "http/filter/header_edit.h"
#include "http/proxy/proxy.h"
#include "http/proxy/share.h"

struct weir_proxy_target {
    weir_proxy_pass_t   pass;            /* url empty: it is a status */
    uint16_t            status;
    uint32_t            weight;
    weir_str_t          text;            /* $split_target */
    weir_header_edits_t request, response;
    /* derived */
    uint64_t            below;           /* positions that are its, behind those of the targets before it */
    uint64_t            seed;            /* of the hash by which keys are its */
    weir_str_t          edit_url, edit_place;    /* proxy_redirect default: see edit.h */
};

typedef struct weir_proxy_targets {
    weir_proxy_target_t *at;
    size_t               n;
    const char          *directive;      /* of the first */
    weir_conf_words_t    words;          /* … for errors */
    weir_share_t         share;          /* of those that are no canary */
    const struct weir_canary *canary;    /* canary.h; NULL: all of them have the weights that are written */
    weir_proxy_target_t *taken;          /* … the one that is */
    weir_share_t         taking;         /* … the turns by which it has its share */
    uint32_t             taking_unit;    /* … each of which is worth so many hundredths of a percent */
    uint64_t             taking_seed;
    bool                 is_built;
} weir_proxy_targets_t;

#define WEIR_SPLIT_WEIGHT_MAX 1000000

/* -- load -- */
/* The words of proxy_pass or grpc_pass: into *pass, and its targets where there are weights.  target: the one that was
 * added; NULL: there is none. */
bool weir_split_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words,
                      const weir_proxy_scheme_t *schemes, weir_proxy_pass_t *pass, weir_proxy_target_t **target)
    WEIR_MUST_USE;
/* The same with a block; its lines (.line of the row) are the target's own rules. */
bool weir_split_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words,
                       const weir_proxy_scheme_t *schemes, weir_proxy_pass_t *pass) WEIR_MUST_USE;
bool weir_split_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
/* "weight=N" of word i. */
bool weir_split_read_weight(weir_conf_t *cf, size_t i, weir_str_t text, uint32_t *weight) WEIR_MUST_USE;
/* From the check of the module that has `return`: `return STATUS weight=N` of a block whose requests are shared is one
 * of the targets. */
bool weir_split_take_return(weir_conf_t *cf, weir_conf_block_t *block, uint16_t status, weir_str_t text,
                            bool *is_target) WEIR_MUST_USE;
/* When the block's modules are built: their groups are known.  false: recorded. */
bool weir_split_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                      weir_proxy_targets_t *targets) WEIR_MUST_USE;

/* -- a request -- */
/* The target that answers this one.  key: split_key; NULL: by turns. */
const weir_proxy_target_t *weir_split_choose(weir_request_t *req, const weir_proxy_targets_t *targets,
                                             const weir_template_t *key);

#endif
