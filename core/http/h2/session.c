/*
 * session.c - the life of an HTTP/2 connection: its first frames, the end of each turn, deadlines, GOAWAY, the end (RFC
 * 9113 §3.4, §5.4, §6.8).
 *
 * Runs in workers.  Memory: the struct; buffers of receive.c and data.c while they hold something.
 */
#include "http/h2/session_internal.h"

#include "base/mem.h"
#include "os/clock.h"

#include <string.h>

#define SESSION_SETTINGS_MS 10000    /* to acknowledge our SETTINGS */
#define SESSION_GOAWAY_MS   1000     /* from the first GOAWAY to the last, unless a PING came back sooner */
#define SESSION_LINGER_MS   1000     /* reading away after the end, so that our GOAWAY arrives */
#define SESSION_TICK_MS     1000
#define SESSION_IDS_LEFT    1000     /* streams before the numbers run out at which a client takes another connection */


static void session_on_time(weir_timer_t *timer);
static void session_end(weir_h2_session_t *s);

/* -- begin -- */

static void
session_setting(weir_buf_t *b, uint16_t id, uint32_t value)
{
    char six[6];

    weir_h2_put_u16(six, id);
    weir_h2_put_u32(six + 2, value);
    weir_buf_add(b, six, sizeof(six));
}

static void
session_greet(weir_h2_session_t *s)
{
    const weir_h2_settings_t *own = &s->settings;
    char room[64], by[4];
    weir_buf_t b;

    weir_buf_init(&b, room, sizeof(room));
    if (own->is_server) {
        session_setting(&b, WEIR_H2_SET_MAX_CONCURRENT_STREAMS, own->max_streams);
        session_setting(&b, WEIR_H2_SET_NO_RFC7540_PRIORITIES, 1);
        if (own->connect_protocol) {
            session_setting(&b, WEIR_H2_SET_ENABLE_CONNECT_PROTOCOL, 1);
        }
    } else {
        session_setting(&b, WEIR_H2_SET_ENABLE_PUSH, 0);
    }
    session_setting(&b, WEIR_H2_SET_INITIAL_WINDOW_SIZE, own->stream_window);
    session_setting(&b, WEIR_H2_SET_MAX_HEADER_LIST_SIZE, own->max_header_list);
    if (own->header_table != WEIR_HPACK_DEFAULT_TABLE) {
        session_setting(&b, WEIR_H2_SET_HEADER_TABLE_SIZE, own->header_table);
    }
    if (!own->is_server && !weir_chain_append(&s->out, s->blocks, WEIR_STR(WEIR_H2_PREFACE))) {
        h2_lost(s);
        return;
    }
    h2_put(s, WEIR_H2_SETTINGS, 0, 0, weir_buf_str(&b));
    if (own->connection_window > WEIR_H2_WINDOW_DEFAULT) {
        weir_h2_put_u32(by, own->connection_window - WEIR_H2_WINDOW_DEFAULT);
        h2_put(s, WEIR_H2_WINDOW_UPDATE, 0, 0, weir_str(by, 4));
    }
    s->settings_sent = weir_clock_now();
    h2_watch_time(s);
}

