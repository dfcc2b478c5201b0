/*
 * areas.c - see areas.h.
 */
#include "proc/common/areas.h"

#include "http/http.h"

const weir_area_t *const weir_areas[] = { &weir_http_area, NULL };
