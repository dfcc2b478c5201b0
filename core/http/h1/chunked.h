/*
 * chunked.h - the chunked transfer coding (RFC 9112 §7.1): decoding in place, encoding by framing slices.
 *
 * The decoder compacts: data loses its framing where it lies, so one read gives one slice.  Extensions are checked and
 * dropped; their total and the ratio of framing to data are capped.  Stricter than the RFC: no white space in a size
 * line, no size of more than 16 digits or beyond 2^63 - 1.  How large a body may be is the caller's: `total + left` is
 * known to be needed as soon as a size line was read.
 */
#ifndef WEIR_HTTP_H1_CHUNKED_H
#define WEIR_HTTP_H1_CHUNKED_H

#include "base/str.h"

#define WEIR_CHUNK_MAX_EXTENSIONS 4096     /* bytes a body */
#define WEIR_CHUNK_MAX_TRAILERS   16384    /* bytes a body */
/* Framing may be this many bytes and WEIR_CHUNK_MAX_RATIO times the data: 65,536 chunks of one byte pass, a body of
 * them does not. */
#define WEIR_CHUNK_FREE_FRAMING   65536
#define WEIR_CHUNK_MAX_RATIO      4

typedef struct {
    uint8_t    state;
    uint8_t    digits;          /* of the size being read */
    uint64_t   left;            /* of the chunk under way */
    uint64_t   total;           /* data bytes so far */
    uint64_t   framing;         /* bytes that were not data */
    uint32_t   extensions;      /* bytes of them so far */
    char      *trailers;        /* collected lines, arena */
    size_t     trailers_len, trailers_cap;
} weir_chunked_t;               /* zeroed to begin */

typedef enum { WEIR_CHUNKED_MORE, WEIR_CHUNKED_DONE, WEIR_CHUNKED_BAD, WEIR_CHUNKED_NO_MEMORY } weir_chunked_result_t;

/* data[0 .. len) was just received.  On return its first *produced bytes are body data, *consumed bytes of the input
 * belong to this body (on DONE what follows is the next message's; on MORE it is all of it).  Split at any byte the
 * result is the same. */
weir_chunked_result_t weir_chunked_decode(weir_chunked_t *chunked, char *data, size_t len, size_t *consumed,
                                          size_t *produced, weir_arena_t *arena);
/* The trailer lines with their final empty line; empty when there was none.  Valid after DONE. */
weir_str_t weir_chunked_trailers(const weir_chunked_t *chunked);

/* Bytes still to come of the chunk under way, once its size line is complete; else 0. */
uint64_t weir_chunked_announced(const weir_chunked_t *chunked);

/* "1a2b\r\n" into out (room for 18); returns its length. */
size_t weir_chunked_head(char *out, uint64_t size);

#endif
