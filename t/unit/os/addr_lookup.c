/* addr_lookup.c - looking names up at load time. */
#include "os/addr.h"

#include "tap.h"

static const char *const odd[] = { "127.1", "0x7f000001", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "1.2.3.4.5", "",
                                   "a b", "a/b", "1.2.3.256", "127.1." };

int
main(void)
{
    weir_arena_t arena;
    weir_addrs_t found;
    const char  *why;
    char         text[WEIR_ADDR_TEXT];
    size_t       i, len;
    bool         loopback = true;

    weir_arena_init(&arena, 1024);
    found = weir_addr_lookup(&arena, WEIR_STR("192.0.2.1"), 80, &why);
    is_int(found.n, 1, "an address needs no look-up");
    len = weir_addr_text(&found.at[0], text);
    is_str(weir_str(text, len), "192.0.2.1:80", "it is that one");

    found = weir_addr_lookup(&arena, WEIR_STR("localhost"), 8080, &why);
    ok(found.n >= 1, "localhost is found");
    for (i = 0; i < found.n; i++) {
        weir_addr_text(&found.at[i], text);
        loopback = loopback && (strcmp(text, "127.0.0.1:8080") == 0 || strcmp(text, "[::1]:8080") == 0);
    }
    ok(loopback && found.n <= 2, "as loopback addresses with the port, each once");

    for (i = 0; i < weir_countof(odd); i++) {
        why = NULL;
        found = weir_addr_lookup(&arena, weir_str_from_z(odd[i]), 1, &why);
        ok(found.n == 0 && why != NULL, odd[i]);
    }
    weir_arena_fini(&arena);
    return done();
}
