/*
 * nonce.c - nonces that were used: a table in shared memory (shm/keyed.h).
 *
 * A key is that of the signature's key and its nonce; its value is until when the signature could come again.  A nonce
 * whose time is not over makes room for no other: when there is no cell left, the request is refused.  Runs in workers;
 * one compare-and-swap, nothing is allocated.
 */
#include "signature.h"

#include "os/clock.h"
#include "shm/zone.h"

/* Values are times, in milliseconds; those that are over are worth nothing. */
static uint64_t
nonce_worth(const void *data, uint64_t value)
{
    return value > *(const uint64_t *) data ? UINT64_MAX : 0;
}

static void
nonce_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t now = weir_clock_now().ms, evicted;
    uint32_t used, cells;

    if (weir_keyed_count(memory, (size_t) size, nonce_worth, &now, &used, &cells, &evicted)) {
        weir_buf_printf(out, "keys=%u room=%u", used, cells / 2);
    }
}

const weir_zone_kind_t signature_nonce_kind = { .name = "signature-nonces", .layout = 1, .describe = nonce_describe };

/* begins as nonce_worth wants it */
typedef struct { uint64_t now, until; } nonce_use_t;

static bool
nonce_change(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    const nonce_use_t *use = data;

    *next = use->until;
    return value <= use->now;
}

signature_nonce_t
signature_spend(const signature_zone_t *zone, weir_str_t key, uint64_t ms)
{
    static const weir_keyed_op_t op = { .worth = nonce_worth, .change = nonce_change };
    nonce_use_t                  use = { .now = weir_clock_now().ms };
    weir_keyed_key_t             hashed;

    use.until = use.now + ms;
    weir_keyed_hash(zone->table, key, &hashed);
    switch (weir_keyed_update(zone->table, &hashed, &op, &use)) {
    case WEIR_KEYED_CHANGED: return SIGNATURE_NONCE_NEW;
    case WEIR_KEYED_LEFT:    return SIGNATURE_NONCE_USED;
    default:                 return SIGNATURE_NONCE_FULL;
    }
}

static void
nonce_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

bool
signature_nonce_open(weir_conf_t *cf, signature_zone_t *zone)
{
    weir_zone_id_t id = { .kind = &signature_nonce_kind, .name = zone->name, .size = zone->size };
    weir_error_t   error = { .text = "" };
    weir_zone_t   *made = weir_zone_take(&id, &error);

    if (made == NULL) {
        return weir_conf_error_at(cf, zone->words, "%s", error.text);
    }
    weir_arena_on_cleanup(cf->arena, nonce_give_back, made);
    zone->table = weir_keyed_open(weir_zone_memory(made), (size_t) zone->size);
    return zone->table != NULL
           || weir_conf_error_at(cf, zone->words, "the zone \"%.*s\" holds something else", WEIR_STR_ARG(zone->name));
}
