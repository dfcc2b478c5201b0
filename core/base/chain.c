/*
 * chain.c - queued bytes in blocks of one size, which a worker's pool keeps for the next user.
 *
 * Runs in workers; takes blocks from the heap when the pool has none.
 */
#include "base/chain.h"

#include "base/mem.h"

struct weir_block {
    weir_block_t *next;
    uint32_t      from, to;                  /* the bytes queued are data[from, to) */
    char          data[WEIR_BLOCK_BYTES];
};

void
weir_chain_pool_init(weir_chain_pool_t *pool, size_t max_free)
{
    *pool = (weir_chain_pool_t) { .max_free = max_free };
}

void
weir_chain_pool_fini(weir_chain_pool_t *pool)
{
    weir_block_t *block;

    while ((block = pool->free) != NULL) {
        pool->free = block->next;
        weir_mem_free(block);
    }
    pool->spare = (weir_spare_t) { 0 };
}

size_t
weir_chain_pool_trim(weir_chain_pool_t *pool, size_t floor)
{
    size_t n = weir_spare_tick(&pool->spare, floor);

    for (size_t i = 0; i < n; i++) {
        weir_block_t *block = pool->free;
        weir_assert(block != NULL);     /* as many are kept as are counted */

        pool->free = block->next;
        weir_spare_take(&pool->spare);
        weir_mem_free(block);
    }
    return n * sizeof(weir_block_t);
}

static weir_block_t *
chain_take_block(weir_chain_pool_t *pool)
{
    weir_block_t *block = pool->free;

    if (block != NULL) {
        pool->free = block->next;
        weir_spare_take(&pool->spare);
    } else {
        weir_assert(pool->spare.n == 0);
        block = weir_mem_try(sizeof(*block));
        if (block == NULL) {
            return NULL;
        }
    }
    pool->n_used++;
    block->next = NULL;
    block->from = block->to = 0;
    return block;
}

static void
chain_give_block(weir_chain_pool_t *pool, weir_block_t *block)
{
    weir_assert(pool->n_used > 0 && block->from <= block->to);
    pool->n_used--;
    if (pool->spare.n >= pool->max_free) {
        weir_mem_free(block);
        return;
    }
    block->next = pool->free;
    pool->free = block;
    weir_spare_keep(&pool->spare);
}

static size_t
chain_fill(weir_block_t *block, weir_str_t bytes)
{
    size_t n = (size_t) weir_min(WEIR_BLOCK_BYTES - block->to, bytes.len);

    memcpy(block->data + block->to, bytes.at, n);
    block->to += (uint32_t) n;
    return n;
}

char *
weir_chain_tail(const weir_chain_t *chain, size_t n)
{
    weir_block_t *last = chain->last;

    weir_assert(n != 0 && (chain->size != 0) == (last != NULL));
    return chain->size != 0 && last->to - last->from >= n ? last->data + last->to - n : NULL;
}

/* The bytes in blocks of their own, the last one in *last; NULL when there is no memory. */
static weir_block_t *
chain_copy(weir_chain_pool_t *pool, weir_str_t bytes, weir_block_t **last)
{
    weir_block_t *first = NULL, **end = &first, *block;

    while (bytes.len != 0) {
        block = chain_take_block(pool);
        if (block == NULL) {
            while ((block = first) != NULL) {
                first = block->next;
                chain_give_block(pool, block);
            }
            return NULL;
        }
        bytes = weir_str_skip(bytes, chain_fill(block, bytes));
        *end = *last = block;
        end = &block->next;
    }
    return first;
}

bool
weir_chain_append(weir_chain_t *chain, weir_chain_pool_t *pool, weir_str_t bytes)
{
    weir_block_t *more, *more_last = NULL;
    size_t        room = chain->last != NULL ? WEIR_BLOCK_BYTES - chain->last->to : 0;
    size_t        here = (size_t) weir_min(room, bytes.len);

    weir_assert((chain->size != 0) == (chain->first != NULL) && (chain->first != NULL) == (chain->last != NULL));
    if (here < bytes.len) {
        more = chain_copy(pool, weir_str_skip(bytes, here), &more_last);
        if (more == NULL) {
            return false;
        }
    } else {
        more = NULL;
    }
    if (here != 0) {
        (void) chain_fill(chain->last, weir_str(bytes.at, here));
    }
    if (more != NULL) {
        if (chain->last != NULL) {
            chain->last->next = more;
        } else {
            chain->first = more;
        }
        chain->last = more_last;
    }
    chain->size += bytes.len;
    return true;
}

size_t
weir_chain_peek(const weir_chain_t *chain, struct iovec *iov, size_t max)
{
    weir_block_t *block;
    size_t        n = 0;

    for (block = chain->first; block != NULL && n < max; block = block->next) {
        iov[n++] = (struct iovec) { .iov_base = block->data + block->from, .iov_len = block->to - block->from };
    }
    return n;
}

void
weir_chain_consume(weir_chain_t *chain, weir_chain_pool_t *pool, size_t n)
{
    weir_block_t *block;
    size_t        here;

    weir_assert(n <= chain->size);
    chain->size -= n;
    while ((block = chain->first) != NULL) {
        here = block->to - block->from;
        if (n < here) {
            block->from += (uint32_t) n;
            return;
        }
        n -= here;
        chain->first = block->next;
        chain_give_block(pool, block);
    }
    chain->last = NULL;
    weir_assert(n == 0 && chain->size == 0);     /* the size is the sum of the blocks */
}

void
weir_chain_clear(weir_chain_t *chain, weir_chain_pool_t *pool)
{
    weir_chain_consume(chain, pool, chain->size);
}
