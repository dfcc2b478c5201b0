/*
 * hpack.c - fuzz target: header blocks of one connection through the decoder; what they hold through the encoder and
 * back.
 *
 * The input is a row of blocks, each behind a byte for its length and one that may change the table's limit.
 */
#include "http/h2/hpack.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char scratch[4096], scratch_back[4096], again[1 << 20];

typedef struct {
    weir_hpack_decoder_t in, back;
    weir_hpack_encoder_t out;
} hpack_t;

/* A field written anew must come back the same. */
static void
check_field(hpack_t *h, const weir_hpack_field_t *field)
{
    weir_hpack_field_t seen;
    weir_buf_t         buf;
    size_t             at = 0;

    weir_buf_init(&buf, again, sizeof(again));
    weir_hpack_encode_begin(&h->out, &buf);
    weir_hpack_encode(&h->out, &buf, field->pseudo == WEIR_H2_NOT_PSEUDO ? field->id : WEIR_HEADER_OTHER, field->name,
                      field->value);
    weir_assert(!buf.full && weir_buf_len(&buf) <= 12 + weir_hpack_encode_bound(field->name.len, field->value.len));
    weir_hpack_block_begin(&h->back);
    weir_assert(weir_hpack_next(&h->back, weir_buf_str(&buf), &at, &seen) == WEIR_HPACK_FIELD);
    weir_assert(weir_str_eq(seen.name, field->name) && weir_str_eq(seen.value, field->value));
    weir_assert(weir_hpack_next(&h->back, weir_buf_str(&buf), &at, &seen) == WEIR_HPACK_END);
}

/* false: the connection is over. */
static bool
feed_block(hpack_t *h, weir_str_t block)
{
    weir_hpack_field_t field;
    size_t             at = 0, before;

    weir_hpack_block_begin(&h->in);
    for ( ;; ) {
        before = at;
        switch (weir_hpack_next(&h->in, block, &at, &field)) {
        case WEIR_HPACK_FIELD:
            weir_assert(at > before && at <= block.len);
            weir_assert(h->in.table.size <= h->in.table.max && h->in.table.max <= h->in.limit);
            if (field.name.at != NULL && field.name.len != 0) {
                check_field(h, &field);
            }
            break;
        case WEIR_HPACK_END:
            weir_assert(at == block.len);
            return true;
        default:
            return false;
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hpack_t  h;
    uint32_t limit = 4096;

    weir_hpack_decoder_init(&h.in, limit, scratch, sizeof(scratch));
    weir_hpack_decoder_init(&h.back, limit, scratch_back, sizeof(scratch_back));
    weir_hpack_encoder_init(&h.out, limit);
    for (bool on = true; on && size >= 2; ) {
        size_t len = weir_min(data[0], size - 2);
        char  *exact = malloc(len + 1);

        weir_assert(exact != NULL);
        if (data[1] & 0x80) {
            weir_hpack_decoder_limit(&h.in, (uint32_t) (data[1] & 0x7f) * 64);
        } else if (data[1] & 0x40) {
            weir_hpack_encoder_limit(&h.out, (uint32_t) (data[1] & 0x3f) * 64);
        }
        memcpy(exact, data + 2, len);
        on = feed_block(&h, weir_str(exact, len));
        free(exact);
        data += 2 + len;
        size -= 2 + len;
    }
    weir_hpack_encoder_fini(&h.out);
    weir_hpack_decoder_fini(&h.back);
    weir_hpack_decoder_fini(&h.in);
    return 0;
}
