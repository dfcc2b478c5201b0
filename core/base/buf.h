/*
 * buf.h - a bounded output buffer: appends never overrun, `full` tells that something was cut.
 */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include "base/str.h"

typedef struct {
    char *at;        /* start */
    char *pos;       /* next byte to write */
    char *end;
    bool  full;      /* an append did not fit: what follows the first cut is dropped */
} weir_buf_t;

static inline void
weir_buf_init(weir_buf_t *b, char *room, size_t size)
{
    b->at = b->pos = room;
    b->end = room + size;
    b->full = false;
}

static inline size_t weir_buf_len(const weir_buf_t *b) { return (size_t) (b->pos - b->at); }
static inline weir_str_t weir_buf_str(const weir_buf_t *b) { return weir_str(b->at, weir_buf_len(b)); }

/* Is there room for so many bytes more?  false: it is full from now on. */
static inline bool
weir_buf_fits(weir_buf_t *b, size_t n)
{
    if (weir_unlikely((size_t) (b->end - b->pos) < n || b->full)) {
        b->full = true;
        return false;
    }
    return true;
}

static inline void
weir_buf_add(weir_buf_t *b, const char *at, size_t len)
{
    if (weir_buf_fits(b, len) && len != 0) {
        memcpy(b->pos, at, len);
        b->pos += len;
    }
}

static inline void weir_buf_add_str(weir_buf_t *b, weir_str_t s) { weir_buf_add(b, s.at, s.len); }
static inline void weir_buf_add_char(weir_buf_t *b, char c) { weir_buf_add(b, &c, 1); }
#define weir_buf_add_lit(b, literal) weir_buf_add((b), (literal), sizeof(literal) - 1)

void weir_buf_add_u64(weir_buf_t *b, uint64_t value);
void weir_buf_add_hex(weir_buf_t *b, uint64_t value);
void weir_buf_add_percent(weir_buf_t *b, weir_str_t s);      /* all but the unreserved as %XX (RFC 3986 2.1, 2.3) */
void weir_buf_printf(weir_buf_t *b, const char *fmt, ...) WEIR_PRINTF(2, 3);

#endif
