/*
 * seen_h2.c - reads the frames that Weir wrote, as its client's or as its peer's other end (RFC 9113).
 *
 * Judged whatever was sent to it: frames whole, of known types and of the sizes agreed; blocks that decode and are not
 * interrupted; each stream's order of head, interim heads, data, trailers, end; DATA within what any window ever
 * allowed; lengths that are kept; windows given to this peer that are no larger than they may be, and no complaint of
 * one that kept to them.
 */
#include "world.h"

#include <string.h>

typedef struct {
    unsigned status;
    bool     is_trailers, has_length, is_head_request;
    bool     has_coding;
    uint64_t length;
    size_t   pseudos, regulars, ids, tags;
    uint32_t tag, answer;
} block_t;

static void
h2_bad(const seen_t *seen, const weir_h2_frame_t *f, const char *what)
{
    world_fail("HTTP/2 toward %s: type %u, flags %x, stream %u, %u bytes: %s",
               seen->is_client ? "a client" : "an upstream", f->type,
               f->flags, f->stream, f->length, what);
}

seen_stream_t *
seen_h2_stream(seen_t *seen, uint32_t id)
{
    return id / 2 < WORLD_STREAMS ? &seen->streams[id / 2] : NULL;
}

void
seen_h2_stream_is_blind(seen_t *seen, uint32_t id)
{
    seen_stream_t *its = seen_h2_stream(seen, id);

    if (its != NULL && seen->is_client) {
        ledger_request_is_blind(its->tag);
    } else if (its != NULL) {
        ledger_answer_is_blind(its->answer);
    }
}

/* -- what the peer itself sent -- */

uint64_t
seen_h2_room(const seen_t *seen, uint32_t stream)
{
    const seen_stream_t *its = stream / 2 < WORLD_STREAMS ? &seen->streams[stream / 2] : NULL;
    uint64_t of_all = seen->granted > seen->own_data ? seen->granted - seen->own_data : 0;
    uint64_t of_stream = seen->own_initial + (its != NULL ? its->granted : 0), own = its != NULL ? its->own : 0;

    return weir_min(of_all, of_stream > own ? of_stream - own : 0);
}

static void
h2_sent_data(seen_t *seen, seen_stream_t *its, uint32_t stream, size_t len, bool ends)
{
    seen->is_greedy = seen->is_greedy || len > seen_h2_room(seen, stream);
    seen->own_data += len;
    if (its == NULL) {
        return;
    }
    its->own += len;
    if (seen->is_client) {
        ledger_sent(its->tag, len, ends);
    } else {
        ledger_answer_sent(its->answer, len, (ends || its->own == its->own_length) && !its->own_ended);
        its->own_ended = its->own == its->own_length;
        if (its->own > its->own_length) {
            ledger_answer_is_blind(its->answer);     /* longer than it said: what of it goes on is nowhere written */
        }
    }
    its->own_ended = its->own_ended || ends;
}

/* A client's settings hold for what it asks afterwards.  An upstream's may meet streams that began before they came. */
static void
h2_set_window(seen_t *seen, uint32_t value)
{
    seen->stream_window = seen->is_client ? value : weir_max(seen->stream_window, (uint64_t) value);
    for (size_t i = 0; i < WORLD_STREAMS; i++) {
        seen->streams[i].initial = weir_max(seen->streams[i].initial, (uint64_t) value);
    }
}

