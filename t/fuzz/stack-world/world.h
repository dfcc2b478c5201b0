/*
 * world.h - the world around a worker under fuzz: scripted clients, scripted upstreams, a name server, and what each of them saw.
 *
 * Everything runs in one thread: an input is a program of steps; after each step that says so the worker's loop takes a turn and the peers
 * read what came.  What a peer reads is judged by readers that share no code with Weir (seen_h1.c, seen_h2.c; of Weir's only HPACK).
 */
#ifndef WEIR_T_FUZZ_STACK_WORLD_H
#define WEIR_T_FUZZ_STACK_WORLD_H

#include "base/mem.h"
#include "conf/generation.h"
#include "http/h2/frame.h"
#include "http/h2/hpack.h"
#include "http/runtime.h"

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

typedef struct {
    bool     is_open, has_head, is_ended, is_head_request, has_length;
    uint64_t data, length;               /* DATA that came, what Content-Length said */
    uint64_t initial, window;            /* the largest window that settings gave it, and what was given beside */
} seen_stream_t;

typedef struct {
    bool        is_client, is_blind;     /* blind: what was sent does not tell any more what may come back */
    char       *bytes;                   /* WORLD_BUFFER; what was read and not judged yet */
    size_t      len;
    /* HTTP/1 */
    enum { SEEN_HEAD, SEEN_LENGTH, SEEN_CHUNK, SEEN_CHUNK_DATA, SEEN_CHUNK_END, SEEN_TRAILERS, SEEN_TO_CLOSE, SEEN_TUNNEL, SEEN_CLOSED } state;
    uint64_t    left;
    bool        closes;
    char        methods[WORLD_METHODS];  /* first letters, oldest first: of a client's requests */
    size_t      n_methods, finals;
    uint64_t    owed;                    /* bytes of the body of the client's last request that were not sent yet; UINT64_MAX: chunked */
    /* HTTP/2 */
    bool        has_preface, in_block, block_ends;
    weir_hpack_decoder_t decoder;
    char       *block;
    size_t      block_len;
    uint32_t    block_stream, last_stream, frame_max;
    uint64_t    data, window, stream_window;    /* the initial one: of a client, as announced last; of an upstream, the largest ever */
    seen_stream_t *streams;              /* by number / 2 */
} seen_t;

typedef struct {
    int      fd;                         /* -1: none */
    SSL     *ssl;                        /* NULL: in the clear */
    bool     in_handshake, is_h2, is_slow, is_held, has_settings;   /* held: reads and writes nothing of its own yet */
    uint32_t next_id;
    char    *out;
    size_t   out_len;
    seen_t   seen;
} peer_t;

typedef struct {
    const uint8_t     *at, *end;
    char               dir[64];
    weir_loop_t       *loop;
    weir_http_t       *http;
    peer_t             clients[WORLD_CLIENTS], upstreams[WORLD_UPSTREAMS];
    uint64_t           skew_ms, requests_seen, finals_seen;
    SSL_CTX           *tls_client, *tls_server;
    unsigned           reloads, runs;    /* of the run; of the worker */
    bool               is_on;            /* the clock is ours */
} world_t;

extern world_t world;

/* -- the input -- */
uint32_t   world_take(unsigned bytes);
weir_str_t world_take_bytes(size_t max);

/* -- wire.c: bytes between -- */
void peer_begin(peer_t *p, int fd, SSL *ssl, bool is_h2, bool is_client);
void peer_end(peer_t *p);
void peer_put(peer_t *p, const void *bytes, size_t len);     /* whole or not at all */
void peer_say(peer_t *p, const char *text);
void peer_frame(peer_t *p, int type, int flags, uint32_t stream, const void *payload, size_t len);
void peer_move(peer_t *p, size_t max);                       /* handshake, what waits to be sent, at most so much of what came */
size_t peer_field(char *out, const char *name, const char *value, size_t value_len);     /* an HPACK literal */

/* -- what came: panics on what may not come -- */
void seen_begin(seen_t *seen, bool is_client, bool is_h2);
void seen_end(seen_t *seen);
void seen_h1_read(seen_t *seen);
void seen_h2_read(seen_t *seen);
void seen_h2_sent(seen_t *seen, int type, int flags, uint32_t stream, const char *payload, size_t len);    /* by the peer: windows and such */

/* -- the peers' steps -- */
void client_connect(peer_t *c);
void client_request(peer_t *c);
void client_body(peer_t *c);
void client_close(peer_t *c);
void peer_raw(peer_t *p);
void peer_h2_control(peer_t *p);
void upstream_accept(void);
void upstream_answer(peer_t *u);
void upstream_body(peer_t *u);
void upstream_close(peer_t *u);

/* -- names.c: the name server -- */
void names_begin(void);
unsigned names_port(void);
void names_answer(void);
void names_turn(void);
void names_reset(void);

/* -- site.c: directories, certificates, sockets, configurations -- */
void site_begin(void);
weir_generation_t *site_build(unsigned which);               /* another generation of one of the texts */
#define SITE_TEXTS 3
enum { SITE_PLAIN, SITE_TLS, SITE_PROXIED, SITE_TLS_PROXIED, SITE_LISTENERS };
void site_listen(void);                                      /* on what the worker's generation says and it does not yet */
void site_forget(void);
int  site_connect(int listener);                             /* -1: not */
int  site_upstream(int which);                               /* accepts; -1: nobody.  0: unix, HTTP/1 · 1: unix, HTTP/2 · 2: TCP, HTTP/1 · 3: TLS, by ALPN */
#define SITE_UPSTREAMS 4
#define SITE_H1_TLS 3

/* -- stack.c -- */
void world_turn(void);
void world_step(void);                                       /* another step of the input */
#define WORLD_PROXY_HEADER "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"

#endif
