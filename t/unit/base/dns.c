/* dns.c - questions and answers of the domain name system, and what is made of hostile ones. */
#include "base/dns.h"

#include "tap.h"

#include <string.h>

#define HEAD(flags, n) "\x12\x34" flags "\x00\x01\x00" n "\x00\x00\x00\x00"
#define ASKED "\x04host\x07" "example\x00\x00\x01\x00\x01"

static weir_dns_answer_t answer;

static weir_dns_result_t
read_text(const char *at, size_t len)
{
    answer = (weir_dns_answer_t) { .n = 0, .ttl = 1000 };
    return weir_dns_read_answer(weir_str(at, len), 0x1234, WEIR_STR("Host.Example."), WEIR_DNS_A, &answer);
}

#define READ(text) read_text((text), sizeof(text) - 1)

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
    size_t n = weir_dns_write_query(query, 0x1234, WEIR_STR("host.example"), WEIR_DNS_A);
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
    return done();
}
