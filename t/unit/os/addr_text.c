/* addr_text.c - addresses from text and back, compared. */
#include "os/addr.h"

#include "tap.h"

static const char *const bad_ips[] = { "", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "0x7f.0.0.1",
                                       "127.1", " 1.2.3.4", "1.2.3.4 ", "[1.2.3.4]", "::g", "1:2", "[::1", "::1]",
                                       "[]", "fe80::1%lo", "1.2.3.4:80",
                                       "1111:2222:3333:4444:5555:6666:255.255.255.2555" };

static void
is_text(const char *ip, uint16_t port, const char *want, const char *want_ip)
{
    weir_addr_t addr;
    char        text[WEIR_ADDR_TEXT];
    size_t      len;

    if (!ok(weir_addr_from_ip(&addr, weir_str_from_z(ip), port), ip)) {
        return;
    }
    len = weir_addr_text(&addr, text);
    is_str(weir_str(text, len), want, want);
    ok(text[len] == '\0', "it ends in NUL");
    len = weir_addr_text_ip(&addr, text);
    is_str(weir_str(text, len), want_ip, want_ip);
    is_int(weir_addr_port(&addr), port, "its port");
}

static void
test_ip(void)
{
    weir_addr_t a, b;
    size_t      i;

    is_text("127.0.0.1", 80, "127.0.0.1:80", "127.0.0.1");
    is_text("255.255.255.255", 65535, "255.255.255.255:65535", "255.255.255.255");
    is_text("[::1]", 8080, "[::1]:8080", "::1");
    is_text("::1", 8080, "[::1]:8080", "::1");
    is_text("2001:DB8:0:0:0:0:0:1", 1, "[2001:db8::1]:1", "2001:db8::1");
    is_text("::ffff:1.2.3.4", 1, "[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4");
    for (i = 0; i < weir_countof(bad_ips); i++) {
        ok(!weir_addr_from_ip(&a, weir_str_from_z(bad_ips[i]), 1), bad_ips[i]);
    }
    ok(!weir_addr_from_ip(&a, weir_str("1.2.3.4\0", 8), 1), "NUL belongs to no address");

    ok(weir_addr_from_ip(&a, WEIR_STR("0.0.0.0"), 1) && weir_addr_is_wildcard(&a), "0.0.0.0 is a wildcard");
    ok(weir_addr_from_ip(&b, WEIR_STR("::"), 1) && weir_addr_is_wildcard(&b), ":: is too");
    ok(!weir_addr_eq(&a, &b), "another one");
    ok(weir_addr_from_ip(&b, WEIR_STR("0.0.0.0"), 2) && !weir_addr_eq(&a, &b), "another port, another address");
    weir_addr_set_port(&b, 1);
    ok(weir_addr_eq(&a, &b), "the same port, the same");
    ok(weir_addr_compare_ip(&a, &b) == 0, "and in order the same");
    ok(weir_addr_from_ip(&a, WEIR_STR("10.0.0.9"), 9) && weir_addr_from_ip(&b, WEIR_STR("10.0.1.0"), 1)
       && weir_addr_compare_ip(&a, &b) < 0 && weir_addr_compare_ip(&b, &a) > 0, "by bytes, whatever the port");
    ok(weir_addr_from_ip(&b, WEIR_STR("::1"), 1) && weir_addr_compare_ip(&a, &b) < 0, "IPv4 comes first");
    ok(weir_addr_from_ip(&a, WEIR_STR("::1"), 1) && weir_addr_from_ip(&b, WEIR_STR("0:0::1"), 1)
       && weir_addr_eq(&a, &b) && !weir_addr_is_wildcard(&a), "two spellings of one address are equal");
}

static void
test_unix(void)
{
    weir_addr_t a, b;
    char        text[WEIR_ADDR_TEXT], path[109];
    size_t      len;

    memset(path, 'p', sizeof(path));
    ok(weir_addr_from_unix(&a, WEIR_STR("/run/x")) && weir_addr_is_unix(&a), "a path");
    len = weir_addr_text(&a, text);
    is_str(weir_str(text, len), "unix:/run/x", "as text");
    len = weir_addr_text_ip(&a, text);
    is_str(weir_str(text, len), "unix:", "without the path");
    is_int(weir_addr_port(&a), 0, "no port");
    weir_addr_set_port(&a, 5);
    ok(weir_addr_from_unix(&b, WEIR_STR("/run/x")) && weir_addr_eq(&a, &b), "equal");
    b.len = sizeof(b.un);
    ok(weir_addr_eq(&a, &b), "equal, however long the kernel says it is");
    ok(weir_addr_from_unix(&b, WEIR_STR("/run/xy")) && !weir_addr_eq(&a, &b), "not equal");

    ok(weir_addr_from_unix(&a, weir_str(path, 107)), "107 bytes fit");
    len = weir_addr_text(&a, text);
    is_int(len, 112, "and print");
    memset(a.un.sun_path, 'q', sizeof(a.un.sun_path));
    a.len = sizeof(a.un);
    is_int(weir_addr_text(&a, text), 113, "a path without a NUL ends with its room");
    ok(!weir_addr_from_unix(&a, weir_str(path, 108)), "108 do not fit");
    ok(!weir_addr_from_unix(&a, WEIR_STR("")), "no path");
    ok(!weir_addr_from_unix(&a, weir_str("/a\0b", 4)), "NUL is refused");

    memset(&a, 0, sizeof(a));
    a.any.sa_family = AF_UNIX;
    a.len = sizeof(a.any.sa_family);
    len = weir_addr_text(&a, text);
    is_str(weir_str(text, len), "unix:", "an unnamed peer");
}

static void
test_endpoint(void)
{
    static const char *const ips[] = { "192.0.2.7", "2001:db8::7" };
    weir_addr_t     a, b;
    weir_endpoint_t end;
    char            text[WEIR_ADDR_TEXT];

    for (size_t i = 0; i < weir_countof(ips); i++) {
        ok(weir_addr_from_ip(&a, weir_str_from_z(ips[i]), 8443), "an address");
        end = weir_addr_to_endpoint(&a);
        b = weir_addr_from_endpoint(&end);
        ok(weir_addr_eq(&a, &b) && b.len == a.len && ntohs(end.port) == 8443,
           "an endpoint is the same address and port");
    }
    ok(weir_addr_from_unix(&a, WEIR_STR("/run/x")), "a path");
    end = weir_addr_to_endpoint(&a);
    b = weir_addr_from_endpoint(&end);
    is_str(weir_str(text, weir_addr_text(&b, text)), "unix:", "of a unix socket it says that it is one");
    ok(end.port == 0, "without a port");
}

int
main(void)
{
    test_ip();
    test_unix();
    test_endpoint();
    return done();
}
