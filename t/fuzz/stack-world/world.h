/*
 * world.h - the world around a worker under fuzz: scripted clients, scripted upstreams, a name server, and what each of
 * them saw.
 *
 * Everything runs in one thread: an input is a program of steps; after each step that says so the worker's loop takes a
 * turn and the peers read what came.  What a peer reads is judged by readers that share no code with Weir (seen_h1.c,
 * seen_h2.c; of Weir's only HPACK).
 */
#ifndef WEIR_T_FUZZ_STACK_WORLD_H
#define WEIR_T_FUZZ_STACK_WORLD_H

#include "base/mem.h"
#include "conf/generation.h"
#include "http/h2/frame.h"
#include "http/h2/hpack.h"
#include "http/serve/runtime.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#define WORLD_CLIENTS   3
#define WORLD_UPSTREAMS 8
#define WORLD_BUFFER    (160 * 1024)     /* what a peer may hold of what it read and of what it still has to send */
#define WORLD_METHODS   64               /* requests of a client that were not answered yet */
#define WORLD_STREAMS   256

/* A finding that no sanitizer sees. */
#define world_fail(...) do { fprintf(stderr, "stack: " __VA_ARGS__); fprintf(stderr, "\n"); abort(); } while (0)

/* A body that is read, and what it is made of (ledger.c). */
typedef struct {
    uint32_t of;                         /* a client's: an answer's id; an upstream's: a request's tag; 0: not known */
    uint64_t at;
} seen_body_t;

typedef struct {
    bool     is_open, has_head, is_ended, is_head_request, has_length;
    uint64_t data, length;               /* DATA that came, what Content-Length said */
    uint64_t initial, window;            /* the largest window that settings gave it, and what was given beside */
    seen_body_t body;
    uint32_t tag, answer;                /* the request's; what the upstream that this is answers it with */
    uint64_t own, own_length;            /* DATA that this peer sent; what it said the length is, UINT64_MAX: nothing */
    uint64_t granted;                    /* by Weir's WINDOW_UPDATEs */
    bool     own_ended;
} seen_stream_t;

typedef struct {
    bool        is_client, is_blind;     /* blind: what was sent does not tell any more what may come back */
    char       *bytes;                   /* WORLD_BUFFER; what was read and not judged yet */
    size_t      len;
    /* HTTP/1 */
    enum { SEEN_HEAD, SEEN_LENGTH, SEEN_CHUNK, SEEN_CHUNK_DATA, SEEN_CHUNK_END, SEEN_TRAILERS, SEEN_TO_CLOSE,
           SEEN_TUNNEL, SEEN_CLOSED } state;
    uint64_t    left;
    bool        closes;
    /* a client's requests without an answer, oldest first */
    struct { char method; uint32_t tag; } asked[WORLD_METHODS];
    size_t      n_asked, finals;         /* n_asked of an upstream: requests that it did not answer to the end */
    uint64_t    owed;   /* bytes of the body of the client's last request that were not sent yet; UINT64_MAX: chunked */
    seen_body_t body;
    uint32_t    tag;                     /* of the last request that a client sent, or an upstream read */
    char        method;                  /* of the last one that an upstream read */
    uint64_t    own;                     /* bytes of the body under way that this peer sent */
    /* HTTP/2 */
    bool        has_preface, in_block, block_ends;
    weir_hpack_decoder_t decoder;
    char       *block;
    size_t      block_len;
    uint32_t    block_stream, last_stream, frame_max;
    /* the initial one: of a client, as announced last; of an upstream, the largest ever */
    uint64_t    data, window, stream_window;
    seen_stream_t *streams;              /* by number / 2 */
    uint64_t    most_given;              /* beside the initial one, to any stream */
    uint64_t    own_data, granted;       /* DATA that this peer sent; what the connection's window was, all in all */
    uint32_t    own_initial;             /* what Weir's settings say of its streams' windows */
    bool        is_greedy;               /* it sent beyond a window, or made one too large: it may be told so */
} seen_t;

/* How a body goes on. */
typedef enum { UPSTREAM_NOTHING, UPSTREAM_LENGTH, UPSTREAM_CHUNKED, UPSTREAM_TO_CLOSE } upstream_mode_t;

typedef struct {
    int      fd;                         /* -1: none */
    SSL     *ssl;                        /* NULL: in the clear */
    bool     in_handshake, is_h2, is_slow, is_held, has_settings;   /* held: reads and writes nothing of its own yet */
    uint32_t next_id;
    char    *out;
    size_t   out_len;
    /* an HTTP/1 upstream's answer under way */
    upstream_mode_t mode;
    uint32_t answer;
    uint64_t left;
    bool     is_wild;                /* what it sent was no answer, or nobody asked: nobody knows what the rest means */
    seen_t   seen;
} peer_t;

typedef struct {
    const uint8_t     *at, *end;
    char               dir[64];
    weir_loop_t       *loop;
    weir_life_t       *life;
    weir_serve_t      *serve;
    weir_http_t       *http;             /* its part in it */
    peer_t             clients[WORLD_CLIENTS], upstreams[WORLD_UPSTREAMS];
    uint64_t           skew_ms, requests_seen, finals_seen;
    SSL_CTX           *tls_client, *tls_server;
    unsigned           reloads, runs;    /* of the run; of the worker */
    bool               is_on;            /* the clock is ours */
    bool               has_filled;       /* the table of names, in this run */
} world_t;

