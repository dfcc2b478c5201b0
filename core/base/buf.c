/*
 * buf.c - numbers and formatted text into a bounded buffer.  Allocates nothing.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void
weir_buf_add_u64(weir_buf_t *b, uint64_t value)
{
    char text[20];

    weir_buf_add(b, text, (size_t) (weir_str_from_u64(text, value) - text));
}

void
weir_buf_add_hex(weir_buf_t *b, uint64_t value)
{
    char  text[16];
    char *at = text + sizeof(text);

    do {
        *--at = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    weir_buf_add(b, at, (size_t) (text + sizeof(text) - at));
}

void
weir_buf_add_percent(weir_buf_t *b, weir_str_t s)
{
    weir_assert(b->at <= b->pos && b->pos <= b->end);
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.at[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.'
            || c == '_' || c == '~')
        {
            weir_buf_add_char(b, (char) c);
        } else {
            weir_buf_add(b, (char[]) { '%', digits[c >> 4], digits[c & 15] }, 3);
        }
    }
}

/* vsnprintf wants room for a NUL that a buffer does not keep: short texts are made aside, so that they may fill it. */
void
weir_buf_printf(weir_buf_t *b, const char *fmt, ...)
{
    char    text[256];
    size_t  room = (size_t) (b->end - b->pos);
    va_list args;
    int     n;

    weir_assert(b->at <= b->pos && b->pos <= b->end);
    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n >= 0 && (size_t) n < sizeof(text)) {
        weir_buf_add(b, text, (size_t) n);
        return;
    }
    if (n < 0 || b->full || (size_t) n >= room) {
        b->full = true;
        return;
    }
    va_start(args, fmt);
    (void) vsnprintf(b->pos, room, fmt, args);
    va_end(args);
    b->pos += n;
}
