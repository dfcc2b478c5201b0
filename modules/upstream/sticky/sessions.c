/*
 * sessions.c - sessions of clients that answers have named (`sticky learn`): which peer each is bound to, in shared
 * memory (shm/keyed.h), for all workers, over reload and upgrade.
 *
 * Runs in workers.  A value is 39 bits that tell the peer, and 24 of when the session ends if no request comes with it,
 * in seconds of the monotonic clock; these come again after 194 days, more than twice the greatest timeout.  When there
 * is no room, the session that would end soonest gives way.
 */
#include "sticky.h"

#include "os/clock.h"

#define SESSIONS_EXPIRY  24              /* bits */
#define SESSIONS_SECONDS (UINT64_C(1) << SESSIONS_EXPIRY)
#define SESSIONS_LONGEST 4096            /* bytes of a session's name */
#define SESSIONS_RENEWED 16              /* a part of the timeout: as long may its end stand as it is */

_Static_assert(STICKY_PEER_BITS + SESSIONS_EXPIRY == 63, "what a value of shm/keyed.h holds");
_Static_assert(STICKY_TIMEOUT < SESSIONS_SECONDS / 2, "what is over and what is not are told apart");

/* What is to be done with one. */
typedef struct {
    uint64_t now;                        /* seconds */
    uint64_t timeout;
    uint64_t peer;                       /* 0: the one that it has */
} sessions_op_t;

static uint64_t
sessions_seconds(weir_instant_t now)
{
    return now.ms / 1000;
}

/* Seconds that it has left; 0: it is over. */
static uint64_t
sessions_left(uint64_t value, uint64_t now)
{
    uint64_t left = (value - now) % SESSIONS_SECONDS;

    return value == 0 || left > SESSIONS_SECONDS / 2 ? 0 : left;
}

static uint64_t
sessions_worth(const void *data, uint64_t value)
{
    return sessions_left(value, ((const sessions_op_t *) data)->now);
}

static bool
sessions_change(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    const sessions_op_t *op = data;
    uint64_t             left = sessions_left(value, op->now), peer = op->peer;

    if (peer == 0) {
        if (left == 0) {
            return false;
        }
        peer = value >> SESSIONS_EXPIRY;
    }
    *next = peer << SESSIONS_EXPIRY | (op->now + op->timeout + 1) % SESSIONS_SECONDS;      /* (this second has begun) */
    return *next != value;
}

static const weir_keyed_op_t sessions_update = { .worth = sessions_worth, .change = sessions_change };

/* A session of one group is none of another's.  false: no name. */
static bool
sessions_hash(const sticky_sessions_t *sessions, weir_str_t group, weir_str_t session, weir_keyed_key_t *key)
{
    char       text[SESSIONS_LONGEST + 512];
    weir_buf_t name;

    weir_buf_init(&name, text, sizeof(text));
    weir_buf_add_str(&name, group);
    weir_buf_add_char(&name, WEIR_STICKY_BETWEEN);
    weir_buf_add_str(&name, session);
    if (session.len == 0 || session.len > SESSIONS_LONGEST || name.full) {
        return false;
    }
    weir_keyed_hash(sessions->table, weir_buf_str(&name), key);
    return true;
}

uint64_t
sticky_sessions_find(const sticky_sessions_t *sessions, weir_str_t group, weir_str_t session, weir_instant_t now)
{
    sessions_op_t    op = { sessions_seconds(now), sessions->timeout, 0 };
    weir_keyed_key_t key;
    uint64_t         value, left;

    if (sessions->table == NULL || !sessions_hash(sessions, group, session, &key)) {
        return 0;
    }
    value = weir_keyed_peek(sessions->table, &key);
    left = sessions_left(value, op.now);
    if (left == 0) {
        return 0;
    }
    if (left + sessions->timeout / SESSIONS_RENEWED < sessions->timeout) {
        (void) weir_keyed_update(sessions->table, &key, &sessions_update, &op);
    }
    return value >> SESSIONS_EXPIRY;
}

void
sticky_sessions_put(const sticky_sessions_t *sessions, weir_str_t group, weir_str_t session, uint64_t peer,
                    weir_instant_t now)
{
    sessions_op_t    op = { sessions_seconds(now), sessions->timeout, peer };
    weir_keyed_key_t key;

    weir_assert(peer != 0 && peer >> STICKY_PEER_BITS == 0);
    if (sessions->table != NULL && sessions_hash(sessions, group, session, &key)) {
        (void) weir_keyed_update(sessions->table, &key, &sessions_update, &op);
    }
}

/* -- the zone -- */

static void
sessions_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    const sessions_op_t op = { .now = sessions_seconds(weir_clock_now()) };
    uint32_t            used, cells;
    uint64_t            evicted;

    if (weir_keyed_count(memory, (size_t) size, sessions_worth, &op, &used, &cells, &evicted)) {
        weir_buf_printf(out, "sessions=%u room=%u evicted=%llu", used, cells / 2, (unsigned long long) evicted);
    }
}

static const weir_zone_kind_t sessions_kind = { .name = "sticky", .layout = 1, .describe = sessions_describe };

const weir_zone_kind_t *const sticky_zone_kinds[] = { &sessions_kind, NULL };

weir_zone_t *
sticky_sessions_take(const sticky_settings_t *settings, weir_error_t *error)
{
    weir_zone_id_t id = { .kind = &sessions_kind, .name = weir_str_from_z(settings->zone),
                          .size = settings->zone_size };

    return weir_zone_take(&id, error);
}

bool
sticky_sessions_open(const sticky_settings_t *settings, sticky_sessions_t *sessions)
{
    weir_error_t error = { .text = "" };

    *sessions = (sticky_sessions_t) { .zone = sticky_sessions_take(settings, &error), .timeout = settings->timeout };
    sessions->table = sessions->zone != NULL
                      ? weir_keyed_open(weir_zone_memory(sessions->zone), (size_t) weir_zone_size(sessions->zone))
                      : NULL;
    return sessions->table != NULL;
}

void
sticky_sessions_close(sticky_sessions_t *sessions)
{
    if (sessions->zone != NULL) {
        weir_zone_give_back(sessions->zone);
    }
    *sessions = (sticky_sessions_t) { .zone = NULL };
}
