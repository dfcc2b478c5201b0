/*
 * command.c - see command.h.  Runs in the store's process and in tools.
 */
#include "store/command.h"

#include "base/mem.h"
#include "os/sys.h"
#include "store/command_parts.h"
#include "store/read.h"

#define COMMAND_SECRET_BYTES 32
#define COMMAND_SECRET_MIN   16                  /* of one that the operator brings along */
#define COMMAND_SECRET_MAX   256
#define COMMAND_ID_MIN       8
#define COMMAND_FAULT_NAME   16                  /* characters of a key or an identity in a sentence */

/* -- plans -- */

static bool
command_put_plan(weir_store_command_t *command, bool is_new)
{
    weir_store_plan_t plan = { .created_s = command->now_s, .hour = UINT64_MAX, .day = UINT64_MAX,
                               .month = UINT64_MAX };
    weir_store_rates_t rates = WEIR_STORE_RATES_NONE;
    char               name[WEIR_STORE_NAME] = "";
    bool               found;

    if (!weir_store_json_name(command->request, "name", true, name, &command->error)) {
        return false;
    }
    found = weir_store_command_get(command, WEIR_STORE_PLANS, weir_str_from_z(name), &plan, sizeof(plan));
    if (!is_new) {                               /* what a plan of that name had before is not its own */
        (void) weir_store_command_get(command, WEIR_STORE_RATES, weir_str_from_z(name), &rates, sizeof(rates));
    }
    return weir_store_command_expect(command, found, !is_new, "plan", name)
           && weir_store_json_limit(command->request, "hour", &plan.hour, &command->error)
           && weir_store_json_limit(command->request, "day", &plan.day, &command->error)
           && weir_store_json_limit(command->request, "month", &plan.month, &command->error)
           && weir_store_json_rates(command->request, &rates, &command->error)
           && weir_store_command_put(command, WEIR_STORE_PLANS, weir_str_from_z(name), &plan, sizeof(plan))
           && weir_store_command_put(command, WEIR_STORE_RATES, weir_str_from_z(name), &rates, sizeof(rates));
}

static bool command_plan_add(weir_store_command_t *command) { return command_put_plan(command, true); }
static bool command_plan_set(weir_store_command_t *command) { return command_put_plan(command, false); }

static bool
command_is_not_of_plan(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
    weir_store_command_of_t         *of = data;
    weir_store_consumer_t consumer;

    (void) cursor;
    if (value.mv_size != sizeof(consumer)) {
        return true;
    }
    memcpy(&consumer, value.mv_data, sizeof(consumer));
    return strncmp(consumer.plan, of->name, sizeof(consumer.plan)) != 0
           || weir_error_set(&of->command->error, "consumer \"%.*s\" has the plan \"%s\"",
                             WEIR_STR_ARG(weir_store_str(key)), of->name);
}

static bool
command_plan_remove(weir_store_command_t *command)
{
    weir_store_plan_t plan;
    char              name[WEIR_STORE_NAME] = "";
    weir_store_command_of_t      of = { command, name, 0 };
    bool              found;

    if (!weir_store_json_name(command->request, "name", true, name, &command->error)) {
        return false;
    }
    found = weir_store_command_get(command, WEIR_STORE_PLANS, weir_str_from_z(name), &plan, sizeof(plan));
    return weir_store_command_expect(command, found, true, "plan", name)
           && weir_store_command_each(command, WEIR_STORE_CONSUMERS, command_is_not_of_plan, &of)
           && (weir_store_command_delete(command, WEIR_STORE_RATES, weir_str_from_z(name)) || command->result == 0)
           && weir_store_command_delete(command, WEIR_STORE_PLANS, weir_str_from_z(name));
}

/* -- keys -- */

/* 256 random bits as 43 digits of base64url (RFC 4648 §5), behind a word by which secret scanners know it. */
static bool
command_make_secret(char secret[COMMAND_SECRET_MAX + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char     bytes[COMMAND_SECRET_BYTES];
    char             *out = secret;
    uint32_t          bits = 0;
    int               n = 0;

    if (weir_sys_random(bytes, sizeof(bytes)) != 0) {
        return false;
    }
    memcpy(out, "weir_", 5);
    out += 5;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bits = bits << 8 | bytes[i];
        for (n += 8; n >= 6; n -= 6) {
            *out++ = digits[bits >> (n - 6) & 63];
        }
    }
    *out++ = digits[bits << (6 - n) & 63];
    *out = '\0';
    weir_mem_wipe(bytes, sizeof(bytes));
    return true;
}

