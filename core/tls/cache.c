/*
 * cache.c - TLS sessions in shared memory: sets of slots, each guarded by one word; nothing waits.
 *
 * The word of a slot holds when it was last claimed, a version, and whether a writer has it.  A reader copies between
 * two looks at the word; a writer claims it by compare-and-swap.  A claim older than a second is a dead writer's and is
 * taken over.  What is read must have the right checksum besides, so that a writer that was only slow makes a miss and
 * nothing worse.
 *
 * Three quarters of the memory hold small sessions, one quarter those with a client's certificate in them.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/sys.h"
#include "tls/session.h"

#include <string.h>

#define CACHE_MAGIC    0x7365737369306e32u
#define CACHE_WAYS     8
#define CACHE_ID_MAX   32
#define CACHE_SMALL    384
#define CACHE_LARGE    3072
#define CACHE_CLAIM_MS 1000

#define CACHE_BUSY     1u
#define CACHE_VERSIONS 0xfffffeu                  /* bits 1..23; the time of the claim in ms above them */

typedef struct {
    uint64_t word;
    uint64_t checksum;
    uint64_t expires_s;
    uint32_t used_s;
    uint16_t id_len, len;
    char     id[CACHE_ID_MAX];
    char     bytes[];
} cache_slot_t;

typedef struct { uint64_t offset, n_sets, slot_size; } cache_table_t;

struct weir_tls_cache {
    uint64_t      magic, size, seed;
    cache_table_t tables[2];
};

/* -- layout -- */

static void
cache_lay_out(weir_tls_cache_t *cache, size_t size)
{
    uint64_t offset = (sizeof(*cache) + 63) & ~(uint64_t) 63, room = size - offset,
        sets = room / 4 / (CACHE_LARGE * CACHE_WAYS);

    cache->tables[0] = (cache_table_t) { offset, (room - sets * CACHE_LARGE * CACHE_WAYS) / (CACHE_SMALL * CACHE_WAYS),
                                         CACHE_SMALL };
    cache->tables[1] = (cache_table_t) { offset + cache->tables[0].n_sets * CACHE_SMALL * CACHE_WAYS, sets,
                                         CACHE_LARGE };
}

weir_tls_cache_t *
weir_tls_cache_open(void *memory, size_t size)
{
    weir_tls_cache_t *cache = memory, want = { .magic = 0 };

    if (size < WEIR_TLS_CACHE_MIN) {
        return NULL;
    }
    cache_lay_out(&want, size);
    if (__atomic_load_n(&cache->magic, __ATOMIC_ACQUIRE) == CACHE_MAGIC) {
        return cache->size == size && memcmp(cache->tables, want.tables, sizeof(want.tables)) == 0 ? cache : NULL;
    }
    if (cache->magic != 0 || weir_sys_random(&cache->seed, sizeof(cache->seed)) != 0) {
        return NULL;
    }
    memcpy(cache->tables, want.tables, sizeof(want.tables));
    cache->size = size;
    __atomic_store_n(&cache->magic, CACHE_MAGIC, __ATOMIC_RELEASE);
    return cache;
}

static cache_slot_t *
cache_slot(weir_tls_cache_t *cache, const cache_table_t *table, uint64_t hash, unsigned way)
{
    weir_assert(table->n_sets != 0 && way < CACHE_WAYS);
    return (cache_slot_t *) (void *) ((char *) cache + table->offset
                                      + ((hash % table->n_sets) * CACHE_WAYS + way) * table->slot_size);
}

static uint64_t
cache_checksum(const weir_tls_cache_t *cache, const cache_slot_t *slot)
{
    uint64_t sum = weir_str_hash(weir_str(slot->bytes, slot->len), cache->seed);

    return weir_str_hash(weir_str(slot->id, slot->id_len), sum ^ slot->expires_s) | 1;
}

/* -- one slot -- */

