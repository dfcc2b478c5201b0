/*
 * hpack.h - header compression for HTTP/2 (RFC 7541), both directions.
 *
 * Runs in workers.  A decoder or encoder is one direction of one connection: its dynamic table is a ring of entries
 * over one ring of bytes, allocated when the first entry is made and never larger than the limit given.  A peer chooses
 * sizes: what cannot be allocated ends in WEIR_HPACK_NO_MEMORY.  Decoding is strict: padding, EOS, table sizes, integer
 * overflow (§5, §6.3).
 */
#ifndef WEIR_HTTP_H2_HPACK_H
#define WEIR_HTTP_H2_HPACK_H

#include "base/buf.h"
#include "http/message/fields.h"

#define WEIR_HPACK_ENTRY_OVERHEAD 32            /* §4.1 */
#define WEIR_HPACK_DEFAULT_TABLE  4096

typedef struct {
    char    *bytes;                 /* ring; NULL until the first entry */
    struct weir_hpack_entry *entries;
    uint32_t bytes_cap, bytes_at, entries_cap, first, n;
    uint32_t size, max;             /* §4.1: used; allowed now */
} weir_hpack_table_t;

/* -- decoding -- */
typedef struct {
    weir_str_t name, value;         /* until the next call; name as sent (validation is the caller's) */
    uint16_t   id;                  /* weir_header_id_t; of the static table without hashing */
    uint8_t    pseudo;              /* weir_h2_pseudo_t, 0: none */
    bool       never_indexed;
    bool       is_clean;            /* of a regular field: its bytes may stand in a request or an answer (fields.h) */
} weir_hpack_field_t;

typedef enum {
    WEIR_H2_NOT_PSEUDO, WEIR_H2_AUTHORITY, WEIR_H2_METHOD, WEIR_H2_PATH, WEIR_H2_SCHEME, WEIR_H2_STATUS,
    WEIR_H2_PROTOCOL,
    WEIR_H2_PSEUDO_OTHER            /* begins with ':' and is none of these */
} weir_h2_pseudo_t;

typedef enum {
    WEIR_HPACK_FIELD,               /* *field is set, call again */
    WEIR_HPACK_END,                 /* the input is used up, at the end of a field */
    WEIR_HPACK_BAD,                 /* COMPRESSION_ERROR; the connection cannot go on */
    WEIR_HPACK_NO_MEMORY,
} weir_hpack_result_t;

typedef struct {
    weir_hpack_table_t table;
    uint32_t           limit;       /* SETTINGS_HEADER_TABLE_SIZE we announced, acknowledged */
    bool               in_block, must_shrink;    /* a size update is owed at the next block's start (§4.2) */
    char              *scratch;     /* Huffman output of one field; the caller's */
    size_t             scratch_cap;
} weir_hpack_decoder_t;

/* scratch: room for one field's decoded strings, shared by a worker's connections; a field that does not fit is
 * decoded, put into the table as the protocol demands, and returned with name.at == NULL: too large for any limit.  */
void weir_hpack_decoder_init(weir_hpack_decoder_t *d, uint32_t limit, char *scratch, size_t scratch_cap);
void weir_hpack_decoder_fini(weir_hpack_decoder_t *d);
void weir_hpack_decoder_limit(weir_hpack_decoder_t *d, uint32_t limit);     /* our SETTINGS were acknowledged */
void weir_hpack_block_begin(weir_hpack_decoder_t *d);
/* block: a whole header block (all fragments joined); *at moves on.  Constant memory; every call takes at least one
 * byte or ends. */
weir_hpack_result_t weir_hpack_next(weir_hpack_decoder_t *d, weir_str_t block, size_t *at, weir_hpack_field_t *field);

/* -- encoding -- */
typedef struct {
    weir_hpack_table_t table;
    uint32_t           limit;       /* the peer's SETTINGS_HEADER_TABLE_SIZE, and ours to spend */
    uint32_t           lowest;      /* the least it was since the last block, when an update is owed */
    bool               owes_update;
    uint8_t            added;       /* entries, modulo 256, of which the table never has as many */
    /* `added` of the last with a known name, pseudo-headers last */
    uint8_t            newest[WEIR_HEADER_MAX + WEIR_H2_PSEUDO_OTHER];
} weir_hpack_encoder_t;

void weir_hpack_encoder_init(weir_hpack_encoder_t *e, uint32_t own_limit);
void weir_hpack_encoder_fini(weir_hpack_encoder_t *e);
void weir_hpack_encoder_limit(weir_hpack_encoder_t *e, uint32_t peers_limit);
/* At the start of every block: table size updates that are owed (§4.2). */
void weir_hpack_encode_begin(weir_hpack_encoder_t *e, weir_buf_t *out);
/* Appends a field; the name in lower case already (weir_header_name of the id when id is known: name may be empty
 * then).  Indexed when it is there; added to the table when it is likely to come again (not Content-Length, ETag,
 * Set-Cookie, Location…, nothing long); Authorization, Proxy-Authorization, short Cookies and Set-Cookie are
 * never-indexed (§7.1.3).  Huffman where shorter.
 * What does not fit sets out->full, and then the block must be given up and the encoder with it (its table has moved
 * on) unless nothing was added since encode_begin: the caller makes room for the worst case first
 * (weir_hpack_encode_bound). */
void weir_hpack_encode(weir_hpack_encoder_t *e, weir_buf_t *out, weir_header_id_t id, weir_str_t name,
                       weir_str_t value);
/* The same of a known name, if this very field is in a table already, so that its bytes need not be looked at again.
 * false: nothing was appended. */
bool weir_hpack_encode_again(weir_hpack_encoder_t *e, weir_buf_t *out, weir_header_id_t id, weir_str_t value);
void weir_hpack_encode_status(weir_hpack_encoder_t *e, weir_buf_t *out, uint16_t status);     /* of three digits */
void weir_hpack_encode_pseudo(weir_hpack_encoder_t *e, weir_buf_t *out, weir_h2_pseudo_t which, weir_str_t value);
/* The most bytes one field can take. */
static inline size_t weir_hpack_encode_bound(size_t name, size_t value) { return name + value + 16; }

/* -- Huffman (§5.2, appendix B) -- */
size_t weir_huffman_encoded_size(weir_str_t text);
/* out: weir_huffman_encoded_size(text) bytes */
size_t weir_huffman_encode(char *out, weir_str_t text);
/* The length, or SIZE_MAX: bad padding or EOS.  Output beyond cap is counted, not stored. */
size_t weir_huffman_decode(char *out, size_t cap, weir_str_t coded);

#endif
