/*
 * entries.c - a table of entries of any size: found, replaced, expired, evicted, pinned and listed.
 */
#define _GNU_SOURCE 1

#include "entries.h"

static weir_str_t
text(char *room, size_t n, char first)
{
    for (size_t i = 0; i < n; i++) {
        room[i] = (char) ((size_t) first + i % 23);
    }
    return weir_str(room, n);
}

static bool
holds(weir_str_t key, weir_str_t value)
{
    weir_entry_t entry;
    char        *room;
    bool         same;

    if (weir_entries_get(&table, key, now, &entry) != WEIR_ENTRIES_DONE) {
        return false;
    }
    room = malloc(entry.size + 1);
    same = entry.size == value.len && weir_entry_copy(&entry, room) && memcmp(room, value.at, value.len) == 0
        && weir_str_eq(entry.key, key);
    free(room);
    weir_entry_release(&entry);
    return same;
}

static weir_entries_result_t
put(const char *key, const char *value)
{
    return weir_entries_put(&table, weir_str_from_z(key), weir_str_from_z(value), now, WEIR_ENTRIES_NEVER,
                            WEIR_ENTRIES_ANY, NULL);
}

static uint64_t
count(weir_entries_counter_t what)
{
    weir_entries_stats_t stats;

    pair_need(weir_entries_stats(memory, SIZE, &stats), "statistics");
    return stats.count[what];
}

static uint64_t
used(void)
{
    weir_entries_stats_t stats;

    pair_need(weir_entries_stats(memory, SIZE, &stats), "statistics");
    return stats.used;
}

static void
test_layout(void)
{
    weir_entries_t other;

    ok(weir_entries_open(&other, WEIR_STR("x"), memory, SIZE) && other.buckets == table.buckets
       && other.n_shards == table.n_shards,
       "formatted memory is found so");
    ok(!weir_entries_open(&other, WEIR_STR("x"), memory, SIZE - 4096), "of another size it is something else");
    ok(!weir_entries_open(&other, WEIR_STR("x"), memory, 100000), "there is a least size");
    for (uint64_t room = 1; room < 1u << 30; room *= 7) {
        pair_need(entries_view(&other, memory, weir_entries_bytes(room))
                  && other.slab.n_pages * WEIR_SLAB_PAGE >= room, "room");
    }
    ok(true, "there is as much room as was asked for");
}

static void
test_one(void)
{
    weir_entry_t entry;
    weir_buf_t   buf;
    char         said[200];

    ok(put("a", "one") == WEIR_ENTRIES_DONE && holds(WEIR_STR("a"), WEIR_STR("one")), "an entry is found");
    ok(weir_entries_get(&table, WEIR_STR("b"), now, &entry) == WEIR_ENTRIES_NONE, "another one is not");
    ok(put("a", "two") == WEIR_ENTRIES_DONE && holds(WEIR_STR("a"), WEIR_STR("two")), "it is replaced");
    ok(put("", "of no key") == WEIR_ENTRIES_DONE && holds(WEIR_STR(""), WEIR_STR("of no key")), "a key may be empty");
    ok(put("b", "") == WEIR_ENTRIES_DONE && holds(WEIR_STR("b"), WEIR_STR("")), "so may a value");
    weir_buf_init(&buf, said, sizeof(said));
    weir_entries_describe(memory, SIZE, &buf);
    ok(strncmp(said, "entries=3 used=", 15) == 0, "said in words");
    ok(weir_entries_drop(&table, WEIR_STR("a"), WEIR_ENTRIES_ANY) == WEIR_ENTRIES_DONE
       && !holds(WEIR_STR("a"), WEIR_STR("two")), "it is dropped");
    ok(weir_entries_drop(&table, WEIR_STR("a"), WEIR_ENTRIES_ANY) == WEIR_ENTRIES_NONE, "once");
    weir_entries_drop_all(&table);
    ok(used() == 0 && audit(), "when all are dropped nothing is used");
    ok(count(WEIR_ENTRIES_HITS) >= 4 && count(WEIR_ENTRIES_MISSES) >= 2 && count(WEIR_ENTRIES_REPLACED) == 1
       && count(WEIR_ENTRIES_STORED) == 4,
       "what happened was counted");
}

