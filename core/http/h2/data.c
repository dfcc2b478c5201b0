/*
 * data.c - DATA both ways, the windows, and writing to the connection (RFC 9113 §5.2, §6.1, §6.9; RFC 9218 §10).
 *
 * Runs in workers.  What is received and not read lies in the stream's chain, what is to be sent and not framed in its
 * queue, frames in the session's: all in pooled blocks.
 */
#include "http/h2/session_internal.h"

#include "os/clock.h"

#include <string.h>

#define DATA_OUT_MARK 32768          /* frames waiting: above it DATA stays in its stream's queue */
#define DATA_UPDATES  2              /* WINDOW_UPDATEs that a frame of ours may bring: stream and connection */
#define DATA_TINY     16             /* a WINDOW_UPDATE that opens less is a glitch */
#define DATA_WINDOW   (4 * 1024 * 1024)      /* the most that a stream's window grows to … */
#define DATA_SMALL    1024           /* less is gathered before the role hears of it */
#define DATA_BUDGET   (64 * 1024 * 1024)     /* … as long as all of a worker have not grown by more */
#define DATA_GROWTH   8                      /* times, a round trip */

static uint64_t data_grown;          /* by how much windows have grown, of the worker */

/* -- frames out -- */

/* A frame was put into `out`: where its flags lie, if it is DATA. */
static void
data_note_last(weir_h2_session_t *s, weir_h2_type_t type, uint32_t id, size_t len)
{
    char *frame = type == WEIR_H2_DATA ? weir_chain_tail(&s->out, WEIR_H2_FRAME_HEAD + len) : NULL;

    s->last_flags = frame != NULL ? frame + 4 : NULL;
    s->last_stream = id;
}

/* The end of a stream whose last DATA was not sent yet goes with that, and needs no frame of its own. */
static bool
data_end_with_last(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    if (s->last_flags == NULL || s->last_stream != st->pub.id || st->out.size != 0 || weir_list_linked(&st->ready_link))
    {
        return false;
    }
    *s->last_flags = (char) (*s->last_flags | WEIR_H2_END_STREAM);
    s->last_flags = NULL;
    return true;
}

void
h2_put(weir_h2_session_t *s, weir_h2_type_t type, uint8_t flags, uint32_t id, weir_str_t payload)
{
    char head[WEIR_H2_FRAME_HEAD];

    if (s->dead) {
        return;
    }
    weir_h2_frame_write(head, (uint32_t) payload.len, type, flags, id);
    if (!weir_chain_append(&s->out, s->blocks, weir_str(head, sizeof(head)))
        || (payload.len != 0 && !weir_chain_append(&s->out, s->blocks, payload)))
    {
        s->cause = WEIR_CAUSE_INTERNAL_MEMORY;
        h2_lost(s);                            /* half a frame may be there: nothing can follow it */
        return;
    }
    data_note_last(s, type, id, payload.len);
    h2_post(s);
}

void
h2_put_control(weir_h2_session_t *s, weir_h2_type_t type, uint8_t flags, uint32_t id, weir_str_t payload)
{
    s->control_waiting += WEIR_H2_FRAME_HEAD + (uint32_t) payload.len;
    h2_put(s, type, flags, id, payload);
    if (!s->dead) {
        (void) h2_guard_control(s);
    }
}

/* -- the receiving side -- */

static void
data_window_update(weir_h2_session_t *s, uint32_t id, uint32_t by)
{
    char payload[4];

    weir_assert(by != 0 && by <= WEIR_H2_WINDOW_MAX);
    weir_h2_put_u32(payload, by);
    h2_put_control(s, WEIR_H2_WINDOW_UPDATE, 0, id, weir_str(payload, 4));
}

/* The connection's window opens as bytes arrive: what a stream does not read is bounded by the stream's. */
static bool
data_count_connection(weir_h2_session_t *s, uint32_t length)
{
    s->recv_window -= length;
    if (s->recv_window < 0) {
        h2_fail(s, WEIR_H2_FLOW_CONTROL_ERROR, "more DATA than the connection's window");
        return false;
    }
    s->unacked += length;
    weir_assert(s->recv_window + s->unacked <= s->settings.connection_window);
    if (s->unacked >= s->settings.connection_window / 2) {
        s->recv_window += s->unacked;
        data_window_update(s, 0, s->unacked);
        s->unacked = 0;
    }
    return !s->dead;
}

static uint64_t
data_budget_left(void)
{
    return data_grown < DATA_BUDGET ? DATA_BUDGET - data_grown : 0;
}

