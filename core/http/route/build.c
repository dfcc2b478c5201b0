/*
 * build.c - from sealed blocks to what requests run on: listeners with their hosts, servers, locations in the matcher,
 * and a pipeline of handlers for each location.
 *
 * Load time only; all of it in the generation's arena.
 */
#include "http/route/blocks.h"
#include "base/array.h"
#include "conf/core.h"
#include "http/http.h"
#include "http/filter/order.h"
#include "http/module.h"
#include "http/route/routes.h"
#include "shm/stats.h"



typedef struct {
    weir_conf_t      *cf;
    weir_arena_t     *arena;
    weir_http_conf_t *http;
    const size_t     *filters;     /* modules that filter, in their order (filter/order.h) */
    size_t            n_filters;
    /* by phase: the modules that have a handler there, in the order of its row: as they lie; filters of requests from
     * the client's side on */
    size_t           *of[WEIR_PHASE_MAX], n_of[WEIR_PHASE_MAX];
} build_t;

/* -- pipelines -- */

/* Whether the block itself says something of the module that holds for a location and its parts only: what makes the
 * answer. */
static bool
build_is_said(const weir_conf_block_t *block, size_t module)
{
    for (const weir_directive_t *row = weir_modules[module]->directives; row != NULL && row->name != NULL; row++) {
        if (row->inherit == WEIR_LOCAL && weir_conf_is_set(block, module, row->name)) {
            return true;
        }
    }
    return false;
}

/* A part that says what answers does not ask the peer that its location asks. */
static bool
build_is_replaced(const build_t *b, const weir_conf_block_t *block, weir_phase_t phase, size_t module)
{
    if (phase != WEIR_PHASE_CONTENT || !(block->context & WEIR_IN_PART) || build_is_said(block, module)) {
        return false;
    }
    for (size_t k = 0; k < b->n_of[phase]; k++) {
        if (build_is_said(block, b->of[phase][k])) {
            return true;
        }
    }
    return false;
}

/* Does a module that is there for it make the content here? */
static bool
build_has_content(const build_t *b, const weir_conf_block_t *block)
{
    for (size_t k = 0; k < b->n_of[WEIR_PHASE_CONTENT]; k++) {
        size_t i = b->of[WEIR_PHASE_CONTENT][k];
        const weir_http_module_t *m = weir_http_modules[i];

        if (!m->is_fallback && (m->enabled == NULL || m->enabled(block->confs[i], WEIR_PHASE_CONTENT))
            && !build_is_replaced(b, block, WEIR_PHASE_CONTENT, i))
        {
            return true;
        }
    }
    return false;
}

static void
build_phases(build_t *b)
{
    for (weir_phase_t phase = 0; phase < WEIR_PHASE_MAX; phase++) {
        size_t n_modules = phase == WEIR_PHASE_FILTER ? b->n_filters : weir_modules_count;

        b->of[phase] = weir_new_n(b->arena, size_t, n_modules);
        for (size_t k = 0; k < n_modules; k++) {
            size_t i = phase == WEIR_PHASE_FILTER ? b->filters[n_modules - 1 - k] : k;

            if (weir_http_modules[i] != NULL && weir_http_modules[i]->on[phase] != NULL) {
                b->of[phase][b->n_of[phase]++] = i;
            }
        }
    }
}

static size_t
build_phase(const build_t *b, const weir_conf_block_t *block, weir_phase_t phase, weir_http_handler_t *out)
{
    bool has_content = phase == WEIR_PHASE_CONTENT && build_has_content(b, block);
    size_t n = 0;

    for (size_t k = 0; k < b->n_of[phase]; k++) {
        size_t i = b->of[phase][k];
        const weir_http_module_t *m = weir_http_modules[i];
        const void *conf = block->confs[i];

        if ((m->is_fallback && has_content) || (m->enabled != NULL && !m->enabled(conf, phase))
            || build_is_replaced(b, block, phase, i))
        {
            continue;
        }
        if (out != NULL) {
            out[n] = (weir_http_handler_t) { m->on[phase], conf };
        }
        n++;
    }
    return n;
}

