/*
 * listen.c - see listen.h.
 */
#include "serve/listen.h"

#include "base/array.h"
#include "base/buf.h"

#include <string.h>

/* -- addresses -- */

/* "80-90" or "host:80-90": the text of the first port alone, and the last port; false: this is no range. */
static bool
listen_cut_range(weir_str_t text, weir_str_t *first, weir_str_t *last)
{
    const char *end = text.at + text.len, *dash = end, *colon;

    while (dash > text.at && dash[-1] >= '0' && dash[-1] <= '9') {
        dash--;
    }
    if (dash == text.at || dash == end || *--dash != '-' || weir_str_starts(text, WEIR_STR("unix:"))) {
        return false;
    }
    for (colon = dash; colon > text.at && colon[-1] >= '0' && colon[-1] <= '9'; colon--) { }
    if (colon == dash || (colon != text.at && colon[-1] != ':')) {
        return false;
    }
    *first = weir_str(text.at, (size_t) (dash - text.at));
    *last = weir_str(dash + 1, (size_t) (end - dash - 1));
    return true;
}

/* Each address with each port from its own to the last. */
static bool
listen_expand_range(weir_conf_t *cf, weir_addrs_t *addrs, weir_str_t text, weir_str_t last_text)
{
    uint16_t first = weir_addr_port(&addrs->at[0]);
    uint64_t last;
    weir_addr_t *all;
    size_t n;

    weir_assert(addrs->n != 0);
    if (!weir_str_to_u64(last_text, &last) || last > 65535 || last < first) {
        return weir_conf_error(cf, 1, "invalid port range in \"%.*s\" of the \"listen\" directive", WEIR_STR_ARG(text));
    }
    n = (size_t) (last - first) + 1;
    all = weir_new_n(cf->arena, weir_addr_t, addrs->n * n);
    for (size_t i = 0; i < addrs->n * n; i++) {
        all[i] = addrs->at[i / n];
        weir_addr_set_port(&all[i], (uint16_t) (first + i % n));
    }
    *addrs = (weir_addrs_t) { all, addrs->n * n };
    return true;
}

static bool
listen_address(weir_conf_t *cf, weir_str_t text, uint16_t default_port, weir_addrs_t *addrs)
{
    weir_hostport_t hp;
    const char *hint;
    uint64_t port;

    if (weir_str_to_u64(text, &port)) {                 /* a bare port */
        if (port == 0 || port > 65535) {
            return weir_conf_error(cf, 1, "invalid port in \"%.*s\" of the \"listen\" directive", WEIR_STR_ARG(text));
        }
        addrs->at = weir_new(cf->arena, weir_addr_t);
        addrs->n = 1;
        return weir_addr_from_ip(addrs->at, WEIR_STR("0.0.0.0"), (uint16_t) port);
    }
    if (!weir_addr_parse_hostport(&hp, text, &hint)) {
        return weir_conf_error(cf, 1, "%s in \"%.*s\" of the \"listen\" directive", hint, WEIR_STR_ARG(text));
    }
    addrs->at = weir_new(cf->arena, weir_addr_t);
    addrs->n = 1;
    if (hp.is_unix) {
        if (!weir_addr_from_unix(addrs->at, hp.host)) {
            return weir_conf_error(cf, 1, "the path of the unix socket \"%.*s\" is empty or too long",
                                   WEIR_STR_ARG(text));
        }
        return true;
    }
    if (!hp.has_port) {
        hp.port = default_port;
    }
    if (hp.host.len == 0) {
        return weir_addr_from_ip(addrs->at, WEIR_STR("0.0.0.0"), hp.port);
    }
    if (weir_addr_from_ip(addrs->at, hp.host, hp.port)) {
        return true;
    }
    if (!weir_bundle_resolve(cf->bundle, hp.host, addrs, cf->error)) {
        return weir_conf_error(cf, 1, "host not found in \"%.*s\" of the \"listen\" directive", WEIR_STR_ARG(text));
    }
    weir_addr_t *copy = weir_new_n(cf->arena, weir_addr_t, addrs->n);
    memcpy(copy, addrs->at, sizeof(weir_addr_t) * addrs->n);
    for (size_t i = 0; i < addrs->n; i++) {
        weir_addr_set_port(&copy[i], hp.port);
    }
    addrs->at = copy;
    return true;
}

/* -- options -- */

static bool
listen_number(weir_str_t value, uint32_t max, int *out)
{
    uint32_t n;

    if (!weir_conf_read_u32(value, &n) || n == 0 || n > max) {
        return false;
    }
    *out = (int) n;
    return true;
}

