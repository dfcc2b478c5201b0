/*
 * slice.c - see slice.h.
 */
#include "event/slice.h"

uint64_t weir_slice_all_us;
