/*
 * numbers.h - which number a group's name has (weir_group_id_t).  Inside core/upstream only.
 *
 * The process that reads a configuration (the master) gives the numbers, from a table that outlives its generations: a
 * name has the same number in all of them, and a number is another name's only after no generation has it any more.
 * They travel in the bundle, so that a worker's generation has those of the master's.
 */
#ifndef WEIR_UPSTREAM_NUMBERS_H
#define WEIR_UPSTREAM_NUMBERS_H

#include "base/str.h"

#define WEIR_NUMBERS_MAX (UINT32_C(1) << 20)     /* groups of all generations that a process has at the same time */

/* The number of an upstream block's name, or of what tells an implied group from others; it is held once more, and the
 * text is copied.  0: there are too many.  Any thread may call. */
uint32_t weir_numbers_take(weir_str_t name, bool is_implied) WEIR_MUST_USE;
/* It is held once less. */
void     weir_numbers_give_back(uint32_t number);
/* How many names have one. */
size_t   weir_numbers_count(void);

/* As they travel, behind one another in the order in which the reading met the groups. */
typedef struct { uint32_t number, check; } weir_numbers_said_t;       /* check: of the name */
uint32_t weir_numbers_check(weir_str_t name, bool is_implied);

#endif
