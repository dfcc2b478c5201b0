/*
 * entries_kill.c - a process is killed before each store of each thing that it may do with a table of entries: whoever
 * comes next finds the old entry or the new one, whole, nothing is lost, and the table goes on.
 */
#define _GNU_SOURCE 1

#define ROOM (1u << 20)
#include "entries.h"

#define CHILD 1                              /* its slot */

static char *pristine, *prepared;            /* the memory of a new table, and before the step */
static char  filler[200000];

/* All but the rows of slots that nobody has. */
static void
copy(char *to, const char *from)
{
    size_t rows = (size_t) ((char *) table.rows - memory), slab = rows + WEIR_SLOTS * sizeof(entries_row_t);

    memcpy(to, from, rows + 2 * sizeof(entries_row_t));
    memcpy(to + slab, from + slab, SIZE - slab);
}

/* Of an entry all bytes say which one it is. */
static weir_str_t
value_of(char what, size_t len)
{
    static char room[1u << 20];

    memset(room, what, len);
    return weir_str(room, len);
}

/* What is there: its letter and size; 0 nothing; '?' something that is mixed. */
static char
look(const char *key, uint64_t *size)
{
    weir_entry_t        entry;
    weir_entry_cursor_t cursor = { .begun = false };
    weir_str_t          piece;
    char                what = 0;
    uint64_t            n = 0;

    *size = 0;
    if (weir_entries_get(&table, weir_str_from_z(key), now, &entry) != WEIR_ENTRIES_DONE) {
        return 0;
    }
    while (weir_entry_next_piece(&entry, &cursor, &piece)) {
        for (size_t i = 0; i < piece.len; i++, n++) {
            what = n == 0 || what == piece.at[i] ? piece.at[i] : '?';
        }
    }
    *size = entry.size;
    what = n == entry.size ? what : '?';
    weir_entry_release(&entry);
    return what;
}

static void
need_put(const char *key, char what, size_t len, weir_instant_t expires)
{
    pair_need(weir_entries_put(&table, weir_str_from_z(key), value_of(what, len), now, expires, WEIR_ENTRIES_ANY,
                               NULL) == WEIR_ENTRIES_DONE, "put");
}

/* -- the steps -- */

typedef struct step {
    const char *what;
    void      (*before)(void);
    void      (*run)(void);
    char        old, new;                    /* of "k"; 0: none */
    uint64_t    old_size, new_size;
} step_t;

static void
before_nothing(void)
{
}

static void
before_old(void)
{
    need_put("k", 'o', 300, WEIR_ENTRIES_NEVER);
}

/* Others in the same bucket, before and behind it. */
static void
before_crowd(void)
{
    char     key[20];
    uint64_t bucket = entries_bucket(&table, entries_name(&table, WEIR_STR("k")));

    for (unsigned i = 0, n = 0; n < 4; i++) {
        (void) snprintf(key, sizeof(key), "c%u", i);
        if (entries_bucket(&table, entries_name(&table, weir_str_from_z(key))) == bucket) {
            need_put(key, 'c', 100, WEIR_ENTRIES_NEVER);
            if (++n == 2) {
                before_old();
            }
        }
    }
}

static void
before_large(void)
{
    need_put("k", 'o', 150000, WEIR_ENTRIES_NEVER);
}

/* Of its shard, in buckets that the next write sweeps. */
static void
before_expired(void)
{
    char             key[20];
    entries_shard_t *shard = entries_shard(&table, entries_bucket(&table, entries_name(&table, WEIR_STR("k"))));

    for (unsigned i = 0, n = 0; n < 40; i++) {
        (void) snprintf(key, sizeof(key), "x%u", i);
        if (entries_shard(&table, entries_bucket(&table, entries_name(&table, weir_str_from_z(key)))) == shard) {
            need_put(key, 'x', 100, (weir_instant_t) { now.ms + 1 });
            n++;
        }
    }
    now.ms++;
}

