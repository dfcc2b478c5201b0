/*
 * dns.c - fuzz target: answers of name servers.
 *
 * Oracle: nothing outside the message is looked at; addresses are of the kind asked for and no more than there is room
 * for; a question reads as its own question, and answers nothing.
 */
#include "base/dns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const weir_dns_type_t types[] = { WEIR_DNS_A, WEIR_DNS_AAAA };
    weir_str_t name = WEIR_STR("host.example");
    char query[WEIR_DNS_QUERY_MAX];
    weir_dns_answer_t answer;

    for (size_t i = 0; i < 2; i++) {
        char *copy = malloc(size + 1);                        /* so that a byte too many is seen */

        if (size != 0) {
            memcpy(copy, data, size);
        }
        uint16_t id = size >= 2 ? (uint16_t) (data[0] << 8 | data[1]) : 0;
        answer = (weir_dns_answer_t) { .n = 0, .ttl = UINT32_MAX };
        (void) weir_dns_read_answer(weir_str(copy, size), id, name, types[i], &answer);
        weir_assert(answer.n <= WEIR_DNS_ADDRESSES);
        for (size_t k = 0; k < answer.n; k++) {
            weir_assert(answer.at[k].len == (i == 0 ? 4 : 16));
        }
        free(copy);
        size_t n = weir_dns_write_query(query, id, name, types[i]);
        weir_assert(n <= sizeof(query));
        weir_assert(weir_dns_read_answer(weir_str(query, n), id, name, types[i], &answer) == WEIR_DNS_OTHER);
    }
    weir_str_t text = weir_str((const char *) data, size);
    if (weir_dns_is_name(text)) {
        weir_assert(weir_dns_write_query(query, 1, text, WEIR_DNS_A) <= sizeof(query));
    }
    return 0;
}
