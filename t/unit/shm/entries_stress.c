/*
 * entries_stress.c - several processes use one table and are killed at any instruction: what is read is always whole,
 * nothing is lost.  And damaged memory: nobody crashes, and the table begins anew.
 */
#define _GNU_SOURCE 1

#define ROOM (1u << 20)
#include "entries.h"

#define CHILDREN 4
#define KEYS     300
#define PINNED   8

static uint64_t *wrong, *done_ops;

/* A value says who it is: its key's number and its size, then bytes that follow from both. */
static size_t
make_value(uint64_t *seed, uint64_t key, char *room, size_t most)
{
    size_t   n = 16 + (kill_random(seed) % 8 != 0 ? kill_random(seed) % 3000 : kill_random(seed) % (most - 16));
    uint64_t head[2] = { key, n };

    memcpy(room, head, sizeof(head));
    for (size_t i = 16; i < n; i++) {
        room[i] = (char) (key * 31 + n + i);
    }
    return n;
}

static bool
is_value(uint64_t key, const char *room, size_t n)
{
    uint64_t head[2];

    if (n < sizeof(head)) {
        return false;
    }
    memcpy(head, room, sizeof(head));
    for (size_t i = 16; i < n; i++) {
        if (room[i] != (char) (key * 31 + n + i)) {
            return false;
        }
    }
    return head[0] == key && head[1] == n;
}

typedef struct { weir_entry_t entry; uint64_t key; bool is_held; } pinned_t;

static void
let_go(pinned_t *pinned, char *room)
{
    if (pinned->is_held) {
        if (pinned->entry.size > 200000 || !weir_entry_copy(&pinned->entry, room)
            || !is_value(pinned->key, room, pinned->entry.size)) {
            (void) __atomic_add_fetch(wrong, 1, __ATOMIC_RELAXED);
        }
        weir_entry_release(&pinned->entry);
        pinned->is_held = false;
    }
}

static void
one_step(uint64_t *seed, pinned_t *pinned, char *room)
{
    uint64_t key = kill_random(seed) % KEYS, what = kill_random(seed) % 100;
    char     name[40];

    now.ms += kill_random(seed) % 3;
    (void) snprintf(name, sizeof(name), "key %llu", (unsigned long long) key);
    if (what < 60) {
        let_go(pinned, room);
        pinned->key = key;
        pinned->is_held = weir_entries_get(&table, weir_str_from_z(name), now, &pinned->entry) == WEIR_ENTRIES_DONE;
    } else if (what < 90) {
        size_t n = make_value(seed, key, room, 60000);

        (void) !weir_entries_put(&table, weir_str_from_z(name), weir_str(room, n), now,
                                 what < 65 ? (weir_instant_t) { now.ms + 20 } : WEIR_ENTRIES_NEVER, what < 70
                                     ? WEIR_ENTRIES_ABSENT : WEIR_ENTRIES_ANY, NULL);
    } else if (what < 97) {
        (void) weir_entries_drop(&table, weir_str_from_z(name), WEIR_ENTRIES_ANY);
    } else {
        weir_entry_writer_t writer;

        if (weir_entries_begin(&table, weir_str_from_z(name), 0, now, &writer) == WEIR_ENTRIES_DONE) {
            (void) !weir_entry_append(&writer, weir_str(room, 9000), now);
            weir_entry_abandon(&writer);
        }
    }
}

static _Noreturn void
work(unsigned self)
{
    static pinned_t pinned[PINNED];
    static char     room[200000];
    uint64_t        seed = (uint64_t) getpid() * 977 + self;

    pair_need(weir_slots_take(getpid()), "a slot");
    for (;;) {
        one_step(&seed, &pinned[kill_random(&seed) % PINNED], room);
        (void) __atomic_add_fetch(done_ops, 1, __ATOMIC_RELAXED);
    }
}

static pid_t
start(unsigned self)
{
    pid_t pid = fork();

    pair_need(pid >= 0, "fork");
    if (pid == 0) {
        work(self);
    }
    return pid;
}

static void
fold(uint32_t slot)
{
    weir_entries_fold(memory, SIZE, slot);
}

static void
bury(pid_t pid)
{
    int status = 0;

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        (void) __atomic_add_fetch(wrong, 1000, __ATOMIC_RELAXED);
    }
    weir_slots_reap(pid, fold);
}

/* What could not be settled when somebody seemed to hold a lock for long. */
static void
settle_all(void)
{
    struct timespec nap = { 0, 100000000 };

    for (unsigned tries = 0; tries < 50 && !entries_settle_guards(&table); tries++) {
        (void) nanosleep(&nap, NULL);
    }
    for (uint32_t slot = 1; slot <= CHILDREN; slot++) {
        fold(slot);
    }
}

