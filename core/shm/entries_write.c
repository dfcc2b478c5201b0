/*
 * entries_write.c - see entries.h: entries are filled, take their place, and go.
 */
#include "shm/entries_internal.h"

#include <string.h>

#define WRITE_PIECE_MAX  65536               /* bytes of a block, its head included */
#define WRITE_SWEEP      2                   /* buckets that are swept with each write */
#define WRITE_REAP       32                  /* of the dead that are looked at with each write … */
#define WRITE_REAP_ALL   4096                /* … and when memory is needed */
#define WRITE_CHANCES    8                   /* so many that were read are passed over before one of them goes */
#define WRITE_EVICTIONS  1024                /* for one block */
#define WRITE_TURN       64                  /* of those that are dropped without letting others in */

/* -- one change -- */

/* false: what had begun never was; it is broken. */
static bool
write_end(const weir_entries_t *entries, entries_shard_t *shard, bool good)
{
    weir_guard_t *guard = &shard->guard;

    if (good && guard->n != 0) {
        weir_guard_commit(guard);
    } else if (!good && guard->n != 0 && !weir_guard_undo(guard, entries->slab.zone)) {
        entries_break(entries, ENTRIES_GUARD);
    }
    return good;
}

/* The neighbours in the order of use know one another, or it is broken. */
static bool
write_unlink_order(const weir_entries_t *entries, entries_shard_t *shard, entries_entry_t *entry, uint64_t at)
{
    entries_entry_t *newer = NULL, *older = NULL;

    if ((entry->newer != 0 && ((newer = entries_at(entries, entry->newer)) == NULL || newer->older != at))
        || (entry->older != 0 && ((older = entries_at(entries, entry->older)) == NULL || older->newer != at))
        || (newer == NULL && shard->newest != at) || (older == NULL && shard->oldest != at))
    {
        entries_break(entries, ENTRIES_ORDER);
        return false;
    }
    entries_set(entries, shard, newer != NULL ? &newer->older : &shard->newest, entry->older);
    entries_set(entries, shard, older != NULL ? &older->newer : &shard->oldest, entry->newer);
    return true;
}

static bool
write_link_newest(const weir_entries_t *entries, entries_shard_t *shard, entries_entry_t *entry, uint64_t at)
{
    entries_entry_t *next = NULL;

    if (shard->newest != 0 && ((next = entries_at(entries, shard->newest)) == NULL || next == entry)) {
        entries_break(entries, ENTRIES_ORDER);
        return false;
    }
    entries_set(entries, shard, &entry->newer, 0);
    entries_set(entries, shard, &entry->older, shard->newest);
    entries_set(entries, shard, next != NULL ? &next->newer : &shard->oldest, at);
    entries_set(entries, shard, &shard->newest, at);
    return true;
}

/* From its bucket, where `link` leads to it, to the dead. */
static bool
write_unlink(const weir_entries_t *entries, entries_shard_t *shard, uint64_t *link, entries_entry_t *entry)
{
    uint64_t at = *link;

    entries_set(entries, shard, link, entry->chain);
    entries_set(entries, shard, &entry->chain, shard->dead);
    entries_set(entries, shard, &shard->dead, at);
    entries_set(entries, shard, &shard->n, shard->n - 1);
    entries_set(entries, shard, &shard->used, shard->used - entry->room);
    return write_unlink_order(entries, shard, entry, at);
}

/* Dead entries that no process pins are freed.  Returns how many were; nothing is under way. */
static unsigned
write_reap(const weir_entries_t *entries, entries_shard_t *shard, unsigned most)
{
    uint64_t *link = &shard->dead;
    unsigned  n = 0;

    weir_assert(shard->guard.n == 0);
    entries_free(entries, &shard->hand);
    while (shard->hand == 0 && *link != 0 && most-- > 0) {
        entries_entry_t *entry = entries_at(entries, *link);

        if (entry == NULL) {
            entries_break(entries, ENTRIES_DEAD);
            break;
        }
        if (entries_is_pinned(entries, *link)) {
            link = &entry->chain;
            continue;
        }
        entries_set(entries, shard, &shard->hand, *link);
        entries_set(entries, shard, link, entry->chain);
        weir_guard_commit(&shard->guard);
        entries_free(entries, &shard->hand);
        n++;
    }
    return n;
}

