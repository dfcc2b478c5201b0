/*
 * conf.c - `upstream` blocks, their servers, and the groups that an address in a URL makes by itself.
 *
 * Runs at load time, in the master and in a worker's build thread; all of it in the generation's arena.  Names are
 * resolved through the bundle, each address a peer.
 */
#include "base/array.h"
#include "base/buf.h"
#include "base/dns.h"
#include "base/table.h"
#include "conf/fragment_source.h"
#include "conf/generation.h"
#include "shm/stats.h"
#include "upstream/fill.h"
#include "upstream/groups.h"
#include "upstream/lists.h"
#include "upstream/locality.h"
#include "upstream/module.h"
#include "upstream/state_file.h"
#include "upstream/names.h"
#include "upstream/running.h"

#include <stdlib.h>

#define UPSTREAM_PORT     80
#define UPSTREAM_MAX_NAME 255
#define UPSTREAM_SCRATCH  1024
#define UPSTREAM_SOURCES  16             /* of one block, beside its servers */
#define UPSTREAM_MAX_SOURCE 800          /* bytes of a source's name */

/* -- directives -- */

typedef struct {
    weir_str_t       name;           /* as written */
    weir_addrs_t     addrs;
    weir_peer_conf_t peer;           /* what its parameters say; no address yet */
    weir_hostport_t  hp;
    bool             is_followed;    /* resolve */
    weir_str_t       service;        /* service=; empty: none */
    const weir_conf_words_t *words;
} upstream_server_t;

typedef struct { upstream_server_t **at; size_t n; } upstream_servers_t;   /* as weir_conf_list_t */

typedef struct { weir_str_t name; weir_bytes_t size; } upstream_zone_t;

typedef struct {
    upstream_servers_t servers;
    weir_source_t     *sources[UPSTREAM_SOURCES];    /* of other directives */
    size_t             n_sources;
    upstream_zone_t    zone;
    uint32_t           keepalive, keepalive_requests;
    weir_msec_t        keepalive_time, keepalive_timeout;
    uint32_t           states;
    weir_path_t        state;
    size_t             n_stated;     /* servers that are in its file */
} upstream_conf_t;

/* one: has the address when the host is one.  false: *why says what is wrong with it. */
static bool
upstream_resolve(weir_conf_t *cf, const weir_hostport_t *hp, uint16_t default_port, weir_addr_t *one,
                 weir_addrs_t *addrs, const char **why)
{
    uint16_t     port = hp->has_port ? hp->port : default_port;
    weir_addrs_t found;
    weir_error_t error = { .text = "" };

    *addrs = (weir_addrs_t) { .at = one, .n = 1 };
    if (hp->is_unix) {
        *why = "invalid unix domain socket path";
        return weir_addr_from_unix(one, hp->host);
    }
    if (hp->is_wildcard || hp->host.len == 0) {
        *why = "no host";
        return false;
    }
    if (weir_addr_from_ip(one, hp->host, port)) {
        return true;
    }

    *why = "host not found";
    if (!weir_bundle_resolve(cf->bundle, hp->host, &found, &error) || found.n == 0) {
        return false;
    }
    addrs->at = weir_new_n(cf->arena, weir_addr_t, found.n);
    addrs->n = found.n;
    for (size_t i = 0; i < found.n; i++) {
        addrs->at[i] = found.at[i];
        weir_addr_set_port(&addrs->at[i], port);
    }
    return true;
}

static bool
upstream_server_option(upstream_server_t *server, weir_str_t word)
{
    if (weir_str_eq(word, WEIR_STR("resolve"))) {
        return server->is_followed = true;
    }
    if (weir_str_starts(word, WEIR_STR("service="))) {
        server->service = weir_str_skip(word, strlen("service="));
        return weir_dns_is_name(server->service);
    }
    return weir_upstream_read_peer(&server->peer, word);
}

/* The same option stands before it.  What nginx has besides is taken as nginx does: the last one holds. */
static bool
upstream_stands_twice(const weir_conf_words_t *words, size_t i)
{
    static const char *const once[] = {
        "slow_start=", "route=", "locality=", "priority=", "service=", "resolve", "drain",
    };
    bool is_twice = false;

    for (size_t k = 0; k < weir_countof(once); k++) {
        weir_str_t name = weir_str_from_z(once[k]);

        for (size_t before = 2; before < i && weir_str_starts(words->at[i].text, name); before++) {
            is_twice = is_twice || weir_str_starts(words->at[before].text, name);
        }
    }
    return is_twice;
}