weir_h2_session_t *
weir_h2_session_create(weir_conn_t *conn, const weir_h2_settings_t *settings, const weir_h2_role_t *role, void *owner,
                       weir_chain_pool_t *blocks, char *rx, size_t rx_size)
{
    weir_h2_session_t *s;

    if (!h2_scratch_for(settings->max_field) || (s = weir_mem_try(sizeof(*s))) == NULL) {
        return NULL;
    }
    memset(s, 0, sizeof(*s));
    s->conn = conn;
    s->role = role;
    s->owner = owner;
    s->settings = *settings;
    s->blocks = blocks;
    s->rx = rx;
    s->rx_size = rx_size;
    s->settings.connection_window = (uint32_t) weir_max(settings->connection_window, WEIR_H2_WINDOW_DEFAULT);
    s->preface_done = !settings->is_server;
    s->next_own_id = settings->is_server ? 2 : 1;
    s->send_window = WEIR_H2_WINDOW_DEFAULT;
    s->recv_window = s->settings.connection_window;
    s->peer_window = WEIR_H2_WINDOW_DEFAULT;
    s->peer_frame = WEIR_H2_FRAME_DEFAULT;
    s->peer_streams = 100;                       /* until its SETTINGS say (§6.5.2 recommends no less) */
    s->reset_tokens = 100;
    s->reset_filled = s->glitch_decayed = weir_clock_now();
    weir_list_init(&s->streams);
    weir_list_init(&s->graveyard);
    weir_list_init(&s->news);
    for (int i = 0; i < 8; i++) {
        weir_list_init(&s->ready[i]);
    }
    weir_hpack_decoder_init(&s->decoder, (uint32_t) weir_max(settings->header_table, WEIR_HPACK_DEFAULT_TABLE),
                            NULL, 0);
    weir_hpack_encoder_init(&s->encoder, WEIR_HPACK_DEFAULT_TABLE);
    session_greet(s);
    return s;
}

void *
weir_h2_session_owner(const weir_h2_session_t *s)
{
    return s->owner;
}

/* -- the role is told -- */

static void
session_tell_begin(weir_h2_session_t *s)
{
    weir_assert(s->driving && !s->telling && !s->told_dead);
    s->telling = true;
}

bool
h2_tell_head_begin(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;
    bool ok;

    session_tell_begin(s);
    ok = s->role->on_head_begin(&st->pub);
    s->telling = false;
    return ok;
}

bool
h2_tell_field(h2_stream_t *st, const weir_hpack_field_t *field)
{
    weir_h2_session_t *s = st->pub.session;
    bool ok;

    session_tell_begin(s);
    ok = s->role->on_field(&st->pub, field);
    s->telling = false;
    return ok;
}

void
h2_tell_head(h2_stream_t *st, bool too_large, bool end)
{
    weir_h2_session_t *s = st->pub.session;

    session_tell_begin(s);
    s->role->on_head(&st->pub, too_large, end);
    s->telling = false;
}

void
h2_tell_run(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    if (!st->waits_run) {
        return;
    }
    st->waits_run = false;
    session_tell_begin(s);
    s->role->on_run(&st->pub);
    s->telling = false;
}

void
h2_tell_data(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    session_tell_begin(s);
    s->role->on_data(&st->pub);
    s->telling = false;
}

void
h2_tell_writable(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    session_tell_begin(s);
    s->role->on_writable(&st->pub);
    s->telling = false;
}

void
h2_tell_closed(h2_stream_t *st, uint32_t code, bool by_peer, bool retryable)
{
    weir_h2_session_t *s = st->pub.session;

    weir_assert(st->pub.closed);
    if (st->released || st->told) {
        return;
    }
    st->told = true;
    session_tell_begin(s);
    s->role->on_closed(&st->pub, code, by_peer, retryable);
    s->telling = false;
}

void
h2_tell_change(weir_h2_session_t *s)
{
    session_tell_begin(s);
    s->role->on_change(s);
    s->telling = false;
}

void
h2_tell_busy(weir_h2_session_t *s)
{
    bool busy = s->n_streams + s->n_held != 0;

    if (busy == s->told_busy) {
        return;
    }
    s->told_busy = busy;
    session_tell_begin(s);
    s->role->on_idle(s, !busy);
    s->telling = false;
}

/* -- the driver -- */

static void
session_drive_begin(weir_h2_session_t *s)
{
    weir_assert(!s->driving && !s->told_dead);
    s->driving = true;
    s->slice.end_us = 0;
    s->begun = s->work = 0;
    s->is_late = false;
}

/* The only place where a session ends. */
static void
session_drive_end(weir_h2_session_t *s)
{
    weir_assert(s->driving && !s->telling && s->head_stream == NULL);
    if (s->dead) {
        session_end(s);
    } else {
        h2_tell_busy(s);
    }
    h2_bury(s);
    s->driving = false;
}

