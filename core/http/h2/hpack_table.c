/*
 * hpack_table.c - the static table, and the dynamic one: entries in a ring, their bytes in another (RFC 7541 §2.3, §4).
 *
 * Runs in workers.  A dynamic table takes its memory with the first entry and grows by doubling up to what its limit
 * needs.
 */
#include "http/h2/hpack_table.h"

#include "base/mem.h"

#include <string.h>

#define PSEUDO(which, text, v) { WEIR_STR(text), WEIR_STR(v), WEIR_HEADER_OTHER, (which) }
#define FIELD(token, text, v)  { WEIR_STR(text), WEIR_STR(v), WEIR_HEADER_##token, WEIR_H2_NOT_PSEUDO }

const weir_hpack_static_t weir_hpack_static[WEIR_HPACK_STATIC + 1] = {
    { .name = WEIR_STR("") },
    PSEUDO(WEIR_H2_AUTHORITY, ":authority", ""),
    PSEUDO(WEIR_H2_METHOD, ":method", "GET"),
    PSEUDO(WEIR_H2_METHOD, ":method", "POST"),
    PSEUDO(WEIR_H2_PATH, ":path", "/"),
    PSEUDO(WEIR_H2_PATH, ":path", "/index.html"),
    PSEUDO(WEIR_H2_SCHEME, ":scheme", "http"),
    PSEUDO(WEIR_H2_SCHEME, ":scheme", "https"),
    PSEUDO(WEIR_H2_STATUS, ":status", "200"),
    PSEUDO(WEIR_H2_STATUS, ":status", "204"),
    PSEUDO(WEIR_H2_STATUS, ":status", "206"),
    PSEUDO(WEIR_H2_STATUS, ":status", "304"),
    PSEUDO(WEIR_H2_STATUS, ":status", "400"),
    PSEUDO(WEIR_H2_STATUS, ":status", "404"),
    PSEUDO(WEIR_H2_STATUS, ":status", "500"),
    FIELD(OTHER, "accept-charset", ""),
    FIELD(ACCEPT_ENCODING, "accept-encoding", "gzip, deflate"),
    FIELD(ACCEPT_LANGUAGE, "accept-language", ""),
    FIELD(ACCEPT_RANGES, "accept-ranges", ""),
    FIELD(ACCEPT, "accept", ""),
    FIELD(ACCESS_CONTROL_ALLOW_ORIGIN, "access-control-allow-origin", ""),
    FIELD(AGE, "age", ""),
    FIELD(ALLOW, "allow", ""),
    FIELD(AUTHORIZATION, "authorization", ""),
    FIELD(CACHE_CONTROL, "cache-control", ""),
    FIELD(CONTENT_DISPOSITION, "content-disposition", ""),
    FIELD(CONTENT_ENCODING, "content-encoding", ""),
    FIELD(CONTENT_LANGUAGE, "content-language", ""),
    FIELD(CONTENT_LENGTH, "content-length", ""),
    FIELD(CONTENT_LOCATION, "content-location", ""),
    FIELD(CONTENT_RANGE, "content-range", ""),
    FIELD(CONTENT_TYPE, "content-type", ""),
    FIELD(COOKIE, "cookie", ""),
    FIELD(DATE, "date", ""),
    FIELD(ETAG, "etag", ""),
    FIELD(EXPECT, "expect", ""),
    FIELD(EXPIRES, "expires", ""),
    FIELD(FROM, "from", ""),
    FIELD(HOST, "host", ""),
    FIELD(IF_MATCH, "if-match", ""),
    FIELD(IF_MODIFIED_SINCE, "if-modified-since", ""),
    FIELD(IF_NONE_MATCH, "if-none-match", ""),
    FIELD(IF_RANGE, "if-range", ""),
    FIELD(IF_UNMODIFIED_SINCE, "if-unmodified-since", ""),
    FIELD(LAST_MODIFIED, "last-modified", ""),
    FIELD(LINK, "link", ""),
    FIELD(LOCATION, "location", ""),
    FIELD(MAX_FORWARDS, "max-forwards", ""),
    FIELD(PROXY_AUTHENTICATE, "proxy-authenticate", ""),
    FIELD(PROXY_AUTHORIZATION, "proxy-authorization", ""),
    FIELD(RANGE, "range", ""),
    FIELD(REFERER, "referer", ""),
    FIELD(REFRESH, "refresh", ""),
    FIELD(RETRY_AFTER, "retry-after", ""),
    FIELD(SERVER, "server", ""),
    FIELD(SET_COOKIE, "set-cookie", ""),
    FIELD(STRICT_TRANSPORT_SECURITY, "strict-transport-security", ""),
    FIELD(TRANSFER_ENCODING, "transfer-encoding", ""),
    FIELD(USER_AGENT, "user-agent", ""),
    FIELD(VARY, "vary", ""),
    FIELD(VIA, "via", ""),
    FIELD(WWW_AUTHENTICATE, "www-authenticate", ""),
};

uint8_t weir_hpack_static_of_id[WEIR_HEADER_MAX];
uint8_t weir_hpack_static_of_pseudo[WEIR_H2_PSEUDO_OTHER + 1];

__attribute__((constructor)) static void
table_index(void)
{
    for (uint8_t i = WEIR_HPACK_STATIC; i > 0; i--) {
        const weir_hpack_static_t *s = &weir_hpack_static[i];

        if (s->pseudo != WEIR_H2_NOT_PSEUDO) {
            weir_hpack_static_of_pseudo[s->pseudo] = i;
        } else if (s->id != WEIR_HEADER_OTHER) {
            weir_hpack_static_of_id[s->id] = i;
        }
    }
}

