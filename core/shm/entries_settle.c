/*
 * entries_settle.c - see entries.h: what becomes of memory that is damaged, and of what the dead have left.
 */
#include "shm/entries_internal.h"

#include "log/log.h"

#include <string.h>

#define SETTLE_ANEW_MS 100                   /* between two tries to begin anew */

/* -- what is damaged -- */

void
entries_break(const weir_entries_t *entries, entries_break_t why)
{
    weir_assert(why > ENTRIES_WELL && why < ENTRIES_BREAKS);
    static const char *const where[ENTRIES_BREAKS] = { "", "a lock", "its memory", "a chain of keys", "an entry",
                                                       "the order of use", "what was dropped" };
    uint64_t                 well = ENTRIES_WELL;

    if (__atomic_compare_exchange_n(&entries->head->broken, &well, why, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        weir_log(WEIR_LOG_ALERT, NULL, 0,
                 "shared memory \"%.*s\" is damaged in %s: nothing is read from it until it has begun anew",
                 WEIR_STR_ARG(entries->name), where[why]);
    }
}

bool
entries_may_be(const weir_entries_t *entries, uint64_t at)
{
    const weir_slab_t *slab = &entries->slab;

    return at % WEIR_SLAB_ALIGN == 0 && at >= slab->first
           && at <= slab->first + slab->n_pages * WEIR_SLAB_PAGE - sizeof(entries_entry_t);
}

/* Does any process that lives pin or fill anything?  Of damaged words those are believed that may be true. */
static bool
entries_are_at_rest(void *data)
{
    const weir_entries_t *entries = data;

    for (uint32_t i = 0; i < WEIR_SLOTS; i++) {
        const entries_row_t *row = &entries->rows[i];

        if ((weir_shm_load(&entries->head->rows[i / 64]) >> i % 64 & 1) == 0 || weir_slots_owner(i) == 0) {
            continue;
        }
        for (uint32_t k = 0; k < WEIR_ENTRIES_PINS; k++) {
            uint64_t fill = weir_shm_load(&row->fills[k % WEIR_ENTRIES_FILLS]) & ~(uint64_t) 1;

            if (entries_may_be(entries, weir_shm_load(&row->pins[k])) || entries_may_be(entries, fill)) {
                return false;
            }
        }
    }
    return true;
}

static void
entries_clear(const weir_entries_t *entries)
{
    for (uint64_t i = 0; i < entries->n_shards; i++) {
        entries_clear_shard(&entries->shards[i]);
    }
    memset(entries->buckets, 0, entries->n_buckets * sizeof(uint64_t));
    for (uint32_t i = 0; i < WEIR_SLOTS; i++) {
        entries_row_t *row = &entries->rows[i];

        if ((entries->head->rows[i / 64] >> i % 64 & 1) != 0) {
            row->high = row->guess = 0;
            memset(row->fills, 0, sizeof(row->fills));
            memset(row->pins, 0, sizeof(row->pins));
        }
    }
}

/* With every shard's guard held, or damaged.  A kill on the way leaves it broken, for the next one. */
static bool
entries_begin_anew(const weir_entries_t *entries)
{
    weir_slab_result_t result;

    for (uint64_t i = 0; i < entries->n_shards; i++) {
        weir_shm_store(&entries->shards[i].guard.version, entries->shards[i].guard.version | 1);     /* readers go */
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    result = weir_slab_reset(&entries->slab, entries_are_at_rest, (void *) (uintptr_t) entries);
    if (result == WEIR_SLAB_DONE) {
        entries_clear(entries);
        weir_shm_store(&entries->head->broken, ENTRIES_WELL);
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "shared memory \"%.*s\" was damaged and begins anew",
                 WEIR_STR_ARG(entries->name));
    }
    return result == WEIR_SLAB_DONE;
}

static bool
entries_mend(const weir_entries_t *entries)
{
    weir_guard_result_t results[ENTRIES_SHARDS];
    weir_region_t       zone = entries->slab.zone;
    uint64_t            n = 0;
    bool                done = false;

    for (; n < entries->n_shards; n++) {
        results[n] = weir_guard_take(&entries->shards[n].guard, zone);
        if (results[n] == WEIR_GUARD_BUSY) {
            break;
        }
    }
    if (n == entries->n_shards && entries->head->broken != ENTRIES_WELL) {
        done = entries_begin_anew(entries);
    }
    while (n-- > 0) {
        weir_guard_t *guard = &entries->shards[n].guard;

        if (results[n] == WEIR_GUARD_HELD) {
            guard->n = guard->orphaned = 0;
            weir_shm_store(&guard->version, (guard->version | 1) + 1);
            weir_guard_give_back(guard);
        } else if (done) {
            weir_guard_init(guard);
        }
    }
    return done;
}

bool
entries_ready(const weir_entries_t *entries, uint64_t now_ms)
{
    entries_head_t *head = entries->head;

    if (weir_likely(weir_shm_load(&head->broken) == ENTRIES_WELL)) {
        return true;
    }
    if (now_ms >= head->tried_ms && now_ms - head->tried_ms < SETTLE_ANEW_MS) {
        return false;
    }
    head->tried_ms = now_ms;
    return entries_mend(entries);
}

/* A process that died with the guard may have been freeing what is in the shard's hand. */
static bool
entries_settle_hand(const weir_entries_t *entries, weir_guard_t *guard)
{
    weir_slab_result_t result = weir_slab_settle(&entries->slab);

    if (result == WEIR_SLAB_BROKEN) {
        entries_break(entries, ENTRIES_SLAB);
    }
    if (result == WEIR_SLAB_DONE) {
        weir_shm_store(&guard->orphaned, 0);
    }
    return result == WEIR_SLAB_DONE;
}

bool
entries_take(const weir_entries_t *entries, entries_shard_t *shard)
{
    weir_guard_t       *guard = &shard->guard;
    weir_guard_result_t result = weir_guard_take(guard, entries->slab.zone);

    if (result == WEIR_GUARD_DAMAGED) {
        entries_break(entries, ENTRIES_GUARD);
    }
    if (result != WEIR_GUARD_HELD) {
        return false;
    }
    if (weir_shm_load(&entries->head->broken) != ENTRIES_WELL
        || (guard->orphaned != 0 && !entries_settle_hand(entries, guard))) {
        weir_guard_give_back(guard);
        return false;
    }
    return true;
}

/* -- rows: what each process holds -- */

/* The first word of each block owns the next one. */
void
entries_free(const weir_entries_t *entries, uint64_t *owner)
{
    if (weir_slab_free_chain(&entries->slab, owner) == WEIR_SLAB_BROKEN) {
        entries_break(entries, ENTRIES_SLAB);
    }
}

/* What a dead process was at under any guard is undone: its row may have had a part in it.  false: not now. */
static bool
entries_settle_guards(const weir_entries_t *entries)
{
    bool settled = true;

    for (uint64_t i = 0; i < entries->n_shards && settled; i++) {
        settled = entries_take(entries, &entries->shards[i]);
        if (settled) {
            weir_guard_give_back(&entries->shards[i].guard);
        }
    }
    return settled && weir_slab_settle(&entries->slab) == WEIR_SLAB_DONE;
}

/* What the owner of before left.  false: it is left. */
static bool
entries_settle_row(const weir_entries_t *entries, entries_row_t *row)
{
    bool settled = true;

    for (uint32_t i = 0; i < WEIR_ENTRIES_PINS; i++) {
        if (row->pins[i] != 0) {
            weir_shm_store(&row->pins[i], 0);
        }
    }
    weir_shm_store(&row->high, 0);
    row->guess = 0;
    if (weir_shm_load(&entries->head->broken) != ENTRIES_WELL) {
        memset(row->fills, 0, sizeof(row->fills));       /* all of it will be free */
        return true;
    }
    if (!entries_settle_guards(entries)) {
        return false;
    }
    for (uint32_t i = 0; i < WEIR_ENTRIES_FILLS && settled; i++) {
        if (row->fills[i] % 2 != 0) {
            weir_shm_store(&row->fills[i], row->fills[i] - 1);
        }
        if (row->fills[i] != 0) {
            entries_free(entries, &row->fills[i]);
            settled = row->fills[i] == 0;
        }
    }
    return settled;
}

entries_row_t *
entries_row(const weir_entries_t *entries)
{
    uint32_t       slot = weir_slot();
    entries_row_t *row = &entries->rows[slot];
    uint64_t       pid = (uint64_t) weir_slot_mine.pid;

    weir_assert(slot < WEIR_SLOTS);
    if (weir_unlikely(row->pid != pid)) {
        (void) __atomic_fetch_or(&entries->head->rows[slot / 64], (uint64_t) 1 << slot % 64, __ATOMIC_SEQ_CST);
        if (!entries_settle_row(entries, row)) {
            return NULL;
        }
        weir_shm_store(&row->pid, pid);
    }
    return row;
}

void
weir_entries_fold(void *memory, uint64_t size, uint32_t slot)
{
    weir_entries_t entries = { .name = WEIR_STR_NONE };

    if (slot < WEIR_SLOTS && entries_view(&entries, memory, size) && entries_is_one(&entries, size)
        && (weir_shm_load(&entries.head->rows[slot / 64]) >> slot % 64 & 1) != 0)
    {
        if (entries_settle_row(&entries, &entries.rows[slot])) {
            weir_shm_store(&entries.rows[slot].pid, 0);
        }                                    /* else its next owner does */
    }
}
