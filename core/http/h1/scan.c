/*
 * scan.c - finds the end of a head as its bytes arrive, and holds it to the limits.
 *
 * Runs in workers; allocates nothing.  Every verdict belongs to one byte of the head (the first LF that is misplaced,
 * the first byte beyond a limit), so the result is the same however the head was cut into reads.
 */
#include "http/h1/parse.h"
#include "http/syntax.h"

/* How many bytes the line that begins at scan->line may have before one is too many, the whole head's limit
 * included. */
static size_t
scan_room(const weir_h1_scan_t *scan, const weir_h1_limits_t *limits)
{
    size_t line = scan->lines == 0 ? limits->max_line : limits->max_field;
    size_t head = limits->max_head > scan->line ? limits->max_head - scan->line : 0;

    return line < head ? line : head;
}

weir_h1_scan_result_t
weir_h1_scan(weir_h1_scan_t *scan, const weir_h1_limits_t *limits, const char *data, size_t len, size_t *head)
{
    const char *lf;
    size_t      room, n;

    if (!scan->is_first_byte_ok && len != 0) {
        if (!weir_byte_is(data[0], WEIR_BYTE_TOKEN)) {
            return WEIR_H1_BAD;
        }
        scan->is_first_byte_ok = true;
    }
    while (scan->at < len) {
        lf = memchr(data + scan->at, '\n', len - scan->at);
        n = (lf != NULL ? (size_t) (lf - data) + 1 : len) - scan->line;
        room = scan_room(scan, limits);
        if (n > room) {
            return scan->lines == 0 ? WEIR_H1_LINE_TOO_LONG : WEIR_H1_FIELD_TOO_LONG;
        }
        scan->at = scan->line + n;
        if (lf == NULL) {
            break;
        }
        if (n < 2 || lf[-1] != '\r') {
            return WEIR_H1_BAD;
        }
        if (n == 2) {
            *head = scan->at;
            return WEIR_H1_DONE;
        }
        scan->line = scan->at;
        if (++scan->lines > 1 && limits->max_fields != 0 && scan->lines - 1 > limits->max_fields) {
            return WEIR_H1_FIELD_TOO_LONG;
        }
    }
    return WEIR_H1_MORE;
}