static bool
upstream_is_address(const weir_hostport_t *hp)
{
    weir_addr_t addr;

    return hp->is_unix || weir_addr_from_ip(&addr, hp->host, 0);
}

/* service= is asked for at name servers while Weir runs, and says the port.  false: cf->error is set. */
static bool
upstream_check_service(weir_conf_t *cf, const upstream_server_t *server)
{
    const weir_hostport_t *hp = &server->hp;

    if (server->service.len == 0) {
        return true;
    }
    if (!server->is_followed) {
        return weir_conf_error(cf, 1, "\"service=\" of \"%.*s\" needs \"resolve\"", WEIR_STR_ARG(server->name));
    }
    if (hp->has_port || hp->is_wildcard || upstream_is_address(hp)) {
        return weir_conf_error(cf, 1, "with \"service=\" a server is a name without a port, \"%.*s\" is not",
                               WEIR_STR_ARG(server->name));
    }
    return true;
}

static bool
upstream_parse_server(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                      void *field)
{
    upstream_server_t *server = weir_new(cf->arena, upstream_server_t);
    weir_hostport_t   *hp = &server->hp;
    const char        *why;

    *server = (upstream_server_t) { .name = words->at[1].text, .peer = weir_source_default, .words = words };
    for (size_t i = 2; i < words->n; i++) {
        if (!upstream_server_option(server, words->at[i].text)) {
            return weir_conf_error(cf, i, "invalid parameter \"%.*s\"", WEIR_STR_ARG(words->at[i].text));
        }
        if (upstream_stands_twice(words, i)) {
            return weir_conf_error(cf, i, "\"%.*s\" of server \"%.*s\" stands a second time",
                                   WEIR_STR_ARG(words->at[i].text), WEIR_STR_ARG(server->name));
        }
    }
    if (!weir_addr_parse_hostport(hp, server->name, &why)) {
        return weir_conf_error(cf, 1, "%s in upstream \"%.*s\"", why, WEIR_STR_ARG(server->name));
    }
    if (!upstream_check_service(cf, server)) {
        return false;
    }
    if (server->service.len != 0) {
        server->addrs.n = 0;                         /* nothing is known yet */
    } else if (!upstream_resolve(cf, hp, UPSTREAM_PORT, &server->peer.addr, &server->addrs, &why)) {
        server->addrs.n = 0;
        server->is_followed = server->is_followed && !hp->is_unix && !hp->is_wildcard && hp->host.len != 0;
    } else if (server->addrs.n == 1 && upstream_is_address(hp)) {
        server->is_followed = false;                 /* nothing to be asked for */
    } else if (server->is_followed) {
        qsort(server->addrs.at, server->addrs.n, sizeof(*server->addrs.at), weir_addr_compare_ip);     /* as follow.c */
    }
    if (server->addrs.n == 0 && !server->is_followed) {
        return weir_conf_error(cf, 1, "%s in upstream \"%.*s\"", why, WEIR_STR_ARG(server->name));
    }
    *(upstream_server_t **) weir_conf_list_push(cf, field, sizeof(server)) = server;
    return true;
}

static const weir_conf_type_t upstream_type_servers = {
    .name = "server address", .size = sizeof(upstream_servers_t), .min_args = 1, .max_args = 255, .repeats = true,
    .parse = upstream_parse_server, .item = sizeof(upstream_server_t *),
};

/* -- `state` -- */

typedef struct { weir_conf_t *cf; upstream_conf_t *conf; } upstream_state_t;

static bool
upstream_state_server(void *data, const weir_str_t *words, size_t n, weir_error_t *error)
{
    const upstream_state_t *to = data;
    upstream_server_t      *server = weir_new(to->cf->arena, upstream_server_t);
    const char             *why;

    *server = (upstream_server_t) { .name = words[1], .peer = weir_source_default };
    for (size_t i = 2; i < n; i++) {
        if (!weir_upstream_read_peer(&server->peer, words[i])) {
            return weir_error_set(error, "server \"%.*s\": invalid parameter \"%.*s\"", WEIR_STR_ARG(words[1]),
                                  WEIR_STR_ARG(words[i]));
        }
    }
    if (!weir_addr_parse_hostport(&server->hp, server->name, &why) || !upstream_is_address(&server->hp)
        || !upstream_resolve(to->cf, &server->hp, UPSTREAM_PORT, &server->peer.addr, &server->addrs, &why))
    {
        return weir_error_set(error, "\"%.*s\" is no address: a file of \"state\" has addresses only",
                              WEIR_STR_ARG(words[1]));
    }
    *(upstream_server_t **) weir_conf_list_push(to->cf, &to->conf->servers, sizeof(server)) = server;
    to->conf->n_stated++;
    return true;
}

