/*
 * share.c - see share.h.  Built at load; drawn from in workers: two hashes are known, one compare-and-swap is made.
 */
#include "http/proxy/share.h"

#include "http/proxy/forward.h"
#include "http/route/blocks.h"
#include "os/clock.h"

#define SHARE_ZONE_BYTES (1 << 20)
#define SHARE_COUNT_BITS 40
#define SHARE_LOOK       100                 /* strides at either side of the golden section */
#define SHARE_IDLE_MIN   60                  /* minutes without a request: another place may have the cell */

/* -- what lies in the zone: a count, and the minute of the last request -- */

static uint64_t
share_minute(void)
{
    return weir_clock_now().ms / 60000 & ((UINT64_C(1) << (62 - SHARE_COUNT_BITS)) - 1);
}

static uint64_t
share_count(uint64_t value)
{
    return value & ((UINT64_C(1) << SHARE_COUNT_BITS) - 1);
}

static uint64_t
share_worth(const void *data, uint64_t value)
{
    uint64_t now = *(const uint64_t *) data, used = value >> SHARE_COUNT_BITS;

    return value == 0 ? 0 : now < used + SHARE_IDLE_MIN ? UINT64_MAX : UINT64_MAX - 1 - (now - used);
}

static void
share_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t now = share_minute(), evicted;
    uint32_t used, cells;

    if (weir_keyed_count(memory, (size_t) size, share_worth, &now, &used, &cells, &evicted)) {
        weir_buf_printf(out, "places=%u room=%u evicted=%llu", used, cells / 2, (unsigned long long) evicted);
    }
}

const weir_zone_kind_t weir_share_kind = { .name = "shares", .layout = 1, .describe = share_describe };

/* -- drawing -- */

typedef struct { uint64_t now, drawn; } share_draw_t;

static bool
share_change(void *data, uint32_t cell, uint64_t value, uint64_t *next)
{
    share_draw_t *draw = data;

    (void) cell;
    draw->drawn = share_count(value);
    *next = draw->now << SHARE_COUNT_BITS | share_count(draw->drawn + 1);
    if (*next == 0) {
        *next = 1;
    }
    return true;
}

uint64_t
weir_share_next(const weir_share_t *share)
{
    static const weir_keyed_op_t draw_op = { .worth = share_worth, .change = share_change };
    share_draw_t draw = { .now = share_minute() };

    if (share->sum == 1) {
        return 0;
    }
    if (weir_keyed_update(share->table, &share->key, &draw_op, &draw) != WEIR_KEYED_CHANGED) {
        draw.drawn = (*share->own)++;
    }
    return draw.drawn % share->sum * share->stride % share->sum;
}

/* -- load -- */

uint32_t
weir_share_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The partial quotients of a / sum, added up: the smaller, the more evenly are a, 2a, 3a … spread over the whole.
 * 0: the two have a divisor in common. */
static uint64_t
share_unevenness(uint64_t a, uint64_t sum)
{
    uint64_t b = sum, all = 0;

    while (a != 0) {
        uint64_t rest = b % a;

        all += b / a;
        b = a;
        a = rest;
    }
    return b == 1 ? all : 0;
}

/* Near the golden section of the whole, whose multiples lie as far apart as can be: the best of what is there. */
static uint64_t
share_stride(uint64_t sum)
{
    uint64_t middle = sum * UINT64_C(618034) / 1000000, from = middle > SHARE_LOOK ? middle - SHARE_LOOK : 1;
    uint64_t best = 1, best_unevenness = share_unevenness(1, sum);

    for (uint64_t stride = from; stride < sum && stride <= middle + SHARE_LOOK; stride++) {
        uint64_t unevenness = share_unevenness(stride, sum);

        if (unevenness != 0 && unevenness <= best_unevenness) {
            best = stride;
            best_unevenness = unevenness;
        }
    }
    return best % sum;
}

static void
share_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

/* One for all places of a generation, made when the first one asks. */
static weir_keyed_t *
share_table(weir_conf_t *cf, weir_generation_t *generation)
{
    weir_zone_id_t id = { .kind = &weir_share_kind, .name = WEIR_STR(""), .size = SHARE_ZONE_BYTES };
    weir_error_t   error = { .text = "" };
    weir_zone_t   *zone;
    weir_keyed_t  *table;

    if (generation->built[weir_http_forward_index] != NULL) {
        return generation->built[weir_http_forward_index];
    }
    zone = weir_zone_take(&id, &error);
    if (zone == NULL) {
        (void) weir_conf_error_at(cf, cf->words, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, share_give_back, zone);
    table = weir_keyed_open(weir_zone_memory(zone), (size_t) weir_zone_size(zone));
    if (table == NULL) {
        (void) weir_conf_error_at(cf, cf->words, "the memory for shares holds something else");
    }
    generation->built[weir_http_forward_index] = table;
    return table;
}

bool
weir_share_build(weir_conf_t *cf, weir_generation_t *generation, weir_share_t *share, weir_str_t name, uint64_t sum)
{
    weir_assert(sum != 0 && sum < UINT64_C(1) << 31);
    *share = (weir_share_t) { .sum = sum, .stride = share_stride(sum), .own = weir_new(cf->live, uint64_t) };
    share->table = share_table(cf, generation);
    if (share->table == NULL) {
        return false;
    }
    weir_keyed_hash(share->table, name, &share->key);
    return true;
}

/* A server is told by where it listens and by its names. */
static weir_str_t
share_server(weir_arena_t *arena, const weir_http_blocks_conf_t *server, weir_str_t name)
{
    for (size_t i = server->listens.n; i != 0; i--) {
        name = weir_str_printf(arena, "%.*s %.*s", WEIR_STR_ARG(server->listens.at[i - 1].words->at[1].text),
                               WEIR_STR_ARG(name));
    }
    for (size_t i = server->names.n; i != 0; i--) {
        name = weir_str_printf(arena, "%.*s %.*s", WEIR_STR_ARG(server->names.at[i - 1]), WEIR_STR_ARG(name));
    }
    return name;
}

weir_str_t
weir_share_name(weir_arena_t *arena, const weir_conf_block_t *block, const char *what, size_t number)
{
    weir_str_t name = weir_str_printf(arena, "%s %zu", what, number);

    for (; block != NULL && block->context != WEIR_IN_HTTP; block = block->parent) {
        for (size_t i = block->words.n; i != 0; i--) {
            name = weir_str_printf(arena, "%.*s %.*s", WEIR_STR_ARG(block->words.at[i - 1].text), WEIR_STR_ARG(name));
        }
        if (block->context == WEIR_IN_SERVER) {
            name = share_server(arena, weir_conf_of(block, weir_http_blocks_index), name);
        }
    }
    return name;
}
