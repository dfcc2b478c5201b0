/* dns.c - questions and answers of the domain name system, and what is made of hostile ones. */
#include "base/dns.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define HEAD(flags, n) "\x12\x34" flags "\x00\x01\x00" n "\x00\x00\x00\x00"
#define ASKED "\x04host\x07" "example\x00\x00\x01\x00\x01"

static weir_dns_answer_t answer;
static weir_dns_question_t question = { .name = { "Host.Example.", 13 }, .type = WEIR_DNS_A, .id = 0x1234 };

static weir_dns_result_t
read_text(const char *at, size_t len)
{
    memset(&answer, 0, sizeof(answer));
    answer.ttl = 1000;
    return weir_dns_read_answer(weir_str(at, len), &question, &answer);
}

#define READ(text) read_text((text), sizeof(text) - 1)
#define SRV_ASKED "\x05_http\x04_tcp\x07" "example\x00\x00\x21\x00\x01"

static void
services(void)
{
    char host[WEIR_DNS_NAME_MAX + 2];
    static const char one[] = HEAD("\x81\x80", "\x03") SRV_ASKED
        "\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x0c\x00\x01\x00\x05\x1f\x90\x03" "One\xc0\x17"
        "\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x0a\x00\x07\x00\x02\x00\x00\x00\x50\x00"
        "\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x05\x00\x0d\x00\x02\x00\x00\x00\x50\x03two\xc0\x17\x00";
    weir_str_t text = weir_str(one, sizeof(one) - 1);

    question = (weir_dns_question_t) { .name = WEIR_STR("_http._tcp.example"), .type = WEIR_DNS_SRV, .id = 0x1234 };
    ok(read_text(one, sizeof(one) - 1) == WEIR_DNS_OK, "an answer with services");
    is_int(answer.n_services, 2, "has those that are whole");
    is_int(answer.ttl, 5, "for as long as all of them hold");
    is_int(answer.services[0].priority, 1, "a priority");
    is_int(answer.services[0].weight, 5, "a weight");
    is_int(answer.services[0].port, 8080, "a port");
    is_str(weir_str(host, weir_dns_read_host(text, answer.services[0].target, host)), "one.example", "and a target");
    is_int(weir_dns_read_host(text, answer.services[1].target, host), 0, "the root is no target");
    is_int(weir_dns_read_host(text, 60000, host), 0, "nor is what is not there");
    size_t wrong = 0;
    for (size_t n = 0; n < sizeof(one) - 1; n++) {
        char *cut = malloc(n + 1);                   /* so that a byte too many is seen */

        memcpy(cut, one, n);
        wrong += read_text(cut, n) == WEIR_DNS_OK;
        free(cut);
    }
    is_int(wrong, 0, "an answer that is cut anywhere is none");
}