static void
test_sizes(void)
{
    char  *room = malloc(2 << 20);
    char   key[WEIR_ENTRIES_KEY_MAX + 1];
    bool   good = true;

    for (size_t n = 0; n <= 1500000 && good; n += n < 9000 ? 61 : n / 3) {
        weir_str_t value = text(room, n, (char) (' ' + n % 50));

        good = weir_entries_put(&table, WEIR_STR("k"), value, now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                                NULL) == WEIR_ENTRIES_DONE
               && holds(WEIR_STR("k"), value) && used() <= (n + 200) * 3 / 2 + 64;
    }
    ok(good, "a value of any size comes back as it was, in not much more memory");
    for (size_t n = 1; n <= sizeof(key) - 1 && good; n = n * 3 / 2 + 1) {
        weir_str_t name = text(key, n, 'a'), value = text(room, n % 6000, '0');

        good = weir_entries_put(&table, name, value, now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                                NULL) == WEIR_ENTRIES_DONE && holds(name, value);
    }
    ok(good, "so with keys");
    ok(weir_entries_put(&table, text(key, sizeof(key), 'a'), WEIR_STR("x"), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                        NULL) == WEIR_ENTRIES_FULL,
       "a key that is too long is refused");
    ok(weir_entries_put(&table, WEIR_STR("k"), text(room, 2 << 20, 'a'), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                        NULL) == WEIR_ENTRIES_FULL,
       "and so is a value of more than a quarter of the memory");
    is_int(count(WEIR_ENTRIES_REFUSED), 2, "which was counted");
    weir_entries_drop_all(&table);
    ok(used() == 0 && audit(), "all is given back");
    free(room);
}

static void
test_in_pieces(void)
{
    weir_entry_writer_t writer;
    char               *room = malloc(300000);
    weir_str_t          value = text(room, 300000, 'A');
    bool                good = weir_entries_begin(&table, WEIR_STR("p"), 0, now, &writer) == WEIR_ENTRIES_DONE;

    for (size_t at = 0, n = 1; at < value.len && good; at += n, n = n % 7000 + 1) {
        good = weir_entry_append(&writer, weir_str(room + at, weir_min(n, value.len - at)), now) == WEIR_ENTRIES_DONE;
    }
    ok(good && !holds(WEIR_STR("p"), value), "what is being filled is not seen");
    ok(weir_entry_commit(&writer, now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY, NULL) == WEIR_ENTRIES_DONE
       && holds(WEIR_STR("p"), value),
       "until it takes its place");
    ok(used() < value.len * 5 / 4, "though its size was not known, not much memory is in vain");
    pair_need(weir_entries_begin(&table, WEIR_STR("p"), 1000, now, &writer) == WEIR_ENTRIES_DONE, "begin");
    pair_need(weir_entry_append(&writer, weir_str(room, 90000), now) == WEIR_ENTRIES_DONE, "more than expected");
    weir_entry_abandon(&writer);
    ok(holds(WEIR_STR("p"), value), "one that is abandoned changes nothing");
    weir_entries_drop_all(&table);
    ok(used() == 0 && audit(), "and leaves nothing");
    free(room);
}

