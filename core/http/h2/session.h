/*
 * session.h - one HTTP/2 connection, either side: frames in and out, streams, flow control, priorities, the guards (RFC
 * 9113, 9218).
 *
 * Runs in workers.  It knows nothing of requests: the role (the server's in server.c, the client's toward a peer in
 * proxy/peer_h2.c) is told of streams, fields and data.  Owned by its connection; it reads and writes conn by itself.
 *
 * Receiving.  weir_h2_session_ready reads into the worker's receive buffer and takes what frames are whole; an
 * incomplete one is copied.  Heads that came together are all decoded first, and run then, one after another: each of
 * the two is about as large as the processor's first cache (docs/performance.md).  DATA is offered to the role at once;
 * what it does not take in on_data is kept in the stream's own chain, never more than the stream's window.  The
 * stream's window opens again as the role takes bytes, the connection's as they arrive: a stream that is not read holds
 * up no other.
 *
 * Sending.  Head and data calls take all they are given.  Data waits in the stream's queue until the windows let it go;
 * AGAIN tells the producer to pause until on_writable.  Frames are gathered and written once at the end of the turn,
 * streams by their priority: lowest urgency number first, incremental ones in turn (RFC 9218 §10), each at most a
 * frame.  Control frames that wait are bounded: a peer that does not read our answers to its PINGs and SETTINGS is
 * closed (ENHANCE_YOUR_CALM).
 *
 * A stream struct lives until weir_h2_stream_release, and at least until the callback under way has returned: the role
 * lets go of it by release, also after on_closed.  Calls on a stream that is closed do nothing and return WEIR_ERROR.
 *
 * The rule of callbacks.  The driver is what the loop calls: weir_h2_session_ready, _feed, _flush, the session's task
 * and its timer (and _cut and _destroy, when no callback is under way).  Only the driver calls the role, one callback
 * at a time, and only its end ends the session.  Whatever the owner or a callback calls (everything else here) never
 * calls back: a failure or a guard met there makes the session dead at once (calls return WEIR_ERROR) and posts;
 * streams and role are told by the driver, in this turn.  Asserts hold this.  So a callback may call any function of
 * this header, release included, but not weir_h2_session_destroy of its own session: that is for on_dead's receiver,
 * from a task.
 */
#ifndef WEIR_HTTP_H2_SESSION_H
#define WEIR_HTTP_H2_SESSION_H

#include "base/chain.h"
#include "event/conn.h"
#include "http/message/cause.h"
#include "http/h2/frame.h"
#include "http/h2/hpack.h"

typedef struct weir_h2_session weir_h2_session_t;
typedef struct weir_h2_stream weir_h2_stream_t;

struct weir_h2_stream {
    weir_h2_session_t *session;
    uint32_t           id;                /* 0: a client's, not sent yet */
    void              *owner;             /* the role's: a request, an exchange; NULL at first */
    uint8_t            urgency;           /* 0-7; 3 unless told (RFC 9218) */
    bool               incremental;
    bool               peer_ended;        /* END_STREAM came */
    bool               we_ended;          /* END_STREAM is queued or sent */
    bool               closed;            /* reset, or the connection is gone; or both have ended and all was sent */
    uint64_t           received, sent;    /* bytes of DATA payload without padding */
    /* … session's own fields behind these: see session_internal.h */
};

typedef struct {
    /* A head begins: server: a new stream; client: the answer (again for each interim one and for trailers).  false: it
     * is refused (server: REFUSED_STREAM; client: CANCEL); its fields are decoded all the same. */
    bool (*on_head_begin)(weir_h2_stream_t *stream);
    /* One field.  Slices hold for the call.  false: no memory, or refused by the role: no more of them come; on_head
     * does, and may answer (431) or reset. */
    bool (*on_field)(weir_h2_stream_t *stream, const weir_hpack_field_t *field);
    /* The head is complete.  too_large: the list is over a limit of the settings, fields were left out.  end:
     * END_STREAM came with it. */
    void (*on_head)(weir_h2_stream_t *stream, bool too_large, bool end);
    /* weir_h2_stream_run_later asked for it. */
    void (*on_run)(weir_h2_stream_t *stream);
    /* weir_h2_stream_read has bytes, or the end came. */
    void (*on_data)(weir_h2_stream_t *stream);
    /* After AGAIN: what waited has gone below the mark. */
    void (*on_writable)(weir_h2_stream_t *stream);
    /* The stream is over before its time: RST_STREAM came or was sent by the session itself (a stream error; `code`),
     * or the connection is gone.  Not called when both sides have ended, nor for weir_h2_stream_reset; but when the
     * connection goes every stream that is not released is told, once: of one that had ended both ways
     * weir_h2_stream_is_whole is true.  retryable: the peer has surely not worked on it (REFUSED_STREAM, beyond
     * GOAWAY's last stream). */
    void (*on_closed)(weir_h2_stream_t *stream, uint32_t code, bool by_peer, bool retryable);
    /* The peer has announced that it leaves (GOAWAY), or its settings changed what is possible: client: no new streams
     * / look again. */
    void (*on_change)(weir_h2_session_t *session);
    /* The number of streams that are open or not released went to or from zero. */
    void (*on_idle)(weir_h2_session_t *session, bool idle);
    /* The connection is over, streams were told: error, EOF, or drained after GOAWAY.  Called once. */
    void (*on_dead)(weir_h2_session_t *session);
} weir_h2_role_t;