weir_h2_pseudo_t
weir_hpack_pseudo(weir_str_t name)
{
    if (name.len == 0 || name.at[0] != ':') {
        return WEIR_H2_NOT_PSEUDO;
    }
    for (uint8_t i = 1; i <= 14; i++) {
        if (weir_str_eq(name, weir_hpack_static[i].name)) {
            return weir_hpack_static[i].pseudo;
        }
    }
    return weir_str_eq(name, WEIR_STR(":protocol")) ? WEIR_H2_PROTOCOL : WEIR_H2_PSEUDO_OTHER;
}

/* -- the dynamic table -- */

#define TABLE_FIRST 512                /* bytes of size that the first allocation serves */

void
weir_hpack_table_fini(weir_hpack_table_t *table)
{
    weir_mem_free(table->bytes);
    weir_mem_free(table->entries);
    memset(table, 0, sizeof(*table));
}

static void
table_evict(weir_hpack_table_t *table)
{
    weir_assert(table->n != 0 && table->n <= table->entries_cap);

    const struct weir_hpack_entry *oldest = weir_hpack_entry(table, table->n - 1);

    weir_assert(table->size >= oldest->name_len + oldest->value_len + WEIR_HPACK_ENTRY_OVERHEAD);
    table->size -= oldest->name_len + oldest->value_len + WEIR_HPACK_ENTRY_OVERHEAD;
    table->first = (table->first + 1) & (table->entries_cap - 1);
    if (--table->n == 0) {
        table->bytes_at = 0;
    }
}

void
weir_hpack_table_resize(weir_hpack_table_t *table, uint32_t max)
{
    table->max = max;
    while (table->size > max) {
        table_evict(table);
    }
}

/* Room for `size` of table, §4.1's way of counting: twice as many bytes, so that a text never needs to be split at the
 * ring's end. */
static bool
table_grow(weir_hpack_table_t *table, uint32_t size)
{
    uint32_t serves = table->bytes_cap / 2, bytes_at = 0;
    weir_hpack_table_t grown = *table;

    if (size <= serves) {
        return true;
    }
    serves = serves ? serves : TABLE_FIRST;
    while (serves < size) {
        serves *= 2;
    }
    grown.bytes_cap = 2 * serves;
    grown.entries_cap = serves / WEIR_HPACK_ENTRY_OVERHEAD;
    grown.bytes = weir_mem_try(grown.bytes_cap);
    grown.entries = weir_mem_try(grown.entries_cap * sizeof(*grown.entries));
    if (grown.bytes == NULL || grown.entries == NULL) {
        weir_mem_free(grown.bytes);
        weir_mem_free(grown.entries);
        return false;
    }
    grown.first = 0;
    for (uint32_t i = 0; i < table->n; i++) {
        const struct weir_hpack_entry *old = weir_hpack_entry(table, table->n - 1 - i);

        grown.entries[i] = *old;
        grown.entries[i].at = bytes_at;
        memcpy(grown.bytes + bytes_at, table->bytes + old->at, old->name_len + old->value_len);
        bytes_at += old->name_len + old->value_len;
    }
    weir_assert(bytes_at <= serves && table->n < grown.entries_cap);
    grown.bytes_at = bytes_at;
    weir_mem_free(table->bytes);
    weir_mem_free(table->entries);
    *table = grown;
    return true;
}

bool
weir_hpack_table_add(weir_hpack_table_t *table, weir_str_t name, weir_str_t value, uint16_t id, uint8_t pseudo)
{
    uint64_t size = (uint64_t) name.len + value.len + WEIR_HPACK_ENTRY_OVERHEAD;
    char kept[256], *copy = NULL;
    struct weir_hpack_entry *e;
    bool own = table->bytes != NULL && name.at >= table->bytes && name.at < table->bytes + table->bytes_cap;

    if (size > table->max) {
        while (table->n != 0) {
            table_evict(table);
        }
        return true;
    }
    if (own) {                                 /* the entry it lies in may be evicted to make room (§4.4) */
        copy = name.len <= sizeof(kept) ? kept : weir_mem_try(name.len);
        if (copy == NULL) {
            return false;
        }
        memcpy(copy, name.at, name.len);
        name.at = copy;
    }
    while (table->size + size > table->max) {
        table_evict(table);
    }
    bool room = table_grow(table, (uint32_t) (table->size + size));
    if (room) {
        if (table->bytes_at + name.len + value.len > table->bytes_cap) {
            table->bytes_at = 0;
        }
        weir_assert(table->n < table->entries_cap && table->bytes_at + name.len + value.len <= table->bytes_cap);
        e = &table->entries[(table->first + table->n) & (table->entries_cap - 1)];
        *e = (struct weir_hpack_entry){ table->bytes_at, (uint32_t) name.len, (uint32_t) value.len, id, pseudo, false };
        memcpy(table->bytes + e->at, name.at, name.len);
        memcpy(table->bytes + e->at + name.len, value.at ? value.at : "", value.len);
        table->bytes_at += (uint32_t) (name.len + value.len);
        table->n++;
        table->size += (uint32_t) size;
        weir_assert(table->size <= table->max);
    }
    if (copy != NULL && copy != kept) {
        weir_mem_free(copy);
    }
    return room;
}
