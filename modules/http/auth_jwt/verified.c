/*
 * verified.c - tokens whose signature was verified before, by any worker: a table in shared memory.
 *
 * An entry's key is a digest (http/guard/digests.h) of what the verification depended on (algorithms, issuers,
 * audiences …) and of the whole token; its value says from when to when the token holds and which key has signed it.
 * Times are looked at at each request, and so is whether that key is still in the set: one that was taken out takes
 * with it what it verified.  An entry ends with its token.
 *
 * Runs in workers; nothing is allocated.
 */
#include "jwt.h"

#include "os/clock.h"

#define VERIFIED_MAX_S 86400                         /* a token that never ends is verified once a day */

const weir_zone_kind_t jwt_verified_kind = {
    .name = "jwt-verified", .layout = 1, .fold = weir_digests_fold, .describe = weir_digests_describe,
};

void
jwt_verified_digest(const jwt_conf_t *conf, weir_str_t token, weir_digest_t *digest)
{
    const weir_str_t texts[] = { weir_str((const char *) conf->policy, sizeof(conf->policy)), token };

    weir_digests_key(conf->verified, texts, weir_countof(texts), digest);
}

bool
jwt_verified_find(const jwt_conf_t *conf, const weir_digest_t *digest, jwt_found_t *found)
{
    weir_entry_t entry;
    bool         is_good;

    if (weir_entries_get(&conf->verified->entries, weir_digest_str(digest), weir_clock_now(), &entry)
        != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    is_good = entry.size == sizeof(*found) && weir_entry_copy(&entry, (char *) found);
    weir_entry_release(&entry);
    return is_good;
}

void
jwt_verified_put(const jwt_conf_t *conf, const weir_digest_t *digest, const jwt_found_t *found)
{
    int64_t        now_s = (int64_t) (weir_clock_wall_ms() / 1000), left_s = VERIFIED_MAX_S;
    weir_instant_t now = weir_clock_now();

    if (found->expires != WEIR_JWT_NEVER) {
        left_s = found->expires > now_s ? (int64_t) weir_min((uint64_t) (found->expires - now_s), VERIFIED_MAX_S) : 0;
    }
    if (left_s > 0) {                                /* one that cannot be kept is verified again */
        (void) !weir_entries_put(&conf->verified->entries, weir_digest_str(digest),
                                 weir_str((const char *) found, sizeof(*found)), now,
                                 (weir_instant_t) { now.ms + (uint64_t) left_s * 1000 }, WEIR_ENTRIES_ANY, NULL);
    }
}
