/*
 * answer.c - a backend that costs next to nothing, so that the proxy is what the load waits for: each head gets the same answer.
 *
 *     answer PORT BYTES           on 127.0.0.1; runs until killed
 *
 * It looks for the end of a head only, and takes no body.
 */
#define _GNU_SOURCE
#include "listen.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS    256
#define BYTES_MAX 65536

static char   answer[BYTES_MAX + 256];
static size_t answer_len;

static void
make_answer(size_t bytes)
{
    int head = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nServer: answer\r\nDate: Sun, 29 Nov 2026 12:00:00 GMT\r\n"
                        "Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n", bytes);

    for (size_t i = 0; i < bytes; i++) {
        answer[(size_t) head + i] = i % 64 == 63 ? '\n' : (char) ('a' + i % 26);
    }
    answer_len = (size_t) head + bytes;
}

static void
accept_one(int epoll, int listener)
{
    struct epoll_event event = { .events = EPOLLIN };

    event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (event.data.fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) != 0) {
        die("epoll_ctl");
    }
}

/* A head comes in one piece over loopback; what does not end one is more of it. */
static void
serve(int fd)
{
    char    room[65536];
    ssize_t n = recv(fd, room, sizeof(room), 0);

    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0 || (n >= 4 && memcmp(room + n - 4, "\r\n\r\n", 4) == 0
                   && send(fd, answer, answer_len, MSG_NOSIGNAL) != (ssize_t) answer_len))
    {
        close(fd);
    }
}

int
main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], listening = { .events = EPOLLIN };
    int                epoll = epoll_create1(0), listener;
    unsigned long      bytes = argc == 3 ? strtoul(argv[2], NULL, 10) : BYTES_MAX + 1;

    if (bytes > BYTES_MAX) {
        fprintf(stderr, "usage: answer PORT BYTES, at most %d\n", BYTES_MAX);
        return 2;
    }
    make_answer(bytes);
    listener = listen_on(argv[1]);
    listening.data.fd = listener;
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) != 0) {
        die("epoll");
    }
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) {
                accept_one(epoll, listener);
            } else {
                serve(events[i].data.fd);
            }
        }
    }
}