/* Of some buckets what has expired; so all of the shard is looked at in turn. */
static void
write_sweep(const weir_entries_t *entries, entries_shard_t *shard, uint64_t now_ms)
{
    uint64_t each = entries->n_buckets / entries->n_shards, first = (uint64_t) (shard - entries->shards);

    for (unsigned i = 0; i < WRITE_SWEEP; i++) {
        uint64_t *link = &entries->buckets[first + shard->sweep++ % each * entries->n_shards];
        uint64_t  most = entries_most(entries, shard);

        while (*link != 0) {
            entries_entry_t *entry = entries_at(entries, *link);

            if (entry == NULL || most-- == 0) {
                entries_break(entries, ENTRIES_CHAIN);
                return;
            }
            if (entry->expires_ms > now_ms) {
                link = &entry->chain;
            } else if (write_end(entries, shard, write_unlink(entries, shard, link, entry))) {
                entries_count(entries, WEIR_ENTRIES_EXPIRED);
            } else {
                return;
            }
        }
    }
}

/* -- memory -- */

/* The link of an entry that is in the order of use; NULL: it is broken. */
static uint64_t *
write_link_of(const weir_entries_t *entries, entries_shard_t *shard, const entries_entry_t *entry, uint64_t at)
{
    uint64_t *link = &entries->buckets[entries_bucket(entries, entry->name)], most = entries_most(entries, shard);

    while (*link != at && *link != 0 && most-- > 0) {
        entries_entry_t *other = entries_at(entries, *link);

        if (other == NULL) {
            break;
        }
        link = &other->chain;
    }
    if (*link != at || entries_shard(entries, entries_bucket(entries, entry->name)) != shard) {
        entries_break(entries, ENTRIES_CHAIN);
        return NULL;
    }
    return link;
}

/* The oldest one of the shard goes, or one of those next to it when that was read since it came to its place. */
static bool
write_evict(const weir_entries_t *entries, entries_shard_t *shard, uint64_t now_ms)
{
    for (unsigned i = 0; shard->oldest != 0; i++) {
        uint64_t         at = shard->oldest, *link;
        entries_entry_t *entry = entries_at(entries, at);

        if (entry == NULL) {
            entries_break(entries, ENTRIES_ORDER);
            return false;
        }
        if (i < WRITE_CHANCES && entry->expires_ms > now_ms
            && __atomic_load_n(&entry->used_ms, __ATOMIC_RELAXED) > entry->placed_ms) {
            entry->placed_ms = now_ms;
            if (!write_end(entries, shard,
                           write_unlink_order(entries, shard, entry, at)
                               && write_link_newest(entries, shard, entry, at))) {
                return false;
            }
            continue;
        }
        link = write_link_of(entries, shard, entry, at);
        if (!write_end(entries, shard, link != NULL && write_unlink(entries, shard, link, entry))) {
            return false;
        }
        entries_count(entries, entry->expires_ms > now_ms ? WEIR_ENTRIES_EVICTED : WEIR_ENTRIES_EXPIRED);
        return true;
    }
    return false;
}

/* The shard whose oldest entry came to its place first; NULL: none has one.  Without guards: a guess is good enough. */
__attribute__((no_sanitize("thread"))) static entries_shard_t *
write_oldest_shard(const weir_entries_t *entries)
{
    const weir_slab_t *slab = &entries->slab;
    entries_shard_t   *oldest = NULL;
    uint64_t           least = UINT64_MAX;

    for (uint64_t i = 0; i < entries->n_shards; i++) {
        uint64_t at = weir_shm_load(&entries->shards[i].oldest), placed;

        if (at != 0 && weir_slab_size(slab, at) >= sizeof(entries_entry_t)) {
            placed = __atomic_load_n(&((const entries_entry_t *) weir_slab_block(slab, at))->placed_ms,
                                     __ATOMIC_RELAXED);
            if (placed < least) {
                least = placed;
                oldest = &entries->shards[i];
            }
        }
    }
    return oldest;
}

