/*
 * frame.c - frame heads on the wire, and what is wrong with one by its head alone (RFC 9113 §4, §6, §7).
 *
 * Pure; runs in workers.
 */
#include "http/h2/frame.h"

const char *
weir_h2_error_name(uint32_t code)
{
    static const char *const names[] = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    };

    return code < weir_countof(names) ? names[code] : "unknown";
}

void
weir_h2_put_u32(char *p, uint32_t v)
{
    p[0] = (char) (v >> 24);
    p[1] = (char) (v >> 16);
    p[2] = (char) (v >> 8);
    p[3] = (char) v;
}

void
weir_h2_put_u16(char *p, uint16_t v)
{
    p[0] = (char) (v >> 8);
    p[1] = (char) v;
}

weir_h2_frame_t
weir_h2_frame_read(const char head[WEIR_H2_FRAME_HEAD])
{
    const uint8_t *b = (const uint8_t *) head;

    return (weir_h2_frame_t) {
        .length = (uint32_t) b[0] << 16 | (uint32_t) b[1] << 8 | b[2],
        .type = b[3],
        .flags = b[4],
        .stream = weir_h2_u32(head + 5) & WEIR_H2_STREAM_MAX,
    };
}

void
weir_h2_frame_write(char head[WEIR_H2_FRAME_HEAD], uint32_t length, weir_h2_type_t type, uint8_t flags, uint32_t stream)
{
    weir_assert(length < 1u << 24 && stream <= WEIR_H2_STREAM_MAX);
    head[0] = (char) (length >> 16);
    head[1] = (char) (length >> 8);
    head[2] = (char) length;
    head[3] = (char) type;
    head[4] = (char) flags;
    weir_h2_put_u32(head + 5, stream);
}

/* Where a type may stand and how long its payload is. */
typedef struct {
    enum { FRAME_ANYWHERE, FRAME_ON_STREAM, FRAME_ON_CONNECTION } where;
    uint32_t least, most, step;               /* step: lengths are multiples of it */
    bool     length_is_of_stream;             /* a wrong length is the stream's error only */
} frame_rule_t;

static const frame_rule_t frame_rules[] = {
    [WEIR_H2_DATA]          = { FRAME_ON_STREAM, 0, UINT32_MAX, 1, false },
    [WEIR_H2_HEADERS]       = { FRAME_ON_STREAM, 0, UINT32_MAX, 1, false },
    [WEIR_H2_PRIORITY]      = { FRAME_ON_STREAM, 5, 5, 1, true },
    [WEIR_H2_RST_STREAM]    = { FRAME_ON_STREAM, 4, 4, 1, false },
    [WEIR_H2_SETTINGS]      = { FRAME_ON_CONNECTION, 0, UINT32_MAX, 6, false },
    [WEIR_H2_PUSH_PROMISE]  = { FRAME_ON_STREAM, 4, UINT32_MAX, 1, false },
    [WEIR_H2_PING]          = { FRAME_ON_CONNECTION, 8, 8, 1, false },
    [WEIR_H2_GOAWAY]        = { FRAME_ON_CONNECTION, 8, UINT32_MAX, 1, false },
    [WEIR_H2_WINDOW_UPDATE] = { FRAME_ANYWHERE, 4, 4, 1, false },
    [WEIR_H2_CONTINUATION]  = { FRAME_ON_STREAM, 0, UINT32_MAX, 1, false },
};

weir_h2_error_t
weir_h2_frame_check(const weir_h2_frame_t *frame, uint32_t max_frame, bool *on_stream)
{
    const frame_rule_t *rule = frame->type < weir_countof(frame_rules) ? &frame_rules[frame->type] : NULL;

    *on_stream = false;
    if (frame->length > max_frame) {
        return WEIR_H2_FRAME_SIZE_ERROR;
    }
    if (frame->type == WEIR_H2_PRIORITY_UPDATE) {
        return frame->stream != 0 ? WEIR_H2_PROTOCOL_ERROR
             : frame->length < 4  ? WEIR_H2_FRAME_SIZE_ERROR
                                  : WEIR_H2_NO_ERROR;
    }
    if (rule == NULL) {
        return WEIR_H2_NO_ERROR;
    }
    if ((rule->where == FRAME_ON_STREAM && frame->stream == 0)
        || (rule->where == FRAME_ON_CONNECTION && frame->stream != 0))
    {
        return WEIR_H2_PROTOCOL_ERROR;
    }
    if (frame->length < rule->least || frame->length > rule->most || frame->length % rule->step != 0
        || (frame->type == WEIR_H2_SETTINGS && (frame->flags & WEIR_H2_ACK) && frame->length != 0))
    {
        *on_stream = rule->length_is_of_stream;
        return WEIR_H2_FRAME_SIZE_ERROR;
    }
    return WEIR_H2_NO_ERROR;
}
