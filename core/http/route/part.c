/*
 * part.c - see part.h.  Load time only; in the generation's arena.
 */
#include "http/route/part.h"

bool
weir_http_part_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    const weir_http_location_t *location = block->parent->owner;
    weir_http_location_t       *part = weir_new(cf->arena, weir_http_location_t);

    (void) words;
    part->name = location->name;
    part->rule = location->rule;
    part->is_named = location->is_named;
    part->route = location->route;
    part->block = block;
    block->owner = part;
    return true;
}