/* A file that is not there yet is an empty group's. */
static bool
upstream_parse_state(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *field)
{
    upstream_state_t to = { cf, weir_conf_own(cf, cf->block, weir_upstream_index) };
    weir_str_t       path = weir_conf_full_path(cf, words->at[1].text), bytes;
    weir_error_t     error = { .text = "" };
    weir_strs_t      found;

    for (size_t i = 0; i < path.len; i++) {
        if (strchr("*?[\\", path.at[i]) != NULL) {
            return weir_conf_invalid(cf, 1, "the path of a file, without any of *?[\\");
        }
    }
    *(weir_path_t *) field = (weir_path_t) { path };
    if (!weir_bundle_glob(cf->bundle, path, &found, &error)) {
        return weir_conf_error(cf, 1, "%s", error.text);
    }
    if (found.n == 0) {
        return true;
    }
    weir_fragment_source_read_anew(cf->bundle, path);    /* it has what changed at run time since */
    if (!weir_bundle_file(cf->bundle, path, &bytes, &error)) {
        return weir_conf_error(cf, 1, "%s", error.text);
    }
    bytes = weir_str_dup(cf->arena, bytes);      /* servers have pieces of it */
    return weir_state_file_read(bytes, upstream_state_server, &to, &error)
           || weir_conf_error(cf, 1, "\"%.*s\": %s", WEIR_STR_ARG(path), error.text);
}

static const weir_conf_type_t upstream_type_state = {
    .name = "file", .size = sizeof(weir_path_t), .min_args = 1, .max_args = 1, .parse = upstream_parse_state,
};

/* nginx shares what is known of a group's servers only where this says so; here all groups do. */
static bool
upstream_parse_zone(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                    void *field)
{
    upstream_zone_t *zone = field;

    zone->name = words->at[1].text;
    if (zone->name.len == 0) {
        return weir_conf_error(cf, 1, "invalid zone name \"\"");
    }
    return words->n == 2 || weir_conf_read_bytes(words->at[2].text, &zone->size)
           || weir_conf_invalid(cf, 2, "a size such as 64k");
}

static const weir_conf_type_t upstream_type_zone = {
    .name = "name [size]", .size = sizeof(upstream_zone_t), .min_args = 1, .max_args = 2, .parse = upstream_parse_zone,
};

static const weir_directive_t upstream_directives[] = {
    WEIR_BLOCK("upstream", WEIR_IN_UPSTREAM, .where = WEIR_IN_HTTP, .is_part = true, .block_min_args = 1,
        .block_max_args = 1, .args = "name", .help = "Defines a group of servers that proxy_pass may name."),
    WEIR_DIRECTIVE_OF(upstream_conf_t, servers, "server", &upstream_type_servers, .where = WEIR_IN_UPSTREAM,
        .args = "address [weight=number] [max_fails=number] [fail_timeout=time] [max_conns=number] [slow_start=time] "
                "[priority=number] [locality=region[/zone[/subzone]]] [backup] [down] [drain] [resolve] "
                "[service=name] [route=text]",
        .help = "Adds a server to the group: a name or address with an optional port (80), or unix:path."),
    WEIR_DIRECTIVE(upstream_conf_t, keepalive, "keepalive", .where = WEIR_IN_UPSTREAM, .dflt = "32",
        .help = "Sets how many idle connections to the group each worker keeps; 0 keeps none."),
    WEIR_DIRECTIVE(upstream_conf_t, keepalive_requests, "keepalive_requests", .where = WEIR_IN_UPSTREAM, .dflt = "1000",
        .help = "Sets after how many requests a connection to the group is closed."),
    WEIR_DIRECTIVE(upstream_conf_t, keepalive_time, "keepalive_time", .where = WEIR_IN_UPSTREAM, .dflt = "1h",
        .help = "Sets after what time a connection to the group is closed when its request has ended."),
    WEIR_DIRECTIVE(upstream_conf_t, keepalive_timeout, "keepalive_timeout", .where = WEIR_IN_UPSTREAM, .dflt = "60s",
        .help = "Sets how long an idle connection to the group is kept."),
    WEIR_DIRECTIVE_OF(upstream_conf_t, zone, "zone", &upstream_type_zone, .where = WEIR_IN_UPSTREAM,
        .help = "Says that all workers share what they know of the group's servers, as they do for every group; for "
                "configurations of nginx."),
    WEIR_DIRECTIVE_OF(upstream_conf_t, state, "state", &upstream_type_state, .where = WEIR_IN_UPSTREAM,
        .help = "Keeps the group's servers in a file, which changes with them at run time; the block has none then."),
    WEIR_DIRECTIVE(upstream_conf_t, states, "upstream_states", .where = WEIR_IN_HTTP, .dflt = "16384", .min = "64",
        .max = "1048576",
        .help = "Sets for how many upstream groups and servers there is room in the memory by which all workers judge "
                "servers together."),
    WEIR_DIRECTIVES_END
};