/* The one that the operator brought, or a new one. */
static bool
command_get_secret(weir_store_command_t *command, char secret[COMMAND_SECRET_MAX + 1])
{
    const json_t *given = json_object_get(command->request, "secret");
    weir_str_t    text = json_is_string(given) ? weir_str(json_string_value(given), json_string_length(given))
                         : WEIR_STR_NONE;

    if (given == NULL) {
        return command_make_secret(secret) || weir_error_set(&command->error, "there is no randomness for a key");
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~') {
            return weir_error_set(&command->error, "a key is made of visible ASCII characters");
        }
    }
    if (text.len < COMMAND_SECRET_MIN || text.len > COMMAND_SECRET_MAX) {
        return weir_error_set(&command->error, "a key has %d to %d characters", COMMAND_SECRET_MIN, COMMAND_SECRET_MAX);
    }
    memcpy(secret, text.at, text.len);
    secret[text.len] = '\0';
    return true;
}

static bool
command_store_key(weir_store_command_t *command, const weir_store_key_t *key, const char *secret)
{
    unsigned char    hash[WEIR_STORE_HASH];
    weir_str_t       name = weir_str((const char *) hash, sizeof(hash));
    weir_store_key_t other;
    char             id[WEIR_STORE_ID + 1];

    weir_store_hash(weir_str_from_z(secret), hash);
    weir_store_id_of(hash, id);
    if (!weir_store_command_expect(command,
                                   weir_store_command_get(command, WEIR_STORE_KEYS, name, &other, sizeof(other)), false,
                                   "key", id)
        || !weir_store_command_put(command, WEIR_STORE_KEYS, name, key, sizeof(*key)))
    {
        return false;
    }
    (void) json_object_set_new(command->answer, "id", json_string(id));
    if (json_object_get(command->request, "secret") == NULL) {
        (void) json_object_set_new(command->answer, "key", json_string(secret));
    }
    return true;
}

static bool
command_key_create(weir_store_command_t *command)
{
    weir_store_key_t      key = { .created_s = command->now_s };
    weir_store_consumer_t consumer;
    char                  secret[COMMAND_SECRET_MAX + 1];
    bool                  good, found;

    if (!weir_store_json_name(command->request, "consumer", true, key.consumer, &command->error)) {
        return false;
    }
    found = weir_store_command_get(command, WEIR_STORE_CONSUMERS, weir_str_from_z(key.consumer), &consumer,
                                   sizeof(consumer));
    good = weir_store_command_expect(command, found, true, "consumer", key.consumer)
           && weir_store_json_label(command->request, "label", key.label, &command->error)
           && weir_store_json_number(command->request, "expires", &key.expires_s, &command->error)
           && command_get_secret(command, secret);
    if (good && key.expires_s != 0 && key.expires_s <= command->now_s) {
        good = weir_error_set(&command->error, "\"expires\" is in the past: the key would never be valid");
        weir_mem_wipe(secret, sizeof(secret));
    }
    if (good) {
        good = command_store_key(command, &key, secret);
        weir_mem_wipe(secret, sizeof(secret));
    }
    return good;
}

typedef struct { weir_str_t id; unsigned char hash[WEIR_STORE_HASH]; size_t n; } command_find_t;

static bool
command_match_id(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
    command_find_t *find = data;
    char            id[WEIR_STORE_ID + 1];

    (void) cursor;
    (void) value;
    if (key.mv_size == WEIR_STORE_HASH) {
        weir_store_id_of(key.mv_data, id);
        if (weir_str_starts(weir_str_from_z(id), find->id)) {
            memcpy(find->hash, key.mv_data, WEIR_STORE_HASH);
            find->n++;
        }
    }
    return true;
}

static bool
command_key_revoke(weir_store_command_t *command)
{
    const char    *id = json_string_value(json_object_get(command->request, "id"));
    command_find_t find = { .id = weir_str_from_z(id != NULL ? id : "") };
    char           whole[WEIR_STORE_ID + 1];

    if (find.id.len < COMMAND_ID_MIN || find.id.len > WEIR_STORE_ID) {
        return weir_error_set(&command->error, "\"id\" must be %d to %d hex digits", COMMAND_ID_MIN, WEIR_STORE_ID);
    }
    if (!weir_store_command_each(command, WEIR_STORE_KEYS, command_match_id, &find)) {
        return false;
    }
    if (find.n > 1) {
        return weir_error_set(&command->error, "%zu keys begin with \"%s\"", find.n, id);
    }
    if (!weir_store_command_expect(command, find.n == 1, true, "key", id)
        || !weir_store_command_delete(command, WEIR_STORE_KEYS, weir_str((const char *) find.hash, sizeof(find.hash))))
    {
        return false;
    }
    weir_store_id_of(find.hash, whole);
    (void) json_object_set_new(command->answer, "id", json_string(whole));
    return true;
}

