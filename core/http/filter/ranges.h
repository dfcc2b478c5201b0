/*
 * ranges.h - parts of an answer whose length is known: Range, Content-Range and multipart/byteranges (RFC 9110 §14).
 *
 * A producer gives all of a body, in order, and what was not asked for falls away; one that can begin anywhere (a file)
 * asks where to.
 */
#ifndef WEIR_HTTP_RANGES_H
#define WEIR_HTTP_RANGES_H

#include "http/filter.h"

/* bytes [from, to); head: what stands before it in a multipart */
typedef struct { uint64_t from, to; weir_str_t head; } weir_range_t;

typedef struct weir_ranges {
    weir_filter_t filter;
    weir_range_t *at;
    uint32_t      n, next;          /* next: under way */
    uint64_t      position;         /* in the whole, of the byte that comes next */
    bool          is_open;          /* the head of the one under way was sent */
    weir_str_t    tail;
} weir_ranges_t;

/* The ranges asked for, of a whole of `length` bytes.  OK: *ranges (n 0: none are asked for, or the whole is better) ·
 * EOF: there is none of them:
 * 416 · AGAIN: there are some, but not in order, and the producer cannot go back: the whole. */
weir_io_t weir_ranges_read(weir_str_t value, uint64_t length, uint32_t max, bool may_go_back, weir_arena_t *arena,
                           weir_ranges_t *ranges);

/* Before the head, by a producer that has_ranges: NEXT: go on · DONE: none of what is asked for is there, answered with
 * 416. */
weir_step_t weir_ranges_check(weir_request_t *req, uint64_t length);

/* The same, told only: true: it is to be answered with 416 (weir_request_fail, CLIENT_RANGE). */
bool weir_ranges_refuse(weir_request_t *req, uint64_t length);

/* The head filter, at WEIR_FILTER_RANGE: chooses, makes it a 206, and puts a filter there. */
weir_step_t weir_ranges_head(weir_request_t *req, const void *conf);

#endif
