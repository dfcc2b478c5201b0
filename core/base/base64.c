/*
 * base64.c - see base64.h.  Allocates nothing.
 */
#include "base/base64.h"

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
weir_base64_add(weir_buf_t *out, weir_str_t bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t   n = weir_min(bytes.len - i, (size_t) 3);
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (k < n ? (unsigned char) bytes.at[i + k] : 0u);
        }
        for (size_t k = 0; k < 4; k++) {
            weir_buf_add_char(out, k <= n ? base64_digits[bits >> (18 - 6 * k) & 0x3f] : '=');
        }
    }
}

static int
base64_digit(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
weir_base64_decode(weir_str_t text, char *room, size_t *len)
{
    size_t padding = 0;

    *len = 0;
    if (text.len % 4 != 0) {
        return false;
    }
    while (padding < 2 && padding < text.len && text.at[text.len - 1 - padding] == '=') {
        padding++;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        size_t   n = i + 4 == text.len ? 4 - padding : 4;
        uint32_t bits = 0;

        for (size_t k = 0; k < 4; k++) {
            int digit = k < n ? base64_digit(text.at[i + k]) : 0;

            if (digit < 0) {
                return false;
            }
            bits = bits << 6 | (uint32_t) digit;
        }
        if ((n == 3 && (bits & 0xff) != 0) || (n == 2 && (bits & 0xffff) != 0)) {
            return false;
        }
        for (size_t k = 0; k + 1 < n; k++) {
            room[(*len)++] = (char) (bits >> (16 - 8 * k) & 0xff);
        }
    }
    return true;
}
