/*
 * tickets.c - the ring of ticket keys in shared memory (RFC 5077 §4, RFC 8446 §4.6.1): the master writes, every process
 * reads.
 *
 * A sequence number around the ring, odd while it is written: a reader that meets a writer goes on with the copy it
 * took last.  Rotated rarely, read at each full handshake, so that readers keep a copy and compare one number.
 */
#include "tls/tickets.h"

#include "base/mem.h"
#include "os/sys.h"

#include <string.h>

#define TICKETS_MAGIC  0x7469636b65747331u
#define TICKETS_MAX    8
/* a key from so far in the future is one from before the clock was set */
#define TICKETS_SKEW_S 3600

typedef struct {
    uint64_t              magic;
    uint64_t              sequence;
    uint32_t              n;                      /* newest first */
    uint32_t              unused;
    weir_tls_ticket_key_t keys[TICKETS_MAX];
} tickets_ring_t;

_Static_assert(sizeof(tickets_ring_t) <= WEIR_TLS_TICKETS_BYTES, "the ring fits");

static const tickets_ring_t *tickets_shared;
static tickets_ring_t        tickets_copy;        /* of this process */

/* -- the master -- */

/* The number is odd already when a master died in here. */
static void
tickets_begin_write(tickets_ring_t *ring)
{
    __atomic_store_n(&ring->sequence, ring->sequence | 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void
tickets_end_write(tickets_ring_t *ring)
{
    __atomic_store_n(&ring->sequence, ring->sequence + 1, __ATOMIC_RELEASE);
}

static bool
tickets_push(tickets_ring_t *ring, uint64_t wall_s)
{
    weir_tls_ticket_key_t key = { .created_s = wall_s };

    if (weir_sys_random(key.name, sizeof(key.name)) != 0 || weir_sys_random(key.hmac, sizeof(key.hmac)) != 0
        || weir_sys_random(key.aes, sizeof(key.aes)) != 0)
    {
        return false;
    }
    tickets_begin_write(ring);
    memmove(&ring->keys[1], &ring->keys[0], (TICKETS_MAX - 1) * sizeof(key));
    ring->keys[0] = key;
    ring->n = (uint32_t) weir_min(ring->n + 1, TICKETS_MAX);
    tickets_end_write(ring);
    weir_mem_wipe(&key, sizeof(key));
    return true;
}

static uint64_t
tickets_age(const weir_tls_ticket_key_t *key, uint64_t wall_s)
{
    return wall_s > key->created_s ? wall_s - key->created_s : 0;
}

/* In use for as long as a ticket may live after the last one was made under it.  A clock may be set back a little. */
static bool
tickets_is_of_use(const weir_tls_ticket_key_t *key, uint64_t wall_s)
{
    if (key->created_s > wall_s && key->created_s - wall_s > TICKETS_SKEW_S) {
        return false;
    }
    return tickets_age(key, wall_s) <= WEIR_TLS_TICKETS_PERIOD_S + WEIR_TLS_TICKETS_LIFE_S;
}

static bool
tickets_drop_old(tickets_ring_t *ring, uint64_t wall_s)
{
    uint32_t n = 0;

    if (ring->n == 0) {
        return false;
    }
    for (uint32_t i = 0; i < ring->n; i++) {
        n += tickets_is_of_use(&ring->keys[i], wall_s);
    }
    if (n == ring->n) {
        return false;
    }
    tickets_begin_write(ring);
    n = 0;
    for (uint32_t i = 0; i < ring->n; i++) {
        if (tickets_is_of_use(&ring->keys[i], wall_s)) {
            ring->keys[n++] = ring->keys[i];
        }
    }
    weir_mem_wipe(&ring->keys[n], (TICKETS_MAX - n) * sizeof(ring->keys[0]));
    ring->n = n;
    tickets_end_write(ring);
    return true;
}

bool
weir_tls_tickets_rotate(void *memory, uint64_t wall_s, uint64_t *next_s)
{
    tickets_ring_t *ring = memory;
    bool changed = tickets_drop_old(ring, wall_s);

    if (ring->n == 0 || tickets_age(&ring->keys[0], wall_s) >= WEIR_TLS_TICKETS_PERIOD_S) {
        changed = tickets_push(ring, wall_s) || changed;
    }
    *next_s = 60;                                    /* no randomness just now */
    if (ring->n != 0 && tickets_age(&ring->keys[0], wall_s) < WEIR_TLS_TICKETS_PERIOD_S) {
        *next_s = WEIR_TLS_TICKETS_PERIOD_S - tickets_age(&ring->keys[0], wall_s);
    }
    return changed;
}

/* -- saved: "weir-tickets 1\n" and a line "created name hmac aes" in hex for each key, newest first -- */

#define TICKETS_TITLE "weir-tickets 1\n"

static bool
tickets_read_hex(weir_str_t hex, uint8_t *out, size_t len)
{
    uint64_t byte;

    if (hex.len != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!weir_str_hex_to_u64(weir_str(hex.at + 2 * i, 2), &byte)) {
            return false;
        }
        out[i] = (uint8_t) byte;
    }
    return true;
}

static bool
tickets_read_key(weir_str_t line, weir_tls_ticket_key_t *key)
{
    weir_str_t created, name, hmac, aes;

    return weir_str_cut(line, ' ', &created, &line) && weir_str_cut(line, ' ', &name, &line)
           && weir_str_cut(line, ' ', &hmac, &aes)
           && weir_str_to_u64(created, &key->created_s) && tickets_read_hex(name, key->name, sizeof(key->name))
           && tickets_read_hex(hmac, key->hmac, sizeof(key->hmac)) && tickets_read_hex(aes, key->aes, sizeof(key->aes));
}

static void
tickets_read_saved(tickets_ring_t *ring, weir_str_t saved)
{
    weir_tls_ticket_key_t key = { .created_s = 0 };
    weir_str_t line;

    weir_assert(ring->n == 0);
    if (!weir_str_starts(saved, WEIR_STR(TICKETS_TITLE))) {
        return;
    }
    saved = weir_str_skip(saved, sizeof(TICKETS_TITLE) - 1);
    while (ring->n < TICKETS_MAX && weir_str_cut(saved, '\n', &line, &saved)) {
        if (!tickets_read_key(line, &key) || (ring->n != 0 && key.created_s > ring->keys[ring->n - 1].created_s)) {
            break;
        }
        ring->keys[ring->n++] = key;
    }
    weir_mem_wipe(&key, sizeof(key));
}

bool
weir_tls_tickets_init(void *memory, weir_str_t saved, uint64_t wall_s)
{
    tickets_ring_t *ring = memory;
    uint64_t next_s;

    if (ring->magic != TICKETS_MAGIC || (ring->sequence & 1) != 0 || ring->n > TICKETS_MAX) {
        /* new, or a master died writing */
        tickets_begin_write(ring);
        ring->n = 0;
        weir_mem_wipe(ring->keys, sizeof(ring->keys));
        tickets_read_saved(ring, saved);
        ring->magic = TICKETS_MAGIC;
        tickets_end_write(ring);
    }
    (void) weir_tls_tickets_rotate(memory, wall_s, &next_s);
    return ring->n != 0;
}

static char *
tickets_put_hex(char *out, const uint8_t *bytes, size_t len, char last)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out++ = last;
    return out;
}

