/*
 * dns.c - fuzz target: answers of name servers.
 *
 * Oracle: nothing outside the message is looked at; addresses are of the kind asked for and no more than there is room
 * for; a service's target, where it can be read, is a name; an answer that is taken is taken in any case of letters; a
 * question reads as its own question, and answers nothing.
 */
#include "base/dns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static weir_dns_answer_t answer;

static weir_dns_result_t
read_answer(weir_str_t message, const weir_dns_question_t *question)
{
    answer.n = answer.n_services = answer.alias_len = 0;
    answer.ttl = UINT32_MAX;
    answer.negative_ttl = 0;
    return weir_dns_read_answer(message, question, &answer);
}

static void
check_answer(weir_str_t message, const weir_dns_question_t *question)
{
    char host[WEIR_DNS_NAME_MAX + 2];

    weir_assert(answer.n <= WEIR_DNS_ADDRESSES && answer.n_services <= WEIR_DNS_SERVICES);
    weir_assert(question->type == WEIR_DNS_SRV ? answer.n == 0 : answer.n_services == 0);
    for (size_t k = 0; k < answer.n; k++) {
        weir_assert(answer.at[k].len == (question->type == WEIR_DNS_A ? 4 : 16));
    }
    for (size_t k = 0; k < answer.n_services; k++) {
        size_t n = weir_dns_read_host(message, answer.services[k].target, host);

        weir_assert(n == 0 || weir_dns_is_name(weir_str(host, n)));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const weir_dns_type_t types[] = { WEIR_DNS_A, WEIR_DNS_AAAA, WEIR_DNS_SRV };
    char query[WEIR_DNS_QUERY_MAX], host[WEIR_DNS_NAME_MAX + 2];

    for (size_t i = 0; i < 3; i++) {
        char *copy = malloc(size + 1);                        /* so that a byte too many is seen */
        weir_dns_question_t question = { .name = i == 2 ? WEIR_STR("_http._tcp.example") : WEIR_STR("host.example"),
                                         .type = types[i], .is_plain = size > 5 && (data[5] & 1) != 0,
                                         .id = size >= 2 ? (uint16_t) (data[0] << 8 | data[1]) : 0 };

        if (size != 0) {
            memcpy(copy, data, size);
        }
        memset(question.upper, size > 3 ? data[3] : 0, sizeof(question.upper));
        weir_dns_result_t result = read_answer(weir_str(copy, size), &question);
        check_answer(weir_str(copy, size), &question);
        question.any_case = true;
        weir_dns_result_t any = read_answer(weir_str(copy, size), &question);
        check_answer(weir_str(copy, size), &question);
        weir_assert(result == any || result == WEIR_DNS_OTHER_CASE);
        weir_assert(any != WEIR_DNS_OTHER_CASE);
        (void) weir_dns_read_host(weir_str(copy, size), size > 7 ? data[7] : 12, host);
        free(copy);
        question.any_case = false;
        size_t n = weir_dns_write_query(query, &question);
        weir_assert(n <= sizeof(query));
        weir_assert(read_answer(weir_str(query, n), &question) == WEIR_DNS_OTHER);
        query[2] = (char) 0x80;
        weir_assert(read_answer(weir_str(query, n), &question) == WEIR_DNS_OK && answer.n == 0);
    }
    weir_str_t text = weir_str((const char *) data, size);
    if (weir_dns_is_name(text)) {
        weir_dns_question_t question = { .name = text, .type = WEIR_DNS_SRV };

        weir_assert(weir_dns_write_query(query, &question) <= sizeof(query));
    }
    return 0;
}
