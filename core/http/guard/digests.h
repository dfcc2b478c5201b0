/*
 * digests.h - a table in shared memory whose keys are digests of what must not lie there: tokens, nonces.
 *
 * A key is the SHA-256 of a secret of the table and of a few texts; nothing of them can be read from the table, and no
 * client can make a key.  Values and times are those of shm/entries.h, and so is how it is read.  A reload keeps it, as
 * any zone.
 *
 * Opened at load time; used by one thread at a time; making a key allocates nothing.
 */
#ifndef WEIR_HTTP_GUARD_DIGESTS_H
#define WEIR_HTTP_GUARD_DIGESTS_H

#include "conf/module.h"
#include "shm/entries.h"
#include "shm/zone.h"

typedef struct {
    weir_entries_t entries;
    const uint8_t *secret;                           /* in the zone, before the entries */
    void          *md, *ctx;                         /* OpenSSL's */
} weir_digests_t;

typedef struct { uint8_t bytes[32]; } weir_digest_t;

static inline weir_str_t
weir_digest_str(const weir_digest_t *digest)
{
    return weir_str((const char *) digest->bytes, sizeof(digest->bytes));
}

/* For the zone's kind. */
void weir_digests_fold(void *memory, uint64_t size, uint32_t slot);
void weir_digests_describe(const void *memory, uint64_t size, weir_buf_t *out);

/* The zone of that kind and name, with so many bytes for entries, held as long as the configuration.  NULL: recorded at
 * words. */
weir_digests_t *weir_digests_open(weir_conf_t *cf, const weir_conf_words_t *words, const weir_zone_kind_t *kind,
                                  weir_str_t name, uint64_t size) WEIR_MUST_USE;
/* Of these texts, each with its length. */
void weir_digests_key(const weir_digests_t *digests, const weir_str_t *texts, size_t n, weir_digest_t *digest);

#endif
