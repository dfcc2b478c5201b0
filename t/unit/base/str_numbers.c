/* str_numbers.c - numbers are read strictly and written exactly. */
#include "base/str.h"

#include "tap.h"

static const char *const bad_decimal[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1a", "18446744073709551616",
                                           "99999999999999999999", "184467440737095516150" };
static const char *const bad_hex[] = { "", "g", "0x1", "10000000000000000", "-1", " 1", "1 ", "fffffffffffffffff" };

static void
is_text(const char *at, const char *end, const char *want)
{
    is_str(weir_str(at, (size_t) (end - at)), want, want);
}

int
main(void)
{
    char     room[24];
    uint64_t value = 7;
    size_t   i;

    ok(weir_str_to_u64(WEIR_STR("0"), &value) && value == 0, "0");
    ok(weir_str_to_u64(WEIR_STR("007"), &value) && value == 7, "zeros before it");
    ok(weir_str_to_u64(WEIR_STR("18446744073709551615"), &value) && value == UINT64_MAX, "the largest");
    value = 7;
    for (i = 0; i < weir_countof(bad_decimal); i++) {
        ok(!weir_str_to_u64(weir_str_from_z(bad_decimal[i]), &value) && value == 7, bad_decimal[i]);
    }
    ok(!weir_str_to_u64(weir_str("1\0", 2), &value), "NUL is no digit");

    ok(weir_str_hex_to_u64(WEIR_STR("fF0a"), &value) && value == 0xff0a, "hexadecimal in both cases");
    ok(weir_str_hex_to_u64(WEIR_STR("FFFFFFFFFFFFFFFF"), &value) && value == UINT64_MAX, "its largest");
    ok(weir_str_hex_to_u64(WEIR_STR("00000000000000000001"), &value) && value == 1, "zeros before it");
    for (i = 0; i < weir_countof(bad_hex); i++) {
        ok(!weir_str_hex_to_u64(weir_str_from_z(bad_hex[i]), &value) && value == 1, bad_hex[i]);
    }

    is_text(room, weir_str_from_u64(room, 0), "0");
    is_text(room, weir_str_from_u64(room, 1234567890), "1234567890");
    is_text(room, weir_str_from_u64(room, UINT64_MAX), "18446744073709551615");
    is_text(room, weir_str_from_seconds(room, (weir_msec_t) { 0 }), "0.000");
    is_text(room, weir_str_from_seconds(room, (weir_msec_t) { 1234 }), "1.234");
    is_text(room, weir_str_from_seconds(room, (weir_msec_t) { 60007 }), "60.007");
    is_text(room, weir_str_from_seconds(room, (weir_msec_t) { UINT64_MAX }), "18446744073709551.615");
    return done();
}
