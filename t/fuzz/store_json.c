/*
 * store_json.c - a line of a dump, or of a command to the store's process: what is taken for a record says the same
 * when it is written out.
 */
#include "store/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t             *object = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES, NULL);
    weir_store_record_t record, again;
    weir_error_t        error = { .text = "" };

    if (object != NULL && weir_store_from_json(object, &record, &error)) {
        MDB_val key = { .mv_size = record.key_len, .mv_data = record.key },
            value = { .mv_size = record.size, .mv_data = &record.value };
        json_t *written = weir_store_to_json(record.table, key, value);

        if (written != NULL && record.table == WEIR_STORE_CONSUMERS) {
            weir_assert(weir_store_profile_is_good(&record.beside.profile,
                                                   weir_store_profile_size(&record.beside.profile)));
            weir_store_json_tell_profile(written, &record.beside.profile);
        } else if (written != NULL && record.table == WEIR_STORE_PLANS) {
            weir_store_json_tell_rates(written, &record.beside.rates);
        }
        if (written == NULL || !weir_store_from_json(written, &again, &error) || again.table != record.table
            || again.key_len != record.key_len
            || memcmp(again.key, record.key, record.key_len) != 0 || again.size != record.size
            || memcmp(&again.value, &record.value, record.size) != 0
            || memcmp(&again.beside, &record.beside, sizeof(record.beside)) != 0)
        {
            abort();
        }
        json_decref(written);
    } else if (object != NULL && error.text[0] == '\0') {
        abort();
    }
    json_decref(object);
    return 0;
}
