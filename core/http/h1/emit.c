/*
 * emit.c - see emit.h.
 */
#include "http/h1/emit.h"

#include "http/request.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Is one of CR, LF, NUL among these bytes? */
static bool
emit_is_unsafe(const char *at, size_t len)
{
    size_t i = 0;

#ifdef __SSE2__
    const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n'), nul = _mm_setzero_si128();
    for (; i + 16 <= len; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *) (const void *) (at + i));
        __m128i bad = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, cr), _mm_cmpeq_epi8(v, lf)), _mm_cmpeq_epi8(v, nul));
        if (_mm_movemask_epi8(bad) != 0) {
            return true;
        }
    }
#endif
    for (; i < len; i++) {
        if (at[i] == '\r' || at[i] == '\n' || at[i] == '\0') {
            return true;
        }
    }
    return false;
}

void
weir_emit_text(weir_buf_t *b, weir_str_t text)
{
    if (weir_unlikely(emit_is_unsafe(text.at, text.len))) {
        b->full = true;
        return;
    }
    weir_buf_add_str(b, text);
}

void
weir_emit_field(weir_buf_t *b, weir_str_t name, weir_str_t value)
{
    weir_emit_text(b, name);
    weir_buf_add_lit(b, ": ");
    weir_emit_text(b, value);
    weir_buf_add_lit(b, "\r\n");
}

void
weir_emit_status(weir_buf_t *b, uint16_t status, weir_str_t reason)
{
    if (status == 200 && reason.len == 0) {
        weir_buf_add_lit(b, "HTTP/1.1 200 OK\r\n");
        return;
    }
    weir_buf_add_lit(b, "HTTP/1.1 ");
    weir_buf_add_u64(b, status);
    weir_buf_add_lit(b, " ");
    weir_emit_text(b, reason.len ? reason : weir_status_reason(status));
    weir_buf_add_lit(b, "\r\n");
}

void
weir_emit_request_line(weir_buf_t *b, weir_str_t method, weir_str_t target, bool http_1_0)
{
    weir_emit_text(b, method);
    weir_buf_add_lit(b, " ");
    weir_emit_text(b, target);
    if (http_1_0) {
        weir_buf_add_lit(b, " HTTP/1.0\r\n");
    } else {
        weir_buf_add_lit(b, " HTTP/1.1\r\n");
    }
}