/* -- the lines of a block -- */

weir_source_t *
weir_upstream_declare(weir_conf_t *cf, weir_str_t name, const weir_peer_conf_t *model)
{
    upstream_conf_t *conf = weir_conf_own(cf, cf->block, weir_upstream_index);
    weir_source_t   *source;

    weir_assert(cf->block->context == WEIR_IN_UPSTREAM);
    if (conf->n_sources == UPSTREAM_SOURCES || name.len > UPSTREAM_MAX_SOURCE) {
        weir_conf_error(cf, 0, conf->n_sources == UPSTREAM_SOURCES ? "an upstream has at most 16 sources of servers"
                                                                   : "the name of a source is too long");
        return NULL;
    }
    source = weir_new(cf->arena, weir_source_t);
    *source = (weir_source_t) { .name = weir_str_dup(cf->arena, name), .model = *model };
    conf->sources[conf->n_sources++] = source;
    return source;
}

/* A server whose name is asked for again; one that stands in the hosts file has the addresses that are there, for good.
 * false: cf->error is set. */
static bool
upstream_follow_name(weir_conf_t *cf, const weir_conf_block_t *block, const upstream_server_t *server,
                     weir_follow_server_t *line)
{
    weir_name_conf_t *name = weir_new(cf->arena, weir_name_conf_t);
    weir_addrs_t      hosts = { 0 };

    *name = (weir_name_conf_t) { .host = server->hp.host, .service = server->service,
                                 .settings = weir_resolver_settings(block),
                                 .port = server->hp.has_port ? server->hp.port : UPSTREAM_PORT };
    if (name->settings->said.servers.n == 0) {
        return weir_conf_error_at(cf, &block->words,
                                  "no resolver defined to resolve the servers of upstream \"%.*s\"",
                                  WEIR_STR_ARG(block->words.at[1].text));
    }
    if (server->service.len == 0) {
        hosts = weir_names_in_hosts(cf, name);
    }
    if (hosts.n != 0) {
        line->addrs = hosts;
        return true;
    }
    line->source = weir_new(cf->arena, weir_source_t);
    *line->source = (weir_source_t) { .name = server->name, .model = server->peer, .ops = &weir_names_ops,
                                      .owner = name };
    if (server->service.len != 0) {
        line->source->name = weir_str_printf(cf->arena, "%.*s service=%.*s", WEIR_STR_ARG(server->name),
                                             WEIR_STR_ARG(server->service));
    }
    return weir_names_bind(cf, server->words, name);
}

/* Its place in shared memory: of two lines that say the same the second has another. */
static void
upstream_bind_source(weir_conf_t *cf, const weir_group_conf_t *group, const weir_follow_conf_t *follow, size_t at)
{
    weir_source_t *source = follow->servers[at].source;
    size_t         twins = 0;

    for (size_t i = 0; i < at; i++) {
        twins += follow->servers[i].source != NULL && weir_str_eq(follow->servers[i].source->name, source->name);
    }
    source->group = group;
    source->bit = at < 64 ? UINT64_C(1) << at : 0;
    source->key = weir_str_printf(cf->arena, "%.*s\x1f%.*s\x1f%zu", WEIR_STR_ARG(group->name),
                                  WEIR_STR_ARG(source->name), twins);
}