typedef struct {
    bool        is_server;
    uint32_t    max_streams;              /* concurrent ones the peer may open; client: 0 */
    uint32_t    stream_window;            /* SETTINGS_INITIAL_WINDOW_SIZE we announce */
    uint32_t    connection_window;        /* raised to this at once */
    uint32_t    max_frame;                /* SETTINGS_MAX_FRAME_SIZE we announce: 16384 */
    uint32_t    header_table;             /* SETTINGS_HEADER_TABLE_SIZE we announce */
    uint32_t    max_header_list;          /* bytes with 32 a field (RFC 9113 §6.5.2); SETTINGS_MAX_HEADER_LIST_SIZE */
    uint32_t    max_fields;               /* of one head, cookie crumbs included */
    uint32_t    max_field;                /* bytes of one: name and value */
    uint32_t    max_block;                /* coded bytes of one header block, all CONTINUATIONs together */
    /* server: bytes of fields that streams not released hold together, with 96 a field */
    uint64_t    header_budget;
    bool        connect_protocol;         /* server: announce RFC 8441 */
    uint32_t    chunk;                    /* largest DATA frame sent: http2_chunk_size */
    weir_msec_t head_timeout;             /* from a header block's first frame to END_HEADERS */
    weir_msec_t stall_timeout;            /* streams with data to send whose window stays shut so long are reset */
} weir_h2_settings_t;

/* conn: open, past its handshake, owned by the caller; the session sets nothing in it but reads and writes it.  rx: the
 * worker's receive buffer (WEIR_RX_BYTES).  `before`: bytes that were received already (server: from the preface on),
 * copied or used at once.  Sends our preface and SETTINGS with the next flush.  NULL: no memory. */
weir_h2_session_t *weir_h2_session_create(weir_conn_t *conn, const weir_h2_settings_t *settings,
                                          const weir_h2_role_t *role, void *owner, weir_chain_pool_t *blocks, char *rx,
                                          size_t rx_size);
/* streams still open are closed with on_closed first; conn stays the caller's */
void weir_h2_session_destroy(weir_h2_session_t *s);
void *weir_h2_session_owner(const weir_h2_session_t *s);
/* Memory that is kept between connections: before a worker ends. */
void weir_h2_streams_fini(void);
size_t weir_h2_streams_trim(size_t floor);                /* a tick (spare.h): bytes that went back */
void weir_h2_heads_fini(void);

/* Bytes that were received before the session was made. */
void weir_h2_session_feed(weir_h2_session_t *s, weir_str_t bytes);
/* An edge came on conn: reads, takes, writes. */
void weir_h2_session_ready(weir_h2_session_t *s);
/* Writes what is gathered, now rather than at the end of the turn.  For a task of the owner. */
void weir_h2_session_flush(weir_h2_session_t *s);

/* Graceful end (RFC 9113 §6.8): GOAWAY with the highest id, after a moment (or at once) with the last one taken; when
 * the last stream has ended: on_dead. */
void weir_h2_session_goaway(weir_h2_session_t *s, bool at_once);
/* The connection's end for a fault: GOAWAY(code), what can be written now is, on_dead.  cause: for the log. */
void weir_h2_session_fail(weir_h2_session_t *s, weir_h2_error_t code, weir_cause_t cause, const char *detail);
/* The owner's idle timeout has come: fails it when a head has begun and did not end; false: nothing is under way. */
bool weir_h2_session_end_idle(weir_h2_session_t *s) WEIR_MUST_USE;
/* After fail: no waiting for the peer to have read the GOAWAY; on_dead is called before this returns (under one of the
 * session's own callbacks: when that has returned). */
