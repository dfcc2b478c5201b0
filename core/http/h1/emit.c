/*
 * emit.c - see emit.h.
 */
#include "http/h1/emit.h"

#include "http/message/status.h"
#include "http/message/syntax.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __SSE2__

static inline __m128i
emit_unsafe(__m128i v)
{
    const __m128i last = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, last), v);

    return _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), low), _mm_cmpeq_epi8(v, del));
}

#endif

/* Copies; false: a control other than a tab is among the bytes (RFC 9110 §5.5).  Whole words, the last of them
 * overlapping. */
static inline bool
emit_copy(char *out, const char *at, size_t len)
{
    size_t i = 0;
    bool   safe = true;

#ifdef __SSE2__
    if (len >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *) (const void *) (at + len - 16)), unsafe = emit_unsafe(v);

        _mm_storeu_si128((__m128i *) (void *) (out + len - 16), v);
        for (; i + 16 < len; i += 16) {
            v = _mm_loadu_si128((const __m128i *) (const void *) (at + i));
            unsafe = _mm_or_si128(unsafe, emit_unsafe(v));
            _mm_storeu_si128((__m128i *) (void *) (out + i), v);
        }
        return _mm_movemask_epi8(unsafe) == 0;
    }
    if (len >= 8) {
        __m128i low = _mm_loadl_epi64((const __m128i *) (const void *) at);
        __m128i high = _mm_loadl_epi64((const __m128i *) (const void *) (at + len - 8));

        _mm_storel_epi64((__m128i *) (void *) out, low);
        _mm_storel_epi64((__m128i *) (void *) (out + len - 8), high);
        return _mm_movemask_epi8(emit_unsafe(_mm_unpacklo_epi64(low, high))) == 0;
    }
#endif
    for (; i < len; i++) {
        safe = safe && ((unsigned char) at[i] >= 0x20 || at[i] == '\t') && at[i] != 0x7f;
        out[i] = at[i];
    }
    return safe;
}

/* Copies what was looked at before. */
static inline void
emit_copy_clean(char *out, const char *at, size_t len)
{
#ifdef __SSE2__
    if (len >= 16) {
        _mm_storeu_si128((__m128i *) (void *) (out + len - 16),
                         _mm_loadu_si128((const __m128i *) (const void *) (at + len - 16)));
        for (size_t i = 0; i + 16 < len; i += 16) {
            _mm_storeu_si128((__m128i *) (void *) (out + i),
                             _mm_loadu_si128((const __m128i *) (const void *) (at + i)));
        }
        return;
    }
#endif
    if (len >= 8) {
        memcpy(out + len - 8, at + len - 8, 8);
        memcpy(out, at, 8);
    } else if (len >= 4) {
        memcpy(out + len - 4, at + len - 4, 4);
        memcpy(out, at, 4);
    } else {
        for (size_t i = 0; i < len; i++) {
            out[i] = at[i];
        }
    }
}

static inline void
emit_took(weir_buf_t *b, size_t n, bool safe)
{
    if (weir_unlikely(!safe)) {
        b->full = true;
        return;
    }
    b->pos += n;
}

/* Where a line of a field goes; NULL: there is no room. */
static inline char *
emit_line(weir_buf_t *b, size_t name, size_t value, size_t *n)
{
    *n = name + value + 4;
    if (weir_unlikely(*n < value || !weir_buf_fits(b, *n))) {
        b->full = true;
        return NULL;
    }
    memcpy(b->pos + name, ": ", 2);
    memcpy(b->pos + *n - 2, "\r\n", 2);
    return b->pos;
}

void
weir_emit_field(weir_buf_t *b, weir_str_t name, weir_str_t value)
{
    size_t n;
    bool   safe;
    char  *at = emit_line(b, name.len, value.len, &n);

    if (at != NULL) {
        safe = emit_copy(at, name.at, name.len);
        safe &= emit_copy(at + name.len + 2, value.at, value.len);
        emit_took(b, n, safe);
    }
}

void
weir_emit_clean_field(weir_buf_t *b, weir_str_t name, weir_str_t value)
{
    size_t n;
    char  *at;

#ifdef __SANITIZE_ADDRESS__
    weir_assert(weir_syntax_is_token(name) && weir_syntax_is_field_value(value));     /* as the caller said */
#endif
    at = emit_line(b, name.len, value.len, &n);
    if (weir_likely(at != NULL)) {
        emit_copy_clean(at, name.at, name.len);
        emit_copy_clean(at + name.len + 2, value.at, value.len);
        b->pos += n;
    }
}

void
weir_emit_status(weir_buf_t *b, uint16_t status, weir_str_t reason)
{
    static const char version[] = "HTTP/1.1 ";
    char  *at = b->pos;
    size_t n;

    weir_assert(status >= 100 && status <= 999);
    if (reason.len == 0) {
        reason = weir_status_reason(status);
    }
    n = sizeof(version) - 1 + 4 + reason.len + 2;
    if (!weir_buf_fits(b, n)) {
        return;
    }
    memcpy(at, version, sizeof(version) - 1);
    at += sizeof(version) - 1;
    *at++ = (char) ('0' + status / 100 % 10);
    *at++ = (char) ('0' + status / 10 % 10);
    *at++ = (char) ('0' + status % 10);
    *at++ = ' ';
    bool safe = emit_copy(at, reason.at, reason.len);
    memcpy(at + reason.len, "\r\n", 2);
    emit_took(b, n, safe);
}

void
weir_emit_request_line(weir_buf_t *b, weir_str_t method, weir_str_t target, bool http_1_0)
{
    size_t n = method.len + target.len + sizeof("  HTTP/1.1\r\n") - 1;
    char  *at = b->pos;
    bool   safe;

    if (weir_unlikely(n < target.len || !weir_buf_fits(b, n))) {
        b->full = true;
        return;
    }
    safe = emit_copy(at, method.at, method.len);
    at += method.len;
    *at++ = ' ';
    safe &= emit_copy(at, target.at, target.len);
    memcpy(at + target.len, http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n", sizeof(" HTTP/1.1\r\n") - 1);
    emit_took(b, n, safe);
}