static void
test_killing(void)
{
    pid_t                pids[CHILDREN];
    weir_entries_stats_t stats;
    char                 what[200];

    for (unsigned i = 0; i < CHILDREN; i++) {
        pids[i] = start(i);
    }
    for (unsigned kills = 0; kills < 200; kills++) {
        struct timespec nap = { 0, (kills * 7919 % 1000) * 10000 };

        (void) nanosleep(&nap, NULL);
        bury(pids[kills % CHILDREN]);
        pids[kills % CHILDREN] = start(kills % CHILDREN);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        bury(pids[i]);
    }
    settle_all();
    pair_need(weir_entries_stats(memory, SIZE, &stats), "statistics");
    is_int(*wrong, 0, "204 processes were killed, and nobody ever read what was not whole");
    ok(audit(), "all of the memory has an owner");
    (void) snprintf(what, sizeof(what), "much was done: %llu steps, %llu hits, %llu stored, %llu evicted, %llu expired",
                    (unsigned long long) *done_ops, (unsigned long long) stats.count[WEIR_ENTRIES_HITS],
                    (unsigned long long) stats.count[WEIR_ENTRIES_STORED],
                    (unsigned long long) stats.count[WEIR_ENTRIES_EVICTED],
                    (unsigned long long) stats.count[WEIR_ENTRIES_EXPIRED]);
    ok(stats.count[WEIR_ENTRIES_EVICTED] > 100 && stats.count[WEIR_ENTRIES_HITS] > 1000
       && stats.count[WEIR_ENTRIES_EXPIRED] > 10, what);
    weir_entries_drop_all(&table);
    ok(total() == 0 && audit(), "all may be dropped");
    pair_need(weir_entries_stats(memory, SIZE, &stats), "statistics");
    is_int(stats.used, 0, "and then nothing is left");
}

/* -- damage -- */

/* Among what is in use: words of the head (but what says that it is a table), shards, buckets, rows, descriptors,
 * blocks.  Two things are believed until a process ends, so they are not among it: that one which lives holds a
 * lock, and pins of our own row. */
static void
damage(uint64_t *seed)
{
    uint64_t rows = (uint64_t) ((char *) table.rows - memory), slab = (uint64_t) ((char *) table.slab.head - memory);
    uint64_t from[] = { 32, sizeof(entries_head_t), rows + sizeof(entries_row_t), rows + 2 * sizeof(entries_row_t),
                        slab, table.slab.first };
    uint64_t to[] = { 64, rows, rows + 2 * sizeof(entries_row_t), rows + 3 * sizeof(entries_row_t), table.slab.first,
                      SIZE };
    uint64_t where = kill_random(seed) % weir_countof(from);
    uint64_t at = from[where] + kill_random(seed) % (to[where] - from[where]) / 8 * 8;
    uint64_t *word = (uint64_t *) (void *) (memory + at);

    switch (kill_random(seed) % 4) {
    case 0: *word = kill_random(seed); break;
    case 1: *word ^= (uint64_t) 1 << kill_random(seed) % 64; break;
    case 2: *word = table.slab.first + kill_random(seed) % (SIZE - table.slab.first) / 16 * 16; break;
    default: *word = kill_random(seed) % 300 + (where == 1 || where == 4 ? 3999000 : 0); break;
    }
}

static void
use_damaged(void *data)
{
    static pinned_t pinned[PINNED];
    static char     room[200000];
    uint64_t        seed = *(uint64_t *) data;
    int             none = open("/dev/null", O_WRONLY);

    (void) dup2(none, 2);
    (void) alarm(30);                        /* nobody hangs */
    pair_need(weir_slots_take(getpid()), "a slot");
    for (unsigned i = 0; i < 400; i++) {
        if (i % 100 == 0) {
            damage(&seed);
        }
        one_step(&seed, &pinned[kill_random(&seed) % PINNED], room);
    }
    for (unsigned i = 0; i < PINNED; i++) {
        let_go(&pinned[i], room);
    }
    weir_entries_drop_all(&table);
}

static void
test_damage(void)
{
    unsigned good = 0, anew = 0, rounds = 250;
    char     room[] = "v";

    for (uint64_t seed = 12345, i = 0; i < rounds; i++) {
        weir_entry_t entry;
        pid_t        pid;
        int          status = -1;

        (void) kill_random(&seed);
        pid = fork();
        pair_need(pid >= 0, "fork");
        if (pid == 0) {
            use_damaged(&seed);
            _exit(0);
        }
        (void) waitpid(pid, &status, 0);
        if (status != 0) {
            printf("# round %u: status %d\n", (unsigned) i, status);
        }
        good += status == 0;
        weir_slots_reap(pid, fold);
        anew += table.head->broken != 0;
        now.ms += 200;
        for (unsigned tries = 0; tries < 100; tries++) {
            now.ms += 200;
            if (weir_entries_put(&table, WEIR_STR("k"), weir_str_from_z(room), now, WEIR_ENTRIES_NEVER,
                                 WEIR_ENTRIES_ANY, NULL) == WEIR_ENTRIES_DONE
                && weir_entries_get(&table, WEIR_STR("k"), now, &entry) == WEIR_ENTRIES_DONE)
            {
                weir_entry_release(&entry);
                break;
            }
        }
        if (table.head->broken != 0 || entry.size != 1) {
            printf("# round %u: it does not begin anew\n", (unsigned) i);
            good--;
        }
    }
    is_int(good, rounds, "whatever is damaged, nobody crashes or hangs, and the table serves again");
    ok(anew > rounds / 20, "when it was found out it had been broken for a while");
}

int
main(void)
{
    world();
    wrong = kill_shared(4096);
    done_ops = wrong + 64;
    test_killing();
    test_damage();
    return done();
}