/*
 * How far away the peer is, is not known; so the window of a stream whose bytes are taken as they come grows each time
 * that half of it was used, until the peer waits for something else than us.  One that is not read grows no further:
 * what it may leave here is bounded by its window, and what all may by the worker's budget.
 */
static void
data_grow(h2_stream_t *st)
{
    uint64_t most = weir_min(DATA_WINDOW, (uint64_t) st->window * DATA_GROWTH), by;

    if (st->released || st->in.size != 0 || st->view.len != 0 || most <= st->window) {
        return;
    }
    by = weir_min(most - st->window, data_budget_left());
    weir_assert(!st->pub.closed && st->window + by <= DATA_WINDOW);
    st->window += (uint32_t) by;
    st->unacked += (uint32_t) by;
    data_grown += by;
}

void
h2_window_back(h2_stream_t *st)
{
    uint32_t ours = st->pub.session->settings.stream_window;

    weir_assert(st->window >= ours && st->window - ours <= data_grown);
    data_grown -= st->window - ours;
    st->window = ours;
}

/* With http2_body_preread_size 0 nothing comes before a reader wants it; then as much as elsewhere, whatever others
 * have grown by. */
static void
data_want(h2_stream_t *st)
{
    uint32_t by = WEIR_H2_WINDOW_DEFAULT;

    if (st->window != 0 || st->pub.closed || st->pub.peer_ended) {
        return;
    }
    st->window += by;
    data_grown += by;
    st->recv_window += by;
    data_window_update(st->pub.session, st->pub.id, by);
}

static void
data_taken(h2_stream_t *st, size_t n)
{
    weir_h2_session_t *s = st->pub.session;

    st->unacked += (uint32_t) n;
    if (st->pub.closed || st->pub.peer_ended || st->unacked == 0 || st->unacked < st->window / 2) {
        return;
    }
    data_grow(st);
    st->recv_window += st->unacked;
    /* (the default beside it: before our SETTINGS are acknowledged) */
    weir_assert(st->recv_window <= (int64_t) st->window + WEIR_H2_WINDOW_DEFAULT);
    data_window_update(s, st->pub.id, st->unacked);
    st->unacked = 0;
}

static void
data_keep_view(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    if (st->view.len == 0 || st->released || st->aborted || s->dead) {
        st->view = WEIR_STR_NONE;
        return;
    }
    if (!weir_chain_append(&st->in, s->blocks, st->view)) {
        h2_send_reset(s, st->pub.id, WEIR_H2_INTERNAL_ERROR);
        h2_close(st, H2_CLOSED_BY_US);
        h2_tell_closed(st, WEIR_H2_INTERNAL_ERROR, false, false);
    }
    st->view = WEIR_STR_NONE;
}

static void
data_deliver(h2_stream_t *st, weir_str_t payload, bool end)
{
    weir_h2_session_t *s = st->pub.session;
    bool first;

    if (payload.len >= DATA_SMALL) {
        h2_tell_run(st);
        if (st->pub.closed) {
            return;
        }
    }
    weir_assert(st->lent <= st->in.size && st->view.len == 0 && !st->pub.closed);
    first = st->in.size == st->lent;
    st->pub.received += payload.len;
    st->pub.peer_ended = end;
    if (st->released) {
        data_taken(st, payload.len);           /* no owner reads it */
    } else if (payload.len < DATA_SMALL && (!end || st->waits_run)) {
        st->view = payload;
        data_keep_view(st);
        if (!st->pub.closed) {
            st->has_data = true;
            h2_add_news(st);
        }
    } else if (first) {
        st->view = payload;
        h2_tell_data(st);
        data_keep_view(st);
    } else {
        st->view = payload;
        data_keep_view(st);
        if (!st->pub.closed && !st->released) {
            h2_tell_data(st);
        }
    }
    if (end && !s->dead) {
        h2_maybe_done(st);
    }
}

/* DATA for a stream that is not open. */
static void
data_astray(weir_h2_session_t *s, uint32_t id)
{
    if (h2_is_idle(s, id)) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "DATA on an idle stream");
        return;
    }
    switch (h2_how_closed(s, id)) {
    case H2_CLOSED_BY_US:
        return;                                /* it may not know yet */
    case H2_CLOSED_BOTH:
        h2_fail(s, WEIR_H2_STREAM_CLOSED, "DATA on a stream that has ended");
        return;
    default:
        h2_stream_error(s, id, WEIR_H2_STREAM_CLOSED);
    }
}

