/*
 * conf.c - see conf.h: the directives, and the seeds by which zones and the store name keys alike.
 */
#include "store/conf.h"

#include "log/log.h"
#include "os/file.h"
#include "shm/keyed.h"
#include "shm/zone.h"
#include "store/db.h"
#include "store/secure.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

extern const size_t weir_store_index;

static char store_first[PATH_MAX];           /* of the first configuration of this instance that names one */

const weir_store_conf_t *
weir_store_conf(const weir_generation_t *generation)
{
    return weir_conf_of(generation->root, weir_store_index);
}

bool
weir_store_is_set(const weir_conf_t *cf)
{
    const weir_store_conf_t *conf = weir_conf_of(cf->root, weir_store_index);

    return conf->path.text.len != 0;
}

static bool
store_use_seeds(weir_conf_t *cf, const weir_conf_block_t *block, const char *path)
{
    weir_error_t error = { .text = "" };
    uint64_t     seeds[2];

    if (!weir_zones_are_made_here()) {
        return true;
    }
    if (!weir_store_seeds(path, seeds, &error)) {
        return weir_conf_error_at(cf, &block->words, "%s", error.text);
    }
    weir_keyed_use_seeds(seeds);
    return true;
}

static void
store_own_groups(weir_conf_t *cf, weir_bundle_user_t *user)
{
    size_t bytes = sizeof(gid_t) * user->n_groups;

    if (user->n_groups != 0) {
        user->groups = memcpy(weir_alloc(cf->arena, bytes), user->groups, bytes);
    }
}

/* The user that the process runs as when none is named: the one that the package makes, or one that every system has,
 * if the workers are not it themselves.  That user owns nothing of the store: the process has opened its files
 * before. */
static void
store_find_user(weir_conf_t *cf, weir_store_conf_t *conf, const weir_bundle_user_t *workers)
{
    static const weir_str_t names[][2] = {
        { WEIR_STR_INIT("weir-store"), WEIR_STR_INIT("weir-store") },
        { WEIR_STR_INIT("nobody"), WEIR_STR_INIT("nogroup") }, { WEIR_STR_INIT("nobody"), WEIR_STR_INIT("nobody") },
        { WEIR_STR_INIT("daemon"), WEIR_STR_INIT("daemon") },
    };

    weir_core_find_user(cf, names, weir_countof(names), workers, &conf->runs_as);
}

/* Makes the folder, and gives it to its owner: never to the workers' user, not for a moment. */
static bool
store_check_owner(weir_conf_t *cf, const weir_conf_block_t *block, weir_store_conf_t *conf)
{
    const weir_core_conf_t *core = weir_conf_of(cf->root, weir_core_index);
    weir_error_t            error = { .text = "" };

    if (weir_bundle_makes(cf->bundle) && !weir_file_make_dirs(conf->path.text.at, true)) {
        return weir_conf_error_at(cf, &block->words, "the folder \"%s\" could not be made: %s", conf->path.text.at,
                                  strerror(errno));
    }
    conf->owner = (weir_bundle_user_t) { .ignored = true };
    if (conf->user.user.at != NULL) {
        if (!weir_bundle_user(cf->bundle, conf->user.user, conf->user.group, &conf->owner, &error)) {
            return weir_conf_error_at(cf, &block->words, "%s", error.text);
        }
        if (!conf->owner.ignored && conf->owner.uid == core->workers_user.uid) {
            return weir_conf_error_at(cf, &block->words,
                                      "\"store_user\" must be another than the workers' \"user\", which must not write "
                                      "the store");
        }
        store_own_groups(cf, &conf->owner);
        conf->runs_as = conf->owner;
    } else {
        store_find_user(cf, conf, &core->workers_user);
        store_own_groups(cf, &conf->runs_as);
    }
    if (!weir_bundle_makes(cf->bundle) || geteuid() != 0 || core->workers_user.ignored) {
        return true;
    }
    return weir_store_secure(conf->path.text.at, conf->owner.ignored ? 0 : conf->owner.uid, core->workers_user.gid,
                             &error)
           || weir_conf_error_at(cf, &block->words, "%s", error.text);
}

/* Of main, and so before anything inside http makes its zones. */
static bool
store_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_store_conf_t *conf = conf_;

    if (block->context != WEIR_IN_MAIN || conf->path.text.len == 0) {
        return true;
    }
    if (conf->path.text.len >= sizeof(store_first)) {
        return weir_conf_error_at(cf, &block->words, "\"store_path\" is too long");
    }
    if (store_first[0] == '\0') {
        memcpy(store_first, conf->path.text.at, conf->path.text.len + 1);
    } else if (!weir_str_eq(conf->path.text, weir_str_from_z(store_first))) {
        if (weir_zones_are_made_here()) {
            weir_log(WEIR_LOG_WARN, NULL, 0, "\"store_path %.*s\" takes effect at the next start",
                     WEIR_STR_ARG(conf->path.text));
        }
        conf->path.text = weir_str_dup(cf->arena, weir_str_from_z(store_first));
    }
    return store_check_owner(cf, block, conf) && store_use_seeds(cf, block, conf->path.text.at);
}

static const weir_directive_t store_directives[] = {
    WEIR_DIRECTIVE(weir_store_conf_t, path, "store_path", .where = WEIR_IN_MAIN,
                   .help = "Sets the folder of the store, which holds consumers, keys, plans, quotas and what long "
                           "limits have counted; without it there is no store."),
    WEIR_DIRECTIVE_OF(weir_store_conf_t, user, "store_user", &weir_type_user, .where = WEIR_IN_MAIN,
                      .help = "Sets the user that owns the store's files and that its process runs as, where root "
                              "starts Weir."),
    WEIR_DIRECTIVE(weir_store_conf_t, size, "store_size", .where = WEIR_IN_MAIN, .dflt = "256m", .min = "1m",
                   .max = "1024g",
                   .help = "Limits how large the store's file may become."),
    WEIR_DIRECTIVE(weir_store_conf_t, flush, "store_flush", .where = WEIR_IN_MAIN, .dflt = "1s", .min = "10ms",
                   .max = "1h",
                   .help = "Sets how often counts are written to the store; what was counted since is lost when all "
                           "processes are killed or the power fails."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_store = {
    .name = "store",
    .area = "Consumers",
    .conf_size = sizeof(weir_store_conf_t),
    .directives = store_directives,
    .check = store_check,
};
