/*
 * trim.c - what a worker keeps for reuse (requests with their arenas, blocks of chains, HTTP/2's streams) goes back
 * when it was not needed for a while: a burst costs memory for seconds, not for good.
 *
 * Runs in workers, twice a second while there is something to give back.
 */
#include "http/serve/runtime.h"

#include "base/mem.h"
#include "http/h2/session.h"

#define TRIM_TICK ((weir_msec_t) { 500 })
/* bytes given back to the heap, after which it is asked to give them to the kernel */
#define TRIM_HEAP (256 * 1024)
#define TRIM_KEEP 4                  /* of each stay */

static void
trim_on_time(weir_timer_t *timer)
{
    weir_http_t *http = weir_container_of(timer, weir_http_t, trim_timer);
    size_t freed = weir_requests_trim(http, TRIM_KEEP) + weir_chain_pool_trim(&http->blocks, TRIM_KEEP)
                 + weir_h2_streams_trim(TRIM_KEEP);

    http->trimmed += freed;
    if (freed == 0 && http->trimmed >= TRIM_HEAP) {        /* it has come to rest */
        weir_mem_trim();
        http->trimmed = 0;
    }
    if (freed != 0 || http->trimmed >= TRIM_HEAP || http->spare_requests.n > TRIM_KEEP
        || http->blocks.spare.n > TRIM_KEEP)
    {
        weir_timer_set(http->loop, &http->trim_timer, TRIM_TICK, trim_on_time);
    }
}

void
weir_http_trim_later(weir_http_t *http)
{
    weir_timer_set(http->loop, &http->trim_timer, TRIM_TICK, trim_on_time);
}
