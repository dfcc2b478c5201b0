/*
 * parse_common.h - what request and response heads have in common: field lines, framing, Connection.
 *
 * For the files parse_*.c of this folder.
 */
#ifndef WEIR_HTTP_H1_PARSE_COMMON_H
#define WEIR_HTTP_H1_PARSE_COMMON_H

#include "http/h1/parse.h"
#include "http/message/field_rules.h"
#include "http/message/syntax.h"

typedef struct {
    weir_field_rules_t names;
    uint32_t           max_fields;      /* 0: no limit */
    uint32_t           dropped;         /* result: how many went */
} h1_fields_t;

/* Field lines at `at` up to and with the empty line, which must end at `end`. */
weir_h1_reason_t weir_h1_parse_fields(weir_fields_t *fields, h1_fields_t *rules, const char *at, const char *end,
                                      weir_arena_t *arena);

/* Reads Content-Length and Transfer-Encoding. minor: 0 or 1. */
weir_h1_reason_t weir_h1_parse_framing(const weir_fields_t *fields, unsigned minor, uint64_t *content_length,
                                       bool *chunked);

typedef struct { bool close, keep_alive, upgrade; } h1_connection_t;

/* Reads all Connection fields and marks hop-by-hop ones.  BAD_FIELD_VALUE: they name more fields than any client needs
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
