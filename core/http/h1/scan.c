/*
 * scan.c - finds the end of a head as its bytes arrive, and holds it to the limits.
 *
 * Runs in workers; allocates nothing.  Every verdict belongs to one byte of the head (the first LF that is misplaced,
 * the first byte beyond a limit), so the result is the same however the head was cut into reads.
 */
#include "http/h1/parse.h"
#include "http/message/syntax.h"

/* The line that is being looked at. */
typedef struct {
    const char *data;
    size_t      begin, room;      /* where it begins; how many bytes it may have, CRLF included */
    uint32_t    lines;            /* complete ones before it */
} scan_line_t;

/* The whole head's limit is every line's, too. */
static inline size_t
scan_room(const weir_h1_limits_t *limits, size_t begin, uint32_t lines)
{
    size_t line = lines == 0 ? limits->max_line : limits->max_field;
    size_t head = limits->max_head > begin ? limits->max_head - begin : 0;

    return line < head ? line : head;
}

static inline weir_h1_scan_result_t
scan_too_long(const scan_line_t *line)
{
    return line->lines == 0 ? WEIR_H1_LINE_TOO_LONG : WEIR_H1_FIELD_TOO_LONG;
}

/* An LF ends the line: the next begins behind it, or, DONE, the head does. */
static inline weir_h1_scan_result_t
scan_end(scan_line_t *line, const weir_h1_limits_t *limits, size_t lf)
{
    size_t n = lf + 1 - line->begin, empty = 2;

    if (weir_unlikely(n > line->room)) {
        return scan_too_long(line);
    }
    if (weir_unlikely(n < 2 || line->data[lf - 1] != '\r')) {
        if (!limits->takes_lf) {
            return WEIR_H1_BAD;
        }
        empty = 1;
    }
    line->begin = lf + 1;
    if (n == empty) {
        return WEIR_H1_DONE;
    }
    line->room = scan_room(limits, line->begin, ++line->lines);
    return limits->max_fields != 0 && line->lines - 1 > limits->max_fields ? WEIR_H1_FIELD_TOO_LONG : WEIR_H1_MORE;
}

/* Every LF from `at` on.  MORE: none of them ends the head. */
static inline weir_h1_scan_result_t
scan_lines(scan_line_t *line, const weir_h1_limits_t *limits, size_t at, size_t len)
{
    weir_h1_scan_result_t result;

#ifdef __SSE2__
    for (const __m128i lf = _mm_set1_epi8('\n'); at + 16 <= len; at += 16) {
        __m128i  bytes = _mm_loadu_si128((const __m128i *) (const void *) (line->data + at));
        unsigned mask = (unsigned) _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, lf));

        for (; mask != 0; mask &= mask - 1) {
            if ((result = scan_end(line, limits, at + (size_t) __builtin_ctz(mask))) != WEIR_H1_MORE) {
                return result;
            }
        }
    }
#endif
    for (; at < len; at++) {
        if (line->data[at] == '\n' && (result = scan_end(line, limits, at)) != WEIR_H1_MORE) {
            return result;
        }
    }
    return len - line->begin > line->room ? scan_too_long(line) : WEIR_H1_MORE;
}

weir_h1_scan_result_t
weir_h1_scan(weir_h1_scan_t *scan, const weir_h1_limits_t *limits, const char *data, size_t len, size_t *head)
{
    scan_line_t           line = { data, scan->line, scan_room(limits, scan->line, scan->lines), scan->lines };
    weir_h1_scan_result_t result;

    weir_assert(scan->line <= scan->at && scan->at <= len);     /* it goes on where it was */
    if (weir_unlikely(len > UINT32_MAX)) {
        return scan_too_long(&line);
    }
    if (!scan->is_first_byte_ok && len != 0) {
        if (!weir_byte_is(data[0], WEIR_BYTE_TOKEN)) {
            return WEIR_H1_BAD;
        }
        scan->is_first_byte_ok = true;
    }
    result = scan_lines(&line, limits, scan->at, len);
    scan->line = (uint32_t) line.begin;
    scan->lines = line.lines;
    scan->at = (uint32_t) (result == WEIR_H1_DONE ? line.begin : len);
    if (result == WEIR_H1_DONE) {
        *head = line.begin;
    }
    return result;
}
