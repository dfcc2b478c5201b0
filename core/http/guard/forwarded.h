/*
 * forwarded.h - the client's address behind proxies that are trusted: from what they say in a field such as
 * X-Forwarded-For.
 */
#ifndef WEIR_HTTP_FORWARDED_H
#define WEIR_HTTP_FORWARDED_H

#include "conf/module.h"
#include "expr/cidr.h"

typedef struct { weir_cidr_t *at; size_t n; } weir_cidrs_t;

/* Word `i`: an address, a network, "unix:" or a name, which is looked up now; pushed to the list.  false: cf->error. */
bool weir_forwarded_read_trusted(weir_conf_t *cf, size_t word, weir_cidrs_t *list) WEIR_MUST_USE;
/* Is the address in the list? */
bool weir_forwarded_trusts(const weir_cidrs_t *trusted, const weir_addr_t *addr);
/* *addr: the connected address; becomes the last address of the list ("a, b:80, [c]:80") when *addr is trusted, and
 * with recursive goes on to the left while what it became is trusted too.  Stops at what is no address.  true: *addr
 * has changed. */
bool weir_forwarded_addr(weir_addr_t *addr, weir_str_t list, const weir_cidrs_t *trusted, bool recursive);

#endif
