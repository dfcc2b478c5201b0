/*
 * bonds.c - the policy of `sticky`: which peer a request is bound to, and what a client is told of its peer.
 *
 * A peer has a name of 16 bytes.  For cookies and fields that is HMAC-SHA-256 of its address, cut off, with a key made
 * of the operator's secret, so that the text does not reveal the address, is the same in all workers and gateways that
 * have the secret, and outlives a restart.  The first secret makes texts; the others are understood, too.  Without a
 * secret the key is a constant: then who can try all addresses finds the one.  For `route` the name is a hash of the
 * server's route, for `learn` one of its address.
 *
 * Runs in workers.  A running group has a table of the names of its peers, and of a peer that has gone none.
 */
#include "sticky.h"

#include "base/mem.h"
#include "jose/base64url.h"
#include "log/log.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define BONDS_BITS    10                 /* of buckets */
#define BONDS_BUCKETS (1 << BONDS_BITS)
#define BONDS_NAME    16                 /* bytes */
#define BONDS_TEXT    22                 /* characters of that, in base64url */
#define BONDS_SEED    UINT64_C(0x737469636b790001)

/* What a request was, in the policy's note. */
enum { BONDS_NONE, BONDS_KNOWN, BONDS_UNKNOWN, BONDS_MOVED };

typedef struct {
    weir_list_t  link;                   /* in its bucket */
    weir_peer_t *peer;
    uint8_t      name[BONDS_NAME];
} bonds_name_t;

typedef struct { bonds_name_t names[STICKY_KEYS]; uint32_t n; } bonds_peer_t;

/* Requests by what came of them: what the group's part has behind its first word. */
typedef enum { BONDS_COUNT_NEW, BONDS_COUNT_BOUND, BONDS_COUNT_MOVED, BONDS_COUNT_UNKNOWN, BONDS_COUNTS } bonds_count_t;

typedef struct {
    weir_list_t       buckets[BONDS_BUCKETS];
    sticky_sessions_t sessions;          /* of learn */
    uint64_t         *counts;
} bonds_group_t;

static const sticky_settings_t *
bonds_settings(const weir_uppolicy_of_t *of)
{
    return of->settings;
}

static void
bonds_count(const weir_uppolicy_of_t *of, bonds_count_t what)
{
    (void) __atomic_fetch_add(&((bonds_group_t *) of->state)->counts[what], 1, __ATOMIC_RELAXED);
}

/* -- names -- */

static uint64_t
bonds_number(const uint8_t *name)
{
    uint64_t number;

    memcpy(&number, name, sizeof(number));
    return number;
}

/* What a session has of it: not 0.  The first bits are the bucket's, too. */
static uint64_t
bonds_short(const uint8_t *name)
{
    uint64_t number = bonds_number(name) >> (64 - STICKY_PEER_BITS);

    return number != 0 ? number : 1;
}

static weir_list_t *
bonds_bucket(bonds_group_t *group, uint64_t number_of_short)
{
    return &group->buckets[number_of_short >> (STICKY_PEER_BITS - BONDS_BITS)];
}

static bool
bonds_hmac(const uint8_t *key, size_t len, weir_str_t text, uint8_t out[EVP_MAX_MD_SIZE])
{
    unsigned n = 0;

    return HMAC(EVP_sha256(), key, (int) len, (const unsigned char *) text.at, text.len, out, &n) != NULL
           && n >= STICKY_KEY;
}

bool
sticky_derive(weir_str_t secret, uint8_t *key)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    bool    is_good = bonds_hmac((const uint8_t *) secret.at, secret.len, WEIR_STR("weir sticky 1"), out);

    memcpy(key, out, STICKY_KEY);
    weir_mem_wipe(out, sizeof(out));
    return is_good;
}

/* For texts that are no secret. */
static void
bonds_hash(weir_str_t text, uint8_t *name)
{
    uint64_t words[2] = { weir_str_hash(text, BONDS_SEED), weir_str_hash(text, BONDS_SEED + 1) };

    memcpy(name, words, BONDS_NAME);
}

static void
bonds_add(bonds_group_t *group, weir_peer_t *peer, bonds_peer_t *mine, const uint8_t *bytes)
{
    bonds_name_t *name = &mine->names[mine->n++];

    weir_assert(mine->n <= STICKY_KEYS);
    name->peer = peer;
    memcpy(name->name, bytes, BONDS_NAME);
    weir_list_append(bonds_bucket(group, bonds_short(bytes)), &name->link);
}

