/*
 * part.h - blocks that are a part of a location: if, limit_except.
 */
#ifndef WEIR_HTTP_PART_H
#define WEIR_HTTP_PART_H

#include "http/conf.h"

/* The .opened of such a block: block->owner is the location in it. */
bool weir_http_part_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);

#endif
