/*
 * heads.c - header blocks: HEADERS and CONTINUATION to fields for the role, fields of the role to frames (RFC 9113
 * §4.3, §6.2, §6.10).
 *
 * Runs in workers.  A block that comes in one frame is decoded where it lies.  A block is always decoded to its end,
 * also when its stream is gone, because the decoder's table moves with it.
 */
#include "http/h2/session_internal.h"

#include "base/mem.h"
#include "http/message/syntax.h"
#include "os/clock.h"

#include <string.h>

#define HEADS_FIELD 96               /* of a field that a request holds, beside its texts */
#define HEADS_REQUEST 1024           /* … and of each request, whatever its fields */
#define HEADS_ROOM (256 * 1024)      /* one head being encoded; of the process, taken when first needed */

#define HEADS_SCRATCH (64 * 1024)    /* decoded texts of one field at least; of the process; it grows */

static char  *heads_room;
static char  *heads_scratch;         /* one session decodes at a time */
static size_t heads_scratch_cap;

bool
h2_strip_padding(const weir_h2_frame_t *f, weir_str_t *payload)
{
    uint8_t pad;

    if ((f->flags & WEIR_H2_PADDED) == 0) {
        return true;
    }
    if (payload->len == 0 || (pad = (uint8_t) payload->at[0]) >= payload->len) {
        return false;
    }
    *payload = weir_str(payload->at + 1, payload->len - 1 - pad);
    return true;
}

/* -- in -- */

/* What a byte of a block unpacks to stays as long as its request: some bytes of each field, and what it costs to hold
 * one. */
static void
heads_count(h2_stream_t *st, const weir_hpack_field_t *field)
{
    uint64_t size = field->name.len + field->value.len + HEADS_FIELD;

    st->head_held += size;
    st->pub.session->heads_held += size;
}

bool
h2_scratch_for(size_t max_field)
{
    size_t cap = weir_max(max_field, HEADS_SCRATCH);
    char *grown;

    if (cap <= heads_scratch_cap) {
        return true;
    }
    grown = weir_mem_try_resize(heads_scratch, cap);
    if (grown == NULL) {
        return false;
    }
    heads_scratch = grown;
    heads_scratch_cap = cap;
    return true;
}

/* Decodes the block; fields go to the role unless st is NULL.  false: the connection was ended. */
static bool
heads_decode(weir_h2_session_t *s, h2_stream_t *st, weir_str_t block, bool *too_large)
{
    weir_hpack_field_t field;
    size_t at = 0, size = 0, n = 0;
    bool stopped = st == NULL;

    *too_large = false;
    weir_assert(!s->dead && heads_scratch != NULL && heads_scratch_cap >= s->settings.max_field);
    s->decoder.scratch = heads_scratch;        /* it may have moved */
    s->decoder.scratch_cap = heads_scratch_cap;
    weir_hpack_block_begin(&s->decoder);
    for ( ;; ) {
        switch (weir_hpack_next(&s->decoder, block, &at, &field)) {
        case WEIR_HPACK_END:
            return true;
        case WEIR_HPACK_BAD:
            h2_fail(s, WEIR_H2_COMPRESSION_ERROR, "a header block that cannot be decoded");
            return false;
        case WEIR_HPACK_NO_MEMORY:
            s->cause = WEIR_CAUSE_INTERNAL_MEMORY;
            h2_lost(s);
            return false;
        case WEIR_HPACK_FIELD:
            break;
        }
        size += field.name.len + field.value.len + WEIR_HPACK_ENTRY_OVERHEAD;
        n++;
        if (field.name.at == NULL || size > s->settings.max_header_list || n > s->settings.max_fields
            || (field.name.len + field.value.len > s->settings.max_field
                && !weir_str_eq(field.name, WEIR_STR(":path"))))
        {
            *too_large = true;
        }
        if (*too_large && size > 16 * (size_t) s->settings.max_header_list) {
            weir_h2_session_fail(s, WEIR_H2_ENHANCE_YOUR_CALM, s->settings.is_server ? WEIR_CAUSE_CLIENT_H2_FLOOD
                                 : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL, "a header list far beyond the limit");
            return false;                      /* an HPACK bomb: decoding it all would be its work */
        }
        if (!stopped && !*too_large) {
            heads_count(st, &field);
            stopped = !h2_tell_field(st, &field);
        }
    }
}

