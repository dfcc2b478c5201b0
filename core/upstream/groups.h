/*
 * groups.h - the groups of one generation, and what runs for each of them in a process.  Inside core/upstream only.
 */
#ifndef WEIR_UPSTREAM_GROUPS_H
#define WEIR_UPSTREAM_GROUPS_H

#include "base/array.h"
#include "base/table.h"
#include "conf/generation.h"
#include "upstream/group.h"
#include "upstream/numbers.h"

/* generation->built of the upstream module: written by the build alone. */
typedef struct {
    weir_table_t        named;       /* of upstream blocks, by name in lower case: weir_group_conf_t */
    weir_table_t        implied;     /* by address and host header: weir_group_conf_t */
    weir_table_t        stated;      /* by the path of their `state`: weir_group_conf_t */
    weir_array_t        all;         /* weir_group_conf_t *, in the order of the reading */
    weir_group_conf_t **by_number;   /* NULL: another generation's */
    uint32_t            n_by_number;
    bool                is_numbered_here;    /* the numbers are held in this process' table */
    weir_array_t        numbers;     /* weir_numbers_said_t of each of them */
    weir_str_t          said;        /* those that came with the bundle; empty: none did */
    uint64_t            states;      /* upstream_states; 0: there is no http block */
    uint64_t            changes;     /* the last change at run time before it was read */
} weir_upstream_groups_t;

/* Empty.  false: cf->error is set. */
bool weir_upstream_groups_begin(weir_conf_t *cf, weir_upstream_groups_t *groups) WEIR_MUST_USE;
/* One more, with its number.  key: its name in lower case, or what an implied one is found by.  false: cf->error is
 * set. */
bool weir_upstream_groups_add(weir_conf_t *cf, weir_upstream_groups_t *groups, weir_str_t key, bool is_implied,
                              weir_group_conf_t *group) WEIR_MUST_USE;
/* The module's .record. */
void weir_upstream_groups_record(weir_conf_t *cf, weir_generation_t *generation);

/* No list of the generation is followed any more. */
void weir_upstream_stop_following(weir_generation_t *generation);

#endif
