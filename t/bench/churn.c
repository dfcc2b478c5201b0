/*
 * churn.c - many clients at a steady pace, and their origin, for tests of what a change of the configuration costs them.
 *
 *     churn serve PORT
 *     churn load PORT WEBSOCKETS CLIENTS REQUESTS MESSAGES HOSTS
 *
 * load keeps WEBSOCKETS open, on which MESSAGES a second go there and back, and CLIENTS kept-alive connections, on which REQUESTS a second are
 * asked, of the hosts h0 … h(HOSTS - 1) in turn.  It says "open" when all are, and ends a phase at each line that it reads:
 *
 *     phase NAME: requests N p50 N p99 N p999 N max N messages N p50 N p99 N p999 N max N renewed N errors N
 *
 * Times are in microseconds and count from when the request was due, so that a client which waits is not forgiven.  An error is a connection that
 * ends or is reset, another status, another's answer, or none within ten seconds; the first few are told on standard error.  An answer that says
 * `Connection: close` is no error: the next request has a new connection.  The name of the next phase is what was read; the end of the input ends it.
 */
#define _GNU_SOURCE
#include "listen.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS   512
#define ROOM     2048
#define PAYLOAD  64
#define FRAME    (2 + 4 + PAYLOAD)            /* masked with zeros, which come back: the origin echoes bytes */
#define BUCKETS  4096
#define PATIENCE 10e6                         /* µs */

typedef enum { LISTENER, SERVED, ECHOED, CLIENT, SOCKET } kind_t;

typedef struct conn {
    kind_t       kind;
    int          fd;
    bool         is_open, is_busy, is_dead;   /* busy: an answer is due */
    double       due;                         /* when what it waits for was to be sent */
    unsigned     number;                      /* of the request, the message */
    size_t       len;
    char         in[ROOM];
} conn_t;

typedef struct { uint64_t n, max, bucket[BUCKETS]; } times_t;

static int      ep;
static uint64_t errors, renewed;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

/* 32 buckets an octave: right within 3 %. */
static void
count(times_t *times, double us)
{
    uint64_t v = us < 0 ? 0 : (uint64_t) us, octave = v < 32 ? 0 : 63 - (uint64_t) __builtin_clzll(v) - 4;
    uint64_t at = octave == 0 ? v : octave * 32 + (v >> (octave - 1)) - 32;

    times->n++;
    times->max = v > times->max ? v : times->max;
    times->bucket[at < BUCKETS ? at : BUCKETS - 1]++;
}

static uint64_t
quantile(const times_t *times, double q)
{
    uint64_t seen = 0;

    for (uint64_t i = 0; i < BUCKETS; i++) {
        seen += times->bucket[i];
        if ((double) seen > q * (double) times->n) {
            uint64_t octave = i / 32;

            return octave == 0 ? i : (i - octave * 32 + 32) << (octave - 1);
        }
    }
    return times->max;
}

static conn_t *
watch(kind_t kind, int fd)
{
    conn_t            *c = calloc(1, sizeof(*c));
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

    c->kind = kind;
    c->fd = fd;
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0) {
        die("epoll_ctl");
    }
    return c;
}