/* The stream that a client's head begins.  NULL: decoded, given to no stream; *code: answered with RST_STREAM. */
static h2_stream_t *
heads_open(weir_h2_session_t *s, uint32_t id, weir_h2_error_t *code)
{
    h2_stream_t *st;

    weir_assert(s->settings.is_server && id > s->last_peer_id && (id & 1) == 1);
    *code = WEIR_H2_NO_ERROR;
    s->last_peer_id = id;
    if (s->goaway_last) {                      /* beyond what we said we take: the client tries elsewhere */
        (void) h2_guard_glitch(s, 1);
        return NULL;
    }
    if (s->n_streams + s->n_held >= s->settings.max_streams || s->heads_held >= s->settings.header_budget) {
        *code = WEIR_H2_REFUSED_STREAM;
        return NULL;
    }
    st = h2_add(s, id);
    if (st == NULL) {
        *code = WEIR_H2_REFUSED_STREAM;
        return NULL;
    }
    st->head_held = HEADS_REQUEST;
    s->heads_held += HEADS_REQUEST;
    weir_assert(s->n_streams + s->n_held <= s->settings.max_streams);
    h2_tell_busy(s);
    if (!h2_tell_head_begin(st)) {
        h2_close(st, H2_CLOSED_BY_US);
        *code = WEIR_H2_REFUSED_STREAM;
        return NULL;
    }
    return st;
}

static void
heads_refuse(weir_h2_session_t *s, uint32_t id, weir_h2_error_t code)
{
    if (code == WEIR_H2_REFUSED_STREAM) {
        h2_refuse(s, id);
    } else if (code != WEIR_H2_NO_ERROR) {
        h2_stream_error(s, id, code);
    }
}

static void
heads_deliver(weir_h2_session_t *s, h2_stream_t *st, weir_str_t block, bool end)
{
    bool too_large;

    if (heads_decode(s, st, block, &too_large)) {
        h2_guard_work(s);
        st->head_seen = true;
        st->pub.peer_ended = end;
        if (!st->pub.closed && !st->released) {
            h2_tell_head(st, too_large, end);
        }
        if (!s->dead && end) {
            h2_maybe_done(st);
        }
    }
}

/* The block is whole. */
static void
heads_complete(weir_h2_session_t *s, uint32_t id, weir_str_t block, bool end)
{
    h2_stream_t *st = h2_find(s, id);
    weir_h2_error_t code = WEIR_H2_NO_ERROR;
    bool too_large, is_new = s->settings.is_server && st == NULL && id > s->last_peer_id;

    s->begun++;
    s->work += H2_WORK_LOOK;                   /* each is one */
    if (st != NULL && s->settings.is_server && st->waits_run) {
        h2_tell_run(st);                       /* trailers: before them */
        st = h2_find(s, id);
    }
    if (is_new) {
        st = heads_open(s, id, &code);
    } else if (st == NULL) {
        code = h2_how_closed(s, id) == H2_CLOSED_BY_US ? WEIR_H2_NO_ERROR : WEIR_H2_STREAM_CLOSED;
    } else if (st->pub.peer_ended) {
        code = WEIR_H2_STREAM_CLOSED;
    } else if (s->settings.is_server && !end) {
        code = WEIR_H2_PROTOCOL_ERROR;         /* trailers end the stream (§8.1) */
    } else if (!st->released && !h2_tell_head_begin(st)) {
        code = WEIR_H2_CANCEL;
    }
    if (s->dead) {
        return;
    }
    if (st == NULL || code != WEIR_H2_NO_ERROR || s->block_refused || st->released) {
        if (heads_decode(s, NULL, block, &too_large)) {
            if (s->block_refused && code == WEIR_H2_NO_ERROR) {
                code = WEIR_H2_PROTOCOL_ERROR;
            }
            if (st != NULL && st->released && code == WEIR_H2_NO_ERROR) {
                st->pub.peer_ended = end;
                h2_maybe_done(st);
                return;
            }
            heads_refuse(s, id, code);
        }
        return;
    }
    heads_deliver(s, st, block, end);
}

