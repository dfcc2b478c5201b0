/*
 * chain.h - a FIFO of bytes in pooled blocks: what could not be sent yet.  An empty chain owns nothing.
 */
#ifndef WEIR_BASE_CHAIN_H
#define WEIR_BASE_CHAIN_H

#include "base/spare.h"
#include "base/str.h"

#include <sys/uio.h>

typedef struct weir_block weir_block_t;

typedef struct {
    weir_block_t *free;      /* kept for reuse */
    weir_spare_t  spare;     /* of them */
    size_t        max_free;
    size_t        n_used;    /* given out now */
} weir_chain_pool_t;         /* one per worker */

typedef struct {
    weir_block_t *first, *last;
    size_t        size;      /* bytes queued */
} weir_chain_t;

#define WEIR_BLOCK_BYTES 16384

void weir_chain_pool_init(weir_chain_pool_t *pool, size_t max_free);
void weir_chain_pool_fini(weir_chain_pool_t *pool);
size_t weir_chain_pool_trim(weir_chain_pool_t *pool, size_t floor);    /* a tick (spare.h): bytes that went back */

/* false when there is no memory: nothing was appended. */
bool weir_chain_append(weir_chain_t *chain, weir_chain_pool_t *pool, weir_str_t bytes) WEIR_MUST_USE;
/* First bytes as up to `max` slices; returns how many. */
size_t weir_chain_peek(const weir_chain_t *chain, struct iovec *iov, size_t max);
/* The last n bytes, which were appended just now; good until the chain is touched.  NULL: they lie in two blocks. */
char *weir_chain_tail(const weir_chain_t *chain, size_t n);
void weir_chain_consume(weir_chain_t *chain, weir_chain_pool_t *pool, size_t n);   /* n <= size */
void weir_chain_clear(weir_chain_t *chain, weir_chain_pool_t *pool);

#endif
