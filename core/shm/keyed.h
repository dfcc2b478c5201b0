/*
 * keyed.h - a table of keys in shared memory, one number each: what limits are counted in.
 *
 * Eight cells (shm/cell.h) may hold a key, in two buckets of one cache line each.  A known key costs two hashes, a look
 * at one or two lines and one compare-and-swap.  There is no lock and nothing waits: any process may be killed at any
 * instruction.  A key is told by
 * 64 bits of a keyed hash and its place by another's, so that clients cannot make two of them meet.  Of a million
 * cells four in ten are taken by keys that must stay before a first one finds all of its eight so; of fewer cells more.
 *
 * A key is in the table once.  A process that adds it claims a cell with a value that is only tentative, looks at the
 * other seven, and makes the value count only when it saw no other claim to the key that comes before its own: of two
 * at the same time one goes on, and the other finds it.  A claim that a dead process left is settled by the next one
 * that meets it.
 */
#ifndef WEIR_SHM_KEYED_H
#define WEIR_SHM_KEYED_H

#include "base/str.h"
#include "shm/cell.h"

typedef struct weir_keyed weir_keyed_t;      /* in shared memory */

/* greatest value; 0 says nothing, like a key that is not there */
#define WEIR_KEYED_VALUE_MAX (((uint64_t) 1 << 63) - 1)
#define WEIR_KEYED_WAYS      8

/* Of cells that hold `value`: how much is lost when another key takes the place.  0: nothing; UINT64_MAX: it must not
 * be taken; between them the least is taken. */
typedef uint64_t (*weir_keyed_worth_t)(const void *data, uint64_t value);

typedef struct {
    weir_keyed_worth_t worth;
    /* The next value for a key that has `value` (0: none) in that cell; false: it stays as it is.  May be called
     * several times: the last call is the one that holds. */
    bool (*change)(void *data, uint32_t cell, uint64_t value, uint64_t *next);
    /* `value` is about to be overwritten, by any process; NULL: not needed. */
    void (*before)(void *data, uint64_t value);
} weir_keyed_op_t;

typedef enum { WEIR_KEYED_CHANGED, WEIR_KEYED_LEFT, WEIR_KEYED_FULL } weir_keyed_result_t;

typedef struct { uint64_t name; uint64_t place; } weir_keyed_key_t;

/* Cells in so many bytes; 0: too few. */
uint32_t      weir_keyed_cells(size_t size);
/* The process's tables that are formatted from now on get these seeds, so that a key's name is the same in another life
 * of the instance; before: each its own, random. */
void          weir_keyed_use_seeds(const uint64_t seeds[2]);
/* Formats zeroed memory, aligned to 64, or finds it formatted.  NULL: it holds something else, or there is no
 * randomness. */
weir_keyed_t *weir_keyed_open(void *memory, size_t size);

void weir_keyed_hash(const weir_keyed_t *table, weir_str_t key, weir_keyed_key_t *hashed);
/* Do two tables hash alike, so that what was hashed for one is good for the other? */
bool weir_keyed_is_like(const weir_keyed_t *a, const weir_keyed_t *b);
/* FULL: every cell it may have is of worth. */
weir_keyed_result_t weir_keyed_update(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_keyed_op_t *op,
                                      void *data);
/* As of now; 0: none. */
uint64_t weir_keyed_peek(const weir_keyed_t *table, const weir_keyed_key_t *key);
/* The number of its cell, at this moment.  false: the key is not there. */
bool     weir_keyed_where(const weir_keyed_t *table, const weir_keyed_key_t *key, uint32_t *cell) WEIR_MUST_USE;
/* By the number of its cell, for code that keeps track of cells.  false: the cell has changed hands, or op left it. */
weir_cell_t weir_keyed_at(const weir_keyed_t *table, uint32_t cell);     /* cell < weir_keyed_cells; name 0: no key's */
bool     weir_keyed_update_at(weir_keyed_t *table, uint32_t cell, uint64_t name, const weir_keyed_op_t *op, void *data);

/* Another process's memory: cells in use by worth, in all, and keys that were pushed out by others. false: it is no
 * such table. */
bool weir_keyed_count(const void *memory, size_t size, weir_keyed_worth_t worth, const void *data, uint32_t *used,
                      uint32_t *cells,
                      uint64_t *evicted);

#endif