void
seen_h2_sent(seen_t *seen, int type, int flags, uint32_t stream, const char *payload, size_t len)
{
    seen_stream_t *its = seen_h2_stream(seen, stream);

    if (type == WEIR_H2_SETTINGS && !(flags & WEIR_H2_ACK)) {
        for (size_t at = 0; at + 6 <= len; at += 6) {
            uint32_t value = weir_h2_u32(payload + at + 2);
            uint16_t id = weir_h2_u16(payload + at);
            if (id == WEIR_H2_SET_INITIAL_WINDOW_SIZE) {
                seen->is_greedy = seen->is_greedy || value > WEIR_H2_WINDOW_MAX - seen->most_given;
                h2_set_window(seen, value);
            } else if (id == WEIR_H2_SET_MAX_FRAME_SIZE) {
                seen->frame_max = value > seen->frame_max ? value : seen->frame_max;
            }
        }
    } else if (type == WEIR_H2_WINDOW_UPDATE && len >= 4) {
        uint32_t by = weir_h2_u32(payload) & WEIR_H2_WINDOW_MAX;
        if (stream == 0) {
            seen->window += by;
        } else if (its != NULL) {
            its->window += by;
            seen->most_given = weir_max(seen->most_given, its->window);
        }
        seen->is_greedy = seen->is_greedy || by == 0 || seen->window > WEIR_H2_WINDOW_MAX
                          || seen->stream_window + seen->most_given > WEIR_H2_WINDOW_MAX;
    } else if (type == WEIR_H2_DATA) {
        h2_sent_data(seen, its, stream, len, flags & WEIR_H2_END_STREAM);
    } else if (type == WEIR_H2_HEADERS && its != NULL) {
        if (seen->is_client && !its->is_open) {
            its->is_open = true;
            its->initial = seen->stream_window;
        }
        if (flags & WEIR_H2_END_STREAM) {
            if (seen->is_client) {
                ledger_sent(its->tag, 0, true);
            } else {
                ledger_answer_sent(its->answer, 0, true);
            }
            its->own_ended = true;
        }
    }
}

/* -- blocks -- */

static void
h2_pseudo(const seen_t *seen, const weir_h2_frame_t *f, block_t *block, const weir_hpack_field_t *field)
{
    block->pseudos++;
    if (block->regulars != 0 || block->is_trailers) {
        h2_bad(seen, f, "a pseudo-header behind others, or in trailers");
    }
    if (seen->is_client != (field->pseudo == WEIR_H2_STATUS)) {
        h2_bad(seen, f, "a pseudo-header of the other direction");
    }
    if (field->pseudo == WEIR_H2_STATUS) {
        if (field->value.len != 3 || block->status != 0) {
            h2_bad(seen, f, "two statuses, or none of three digits");
        }
        for (size_t i = 0; i < 3; i++) {
            block->status = block->status * 10 + (unsigned) (field->value.at[i] - '0');
        }
    }
    if (field->pseudo == WEIR_H2_METHOD && weir_str_eq(field->value, WEIR_STR("HEAD"))) {
        block->is_head_request = true;
    }
}

static void
h2_field(const seen_t *seen, const weir_h2_frame_t *f, block_t *block, const weir_hpack_field_t *field)
{
    static const char *const forbidden[] = { "connection", "transfer-encoding", "keep-alive", "upgrade",
                                             "proxy-connection", "host" };

    if (weir_str_eq(field->name, WEIR_STR(":path")) && weir_str_starts(field->value, WEIR_STR("/envoy."))) {
        block->ids++;                                /* a question of Weir's own (ext_authz) */
    }
    if (field->name.len != 0 && field->name.at[0] == ':') {
        h2_pseudo(seen, f, block, field);
        return;
    }
    block->regulars++;
    for (size_t i = 0; i < field->name.len; i++) {
        if ((field->name.at[i] >= 'A' && field->name.at[i] <= 'Z') || (unsigned char) field->name.at[i] <= 32) {
            h2_bad(seen, f, "a name that is not in lower case");
        }
    }
    for (size_t i = 0; i < weir_countof(forbidden); i++) {
        if (weir_str_eq(field->name, weir_str_from_z(forbidden[i]))) {
            h2_bad(seen, f, forbidden[i]);
        }
    }
    for (size_t i = 0; i < field->value.len; i++) {
        if (field->value.at[i] == '\r' || field->value.at[i] == '\n' || field->value.at[i] == '\0') {
            h2_bad(seen, f, "a value of more than one line");
        }
    }
    if (weir_str_eq(field->name, WEIR_STR("content-length"))) {
        block->has_length = true;
        block->length = 0;
        for (size_t i = 0; i < field->value.len; i++) {
            block->length = block->length * 10 + (uint64_t) (field->value.at[i] - '0');
        }
    } else if (weir_str_eq(field->name, WEIR_STR("x-weir-id"))) {
        block->ids += field->value.len == 32 ? 1 : 2;
    } else if (weir_str_eq(field->name, WEIR_STR("x-tag"))) {
        block->tags++;
        block->tag = ledger_read_number(field->value.at, field->value.len);
    } else if (weir_str_eq(field->name, WEIR_STR("x-answer"))) {
        block->answer = ledger_read_number(field->value.at, field->value.len);
    } else if (weir_str_eq(field->name, WEIR_STR("content-encoding"))) {
        block->has_coding = true;
    }
}

