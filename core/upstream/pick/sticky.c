/*
 * sticky.c - see sticky.h.
 */
#include "upstream/sticky.h"

weir_str_t
weir_sticky_first(weir_str_t values)
{
    weir_str_t first = WEIR_STR_NONE;

    while (first.len == 0 && values.len != 0) {
        (void) weir_str_cut(values, WEIR_STICKY_BETWEEN, &first, &values);
    }
    return first;
}