void
h2_on_data(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    h2_stream_t *st = h2_find(s, f->stream);
    bool end = (f->flags & WEIR_H2_END_STREAM) != 0;

    if (!data_count_connection(s, f->length)) {
        return;
    }
    if (!h2_strip_padding(f, &payload)) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "padding longer than its frame");
        return;
    }
    if (st == NULL) {
        data_astray(s, f->stream);
        return;
    }
    if (st->pub.peer_ended || !st->head_seen) {
        h2_stream_error(s, f->stream, st->pub.peer_ended ? WEIR_H2_STREAM_CLOSED : WEIR_H2_PROTOCOL_ERROR);
        return;
    }
    st->recv_window -= f->length;
    if (st->recv_window < 0) {
        h2_stream_error(s, f->stream, WEIR_H2_FLOW_CONTROL_ERROR);
        return;
    }
    if (payload.len == 0 && !end && !h2_guard_glitch(s, 2)) {
        return;
    }
    if (f->length > payload.len) {
        data_taken(st, f->length - payload.len);
    }
    data_deliver(st, payload, end);
}

weir_io_t
weir_h2_stream_read(weir_h2_stream_t *stream, size_t cap, weir_str_t *bytes)
{
    h2_stream_t *st = h2_of(stream);
    struct iovec iov = { NULL, 0 };

    if (st->lent != 0) {
        size_t n = st->lent;

        weir_assert(n <= st->in.size);
        st->lent = 0;
        weir_chain_consume(&st->in, stream->session->blocks, n);
        data_taken(st, n);
    }
    if (st->aborted || (stream->session->dead && !stream->closed)) {
        /* (what had ended both ways is whole, whatever became of the connection) */
        return WEIR_ERROR;
    }
    if (st->in.size != 0) {
        (void) weir_chain_peek(&st->in, &iov, 1);
        st->lent = weir_min(cap, iov.iov_len);
        *bytes = weir_str(iov.iov_base, st->lent);
        return WEIR_OK;
    }
    if (st->view.len != 0) {
        *bytes = weir_str(st->view.at, weir_min(cap, st->view.len));
        st->view = weir_str_skip(st->view, bytes->len);
        data_taken(st, bytes->len);
        return WEIR_OK;
    }
    if (!stream->peer_ended) {
        data_want(st);
        return WEIR_AGAIN;
    }
    return WEIR_EOF;
}

/* -- the sending side -- */

static bool
data_may_send(const h2_stream_t *st)
{
    const weir_h2_session_t *s = st->pub.session;

    if (st->pub.closed || st->pub.id == 0 || st->end_sent) {
        return false;
    }
    if (st->out.size != 0) {
        return st->send_window > 0 && s->send_window > 0;
    }
    return st->end_queued || st->late_len != 0;
}

/* On or off the list of its urgency; one that is incremental goes behind its like, others stay in order of their
 * ids. */
void
h2_ready_if(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;
    bool listed = weir_list_linked(&st->ready_link), may = data_may_send(st);

    weir_assert(st->pub.urgency < 8 && (!listed || s->n_ready != 0));
    if (listed == may) {
        return;
    }
    if (may) {
        weir_list_append(&s->ready[st->pub.urgency], &st->ready_link);
        s->n_ready++;
        h2_post(s);
    } else {
        weir_list_remove(&st->ready_link);
        s->n_ready--;
    }
}

void
h2_drop_queue(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    weir_chain_clear(&st->out, s->blocks);
    st->late_len = 0;
    weir_assert(!weir_list_linked(&st->ready_link) || s->n_ready != 0);
    if (weir_list_linked(&st->ready_link)) {
        weir_list_remove(&st->ready_link);
        s->n_ready--;
    }
}

void
h2_windows_changed(weir_h2_session_t *s)
{
    weir_list_t *next;

    for (weir_list_t *l = s->streams.next; l != &s->streams; l = next) {
        next = l->next;
        h2_ready_if(weir_list_entry(l, h2_stream_t, link));
    }
}

static void
data_sent_end(h2_stream_t *st)
{
    weir_assert(st->pub.we_ended && !st->end_sent && st->out.size == 0 && st->late_len == 0);
    st->end_sent = true;
    if (!st->pub.peer_ended && st->released) {
        weir_h2_stream_reset(&st->pub, st->pub.session->settings.is_server ? WEIR_H2_NO_ERROR : WEIR_H2_CANCEL);
        return;
    }
    h2_maybe_done(st);
}

static size_t
data_allowed(const h2_stream_t *st, size_t want)
{
    const weir_h2_session_t *s = st->pub.session;
    int64_t window = st->send_window < s->send_window ? st->send_window : s->send_window;
    size_t most = weir_min(s->settings.chunk, s->peer_frame);

    return window <= 0 ? 0 : weir_min(want, weir_min((uint64_t) window, most));
}

