/*
 * module.c - auth_oidc: browsers log in at an OpenID provider (OpenID Connect Core 1.0, authorization code flow with
 * PKCE), and their sessions are sealed cookies.  The directives, what a generation shares, the module's life.
 */
#include "oidc.h"

#include "base/mem.h"
#include "http/guard/dry_run.h"
#include "os/sys.h"

#define MODULE_REFRESHES ((uint64_t) 8 << 20)    /* bytes of shared memory */
#define MODULE_LOGOUTS   ((uint64_t) 2 << 20)

/* What a generation has. */
typedef struct { oidc_providers_t providers; } oidc_built_t;

/* -- shared memory -- */

/* A secret for those who have no session_key_file: one process fills it in. */
typedef struct {
    _Alignas(64) uint64_t state;                 /* 0: nothing · 1: being written · 2: there */
    uint8_t               secret[OIDC_SECRET];
} module_secret_t;

static const weir_zone_kind_t module_documents_kind = {
    .name = "oidc-providers", .layout = 1, .fold = weir_entries_fold, .describe = weir_entries_describe,
};
static const weir_zone_kind_t module_sessions_kind = {
    .name = "oidc-sessions", .layout = 1, .fold = weir_entries_fold, .describe = weir_entries_describe,
};
static const weir_zone_kind_t module_secret_kind = { .name = "oidc-secret", .layout = 1 };
static const weir_zone_kind_t *const module_kinds[] = { &module_documents_kind, &module_sessions_kind,
                                                        &module_secret_kind, NULL };

static void
module_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

