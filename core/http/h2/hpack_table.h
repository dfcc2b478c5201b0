/*
 * hpack_table.h - the tables of HPACK (RFC 7541 §2.3, §4, appendix A); inside core/http/h2 only.
 */
#ifndef WEIR_HTTP_H2_HPACK_TABLE_H
#define WEIR_HTTP_H2_HPACK_TABLE_H

#include "http/h2/hpack.h"

#define WEIR_HPACK_STATIC 61

typedef struct { weir_str_t name, value; uint16_t id; uint8_t pseudo; } weir_hpack_static_t;
extern const weir_hpack_static_t weir_hpack_static[WEIR_HPACK_STATIC + 1];      /* from 1 */
/* The lowest index with this name; 0: none. */
extern uint8_t weir_hpack_static_of_id[WEIR_HEADER_MAX];
extern uint8_t weir_hpack_static_of_pseudo[WEIR_H2_PSEUDO_OTHER + 1];

struct weir_hpack_entry {
    uint32_t at, name_len, value_len;
    uint16_t id;
    uint8_t  pseudo;
    bool     is_clean;              /* decoders': as in weir_hpack_field_t */
};

/* Entry i, 0 the newest; i < table->n. */
static inline const struct weir_hpack_entry *
weir_hpack_entry(const weir_hpack_table_t *table, uint32_t i)
{
    weir_assert(i < table->n);
    return &table->entries[(table->first + table->n - 1 - i) & (table->entries_cap - 1)];
}

/* table->n is not 0. */
static inline struct weir_hpack_entry *
weir_hpack_newest(weir_hpack_table_t *table)
{
    weir_assert(table->n != 0);
    return &table->entries[(table->first + table->n - 1) & (table->entries_cap - 1)];
}

static inline weir_str_t
weir_hpack_entry_name(const weir_hpack_table_t *table, const struct weir_hpack_entry *e)
{
    return weir_str(table->bytes + e->at, e->name_len);
}

static inline weir_str_t
weir_hpack_entry_value(const weir_hpack_table_t *table, const struct weir_hpack_entry *e)
{
    return weir_str(table->bytes + e->at + e->name_len, e->value_len);
}

weir_h2_pseudo_t weir_hpack_pseudo(weir_str_t name);      /* NOT_PSEUDO when it does not begin with ':' */

void weir_hpack_table_fini(weir_hpack_table_t *table);
void weir_hpack_table_resize(weir_hpack_table_t *table, uint32_t max);      /* evicts */
/* §4.4: evicts, adds; one larger than the table empties it.  name may lie in an entry of this very table.  false: no
 * memory. */
bool weir_hpack_table_add(weir_hpack_table_t *table, weir_str_t name, weir_str_t value, uint16_t id, uint8_t pseudo);

#endif
