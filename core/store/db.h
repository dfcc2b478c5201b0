/*
 * db.h - the store's file: one LMDB environment a process, opened after the fork, never twice.
 *
 * The store's process writes (or a tool, when none runs); tools read, and workers by other means (view.h).  LMDB's own
 * lock keeps writers apart, so that two of them, such as of the programs before and after an upgrade, may be there at
 * once.  A commit is on the disk when it returns.
 */
#ifndef WEIR_STORE_DB_H
#define WEIR_STORE_DB_H

#include "base/error.h"

#include <lmdb.h>

typedef enum {
    WEIR_STORE_META, WEIR_STORE_CONSUMERS, WEIR_STORE_KEYS, WEIR_STORE_PLANS,
    WEIR_STORE_CELLS,                        /* KIND NUL ZONE NUL, 8 bytes of the key's name: weir_store_cell_t */
    WEIR_STORE_PROFILES, WEIR_STORE_RATES, WEIR_STORE_IDENTITIES,        /* of layout 2 */
    WEIR_STORE_TABLES
} weir_store_table_t;

typedef struct {
    MDB_env *env;
    MDB_dbi  tables[WEIR_STORE_TABLES];
    int      lock_fd;
    bool     writes;
    uint64_t measured;                       /* bytes of the file when it was opened */
} weir_store_db_t;

#define WEIR_STORE_FILE  "weir.mdb"          /* in store_path; beside it LMDB's "weir.mdb-lock" */
#define WEIR_STORE_LOCK  "lock"              /* shared by processes with the store open, held alone to replace it */
#define WEIR_STORE_SEEDS "seeds"
/* In the table META, uint32_t: WEIR_STORE_OLDEST, which programs of layout 1 look at, and WEIR_STORE_LAYOUT, which is
 * missing from a store of layout 1. */
#define WEIR_STORE_OLDEST_KEY  "layout"
#define WEIR_STORE_LAYOUT_KEY  "tables"

typedef struct {
    const char *path;                        /* the folder; it must be there */
    uint64_t    size;                        /* bytes the file may grow to; 0: as it is */
    bool        writes;                      /* and makes what is missing */
    bool        alone;                       /* no other process may have it open */
    bool        waits;               /* until that is so, or none has it alone; else that is an error (EWOULDBLOCK) */
} weir_store_open_t;

/* A store of an older layout becomes one of this layout when it is opened to be written: in one transaction, so that a
 * process that is killed meanwhile has changed nothing.  Opened only to be read, it stays what it is, and the tables
 * that it does not have are empty (weir_store_has).  false with *error: nothing is open. */
bool weir_store_open(weir_store_db_t *db, const weir_store_open_t *how, weir_error_t *error) WEIR_MUST_USE;
void weir_store_close(weir_store_db_t *db);
/* Is the file still the one that was opened?  A result of LMDB's or an errno: ESTALE, it was removed. */
int  weir_store_look(const weir_store_db_t *db);
/* Reads all there is, so that a damaged file shows: by an error, or by the signal that ends the process. */
int  weir_store_walk(weir_store_db_t *db);
/* What there is at this moment, without the free pages, as a new file of mode 0600.  A result of LMDB's. */
int  weir_store_copy(weir_store_db_t *db, const char *to);
/* The same in the place of the file itself, which must be open alone; it is to be closed then. */
int  weir_store_compact(weir_store_db_t *db, const char *path);

const char *weir_store_table_name(weir_store_table_t table);
/* Is it one that a store of layout 1 does not have? */
static inline bool weir_store_table_is_new(weir_store_table_t table) { return table > WEIR_STORE_CELLS; }
/* Is it there?  Else nothing may be asked of it. */
bool weir_store_has(const weir_store_db_t *db, weir_store_table_t table);
/* A result of LMDB for people: what it means here rather than there.  db: that it is of. */
const char *weir_store_strerror(const weir_store_db_t *db, int result);

/* The two halves that hash tables of zones begin with, kept in the file "seeds" beside the store: made when it is
 * missing.  false with *error. */
bool weir_store_seeds(const char *path, uint64_t seeds[2], weir_error_t *error) WEIR_MUST_USE;
/* Of a store whose cells were counted under these. */
bool weir_store_set_seeds(const char *path, const uint64_t seeds[2], weir_error_t *error) WEIR_MUST_USE;

static inline MDB_val
weir_store_val(weir_str_t text)
{
    return (MDB_val) { .mv_size = text.len, .mv_data = (void *) (uintptr_t) text.at };
}

static inline weir_str_t weir_store_str(MDB_val val) { return weir_str(val.mv_data, val.mv_size); }

/* The key of a zone's cell, in `room`; its length. */
#define WEIR_STORE_CELL_KEY 200
size_t weir_store_cell_key(char room[WEIR_STORE_CELL_KEY], weir_str_t kind, weir_str_t zone, uint64_t name);

#endif