static bool
write_make_room_in(const weir_entries_t *entries, entries_shard_t *shard, uint64_t now_ms)
{
    bool made;

    if (!entries_take(entries, shard)) {
        return false;
    }
    made = write_evict(entries, shard, now_ms);
    made = write_reap(entries, shard, made ? WRITE_REAP : WRITE_REAP_ALL) != 0 || made;
    weir_guard_give_back(&shard->guard);
    return made;
}

/* false: nothing can go. */
static bool
write_make_room(const weir_entries_t *entries, uint64_t now_ms)
{
    entries_shard_t *oldest = write_oldest_shard(entries);

    if (oldest != NULL && write_make_room_in(entries, oldest, now_ms)) {
        return true;
    }
    for (entries_shard_t *shard = entries->shards; shard < entries->shards + entries->n_shards; shard++) {
        if (shard != oldest && (weir_shm_load(&shard->oldest) != 0 || weir_shm_load(&shard->dead) != 0)
            && write_make_room_in(entries, shard, now_ms))
        {
            return true;
        }
    }
    return false;
}

/* *at becomes a block of `size` bytes, or of fewer, but of `least`. */
static weir_entries_result_t
write_alloc(const weir_entries_t *entries, uint64_t size, uint64_t least, uint64_t *at, uint64_t now_ms)
{
    weir_assert(least != 0 && least <= size);
    weir_slab_result_t result = WEIR_SLAB_FULL;

    for (unsigned i = 0; i < WRITE_EVICTIONS; i++) {
        for (uint64_t want = size; want >= least; want = want > WEIR_SLAB_PAGE ? want / 2 : 0) {
            result = weir_slab_alloc(&entries->slab, want, at);
            if (result != WEIR_SLAB_FULL) {
                break;
            }
        }
        if (result != WEIR_SLAB_FULL || !write_make_room(entries, now_ms)) {
            break;
        }
    }
    if (result == WEIR_SLAB_BROKEN) {
        entries_break(entries, ENTRIES_SLAB);
    }
    if (result == WEIR_SLAB_FULL) {
        return WEIR_ENTRIES_FULL;
    }
    return result == WEIR_SLAB_DONE ? WEIR_ENTRIES_DONE : WEIR_ENTRIES_BUSY;
}

/* How large a block is good for so many bytes, of which the rest finds place in others: no more than a third of it
 * is in vain. */
static uint64_t
write_block(uint64_t bytes)
{
    uint64_t size = WEIR_SLAB_PAGE;

    if (bytes <= WEIR_SLAB_PAGE * 3 / 4) {
        return weir_min(bytes, WEIR_SLAB_PAGE / 2);
    }
    while (size < WRITE_PIECE_MAX && size * 2 <= bytes) {
        size *= 2;
    }
    return size;
}

/* -- filling -- */

static entries_entry_t *
write_entry(const weir_entry_writer_t *writer)
{
    return weir_slab_block(&writer->entries->slab, writer->at);
}

/* A word of the row that owns nothing; NULL: all own something. */
static uint64_t *
write_free_fill(const weir_entries_t *entries, entries_row_t *row)
{
    for (unsigned i = 0; i < WEIR_ENTRIES_FILLS; i++) {
        uint64_t *fill = &row->fills[i];

        if (*fill % 2 != 0) {                /* it was abandoned when that could not be done */
            weir_shm_store(fill, *fill - 1);
            weir_entry_abandon(&(weir_entry_writer_t) { .entries = entries, .fill = fill });
        }
        if (*fill == 0) {
            return fill;
        }
    }
    return NULL;
}

static bool
write_is_too_large(const weir_entries_t *entries, uint64_t size)
{
    return size > WEIR_ENTRIES_VALUE_MAX || size > entries->slab.n_pages * WEIR_SLAB_PAGE / 4;
}

