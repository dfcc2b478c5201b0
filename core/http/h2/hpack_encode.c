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

/* Of known names; those that are never added are not looked for in the table either. */
static const uint8_t encode_ways[WEIR_HEADER_MAX] = {
    [WEIR_HEADER_AUTHORIZATION] = ENCODE_NEVER, [WEIR_HEADER_PROXY_AUTHORIZATION] = ENCODE_NEVER,
    [WEIR_HEADER_SET_COOKIE] = ENCODE_NEVER,    [WEIR_HEADER_CONTENT_LENGTH] = ENCODE_PLAIN,
    [WEIR_HEADER_ETAG] = ENCODE_PLAIN,          [WEIR_HEADER_LOCATION] = ENCODE_PLAIN,
    [WEIR_HEADER_CONTENT_RANGE] = ENCODE_PLAIN, [WEIR_HEADER_RANGE] = ENCODE_PLAIN,
    [WEIR_HEADER_AGE] = ENCODE_PLAIN,           [WEIR_HEADER_IF_MODIFIED_SINCE] = ENCODE_PLAIN,
    [WEIR_HEADER_IF_NONE_MATCH] = ENCODE_PLAIN, [WEIR_HEADER_LAST_MODIFIED] = ENCODE_PLAIN,
    [WEIR_HEADER_EXPIRES] = ENCODE_PLAIN,       [WEIR_HEADER_X_REQUEST_ID] = ENCODE_PLAIN,
};

static encode_way_t
encode_way(weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    if (encode_ways[id] != ENCODE_ADD) {
        return (encode_way_t) encode_ways[id];
    }
    if (id == WEIR_HEADER_COOKIE && value.len < 20) {
        return ENCODE_NEVER;
    }
    return name.len + value.len > ENCODE_TABLE_TEXT ? ENCODE_PLAIN : ENCODE_ADD;
}

/* What a field is called: a known name, or a pseudo-header's, or neither. */
typedef struct { uint16_t id; uint8_t pseudo; } encode_who_t;

static uint8_t *
encode_newest(weir_hpack_encoder_t *e, encode_who_t who)
{
    return &e->newest[who.pseudo != WEIR_H2_NOT_PSEUDO ? WEIR_HEADER_MAX - 1 + who.pseudo : who.id];
}

static inline bool
encode_same(weir_str_t one, weir_str_t other)
{
    return one.len == other.len && memcmp(one.at, other.at, one.len) == 0;
}

/* 1-based index of the static entry with this name and value, 0: none; *name_index of one with this name. */
static uint32_t
encode_find_static(encode_who_t who, weir_str_t value, uint32_t *name_index)
{
    uint32_t i = who.pseudo ? weir_hpack_static_of_pseudo[who.pseudo] : who.id ? weir_hpack_static_of_id[who.id] : 0;

    *name_index = i;
    for (; i != 0 && i <= WEIR_HPACK_STATIC; i++) {
        const weir_hpack_static_t *s = &weir_hpack_static[i];

        if (who.pseudo ? s->pseudo != who.pseudo : s->id != who.id) {
            break;
        }
        if (encode_same(s->value, value)) {
            return i;
        }
    }
    return 0;
}

/* Where in the table to begin: at the newest entry of this name, as far as that is known.  table->n: there is none. */
static uint32_t
encode_first(weir_hpack_encoder_t *e, encode_who_t who)
{
    uint32_t i;

    if (who.id == WEIR_HEADER_OTHER && who.pseudo == WEIR_H2_NOT_PSEUDO) {
        return 0;
    }
    i = (uint8_t) (e->added - *encode_newest(e, who));
    if (i >= e->table.n) {
        return e->table.n;
    }
    const struct weir_hpack_entry *entry = weir_hpack_entry(&e->table, i);
    return entry->id == who.id && entry->pseudo == who.pseudo ? i : e->table.n;      /* (else it has gone long ago) */
}

/* The same in the dynamic table; *name_index unless there is one already. */
static uint32_t
encode_find_dynamic(weir_hpack_encoder_t *e, encode_who_t who, weir_str_t name, weir_str_t value, uint32_t *name_index)
{
    for (uint32_t i = encode_first(e, who); i < e->table.n; i++) {
        const struct weir_hpack_entry *entry = weir_hpack_entry(&e->table, i);

        if (entry->id != who.id || entry->pseudo != who.pseudo
            || (who.id == WEIR_HEADER_OTHER && !encode_same(weir_hpack_entry_name(&e->table, entry), name)))
        {
            continue;
        }
        if (encode_same(weir_hpack_entry_value(&e->table, entry), value)) {
            return i + WEIR_HPACK_STATIC + 1;
        }
        if (*name_index == 0) {
            *name_index = i + WEIR_HPACK_STATIC + 1;
        }
    }
    return 0;
}

