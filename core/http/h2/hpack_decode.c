/*
 * hpack_decode.c - header blocks to fields (RFC 7541 §3, §5, §6), strictly.
 *
 * Runs in workers.  One pass, constant memory: texts are slices of the block, of a table, or of the caller's scratch.
 */
#include "http/h2/fields.h"
#include "http/h2/hpack_table.h"

#include <string.h>

void
weir_hpack_decoder_init(weir_hpack_decoder_t *d, uint32_t limit, char *scratch, size_t scratch_cap)
{
    *d = (weir_hpack_decoder_t) { .limit = limit, .scratch = scratch, .scratch_cap = scratch_cap };
    d->table.max = limit;
}

void
weir_hpack_decoder_fini(weir_hpack_decoder_t *d)
{
    weir_hpack_table_fini(&d->table);
}

void
weir_hpack_decoder_limit(weir_hpack_decoder_t *d, uint32_t limit)
{
    d->limit = limit;
    if (d->table.max > limit) {
        d->must_shrink = true;                 /* the peer owes an update at its next block (§4.2) */
    }
}

void
weir_hpack_block_begin(weir_hpack_decoder_t *d)
{
    d->in_block = false;
}

/* §5.1: an integer with a prefix of `bits`; values beyond 2^28 have no use. */
static bool
decode_integer(weir_str_t block, size_t *at, unsigned bits, uint32_t *value)
{
    uint32_t mask = (1u << bits) - 1, v = (uint8_t) block.at[*at] & mask;
    unsigned shift = 0;
    uint8_t byte;

    (*at)++;
    if (v < mask) {
        *value = v;
        return true;
    }
    do {
        if (*at >= block.len || shift > 21) {
            return false;
        }
        byte = (uint8_t) block.at[(*at)++];
        v += (uint32_t) (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    *value = v;
    return true;
}

typedef struct { weir_hpack_decoder_t *d; size_t used; bool too_large; } decode_room_t;

/* §5.2: a string literal.  Huffman-coded ones land in scratch, behind what is used of it. */
static bool
decode_string(decode_room_t *room, weir_str_t block, size_t *at, weir_str_t *text)
{
    bool coded;
    uint32_t len;
    size_t n;

    if (*at >= block.len) {
        return false;
    }
    coded = ((uint8_t) block.at[*at] & 0x80) != 0;
    if (!decode_integer(block, at, 7, &len) || len > block.len - *at) {
        return false;
    }
    *text = weir_str(block.at + *at, len);
    *at += len;
    if (!coded) {
        return true;
    }
    weir_assert(*at <= block.len && room->used <= room->d->scratch_cap);
    n = weir_huffman_decode(room->d->scratch + room->used, room->d->scratch_cap - room->used, *text);
    if (n == SIZE_MAX) {
        return false;
    }
    if (n > room->d->scratch_cap - room->used) {
        room->too_large = true;
        n = 0;
    }
    *text = weir_str(room->d->scratch + room->used, n);
    room->used += n;
    return true;
}

/* The entry of an index: static, then dynamic (§2.3.3). */
static bool
decode_indexed(const weir_hpack_decoder_t *d, uint32_t index, weir_hpack_field_t *field)
{
    if (index == 0) {
        return false;
    }
    if (index <= WEIR_HPACK_STATIC) {
        const weir_hpack_static_t *s = &weir_hpack_static[index];
        *field = (weir_hpack_field_t) { s->name, s->value, s->id, s->pseudo, false, true };
        return true;
    }
    index -= WEIR_HPACK_STATIC + 1;
    if (index >= d->table.n) {
        return false;
    }
    const struct weir_hpack_entry *e = weir_hpack_entry(&d->table, index);
    *field = (weir_hpack_field_t) {
        weir_hpack_entry_name(&d->table, e), weir_hpack_entry_value(&d->table, e), e->id, e->pseudo, false, e->is_clean,
    };
    return true;
}

/* false: no memory.  Whether its bytes may stand in a field is found out once. */
static bool
decode_add(weir_hpack_decoder_t *d, const weir_hpack_field_t *field)
{
    if (!weir_hpack_table_add(&d->table, field->name, field->value, field->id, field->pseudo)) {
        return false;
    }
    if (d->table.n != 0) {                     /* (0: it is larger than the table) */
        weir_hpack_newest(&d->table)->is_clean = field->is_clean;
    }
    return true;
}

static weir_hpack_result_t
decode_literal(weir_hpack_decoder_t *d, weir_str_t block, size_t *at, unsigned bits, weir_hpack_field_t *field)
{
    decode_room_t room = { d, 0, false };
    uint32_t index;
    weir_str_t value;
    bool add = bits == 6;

    if (!decode_integer(block, at, bits, &index)) {
        return WEIR_HPACK_BAD;
    }
    if (index != 0) {
        if (!decode_indexed(d, index, field)) {
            return WEIR_HPACK_BAD;
        }
        if (add && index > WEIR_HPACK_STATIC && field->name.len <= d->scratch_cap) {
            memcpy(d->scratch, field->name.at, field->name.len);    /* adding may move or evict the entry it lies in */
            field->name.at = d->scratch;
            room.used = field->name.len;
        }
    } else {
        if (!decode_string(&room, block, at, &field->name)) {
            return WEIR_HPACK_BAD;
        }
        field->pseudo = (uint8_t) weir_hpack_pseudo(field->name);
        field->id = (uint16_t) (field->pseudo ? WEIR_HEADER_OTHER : weir_header_id(field->name));
    }
    if (!decode_string(&room, block, at, &value)) {
        return WEIR_HPACK_BAD;
    }
    field->value = value;
    if (room.too_large) {
        if (add) {                             /* larger than any table: it would only empty ours (§4.4) */
            uint32_t max = d->table.max;
            weir_hpack_table_resize(&d->table, 0);
            d->table.max = max;
        }
        field->name = WEIR_STR_NONE;
        return WEIR_HPACK_FIELD;
    }
    field->is_clean = field->pseudo != WEIR_H2_NOT_PSEUDO || (weir_h2_name_ok(field->name) && weir_h2_value_ok(value));
    return !add || decode_add(d, field) ? WEIR_HPACK_FIELD : WEIR_HPACK_NO_MEMORY;
}

weir_hpack_result_t
weir_hpack_next(weir_hpack_decoder_t *d, weir_str_t block, size_t *at, weir_hpack_field_t *field)
{
    uint32_t value;
    uint8_t first;

    weir_assert(*at <= block.len && d->table.size <= d->table.max);
    while (*at < block.len) {
        first = (uint8_t) block.at[*at];
        if ((first & 0xe0) == 0x20) {          /* §6.3: only before the first field */
            if (d->in_block || !decode_integer(block, at, 5, &value) || value > d->limit) {
                return WEIR_HPACK_BAD;
            }
            weir_hpack_table_resize(&d->table, value);
            d->must_shrink = false;
            continue;
        }
        if (d->must_shrink) {
            return WEIR_HPACK_BAD;
        }
        d->in_block = true;
        *field = (weir_hpack_field_t) { .never_indexed = (first & 0xf0) == 0x10 };
        if (first & 0x80) {
            return decode_integer(block, at, 7, &value) && decode_indexed(d, value, field) ? WEIR_HPACK_FIELD
                                                                                           : WEIR_HPACK_BAD;
        }
        weir_hpack_result_t result = decode_literal(d, block, at, first & 0x40 ? 6 : 4, field);
        field->never_indexed = (first & 0xf0) == 0x10;
        return result;
    }
    return d->must_shrink && d->in_block ? WEIR_HPACK_BAD : WEIR_HPACK_END;
}
