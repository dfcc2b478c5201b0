/*
 * proxy_protocol.c - fuzz target: PROXY protocol headers, whole and split at every byte.
 *
 * Oracle: what is read of the whole is read of no less, however it arrives; nothing outside the bytes that were used is
 * looked at.
 */
#include "serve/proxy_protocol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_proxied_t all, part;
    size_t used, n;
    weir_arena_t arena;
    weir_str_t value;
    weir_proxied_result_t result = weir_proxy_protocol_read(weir_str((const char *) data, size), &all, &used);

    for (size_t i = 0; i < size && i < 300; i++) {
        char *copy = malloc(i + 1);                       /* so that a byte too many is seen */
        memcpy(copy, data, i);
        weir_proxied_result_t early = weir_proxy_protocol_read(weir_str(copy, i), &part, &n);
        weir_assert(early != WEIR_PROXIED_DONE || (result == WEIR_PROXIED_DONE && n == used));
        weir_assert(early != WEIR_PROXIED_BAD || result == WEIR_PROXIED_BAD);
        free(copy);
    }
    if (result != WEIR_PROXIED_DONE) {
        return 0;
    }
    weir_assert(used <= size && used <= WEIR_PROXY_PROTOCOL_MAX && (all.source.len == 0) == (all.destination.len == 0));
    weir_arena_init(&arena, 1024);
    for (unsigned type = 0; type < 256; type++) {
        (void) weir_proxy_protocol_tlv(all.tlvs, type, &value);
    }
    (void) weir_proxy_protocol_named(all.tlvs, WEIR_STR("ssl_cn"), &arena, &value);
    (void) weir_proxy_protocol_named(all.tlvs, WEIR_STR("ssl_verify"), &arena, &value);
    (void) weir_proxy_protocol_named(all.tlvs, weir_str((const char *) data, size), &arena, &value);
    weir_arena_fini(&arena);
    return 0;
}
