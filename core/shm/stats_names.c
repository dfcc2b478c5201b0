/*
 * stats_names.c - which row a name has, which processes hold it, and which row a new name gets.
 *
 * Runs in every process; masters make rows, each from one thread, one at a time (stats_lock).  Holds are counted in the
 * process (a row each, allocated as rows come) and told to the others by a bit of the process's slot; its
 * configurations are built and dropped by two threads, so both lie behind a lock.
 */
#include "shm/stats_internal.h"

#include "base/mem.h"
#include "log/log.h"
#include "shm/slots.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_TRIES 1000
#define NAMES_SEED  0x7374617473723032u

static struct {
    pthread_mutex_t lock;
    uint32_t       *holds;                    /* of this process, by row */
    uint32_t        n_holds;                  /* rows it has room for */
    uint32_t        n_held;                   /* rows this process holds */
    uint32_t        room;                     /* statistics_rows */
    uint32_t        next_free;                /* where the look for a row that no process holds goes on */
    bool            is_used_up;               /* told, and not looked for again for this configuration */
    uint32_t        master;                   /* the place of a master, which is pid (its children are not) */
    pid_t           pid;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* -- finding -- */

static uint64_t
names_hash(weir_stats_kind_t kind, weir_str_t name)
{
    return weir_str_hash(name, NAMES_SEED + kind);
}

static bool
names_is(const stats_name_t *its, weir_stats_kind_t kind, weir_str_t name, uint64_t hash)
{
    return its->hash == hash && its->kind == (uint32_t) kind && its->len <= WEIR_STATS_NAME
           && weir_str_eq(weir_str(its->name, its->len), name);
}

/* The place in the index that has the name, or the free one where it would be. */
static uint32_t
names_place(const stats_head_t *head, weir_stats_kind_t kind, weir_str_t name, uint64_t hash)
{
    uint32_t place = (uint32_t) (hash % STATS_INDEX);

    for (uint32_t n = 0; n < STATS_INDEX; n++, place = (place + 1) % STATS_INDEX) {
        uint32_t row = __atomic_load_n(&head->index[place], __ATOMIC_ACQUIRE);

        if (row == 0 || (row <= WEIR_STATS_SEGMENT && names_is(&head->names[row - 1], kind, name, hash))) {
            break;
        }
    }
    return place;
}

/* -- holding; with the lock -- */

static void
names_tell(uint32_t row, bool held)
{
    stats_head_t *head = stats_segments[row / WEIR_STATS_SEGMENT].head;

    weir_assert(row / WEIR_STATS_SEGMENT < stats_n_segments);
    if (weir_slot_mine.number != WEIR_SLOT_NONE) {
        stats_use_slot(head, weir_slot());
        stats_set_bit(head->held[weir_slot()], row % WEIR_STATS_SEGMENT, held);
    } else if (names.pid != 0 && names.pid == getpid()) {
        stats_set_bit(head->held_by_master[names.master], row % WEIR_STATS_SEGMENT, held);
    }
}

/* Places of masters that have died; one of this pid that is not this process's is of such a one, too. */
static void
names_settle_masters(void)
{
    uint32_t *masters = stats_segments[0].head->masters;

    for (uint32_t i = 0; i < STATS_MASTERS; i++) {
        bool is_mine = masters[i] == (uint32_t) getpid();

        if (masters[i] == 0 || (is_mine && names.pid == getpid())
            || (!is_mine && (kill((pid_t) masters[i], 0) == 0 || errno != ESRCH)))
        {
            continue;
        }
        for (uint32_t k = 0; k < stats_n_segments; k++) {
            memset(stats_segments[k].head->held_by_master[i], 0, sizeof(stats_segments[k].head->held_by_master[i]));
        }
        masters[i] = 0;
    }
}

/* A place of its own for a process that makes rows and has no slot.  When others that live have all of them it holds
 * nothing against others. */
static void
names_find_place(void)
{
    uint32_t *masters = stats_segments[0].head->masters;

    if (names.pid == getpid() || weir_slot_mine.number != WEIR_SLOT_NONE || !weir_zones_are_made_here()
        || !stats_lock())
    {
        return;
    }
    names.pid = 0;
    names_settle_masters();
    for (uint32_t i = 0; i < STATS_MASTERS && names.pid == 0; i++) {
        if (masters[i] == 0) {
            masters[i] = (uint32_t) getpid();
            names.master = i;
            names.pid = getpid();
        }
    }
    for (uint32_t row = 0; names.pid != 0 && row < names.n_holds; row++) {
        if (names.holds[row] != 0) {
            names_tell(row, true);
        }
    }
    stats_unlock();
}

static void
names_hold(uint32_t row)
{
    if (row >= names.n_holds) {
        uint32_t  n = stats_n_segments * WEIR_STATS_SEGMENT;
        uint32_t *grown = weir_mem_need(n * sizeof(*grown));      /* zeroed */

        if (names.n_holds != 0) {
            memcpy(grown, names.holds, names.n_holds * sizeof(*grown));
        }
        weir_mem_free(names.holds);
        names.holds = grown;
        names.n_holds = n;
    }
    weir_assert(row < names.n_holds && names.holds[row] < UINT32_MAX);
    if (names.holds[row]++ == 0) {
        names.n_held++;
        names_tell(row, true);
    }
}

static void
names_let_go(uint32_t row)
{
    weir_assert(row < names.n_holds && names.holds[row] > 0);
    if (--names.holds[row] == 0) {
        weir_assert(names.n_held > 0);
        names.n_held--;
        names_tell(row, false);
    }
}

/* The row of that name in the segment, held; UINT32_MAX: there is none. */
static uint32_t
names_find(uint32_t segment, weir_stats_kind_t kind, weir_str_t name, uint64_t hash)
{
    const stats_head_t *head = stats_segments[segment].head;

    weir_assert(segment < stats_n_segments);
    for (unsigned tries = 0; tries < NAMES_TRIES; tries++) {
        uint32_t version = __atomic_load_n(&head->version, __ATOMIC_ACQUIRE);
        uint32_t at = __atomic_load_n(&head->index[names_place(head, kind, name, hash)], __ATOMIC_ACQUIRE) - 1;
        uint32_t row = segment * WEIR_STATS_SEGMENT + at;
        bool     is_there = at < WEIR_STATS_SEGMENT, is_same;

        if (is_there) {
            names_hold(row);
        }
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        is_there = is_there && names_is(&head->names[at], kind, name, hash);
        is_same = version % 2 == 0 && __atomic_load_n(&head->version, __ATOMIC_ACQUIRE) == version;
        if (is_there && is_same) {
            return row;
        }
        if (at < WEIR_STATS_SEGMENT) {
            names_let_go(row);
        }
        if (is_same) {
            break;
        }
    }
    return UINT32_MAX;
}

bool
stats_is_held(const stats_head_t *head, uint32_t at)
{
    uint32_t slots = (uint32_t) weir_min(__atomic_load_n(&head->slots, __ATOMIC_ACQUIRE), WEIR_SLOTS);

    for (uint32_t slot = 0; slot < slots; slot++) {
        if (stats_bit(head->held[slot], at)) {
            return true;
        }
    }
    return false;
}

static bool
names_is_held_by_master(const stats_head_t *head, uint32_t at)
{
    for (uint32_t i = 0; i < STATS_MASTERS; i++) {
        if (stats_bit(head->held_by_master[i], at)) {
            return true;
        }
    }
    return false;
}

/* Named by a configuration of this process, of one that serves, or of another master, which may let processes serve
 * with it again. */
static bool
names_is_used(uint32_t row)
{
    const stats_head_t *head = stats_segments[row / WEIR_STATS_SEGMENT].head;

    return row < WEIR_STATS_KINDS || (row < names.n_holds && names.holds[row] != 0)
           || stats_is_held(head, row % WEIR_STATS_SEGMENT)
           || names_is_held_by_master(head, row % WEIR_STATS_SEGMENT);
}

/* -- naming: the master -- */

static void
names_write(uint32_t row, weir_stats_kind_t kind, weir_str_t name, uint64_t hash, uint32_t owner)
{
    stats_head_t *head = stats_segments[row / WEIR_STATS_SEGMENT].head;
    stats_name_t *its = &head->names[row % WEIR_STATS_SEGMENT];
    uint32_t      place = names_place(head, kind, name, hash);

    weir_assert(name.len <= WEIR_STATS_NAME);
    its->kind = (uint32_t) kind;
    its->owner = owner;
    its->len = (uint32_t) name.len;
    its->hash = hash;
    if (name.len != 0) {
        memcpy(its->name, name.at, name.len);
    }
    __atomic_store_n(&head->index[place], row % WEIR_STATS_SEGMENT + 1, __ATOMIC_RELEASE);
}

/* Out of the index; names that stand behind it because it was in their way move up. */
static void
names_remove(stats_head_t *head, uint32_t at)
{
    uint32_t hole = (uint32_t) (head->names[at].hash % STATS_INDEX), place;

    while (head->index[hole] != at + 1) {
        hole = (hole + 1) % STATS_INDEX;
    }
    head->index[hole] = 0;
    for (place = (hole + 1) % STATS_INDEX; head->index[place] != 0; place = (place + 1) % STATS_INDEX) {
        uint32_t home = (uint32_t) (head->names[head->index[place] - 1].hash % STATS_INDEX);

        if ((place + STATS_INDEX - home) % STATS_INDEX >= (place + STATS_INDEX - hole) % STATS_INDEX) {
            head->index[hole] = head->index[place];
            head->index[place] = 0;
            hole = place;
        }
    }
}

/* A row without a holder loses its name and its numbers.  false: another process came first. */
static bool
names_take_away(uint32_t row)
{
    stats_head_t *head = stats_segments[row / WEIR_STATS_SEGMENT].head;
    bool          gone;

    weir_assert(row >= WEIR_STATS_KINDS && stats_n_segments != 0);
    __atomic_store_n(&head->version, head->version + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    gone = !names_is_used(row);
    if (gone) {
        names_remove(head, row % WEIR_STATS_SEGMENT);
        stats_clear_row(row);
    }
    __atomic_store_n(&head->version, head->version + 1, __ATOMIC_RELEASE);
    return gone;
}

/* One without a holder, from where the last look ended; UINT32_MAX: there is none. */
static uint32_t
names_reuse(void)
{
    uint32_t n = weir_stats_rows();

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = names.next_free++ % n;

        if (!names_is_used(row) && names_take_away(row)) {
            return row;
        }
    }
    return UINT32_MAX;
}

static uint32_t
names_fresh(void)
{
    weir_error_t  error = { .text = "" };
    stats_head_t *head = stats_segments[stats_n_segments - 1].head;

    weir_assert(stats_n_segments != 0);
    if (weir_stats_rows() >= names.room) {
        return UINT32_MAX;
    }
    if (head->n == WEIR_STATS_SEGMENT) {
        if (!stats_add_segment(&error)) {
            weir_log(WEIR_LOG_WARN, NULL, 0, "no more rows of statistics: %s", error.text);
            return UINT32_MAX;
        }
        head = stats_segments[stats_n_segments - 1].head;
    }
    __atomic_store_n(&head->n, head->n + 1, __ATOMIC_RELEASE);
    return (stats_n_segments - 1) * WEIR_STATS_SEGMENT + head->n - 1;
}

/* Names that are gone are forgotten when they are more than those that are there, or no other row is left. */
static uint32_t
names_take_row(void)
{
    uint32_t row = UINT32_MAX;

    names_settle_masters();
    if (weir_stats_rows() > 2 * names.n_held + WEIR_STATS_SEGMENT / 4) {
        row = names_reuse();
    }
    if (row == UINT32_MAX) {
        row = names_fresh();
    }
    return row != UINT32_MAX ? row : names_reuse();
}

/* Once a configuration. */
static void
names_used_up(weir_str_t name)
{
    weir_str_t group, peer;

    if (names.is_used_up) {
        return;
    }
    names.is_used_up = true;
    if (!weir_str_cut(name, WEIR_STATS_SEPARATOR, &group, &peer)) {
        group = name;
        peer = WEIR_STR_NONE;
    }
    weir_log(WEIR_LOG_WARN, NULL, 0,
             "statistics_rows %u is used up: \"%.*s%s%.*s\" and what comes after it is counted as \"_other\"",
             names.room,
             WEIR_STR_ARG(group), peer.len != 0 ? "/" : "", WEIR_STR_ARG(peer));
}

static uint32_t
names_find_any(weir_stats_kind_t kind, weir_str_t name, uint64_t hash)
{
    uint32_t row = UINT32_MAX;

    for (uint32_t i = 0; i < stats_n_segments && row == UINT32_MAX; i++) {
        row = names_find(i, kind, name, hash);
    }
    return row;
}

/* Another master may have made it since it was looked for. */
static uint32_t
names_make(weir_stats_kind_t kind, weir_str_t name, uint64_t hash, uint32_t owner)
{
    uint32_t row = UINT32_MAX;

    if (!names.is_used_up && stats_lock()) {
        row = names_find_any(kind, name, hash);
        if (row == UINT32_MAX && (row = names_take_row()) != UINT32_MAX) {
            names_write(row, kind, name, hash, owner);
            names_hold(row);
        }
        stats_unlock();
    }
    if (row == UINT32_MAX) {
        names_used_up(name);
        return (uint32_t) kind;
    }
    return row;
}

static uint32_t
names_row(weir_stats_kind_t kind, weir_str_t name, uint32_t owner)
{
    uint64_t hash = names_hash(kind, name);
    uint32_t row = names_find_any(kind, name, hash);

    if (row == UINT32_MAX) {
        return weir_zones_are_made_here() ? names_make(kind, name, hash, owner) : (uint32_t) kind;
    }
    if (weir_zones_are_made_here()) {            /* its group may have got another row since */
        stats_segments[row / WEIR_STATS_SEGMENT].head->names[row % WEIR_STATS_SEGMENT].owner = owner;
    }
    return row;
}

/* A name was being taken away: the index is made anew of all there are.  (One that no process holds may come back by
 * it, with no numbers or with its own.) */
void
stats_names_repair(void)
{
    for (uint32_t i = 0; i < stats_n_segments; i++) {
        stats_head_t *head = stats_segments[i].head;

        if (head->version % 2 == 0) {
            continue;
        }
        memset(head->index, 0, sizeof(head->index));
        for (uint32_t at = 0; at < weir_min(head->n, WEIR_STATS_SEGMENT); at++) {
            const stats_name_t *its = &head->names[at];
            weir_str_t          name = weir_str(its->name, weir_min(its->len, WEIR_STATS_NAME));

            __atomic_store_n(&head->index[names_place(head, (weir_stats_kind_t) its->kind, name, its->hash)], at + 1,
                             __ATOMIC_RELEASE);
        }
        __atomic_store_n(&head->version, head->version + 1, __ATOMIC_RELEASE);
    }
}

/* -- the interface -- */

static void
names_on_cleanup(void *data)
{
    weir_stats_let_go((uint32_t) (uintptr_t) data);
}

uint32_t
weir_stats_row(weir_arena_t *arena, weir_stats_kind_t kind, weir_str_t name, uint32_t owner)
{
    uint32_t row;

    weir_assert((unsigned) kind < WEIR_STATS_KINDS);
    if (stats_n_segments == 0) {
        return 0;
    }
    name.len = weir_min(name.len, WEIR_STATS_NAME);
    (void) pthread_mutex_lock(&names.lock);
    row = names_row(kind, name, owner);
    (void) pthread_mutex_unlock(&names.lock);
    if (row >= WEIR_STATS_KINDS) {
        weir_arena_on_cleanup(arena, names_on_cleanup, (void *) (uintptr_t) row);
    }
    return row;
}

void
weir_stats_hold(uint32_t row)
{
    if (row >= WEIR_STATS_KINDS) {
        (void) pthread_mutex_lock(&names.lock);
        names_hold(row);
        (void) pthread_mutex_unlock(&names.lock);
    }
}

void
weir_stats_let_go(uint32_t row)
{
    (void) pthread_mutex_lock(&names.lock);
    if (row >= WEIR_STATS_KINDS && stats_n_segments != 0) {     /* the last configuration may go after the statistics */
        names_let_go(row);
    }
    (void) pthread_mutex_unlock(&names.lock);
}

void
weir_stats_hold_all(void)
{
    for (uint32_t row = 0; row < names.n_holds; row++) {
        if (names.holds[row] != 0) {
            names_tell(row, true);
        }
    }
}

void
stats_names_start(uint32_t room)
{
    (void) pthread_mutex_lock(&names.lock);
    names.room = room;
    names.is_used_up = false;
    names_find_place();
    for (uint32_t kind = 0; stats_segments[0].head->n < WEIR_STATS_KINDS; kind++) {
        weir_str_t name = kind == WEIR_STATS_PROCESS ? WEIR_STR("") : WEIR_STR("_other");

        stats_segments[0].head->n++;
        names_write(kind, (weir_stats_kind_t) kind, name, names_hash((weir_stats_kind_t) kind, name), 0);
    }
    (void) pthread_mutex_unlock(&names.lock);
}

void
stats_names_end(void)
{
    weir_mem_free(names.holds);
    names.holds = NULL;
    names.n_holds = names.n_held = names.next_free = 0;
    if (names.pid == getpid()) {
        stats_segments[0].head->masters[names.master] = 0;
    }
    names.pid = 0;
}

/* -- reading -- */

uint32_t
weir_stats_rows(void)
{
    return stats_n_segments == 0 ? 0 : (stats_n_segments - 1) * WEIR_STATS_SEGMENT
           + __atomic_load_n(&stats_segments[stats_n_segments - 1].head->n, __ATOMIC_ACQUIRE);
}

static const stats_name_t *
names_at(uint32_t row)
{
    weir_assert(row / WEIR_STATS_SEGMENT < stats_n_segments);
    return &stats_segments[row / WEIR_STATS_SEGMENT].head->names[row % WEIR_STATS_SEGMENT];
}

weir_str_t
weir_stats_name(uint32_t row, weir_stats_kind_t *kind)
{
    const stats_name_t *its = names_at(row);

    *kind = (weir_stats_kind_t) its->kind;
    return weir_str(its->name, weir_min(its->len, WEIR_STATS_NAME));
}

uint32_t
weir_stats_owner(uint32_t row)
{
    return names_at(row)->owner;
}

/* Peers by their group's row, others as they were named. */
static int
names_compare(const void *a_, const void *b_)
{
    uint32_t            a = *(const uint32_t *) a_, b = *(const uint32_t *) b_;
    const stats_name_t *of_a = names_at(a), *of_b = names_at(b);

    if (of_a->kind != of_b->kind) {
        return of_a->kind < of_b->kind ? -1 : 1;
    }
    if (of_a->owner != of_b->owner) {
        return of_a->owner < of_b->owner ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

uint32_t
weir_stats_list(uint32_t *rows, uint32_t max)
{
    uint32_t n = 0, total = weir_stats_rows();

    for (uint32_t row = 0; row < total && n < max; row++) {
        if (row < WEIR_STATS_KINDS || stats_is_held(stats_segments[row / WEIR_STATS_SEGMENT].head,
                                                    row % WEIR_STATS_SEGMENT))
        {
            rows[n++] = row;
        }
    }
    qsort(rows, n, sizeof(*rows), names_compare);
    return n;
}
