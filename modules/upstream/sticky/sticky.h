/*
 * sticky.h - inside the module `sticky`: what its files share.
 *
 * module.c reads the directive, bonds.c is the policy that finds the peer of a request and names it to clients,
 * sessions.c remembers learned sessions in shared memory.
 */
#ifndef WEIR_MODULE_STICKY_H
#define WEIR_MODULE_STICKY_H

#include "shm/keyed.h"
#include "shm/zone.h"
#include "upstream/module.h"
#include "upstream/sticky.h"

#define STICKY_KEYS    4                 /* secrets: the first makes cookies, all are understood */
#define STICKY_KEY     32
#define STICKY_ZONE    104
#define STICKY_TIMEOUT (90 * 86400)      /* seconds: the greatest timeout; less than half of what an expiry can say */

/* What the policy goes by: plain bytes, zeroed first. */
typedef struct {
    uint32_t kind;                       /* weir_sticky_kind_t */
    uint32_t n_keys;
    uint8_t  keys[STICKY_KEYS][STICKY_KEY];
    uint64_t timeout, zone_size;         /* of learned sessions: seconds, bytes */
    char     zone[STICKY_ZONE];          /* ended by NUL */
} sticky_settings_t;

extern const weir_uppolicy_t sticky_policy;
weir_str_t sticky_tell(weir_pick_t *pick, weir_arena_t *arena);
void       sticky_learned(weir_pick_t *pick, weir_instant_t now);
/* key: of STICKY_KEY bytes, for cookies; of the secret, or of none.  false: no memory. */
bool       sticky_derive(weir_str_t secret, uint8_t *key) WEIR_MUST_USE;

/* -- sessions.c -- */
typedef struct {
    weir_zone_t  *zone;
    weir_keyed_t *table;
    uint64_t      timeout;               /* seconds */
} sticky_sessions_t;

#define STICKY_PEER_BITS 39              /* of a peer's name that a session has */

extern const weir_zone_kind_t *const sticky_zone_kinds[];
/* A reference to the zone; NULL with *error. */
weir_zone_t *sticky_sessions_take(const sticky_settings_t *settings, weir_error_t *error);
bool         sticky_sessions_open(const sticky_settings_t *settings, sticky_sessions_t *sessions);
void         sticky_sessions_close(sticky_sessions_t *sessions);
/* The peer of a session of that group, whose time begins anew; 0: it is not known. */
uint64_t     sticky_sessions_find(const sticky_sessions_t *sessions, weir_str_t group, weir_str_t session,
                                  weir_instant_t now);
/* From now on the session is that peer's (not 0). */
void         sticky_sessions_put(const sticky_sessions_t *sessions, weir_str_t group, weir_str_t session, uint64_t peer,
                                 weir_instant_t now);

#endif
