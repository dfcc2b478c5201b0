/*
 * flush.c - see flush.h.  Runs in the store's process; memory for as many cells as changed at once.
 */
#include "store/flush.h"

#include "base/mem.h"
#include "shm/saved.h"
#include "shm/zone.h"
#include "store/record.h"

#define FLUSH_CHUNK   256                        /* cells looked for at a time */
#define FLUSH_PRUNED  1000                       /* records looked at in one flush */
/* kept so long after they expired: the clock may be wrong for a while */
#define FLUSH_SLACK_S (35 * 86400)
/* no period is longer: a worker cannot make a record that is there for ever */
#define FLUSH_LONGEST_S (62 * 86400)

typedef struct {
    const weir_saved_kind_t *kind;
    void                    *memory;
    uint64_t                 size;
    weir_saved_cell_t        cell;
} flush_put_t;

struct weir_store_flush {
    flush_put_t *puts;                           /* to be told */
    size_t       n, room;
    /* where the look for what expired goes on; empty: at the beginning */
    char         prune_from[WEIR_STORE_CELL_KEY];
    size_t       prune_len;
    /* of one call */
    weir_store_db_t *db;
    MDB_txn         *txn;
    uint64_t         now_s;
    size_t           changes;
    int              result;
};

weir_store_flush_t *
weir_store_flush_create(void)
{
    return weir_mem_need(sizeof(weir_store_flush_t));
}

void
weir_store_flush_destroy(weir_store_flush_t *flush)
{
    weir_mem_free(flush->puts);
    weir_mem_free(flush);
}

/* -- putting -- */

static void
flush_remember(weir_store_flush_t *flush, const flush_put_t *put)
{
    weir_assert(flush->n <= flush->room && put->kind->has != NULL);
    if (flush->n == flush->room) {
        flush_put_t *more = weir_mem_need((flush->room * 2 + 256) * sizeof(*more));

        memcpy(more, flush->puts != NULL ? flush->puts : put, flush->n * sizeof(*more));
        weir_mem_free(flush->puts);
        flush->puts = more;
        flush->room = flush->room * 2 + 256;
    }
    flush->puts[flush->n++] = *put;
}

/* Only what differs from what is there. */
static int
flush_put_cell(weir_store_flush_t *flush, weir_str_t kind, weir_str_t zone, const weir_saved_cell_t *cell)
{
    char              room[WEIR_STORE_CELL_KEY];
    weir_store_cell_t record = { .value = cell->value,
                                 .expires_s = weir_min(cell->expires_s, flush->now_s + FLUSH_LONGEST_S) };
    MDB_val           key = { .mv_size = weir_store_cell_key(room, kind, zone, cell->name), .mv_data = room }, value;
    MDB_dbi           table = flush->db->tables[WEIR_STORE_CELLS];
    int               result = mdb_get(flush->txn, table, &key, &value);

    if (result == 0 && value.mv_size == sizeof(record) && memcmp(value.mv_data, &record, sizeof(record)) == 0) {
        return 0;
    }
    if (result != 0 && result != MDB_NOTFOUND) {
        return result;
    }
    value = (MDB_val) { .mv_size = sizeof(record), .mv_data = &record };
    flush->changes++;
    return mdb_put(flush->txn, table, &key, &value, 0);
}

static void
flush_zone(void *data, const weir_zone_kind_t *kind, weir_str_t name, void *memory, uint64_t size)
{
    weir_store_flush_t *flush = data;
    weir_saved_cell_t   cells[FLUSH_CHUNK];
    uint32_t            at = 0;

    do {
        size_t n = kind->saved->lacks(memory, size, &at, cells, FLUSH_CHUNK);
        weir_assert(n <= FLUSH_CHUNK);

        for (size_t i = 0; i < n && flush->result == 0; i++) {
            flush->result = flush_put_cell(flush, weir_str_from_z(kind->name), name, &cells[i]);
            if (kind->saved->has != NULL) {
                flush_remember(flush, &(flush_put_t) { kind->saved, memory, size, cells[i] });
            }
        }
    } while (at != 0 && flush->result == 0);
}

/* -- taking out -- */

static int
flush_prune(weir_store_flush_t *flush, uint64_t now_s)
{
    MDB_cursor *cursor;
    MDB_val     key = { .mv_size = flush->prune_len, .mv_data = flush->prune_from }, value;
    int         result = mdb_cursor_open(flush->txn, flush->db->tables[WEIR_STORE_CELLS], &cursor);

    weir_assert(flush->prune_len <= sizeof(flush->prune_from));
    if (result != 0) {
        return result;
    }
    result = mdb_cursor_get(cursor, &key, &value, flush->prune_len != 0 ? MDB_SET_RANGE : MDB_FIRST);
    for (int i = 0; result == 0 && i < FLUSH_PRUNED; i++) {
        weir_store_cell_t record = { .expires_s = 0 };

        memcpy(&record, value.mv_data, weir_min(value.mv_size, sizeof(record)));
        if (record.expires_s + FLUSH_SLACK_S < now_s) {
            result = mdb_cursor_del(cursor, 0);
            flush->changes++;
        }
        if (result == 0) {
            result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
    }
    flush->prune_len = 0;
    if (result == 0 && key.mv_size <= sizeof(flush->prune_from)) {
        memcpy(flush->prune_from, key.mv_data, key.mv_size);
        flush->prune_len = key.mv_size;
    }
    mdb_cursor_close(cursor);
    return result == MDB_NOTFOUND ? 0 : result;
}

int
weir_store_flush_put(weir_store_flush_t *flush, weir_store_db_t *db, MDB_txn *txn, uint64_t now_s, size_t *changes)
{
    weir_assert(db->writes && txn != NULL);
    flush->db = db;
    flush->txn = txn;
    flush->n = flush->changes = 0;
    flush->now_s = now_s;
    flush->result = 0;
    weir_zones_each_saved(flush_zone, flush);
    if (flush->result == 0) {
        flush->result = flush_prune(flush, now_s);
    }
    *changes = flush->changes;
    return flush->result;
}

void
weir_store_flush_done(weir_store_flush_t *flush)
{
    weir_assert(flush->n <= flush->room);
    for (size_t i = 0; i < flush->n; i++) {
        flush->puts[i].kind->has(flush->puts[i].memory, flush->puts[i].size, &flush->puts[i].cell);
    }
    flush->n = 0;
}
