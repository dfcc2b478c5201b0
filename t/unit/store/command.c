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
    bad("{\"do\":\"load\",\"record\":{\"table\":\"meta\"}}",
        "\"table\" must be consumers, keys, plans, identities or cells");
    bad("{\"do\":\"load\"}", "\"table\" must be consumers, keys, plans, identities or cells");
    good("{\"do\":\"consumer.remove\",\"name\":\"acme\"}");
    is_there(0, 0, 1, "the consumer has gone with its keys");
    good("{\"do\":\"plan.remove\",\"name\":\"gold\"}");
    good("{\"do\":\"flush\"}");
    is_there(0, 0, 0, "nothing is left");
}

/* What a dump says of the consumer "acme". */
static void
keep(void *data, weir_store_table_t table, const json_t *record)
{
    if (table == WEIR_STORE_CONSUMERS || table == WEIR_STORE_PLANS) {
        char *text = json_dumps(json_object_get(record, table == WEIR_STORE_PLANS ? "rate" : "groups"),
                                JSON_COMPACT | JSON_ENCODE_ANY);
        char *meta = json_dumps(json_object_get(record, table == WEIR_STORE_PLANS ? "concurrency" : "meta"),
                                JSON_COMPACT | JSON_ENCODE_ANY);

        (void) snprintf((char *) data + strlen(data), 400 - strlen(data), "%s %s;", text, meta);
        free(text);
        free(meta);
    }
}

static void
says(const char *wanted, const char *what)
{
    char     text[400] = "";
    MDB_txn *txn;

    (void) mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn);
    (void) weir_store_dump(&db, txn, keep, text);
    mdb_txn_abort(txn);
    is_str(weir_str_from_z(text), wanted, what);
}

static void
test_profiles(void)
{
    static const char bad_meta[] =
        "a value of \"meta\" must be a text of at most 255 bytes without control characters";
    json_t *many = json_array(), *request, *answer;
    MDB_txn *txn;
    int      failed;

    good("{\"do\":\"consumer.add\",\"name\":\"acme\",\"groups\":[\"b\",\"a\",\"b\"],"
         "\"meta\":{\"tier\":\"1\",\"no\":\"\"}}");
    says("[\"b\",\"a\"] {\"tier\":\"1\"};", "groups as they were given, each once; nothing of a name without a text");
    good("{\"do\":\"consumer.set\",\"name\":\"acme\",\"meta\":{\"b\":\"2\"}}");
    good("{\"do\":\"consumer.set\",\"name\":\"acme\",\"disabled\":true}");
    says("[\"b\",\"a\"] {\"tier\":\"1\",\"b\":\"2\"};", "one more entry of metadata; what is not named stays");
    good("{\"do\":\"consumer.set\",\"name\":\"acme\",\"groups\":[],\"meta\":{\"tier\":null,\"b\":\"3\"}}");
    says("[] {\"b\":\"3\"};", "others in their place, and none");
    bad("{\"do\":\"consumer.set\",\"name\":\"acme\",\"groups\":[\"a,b\"]}",
        "a group must be a name: 1 to 63 letters, digits or any of ._@+-");
    bad("{\"do\":\"consumer.set\",\"name\":\"acme\",\"groups\":\"a\"}", "\"groups\" must be at most 64 names");
    bad("{\"do\":\"consumer.set\",\"name\":\"acme\",\"meta\":{\"A\":\"1\"}}",
        "a name of \"meta\" must be 1 to 31 lower case letters, digits or _");
    bad("{\"do\":\"consumer.set\",\"name\":\"acme\",\"meta\":{\"a\":1}}", bad_meta);
    bad("{\"do\":\"consumer.set\",\"name\":\"acme\",\"meta\":{\"a\":\"x\\ny\"}}", bad_meta);
    says("[] {\"b\":\"3\"};", "what is refused changes nothing");
    for (int i = 0; i < 10000; i++) {
        (void) json_array_append_new(many, json_sprintf("group-%d", i));
    }
    request = json_pack("{s:s, s:s, s:o}", "do", "consumer.set", "name", "acme", "groups", many);
    (void) mdb_txn_begin(db.env, NULL, 0, &txn);
    answer = weir_store_do(&db, txn, request, 1000, &failed);
    mdb_txn_abort(txn);
    is_str(weir_str_from_z(json_string_value(json_object_get(answer, "error"))), "\"groups\" must be at most 64 names",
           "10,000 groups are too many");
    json_decref(request);
    json_decref(answer);
    good("{\"do\":\"consumer.remove\",\"name\":\"acme\"}");
    good("{\"do\":\"consumer.add\",\"name\":\"acme\"}");
    says("[] {};", "another one of the name has nothing of it");
    good("{\"do\":\"consumer.remove\",\"name\":\"acme\"}");
}

