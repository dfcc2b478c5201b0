/*
 * head.h - the head of a request and of an answer, whatever the wire format: h1 parses it, h2 fills the same.
 *
 * Slices point into memory that the message owns.  What stands here was checked: bad input ends in the parser.
 */
#ifndef WEIR_HTTP_HEAD_H
#define WEIR_HTTP_HEAD_H

#include "http/message/fields.h"
#include "http/message/method.h"

typedef enum {
    WEIR_TARGET_ORIGIN, WEIR_TARGET_ABSOLUTE, WEIR_TARGET_AUTHORITY, WEIR_TARGET_ASTERISK,
} weir_target_form_t;

#define WEIR_LENGTH_NONE UINT64_MAX    /* no Content-Length */

/* A request's: the value that the matcher, the guards, the log and the emitter read. */
typedef struct {
    weir_method_t      method;
    weir_str_t         method_name;
    weir_str_t         line;           /* whole request line without CRLF ($request) */
    weir_str_t         target;         /* as received ($request_uri) */
    weir_target_form_t form;
    weir_str_t         path;           /* raw path of origin and absolute form ("/" when absolute form has none) */
    weir_str_t         query;          /* without '?' */
    bool               has_query;
    weir_str_t         scheme;         /* of absolute form */
    weir_str_t         host;           /* from the target's authority or Host, as written; empty: none (1.0) */
    uint16_t           port;           /* 0: none given */
    uint8_t            minor;          /* 1.0 or 1.1 (1.2 and up count as 1.1); 1 of HTTP/2 */
    weir_fields_t      fields;
    uint64_t           content_length; /* WEIR_LENGTH_NONE */
    bool               chunked;        /* there is a body, of unknown length */
    bool               keep_alive;     /* what version and Connection ask for */
    bool               expect_continue;/* Expect: 100-continue exactly, 1.1 only */
    bool               expect_unknown; /* another expectation: 417 */
    bool               upgrade;        /* Connection has "upgrade", an Upgrade field is there, 1.1 */
    bool               te_trailers;    /* TE has "trailers" */
    uint32_t           dropped;        /* fields ignored for their name (ignore_invalid_headers …) */
} weir_request_head_t;

/* An answer's, as a peer gave it. */
typedef struct {
    uint16_t      status;              /* 100-599 */
    weir_str_t    reason;
    uint8_t       minor;               /* as of a request */
    weir_fields_t fields;
    uint64_t      content_length;      /* WEIR_LENGTH_NONE */
    bool          chunked;             /* the body says itself where it ends: its length is unknown */
    bool          keep_alive;          /* the connection may carry another exchange */
    bool          upgrade;             /* 101 with Connection: upgrade and an Upgrade field */
} weir_response_head_t;

#endif
