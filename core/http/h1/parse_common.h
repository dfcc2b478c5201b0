/*
 * parse_common.h - what request and response heads have in common: field lines, framing, Connection.
 *
 * For the files parse_*.c of this folder, and for HTTP/2, whose fields follow the same rules.
 */
#ifndef WEIR_HTTP_H1_PARSE_COMMON_H
#define WEIR_HTTP_H1_PARSE_COMMON_H

#include "http/h1/parse.h"
#include "http/message/syntax.h"

/* What becomes of names that are tokens but not letters, digits and '-'. */
typedef struct {
    bool     drop_odd;
    bool     underscores;     /* '_' is not odd */
    bool     drop_aliases;    /* Content_Length and the like go, whatever the above says */
    uint32_t max_fields;      /* 0: no limit */
    uint32_t dropped;         /* result: how many went */
} h1_fields_t;

/* Field lines at `at` up to and with the empty line, which must end at `end`. */
weir_h1_reason_t weir_h1_parse_fields(weir_fields_t *fields, h1_fields_t *rules, const char *at, const char *end,
                                      weir_arena_t *arena);

/* A name of token characters: is the field dropped for it? */
bool weir_h1_drops_name(const h1_fields_t *rules, weir_str_t name);

/* The value of a Content-Length: decimal digits without a leading zero, in what a file offset holds. */
weir_h1_reason_t weir_h1_parse_length(weir_str_t value, uint64_t *length);

/* Reads Content-Length and Transfer-Encoding. minor: 0 or 1. */
weir_h1_reason_t weir_h1_parse_framing(const weir_fields_t *fields, unsigned minor, uint64_t *content_length,
                                       bool *chunked);

typedef struct { bool close, keep_alive, upgrade; } h1_connection_t;

/* Reads all Connection fields and marks hop-by-hop ones.  BAD_FIELD_VALUE: they name more fields than anybody needs
 * to, which would cost a look at every field each. */
weir_h1_reason_t weir_h1_parse_connection(weir_fields_t *fields, h1_connection_t *connection);

/* The options' answer: does the sender want to keep the connection? */
static inline bool
weir_h1_keeps_alive(const h1_connection_t *connection, unsigned minor)
{
    return !connection->close && (minor != 0 || connection->keep_alive);
}

/* Does the head end in an empty line, as a scanned one does? */
static inline bool
weir_h1_is_whole(weir_str_t head)
{
    return head.len >= 4 && memcmp(head.at + head.len - 4, "\r\n\r\n", 4) == 0;
}

/* The 1.x version at `at` (8 bytes, "HTTP/1.1"); WEIR_H1_OK sets *minor to 0 or 1. */
weir_h1_reason_t weir_h1_parse_version(const char *at, uint8_t *minor);

#endif
