/*
 * json.h - records as JSON objects and back: what a dump's line is (see command.h).
 */
#ifndef WEIR_STORE_JSON_H
#define WEIR_STORE_JSON_H

#include "store/db.h"
#include "store/record.h"

#include <jansson.h>

/* A new reference; NULL: key or value is not what the table holds, or it is no object of its own: a profile is told
 * with its consumer, rates with their plan. */
json_t *weir_store_to_json(weir_store_table_t table, MDB_val key, MDB_val value);

/* What a profile says, into a consumer's object; what rates say, into a plan's. */
void weir_store_json_tell_profile(json_t *object, const weir_store_profile_t *profile);
void weir_store_json_tell_rates(json_t *object, const weir_store_rates_t *rates);

/* A record of any table; with a consumer its profile, with a plan its rates. */
typedef struct {
    weir_store_table_t table;
    char               key[WEIR_STORE_CELL_KEY];
    size_t             key_len, size;
    union {
        weir_store_consumer_t consumer;
        weir_store_key_t      api_key;
        weir_store_plan_t     plan;
        weir_store_cell_t     cell;
        weir_store_identity_t identity;
    } value;
    union {
        weir_store_profile_t  profile;
        weir_store_rates_t    rates;
    } beside;
} weir_store_record_t;

/* false with *error, which says what is wrong with which member. */
bool weir_store_from_json(const json_t *object, weir_store_record_t *record, weir_error_t *error) WEIR_MUST_USE;

/* Members, checked: false with *error.  What is not there leaves *value as it is, unless it is needed. */
bool weir_store_json_name(const json_t *object, const char *member, bool needed, char room[WEIR_STORE_NAME],
                          weir_error_t *error) WEIR_MUST_USE;
bool weir_store_json_number(const json_t *object, const char *member, uint64_t *value,
                            weir_error_t *error) WEIR_MUST_USE;
/* null: UINT64_MAX */
bool weir_store_json_limit(const json_t *object, const char *member, uint64_t *value,
                           weir_error_t *error) WEIR_MUST_USE;
/* "rate": "10r/s" or "600r/m", "burst", "concurrency"; null: none. */
bool weir_store_json_rates(const json_t *object, weir_store_rates_t *rates, weir_error_t *error) WEIR_MUST_USE;
/* "groups": an array that takes the place of those that there are; "meta": an object whose members are set, or with
 * null or an empty text taken out. */
bool weir_store_json_profile(const json_t *object, weir_store_profile_t *profile, weir_error_t *error) WEIR_MUST_USE;
/* "KIND:VALUE", as it is looked up: created_s and consumer are as they were. */
bool weir_store_json_identity(const json_t *text, weir_store_identity_t *identity, weir_error_t *error) WEIR_MUST_USE;
/* A text's bytes; NONE: it is no text. */
weir_str_t weir_store_json_str(const json_t *value);
bool       weir_store_json_has_controls(weir_str_t text);
/* Any text without control characters that fits. */
bool weir_store_json_label(const json_t *object, const char *member, char room[WEIR_STORE_NAME],
                           weir_error_t *error) WEIR_MUST_USE;

#endif
