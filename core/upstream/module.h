/*
 * module.h - what an upstream module is: one symbol of this type in one file of modules/upstream; configure finds it.
 */
#ifndef WEIR_UPSTREAM_MODULE_H
#define WEIR_UPSTREAM_MODULE_H

#include "conf/life.h"
#include "upstream/balancer.h"

typedef struct weir_upstream_module {
    WEIR_MODULE_FIELDS;
    const weir_balancer_t *balancer;                 /* it brings one; NULL */
    bool                 (*chosen)(const void *conf);    /* the upstream block with this struct of the module's has it */
} weir_upstream_module_t;

/* Made by configure, aligned with weir_modules: NULL where a module is not an upstream one. */
extern const weir_upstream_module_t *const weir_upstream_modules[];

#endif
