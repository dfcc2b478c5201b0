/*
 * utf8.c - see utf8.h.
 */
#include "base/utf8.h"

size_t
weir_utf8_length(const char *text, const char *end)
{
    const unsigned char *at = (const unsigned char *) text;
    size_t               left = (size_t) (end - text), n;
    unsigned char        low = 0x80, high = 0xbf;

    if (at[0] >= 0xc2 && at[0] <= 0xdf) {
        n = 2;
    } else if (at[0] >= 0xe0 && at[0] <= 0xef) {
        n = 3;
        low = at[0] == 0xe0 ? 0xa0 : low;
        high = at[0] == 0xed ? 0x9f : high;
    } else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
        n = 4;
        low = at[0] == 0xf0 ? 0x90 : low;
        high = at[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (left < n || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) {
            return 0;
        }
    }
    return n;
}

bool
weir_utf8_is_text(weir_str_t text)
{
    const char *end = text.len != 0 ? text.at + text.len : text.at;

    for (const char *at = text.at; at < end;) {
        size_t n = (unsigned char) *at < 0x80 ? 1 : weir_utf8_length(at, end);

        if (n == 0) {
            return false;
        }
        at += n;
    }
    return true;
}