static void
test_expected(void)
{
    uint64_t first, second;

    ok(weir_entries_put(&table, WEIR_STR("k"), WEIR_STR("1"), now, WEIR_ENTRIES_NEVER, 77, NULL) == WEIR_ENTRIES_OTHER,
       "nothing is not what was expected");
    ok(weir_entries_put(&table, WEIR_STR("k"), WEIR_STR("1"), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ABSENT,
                        &first) == WEIR_ENTRIES_DONE, "of two the first one is");
    ok(weir_entries_put(&table, WEIR_STR("k"), WEIR_STR("2"), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ABSENT,
                        NULL) == WEIR_ENTRIES_OTHER, "and the second one is not");
    ok(weir_entries_put(&table, WEIR_STR("k"), WEIR_STR("3"), now, WEIR_ENTRIES_NEVER, first,
                        &second) == WEIR_ENTRIES_DONE && second != first,
       "who has seen it may replace it");
    ok(weir_entries_put(&table, WEIR_STR("k"), WEIR_STR("4"), now, WEIR_ENTRIES_NEVER, first,
                        NULL) == WEIR_ENTRIES_OTHER && holds(WEIR_STR("k"), WEIR_STR("3")),
       "once");
    ok(weir_entries_drop(&table, WEIR_STR("k"), first) == WEIR_ENTRIES_OTHER, "so with who would drop it");
    ok(weir_entries_drop(&table, WEIR_STR("k"), second) == WEIR_ENTRIES_DONE, "by its serial it goes");
}

static void
test_expiry(void)
{
    weir_instant_t soon = { now.ms + 1000 };
    uint64_t       serial, before;
    char           key[20];

    pair_need(weir_entries_put(&table, WEIR_STR("e"), WEIR_STR("v"), now, soon, WEIR_ENTRIES_ANY,
                               &serial) == WEIR_ENTRIES_DONE, "put");
    now.ms += 999;
    ok(holds(WEIR_STR("e"), WEIR_STR("v")), "until its time it is there");
    now.ms += 1;
    ok(!holds(WEIR_STR("e"), WEIR_STR("v")), "from then on it is not");
    ok(weir_entries_extend(&table, WEIR_STR("e"), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY) == WEIR_ENTRIES_NONE,
       "nor can it be called back");
    ok(weir_entries_put(&table, WEIR_STR("e"), WEIR_STR("w"), now, (weir_instant_t) { now.ms + 10 },
                        WEIR_ENTRIES_ABSENT, &serial) == WEIR_ENTRIES_DONE,
       "its place is free");
    ok(weir_entries_extend(&table, WEIR_STR("e"), now, (weir_instant_t) { now.ms + 100 }, serial) == WEIR_ENTRIES_DONE,
       "one that is there may go on");
    now.ms += 50;
    ok(holds(WEIR_STR("e"), WEIR_STR("w")), "to its new time");
    weir_entries_drop_all(&table);
    for (unsigned i = 0; i < 1000; i++) {
        (void) snprintf(key, sizeof(key), "x%u", i);
        pair_need(weir_entries_put(&table, weir_str_from_z(key), WEIR_STR("v"), now, (weir_instant_t) { now.ms + 10 },
                                   WEIR_ENTRIES_ANY, NULL)
                      == WEIR_ENTRIES_DONE, "put");
    }
    before = used();
    now.ms += 10;
    for (unsigned i = 0; i < table.n_buckets; i++) {
        (void) snprintf(key, sizeof(key), "y%u", i % 1000);
        pair_need(put(key, "v") == WEIR_ENTRIES_DONE, "put");
    }
    ok(count(WEIR_ENTRIES_EXPIRED) >= 1000 && total() == 1000 && used() == before && audit(),
       "what has expired gives its memory back as others are written");
    weir_entries_drop_all(&table);
}

