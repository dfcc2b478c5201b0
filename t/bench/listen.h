/*
 * listen.h - what the servers in t/bench begin with: a listening socket on 127.0.0.1, and the end when something cannot be.
 */
#ifndef T_BENCH_LISTEN_H
#define T_BENCH_LISTEN_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static inline void
die(const char *what)
{
    perror(what);
    exit(1);
}

static inline struct sockaddr_in
local_port(const char *text)
{
    return (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t) strtoul(text, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Non-blocking; what is accepted there has TCP_NODELAY. */
static inline int
listen_on(const char *port)
{
    struct sockaddr_in addr = local_port(port);
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0
        || bind(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0 || listen(fd, 1024) != 0)
    {
        die("listen");
    }
    return fd;
}

#endif
