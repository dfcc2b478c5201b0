/*
 * command.c - what people change in the store: each command, what it refuses, and that one which fails leaves nothing
 * behind.
 */
#define _GNU_SOURCE 1

#include "store/command.h"

#include "../tap.h"
#include "../tmp.h"

static weir_store_db_t db;

/* In a transaction of its own; the answer is the caller's. */
static json_t *
ask(const char *text)
{
    json_t  *request = json_loads(text, 0, NULL), *answer;
    MDB_txn *txn;
    int      failed;

    (void) mdb_txn_begin(db.env, NULL, 0, &txn);
    answer = weir_store_do(&db, txn, request, 1000, &failed);
    if (failed != 0) {
        mdb_txn_abort(txn);
    } else {
        (void) mdb_txn_commit(txn);
    }
    json_decref(request);
    return answer;
}

static void
good(const char *text)
{
    json_t *answer = ask(text);

    ok(json_is_true(json_object_get(answer, "ok")), text);
    json_decref(answer);
}

static void
bad(const char *text, const char *why)
{
    json_t *answer = ask(text);

    is_str(weir_str_from_z(json_string_value(json_object_get(answer, "error"))), why, text);
    json_decref(answer);
}

static void
count(void *data, weir_store_table_t table, const json_t *record)
{
    (void) record;
    ((int *) data)[table]++;
}

static void
is_there(int consumers, int keys, int plans, const char *what)
{
    int      n[WEIR_STORE_TABLES] = { 0 };
    MDB_txn *txn;

    (void) mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn);
    is_int(weir_store_dump(&db, txn, count, n), 0, "all of it is read");
    mdb_txn_abort(txn);
    ok(n[WEIR_STORE_CONSUMERS] == consumers && n[WEIR_STORE_KEYS] == keys && n[WEIR_STORE_PLANS] == plans, what);
}

static void
fault(void *data, const char *text)
{
    (void) text;
    (*(int *) data)++;
}

static void
test_commands(void)
{
    json_t *answer;

    good("{\"do\":\"plan.add\",\"name\":\"gold\",\"day\":10}");
    good("{\"do\":\"consumer.add\",\"name\":\"acme\",\"plan\":\"gold\"}");
    bad("{\"do\":\"consumer.add\",\"name\":\"acme\"}", "there is a consumer \"acme\" already");
    bad("{\"do\":\"consumer.add\"}", "\"name\" must be a name: 1 to 63 letters, digits or any of ._@+-");
    bad("{\"do\":\"consumer.set\",\"name\":\"acme\",\"plan\":7}",
        "\"plan\" must be a name: 1 to 63 letters, digits or any of ._@+-");
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"day\":\"many\"}", "\"day\" must be a whole number");
    bad("{\"do\":\"key.create\",\"consumer\":\"acme\",\"secret\":\"short\"}", "a key has 16 to 256 characters");
    bad("{\"do\":\"key.create\",\"consumer\":\"acme\",\"secret\":\"with a space in it\"}",
        "a key is made of visible ASCII characters");
    bad("{\"do\":\"key.create\",\"consumer\":\"acme\",\"label\":\"a\\nb\"}", "\"label\" has a control character");
    bad("{\"do\":\"key.create\",\"consumer\":\"acme\",\"expires\":-1}", "\"expires\" must be a whole number");
    bad("{\"do\":\"key.create\",\"consumer\":\"eve\"}", "there is no consumer \"eve\"");
    good("{\"do\":\"key.create\",\"consumer\":\"acme\",\"secret\":\"sixteen-letters.\"}");
    bad("{\"do\":\"key.create\",\"consumer\":\"acme\",\"secret\":\"sixteen-letters.\"}",
        "there is a key \"65daa1b036a84f00\" already");
    answer = ask("{\"do\":\"key.create\",\"consumer\":\"acme\"}");
    is_int((long long) json_string_length(json_object_get(answer, "key")), 48, "a key of 256 bits");
    json_decref(answer);
    is_there(1, 2, 1, "a consumer with two keys, and a plan");
    bad("{\"do\":\"plan.remove\",\"name\":\"gold\"}", "consumer \"acme\" has the plan \"gold\"");
    bad("{\"do\":\"nonsense\"}", "\"do\" must be a command");
    bad("{}", "\"do\" must be a command");
    bad("[]", "\"do\" must be a command");
    bad("{\"do\":\"load\",\"record\":{\"table\":\"meta\"}}", "\"table\" must be consumers, keys, plans, identities or cells");
    bad("{\"do\":\"load\"}", "\"table\" must be consumers, keys, plans, identities or cells");
    good("{\"do\":\"consumer.remove\",\"name\":\"acme\"}");
    is_there(0, 0, 1, "the consumer has gone with its keys");
    good("{\"do\":\"plan.remove\",\"name\":\"gold\"}");
    good("{\"do\":\"flush\"}");
    is_there(0, 0, 0, "nothing is left");
}

static void
test_check(void)
{
    MDB_txn *txn;
    int      n = 0;

    good("{\"do\":\"load\",\"record\":{\"table\":\"consumers\",\"name\":\"a\",\"plan\":\"nowhere\"}}");
    good("{\"do\":\"load\",\"record\":{\"table\":\"keys\",\"hash\":\"00000000000000000000000000000000000000000000000000000000000000ff\","
         "\"consumer\":\"nobody\"}}");
    (void) mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn);
    is_int(weir_store_check(&db, txn, fault, &n), 0, "it can be looked at");
    mdb_txn_abort(txn);
    is_int(n, 2, "what refers to nothing is found");
}

int
main(void)
{
    weir_error_t error = { .text = "" };

    (void) tmp_path("");
    if (!ok(weir_store_open(&db, &(weir_store_open_t) { .path = tmp_folder, .size = 1 << 20, .writes = true }, &error),
            "a store"))
    {
        return done();
    }
    test_commands();
    test_check();
    weir_store_close(&db);
    return done();
}
