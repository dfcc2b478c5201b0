/*
 * recent.h - records that this process has read lately: as good as a look into the map as long as no transaction has
 * been written since.
 *
 * A worker's own memory, a fixed room: a record has one place there, and the one that was read last has it.  What
 * clients make up (keys that are no consumer's) is not kept, so that it pushes nothing out.  On the loop's thread only.
 */
#ifndef WEIR_STORE_RECENT_H
#define WEIR_STORE_RECENT_H

#include "store/view.h"

#define WEIR_STORE_RECENT_RECORD 160         /* longer records are not kept */

typedef struct {
    size_t             transaction;          /* that it is of */
    weir_store_table_t table;
    weir_str_t         name;                 /* the record's key, at most WEIR_STORE_NAME bytes */
} weir_store_recent_t;

/* Is there such a record (or was there none)?  The first bytes, `room` at the most, are copied; *size: how many it
 * has. */
bool weir_store_recent_find(const weir_store_recent_t *which, void *record, size_t room, size_t *size,
                            weir_store_found_t *found) WEIR_MUST_USE;
/* Keeps one that was read with that room, if it is of a kind that is kept. */
void weir_store_recent_keep(const weir_store_recent_t *which, const void *record, size_t room, size_t size,
                            weir_store_found_t found);
/* Another file is read from now on. */
void weir_store_recent_forget(void);

#endif
