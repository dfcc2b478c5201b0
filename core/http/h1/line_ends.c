/*
 * line_ends.c - heads whose lines end in a bare LF, for operators that have such peers (client_line_ends,
 * proxy_line_ends).
 *
 * Such a head is written anew with CRLF before it is parsed, so that there is one parser and one way to read.  All
 * lines must end alike: where CRLF and LF are mixed two readers may see two messages, so it is refused.  Runs in
 * workers; the copy is in the arena.
 */
#include "http/h1/parse.h"

#include <string.h>

weir_h1_reason_t
weir_h1_line_ends(weir_str_t *head, weir_arena_t *arena)
{
    const char *lf = head->len != 0 ? memchr(head->at, '\n', head->len) : NULL;
    size_t lines = 0;
    char *copy, *at;

    if (lf == NULL || (lf > head->at && lf[-1] == '\r')) {
        return WEIR_H1_OK;                          /* CRLF: the parser holds the other lines to it */
    }
    if (memchr(head->at, '\r', head->len) != NULL) {
        return WEIR_H1_MIXED_LINE_ENDS;
    }
    for (size_t i = 0; i < head->len; i++) {
        lines += head->at[i] == '\n';
    }
    copy = at = weir_try_alloc(arena, head->len + lines);
    if (copy == NULL) {
        return WEIR_H1_NO_MEMORY;
    }
    for (size_t i = 0; i < head->len; i++) {
        if (head->at[i] == '\n') {
            *at++ = '\r';
        }
        *at++ = head->at[i];
    }
    *head = weir_str(copy, (size_t) (at - copy));
    return WEIR_H1_OK;
}
