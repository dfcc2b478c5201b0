/*
 * body_decode.h - a request's body that was read ahead, piece by piece as it is without its Content-Encoding: for
 * modules that judge what it says.
 *
 * gzip and deflate are decoded, to a size that is a limit, so that a small body which becomes a large one costs no more
 * than that.  What is judged is what is there: one stream, with nothing behind it.
 *
 * Runs in workers; memory: zlib's (some 44 KiB) between begin and end, and a piece in the request's arena.
 */
#ifndef WEIR_HTTP_FILTER_BODY_DECODE_H
#define WEIR_HTTP_FILTER_BODY_DECODE_H

#include "http/request.h"

#include <zlib.h>

typedef enum {
    WEIR_BODY_GOOD,
    WEIR_BODY_CODING,                    /* a Content-Encoding that is not known */
    WEIR_BODY_BROKEN,                    /* it is not what its Content-Encoding says */
    WEIR_BODY_TOO_LARGE,                 /* than the limit, decoded */
    WEIR_BODY_LOST,                      /* its file cannot be read, or there is no memory */
} weir_body_fault_t;

typedef struct {
    struct weir_store *store;
    uint64_t           left;             /* bytes that may still come */
    char              *coded;            /* NULL: it is not encoded */
    z_stream           z;
    bool               is_open;          /* z is to be given back */
    bool               has_ended;        /* its stream has */
    weir_body_fault_t  fault;            /* of the ERROR that was said */
} weir_body_decoder_t;

/* req->body is there.  false: decoder->fault. */
bool      weir_body_decode_begin(weir_body_decoder_t *decoder, weir_request_t *req, uint64_t max) WEIR_MUST_USE;
/* At most cap bytes, in room or where they lie.  OK · EOF: that was all · ERROR: decoder->fault. */
weir_io_t weir_body_decode_next(weir_body_decoder_t *decoder, char *room, size_t cap, weir_str_t *bytes) WEIR_MUST_USE;
/* At any moment, and again.  The body may be read anew. */
void      weir_body_decode_end(weir_body_decoder_t *decoder);

#endif