static void
h2_end_stream(const seen_t *seen, const weir_h2_frame_t *f, seen_stream_t *its)
{
    its->is_ended = true;
    if (!its->is_head_request) {
        ledger_body_ends(seen->is_client, &its->body);
    }
    if (its->has_length && its->data != its->length && !(its->is_head_request && its->data == 0)) {
        h2_bad(seen, f, "a body of another length than was said");
    }
}

static void
h2_head_of_client(seen_t *seen, const weir_h2_frame_t *f, seen_stream_t *its, const block_t *block, bool ends)
{
    if (its->has_head) {
        if (block->status != 0 || !ends) {
            h2_bad(seen, f, "a second final head, or trailers that do not end");
        }
        return;
    }
    if (block->status < 100 || block->status > 999 || block->status == 101 || (block->status < 200 && ends)) {
        h2_bad(seen, f, "no status that may stand here");
    }
    if (block->status >= 200) {
        its->has_head = true;
        its->is_head_request = its->is_head_request || block->status == 304 || block->status == 204;
        ledger_final(its->tag, block->status, block->answer, &its->body,
                     its->is_head_request || block->status == 206 || block->has_coding);
        seen->finals++;
        world.finals_seen++;
    }
}

static void
h2_head_of_upstream(const seen_t *seen, const weir_h2_frame_t *f, seen_stream_t *its, const block_t *block, bool ends)
{
    if (its->has_head) {
        if (!ends) {
            h2_bad(seen, f, "trailers that do not end");
        }
        return;
    }
    if (block->pseudos < 3 || block->ids != 1 || block->tags > 1) {
        h2_bad(seen, f, "no whole head of a request, or not one id of Weir's, or fields of two requests");
    }
    its->has_head = true;
    its->is_head_request = block->is_head_request;
    its->tag = block->tag;
    its->own_length = UINT64_MAX;
    ledger_upstream(block->tag, &its->body);
    world.requests_seen++;
}

static void
h2_block(seen_t *seen, const weir_h2_frame_t *f)
{
    seen_stream_t *its = seen_h2_stream(seen, f->stream);
    block_t block = { .is_trailers = its != NULL && its->has_head };
    weir_hpack_field_t field;
    weir_hpack_result_t result;
    size_t at = 0;

    weir_hpack_block_begin(&seen->decoder);
    while ((result = weir_hpack_next(&seen->decoder, weir_str(seen->block, seen->block_len), &at,
                                     &field)) == WEIR_HPACK_FIELD)
    {
        h2_field(seen, f, &block, &field);
    }
    if (result != WEIR_HPACK_END) {
        h2_bad(seen, f, "a block that does not decode");
    }
    seen->in_block = false;
    seen->block_len = 0;
    if (its == NULL) {
        return;
    }
    if (block.has_length && !block.is_trailers) {
        its->has_length = true;
        its->length = block.length;
    }
    if (seen->is_client) {
        h2_head_of_client(seen, f, its, &block, seen->block_ends);
    } else {
        h2_head_of_upstream(seen, f, its, &block, seen->block_ends);
    }
    if (seen->block_ends) {
        h2_end_stream(seen, f, its);
    }
}