/* May HEADERS come on this stream at all?  false: the connection was ended. */
static bool
heads_check_id(weir_h2_session_t *s, uint32_t id)
{
    if (h2_find(s, id) != NULL) {
        return true;
    }
    if (s->settings.is_server && (id & 1) == 0) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "HEADERS on a stream with an even number");
        return false;
    }
    if (s->settings.is_server ? id > s->last_peer_id : false) {
        return true;
    }
    if (h2_is_idle(s, id)) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "HEADERS on an idle stream");
        return false;
    }
    switch (h2_how_closed(s, id)) {
    case H2_CLOSED_BY_US:
        return true;                           /* decoded, and ignored */
    case H2_CLOSED_BY_PEER:
        return true;                           /* answered with STREAM_CLOSED */
    case H2_CLOSED_BOTH:
        h2_fail(s, WEIR_H2_STREAM_CLOSED, "HEADERS on a stream that has ended");
        return false;
    default:
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "stream numbers must grow");
        return false;
    }
}

static bool
heads_keep(weir_h2_session_t *s, weir_str_t fragment)
{
    if (s->block_len + fragment.len > s->settings.max_block) {
        s->block_len += (uint32_t) fragment.len;
        return h2_guard_block(s);
    }
    if (s->block_cap - s->block_len < fragment.len) {
        uint32_t cap = (uint32_t) weir_max(2 * s->block_cap, s->block_len + fragment.len);
        char *grown = weir_mem_try_resize(s->block, cap);

        if (grown == NULL) {
            s->cause = WEIR_CAUSE_INTERNAL_MEMORY;
            h2_lost(s);
            return false;
        }
        s->block = grown;
        s->block_cap = cap;
    }
    weir_assert(s->block_len + fragment.len <= s->block_cap);
    if (fragment.len != 0) {
        memcpy(s->block + s->block_len, fragment.at, fragment.len);
    }
    s->block_len += (uint32_t) fragment.len;
    return h2_guard_block(s);
}

static void
heads_forget_block(weir_h2_session_t *s)
{
    weir_mem_free(s->block);
    s->block = NULL;
    s->block_len = s->block_cap = 0;
    s->block_open = false;
}

void
h2_on_headers(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    bool end = (f->flags & WEIR_H2_END_STREAM) != 0;

    if (!h2_strip_padding(f, &payload)) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "padding longer than its frame");
        return;
    }
    s->block_refused = false;
    if (f->flags & WEIR_H2_PRIORITY_FLAG) {
        if (payload.len < 5) {
            h2_fail(s, WEIR_H2_FRAME_SIZE_ERROR, "HEADERS too short for their priority");
            return;
        }
        s->block_refused = (weir_h2_u32(payload.at) & WEIR_H2_STREAM_MAX) == f->stream;
        payload = weir_str_skip(payload, 5);
    }
    if (!heads_check_id(s, f->stream)) {
        return;
    }
    if (f->flags & WEIR_H2_END_HEADERS) {
        if (payload.len > s->settings.max_block) {
            s->block_len = (uint32_t) payload.len;
            (void) h2_guard_block(s);
            return;
        }
        heads_complete(s, f->stream, payload, end);
        return;
    }
    weir_assert(!s->block_open && s->block == NULL && s->block_len == 0);
    s->block_open = true;
    s->block_stream = f->stream;
    s->block_end = end;
    s->block_frames = 1;
    s->block_len = 0;
    s->block_began = weir_clock_now();
    if (heads_keep(s, payload)) {
        h2_watch_time(s);
    }
}

void
h2_on_continuation(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    if (!s->block_open || f->stream != s->block_stream) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "CONTINUATION without HEADERS");
        return;
    }
    s->block_frames++;
    if (!heads_keep(s, payload) || (f->flags & WEIR_H2_END_HEADERS) == 0) {
        return;
    }
    s->block_open = false;
    heads_complete(s, s->block_stream, weir_str(s->block, s->block_len), s->block_end);
    heads_forget_block(s);
}

