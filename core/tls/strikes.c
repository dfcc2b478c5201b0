/*
 * strikes.c - hellos with 0-RTT data that were let in of late, over all workers (RFC 8446 §8.2).
 *
 * A table of 64-bit cells in shared memory, eight to a set: a part of the hello's random bytes and the time, taken with
 * one compare-and-swap.  A cell is free when its time is past; a set without a free cell refuses.
 */
#include "base/base.h"
#include "tls/session.h"

#include <string.h>

#define STRIKES_MAGIC 0x737472696b657331u
#define STRIKES_MS    20000                       /* OpenSSL takes a ticket's age to be right within 10 s either way */
#define STRIKES_WAYS  8
#define STRIKES_TIME  0xfffffu                    /* 20 bits of time in units of 32 ms, above it 44 bits of the hello */
#define STRIKES_UNIT  32

typedef struct {
    uint64_t magic, ready_ms, n_sets, unused[5];
    uint64_t cells[][STRIKES_WAYS];
} strikes_t;

static strikes_t *strikes_shared;

void
weir_tls_strikes_init(void *memory, size_t size, uint64_t monotonic_ms)
{
    strikes_t *strikes = memory;

    weir_assert(size >= sizeof(*strikes) + sizeof(strikes->cells[0]));
    if (strikes->magic == STRIKES_MAGIC) {
        return;                                   /* handed on: it knows */
    }
    memset(strikes, 0, size);
    strikes->n_sets = (size - sizeof(*strikes)) / sizeof(strikes->cells[0]);
    strikes->ready_ms = monotonic_ms + STRIKES_MS;
    strikes->magic = STRIKES_MAGIC;
}

void
weir_tls_strikes_use(void *memory, size_t size)
{
    strikes_t *strikes = memory;

    strikes_shared = NULL;
    if (strikes != NULL && strikes->magic == STRIKES_MAGIC && strikes->n_sets != 0
        && strikes->n_sets <= (size - sizeof(*strikes)) / sizeof(strikes->cells[0]))
    {
        strikes_shared = strikes;
    }
}

/* Times are compared on a circle of 2^20 units, nine hours: longer than a cell is looked at in vain is not told from
 * now, and errs towards refusing.  Another worker's clock may be ahead of ours: a cell from a near future is taken. */
static bool
strikes_is_free(uint64_t cell, uint32_t now)
{
    const uint32_t window = STRIKES_MS / STRIKES_UNIT + 1;
    uint32_t age = (now - (uint32_t) cell) & STRIKES_TIME;

    return cell == 0 || (age > window && age < STRIKES_TIME - window);
}

bool
weir_tls_strikes_first(const uint8_t random[32], uint64_t monotonic_ms)
{
    strikes_t *strikes = strikes_shared;
    uint32_t now = (uint32_t) (monotonic_ms / STRIKES_UNIT) & STRIKES_TIME;
    uint64_t hash, tag, *set;

    if (strikes == NULL || monotonic_ms < strikes->ready_ms) {
        return false;
    }
    memcpy(&hash, random, sizeof(hash));
    memcpy(&tag, random + sizeof(hash), sizeof(tag));
    tag |= (uint64_t) 1 << 63;                    /* a taken cell is never 0 */
    tag &= ~(uint64_t) STRIKES_TIME;
    weir_assert(strikes->n_sets != 0);
    set = strikes->cells[hash % strikes->n_sets];
    for (int i = 0; i < STRIKES_WAYS;) {
        uint64_t cell = __atomic_load_n(&set[i], __ATOMIC_SEQ_CST);
        if (!strikes_is_free(cell, now)) {
            if ((cell & ~(uint64_t) STRIKES_TIME) == tag) {
                return false;
            }
            i++;
            continue;
        }
        if (__atomic_compare_exchange_n(&set[i], &cell, tag | now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            /* Two that chose different cells at one moment see one another here; neither goes in. */
            for (int j = 0; j < STRIKES_WAYS; j++) {
                cell = __atomic_load_n(&set[j], __ATOMIC_SEQ_CST);
                if (j != i && (cell & ~(uint64_t) STRIKES_TIME) == tag && !strikes_is_free(cell, now)) {
                    return false;
                }
            }
            return true;
        }
    }
    return false;
}
