/*
 * resolver.c - see resolver.h.  Read at load; the stubs live in workers, one for each set of servers, for as long as
 * the worker.
 */
#include "upstream/resolver.h"

#include "base/dns.h"
#include "base/mem.h"
#include "upstream/running.h"

#include <string.h>

#define RESOLVER_PORT   53
#define RESOLVER_STALE  86400000         /* ms (RFC 8767 §5: one to three days) */
#define RESOLVER_SEARCH 6                /* domains, as the system's resolver has */
#define RESOLVER_NDOTS  15

extern const size_t weir_resolver_module_index;

typedef struct { weir_resolver_settings_t settings; } resolver_conf_t;

static bool
resolver_add_server(weir_conf_t *cf, size_t word, weir_resolver_conf_t *conf)
{
    weir_str_t text = cf->words->at[word].text;
    weir_hostport_t hp;
    weir_addrs_t found;
    weir_addr_t one;
    const char *hint;
    weir_error_t error = { .text = "" };

    if (!weir_addr_parse_hostport(&hp, text, &hint) || hp.is_unix || hp.is_wildcard || hp.host.len == 0) {
        return weir_conf_invalid(cf, word, "the address of a name server");
    }
    uint16_t port = hp.has_port ? hp.port : RESOLVER_PORT;
    if (weir_addr_from_ip(&one, hp.host, port)) {
        found = (weir_addrs_t) { &one, 1 };
    } else if (!weir_bundle_resolve(cf->bundle, hp.host, &found, &error) || found.n == 0) {
        return weir_conf_error(cf, word, "host not found in resolver \"%.*s\"", WEIR_STR_ARG(text));
    }
    weir_addr_t *grown = weir_new_n(cf->arena, weir_addr_t, conf->n + found.n);
    if (conf->n != 0) {
        memcpy(grown, conf->servers, conf->n * sizeof(*grown));
    }
    for (size_t i = 0; i < found.n; i++) {
        grown[conf->n] = found.at[i];
        weir_addr_set_port(&grown[conf->n++], port);
    }
    conf->servers = grown;
    return true;
}

/* search=on|off|DOMAIN[,DOMAIN…] */
static bool
resolver_search(weir_conf_t *cf, size_t word, weir_str_t value, weir_resolver_said_t *said)
{
    weir_str_t domain;
    size_t     n = 1;

    said->searches_system = said->uses_system_ndots = weir_str_eq(value, WEIR_STR("on"));
    said->search = (weir_strs_t) { 0 };
    if (said->searches_system || weir_str_eq(value, WEIR_STR("off"))) {
        return true;
    }
    for (size_t i = 0; i < value.len; i++) {
        n += value.at[i] == ',';
    }
    said->search.at = weir_new_n(cf->arena, weir_str_t, n);
    for (bool more = true; more; ) {
        more = weir_str_cut(value, ',', &domain, &value);
        if (!weir_dns_is_name(domain) || said->search.n == RESOLVER_SEARCH) {
            return weir_conf_invalid(cf, word, "search=on, search=off or search= with one to six domains and commas "
                                     "between them");
        }
        said->search.at[said->search.n++] = domain;
    }
    return true;
}

static bool
resolver_flag(weir_conf_t *cf, size_t word, weir_str_t name, weir_str_t value, weir_resolver_conf_t *conf)
{
    bool *which = weir_str_eq(name, WEIR_STR("ipv4")) ? &conf->ipv4 : weir_str_eq(name, WEIR_STR("ipv6")) ? &conf->ipv6
                  : weir_str_eq(name, WEIR_STR("mixed_case")) ? &conf->keeps_case : NULL;

    if (which == NULL || (!weir_str_eq(value, WEIR_STR("on")) && !weir_str_eq(value, WEIR_STR("off")))) {
        return weir_conf_invalid(cf, word, "an address, valid=TIME, stale=TIME, ipv4=on|off, ipv6=on|off, "
                                 "search=on|off|DOMAIN, ndots=N or mixed_case=on|off");
    }
    *which = weir_str_eq(value, WEIR_STR("on"));
    return true;
}

