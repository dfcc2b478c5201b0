/*
 * forwarded.c - the client that a chain of trusted proxies speaks for.
 *
 * Read from the right, where the nearest proxy has written: what is to the left of the first address that is not
 * trusted may be invented by any client.  Pure; runs in workers and, for the list of the trusted, where configurations
 * are read.
 */
#include "http/guard/forwarded.h"

/* -- load -- */

static void
trusted_push(weir_conf_t *cf, weir_cidrs_t *list, const weir_cidr_t *cidr)
{
    *(weir_cidr_t *) weir_conf_list_push(cf, list, sizeof(*cidr)) = *cidr;
}

bool
weir_forwarded_read_trusted(weir_conf_t *cf, size_t word, weir_cidrs_t *list)
{
    weir_str_t   text = cf->words->at[word].text;
    weir_error_t error = { .text = "" };
    weir_addrs_t addrs = { NULL, 0 };
    weir_cidr_t  cidr;
    char         ip[WEIR_ADDR_TEXT];

    switch (weir_cidr_parse(&cidr, text)) {
    case WEIR_CIDR_LOW_BITS:
        weir_conf_warn(cf, word, "low address bits of %.*s are meaningless", WEIR_STR_ARG(text));
        break;
    case WEIR_CIDR_OK:
        break;
    case WEIR_CIDR_BAD:
        if (text.len == 0 || weir_str_find(text, '/') != NULL || !weir_bundle_resolve(cf->bundle, text, &addrs, &error))
        {
            return weir_conf_invalid(cf, word,
                                     "an address, a network as ADDRESS/BITS, \"unix:\" or a name that has an address");
        }
        for (size_t i = 0; i < addrs.n; i++) {
            if (weir_cidr_parse(&cidr, weir_str(ip, weir_addr_text_ip(&addrs.at[i], ip))) == WEIR_CIDR_OK) {
                trusted_push(cf, list, &cidr);
            }
        }
        return true;
    }
    if (cidr.family == AF_UNSPEC) {
        return weir_conf_invalid(
            cf, word, "an address, a network as ADDRESS/BITS, \"unix:\" or a name; all clients are 0.0.0.0/0 and ::/0");
    }
    trusted_push(cf, list, &cidr);
    return true;
}

/* -- requests -- */

bool
weir_forwarded_trusts(const weir_cidrs_t *trusted, const weir_addr_t *addr)
{
    for (size_t i = 0; i < trusted->n; i++) {
        if (weir_cidr_has(&trusted->at[i], addr)) {
            return true;
        }
    }
    return false;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". */
static bool
forwarded_read(weir_str_t text, weir_addr_t *addr)
{
    weir_hostport_t hp;
    const char     *hint;

    if (weir_addr_from_ip(addr, text, 0)) {
        return true;
    }
    return text.len != 0 && text.at[0] != '/' && weir_addr_parse_hostport(&hp, text, &hint) && !hp.is_unix
        && weir_addr_from_ip(addr, hp.host, hp.port);
}

static bool
forwarded_is_between(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

/* The last word of *list, which loses it. */
static weir_str_t
forwarded_last(weir_str_t *list)
{
    size_t end = list->len, begin;

    while (end > 0 && forwarded_is_between(list->at[end - 1])) {
        end--;
    }
    for (begin = end; begin > 0 && !forwarded_is_between(list->at[begin - 1]); begin--) {
    }
    weir_assert(begin <= end && end <= list->len);
    list->len = begin;
    return weir_str(list->at != NULL ? list->at + begin : NULL, end - begin);
}

bool
weir_forwarded_addr(weir_addr_t *addr, weir_str_t list, const weir_cidrs_t *trusted, bool recursive)
{
    bool has_changed = false;

    do {
        weir_addr_t next;

        if (!weir_forwarded_trusts(trusted, addr) || !forwarded_read(forwarded_last(&list), &next)) {
            return has_changed;
        }
        *addr = next;
        has_changed = true;
    } while (recursive);
    return has_changed;
}
