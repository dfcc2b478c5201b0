/* str_compare.c - comparing, finding, trimming and cutting counted strings. */
#include "base/str.h"

#include "tap.h"

#include <stdlib.h>

#include <ctype.h>

static void
test_compare(void)
{
    unsigned wrong = 0;

    ok(weir_str_eq(WEIR_STR_NONE, WEIR_STR("")), "none equals empty");
    ok(weir_str_eq_fold(WEIR_STR("Content-LENGTH"), WEIR_STR("cONTENT-length")), "letters fold");
    ok(!weir_str_eq_fold(WEIR_STR("@[`{"), WEIR_STR("`{@[")), "what stands beside the letters does not fold");
    ok(!weir_str_eq_fold(WEIR_STR("\xc4"), WEIR_STR("\xe4")), "nor do bytes above ASCII");
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            bool same = a == b || (a < 128 && b < 128 && isalpha((int) a) && isalpha((int) b)
                                   && (a | 0x20) == (b | 0x20));

            for (size_t len = 1; len <= 20; len += len < 9 ? 1 : 4) {
                char one[20], other[20];

                memset(one, 'x', sizeof(one));
                memset(other, 'X', sizeof(other));
                one[(a + b) % len] = (char) a;
                other[(a + b) % len] = (char) b;
                wrong += weir_str_eq_fold(weir_str(one, len), weir_str(other, len)) != same;
            }
        }
    }
    is_int(wrong, 0, "any two bytes, in words and beside them");
    ok(!weir_str_eq_fold(WEIR_STR("abc"), WEIR_STR("ab")), "a longer one is another");
    ok(weir_str_eq_fold(WEIR_STR_NONE, WEIR_STR("")), "none equals empty, folded");

    ok(weir_str_starts(WEIR_STR("unix:/x"), WEIR_STR("unix:")), "starts");
    ok(weir_str_starts(WEIR_STR("x"), WEIR_STR("")), "everything starts with nothing");
    ok(!weir_str_starts(WEIR_STR("un"), WEIR_STR("unix")), "a shorter one does not");
    ok(weir_str_starts_fold(WEIR_STR("UNIX:/x"), WEIR_STR("unix:")), "starts, folded");
    ok(weir_str_ends(WEIR_STR("a.conf"), WEIR_STR(".conf")) && weir_str_ends(WEIR_STR("a"), WEIR_STR("")), "ends");
    ok(!weir_str_ends(WEIR_STR("conf"), WEIR_STR(".conf")), "a shorter one does not");

    is_int(weir_str_cmp(WEIR_STR("a"), WEIR_STR("b")), -1, "a before b");
    is_int(weir_str_cmp(WEIR_STR("ab"), WEIR_STR("a")), 1, "longer after shorter");
    is_int(weir_str_cmp(WEIR_STR("\xff"), WEIR_STR("a")), 1, "bytes are unsigned");
    is_int(weir_str_cmp(WEIR_STR_NONE, WEIR_STR("")), 0, "none is empty");
}

static void
test_cut(void)
{
    weir_str_t head, tail, s = WEIR_STR("a:b:c");

    ok(weir_str_find(s, ':') == s.at + 1, "find is the first");
    ok(weir_str_find(s, 'x') == NULL && weir_str_find(WEIR_STR_NONE, 'x') == NULL, "absent is NULL");
    ok(weir_str_cut(s, ':', &head, &tail), "cut finds");
    is_str(head, "a", "the head stands before");
    is_str(tail, "b:c", "the tail behind");
    ok(!weir_str_cut(s, '/', &head, &tail), "cut that finds nothing says so");
    is_str(head, "a:b:c", "the head is all");
    is_int(tail.len, 0, "the tail is empty");
    ok(weir_str_cut(WEIR_STR("a:"), ':', &head, &tail) && tail.len == 0 && tail.at != NULL,
       "an empty tail is not none");
    ok(weir_str_cut(s, ':', &s, &tail) && s.len == 1, "a string may be its own head");

    is_str(weir_str_trim(WEIR_STR(" \t a b \t ")), "a b", "trim takes SP and HTAB at both ends");
    is_int(weir_str_trim(WEIR_STR(" \t ")).len, 0, "all blank is empty");
    is_str(weir_str_trim(WEIR_STR("\r\na")), "\r\na", "line ends are no blanks");
    is_str(weir_str_skip(WEIR_STR("abc"), 2), "c", "skip");
    is_int(weir_str_skip(WEIR_STR("abc"), 9).len, 0, "skip stops at the end");
    is_int(weir_str_skip(WEIR_STR_NONE, 9).len, 0, "of none too");
}

/* At every length, with no byte but those of the texts in reach: the sanitizer sees one that is read too far. */
static void
test_eq_short(void)
{
    bool good = true;

    for (size_t len = 1; len <= 40 && good; len++) {
        char *a = malloc(len), *b = malloc(len);

        for (size_t i = 0; i < len; i++) {
            a[i] = b[i] = (char) ('a' + i % 26);
        }
        good = weir_str_eq_short(weir_str(a, len), weir_str(b, len))
               && !weir_str_eq_short(weir_str(a, len), weir_str(b, len - 1));
        for (size_t i = 0; i < len && good; i++) {
            b[i] ^= 1;
            good = !weir_str_eq_short(weir_str(a, len), weir_str(b, len));
            b[i] ^= 1;
        }
        free(a);
        free(b);
    }
    ok(good, "short texts are the same when each of their bytes is");
    ok(weir_str_eq_short(WEIR_STR_NONE, WEIR_STR("")), "nothing is as good as an empty text");
}

int
main(void)
{
    test_eq_short();
    test_compare();
    test_cut();
    return done();
}