static void
bonds_peer_end(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    bonds_peer_t *mine = weir_policy_peer(of, peer);

    while (mine->n != 0) {
        weir_list_remove(&mine->names[--mine->n].link);
    }
}

static void
bonds_peer_begin(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    const sticky_settings_t *settings = bonds_settings(of);
    bonds_peer_t            *mine = weir_policy_peer(of, peer);
    uint8_t                  name[EVP_MAX_MD_SIZE];

    weir_assert(mine->n == 0);
    switch ((weir_sticky_kind_t) settings->kind) {
    case WEIR_STICKY_COOKIE:
    case WEIR_STICKY_HEADER:
        for (uint32_t i = 0; i < settings->n_keys; i++) {
            if (bonds_hmac(settings->keys[i], STICKY_KEY, peer->conf->text, name)) {
                bonds_add(of->state, peer, mine, name);
            }
        }
        return;
    case WEIR_STICKY_ROUTE:
        if (peer->conf->route.len != 0) {
            bonds_hash(peer->conf->route, name);
            bonds_add(of->state, peer, mine, name);
        }
        return;
    case WEIR_STICKY_LEARN:
        bonds_hash(peer->conf->text, name);
        bonds_add(of->state, peer, mine, name);
        return;
    }
}

/* Its route may be another one. */
static void
bonds_peer_told(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    bonds_peer_end(of, peer);
    bonds_peer_begin(of, peer);
}

/* -- the peer of a request -- */

/* Of several with that name the first; NULL: none.  name NULL: the short one is all that is known. */
static weir_peer_t *
bonds_find_name(const weir_uppolicy_of_t *of, uint64_t number, const uint8_t *name)
{
    weir_list_t *bucket = bonds_bucket(of->state, number);

    for (weir_list_t *at = bucket->next; at != bucket; at = at->next) {
        bonds_name_t *one = weir_list_entry(at, bonds_name_t, link);

        if (bonds_short(one->name) == number && (name == NULL || memcmp(one->name, name, BONDS_NAME) == 0)) {
            return one->peer;
        }
    }
    return NULL;
}

static weir_peer_t *
bonds_find(const weir_uppolicy_of_t *of, weir_str_t bond, weir_instant_t now)
{
    uint8_t  name[BONDS_NAME];
    uint64_t number;

    switch ((weir_sticky_kind_t) bonds_settings(of)->kind) {
    case WEIR_STICKY_COOKIE:
    case WEIR_STICKY_HEADER:
        return bond.len == BONDS_TEXT && weir_base64url_decode(bond, (char *) name)
               ? bonds_find_name(of, bonds_short(name), name) : NULL;
    case WEIR_STICKY_ROUTE:
        bonds_hash(bond, name);
        return bonds_find_name(of, bonds_short(name), name);
    case WEIR_STICKY_LEARN:
        number = sticky_sessions_find(&((bonds_group_t *) of->state)->sessions, weir_group_conf(of->group)->name, bond,
                                      now);
        return number != 0 ? bonds_find_name(of, number, NULL) : NULL;
    }
    return NULL;
}

static weir_refusal_t
bonds_admit(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now)
{
    uint8_t *note = weir_policy_note(of, pick);

    *note = BONDS_NONE;
    if (pick->bond.len != 0) {
        weir_pick_bind(pick, bonds_find(of, pick->bond, now));
        *note = pick->bound != NULL ? BONDS_KNOWN : BONDS_UNKNOWN;
    }
    if (*note != BONDS_KNOWN) {
        bonds_count(of, *note == BONDS_NONE ? BONDS_COUNT_NEW : BONDS_COUNT_UNKNOWN);
    }
    return WEIR_REFUSED_NOT;
}

static void
bonds_picked(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    uint8_t *note = weir_policy_note(of, pick);

    if (*note == BONDS_KNOWN && pick->peer != pick->bound) {
        *note = BONDS_MOVED;
        bonds_count(of, BONDS_COUNT_MOVED);
    }
}

static void
bonds_remember(weir_uppolicy_of_t *of, const weir_pick_t *pick, weir_str_t session, weir_instant_t now)
{
    const bonds_peer_t *mine = weir_policy_peer(of, pick->peer);

    if (mine->n != 0) {
        sticky_sessions_put(&((bonds_group_t *) of->state)->sessions, weir_group_conf(of->group)->name, session,
                            bonds_short(mine->names[0].name), now);
    }
}