static void
before_full(void)
{
    char key[20];

    for (unsigned i = 0; i < 30; i++) {
        (void) snprintf(key, sizeof(key), "f%u", i);
        need_put(key, 'f', 60000, WEIR_ENTRIES_NEVER);
        if (i % 3 == 0) {
            uint64_t size;

            now.ms += 1000;
            pair_need(look(key, &size) == 'f', "one that is read");
        }
    }
}

/* By the parent, as long as the child is at work. */
static void
before_pinned(void)
{
    static weir_entry_t entry;

    before_old();
    pair_need(weir_entries_get(&table, WEIR_STR("k"), now, &entry) == WEIR_ENTRIES_DONE, "a pin");
}

static void
need(bool happened)
{
    if (!happened) {
        _exit(1);
    }
}

static void
run_put(void)
{
    need(weir_entries_put(&table, WEIR_STR("k"), weir_str(filler, 500), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                          NULL) == WEIR_ENTRIES_DONE);
}

static void
run_put_large(void)
{
    need(weir_entries_put(&table, WEIR_STR("k"), weir_str(filler, sizeof(filler)), now, WEIR_ENTRIES_NEVER,
                          WEIR_ENTRIES_ANY, NULL) == WEIR_ENTRIES_DONE);
}

static void
run_put_more(void)
{
    need(weir_entries_put(&table, WEIR_STR("k"), weir_str(filler, 90000), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                          NULL)
         == WEIR_ENTRIES_DONE);
}

static void
run_abandon(void)
{
    weir_entry_writer_t writer;

    need(weir_entries_begin(&table, WEIR_STR("k"), 0, now, &writer) == WEIR_ENTRIES_DONE);
    for (unsigned i = 0; i < 2; i++) {
        need(weir_entry_append(&writer, weir_str(filler, 7000), now) == WEIR_ENTRIES_DONE);
    }
    weir_entry_abandon(&writer);
}

static void
run_drop(void)
{
    need(weir_entries_drop(&table, WEIR_STR("k"), WEIR_ENTRIES_ANY) == WEIR_ENTRIES_DONE);
}

static void
run_drop_all(void)
{
    weir_entries_drop_all(&table);
}

static void
run_extend(void)
{
    need(weir_entries_extend(&table, WEIR_STR("k"), now, (weir_instant_t) { now.ms + 100 },
                             WEIR_ENTRIES_ANY) == WEIR_ENTRIES_DONE);
}

static void
run_read(void)
{
    uint64_t size;

    need(look("k", &size) == 'o');
}

static void
run_list(void)
{
    weir_entries_cursor_t cursor = { .bucket = 0 };
    weir_entry_t          entry;

    need(weir_entries_next(&table, &cursor, now, &entry) == WEIR_ENTRIES_DONE);
    weir_entry_release(&entry);
}

static const step_t steps[] = {
    { "a new entry", before_nothing, run_put, 0, 'n', 0, 500 },
    { "a new one of several blocks", before_nothing, run_put_large, 0, 'n', 0, sizeof(filler) },
    { "one that replaces another", before_old, run_put, 'o', 'n', 300, 500 },
    { "one that replaces another in the middle of a chain", before_crowd, run_put, 'o', 'n', 300, 500 },
    { "one that replaces another of several blocks", before_large, run_put_large, 'o', 'n', 150000, sizeof(filler) },
    { "one that replaces another which somebody pins", before_pinned, run_put, 'o', 'n', 300, 500 },
    { "a new one, with which others are swept", before_expired, run_put, 0, 'n', 0, 500 },
    { "a new one, for which others go", before_full, run_put_more, 0, 'n', 0, 90000 },
    { "one that is abandoned", before_old, run_abandon, 'o', 'o', 300, 300 },
    { "one that is dropped", before_crowd, run_drop, 'o', 0, 300, 0 },
    { "one that is dropped while somebody pins it", before_pinned, run_drop, 'o', 0, 300, 0 },
    { "all are dropped", before_crowd, run_drop_all, 'o', 0, 300, 0 },
    { "one that goes on", before_old, run_extend, 'o', 'o', 300, 300 },
    { "one that is read", before_large, run_read, 'o', 'o', 150000, 150000 },
    { "one of a list", before_old, run_list, 'o', 'o', 300, 300 },
};

