/*
 * entries.c - see entries.h: layout and reading.
 */
#include "shm/entries_internal.h"

#include "os/sys.h"

#include <string.h>

#define ENTRIES_MAGIC      0x656e747279203031u
#define ENTRIES_SHARD_ROOM (256 * 1024)      /* bytes of a zone for each shard, until there are so many */
#define ENTRIES_BUCKET     1024              /* so for each bucket */
#define ENTRIES_RACES      4                 /* without the guard it is tried so often */
#define ENTRIES_STEPS      64                /* of a chain, without the guard */
#define ENTRIES_USED_MS    500               /* when an entry was read is known so exactly */

/* -- layout -- */

static uint64_t
entries_power(uint64_t n)
{
    weir_assert(n != 0);
    return (uint64_t) 1 << (63 - __builtin_clzll(n));
}

static uint64_t
entries_align(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* Geometry is a matter of size alone. */
bool
entries_view(weir_entries_t *entries, void *memory, uint64_t size)
{
    uint64_t rows = WEIR_SLOTS * sizeof(entries_row_t), at = sizeof(entries_head_t), room;

    if (size < rows + 16 * WEIR_SLAB_PAGE) {
        return false;
    }
    room = size - rows;
    entries->n_shards = entries_power(weir_min(weir_max(room / ENTRIES_SHARD_ROOM, 1), ENTRIES_SHARDS));
    entries->n_buckets = entries_power(room / ENTRIES_BUCKET);
    weir_assert(entries->n_buckets >= entries->n_shards);     /* so that a bucket is of one shard */
    entries->head = memory;
    entries->shards = (entries_shard_t *) (void *) ((char *) memory + at);
    at += entries->n_shards * sizeof(entries_shard_t);
    entries->buckets = (uint64_t *) (void *) ((char *) memory + at);
    at = entries_align(at + entries->n_buckets * sizeof(uint64_t), 64);
    entries->rows = (entries_row_t *) (void *) ((char *) memory + at);
    at += rows;
    return weir_slab_view(&entries->slab, (weir_region_t) { memory, size }, at, size);
}

uint64_t
weir_entries_bytes(uint64_t room)
{
    uint64_t rows = WEIR_SLOTS * sizeof(entries_row_t), pages = room / WEIR_SLAB_PAGE + 1;

    return rows + sizeof(entries_head_t) + ENTRIES_SHARDS * sizeof(entries_shard_t) + pages * (WEIR_SLAB_PAGE + 128)
           + 16 * WEIR_SLAB_PAGE;
}

void
entries_clear_shard(entries_shard_t *shard)
{
    memset((char *) shard + sizeof(shard->guard), 0, sizeof(*shard) - sizeof(shard->guard));
    shard->serial = weir_sys_clock_us();                 /* none is given a second time */
}

static bool
entries_format(const weir_entries_t *entries, uint64_t size)
{
    entries_head_t *head = entries->head;

    if (weir_sys_random(&head->seed, sizeof(head->seed)) != 0) {
        return false;
    }
    for (uint64_t i = 0; i < entries->n_shards; i++) {
        entries_clear_shard(&entries->shards[i]);
        weir_guard_init(&entries->shards[i].guard);
    }
    weir_slab_format(&entries->slab);
    head->size = size;
    __atomic_store_n(&head->magic, ENTRIES_MAGIC, __ATOMIC_RELEASE);
    return true;
}

bool
entries_is_one(const weir_entries_t *entries, uint64_t size)
{
    return weir_shm_load(&entries->head->magic) == ENTRIES_MAGIC && entries->head->size == size;
}

bool
weir_entries_open(weir_entries_t *entries, weir_str_t name, void *memory, uint64_t size)
{
    entries->name = name;
    if (!entries_view(entries, memory, size)) {
        return false;
    }
    return entries_is_one(entries, size) || (entries->head->magic == 0 && entries_format(entries, size));
}

/* -- pins -- */

/* NULL: all are in use, or the table cannot be used. */
static uint64_t *
entries_free_pin(const weir_entries_t *entries, uint64_t now_ms)
{
    entries_row_t *row = entries_ready(entries, now_ms) ? entries_row(entries) : NULL;
    uint64_t       i = row != NULL ? row->guess : 0;

    if (row == NULL) {
        return NULL;
    }
    if (i >= WEIR_ENTRIES_PINS || row->pins[i] != 0) {
        for (i = 0; i < WEIR_ENTRIES_PINS && row->pins[i] != 0; i++) {}
    }
    if (i == WEIR_ENTRIES_PINS) {
        return NULL;
    }
    if (row->high <= i) {
        weir_shm_store(&row->high, i + 1);
    }
    row->guess = i + 1;
    return &row->pins[i];
}

static void
entries_unpin(const weir_entries_t *entries, uint64_t *pin)
{
    entries_row_t *row = &entries->rows[weir_slot()];
    uint64_t       i = (uint64_t) (pin - row->pins);

    weir_assert(i < WEIR_ENTRIES_PINS);
    weir_shm_store(pin, 0);
    row->guess = i;
    if (i + 1 == row->high) {
        while (i > 0 && row->pins[i - 1] == 0) {
            i--;
        }
        weir_shm_store(&row->high, i);
    }
}

bool
entries_is_pinned(const weir_entries_t *entries, uint64_t at)
{
    for (uint32_t word = 0; word < WEIR_SLOTS / 64; word++) {
        for (uint64_t bits = weir_shm_load(&entries->head->rows[word]); bits != 0; bits &= bits - 1) {
            const entries_row_t *row = &entries->rows[word * 64 + (uint32_t) __builtin_ctzll(bits)];
            uint64_t             high = weir_min(weir_shm_load(&row->high), WEIR_ENTRIES_PINS);

            for (uint64_t i = 0; i < high; i++) {
                if (weir_shm_load(&row->pins[i]) == at) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* -- finding -- */

uint64_t
entries_name(const weir_entries_t *entries, weir_str_t key)
{
    uint64_t name = weir_str_hash(key, entries->head->seed);

    return name != 0 ? name : 1;
}

entries_entry_t *
entries_at(const weir_entries_t *entries, uint64_t at)
{
    entries_entry_t *entry;
    uint64_t         size = weir_slab_size(&entries->slab, at);

    if (size < sizeof(*entry)) {
        return NULL;
    }
    entry = weir_slab_block(&entries->slab, at);
    if (entries_key_len(entry) > size - sizeof(*entry)
        || entries_first_len(entry) > size - sizeof(*entry) - entries_key_len(entry))
    {
        return NULL;
    }
    return entry;
}

static bool
entries_has_key(const entries_entry_t *entry, uint64_t name, weir_str_t key)
{
    return entry->name == name && weir_str_eq(weir_str(entry->bytes, entries_key_len(entry)), key);
}

bool
entries_find(const weir_entries_t *entries, uint64_t bucket, uint64_t name, weir_str_t key, uint64_t **link,
             entries_entry_t **found)
{
    uint64_t most = entries_most(entries, entries_shard(entries, bucket));

    *link = &entries->buckets[bucket];
    for (*found = NULL; **link != 0; *link = &(*found)->chain) {
        *found = entries_at(entries, **link);
        if (*found == NULL || most-- == 0) {
            entries_break(entries, ENTRIES_CHAIN);
            return false;
        }
        if (entries_has_key(*found, name, key)) {
            return true;
        }
    }
    *found = NULL;
    return true;
}

#define ENTRIES_LOST UINT64_MAX

/* Without the guard: what is read may be something else by now, so it is only looked at as numbers, within the zone.
 * 0: there is none; LOST: it leads nowhere.  (For a thread sanitizer this is a race, and it is one: the caller finds
 * out by the version.) */
__attribute__((no_sanitize("thread"))) static uint64_t
entries_peek(const weir_entries_t *entries, uint64_t bucket, uint64_t name)
{
    uint64_t at = __atomic_load_n(&entries->buckets[bucket], __ATOMIC_ACQUIRE);

    for (unsigned i = 0; at != 0; i++) {
        const entries_entry_t *entry;

        if (i == ENTRIES_STEPS || !entries_may_be(entries, at)) {
            return ENTRIES_LOST;
        }
        entry = weir_slab_block(&entries->slab, at);
        if (__atomic_load_n(&entry->name, __ATOMIC_ACQUIRE) == name) {
            return at;
        }
        at = __atomic_load_n(&entry->chain, __ATOMIC_ACQUIRE);
    }
    return 0;
}

/* DONE: *pin holds it · NONE · BUSY: things change too fast, or it cannot be told. */
static weir_entries_result_t
entries_pin_racing(const weir_entries_t *entries, uint64_t bucket, uint64_t name, uint64_t *pin)
{
    const weir_guard_t *guard = &entries_shard(entries, bucket)->guard;

    for (unsigned i = 0; i < ENTRIES_RACES; i++) {
        uint64_t version = weir_shm_load(&guard->version);
        uint64_t at = version % 2 == 0 ? entries_peek(entries, bucket, name) : ENTRIES_LOST;

        if (at == ENTRIES_LOST) {
            continue;
        }
        if (at != 0) {
            weir_shm_store(pin, at);
        }
        /* A process that takes it away changes the version before it looks for pins; so one of us sees the other. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (weir_shm_load(&guard->version) == version) {
            return at != 0 ? WEIR_ENTRIES_DONE : WEIR_ENTRIES_NONE;
        }
        weir_shm_store(pin, 0);
    }
    return WEIR_ENTRIES_BUSY;
}

static weir_entries_result_t
entries_pin_held(const weir_entries_t *entries, uint64_t bucket, uint64_t name, weir_str_t key, uint64_t *pin)
{
    entries_shard_t *shard = entries_shard(entries, bucket);
    entries_entry_t *entry;
    uint64_t        *link;
    bool             good;

    if (!entries_take(entries, shard)) {
        return WEIR_ENTRIES_BUSY;
    }
    good = entries_find(entries, bucket, name, key, &link, &entry);
    if (good && entry != NULL) {
        weir_shm_store(pin, *link);
    }
    weir_guard_give_back(&shard->guard);
    return !good ? WEIR_ENTRIES_BUSY : entry != NULL ? WEIR_ENTRIES_DONE : WEIR_ENTRIES_NONE;
}

/* -- reading -- */

/* What is pinned, as the caller sees it.  false: it is none. */
static bool
entries_show(const weir_entries_t *entries, uint64_t *pin, weir_entry_t *entry)
{
    const entries_entry_t *its = entries_at(entries, *pin);

    if (its == NULL || its->size > weir_min(WEIR_ENTRIES_VALUE_MAX, entries->slab.n_pages * WEIR_SLAB_PAGE)) {
        entries_break(entries, ENTRIES_ENTRY);
        return false;
    }
    *entry = (weir_entry_t) {
        .entries = entries, .pin = pin, .at = *pin, .size = its->size, .serial = its->serial,
        .expires = { weir_shm_load(&its->expires_ms) },
        .key = weir_str(its->bytes, entries_key_len(its)),
    };
    return true;
}

/* For processes that evict; not with every read, so that readers do not take the line from one another. */
static void
entries_touch(const weir_entry_t *entry, uint64_t now_ms)
{
    entries_entry_t *its = weir_slab_block(&entry->entries->slab, entry->at);

    weir_assert(entry->at != 0);
    if (now_ms - __atomic_load_n(&its->used_ms, __ATOMIC_RELAXED) >= ENTRIES_USED_MS) {
        __atomic_store_n(&its->used_ms, now_ms, __ATOMIC_RELAXED);
    }
}

static weir_entries_result_t
entries_get_pinned(const weir_entries_t *entries, weir_str_t key, uint64_t *pin, weir_entry_t *entry)
{
    uint64_t              name = entries_name(entries, key), bucket = entries_bucket(entries, name);
    weir_entries_result_t result = entries_pin_racing(entries, bucket, name, pin);

    if (result == WEIR_ENTRIES_DONE && (!entries_show(entries, pin, entry) || !weir_str_eq(entry->key, key))) {
        result = WEIR_ENTRIES_BUSY;          /* another one of that name may be behind it */
    }
    if (result == WEIR_ENTRIES_BUSY) {
        result = entries_pin_held(entries, bucket, name, key, pin);
        if (result == WEIR_ENTRIES_DONE && !entries_show(entries, pin, entry)) {
            result = WEIR_ENTRIES_BUSY;
        }
    }
    return result;
}

weir_entries_result_t
weir_entries_get(const weir_entries_t *entries, weir_str_t key, weir_instant_t now, weir_entry_t *entry)
{
    uint64_t             *pin = entries_free_pin(entries, now.ms);
    weir_entries_result_t result;

    if (pin == NULL) {
        return WEIR_ENTRIES_BUSY;
    }
    result = entries_get_pinned(entries, key, pin, entry);
    if (result == WEIR_ENTRIES_DONE && entry->expires.ms <= now.ms) {
        result = WEIR_ENTRIES_NONE;
    }
    if (result == WEIR_ENTRIES_DONE) {
        entries_touch(entry, now.ms);
    } else {
        entries_unpin(entries, pin);
    }
    if (result != WEIR_ENTRIES_BUSY) {
        entries_count(entries, result == WEIR_ENTRIES_DONE ? WEIR_ENTRIES_HITS : WEIR_ENTRIES_MISSES);
    }
    return result;
}

weir_entries_result_t
weir_entries_look(const weir_entries_t *entries, weir_str_t key, weir_instant_t now,
                  void (*look)(void *data, const weir_entry_t *entry), void *data)
{
    uint64_t              name = entries_name(entries, key), bucket = entries_bucket(entries, name), at = 0;
    entries_shard_t      *shard = entries_shard(entries, bucket);
    weir_entries_result_t result = WEIR_ENTRIES_BUSY;
    entries_entry_t      *its = NULL;
    weir_entry_t          entry;
    uint64_t             *link;

    if (!entries_ready(entries, now.ms) || !entries_take(entries, shard)) {
        return WEIR_ENTRIES_BUSY;
    }
    if (entries_find(entries, bucket, name, key, &link, &its)) {
        result = WEIR_ENTRIES_NONE;
        at = its != NULL ? *link : 0;
    }
    if (its != NULL && result == WEIR_ENTRIES_NONE && entries_show(entries, &at, &entry)
        && entry.expires.ms > now.ms)
    {
        look(data, &entry);
        result = WEIR_ENTRIES_DONE;
    }
    weir_guard_give_back(&shard->guard);
    return result;
}

void
weir_entry_release(weir_entry_t *entry)
{
    weir_assert(entry->pin != NULL);
    entries_unpin(entry->entries, entry->pin);
    entry->pin = NULL;
}

bool
weir_entry_next_piece(const weir_entry_t *entry, weir_entry_cursor_t *cursor, weir_str_t *piece)
{
    const weir_slab_t     *slab = &entry->entries->slab;
    const entries_entry_t *its = weir_slab_block(slab, entry->at);
    const entries_piece_t *next;
    uint64_t               room;

    if (!cursor->begun) {
        *cursor = (weir_entry_cursor_t) { .at = its->more, .left = entry->size, .begun = true };
        *piece = weir_str(its->bytes + entries_key_len(its), weir_min(entries_first_len(its), cursor->left));
        cursor->left -= piece->len;
        if (piece->len != 0) {
            return true;
        }
    }
    if (cursor->left == 0) {
        return false;
    }
    room = weir_slab_size(slab, cursor->at);
    next = room > sizeof(*next) ? weir_slab_block(slab, cursor->at) : NULL;
    if (next == NULL || next->len == 0 || next->len > weir_min(room - sizeof(*next), cursor->left)) {
        entries_break(entry->entries, ENTRIES_ENTRY);
        return false;
    }
    *piece = weir_str(next->bytes, next->len);
    cursor->left -= next->len;
    cursor->at = next->more;
    return true;
}

bool
weir_entry_copy(const weir_entry_t *entry, char *room)
{
    weir_entry_cursor_t cursor = { .begun = false };
    weir_str_t          piece;

    while (weir_entry_next_piece(entry, &cursor, &piece)) {
        memcpy(room, piece.at, piece.len);
        room += piece.len;
    }
    return cursor.left == 0;
}

/* -- all of them -- */

/* Of a bucket the one whose name comes next; false: it is broken. */
static bool
entries_next_of(const weir_entries_t *entries, uint64_t bucket, uint64_t name, uint64_t now_ms, uint64_t *next)
{
    uint64_t most = entries_most(entries, entries_shard(entries, bucket)), least = UINT64_MAX;

    *next = 0;
    for (uint64_t at = entries->buckets[bucket]; at != 0;) {
        const entries_entry_t *entry = entries_at(entries, at);

        if (entry == NULL || most-- == 0) {
            entries_break(entries, ENTRIES_CHAIN);
            return false;
        }
        if (entry->name > name && entry->name <= least && entry->expires_ms > now_ms) {
            least = entry->name;
            *next = at;
        }
        at = entry->chain;
    }
    return true;
}

weir_entries_result_t
weir_entries_next(const weir_entries_t *entries, weir_entries_cursor_t *cursor, weir_instant_t now, weir_entry_t *entry)
{
    uint64_t *pin = entries_free_pin(entries, now.ms), at = 0;

    if (pin == NULL) {
        return WEIR_ENTRIES_BUSY;
    }
    for (; cursor->bucket < entries->n_buckets; cursor->bucket++, cursor->name = 0) {
        entries_shard_t *shard = entries_shard(entries, cursor->bucket);
        bool             good;

        if (weir_shm_load(&entries->buckets[cursor->bucket]) == 0) {
            continue;
        }
        if (!entries_take(entries, shard)) {
            return WEIR_ENTRIES_BUSY;
        }
        good = entries_next_of(entries, cursor->bucket, cursor->name, now.ms, &at);
        if (good && at != 0) {
            weir_shm_store(pin, at);
        }
        weir_guard_give_back(&shard->guard);
        if (at == 0 && good) {
            continue;
        }
        if (!good || !entries_show(entries, pin, entry)) {
            entries_unpin(entries, pin);
            return WEIR_ENTRIES_BUSY;
        }
        cursor->name = ((const entries_entry_t *) weir_slab_block(&entries->slab, at))->name;
        return WEIR_ENTRIES_DONE;
    }
    return WEIR_ENTRIES_NONE;
}

/* -- counting -- */

bool
weir_entries_stats(const void *memory, uint64_t size, weir_entries_stats_t *stats)
{
    weir_entries_t    entries;
    weir_slab_count_t count;

    *stats = (weir_entries_stats_t) { .entries = 0 };
    if (!entries_view(&entries, (void *) (uintptr_t) memory, size) || !entries_is_one(&entries, size)) {
        return false;
    }
    for (uint64_t i = 0; i < entries.n_shards; i++) {
        stats->entries += weir_shm_load(&entries.shards[i].n);
    }
    for (uint32_t i = 0; i < WEIR_SLOTS; i++) {
        bool is_used = (weir_shm_load(&entries.head->rows[i / 64]) >> i % 64 & 1) != 0;

        for (unsigned what = 0; is_used && what < WEIR_ENTRIES_COUNTS; what++) {
            stats->count[what] += weir_shm_load(&entries.rows[i].count[what]);
        }
    }
    weir_slab_count(&entries.slab, &count);
    stats->used = count.used;
    stats->room = count.pages * WEIR_SLAB_PAGE;
    return true;
}

void
weir_entries_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    weir_entries_stats_t stats;

    if (weir_entries_stats(memory, size, &stats)) {
        weir_buf_printf(out, "entries=%llu used=%llu room=%llu evicted=%llu refused=%llu",
                        (unsigned long long) stats.entries,
                        (unsigned long long) stats.used, (unsigned long long) stats.room,
                        (unsigned long long) stats.count[WEIR_ENTRIES_EVICTED],
                        (unsigned long long) stats.count[WEIR_ENTRIES_REFUSED]);
    }
}
