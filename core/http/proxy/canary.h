/*
 * canary.h - `canary NAME TARGET steps=…`: one of the targets that share a place's requests (split.h) takes over step
 * by step, as long as it does as well as the others; shm/rollout.h decides.
 *
 * Several places may name the same canary: they go up and back together.
 */
#ifndef WEIR_HTTP_PROXY_CANARY_H
#define WEIR_HTTP_PROXY_CANARY_H

#include "conf/generation.h"
#include "http/message/fields.h"
#include "shm/rollout.h"

#define WEIR_CANARIES_MAX 64                 /* of one configuration */

typedef struct weir_canary {
    weir_str_t          name, target, release;
    weir_rollout_conf_t conf;
    const weir_conf_words_t *words;
    weir_str_t          zone;                /* the name of the memory: the canary's, and what makes it another one */
    weir_rollout_t     *rollout;
} weir_canary_t;

/* All of a configuration; returns how many. */
size_t weir_canary_list(const weir_generation_t *generation, weir_canary_t *const **first);

/* -- for split.c -- */
struct weir_proxy_targets;
struct weir_conf_block;
/* When the targets of a block are built: its canary, if it has one (targets->canary).  false: recorded. */
bool   weir_canary_build(weir_conf_t *cf, weir_generation_t *generation, const struct weir_conf_block *block,
                         struct weir_proxy_targets *targets) WEIR_MUST_USE;
/* Is this request the canary's?  key: what split_key says; empty: by turn. */
bool   weir_canary_takes(const struct weir_proxy_targets *targets, weir_str_t key);

#endif