/* What is written, as what it takes to make the group anew.  NULL: cf->error is set. */
static weir_follow_conf_t *
upstream_list_servers(weir_conf_t *cf, const weir_conf_block_t *block, const upstream_conf_t *conf,
                      const weir_group_conf_t *group, bool *has_primary)
{
    weir_follow_conf_t *follow = weir_new(cf->arena, weir_follow_conf_t);
    bool                has_source = conf->n_sources != 0;

    *has_primary = has_source;
    follow->locality = weir_locality_settings(block);
    follow->servers = weir_new_n(cf->arena, weir_follow_server_t, conf->servers.n + conf->n_sources);
    for (size_t i = 0; i < conf->servers.n; i++) {
        const upstream_server_t *server = conf->servers.at[i];

        weir_follow_server_t *line = &follow->servers[follow->n++];

        *line = (weir_follow_server_t) { .model = server->peer, .server = server->name, .addrs = server->addrs };
        if (server->is_followed && !upstream_follow_name(cf, block, server, line)) {
            return NULL;
        }
        has_source = has_source || line->source != NULL;
        *has_primary = *has_primary || !server->peer.backup;
    }
    for (size_t i = 0; i < conf->n_sources; i++) {
        follow->servers[follow->n++] = (weir_follow_server_t) {
            .model = conf->sources[i]->model, .server = conf->sources[i]->name, .source = conf->sources[i],
        };
    }
    for (size_t i = 0; i < follow->n; i++) {
        follow->servers[i].model.distance = weir_locality_place(&follow->locality,
                                                                follow->servers[i].model.locality);
        if (follow->servers[i].source != NULL) {
            upstream_bind_source(cf, group, follow, i);
            follow->sources |= follow->servers[i].source->bit;
        }
    }
    follow->entries = has_source ? weir_lists_take(cf) : NULL;
    return !has_source || follow->entries != NULL ? follow : NULL;
}

/* What chooses among its peers, and by which key.  false: cf->error is set. */
static bool
upstream_choose(weir_conf_t *cf, const weir_conf_block_t *block, const upstream_servers_t *servers,
                weir_group_conf_t *group)
{
    group->balancer = NULL;
    for (size_t m = 0; m < weir_modules_count; m++) {
        const weir_upstream_module_t *module = weir_upstream_modules[m];
        const weir_template_t        *key = NULL;
        const weir_balancer_t        *chosen;

        chosen = module != NULL && module->choose != NULL
                 && block->confs[m] != NULL ? module->choose(block->confs[m], &key) : NULL;
        if (chosen == NULL) {
            continue;
        }
        if (group->balancer != NULL) {
            return weir_conf_error_at(cf, &block->words,
                                      "upstream \"%.*s\" has two ways to choose its servers: %s and %s",
                                      WEIR_STR_ARG(group->name), group->balancer->name, chosen->name);
        }
        group->balancer = chosen;
        group->key = key;
        if (module->balancing != NULL) {
            module->balancing(block->confs[m], group->balancing);
        }
    }
    if (group->balancer == NULL) {
        group->balancer = &weir_balancer_round_robin;
    }
    for (size_t i = 0; group->balancer->is_steady && i < servers->n; i++) {
        if (servers->at[i]->peer.slow_start.ms != 0) {
            return weir_conf_error_at(cf, &block->words, "server \"%.*s\" of upstream \"%.*s\" has slow_start, which "
                                      "may not be used with %s", WEIR_STR_ARG(servers->at[i]->name),
                                      WEIR_STR_ARG(group->name), group->balancer->name);
        }
    }
    return true;
}

/* What else judges its peers. */
static void
upstream_judge(const weir_conf_block_t *block, weir_group_conf_t *group)
{
    for (size_t m = 0; m < weir_modules_count; m++) {
        const weir_upstream_module_t *module = weir_upstream_modules[m];
        weir_uppolicy_conf_t            has = { .policy = NULL };

        if (module != NULL && module->stick != NULL && block->confs[m] != NULL && group->sticky == NULL) {
            group->sticky = module->stick(block->confs[m]);
        }
        if (module != NULL && module->judge != NULL && block->confs[m] != NULL) {
            has.policy = module->judge(block->confs[m], &has.settings);
        }
        if (has.policy != NULL) {
            weir_assert(group->n_policies < WEIR_POLICIES_MAX);
            group->policies[group->n_policies++] = has;
        }
    }
    if (group->panic != 0) {
        weir_assert(group->n_policies < WEIR_POLICIES_MAX);
        group->policies[group->n_policies++] = (weir_uppolicy_conf_t) { .policy = &weir_shares_policy };
    }
}

