/*
 * base64url.c - see base64url.h.
 */
#include "jose/base64url.h"

#define BASE64_BAD 0x80

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* By letter: what it says, or X. */
static const uint8_t base64_values[256] = {
#define X BASE64_BAD
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, 62, X, X,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, X, X, X,
    X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, 63,
    X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
#undef X
};

bool
weir_base64url_decode(weir_str_t text, char *room)
{
    const unsigned char *at = (const unsigned char *) text.at;
    size_t               whole = text.len / 4, rest = text.len % 4;
    unsigned             bad = 0, a, b, c, d;

    for (size_t i = 0; i < whole; i++, at += 4, room += 3) {
        a = base64_values[at[0]];
        b = base64_values[at[1]];
        c = base64_values[at[2]];
        d = base64_values[at[3]];
        bad |= a | b | c | d;
        room[0] = (char) (a << 2 | b >> 4);
        room[1] = (char) (b << 4 | c >> 2);
        room[2] = (char) (c << 6 | d);
    }
    if (rest == 1) {
        return false;
    }
    if (rest != 0) {
        a = base64_values[at[0]];
        b = base64_values[at[1]];
        c = rest == 3 ? base64_values[at[2]] : 0;
        bad |= a | b | c;
        room[0] = (char) (a << 2 | b >> 4);
        if (rest == 3) {
            room[1] = (char) (b << 4 | c >> 2);
        }
        if ((rest == 2 ? b & 15 : c & 3) != 0) {
            return false;
        }
    }
    return (bad & BASE64_BAD) == 0;
}

bool
weir_base64url_decode_to(weir_arena_t *arena, weir_str_t text, weir_str_t *bytes)
{
    size_t len = weir_base64url_decoded(text.len);
    char  *room = weir_try_alloc(arena, len + 1);

    if (room == NULL || !weir_base64url_decode(text, room)) {
        return false;
    }
    *bytes = weir_str(room, len);
    return true;
}

void
weir_base64url_encode(weir_str_t bytes, char *room)
{
    const unsigned char *at = (const unsigned char *) bytes.at;

    for (size_t left = bytes.len; left != 0;) {
        size_t   n = left < 3 ? left : 3;
        uint32_t group = (uint32_t) at[0] << 16 | (n > 1 ? (uint32_t) at[1] << 8 : 0) | (n > 2 ? at[2] : 0);

        for (size_t i = 0; i <= n; i++) {
            *room++ = base64_letters[group >> (18 - 6 * i) & 63];
        }
        at += n;
        left -= n;
    }
}
