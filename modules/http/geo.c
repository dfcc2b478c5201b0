/*
 * geo.c - `geo [$address] $variable { … }`: a variable made from an address: the value of the smallest network that has
 * it.
 *
 * Networks of one prefix length are one hash table, so a look-up costs one probe for each length that is there,
 * whatever the number of networks.  With `ranges` the table is a row of ranges that do not overlap, in order, and the
 * look-up is a binary search.  Made at load; looked at in workers, once per request and variable; nothing is allocated
 * then.
 */
#include "http/module.h"

#include "base/table.h"
#include "http/route/captures.h"
#include "http/guard/forwarded.h"
#include "http/vars/uri_text.h"

#include <arpa/inet.h>
#include <string.h>

#define GEO_LENGTHS (1 + 32 + 1 + 128)       /* of IPv4, then of IPv6 */
#define GEO_V6      (1 + 32)

/* from, to: of a range, in host order */
typedef struct { weir_str_t text; bool is_deleted; uint32_t from, to; } geo_value_t;

typedef struct {
    weir_http_definition_t definition;
    const weir_template_t *source;           /* NULL: the client's address */
    weir_table_t           networks[GEO_LENGTHS];    /* geo_value_t, by the prefix' bytes */
    weir_cidrs_t           proxies;
    bool                   recursive, has_ranges, has_networks;
    struct { geo_value_t *at; size_t n; } ranges;
    weir_str_t             otherwise;
    bool                   otherwise_set;
} geo_t;

/* -- a request -- */

static const geo_value_t *
geo_find_network(const geo_t *geo, const uint8_t *address, unsigned first, unsigned bits)
{
    uint8_t key[16];

    weir_assert(first + bits < GEO_LENGTHS);
    memcpy(key, address, first == 0 ? 4 : 16);
    for (unsigned length = bits; ; length--) {
        const weir_table_t *table = &geo->networks[first + length];
        const geo_value_t  *value;

        if (length % 8 != 0) {
            key[length / 8] &= (uint8_t) (0xff00u >> length % 8);
        } else if (length < bits) {
            key[length / 8] = 0;
        }
        value = table->n != 0 ? weir_table_find(table, weir_str((const char *) key, (length + 7) / 8)) : NULL;
        if ((value != NULL && !value->is_deleted) || length == 0) {
            return value != NULL && !value->is_deleted ? value : NULL;
        }
    }
}

/* The first range that ends at this address, or behind it. */
static size_t
geo_range_at(const geo_t *geo, uint32_t address)
{
    size_t from = 0, to = geo->ranges.n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (geo->ranges.at[middle].to < address) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static const geo_value_t *
geo_find_range(const geo_t *geo, uint32_t address)
{
    size_t at = geo_range_at(geo, address);

    return at < geo->ranges.n && geo->ranges.at[at].from <= address ? &geo->ranges.at[at] : NULL;
}

static bool
geo_is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

    return memcmp(address, prefix, sizeof(prefix)) == 0;
}

static const geo_value_t *
geo_find(const geo_t *geo, const weir_addr_t *addr)
{
    const uint8_t *v4 = NULL, *v6 = NULL;
    uint32_t       number;

    if (addr->any.sa_family == AF_INET6) {
        v6 = (const uint8_t *) &addr->v6.sin6_addr;
        v4 = geo_is_mapped(v6) ? v6 + 12 : NULL;
    } else if (addr->any.sa_family == AF_INET) {
        v4 = (const uint8_t *) &addr->v4.sin_addr;
    }
    if (geo->has_ranges) {
        memcpy(&number, v4 != NULL ? v4 : (const uint8_t *) "\377\377\377\377", 4);
        return geo_find_range(geo, ntohl(number));
    }
    return v4 != NULL ? geo_find_network(geo, v4, 0, 32) : v6 != NULL ? geo_find_network(geo, v6, GEO_V6, 128) : NULL;
}

/* text: what source makes.  One that is no address is 255.255.255.255. */
static weir_addr_t
geo_address(const geo_t *geo, weir_request_t *req, weir_str_t text)
{
    weir_addr_t addr = weir_addr_from_endpoint(&req->client->addr);
    weir_str_t  list;

    if (geo->source != NULL && !weir_addr_from_ip(&addr, text, 0)) {
        weir_assert(weir_addr_from_ip(&addr, WEIR_STR("255.255.255.255"), 0));
    }
    if (geo->proxies.n != 0) {
        list = weir_fields_join(&req->head.fields, WEIR_STR("X-Forwarded-For"), &req->arena);
        (void) weir_forwarded_addr(&addr, list, &geo->proxies, geo->recursive);
    }
    return addr;
}

static weir_str_t
geo_value(const geo_t *geo, weir_request_t *req, weir_str_t text)
{
    const weir_addr_t  addr = geo_address(geo, req, text);
    const geo_value_t *found = geo_find(geo, &addr);

    return found != NULL ? found->text : geo->otherwise;
}