/* NULL: cf->error is set. */
static weir_group_conf_t *
upstream_group_of_block(weir_conf_t *cf, const weir_conf_block_t *block)
{
    const upstream_conf_t *conf = weir_conf_of(block, weir_upstream_index);
    weir_group_conf_t     *group = weir_new(cf->arena, weir_group_conf_t);
    weir_follow_conf_t    *follow;
    weir_locality_settings_t locality;
    bool                   has_primary;

    group->name = group->host_header = block->words.at[1].text;
    if (conf == NULL || (conf->servers.n + conf->n_sources == 0 && conf->state.text.len == 0)) {
        weir_conf_error_at(cf, &block->words, "no servers are inside upstream");
        return NULL;
    }
    if (conf->state.text.len != 0 && conf->servers.n + conf->n_sources != conf->n_stated) {
        weir_conf_error_at(cf, &block->words, "upstream \"%.*s\" has \"state\", so that its servers are in \"%.*s\": "
                           "expected no other servers in the block", WEIR_STR_ARG(group->name),
                           WEIR_STR_ARG(conf->state.text));
        return NULL;
    }
    group->state = conf->state.text;
    follow = upstream_list_servers(cf, block, conf, group, &has_primary);
    if (follow == NULL) {
        return NULL;
    }
    if (!has_primary && group->state.len == 0) {
        weir_conf_error_at(cf, &block->words, "no servers in upstream \"%.*s\"", WEIR_STR_ARG(group->name));
        return NULL;
    }
    locality = weir_locality_settings(block);
    group->overprovisioning = locality.overprovisioning;
    group->panic = locality.panic;
    group->zones = locality.zones.at;
    group->n_zones = locality.zones.n;
    group->own = locality.own;
    group->may_change = true;
    group->keepalive = conf->keepalive;
    group->keepalive_requests = conf->keepalive_requests;
    group->keepalive_time = conf->keepalive_time;
    group->keepalive_timeout = conf->keepalive_timeout;
    if (!upstream_choose(cf, block, &conf->servers, group)) {
        return NULL;
    }
    upstream_judge(block, group);
    if (follow->entries != NULL) {
        weir_source_count(group, &follow->sources);
    }
    group->states = ((const upstream_conf_t *) weir_conf_of(block->parent, weir_upstream_index))->states;
    weir_upstream_fill(cf->arena, group, follow, NULL);
    group->follow = follow->entries != NULL ? follow : NULL;
    return group;
}

/* Each would write the other's servers away. */
static bool
upstream_shares_state(weir_upstream_groups_t *groups, const weir_group_conf_t *group)
{
    return group->state.len != 0
           && weir_table_add(&groups->stated, group->state, (void *) (uintptr_t) group) != group;
}

static bool
upstream_build_block(weir_conf_t *cf, weir_upstream_groups_t *groups, const weir_conf_block_t *block)
{
    weir_str_t         name = block->words.at[1].text;
    weir_group_conf_t *group;

    if (name.len == 0 || name.len > UPSTREAM_MAX_NAME) {
        return weir_conf_error_at(cf, &block->words, "the name of an upstream has 1 to %d bytes", UPSTREAM_MAX_NAME);
    }
    group = upstream_group_of_block(cf, block);
    if (group == NULL) {
        return false;
    }
    if (weir_table_find(&groups->named, weir_str_lower(cf->arena, name)) != NULL) {
        return weir_conf_error_at(cf, &block->words, "duplicate upstream \"%.*s\"", WEIR_STR_ARG(name));
    }
    if (upstream_shares_state(groups, group)) {
        return weir_conf_error_at(cf, &block->words, "upstream \"%.*s\" has its \"state\" in \"%.*s\", where another "
                                  "upstream has its own: expected a file for each", WEIR_STR_ARG(name),
                                  WEIR_STR_ARG(group->state));
    }
    cf->words = &block->words;
    return weir_upstream_groups_add(cf, groups, weir_str_lower(cf->arena, name), false, group);
}

static bool
upstream_build(weir_conf_t *cf, weir_generation_t *generation)
{
    weir_upstream_groups_t *groups = weir_new(cf->arena, weir_upstream_groups_t);
    weir_str_t         number;

    generation->built[weir_upstream_index] = groups;
    if (!weir_upstream_groups_begin(cf, groups)) {
        return false;
    }
    if (!weir_bundle_get(cf->bundle, WEIR_STR(WEIR_UPSTREAM_CHANGES), &number)
        || !weir_str_to_u64(number, &groups->changes))
    {
        groups->changes = 0;
    }
    for (weir_conf_block_t *http = cf->root->first; http != NULL; http = http->next) {
        const upstream_conf_t *conf = weir_conf_of(http, weir_upstream_index);

        if (conf != NULL && conf->states != 0 && groups->states == 0) {
            groups->states = conf->states;
            if (!weir_states_take(cf, groups->states)) {
                return false;
            }
        }
        for (weir_conf_block_t *block = http->first; block != NULL; block = block->next) {
            if (block->context != WEIR_IN_UPSTREAM) {
                continue;
            }
            weir_conf_enter(cf, block);
            if (!upstream_build_block(cf, groups, block)) {
                return false;
            }
        }
    }
    weir_conf_leave(cf);
    return true;
}

