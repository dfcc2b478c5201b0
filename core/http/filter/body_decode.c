/*
 * body_decode.c - see body_decode.h.
 */
#include "http/filter/body_decode.h"

#include "base/mem.h"
#include "http/filter/store.h"

#define DECODE_PIECE  16384
#define DECODE_WINDOW 15                 /* zlib: the largest window */
#define DECODE_GZIP   16                 /* … of a stream of gzip */

static void *
decode_alloc(void *data, unsigned n, unsigned size)
{
    (void) data;
    return weir_mem_try((size_t) n * size);
}

static void
decode_free(void *data, void *memory)
{
    (void) data;
    weir_mem_free(memory);
}

static weir_io_t
decode_fail(weir_body_decoder_t *decoder, weir_body_fault_t fault)
{
    decoder->fault = fault;
    return WEIR_ERROR;
}

bool
weir_body_decode_begin(weir_body_decoder_t *decoder, weir_request_t *req, uint64_t max)
{
    weir_str_t coding = weir_fields_join(&req->head.fields, WEIR_STR("content-encoding"), &req->arena);
    bool       is_gzip = weir_str_eq_fold(coding, WEIR_STR("gzip"));

    weir_assert(req->body != NULL);
    *decoder = (weir_body_decoder_t) { .store = req->body, .left = max, .z.zalloc = decode_alloc,
                                       .z.zfree = decode_free };
    weir_store_rewind(decoder->store);
    if (coding.len == 0 || weir_str_eq_fold(coding, WEIR_STR("identity"))) {
        return true;
    }
    if (!is_gzip && !weir_str_eq_fold(coding, WEIR_STR("deflate"))) {
        decoder->fault = WEIR_BODY_CODING;
        return false;
    }
    decoder->coded = weir_try_alloc(&req->arena, DECODE_PIECE);
    decoder->is_open = decoder->coded != NULL
                       && inflateInit2(&decoder->z, DECODE_WINDOW + (is_gzip ? DECODE_GZIP : 0)) == Z_OK;
    decoder->fault = WEIR_BODY_LOST;
    return decoder->is_open;
}

/* Bytes that are not encoded, or those that are: the next of them. */
static weir_io_t
decode_read(weir_body_decoder_t *decoder, char *room, size_t cap, weir_str_t *bytes)
{
    weir_io_t io = weir_store_read(decoder->store, room, cap, bytes);

    return io == WEIR_OK || io == WEIR_EOF ? io : decode_fail(decoder, WEIR_BODY_LOST);
}

static weir_io_t
decode_take(weir_body_decoder_t *decoder, size_t n)
{
    if (n > decoder->left) {
        return decode_fail(decoder, WEIR_BODY_TOO_LARGE);
    }
    decoder->left -= n;
    return WEIR_OK;
}

/* More of what is encoded.  EOF: there is no more. */
static weir_io_t
decode_refill(weir_body_decoder_t *decoder)
{
    weir_str_t coded;
    weir_io_t  io = decode_read(decoder, decoder->coded, DECODE_PIECE, &coded);

    if (io == WEIR_OK) {
        decoder->z.next_in = (Bytef *) (uintptr_t) coded.at;
        decoder->z.avail_in = (uInt) coded.len;
    }
    return io;
}

/* Behind the end of the stream there is nothing. */
static weir_io_t
decode_end_of_stream(weir_body_decoder_t *decoder)
{
    weir_io_t io = decoder->z.avail_in != 0 ? WEIR_OK : decode_refill(decoder);

    return io == WEIR_OK ? decode_fail(decoder, WEIR_BODY_BROKEN) : io;
}

static weir_io_t
decode_inflate(weir_body_decoder_t *decoder, char *room, size_t cap, weir_str_t *bytes)
{
    z_stream *z = &decoder->z;
    int       rc = Z_OK;

    z->next_out = (Bytef *) room;
    z->avail_out = (uInt) cap;
    while (!decoder->has_ended && z->avail_out == cap) {
        if (z->avail_in == 0) {
            weir_io_t io = decode_refill(decoder);

            if (io != WEIR_OK) {
                return io == WEIR_EOF ? decode_fail(decoder, WEIR_BODY_BROKEN) : io;
            }
        }
        rc = inflate(z, Z_NO_FLUSH);
        decoder->has_ended = rc == Z_STREAM_END;
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
            return decode_fail(decoder, rc == Z_MEM_ERROR ? WEIR_BODY_LOST : WEIR_BODY_BROKEN);
        }
    }
    *bytes = weir_str(room, cap - z->avail_out);
    return bytes->len != 0 ? decode_take(decoder, bytes->len) : decode_end_of_stream(decoder);
}

weir_io_t
weir_body_decode_next(weir_body_decoder_t *decoder, char *room, size_t cap, weir_str_t *bytes)
{
    weir_io_t io;

    weir_assert(cap != 0 && cap <= UINT32_MAX);
    if (decoder->coded != NULL) {
        return decode_inflate(decoder, room, cap, bytes);
    }
    io = decode_read(decoder, room, cap, bytes);
    return io == WEIR_OK ? decode_take(decoder, bytes->len) : io;
}

void
weir_body_decode_end(weir_body_decoder_t *decoder)
{
    if (decoder->is_open) {
        decoder->is_open = false;
        (void) inflateEnd(&decoder->z);
    }
    if (decoder->store != NULL) {
        weir_store_rewind(decoder->store);
        decoder->store = NULL;
    }
}
