/*
 * module.h - what an upstream module is: one symbol of this type in one file of modules/upstream; configure finds it.
 */
#ifndef WEIR_UPSTREAM_MODULE_H
#define WEIR_UPSTREAM_MODULE_H

#include "conf/life.h"
#include "upstream/balancer.h"

typedef struct weir_upstream_module {
    WEIR_MODULE_FIELDS;
    /* The balancer that the upstream block with this struct of the module's has; NULL: none of the module's.  *key,
     * NULL at first: what each request has as weir_pick_t.key. */
    const weir_balancer_t *(*choose)(const void *conf, const weir_template_t **key);
} weir_upstream_module_t;

/* Made by configure, aligned with weir_modules: NULL where a module is not an upstream one. */
extern const weir_upstream_module_t *const weir_upstream_modules[];

#endif