static weir_http_pipeline_t *
build_pipeline(build_t *b, const weir_conf_block_t *block)
{
    weir_http_pipeline_t *pipeline = weir_new(b->arena, weir_http_pipeline_t);

    for (weir_phase_t phase = 0; phase < WEIR_PHASE_MAX; phase++) {
        size_t n = build_phase(b, block, phase, NULL);
        weir_http_handler_t *row = n ? weir_new_n(b->arena, weir_http_handler_t, n) : NULL;

        build_phase(b, block, phase, row);
        pipeline->phase[phase] = row;
        pipeline->n[phase] = (uint16_t) n;
    }
    weir_filters_place(b->arena, b->filters, block, pipeline);
    return pipeline;
}

/* -- locations -- */

static bool
build_answers_preflight(const weir_conf_block_t *block)
{
    for (size_t i = 0; i < weir_modules_count; i++) {
        const weir_http_module_t *m = weir_http_modules[i];

        if (m != NULL && m->answers_preflight != NULL && m->answers_preflight(block->confs[i])) {
            return true;
        }
    }
    return false;
}

static bool
build_location_base(build_t *b, weir_http_location_t *location, weir_conf_block_t *block, weir_http_server_t *server)
{
    bool own_core = block->confs[weir_http_core_index] != block->parent->confs[weir_http_core_index];

    location->block = block;
    location->conf = block->confs;
    location->core = block->confs[weir_http_core_index];
    location->server = server;
    location->pipeline = build_pipeline(b, block);
    location->answers_preflight = !location->core->dry_run.on && build_answers_preflight(block);
    if (block->context != WEIR_IN_SERVER && location->core->status_zone.len != 0) {
        location->stats = weir_stats_row(b->arena, WEIR_STATS_LOCATION, location->core->status_zone, 0);
    }
    return (!own_core && block->context != WEIR_IN_SERVER)
           || weir_conf_make_folder(b->cf, &block->words, location->core->client_body_temp_path.text);
}

static bool
build_named(build_t *b, weir_http_server_t *server, weir_http_location_t *location)
{
    weir_http_location_t **grown = weir_new_n(b->arena, weir_http_location_t *, server->n_named + 1);

    for (size_t i = 0; i < server->n_named; i++) {
        if (weir_str_eq(server->named[i]->name, location->name)) {
            return weir_conf_error_at(b->cf, &location->block->words, "duplicate location \"%.*s\"",
                                      WEIR_STR_ARG(location->name));
        }
        grown[i] = server->named[i];
    }
    grown[server->n_named++] = location;
    server->named = grown;
    return true;
}

/* What holds for some requests of a location: nothing finds it by its path. */
static bool
build_part(build_t *b, weir_http_server_t *server, weir_conf_block_t *block)
{
    weir_http_location_t *part = block->owner, *location = block->parent->owner;

    if (block->context == WEIR_IN_LIMIT_EXCEPT) {
        location->limited = part;
    }
    return build_location_base(b, part, block, server);
}

/* Every location block in `parent`, and those inside, into `paths`; routes get what all locations have. */
static bool
build_locations(build_t *b, weir_http_server_t *server, weir_conf_block_t *parent, weir_paths_t **paths)
{
    *paths = NULL;
    for (weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        weir_http_location_t *location = block->owner;
        weir_error_t error = { .text = "" };
        bool duplicate = false;

        if ((block->context & WEIR_IN_PART) && !build_part(b, server, block)) {
            return false;
        }
        if (block->context != WEIR_IN_LOCATION && block->context != WEIR_IN_ROUTE) {
            continue;
        }
        if (!build_location_base(b, location, block, server) || !build_locations(b, server, block, &location->inner)) {
            return false;
        }
        if (block->context == WEIR_IN_ROUTE) {
            continue;                                  /* nothing finds it by a rule of the paths */
        }
        location->rule.inner = location->inner;
        if (location->is_named) {
            if (!build_named(b, server, location)) {
                return false;
            }
            continue;
        }
        if (*paths == NULL) {
            *paths = weir_paths_create(b->arena);
        }
        if (!weir_paths_add(*paths, &location->rule, &duplicate, &error)) {
            return duplicate ? weir_conf_error_at(b->cf, &block->words, "duplicate location \"%.*s\"",
                                                  WEIR_STR_ARG(location->name))
                             : weir_conf_error_at(b->cf, &block->words, "%s", error.text);
        }
    }
    if (*paths != NULL) {
        weir_paths_seal(*paths);
    }
    return true;
}

