/*
 * receive.c - bytes in: whole frames are taken where they lie, a rest is kept; a row a frame type (RFC 9113 §3.4, §4.1,
 * §6).
 *
 * Runs in workers.
 */
#include "http/h2/session_internal.h"

#include "base/mem.h"
#include "os/clock.h"

#include <string.h>

#define RECEIVE_ROUNDS 8             /* reads a turn, however quick they are … */
#define RECEIVE_HEADS  16            /* … and heads */
/* heads of one that waits for its first turn: behind so many of each wait the others like it */
#define RECEIVE_FEW    2
#define RECEIVE_LIGHT  4             /* of them have their turn between two of those that had one already */
/* of the row have theirs between two looks at all the others, until one has used up a slice */
#define RECEIVE_TURNS  8
#define RECEIVE_CROWD  3             /* so many have used up theirs in one turn: those that come then wait in the row */

static void
receive_priority(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    if (!h2_guard_glitch(s, 1)) {
        return;
    }
    if ((weir_h2_u32(payload.at) & WEIR_H2_STREAM_MAX) == f->stream) {
        h2_stream_error(s, f->stream, WEIR_H2_PROTOCOL_ERROR);
    }
}

static void
receive_rst_stream(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    h2_stream_t *st = h2_find(s, f->stream);
    uint32_t code = weir_h2_u32(payload.at);
    bool unfinished;

    if (st == NULL) {
        if (h2_is_idle(s, f->stream)) {
            h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "RST_STREAM on an idle stream");
        } else {
            (void) h2_guard_glitch(s, 1);
        }
        return;
    }
    if (!s->settings.is_server && st->pub.peer_ended && code == WEIR_H2_NO_ERROR) {
        h2_close(st, H2_CLOSED_BOTH);            /* a whole answer before the whole request: it stands (§8.1) */
        return;
    }
    if (s->settings.is_server) {
        h2_tell_run(st);                         /* it is a request, and is logged as one */
    }
    unfinished = !st->end_sent;
    h2_close(st, H2_CLOSED_BY_PEER);
    h2_tell_closed(st, code, true, code == WEIR_H2_REFUSED_STREAM);
    if (unfinished && s->settings.is_server && !s->dead) {
        (void) h2_guard_reset(s);
    }
}

/* -- SETTINGS (§6.5) -- */

static bool
receive_initial_window(weir_h2_session_t *s, uint32_t value)
{
    int64_t change = (int64_t) value - s->peer_window;

    s->peer_window = value;
    for (weir_list_t *l = s->streams.next; l != &s->streams; l = l->next) {
        h2_stream_t *st = weir_list_entry(l, h2_stream_t, link);

        st->send_window += change;
        if (st->send_window > WEIR_H2_WINDOW_MAX) {
            return false;
        }
    }
    h2_windows_changed(s);
    return true;
}

static weir_h2_error_t
receive_setting(weir_h2_session_t *s, uint16_t id, uint32_t value)
{
    switch (id) {
    case WEIR_H2_SET_HEADER_TABLE_SIZE:
        weir_hpack_encoder_limit(&s->encoder, value);
        break;
    case WEIR_H2_SET_ENABLE_PUSH:
        return value > 1 || (value == 1 && !s->settings.is_server) ? WEIR_H2_PROTOCOL_ERROR : WEIR_H2_NO_ERROR;
    case WEIR_H2_SET_MAX_CONCURRENT_STREAMS:
        s->peer_streams = value;
        break;
    case WEIR_H2_SET_INITIAL_WINDOW_SIZE:
        return value > WEIR_H2_WINDOW_MAX || !receive_initial_window(s, value) ? WEIR_H2_FLOW_CONTROL_ERROR
                                                                               : WEIR_H2_NO_ERROR;
    case WEIR_H2_SET_MAX_FRAME_SIZE:
        if (value < WEIR_H2_FRAME_DEFAULT || value > 0xffffff) {
            return WEIR_H2_PROTOCOL_ERROR;
        }
        s->peer_frame = value;
        break;
    case WEIR_H2_SET_ENABLE_CONNECT_PROTOCOL:
        if (value > 1 || (value == 0 && s->peer_connect_protocol)) {
            return WEIR_H2_PROTOCOL_ERROR;
        }
        s->peer_connect_protocol = value == 1;
        break;
    case WEIR_H2_SET_NO_RFC7540_PRIORITIES:
        return value > 1 ? WEIR_H2_PROTOCOL_ERROR : WEIR_H2_NO_ERROR;
    default:
        break;
    }
    return WEIR_H2_NO_ERROR;
}

