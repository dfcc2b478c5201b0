/* tally.c - texts are counted in a table that never grows: a text has one row, and a full table has its reserve. */
#include "shm/tally.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS 64

typedef struct { uint64_t rows, count; uint32_t day; char last[WEIR_TALLY_TEXT + 1]; } seen_t;

static void
on_row(void *data, weir_str_t text, uint64_t count, uint32_t day)
{
    seen_t *seen = data;

    seen->rows++;
    seen->count += count;
    seen->day = day;
    (void) snprintf(seen->last, sizeof(seen->last), "%.*s", (int) text.len, text.at);
}

static seen_t
read_all(const void *memory, uint64_t size)
{
    seen_t seen = { .rows = 0 };

    ok(weir_tally_read(memory, size, on_row, &seen), "it can be read");
    return seen;
}

int
main(void)
{
    uint64_t      size = weir_tally_bytes(ROWS);
    void         *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    weir_tally_t *tally;
    weir_buf_t    out;
    seen_t        seen;
    char          text[WEIR_TALLY_TEXT], told[100];
    unsigned      fits = 0, wrong = 0;

    memset(memory, 0, size);
    ok(!weir_tally_read(memory, size, on_row, &seen), "memory without a table is none");
    ok(weir_tally_open(memory, weir_tally_bytes(ROWS - 1)) == NULL, "too small a one is refused");
    tally = weir_tally_open(memory, size);
    ok(tally != NULL && weir_tally_open(memory, size) == tally, "it is made once and found again");
    seen = read_all(memory, size);
    is_int(seen.rows, 0, "nothing is in it");

    ok(weir_tally_count(tally, WEIR_STR("a"), 10, false) && weir_tally_count(tally, WEIR_STR("a"), 11, false),
       "a text, twice");
    seen = read_all(memory, size);
    ok(seen.rows == 1 && seen.count == 2 && seen.day == 11 && strcmp(seen.last, "a") == 0, "one row, the later day");

    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; i < 1000; i++) {
        (void) snprintf(text, 8, "%07u", i);
        text[7] = 'x';
        fits += weir_tally_count(tally, weir_str(text, sizeof(text)), 12, false);
    }
    ok(fits >= 32 && fits < ROWS - ROWS / 16, "a full table takes no new text");
    wrong += !weir_tally_count(tally, WEIR_STR("a"), 12, false);
    for (unsigned i = 0; i < ROWS / 16; i++) {
        char name = (char) ('A' + i);

        wrong += !weir_tally_count(tally, weir_str(&name, 1), 12, true);
    }
    is_int(wrong, 0, "known texts are counted on, and the reserve has its rows");
    ok(!weir_tally_count(tally, WEIR_STR("Z"), 12, true), "not more than those");
    seen = read_all(memory, size);
    is_int(seen.rows, 1 + fits + ROWS / 16, "all rows are read");

    weir_buf_init(&out, told, sizeof(told));
    weir_tally_describe(memory, size, &out);
    ok(weir_buf_len(&out) != 0, "it is described");
    for (uint64_t i = 0; i < size; i++) {            /* damaged in every byte: it is read without harm */
        ((uint8_t *) memory)[i] ^= 0xff;
        (void) !weir_tally_read(memory, size, on_row, &seen);
        ((uint8_t *) memory)[i] ^= 0xff;
    }
    memset(memory, 0xff, size);
    ok(!weir_tally_read(memory, size, on_row, &seen), "other memory is no table");
    free(memory);
    return done();
}
