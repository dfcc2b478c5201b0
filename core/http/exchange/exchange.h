/*
 * exchange.h - one question to one peer and its answer, whatever the wire.
 *
 * IDLE ──> CONNECT ──> HEAD ──> BODY ──> IDLE        the way is made; the question goes out and the answer's head is
 * awaited; the answer's body
 *     └─────────────────> ^  └──> TUNNEL ──> IDLE      (after a 101 that was asked for)
 *
 * An asker (the proxy engine for a client's request; ask.h for a question of Weir's own) has an exchange as the last
 * member of its state, with room behind it for what the codec keeps (weir_peer_codec_t.state_size).  It fills in where
 * the question goes and what it says, begins, and is called back through its weir_asker_t; the answer's body it reads
 * itself, so that it can hold it.  Which peer, and whether another one is asked, is its affair.  Codecs (HTTP/1 in
 * peer_h1.c, HTTP/2 in peer_h2.c) know nothing but the exchange: no client, no request, no retry.
 *
 * Runs in workers.  What comes from the peer is put in the asker's arena; a peer is as untrusted as a client.
 */
#ifndef WEIR_HTTP_EXCHANGE_EXCHANGE_H
#define WEIR_HTTP_EXCHANGE_EXCHANGE_H

#include "http/message/cause.h"
#include "http/message/head.h"
#include "http/serve/runtime.h"
#include "upstream/group.h"

#include <stddef.h>

typedef struct weir_exchange weir_exchange_t;

/* Takes one field of a question; of its flags WEIR_FIELD_CLEAN. */
typedef void weir_exchange_put_t(void *data, const weir_field_t *field);

/* What the asker is told.  Each may end the exchange, and begin it anew; but its memory stays until a task. */
typedef struct {
    /* The way to the peer stands; the head goes out next.  (This one does not end it.) */
    void      (*on_connected)(weir_exchange_t *x);
    /* Every field of the question but those of framing; Host is among them.  false: it is not to be sent, x->cause and
     * x->detail say why. */
    bool      (*each_field)(weir_exchange_t *x, weir_exchange_put_t *put, void *data);
    /* A piece of a body that did not go along with the head: OK, good until the next call · AGAIN: weir_exchange_send
     * will be called · EOF · ERROR: the exchange was ended. */
    weir_io_t (*next_body)(weir_exchange_t *x, weir_str_t *bytes);
    /* All of the question is with the wire, or the peer wants no more of it. */
    void      (*on_asked)(weir_exchange_t *x);
    /* How much of an answer's body, of `most`, is welcome together with its head.  NULL: as much as comes. */
    size_t    (*wanted)(const weir_exchange_t *x, size_t most);
    /* x->head is of an answer below 200; false: the exchange was ended, or has become a tunnel. */
    bool      (*on_interim)(weir_exchange_t *x);
    void      (*on_head)(weir_exchange_t *x);               /* x->head is the answer's; its body may be read */
    void      (*on_readable)(weir_exchange_t *x);           /* body or tunnel may go on */
    /* Until the body is read: x->cause, x->detail and x->failure say what went wrong.  The asker ends it. */
    void      (*on_failed)(weir_exchange_t *x);
} weir_asker_t;

/* What a configuration says of exchanges of any user. */
typedef struct {
    uint32_t     http_version, line_ends;                   /* 10, 11 or 20; WEIR_LINE_ENDS_ of an answer's head */
    weir_msec_t  connect_timeout, send_timeout, read_timeout;
    weir_bytes_t buffer_size;                               /* the largest head of an answer */
    weir_flag_t  socket_keepalive;
} weir_exchange_conf_t;

/*
 * What is asked of the wire toward the peer.  The asker knows no socket: an exchange may have a connection for itself,
 * or be one of many on one.
 *
 * What returns ERROR has set x->cause and x->detail.  Nothing is called before begin or after end.
 */
