/*
 * saved.c - see saved.h: where the owners of zones meet the store.
 */
#include "shm/saved.h"

static weir_saved_load_t saved_load;

void
weir_saved_use(weir_saved_load_t load)
{
    saved_load = load;
}

weir_saved_result_t
weir_saved_load(weir_str_t kind, weir_str_t zone, uint64_t name, uint64_t *value)
{
    return saved_load == NULL ? WEIR_SAVED_NONE : saved_load(kind, zone, name, value);
}
