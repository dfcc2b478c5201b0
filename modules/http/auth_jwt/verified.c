/*
 * verified.c - tokens whose signature was verified before, by any worker: a table in shared memory.
 *
 * An entry's key is a digest of a secret of the table, of what the verification depended on (algorithms, issuers,
 * audiences …) and of the whole token; its value says from when to when the token holds and which key has signed it.
 * Times are looked at at each request, and so is whether that key is still in the set: one that was taken out takes
 * with it what it verified.  An entry ends with its token.  Nothing of a token can be read from the table.
 *
 * Runs in workers; nothing is allocated.
 */
#include "jwt.h"

#include "os/clock.h"
#include "os/sys.h"
#include "shm/entries.h"

#include <openssl/evp.h>

#define VERIFIED_SECRET 32
#define VERIFIED_MAX_S  86400                        /* a token that never ends is verified once a day */

struct jwt_verified {
    weir_entries_t entries;
    const uint8_t *secret;                           /* in the zone, before the table */
    EVP_MD        *md;
    EVP_MD_CTX    *ctx;
};

/* What stands before the table: one process writes it, once. */
typedef struct {
    _Alignas(64) uint64_t state;                     /* 0: nothing · 1: being written · 2: there */
    uint8_t               secret[VERIFIED_SECRET];
} verified_head_t;

static void
verified_fold(void *memory, uint64_t size, uint32_t slot)
{
    weir_entries_fold((char *) memory + sizeof(verified_head_t), size - sizeof(verified_head_t), slot);
}

static void
verified_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    weir_entries_describe((const char *) memory + sizeof(verified_head_t), size - sizeof(verified_head_t), out);
}

const weir_zone_kind_t jwt_verified_kind = {
    .name = "jwt-verified", .layout = 1, .fold = verified_fold, .describe = verified_describe,
};

static void
verified_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

static void
verified_close(void *data)
{
    jwt_verified_t *verified = data;

    EVP_MD_CTX_free(verified->ctx);
    EVP_MD_free(verified->md);
}

/* The process that makes the zone fills the secret in; a worker finds it. */
static bool
verified_take_secret(verified_head_t *head)
{
    uint64_t none = 0;

    if (__atomic_compare_exchange_n(&head->state, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        if (weir_sys_random(head->secret, sizeof(head->secret)) != 0) {
            __atomic_store_n(&head->state, 0, __ATOMIC_RELEASE);
            return false;
        }
        __atomic_store_n(&head->state, 2, __ATOMIC_RELEASE);
    }
    return __atomic_load_n(&head->state, __ATOMIC_ACQUIRE) == 2;
}

jwt_verified_t *
jwt_verified_open(weir_conf_t *cf, const weir_conf_words_t *words, uint64_t size)
{
    uint64_t        bytes = weir_entries_bytes(size) + sizeof(verified_head_t);
    weir_zone_id_t  id = { .kind = &jwt_verified_kind, .name = WEIR_STR("tokens"), .size = bytes };
    weir_error_t    error = { .text = "" };
    weir_zone_t    *zone = weir_zone_take(&id, &error);
    jwt_verified_t *verified;
    char           *memory;

    if (zone == NULL) {
        (void) weir_conf_error_at(cf, words, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, verified_give_back, zone);
    memory = weir_zone_memory(zone);
    verified = weir_new(cf->arena, jwt_verified_t);
    verified->secret = ((verified_head_t *) (void *) memory)->secret;
    if (!verified_take_secret((verified_head_t *) (void *) memory)
        || !weir_entries_open(&verified->entries, WEIR_STR("jwt-verified"), memory + sizeof(verified_head_t),
                              weir_zone_size(zone) - sizeof(verified_head_t)))
    {
        (void) weir_conf_error_at(cf, words, "the shared memory for verified tokens cannot be used");
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, verified_close, verified);
    verified->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    verified->ctx = EVP_MD_CTX_new();
    if (verified->md == NULL || verified->ctx == NULL || EVP_DigestInit_ex2(verified->ctx, verified->md, NULL) != 1) {
        (void) weir_conf_error_at(cf, words, "no memory");
        return NULL;
    }
    return verified;
}

void
jwt_verified_digest(const jwt_verified_t *verified, const jwt_conf_t *conf, weir_str_t token, jwt_digest_t *digest)
{
    bool is_good = EVP_DigestInit_ex2(verified->ctx, verified->md, NULL) == 1
                   && EVP_DigestUpdate(verified->ctx, verified->secret, VERIFIED_SECRET) == 1
                   && EVP_DigestUpdate(verified->ctx, conf->policy, sizeof(conf->policy)) == 1
                   && EVP_DigestUpdate(verified->ctx, token.at, token.len) == 1
                   && EVP_DigestFinal_ex(verified->ctx, digest->bytes, NULL) == 1;

    weir_assert(is_good);                            /* no memory is asked for here */
}

bool
jwt_verified_find(const jwt_verified_t *verified, const jwt_digest_t *digest, jwt_found_t *found)
{
    weir_entry_t entry;
    bool         is_good;

    if (weir_entries_get(&verified->entries, weir_str((const char *) digest->bytes, sizeof(digest->bytes)),
                         weir_clock_now(), &entry) != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    is_good = entry.size == sizeof(*found) && weir_entry_copy(&entry, (char *) found);
    weir_entry_release(&entry);
    return is_good;
}

void
jwt_verified_put(const jwt_verified_t *verified, const jwt_digest_t *digest, const jwt_found_t *found)
{
    int64_t        now_s = (int64_t) (weir_clock_wall_ms() / 1000), left_s = VERIFIED_MAX_S;
    weir_instant_t now = weir_clock_now();

    if (found->expires != WEIR_JWT_NEVER) {
        left_s = found->expires > now_s ? (int64_t) weir_min((uint64_t) (found->expires - now_s), VERIFIED_MAX_S) : 0;
    }
    if (left_s > 0) {                                /* one that cannot be kept is verified again */
        (void) !weir_entries_put(&verified->entries, weir_str((const char *) digest->bytes, sizeof(digest->bytes)),
                                 weir_str((const char *) found, sizeof(*found)), now,
                                 (weir_instant_t) { now.ms + (uint64_t) left_s * 1000 }, WEIR_ENTRIES_ANY, NULL);
    }
}