static void
session_run(weir_task_t *task)
{
    weir_h2_session_t *s = weir_container_of(task, weir_h2_session_t, task);

    if (s->told_dead) {
        h2_bury(s);
        return;
    }
    session_drive_begin(s);
    if (!s->dead && h2_has_more(s)) {
        h2_receive(s);
    }
    if (!s->dead && h2_write(s) != WEIR_ERROR) {
        h2_drained(s);
    }
    session_drive_end(s);
}

void
h2_post(weir_h2_session_t *s)
{
    weir_task_post(s->conn->loop, &s->task, session_run);
}

void
h2_post_later(weir_h2_session_t *s)
{
    weir_task_cancel(&s->task);
    weir_task_post_later(s->conn->loop, &s->task, session_run);
}

bool
h2_have_turn(weir_h2_session_t *s, uint32_t begun)
{
    bool used_up;

    session_drive_begin(s);
    s->begun = begun;
    if (!s->dead) {
        h2_receive_turn(s);
    }
    used_up = !s->dead && begun == 0 && weir_list_linked(&s->turn);
    if (!s->dead && h2_write(s) != WEIR_ERROR) {
        h2_drained(s);
    }
    session_drive_end(s);
    return used_up;
}

void
weir_h2_session_feed(weir_h2_session_t *s, weir_str_t bytes)
{
    session_drive_begin(s);
    if (!s->dead) {
        h2_take(s, bytes);
    }
    session_drive_end(s);
    if (!s->dead) {
        h2_post(s);
    }
}

void
weir_h2_session_ready(weir_h2_session_t *s)
{
    if (s->told_dead) {
        return;
    }
    session_drive_begin(s);
    if (s->conn->watch.failed) {
        h2_lost(s);
    } else if (!s->dead && h2_has_more(s)) {
        h2_receive(s);
    }
    session_drive_end(s);
    if (!s->dead && s->conn->watch.writable && (s->out.size != 0 || s->n_ready != 0)) {
        h2_post(s);
    }
}

void
weir_h2_session_flush(weir_h2_session_t *s)
{
    if (s->told_dead) {
        return;
    }
    session_drive_begin(s);
    if (!s->dead) {
        (void) h2_write(s);
    }
    session_drive_end(s);
}

/* -- deadlines -- */

static bool
session_is_due(weir_instant_t since, weir_msec_t limit, weir_instant_t now)
{
    return since.ms != 0 && limit.ms != 0 && now.ms - since.ms >= limit.ms;
}

static void
session_reset_stalled(weir_h2_session_t *s, h2_stream_t *st)
{
    h2_send_reset(s, st->pub.id, WEIR_H2_CANCEL);
    h2_close(st, H2_CLOSED_BY_US);
    if (!s->dead) {
        s->cause = s->settings.is_server ? WEIR_CAUSE_CLIENT_H2_STALLED : WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT;
        h2_tell_closed(st, WEIR_H2_CANCEL, false, false);
        if (!s->dead) {
            s->cause = WEIR_CAUSE_NONE;
        }
    }
}

/* Streams that wait for the peer's window; true: some do still. */
static bool
session_check_stalled(weir_h2_session_t *s, weir_instant_t now)
{
    bool some = false;
    weir_list_t *next;

    for (weir_list_t *l = s->streams.next; l != &s->streams && !s->dead; l = next) {
        h2_stream_t *st = weir_list_entry(l, h2_stream_t, link);

        next = l->next;
        if (st->out.size == 0) {
            continue;
        }
        if (session_is_due(st->moved, s->settings.stall_timeout, now)) {
            session_reset_stalled(s, st);
            next = s->streams.next;              /* the role may have ended others */
            continue;
        }
        some = true;
    }
    return some;
}