static void
receive_settings(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    if (f->flags & WEIR_H2_ACK) {
        if (!s->settings_acked || h2_guard_glitch(s, 1)) {
            s->settings_acked = true;
            weir_hpack_decoder_limit(&s->decoder, s->settings.header_table);
        }
        return;
    }
    if (s->first_done && !h2_guard_glitch(s, 5 + (uint32_t) payload.len / 60)) {
        return;
    }
    for (; payload.len >= 6 && !s->dead; payload = weir_str_skip(payload, 6)) {
        weir_h2_error_t code = receive_setting(s, weir_h2_u16(payload.at), weir_h2_u32(payload.at + 2));

        if (code != WEIR_H2_NO_ERROR) {
            h2_fail(s, code, "a setting out of its bounds");
            return;
        }
    }
    h2_put_control(s, WEIR_H2_SETTINGS, WEIR_H2_ACK, 0, WEIR_STR_NONE);
    if (!s->dead) {
        h2_tell_change(s);
    }
}

static void
receive_push_promise(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    (void) f;
    (void) payload;
    h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "PUSH_PROMISE");
}

static void
receive_ping(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    if (f->flags & WEIR_H2_ACK) {
        if (s->goaway_first && !s->goaway_last) {
            s->goaway_at = weir_clock_now();   /* a round trip since the first GOAWAY: what was on its way is here */
            h2_post(s);
        }
        if (h2_guard_glitch(s, 1)) {
            h2_tell_change(s);
        }
        return;
    }
    if (h2_guard_glitch(s, 1)) {
        h2_put_control(s, WEIR_H2_PING, WEIR_H2_ACK, 0, payload);
    }
}

static void
receive_goaway(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    uint32_t last = weir_h2_u32(payload.at) & WEIR_H2_STREAM_MAX;
    weir_list_t *next;

    (void) f;
    if (!h2_guard_glitch(s, 10)) {
        return;
    }
    s->peer_leaves = true;
    for (weir_list_t *l = s->streams.next; l != &s->streams && !s->dead && !s->settings.is_server; l = next) {
        h2_stream_t *st = weir_list_entry(l, h2_stream_t, link);

        next = l->next;
        if (st->pub.id > last) {
            h2_close(st, H2_CLOSED_BY_PEER);
            h2_tell_closed(st, WEIR_H2_REFUSED_STREAM, true, true);
            next = s->streams.next;              /* the role may have ended others */
        }
    }
    if (!s->dead) {
        h2_tell_change(s);
    }
}

static void
receive_priority_update(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    uint32_t id = weir_h2_u32(payload.at) & WEIR_H2_STREAM_MAX;

    (void) f;
    if (!h2_guard_glitch(s, 1)) {
        return;
    }
    if (!s->settings.is_server || id == 0) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "PRIORITY_UPDATE for no stream, or from a server");
        return;
    }
    if ((id & 1) != 0) {
        h2_priority_text(s, id, weir_str_skip(payload, 4));
    }
}

typedef void (*receive_fn)(weir_h2_session_t *, const weir_h2_frame_t *, weir_str_t);

static const receive_fn receive_rows[] = {
    [WEIR_H2_DATA] = h2_on_data,
    [WEIR_H2_HEADERS] = h2_on_headers,
    [WEIR_H2_PRIORITY] = receive_priority,
    [WEIR_H2_RST_STREAM] = receive_rst_stream,
    [WEIR_H2_SETTINGS] = receive_settings,
    [WEIR_H2_PUSH_PROMISE] = receive_push_promise,
    [WEIR_H2_PING] = receive_ping,
    [WEIR_H2_GOAWAY] = receive_goaway,
    [WEIR_H2_WINDOW_UPDATE] = h2_on_window_update,
    [WEIR_H2_CONTINUATION] = h2_on_continuation,
    [WEIR_H2_PRIORITY_UPDATE] = receive_priority_update,
};

