/*
 * escape.c - bytes from clients and peers made safe for a log: one record stays one line, and JSON JSON.
 *
 * Runs in every process; allocates nothing.  RFC 8259 §7 for JSON, RFC 3629 for UTF-8.  Both escapes can be undone.
 */
#include "log/log.h"

#include "log/record.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char escape_hex[] = "0123456789ABCDEF";

#ifdef __SSE2__

/* Which of these bytes stand for themselves: a bit each, of the first 16. */
static inline unsigned
escape_plain(__m128i v, __m128i quote)
{
    __m128i printable = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)),
                                         _mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f)));
    __m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), _mm_cmpeq_epi8(v, quote));

    return (unsigned) _mm_movemask_epi8(_mm_andnot_si128(special, printable));
}

#endif

/* Copies what stands for itself, of texts of eight bytes and more, as far as there is room.  How many bytes. */
static inline size_t
escape_copy(char *out, size_t cap, const char *at, size_t len, bool keep_quotes)
{
    size_t n = 0;

#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8(keep_quotes ? '\\' : '"');

    for (len = len < cap ? len : cap; len - n >= 16; n += 16) {
        __m128i  v = _mm_loadu_si128((const __m128i *) (const void *) (at + n));
        unsigned plain = escape_plain(v, quote);

        _mm_storeu_si128((__m128i *) (void *) (out + n), v);
        if (plain != 0xffff) {
            return n + (size_t) __builtin_ctz(~plain);
        }
    }
    while (len >= 8 && n < len) {
        size_t   from = len - n >= 8 ? n : len - 8;             /* the last word overlaps what is known to be plain */
        __m128i  v = _mm_loadl_epi64((const __m128i *) (const void *) (at + from));
        unsigned plain = escape_plain(v, quote) & 0xff;

        _mm_storel_epi64((__m128i *) (void *) (out + from), v);
        n = from + (size_t) __builtin_ctz(~plain);
        if (plain != 0xff) {
            break;
        }
    }
#else
    (void) out;
    (void) cap;
    (void) at;
    (void) len;
    (void) keep_quotes;
#endif
    return n;
}

static size_t
escape_text(char *out, size_t cap, weir_str_t *s, bool keep_quotes)
{
    size_t        n = escape_copy(out, cap, s->at, s->len, keep_quotes), i = n;
    unsigned char c;

    while (i < s->len) {
        c = (unsigned char) s->at[i];
        if (c >= 0x20 && c < 0x7f && c != '\\' && (c != '"' || keep_quotes)) {
            if (n == cap) {
                break;
            }
            out[n++] = (char) c;
            i++;
            continue;
        }
        if (cap - n < 4) {
            break;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = escape_hex[c >> 4];
        out[n++] = escape_hex[c & 15];
        i++;
        size_t more = escape_copy(out + n, cap - n, s->at + i, s->len - i, keep_quotes);
        n += more;
        i += more;
    }
    weir_assert(n <= cap && i <= s->len);
    *s = weir_str_skip(*s, i);
    return n;
}

/* --- JSON --- */

/* Bytes of the UTF-8 sequence that s begins with and its code point; 0 when it begins with none. */
static size_t
escape_utf8(weir_str_t s, uint32_t *point)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char         c = (unsigned char) s.at[0];
    size_t                len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0, i;
    uint32_t              code = len == 1 ? c : c & (0x7fu >> len);

    if (len == 0 || len > s.len) {
        return 0;
    }
    for (i = 1; i < len; i++) {
        c = (unsigned char) s.at[i];
        if ((c & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (c & 0x3f);
    }
    if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *point = code;
    return len;
}

static char
escape_short(uint32_t point)
{
    switch (point) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return '\0';
    }
}

/* What ends a line or commands a terminal somewhere: C0, DEL, C1 and the two Unicode separators. */
static bool
escape_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

/* U+EF80..U+EFFF stand for bytes that are not UTF-8; the same points in the input are taken as three such bytes. */
static bool
escape_is_claimed(uint32_t point)
{
    return point >= 0xef80 && point <= 0xefff;
}

static size_t
escape_point(char *out, uint32_t point)
{
    out[0] = '\\';
    out[1] = 'u';
    out[2] = escape_hex[point >> 12 & 15];
    out[3] = escape_hex[point >> 8 & 15];
    out[4] = escape_hex[point >> 4 & 15];
    out[5] = escape_hex[point & 15];
    return 6;
}

static size_t
escape_json(char *out, size_t cap, weir_str_t *s)
{
    char     piece[6];
    size_t   n = 0, took, made;
    uint32_t point = 0;

    for (; s->len != 0; *s = weir_str_skip(*s, took)) {
        took = escape_utf8(*s, &point);
        if (took == 0 || escape_is_claimed(point)) {
            took = 1;
            made = escape_point(piece, 0xef00u | (unsigned char) s->at[0]);
        } else if (escape_short(point) != '\0') {
            piece[0] = '\\';
            piece[1] = escape_short(point);
            made = 2;
        } else if (escape_is_control(point)) {
            made = escape_point(piece, point);
        } else {
            memcpy(piece, s->at, took);
            made = took;
        }
        if (cap - n < made) {
            break;
        }
        memcpy(out + n, piece, made);
        n += made;
    }
    return n;
}

/* --- the three forms --- */

size_t
weir_log_escape(weir_log_escape_t form, char *out, size_t cap, weir_str_t *s)
{
    return form == WEIR_LOG_ESCAPE_JSON ? escape_json(out, cap, s)
                                        : escape_text(out, cap, s, form == WEIR_LOG_ESCAPE_MESSAGE);
}

size_t
weir_log_escape_text(char *out, size_t cap, weir_str_t s)
{
    return weir_log_escape(WEIR_LOG_ESCAPE_TEXT, out, cap, &s);
}

size_t
weir_log_escape_json(char *out, size_t cap, weir_str_t s)
{
    return weir_log_escape(WEIR_LOG_ESCAPE_JSON, out, cap, &s);
}
