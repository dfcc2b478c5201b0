/*
 * layout.c - a store of layout 1 becomes one of layout 2 when it is opened to be written, whole or not at all, and
 * under whoever reads it; records of any length are read whole.
 */
#define _GNU_SOURCE 1

#include "store/command.h"
#include "store/record.h"
#include "store/view.h"

#include "../tap.h"
#include "../tmp.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CONSUMERS 300
#define KILLS     60

/* As a program of layout 1 made them. */
static void
make_old(void)
{
    static const char *const names[] = { "meta", "consumers", "keys", "plans", "cells" };
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi  tables[5];
    uint32_t layout = 1;
    char     name[32];

    (void) unlink(tmp_path("weir.mdb"));
    (void) unlink(tmp_path("weir.mdb-lock"));
    weir_assert(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 5) == 0
                && mdb_env_set_mapsize(env, 16 << 20) == 0
                && mdb_env_open(env, tmp_path("weir.mdb"), MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC, 0600) == 0
                && mdb_txn_begin(env, NULL, 0, &txn) == 0);
    for (int i = 0; i < 5; i++) {
        weir_assert(mdb_dbi_open(txn, names[i], MDB_CREATE, &tables[i]) == 0);
    }
    weir_assert(mdb_put(txn, tables[0], &(MDB_val) { 6, (void *) (uintptr_t) "layout" },
                        &(MDB_val) { sizeof(layout), &layout }, 0) == 0);
    for (int i = 0; i < CONSUMERS; i++) {
        struct { uint64_t created_s, is_disabled; char plan[64]; } consumer = { (uint64_t) i, 0, "gold" };
        size_t len = (size_t) snprintf(name, sizeof(name), "consumer-%d", i);

        weir_assert(mdb_put(txn, tables[1], &(MDB_val) { len, name }, &(MDB_val) { sizeof(consumer), &consumer },
                            0) == 0);
    }
    weir_assert(mdb_put(txn, tables[3], &(MDB_val) { 4, (void *) (uintptr_t) "gold" },
                        &(MDB_val) { 32, (uint64_t[4]) { 1, 10, UINT64_MAX, 30 } }, 0) == 0
                && mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
}

static bool
open_store(weir_store_db_t *db, bool writes)
{
    weir_error_t error = { .text = "" };

    return weir_store_open(db, &(weir_store_open_t) { .path = tmp_folder, .writes = writes }, &error);
}

/* How many of its consumers are there. */
static int
count_consumers(weir_store_view_t *view)
{
    weir_store_consumer_t consumer;
    char                  name[32];
    int                   n = 0;

    for (int i = 0; i < CONSUMERS; i++) {
        size_t len = (size_t) snprintf(name, sizeof(name), "consumer-%d", i);

        n += weir_store_view_get(view, WEIR_STORE_CONSUMERS, weir_str(name, len), &consumer,
                                 sizeof(consumer)) == WEIR_STORE_FOUND
             && consumer.created_s == (uint64_t) i && strcmp(consumer.plan, "gold") == 0;
    }
    return n;
}

static void
count(void *data, weir_store_table_t table, const json_t *record)
{
    (void) record;
    ((int *) data)[table]++;
}

static void
test_readers(void)
{
    weir_store_view_t view = { .fd = -1 };
    weir_error_t      error = { .text = "" };
    weir_store_db_t   db;
    MDB_txn          *txn;
    char              room[64];
    size_t            size;
    int               n[WEIR_STORE_TABLES] = { 0 };

    make_old();
    if (!ok(open_store(&db, false), "a tool reads it without changing it")) {
        return;
    }
    ok(!weir_store_has(&db, WEIR_STORE_PROFILES) && weir_store_has(&db, WEIR_STORE_CELLS), "it has no new tables");
    weir_assert(mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn) == 0);
    is_int(weir_store_dump(&db, txn, count, n), 0, "a dump of it");
    mdb_txn_abort(txn);
    is_int(n[WEIR_STORE_CONSUMERS], CONSUMERS, "has its consumers");
    is_int(weir_store_walk(&db), 0, "all of it is read");
    weir_store_close(&db);

    ok(weir_store_view_open(&view, tmp_folder, &error), "a worker reads it");
    is_int(count_consumers(&view), CONSUMERS, "… its consumers");
    is_int(weir_store_view_read(&view, WEIR_STORE_PROFILES, WEIR_STR("consumer-1"), room, sizeof(room), &size),
           WEIR_STORE_MISSING, "… none of which has groups");
    ok(open_store(&db, true), "it becomes one of layout 2");
    is_int(count_consumers(&view), CONSUMERS, "under a worker that reads on: what it knew is where it was");
    ok(weir_store_has(&db, WEIR_STORE_PROFILES), "with the new tables");
    weir_store_close(&db);
    ok(open_store(&db, false) && weir_store_has(&db, WEIR_STORE_IDENTITIES), "which stay");
    weir_store_close(&db);
    weir_store_view_close(&view);
}

