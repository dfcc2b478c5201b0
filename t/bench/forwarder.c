/*
 * forwarder.c - the limit that a proxy can be measured against: one process that moves bytes between a client and its
 * own kept upstream connection and looks at none of them.  Two recv, two send and a share of an epoll_wait a request.
 *
 *     forwarder LISTEN-PORT UPSTREAM-PORT         both on 127.0.0.1; runs until killed
 *
 * Allocates one pair for each client connection.
 */
#define _GNU_SOURCE
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 256

typedef struct pair pair_t;

typedef struct {
    pair_t *pair;
    int     fd, peer;
} side_t;

struct pair {
    side_t  client, upstream;
    bool    gone;
    pair_t *next;           /* among the gone, until the events in hand are through */
};

static char    buffer[65536];
static pair_t *gone_pairs;

/* All of it, waiting where the socket is full: the measured messages are small and never are. */
static bool
send_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            struct pollfd ready = { .fd = fd, .events = POLLOUT };

            (void) poll(&ready, 1, 10000);
            continue;
        }
        if (n < 0) {
            return false;
        }
        at += n;
        len -= (size_t) n;
    }
    return true;
}

static void
close_pair(pair_t *pair)
{
    if (pair->gone) {
        return;
    }
    pair->gone = true;
    close(pair->client.fd);
    close(pair->upstream.fd);
    pair->next = gone_pairs;
    gone_pairs = pair;
}

static void
forward(side_t *side, uint32_t events)
{
    bool    ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    ssize_t n;

    if (side->pair->gone) {
        return;
    }
    do {
        n = recv(side->fd, buffer, sizeof(buffer), 0);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0 || !send_all(side->peer, buffer, (size_t) n)) {
            close_pair(side->pair);
            return;
        }
    } while (ending || (size_t) n == sizeof(buffer));    /* a short read says there is no more: no recv to learn it */
}

static void
watch(int epoll, side_t *side)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = side };
    int                on = 1;

    (void) setsockopt(side->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, side->fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void
accept_all(int epoll, int listener, const struct sockaddr_in *upstream)
{
    int client;

    while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int     fd = socket(AF_INET, SOCK_STREAM, 0);
        pair_t *pair = calloc(1, sizeof(*pair));

        if (fd < 0 || pair == NULL || connect(fd, (const struct sockaddr *) upstream, sizeof(*upstream)) != 0) {
            die("connect");
        }
        pair->client = (side_t) { pair, client, fd };
        pair->upstream = (side_t) { pair, fd, client };
        (void) fcntl(fd, F_SETFL, O_NONBLOCK);
        watch(epoll, &pair->client);
        watch(epoll, &pair->upstream);
    }
}

static void
free_gone(void)
{
    while (gone_pairs != NULL) {
        pair_t *pair = gone_pairs;

        gone_pairs = pair->next;
        free(pair);
    }
}

int
main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], listening = { .events = EPOLLIN };
    struct sockaddr_in upstream;
    int                epoll, listener;

    if (argc != 3) {
        fprintf(stderr, "usage: forwarder LISTEN-PORT UPSTREAM-PORT\n");
        return 2;
    }
    upstream = local_port(argv[2]);
    epoll = epoll_create1(0);
    listener = listen_on(argv[1]);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) != 0) {
        die("epoll");
    }

    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) {
                accept_all(epoll, listener, &upstream);
            } else {
                forward(events[i].data.ptr, events[i].events);
            }
        }
        free_gone();
    }
}
