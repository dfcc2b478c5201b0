/*
 * entries.h - a table of entries in shared memory: a key and a value of any size, found by all processes.
 *
 * A reader takes no lock: it finds the entry, pins it, and makes sure that nothing has changed meanwhile.  A pinned
 * entry stays as it is, also when it is replaced, dropped or evicted; its memory is free again when no process pins it.
 * A pin is one word in the row of the process's slot (shm/slots.h), so that a dead reader's pins go with its row.
 *
 * A writer fills an entry that no other process sees yet, in as many pieces and turns of the loop as it likes, and then
 * puts it in the place of the one before, all at once.  What a dead writer had not put in place is freed with its row.
 * A worker that is killed at any instruction leaves the table with the old entry or with the new one (guard.h, slab.h).
 *
 * An entry ends by its time, by being replaced or dropped, or under memory pressure, when what was used longest ago
 * goes first (nearly:  entries are in order of their coming, and one that was read since gets a second turn).  Expired
 * ones are swept a few with each write.
 *
 * Memory that is damaged is found out when it is used: the table says NONE and BUSY from then on, and when no process
 * pins anything of it any more it begins anew, with a line in the log.
 *
 * A value lies in pieces: the first one behind the key, the others in blocks of up to 64 KiB.  Times are of the
 * monotonic clock.  For: the cache of answers, keys of JWT issuers, answers of external authorization, sessions, peers
 * that come at run time, the state of a cluster, and key values of Wasm filters (serials are what their
 * compare-and-swap needs).
 *
 * Runs in workers, and in the master when one died; allocates nothing.
 */
#ifndef WEIR_SHM_ENTRIES_H
#define WEIR_SHM_ENTRIES_H

#include "base/buf.h"
#include "shm/slab.h"

#define WEIR_ENTRIES_KEY_MAX   32768         /* bytes */
#define WEIR_ENTRIES_VALUE_MAX ((uint64_t) 64 << 20)     /* and a quarter of the table's memory */
#define WEIR_ENTRIES_PINS      512           /* of one process at one time, in one table */
#define WEIR_ENTRIES_FILLS     256           /* so with entries that are being filled */

/* A process's view of a table; may be copied; lives as long as the zone's memory. */
typedef struct {
    weir_slab_t            slab;
    struct entries_head   *head;             /* in shared memory, as all below */
    struct entries_shard  *shards;
    uint64_t              *buckets;
    struct entries_row    *rows;
    uint64_t               n_shards, n_buckets;          /* powers of two */
    weir_str_t             name;             /* for the log */
} weir_entries_t;

typedef enum {
    WEIR_ENTRIES_DONE,
    WEIR_ENTRIES_NONE,                       /* there is no such entry */
    WEIR_ENTRIES_OTHER,                      /* the entry is not the expected one */
    WEIR_ENTRIES_FULL,                       /* too large, or there is no memory even when others go */
    WEIR_ENTRIES_BUSY,                     /* later: all pins or fills are in use, a lock is, or the table is damaged */
} weir_entries_result_t;

/* How large a zone's memory must be for entries of `room` bytes in all (their blocks: about a fifth more than keys
 * and values).  Most of what is more is touched only for processes that are there. */
uint64_t weir_entries_bytes(uint64_t room);
/* Formats zeroed memory, aligned to 64, or finds it formatted.  false: it holds something else, is too small, or
 * there is no randomness. */
bool weir_entries_open(weir_entries_t *entries, weir_str_t name, void *memory, uint64_t size) WEIR_MUST_USE;

/* -- reading -- */
typedef struct {
    const weir_entries_t *entries;
    uint64_t             *pin;
    uint64_t              at;
    uint64_t              size;              /* bytes of the value */
    uint64_t              serial;            /* of this entry; another one, also of the same key, has another */
    weir_instant_t        expires;
    weir_str_t            key;
} weir_entry_t;

/* DONE: *entry is pinned · NONE · BUSY. */
weir_entries_result_t weir_entries_get(const weir_entries_t *entries, weir_str_t key, weir_instant_t now,
                                       weir_entry_t *entry) WEIR_MUST_USE;
void weir_entry_release(weir_entry_t *entry);
/* Of a process that has no slot, and so no pins: look has the entry while its shard is held, and copies what it wants.
 * Workers that read it at that moment wait, so that this is for what a person asks.  DONE · NONE · BUSY. */
weir_entries_result_t weir_entries_look(const weir_entries_t *entries, weir_str_t key, weir_instant_t now,
                                        void (*look)(void *data, const weir_entry_t *entry),
                                        void *data) WEIR_MUST_USE;
