/*
 * header.c - the known field names: from a name to its index and back, and their canonical spellings.
 *
 * The table of names is made from WEIR_HEADERS before main() and only read afterwards; nothing is allocated.  Runs in
 * every process.
 */
#include "http/message/header.h"

#define HEADER_LONGEST    27     /* access-control-allow-origin */
#define HEADER_SLOTS      512    /* a power of two, with room to spare: probes stay short */

static const weir_str_t header_names[WEIR_HEADER_MAX] = {
    [WEIR_HEADER_OTHER] = WEIR_STR_INIT(""),
#define HEADER_NAME(token, name) [WEIR_HEADER_##token] = WEIR_STR_INIT(name),
    WEIR_HEADERS(HEADER_NAME)
#undef HEADER_NAME
};

/* Spellings that capitals after '-' do not give. */
static const weir_str_t header_spellings[] = {
    WEIR_STR_INIT("ETag"),
    WEIR_STR_INIT("HTTP2-Settings"),
    WEIR_STR_INIT("Sec-WebSocket-Accept"),
    WEIR_STR_INIT("Sec-WebSocket-Key"),
    WEIR_STR_INIT("Sec-WebSocket-Protocol"),
    WEIR_STR_INIT("Sec-WebSocket-Version"),
    WEIR_STR_INIT("TE"),
    WEIR_STR_INIT("WWW-Authenticate"),
    WEIR_STR_INIT("X-Real-IP"),
    WEIR_STR_INIT("X-Request-ID"),
    WEIR_STR_INIT("X-XSS-Protection"),
};

static uint8_t header_slots[HEADER_SLOTS];    /* weir_header_id_t, by hash; 0: free */
static char    header_canonical[WEIR_HEADER_MAX][HEADER_LONGEST + 1];

_Static_assert(WEIR_HEADER_MAX <= 256, "an index fits into a slot");

/* Length and four bytes tell the known names apart well enough; 0x20 folds letters. */
static inline uint32_t
header_hash(weir_str_t name)
{
    const unsigned char *at = (const unsigned char *) name.at;
    uint32_t             bytes = at[0] | (uint32_t) at[name.len / 2] << 8 | (uint32_t) at[name.len - 1] << 16
                     | (uint32_t) at[name.len / 4] << 24;

    return ((bytes | 0x20202020u) * 0x9e3779b1u + (uint32_t) name.len * 0x85ebca77u) >> (32 - 9);
}

weir_header_id_t
weir_header_id(weir_str_t name)
{
    uint32_t slot;
    uint8_t  id;

    if (name.len < 2 || name.len > HEADER_LONGEST) {
        return WEIR_HEADER_OTHER;
    }
    for (slot = header_hash(name); (id = header_slots[slot]) != 0; slot = (slot + 1) % HEADER_SLOTS) {
        if (header_names[id].len == name.len && weir_header_same(name.at, header_names[id].at, name.len)) {
            return (weir_header_id_t) id;
        }
    }
    return WEIR_HEADER_OTHER;
}

weir_str_t
weir_header_name(weir_header_id_t id)
{
    weir_assert((unsigned) id < WEIR_HEADER_MAX);
    return header_names[id];
}

weir_str_t
weir_header_canonical(weir_header_id_t id)
{
    weir_assert((unsigned) id < WEIR_HEADER_MAX);
    return weir_str(header_canonical[id], header_names[id].len);
}

/* --- before main() --- */

static void
header_spell(weir_header_id_t id)
{
    weir_str_t name = header_names[id];
    bool       start = true;
    size_t     i;

    for (i = 0; i < name.len; i++) {
        header_canonical[id][i] = start && name.at[i] >= 'a' ? (char) (name.at[i] - 0x20) : name.at[i];
        start = name.at[i] == '-';
    }
    for (i = 0; i < weir_countof(header_spellings); i++) {
        if (weir_str_eq_fold(name, header_spellings[i])) {
            memcpy(header_canonical[id], header_spellings[i].at, name.len);
        }
    }
}

__attribute__((constructor)) static void
header_build(void)
{
    unsigned id;
    uint32_t slot;

    for (id = 1; id < WEIR_HEADER_MAX; id++) {
        weir_assert(header_names[id].len >= 2 && header_names[id].len <= HEADER_LONGEST);
        header_spell((weir_header_id_t) id);
        for (slot = header_hash(header_names[id]); header_slots[slot] != 0; slot = (slot + 1) % HEADER_SLOTS) {
        }
        header_slots[slot] = (uint8_t) id;
    }
}
