/* chain.c - a FIFO of bytes in pooled blocks, against a plain array as the model. */
#include "base/chain.h"

#include "tap.h"

static char source[200000];

/* The chain's bytes are source[from, to). */
static bool
holds(const weir_chain_t *chain, size_t from, size_t to)
{
    struct iovec iov[32];
    size_t       n = weir_chain_peek(chain, iov, weir_countof(iov)), i;

    for (i = 0; i < n; i++) {
        if (iov[i].iov_len == 0 || iov[i].iov_len > to - from
            || memcmp(iov[i].iov_base, source + from, iov[i].iov_len) != 0) {
            return false;
        }
        from += iov[i].iov_len;
    }
    return from == to;
}

static void
test_model(void)
{
    weir_chain_pool_t pool;
    weir_chain_t      chain = { 0 };
    size_t            from = 0, to = 0, n;
    unsigned          state = 12345;
    bool              same = true;

    weir_chain_pool_init(&pool, 4);
    while (to < sizeof(source)) {
        state = state * 1103515245 + 12345;
        n = (size_t) weir_min((state >> 8) % 40000, sizeof(source) - to);
        same = same && weir_chain_append(&chain, &pool, weir_str(source + to, n));
        to += n;
        same = same && chain.size == to - from && holds(&chain, from, to);
        n = (size_t) weir_min((state >> 4) % 30000, chain.size);
        weir_chain_consume(&chain, &pool, n);
        from += n;
        same = same && chain.size == to - from && holds(&chain, from, to);
    }
    ok(same, "bytes come out as they went in");
    weir_chain_consume(&chain, &pool, chain.size);
    ok(chain.first == NULL && chain.last == NULL && pool.n_used == 0, "an empty chain owns nothing");
    ok(pool.spare.n <= 4, "the pool keeps no more than it may");
    weir_chain_pool_fini(&pool);
    is_int(pool.spare.n, 0, "and nothing after its end");
}

static void
test_edges(void)
{
    weir_chain_pool_t pool;
    weir_chain_t      chain = { 0 };
    struct iovec      iov[2];

    weir_chain_pool_init(&pool, 8);
    ok(weir_chain_append(&chain, &pool, WEIR_STR_NONE) && chain.first == NULL, "nothing appended takes no block");
    is_int(weir_chain_peek(&chain, iov, 2), 0, "nothing to peek at");
    ok(weir_chain_append(&chain, &pool, weir_str(source, WEIR_BLOCK_BYTES)) && pool.n_used == 1, "a block full is one");
    ok(weir_chain_append(&chain, &pool, weir_str(source + WEIR_BLOCK_BYTES, 1)) && pool.n_used == 2, "one more is two");
    ok(weir_chain_append(&chain, &pool, weir_str(source, 3 * WEIR_BLOCK_BYTES)) && pool.n_used == 5, "five");
    is_int(weir_chain_peek(&chain, iov, 2), 2, "peek gives as many as asked for");
    weir_chain_consume(&chain, &pool, WEIR_BLOCK_BYTES);
    is_int(pool.spare.n, 1, "a block that was used up goes back");
    weir_chain_consume(&chain, &pool, 0);
    weir_chain_clear(&chain, &pool);
    ok(chain.size == 0 && pool.n_used == 0 && pool.spare.n == 5, "clear gives everything back");
    ok(weir_chain_append(&chain, &pool, WEIR_STR("x")) && pool.spare.n == 4, "and a new append takes from there");

    (void) weir_chain_pool_trim(&pool, 1);
    ok(weir_chain_pool_trim(&pool, 1) != 0 && pool.spare.n == 2,
       "half of what nobody wanted since the last tick goes back");
    ok(weir_chain_pool_trim(&pool, 1) != 0 && weir_chain_pool_trim(&pool, 1) == 0 && pool.spare.n == 1,
       "down to the floor");
    weir_chain_clear(&chain, &pool);
    weir_chain_clear(&chain, &pool);
    weir_chain_pool_fini(&pool);
}

int
main(void)
{
    size_t i;

    for (i = 0; i < sizeof(source); i++) {
        source[i] = (char) (i * 31 + i / 251);
    }
    test_model();
    test_edges();
    return done();
}