extern world_t world;

/* -- the input -- */
uint32_t   world_take(unsigned bytes);
weir_str_t world_take_bytes(size_t max);

/* -- wire.c: bytes between -- */
void peer_begin(peer_t *p, int fd, SSL *ssl, bool is_h2, bool is_client);
void peer_end(peer_t *p);
bool peer_put(peer_t *p, const void *bytes, size_t len);     /* whole or not at all */
void peer_say(peer_t *p, const char *text);
void peer_frame(peer_t *p, int type, int flags, uint32_t stream, const void *payload, size_t len);
void peer_data(peer_t *p, int flags, uint32_t stream, size_t len);           /* what the stream's body is made of */
void peer_close(peer_t *p);                                  /* one way of leaving or another */
void peer_move(peer_t *p, size_t max);              /* handshake, what waits to be sent, at most so much of what came */
size_t peer_field(char *out, const char *name, const char *value, size_t value_len);     /* an HPACK literal */

/* -- what came: panics on what may not come -- */
void seen_begin(seen_t *seen, bool is_client, bool is_h2);
void seen_end(seen_t *seen);
void seen_blind(seen_t *seen);                               /* what was sent has more than one meaning */
void seen_h1_read(seen_t *seen);
void seen_h2_read(seen_t *seen);
/* by the peer: windows and such */
void seen_h2_sent(seen_t *seen, int type, int flags, uint32_t stream, const char *payload, size_t len);
seen_stream_t *seen_h2_stream(seen_t *seen, uint32_t id);    /* NULL: beyond those that are looked after */
void seen_h2_stream_is_blind(seen_t *seen, uint32_t id);     /* its body is not what the ledger knows */
uint64_t seen_h2_room(const seen_t *seen, uint32_t stream);  /* DATA that the peer may send */

/* -- ledger.c: tags and ids -- */
#define LEDGER_DIGITS 8
uint32_t ledger_read_number(const char *at, size_t len);     /* of hex digits; 0: none */
/* Of a body, from its byte `at` on; at most 64k, until the next call. */
const char *ledger_bytes(size_t n, uint32_t of, uint64_t at);
uint32_t ledger_ask(const seen_t *client, bool is_made_anew, bool is_tunnel);     /* a request's tag; 0: none is left */
void ledger_sent(uint32_t tag, size_t n, bool ends);         /* of its body */
void ledger_request_is_blind(uint32_t tag);
void ledger_client_is_blind(const seen_t *client);
void ledger_client_left(const seen_t *client);
uint32_t ledger_make_answer(uint32_t tag);                   /* an answer's id */
void ledger_answer_sent(uint32_t id, size_t n, bool ends);
void ledger_answer_is_blind(uint32_t id);
/* A client read a final head; other: its body is not the origin's. */
void ledger_final(uint32_t tag, unsigned status, uint32_t id, seen_body_t *body, bool is_other);
void ledger_upstream(uint32_t tag, seen_body_t *body);       /* an upstream read a request's head */
void ledger_body(bool by_client, seen_body_t *body, const char *at, size_t n);
void ledger_body_ends(bool by_client, const seen_body_t *body);
void ledger_begin(void);                                     /* a run */
void ledger_check(void);                                     /* all of it is over */

/* -- the peers' steps -- */
void client_connect(peer_t *c);
void client_request(peer_t *c);
void client_body(peer_t *c);
void peer_raw(peer_t *p);
void peer_h2_control(peer_t *p);
void upstream_accept(void);
void upstream_answer(peer_t *u);
void upstream_body(peer_t *u);

/* -- names.c: the name server -- */
void names_begin(void);
unsigned names_port(void);
void names_answer(void);
void names_turn(void);
void names_reset(void);

void names_fill(void);                                    /* the worker's table of names, with some that nobody wants */

/* -- pool.c: what takes long -- */
bool pool_run(uint32_t which);                            /* one that waits, told of in a turn.  false: nothing waits */

/* -- site.c: directories, certificates, sockets, configurations -- */
void site_begin(void);
weir_generation_t *site_build(unsigned which);               /* another generation of one of the texts */
#define SITE_TEXTS 3
#define SITE_KEY   "0123456789abcdef0123456789abcdef"        /* of the store */
extern const char site_text[];                               /* site_text.c */
unsigned site_names_hold(void);                              /* seconds, of the text in use */
enum { SITE_PLAIN, SITE_TLS, SITE_PROXIED, SITE_TLS_PROXIED, SITE_LISTENERS };
void site_listen(void);                                   /* on what the worker's generation says and it does not yet */
void site_forget(void);
int  site_connect(int listener);                             /* -1: not */
/* accepts; -1: nobody.  0: unix, HTTP/1 · 1: unix, HTTP/2 · 2: TCP, HTTP/1 · 3: TLS, by ALPN */
int  site_upstream(int which);
#define SITE_UPSTREAMS 4
#define SITE_H1_TLS 3

/* -- stack.c -- */
void world_turn(void);
void world_step(void);                                       /* another step of the input */
#define WORLD_PROXY_HEADER "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"

#endif
