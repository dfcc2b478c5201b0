/*
 * session.h - resuming sessions, whichever worker the client comes back to: ticket keys that rotate by themselves, a
 * shared cache of sessions, and the register that lets 0-RTT data in only once.
 *
 * All three live in memory that is shared between processes and that its caller made (a zone): these functions get its
 * address and size.  A process may be killed at any instruction: every cell says by its sequence number whether it is
 * whole, and one that a dead writer left is taken over after a moment.  No process waits for another.  What is read is
 * checked before it is used.
 */
#ifndef WEIR_TLS_SESSION_H
#define WEIR_TLS_SESSION_H

#include "base/error.h"
#include "base/str.h"

/* -- ticket keys (RFC 5077 §4, RFC 8446 §4.6.1): the master makes and rotates them, workers only read -- */

/* A ring of keys: the newest encrypts; each decrypts until it has been out of use for as long as a ticket may live.  A
 * ticket under any but the newest key is answered with a new one. */
#define WEIR_TLS_TICKETS_BYTES 4096
#define WEIR_TLS_TICKETS_PERIOD_S (12 * 3600)     /* a key encrypts this long */
#define WEIR_TLS_TICKETS_LIFE_S   (24 * 3600)     /* and decrypts this long beyond */

/* Master: formats `memory` with a first key, or with those of `saved` (a text that weir_tls_tickets_save made; empty:
 * none) that are still of use at wall_s. false: no randomness. */
bool weir_tls_tickets_init(void *memory, weir_str_t saved, uint64_t wall_s) WEIR_MUST_USE;
/* Master: adds a key when the newest is too old (also when the clock jumped), drops what is out of use, wipes it.
 * true: there is something to save.  *next_s: seconds until it should be called again. */
bool weir_tls_tickets_rotate(void *memory, uint64_t wall_s, uint64_t *next_s);
/* Master: what a restart needs to take earlier tickets: at most `cap` bytes; the length.  A secret: for a file of
 * root's, 0600. */
size_t weir_tls_tickets_save(const void *memory, char *text, size_t cap);
/* Every process: where the keys are from now on; NULL: nowhere, contexts without keys of their own issue no tickets. */
void weir_tls_tickets_use(const void *memory);

/* -- the cache of sessions: ssl_session_cache shared:NAME:SIZE -- */

typedef struct weir_tls_cache weir_tls_cache_t;

#define WEIR_TLS_CACHE_MIN 8192                   /* bytes of memory */
/* Formats zeroed memory, or finds it formatted (another process was first). NULL: it holds something else. */
weir_tls_cache_t *weir_tls_cache_open(void *memory, size_t size);
/* Sets of slots by hash of the id; the one used longest ago gives way.  A session too large for a slot is not kept. */
bool weir_tls_cache_put(weir_tls_cache_t *cache, weir_str_t id, weir_str_t session, uint64_t expires_wall_s);
/* Copies to room; the length, 0: none.  take: only the first to ask gets it (0-RTT, single use). */
size_t weir_tls_cache_get(weir_tls_cache_t *cache, weir_str_t id, char *room, size_t cap, uint64_t wall_s, bool take);
void   weir_tls_cache_drop(weir_tls_cache_t *cache, weir_str_t id);
/* How many it holds that are still of use, and how many it has room for; memory may be another process's. false: it is
 * no cache. */
bool   weir_tls_cache_count(const void *memory, size_t size, uint64_t wall_s, uint64_t *held, uint64_t *room);

/* -- 0-RTT: a hello is let in once over all workers (RFC 8446 §8.2) -- */

#define WEIR_TLS_STRIKES_BYTES (512 * 1024)
/* Formats; refuses everything for the first 20 s, because what an earlier process let in is not known. */
void weir_tls_strikes_init(void *memory, size_t size, uint64_t monotonic_ms);
void weir_tls_strikes_use(void *memory, size_t size);        /* every process; NULL: no early data is taken */
/* Is this the first time the hello with these 32 random bytes is seen in the last 20 s?  Full: no. */
bool weir_tls_strikes_first(const uint8_t random[32], uint64_t monotonic_ms);

#endif