static bool
geo_get(const void *data, weir_request_t *req, weir_str_t *value)
{
    const geo_t *geo = data;
    weir_str_t   text = geo->source != NULL ? weir_request_eval(req, geo->source) : WEIR_STR_NONE, other;

    *value = geo_value(geo, req, text);
    other = geo->source != NULL ? weir_uri_text_plain(req, geo->source) : text;
    if (weir_unlikely(!weir_str_eq(text, other)) && !weir_str_eq(*value, geo_value(geo, req, other))) {
        weir_request_value_failed(req, WEIR_CAUSE_CLIENT_TARGET);      /* as with map: it decides about nothing */
    }
    return true;
}

/* -- reading -- */

static bool
geo_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    geo_t *geo = weir_new(cf->arena, geo_t);
    size_t name = words->n - 1;

    geo->otherwise = WEIR_STR("");
    if (words->n == 3) {
        geo->source = weir_conf_template(cf, 1, words->at[1].text);
        if (geo->source == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < GEO_LENGTHS; i++) {
        weir_table_init(&geo->networks[i], cf->arena);
    }
    geo->definition = (weir_http_definition_t) { .get = geo_get, .data = geo,
                                                 .subject = geo->source != NULL ? WEIR_OF_NONE : WEIR_OF_CONNECTION };
    if (!weir_http_define(cf, name, words->at[name].text, &geo->definition)) {
        return false;
    }
    weir_template_makes(geo->source, cf->vars, geo->definition.slot);
    block->owner = geo;
    return true;
}

static bool
geo_put_network(weir_conf_t *cf, geo_t *geo, const weir_cidr_t *cidr, const geo_value_t *value)
{
    weir_table_t *table = &geo->networks[(cidr->family == AF_INET ? 0 : GEO_V6) + cidr->bits];
    weir_str_t    key = weir_str_dup(cf->arena, weir_str((const char *) cidr->address, (cidr->bits + 7u) / 8));
    geo_value_t  *mine = weir_new(cf->arena, geo_value_t), *have;

    weir_assert(cidr->bits <= (cidr->family == AF_INET ? 32 : 128));
    if (value->is_deleted) {
        have = weir_table_find(table, key);
        if (have == NULL) {
            weir_conf_warn(cf, 1, "no network \"%.*s\" to delete", WEIR_STR_ARG(cf->words->at[1].text));
        } else {
            have->is_deleted = true;
        }
        return true;
    }
    *mine = *value;
    have = weir_table_add(table, key, mine);
    if (have != mine) {
        if (!have->is_deleted && !weir_str_eq(have->text, value->text)) {
            weir_conf_warn(cf, 0, "duplicate network \"%.*s\", value: \"%.*s\", old value: \"%.*s\"",
                           WEIR_STR_ARG(cf->words->at[0].text),
                           WEIR_STR_ARG(value->text), WEIR_STR_ARG(have->text));
        }
        *have = *value;
    }
    return true;
}

static bool
geo_read_v4(weir_str_t text, uint32_t *number)
{
    weir_addr_t addr;

    if (!weir_addr_from_ip(&addr, text, 0) || addr.any.sa_family != AF_INET) {
        return false;
    }
    *number = ntohl(addr.v4.sin_addr.s_addr);
    return true;
}

/* n entries in the place of the `old` ones at `at`. */
static void
geo_replace(weir_conf_t *cf, geo_t *geo, size_t at, size_t old, const geo_value_t *entries, size_t n)
{
    size_t before = geo->ranges.n;

    weir_assert(at + old <= geo->ranges.n);
    for (size_t i = old; i < n; i++) {
        (void) weir_conf_list_push(cf, &geo->ranges, sizeof(geo_value_t));
    }
    if (before > at + old) {
        memmove(geo->ranges.at + at + n, geo->ranges.at + at + old, (before - at - old) * sizeof(geo_value_t));
    }
    if (n != 0) {
        memcpy(geo->ranges.at + at, entries, n * sizeof(*entries));
    }
    geo->ranges.n = before + n - old;
}

