/*
 * uri.c - one normal form of a path , encoding, queries.
 */
#include "http/message/uri.h"
#include "kept_slashes.h"
#include "tap.h"

static weir_arena_t arena;

static const struct { const char *raw, *path, *wire; } good[] = {
    { "/", "/", "/" },
    { "/a/b.c", "/a/b.c", "/a/b.c" },
    { "/a;x=1/b", "/a;x=1/b", "/a;x=1/b" },
    { "/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~" },
    { "/a/../admin", "/admin", "/admin" },
    { "/./", "/", "/" },
    { "/.", "/", "/" },
    { "/a/.", "/a/", "/a/" },
    { "/admin/.", "/admin/", "/admin/" },
    { "/a/..", "/", "/" },
    { "/a/b/..", "/a/", "/a/" },
    { "/a/b/../", "/a/", "/a/" },
    { "/a/b/../../c", "/c", "/c" },
    { "/a/./b/./c", "/a/b/c", "/a/b/c" },
    { "//admin", "/admin", "/admin" },
    { "/a//b///c//", "/a/b/c/", "/a/b/c/" },
    { "/a//../b", "/b", "/b" },
    { "/%2e/a", "/a", "/a" },
    { "/a/%2e%2e/b", "/b", "/b" },
    { "/a/.%2E/b", "/b", "/b" },
    { "/a/%2e./b", "/b", "/b" },
    { "/a/%2e%2e", "/", "/" },
    { "/%61%7e%2D", "/a~-", "/a~-" },
    { "/%2b%3b%40", "/+;@", "/%2B%3B%40" },
    { "/+;@", "/+;@", "/+;@" },
    { "/%3f%23%25", "/?#%", "/%3F%23%25" },
    { "/%252e%252e/x", "/%2e%2e/x", "/%252e%252e/x" },
    { "/a%20b", "/a b", "/a%20b" },
    { "/a%20", "/a ", "/a%20" },
    { "/a%09", "/a\t", "/a%09" },
    { "/a%0d%0ab", "/a\r\nb", "/a%0D%0Ab" },
    { "/a%a0", "/a\xa0", "/a%A0" },
    { "/a%85", "/a\x85", "/a%85" },
    { "/a.", "/a.", "/a." },
    { "/a..", "/a..", "/a.." },
    { "/...", "/...", "/..." },
    { "/.../a", "/.../a", "/.../a" },
    { "/.well-known/x", "/.well-known/x", "/.well-known/x" },
    { "/..a/.b", "/..a/.b", "/..a/.b" },
    { "/..%20/a", "/.. /a", "/..%20/a" },
    { "/AdMiN", "/AdMiN", "/AdMiN" },
    { "/|[]^{}\"<>`", "/|[]^{}\"<>`", "/%7C%5B%5D%5E%7B%7D%22%3C%3E%60" },
    { "/%c3%a9%e2%82%ac%f0%9f%98%80", "/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "/%C3%A9%E2%82%AC%F0%9F%98%80" },
    { "/e%cc%81", "/e\xcc\x81", "/e%CC%81" },                         /* NFD stays NFD */
    /* full-width dots and slash are names */
    { "/%ef%bc%8e%ef%bc%8e%ef%bc%8fx", "/\xef\xbc\x8e\xef\xbc\x8e\xef\xbc\x8fx", "/%EF%BC%8E%EF%BC%8E%EF%BC%8Fx" },
    { "/%e9t%e9", "/\xe9t\xe9", "/%E9t%E9" },                         /* Latin-1 */
    /* raw bytes are the same as their encoded form */
    { "/\xc3\xa9/\xff", "/\xc3\xa9/\xff", "/%C3%A9/%FF" },
    /* encoded slashes stay encoded; so does a percent sign before their digits */
    { "/%2fadmin", "/%2Fadmin", "/%2Fadmin" },
    { "/a%2Fb/%5c", "/a%2Fb/%5C", "/a%2Fb/%5C" },
    { "/@scope%2fname", "/@scope%2Fname", "/@scope%2Fname" },
    { "/%252f", "/%252f", "/%252f" },
    { "/%25%32F%25", "/%252F%", "/%252F%25" },
    { "/%25252F", "/%25252F", "/%25252F" },
    { "/%2525%2F", "/%25%2F", "/%2525%2F" },
    { "/a%2F..b/.c%2Fd", "/a%2F..b/.c%2Fd", "/a%2F..b/.c%2Fd" },
    { "/%fc%f8", "/\xfc\xf8", "/%FC%F8" },
};

static const char *const bad[] = {
    "", "a", "*", "?", "/..", "/../a", "/a/../..", "/a/../../b", "/./..", "//..", "/%2e%2e/a", "/a/%2E%2e/%2e%2e",
    "/..;/a", "/a/..;x=1/b", "/a/.;/b", "/a/..;", "/a/.;", "/a/..%3b/b", "/a/%2e%2e;/b", "/a/%2e;x",
    "/a%5C..", "/..%2fx", "/a/%2e.%2Fx", "/a%2f.%5cb", "/a%5C.", "/..%2F..", "/.;%2Fx", "/a%2F..;/b", "/admin%00",
    "/%00", "/a%", "/a%2", "/a%zz", "/a%u002f", "/a%2/b",
    "/a%%32%66", "/a\\b", "/\\", "/a b", "/a\tb", "/a\x7f", "/a\x01", "/a#b", "/a?b",
    "/\xc0\xaf", "/\xe0\x80\xae",
    "/%c0%af", "/%c0%ae%c0%ae/x", "/%e0%80%af", "/%e0%80%ae", "/%f0%80%80%af", "/%f8%80%80%80%af",
    "/%fc%80%80%80%80%af", "/%c1%9c", "/%c0%2e", "/%c0.", "/%e0%80%80", "/%e0%9f%bf", "/%f0%8f%bf%bf", "/%c0",
    "/x/%c0%af/../y", "/%e0@n", "/%f0@@n",
};

static weir_uri_result_t
normalise(weir_uri_t *uri, weir_str_t raw, bool merge)
{
    return weir_uri_normalise(uri, raw, merge, &arena);
}

static void
test_rows(void)
{
    weir_uri_t uri;
    size_t     i;

    for (i = 0; i < weir_countof(good); i++) {
        is_int(normalise(&uri, weir_str_from_z(good[i].raw), true), WEIR_URI_OK, good[i].raw);
        is_str(uri.path, good[i].path, "  its path");
        is_str(uri.wire, good[i].wire, "  its wire form");
    }
    for (i = 0; i < weir_countof(bad); i++) {
        is_int(normalise(&uri, weir_str_from_z(bad[i]), true), WEIR_URI_BAD, bad[i]);
    }
    is_int(normalise(&uri, weir_str("/a\0b", 4), true), WEIR_URI_BAD, "NUL");
}

static void
test_slashes(void)
{
    weir_uri_t uri;

    (void) normalise(&uri, WEIR_STR("//a///b/"), false);
    is_str(uri.path, "//a///b/", "slashes are kept");
    is_int(normalise(&uri, WEIR_STR("/a//../b"), false), WEIR_URI_OK, "an empty segment");
    is_str(uri.path, "/a/b", "is one that .. takes off");
    is_int(normalise(&uri, WEIR_STR("//.."), false), WEIR_URI_OK, "the first one");
    is_str(uri.path, "/", "too");
    (void) normalise(&uri, WEIR_STR("/.//x"), false);
    is_str(uri.path, "//x", "what is left may begin with two");
}

static void
test_memory(void)
{
    static char raw[10001];
    weir_uri_t  uri;
    weir_str_t  text = WEIR_STR("/plain/path;a=b/.c/d..");

    weir_arena_reset(&arena);
    weir_arena_fini(&arena);
    weir_arena_init(&arena, 4096);
    ok(normalise(&uri, text, true) == WEIR_URI_OK && uri.path.at == text.at && uri.wire.at == text.at,
       "a normal path is a slice");
    is_int(arena.total, 0, "no memory was taken");
    ok(weir_uri_encode(text, &arena).at == text.at && arena.total == 0, "nor to encode it");
    raw[0] = '/';
    memset(raw + 1, '.', 10000);
    is_int(normalise(&uri, weir_str(raw, 10001), true), WEIR_URI_OK, "10^4 dots are a name");
    memset(raw + 1, '"', 10000);
    is_int(normalise(&uri, weir_str(raw, 10001), true), WEIR_URI_OK, "10^4 bytes to encode");
    is_int(uri.wire.len, 30001, "are three times as many");
}

static void
test_offsets(void)
{
    weir_uri_t uri;

    (void) normalise(&uri, WEIR_STR("/x/../a%20b%3b/c"), true);
    is_str(uri.wire, "/a%20b%3B/c", "a path with encoded bytes");
    is_int(weir_uri_wire_offset(&uri, 0), 0, "offset of its start");
    is_int(weir_uri_wire_offset(&uri, 2), 2, "before the first");
    is_int(weir_uri_wire_offset(&uri, 3), 5, "behind it");
    is_int(weir_uri_wire_offset(&uri, 5), 9, "behind the second");
    is_int(weir_uri_wire_offset(&uri, uri.path.len), uri.wire.len, "of its end");
    (void) normalise(&uri, WEIR_STR("/a%2Fb%252F%20%2541c"), true);
    is_str(uri.path, "/a%2Fb%252F %41c", "a path with encoded slashes");
    is_int(weir_uri_wire_offset(&uri, 6), 6, "they are as long in both spellings");
    is_int(weir_uri_wire_offset(&uri, 12), 14, "behind a byte that is not");
    is_int(weir_uri_wire_offset(&uri, uri.path.len), uri.wire.len, "of its end");
    (void) normalise(&uri, WEIR_STR("/abc"), true);
    is_int(weir_uri_wire_offset(&uri, 3), 3, "in a path without");
}

static void
test_encode(void)
{
    is_str(weir_uri_encode(WEIR_STR("/a b%?#\r\n\xff;+"), &arena), "/a%20b%25%3F%23%0D%0A%FF;+", "a path for the wire");
    is_str(weir_uri_encode(weir_str("/\0", 2), &arena), "/%00", "NUL too");
    is_str(weir_uri_encode(WEIR_STR("/%2F%252f%%41"), &arena), "/%2F%252f%25%2541", "encoded slashes are let be");
    is_str(weir_uri_encode_rest(WEIR_STR("/a b%20%2f%zz%4?c d%?#\xff"), &arena), "/a%20b%20%2f%25zz%254?c%20d%?%23%FF",
           "what is encoded already, too");
    is_str(weir_uri_encode_rest(WEIR_STR("/a?b"), &arena), "/a?b", "nothing to encode");
    is_str(weir_uri_decode_slashes(WEIR_STR("/a%2fb%2Fc%5C%252F"), &arena), "/a/b/c%5C%252F", "slashes decoded");
    is_str(weir_uri_plain_slashes(WEIR_STR("/a%2fb%5C%252F"), &arena), "/a/b/%252F", "and backslashes");
    is_str(weir_uri_encode_reference(WEIR_STR("http://[::1]/a b%20?c=\"d\"#e\r\nX: y\\\xe9"), &arena),
           "http://[::1]/a%20b%20?c=%22d%22#e%0D%0AX:%20y%5C%E9", "a reference");
    is_str(weir_uri_encode_reference(weir_str("a\0b", 3), &arena), "a%00b", "NUL in a reference");
}

static void
test_split(void)
{
    weir_str_t path, query;
    bool       has_query;

    ok(weir_uri_split(WEIR_STR("/a\xe9?b=\xe9?c"), &path, &query, &has_query) && has_query, "a target");
    is_str(path, "/a\xe9", "its path");
    is_str(query, "b=\xe9?c", "its query");
    ok(weir_uri_split(WEIR_STR("/a#b?c"), &path, &query, &has_query) && !has_query && path.len == 2 && query.len == 0,
       "a fragment is cut off");
    ok(weir_uri_split(WEIR_STR("/a?b#c"), &path, &query, &has_query) && has_query && query.len == 1,
       "behind a query, too");
    ok(!weir_uri_split(WEIR_STR("/a#b\1"), &path, &query, &has_query), "a control in it");
    ok(!weir_uri_split(WEIR_STR("/a b"), &path, &query, &has_query), "a space");
    ok(!weir_uri_split(WEIR_STR("/a?\x7f"), &path, &query, &has_query), "a control in a query");
}

static void
test_query(void)
{
    weir_str_t value;

    ok(weir_uri_query_ok(WEIR_STR("")) && weir_uri_query_ok(WEIR_STR("a=b&c=%zz?/\\\"<>{}|^`[]")), "queries");
    ok(!weir_uri_query_ok(WEIR_STR("a b")) && !weir_uri_query_ok(WEIR_STR("a#b"))
       && !weir_uri_query_ok(WEIR_STR("a\xe9")) && !weir_uri_query_ok(WEIR_STR("a\x7f"))
       && !weir_uri_query_ok(weir_str("a\0", 2)), "no queries");
    ok(weir_uri_arg(WEIR_STR("a=1&bb=2&b=3&b=4"), WEIR_STR("b"), &value), "an argument");
    is_str(value, "3", "the first of its name");
    ok(weir_uri_arg(WEIR_STR("a=1&Key=%20=x"), WEIR_STR("key"), &value), "in any case");
    is_str(value, "%20=x", "undecoded");
    ok(weir_uri_arg(WEIR_STR("a=&b"), WEIR_STR("a"), &value) && value.len == 0, "an empty one");
    ok(!weir_uri_arg(WEIR_STR("xb=1&b&c"), WEIR_STR("b"), &value), "none without =");
    ok(!weir_uri_arg(WEIR_STR(""), WEIR_STR("b"), &value), "none in nothing");
    ok(weir_uri_arg(WEIR_STR("a=0123456789abcdefghij&b=0123456789abcdefghijk"), WEIR_STR("b"), &value)
       && value.len == 21, "one of more bytes, behind one of as many");
    ok(weir_uri_arg(WEIR_STR("a=0123456789abcdefghij&b=2"), WEIR_STR("a"), &value) && value.len == 20,
       "which ends where the next one begins");
    ok(!weir_uri_arg(WEIR_STR("a&b=1"), WEIR_STR("a&b"), &value)
       && !weir_uri_arg(WEIR_STR("a=b=1"), WEIR_STR("a=b"), &value), "none of a name that cannot be one");
}

/* --- random paths --- */

static uint64_t seed = 0x5eed;

static uint32_t
random_below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t) (seed >> 33) % n;
}

