/*
 * authority.c - Host and the authority of a target .
 */
#include "http/message/uri.h"
#include "tap.h"

#define L10 "0123456789"
#define L63 L10 L10 L10 L10 L10 L10 "012"

static const struct { const char *text, *host; uint16_t port; } good[] = {
    { "a", "a", 0 },
    { "Example.ORG", "Example.ORG", 0 },
    { "a.b:80", "a.b", 80 },
    { "a:1", "a", 1 },
    { "a:65535", "a", 65535 },
    { "a:", "a", 0 },
    { "[::1]:", "[::1]", 0 },
    { "a.b.", "a.b", 0 },
    { "a.b.:8080", "a.b", 8080 },
    { "under_score.~x-y", "under_score.~x-y", 0 },
    { "127.0.0.1:8080", "127.0.0.1", 8080 },
    { "[::1]", "[::1]", 0 },
    { "[::1]:80", "[::1]", 80 },
    { "[2001:db8::ffff:192.0.2.1]:443", "[2001:db8::ffff:192.0.2.1]", 443 },
    { L63, L63, 0 },
    { L63 "." L63 "." L63 "." L63, L63 "." L63 "." L63 "." L63, 0 },
};

static const char *const bad[] = {
    "", ".", "..", ".a", "a..b", "a..", ":80", "a:0", "a:080", "a:65536", "a:99999999999999999999", "a:x", "a:8x",
    "a:-1", "a:+1", "a: 80", "a:80:80", "a b", " a", "a ", "a,b", "u@a", "u:p@a", "@a", "a@", "a/b", "a?b", "a#b",
    "a\\b", "a%0d", "a%41", "a\xe9", "a\tb", "a\x7f", "a;b", "a=b", "a\"b", "a'b", "a(b)", "a<b", "a|b", "a^b",
    "[::1", "::1", "[]", "[:80", "[::1]x", "[::1]80", "[::1]:0", "[::1]:x", "[::1%25eth0]", "[::1%eth0]",
    "[v1.x]", "[1.2.3.4]", "[::g]", "[1::2::3]",
    "[1:2:3:4:5:6:7:8:9]", "[::1]]", "[[::1]]", "x[::1]", "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
    L63 "x", L63 "." L63 "." L63 "." L63 ".a", L63 "." L63 "x.a",
};

static void
test_nul(void)
{
    weir_str_t host;
    uint16_t   port;

    ok(!weir_uri_authority(weir_str("a\0b", 3), &host, &port), "NUL in a name");
    ok(!weir_uri_authority(weir_str("[::1\0]", 6), &host, &port), "NUL in a literal");
    ok(!weir_uri_authority(weir_str("a:8\0", 4), &host, &port), "NUL in a port");
    ok(!weir_uri_authority(WEIR_STR_NONE, &host, &port), "nothing");
}

int
main(void)
{
    weir_str_t host;
    uint16_t   port;
    size_t     i;
    char      *copy;

    for (i = 0; i < weir_countof(good); i++) {
        ok(weir_uri_authority(weir_str_from_z(good[i].text), &host, &port), good[i].text);
        is_str(host, good[i].host, "  its host");
        is_int(port, good[i].port, "  its port");
    }
    for (i = 0; i < weir_countof(bad); i++) {
        copy = malloc(strlen(bad[i]) + 1);          /* without the NUL behind it, for the sanitizer */
        memcpy(copy, bad[i], strlen(bad[i]));
        ok(!weir_uri_authority(weir_str(copy, strlen(bad[i])), &host, &port), bad[i]);
        free(copy);
    }
    test_nul();
    return done();
}
