/*
 * view.c - a worker's look into the store: it finds what LMDB wrote; one that is stopped in the middle while pages are
 * used again is made again; and whatever lies in the file, nothing outside of it is read.
 */
#define _GNU_SOURCE 1

#include "store/view.h"

#include "../tap.h"
#include "../tmp.h"
#include "store/record.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define CELLS 4000

static weir_store_db_t   db;
static weir_store_view_t view;

static weir_str_t
cell_key(unsigned number)
{
    static char text[32];

    return weir_str(text, (size_t) snprintf(text, sizeof(text), "cell %u", number));
}

/* Every record says which cell it is of, and in which round it was written, twice: halves of two are seen. */
static weir_store_cell_t
cell_of(unsigned number, uint64_t round)
{
    return (weir_store_cell_t) { .value = (uint64_t) number << 32 | round,
                                 .expires_s = ~((uint64_t) number << 32 | round) };
}

static bool
cell_is_whole(const weir_store_cell_t *cell, unsigned number)
{
    return cell->value == ~cell->expires_s && cell->value >> 32 == number;
}

/* All of these in one transaction; in another order each round, so that pages that are used again hold other cells. */
static void
put(unsigned from, unsigned to, uint64_t round)
{
    static const unsigned steps[] = { 1, 3, 7, 9, 11, 13, 1777, 2999 };          /* each has no factor of CELLS */
    MDB_txn *txn;
    int      result = mdb_txn_begin(db.env, NULL, 0, &txn);

    for (unsigned i = 0; result == 0 && i < to - from; i++) {
        unsigned          number = from + (unsigned) ((uint64_t) i * steps[round % weir_countof(steps)] % (to - from));
        weir_store_cell_t cell = cell_of(number, round);
        MDB_val           key = weir_store_val(cell_key(number)), value = { sizeof(cell), &cell };

        result = mdb_put(txn, db.tables[WEIR_STORE_CELLS], &key, &value, 0);
    }
    weir_assert(result == 0 && mdb_txn_commit(txn) == 0);
}

static weir_store_found_t
get(unsigned number, weir_store_cell_t *cell)
{
    char       text[32];
    weir_str_t key = cell_key(number);

    memcpy(text, key.at, key.len);               /* (the one room of names is the writer's, too) */
    return weir_store_view_get(&view, WEIR_STORE_CELLS, weir_str(text, key.len), cell, sizeof(*cell));
}

static void
test_finds(void)
{
    weir_store_cell_t cell;
    unsigned          good = 0, missing = 0;
    char              small[4];

    for (unsigned i = 0; i < CELLS; i++) {
        good += get(i, &cell) == WEIR_STORE_FOUND && cell.value == cell_of(i, 1).value && cell_is_whole(&cell, i);
    }
    is_int(good, CELLS, "all that LMDB wrote is found");
    for (unsigned i = CELLS; i < 2 * CELLS; i++) {
        missing += get(i, &cell) == WEIR_STORE_MISSING;
    }
    is_int(missing, CELLS, "what is not there is not");
    is_int(weir_store_view_get(&view, WEIR_STORE_CELLS, WEIR_STR(""), &cell, sizeof(cell)), WEIR_STORE_MISSING,
           "nor is what has no name");
    is_int(weir_store_view_get(&view, WEIR_STORE_PLANS, WEIR_STR("x"), &cell, sizeof(cell)), WEIR_STORE_MISSING,
           "nor anything in an empty table");
    is_int(weir_store_view_get(&view, WEIR_STORE_CELLS, cell_key(7), small, sizeof(small)), WEIR_STORE_BROKEN,
           "a record of another size is not copied");
}

static void
test_grows(void)
{
    weir_store_cell_t cell;
    size_t            mapped = view.mapped;

    put(CELLS, 5 * CELLS, 1);
    is_int(get(5 * CELLS - 1, &cell), WEIR_STORE_FOUND, "what lies behind what was mapped is found");
    ok(cell_is_whole(&cell, 5 * CELLS - 1) && view.mapped > mapped, "in a larger map");
}

/* -- a look that is stopped -- */

static struct { unsigned pages, at, commits, round, overtaken; } stop;

/* Before page `at` of a look: the writer, which holds nothing back, writes everything anew so many times. */
static void
on_page(void *data)
{
    (void) data;
    if (stop.pages++ == stop.at) {
        for (unsigned i = 0; i < stop.commits; i++) {
            put(0, CELLS, ++stop.round);
        }
    }
}