/* What must hold between frames; false: the connection or the stream was ended, or the frame is to be passed over. */
static bool
receive_check(weir_h2_session_t *s, const weir_h2_frame_t *f)
{
    bool on_stream;
    weir_h2_error_t code;

    if (!s->first_done && (f->type != WEIR_H2_SETTINGS || (f->flags & WEIR_H2_ACK))) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "SETTINGS must come first");
        return false;
    }
    code = weir_h2_frame_check(f, s->settings.max_frame, &on_stream);
    if (s->block_open && (f->type != WEIR_H2_CONTINUATION || f->stream != s->block_stream)) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "another frame inside a header block");
        return false;
    }
    if (code == WEIR_H2_NO_ERROR) {
        return true;
    }
    /* RST_STREAM may not be sent for a stream that was never opened (RFC 9113 §6.4): that ends the connection. */
    if (on_stream && !h2_is_idle(s, f->stream)) {
        h2_stream_error(s, f->stream, code);
    } else {
        h2_fail(s, code, "a frame of a wrong size, or where it may not stand");
    }
    return false;
}

static void
receive_frame(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    receive_fn row = f->type < weir_countof(receive_rows) ? receive_rows[f->type] : NULL;

    if (row == NULL) {
        (void) h2_guard_glitch(s, 1);          /* unknown: passed over (§4.1) */
    } else {
        row(s, f, payload);
    }
    s->first_done = true;
}

/*
 * A connection that has much to do waits for the others, whatever it is: heads that begin requests, fields that unpack
 * large, DATA by the byte.  A client that does not read its answers waits for itself.
 */
static bool
receive_is_late(weir_h2_session_t *s)
{
    if (s->work >= H2_WORK_LOOK) {
        s->work = 0;
        s->is_late = s->is_late || weir_slice_is_over(&s->slice);
    }
    return s->is_late;
}

static bool
receive_must_stop(weir_h2_session_t *s)
{
    return (s->settings.is_server && (s->begun >= RECEIVE_HEADS || h2_out_is_full(s))) || receive_is_late(s);
}

/* Whole frames of the bytes; how many bytes they were.  `more`: it stopped before the end. */
static size_t
receive_frames(weir_h2_session_t *s, weir_str_t bytes)
{
    size_t at = 0;

    if (!s->preface_done) {
        size_t n = weir_min(bytes.len, WEIR_H2_PREFACE_LEN);

        if (memcmp(bytes.at, WEIR_H2_PREFACE, n) != 0) {
            h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "not the preface of HTTP/2");
            return bytes.len;
        }
        if (n < WEIR_H2_PREFACE_LEN) {
            return 0;
        }
        s->preface_done = true;
        at = n;
    }
    while (bytes.len - at >= WEIR_H2_FRAME_HEAD && !s->dead) {
        weir_assert(!s->more);
        weir_h2_frame_t f = weir_h2_frame_read(bytes.at + at);

        /* (what is taken back at once is not begun for nothing) */
        if (f.type != WEIR_H2_RST_STREAM && receive_must_stop(s)) {
            s->more = true;
            return at;
        }
        if (f.length > s->settings.max_frame || (!s->first_done && f.type != WEIR_H2_SETTINGS)) {
            (void) receive_check(s, &f);       /* not worth waiting for the rest of it */
            return bytes.len;
        }
        if (bytes.len - at - WEIR_H2_FRAME_HEAD < f.length) {
            break;
        }
        at += WEIR_H2_FRAME_HEAD;
        s->work += 1 + f.length / 1024;
        if (receive_check(s, &f)) {
            receive_frame(s, &f, weir_str(bytes.at + at, f.length));
        }
        at += f.length;
        weir_assert(at <= bytes.len);
    }
    return s->dead ? bytes.len : at;
}

