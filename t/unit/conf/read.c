/*
 * Times, sizes and numbers as words: every form, and what is refused.
 */
#include "conf/module.h"
#include "tap.h"

static void
msec(const char *text, long long want)
{
    weir_msec_t value = { 4711 };
    bool        read = weir_conf_read_msec(weir_str_from_z(text), &value);

    is_int(read ? (long long) value.ms : -1, want, text);
}

static void
bytes(const char *text, long long want)
{
    weir_bytes_t value = { 4711 };
    bool         read = weir_conf_read_bytes(weir_str_from_z(text), &value);

    is_int(read ? (long long) value.n : -1, want, text);
}

static void
number(const char *text, long long want)
{
    uint32_t value = 4711;
    bool     read = weir_conf_read_u32(weir_str_from_z(text), &value);

    is_int(read ? (long long) value : -1, want, text);
}

static void
test_times(void)
{
    msec("0", 0);
    msec("10", 10000);
    msec("10s", 10000);
    msec("500ms", 500);
    msec("1m", 60000);
    msec("2h", 7200000);
    msec("1d", 86400000);
    msec("1w", 604800000);
    msec("1M", 2592000000);
    msec("1y", 31536000000);
    msec("1h 30m", 5400000);
    msec("1h30m", 5400000);
    msec("1m 30", 90000);
    msec("1y 1M 1w 1d 1h 1m 1s 1ms", 31536000000 + 2592000000 + 604800000 + 86400000 + 3600000 + 60000 + 1001);
    msec("9223372036854775ms", 9223372036854775);
    msec("9223372036854776ms", -1);
    msec("9223372036854775ms 1ms", -1);
    msec("18446744073709551616", -1);
    msec("99999999999999999999y", -1);
    msec("", -1);
    msec(" ", -1);
    msec("s", -1);
    msec("-1", -1);
    msec("+1", -1);
    msec("1x", -1);
    msec("1S", -1);
    msec("30m 1h", -1);
    msec("1m 1m", -1);
    msec("1 1m", -1);
    msec("1m ", -1);
    msec(" 1m", -1);
    msec("1.5s", -1);
    msec("0x10", -1);
}

static void
test_sizes(void)
{
    bytes("0", 0);
    bytes("8192", 8192);
    bytes("8k", 8192);
    bytes("8K", 8192);
    bytes("1m", 1048576);
    bytes("1M", 1048576);
    bytes("2g", 2147483648);
    bytes("2G", 2147483648);
    bytes("9223372036854775807", INT64_MAX);
    bytes("9223372036854775808", -1);
    bytes("9007199254740992k", -1);
    bytes("8589934592g", -1);
    bytes("8589934591g", INT64_C(8589934591) << 30);
    bytes("", -1);
    bytes("k", -1);
    bytes("8kb", -1);
    bytes("8 k", -1);
    bytes("-8k", -1);
    bytes("8t", -1);
}

static void
test_numbers(void)
{
    number("0", 0);
    number("007", 7);
    number("4294967295", 4294967295);
    number("4294967296", -1);
    number("", -1);
    number("-1", -1);
    number("1 ", -1);
    number("1k", -1);
}

static void
test_nearest(void)
{
    static const char *const names[] = { "listen", "location", "log_format", "return" };

    ok(weir_conf_nearest(WEIR_STR("locaton"), names, 4) == names[1], "a letter left out");
    ok(weir_conf_nearest(WEIR_STR("lisetn"), names, 4) == names[0], "two letters swapped");
    ok(weir_conf_nearest(WEIR_STR("xyz"), names, 4) == NULL, "nothing near");
    ok(weir_conf_nearest(WEIR_STR("r"), names, 4) == NULL, "too short to be near anything");
}

int
main(void)
{
    test_times();
    test_sizes();
    test_numbers();
    test_nearest();
    return done();
}