static void
data_count_sent(h2_stream_t *st, size_t n)
{
    weir_assert(n == 0 || ((int64_t) n <= st->send_window && (int64_t) n <= st->pub.session->send_window));
    st->send_window -= (int64_t) n;
    st->pub.session->send_window -= (int64_t) n;
    st->pub.session->data_sent += n;
    st->pub.sent += n;
    st->moved = weir_clock_now();
}

/* A peer may open its windows again for every frame, however small; not so when it was the window that made it
 * small. */
static void
data_earn(weir_h2_session_t *s, size_t left)
{
    if (left == 0) {
        h2_guard_earn(s, DATA_UPDATES);
    }
}

/* One frame of the stream's queue into `out`. */
static void
data_frame(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;
    size_t n = data_allowed(st, st->out.size), left = n;
    bool end = n == st->out.size && st->end_queued && st->late_len == 0;
    char head[WEIR_H2_FRAME_HEAD];
    struct iovec iov = { NULL, 0 };

    if (n == 0 && st->out.size == 0 && st->late_len != 0) {
        if (!h2_send_late(st)) {
            return;
        }
        data_sent_end(st);
        return;
    }
    weir_assert((n != 0 || end) && n <= s->peer_frame);    /* a frame says something */
    weir_h2_frame_write(head, (uint32_t) n, WEIR_H2_DATA, end ? WEIR_H2_END_STREAM : 0, st->pub.id);
    bool ok = weir_chain_append(&s->out, s->blocks, weir_str(head, sizeof(head)));
    while (ok && left != 0) {
        (void) weir_chain_peek(&st->out, &iov, 1);
        size_t piece = weir_min(left, iov.iov_len);
        ok = weir_chain_append(&s->out, s->blocks, weir_str(iov.iov_base, piece));
        weir_chain_consume(&st->out, s->blocks, piece);
        left -= piece;
    }
    s->last_flags = NULL;
    if (!ok) {
        s->cause = WEIR_CAUSE_INTERNAL_MEMORY;
        h2_lost(s);
        return;
    }
    data_note_last(s, WEIR_H2_DATA, st->pub.id, n);
    data_count_sent(st, n);
    data_earn(s, st->out.size);
    if (end) {
        data_sent_end(st);
    }
}

/* Fills `out` up to the mark: by urgency; an incremental stream goes behind its like after each frame. */
static void
data_schedule(weir_h2_session_t *s)
{
    for (int urgency = 0; urgency < 8 && s->n_ready != 0 && !s->dead; ) {
        weir_list_t *list = &s->ready[urgency];

        if (weir_list_empty(list)) {
            urgency++;
            continue;
        }
        if (s->out.size >= DATA_OUT_MARK) {
            return;
        }
        h2_stream_t *st = weir_list_entry(list->next, h2_stream_t, ready_link);
        if (data_may_send(st)) {               /* else another one has used up the connection's window */
            data_frame(st);
        }
        if (s->dead) {
            return;
        }
        h2_ready_if(st);
        if (weir_list_linked(&st->ready_link) && st->pub.incremental) {
            weir_list_remove(&st->ready_link);
            weir_list_append(list, &st->ready_link);
        }
        /* closed, perhaps: with its last frame it is over */
        if (st->out.size == 0 && st->told_again && !st->released) {
            st->told_again = false;
            h2_tell_writable(st);
        }
    }
}

weir_io_t
h2_write(weir_h2_session_t *s)
{
    struct iovec iov[16];
    size_t sent, n;
    weir_io_t io;

    for ( ;; ) {
        data_schedule(s);
        s->last_flags = NULL;
        if (s->dead) {
            return WEIR_ERROR;
        }
        if (s->out.size == 0) {
            s->control_waiting = 0;
            s->out_moved.ms = 0;
            return WEIR_OK;
        }
        sent = 0;
        n = weir_chain_peek(&s->out, iov, weir_countof(iov));
        io = weir_conn_send(s->conn, iov, n, &sent);
        if (io == WEIR_ERROR) {
            h2_lost(s);
            return WEIR_ERROR;
        }
        bool was_full = h2_out_is_full(s);
        weir_chain_consume(&s->out, s->blocks, sent);
        if (was_full && !h2_out_is_full(s)) {
            h2_post(s);                        /* it is read again */
        }
        if ((s->out.size != 0 || s->n_ready != 0) && weir_slice_is_over(&s->slice)) {
            h2_post_later(s);                  /* it takes as fast as we send: others' turn */
            return WEIR_AGAIN;
        }
        if (sent != 0 || s->out_moved.ms == 0) {
            s->out_moved = weir_clock_now();
        }
        if (io == WEIR_AGAIN) {
            h2_watch_time(s);
            return WEIR_AGAIN;
        }
    }
}

