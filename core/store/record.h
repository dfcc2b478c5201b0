/*
 * record.h - what the store holds of consumers, keys, plans and identities: plain structs, which lie in LMDB as they
 * are.
 *
 * Names are NUL-padded and shorter than their rooms.  The file belongs to one machine; what goes elsewhere goes as JSON
 * (`weir store dump`).
 *
 * Layouts.  Two numbers stand in the store's own records (db.h): which layout it has, and the oldest one whose programs
 * may still use it.  Layout 2 has all that layout 1 has, unchanged, and three tables more: profiles (groups and
 * metadata of consumers), rates (of plans) and identities.  So an upgrade changes nothing under the program of before:
 * its workers read on, its writer may write on, and if the upgrade fails, or is taken back, it works as it did.  It
 * cannot see what is new; a consumer or plan that it removes leaves its profile, rates and identities behind, which are
 * taken out when a program of this layout opens the store to write.  What cannot be told apart so easily raises the
 * oldest layout too, and then the program of before says so and reads nothing.
 *
 * Records of a profile and an identity are as long as what they hold: a fixed head, then text.
 */
#ifndef WEIR_STORE_RECORD_H
#define WEIR_STORE_RECORD_H

#include "base/str.h"

#define WEIR_STORE_LAYOUT 2
#define WEIR_STORE_OLDEST 1                  /* programs of this layout can still use what this one writes */
#define WEIR_STORE_NAME   64                 /* room of a name; its longest is one less */
#define WEIR_STORE_HASH   32                 /* SHA-256 of a key as the client sends it */
#define WEIR_STORE_ID     16                 /* hex digits of the hash by which people name a key */

typedef struct {
    uint64_t created_s;
    uint64_t is_disabled;
    char     plan[WEIR_STORE_NAME];          /* empty: none */
} weir_store_consumer_t;

typedef struct {
    uint64_t created_s, expires_s;           /* expires_s 0: never */
    char     consumer[WEIR_STORE_NAME];
    char     label[WEIR_STORE_NAME];
} weir_store_key_t;

typedef struct {
    uint64_t created_s;
    uint64_t hour, day, month;               /* requests; UINT64_MAX: no limit */
} weir_store_plan_t;

/* Of a plan, by its name; UINT64_MAX: no limit. */
typedef struct {
    uint64_t rate, per_s;                    /* requests in so many seconds: 1 or 60 */
    uint64_t burst;                          /* … beyond it at once; 0: none */
    uint64_t concurrency;                    /* requests under way */
} weir_store_rates_t;

#define WEIR_STORE_RATES_NONE \
    ((weir_store_rates_t) { .rate = UINT64_MAX, .per_s = 1, .concurrency = UINT64_MAX })

/* Groups and metadata of a consumer, by its name.  text: the groups, then a name and a value for each entry of
 * metadata, each with a NUL behind it. */
#define WEIR_STORE_GROUPS       64
#define WEIR_STORE_META_ENTRIES 32
#define WEIR_STORE_META_NAME    31           /* bytes of a name: lower case letters, digits, "_" */
#define WEIR_STORE_META_VALUE   255          /* bytes of a value: no control characters */
#define WEIR_STORE_PROFILE_TEXT 4096         /* bytes of all of it */

typedef struct {
    uint16_t n_groups, n_meta;
    uint32_t len;                            /* of text */
    char     text[WEIR_STORE_PROFILE_TEXT];
} weir_store_profile_t;

/* By what a consumer is known: KIND and a value that some method has verified.  The key is the SHA-256 of both
 * (weir_store_identity_hash), so that a value may have any length and any bytes; the value is kept for people. */
#define WEIR_STORE_KIND           32         /* room of a kind: lower case letters, digits, "_" and "-" */
#define WEIR_STORE_IDENTITY_VALUE 4096       /* bytes of a value that a record can have */

typedef struct {
    uint64_t created_s;
    char     consumer[WEIR_STORE_NAME];
    char     kind[WEIR_STORE_KIND];
    uint64_t len;                            /* of value */
    char     value[WEIR_STORE_IDENTITY_VALUE];
} weir_store_identity_t;

typedef struct {
    uint64_t value, expires_s;               /* of a zone's cell: shm/saved.h */
} weir_store_cell_t;

/* 1 … 63 of letters, digits and "._@+-": names of consumers, plans and groups. */
bool weir_store_name_is_good(weir_str_t name);
bool weir_store_kind_is_good(weir_str_t kind);
bool weir_store_meta_name_is_good(weir_str_t name);

/* Bytes of the record. */
static inline size_t
weir_store_profile_size(const weir_store_profile_t *profile)
{
    return offsetof(weir_store_profile_t, text) + profile->len;
}

static inline size_t
weir_store_identity_size(const weir_store_identity_t *identity)
{
    return offsetof(weir_store_identity_t, value) + (size_t) identity->len;
}

/* A record of `size` bytes is what it says: no more, no less. */
bool weir_store_profile_is_good(const weir_store_profile_t *profile, size_t size);
bool weir_store_identity_is_good(const weir_store_identity_t *identity, size_t size);
/* The texts one after the other, of a profile that is good: from rest = weir_str(text, len) on; false: no more. */
bool weir_store_profile_next(weir_str_t *rest, weir_str_t *text);
/* One more text behind those that are there; false: there is no room. */
bool weir_store_profile_add(weir_store_profile_t *profile, weir_str_t text);
/* NUL-padded into room of `size` bytes; what is longer is cut. */
void weir_store_put_text(char *room, size_t size, weir_str_t text);
weir_str_t weir_store_text(const char *room, size_t size);

#endif
