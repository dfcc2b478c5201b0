/*
 * syntax.h - which byte may stand where in a head: one table of classes, the scan that finds the end of a value, tokens
 * and lists.
 *
 * Pure; runs in workers and, for configured names, in the master; allocates nothing.  RFC 9110 §5.5 and §5.6.2, RFC
 * 3986 §2 and §3.3.
 */
#ifndef WEIR_HTTP_SYNTAX_H
#define WEIR_HTTP_SYNTAX_H

#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    WEIR_BYTE_TOKEN      = 0x01,   /* tchar */
    WEIR_BYTE_PLAIN      = 0x02,   /* letters, digits, '-': what a field name is made of as a rule */
    /* in the path of a target we receive: pchar, '/', '%', | [ ] ^ { } " < > `, >= 0x80 */
    WEIR_BYTE_PATH       = 0x04,
    WEIR_BYTE_QUERY      = 0x08,   /* 0x21-0x7E but '#' */
    WEIR_BYTE_VALUE      = 0x10,   /* field content: all but CTLs, HTAB is fine */
    WEIR_BYTE_UNRESERVED = 0x20,   /* RFC 3986 §2.3 */
    WEIR_BYTE_WIRE       = 0x40,   /* stands unencoded in a path we send: pchar without '%', and '/' */
    WEIR_BYTE_HEX        = 0x80,
};

extern const uint8_t weir_byte_class[256];

static inline uint8_t
weir_byte(char c)
{
    return weir_byte_class[(unsigned char) c];
}

static inline bool
weir_byte_is(char c, uint8_t classes)
{
    return (weir_byte(c) & classes) != 0;
}

/* The first byte of [at, end) that is not of the class; end when all are. */
static inline const char *
weir_byte_span(const char *at, const char *end, uint8_t classes)
{
    while (at < end && weir_byte_is(*at, classes)) {
        at++;
    }
    return at;
}

/* The same for WEIR_BYTE_PLAIN, sixteen bytes at a time where there is SSE2.  Never reads at end or beyond. */
static inline const char *
weir_byte_span_plain(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i fold = _mm_set1_epi8(0x20), a = _mm_set1_epi8('a'), n_letters = _mm_set1_epi8(25),
                  zero = _mm_set1_epi8('0'), n_digits = _mm_set1_epi8(9), dash = _mm_set1_epi8('-');

    for (; end - at >= 16; at += 16) {
        __m128i  bytes = _mm_loadu_si128((const __m128i *) (const void *) at);
        __m128i  letter = _mm_sub_epi8(_mm_or_si128(bytes, fold), a), digit = _mm_sub_epi8(bytes, zero);
        __m128i plain = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(letter, n_letters), letter),
                                     _mm_cmpeq_epi8(_mm_min_epu8(digit, n_digits), digit));
        unsigned mask = (unsigned) _mm_movemask_epi8(_mm_or_si128(plain, _mm_cmpeq_epi8(bytes, dash)));

        if (mask != 0xffff) {
            return at + __builtin_ctz(~mask);
        }
    }
#endif
    return weir_byte_span(at, end, WEIR_BYTE_PLAIN);
}

/* The same for WEIR_BYTE_VALUE, sixteen bytes at a time where there is SSE2.  Never reads at end or beyond. */
static inline const char *
weir_byte_span_value(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i last_ctl = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
    __m128i       bytes, bad;
    int           mask;

    for (; end - at >= 16; at += 16) {
        bytes = _mm_loadu_si128((const __m128i *) (const void *) at);
        bad = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_ctl), bytes);
        bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), bad), _mm_cmpeq_epi8(bytes, del));
        mask = _mm_movemask_epi8(bad);
        if (mask != 0) {
            return at + __builtin_ctz((unsigned) mask);
        }
    }
#endif
    return weir_byte_span(at, end, WEIR_BYTE_VALUE);
}

/* The value of a hexadecimal digit (of class WEIR_BYTE_HEX). */
static inline unsigned
weir_byte_hex(char c)
{
    return c <= '9' ? (unsigned) (c - '0') : (unsigned) ((c | 0x20) - 'a') + 10;
}

/* RFC 9110 §5.6.2 tchar, non-empty. */
bool weir_syntax_is_token(weir_str_t s);
/* RFC 9110 §5.5: no CTL but HTAB; bytes >= 0x80 allowed. */
bool weir_syntax_is_field_value(weir_str_t s);
/* Takes the next element of a comma-separated list (quoted strings respected), trimmed; skips empty ones; false at
 * the end. */
bool weir_syntax_list_next(weir_str_t *list, weir_str_t *element);
/* A list has this token (any case, parameters behind ';' ignored)? */
bool weir_syntax_list_has(weir_str_t list, weir_str_t token);

#endif