/* -- out -- */

weir_h2_stream_t *
weir_h2_stream_open(weir_h2_session_t *s, void *owner)
{
    h2_stream_t *st;

    if (weir_h2_session_room(s) == 0) {
        return NULL;
    }
    st = h2_add(s, s->next_own_id);
    if (st == NULL) {
        return NULL;
    }
    s->next_own_id += 2;
    st->pub.owner = owner;
    return &st->pub;
}

static bool
heads_late_room(h2_stream_t *st, size_t room)
{
    char *grown;

    if (st->late_cap - st->late_len >= room) {
        return true;
    }
    grown = weir_mem_try_resize(st->late, st->late_len + room);
    if (grown == NULL) {
        return false;
    }
    st->late = grown;
    st->late_cap = (uint32_t) (st->late_len + room);
    weir_assert(st->late_len < st->late_cap || room == 0);
    return true;
}

bool
weir_h2_head_begin(weir_h2_stream_t *stream, size_t room)
{
    weir_h2_session_t *s = stream->session;
    h2_stream_t *st = h2_of(stream);

    weir_assert(s->head_stream == NULL);
    if (stream->closed || s->dead || stream->we_ended || room > HEADS_ROOM) {
        return false;
    }
    s->head_bad = false;
    s->head_late = st->out.size != 0;
    if (s->head_late) {
        if (!heads_late_room(st, room)) {
            return false;
        }
        s->head_stream = st;
        return true;
    }
    if (heads_room == NULL && (heads_room = weir_mem_try(HEADS_ROOM)) == NULL) {
        return false;
    }
    weir_buf_init(&s->head, heads_room, HEADS_ROOM);
    s->head_stream = st;
    weir_hpack_encode_begin(&s->encoder, &s->head);
    return true;
}

void
weir_h2_heads_fini(void)
{
    weir_mem_free(heads_room);
    weir_mem_free(heads_scratch);
    heads_room = heads_scratch = NULL;
    heads_scratch_cap = 0;
}

void
weir_h2_head_pseudo(weir_h2_stream_t *stream, weir_h2_pseudo_t which, weir_str_t value)
{
    weir_h2_session_t *s = stream->session;

    weir_assert(s->head_stream == h2_of(stream));
    if (s->head_late || memchr(value.at ? value.at : "", '\0', value.len) != NULL
        || !weir_syntax_is_field_value(value))
    {
        s->head_bad = true;
        return;
    }
    weir_hpack_encode_pseudo(&s->encoder, &s->head, which, value);
}

void
weir_h2_head_status(weir_h2_stream_t *stream, uint16_t status)
{
    weir_h2_session_t *s = stream->session;

    weir_assert(s->head_stream == h2_of(stream) && status >= 100 && status <= 999);
    if (s->head_late) {
        s->head_bad = true;
        return;
    }
    weir_hpack_encode_status(&s->encoder, &s->head, status);
}

/* Fields that wait behind data: id, lengths, texts. */
static void
heads_late_field(h2_stream_t *st, weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    uint32_t head[3] = { id, (uint32_t) name.len, (uint32_t) value.len };

    if (!heads_late_room(st, sizeof(head) + name.len + value.len)) {
        st->pub.session->head_bad = true;
        return;
    }
    memcpy(st->late + st->late_len, head, sizeof(head));
    memcpy(st->late + st->late_len + sizeof(head), name.at, name.len);
    memcpy(st->late + st->late_len + sizeof(head) + name.len, value.at ? value.at : "", value.len);
    st->late_len += (uint32_t) (sizeof(head) + name.len + value.len);
}

