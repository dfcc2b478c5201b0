/*
 * order.h - the order of filters: by their place, and of one place as .filter_after says, else as modules lie.
 */
#ifndef WEIR_HTTP_FILTER_ORDER_H
#define WEIR_HTTP_FILTER_ORDER_H

#include "http/module.h"

struct weir_http_module;

/* The modules that filter, from the producer's side to the client's, by index, and behind the last SIZE_MAX.  NULL: two
 * come behind one another, which was told. */
const size_t *weir_filters_order(weir_conf_t *cf);
/* The same of a row of modules; NULL in it: no http one. */
const size_t *weir_filters_order_of(weir_arena_t *arena, const weir_http_module_t *const *modules, size_t n);
/* The head filters of a block, with the filters that http has itself: ranges and limit_rate. */
void weir_filters_place(weir_arena_t *arena, const size_t *order, const weir_conf_block_t *block,
                        struct weir_http_pipeline *pipeline);

#endif
