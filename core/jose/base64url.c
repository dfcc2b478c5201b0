/*
 * base64url.c - see base64url.h.
 */
#include "jose/base64url.h"

#define BASE64_BAD 0x80

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Worked out, not looked up: a key's letters leave no trace in the cache. */
static inline unsigned
base64_value(unsigned char c)
{
    unsigned value = BASE64_BAD;

    /* Each mask is all ones where c is in the range. */
#define BASE64_IN(low, high) (0u - (((unsigned) c - (low)) <= ((high) - (low)) ? 1u : 0u))
    value ^= BASE64_IN('A', 'Z') & (BASE64_BAD ^ ((unsigned) c - 'A'));
    value ^= BASE64_IN('a', 'z') & (BASE64_BAD ^ ((unsigned) c - 'a' + 26));
    value ^= BASE64_IN('0', '9') & (BASE64_BAD ^ ((unsigned) c - '0' + 52));
    value ^= BASE64_IN('-', '-') & (BASE64_BAD ^ 62u);
    value ^= BASE64_IN('_', '_') & (BASE64_BAD ^ 63u);
#undef BASE64_IN
    return value;
}

bool
weir_base64url_decode(weir_str_t text, char *room)
{
    const unsigned char *at = (const unsigned char *) text.at;
    size_t               whole = text.len / 4, rest = text.len % 4;
    unsigned             bad = 0, a, b, c, d;

    for (size_t i = 0; i < whole; i++, at += 4, room += 3) {
        a = base64_value(at[0]);
        b = base64_value(at[1]);
        c = base64_value(at[2]);
        d = base64_value(at[3]);
        bad |= a | b | c | d;
        room[0] = (char) (a << 2 | b >> 4);
        room[1] = (char) (b << 4 | c >> 2);
        room[2] = (char) (c << 6 | d);
    }
    if (rest == 1) {
        return false;
    }
    if (rest != 0) {
        a = base64_value(at[0]);
        b = base64_value(at[1]);
        c = rest == 3 ? base64_value(at[2]) : 0;
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
