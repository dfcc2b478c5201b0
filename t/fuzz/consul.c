/*
 * consul.c - fuzz target: answers of Consul's health API.
 *
 * Oracle: nothing outside the text is looked at; what is taken are addresses with ports, in one order, with weights
 * that a list may have, no more of them than one may have; what is refused says why.
 */
#include "../../modules/http/discovery/discovery.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy = malloc(size + 1);              /* so that a byte too many is seen */
    weir_arena_t       arena;
    weir_source_list_t list;
    weir_error_t       error = { .text = "" };

    if (size != 0) {
        memcpy(copy, data, size);
    }
    weir_arena_init(&arena, 4096);
    if (discovery_consul_parse(&arena, weir_str(copy, size), &list, &error)) {
        weir_assert(list.n <= WEIR_SOURCE_PEERS);
        for (size_t i = 0; i < list.n; i++) {
            const weir_source_peer_t *peer = &list.at[i];

            weir_assert(weir_addr_port(&peer->addr) != 0 && peer->weight <= WEIR_SOURCE_WEIGHT_MAX);
            weir_assert(peer->locality.len <= WEIR_SOURCE_TEXT_MAX);
            weir_assert(i == 0 || weir_addr_compare_ip(&list.at[i - 1].addr, &peer->addr) <= 0);
        }
    } else {
        weir_assert(weir_error_is_set(&error));
    }
    weir_arena_fini(&arena);
    free(copy);
    return 0;
}