/* -- others -- */

static bool
command_load(weir_store_command_t *command)
{
    weir_store_record_t record;
    weir_str_t          key;

    if (!weir_store_from_json(json_object_get(command->request, "record"), &record, &command->error)) {
        return false;
    }
    key = weir_str(record.key, record.key_len);
    if (!weir_store_command_put(command, record.table, key, &record.value, record.size)) {
        return false;
    }
    switch (record.table) {
    case WEIR_STORE_CONSUMERS:
        return weir_store_command_put_profile(command, key, &record.beside.profile);
    case WEIR_STORE_PLANS:
        return weir_store_command_put(command, WEIR_STORE_RATES, key, &record.beside.rates,
                                      sizeof(record.beside.rates));
    default:
        return true;
    }
}

static bool
command_flush(weir_store_command_t *command)
{
    (void) command;
    return true;                                 /* the transaction around it is */
}

json_t *
weir_store_do(weir_store_db_t *db, MDB_txn *txn, const json_t *request, uint64_t now_s, int *failed)
{
    static const struct { const char *name; bool (*run)(weir_store_command_t *command); } rows[] = {
        { "consumer.add", weir_store_command_consumer_add }, { "consumer.set", weir_store_command_consumer_set },
        { "consumer.remove", weir_store_command_consumer_remove },
        { "identity.add", weir_store_command_identity_add },
        { "identity.remove", weir_store_command_identity_remove },
        { "plan.add", command_plan_add }, { "plan.set", command_plan_set }, { "plan.remove", command_plan_remove },
        { "key.create", command_key_create }, { "key.revoke", command_key_revoke },
        { "load", command_load }, { "flush", command_flush },
    };
    weir_store_command_t command = { .db = db, .request = request, .now_s = now_s,
                                     .answer = json_pack("{s:b, s:i}", "ok", 1, "layout", WEIR_STORE_LAYOUT) };
    const char          *what = json_string_value(json_object_get(request, "do"));
    size_t               i = 0;
    bool                 good = false;

    while (i < weir_countof(rows) && (what == NULL || strcmp(rows[i].name, what) != 0)) {
        i++;
    }
    if (i == weir_countof(rows)) {
        (void) weir_error_set(&command.error, "\"do\" must be a command");
    } else if (!weir_store_command_failed(&command, mdb_txn_begin(db->env, txn, 0, &command.txn))) {
        good = rows[i].run(&command);
        if (good) {
            good = !weir_store_command_failed(&command, mdb_txn_commit(command.txn));
        } else {
            mdb_txn_abort(command.txn);
        }
    }
    *failed = command.result;
    if (!good) {
        json_decref(command.answer);
        command.answer = json_pack("{s:s}", "error", command.error.text);
    }
    return command.answer != NULL ? command.answer : json_object();
}

/* -- all of it -- */

typedef struct {
    void              (*each)(void *data, weir_store_table_t table, const json_t *record);
    void              (*fault)(void *data, const char *fault);
    void               *data;
    weir_store_table_t  table;
    weir_store_command_t *command;
} command_walk_t;

static void
command_check_consumer(command_walk_t *walk, const json_t *record)
{
    const char       *plan = json_string_value(json_object_get(record, "plan"));
    weir_store_plan_t found;
    char              fault[256];

    if (plan != NULL && plan[0] != '\0'
        && !weir_store_command_get(walk->command, WEIR_STORE_PLANS, weir_str_from_z(plan), &found, sizeof(found)))
    {
        (void) snprintf(fault, sizeof(fault), "consumer \"%s\" has a plan \"%s\", which is not there",
                        json_string_value(json_object_get(record, "name")), plan);
        walk->fault(walk->data, fault);
    }
}

static void
command_check_owner(command_walk_t *walk, const json_t *record, const char *what, const char *name)
{
    const char           *consumer = json_string_value(json_object_get(record, "consumer"));
    weir_store_consumer_t found;
    char                  fault[256];

    if (!weir_store_command_get(walk->command, WEIR_STORE_CONSUMERS, weir_str_from_z(consumer), &found,
                                sizeof(found)))
    {
        (void) snprintf(fault, sizeof(fault), "%s %.*s belongs to a consumer \"%s\", which is not there", what,
                        COMMAND_FAULT_NAME, name, consumer);
        walk->fault(walk->data, fault);
    }
}

