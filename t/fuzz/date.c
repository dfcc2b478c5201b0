/*
 * date.c - fuzz target: dates of fields.
 *
 * Oracle: what was read is written as a date that reads the same, and one in the form that is written is written back
 * as it was.
 */
#include "base/date.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t text = weir_str((const char *) data, size);
    char out[WEIR_DATE_HTTP_BYTES];
    int64_t seconds, again;

    if (weir_date_http_read(text, &seconds)) {
        weir_date_http(out, seconds);
        weir_assert(weir_date_http_read(weir_str(out, sizeof(out)), &again) && again == seconds);
    }
    if (size >= 8) {
        int64_t number;
        memcpy(&number, data, 8);
        weir_date_http(out, number);
        weir_assert(weir_date_http_read(weir_str(out, sizeof(out)), &again));
        weir_assert(again == number || number < -62167219200 || number > 253402300799);
    }
    return 0;
}