/* A range may lie within one that is there, and holds for its part then; it may not overlap one otherwise. */
static bool
geo_put_range(weir_conf_t *cf, geo_t *geo, weir_str_t text, size_t word, const geo_value_t *value)
{
    size_t      at = geo_range_at(geo, value->from), n = 0;
    geo_value_t pieces[3], outer;
    bool        overlaps = at < geo->ranges.n && geo->ranges.at[at].from <= value->to;
    bool        is_same = overlaps && geo->ranges.at[at].from == value->from && geo->ranges.at[at].to == value->to;

    weir_assert(value->from <= value->to);
    if (value->is_deleted) {
        if (!is_same) {
            weir_conf_warn(cf, word, "no address range \"%.*s\" to delete", WEIR_STR_ARG(text));
            return true;
        }
        geo_replace(cf, geo, at, 1, pieces, 0);
        return true;
    }
    if (!overlaps) {
        geo_replace(cf, geo, at, 0, value, 1);
        return true;
    }
    outer = geo->ranges.at[at];
    if (value->from < outer.from || value->to > outer.to) {
        return weir_conf_error(cf, word, "range \"%.*s\" overlaps another", WEIR_STR_ARG(text));
    }
    if (is_same && !weir_str_eq(outer.text, value->text)) {
        weir_conf_warn(cf, word, "duplicate range \"%.*s\", value: \"%.*s\", old value: \"%.*s\"", WEIR_STR_ARG(text),
                       WEIR_STR_ARG(value->text),
                       WEIR_STR_ARG(outer.text));
    }
    if (outer.from < value->from) {
        pieces[n] = outer;
        pieces[n++].to = value->from - 1;
    }
    pieces[n++] = *value;
    if (outer.to > value->to) {
        pieces[n] = outer;
        pieces[n++].from = value->to + 1;
    }
    geo_replace(cf, geo, at, 1, pieces, n);
    return true;
}

static bool
geo_range_line(weir_conf_t *cf, geo_t *geo, weir_str_t text, size_t word, geo_value_t *value)
{
    weir_str_t from, to;

    if (!weir_str_cut(text, '-', &from, &to) || !geo_read_v4(from, &value->from) || !geo_read_v4(to, &value->to)
        || value->from > value->to)
    {
        return weir_conf_error(cf, word, "invalid range \"%.*s\"", WEIR_STR_ARG(text));
    }
    return geo_put_range(cf, geo, text, word, value);
}

static bool
geo_network_line(weir_conf_t *cf, geo_t *geo, weir_str_t text, size_t word, const geo_value_t *value)
{
    weir_cidr_t        cidr;
    weir_cidr_result_t result = weir_cidr_parse(&cidr, text);

    if (result == WEIR_CIDR_BAD || (cidr.family != AF_INET && cidr.family != AF_INET6)) {
        return weir_conf_error(cf, word, "invalid network \"%.*s\"", WEIR_STR_ARG(text));
    }
    if (result == WEIR_CIDR_LOW_BITS) {
        weir_conf_warn(cf, word, "low address bits of %.*s are meaningless", WEIR_STR_ARG(text));
    }
    geo->has_networks = true;
    return geo_put_network(cf, geo, &cidr, value);
}

static bool
geo_flag(weir_conf_t *cf, geo_t *geo, weir_str_t name)
{
    if (weir_str_eq(name, WEIR_STR("volatile"))) {
        geo->definition.is_volatile = true;
        return true;
    }
    if (weir_str_eq(name, WEIR_STR("proxy_recursive"))) {
        geo->recursive = true;
        return true;
    }
    if (!weir_str_eq(name, WEIR_STR("ranges"))) {
        return weir_conf_error(cf, 0, "invalid number of the geo parameters");
    }
    if (geo->has_networks || geo->has_ranges) {
        return weir_conf_error(cf, 0, "the \"ranges\" directive must be the first directive inside \"geo\" block");
    }
    geo->has_ranges = true;
    return true;
}

static bool
geo_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    geo_t      *geo = block->owner;
    weir_str_t  name = words->at[0].text;
    geo_value_t value = { .is_deleted = false };
    size_t      word = 0;

    if (words->n == 1) {
        return geo_flag(cf, geo, name);
    }
    if (words->n != 2) {
        return weir_conf_error(cf, 0, "invalid number of the geo parameters");
    }
    if (weir_str_eq(name, WEIR_STR("proxy"))) {
        return weir_forwarded_read_trusted(cf, 1, &geo->proxies);
    }
    if (weir_str_eq(name, WEIR_STR("default"))) {
        if (geo->otherwise_set && !weir_str_eq(geo->otherwise, words->at[1].text)) {
            return weir_conf_error(cf, 0, "duplicate default geo parameter");
        }
        geo->otherwise = weir_str_dup(cf->arena, words->at[1].text);
        geo->otherwise_set = true;
        return true;
    }
    value.text = weir_str_dup(cf->arena, words->at[1].text);
    if (weir_str_eq(name, WEIR_STR("delete"))) {
        value = (geo_value_t) { .is_deleted = true };
        word = 1;
        name = words->at[1].text;
    }
    return geo->has_ranges ? geo_range_line(cf, geo, name, word, &value)
           : geo_network_line(cf, geo, name, word, &value);
}

static const weir_directive_t geo_directives[] = {
    WEIR_BLOCK("geo", WEIR_IN_DATA, .where = WEIR_IN_HTTP, .args = "[$address] $variable", .block_min_args = 1,
               .block_max_args = 2,
               .opened = geo_opened, .line = geo_line,
               .help = "Makes a variable from an address: each line is a network and its value."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_geo = {
    .name = "http_geo",
    .area = "Variables",
    .directives = geo_directives,
};