/* What is told with something else: with the consumer, or the plan. */
static void
command_tell_beside(command_walk_t *walk, MDB_val key, json_t *record)
{
    weir_store_rates_t   rates = WEIR_STORE_RATES_NONE;
    weir_store_profile_t profile;

    if (walk->table == WEIR_STORE_CONSUMERS) {
        if (weir_store_command_profile(walk->command, weir_store_str(key), &profile)) {
            weir_store_json_tell_profile(record, &profile);
        }
    } else if (walk->table == WEIR_STORE_PLANS) {
        (void) weir_store_command_get(walk->command, WEIR_STORE_RATES, weir_store_str(key), &rates, sizeof(rates));
        weir_store_json_tell_rates(record, &rates);
    }
}

/* A profile is one, and its consumer is there; rates are some, and their plan is there. */
static void
command_check_beside(command_walk_t *walk, MDB_val key, MDB_val value)
{
    bool                  is_profile = walk->table == WEIR_STORE_PROFILES;
    weir_store_profile_t  profile;
    weir_store_consumer_t consumer;
    weir_store_plan_t     plan;
    char                  fault[256];
    bool                  is_good, has_owner;

    memcpy(&profile, value.mv_data, weir_min(value.mv_size, sizeof(profile)));
    is_good = is_profile ? weir_store_profile_is_good(&profile, value.mv_size)
              : value.mv_size == sizeof(weir_store_rates_t);
    has_owner = is_profile ? weir_store_command_get(walk->command, WEIR_STORE_CONSUMERS, weir_store_str(key),
                                                    &consumer, sizeof(consumer))
                : weir_store_command_get(walk->command, WEIR_STORE_PLANS, weir_store_str(key), &plan, sizeof(plan));
    if (!is_good || !has_owner) {
        (void) snprintf(fault, sizeof(fault), "a record of \"%s\" %s", weir_store_table_name(walk->table),
                        !is_good ? "is not what it should be" : "has no owner in the store");
        walk->fault(walk->data, fault);
    }
}

static bool
command_walk_one(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
    command_walk_t *walk = data;
    json_t         *record;
    char            fault[128];

    (void) cursor;
    if (walk->table == WEIR_STORE_PROFILES || walk->table == WEIR_STORE_RATES) {
        if (walk->fault != NULL) {
            command_check_beside(walk, key, value);
        }
        return true;
    }
    record = weir_store_to_json(walk->table, key, value);
    if (record == NULL) {
        if (walk->fault != NULL) {
            (void) snprintf(fault, sizeof(fault), "a record of \"%s\" is not what it should be",
                            weir_store_table_name(walk->table));
            walk->fault(walk->data, fault);
        }
        return true;
    }
    if (walk->each != NULL) {
        command_tell_beside(walk, key, record);
        walk->each(walk->data, walk->table, record);
    } else if (walk->table == WEIR_STORE_CONSUMERS) {
        command_check_consumer(walk, record);
    } else if (walk->table == WEIR_STORE_KEYS) {
        command_check_owner(walk, record, "key", json_string_value(json_object_get(record, "hash")));
    } else if (walk->table == WEIR_STORE_IDENTITIES) {
        command_check_owner(walk, record, "identity", json_string_value(json_object_get(record, "identity")));
    }
    json_decref(record);
    return true;
}

static int
command_walk(weir_store_db_t *db, MDB_txn *txn, command_walk_t walk)
{
    static const weir_store_table_t order[] = {
        WEIR_STORE_PLANS, WEIR_STORE_RATES, WEIR_STORE_CONSUMERS, WEIR_STORE_PROFILES, WEIR_STORE_KEYS,
        WEIR_STORE_IDENTITIES, WEIR_STORE_CELLS,
    };
    weir_store_command_t                       command = { .db = db, .txn = txn };

    walk.command = &command;
    for (size_t i = 0; command.result == 0 && i < weir_countof(order); i++) {
        walk.table = order[i];
        (void) weir_store_command_each(&command, order[i], command_walk_one, &walk);
    }
    return command.result;
}

int
weir_store_dump(weir_store_db_t *db, MDB_txn *txn,
                void (*each)(void *data, weir_store_table_t table, const json_t *record), void *data)
{
    return command_walk(db, txn, (command_walk_t) { .each = each, .data = data });
}

int
weir_store_check(weir_store_db_t *db, MDB_txn *txn, void (*each)(void *data, const char *fault), void *data)
{
    return command_walk(db, txn, (command_walk_t) { .fault = each, .data = data });
}