/* Killed at any moment it is one or the other. */
static void
test_kills(void)
{
    weir_error_t error = { .text = "" };
    int          whole = 0, migrated = 0;

    for (int i = 0; i < KILLS; i++) {
        weir_store_view_t view = { .fd = -1 };
        uint32_t          layout = 0;
        int               ready[2];
        char              byte;
        pid_t             pid;

        make_old();
        weir_assert(pipe(ready) == 0);
        pid = fork();
        if (pid == 0) {
            weir_store_db_t db;

            (void) !write(ready[1], "", 1);
            _exit(!open_store(&db, true));
        }
        (void) !read(ready[0], &byte, 1);
        (void) usleep((useconds_t) (i * 331 % 20000));
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        (void) close(ready[0]);
        (void) close(ready[1]);
        if (!weir_store_view_open(&view, tmp_folder, &error)) {
            continue;
        }
        whole += count_consumers(&view) == CONSUMERS;
        migrated += weir_store_view_get(&view, WEIR_STORE_META, WEIR_STR(WEIR_STORE_LAYOUT_KEY), &layout,
                                        sizeof(layout)) == WEIR_STORE_FOUND;
        weir_store_view_close(&view);
    }
    is_int(whole, KILLS, "whoever is killed while it changes loses nothing");
    printf("# %d of %d were changed\n", migrated, KILLS);
}

static void
put(weir_store_db_t *db, weir_store_table_t table, const char *key, const void *record, size_t size)
{
    MDB_txn *txn;
    MDB_val  name = weir_store_val(weir_str_from_z(key)), value = { size, (void *) (uintptr_t) record };

    weir_assert(mdb_txn_begin(db->env, NULL, 0, &txn) == 0 && mdb_put(txn, db->tables[table], &name, &value, 0) == 0
                && mdb_txn_commit(txn) == 0);
}

static void
test_orphans(void)
{
    weir_store_profile_t  profile = { .n_groups = 1 };
    weir_store_rates_t    rates = WEIR_STORE_RATES_NONE;
    weir_store_identity_t identity = { .consumer = "gone", .kind = "jwt", .len = 1, .value = "x" };
    weir_store_view_t     view = { .fd = -1 };
    weir_error_t          error = { .text = "" };
    weir_store_db_t       db;
    size_t                size;
    int                   left = 0, kept = 0;

    make_old();
    weir_assert(open_store(&db, true) && weir_store_profile_add(&profile, WEIR_STR("admin")));
    put(&db, WEIR_STORE_PROFILES, "gone", &profile, weir_store_profile_size(&profile));
    put(&db, WEIR_STORE_PROFILES, "consumer-1", &profile, weir_store_profile_size(&profile));
    put(&db, WEIR_STORE_RATES, "gone", &rates, sizeof(rates));
    put(&db, WEIR_STORE_RATES, "gold", &rates, sizeof(rates));
    put(&db, WEIR_STORE_IDENTITIES, "a", &identity, weir_store_identity_size(&identity));
    put(&db, WEIR_STORE_IDENTITIES, "short", "x", 1);
    (void) strcpy(identity.consumer, "consumer-1");
    put(&db, WEIR_STORE_IDENTITIES, "b", &identity, weir_store_identity_size(&identity));
    weir_store_close(&db);
    weir_assert(open_store(&db, true) && weir_store_view_open(&view, tmp_folder, &error));
    for (weir_store_table_t table = WEIR_STORE_PROFILES; table < WEIR_STORE_TABLES; table++) {
        static const char *const names[] = { "gone", "a", "short", "consumer-1", "gold", "b" };

        for (size_t i = 0; i < weir_countof(names); i++) {
            *(i < 3 ? &left : &kept) += weir_store_view_read(&view, table, weir_str_from_z(names[i]), &identity,
                                                             sizeof(identity), &size) == WEIR_STORE_FOUND;
        }
    }
    is_int(left, 0, "what a program of before left behind is taken out when the store is opened");
    is_int(kept, 3, "and nothing else");
    weir_store_view_close(&view);
    weir_store_close(&db);
}