static void
test_pins(void)
{
    weir_entry_t        pinned[3];
    weir_entry_cursor_t cursor = { .begun = false };
    weir_str_t          piece;
    char               *room = malloc(100000);
    weir_str_t          value = text(room, 100000, 'p');
    uint64_t            at = 0, before;
    bool                same = true;

    pair_need(weir_entries_put(&table, WEIR_STR("k"), value, now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                               NULL) == WEIR_ENTRIES_DONE, "put");
    for (unsigned i = 0; i < 3; i++) {
        pair_need(weir_entries_get(&table, WEIR_STR("k"), now, &pinned[i]) == WEIR_ENTRIES_DONE, "get");
    }
    ok(put("k", "another") == WEIR_ENTRIES_DONE && holds(WEIR_STR("k"), WEIR_STR("another")),
       "what is pinned may be replaced");
    ok(weir_entries_drop(&table, WEIR_STR("k"), WEIR_ENTRIES_ANY) == WEIR_ENTRIES_DONE && audit(), "and dropped");
    weir_entry_release(&pinned[1]);
    weir_entry_release(&pinned[0]);
    for (unsigned i = 0; i < 10; i++) {
        pair_need(put("k", "another") == WEIR_ENTRIES_DONE, "put");
    }
    before = used();
    while (weir_entry_next_piece(&pinned[2], &cursor, &piece)) {
        same = same && memcmp(piece.at, room + at, piece.len) == 0;
        at += piece.len;
    }
    ok(same && at == value.len && before > value.len, "and stays as it was");
    weir_entry_release(&pinned[2]);
    weir_entries_drop_all(&table);
    pair_need(put("k", "another") == WEIR_ENTRIES_DONE, "put");
    ok(used() < 1000, "until nobody pins it");
    weir_entries_drop_all(&table);
    free(room);
}

static void
test_many_pins(void)
{
    static weir_entry_t pinned[WEIR_ENTRIES_PINS];
    weir_entry_t        one_more;
    bool                good = put("k", "v") == WEIR_ENTRIES_DONE;

    for (unsigned i = 0; i < WEIR_ENTRIES_PINS && good; i++) {
        good = weir_entries_get(&table, WEIR_STR("k"), now, &pinned[i]) == WEIR_ENTRIES_DONE;
    }
    ok(good && weir_entries_get(&table, WEIR_STR("k"), now, &one_more) == WEIR_ENTRIES_BUSY,
       "there is a limit to what one process pins");
    for (unsigned i = 0; i < WEIR_ENTRIES_PINS; i++) {
        weir_entry_release(&pinned[(i * 7) % WEIR_ENTRIES_PINS]);
    }
    ok(holds(WEIR_STR("k"), WEIR_STR("v")) && table.rows[weir_slot()].high <= 1, "and all may be used again");
    weir_entries_drop_all(&table);
}

static void
test_eviction(void)
{
    bool     is_there[6000] = { false };
    char     key[20], *room = malloc(3000);
    unsigned there = 0, last = 0, n = 6000;
    uint64_t before = count(WEIR_ENTRIES_EVICTED);

    for (unsigned i = 0; i < n; i++) {
        (void) snprintf(key, sizeof(key), "e%u", i);
        pair_need(weir_entries_put(&table, weir_str_from_z(key), text(room, 1500 + i % 1000, 'e'), now,
                                   WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY, NULL)
                      == WEIR_ENTRIES_DONE, "put");
        now.ms += 1;
        if (i % 100 == 0) {
            now.ms += 1000;
            pair_need(i == 0 || holds(WEIR_STR("e0"), text(room, 1500, 'e')), "the one that is in use");
        }
    }
    for (unsigned i = 0; i < n; i++) {
        weir_entry_t entry;

        (void) snprintf(key, sizeof(key), "e%u", i);
        if (weir_entries_get(&table, weir_str_from_z(key), now, &entry) == WEIR_ENTRIES_DONE) {
            is_there[i] = true;
            there++;
            weir_entry_release(&entry);
        }
    }
    for (unsigned i = n - there; i < n; i++) {
        last += is_there[i];
    }
    ok(there > 1500 && there < n && count(WEIR_ENTRIES_EVICTED) - before == n - there, "when memory is full others go");
    ok(last > there * 9 / 10, "first those that were used longest ago, and never the one that is in use");
    pair_need(weir_entries_put(&table, WEIR_STR("big"), text(room, 3000, 'b'), now, WEIR_ENTRIES_NEVER,
                               WEIR_ENTRIES_ANY, NULL) == WEIR_ENTRIES_DONE, "put");
    free(room);
    room = malloc(1000000);
    ok(weir_entries_put(&table, WEIR_STR("big"), text(room, 1000000, 'b'), now, WEIR_ENTRIES_NEVER, WEIR_ENTRIES_ANY,
                        NULL) == WEIR_ENTRIES_DONE
           && holds(WEIR_STR("big"), text(room, 1000000, 'b')), "many small ones make room for a large one");
    ok(audit(), "all is in order");
    weir_entries_drop_all(&table);
    is_int(used(), 0, "and comes back");
    free(room);
}

