/*
 * store_view.c - fuzz target: the store's file as a worker reads it without trust.
 *
 * Oracle: nothing outside of the bytes is looked at, a look ends, and what is found is in the file as it was copied.
 */
#define _GNU_SOURCE 1

#include "store/view.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "a", "b", "key", "layout", "zz", "" };
    weir_store_view_t view = { .fd = -1, .lock_fd = -1, .mapped = size };
    unsigned char    *copy = malloc(size + 1), record[16];             /* so that a byte too many is seen */
    unsigned char     long_record[6000];
    size_t            has;

    memcpy(copy, data, size);
    view.map = copy;
    if (weir_store_view_begins(&view)) {
        for (size_t i = 0; i < weir_countof(keys); i++) {
            for (int table = 0; table < WEIR_STORE_TABLES; table++) {
                size_t room = (i + (size_t) table) % 2 != 0 ? 4 : 16;

                if (weir_store_view_get(&view, (weir_store_table_t) table, weir_str_from_z(keys[i]), record,
                                        room) == WEIR_STORE_FOUND)
                {
                    weir_assert(memmem(copy, size, record, room) != NULL);
                }
                if (weir_store_view_read(&view, (weir_store_table_t) table, weir_str_from_z(keys[i]), long_record,
                                         sizeof(long_record), &has) == WEIR_STORE_FOUND)
                {
                    room = has < sizeof(long_record) ? has : sizeof(long_record);
                    weir_assert(room == 0 || memmem(copy, size, long_record, room) != NULL);
                }
            }
        }
    }
    free(copy);
    return 0;
}