weir_entries_result_t
weir_entries_begin(const weir_entries_t *entries, weir_str_t key, uint64_t expected, weir_instant_t now,
                   weir_entry_writer_t *writer)
{
    entries_row_t        *row = entries_ready(entries, now.ms) ? entries_row(entries) : NULL;
    uint64_t              least = sizeof(entries_entry_t) + key.len;
    entries_entry_t      *entry;
    weir_entries_result_t result;

    *writer = (weir_entry_writer_t) { .entries = entries, .expected = expected };
    if (row == NULL || (writer->fill = write_free_fill(entries, row)) == NULL) {
        return WEIR_ENTRIES_BUSY;
    }
    result = key.len > WEIR_ENTRIES_KEY_MAX || write_is_too_large(entries, expected)
                 ? WEIR_ENTRIES_FULL
                 : write_alloc(entries, weir_max(write_block(least + expected), least), least, writer->fill, now.ms);
    if (result != WEIR_ENTRIES_DONE) {
        entries_count(entries, WEIR_ENTRIES_REFUSED);
        return result;
    }
    writer->at = writer->tail = *writer->fill;
    weir_assert(writer->at != 0);
    entry = write_entry(writer);
    memset((char *) entry + sizeof(entry->more), 0, sizeof(*entry) - sizeof(entry->more));
    entry->name = entries_name(entries, key);
    entry->lengths = key.len;
    memcpy(entry->bytes, key.at != NULL ? key.at : "", key.len);
    writer->used = least;
    writer->cap = entry->room = weir_slab_size(&entries->slab, writer->tail);
    weir_assert(writer->used <= writer->cap);
    return WEIR_ENTRIES_DONE;
}

/* Another block, owned by the one before. */
static weir_entries_result_t
write_grow(weir_entry_writer_t *writer, uint64_t len, uint64_t now_ms)
{
    const weir_entries_t *entries = writer->entries;
    bool                  is_expected = writer->expected > writer->size;
    uint64_t              left = is_expected ? writer->expected - writer->size : weir_max(len, writer->size / 4);
    uint64_t              size = write_block(left + sizeof(entries_piece_t));
    uint64_t             *more = weir_slab_block(&entries->slab, writer->tail);
    weir_entries_result_t result = write_alloc(entries, size, weir_min(size, WEIR_SLAB_PAGE), more, now_ms);

    weir_assert(writer->used == writer->cap);
    if (result == WEIR_ENTRIES_DONE) {
        writer->tail = *more;
        writer->used = sizeof(entries_piece_t);
        writer->cap = weir_slab_size(&entries->slab, writer->tail);
        ((entries_piece_t *) weir_slab_block(&entries->slab, writer->tail))->len = 0;
        write_entry(writer)->room += writer->cap;
    }
    return result;
}

static void
write_bytes(weir_entry_writer_t *writer, const char *at, uint64_t n)
{
    char            *block = weir_slab_block(&writer->entries->slab, writer->tail);
    entries_entry_t *entry = write_entry(writer);

    weir_assert(n != 0 && n <= writer->cap - writer->used);
    WEIR_SHM_BEFORE_STORE();
    memcpy(block + writer->used, at, n);
    if (writer->tail == writer->at) {
        entry->lengths += n << 32;
    } else {
        ((entries_piece_t *) (void *) block)->len += n;
    }
    writer->used += n;
    writer->size += n;
    entry->size = writer->size;
}

weir_entries_result_t
weir_entry_append(weir_entry_writer_t *writer, weir_str_t bytes, weir_instant_t now)
{
    weir_entries_result_t result = WEIR_ENTRIES_DONE;

    weir_assert(writer->fill != NULL && writer->used <= writer->cap);
    if (!entries_ready(writer->entries, now.ms)) {
        return WEIR_ENTRIES_BUSY;
    }
    if (write_is_too_large(writer->entries, writer->size + bytes.len)) {
        result = WEIR_ENTRIES_FULL;
    }
    while (result == WEIR_ENTRIES_DONE && bytes.len != 0) {
        uint64_t n = weir_min(bytes.len, writer->cap - writer->used);

        if (n != 0) {
            write_bytes(writer, bytes.at, n);
            bytes = weir_str_skip(bytes, n);
        } else {
            result = write_grow(writer, bytes.len, now.ms);
        }
    }
    if (result != WEIR_ENTRIES_DONE) {
        entries_count(writer->entries, WEIR_ENTRIES_REFUSED);
    }
    return result;
}