/* -- its life in a process that serves -- */

static bool
upstream_begin(weir_life_t *life)
{
    weir_assert(life->kept[weir_upstream_index] == NULL);
    life->kept[weir_upstream_index] = weir_groups_create(life->loop);
    return true;
}

static void
upstream_adopt(weir_life_t *life, weir_generation_t *generation)
{
    const weir_upstream_groups_t *groups = generation->built[weir_upstream_index];

    weir_upstream_prune_changes(generation);
    weir_states_use(groups != NULL ? groups->states : 0);
    weir_upstream_start(generation, weir_upstream_groups(life));
}

/* Its lists are followed no more; those of the next generation are. */
static void
upstream_retire(weir_life_t *life WEIR_UNUSED, weir_generation_t *generation)
{
    weir_upstream_stop_following(generation);
}

static void
upstream_end(weir_life_t *life)
{
    weir_follow_retire_all(weir_upstream_groups(life));
    weir_groups_destroy(weir_upstream_groups(life));
    weir_states_use(0);
    life->kept[weir_upstream_index] = NULL;
}

static const struct weir_module_life upstream_life = { .begin = upstream_begin, .adopt = upstream_adopt,
                                                       .retire = upstream_retire, .end = upstream_end };


const weir_module_t weir_upstream = {
    .name = "upstream",
    .life = &upstream_life,
    .area = "Upstreams",
    .conf_size = sizeof(upstream_conf_t),
    .directives = upstream_directives,
    .build = upstream_build,
    .record = weir_upstream_groups_record,
    .zone_kinds = weir_states_kinds,
};

/* -- asking for groups -- */

/* "host:port", with the brackets of an IPv6 address; the port always or only when it is not the usual one. */
static weir_str_t
upstream_authority(weir_conf_t *cf, const weir_hostport_t *hp, uint16_t port, uint16_t default_port)
{
    const char *open = hp->is_v6_literal ? "[" : "", *close = hp->is_v6_literal ? "]" : "";

    if (hp->is_unix) {
        return weir_str_printf(cf->arena, "unix:%.*s", WEIR_STR_ARG(hp->host));
    }
    if (port == default_port) {
        return weir_str_printf(cf->arena, "%s%.*s%s", open, WEIR_STR_ARG(hp->host), close);
    }
    return weir_str_printf(cf->arena, "%s%.*s%s:%u", open, WEIR_STR_ARG(hp->host), close, (unsigned) port);
}

/* Of no server, though one names it first: it lies in a part of its own.  NULL: cf->error is set. */
static weir_group_conf_t *
upstream_imply(weir_conf_t *cf, const weir_upstream_groups_t *groups, weir_str_t authority, const weir_hostport_t *hp,
               uint16_t default_port)
{
    weir_group_conf_t *group = weir_new(cf->arena, weir_group_conf_t);
    uint16_t           port = hp->has_port ? hp->port : default_port;
    weir_addrs_t       addrs;
    const char        *why;

    if (!upstream_resolve(cf, hp, default_port, weir_new(cf->arena, weir_addr_t), &addrs, &why)) {
        weir_conf_error(cf, 1, "%s in upstream \"%.*s\"", why, WEIR_STR_ARG(authority));
        return NULL;
    }
    group->name = upstream_authority(cf, hp, port, 0);
    group->host_header = hp->is_unix ? WEIR_STR("localhost") : upstream_authority(cf, hp, port, default_port);
    group->peers = weir_new_n(cf->arena, weir_peer_conf_t, addrs.n);
    weir_fill_addrs(cf->arena, group, &weir_source_default, group->name, addrs);
    group->balancer = &weir_balancer_round_robin;
    group->states = groups->states;
    group->digest = weir_fill_digest(group);
    weir_fill_rows(cf->arena, group);
    return group;
}

