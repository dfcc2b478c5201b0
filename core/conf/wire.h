/*
 * wire.h - a bundle's inside, shared by bundle.c (what it means) and wire.c (how it travels).  Private to core/conf.
 *
 *     bundle   "weirbnd1"  count:u32  entry…
 *     entry    kind:u32  key_len:u64  value_len:u64  key  value
 *     lists    (len:u32  bytes)…          users    u32…          all in the machine's own byte order: it stays on it
 */
#ifndef WEIR_CONF_WIRE_H
#define WEIR_CONF_WIRE_H

#include "conf/bundle.h"

typedef enum {
    WEIR_BUNDLE_CONF = 1, WEIR_BUNDLE_FILE, WEIR_BUNDLE_GLOB, WEIR_BUNDLE_NAME, WEIR_BUNDLE_USER,
        WEIR_BUNDLE_PROCESSORS,
    WEIR_BUNDLE_TEXT, WEIR_BUNDLE_FRAGMENT, WEIR_BUNDLE_KINDS
} weir_bundle_kind_t;

typedef struct weir_bundle_entry {
    struct weir_bundle_entry *next;     /* in the order of recording */
    struct weir_bundle_entry *chain;    /* of the same bucket */
    weir_bundle_kind_t        kind;
    weir_str_t                key, value;
    union {                             /* the value, decoded */
        weir_strs_t           paths;
        weir_addrs_t          addrs;
        weir_bundle_user_t    user;
    };
} weir_bundle_entry_t;

/* fragment_source.h */
typedef struct weir_bundle_gone { struct weir_bundle_gone *next; weir_str_t name, fragment; } weir_bundle_gone_t;
struct weir_fragment_source;

struct weir_bundle {
    weir_arena_t          arena;
    bool                  replay, looks_only;
    weir_bundle_entry_t  *first, **end;
    size_t                n;
    weir_bundle_entry_t  *buckets[256];
    const struct weir_fragment_source *source;      /* NULL: nobody puts fragments in */
    weir_bundle_t        *before;                   /* NULL: all is read anew */
    bool                (*reads_anew)(void *data, weir_str_t path);
    void                 *reads_anew_data;
    weir_bundle_gone_t   *gone, *anew;              /* anew: paths of files that are read again all the same */
};

/* bundle.c.  The value is borrowed from the bundle's arena.  NULL: the value is not what the kind asks for. */
weir_bundle_entry_t *weir_bundle_add(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key, weir_str_t value);
weir_bundle_t       *weir_bundle_create_replay(void);
weir_bundle_entry_t *weir_bundle_find(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key);

/* fragment_source.c.  NULL: it is not there, and is not known from before. */
weir_bundle_entry_t *weir_fragment_source_known(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key);

/* wire.c */
bool weir_wire_decode_entry(weir_arena_t *arena, weir_bundle_entry_t *entry) WEIR_MUST_USE;

typedef struct { weir_arena_t *arena; char *at; size_t len, cap; } weir_wire_t;    /* a value being written */
void       weir_wire_init(weir_wire_t *wire, weir_arena_t *arena);
void       weir_wire_add(weir_wire_t *wire, const void *bytes, size_t len);
void       weir_wire_add_u32(weir_wire_t *wire, uint32_t value);
void       weir_wire_add_str(weir_wire_t *wire, weir_str_t text);
weir_str_t weir_wire_text(const weir_wire_t *wire);

/* What stands first in `from`, which goes on behind it.  false: so much is not left. */
bool weir_wire_take(weir_str_t *from, void *to, size_t len) WEIR_MUST_USE;
bool weir_wire_take_str(weir_str_t *from, weir_str_t *text) WEIR_MUST_USE;      /* a length in 32 bits, and bytes */

#endif
