/*
 * json.h - records as JSON objects and back: what a dump's line is (see command.h).
 */
#ifndef WEIR_STORE_JSON_H
#define WEIR_STORE_JSON_H

#include "store/db.h"
#include "store/record.h"

#include <jansson.h>

/* A new reference; NULL: key or value is not what the table holds. */
json_t *weir_store_to_json(weir_store_table_t table, MDB_val key, MDB_val value);

/* A record of any table. */
typedef struct {
    weir_store_table_t table;
    char               key[WEIR_STORE_CELL_KEY];
    size_t             key_len, size;
    union {
        weir_store_consumer_t consumer;
        weir_store_key_t      api_key;
        weir_store_plan_t     plan;
        weir_store_cell_t     cell;
    } value;
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
/* Any text without control characters that fits. */
bool weir_store_json_label(const json_t *object, const char *member, char room[WEIR_STORE_NAME],
                           weir_error_t *error) WEIR_MUST_USE;

#endif
