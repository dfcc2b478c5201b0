/*
 * session_internal.h - what the files of an HTTP/2 session share; inside core/http/h2 only.
 *
 *   session.c   life, settings, timers, GOAWAY, the end
 *
 * The driver is a call of the loop into the session (session.c: drive_begin … drive_end).  It alone calls the role, and
 * its end alone ends the session.  What the owner calls (session.h) changes state, queues frames and posts; so do
 * guards and failures, wherever they are found (h2_fail, h2_lost: the session is `dead` at once, and its streams and
 * its role are told at the end of the driver).  The role is called by h2_tell_* only, which assert that the driver is
 * at work and that no other callback is.
 *
 *   receive.c   bytes in: frames, dispatch by type
 *   heads.c     header blocks in and out
 *   streams.c   the table of streams, how they end
 *   data.c      flow control, DATA in and out, writing to the connection
 *   guards.c    floods
 */
#ifndef WEIR_HTTP_H2_SESSION_INTERNAL_H
#define WEIR_HTTP_H2_SESSION_INTERNAL_H

#include "event/slice.h"
#include "http/h2/session.h"

#define H2_BUCKETS     64
#define H2_CLOSED_KEPT 1024                   /* streams that ended lately: what they may still be sent */
#define H2_OUT_STOP    131072                 /* bytes of frames not written, control frames not counted */
#define H2_WORK_LOOK   16                     /* frames, or KiB of them, between two looks at the slice */
#define H2_EARLY_KEPT  8                      /* priorities of streams not opened yet */

typedef enum { H2_CLOSED_NEVER, H2_CLOSED_BOTH, H2_CLOSED_BY_US, H2_CLOSED_BY_PEER } h2_closed_t;

typedef struct h2_stream {
    weir_h2_stream_t  pub;
    struct h2_stream *next;                   /* of its bucket */
    weir_list_t       link;                   /* session's streams; when closed: the graveyard */
    weir_list_t       ready_link;             /* session's ready[urgency] */
    weir_list_t       news_link;              /* session's news */
    int64_t           send_window, recv_window;
    uint32_t          window;                 /* what the peer may send before any of it is taken: grows (data.c) */
    uint32_t          unacked;                /* taken by the role, not given back to the peer yet */
    weir_chain_t      in;                     /* received, not read */
    size_t            lent;                   /* bytes of `in` that the last read handed out */
    weir_str_t        view;                   /* the same, still in the receive buffer: for the time of a callback */
    weir_chain_t      out;                    /* queued DATA */
    char             *late;                   /* trailers that wait behind it, as they were given; heap */
    uint32_t          late_len, late_cap;
    /* bytes of fields that the role was told of, of those the session counts */
    uint64_t          head_held;
    weir_instant_t    moved;                  /* when something of `out` last went, or it began to wait */
    bool              end_queued, end_sent, released, told_again, head_seen, aborted;
    /* the role knows that it is over: on_closed was called, or it has reset it */
    bool              told;
    bool              held;                   /* closed, and the role still works on it */
    bool              waits_run, has_data;    /* of its news: on_run is due; on_data is */
} h2_stream_t;

struct weir_h2_session {
    weir_conn_t          *conn;
    const weir_h2_role_t *role;
    void                 *owner;
    weir_h2_settings_t    settings;
    weir_chain_pool_t    *blocks;
    char                 *rx;
    size_t                rx_size;
    weir_task_t           task;               /* writes at the end of the turn */
    weir_timer_t          timer;

    /* in */
    /* what was received and not taken: a frame that is not complete, or after `more` whole ones */
    char                 *in;
    uint32_t              in_len, in_cap, in_at;
    weir_slice_t          slice;              /* of this call of the driver */
    uint32_t              begun, work;        /* in it: heads; what was done since it looked at its slice */
    /* it stopped because others are to have theirs, or because its answers are not read */
    bool                  more;
    bool                  is_late;            /* its slice is over */
    bool                  is_heavy;           /* it had more to do than its slice let it */
    weir_list_t           turn;               /* it waits for its turn */
    char                 *block;              /* a header block that is not complete */
    uint32_t              block_len, block_cap, block_stream, block_frames;
    weir_instant_t        block_began, part_began;   /* of a header block; of a frame that is not DATA */
    bool                  block_open, block_end, block_refused, preface_done, first_done;
    weir_hpack_decoder_t  decoder;

