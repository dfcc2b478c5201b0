/*
 * entries.h - what the tests of entries share: a table, and somebody who audits it.
 */
#ifndef WEIR_T_SHM_ENTRIES_H
#define WEIR_T_SHM_ENTRIES_H

#include "kill.h"

#include "shm/guard.c"
#include "shm/slab.c"
#include "shm/entries.c"
#include "shm/entries_settle.c"
#include "shm/entries_write.c"

#ifndef ROOM
#define ROOM (6u << 20)
#endif
#define SIZE (WEIR_SLOTS * sizeof(entries_row_t) + ROOM)

static char          *memory;
static weir_entries_t table;
static weir_instant_t now = { 1000000 };

static inline void
world(void)
{
    weir_slots_use(kill_shared(WEIR_SLOTS_BYTES));
    pair_need(weir_slots_take(getpid()), "a slot");
    memory = kill_shared(SIZE);
    pair_need(weir_entries_open(&table, WEIR_STR("test"), memory, SIZE), "a table");
}

/* Entries in chains. */
static inline uint64_t
total(void)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < table.n_shards; i++) {
        n += table.shards[i].n;
    }
    return n;
}

/* -- everything has one owner -- */

typedef struct { uint64_t blocks, bytes; bool good; } audit_t;

static inline void
audit_owner(audit_t *audit, uint64_t at)
{
    while (at != 0 && audit->good) {
        uint64_t size = weir_slab_size(&table.slab, at);

        audit->good = size != 0;
        audit->blocks++;
        audit->bytes += size;
        at = audit->good ? *(uint64_t *) weir_slab_block(&table.slab, at) : 0;
    }
}

static inline void
audit_bucket(audit_t *audit, uint64_t bucket, uint64_t *n)
{
    for (uint64_t at = table.buckets[bucket]; at != 0 && audit->good;) {
        const entries_entry_t *entry = entries_at(&table, at);

        if (entry == NULL || entries_bucket(&table, entry->name) != bucket
            || entry->name != entries_name(&table, weir_str(entry->bytes, entries_key_len(entry))))
        {
            audit->good = false;
            return;
        }
        audit_owner(audit, at);
        n[bucket & (table.n_shards - 1)]++;
        at = entry->chain;
    }
}

static inline void
audit_shard(audit_t *audit, const entries_shard_t *shard, uint64_t n)
{
    uint64_t newer = 0, count = 0;

    audit->good = audit->good && shard->n == n && shard->guard.n == 0 && shard->guard.version % 2 == 0;
    for (uint64_t at = shard->newest; at != 0 && audit->good; count++) {
        const entries_entry_t *entry = entries_at(&table, at);

        audit->good = entry != NULL && entry->newer == newer && count < n;
        newer = at;
        at = audit->good ? entry->older : 0;
    }
    audit->good = audit->good && shard->oldest == newer && count == n;
    for (uint64_t at = shard->dead; at != 0 && audit->good;) {
        const entries_entry_t *entry = entries_at(&table, at);

        audit->good = entry != NULL;
        audit_owner(audit, at);
        at = audit->good ? entry->chain : 0;
    }
    audit_owner(audit, shard->hand);
}

/* Nobody is at work.  Every block of the slab is owned once, and all sums are right. */
static inline bool
audit(void)
{
    audit_t           audit = { .good = weir_slab_check(&table.slab) && table.head->broken == 0 };
    uint64_t         *n = calloc(table.n_shards, sizeof(*n));
    weir_slab_count_t count;

    for (uint64_t i = 0; i < table.n_buckets; i++) {
        audit_bucket(&audit, i, n);
    }
    for (uint64_t i = 0; i < table.n_shards; i++) {
        audit_shard(&audit, &table.shards[i], n[i]);
    }
    for (unsigned i = 0; i < WEIR_SLOTS; i++) {
        for (unsigned k = 0; k < WEIR_ENTRIES_FILLS && (table.head->rows[i / 64] >> i % 64 & 1) != 0; k++) {
            audit_owner(&audit, table.rows[i].fills[k] & ~(uint64_t) 1);
        }
    }
    free(n);
    weir_slab_count(&table.slab, &count);
    return audit.good && audit.blocks == count.blocks && audit.bytes == count.used;
}

#endif