typedef struct {
    const char *name;
    size_t      state_size;
    weir_str_t  protocols;                              /* offered by ALPN, in its wire format; a literal; NONE: none */
    /* A way to x->peer, secured as x->secure says: OK · AGAIN: it is being made · ERROR: there is none, and nothing is
     * held (no end follows).  Calls nothing back from inside. */
    weir_io_t (*begin)(weir_exchange_t *x);
    /* Lets go, at any moment.  keep: after reusable, others may have it. */
    void      (*end)(weir_exchange_t *x, bool keep);

    /* These take all they are given; AGAIN: bytes are waiting. */
    weir_io_t (*send_head)(weir_exchange_t *x);             /* and a whole body, as far as it goes along */
    weir_io_t (*send_body)(weir_exchange_t *x, weir_str_t bytes);
    weir_io_t (*send_end)(weir_exchange_t *x);
    weir_io_t (*push)(weir_exchange_t *x);                  /* sends what waits */
    bool      (*ended)(const weir_exchange_t *x);           /* the question's end was given */
    bool      (*pending)(const weir_exchange_t *x);         /* bytes are waiting */
    /* after a send's ERROR; true: there may be an answer all the same */
    bool      (*stop_sending)(weir_exchange_t *x);
    uint64_t  (*sent)(const weir_exchange_t *x);            /* bytes of this exchange that have left */

    weir_io_t (*read_head)(weir_exchange_t *x);             /* OK: x->head */
    weir_io_t (*read_body)(weir_exchange_t *x, size_t cap, weir_str_t *bytes);  /* OK · AGAIN · EOF: complete · ERROR */
    /* Bytes of the body that may go by way of a pipe now (0: they are to be read), and at most n of them into one that
     * is empty: OK with *moved > 0 · AGAIN · ERROR.  NULL: never. */
    uint64_t  (*spliceable)(const weir_exchange_t *x);
    weir_io_t (*splice)(weir_exchange_t *x, int pipe, size_t n, size_t *moved);
    /* bytes borrowed from the receive buffer are put aside; false: no memory */
    bool      (*save)(weir_exchange_t *x);
    void      (*tunnel)(weir_exchange_t *x);                /* after a 101: bytes both ways */

    bool      (*readable)(const weir_exchange_t *x);
    bool      (*writable)(const weir_exchange_t *x);
    /* the connection has served before: the peer may just have closed it */
    bool      (*reused)(const weir_exchange_t *x);
    bool      (*reusable)(const weir_exchange_t *x);        /* after the body's EOF */
} weir_peer_codec_t;

extern const weir_peer_codec_t weir_peer_h1, weir_peer_h2;

typedef enum { WEIR_EXCHANGE_IDLE, WEIR_EXCHANGE_CONNECT, WEIR_EXCHANGE_HEAD, WEIR_EXCHANGE_BODY,
               WEIR_EXCHANGE_TUNNEL } weir_exchange_state_t;
typedef enum { WEIR_EXCHANGE_BROKEN, WEIR_EXCHANGE_TIMED_OUT, WEIR_EXCHANGE_MALFORMED } weir_exchange_failure_t;

struct weir_exchange {
    /* set by the asker, for as long as it lives */
    _Alignas(max_align_t) const weir_asker_t *asker;
    void                       *of;              /* the asker's own */
    const weir_peer_codec_t    *codec;
    const weir_exchange_conf_t *conf;
    weir_http_t                *http;
    weir_arena_t               *arena;
    weir_fields_t              *trailers;        /* where the answer's go */

    /* before each begin */
    weir_peer_t                *peer;
    weir_upsecure_t             secure;          /* how the way to the peer is secured */
    bool                        needs_fresh;     /* not a connection that has served before */

    /* the question: before begin */
    weir_method_t               method;          /* what method_name is */
    weir_str_t                  method_name, target;
    weir_str_t                  upgrade;         /* protocols asked for; empty: none */
    /* of the body; WEIR_LENGTH_NONE: it has none, or (with has_body) it is not known */
    uint64_t                    length;
    weir_str_t                  whole;           /* the body itself, with has_whole */
    /* whole: send_head may take it along, and then the question has ended */
    bool                        has_body, has_whole;
    bool                        may_repeat;    /* it may be asked twice: the connection need not be known to be alive */
    bool                        takes_trailers;      /* the peer is told so (RFC 9110 §10.1.4) */
    bool                        says_close;

