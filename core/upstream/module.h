/*
 * module.h - what an upstream module is: one symbol of this type in one file of modules/upstream; configure finds it.
 */
#ifndef WEIR_UPSTREAM_MODULE_H
#define WEIR_UPSTREAM_MODULE_H

#include "conf/life.h"
#include "upstream/balancer.h"
#include "upstream/policy.h"

typedef struct weir_upstream_module {
    WEIR_MODULE_FIELDS;
    /* The balancer that the upstream block with this struct of the module's has; NULL: none of the module's.  *key,
     * NULL at first: what each request has as weir_pick_t.key. */
    const weir_balancer_t *(*choose)(const void *conf, const weir_template_t **key);
    /* The policy that the upstream block with this struct has; NULL: none.  *settings: plain bytes that live as long as
     * the struct and have no pointers in them. */
    const weir_uppolicy_t *(*judge)(const void *conf, weir_str_t *settings);
    /* The numbers that the chosen balancer finds in weir_group_conf_t.balancing, 0 at first.  NULL: none. */
    void (*balancing)(const void *conf, uint32_t numbers[WEIR_BALANCING]);
    /* How requests are bound to peers of the block with this struct; its policy does so.  NULL: they are not. */
    const struct weir_sticky *(*stick)(const void *conf);
} weir_upstream_module_t;

/* Made by configure, aligned with weir_modules: NULL where a module is not an upstream one. */
extern const weir_upstream_module_t *const weir_upstream_modules[];

#endif