    /* out */
    weir_hpack_encoder_t  encoder;
    weir_chain_t          out;                /* frames */
    /* of the last frame in it, while that is DATA and nothing of it was sent; NULL */
    char                 *last_flags;
    uint32_t              last_stream;
    /* streams to run, or with DATA in small pieces: when all that was received is taken */
    weir_list_t           news;
    uint32_t              control_waiting;    /* bytes of answers to the peer's frames in it */
    weir_instant_t        out_moved;
    weir_buf_t            head;               /* the head being written */
    h2_stream_t          *head_stream;
    bool                  head_late, head_bad;

    /* streams */
    h2_stream_t          *buckets[H2_BUCKETS];
    weir_list_t           streams, graveyard, ready[8];
    uint32_t              n_streams, n_held, last_peer_id, next_own_id, n_ready;
    uint64_t              closed[H2_CLOSED_KEPT / 32];
    uint32_t              closed_top;         /* the greatest stream number (id / 2) that ended */
    struct { uint32_t id; uint8_t urgency; bool incremental; } early[H2_EARLY_KEPT];
    uint32_t              n_early;
    uint64_t              heads_held;         /* of all streams that are not released */

    /* windows and settings */
    int64_t               send_window, recv_window;
    uint64_t              data_sent;
    uint32_t              unacked;
    uint32_t              peer_window, peer_frame, peer_streams;
    bool                  peer_connect_protocol, settings_acked;
    weir_instant_t        settings_sent;

    /* guards */
    int32_t               reset_tokens;
    weir_instant_t        reset_filled, glitch_decayed;
    uint32_t              glitches;

    /* the end */
    bool                  goaway_first, goaway_last, peer_leaves;
    uint32_t              goaway_id;          /* the last GOAWAY's: what later ones may not exceed */
    bool                  driving, telling;   /* a call of the loop is at work; a callback of the role is */
    bool                  told_busy;          /* what on_idle said last */
    bool                  dead;               /* nothing comes or goes any more; the driver's end tells all streams */
    bool                  is_cut;             /* … now, not in its time */
    bool                  lingers;            /* … and reads away for a moment what the peer still sends */
    bool                  told_streams, told_dead, is_shut, gone_by_peer;
    uint32_t              gone_code;          /* what streams are told */
    weir_instant_t        goaway_at, close_at;
    weir_cause_t          cause;
    const char           *detail;
};

static inline bool h2_has_news(const weir_h2_session_t *s) { return !weir_list_empty(&s->news); }
static inline h2_stream_t *h2_of(weir_h2_stream_t *stream) { return weir_container_of(stream, h2_stream_t, pub); }
/* A client that leaves so much of its answers unread is not read; control frames have a bound of their own
 * (guards.c). */
static inline bool
h2_out_is_full(const weir_h2_session_t *s)
{
    return s->out.size >= (size_t) H2_OUT_STOP + s->control_waiting;
}
static inline weir_instant_t
h2_deadline(weir_instant_t from, weir_msec_t limit)
{
    return weir_instant_after(from, limit);
}

/* session.c */
void h2_post(weir_h2_session_t *s);                        /* the driver runs at the end of the turn */
void h2_post_later(weir_h2_session_t *s);                  /* … of the next one, although others post meanwhile */
/* From the row (receive.c), with so many heads taken off.  true: it has used up a whole slice. */
bool h2_have_turn(weir_h2_session_t *s, uint32_t begun);
/* Both may be called anywhere: the session is dead from here on, the driver ends it. */
void h2_fail(weir_h2_session_t *s, weir_h2_error_t code, const char *detail);       /* the peer broke the protocol */
void h2_lost(weir_h2_session_t *s);                        /* the connection itself has gone */
/* Callbacks, under the driver only. */
void h2_tell_busy(weir_h2_session_t *s);                   /* on_idle, when it is news */
void h2_tell_change(weir_h2_session_t *s);
bool h2_tell_head_begin(h2_stream_t *st);
bool h2_tell_field(h2_stream_t *st, const weir_hpack_field_t *field);
void h2_tell_head(h2_stream_t *st, bool too_large, bool end);
void h2_tell_run(h2_stream_t *st);                         /* if it waits for that */
void h2_tell_data(h2_stream_t *st);
void h2_tell_writable(h2_stream_t *st);
void h2_tell_closed(h2_stream_t *st, uint32_t code, bool by_peer, bool retryable);   /* unless it knows */
void h2_watch_time(weir_h2_session_t *s);                  /* there is a deadline now */
void h2_drained(weir_h2_session_t *s);                     /* after GOAWAY: ends when nothing is left */