static bool
resolver_option(weir_conf_t *cf, size_t word, weir_resolver_said_t *said, bool *is_option)
{
    weir_resolver_conf_t *conf = &said->servers;
    weir_str_t name, value;

    *is_option = weir_str_cut(cf->words->at[word].text, '=', &name, &value);
    if (!*is_option) {
        return true;
    }
    if (weir_str_eq(name, WEIR_STR("valid"))) {
        return (weir_conf_read_msec(value, &conf->valid) && conf->valid.ms != 0)
               || weir_conf_invalid(cf, word, "a time such as valid=30s");
    }
    if (weir_str_eq(name, WEIR_STR("stale"))) {
        return weir_conf_read_msec(value, &conf->stale) || weir_conf_invalid(cf, word, "a time such as stale=1h");
    }
    if (weir_str_eq(name, WEIR_STR("search"))) {
        return resolver_search(cf, word, value, said);
    }
    if (weir_str_eq(name, WEIR_STR("ndots"))) {
        said->uses_system_ndots = false;
        return (weir_conf_read_u32(value, &said->ndots) && said->ndots <= RESOLVER_NDOTS)
               || weir_conf_invalid(cf, word, "a number from 0 to 15");
    }
    if (weir_str_eq(name, WEIR_STR("status_zone")) && value.len != 0) {
        weir_conf_warn(cf, word,
                       "\"status_zone\" of \"resolver\" is accepted and has no effect: questions to name servers are "
                       "not counted");
        return true;
    }
    return resolver_flag(cf, word, name, value, conf);
}

static bool
resolver_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_resolver_said_t *said = field;
    bool is_option;

    (void) row;
    *said = (weir_resolver_said_t) { .servers = { .ipv4 = true, .ipv6 = true, .keeps_case = true,
                                                  .stale = { RESOLVER_STALE } },
                                     .ndots = 1, .searches_system = true };
    for (size_t i = 1; i < words->n; i++) {
        if (!resolver_option(cf, i, said, &is_option)
            || (!is_option && !resolver_add_server(cf, i, &said->servers)))
        {
            return false;
        }
    }
    if (!said->servers.ipv4 && !said->servers.ipv6) {
        return weir_conf_error(cf, 0, "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
    }
    return said->servers.n != 0 || weir_conf_error(cf, 0, "no name servers defined");
}

static const weir_conf_type_t resolver_type = {
    .name = "address... [valid=time] [stale=time] [ipv4=on|off] [ipv6=on|off] [search=on|off|domain,...] "
            "[ndots=number] [mixed_case=on|off]",
    .size = sizeof(weir_resolver_said_t), .min_args = 1, .max_args = 255, .parse = resolver_parse,
};

static const weir_directive_t resolver_directives[] = {
    WEIR_DIRECTIVE_OF(resolver_conf_t, settings.said, "resolver", &resolver_type,
                      .where = WEIR_IN_ANY | WEIR_IN_UPSTREAM,
                      .help = "Names the servers that are asked for host names while Weir runs: for proxy_pass with "
                              "variables and servers marked resolve."),
    WEIR_DIRECTIVE(resolver_conf_t, settings.timeout, "resolver_timeout", .where = WEIR_IN_ANY | WEIR_IN_UPSTREAM,
                   .dflt = "30s", .min = "1ms",
                   .help = "Limits how long a request waits for the address of a host name."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_resolver_module = {
    .name = "resolver_module",
    .area = "Upstreams",
    .conf_size = sizeof(resolver_conf_t),
    .directives = resolver_directives,
};

const weir_resolver_settings_t *
weir_resolver_settings(const weir_conf_block_t *block)
{
    const resolver_conf_t *conf = weir_conf_of(block, weir_resolver_module_index);

    if (block->context == WEIR_IN_UPSTREAM && (conf == NULL
                                               || !weir_conf_is_set(block, weir_resolver_module_index, "resolver")))
    {
        conf = weir_conf_of(block->parent, weir_resolver_module_index);
    }
    return &conf->settings;
}

/* -- in a worker -- */

struct weir_resolver_link { struct weir_resolver_link *next; weir_resolver_t *resolver; };

weir_resolver_t *
weir_resolver_of(weir_groups_t *groups, const weir_resolver_conf_t *servers)
{
    struct weir_resolver_link *link, **list = weir_groups_resolvers(groups);

    for (link = *list; link != NULL; link = link->next) {
        if (weir_resolver_is(link->resolver, servers)) {
            return link->resolver;
        }
    }
    link = weir_mem_need(sizeof(*link));
    link->resolver = weir_resolver_create(weir_groups_loop(groups), servers);
    link->next = *list;
    *list = link;
    return link->resolver;
}

void
weir_resolvers_free(struct weir_resolver_link *list)
{
    while (list != NULL) {
        struct weir_resolver_link *next = list->next;

        weir_resolver_destroy(list->resolver);
        weir_mem_free(list);
        list = next;
    }
}