weir_group_t *
weir_upstream_attach_addrs(weir_groups_t *groups, weir_arena_t *arena, weir_group_conf_t *conf, weir_str_t name,
                           weir_str_t host_header,
                           const weir_addr_t *addrs, size_t n)
{
    *conf = (weir_group_conf_t) { .name = name, .host_header = host_header, .balancer = &weir_balancer_round_robin };
    conf->peers = weir_new_n(arena, weir_peer_conf_t, n);
    weir_fill_addrs(arena, conf, &weir_source_default, name,
                       (weir_addrs_t) { (weir_addr_t *) (uintptr_t) addrs, n });
    conf->digest = weir_fill_digest(conf);
    return weir_group_attach(groups, conf);
}

weir_group_t *
weir_upstream_attach_alone(weir_groups_t *groups, const weir_peer_t *peer, uint16_t port, weir_msec_t keepalive_time)
{
    static const weir_msec_t for_ever = { UINT32_MAX };
    const weir_group_conf_t *of = weir_group_conf(peer->group);
    weir_group_conf_t conf = { .host_header = of->host_header, .balancer = &weir_balancer_round_robin };
    weir_addr_t addr = peer->conf->addr;
    weir_arena_t scratch;
    weir_group_t *alone;

    weir_arena_init(&scratch, UPSTREAM_SCRATCH);
    if (port != 0 && !weir_addr_is_unix(&addr)) {
        weir_addr_set_port(&addr, port);
    }
    conf.name = weir_str_printf(&scratch, "%c%.*s%c%.*s%c%u", WEIR_STATS_SEPARATOR, WEIR_STR_ARG(of->name),
                                WEIR_STATS_SEPARATOR, WEIR_STR_ARG(peer->conf->text), WEIR_STATS_SEPARATOR,
                                (unsigned) port);
    conf.peers = weir_new(&scratch, weir_peer_conf_t);
    weir_fill_addrs(&scratch, &conf, &weir_source_default, peer->conf->server, (weir_addrs_t) { &addr, 1 });
    if (keepalive_time.ms != 0) {
        conf.keepalive = 1;
        conf.keepalive_requests = UINT32_MAX;
        conf.keepalive_time = keepalive_time;
        conf.keepalive_timeout = for_ever;
    }
    conf.digest = weir_fill_digest(&conf);
    conf.settings = 0;                               /* no other list of peers comes into its place */
    alone = weir_group_attach(groups, &conf);
    weir_arena_fini(&scratch);
    return alone;
}

weir_group_conf_t *
weir_upstream_for(weir_conf_t *cf, weir_generation_t *generation, weir_str_t authority, uint16_t default_port)
{
    weir_upstream_groups_t *groups = generation->built[weir_upstream_index];
    weir_group_conf_t *group = weir_upstream_find(generation, authority), *known;
    weir_hostport_t    hp;
    weir_str_t         key, fragment;
    const char        *why;

    weir_assert(groups != NULL);
    if (group != NULL) {
        return group;
    }
    if (!weir_addr_parse_hostport(&hp, authority, &why)) {
        weir_conf_error(cf, 1, "%s in upstream \"%.*s\"", why, WEIR_STR_ARG(authority));
        return NULL;
    }
    if (hp.has_port && weir_upstream_find(generation, hp.host) != NULL) {
        weir_conf_error(cf, 1, "upstream \"%.*s\" may not have port %u", WEIR_STR_ARG(hp.host), (unsigned) hp.port);
        return NULL;
    }

    if (weir_fragment_source_lacks_group(cf->bundle, authority, &fragment)) {
        weir_str_t last = cf->words->at[cf->words->n - 1].text;      /* of a location or route: which it is */

        weir_conf_error(cf, 1, "upstream \"%.*s\" of fragment \"%.*s\" is used by \"%.*s %.*s\"",
                        WEIR_STR_ARG(authority), WEIR_STR_ARG(fragment), WEIR_STR_ARG(cf->words->at[0].text),
                        (int) weir_min(last.len, (size_t) 100), last.at);
        return NULL;
    }
    key = weir_str_printf(cf->arena, "%.*s %u %u", WEIR_STR_ARG(upstream_authority(cf, &hp, 0, 0)),
                          (unsigned) (hp.has_port ? hp.port : default_port), (unsigned) default_port);
    known = weir_table_find(&groups->implied, key);
    if (known != NULL) {
        return known;
    }
    group = upstream_imply(cf, groups, authority, &hp, default_port);
    return group != NULL && weir_upstream_groups_add(cf, groups, key, true, group) ? group : NULL;
}