/* streams.c */
h2_stream_t *h2_find(weir_h2_session_t *s, uint32_t id);
h2_stream_t *h2_add(weir_h2_session_t *s, uint32_t id);    /* NULL: no memory */
h2_closed_t h2_how_closed(const weir_h2_session_t *s, uint32_t id);
bool h2_is_idle(const weir_h2_session_t *s, uint32_t id);  /* never opened */
void h2_close(h2_stream_t *st, h2_closed_t how);           /* off the table; the struct lives until it is released */
void h2_maybe_done(h2_stream_t *st);                       /* both sides have ended? */
/* A stream error of the peer's making: RST_STREAM, the role is told, the guards count it. */
void h2_stream_error(weir_h2_session_t *s, uint32_t id, weir_h2_error_t code);
/* A new stream that we have no room for: RST_STREAM, and no owner is told. */
void h2_refuse(weir_h2_session_t *s, uint32_t id);
void h2_bury(weir_h2_session_t *s);                        /* frees what was released; at the driver's end */
void h2_send_reset(weir_h2_session_t *s, uint32_t id, weir_h2_error_t code);
void h2_set_priority(h2_stream_t *st, uint8_t urgency, bool incremental);
void h2_priority_text(weir_h2_session_t *s, uint32_t id, weir_str_t text);

/* receive.c */
void h2_receive(weir_h2_session_t *s);                     /* unless others are to have their turn before */
void h2_receive_turn(weir_h2_session_t *s);                /* its turn has come */
void h2_receive_fini(weir_h2_session_t *s);
void h2_add_news(h2_stream_t *st);
void h2_tell_news_of(h2_stream_t *st);                     /* … and it has none any more */
bool h2_has_more(const weir_h2_session_t *s);              /* something is there that it may take now */
void h2_take(weir_h2_session_t *s, weir_str_t bytes);      /* all of it is taken or kept */

/* heads.c */
/* There is room to decode fields of this size, of all sessions; false: no memory. */
bool h2_scratch_for(size_t max_field);
void h2_on_headers(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload);
void h2_on_continuation(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload);
bool h2_send_late(h2_stream_t *st);                        /* the trailers that waited */
bool h2_strip_padding(const weir_h2_frame_t *f, weir_str_t *payload);

/* data.c */
void h2_on_data(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload);
void h2_on_window_update(weir_h2_session_t *s, const weir_h2_frame_t *f, weir_str_t payload);
/* a frame into `out` */
void h2_put(weir_h2_session_t *s, weir_h2_type_t type, uint8_t flags, uint32_t id, weir_str_t payload);
void h2_put_control(weir_h2_session_t *s, weir_h2_type_t type, uint8_t flags, uint32_t id, weir_str_t payload);
weir_io_t h2_write(weir_h2_session_t *s);
void h2_ready_if(h2_stream_t *st);                         /* on or off the list of those that can send */
void h2_drop_queue(h2_stream_t *st);
void h2_windows_changed(weir_h2_session_t *s);
void h2_window_back(h2_stream_t *st);                      /* what its window has grown by */

/* guards.c: false: the connection has failed */
bool h2_guard_reset(weir_h2_session_t *s);
bool h2_guard_refusal(weir_h2_session_t *s);
bool h2_guard_glitch(weir_h2_session_t *s, uint32_t weight);
void h2_guard_earn(weir_h2_session_t *s, uint32_t weight);  /* so much is forgiven for work that was done */
void h2_guard_work(weir_h2_session_t *s);                  /* a head was completed: that is what connections are for */
bool h2_guard_block(weir_h2_session_t *s);
bool h2_guard_control(weir_h2_session_t *s);

#endif
