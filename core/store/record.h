/*
 * record.h - what the store holds of consumers, keys and plans: plain structs, which lie in LMDB as they are.
 *
 * Names are NUL-padded and shorter than their rooms.  The file belongs to one machine; what goes elsewhere goes as JSON
 * (`weir store dump`).  The layout has a version in the store's own record (WEIR_STORE_LAYOUT).
 */
#ifndef WEIR_STORE_RECORD_H
#define WEIR_STORE_RECORD_H

#include "base/str.h"

#define WEIR_STORE_LAYOUT 1
#define WEIR_STORE_NAME   64                 /* room of a name; its longest is one less */
#define WEIR_STORE_HASH   32                 /* SHA-256 of a key as the client sends it */
#define WEIR_STORE_ID     16                 /* hex digits of the hash by which people name a key */

typedef struct {
    uint64_t created_s;
    uint64_t is_disabled;
    char     plan[WEIR_STORE_NAME];          /* empty: none */
} weir_store_consumer_t;

typedef struct {
    uint64_t created_s, expires_s;           /* expires_s 0: never */
    char     consumer[WEIR_STORE_NAME];
    char     label[WEIR_STORE_NAME];
} weir_store_key_t;

typedef struct {
    uint64_t created_s;
    uint64_t hour, day, month;               /* requests; UINT64_MAX: no limit */
} weir_store_plan_t;

typedef struct {
    uint64_t value, expires_s;               /* of a zone's cell: shm/saved.h */
} weir_store_cell_t;

/* 1 … 63 of letters, digits and "._@+-": names of consumers and plans. */
bool weir_store_name_is_good(weir_str_t name);
/* NUL-padded into room of `size` bytes; what is longer is cut. */
void weir_store_put_text(char *room, size_t size, weir_str_t text);
weir_str_t weir_store_text(const char *room, size_t size);

#endif