static weir_zone_t *
module_take(weir_conf_t *cf, const weir_zone_kind_t *kind, weir_str_t name, uint64_t size)
{
    weir_zone_id_t id = { .kind = kind, .name = name, .size = size };
    weir_error_t   error = { .text = "" };
    weir_zone_t   *zone = weir_zone_take(&id, &error);

    if (zone == NULL) {
        (void) weir_error_set(cf->error, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, module_give_back, zone);
    return zone;
}

static bool
module_open_table(weir_conf_t *cf, weir_str_t name, uint64_t room, weir_entries_t *entries)
{
    weir_zone_t *zone = module_take(cf, &module_sessions_kind, name, weir_entries_bytes(room));

    return zone != NULL
           && (weir_entries_open(entries, WEIR_STR("oidc-sessions"), weir_zone_memory(zone), weir_zone_size(zone))
               || weir_error_set(cf->error, "the shared memory for sessions of oidc holds something else"));
}

static bool
module_open_secret(weir_conf_t *cf, const uint8_t **secret)
{
    weir_zone_t     *zone = module_take(cf, &module_secret_kind, WEIR_STR("sessions"), sizeof(module_secret_t));
    module_secret_t *shared;
    uint64_t         none = 0;

    if (zone == NULL) {
        return false;
    }
    shared = weir_zone_memory(zone);
    if (__atomic_compare_exchange_n(&shared->state, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        bool is_good = weir_sys_random(shared->secret, sizeof(shared->secret)) == 0;

        __atomic_store_n(&shared->state, is_good ? 2 : 0, __ATOMIC_RELEASE);
    }
    *secret = shared->secret;
    return __atomic_load_n(&shared->state, __ATOMIC_ACQUIRE) == 2
           || weir_error_set(cf->error, "there is no randomness for the key of sessions");
}

/* -- build -- */

static bool
module_make_seals(weir_conf_t *cf, oidc_provider_t *provider)
{
    weir_str_t  own = weir_str((const char *) provider->tables->secret, OIDC_SECRET);
    weir_strs_t secrets = provider->secrets.n != 0 ? provider->secrets : (weir_strs_t) { &own, 1 };

    provider->session_seal = weir_seal_create(secrets, WEIR_STR("oidc session"));
    provider->login_seal = weir_seal_create(secrets, WEIR_STR("oidc login"));
    return (provider->session_seal != NULL && provider->login_seal != NULL)
           || weir_conf_error_at(cf, provider->words, "no memory");
}

static bool
module_build(weir_conf_t *cf, weir_generation_t *generation)
{
    oidc_built_t    *built = weir_new(cf->arena, oidc_built_t);
    oidc_tables_t   *tables = weir_new(cf->arena, oidc_tables_t);
    weir_document_t *documents = NULL;

    generation->built[weir_http_oidc_index] = built;
    for (weir_conf_block_t *block = generation->root->first; block != NULL; block = block->next) {
        const oidc_conf_t *conf = block->context == WEIR_IN_HTTP ? block->confs[weir_http_oidc_index] : NULL;

        built->providers = conf != NULL ? conf->providers : built->providers;
    }
    if (built->providers.n == 0) {
        return true;
    }
    if (!module_open_table(cf, WEIR_STR("refreshes"), MODULE_REFRESHES, &tables->refreshes)
        || !module_open_table(cf, WEIR_STR("logouts"), MODULE_LOGOUTS, &tables->logouts)
        || !module_open_secret(cf, &tables->secret))
    {
        return false;
    }
    for (size_t i = 0; i < built->providers.n; i++) {
        oidc_provider_t *provider = built->providers.at[i];

        provider->tables = tables;
        if (!oidc_bind(cf, generation, provider) || !module_make_seals(cf, provider)) {
            return false;
        }
        provider->endpoints.next = &provider->keys;
        provider->keys.next = documents;
        documents = &provider->endpoints;
    }
    return weir_documents_bind(cf, &module_documents_kind, WEIR_STR("providers"), documents);
}

/* A provider of that name, and no two that share a cookie. */
static bool
module_check(weir_conf_t *cf, weir_conf_block_t *block WEIR_UNUSED, void *conf_)
{
    oidc_conf_t *conf = conf_;

    for (size_t i = 0; i < conf->providers.n; i++) {
        oidc_provider_t *provider = conf->providers.at[i];

        if (!oidc_settle(cf, provider)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (weir_str_eq(conf->providers.at[k]->cookie_name, provider->cookie_name)) {
                return weir_conf_error_at(cf, provider->words, "\"oidc_provider\" \"%.*s\" has the \"cookie_name\" of "
                                          "\"%.*s\"", WEIR_STR_ARG(provider->name),
                                          WEIR_STR_ARG(conf->providers.at[k]->name));
            }
        }
        if (weir_str_eq(provider->name, conf->ask.name)) {
            conf->provider = provider;
        }
    }
    if (conf->ask.name.len != 0 && conf->provider == NULL) {
        return weir_conf_error_at(cf, conf->ask.words, "there is no \"oidc_provider\" \"%.*s\" in \"http\"",
                                  WEIR_STR_ARG(conf->ask.name));
    }
    return true;
}

/* -- life -- */

static bool
module_begin(weir_life_t *life)
{
    oidc_process_t *process = weir_mem_need(sizeof(*process));

    *process = (oidc_process_t) { .documents = weir_documents_create(life), .loop = life->loop };
    oidc_refreshes_begin(process);
    life->kept[weir_http_oidc_index] = process;
    return true;
}

static void
module_adopt(weir_life_t *life, weir_generation_t *generation)
{
    oidc_process_t     *process = life->kept[weir_http_oidc_index];
    const oidc_built_t *built = generation->built[weir_http_oidc_index];

    for (size_t i = 0; built != NULL && i < built->providers.n; i++) {
        oidc_provider_t *provider = built->providers.at[i];

        provider->process = process;
        provider->generation = generation;
        weir_document_adopt(process->documents, generation, &provider->endpoints);
    }
}

static void
module_retire(weir_life_t *life WEIR_UNUSED, weir_generation_t *generation)
{
    const oidc_built_t *built = generation->built[weir_http_oidc_index];

    for (size_t i = 0; built != NULL && i < built->providers.n; i++) {
        weir_document_retire(&built->providers.at[i]->endpoints);
        weir_document_retire(&built->providers.at[i]->keys);
    }
}

static void
module_end(weir_life_t *life)
{
    oidc_process_t *process = life->kept[weir_http_oidc_index];

    oidc_refreshes_end(process);
    weir_documents_destroy(process->documents);
    weir_mem_free(process);
    life->kept[weir_http_oidc_index] = NULL;
}

static const struct weir_module_life module_life = {
    .begin = module_begin, .adopt = module_adopt, .retire = module_retire, .end = module_end,
};

/* -- the module -- */

static bool
module_enabled(const void *conf_, weir_phase_t phase)
{
    const oidc_conf_t *conf = conf_;

    return phase == WEIR_PHASE_FILTER ? conf->providers.n != 0 : conf->provider != NULL;
}

static const weir_directive_t oidc_directives[] = {
    WEIR_DIRECTIVE_OF(oidc_conf_t, providers, "oidc_provider", &oidc_type_providers, .where = WEIR_IN_HTTP,
                      .opens = WEIR_IN_DATA, .args = "name", .block_min_args = 1, .block_max_args = 1,
                      .opened = oidc_opened, .line = oidc_line,
                      .help = "Says where an OpenID provider is, which client this site is there, and how sessions "
                              "of it are kept."),
    WEIR_DIRECTIVE_OF(oidc_conf_t, ask, "auth_oidc", &oidc_type_ask, .where = WEIR_IN_ANY, .dflt = "off",
                      .help = "Lets in users who have logged in at an OpenID provider, and sends browsers there."),
    WEIR_DIRECTIVE_OF(oidc_conf_t, dry_run, "auth_oidc_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                      .help = "Looks at sessions and logs, but sends no browser to log in and refuses nothing."),
    WEIR_DIRECTIVES_END
};

extern const weir_http_module_t weir_http_oidc;

const weir_http_module_t weir_http_oidc = {
    .name = "http_oidc",
    .life = &module_life,
    .area = "Login",
    .conf_size = sizeof(oidc_conf_t),
    .directives = oidc_directives,
    .variables = oidc_variables,
    .zone_kinds = module_kinds,
    .check = module_check,
    .build = module_build,
    .on = { [WEIR_PHASE_REWRITE] = oidc_rewrite, [WEIR_PHASE_PREACCESS] = oidc_preaccess,
            [WEIR_PHASE_ACCESS] = oidc_access, [WEIR_PHASE_FILTER] = oidc_cookies_filter },
    .pure = 1u << WEIR_PHASE_REWRITE,
    .owns_cookie = oidc_cookies_owns,
    .enabled = module_enabled,
    .after = "http_access http_auth_basic http_api_key http_auth_jwt http_auth_oauth2 http_auth_request",
};