    /* what came */
    weir_response_head_t          head;
    uint64_t                    received;        /* bytes */
    bool                        got_bytes;
    bool                        may_have_trailers;   /* as far as the head tells */
    weir_cause_t                cause;           /* of an ERROR */
    const char                 *detail;          /* NULL, or lives as long as the arena */
    weir_exchange_failure_t     failure;

    /* the exchange's own */
    weir_exchange_state_t       state;
    bool                        is_held;         /* between the codec's begin and end */
    bool                        is_asked;        /* nothing more of the question is to be sent */
    weir_timer_t                timer;           /* connect, send, read: whichever is waited for */
    weir_task_t                 task;            /* sending goes on after a long turn */
};

/* The codec's state: behind the exchange. */
static inline void *
weir_exchange_wire(const weir_exchange_t *x)
{
    return (void *) (uintptr_t) (x + 1);
}

/* -- for askers -- */
/* Before each begin, and before `secure` is made: nothing has come, nothing has gone wrong. */
void weir_exchange_reset(weir_exchange_t *x);
/* The last thing that a function of the asker's does: it may call back. */
void weir_exchange_begin(weir_exchange_t *x);
/* Sends what there is until the peer or the asker's body pauses; as begin. */
void weir_exchange_send(weir_exchange_t *x);
/* In state BODY.  OK: at most cap bytes, in a buffer of the worker's or the codec's: good until anything else is
 * received · AGAIN: on_readable · EOF: complete · ERROR: cause and detail are set. */
weir_io_t weir_exchange_read(weir_exchange_t *x, size_t cap, weir_str_t *bytes) WEIR_MUST_USE;
/* From on_interim of a 101: bytes both ways, by the codec's read_body and send_body. */
void weir_exchange_tunnel(weir_exchange_t *x);
/* The wait is for another side, not for the peer: no timer runs.  Or the peer's, for so long. */
void weir_exchange_wait(weir_exchange_t *x, weir_msec_t limit);
void weir_exchange_wait_not(weir_exchange_t *x);
/* At any moment, and again.  keep: the codec's way may serve others, where it is reusable and the question was sent. */
void weir_exchange_end(weir_exchange_t *x, bool keep);
/* Bytes of it that have left; 0 when none can have been worked on. */
uint64_t weir_exchange_sent_bytes(const weir_exchange_t *x);
/* It failed on a connection that had served before, and nothing came: the peer may just have closed it, which is no
 * failure of the peer. */
bool weir_exchange_is_race(const weir_exchange_t *x);

/* -- for codecs: see weir_peer_codec_t -- */
/* After a begin that said AGAIN: the way to the peer stands, or there is none. */
void weir_exchange_connected(weir_exchange_t *x);
void weir_exchange_fail(weir_exchange_t *x, weir_cause_t cause, const char *detail);
/* Something may be read or written. */
void weir_exchange_ready(weir_exchange_t *x);
/* A head that send_head had queued: it has gone or is under way (OK, AGAIN), or it has not (ERROR: cause and detail are
 * set). */
void weir_exchange_sent(weir_exchange_t *x, weir_io_t io);
/* Says what went wrong: ERROR. */
static inline weir_io_t
weir_exchange_error(weir_exchange_t *x, weir_cause_t cause, const char *detail)
{
    x->cause = cause;
    x->detail = detail;
    return WEIR_ERROR;
}
/* Connecting gave this errno. */
weir_cause_t weir_exchange_connect_cause(int error);
/* What weir_upconn_secure said was wrong, as cause and detail. */
weir_io_t weir_exchange_secure_failed(weir_exchange_t *x, const weir_conn_t *conn, const char *why);
/* There is no body behind this answer's head, whatever it says (RFC 9110 §6.4.1). */
bool weir_exchange_has_no_body(const weir_exchange_t *x, uint16_t status);

#endif
