/*
 * pair.h - what the event tests share: socket pairs, loopback TCP pairs, descriptors in use.
 */
#ifndef WEIR_T_EVENT_PAIR_H
#define WEIR_T_EVENT_PAIR_H

#include "event/conn.h"

#include "tap.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#define MS(n) ((weir_msec_t) { (n) })

/* Turns until it is so, for what the kernel may tell in several edges; gives up after five seconds. */
#define PAIR_TURN_UNTIL(loop, cond)                                                               \
    for (time_t pair_end_ = time(NULL) + 5; !(cond) && time(NULL) <= pair_end_; ) {               \
        weir_loop_turn((loop), MS(100));                                                          \
    }

static inline void
pair_need(bool happened, const char *what)
{
    if (!happened) {
        perror(what);
        exit(2);
    }
}

static inline void
pair_unix(int fds[2])
{
    pair_need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "socketpair");
}

/* fds[0] connected, fds[1] accepted, both non-blocking. */
static inline void
pair_tcp(int fds[2])
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof(addr);
    int                listener = socket(AF_INET, SOCK_STREAM, 0);

    pair_need(bind(listener, (struct sockaddr *) &addr, len) == 0 && listen(listener, 1) == 0
              && getsockname(listener, (struct sockaddr *) &addr, &len) == 0, "listen");
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    pair_need(connect(fds[0], (struct sockaddr *) &addr, len) == 0, "connect");
    fds[1] = accept(listener, NULL, NULL);
    pair_need(fds[1] != -1, "accept");
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    close(listener);
}

static inline void
pair_put(int fd, const char *text)
{
    pair_need(write(fd, text, strlen(text)) == (ssize_t) strlen(text), "write");
}

/* Descriptors this process has open. */
static inline int
pair_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int  n = -3;    /* ".", ".." and the one of opendir */

    pair_need(dir != NULL, "opendir");
    while (readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n;
}

#endif