static bool
receive_keep(weir_h2_session_t *s, weir_str_t rest)
{
    if (rest.len == 0) {
        weir_mem_free(s->in);
        s->in = NULL;
        s->in_len = s->in_cap = 0;
        return true;
    }
    if (s->in_cap < rest.len) {
        char *grown = weir_mem_try_resize(s->in, rest.len);

        if (grown == NULL) {
            s->cause = WEIR_CAUSE_INTERNAL_MEMORY;
            h2_lost(s);
            return false;
        }
        s->in = grown;
        s->in_cap = (uint32_t) rest.len;
    }
    weir_assert(rest.len <= s->in_cap && rest.len <= UINT32_MAX);
    memmove(s->in, rest.at, rest.len);
    s->in_len = (uint32_t) rest.len;
    return true;
}

/* A head that has begun to come has its time even before its frame is whole; a slow upload has the body's. */
static void
receive_watch_part(weir_h2_session_t *s, bool is_new)
{
    bool is_body = s->in_len >= WEIR_H2_FRAME_HEAD && weir_h2_frame_read(s->in).type == WEIR_H2_DATA;

    if (s->in_len == 0 || is_body || s->more) {
        s->part_began = (weir_instant_t) { 0 };
    } else if (is_new || s->part_began.ms == 0) {
        s->part_began = weir_clock_now();
        h2_watch_time(s);
    }
}

/* -- what was received together is told -- */

void
h2_add_news(h2_stream_t *st)
{
    if (!weir_list_linked(&st->news_link)) {
        weir_list_append(&st->pub.session->news, &st->news_link);
    }
}

void
h2_tell_news_of(h2_stream_t *st)
{
    bool has_data = st->has_data;

    weir_assert(!st->released);              /* a release takes it off the list */
    weir_list_remove(&st->news_link);
    st->has_data = false;
    h2_tell_run(st);
    if (has_data && !st->released && !st->aborted && (!st->pub.session->dead || st->pub.closed)) {
        h2_tell_data(st);
    }
}

/* What is read is not left to wait for another turn: this is a slice of its own.  Nothing more is read when it is over.
 */
static void
receive_tell_news(weir_h2_session_t *s)
{
    weir_slice_t slice = { 0 };

    while (h2_has_news(s) && !s->dead && !weir_slice_is_over(&slice)) {
        h2_tell_news_of(weir_list_entry(s->news.next, h2_stream_t, news_link));
    }
    s->is_late = s->is_late || h2_has_news(s);
}

bool
h2_has_more(const weir_h2_session_t *s)
{
    return s->conn->watch.readable || s->more || h2_has_news(s);
}

void
h2_take(weir_h2_session_t *s, weir_str_t bytes)
{
    size_t taken = receive_frames(s, bytes);

    receive_tell_news(s);
    if (!s->dead && receive_keep(s, weir_str_skip(bytes, taken))) {
        receive_watch_part(s, taken != 0);
    }
}

/*
 * -- turns --
 *
 * A connection that has more to do than its slice waits in a row, first come, first served, and one of the row uses up
 * a slice between two looks at all the others, or a few have less to do.  From then on it waits there whenever it has
 * something, until it had nothing left once. A connection that has not used its slice up before, but finds that many
 * have in this turn, waits in a row of its own, which is served more often: requests of clients that ask little wait
 * for few others.
 */

static weir_list_t receive_heavy = { &receive_heavy, &receive_heavy },
                   receive_light = { &receive_light, &receive_light };
static weir_turn_hook_t receive_hook;
static weir_task_t receive_awake;
static uint32_t receive_crowd;       /* sessions that used up a slice in this turn */
static uint32_t receive_n_light;     /* of them that had their turn since one of the others had */

static void
receive_on_awake(weir_task_t *task)
{
    (void) task;                     /* the loop does not wait while a connection is in the row */
}

static weir_h2_session_t *
receive_next(void)
{
    bool light = !weir_list_empty(&receive_light)
              && (receive_n_light < RECEIVE_LIGHT || weir_list_empty(&receive_heavy));
    weir_list_t *row = light ? &receive_light : &receive_heavy;
    weir_h2_session_t *s;

    if (weir_list_empty(row)) {
        return NULL;
    }
    s = weir_list_entry(row->next, weir_h2_session_t, turn);
    weir_assert(!s->told_dead && !s->driving);
    weir_list_remove(&s->turn);
    receive_n_light = light ? receive_n_light + 1 : 0;
    return s;
}