void
weir_entry_abandon(weir_entry_writer_t *writer)
{
    const weir_entries_t *entries = writer->entries;

    weir_assert(writer->fill != NULL);
    if (weir_shm_load(&entries->head->broken) != ENTRIES_WELL) {
        weir_shm_store(writer->fill, 0);     /* all of it will be free */
    } else {
        entries_free(entries, writer->fill);
    }
    if (*writer->fill != 0) {
        weir_shm_store(writer->fill, *writer->fill | 1);
    }
    writer->fill = NULL;
}

/* -- taking its place -- */

static bool
write_is_expected(const entries_entry_t *entry, uint64_t expect)
{
    return expect == WEIR_ENTRIES_ANY || (entry == NULL ? expect == WEIR_ENTRIES_ABSENT : entry->serial == expect);
}

/* What no other process sees yet is written as it is; what others see, by the record. */
static bool
write_place(const weir_entry_writer_t *writer, entries_shard_t *shard, uint64_t *bucket, uint64_t now_ms)
{
    const weir_entries_t *entries = writer->entries;
    entries_entry_t      *entry = write_entry(writer);
    uint64_t              at = writer->at;

    weir_assert(at != 0 && *writer->fill == at);     /* until now it is the writer's */
    weir_shm_store(&entry->chain, *bucket);
    weir_shm_store(&entry->placed_ms, now_ms);
    weir_shm_store(&entry->used_ms, now_ms);
    weir_shm_store(&entry->serial, shard->serial + 1);
    entries_set(entries, shard, &shard->serial, shard->serial + 1);
    entries_set(entries, shard, &shard->n, shard->n + 1);
    entries_set(entries, shard, &shard->used, shard->used + entry->room);
    entries_set(entries, shard, bucket, at);
    entries_set(entries, shard, writer->fill, 0);
    return write_link_newest(entries, shard, entry, at);
}

static weir_entries_result_t
write_commit_held(const weir_entry_writer_t *writer, entries_shard_t *shard, uint64_t now_ms, uint64_t expect,
                  uint64_t *serial)
{
    const weir_entries_t *entries = writer->entries;
    entries_entry_t      *entry = write_entry(writer), *old;
    uint64_t              bucket = entries_bucket(entries, entry->name), *link;
    bool                  is_there;

    if (!entries_find(entries, bucket, entry->name, weir_str(entry->bytes, entries_key_len(entry)), &link, &old)) {
        return WEIR_ENTRIES_BUSY;
    }
    is_there = old != NULL && old->expires_ms > now_ms;
    if (!write_is_expected(is_there ? old : NULL, expect)) {
        return WEIR_ENTRIES_OTHER;
    }
    if (!write_end(entries, shard, (old == NULL || write_unlink(entries, shard, link, old))
                                   && write_place(writer, shard, &entries->buckets[bucket], now_ms)))
    {
        return WEIR_ENTRIES_BUSY;
    }
    if (old != NULL) {
        entries_count(entries, is_there ? WEIR_ENTRIES_REPLACED : WEIR_ENTRIES_EXPIRED);
    }
    entries_count(entries, WEIR_ENTRIES_STORED);
    if (serial != NULL) {
        *serial = entry->serial;
    }
    return WEIR_ENTRIES_DONE;
}

weir_entries_result_t
weir_entry_commit(weir_entry_writer_t *writer, weir_instant_t now, weir_instant_t expires, uint64_t expect,
                  uint64_t *serial)
{
    const weir_entries_t *entries = writer->entries;
    entries_entry_t      *entry = write_entry(writer);
    entries_shard_t      *shard = entries_shard(entries, entries_bucket(entries, entry->name));
    weir_entries_result_t result;

    weir_assert(writer->fill != NULL);
    weir_shm_store(&entry->expires_ms, expires.ms);
    if (!entries_ready(entries, now.ms) || !entries_take(entries, shard)) {
        return WEIR_ENTRIES_BUSY;
    }
    result = write_commit_held(writer, shard, now.ms, expect, serial);
    if (result == WEIR_ENTRIES_DONE) {
        writer->fill = NULL;
        write_sweep(entries, shard, now.ms);
        (void) write_reap(entries, shard, WRITE_REAP);
    }
    weir_guard_give_back(&shard->guard);
    return result;
}

