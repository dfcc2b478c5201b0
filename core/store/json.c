/*
 * json.c - see json.h.  Runs in the store's process and in tools.
 */
#include "store/json.h"

#include "shm/quota.h"

#include "store/read.h"

#define JSON_HEX64 16

/* -- hex -- */

static void
json_put_hex(char *out, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static int
json_hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly 2 n digits. */
static bool
json_get_hex(const char *text, unsigned char *bytes, size_t n)
{
    if (text == NULL || strlen(text) != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = json_hex_digit(text[2 * i]), low = json_hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (unsigned char) (high << 4 | low);
    }
    return true;
}

/* -- members -- */

bool
weir_store_json_name(const json_t *object, const char *member, bool needed, char room[WEIR_STORE_NAME],
                     weir_error_t *error)
{
    const json_t *value = json_object_get(object, member);
    weir_str_t    text;

    if (value == NULL && !needed) {
        return true;
    }
    text = weir_store_json_str(value);
    if (json_is_string(value) && text.len == 0 && !needed) {
        room[0] = '\0';
        return true;
    }
    if (!weir_store_name_is_good(text)) {
        return weir_error_set(error, "\"%s\" must be a name: 1 to %d letters, digits or any of ._@+-", member,
                              WEIR_STORE_NAME - 1);
    }
    weir_store_put_text(room, WEIR_STORE_NAME, text);
    return true;
}

bool
weir_store_json_has_controls(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char) text.at[i] < ' ' || text.at[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

weir_str_t
weir_store_json_str(const json_t *value)
{
    return json_is_string(value) ? weir_str(json_string_value(value), json_string_length(value)) : WEIR_STR_NONE;
}

bool
weir_store_json_label(const json_t *object, const char *member, char room[WEIR_STORE_NAME], weir_error_t *error)
{
    const json_t *value = json_object_get(object, member);
    weir_str_t    text;

    if (value == NULL) {
        return true;
    }
    text = weir_store_json_str(value);
    if (weir_store_json_has_controls(text)) {
        return weir_error_set(error, "\"%s\" has a control character", member);
    }
    if (!json_is_string(value) || text.len >= WEIR_STORE_NAME) {
        return weir_error_set(error, "\"%s\" must be a text of at most %d bytes", member, WEIR_STORE_NAME - 1);
    }
    weir_store_put_text(room, WEIR_STORE_NAME, text);
    return true;
}

bool
weir_store_json_number(const json_t *object, const char *member, uint64_t *number, weir_error_t *error)
{
    const json_t *value = json_object_get(object, member);

    if (value == NULL) {
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return weir_error_set(error, "\"%s\" must be a whole number", member);
    }
    *number = (uint64_t) json_integer_value(value);
    return true;
}

bool
weir_store_json_limit(const json_t *object, const char *member, uint64_t *number, weir_error_t *error)
{
    if (json_is_null(json_object_get(object, member))) {
        *number = UINT64_MAX;
        return true;
    }
    if (!weir_store_json_number(object, member, number, error)) {
        return false;
    }
    return *number == UINT64_MAX || *number <= WEIR_QUOTA_MAX
           || weir_error_set(error, "\"%s\" may be at most %llu", member, (unsigned long long) WEIR_QUOTA_MAX);
}

/* -- to -- */

static json_t *
json_text(const char *room)
{
    weir_str_t text = weir_store_text(room, WEIR_STORE_NAME);

    return json_stringn(text.at, text.len);
}

static json_t *
json_limit(uint64_t limit)
{
    return limit == UINT64_MAX ? json_null() : json_integer((json_int_t) limit);
}

static json_t *
json_of_consumer(MDB_val key, MDB_val value)
{
    weir_store_consumer_t consumer;

    memcpy(&consumer, value.mv_data, sizeof(consumer));
    return json_pack("{s:s, s:s%, s:o, s:b, s:I}", "table", "consumers", "name", key.mv_data, key.mv_size, "plan",
                     json_text(consumer.plan),
                     "disabled", consumer.is_disabled != 0, "created", (json_int_t) consumer.created_s);
}

static json_t *
json_of_key(MDB_val key, MDB_val value)
{
    weir_store_key_t record;
    char             hash[2 * WEIR_STORE_HASH + 1];

    memcpy(&record, value.mv_data, sizeof(record));
    json_put_hex(hash, key.mv_data, WEIR_STORE_HASH);
    return json_pack("{s:s, s:s, s:o, s:o, s:I, s:I}", "table", "keys", "hash", hash, "consumer",
                     json_text(record.consumer), "label",
                     json_text(record.label), "created", (json_int_t) record.created_s, "expires",
                     (json_int_t) record.expires_s);
}

static json_t *
json_of_plan(MDB_val key, MDB_val value)
{
    weir_store_plan_t plan;

    memcpy(&plan, value.mv_data, sizeof(plan));
    return json_pack("{s:s, s:s%, s:o, s:o, s:o, s:I}", "table", "plans", "name", key.mv_data, key.mv_size, "hour",
                     json_limit(plan.hour), "day",
                     json_limit(plan.day), "month", json_limit(plan.month), "created", (json_int_t) plan.created_s);
}

static json_t *
json_of_cell(MDB_val key, MDB_val value)
{
    weir_str_t        kind, zone, name;
    weir_store_cell_t cell;
    char              hex[JSON_HEX64 + 1];

    if (!weir_str_cut(weir_store_str(key), '\0', &kind, &zone) || !weir_str_cut(zone, '\0', &zone, &name)
        || name.len != sizeof(uint64_t))
    {
        return NULL;
    }
    memcpy(&cell, value.mv_data, sizeof(cell));
    json_put_hex(hex, (const unsigned char *) name.at, sizeof(uint64_t));
    return json_pack("{s:s, s:s%, s:s%, s:s, s:I, s:I}", "table", "cells", "kind", kind.at, kind.len, "zone", zone.at,
                     zone.len, "key", hex,
                     "value", (json_int_t) cell.value, "expires", (json_int_t) cell.expires_s);
}

static json_t *
json_of_identity(MDB_val key, MDB_val value)
{
    weir_store_identity_t identity;
    unsigned char         hash[WEIR_STORE_HASH];
    weir_str_t            kind, text;

    memcpy(&identity, value.mv_data, weir_min(value.mv_size, sizeof(identity)));
    if (!weir_store_identity_is_good(&identity, value.mv_size)) {
        return NULL;
    }
    kind = weir_store_text(identity.kind, sizeof(identity.kind));
    text = weir_str(identity.value, (size_t) identity.len);
    weir_store_identity_hash(kind, text, hash);
    if (memcmp(hash, key.mv_data, sizeof(hash)) != 0) {
        return NULL;
    }
    return json_pack("{s:s, s:o, s:o, s:I}", "table", "identities", "identity",
                     json_sprintf("%.*s:%.*s", WEIR_STR_ARG(kind), WEIR_STR_ARG(text)), "consumer",
                     json_text(identity.consumer), "created", (json_int_t) identity.created_s);
}

json_t *
weir_store_to_json(weir_store_table_t table, MDB_val key, MDB_val value)
{
    static const struct { size_t key, value; json_t *(*make)(MDB_val key, MDB_val value); } rows[WEIR_STORE_TABLES] = {
        [WEIR_STORE_CONSUMERS] = { 0, sizeof(weir_store_consumer_t), json_of_consumer },
        [WEIR_STORE_KEYS] = { WEIR_STORE_HASH, sizeof(weir_store_key_t), json_of_key },
        [WEIR_STORE_PLANS] = { 0, sizeof(weir_store_plan_t), json_of_plan },
        [WEIR_STORE_CELLS] = { 0, sizeof(weir_store_cell_t), json_of_cell },
        [WEIR_STORE_IDENTITIES] = { WEIR_STORE_HASH, 0, json_of_identity },
    };

    if (rows[table].make == NULL || (rows[table].value != 0 && value.mv_size != rows[table].value)
        || (rows[table].key != 0 && key.mv_size != rows[table].key))
    {
        return NULL;
    }
    if (rows[table].key == 0 && table != WEIR_STORE_CELLS && !weir_store_name_is_good(weir_store_str(key))) {
        return NULL;
    }
    return rows[table].make(key, value);
}

/* -- from -- */

static bool
json_read_name(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    if (!weir_store_json_name(object, "name", true, record->key, error)) {
        return false;
    }
    record->key_len = strlen(record->key);
    return true;
}

static bool
json_read_consumer(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    weir_store_consumer_t *consumer = &record->value.consumer;

    record->size = sizeof(*consumer);
    consumer->is_disabled = json_is_true(json_object_get(object, "disabled"));
    return json_read_name(object, record, error) && weir_store_json_name(object, "plan", false, consumer->plan, error)
           && weir_store_json_number(object, "created", &consumer->created_s, error)
           && weir_store_json_profile(object, &record->beside.profile, error);
}

static bool
json_read_key(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    weir_store_key_t *key = &record->value.api_key;

    record->size = sizeof(*key);
    record->key_len = WEIR_STORE_HASH;
    if (!json_get_hex(json_string_value(json_object_get(object, "hash")), (unsigned char *) record->key,
                      WEIR_STORE_HASH))
    {
        return weir_error_set(error, "\"hash\" must be %d hex digits", 2 * WEIR_STORE_HASH);
    }
    return weir_store_json_name(object, "consumer", true, key->consumer, error)
           && weir_store_json_label(object, "label", key->label, error)
           && weir_store_json_number(object, "created", &key->created_s, error)
           && weir_store_json_number(object, "expires", &key->expires_s, error);
}

static bool
json_read_plan(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    weir_store_plan_t *plan = &record->value.plan;

    record->size = sizeof(*plan);
    plan->hour = plan->day = plan->month = UINT64_MAX;
    record->beside.rates = WEIR_STORE_RATES_NONE;
    return json_read_name(object, record, error) && weir_store_json_limit(object, "hour", &plan->hour, error)
           && weir_store_json_limit(object, "day", &plan->day, error)
           && weir_store_json_limit(object, "month", &plan->month, error)
           && weir_store_json_number(object, "created", &plan->created_s, error)
           && weir_store_json_rates(object, &record->beside.rates, error);
}

static bool
json_read_cell(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    const json_t *kind = json_object_get(object, "kind"), *zone = json_object_get(object, "zone");
    uint64_t      name;

    record->size = sizeof(record->value.cell);
    if (!json_is_string(kind) || json_string_length(kind) >= 32 || !json_is_string(zone)
        || json_string_length(zone) >= 128
        || !json_get_hex(json_string_value(json_object_get(object, "key")), (unsigned char *) &name, sizeof(name)))
    {
        return weir_error_set(error, "a cell must have \"kind\", \"zone\" and \"key\", 16 hex digits");
    }
    record->key_len = weir_store_cell_key(record->key, weir_str_from_z(json_string_value(kind)),
                                          weir_str_from_z(json_string_value(zone)), name);
    return weir_store_json_number(object, "value", &record->value.cell.value, error)
           && weir_store_json_number(object, "expires", &record->value.cell.expires_s, error);
}

static bool
json_read_identity(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    weir_store_identity_t *identity = &record->value.identity;

    if (!weir_store_json_name(object, "consumer", true, identity->consumer, error)
        || !weir_store_json_number(object, "created", &identity->created_s, error)
        || !weir_store_json_identity(json_object_get(object, "identity"), identity, error))
    {
        return false;
    }
    record->size = weir_store_identity_size(identity);
    record->key_len = WEIR_STORE_HASH;
    weir_store_identity_hash(weir_store_text(identity->kind, sizeof(identity->kind)),
                             weir_str(identity->value, (size_t) identity->len), (unsigned char *) record->key);
    return true;
}

bool
weir_store_from_json(const json_t *object, weir_store_record_t *record, weir_error_t *error)
{
    static bool (*const readers[WEIR_STORE_TABLES])(const json_t *, weir_store_record_t *, weir_error_t *) = {
        [WEIR_STORE_CONSUMERS] = json_read_consumer,
        [WEIR_STORE_KEYS] = json_read_key,
        [WEIR_STORE_PLANS] = json_read_plan,
        [WEIR_STORE_CELLS] = json_read_cell,
        [WEIR_STORE_IDENTITIES] = json_read_identity,
    };
    const char *table = json_string_value(json_object_get(object, "table"));

    memset(record, 0, sizeof(*record));
    for (int i = 0; table != NULL && i < WEIR_STORE_TABLES; i++) {
        if (readers[i] != NULL && strcmp(weir_store_table_name((weir_store_table_t) i), table) == 0) {
            record->table = (weir_store_table_t) i;
            return readers[i](object, record, error);
        }
    }
    return weir_error_set(error, "\"table\" must be consumers, keys, plans, identities or cells");
}