static bool
listen_keepalive(weir_str_t value, weir_listen_options_t *options)
{
    weir_str_t part[3], rest = value;
    weir_msec_t t;

    options->keepalive = true;
    if (weir_str_eq(value, WEIR_STR("on"))) {
        return true;
    }
    if (weir_str_eq(value, WEIR_STR("off"))) {
        options->keepalive = false;
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        weir_str_cut(rest, ':', &part[i], &rest);
    }
    if (rest.len != 0 || (part[0].len | part[1].len | part[2].len) == 0) {
        return false;
    }
    if (part[0].len != 0) {
        if (!weir_conf_read_msec(part[0], &t) || t.ms < 1000 || t.ms > 32767000) {
            return false;
        }
        options->keep_idle = (int) (t.ms / 1000);
    }
    if (part[1].len != 0) {
        if (!weir_conf_read_msec(part[1], &t) || t.ms < 1000 || t.ms > 32767000) {
            return false;
        }
        options->keep_interval = (int) (t.ms / 1000);
    }
    return part[2].len == 0 || listen_number(part[2], 127, &options->keep_count);
}

/* A word without a value. */
static bool
listen_flag(weir_str_t word, const weir_listen_word_t *own, weir_listen_entry_t *entry)
{
    for (; own->word != NULL; own++) {
        if (weir_str_eq(word, weir_str_from_z(own->word))) {
            entry->flags |= own->flag;
            return true;
        }
    }
    if (weir_str_eq(word, WEIR_STR("deferred"))) {
        entry->options.defer_accept_s = 1;
        return entry->has_options = true;
    }
    if (weir_str_eq(word, WEIR_STR("freebind"))) {
        entry->options.free_bind = true;
        return entry->has_options = true;
    }
    if (weir_str_eq(word, WEIR_STR("ssl"))) {
        return entry->is_ssl = true;
    }
    if (weir_str_eq(word, WEIR_STR("proxy_protocol"))) {
        return entry->is_proxied = true;
    }
    /* Every TCP address has a SO_REUSEPORT socket for each worker anyway. */
    return weir_str_eq(word, WEIR_STR("reuseport")) || weir_str_eq(word, WEIR_STR("bind"));
}

static bool
listen_bytes(weir_str_t value, int *out)
{
    weir_bytes_t size;

    if (!weir_conf_read_bytes(value, &size) || size.n == 0 || size.n > (1u << 30)) {
        return false;
    }
    *out = (int) size.n;
    return true;
}

/* One option after the address; false when it is unknown or its value is wrong. */
static bool
listen_option(weir_str_t word, const weir_listen_word_t *own, weir_listen_entry_t *entry)
{
    weir_listen_options_t *o = &entry->options;
    weir_str_t name, value;

    if (!weir_str_cut(word, '=', &name, &value)) {
        return listen_flag(word, own, entry);
    }
    entry->has_options = true;
    if (weir_str_eq(name, WEIR_STR("backlog"))) {
        return listen_number(value, 1u << 30, &o->backlog);
    }
    if (weir_str_eq(name, WEIR_STR("fastopen"))) {
        return listen_number(value, 1u << 30, &o->fastopen);
    }
    if (weir_str_eq(name, WEIR_STR("rcvbuf"))) {
        return listen_bytes(value, &o->rcvbuf);
    }
    if (weir_str_eq(name, WEIR_STR("sndbuf"))) {
        return listen_bytes(value, &o->sndbuf);
    }
    if (weir_str_eq(name, WEIR_STR("ipv6only"))) {
        o->ipv6_only = weir_str_eq(value, WEIR_STR("on"));
        return o->ipv6_only || weir_str_eq(value, WEIR_STR("off"));
    }
    return weir_str_eq(name, WEIR_STR("so_keepalive")) && listen_keepalive(value, o);
}

static bool
listen_unknown(weir_conf_t *cf, size_t word, weir_str_t text, const weir_listen_word_t *own)
{
    char       room[200];
    weir_buf_t words;

    weir_buf_init(&words, room, sizeof(room));
    for (uint32_t last = 0; own->word != NULL; last = own->flag, own++) {
        if (own->flag != last) {            /* not another word for the same */
            weir_buf_add_str(&words, weir_str_from_z(own->word));
            weir_buf_add_lit(&words, ", ");
        }
    }
    return weir_conf_error(cf, word, "invalid parameter \"%.*s\" of the \"listen\" directive: expected %.*sssl, "
                           "proxy_protocol, backlog=, rcvbuf=, sndbuf=, fastopen=, deferred, freebind, "
                           "reuseport, bind, ipv6only=on|off or so_keepalive=", WEIR_STR_ARG(text),
                           (int) weir_buf_len(&words), room);
}