weir_entries_result_t
weir_entries_put(const weir_entries_t *entries, weir_str_t key, weir_str_t value, weir_instant_t now,
                 weir_instant_t expires,
                 uint64_t expect, uint64_t *serial)
{
    weir_entry_writer_t   writer;
    weir_entries_result_t result = weir_entries_begin(entries, key, value.len, now, &writer);

    if (result != WEIR_ENTRIES_DONE) {
        return result;
    }
    result = weir_entry_append(&writer, value, now);
    if (result == WEIR_ENTRIES_DONE) {
        result = weir_entry_commit(&writer, now, expires, expect, serial);
    }
    if (result != WEIR_ENTRIES_DONE) {
        weir_entry_abandon(&writer);
    }
    return result;
}

/* -- what is there changes, or goes -- */

typedef struct { entries_shard_t *shard; uint64_t *link; entries_entry_t *entry; } write_found_t;

/* DONE: the guard is held. */
static weir_entries_result_t
write_take_found(const weir_entries_t *entries, weir_str_t key, uint64_t expect, write_found_t *found)
{
    uint64_t name = entries_name(entries, key), bucket = entries_bucket(entries, name);
    weir_entries_result_t result = WEIR_ENTRIES_DONE;

    found->shard = entries_shard(entries, bucket);
    if (weir_shm_load(&entries->head->broken) != ENTRIES_WELL || !entries_take(entries, found->shard)) {
        return WEIR_ENTRIES_BUSY;
    }
    if (!entries_find(entries, bucket, name, key, &found->link, &found->entry)) {
        result = WEIR_ENTRIES_BUSY;
    } else if (found->entry == NULL) {
        result = WEIR_ENTRIES_NONE;
    } else if (!write_is_expected(found->entry, expect)) {
        result = WEIR_ENTRIES_OTHER;
    }
    if (result != WEIR_ENTRIES_DONE) {
        weir_guard_give_back(&found->shard->guard);
    }
    return result;
}

weir_entries_result_t
weir_entries_extend(const weir_entries_t *entries, weir_str_t key, weir_instant_t now, weir_instant_t expires,
                    uint64_t expect)
{
    write_found_t         found;
    weir_entries_result_t result = write_take_found(entries, key, expect, &found);

    if (result == WEIR_ENTRIES_DONE) {
        if (found.entry->expires_ms > now.ms) {
            weir_shm_store(&found.entry->expires_ms, expires.ms);
        } else {
            result = WEIR_ENTRIES_NONE;
        }
        weir_guard_give_back(&found.shard->guard);
    }
    return result;
}

weir_entries_result_t
weir_entries_drop(const weir_entries_t *entries, weir_str_t key, uint64_t expect)
{
    write_found_t         found;
    weir_entries_result_t result = write_take_found(entries, key, expect, &found);

    if (result == WEIR_ENTRIES_DONE) {
        if (write_end(entries, found.shard, write_unlink(entries, found.shard, found.link, found.entry))) {
            (void) write_reap(entries, found.shard, WRITE_REAP);
        } else {
            result = WEIR_ENTRIES_BUSY;
        }
        weir_guard_give_back(&found.shard->guard);
    }
    return result;
}

/* Some of a shard.  false: it is empty, or nothing can be done. */
static bool
write_drop_some(const weir_entries_t *entries, entries_shard_t *shard)
{
    unsigned n = 0;

    if (!entries_take(entries, shard)) {
        return false;
    }
    while (n < WRITE_TURN && shard->oldest != 0) {
        entries_entry_t *entry = entries_at(entries, shard->oldest);
        uint64_t        *link = entry != NULL ? write_link_of(entries, shard, entry, shard->oldest) : NULL;

        if (!write_end(entries, shard, link != NULL && write_unlink(entries, shard, link, entry))) {
            n = 0;
            break;
        }
        n++;
    }
    (void) write_reap(entries, shard, WRITE_REAP_ALL);
    weir_guard_give_back(&shard->guard);
    return n != 0;
}

void
weir_entries_drop_all(const weir_entries_t *entries)
{
    for (uint64_t i = 0; i < entries->n_shards; i++) {
        while (write_drop_some(entries, &entries->shards[i])) {}
    }
}