/* -- listeners -- */

static bool
build_listen_names(build_t *b, weir_http_server_t *server, weir_http_listen_t *listen)
{
    weir_error_t error = { .text = "" };
    bool conflict;

    for (size_t i = 0; i < server->names.n; i++) {
        if (!weir_hosts_add(listen->hosts, server->names.at[i], server, &conflict, &error)) {
            return weir_conf_error_at(b->cf, &server->block->words, "%s", error.text);
        }
        if (conflict && !weir_bundle_is_replay(b->cf->bundle)) {
            weir_log(WEIR_LOG_WARN, NULL, 0, "conflicting server name \"%.*s\" on %.*s, ignored",
                     WEIR_STR_ARG(server->names.at[i]), WEIR_STR_ARG(listen->base.text));
        }
    }
    return true;
}

/* NULL: the error is set. */
static weir_http_listen_t *
build_listen(build_t *b, weir_http_server_t *server, const weir_listen_entry_t *entry)
{
    bool is_first;
    weir_listen_t *base = weir_listens_add(b->cf, b->http->generation, &weir_http_area, entry,
                                           sizeof(weir_http_listen_t), &is_first);
    weir_http_listen_t *listen;

    if (base == NULL) {
        return NULL;
    }
    listen = weir_container_of(base, weir_http_listen_t, base);
    if (is_first) {
        listen->default_server = server;
        listen->hosts = weir_hosts_create(b->arena);
    }
    /* of the address, as in nginx */
    listen->is_http2 = listen->is_http2 || (entry->flags & WEIR_HTTP_LISTEN_HTTP2) != 0;
    if (entry->flags & WEIR_HTTP_LISTEN_DEFAULT) {
        if (listen->default_set) {
            (void) weir_conf_error_at(b->cf, entry->words, "a duplicate default server for %.*s",
                                      WEIR_STR_ARG(base->text));
            return NULL;
        }
        listen->default_server = server;
        listen->default_set = true;
    }
    return build_listen_names(b, server, listen) ? listen : NULL;
}

static bool
build_listens(build_t *b, weir_http_server_t *server)
{
    const weir_http_blocks_conf_t *conf = weir_conf_of(server->block, weir_http_blocks_index);
    weir_listen_entry_t standard = { .options = { .reuse_port = true }, .words = &server->block->words };
    weir_http_listen_t *listen, *seen[64];
    size_t n_seen = 0;

    if (conf->listens.n == 0) {
        return weir_addr_from_ip(&standard.addr, WEIR_STR("0.0.0.0"), 80) && build_listen(b, server, &standard) != NULL;
    }
    for (size_t i = 0; i < conf->listens.n; i++) {
        const weir_listen_entry_t *entry = &conf->listens.at[i];
        for (size_t j = 0; j < n_seen; j++) {
            if (weir_addr_eq(&seen[j]->base.addr, &entry->addr)) {
                return weir_conf_error_at(b->cf, entry->words, "a duplicate listen %.*s",
                                          WEIR_STR_ARG(seen[j]->base.text));
            }
        }
        listen = build_listen(b, server, entry);
        if (listen == NULL) {
            return false;
        }
        if (n_seen < weir_countof(seen)) {
            seen[n_seen++] = listen;
        }
    }
    return true;
}

/* -- servers -- */

