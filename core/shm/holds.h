/*
 * holds.h - how much of something each key holds at this moment, over all workers: what limit_conn counts.
 *
 * A table of totals by key (shm/keyed.h), and for each slot (shm/slots.h) a row that says how much of a cell's total
 * its owner holds.  Each step - one more, one less - is announced in the slot before the total changes, and the total
 * says whose step was the last one: so of a process killed at any instruction the master can tell whether the step it
 * was at has happened, and gives back exactly what was held.
 *
 *     announce {cell, what the row's entry becomes, number} · total: one compare-and-swap, marked {slot, number} · the
 *     entry · done
 *
 * A process that overwrites the mark of another slot first writes its number into that slot ("seen").
 */
#ifndef WEIR_SHM_HOLDS_H
#define WEIR_SHM_HOLDS_H

#include "base/buf.h"
#include "shm/keyed.h"

#define WEIR_HOLDS_MAX 65535                 /* of one key */

/* This process's view of a zone's memory. */
typedef struct {
    weir_keyed_t      *table;
    struct holds_slot *slots;
    uint16_t          *rows;
    uint32_t           n_cells;
} weir_holds_t;

typedef struct { uint64_t name; uint32_t cell; } weir_hold_t;

typedef enum { WEIR_HOLDS_TAKEN, WEIR_HOLDS_REFUSED, WEIR_HOLDS_FULL } weir_holds_result_t;

/* Bytes of memory for `keys` keys at one time; most of it is touched only for slots that are in use.  0: too many. */
uint64_t weir_holds_bytes(uint64_t keys);
/* false: it holds something else, or there is no randomness. */
bool     weir_holds_open(void *memory, uint64_t size, weir_holds_t *holds) WEIR_MUST_USE;

/* Cells of the table in memory of that size: a key that is held has one.  0: it is no size of weir_holds_bytes. */
uint32_t weir_holds_cells(uint64_t size);

/* One more for the key unless it has `max` (at most WEIR_HOLDS_MAX).  FULL: there is no room for another key. */
weir_holds_result_t weir_holds_take(const weir_holds_t *holds, weir_str_t key, uint32_t max, weir_hold_t *hold);
/* … of a key that was hashed for its table. */
weir_holds_result_t weir_holds_take_hashed(const weir_holds_t *holds, const weir_keyed_key_t *key, uint32_t max,
                                           weir_hold_t *hold);
void                weir_holds_drop(const weir_holds_t *holds, const weir_hold_t *hold);
uint32_t            weir_holds_total(const weir_holds_t *holds, weir_str_t key);
uint32_t            weir_holds_total_hashed(const weir_holds_t *holds, const weir_keyed_key_t *key);
/* The cell of a key that is held by some process at this moment.  false: none holds it. */
bool                weir_holds_where(const weir_holds_t *holds, weir_str_t key, uint32_t *cell) WEIR_MUST_USE;
/* Does the owner of that slot hold something of that cell's key? */
bool                weir_holds_has(const weir_holds_t *holds, uint32_t slot, uint32_t cell);
/* In another process's memory: is that cell the key's of that name, and does some process hold it? */
bool                weir_holds_is_held(const void *memory, uint64_t size, uint32_t cell, uint64_t name);
/* All that the dead owner of a slot held is given back; again is harmless.  For weir_zone_kind_t. */
void                weir_holds_fold(void *memory, uint64_t size, uint32_t slot);
/* For weir_zone_kind_t. */
void                weir_holds_describe(const void *memory, uint64_t size, weir_buf_t *out);

#endif