/* The pieces of the value, one by one.  false: that was the last one (or the memory is damaged: less than `size` has
 * come). */
typedef struct { uint64_t at, left; bool begun; } weir_entry_cursor_t;       /* zeroed at first */
bool weir_entry_next_piece(const weir_entry_t *entry, weir_entry_cursor_t *cursor, weir_str_t *piece) WEIR_MUST_USE;
/* All of the value to room, which has entry->size bytes.  false: the memory is damaged. */
bool weir_entry_copy(const weir_entry_t *entry, char *room) WEIR_MUST_USE;

/* Every entry that is there all the time is met once; the cursor is zeroed at first.  NONE: that was all. */
typedef struct { uint64_t bucket, name; } weir_entries_cursor_t;
weir_entries_result_t weir_entries_next(const weir_entries_t *entries, weir_entries_cursor_t *cursor,
                                        weir_instant_t now,
                                        weir_entry_t *entry) WEIR_MUST_USE;

/* -- writing -- */
#define WEIR_ENTRIES_ANY    UINT64_MAX       /* expect: whatever is there, or nothing */
#define WEIR_ENTRIES_ABSENT 0                /* expect: nothing */
#define WEIR_ENTRIES_NEVER  ((weir_instant_t) { UINT64_MAX })

typedef struct {
    const weir_entries_t *entries;
    uint64_t             *fill;              /* the word that owns what is being filled */
    uint64_t              at;                /* the entry */
    uint64_t              tail, used, cap;   /* its last block: where, bytes of it that are written, that are there */
    uint64_t              expected, size;    /* of the value */
} weir_entry_writer_t;

/* expected: bytes of the value, 0: unknown.  FULL · BUSY: nothing was begun. */
weir_entries_result_t weir_entries_begin(const weir_entries_t *entries, weir_str_t key, uint64_t expected,
                                         weir_instant_t now,
                                         weir_entry_writer_t *writer) WEIR_MUST_USE;
/* FULL · BUSY: it must be abandoned. */
weir_entries_result_t weir_entry_append(weir_entry_writer_t *writer, weir_str_t bytes,
                                        weir_instant_t now) WEIR_MUST_USE;
/* It takes its place, when what is there is of the serial that is expected; *serial: its own (NULL: not wanted).
 * OTHER · BUSY: it must be abandoned. */
weir_entries_result_t weir_entry_commit(weir_entry_writer_t *writer, weir_instant_t now, weir_instant_t expires,
                                        uint64_t expect,
                                        uint64_t *serial) WEIR_MUST_USE;
void weir_entry_abandon(weir_entry_writer_t *writer);

/* All of it in one call. */
weir_entries_result_t weir_entries_put(const weir_entries_t *entries, weir_str_t key, weir_str_t value,
                                       weir_instant_t now,
                                       weir_instant_t expires, uint64_t expect, uint64_t *serial) WEIR_MUST_USE;
/* In place: it goes on to another time.  expect: not ABSENT.  NONE · OTHER · BUSY. */
weir_entries_result_t weir_entries_extend(const weir_entries_t *entries, weir_str_t key, weir_instant_t now,
                                          weir_instant_t expires,
                                          uint64_t expect) WEIR_MUST_USE;
weir_entries_result_t weir_entries_drop(const weir_entries_t *entries, weir_str_t key, uint64_t expect);
/* All that is there. */
void weir_entries_drop_all(const weir_entries_t *entries);

/* -- what happened -- */
typedef enum {
    WEIR_ENTRIES_HITS, WEIR_ENTRIES_MISSES, WEIR_ENTRIES_STORED, WEIR_ENTRIES_REPLACED, WEIR_ENTRIES_EXPIRED,
    WEIR_ENTRIES_EVICTED, WEIR_ENTRIES_REFUSED, WEIR_ENTRIES_COUNTS
} weir_entries_counter_t;

typedef struct {
    uint64_t entries, used, room;            /* now; used and room in bytes of blocks */
    uint64_t count[WEIR_ENTRIES_COUNTS];     /* since the table was made */
} weir_entries_stats_t;

/* false: it is no such table.  memory may be another process's, mapped read-only; nothing of it is believed. */
bool weir_entries_stats(const void *memory, uint64_t size, weir_entries_stats_t *stats) WEIR_MUST_USE;

/* For weir_zone_kind_t. */
void weir_entries_fold(void *memory, uint64_t size, uint32_t slot);
void weir_entries_describe(const void *memory, uint64_t size, weir_buf_t *out);

#endif