static void
test_list(void)
{
    weir_entries_cursor_t cursor = { .bucket = 0 };
    weir_entry_t          entry;
    char                  key[20];
    unsigned              seen[3000] = { 0 }, n = 0, wrong = 0;

    for (unsigned i = 0; i < 3000; i++) {
        (void) snprintf(key, sizeof(key), "%u", i);
        pair_need(put(key, "v") == WEIR_ENTRIES_DONE, "put");
    }
    while (weir_entries_next(&table, &cursor, now, &entry) == WEIR_ENTRIES_DONE) {
        uint64_t i = 0;

        pair_need(weir_str_to_u64(entry.key, &i) && i < 3000, "a number");
        seen[i]++;
        n++;
        (void) snprintf(key, sizeof(key), "%u", (unsigned) (n * 7919 % 3000));
        if (n < 1000 && n % 2 == 0) {
            (void) weir_entries_drop(&table, weir_str_from_z(key), WEIR_ENTRIES_ANY);
        } else if (n < 1000) {
            pair_need(put(key, "w") == WEIR_ENTRIES_DONE, "put");
        }
        weir_entry_release(&entry);
    }
    for (unsigned i = 0; i < 3000; i++) {
        wrong += seen[i] > 1;
    }
    ok(n > 2400 && wrong == 0, "a list has none twice, whatever comes and goes meanwhile");
    cursor = (weir_entries_cursor_t) { .bucket = 0 };
    for (n = 0; weir_entries_next(&table, &cursor, now, &entry) == WEIR_ENTRIES_DONE; n++) {
        weir_entry_release(&entry);
    }
    is_int(n, total(), "and all when nothing does");
    weir_entries_drop_all(&table);
}

static void
test_a_death(void)
{
    int   status = -1;
    pid_t pid;

    pair_need(put("k", "v") == WEIR_ENTRIES_DONE, "put");
    pid = fork();
    if (pid == 0) {
        weir_entry_t        entry;
        weir_entry_writer_t writer;
        bool                good = weir_slots_take(getpid());

        for (unsigned i = 0; i < 20 && good; i++) {
            good = weir_entries_get(&table, WEIR_STR("k"), now, &entry) == WEIR_ENTRIES_DONE
                   && weir_entries_begin(&table, WEIR_STR("f"), 10000, now, &writer) == WEIR_ENTRIES_DONE
                   && weir_entry_append(&writer, weir_str((const char *) memory, 30000), now) == WEIR_ENTRIES_DONE;
        }
        _exit(good ? 0 : 1);
    }
    (void) waitpid(pid, &status, 0);
    is_int(status, 0, "a process pins, fills, and dies");
    pair_need(weir_entries_drop(&table, WEIR_STR("k"), WEIR_ENTRIES_ANY) == WEIR_ENTRIES_DONE, "drop");
    ok(used() > 20 * 30000, "what it held is held");
    weir_entries_fold(memory, SIZE, 1);
    weir_entries_fold(memory, SIZE, 1);
    weir_entries_drop_all(&table);
    pair_need(put("k", "v") == WEIR_ENTRIES_DONE
              && weir_entries_drop(&table, WEIR_STR("k"), WEIR_ENTRIES_ANY) == WEIR_ENTRIES_DONE, "put, drop");
    ok(used() < 500 && audit(), "until the master settles it");
}

int
main(void)
{
    world();
    test_layout();
    test_one();
    test_sizes();
    test_in_pieces();
    test_expected();
    test_expiry();
    test_pins();
    test_many_pins();
    test_eviction();
    test_list();
    test_a_death();
    return done();
}
