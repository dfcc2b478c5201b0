/*
 * ws.c - WebSocket load and its backend, for scripts/bench: messages of 128 bytes that come back, one at a time on each connection.
 *
 *     ws serve PORT
 *     ws load PORT CONNECTIONS SECONDS      prints "N messages", "percentiles: P50 P99 P99.9" in microseconds, and "N errors"
 *
 * Frames are masked by the load as RFC 6455 wants it (with a mask of zeros), and come back unmasked; nothing else of the protocol is here.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD 128
#define TO_SERVER (2 + 2 + 4 + PAYLOAD)     /* head, length in two bytes (126 says so), mask */
#define TO_CLIENT (2 + 2 + PAYLOAD)
#define SAMPLES 4000000

typedef struct { int fd; char in[4096]; size_t len; int open; double sent; } conn_t;

static float *samples;
static size_t n_samples;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
put(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n > 0) {
            at += n;
            len -= (size_t) n;
        } else if (errno != EAGAIN && errno != EINTR) {
            return;
        }
    }
}

static void
watch(int ep, conn_t *c)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    int one = 1;

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

/* The first empty line ends a head; its length, or 0. */
static size_t
head_len(const conn_t *c)
{
    const char *end = memmem(c->in, c->len, "\r\n\r\n", 4);

    return end ? (size_t) (end - c->in) + 4 : 0;
}

static void
drop(conn_t *c, size_t n)
{
    memmove(c->in, c->in + n, c->len - n);
    c->len -= n;
}

/* 1: something came · 0: the end */
static int
fill(conn_t *c)
{
    ssize_t n = read(c->fd, c->in + c->len, sizeof(c->in) - c->len);

    if (n <= 0) {
        return 0;
    }
    c->len += (size_t) n;
    return 1;
}

static void
serve(int port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int ep = epoll_create1(0), one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    conn_t listener = { .fd = fd };
    struct epoll_event events[256];

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0 || listen(fd, 4096) != 0) {
        perror("listen");
        exit(1);
    }
    watch(ep, &listener);
    for ( ;; ) {
        int n = epoll_wait(ep, events, 256, -1);
        for (int i = 0; i < n; i++) {
            conn_t *c = events[i].data.ptr;
            if (c == &listener) {
                conn_t *fresh = calloc(1, sizeof(*fresh));
                fresh->fd = accept(fd, NULL, NULL);
                watch(ep, fresh);
                continue;
            }
            if (!fill(c)) {
                close(c->fd);
                free(c);
                continue;
            }
            if (!c->open && head_len(c)) {
                static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                drop(c, head_len(c));
                c->open = 1;
                put(c->fd, answer, sizeof(answer) - 1);
            }
            while (c->open && c->len >= TO_SERVER) {
                char frame[TO_CLIENT] = { (char) 0x82, 126, 0, (char) PAYLOAD };
                memcpy(frame + 4, c->in + 8, PAYLOAD);
                drop(c, TO_SERVER);
                put(c->fd, frame, sizeof(frame));
            }
        }
    }
}

static void
ask(conn_t *c)
{
    static const char frame[TO_SERVER] = { (char) 0x82, (char) (0x80 | 126), 0, (char) PAYLOAD };

    c->sent = now();
    put(c->fd, frame, sizeof(frame));
}

static int
compare(const void *a, const void *b)
{
    float x = *(const float *) a, y = *(const float *) b;

    return x < y ? -1 : x > y;
}

static void
load(int port, int n_conns, double seconds)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    static const char hello[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    int ep = epoll_create1(0);
    unsigned long messages = 0, errors = 0;
    conn_t *conns = calloc((size_t) n_conns, sizeof(*conns));
    struct epoll_event events[256];
    double end = now() + seconds;

    samples = malloc(SAMPLES * sizeof(*samples));
    for (int i = 0; i < n_conns; i++) {
        conns[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(conns[i].fd, (struct sockaddr *) &addr, sizeof(addr)) != 0) {
            errors++;
            continue;
        }
        watch(ep, &conns[i]);
        put(conns[i].fd, hello, sizeof(hello) - 1);
    }
    while (now() < end && errors == 0) {
        int n = epoll_wait(ep, events, 256, 100);
        for (int i = 0; i < n; i++) {
            conn_t *c = events[i].data.ptr;
            if (!fill(c)) {
                errors++;
                epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
                continue;
            }
            if (!c->open) {
                size_t len = head_len(c);
                if (len == 0) {
                    continue;
                }
                if (memcmp(c->in, "HTTP/1.1 101", 12) != 0) {
                    errors++;
                }
                drop(c, len);
                c->open = 1;
                ask(c);
            }
            if (c->len >= TO_CLIENT) {
                drop(c, TO_CLIENT);
                messages++;
                if (n_samples < SAMPLES) {
                    samples[n_samples++] = (float) ((now() - c->sent) * 1e6);
                }
                ask(c);
            }
        }
    }
    printf("%lu messages\n", messages);
    if (errors != 0) {
        printf("%lu errors\n", errors);
    }
    if (n_samples != 0) {
        qsort(samples, n_samples, sizeof(*samples), compare);
        printf("percentiles: %.0f %.0f %.0f\n", (double) samples[n_samples / 2], (double) samples[n_samples * 99 / 100], (double) samples[n_samples * 999 / 1000]);
    }
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        serve(atoi(argv[2]));
    }
    if (argc == 5 && strcmp(argv[1], "load") == 0) {
        load(atoi(argv[2]), atoi(argv[3]), atof(argv[4]));
        return 0;
    }
    fprintf(stderr, "usage: ws serve PORT | ws load PORT CONNECTIONS SECONDS\n");
    return 2;
}
