/* addr_hostport.c - "host:port" in all its spellings, and the sentences about what is none. */
#include "os/addr.h"

#include "tap.h"

static const struct {
    const char *text, *host;
    uint16_t    port;
    bool        is_unix, is_v6, is_wildcard;
} good[] = {
    { "example.com", "example.com", 0, false, false, false },
    { "example.com:8080", "example.com", 8080, false, false, false },
    { "back_end-1:80", "back_end-1", 80, false, false, false },
    { "127.0.0.1:65535", "127.0.0.1", 65535, false, false, false },
    { "127.0.0.1", "127.0.0.1", 0, false, false, false },
    { "[::1]:8080", "::1", 8080, false, true, false },
    { "[::]", "::", 0, false, true, false },
    { "*:80", "", 80, false, false, true },
    { "*", "", 0, false, false, true },
    { "8080", "", 8080, false, false, true },
    { "unix:/run/weir.sock", "/run/weir.sock", 0, true, false, false },
    { "unix:/odd:name", "/odd:name", 0, true, false, false },
};

static const char *const bad[] = {
    "", ":", ":80", "a:", "a:0", "a:65536", "a:-1", "a:8x", "a: 80", "a:80:80", "::1", "[::1", "[::1]x", "[::1]:",
    "[::1]:0", "[127.0.0.1]:80", "[]", "[]:80", "0", "70000", "99999999999999999999999", "unix:", "a b", "a/b",
    "a@b:80", "*.example.com", "a\tb", "[::1%lo]:80",
};

int
main(void)
{
    weir_hostport_t hp;
    const char     *hint;
    char            long_name[600];
    size_t          i;

    for (i = 0; i < weir_countof(good); i++) {
        hint = NULL;
        if (!ok(weir_addr_parse_hostport(&hp, weir_str_from_z(good[i].text), &hint), good[i].text)) {
            printf("# %s\n", hint);
            continue;
        }
        is_str(hp.host, good[i].host, "its host");
        is_int(hp.port, good[i].port, "its port");
        ok(hp.has_port == (good[i].port != 0), "whether it has one");
        ok(hp.is_unix == good[i].is_unix && hp.is_v6_literal == good[i].is_v6 && hp.is_wildcard == good[i].is_wildcard,
           "its kind");
    }
    for (i = 0; i < weir_countof(bad); i++) {
        hint = NULL;
        ok(!weir_addr_parse_hostport(&hp, weir_str_from_z(bad[i]), &hint), bad[i]);
        ok(hint != NULL && strlen(hint) > 5, "the hint says why");
    }
    memset(long_name, 'a', sizeof(long_name));
    ok(!weir_addr_parse_hostport(&hp, weir_str(long_name, 256), &hint), "a name has 255 bytes at most");
    memcpy(long_name, "unix:/", 6);
    ok(!weir_addr_parse_hostport(&hp, weir_str(long_name, 5 + 108), &hint), "a path has 107");
    ok(weir_addr_parse_hostport(&hp, weir_str(long_name, 5 + 107), &hint), "which are enough");
    return done();
}
