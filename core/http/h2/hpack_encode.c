/*
 * hpack_encode.c - fields to header blocks (RFC 7541 §5, §6, §7.1).
 *
 * Runs in workers.  What is likely to come again goes into the dynamic table; what tells secrets apart by its length
 * never does.
 */
#include "http/h2/hpack_table.h"

#include <string.h>

#define ENCODE_TABLE_TEXT 512                  /* longer fields are not worth the entries they push out */

void
weir_hpack_encoder_init(weir_hpack_encoder_t *e, uint32_t own_limit)
{
    *e = (weir_hpack_encoder_t) { .limit = own_limit };
    e->table.max = (uint32_t) weir_min(own_limit, WEIR_HPACK_DEFAULT_TABLE);
    e->lowest = e->table.max;
}

void
weir_hpack_encoder_fini(weir_hpack_encoder_t *e)
{
    weir_hpack_table_fini(&e->table);
}

void
weir_hpack_encoder_limit(weir_hpack_encoder_t *e, uint32_t peers_limit)
{
    uint32_t max = (uint32_t) weir_min(peers_limit, e->limit);

    if (max == e->table.max && !e->owes_update) {
        return;
    }
    e->lowest = (uint32_t) weir_min(e->owes_update ? e->lowest : e->table.max, max);
    e->owes_update = true;
    weir_hpack_table_resize(&e->table, max);
}

/* -- what goes out -- */

static void
encode_integer(weir_buf_t *out, uint8_t first, unsigned bits, uint32_t value)
{
    uint32_t mask = (1u << bits) - 1;

    if (value < mask) {
        weir_buf_add_char(out, (char) (first | value));
        return;
    }
    weir_buf_add_char(out, (char) (first | mask));
    for (value -= mask; value >= 128; value >>= 7) {
        weir_buf_add_char(out, (char) (0x80 | (value & 0x7f)));
    }
    weir_buf_add_char(out, (char) value);
}

static void
encode_string(weir_buf_t *out, weir_str_t text)
{
    size_t coded = weir_huffman_encoded_size(text);

    if (coded >= text.len) {
        encode_integer(out, 0, 7, (uint32_t) text.len);
        weir_buf_add_str(out, text);
        return;
    }
    encode_integer(out, 0x80, 7, (uint32_t) coded);
    if ((size_t) (out->end - out->pos) < coded || out->full) {
        out->full = true;
        return;
    }
    out->pos += weir_huffman_encode(out->pos, text);
}

void
weir_hpack_encode_begin(weir_hpack_encoder_t *e, weir_buf_t *out)
{
    if (!e->owes_update) {
        return;
    }
    if (e->lowest < e->table.max) {
        encode_integer(out, 0x20, 5, e->lowest);
    }
    encode_integer(out, 0x20, 5, e->table.max);
    e->owes_update = false;
}

/* -- which way -- */

typedef enum { ENCODE_ADD, ENCODE_PLAIN, ENCODE_NEVER } encode_way_t;

static encode_way_t
encode_way(weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    switch (id) {
    case WEIR_HEADER_AUTHORIZATION: case WEIR_HEADER_PROXY_AUTHORIZATION: case WEIR_HEADER_SET_COOKIE:
        return ENCODE_NEVER;
    case WEIR_HEADER_COOKIE:
        return value.len < 20 ? ENCODE_NEVER : ENCODE_ADD;
    case WEIR_HEADER_CONTENT_LENGTH: case WEIR_HEADER_ETAG: case WEIR_HEADER_LOCATION: case WEIR_HEADER_CONTENT_RANGE:
    case WEIR_HEADER_RANGE: case WEIR_HEADER_AGE: case WEIR_HEADER_IF_MODIFIED_SINCE: case WEIR_HEADER_IF_NONE_MATCH:
    case WEIR_HEADER_LAST_MODIFIED: case WEIR_HEADER_EXPIRES: case WEIR_HEADER_X_REQUEST_ID:
        return ENCODE_PLAIN;
    default:
        return name.len + value.len > ENCODE_TABLE_TEXT ? ENCODE_PLAIN : ENCODE_ADD;
    }
}

/* 1-based index of the entry with this name and value; else *name_index of one with this name, 0: none. */
static uint32_t
encode_find(const weir_hpack_encoder_t *e, uint16_t id, uint8_t pseudo, weir_str_t name, weir_str_t value, uint32_t *name_index)
{
    uint32_t i = pseudo ? weir_hpack_static_of_pseudo[pseudo] : id != WEIR_HEADER_OTHER ? weir_hpack_static_of_id[id] : 0;

    *name_index = i;
    for (; i != 0 && i <= WEIR_HPACK_STATIC; i++) {
        const weir_hpack_static_t *s = &weir_hpack_static[i];

        if (pseudo ? s->pseudo != pseudo : s->id != id) {
            break;
        }
        if (weir_str_eq(s->value, value)) {
            return i;
        }
    }
    for (i = 0; i < e->table.n; i++) {
        const struct weir_hpack_entry *entry = weir_hpack_entry(&e->table, i);

        if (entry->id != id || entry->pseudo != pseudo
            || (id == WEIR_HEADER_OTHER && !weir_str_eq(weir_hpack_entry_name(&e->table, entry), name)))
        {
            continue;
        }
        if (entry->value_len == value.len && weir_str_eq(weir_hpack_entry_value(&e->table, entry), value)) {
            return i + WEIR_HPACK_STATIC + 1;
        }
        if (*name_index == 0) {
            *name_index = i + WEIR_HPACK_STATIC + 1;
        }
    }
    return 0;
}

static void
encode_field(weir_hpack_encoder_t *e, weir_buf_t *out, uint16_t id, uint8_t pseudo, weir_str_t name, weir_str_t value,
             encode_way_t way)
{
    uint32_t name_index = 0, index;

    index = encode_find(e, id, pseudo, name, value, &name_index);
    if (index != 0 && way != ENCODE_NEVER) {
        encode_integer(out, 0x80, 7, index);
        return;
    }
    if (way == ENCODE_ADD && e->table.max < name.len + value.len + WEIR_HPACK_ENTRY_OVERHEAD) {
        way = ENCODE_PLAIN;
    }
    if (way == ENCODE_ADD && !weir_hpack_table_add(&e->table, name, value, id, pseudo)) {
        way = ENCODE_PLAIN;                    /* no memory: said in full, which is always right */
    }
    encode_integer(out, way == ENCODE_ADD ? 0x40 : way == ENCODE_NEVER ? 0x10 : 0, way == ENCODE_ADD ? 6 : 4, name_index);
    if (name_index == 0) {
        encode_string(out, name);
    }
    encode_string(out, value);
}

void
weir_hpack_encode(weir_hpack_encoder_t *e, weir_buf_t *out, weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    if (id != WEIR_HEADER_OTHER) {
        name = weir_header_name(id);
    }
    encode_field(e, out, (uint16_t) id, WEIR_H2_NOT_PSEUDO, name, value, encode_way(id, name, value));
}

void
weir_hpack_encode_pseudo(weir_hpack_encoder_t *e, weir_buf_t *out, weir_h2_pseudo_t which, weir_str_t value)
{
    static const weir_str_t protocol = { ":protocol", 9 };
    uint8_t index = weir_hpack_static_of_pseudo[which];
    weir_str_t name = index ? weir_hpack_static[index].name : protocol;
    bool changes = which == WEIR_H2_PATH || value.len > ENCODE_TABLE_TEXT;

    encode_field(e, out, WEIR_HEADER_OTHER, (uint8_t) which, name, value, changes ? ENCODE_PLAIN : ENCODE_ADD);
}