static bool
encode_add(weir_hpack_encoder_t *e, encode_who_t who, weir_str_t name, weir_str_t value)
{
    if (e->table.max < name.len + value.len + WEIR_HPACK_ENTRY_OVERHEAD
        || !weir_hpack_table_add(&e->table, name, value, who.id, who.pseudo))
    {
        return false;                          /* no room, no memory: said in full, which is always right */
    }
    weir_assert(e->table.n != 0 && e->table.n <= UINT8_MAX);       /* `added` tells them apart */
    *encode_newest(e, who) = ++e->added;
    return true;
}

static void
encode_field(weir_hpack_encoder_t *e, weir_buf_t *out, encode_who_t who, weir_str_t name, weir_str_t value,
             encode_way_t way)
{
    uint32_t name_index, index = encode_find_static(who, value, &name_index);

    if (index == 0 && encode_ways[who.id] == ENCODE_ADD) {
        index = encode_find_dynamic(e, who, name, value, &name_index);
    }
    if (index != 0 && way != ENCODE_NEVER) {
        encode_integer(out, 0x80, 7, index);
        return;
    }
    if (way == ENCODE_ADD && !encode_add(e, who, name, value)) {
        way = ENCODE_PLAIN;
    }
    encode_integer(out,
                   way == ENCODE_ADD     ? 0x40
                   : way == ENCODE_NEVER ? 0x10
                                         : 0,
                   way == ENCODE_ADD ? 6 : 4, name_index);
    if (name_index == 0) {
        encode_string(out, name);
    }
    encode_string(out, value);
}

bool
weir_hpack_encode_again(weir_hpack_encoder_t *e, weir_buf_t *out, weir_header_id_t id, weir_str_t value)
{
    encode_who_t who = { (uint16_t) id, WEIR_H2_NOT_PSEUDO };
    uint32_t i = encode_ways[id] == ENCODE_ADD ? encode_first(e, who) : e->table.n;

    if (i == e->table.n || (id == WEIR_HEADER_COOKIE && value.len < 20)
        || !encode_same(weir_hpack_entry_value(&e->table, weir_hpack_entry(&e->table, i)), value))
    {
        return false;
    }
    encode_integer(out, 0x80, 7, i + WEIR_HPACK_STATIC + 1);
    return true;
}

void
weir_hpack_encode(weir_hpack_encoder_t *e, weir_buf_t *out, weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    if (id != WEIR_HEADER_OTHER) {
        name = weir_header_name(id);
    }
    encode_field(e, out, (encode_who_t) { (uint16_t) id, WEIR_H2_NOT_PSEUDO }, name, value,
                 encode_way(id, name, value));
}

void
weir_hpack_encode_pseudo(weir_hpack_encoder_t *e, weir_buf_t *out, weir_h2_pseudo_t which, weir_str_t value)
{
    static const weir_str_t protocol = { ":protocol", 9 };
    weir_assert(which > WEIR_H2_NOT_PSEUDO && which < WEIR_H2_PSEUDO_OTHER);

    uint8_t index = weir_hpack_static_of_pseudo[which];
    weir_str_t name = index ? weir_hpack_static[index].name : protocol;
    bool changes = which == WEIR_H2_PATH || value.len > ENCODE_TABLE_TEXT;

    encode_field(e, out, (encode_who_t) { WEIR_HEADER_OTHER, (uint8_t) which }, name, value,
                 changes ? ENCODE_PLAIN : ENCODE_ADD);
}

void
weir_hpack_encode_status(weir_hpack_encoder_t *e, weir_buf_t *out, uint16_t status)
{
    char text[3] = { (char) ('0' + status / 100 % 10), (char) ('0' + status / 10 % 10), (char) ('0' + status % 10) };

    if (status == 200) {
        /* the first of its row */
        weir_buf_add_char(out, (char) (0x80 | weir_hpack_static_of_pseudo[WEIR_H2_STATUS]));
        return;
    }
    weir_hpack_encode_pseudo(e, out, WEIR_H2_STATUS, weir_str(text, 3));
}
