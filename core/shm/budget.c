/*
 * budget.c - see budget.h.  Runs in workers; allocates nothing.
 *
 * The cell: `name` holds the parts of tokens that were earned in the slot before (upper half) and in this one (lower
 * half); `value` is the number of this slot.
 */
#include "shm/budget.h"

#define BUDGET_NS_A_S  UINT64_C(1000000000)
#define BUDGET_NS_A_MS UINT64_C(1000000)

typedef struct { uint64_t before, here, slot; } budget_tokens_t;

/* What the cell says as of now: what is too old has gone.  Another worker's clock may be ahead of this one's, so that a
 * slot that is later stands. */
static budget_tokens_t
budget_read(weir_cell_t cell, weir_instant_t now)
{
    budget_tokens_t tokens = { cell.name >> 32, cell.name & UINT32_MAX, cell.value };
    uint64_t        slot = now.ms / WEIR_BUDGET_SLOT_MS;

    if (slot > tokens.slot) {
        tokens.before = slot == tokens.slot + 1 ? tokens.here : 0;
        tokens.here = 0;
        tokens.slot = slot;
    }
    return tokens;
}

static weir_cell_t
budget_cell(budget_tokens_t tokens)
{
    weir_assert(tokens.before <= UINT32_MAX && tokens.here <= UINT32_MAX);
    return (weir_cell_t) { .name = tokens.before << 32 | tokens.here, .value = tokens.slot };
}

void
weir_budget_earn(weir_budget_t *budget, uint32_t hundredths, weir_instant_t now)
{
    weir_cell_t     was;
    budget_tokens_t tokens;

    weir_assert(hundredths <= WEIR_BUDGET_WHOLE);
    do {
        was = weir_cell_load(&budget->tokens);
        tokens = budget_read(was, now);
        tokens.here = weir_min(tokens.here + hundredths, (uint64_t) UINT32_MAX);
    } while (!weir_cell_swap(&budget->tokens, was, budget_cell(tokens)));
}

/* One of those that a second allows, however little was earned: a leaky bucket of a second's size. */
static bool
budget_is_free(weir_budget_t *budget, uint32_t a_second, weir_instant_t now)
{
    uint64_t now_ns = now.ms * BUDGET_NS_A_MS, was, next;

    if (a_second == 0) {
        return false;
    }
    weir_assert(a_second <= WEIR_BUDGET_MIN_MAX);
    was = __atomic_load_n(&budget->free_ns, __ATOMIC_ACQUIRE);
    do {
        next = weir_max(was, now_ns) + BUDGET_NS_A_S / a_second;
        if (next > now_ns + BUDGET_NS_A_S) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&budget->free_ns, &was, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return true;
}

bool
weir_budget_spend(weir_budget_t *budget, uint32_t a_second, weir_instant_t now)
{
    weir_cell_t     was;
    budget_tokens_t tokens;
    uint64_t        old;

    if (budget_is_free(budget, a_second, now)) {
        return true;
    }
    do {
        was = weir_cell_load(&budget->tokens);
        tokens = budget_read(was, now);
        if (tokens.before + tokens.here < WEIR_BUDGET_WHOLE) {
            return false;
        }
        old = weir_min(tokens.before, (uint64_t) WEIR_BUDGET_WHOLE);       /* what goes first anyway */
        tokens.before -= old;
        tokens.here -= WEIR_BUDGET_WHOLE - old;
    } while (!weir_cell_swap(&budget->tokens, was, budget_cell(tokens)));
    return true;
}

uint64_t
weir_budget_left(const weir_budget_t *budget, weir_instant_t now)
{
    budget_tokens_t tokens = budget_read(weir_cell_load(&budget->tokens), now);

    return (tokens.before + tokens.here) / WEIR_BUDGET_WHOLE;
}
