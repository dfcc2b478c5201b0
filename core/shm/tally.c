/*
 * tally.c - see tally.h.  Runs in workers; tools read.  Allocates nothing.
 */
#include "shm/tally.h"

#define TALLY_MAGIC UINT64_C(0x77656972746c7931)
#define TALLY_WAYS  32                       /* rows that a text may have */
#define TALLY_ROWS  64                       /* at least */

typedef struct {
    uint64_t hash;                           /* of its text; 0: the row is free */
    uint64_t count;
    uint32_t day;
    uint32_t is_there;                       /* the text: written before this is set */
    uint32_t len;
    char     text[WEIR_TALLY_TEXT];
} tally_row_t;

_Static_assert(sizeof(tally_row_t) == 256, "rows are as long as they look");

struct weir_tally {
    _Alignas(64) uint64_t magic;
    uint64_t              rows;
    char                  unused[48];
    tally_row_t           row[];
};

uint64_t
weir_tally_bytes(uint32_t rows)
{
    return sizeof(weir_tally_t) + (uint64_t) rows * sizeof(tally_row_t);
}

static uint64_t
tally_rows_of(uint64_t size)
{
    return size < sizeof(weir_tally_t) ? 0 : (size - sizeof(weir_tally_t)) / sizeof(tally_row_t);
}

weir_tally_t *
weir_tally_open(void *memory, uint64_t size)
{
    weir_tally_t *tally = memory;
    uint64_t      rows = tally_rows_of(size), none = 0;

    if (rows < TALLY_ROWS || (uintptr_t) memory % 64 != 0) {
        return NULL;
    }
    tally->rows = rows;                      /* all processes say the same */
    (void) __atomic_compare_exchange_n(&tally->magic, &none, TALLY_MAGIC, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&tally->magic, __ATOMIC_ACQUIRE) == TALLY_MAGIC ? tally : NULL;
}

/* Is it the row of that text?  A row without a text gets it. */
static bool
tally_is(tally_row_t *row, weir_str_t text)
{
    if (__atomic_load_n(&row->is_there, __ATOMIC_ACQUIRE) == 0) {
        memcpy(row->text, text.at, text.len);
        row->len = (uint32_t) text.len;
        __atomic_store_n(&row->is_there, 1, __ATOMIC_RELEASE);
    }
    return row->len == text.len && memcmp(row->text, text.at, text.len) == 0;
}

/* The text's row, made when there is none; NULL: there is no room. */
static tally_row_t *
tally_find(weir_tally_t *tally, weir_str_t text, bool is_reserve)
{
    uint64_t reserve = tally->rows / 16, first = is_reserve ? tally->rows - reserve : 0;
    uint64_t n = is_reserve ? reserve : tally->rows - reserve;
    uint64_t hash = weir_str_hash(text, 0) | 1;

    for (uint64_t i = 0; i < TALLY_WAYS && i < n; i++) {
        tally_row_t *row = &tally->row[first + (hash / 2 + i) % n];
        uint64_t     its = __atomic_load_n(&row->hash, __ATOMIC_ACQUIRE);

        if (its == 0
            && __atomic_compare_exchange_n(&row->hash, &its, hash, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            its = hash;
        }
        if (its == hash && tally_is(row, text)) {
            return row;
        }
    }
    return NULL;
}

bool
weir_tally_count(weir_tally_t *tally, weir_str_t text, uint32_t day, bool is_reserve)
{
    tally_row_t *row;

    weir_assert(tally->magic == TALLY_MAGIC && text.len != 0 && text.len <= WEIR_TALLY_TEXT);
    row = tally_find(tally, text, is_reserve);
    if (row == NULL) {
        return false;
    }
    (void) __atomic_add_fetch(&row->count, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&row->day, __ATOMIC_RELAXED) != day) {
        __atomic_store_n(&row->day, day, __ATOMIC_RELAXED);
    }
    return true;
}

bool
weir_tally_read(const void *memory, uint64_t size, weir_tally_each_t *each, void *data)
{
    const weir_tally_t *tally = memory;
    uint64_t            rows = tally_rows_of(size);

    if (rows < TALLY_ROWS || __atomic_load_n(&tally->magic, __ATOMIC_ACQUIRE) != TALLY_MAGIC) {
        return false;
    }
    for (uint64_t i = 0; i < rows; i++) {
        const tally_row_t *row = &tally->row[i];
        char               text[WEIR_TALLY_TEXT];
        uint32_t           len = __atomic_load_n(&row->len, __ATOMIC_RELAXED);

        if (__atomic_load_n(&row->is_there, __ATOMIC_ACQUIRE) == 1 && len <= WEIR_TALLY_TEXT) {
            memcpy(text, row->text, len);
            each(data, weir_str(text, len), __atomic_load_n(&row->count, __ATOMIC_RELAXED),
                 __atomic_load_n(&row->day, __ATOMIC_RELAXED));
        }
    }
    return true;
}

static void
tally_add_up(void *data, weir_str_t text, uint64_t count, uint32_t day)
{
    (void) text;
    (void) count;
    (void) day;
    ++*(uint64_t *) data;
}

void
weir_tally_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t rows = 0;

    if (weir_tally_read(memory, size, tally_add_up, &rows)) {
        weir_buf_printf(out, "rows=%llu room=%llu", (unsigned long long) rows,
                        (unsigned long long) tally_rows_of(size));
    }
}