/* All of an answer is there: a session that it names is the peer's, and so is one that had to leave its own. */
static void
bonds_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    uint8_t *note = weir_policy_note(of, pick);

    if (outcome->kind != WEIR_OUTCOME_ANSWER || outcome->failed) {
        return;
    }
    if (*note == BONDS_KNOWN) {
        bonds_count(of, BONDS_COUNT_BOUND);
        *note = BONDS_NONE;
    }
    if (bonds_settings(of)->kind != WEIR_STICKY_LEARN) {
        return;
    }
    if (*note == BONDS_MOVED) {
        bonds_remember(of, pick, pick->bond, now);
    }
    if (pick->learned.len != 0) {
        bonds_remember(of, pick, pick->learned, now);
    }
}

/* -- what clients are told, for the proxy -- */

weir_str_t
sticky_tell(weir_pick_t *pick, weir_arena_t *arena)
{
    const weir_uppolicy_of_t *of = weir_policy_find(pick->group, &sticky_policy);
    const bonds_peer_t       *mine = of != NULL ? weir_policy_peer(of, pick->peer) : NULL;
    char                      text[BONDS_TEXT];

    if (mine == NULL || mine->n == 0) {
        return WEIR_STR_NONE;
    }
    weir_base64url_encode(weir_str((const char *) mine->names[0].name, BONDS_NAME), text);
    return weir_str_eq(pick->bond, weir_str(text, BONDS_TEXT)) ? WEIR_STR_NONE
           : weir_str_dup(arena, weir_str(text, BONDS_TEXT));
}

void
sticky_learned(weir_pick_t *pick, weir_instant_t now)
{
    weir_uppolicy_of_t *of = weir_policy_find(pick->group, &sticky_policy);

    if (of != NULL && pick->learned.len != 0) {
        bonds_remember(of, pick, pick->learned, now);
        pick->learned = WEIR_STR_NONE;
    }
}

/* -- its life -- */

static void
bonds_begin(weir_uppolicy_of_t *of)
{
    bonds_group_t *group = of->state;

    for (size_t i = 0; i < BONDS_BUCKETS; i++) {
        weir_list_init(&group->buckets[i]);
    }
    group->counts = (uint64_t *) weir_state_part(of->group, NULL, "sticky")->place.record + 1;
    if (bonds_settings(of)->kind == WEIR_STICKY_LEARN && !sticky_sessions_open(bonds_settings(of), &group->sessions)) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "upstream \"%.*s\" learns no sessions: its zone cannot be used",
                 WEIR_STR_ARG(weir_group_conf(of->group)->name));
    }
}

/* The secrets' keys go with it. */
static void
bonds_end(weir_uppolicy_of_t *of)
{
    weir_str_t copy = weir_group_conf(of->group)->policies[of->index].settings;

    sticky_sessions_close(&((bonds_group_t *) of->state)->sessions);
    weir_mem_wipe((void *) (uintptr_t) of->settings, sizeof(sticky_settings_t));
    weir_mem_wipe((void *) (uintptr_t) copy.at, copy.len);
}

static const weir_told_t bonds_tells[] = {
#define BONDS_TELL(word) \
    { .name = "requests", .help = "Requests by what came of what they said of their peer.", \
      .kind = WEIR_TOLD_COUNT, .label = "result", .value = word }
    [BONDS_COUNT_NEW] = BONDS_TELL("new"), [BONDS_COUNT_BOUND] = BONDS_TELL("bound"),
    [BONDS_COUNT_MOVED] = BONDS_TELL("moved"), [BONDS_COUNT_UNKNOWN] = BONDS_TELL("unknown"),
};

static void
bonds_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    for (size_t i = 0; i < BONDS_COUNTS && peer == NULL; i++) {
        numbers[i] = __atomic_load_n(&((const bonds_group_t *) of->state)->counts[i], __ATOMIC_RELAXED);
    }
}

const weir_uppolicy_t sticky_policy = {
    .name = "sticky",
    .group_size = sizeof(bonds_group_t),
    .peer_size = sizeof(bonds_peer_t),
    .begin = bonds_begin,
    .end = bonds_end,
    .peer_begin = bonds_peer_begin,
    .peer_end = bonds_peer_end,
    .peer_told = bonds_peer_told,
    .admit = bonds_admit,
    .picked = bonds_picked,
    .report = bonds_report,
    .tells = bonds_tells,
    .n_tells = weir_countof(bonds_tells),
    .tell = bonds_tell,
};
