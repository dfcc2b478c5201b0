/*
 * saved.h - what lies in zones and outlives the instance: cells by the names of their keys, kept in the store
 * (core/store).
 *
 * A zone is the working copy and the store what is behind it: a worker that looks for a key that a zone does not have
 * asks the store (weir_saved_load), and the store's process writes what changed (weir_saved_kind_t).  So a zone may be
 * of another size after a restart, and a cell that the store has may be given to another key.
 */
#ifndef WEIR_SHM_SAVED_H
#define WEIR_SHM_SAVED_H

#include "base/str.h"

typedef struct {
    uint64_t name, value;        /* value: as it is kept, the kind's own matter; not 0 */
    uint64_t expires_s;          /* Unix time from which on it says nothing any more */
    uint64_t seen;               /* the cell's as it was, for `has` */
    uint32_t cell;
} weir_saved_cell_t;

/* What a kind of zones keeps; one constant a kind. */
typedef struct weir_saved_kind {
    /* Up to n cells, from *at on, that the store may lack; how many.  *at: where to go on; 0: that was the end. */
    size_t (*lacks)(const void *memory, uint64_t size, uint32_t *at, weir_saved_cell_t *cells, size_t n);
    /* The store has this one, durably; NULL: not needed. */
    void   (*has)(void *memory, uint64_t size, const weir_saved_cell_t *cell);
} weir_saved_kind_t;

typedef enum {
    WEIR_SAVED_NONE,             /* the store has nothing of that name, or there is no store */
    WEIR_SAVED_FOUND,
    WEIR_SAVED_UNKNOWN,          /* the store cannot be read */
} weir_saved_result_t;

typedef weir_saved_result_t (*weir_saved_load_t)(weir_str_t kind, weir_str_t zone, uint64_t name, uint64_t *value);

/* How this process reads the store; NULL (at first): there is none. */
void                weir_saved_use(weir_saved_load_t load);
weir_saved_result_t weir_saved_load(weir_str_t kind, weir_str_t zone, uint64_t name, uint64_t *value);

#endif