void weir_h2_session_cut(weir_h2_session_t *s);
/* the connection has failed or gone; streams are being told */
bool weir_h2_session_is_over(const weir_h2_session_t *s);
weir_cause_t weir_h2_session_cause(const weir_h2_session_t *s, const char **detail);   /* of its death */
uint32_t weir_h2_session_streams(const weir_h2_session_t *s);       /* open, or not released */
/* Client: how many more streams may be opened now: the peer's limit, GOAWAY, ids left. */
uint32_t weir_h2_session_room(const weir_h2_session_t *s);
bool weir_h2_session_has_connect_protocol(const weir_h2_session_t *s);   /* the peer announced RFC 8441 */
bool weir_h2_session_is_leaving(const weir_h2_session_t *s);        /* GOAWAY came or was sent, or dead */
/* PING; on_change is called when the answer came.  For connections that were quiet before they are used again. */
void weir_h2_session_ping(weir_h2_session_t *s);

/* -- heads: fields are encoded at once, between begin and end nothing else may be sent on the session -- */
/* From on_head: the rest is done in on_run, when what was received together is taken (session.h: Receiving).  A
 * server's is called before anything else of the stream is told; a client's is not, when on_data or on_closed comes
 * first.  Once. */
void weir_h2_stream_run_later(weir_h2_stream_t *stream);
/* Client: a new stream.  NULL: no room, or no memory. */
weir_h2_stream_t *weir_h2_stream_open(weir_h2_session_t *s, void *owner);
/* room: the sum of weir_hpack_encode_bound of what follows, at least. false: no memory; nothing happened. */
bool weir_h2_head_begin(weir_h2_stream_t *stream, size_t room) WEIR_MUST_USE;
void weir_h2_head_pseudo(weir_h2_stream_t *stream, weir_h2_pseudo_t which, weir_str_t value);
void weir_h2_head_status(weir_h2_stream_t *stream, uint16_t status);      /* of three digits */
/* Refuses by not sending what must not be in HTTP/2: a name with upper case is lowered, CR, LF, NUL anywhere make
 * head_end fail. */
void weir_h2_head_field(weir_h2_stream_t *stream, weir_header_id_t id, weir_str_t name, weir_str_t value);
/* HEADERS (and CONTINUATION) are queued behind data of this stream that waits.  end: END_STREAM.  ERROR: a field could
 * not be sent (the stream was reset with INTERNAL_ERROR, since the encoder has moved on), or the stream is closed. */
weir_io_t weir_h2_head_end(weir_h2_stream_t *stream, bool end) WEIR_MUST_USE;

/* -- data -- */
/* Queues all of it (borrowed for the call).  OK · AGAIN: pause · ERROR: closed. */
weir_io_t weir_h2_stream_send(weir_h2_stream_t *stream, weir_str_t bytes, bool end);
/* Bytes that could leave now: by the windows, and while the peer takes what is written. */
uint64_t  weir_h2_stream_room(const weir_h2_stream_t *stream);
uint64_t  weir_h2_session_sent(const weir_h2_session_t *s);         /* bytes of DATA, of all streams that were */
/* bytes of ours not yet written to the connection, heads included */
size_t    weir_h2_stream_pending(const weir_h2_stream_t *stream);
/* The next slice received, at most cap bytes, borrowed until the next call or the return from on_data.  OK · AGAIN ·
 * EOF: the peer has ended (trailers, if any, came through on_head) · ERROR: closed. */
weir_io_t weir_h2_stream_read(weir_h2_stream_t *stream, size_t cap, weir_str_t *bytes);
/* both sides had ended: what was received stays readable */
bool      weir_h2_stream_is_whole(const weir_h2_stream_t *stream);
/* RST_STREAM unless it is over; on_closed is not called. */
void      weir_h2_stream_reset(weir_h2_stream_t *stream, weir_h2_error_t code);
/* The peer broke a rule on the stream and was answered all the same: RST_STREAM behind the answer (RFC 9113 §8.1.1). */
void      weir_h2_stream_blame(weir_h2_stream_t *stream, weir_h2_error_t code);
/* The role reset a stream because of what the peer did on it: counts like a stream error.  The session may be dead
 * then. */
void      weir_h2_session_count_reset(weir_h2_session_t *session);
/* The role is done with it; what was queued is still sent.  An unread body is thrown away, its window given back; a
 * server resets it with NO_ERROR when its answer is complete before the body (RFC 9113 §8.1). */
void      weir_h2_stream_release(weir_h2_stream_t *stream);
void      weir_h2_stream_priority(weir_h2_stream_t *stream, uint8_t urgency, bool incremental);
/* "u=1, i" (RFC 9218 §4); what is absent or makes no sense is the default, 3 and false. */
void      weir_h2_priority_read(weir_str_t text, uint8_t *urgency, bool *incremental);

#endif