static bool
build_server(build_t *b, weir_conf_block_t *block)
{
    weir_http_server_t *server = block->owner;
    const weir_http_blocks_conf_t *conf = weir_conf_of(block, weir_http_blocks_index);

    weir_conf_enter(b->cf, server->block);
    b->arena = b->cf->arena;
    server->conf = block->confs;
    server->core = block->confs[weir_http_core_index];
    server->names = conf->names;
    if (server->names.n == 0) {
        server->names.at = weir_new(b->arena, weir_str_t);
        server->names.at[0] = WEIR_STR("");
        server->names.n = 1;
    }
    server->primary_name = server->names.at[0];
    if (weir_str_starts(server->primary_name, WEIR_STR("."))) {
        server->primary_name = weir_str_skip(server->primary_name, 1);
    }
    server->pipeline = build_pipeline(b, block);
    server->fallback = weir_new(b->arena, weir_http_location_t);
    server->fallback->name = WEIR_STR("");
    if (server->core->status_zone.len != 0) {
        server->stats = weir_stats_row(b->arena, WEIR_STATS_SERVER, server->core->status_zone, 0);
    }
    return build_location_base(b, server->fallback, server->block, server)
        && build_locations(b, server, server->block, &server->paths) && weir_http_routes_build(b->cf, server);
}

static weir_log_level_t
build_log_level(const weir_conf_block_t *block, weir_log_level_t level)
{
    const weir_http_core_conf_t *core = block->confs[weir_http_core_index];

    for (size_t i = 0; core != NULL && i < core->error_log.n; i++) {
        level = core->error_log.at[i].level > level ? core->error_log.at[i].level : level;
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        level = build_log_level(inner, level);
    }
    return level;
}

static const weir_http_names_t *
build_names(const weir_conf_block_t *block)
{
    return &((const weir_http_blocks_conf_t *) weir_conf_of(block, weir_http_blocks_index))->variables;
}

/* From a server back to what the generation has of its own. */
static void
build_leave(build_t *b)
{
    weir_conf_leave(b->cf);
    b->arena = b->cf->arena;
}

/* Runs after every block is sealed and checked. */
bool
weir_http_build(weir_conf_t *cf, weir_generation_t *generation)
{
    build_t b = { .cf = cf, .arena = cf->arena };
    const weir_http_names_t **names;
    weir_conf_block_t *http = NULL;
    size_t n = 0, n_names = 1;

    for (weir_conf_block_t *block = cf->root->first; block != NULL; block = block->next) {
        if (block->context == WEIR_IN_HTTP) {
            http = block;
        }
    }
    if (http == NULL) {
        return true;
    }
    b.http = weir_new(b.arena, weir_http_conf_t);
    b.http->generation = generation;
    b.http->log_level = build_log_level(http, WEIR_LOG_EMERG);
    b.filters = weir_filters_order(cf);
    if (b.filters == NULL) {
        return false;
    }
    while (b.filters[b.n_filters] != SIZE_MAX) {
        b.n_filters++;
    }
    build_phases(&b);
    for (weir_conf_block_t *block = http->first; block != NULL; block = block->next) {
        n += block->context == WEIR_IN_SERVER;
    }
    b.http->servers = weir_new_n(b.arena, weir_http_server_t *, n + 1);
    names = weir_new_n(b.arena, const weir_http_names_t *, n + 1);
    names[0] = build_names(http);
    for (weir_conf_block_t *block = http->first; block != NULL; block = block->next) {
        if (block->context != WEIR_IN_SERVER) {
            continue;
        }
        if (!build_server(&b, block)) {
            return false;
        }
        build_leave(&b);
        if (!build_listens(&b, block->owner)) {
            return false;
        }
        b.http->servers[b.http->n_servers++] = block->owner;
        if (build_names(block) != names[0]) {
            names[n_names++] = build_names(block);
        }
    }
    generation->built[weir_http_blocks_index] = b.http;
    return weir_http_captures_build(cf, names, n_names, b.http);
}