static void
session_fail_slow_head(weir_h2_session_t *s)
{
    weir_h2_session_fail(s, WEIR_H2_ENHANCE_YOUR_CALM, s->settings.is_server ? WEIR_CAUSE_CLIENT_H2_CONTINUATION
                         : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL, "a header block that does not end");
}

bool
weir_h2_session_end_idle(weir_h2_session_t *s)
{
    if (!s->block_open && s->part_began.ms == 0) {
        return false;
    }
    session_fail_slow_head(s);
    return true;
}

static bool
session_check(weir_h2_session_t *s, weir_instant_t now)
{
    bool some = false;

    if (!s->settings_acked) {
        some = true;
        if (session_is_due(s->settings_sent, (weir_msec_t) { SESSION_SETTINGS_MS }, now)) {
            h2_fail(s, WEIR_H2_SETTINGS_TIMEOUT, "our SETTINGS are not acknowledged");
            return true;
        }
    }
    if (s->block_open || s->part_began.ms != 0) {
        some = true;
        if (session_is_due(s->block_open ? s->block_began : s->part_began, s->settings.head_timeout, now)) {
            session_fail_slow_head(s);
            return true;
        }
    }
    if (s->out.size != 0) {
        some = true;
        if (session_is_due(s->out_moved, s->settings.stall_timeout, now)) {
            s->cause = s->settings.is_server ? WEIR_CAUSE_CLIENT_SEND_TIMEOUT : WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT;
            h2_lost(s);
            return false;
        }
    }
    if (s->goaway_first && !s->goaway_last) {
        some = true;
        h2_post(s);
    }
    return session_check_stalled(s, now) || some;
}

static void
session_on_time(weir_timer_t *timer)
{
    weir_h2_session_t *s = weir_container_of(timer, weir_h2_session_t, timer);

    session_drive_begin(s);
    if (!s->dead && session_check(s, weir_clock_now())) {
        h2_watch_time(s);
    }
    session_drive_end(s);
}

void
h2_watch_time(weir_h2_session_t *s)
{
    uint64_t tick = SESSION_TICK_MS;

    if (s->dead || (s->timer.deadline.ms != 0 && s->timer.deadline.ms > weir_clock_now().ms)) {
        return;
    }
    if (s->settings.stall_timeout.ms != 0) {
        tick = weir_min(tick, s->settings.stall_timeout.ms);
    }
    if (s->settings.head_timeout.ms != 0) {
        tick = weir_min(tick, s->settings.head_timeout.ms);
    }
    weir_timer_set(s->conn->loop, &s->timer, (weir_msec_t) { weir_max(tick, 1) }, session_on_time);
}

/* -- the end -- */

/*
 * Every stream is over, and the role hears of each that it still has, when it has heard what came before: also of those
 * that had ended both ways, whose request or exchange is not finished.  Each may have a way to a peer to close: false:
 * the rest in the next turn, unless it is all wanted now.
 */
static bool
session_close_streams(weir_h2_session_t *s, bool all)
{
    weir_list_t *next;

    while (h2_has_news(s)) {
        h2_tell_news_of(weir_list_entry(s->news.next, h2_stream_t, news_link));
        if (!all && weir_slice_is_over(&s->slice)) {
            return false;
        }
    }
    while (!weir_list_empty(&s->streams)) {
        h2_stream_t *st = weir_list_entry(s->streams.next, h2_stream_t, link);

        h2_close(st, H2_CLOSED_BY_PEER);
        h2_tell_closed(st, s->gone_code, s->gone_by_peer, false);
        if (!all && weir_slice_is_over(&s->slice)) {
            return false;
        }
    }
    for (weir_list_t *l = s->graveyard.next; l != &s->graveyard; l = next) {    /* nothing leaves it under a callback */
        h2_tell_closed(weir_list_entry(l, h2_stream_t, link), s->gone_code, s->gone_by_peer, false);
        next = l->next;
    }
    return true;
}

static void
session_tell_dead(weir_h2_session_t *s)
{
    weir_timer_drop(&s->timer);
    weir_chain_clear(&s->out, s->blocks);
    h2_receive_fini(s);
    session_tell_begin(s);
    s->told_dead = true;
    s->role->on_dead(s);
    s->telling = false;
}