static bool
put(const conn_t *c, const char *at, size_t len)
{
    while (len != 0) {
        ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);

        if (n > 0) {
            at += n;
            len -= (size_t) n;
        } else if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* false: it has ended; errno is 0 when it did so by itself. */
static bool
fill(conn_t *c)
{
    ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    errno = n == 0 ? 0 : errno;
    c->len += n > 0 ? (size_t) n : 0;
    c->in[c->len] = '\0';
    return n > 0;
}

static void
drop(conn_t *c, size_t n)
{
    memmove(c->in, c->in + n, c->len - n + 1);
    c->len -= n;
}

static size_t
head_len(const conn_t *c)
{
    const char *end = memmem(c->in, c->len, "\r\n\r\n", 4);

    return end != NULL ? (size_t) (end - c->in) + 4 : 0;
}

/* -- the origin: a WebSocket's bytes come back, a request is answered with its target -- */

static void
serve_heads(conn_t *c)
{
    size_t len;

    while (c->kind == SERVED && (len = head_len(c)) != 0) {
        const char *target = memchr(c->in, ' ', len);
        size_t      target_len = target != NULL ? strcspn(++target, " ") : 0;
        char        answer[ROOM];
        int         n;

        if (memmem(c->in, len, "pgrade: websocket", 17) != NULL) {
            n = snprintf(answer, sizeof(answer), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
            c->kind = ECHOED;
        } else {
            n = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s", target_len, (int) target_len,
                         target != NULL ? target : "");
        }
        (void) put(c, answer, (size_t) n);
        drop(c, len);
    }
    if (c->kind == ECHOED && c->len != 0) {
        (void) put(c, c->in, c->len);
        c->len = 0;
    }
}

static void
serve(const char *port)
{
    conn_t *listener = watch(LISTENER, listen_on(port));

    for (;;) {
        struct epoll_event events[EVENTS];
        int                n = epoll_wait(ep, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            conn_t *c = events[i].data.ptr;
            int     fd;

            if (c != listener && fill(c)) {
                serve_heads(c);
            } else if (c != listener) {
                close(c->fd);
                free(c);
            } else if ((fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                (void) watch(SERVED, fd);
            }
        }
    }
}

/* -- the load -- */

static struct sockaddr_in address;
static unsigned           n_hosts;
static times_t            requests, messages;

static void
fail(conn_t *c, const char *what)
{
    if (errors++ < 20) {
        fprintf(stderr, "%s %u: %s; %d (%s) behind \"%.60s\"\n", c->kind == SOCKET ? "message" : "request", c->number, what, errno, strerror(errno),
                c->in);
    }
    if (c->kind == SOCKET && !c->is_open) {
        exit(1);
    }
    epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    c->is_dead = true;
}

/* Until it is connected. */
static int
dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0) {
        die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void
ask(conn_t *c, double due)
{
    static unsigned number;
    char            text[256];
    int             n;

    c->due = due;
    c->is_busy = true;
    c->number = ++number;
    n = snprintf(text, sizeof(text), "GET /r/%u HTTP/1.1\r\nHost: h%u\r\n\r\n", number, number % n_hosts);
    if (!put(c, text, (size_t) n)) {
        fail(c, "no request could be sent");
    }
}

static void
say(conn_t *c, double due)
{
    static unsigned number;
    char            frame[FRAME + 1] = { (char) 0x82, (char) (0x80 | PAYLOAD) };

    c->due = due;
    c->is_busy = true;
    c->number = ++number;
    (void) snprintf(frame + 6, PAYLOAD + 1, "%0*u", PAYLOAD, number);
    if (!put(c, frame, FRAME)) {
        fail(c, "no message could be sent");
    }
}

static void
take_echo(conn_t *c)
{
    if (!c->is_open && head_len(c) != 0) {
        if (memcmp(c->in, "HTTP/1.1 101", 12) != 0) {
            fail(c, "no 101");
            return;
        }
        drop(c, head_len(c));
        c->is_open = true;
    }
    if (c->is_open && c->len >= FRAME) {
        if (!c->is_busy || strtoul(c->in + 6, NULL, 10) != c->number) {
            fail(c, "another's message");
            return;
        }
        count(&messages, now() - c->due);
        drop(c, FRAME);
        c->is_busy = false;
    }
}

static void
take_answer(conn_t *c)
{
    size_t len = head_len(c), body;
    char   wanted[32];
    const char *length = len != 0 ? strcasestr(c->in, "\r\nContent-Length:") : NULL;

    if (len == 0) {
        return;
    }
    body = length != NULL && length < c->in + len ? strtoul(length + 17, NULL, 10) : 0;
    if (c->len < len + body) {
        return;
    }
    (void) snprintf(wanted, sizeof(wanted), "/r/%u", c->number);
    if (!c->is_busy || memcmp(c->in, "HTTP/1.1 200", 12) != 0 || body != strlen(wanted) || memcmp(c->in + len, wanted, body) != 0) {
        fail(c, "not its answer");
        return;
    }
    count(&requests, now() - c->due);
    c->is_busy = false;
    if (memmem(c->in, len, "Connection: close", 17) != NULL) {
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

        close(c->fd);
        renewed++;
        c->fd = dial();
        (void) epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    }
    drop(c, len + body);
}

static void
take(conn_t *c)
{
    if (c->is_dead) {
        return;
    }
    if (!fill(c)) {
        fail(c, "the connection has ended");
    } else if (c->kind == SOCKET) {
        take_echo(c);
    } else {
        take_answer(c);
    }
}

static void
turn(int patience)
{
    struct epoll_event events[EVENTS];
    int                n = epoll_wait(ep, events, EVENTS, patience);

    for (int i = 0; i < n; i++) {
        take(events[i].data.ptr);
    }
}

typedef struct { conn_t **at; size_t n, next; double pace, due; void (*go)(conn_t *c, double due); } crowd_t;

/* What is due by now, on the next connections; one that still waits keeps it waiting. */
static void
drive(crowd_t *crowd, double t)
{
    while (crowd->n != 0 && crowd->pace != 0 && crowd->due <= t) {
        conn_t *c = crowd->at[crowd->next];

        if (!c->is_dead && c->is_busy) {
            if (t - c->due > PATIENCE) {
                errno = ETIMEDOUT;
                fail(c, "no answer");
            }
            return;
        }
        if (!c->is_dead) {
            crowd->go(c, crowd->due);
        }
        crowd->next = (crowd->next + 1) % crowd->n;
        crowd->due += crowd->pace;
    }
}

static crowd_t
open_all(kind_t kind, size_t n, double pace, void (*go)(conn_t *c, double due))
{
    static const char hello[] = "GET /ws HTTP/1.1\r\nHost: h0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    crowd_t crowd = { .at = calloc(n + 1, sizeof(conn_t *)), .n = n, .pace = pace != 0 ? 1e6 / pace : 0, .go = go };

    for (size_t i = 0; i < n; i++) {
        crowd.at[i] = watch(kind, dial());
        if (kind == SOCKET) {
            double since = now();

            if (!put(crowd.at[i], hello, sizeof(hello) - 1)) {
                fail(crowd.at[i], "no handshake");
            }
            while (!crowd.at[i]->is_open && !crowd.at[i]->is_dead) {
                turn(100);
                if (now() - since > PATIENCE) {
                    fail(crowd.at[i], "no 101 in time");
                }
            }
        }
    }
    return crowd;
}

static void
tell(const char *name, const times_t *r, const times_t *m)
{
    printf("phase %s: requests %lu p50 %lu p99 %lu p999 %lu max %lu messages %lu p50 %lu p99 %lu p999 %lu max %lu renewed %lu errors %lu\n", name,
           r->n, quantile(r, .5), quantile(r, .99), quantile(r, .999), r->max, m->n, quantile(m, .5), quantile(m, .99), quantile(m, .999), m->max,
           renewed, errors);
    fflush(stdout);
    requests = messages = (times_t) { 0 };
}

static void
load(char **argv)
{
    crowd_t sockets, clients;
    char    name[64] = "first", line[64];

    address = local_port(argv[0]);
    n_hosts = (unsigned) strtoul(argv[5], NULL, 10);
    sockets = open_all(SOCKET, strtoul(argv[1], NULL, 10), strtod(argv[4], NULL), say);
    clients = open_all(CLIENT, strtoul(argv[2], NULL, 10), strtod(argv[3], NULL), ask);
    puts("open");
    fflush(stdout);
    sockets.due = clients.due = now();
    for (;;) {
        struct pollfd in = { .fd = 0, .events = POLLIN };

        drive(&clients, now());
        drive(&sockets, now());
        turn(1);
        if (poll(&in, 1, 0) == 1) {
            ssize_t n = read(0, line, sizeof(line) - 1);

            tell(name, &requests, &messages);
            if (n <= 0) {
                return;
            }
            line[n] = '\0';
            line[strcspn(line, "\n")] = '\0';
            (void) snprintf(name, sizeof(name), "%s", line);
            sockets.due = clients.due = now();
        }
    }
}

int
main(int argc, char **argv)
{
    ep = epoll_create1(0);
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        serve(argv[2]);
    }
    if (argc == 8 && strcmp(argv[1], "load") == 0 && strtoul(argv[7], NULL, 10) != 0) {
        load(argv + 2);
        return 0;
    }
    fprintf(stderr, "usage: churn serve PORT | churn load PORT WEBSOCKETS CLIENTS REQUESTS MESSAGES HOSTS\n");
    return 2;
}
