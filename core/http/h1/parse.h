/*
 * parse.h - HTTP/1.x message heads (RFC 9112), strictly: what two readers may read differently is refused.
 *
 * Two steps, so that a head split at any byte gives the same result: a resumable scan that only finds the end of the
 * head (every line must end in CRLF) and applies the size limits; then one parse of the whole, to slices of the same
 * memory. Pure; used by server and client side; fuzzed by t/fuzz/h1_request.c, h1_response.c.
 */
#ifndef WEIR_HTTP_H1_PARSE_H
#define WEIR_HTTP_H1_PARSE_H

#include "http/message/head.h"

/* -- scan -- */
typedef struct {
    size_t   max_line;        /* first line, bytes with CRLF */
    size_t   max_field;       /* one header line, bytes with CRLF */
    size_t   max_head;        /* whole head */
    uint32_t max_fields;
    bool     takes_lf;        /* a line may end in a bare LF: weir_h1_line_ends before the head is parsed */
} weir_h1_limits_t;

typedef struct {
    uint32_t at;              /* bytes looked at */
    uint32_t line;            /* start of the line being looked at */
    uint32_t lines;           /* complete ones, the first line included */
    bool     is_first_byte_ok;
} weir_h1_scan_t;             /* zeroed to begin */

typedef enum {
    WEIR_H1_DONE,             /* *head is the length of the head with its empty line */
    WEIR_H1_MORE,
    WEIR_H1_BAD,              /* bare LF; LF in the wrong place; first byte that no message starts with */
    WEIR_H1_LINE_TOO_LONG,    /* first line: 414 */
    WEIR_H1_FIELD_TOO_LONG,   /* a header line, the whole head, or too many fields: 431 */
} weir_h1_scan_result_t;

/* data[0 .. len): everything received of this head so far, from its first byte. Leading empty lines (CRLF, at most
 * one) are the caller's. */
weir_h1_scan_result_t weir_h1_scan(weir_h1_scan_t *scan, const weir_h1_limits_t *limits, const char *data, size_t len,
                                   size_t *head);

/* -- request -- */
/* Why a head was refused: each is a cause of its own for the log. */
typedef enum {
    WEIR_H1_OK = 0,
    WEIR_H1_BAD_REQUEST_LINE, WEIR_H1_BAD_METHOD, WEIR_H1_BAD_TARGET, WEIR_H1_BAD_VERSION,
    WEIR_H1_VERSION_UNSUPPORTED,          /* 505 */
    WEIR_H1_BAD_STATUS_LINE, WEIR_H1_BAD_STATUS,
    WEIR_H1_BAD_FIELD_NAME, WEIR_H1_BAD_FIELD_VALUE, WEIR_H1_NO_COLON, WEIR_H1_SPACE_BEFORE_COLON, WEIR_H1_OBS_FOLD,
    WEIR_H1_BAD_CONTENT_LENGTH, WEIR_H1_TWO_CONTENT_LENGTHS, WEIR_H1_LENGTH_AND_CODING, WEIR_H1_BAD_TRANSFER_CODING,
    WEIR_H1_UNKNOWN_TRANSFER_CODING,      /* 501 */
    WEIR_H1_CODING_IN_1_0, WEIR_H1_NO_HOST, WEIR_H1_TWO_HOSTS, WEIR_H1_REPEATED_FIELD, WEIR_H1_BAD_HOST,
    WEIR_H1_HOST_MISMATCH,
    WEIR_H1_TOO_MANY_FIELDS, WEIR_H1_MIXED_LINE_ENDS,
    WEIR_H1_NO_MEMORY,
    WEIR_H1_REASON_MAX
} weir_h1_reason_t;
const char *weir_h1_reason_text(weir_h1_reason_t reason);

/* A head that was scanned with takes_lf: when its lines end in LF it becomes a copy in which they end in CRLF.  Some
 * end so, others so: MIXED_LINE_ENDS, or the parser refuses it. */
weir_h1_reason_t weir_h1_line_ends(weir_str_t *head, weir_arena_t *arena);

typedef struct {
    bool     ignore_invalid;           /* drop names that are tokens but not letters, digits, '-' (and '_') */
    bool     underscores;              /* '_' is fine in names */
    uint32_t max_fields;
} weir_h1_options_t;

/* head: the scan's result with its final CRLFCRLF; slices in *req point into it. Marks hop-by-hop fields (and those
 * that Connection names, except framing and identity fields, which a client cannot remove) with
 * WEIR_FIELD_HOP.  *req need not be initialised and its fields are new ones in the arena; when the head is refused
 * the line is there for the log, and what was read before the fault. */
weir_h1_reason_t weir_h1_parse_request(weir_request_head_t *req, const weir_h1_options_t *options, weir_str_t head,
                                       weir_arena_t *arena);

/* -- response -- */
weir_h1_reason_t weir_h1_parse_response(weir_response_head_t *res, weir_str_t head, uint32_t max_fields,
                                        weir_arena_t *arena);

/* -- trailers: lines up to and with the empty one, as the chunked decoder collected them; added to *fields -- */
weir_h1_reason_t weir_h1_parse_trailers(weir_fields_t *fields, weir_str_t lines, uint32_t max_fields,
                                        weir_arena_t *arena);

#endif