static bool
cache_claim(cache_slot_t *slot, uint64_t word, uint64_t *claimed)
{
    uint64_t now_ms = weir_clock_now().ms;

    if ((word & CACHE_BUSY) != 0 && (((now_ms << 24) - (word & ~(uint64_t) 0xffffff)) >> 24) < CACHE_CLAIM_MS) {
        return false;
    }
    *claimed = (now_ms << 24) | ((word + 2) & CACHE_VERSIONS) | CACHE_BUSY;
    return __atomic_compare_exchange_n(&slot->word, &word, *claimed, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void
cache_release(cache_slot_t *slot, uint64_t claimed)
{
    weir_assert((claimed & CACHE_BUSY) != 0);
    (void) __atomic_compare_exchange_n(&slot->word, &claimed, claimed & ~(uint64_t) CACHE_BUSY, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED);    /* no more ours: another process thought us dead */
}

static void
cache_wipe(cache_slot_t *slot, size_t slot_size)
{
    slot->checksum = 0;
    weir_mem_wipe((char *) slot + offsetof(cache_slot_t, expires_s), slot_size - offsetof(cache_slot_t, expires_s));
}

static bool
cache_is(const cache_slot_t *slot, weir_str_t id, size_t slot_size)
{
    return slot->checksum != 0 && slot->id_len == id.len && slot->len <= slot_size - sizeof(*slot)
           && memcmp(slot->id, id.at, id.len) == 0;
}

/* -- putting -- */

static cache_slot_t *
cache_choose(weir_tls_cache_t *cache, const cache_table_t *table, uint64_t hash, weir_str_t id, uint64_t now_s,
             uint64_t *claimed)
{
    cache_slot_t *best = NULL;
    uint64_t best_word = 0, best_used = UINT64_MAX;

    for (unsigned way = 0; way < CACHE_WAYS; way++) {
        cache_slot_t *slot = cache_slot(cache, table, hash, way);
        uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);
        uint64_t used = slot->checksum == 0 || slot->expires_s <= now_s ? 0 : slot->used_s;

        if (cache_is(slot, id, table->slot_size)) {
            used = 0;
            best_used = UINT64_MAX;
        }
        if (used < best_used) {
            best = slot;
            best_word = word;
            best_used = used;
        }
    }
    return best != NULL && cache_claim(best, best_word, claimed) ? best : NULL;
}

bool
weir_tls_cache_put(weir_tls_cache_t *cache, weir_str_t id, weir_str_t session, uint64_t expires_wall_s)
{
    const cache_table_t *table = &cache->tables[session.len + sizeof(cache_slot_t) > CACHE_SMALL];
    uint64_t now_s = weir_clock_wall_ms() / 1000, claimed;
    cache_slot_t *slot;

    if (id.len == 0 || id.len > CACHE_ID_MAX || table->n_sets == 0 || session.len > table->slot_size - sizeof(*slot)) {
        return false;
    }
    slot = cache_choose(cache, table, weir_str_hash(id, cache->seed), id, now_s, &claimed);
    if (slot == NULL) {
        return false;
    }
    slot->checksum = 0;
    slot->expires_s = expires_wall_s;
    slot->used_s = (uint32_t) now_s;
    slot->id_len = (uint16_t) id.len;
    slot->len = (uint16_t) session.len;
    memcpy(slot->id, id.at, id.len);
    memcpy(slot->bytes, session.at, session.len);
    slot->checksum = cache_checksum(cache, slot);
    cache_release(slot, claimed);
    return true;
}

/* -- finding -- */

typedef struct { cache_slot_t *slot; const cache_table_t *table; uint64_t word; } cache_found_t;

static bool
cache_find(weir_tls_cache_t *cache, weir_str_t id, cache_found_t *found)
{
    uint64_t hash = weir_str_hash(id, cache->seed);

    for (unsigned i = 0; id.len != 0 && id.len <= CACHE_ID_MAX && i < weir_countof(cache->tables); i++) {
        const cache_table_t *table = &cache->tables[i];
        for (unsigned way = 0; table->n_sets != 0 && way < CACHE_WAYS; way++) {
            cache_slot_t *slot = cache_slot(cache, table, hash, way);
            uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);
            if ((word & CACHE_BUSY) == 0 && cache_is(slot, id, table->slot_size)) {
                *found = (cache_found_t) { slot, table, word };
                return true;
            }
        }
    }
    return false;
}

/* Copies what must be whole: the word is as it was, the checksum fits. */
static size_t
cache_copy(const weir_tls_cache_t *cache, const cache_found_t *found, weir_str_t id, char *room, size_t cap,
           uint64_t wall_s)
{
    union { cache_slot_t slot; char bytes[CACHE_LARGE]; } copy;
    size_t len = 0;

    memcpy(&copy, found->slot, found->table->slot_size);
    if (cache_is(&copy.slot, id, found->table->slot_size) && copy.slot.expires_s > wall_s && copy.slot.len <= cap
        && copy.slot.checksum == cache_checksum(cache, &copy.slot))
    {
        len = copy.slot.len;
        memcpy(room, copy.slot.bytes, len);
    }
    weir_mem_wipe(&copy, found->table->slot_size);
    return len;
}

size_t
weir_tls_cache_get(weir_tls_cache_t *cache, weir_str_t id, char *room, size_t cap, uint64_t wall_s, bool take)
{
    cache_found_t found;
    uint64_t claimed;
    size_t len;

    if (!cache_find(cache, id, &found)) {
        return 0;
    }
    if (take) {
        if (!cache_claim(found.slot, found.word, &claimed)) {
            return 0;
        }
        len = cache_copy(cache, &found, id, room, cap, wall_s);
        cache_wipe(found.slot, found.table->slot_size);
        cache_release(found.slot, claimed);
        return len;
    }
    len = cache_copy(cache, &found, id, room, cap, wall_s);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&found.slot->word, __ATOMIC_RELAXED) != found.word) {
        weir_mem_wipe(room, len);
        return 0;
    }
    __atomic_store_n(&found.slot->used_s, (uint32_t) wall_s, __ATOMIC_RELAXED);
    return len;
}

void
weir_tls_cache_drop(weir_tls_cache_t *cache, weir_str_t id)
{
    cache_found_t found;
    uint64_t claimed;

    if (cache_find(cache, id, &found) && cache_claim(found.slot, found.word, &claimed)) {
        cache_wipe(found.slot, found.table->slot_size);
        cache_release(found.slot, claimed);
    }
}

bool
weir_tls_cache_count(const void *memory, size_t size, uint64_t wall_s, uint64_t *held, uint64_t *room)
{
    const weir_tls_cache_t *cache = memory;
    weir_tls_cache_t laid = { .magic = 0 };          /* not what the memory says of itself */

    *held = *room = 0;
    if (size < WEIR_TLS_CACHE_MIN || cache->magic != CACHE_MAGIC) {
        return false;
    }
    cache_lay_out(&laid, size);
    for (unsigned i = 0; i < weir_countof(laid.tables); i++) {
        for (uint64_t n = 0; n < laid.tables[i].n_sets * CACHE_WAYS; n++) {
            const char *at = (const char *) memory + laid.tables[i].offset + n * laid.tables[i].slot_size;
            const cache_slot_t *slot = (const cache_slot_t *) (const void *) at;
            *held += slot->checksum != 0 && slot->expires_s > wall_s;
        }
        *room += laid.tables[i].n_sets * CACHE_WAYS;
    }
    return true;
}