/* A path of pieces that mean something to somebody. */
static weir_str_t
random_path(char *out, size_t size)
{
    static const char *const pieces[] = {
        "/", "/", "/", ".", "..", "/../", "/./", "//", "%2e", "%2E%2e", "%25", "%2b", "%3B", ";", "a", "%2f", "%5C",
        "2F",
        "..;", "admin", "%61", "%20", "%c3%a9", "%e0%80%af", "%c0%ae", "%ff", "%0a", "+", "\"", "|", "\xc3\xa9", "%00",
        "%", "~", "%7E", "?", "#", " ",
    };
    size_t      len = 1, n, i, count = random_below(12);
    const char *piece;

    out[0] = '/';
    for (i = 0; i < count; i++) {
        /* The last pieces of the row are seldom good. */
        piece = pieces[random_below(random_below(8) == 0 ? (uint32_t) weir_countof(pieces) : 20)];
        n = strlen(piece);
        if (len + n <= size) {
            memcpy(out + len, piece, n);
            len += n;
        }
    }
    return weir_str(out, len);
}

static bool
has_double_slash(weir_str_t path)
{
    size_t i;

    for (i = 1; i < path.len; i++) {
        if (path.at[i] == '/' && path.at[i - 1] == '/') {
            return true;
        }
    }
    return false;
}

