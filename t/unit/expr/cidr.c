/* cidr.c - networks from text, and which addresses lie in them. */
#include "expr/cidr.h"

#include "tap.h"

static const char *const bad[] = { "", "every", "ALL", "unix", "unix:/a", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                                   "10.0.0.0/a", "10.0.0.0/08", "10.0.0/8",
                                   "/8", "10.0.0.0/8/8", "[::1]", "[::1]/128", "::/129", "::1/", "example.org",
                                   "10.0.0.0/255.0.0.0",
                                   "10.0.0.0/18446744073709551617", " 10.0.0.1", "10.0.0.1 " };

static const struct { const char *network, *address; bool has; } cases[] = {
    { "all", "1.2.3.4", true }, { "all", "::1", true }, { "unix:", "1.2.3.4", false }, { "unix:", "::1", false },
    { "1.2.3.4", "1.2.3.4", true }, { "1.2.3.4", "1.2.3.5", false }, { "1.2.3.4/32", "1.2.3.4", true },
    { "0.0.0.0/0", "255.255.255.255", true }, { "0.0.0.0/0", "::1", false }, { "::/0", "1.2.3.4", false },
    { "::/0", "ffff::", true },
    { "10.0.0.0/8", "10.255.255.255", true }, { "10.0.0.0/8", "11.0.0.0", false },
    { "10.0.0.0/8", "9.255.255.255", false },
    { "192.168.6.0/23", "192.168.7.255", true }, { "192.168.6.0/23", "192.168.8.0", false },
    { "192.168.6.0/23", "192.168.5.255", false },
    { "128.0.0.0/1", "128.0.0.0", true }, { "128.0.0.0/1", "127.255.255.255", false },
    { "1.2.3.4/31", "1.2.3.5", true }, { "1.2.3.4/31", "1.2.3.6", false },
    { "2001:db8::/32", "2001:db8:ffff::1", true }, { "2001:db8::/32", "2001:db9::", false },
    { "2001:db8::/33", "2001:db8:7fff::", true }, { "2001:db8::/33", "2001:db8:8000::", false },
    { "::1", "::1", true }, { "::1", "::2", false }, { "fe80::/10", "febf::1", true },
    { "fe80::/10", "fec0::1", false },
    { "10.0.0.0/8", "::ffff:10.1.2.3", true }, { "10.0.0.0/8", "::ffff:11.1.2.3", false },
    { "10.0.0.0/8", "::10.1.2.3", false },
    { "::ffff:0:0/96", "::ffff:10.1.2.3", true }, { "0.0.0.0/0", "::ffff:10.1.2.3", true },
    { "0.0.0.0/0", "::fffe:10.1.2.3", false },
};

int
main(void)
{
    weir_cidr_t cidr;
    weir_addr_t addr;
    char        name[128];

    for (size_t i = 0; i < weir_countof(bad); i++) {
        (void) snprintf(name, sizeof(name), "\"%s\" is none", bad[i]);
        is_int(weir_cidr_parse(&cidr, weir_str_from_z(bad[i])), WEIR_CIDR_BAD, name);
    }
    for (size_t i = 0; i < weir_countof(cases); i++) {
        (void) snprintf(name, sizeof(name), "%s %s %s", cases[i].network, cases[i].has ? "has" : "has not",
                        cases[i].address);
        is_int(weir_cidr_parse(&cidr, weir_str_from_z(cases[i].network)), WEIR_CIDR_OK, cases[i].network);
        ok(weir_addr_from_ip(&addr, weir_str_from_z(cases[i].address), 80), cases[i].address);
        ok(weir_cidr_has(&cidr, &addr) == cases[i].has, name);
    }
    is_int(weir_cidr_parse(&cidr, WEIR_STR("10.1.2.3/8")), WEIR_CIDR_LOW_BITS, "bits beyond the prefix");
    ok(weir_addr_from_ip(&addr, WEIR_STR("10.9.9.9"), 0) && weir_cidr_has(&cidr, &addr), "mean nothing");
    is_int(weir_cidr_parse(&cidr, WEIR_STR("::1/0")), WEIR_CIDR_LOW_BITS, "in IPv6 too");
    is_int(weir_cidr_parse(&cidr, WEIR_STR("unix:")), WEIR_CIDR_OK, "unix sockets");
    ok(weir_addr_from_unix(&addr, WEIR_STR("/a/b")) && weir_cidr_has(&cidr, &addr), "are");
    is_int(weir_cidr_parse(&cidr, WEIR_STR("0.0.0.0/0")), WEIR_CIDR_OK, "IPv4");
    ok(!weir_cidr_has(&cidr, &addr), "has no unix socket");
    is_int(weir_cidr_parse(&cidr, WEIR_STR("all")), WEIR_CIDR_OK, "all");
    ok(weir_cidr_has(&cidr, &addr), "has");
    return done();
}
