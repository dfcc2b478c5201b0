/*
 * addr.h - socket addresses: IPv4, IPv6 and unix; parsing, printing, comparing.
 */
#ifndef WEIR_OS_ADDR_H
#define WEIR_OS_ADDR_H

#include "base/str.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct {
    union {
        struct sockaddr     any;
        struct sockaddr_in  v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un  un;
    };
    socklen_t len;
} weir_addr_t;

/* One end of a connection in few bytes, for what is kept by the thousand.  Of a unix socket: that it is one. */
typedef struct {
    union {
        struct in_addr  v4;
        struct in6_addr v6;
    };
    uint32_t    scope;
    in_port_t   port;        /* network order; 0 for unix */
    sa_family_t family;      /* 0: none */
} weir_endpoint_t;

weir_endpoint_t weir_addr_to_endpoint(const weir_addr_t *addr);
/* The address again; of a unix socket without its path. */
weir_addr_t     weir_addr_from_endpoint(const weir_endpoint_t *end);

#define WEIR_ADDR_TEXT 160   /* room for any address as text, NUL included */

/* "127.0.0.1", "[::1]" or "::1" (numeric only); port in host order.  false: not a numeric address. */
bool weir_addr_from_ip(weir_addr_t *addr, weir_str_t ip, uint16_t port) WEIR_MUST_USE;
/* path without "unix:"; false when it does not fit sun_path (107 bytes) or is empty. */
bool weir_addr_from_unix(weir_addr_t *addr, weir_str_t path) WEIR_MUST_USE;
bool weir_addr_eq(const weir_addr_t *a, const weir_addr_t *b);    /* family, address, port or path */
/* An order of IP addresses, whatever their ports, for qsort: family, then bytes. */
int weir_addr_compare_ip(const void *a, const void *b);
uint16_t weir_addr_port(const weir_addr_t *addr);                 /* 0 for unix */
void weir_addr_set_port(weir_addr_t *addr, uint16_t port);
bool weir_addr_is_unix(const weir_addr_t *addr);
bool weir_addr_is_wildcard(const weir_addr_t *addr);              /* 0.0.0.0 or :: */
/* As nginx prints: "127.0.0.1:80", "[::1]:80", "unix:/path" ("unix:" for an unnamed peer). Returns the length; out has
 * room for WEIR_ADDR_TEXT. */
size_t weir_addr_text(const weir_addr_t *addr, char *out);
size_t weir_addr_text_ip(const weir_addr_t *addr, char *out);     /* without the port; "unix:" for unix */

/* "host", "host:port", "[v6]:port", "[v6]", "unix:/path", "*:port", "*" and "8080" (a bare port, as in listen). */
typedef struct {
    weir_str_t host;       /* without brackets; empty for "*" or a bare port; the path for unix */
    uint16_t   port;       /* 0 when none was given */
    bool       has_port, is_unix, is_v6_literal, is_wildcard;   /* wildcard: "*" or a bare port */
} weir_hostport_t;
/* hint points at a constant sentence that says what is wrong. */
bool weir_addr_parse_hostport(weir_hostport_t *hp, weir_str_t text, const char **hint) WEIR_MUST_USE;

typedef struct { weir_addr_t *at; size_t n; } weir_addrs_t;
/* Blocking look-up with getaddrinfo for load time (A and AAAA, stream). n == 0 and *why (constant text) on failure. */
weir_addrs_t weir_addr_lookup(weir_arena_t *arena, weir_str_t host, uint16_t port, const char **why);

#endif
