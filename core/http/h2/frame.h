/*
 * frame.h - HTTP/2's frames on the wire: their heads, types, flags, settings and error codes (RFC 9113 §4, §6, §7,
 * §11).
 *
 * Pure functions over bytes; used by both sides.
 */
#ifndef WEIR_HTTP_H2_FRAME_H
#define WEIR_HTTP_H2_FRAME_H

#include "base/str.h"

#define WEIR_H2_FRAME_HEAD     9
#define WEIR_H2_FRAME_DEFAULT  16384              /* SETTINGS_MAX_FRAME_SIZE at first, and the one we announce */
#define WEIR_H2_WINDOW_DEFAULT 65535
#define WEIR_H2_WINDOW_MAX     0x7fffffff
#define WEIR_H2_STREAM_MAX     0x7fffffff
#define WEIR_H2_PREFACE        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define WEIR_H2_PREFACE_LEN    24

typedef enum {
    WEIR_H2_DATA, WEIR_H2_HEADERS, WEIR_H2_PRIORITY, WEIR_H2_RST_STREAM, WEIR_H2_SETTINGS, WEIR_H2_PUSH_PROMISE,
    WEIR_H2_PING,
    WEIR_H2_GOAWAY, WEIR_H2_WINDOW_UPDATE, WEIR_H2_CONTINUATION,
    WEIR_H2_PRIORITY_UPDATE = 0x10                /* RFC 9218 §7.1 */
} weir_h2_type_t;

enum {
    WEIR_H2_END_STREAM = 0x1,
    WEIR_H2_ACK = 0x1,
    WEIR_H2_END_HEADERS = 0x4,
    WEIR_H2_PADDED = 0x8,
    WEIR_H2_PRIORITY_FLAG = 0x20
};

typedef enum {
    WEIR_H2_NO_ERROR, WEIR_H2_PROTOCOL_ERROR, WEIR_H2_INTERNAL_ERROR, WEIR_H2_FLOW_CONTROL_ERROR,
    WEIR_H2_SETTINGS_TIMEOUT,
    WEIR_H2_STREAM_CLOSED, WEIR_H2_FRAME_SIZE_ERROR, WEIR_H2_REFUSED_STREAM, WEIR_H2_CANCEL, WEIR_H2_COMPRESSION_ERROR,
    WEIR_H2_CONNECT_ERROR, WEIR_H2_ENHANCE_YOUR_CALM, WEIR_H2_INADEQUATE_SECURITY, WEIR_H2_HTTP_1_1_REQUIRED
} weir_h2_error_t;
const char *weir_h2_error_name(uint32_t code);    /* "PROTOCOL_ERROR"; "unknown" */

enum {
    WEIR_H2_SET_HEADER_TABLE_SIZE = 1, WEIR_H2_SET_ENABLE_PUSH, WEIR_H2_SET_MAX_CONCURRENT_STREAMS,
    WEIR_H2_SET_INITIAL_WINDOW_SIZE,
    WEIR_H2_SET_MAX_FRAME_SIZE, WEIR_H2_SET_MAX_HEADER_LIST_SIZE, WEIR_H2_SET_ENABLE_CONNECT_PROTOCOL = 8,
    WEIR_H2_SET_NO_RFC7540_PRIORITIES = 9
};

typedef struct {
    uint32_t length;                              /* of the payload */
    uint8_t  type, flags;
    uint32_t stream;                              /* reserved bit taken off */
} weir_h2_frame_t;

static inline uint32_t weir_h2_u32(const char *p) {
    const uint8_t *b = (const uint8_t *) p;
    return (uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | (uint32_t) b[2] << 8 | b[3];
}
static inline uint16_t weir_h2_u16(const char *p) {
    return (uint16_t) ((uint16_t) (uint8_t) p[0] << 8 | (uint8_t) p[1]);
}
void weir_h2_put_u32(char *p, uint32_t v);
void weir_h2_put_u16(char *p, uint16_t v);

weir_h2_frame_t weir_h2_frame_read(const char head[WEIR_H2_FRAME_HEAD]);
void weir_h2_frame_write(char head[WEIR_H2_FRAME_HEAD], uint32_t length, weir_h2_type_t type, uint8_t flags,
                         uint32_t stream);

/* What is wrong with a frame by its head alone (§4.2, §6): length, stream zero or not, against the largest size we
 * announced.  NO_ERROR: nothing; *on_stream: the error is the stream's, not the connection's. */
weir_h2_error_t weir_h2_frame_check(const weir_h2_frame_t *frame, uint32_t max_frame, bool *on_stream);

#endif