static void
test_stopped(void)
{
    weir_store_cell_t cell;
    unsigned          wrong = 0, old = 0;

    view.on_page = on_page;
    for (stop.commits = 1; stop.commits <= 4; stop.commits++) {
        for (stop.at = 0; stop.at < 6; stop.at++) {
            for (unsigned number = 0; number < CELLS; number += CELLS / 10) {
                uint64_t looks = view.looks, before = stop.round;

                stop.pages = 0;
                wrong += get(number, &cell) != WEIR_STORE_FOUND || !cell_is_whole(&cell, number);
                old += (uint32_t) cell.value < before;
                stop.overtaken += view.looks - looks > 1;
            }
        }
    }
    view.on_page = NULL;
    is_int(wrong, 0, "a look in whose middle pages are used again gives whole records");
    is_int(old, 0, "that are not older than the look");
    ok(stop.overtaken > 50, "it was made again");
}

/* -- a writer beside it -- */

static void
test_beside(void)
{
    weir_store_cell_t cell;
    unsigned          looks = 0, wrong = 0;
    uint64_t          began = view.looks;
    pid_t             writer = fork();
    int               status = 0;

    if (writer == 0) {
        for (unsigned i = 0; i < 300; i++) {
            /* (LMDB of one process, in a child that has not used it: only for a test) */
            weir_store_cell_t one;

            (void) get(i, &one);
        }
        _exit(0);
    }
    for (unsigned round = 0; round < 40; round++) {
        put(0, CELLS, ++stop.round);
        for (unsigned i = 0; i < 100; i++, looks++) {
            wrong += get(i * 7, &cell) != WEIR_STORE_FOUND || !cell_is_whole(&cell, i * 7)
                || (uint32_t) cell.value != stop.round;
        }
    }
    (void) waitpid(writer, &status, 0);
    is_int(wrong, 0, "what was acknowledged is seen by the next look");
    is_int((int64_t) (view.looks - began), looks, "each of which is one walk");
    is_int(status, 0, "in every process");
}

/* -- anything -- */

static uint64_t seed = 88172645463325252u;

static uint64_t
any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A copy of the file with the page behind it taken away: who reads on is killed. */
static void
test_garbage(void)
{
    static const uint16_t words[] = { 0, 1, 2, 15, 16, 17, 4095, 4096, 0x7fff, 0x8000, 0xffff };
    weir_store_view_t     copy = { .fd = -1, .lock_fd = -1, .mapped = weir_min(view.mapped, 64 * (size_t) view.page) };
    unsigned char        *bytes = mmap(NULL, copy.mapped + view.page, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned              results[3] = { 0 };

    (void) mprotect(bytes + copy.mapped, view.page, PROT_NONE);
    copy.map = bytes;
    for (unsigned round = 0; round < 60000; round++) {
        weir_store_cell_t cell;

        if (round % 50 == 0) {
            memcpy(bytes, view.map, copy.mapped);
        }
        for (unsigned i = 0; i < 4; i++) {
            size_t at = any() % (copy.mapped / view.page) * view.page
                        + (any() % 2 != 0 ? any() % 256 : any() % view.page);

            if (any() % 2 != 0 && at + 2 <= copy.mapped) {
                memcpy(bytes + at, &words[any() % weir_countof(words)], 2);
            } else {
                bytes[at] = (unsigned char) any();
            }
        }
        copy.mapped = weir_min(view.mapped, 64 * (size_t) view.page);
        if (weir_store_view_begins(&copy)) {
            results[weir_store_view_get(&copy, WEIR_STORE_CELLS, cell_key((unsigned) (any() % CELLS)), &cell,
                                        sizeof(cell))]++;
        }
    }
    ok(results[WEIR_STORE_BROKEN] > 1000 && results[WEIR_STORE_FOUND] > 1000,
       "of 60,000 looks into damaged files some found it, some did not");
    (void) munmap(bytes, weir_min(view.mapped, 64 * (size_t) view.page) + view.page);
}

int
main(void)
{
    weir_error_t error = { .text = "" };
    bool         is_removed;

    (void) tmp_path("");
    if (!ok(weir_store_open(&db, &(weir_store_open_t) { .path = tmp_folder, .size = 64 << 20, .writes = true }, &error),
            "a store"))
    {
        return done();
    }
    (void) mdb_env_set_flags(db.env, MDB_NOSYNC, 1);
    put(0, CELLS, 1);
    if (!ok(weir_store_view_open(&view, tmp_folder, &error), "a view of it")) {
        return done();
    }
    test_finds();
    test_grows();
    stop.round = 1;
    test_stopped();
    test_beside();
    test_garbage();
    ok(weir_store_view_is_whole(&view, &is_removed) && !is_removed, "the file is whole and there");
    is_int(truncate(tmp_path("weir.mdb"), 8192), 0, "and is cut short");
    ok(!weir_store_view_is_whole(&view, &is_removed) && !is_removed, "which shows");
    is_int(unlink(tmp_path("weir.mdb")), 0, "and is removed");
    ok(!weir_store_view_is_whole(&view, &is_removed) && is_removed, "which shows, too");
    weir_store_view_close(&view);
    ok(!weir_store_view_open(&view, "/nonexistent", &error), "where there is none, nothing is opened");
    return done();
}