bool
weir_listen_parse(weir_conf_t *cf, const weir_conf_words_t *words, const weir_listen_syntax_t *syntax,
                  weir_listen_entries_t *list)
{
    weir_listen_entry_t entry = { .options = { .reuse_port = true, .ipv6_only = true } };
    weir_conf_words_t  *kept = weir_new(cf->arena, weir_conf_words_t);
    weir_addrs_t        addrs = { NULL, 0 };
    weir_str_t          first, last = WEIR_STR_NONE;

    *kept = *words;
    entry.words = kept;
    if (!listen_cut_range(words->at[1].text, &first, &last)) {
        first = words->at[1].text;
    }
    if (!listen_address(cf, first, syntax->port, &addrs)
        || (last.len != 0 && !listen_expand_range(cf, &addrs, words->at[1].text, last)))
    {
        return false;
    }
    for (size_t i = 2; i < words->n; i++) {
        if (!listen_option(words->at[i].text, syntax->words, &entry)) {
            return listen_unknown(cf, i, words->at[i].text, syntax->words);
        }
    }
    weir_listen_entry_t *grown = weir_new_n(cf->arena, weir_listen_entry_t, list->n + addrs.n);
    if (list->n != 0) {
        memcpy(grown, list->at, sizeof(*grown) * list->n);
    }
    for (size_t i = 0; i < addrs.n; i++) {
        entry.addr = addrs.at[i];
        if (entry.options.free_bind && weir_addr_is_unix(&entry.addr)) {
            return weir_conf_error(cf, 1, "\"freebind\" is for addresses of IP, not for the path of a unix socket");
        }
        entry.options.reuse_port = !weir_addr_is_unix(&entry.addr);
        grown[list->n + i] = entry;
    }
    list->at = grown;
    list->n += addrs.n;
    return true;
}

/* -- the listeners of a generation -- */

static bool
listens_build(weir_conf_t *cf, weir_generation_t *generation)
{
    weir_array_t *listens = weir_new(cf->arena, weir_array_t);

    weir_assert(generation->built[weir_listens_index] == NULL);
    weir_array_init(listens, cf->arena, sizeof(weir_listen_t *), 8);
    generation->built[weir_listens_index] = listens;
    return true;
}

const weir_module_t weir_listens = { .name = "listens", .build = listens_build };

weir_listens_t
weir_listens_of(const weir_generation_t *generation)
{
    const weir_array_t *listens = generation->built[weir_listens_index];

    weir_assert(listens != NULL);
    return (weir_listens_t) { listens->at, listens->n };
}

weir_listen_t *
weir_listens_find(const weir_generation_t *generation, const weir_addr_t *addr)
{
    weir_listens_t listens = weir_listens_of(generation);

    for (size_t i = 0; i < listens.n; i++) {
        if (weir_addr_eq(&listens.at[i]->addr, addr)) {
            return listens.at[i];
        }
    }
    return NULL;
}

static weir_listen_t *
listens_make(weir_conf_t *cf, weir_generation_t *generation, const weir_area_t *area, const weir_listen_entry_t *entry,
             size_t size)
{
    char           text[WEIR_ADDR_TEXT];
    size_t         len = weir_addr_text(&entry->addr, text);
    weir_listen_t *listen = weir_alloc_zero(cf->arena, size);

    weir_assert(size >= sizeof(*listen));
    listen->addr = entry->addr;
    listen->text = weir_str_dup(cf->arena, weir_str(text, len));
    listen->area = area;
    listen->options = entry->options;
    *(weir_listen_t **) weir_array_push(generation->built[weir_listens_index]) = listen;
    return listen;
}

weir_listen_t *
weir_listens_add(weir_conf_t *cf, weir_generation_t *generation, const weir_area_t *area,
                 const weir_listen_entry_t *entry, size_t size, bool *is_first)
{
    weir_listen_t *listen = weir_listens_find(generation, &entry->addr);

    *is_first = listen == NULL;
    if (*is_first) {
        listen = listens_make(cf, generation, area, entry, size);
        listen->words = entry->words;
    }
    if (listen->area != area) {
        (void) weir_conf_error_at(cf, entry->words, "%s listens on %.*s already", listen->area->name,
                                  WEIR_STR_ARG(listen->text));
        return NULL;
    }
    if (entry->has_options && listen->options_set) {
        (void) weir_conf_error_at(cf, entry->words, "duplicate listen options for %.*s", WEIR_STR_ARG(listen->text));
        return NULL;
    }
    if (entry->has_options) {
        listen->options = entry->options;
        listen->options_set = true;
    }
    listen->is_ssl = listen->is_ssl || entry->is_ssl;          /* of the address, as in nginx */
    listen->is_proxied = listen->is_proxied || entry->is_proxied;
    return listen;
}