/* What can be written is, our side is shut, what still comes is thrown away for a moment: a close with bytes unread
 * would take the GOAWAY with it.  false: that is over. */
static bool
session_linger(weir_h2_session_t *s)
{
    size_t sent, got, n;
    struct iovec iov[16];

    s->last_flags = NULL;
    while (s->out.size != 0) {
        sent = 0;
        n = weir_chain_peek(&s->out, iov, weir_countof(iov));
        weir_io_t io = weir_conn_send(s->conn, iov, n, &sent);
        weir_chain_consume(&s->out, s->blocks, sent);
        if (io == WEIR_ERROR) {
            return false;
        }
        if (io == WEIR_AGAIN) {
            break;
        }
    }
    if (s->out.size == 0 && !s->is_shut) {
        s->is_shut = true;
        weir_conn_shutdown(s->conn);
    }
    for (int round = 0; round < 16; round++) {
        weir_io_t io = weir_conn_recv(s->conn, s->rx, s->rx_size, &got);

        if (io == WEIR_EOF || io == WEIR_ERROR) {
            return false;
        }
        if (io == WEIR_AGAIN) {
            break;
        }
    }
    if (weir_clock_now().ms >= s->close_at.ms) {
        return false;
    }
    weir_timer_set(s->conn->loop, &s->timer, (weir_msec_t) { s->close_at.ms - weir_clock_now().ms }, session_on_time);
    return true;
}

/* At the driver's end. */
static void
session_end(weir_h2_session_t *s)
{
    weir_assert(s->driving && !s->telling && s->dead && !s->told_dead);
    if (!s->told_streams && !session_close_streams(s, s->is_cut)) {
        h2_post_later(s);
        return;
    }
    s->told_streams = true;
    if (!s->lingers || !session_linger(s)) {
        session_tell_dead(s);
    }
}

static void
session_die(weir_h2_session_t *s, uint32_t code, bool by_peer)
{
    weir_assert(!s->dead);
    s->dead = true;
    s->gone_code = code;
    s->gone_by_peer = by_peer;
    h2_post(s);
}

void
h2_lost(weir_h2_session_t *s)
{
    s->lingers = false;
    if (!s->dead) {
        session_die(s, WEIR_H2_INTERNAL_ERROR, true);
    }
}

static void
session_begin_end(weir_h2_session_t *s, weir_h2_error_t code)
{
    session_die(s, code, false);
    s->lingers = true;
    s->close_at = weir_instant_after(weir_clock_now(), (weir_msec_t) { SESSION_LINGER_MS });
}

static void
session_put_goaway(weir_h2_session_t *s, uint32_t last, weir_h2_error_t code)
{
    char payload[8];

    weir_h2_put_u32(payload, last);
    weir_h2_put_u32(payload + 4, code);
    h2_put(s, WEIR_H2_GOAWAY, 0, 0, weir_str(payload, 8));
}

void
weir_h2_session_fail(weir_h2_session_t *s, weir_h2_error_t code, weir_cause_t cause, const char *detail)
{
    if (s->dead) {
        return;
    }
    s->cause = cause;
    s->detail = detail;
    session_put_goaway(s, s->goaway_last ? s->goaway_id : s->last_peer_id, code);
    if (!s->dead) {
        session_begin_end(s, code);
    }
}

void
h2_fail(weir_h2_session_t *s, weir_h2_error_t code, const char *detail)
{
    weir_h2_session_fail(
        s, code, s->settings.is_server ? WEIR_CAUSE_CLIENT_H2_PROTOCOL : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL, detail);
}

void
weir_h2_session_cut(weir_h2_session_t *s)
{
    if (!s->dead || s->told_dead) {
        return;
    }
    s->close_at = weir_clock_now();
    s->is_cut = true;
    if (s->driving) {
        return;                                  /* by one of its own callbacks: at the driver's end */
    }
    session_drive_begin(s);
    session_drive_end(s);
}

