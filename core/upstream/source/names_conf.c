/*
 * names_conf.c - see names.h: what a name that is followed is asked for as, and what this machine's own files say of
 * it.  Runs at load time; the files are in the bundle, so that every worker reads the same.
 */
#include "base/dns.h"
#include "upstream/names.h"

#define NAMES_HOSTS   "/etc/hosts"
#define NAMES_RESOLV  "/etc/resolv.conf"
#define NAMES_SEARCH  6                      /* domains that are taken from it */
#define NAMES_NDOTS   15
#define NAMES_HOSTS_N 64                     /* addresses of one name there */

/* The next word of a line; false: there is none. */
static bool
names_word(weir_str_t *line, weir_str_t *word)
{
    size_t n = 0;

    *line = weir_str_trim(*line);
    while (n < line->len && line->at[n] != ' ' && line->at[n] != '\t' && line->at[n] != '\r') {
        n++;
    }
    *word = weir_str(line->at, n);
    *line = weir_str_skip(*line, n);
    return n != 0;
}

/* The next line without its comment; false: there is none. */
static bool
names_line(weir_str_t *text, weir_str_t *line)
{
    weir_str_t rest;

    if (text->len == 0) {
        return false;
    }
    (void) weir_str_cut(*text, '\n', line, text);
    (void) weir_str_cut(*line, '#', line, &rest);
    (void) weir_str_cut(*line, ';', line, &rest);
    return true;
}

/* -- the hosts file -- */

static bool
names_line_has(weir_str_t line, weir_str_t host)
{
    weir_str_t word;

    while (names_word(&line, &word)) {
        if (weir_str_eq_fold(word, host)) {
            return true;
        }
    }
    return false;
}

weir_addrs_t
weir_names_in_hosts(weir_conf_t *cf, const weir_name_conf_t *name)
{
    const weir_resolver_conf_t *kinds = &name->settings->said.servers;
    weir_addrs_t found = { weir_new_n(cf->arena, weir_addr_t, NAMES_HOSTS_N), 0 };
    weir_str_t   text, line, word;
    weir_error_t error = { .text = "" };
    weir_addr_t  addr;

    if (!weir_bundle_file(cf->bundle, WEIR_STR(NAMES_HOSTS), &text, &error)) {
        return found;
    }
    while (found.n < NAMES_HOSTS_N && names_line(&text, &line)) {
        if (names_word(&line, &word) && names_line_has(line, name->host) && weir_addr_from_ip(&addr, word, name->port)
            && (addr.any.sa_family == AF_INET ? kinds->ipv4 : kinds->ipv6))
        {
            found.at[found.n++] = addr;
        }
    }
    return found;
}

/* -- what is asked for -- */

/* The search list of this machine, and its ndots. */
static void
names_read_system(weir_conf_t *cf, weir_strs_t *search, uint32_t *ndots)
{
    weir_str_t   text, line, word, value;
    weir_error_t error = { .text = "" };

    *search = (weir_strs_t) { .at = weir_new_n(cf->arena, weir_str_t, NAMES_SEARCH) };
    *ndots = 1;
    if (!weir_bundle_file(cf->bundle, WEIR_STR(NAMES_RESOLV), &text, &error)) {
        return;
    }
    while (names_line(&text, &line)) {
        if (!names_word(&line, &word)) {
            continue;
        }
        if (weir_str_eq(word, WEIR_STR("search")) || weir_str_eq(word, WEIR_STR("domain"))) {
            search->n = 0;                           /* the last of them counts, resolv.conf(5) */
            while (search->n < NAMES_SEARCH && names_word(&line, &word)) {
                if (weir_dns_is_name(word)) {
                    search->at[search->n++] = weir_str_dup(cf->arena, word);
                }
            }
        } else if (weir_str_eq(word, WEIR_STR("options"))) {
            while (names_word(&line, &word)) {
                if (weir_str_starts(word, WEIR_STR("ndots:"))) {
                    value = weir_str_skip(word, 6);
                    *ndots = weir_conf_read_u32(value, ndots) ? (uint32_t) weir_min(*ndots, (uint32_t) NAMES_NDOTS) : 1;
                }
            }
        }
    }
}

/* A text without dots is a service over TCP; one with dots stands as it is. */
static weir_str_t
names_prefix(weir_conf_t *cf, weir_str_t service)
{
    if (service.len == 0) {
        return WEIR_STR("");
    }
    return weir_str_find(service, '.') != NULL ? weir_str_printf(cf->arena, "%.*s.", WEIR_STR_ARG(service))
                                               : weir_str_printf(cf->arena, "_%.*s._tcp.", WEIR_STR_ARG(service));
}

static bool
names_add(weir_conf_t *cf, const weir_conf_words_t *words, weir_name_conf_t *name, weir_str_t domain)
{
    weir_str_t prefix = names_prefix(cf, name->service), host = name->host;
    weir_str_t asked = weir_str_printf(cf->arena, "%.*s%.*s%s%.*s", WEIR_STR_ARG(prefix), WEIR_STR_ARG(host),
                                       domain.len != 0 ? "." : "", WEIR_STR_ARG(domain));

    if (weir_dns_is_name(asked)) {
        name->asked.at[name->asked.n++] = asked;
        return true;
    }
    return domain.len != 0                           /* too long with that domain: it is not in it */
           || weir_conf_error_at(cf, words, "\"%.*s\" is no name that a name server can be asked for",
                                 WEIR_STR_ARG(asked));
}

bool
weir_names_bind(weir_conf_t *cf, const weir_conf_words_t *words, weir_name_conf_t *name)
{
    const weir_resolver_said_t *said = &name->settings->said;
    weir_strs_t search = said->search;
    uint32_t    ndots = said->ndots, system_ndots, dots = 0;
    bool        is_absolute = name->host.len != 0 && name->host.at[name->host.len - 1] == '.';

    for (size_t i = 0; i < name->host.len; i++) {
        dots += name->host.at[i] == '.';
    }
    if (said->searches_system) {
        names_read_system(cf, &search, &system_ndots);
        ndots = said->uses_system_ndots ? system_ndots : ndots;
    }
    name->asked = (weir_strs_t) { .at = weir_new_n(cf->arena, weir_str_t, search.n + 1) };
    for (size_t i = 0; i < search.n && !is_absolute && dots < ndots; i++) {
        (void) names_add(cf, words, name, search.at[i]);
    }
    return names_add(cf, words, name, WEIR_STR_NONE);
}
