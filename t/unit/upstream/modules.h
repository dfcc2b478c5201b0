/*
 * modules.h - the balancer that an upstream module chooses for a struct of its settings, as its parser would leave it.
 */
#ifndef WEIR_T_MODULES_H
#define WEIR_T_MODULES_H

#include "upstream/module.h"

static inline const weir_balancer_t *
modules_balancer(const char *name, const void *settings)
{
    for (size_t m = 0; m < weir_modules_count; m++) {
        const weir_upstream_module_t *module = weir_upstream_modules[m];
        const weir_template_t        *key = NULL;

        if (module != NULL && strcmp(module->name, name) == 0) {
            return module->choose(settings, &key);
        }
    }
    return NULL;
}

#endif
