/*
 * kept_slashes.h - for tests of paths: a decoder of percent signs that shares no code with Weir's.
 *
 * "%2F", "%5C", and a percent sign before the digits of one of them ("%252F") stay encoded in a path; all else is
 * decoded.
 */
#ifndef WEIR_T_KEPT_SLASHES_H
#define WEIR_T_KEPT_SLASHES_H

#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of what stays encoded at the text's beginning, a percent sign; 0: it does not. */
static inline size_t
kept_slash(weir_str_t text)
{
    size_t i = 1;

    while (text.len - i >= 4 && text.at[i] == '2' && text.at[i + 1] == '5') {
        i += 2;
    }
    if (text.len - i < 2) {
        return 0;
    }
    return (text.at[i] == '2' && (text.at[i + 1] | 0x20) == 'f')
           || (text.at[i] == '5' && (text.at[i + 1] | 0x20) == 'c')
           ? i + 2 : 0;
}

static inline int
kept_hex(char c)
{
    if (!isxdigit((unsigned char) c)) {
        abort();                             /* a wire form has no bare percent sign */
    }
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* out: room for the text. */
static inline weir_str_t
kept_decode(weir_str_t text, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        size_t kept = text.at[i] == '%' ? kept_slash(weir_str_skip(text, i)) : 0;
        if (kept != 0) {
            memcpy(out + len, text.at + i, kept);
            len += kept;
            i += kept - 1;
        } else if (text.at[i] == '%') {
            if (text.len - i <= 2) {
                abort();
            }
            out[len++] = (char) (kept_hex(text.at[i + 1]) * 16 + kept_hex(text.at[i + 2]));
            i += 2;
        } else {
            out[len++] = text.at[i];
        }
    }
    return weir_str(out, len);
}

#endif
