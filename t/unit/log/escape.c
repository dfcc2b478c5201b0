/* escape.c - every byte that a stranger can send leaves a log as one line, and can be undone. */
#include "log/log.h"

#include "tap.h"

static int
hex(const char *at, size_t n)
{
    char text[5] = { 0 };

    memcpy(text, at, n);
    return (int) strtol(text, NULL, 16);
}

static size_t
undo_text(char *out, const char *at, size_t len)
{
    size_t n = 0, i;

    for (i = 0; i < len; i++) {
        if (at[i] == '\\') {
            out[n++] = (char) hex(at + i + 2, 2);
            i += 3;
        } else {
            out[n++] = at[i];
        }
    }
    return n;
}

static size_t
put_utf8(char *out, int point)
{
    if (point < 0x80) {
        out[0] = (char) point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char) (0xc0 | point >> 6);
        out[1] = (char) (0x80 | (point & 63));
        return 2;
    }
    out[0] = (char) (0xe0 | point >> 12);
    out[1] = (char) (0x80 | (point >> 6 & 63));
    out[2] = (char) (0x80 | (point & 63));
    return 3;
}

static size_t
undo_json(char *out, const char *at, size_t len)
{
    static const char letters[] = "\"\\nrtbf", bytes[] = "\"\\\n\r\t\b\f";
    size_t            n = 0, i;
    int               point;

    for (i = 0; i < len; i++) {
        if (at[i] != '\\') {
            out[n++] = at[i];
        } else if (at[++i] != 'u') {
            out[n++] = bytes[strchr(letters, at[i]) - letters];
        } else {
            point = hex(at + i + 1, 4);
            i += 4;
            if (point >= 0xef80 && point <= 0xefff) {
                out[n++] = (char) (point & 0xff);
            } else {
                n += put_utf8(out + n, point);
            }
        }
    }
    return n;
}

static bool
is_safe(const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if ((unsigned char) at[i] < 0x20 || at[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool
survives(weir_str_t s)
{
    char   text[8192], json[8192], back[8192];
    size_t n = weir_log_escape_text(text, sizeof(text), s), m = weir_log_escape_json(json, sizeof(json), s);
    bool   same = is_safe(text, n) && is_safe(json, m);

    same = same && weir_str_eq(weir_str(back, undo_text(back, text, n)), s);
    return same && weir_str_eq(weir_str(back, undo_json(back, json, m)), s);
}

static void
is_text(const char *in, const char *want)
{
    char out[256];

    is_str(weir_str(out, weir_log_escape_text(out, sizeof(out), weir_str_from_z(in))), want, want);
}

static void
is_json(const char *in, const char *want)
{
    char out[256];

    is_str(weir_str(out, weir_log_escape_json(out, sizeof(out), weir_str_from_z(in))), want, want);
}

static void
test_forms(void)
{
    is_text("GET / HTTP/1.1", "GET / HTTP/1.1");
    is_text("a\"b\\c\r\n\x1b[2J\x7f\xff", "a\\x22b\\x5Cc\\x0D\\x0A\\x1B[2J\\x7F\\xFF");
    is_text("gr\xc3\xbc\xc3\x9f", "gr\\xC3\\xBC\\xC3\\x9F");
    is_json("a\"b\\c\r\n\t\b\f", "a\\\"b\\\\c\\r\\n\\t\\b\\f");
    is_json("\x01\x1b\x7f", "\\u0001\\u001B\\u007F");
    is_json("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    is_json("\xff\x80", "\\uEFFF\\uEF80");
    is_json("\xc0\xaf", "\\uEFC0\\uEFAF");
    is_json("\xed\xa0\x80", "\\uEFED\\uEFA0\\uEF80");
    is_json("\xf4\x90\x80\x80", "\\uEFF4\\uEF90\\uEF80\\uEF80");
    is_json("\xe0\x80\xaf", "\\uEFE0\\uEF80\\uEFAF");
    is_json("\xe2\x82", "\\uEFE2\\uEF82");
    is_json("\xc2\x9b\xe2\x80\xa8", "\\u009B\\u2028");
    is_json("\xee\xbf\xbf", "\\uEFEE\\uEFBF\\uEFBF");
}

static void
test_undo(void)
{
    char     all[256], random[600];
    unsigned state = 7, i, j;
    bool     same = true;

    for (i = 0; i < 256; i++) {
        all[i] = (char) i;
    }
    ok(survives(weir_str(all, 256)), "every byte there is comes back");
    for (i = 0; i < 2000; i++) {
        for (j = 0; j < 30; j++) {
            state = state * 1103515245 + 12345;
            /* Mostly lead and continuation bytes: near misses of UTF-8. */
            random[j] = (char) ((state >> 16 & 1) != 0 ? 0x80 | (state >> 20 & 0x7f) : state >> 24);
        }
        same = same && survives(weir_str(random, 30));
    }
    ok(same, "whatever the bytes");
    for (i = 0x80; i < 0x10000 && same; i++) {
        same = (i >= 0xd800 && i < 0xe000) || survives(weir_str(random, put_utf8(random, (int) i)));
    }
    ok(same, "and whatever the character");
}

static void
test_room(void)
{
    static const char in[] = "a\"\n\xff\xc3\xbc\x01z";
    char   out[64], whole[64];
    size_t cap, n, full;
    bool   cut_well = true;

    full = weir_log_escape_json(whole, sizeof(whole), WEIR_STR(in));
    for (cap = 0; cap <= full; cap++) {
        memset(out, '#', sizeof(out));
        n = weir_log_escape_json(out, cap, WEIR_STR(in));
        cut_well = cut_well && n <= cap && memcmp(out, whole, n) == 0 && out[cap] == '#'
                && undo_json(out, whole, n) <= sizeof(in);
    }
    ok(cut_well && n == full, "JSON is cut between escapes, never beyond the room");
    full = weir_log_escape_text(whole, sizeof(whole), WEIR_STR(in));
    for (cap = 0; cap <= full; cap++) {
        memset(out, '#', sizeof(out));
        n = weir_log_escape_text(out, cap, WEIR_STR(in));
        cut_well = cut_well && n <= cap && memcmp(out, whole, n) == 0 && out[cap] == '#'
                && (n < 4 || whole[n - 1] != '\\') && (n < 2 || whole[n - 1] != 'x');
    }
    ok(cut_well && n == full, "and so is text");
    n = weir_log_escape_text(out, 10, WEIR_STR_NONE) + weir_log_escape_json(out, 10, WEIR_STR_NONE);
    is_int(n, 0, "nothing makes nothing");
}

int
main(void)
{
    test_forms();
    test_undo();
    test_room();
    return done();
}