size_t
weir_tls_tickets_save(const void *memory, char *text, size_t cap)
{
    const tickets_ring_t *ring = memory;
    const size_t line_max = 20 + 3 + 2 * (16 + 32 + 32) + 1;
    char *at = text;

    if (cap < sizeof(TICKETS_TITLE) - 1) {
        return 0;
    }
    memcpy(at, TICKETS_TITLE, sizeof(TICKETS_TITLE) - 1);
    at += sizeof(TICKETS_TITLE) - 1;
    for (uint32_t i = 0; i < ring->n && cap - (size_t) (at - text) >= line_max; i++) {
        const weir_tls_ticket_key_t *key = &ring->keys[i];
        at = weir_str_from_u64(at, key->created_s);
        *at++ = ' ';
        at = tickets_put_hex(at, key->name, sizeof(key->name), ' ');
        at = tickets_put_hex(at, key->hmac, sizeof(key->hmac), ' ');
        at = tickets_put_hex(at, key->aes, sizeof(key->aes), '\n');
    }
    weir_assert((size_t) (at - text) <= cap);
    return (size_t) (at - text);
}

/* -- every process -- */

void
weir_tls_tickets_use(const void *memory)
{
    weir_mem_wipe(&tickets_copy, sizeof(tickets_copy));
    tickets_shared = memory;
}

/* The copy is that of the ring, or as near as can be had without waiting. */
static void
tickets_look(void)
{
    tickets_ring_t fresh;

    weir_assert(tickets_shared != NULL);
    if (tickets_copy.magic == TICKETS_MAGIC
        && __atomic_load_n(&tickets_shared->sequence, __ATOMIC_ACQUIRE) == tickets_copy.sequence)
    {
        return;
    }
    for (int tries = 0; tries < 3; tries++) {
        uint64_t before = __atomic_load_n(&tickets_shared->sequence, __ATOMIC_ACQUIRE);
        memcpy(&fresh, tickets_shared, sizeof(fresh));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if ((before & 1) == 0 && __atomic_load_n(&tickets_shared->sequence, __ATOMIC_RELAXED) == before
            && fresh.magic == TICKETS_MAGIC && fresh.n <= TICKETS_MAX)
        {
            fresh.sequence = before;
            tickets_copy = fresh;
            break;
        }
    }
    weir_mem_wipe(&fresh, sizeof(fresh));
}

const weir_tls_ticket_key_t *
weir_tls_tickets_newest(void)
{
    if (tickets_shared == NULL) {
        return NULL;
    }
    tickets_look();
    return tickets_copy.n != 0 ? &tickets_copy.keys[0] : NULL;
}

const weir_tls_ticket_key_t *
weir_tls_tickets_find(const uint8_t name[16], bool *is_newest)
{
    if (tickets_shared == NULL) {
        return NULL;
    }
    tickets_look();
    for (uint32_t i = 0; i < tickets_copy.n; i++) {
        if (memcmp(tickets_copy.keys[i].name, name, sizeof(tickets_copy.keys[i].name)) == 0) {
            *is_newest = i == 0;
            return &tickets_copy.keys[i];
        }
    }
    return NULL;
}