/* Dot segments by splitting, as a careless reader of the path would look for them. */
static bool
has_dot_segment(weir_str_t path)
{
    weir_str_t segment;

    while (path.len != 0) {
        (void) weir_str_cut(path, '/', &segment, &path);
        if (weir_str_eq(segment, WEIR_STR(".")) || weir_str_eq(segment, WEIR_STR(".."))) {
            return true;
        }
    }
    return false;
}

static void
test_properties(void)
{
    char       raw[256], decoded[256];
    weir_uri_t once, twice;
    unsigned   i, taken = 0, unstable = 0, unequal = 0, dots = 0, slashes = 0, offsets = 0;
    bool       merge;

    for (i = 0; i < 300000; i++) {
        weir_arena_reset(&arena);
        merge = random_below(4) != 0;
        if (normalise(&once, random_path(raw, sizeof(raw)), merge) != WEIR_URI_OK) {
            continue;
        }
        taken++;
        unstable += normalise(&twice, once.wire, merge) != WEIR_URI_OK || !weir_str_eq(once.wire, twice.wire)
                    || !weir_str_eq(once.path, twice.path);
        unequal += !weir_str_eq(kept_decode(once.wire, decoded), once.path);
        dots += has_dot_segment(once.path) || once.path.at[0] != '/';
        slashes += merge && has_double_slash(once.path);
        offsets += weir_uri_wire_offset(&once, once.path.len) != once.wire.len;
    }
    ok(taken > 50000 && taken < 290000, "random paths: some are good, some not");
    is_int(unstable, 0, "a normal form is its own normal form");
    is_int(unequal, 0, "what is sent decodes to what is matched");
    is_int(dots, 0, "no dot segment is left");
    is_int(slashes, 0, "no double slash is left when they are merged");
    is_int(offsets, 0, "offsets end where the wire form ends");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    test_rows();
    test_slashes();
    test_memory();
    test_offsets();
    test_encode();
    test_query();
    test_split();
    test_properties();
    weir_arena_fini(&arena);
    return done();
}