void
weir_h2_head_field(weir_h2_stream_t *stream, weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    weir_h2_session_t *s = stream->session;
    char lower[256];

    weir_assert(s->head_stream == h2_of(stream));
    value = weir_str_trim(value);                      /* blanks at an end: malformed (RFC 9113 §8.2.1) */
    if (id != WEIR_HEADER_OTHER) {
        if (!s->head_late && weir_hpack_encode_again(&s->encoder, &s->head, id, value)) {
            return;
        }
        name = weir_header_name(id);
    } else {
        if (name.len > sizeof(lower) || !weir_syntax_is_token(name)) {
            s->head_bad = true;
            return;
        }
        for (size_t i = 0; i < name.len; i++) {
            lower[i] = weir_char_lower(name.at[i]);
        }
        name.at = lower;
    }
    if (!weir_syntax_is_field_value(value)) {
        s->head_bad = true;
    } else if (s->head_late) {
        heads_late_field(s->head_stream, id, name, value);
    } else {
        weir_hpack_encode(&s->encoder, &s->head, id, name, value);
    }
}

/* The encoded block as HEADERS and, where it is longer than a frame, CONTINUATIONs. */
static void
heads_put(weir_h2_session_t *s, uint32_t id, bool end)
{
    weir_str_t block = weir_buf_str(&s->head);
    weir_h2_type_t type = WEIR_H2_HEADERS;
    uint8_t flags = end ? WEIR_H2_END_STREAM : 0;

    do {
        weir_str_t piece = weir_str(block.at, weir_min(block.len, s->peer_frame));

        block = weir_str_skip(block, piece.len);
        h2_put(s, type, (uint8_t) (flags | (block.len == 0 ? WEIR_H2_END_HEADERS : 0)), id, piece);
        type = WEIR_H2_CONTINUATION;
        flags = 0;
    } while (block.len != 0 && !s->dead);
}

weir_io_t
weir_h2_head_end(weir_h2_stream_t *stream, bool end)
{
    weir_h2_session_t *s = stream->session;
    h2_stream_t *st = h2_of(stream);
    bool late = s->head_late;

    weir_assert(s->head_stream == st);
    s->head_stream = NULL;
    if (s->dead) {
        return WEIR_ERROR;
    }
    if (s->head_bad || (!late && s->head.full)) {
        if (!late && weir_buf_len(&s->head) != 0 && !s->head.full) {
            heads_put(s, stream->id, true);    /* the peer's decoder must see what moved our table */
        } else if (!late && s->head.full) {
            s->cause = WEIR_CAUSE_INTERNAL_EMIT;
            h2_lost(s);
            return WEIR_ERROR;
        }
        weir_h2_stream_reset(stream, WEIR_H2_INTERNAL_ERROR);
        return WEIR_ERROR;
    }
    stream->we_ended = stream->we_ended || end;
    if (late) {
        st->end_queued = true;                 /* only trailers come behind data */
        h2_ready_if(st);
        return WEIR_OK;
    }
    heads_put(s, stream->id, end);
    if (s->dead) {
        return WEIR_ERROR;
    }
    if (end) {
        st->end_sent = true;
        if (st->released && !stream->peer_ended) {
            weir_h2_stream_reset(stream, WEIR_H2_NO_ERROR);
        } else {
            h2_maybe_done(st);
        }
    }
    return WEIR_OK;
}

bool
h2_send_late(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;
    const char *at = st->late, *end = st->late + st->late_len;
    uint32_t head[3];

    weir_assert(s->head_stream == NULL && st->out.size == 0 && !st->end_sent);
    if (heads_room == NULL && (heads_room = weir_mem_try(HEADS_ROOM)) == NULL) {
        weir_h2_stream_reset(&st->pub, WEIR_H2_INTERNAL_ERROR);
        return false;
    }
    weir_buf_init(&s->head, heads_room, HEADS_ROOM);
    weir_hpack_encode_begin(&s->encoder, &s->head);
    while (at < end) {
        memcpy(head, at, sizeof(head));
        at += sizeof(head);
        weir_hpack_encode(&s->encoder, &s->head, (weir_header_id_t) head[0], weir_str(at, head[1]),
                          weir_str(at + head[1], head[2]));
        at += head[1] + head[2];
        weir_assert(at <= end);
    }
    st->late_len = 0;
    heads_put(s, st->pub.id, true);
    return !s->dead;
}