static void
test_rates(void)
{
    static const char bad_rate[] =
        "\"rate\" must be requests a second or a minute, as 10r/s or 600r/m, of 1 to 1000000000";

    good("{\"do\":\"plan.add\",\"name\":\"gold\",\"rate\":\"600r/m\",\"burst\":20,\"concurrency\":5}");
    says("\"600r/m\" 5;", "a rate in a minute");
    good("{\"do\":\"plan.set\",\"name\":\"gold\",\"concurrency\":null,\"rate\":\"7r/s\"}");
    says("\"7r/s\" null;", "another one in a second, and no limit");
    good("{\"do\":\"plan.set\",\"name\":\"gold\",\"hour\":7}");
    says("\"7r/s\" null;", "what is not named stays");
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"rate\":\"r/s\"}", bad_rate);
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"rate\":\"0r/s\"}", bad_rate);
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"rate\":\"10r/h\"}", bad_rate);
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"rate\":10}", bad_rate);
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"burst\":-1}", "\"burst\" must be a whole number");
    bad("{\"do\":\"plan.set\",\"name\":\"gold\",\"concurrency\":0}",
        "\"concurrency\" must be at least 1, or null, which is no limit");
    good("{\"do\":\"plan.remove\",\"name\":\"gold\"}");
    good("{\"do\":\"plan.add\",\"name\":\"gold\"}");
    says("null null;", "another plan of the name has nothing of it");
    good("{\"do\":\"plan.remove\",\"name\":\"gold\"}");
}

static void
test_identities(void)
{
    good("{\"do\":\"consumer.add\",\"name\":\"acme\",\"identities\":[\"jwt:a\",\"jwt:a:b\"]}");
    good("{\"do\":\"consumer.set\",\"name\":\"acme\",\"identities\":[\"jwt:a\"]}");
    good("{\"do\":\"consumer.add\",\"name\":\"eve\"}");
    bad("{\"do\":\"identity.add\",\"consumer\":\"eve\",\"identity\":\"jwt:a\"}",
        "\"jwt:a\" is an identity of the consumer \"acme\" already");
    bad("{\"do\":\"consumer.add\",\"name\":\"bob\",\"identities\":[\"jwt:c\",\"jwt:a\"]}",
        "\"jwt:a\" is an identity of the consumer \"acme\" already");
    bad("{\"do\":\"consumer.set\",\"name\":\"bob\"}", "there is no consumer \"bob\"");
    bad("{\"do\":\"identity.remove\",\"identity\":\"jwt:c\"}", "there is no identity \"jwt:c\"");
    bad("{\"do\":\"identity.add\",\"consumer\":\"nobody\",\"identity\":\"jwt:c\"}",
        "there is no consumer \"nobody\"");
    good("{\"do\":\"identity.remove\",\"identity\":\"jwt:a\"}");
    good("{\"do\":\"identity.add\",\"consumer\":\"eve\",\"identity\":\"jwt:a\"}");
    good("{\"do\":\"identity.add\",\"consumer\":\"eve\",\"identity\":\"certificate:san:dns:A.Example\"}");
    good("{\"do\":\"identity.remove\",\"identity\":\"certificate:san:dns:a.example\"}");
    good("{\"do\":\"consumer.remove\",\"name\":\"acme\"}");
    bad("{\"do\":\"identity.remove\",\"identity\":\"jwt:a:b\"}", "there is no identity \"jwt:a:b\"");
    good("{\"do\":\"identity.remove\",\"identity\":\"jwt:a\"}");
    good("{\"do\":\"consumer.remove\",\"name\":\"eve\"}");
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
    test_profiles();
    test_rates();
    test_identities();
    test_check();
    weir_store_close(&db);
    return done();
}
