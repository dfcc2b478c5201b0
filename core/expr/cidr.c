/*
 * cidr.c - see cidr.h.  Read where a configuration is read, compared in workers; allocates nothing.
 */
#include "expr/cidr.h"

#include <string.h>

static const uint8_t cidr_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* -- reading -- */

static bool
cidr_read_bits(weir_str_t text, uint8_t most, uint8_t *bits)
{
    uint64_t number;

    if (!weir_str_to_u64(text, &number) || number > most || (text.len > 1 && text.at[0] == '0')) {
        return false;
    }
    *bits = (uint8_t) number;
    return true;
}

/* true: something was there. */
static bool
cidr_clear_low_bits(weir_cidr_t *cidr)
{
    size_t bytes = cidr->family == AF_INET ? 4 : 16;
    bool   found = false;

    weir_assert(cidr->bits <= 8 * bytes);
    for (size_t i = 0; i < bytes; i++) {
        size_t  kept = cidr->bits > 8 * i ? weir_min(cidr->bits - 8 * i, 8) : 0;
        uint8_t mask = (uint8_t) (0xff00u >> kept);

        found = found || (cidr->address[i] & ~mask) != 0;
        cidr->address[i] &= mask;
    }
    return found;
}

weir_cidr_result_t
weir_cidr_parse(weir_cidr_t *cidr, weir_str_t text)
{
    weir_str_t  ip, length;
    weir_addr_t addr;
    uint8_t     most;

    *cidr = (weir_cidr_t) { .family = AF_UNSPEC };
    if (weir_str_eq(text, WEIR_STR("all"))) {
        return WEIR_CIDR_OK;
    }
    if (weir_str_eq(text, WEIR_STR("unix:"))) {
        cidr->family = AF_UNIX;
        return WEIR_CIDR_OK;
    }
    bool has_length = weir_str_cut(text, '/', &ip, &length);
    if (!has_length) {
        ip = text;
    }
    if (ip.len == 0 || ip.at[0] == '[' || !weir_addr_from_ip(&addr, ip, 0)) {
        return WEIR_CIDR_BAD;
    }
    cidr->family = addr.any.sa_family;
    most = cidr->family == AF_INET ? 32 : 128;
    cidr->bits = most;
    if (has_length && !cidr_read_bits(length, most, &cidr->bits)) {
        return WEIR_CIDR_BAD;
    }
    if (cidr->family == AF_INET) {
        memcpy(cidr->address, &addr.v4.sin_addr, 4);
    } else {
        memcpy(cidr->address, &addr.v6.sin6_addr, 16);
    }
    return cidr_clear_low_bits(cidr) ? WEIR_CIDR_LOW_BITS : WEIR_CIDR_OK;
}

/* -- comparing -- */

static bool
cidr_same_prefix(const uint8_t *a, const uint8_t *b, size_t bits)
{
    weir_assert(bits <= 128);
    size_t whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xff) == 0);
}

bool
weir_cidr_holds_other(const weir_cidr_t *cidr, const weir_endpoint_t *end)
{
    const uint8_t *address = (const uint8_t *) &end->v6;

    weir_assert(end->family != AF_INET || cidr->family != AF_INET);
    if (cidr->family == AF_UNSPEC) {
        return true;
    }
    if (cidr->family == AF_INET && end->family == AF_INET6) {
        return memcmp(address, cidr_mapped, sizeof(cidr_mapped)) == 0
            && cidr_same_prefix(cidr->address, address + sizeof(cidr_mapped), cidr->bits);
    }
    return cidr->family == end->family
        && (cidr->family == AF_UNIX || cidr_same_prefix(cidr->address, address, cidr->bits));
}

bool
weir_cidr_has(const weir_cidr_t *cidr, const weir_addr_t *addr)
{
    const weir_endpoint_t end = weir_addr_to_endpoint(addr);

    return weir_cidr_holds(cidr, &end);
}