/* -- and the kills -- */

static void
as_child(void *data)
{
    const step_t *step = data;
    uint64_t      n = kill_before;

    kill_before = 0;
    need(weir_slots_take(getpid()) && weir_slot() == CHILD);
    (void) entries_row(&table);
    kill_before = n;
    step->run();
    kill_before = 0;
}

static void
fold(uint32_t slot)
{
    weir_entries_fold(memory, SIZE, slot);
}

/* Every guard is taken once, as whoever comes next would. */
static void
meet_all(void)
{
    for (uint64_t i = 0; i < table.n_shards; i++) {
        pair_need(entries_take(&table, &table.shards[i]), "a shard");
        (void) write_reap(&table, &table.shards[i], WRITE_REAP);
        weir_guard_give_back(&table.shards[i].guard);
    }
    pair_need(weir_slab_settle(&table.slab) == WEIR_SLAB_DONE, "the slab");
}

static bool
is_whole(const step_t *step, bool done)
{
    uint64_t size;
    char     what = look("k", &size);
    bool     is_old = what == step->old && size == step->old_size, is_new = what == step->new && size == step->new_size;

    if (!(done ? is_new : is_old || is_new)) {
        return false;
    }
    meet_all();
    return audit();
}

static bool
goes_on(void)
{
    uint64_t size;

    need_put("k", 'z', 100000, WEIR_ENTRIES_NEVER);
    return look("k", &size) == 'z' && size == 100000 && audit();
}

static pid_t dead;

static void
note(void *data WEIR_UNUSED, uint32_t slot, pid_t pid)
{
    if (slot == CHILD) {
        dead = pid;
    }
}

static void
settle(void)
{
    dead = 0;
    weir_slots_each(note, NULL);
    if (dead != 0) {
        weir_slots_reap(dead, fold);
    }
}

static bool
test_step(const step_t *step, uint64_t *n)
{
    weir_instant_t began = now;
    bool           good = true, done = false;

    copy(memory, pristine);
    step->before();
    copy(prepared, memory);
    for (*n = 0; good && !done;) {
        copy(memory, prepared);
        done = kill_run(++*n, as_child, (void *) (uintptr_t) step);
        settle();
        good = is_whole(step, done) && goes_on();
    }
    now = began;
    return good;
}

/* The master is killed while it settles what a dead worker left. */
static void
as_master(void *data WEIR_UNUSED)
{
    settle();
}

static void
test_settling(void)
{
    bool     good = true, done = false;
    uint64_t n = 0;

    copy(memory, pristine);
    before_old();
    copy(prepared, memory);
    while (good && !done) {
        copy(memory, prepared);
        pair_need(!kill_run(120, as_child, (void *) (uintptr_t) &steps[1]), "a kill");
        done = kill_run(++n, as_master, NULL);
        settle();
        good = is_whole(&steps[9], false) && goes_on();
    }
    ok(good && n > 50, "a master that is killed while it settles leaves it to the next one");
}

int
main(void)
{
    char what[120];

    world();
    memset(filler, 'n', sizeof(filler));
    pristine = kill_shared(SIZE);
    prepared = kill_shared(SIZE);
    copy(pristine, memory);
    for (size_t i = 0; i < weir_countof(steps); i++) {
        uint64_t n;
        bool     good = test_step(&steps[i], &n);

        (void) snprintf(what, sizeof(what), "%s: killed before each of %u stores", steps[i].what, (unsigned) n - 1);
        ok(good, what);
    }
    test_settling();
    return done();
}
