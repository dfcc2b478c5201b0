/*
 * cidr.h - a network of IPv4 or IPv6 addresses, the unix sockets, or all clients: what allow and deny compare with.
 */
#ifndef WEIR_EXPR_CIDR_H
#define WEIR_EXPR_CIDR_H

#include "os/addr.h"

#include <string.h>

typedef struct {
    int     family;          /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC: all clients */
    uint8_t bits;            /* of the prefix */
    uint8_t address[16];     /* network order; what is beyond the prefix is 0 */
} weir_cidr_t;

typedef enum {
    WEIR_CIDR_OK,
    WEIR_CIDR_LOW_BITS,     /* good, but bits beyond the prefix were set: they mean nothing */
    WEIR_CIDR_BAD
} weir_cidr_result_t;

/* "all", "unix:", "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" (RFC 4632, RFC 4291 §2.3; no names, no brackets). */
weir_cidr_result_t weir_cidr_parse(weir_cidr_t *cidr, weir_str_t text) WEIR_MUST_USE;
/* An IPv4 address that comes as ::ffff:a.b.c.d is compared with networks of IPv4 too, and so with those of IPv6 that
 * hold it. */
bool weir_cidr_has(const weir_cidr_t *cidr, const weir_addr_t *addr);
/* The same of one end of a connection. */
static inline bool weir_cidr_holds(const weir_cidr_t *cidr, const weir_endpoint_t *end);
bool weir_cidr_holds_other(const weir_cidr_t *cidr, const weir_endpoint_t *end);     /* (not both are of IPv4) */

static inline bool
weir_cidr_holds(const weir_cidr_t *cidr, const weir_endpoint_t *end)
{
    uint32_t network;

    if (weir_unlikely(end->family != AF_INET || cidr->family != AF_INET)) {
        return weir_cidr_holds_other(cidr, end);
    }
    memcpy(&network, cidr->address, sizeof(network));
    return ((uint64_t) ntohl(network ^ end->v4.s_addr) << cidr->bits) >> 32 == 0;
}

#endif