weir_io_t
weir_h2_stream_send(weir_h2_stream_t *stream, weir_str_t bytes, bool end)
{
    h2_stream_t *st = h2_of(stream);
    weir_h2_session_t *s = stream->session;

    if (stream->closed || s->dead || stream->we_ended) {
        return WEIR_ERROR;
    }
    stream->we_ended = end;
    if (end && bytes.len == 0 && data_end_with_last(st)) {
        data_sent_end(st);
        return WEIR_OK;
    }
    /* Straight into a frame while nothing waits before it. */
    while (st->out.size == 0 && !weir_list_linked(&st->ready_link) && s->out.size < DATA_OUT_MARK && stream->id != 0
           && (s->n_ready == 0 || bytes.len == 0))
    {
        size_t n = data_allowed(st, bytes.len);
        bool last = n == bytes.len && end;

        if (n == 0 && bytes.len != 0) {
            break;
        }
        if (n != 0 || last) {
            h2_put(s, WEIR_H2_DATA, last ? WEIR_H2_END_STREAM : 0, stream->id, weir_str(bytes.at, n));
            if (s->dead) {
                return WEIR_ERROR;
            }
            data_count_sent(st, n);
            bytes = weir_str_skip(bytes, n);
            data_earn(s, bytes.len);
        }
        if (bytes.len == 0) {
            if (last) {
                data_sent_end(st);
            }
            return WEIR_OK;
        }
    }
    if (st->out.size == 0) {
        st->moved = weir_clock_now();
    }
    if (bytes.len != 0 && !weir_chain_append(&st->out, s->blocks, bytes)) {
        weir_h2_stream_reset(stream, WEIR_H2_INTERNAL_ERROR);
        return WEIR_ERROR;
    }
    st->end_queued = end;
    st->told_again = true;
    h2_ready_if(st);
    h2_watch_time(s);
    return WEIR_AGAIN;
}

uint64_t
weir_h2_stream_room(const weir_h2_stream_t *stream)
{
    const h2_stream_t *st = weir_container_of(stream, h2_stream_t, pub);
    const weir_h2_session_t *s = stream->session;
    int64_t window = st->send_window < s->send_window ? st->send_window : s->send_window;

    return stream->closed || st->out.size != 0 || s->out.size >= DATA_OUT_MARK || window <= 0 ? 0 : (uint64_t) window;
}

uint64_t
weir_h2_session_sent(const weir_h2_session_t *s)
{
    return s->data_sent;
}

size_t
weir_h2_stream_pending(const weir_h2_stream_t *stream)
{
    const h2_stream_t *st = weir_container_of(stream, h2_stream_t, pub);

    return stream->closed ? 0 : st->out.size + st->late_len;
}

/* -- WINDOW_UPDATE -- */

static void
data_connection_window(weir_h2_session_t *s, uint32_t by)
{
    if (by == 0) {
        h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "a WINDOW_UPDATE by nothing");
        return;
    }
    if (s->send_window + by > WEIR_H2_WINDOW_MAX) {
        h2_fail(s, WEIR_H2_FLOW_CONTROL_ERROR, "the connection's window overflows");
        return;
    }
    bool was_shut = s->send_window <= 0;
    s->send_window += by;
    if (was_shut && s->send_window > 0) {
        h2_windows_changed(s);
    }
}

void
h2_on_window_update(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload)
{
    uint32_t by = weir_h2_u32(payload.at) & WEIR_H2_WINDOW_MAX;
    h2_stream_t *st;

    if (by < DATA_TINY && !h2_guard_glitch(s, 1)) {
        return;
    }
    if (f->stream == 0) {
        data_connection_window(s, by);
        return;
    }
    st = h2_find(s, f->stream);
    if (st == NULL) {
        if (h2_is_idle(s, f->stream)) {
            h2_fail(s, WEIR_H2_PROTOCOL_ERROR, "WINDOW_UPDATE on an idle stream");
        } else {
            (void) h2_guard_glitch(s, 1);      /* of one that has ended: fine (§5.1), but no work */
        }
        return;
    }
    if (by == 0) {
        h2_stream_error(s, f->stream, WEIR_H2_PROTOCOL_ERROR);
        return;
    }
    if (st->send_window + by > WEIR_H2_WINDOW_MAX) {
        h2_stream_error(s, f->stream, WEIR_H2_FLOW_CONTROL_ERROR);
        return;
    }
    st->send_window += by;
    weir_assert(st->send_window <= WEIR_H2_WINDOW_MAX && !st->pub.closed);
    h2_ready_if(st);
}