static void
h2_headers(seen_t *seen, const weir_h2_frame_t *f, const char *payload)
{
    seen_stream_t *its = seen_h2_stream(seen, f->stream);

    if (f->type == WEIR_H2_HEADERS) {
        if (f->flags & ~(WEIR_H2_END_STREAM | WEIR_H2_END_HEADERS) || f->stream % 2 == 0) {
            h2_bad(seen, f, "flags, or a stream, that Weir has no use for");
        }
        if (!seen->is_client && f->stream > seen->last_stream) {
            seen->last_stream = f->stream;
            if (its != NULL) {
                its->is_open = true;
            }
        }
        if (its != NULL && (!its->is_open || its->is_ended)) {
            h2_bad(seen, f, "a head on a stream that is not open");
        }
        seen->block_stream = f->stream;
        seen->block_ends = f->flags & WEIR_H2_END_STREAM;
        seen->in_block = true;
    } else if (!seen->in_block || f->stream != seen->block_stream) {
        h2_bad(seen, f, "a continuation of nothing");
    }
    if (f->length > WORLD_BUFFER - seen->block_len) {
        h2_bad(seen, f, "a block without end");
    }
    memcpy(seen->block + seen->block_len, payload, f->length);
    seen->block_len += f->length;
    if (f->flags & WEIR_H2_END_HEADERS) {
        h2_block(seen, f);
    }
}

/* -- other frames -- */

static void
h2_data(seen_t *seen, const weir_h2_frame_t *f, const char *payload)
{
    seen_stream_t *its = seen_h2_stream(seen, f->stream);

    seen->data += f->length;
    if (seen->data > seen->window) {
        h2_bad(seen, f, "beyond the connection's window");
    }
    if (its == NULL) {
        return;
    }
    its->data += f->length;
    ledger_body(seen->is_client, &its->body, payload, f->length);
    if (!its->is_open || !its->has_head || its->is_ended) {
        h2_bad(seen, f, "data on a stream that is not open, or before its head");
    }
    if (its->data > (seen->is_client ? its->initial : seen->stream_window) + its->window) {
        h2_bad(seen, f, "beyond the stream's window");
    }
    if (f->flags & WEIR_H2_END_STREAM) {
        h2_end_stream(seen, f, its);
    }
}

/* What Weir gives this peer to send; no window is ever larger than it may be (RFC 9113 §6.9.1). */
static void
h2_granted(seen_t *seen, const weir_h2_frame_t *f, seen_stream_t *its, const char *payload)
{
    if (f->type == WEIR_H2_SETTINGS) {
        for (size_t at = 0; !(f->flags & WEIR_H2_ACK) && at + 6 <= f->length; at += 6) {
            if (weir_h2_u16(payload + at) == WEIR_H2_SET_INITIAL_WINDOW_SIZE) {
                seen->own_initial = weir_h2_u32(payload + at + 2);
            }
        }
        return;
    }
    if (f->length != 4 || weir_h2_u32(payload) == 0 || weir_h2_u32(payload) > WEIR_H2_WINDOW_MAX) {
        h2_bad(seen, f, "a window by nothing, or of another size");
    }
    if (f->stream == 0) {
        seen->granted += weir_h2_u32(payload);
    } else if (its != NULL) {
        its->granted += weir_h2_u32(payload);
    }
    if (!seen->is_greedy && (seen->granted - seen->own_data > WEIR_H2_WINDOW_MAX
                             || (its != NULL && seen->own_initial + its->granted - its->own > WEIR_H2_WINDOW_MAX)))
    {
        h2_bad(seen, f, "a window larger than any may be");
    }
}

/* Who kept to the windows is not told otherwise. */
static void
h2_code(const seen_t *seen, const weir_h2_frame_t *f, const char *code)
{
    if (weir_h2_u32(code) == WEIR_H2_FLOW_CONTROL_ERROR && !seen->is_greedy) {
        h2_bad(seen, f, "this peer kept to its windows");
    }
}