static void
test_newer(void)
{
    weir_store_view_t view = { .fd = -1 };
    weir_error_t      error = { .text = "" };
    weir_store_db_t   db;
    uint32_t          newer = WEIR_STORE_LAYOUT + 1;

    make_old();
    weir_assert(open_store(&db, true));
    put(&db, WEIR_STORE_META, WEIR_STORE_LAYOUT_KEY, &newer, sizeof(newer));
    weir_store_close(&db);
    ok(open_store(&db, true), "a newer layout whose tables are those that are known is written");
    put(&db, WEIR_STORE_META, WEIR_STORE_OLDEST_KEY, &newer, sizeof(newer));
    weir_store_close(&db);
    ok(!open_store(&db, true) && !open_store(&db, false), "one that says that it is not for this program is not");
    ok(!weir_store_view_open(&view, tmp_folder, &error) && strstr(error.text, "of another version of Weir") != NULL,
       "nor read, which is told");
}

/* -- long records -- */

static weir_store_db_t *stopped;
static int              stop_at, stop_pages, round_now, rewrites;

static void
make_profile(weir_store_profile_t *profile, int round, size_t bytes)
{
    char text[WEIR_STORE_PROFILE_TEXT];

    *profile = (weir_store_profile_t) { .n_groups = 1 };
    memset(text, 'a' + round % 26, sizeof(text));
    weir_assert(weir_store_profile_add(profile, weir_str(text, bytes)));
}

static bool
profile_is_whole(const weir_store_profile_t *profile, size_t size)
{
    size_t n = 0;

    while (n + 1 < profile->len && profile->text[n] == profile->text[0]) {
        n++;
    }
    return weir_store_profile_is_good(profile, size) && n + 1 == profile->len;
}

static void
on_page(void *data)
{
    weir_store_profile_t profile;

    (void) data;
    if (stop_pages++ == stop_at) {
        for (int i = 0; i < rewrites; i++) {
            round_now++;
            make_profile(&profile, round_now, (size_t) (round_now * 977 % (WEIR_STORE_PROFILE_TEXT - 2)) + 1);
            put(stopped, WEIR_STORE_PROFILES, "consumer-1", &profile, weir_store_profile_size(&profile));
        }
    }
}

static void
test_long(void)
{
    static const size_t  lengths[] = { 1, 500, 1900, 1990, 2000, 2010, 2020, 2030, 2040, 2100, 3000, 4079, 4095 };
    weir_store_view_t    view = { .fd = -1 };
    weir_store_profile_t profile, found;
    weir_error_t         error = { .text = "" };
    weir_store_db_t      db;
    size_t               size = 0;
    int                  good = 0, wrong = 0;
    char                 room[16];

    make_old();
    weir_assert(open_store(&db, true) && weir_store_view_open(&view, tmp_folder, &error));
    (void) mdb_env_set_flags(db.env, MDB_NOSYNC, 1);
    for (size_t i = 0; i < weir_countof(lengths); i++) {
        make_profile(&profile, (int) i, lengths[i]);
        put(&db, WEIR_STORE_PROFILES, "consumer-1", &profile, weir_store_profile_size(&profile));
        good += weir_store_view_read(&view, WEIR_STORE_PROFILES, WEIR_STR("consumer-1"), &found, sizeof(found),
                                     &size) == WEIR_STORE_FOUND
                && size == weir_store_profile_size(&profile) && memcmp(&found, &profile, size) == 0;
    }
    is_int(good, (int) weir_countof(lengths), "records of any length are read, in a leaf or in pages of their own");
    is_int(weir_store_view_read(&view, WEIR_STORE_PROFILES, WEIR_STR("consumer-1"), room, sizeof(room), &size),
           WEIR_STORE_FOUND, "or only their beginning");
    is_int((int64_t) size, (int64_t) weir_store_profile_size(&profile), "… of which it is said how long they are");
    is_int(memcmp(room, &profile, sizeof(room)), 0, "… and no byte more is copied");
    stopped = &db;
    view.on_page = on_page;
    for (rewrites = 1; rewrites <= 4; rewrites++) {
        for (stop_at = 0; stop_at < 8; stop_at++) {
            for (int i = 0; i < 20; i++) {
                stop_pages = 0;
                wrong += weir_store_view_read(&view, WEIR_STORE_PROFILES, WEIR_STR("consumer-1"), &found,
                                              sizeof(found), &size) != WEIR_STORE_FOUND
                         || !profile_is_whole(&found, size);
            }
        }
    }
    is_int(wrong, 0, "one that is written again in the middle of a look is read whole");
    weir_store_view_close(&view);
    weir_store_close(&db);
}

int
main(void)
{
    (void) tmp_path("");
    test_readers();
    test_kills();
    test_orphans();
    test_newer();
    test_long();
    return done();
}