/* At the end of a turn, when the answers of all others have left. */
static void
receive_give_turns(void *data)
{
    weir_loop_t *loop = data;
    weir_h2_session_t *s;

    receive_crowd = 0;
    for (int n = 0; n < RECEIVE_TURNS && (s = receive_next()) != NULL; n++) {
        if (h2_have_turn(s, s->is_heavy ? 0 : RECEIVE_HEADS - RECEIVE_FEW)) {
            break;
        }
    }
    if (!weir_list_empty(&receive_light) || !weir_list_empty(&receive_heavy)) {
        weir_task_post(loop, &receive_awake, receive_on_awake);
    }
}

static void
receive_wait_turn(weir_h2_session_t *s)
{
    weir_assert(!s->dead && !weir_list_linked(&s->turn));
    if (!weir_list_linked(&receive_hook.link)) {
        weir_loop_on_turn(s->conn->loop, &receive_hook, receive_give_turns, s->conn->loop);
    }
    weir_task_post(s->conn->loop, &receive_awake, receive_on_awake);
    weir_list_append(s->is_heavy ? &receive_heavy : &receive_light, &s->turn);
}

void
h2_receive_fini(weir_h2_session_t *s)
{
    weir_list_remove(&s->turn);
}

/* What was kept whole when it had to stop. */
static void
receive_kept(weir_h2_session_t *s)
{
    weir_assert(s->more && s->in_at <= s->in_len);
    s->more = false;
    s->in_at += (uint32_t) receive_frames(s, weir_str(s->in + s->in_at, s->in_len - s->in_at));
    receive_tell_news(s);
    weir_assert(s->dead || s->in_at <= s->in_len);
    if (!s->dead && !s->more) {
        weir_str_t rest = weir_str(s->in + s->in_at, s->in_len - s->in_at);

        s->in_at = 0;
        if (receive_keep(s, rest)) {
            receive_watch_part(s, true);
        }
    }
}

/* One read, and its frames.  false: there is no more for now. */
static bool
receive_read(weir_h2_session_t *s)
{
    size_t kept = s->in_len, got;                /* less than a frame */
    weir_io_t io;

    weir_assert(!s->more && s->in_at == 0 && kept < s->rx_size);
    if (kept != 0) {
        memcpy(s->rx, s->in, kept);
    }
    io = weir_conn_recv(s->conn, s->rx + kept, s->rx_size - kept, &got);
    if (io == WEIR_AGAIN) {
        return false;
    }
    if (io != WEIR_OK) {
        h2_lost(s);
        return false;
    }
    h2_take(s, weir_str(s->rx, kept + got));
    return !s->dead && h2_has_more(s);
}

void
h2_receive_turn(weir_h2_session_t *s)
{
    bool had_few = s->begun != 0;

    weir_assert(s->driving && !s->telling && !weir_list_linked(&s->turn));
    for (int round = 0; round < RECEIVE_ROUNDS; round++) {
        if (s->settings.is_server && h2_out_is_full(s)) {
            return;                              /* it reads no answers: looked at again when some have gone */
        }
        if (h2_has_news(s)) {
            receive_tell_news(s);                /* what is left of the turn before */
        } else if (s->more) {
            receive_kept(s);
        } else if (!receive_read(s)) {
            s->is_heavy = false;
            return;
        }
        if (s->dead) {
            return;
        }
        if (receive_must_stop(s)) {
            break;
        }
    }
    if (s->settings.is_server && h2_out_is_full(s)) {
        return;
    }
    s->is_heavy = true;
    receive_crowd += had_few ? 0 : 1;
    receive_wait_turn(s);
}

void
h2_receive(weir_h2_session_t *s)
{
    if (weir_list_linked(&s->turn)) {
        return;
    }
    if (s->is_heavy || receive_crowd >= RECEIVE_CROWD) {
        receive_wait_turn(s);
    } else {
        h2_receive_turn(s);
    }
}