/* A CNAME chain longer than is followed, pointers to themselves and in circles, counts that are not there. */
static void
hostile(void)
{
    static char many[20000];
    size_t      n = 0;

    question = (weir_dns_question_t) { .name = WEIR_STR("host.example"), .type = WEIR_DNS_A, .id = 0x1234 };
    ok(READ("\x12\x34\x81\x80\x00\x01\xff\xff\x00\x00\x00\x00" ASKED) == WEIR_DNS_MALFORMED,
       "65,535 records that are not there");
    ok(READ(HEAD("\x81\x80", "\x01") ASKED "\xc0\x1e\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01")
       == WEIR_DNS_MALFORMED, "a pointer to itself");
    ok(READ(HEAD("\x81\x80", "\x01") "\xc0\x0c\x00\x01\x00\x01") == WEIR_DNS_OTHER, "a question that points to itself");
    memcpy(many, "\x12\x34\x81\x80\x00\x01\x04\x00\x00\x00\x00\x00" ASKED, 30);
    for (n = 30; n < 30 + 1024 * 16; n += 16) {
        memcpy(many + n, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01", 16);
    }
    ok(read_text(many, n) == WEIR_DNS_OK && answer.n == 1024, "1,024 addresses are taken");
    many[6] = 4;
    many[7] = 1;
    memcpy(many + n, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01", 16);
    ok(read_text(many, n + 16) == WEIR_DNS_OK && answer.n == 1024, "and no more");
}

static void
letters(void)
{
    static const char same[] = HEAD("\x81\x80", "\x00") "\x04hOst\x07" "examPle\x00\x00\x01\x00\x01";
    char query[WEIR_DNS_QUERY_MAX];

    question = (weir_dns_question_t) { .name = WEIR_STR("host.example"), .type = WEIR_DNS_A, .id = 0x1234,
                                       .upper = { 0x02, 0x02 } };
    (void) weir_dns_write_query(query, &question);
    ok(memcmp(query + 12, "\x04hOst\x07" "examPle", 13) == 0, "letters are capitals where the question says so");
    ok(READ(same) == WEIR_DNS_OK, "an answer has the same ones");
    ok(READ(HEAD("\x81\x80", "\x00") ASKED) == WEIR_DNS_OTHER_CASE, "another case is told");
    question.any_case = true;
    ok(READ(HEAD("\x81\x80", "\x00") ASKED) == WEIR_DNS_OK, "unless nobody asks for it");
    memset(question.upper, 0xff, sizeof(question.upper));
    question.any_case = false;
    size_t n = weir_dns_write_query(query, &question);
    query[2] = (char) 0x81;
    ok(weir_dns_read_answer(weir_str(query, n), &question, &answer) == WEIR_DNS_OK, "a question answers itself");
}

static void
negative(void)
{
    question = (weir_dns_question_t) { .name = WEIR_STR("host.example"), .type = WEIR_DNS_A, .id = 0x1234 };
    ok(READ("\x12\x34\x81\x83\x00\x01\x00\x00\x00\x01\x00\x00" ASKED
            "\xc0\x11\x00\x06\x00\x01\x00\x00\x00\x1e\x00\x16\x00\x00" "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c")
       == WEIR_DNS_NO_NAME, "no such name");
    is_int(answer.negative_ttl, 30, "for the time of its SOA or its minimum, whichever is less");
    ok(READ("\x12\x34\x81\x80\x00\x01\x00\x00\x00\x01\x00\x00" ASKED
            "\xc0\x11\x00\x06\x00\x01\x00\x00\x00\x1e\x00\x16\x00\x00" "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x07")
       == WEIR_DNS_OK, "no address of this kind");
    is_int(answer.negative_ttl, 7, "so also");
    ok(READ("\x12\x34\x81\x80\x00\x01\x00\x00\x00\x01\x00\x00" ASKED
            "\xc0\x11\x00\x06\x00\x01\x00\x00\x00\x1e\x00\x04\x00\x00\0\0") == WEIR_DNS_OK && answer.negative_ttl == 0,
       "an SOA that is cut says nothing");
    ok(READ(HEAD("\x81\x81", "\x00") ASKED) == WEIR_DNS_NO_EDNS, "a server that does not understand EDNS");
    ok(READ("\x12\x34\x81\x81\x00\x00\x00\x00\x00\x00\x00\x00") == WEIR_DNS_NO_EDNS, "and repeats nothing");
    question.is_plain = true;
    ok(READ(HEAD("\x81\x81", "\x00") ASKED) == WEIR_DNS_FAILED, "nor the plain question");
}

int
main(void)
{
    static const char *const names[] = { "a", "host.example", "a-b.c_d.e", "host.example." };
    static const char *const no_names[] = { "", ".", "a..b", ".a", "a b", "a/b", "\xc3\xa4.x",
                                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    char query[WEIR_DNS_QUERY_MAX];

    for (size_t i = 0; i < weir_countof(names); i++) {
        ok(weir_dns_is_name(weir_str_from_z(names[i])), names[i]);
    }
    for (size_t i = 0; i < weir_countof(no_names); i++) {
        ok(!weir_dns_is_name(weir_str_from_z(no_names[i])), no_names[i]);
    }
    size_t n = weir_dns_write_query(query, &question);
    ok(n > 30 && memcmp(query, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" ASKED, 12 + sizeof(ASKED) - 1) == 0,
       "a question");

    ok(READ(HEAD("\x81\x80",
                 "\x01") ASKED "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01") == WEIR_DNS_OK,
                 "an answer");
    is_int(answer.n, 1, "has an address");
    is_int(answer.ttl, 60, "for a minute");
    ok(memcmp(answer.at[0].bytes, "\x7f\x00\x00\x01", 4) == 0, "which is right");
    ok(READ(HEAD("\x81\x80", "\x02") ASKED "\x01z\x00\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x02"
            "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x03\x01z\x00") == WEIR_DNS_OK,
            "a CNAME behind what it leads to");
    is_int(answer.n, 1, "is followed");
    is_int(answer.ttl, 5, "for as long as all of it holds");
    ok(READ(HEAD("\x81\x80",
                 "\x01") ASKED "\x01z\x00\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x02") == WEIR_DNS_OK,
                 "another's address");
    is_int(answer.n, 0, "is not taken");
    ok(READ(HEAD("\x81\x80", "\x01") ASKED "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c") == WEIR_DNS_OK,
       "a CNAME to itself");
    is_int(answer.n, 0, "comes to an end");
    is_int(answer.alias_len, 0, "and leads nowhere");
    ok(READ(HEAD("\x81\x80",
                 "\x01") ASKED "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x07\x01z\x03net\x00") == WEIR_DNS_OK,
                 "a CNAME that leads out of the answer");
    is_int(answer.n, 0, "has no address");
    is_str(weir_str(answer.alias, answer.alias_len), "z.net", "it is told where to");
    ok(READ(HEAD("\x81\x80",
                 "\x01") ASKED "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x04z.\0!\x00") == WEIR_DNS_OK,
                 "a CNAME to what is no host's name");
    is_int(answer.alias_len, 0, "is not followed");
    ok(READ(HEAD("\x81\x80", "\x02") ASKED "\xc0\x11\x00\x27\x00\x01\x00\x00\x00\x3c\x00\x05\x03net\x00"
            "\x04host\x03net\x00\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x03") == WEIR_DNS_OK, "a DNAME");
    is_int(answer.n, 1, "puts all names of one under another");
    is_int(answer.ttl, 5, "for as long as both hold");
    ok(READ(HEAD("\x81\x80",
                 "\x01") ASKED "\xc0\x0c\x00\x27\x00\x01\x00\x00\x00\x3c\x00\x05\x03net\x00") == WEIR_DNS_OK,
                 "a DNAME of the name itself");
    is_int(answer.alias_len, 0, "says nothing of it");
    ok(READ(HEAD("\x81\x80",
                 "\x01") ASKED "\xc0\x11\x00\x27\x00\x01\x00\x00\x00\x3c\x00\x04\x01z\xc0\x11") == WEIR_DNS_OK,
                 "a DNAME into itself");
    is_int(answer.alias_len, 0, "comes to an end");
    ok(READ(HEAD("\x81\x83", "\x00") ASKED) == WEIR_DNS_NO_NAME, "no such name");
    ok(READ(HEAD("\x81\x82", "\x00") ASKED) == WEIR_DNS_FAILED, "a server that cannot");
    ok(READ(HEAD("\x83\x80", "\x00") ASKED) == WEIR_DNS_TRUNCATED, "one that was cut");
    ok(READ(HEAD("\x01\x80", "\x00") ASKED) == WEIR_DNS_OTHER, "a question is no answer");
    ok(READ("\x12\x35\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00" ASKED) == WEIR_DNS_OTHER, "another id");
    ok(READ(HEAD("\x81\x80", "\x00") "\x05other\x07" "example\x00\x00\x01\x00\x01") == WEIR_DNS_OTHER, "another name");
    ok(READ(HEAD("\x81\x80", "\x00") "\x04host\x07" "example\x00\x00\x1c\x00\x01") == WEIR_DNS_OTHER, "another type");
    ok(READ(HEAD("\x81\x80", "\x01") ASKED "\xc0\x1e\x00\x01") == WEIR_DNS_MALFORMED, "a pointer forward");
    ok(READ(HEAD("\x81\x80", "\x01") ASKED "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x05\x7f\x00\x00\x01") == WEIR_DNS_MALFORMED, "more data than there is");
    ok(READ(HEAD("\x81\x80", "\x05") ASKED) == WEIR_DNS_MALFORMED, "fewer records than said");
    services();
    hostile();
    letters();
    negative();
    return done();
}