static void
h2_frame(seen_t *seen, const weir_h2_frame_t *f, const char *payload)
{
    seen_stream_t *its = seen_h2_stream(seen, f->stream);
    bool on_stream = f->type == WEIR_H2_DATA || f->type == WEIR_H2_HEADERS || f->type == WEIR_H2_RST_STREAM
                     || f->type == WEIR_H2_CONTINUATION;

    if (f->length > seen->frame_max || (f->type != WEIR_H2_WINDOW_UPDATE && on_stream == (f->stream == 0))) {
        h2_bad(seen, f, "too long, or on the wrong stream");
    }
    if (seen->in_block && f->type != WEIR_H2_CONTINUATION) {
        h2_bad(seen, f, "in the middle of a block");
    }
    switch (f->type) {
    case WEIR_H2_DATA: h2_data(seen, f, payload); break;
    case WEIR_H2_HEADERS: case WEIR_H2_CONTINUATION: h2_headers(seen, f, payload); break;
    case WEIR_H2_RST_STREAM:
        if (f->length != 4 || (!seen->is_client && f->stream > seen->last_stream)) {
            h2_bad(seen, f, "a reset of an idle stream, or of another size");
        }
        if (its != NULL) {
            its->is_ended = true;
            its->has_length = false;
        }
        h2_code(seen, f, payload);
        break;
    case WEIR_H2_GOAWAY:
        if (f->length < 8) {
            h2_bad(seen, f, "of another size");
        }
        h2_code(seen, f, payload + 4);
        break;
    case WEIR_H2_SETTINGS: case WEIR_H2_WINDOW_UPDATE: h2_granted(seen, f, its, payload); break;
    case WEIR_H2_PING: break;
    default: h2_bad(seen, f, "a type that Weir has no use for");
    }
}

void
seen_h2_read(seen_t *seen)
{
    size_t at = 0;

    if (!seen->has_preface && !seen->is_client) {
        if (seen->len < WEIR_H2_PREFACE_LEN) {
            return;
        }
        if (memcmp(seen->bytes, WEIR_H2_PREFACE, WEIR_H2_PREFACE_LEN) != 0) {
            world_fail("HTTP/2 toward an upstream: no preface");
        }
        at = WEIR_H2_PREFACE_LEN;
    }
    seen->has_preface = true;
    while (seen->len - at >= WEIR_H2_FRAME_HEAD) {
        weir_h2_frame_t f = weir_h2_frame_read(seen->bytes + at);
        if (seen->len - at - WEIR_H2_FRAME_HEAD < f.length) {
            if (f.length > seen->frame_max) {
                h2_bad(seen, &f, "too long");
            }
            break;
        }
        h2_frame(seen, &f, seen->bytes + at + WEIR_H2_FRAME_HEAD);
        at += WEIR_H2_FRAME_HEAD + f.length;
    }
    memmove(seen->bytes, seen->bytes + at, seen->len - at);
    seen->len -= at;
}

/* -- begin and end of a reader, of either protocol -- */

void
seen_begin(seen_t *seen, bool is_client, bool is_h2)
{
    static char scratch[65536];
    char *bytes = seen->bytes != NULL ? seen->bytes : malloc(WORLD_BUFFER), *block = seen->block;
    seen_stream_t *streams = seen->streams;

    *seen = (seen_t) { .is_client = is_client, .bytes = bytes, .block = block, .streams = streams,
                       .frame_max = WEIR_H2_FRAME_DEFAULT,
                       .window = WEIR_H2_WINDOW_DEFAULT, .stream_window = WEIR_H2_WINDOW_DEFAULT,
                       .granted = WEIR_H2_WINDOW_DEFAULT, .own_initial = WEIR_H2_WINDOW_DEFAULT };
    if (is_h2) {
        seen->block = block != NULL ? block : malloc(WORLD_BUFFER);
        seen->streams = streams != NULL ? streams : malloc(WORLD_STREAMS * sizeof(*streams));
        memset(seen->streams, 0, WORLD_STREAMS * sizeof(*streams));
        weir_hpack_decoder_init(&seen->decoder, 4096, scratch, sizeof(scratch));
        seen->has_preface = false;
    }
    seen->is_blind = false;
}

void
seen_blind(seen_t *seen)
{
    seen->is_blind = true;
    if (seen->is_client) {
        ledger_client_is_blind(seen);
        return;
    }
    for (uint32_t i = 0; seen->streams != NULL && i < WORLD_STREAMS; i++) {
        ledger_answer_is_blind(seen->streams[i].answer);
    }
}

void
seen_end(seen_t *seen)
{
    if (seen->streams != NULL && seen->decoder.scratch != NULL) {
        weir_hpack_decoder_fini(&seen->decoder);
        seen->decoder.scratch = NULL;
    }
}
