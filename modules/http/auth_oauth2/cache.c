/*
 * cache.c - answers of authorization servers in shared memory, for all workers.
 *
 * An entry's key is a digest (http/guard/digests.h) of the server, of the client that Weir is there, and of the token;
 * its value is the answer's text.  What the place asks of it (times, issuer, audience, scopes) is looked at at each
 * request.  An active token's entry ends with the token, or after max; one of a token that is not active says no more
 * than that, and ends after negative.
 *
 * Runs in workers; nothing is allocated but in the request's arena.
 */
#include "oauth2.h"

#include "os/clock.h"

#include <openssl/evp.h>

static const weir_str_t cache_inactive = WEIR_STR_INIT("{\"active\":false}");

const weir_zone_kind_t oauth2_cache_kind = {
    .name = "oauth2-tokens", .layout = 1, .fold = weir_digests_fold, .describe = weir_digests_describe,
};

/* -- digests -- */

static bool
cache_sha256(const weir_str_t *texts, size_t n, uint8_t digest[32])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool        is_good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; is_good && i < n; i++) {
        uint64_t len = texts[i].len;

        is_good = EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1
                  && EVP_DigestUpdate(ctx, texts[i].at, texts[i].len) == 1;
    }
    is_good = is_good && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return is_good;
}

bool
oauth2_digest_asker(oauth2_conf_t *conf)
{
    const weir_str_t texts[] = { conf->endpoint->at.text, conf->endpoint->trusted, conf->client->id,
                                 conf->client->secret };

    return cache_sha256(texts, weir_countof(texts), conf->asker);
}

bool
oauth2_digest(const oauth2_conf_t *conf, weir_str_t token, weir_digest_t *digest)
{
    const weir_str_t texts[] = { weir_str((const char *) conf->asker, sizeof(conf->asker)), token };

    if (oauth2_has_cache(conf)) {
        weir_digests_key(conf->cache->digests, texts, weir_countof(texts), digest);
        return true;
    }
    return cache_sha256(texts, weir_countof(texts), digest->bytes);
}

/* -- answers -- */

bool
oauth2_cache_find(const oauth2_conf_t *conf, const weir_digest_t *digest, weir_arena_t *arena, weir_str_t *text)
{
    weir_entry_t entry;
    char        *room = NULL;
    bool         is_good;

    if (!oauth2_has_cache(conf)
        || weir_entries_get(&conf->cache->digests->entries, weir_digest_str(digest), weir_clock_now(), &entry)
           != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    if (entry.size <= OAUTH2_ANSWER_MAX) {
        room = weir_try_alloc(arena, (size_t) entry.size + 1);
    }
    is_good = room != NULL && weir_entry_copy(&entry, room);
    *text = weir_str(room, (size_t) entry.size);
    weir_entry_release(&entry);
    return is_good;
}

/* How long an answer holds; 0: it is not kept. */
static uint64_t
cache_time(const oauth2_cache_t *cache, const weir_jwt_t *answer, bool is_active)
{
    int64_t now_s = (int64_t) (weir_clock_wall_ms() / 1000);

    if (!is_active) {
        return cache->negative.ms;
    }
    if (answer->expires == WEIR_JWT_NEVER) {
        return cache->max.ms;
    }
    if (answer->expires <= now_s) {
        return 0;
    }
    return weir_min(cache->max.ms, weir_min((uint64_t) (answer->expires - now_s), (uint64_t) UINT32_MAX) * 1000);
}

void
oauth2_cache_put(const oauth2_conf_t *conf, const weir_digest_t *digest, weir_str_t text)
{
    weir_instant_t now = weir_clock_now();
    weir_jwt_t     answer;
    weir_arena_t   arena;
    uint64_t       ms;
    bool           is_active;

    if (!oauth2_has_cache(conf)) {
        return;
    }
    weir_arena_init(&arena, 4096);
    if (oauth2_read_answer(&arena, text, &answer, &is_active)) {
        ms = cache_time(conf->cache, &answer, is_active);
        if (ms != 0) {                               /* what cannot be kept is asked for again */
            (void) !weir_entries_put(&conf->cache->digests->entries, weir_digest_str(digest),
                                     is_active ? text : cache_inactive, now, (weir_instant_t) { now.ms + ms },
                                     WEIR_ENTRIES_ANY, NULL);
        }
    }
    weir_arena_fini(&arena);
}