weir_cause_t
weir_h2_session_cause(const weir_h2_session_t *s, const char **detail)
{
    *detail = s->detail;
    return s->cause;
}

/* -- GOAWAY without a fault -- */

static void
session_last_goaway(weir_h2_session_t *s)
{
    s->goaway_last = true;
    s->goaway_id = s->settings.is_server ? s->last_peer_id : 0;
    session_put_goaway(s, s->goaway_id, WEIR_H2_NO_ERROR);
}

void
weir_h2_session_goaway(weir_h2_session_t *s, bool at_once)
{
    static const char ping[8] = "weir-bye";

    if (s->dead || s->goaway_last) {
        return;
    }
    if (at_once) {
        session_last_goaway(s);
    } else if (!s->goaway_first) {
        s->goaway_first = true;
        s->goaway_at = weir_instant_after(weir_clock_now(), (weir_msec_t) { SESSION_GOAWAY_MS });
        session_put_goaway(s, WEIR_H2_STREAM_MAX, WEIR_H2_NO_ERROR);
        h2_put(s, WEIR_H2_PING, 0, 0, weir_str(ping, 8));
        h2_watch_time(s);
    }
    h2_post(s);
}

void
h2_drained(weir_h2_session_t *s)
{
    if (s->goaway_first && !s->goaway_last && weir_clock_now().ms >= s->goaway_at.ms) {
        session_last_goaway(s);
        return;                                  /* written in the next round of this turn */
    }
    if (!s->dead && s->n_streams + s->n_held == 0 && s->out.size == 0
        && (s->goaway_last || (s->peer_leaves && s->settings.is_server)))
    {
        session_begin_end(s, WEIR_H2_NO_ERROR);
    }
}

/* -- looking -- */

uint32_t
weir_h2_session_streams(const weir_h2_session_t *s)
{
    return s->n_streams + s->n_held;
}

bool
weir_h2_session_is_over(const weir_h2_session_t *s)
{
    return s->dead;
}

bool
weir_h2_session_is_leaving(const weir_h2_session_t *s)
{
    return s->dead || s->goaway_first || s->goaway_last || s->peer_leaves;
}

uint32_t
weir_h2_session_room(const weir_h2_session_t *s)
{
    if (weir_h2_session_is_leaving(s) || s->settings.is_server
        || s->next_own_id > WEIR_H2_STREAM_MAX - 2 * SESSION_IDS_LEFT || s->n_streams >= s->peer_streams)
    {
        return 0;
    }
    return s->peer_streams - s->n_streams;
}

bool
weir_h2_session_has_connect_protocol(const weir_h2_session_t *s)
{
    return s->peer_connect_protocol;
}

void
weir_h2_session_ping(weir_h2_session_t *s)
{
    static const char ping[8] = "weir-ask";

    h2_put(s, WEIR_H2_PING, 0, 0, weir_str(ping, 8));
}

void
weir_h2_session_destroy(weir_h2_session_t *s)
{
    /* its owner ends it by itself: streams are told, on_dead is not called */
    if (!s->told_dead) {
        h2_lost(s);
        session_drive_begin(s);
        (void) session_close_streams(s, true);
        s->told_dead = true;
        s->driving = false;
    }
    weir_assert(!s->driving);
    weir_task_cancel(&s->task);
    weir_timer_drop(&s->timer);
    h2_receive_fini(s);
    h2_bury(s);
    weir_assert(!h2_has_news(s));
    weir_assert(weir_list_empty(&s->graveyard) && weir_list_empty(&s->streams) && s->n_streams == 0 && s->n_held == 0);
    weir_chain_clear(&s->out, s->blocks);
    weir_hpack_decoder_fini(&s->decoder);
    weir_hpack_encoder_fini(&s->encoder);
    weir_mem_free(s->in);
    weir_mem_free(s->block);
    weir_mem_free(s);
}
