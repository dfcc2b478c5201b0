/*
 * proxy_protocol.h - what a balancer in front says of a connection before its first byte: the PROXY protocol, versions
 * 1 and 2.
 *
 * Pure.  The operator knows which senders may say so: on a port with `listen … proxy_protocol` every connection must.
 */
#ifndef WEIR_SERVE_PROXY_PROTOCOL_H
#define WEIR_SERVE_PROXY_PROTOCOL_H

#include "os/addr.h"

#define WEIR_PROXY_PROTOCOL_MAX 4096      /* bytes of a header; a longer one is refused */

typedef struct weir_proxied {
    weir_addr_t source, destination;      /* .len 0: not told (UNKNOWN, LOCAL) */
    weir_str_t  tlvs;                     /* of version 2, checked: a row of type, length in two bytes, value */
} weir_proxied_t;

typedef enum { WEIR_PROXIED_DONE, WEIR_PROXIED_MORE, WEIR_PROXIED_BAD } weir_proxied_result_t;

/* data: all that has come of the connection.  DONE: *used is the header's length, and *proxied borrows from data. */
weir_proxied_result_t weir_proxy_protocol_read(weir_str_t data, weir_proxied_t *proxied, size_t *used);

/* The value of the first TLV of this type (0x00 to 0xff) among `tlvs`; false: there is none. */
bool weir_proxy_protocol_tlv(weir_str_t tlvs, unsigned type, weir_str_t *value);
/* What $proxy_protocol_tlv_NAME names: "alpn", "ssl_cn", "0xea", "ssl_0x21", …; "ssl_verify" is a number as text.
 * false: no such name, or it was not said. */
bool weir_proxy_protocol_named(weir_str_t tlvs, weir_str_t name, weir_arena_t *arena, weir_str_t *value);

#endif
