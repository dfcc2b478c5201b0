/*
 * areas.h - the areas that take connections in this program.  Nothing else in core/proc names one.
 */
#ifndef WEIR_PROC_COMMON_AREAS_H
#define WEIR_PROC_COMMON_AREAS_H

#include "serve/serve.h"

extern const weir_area_t *const weir_areas[];        /* ended by NULL */

#endif
