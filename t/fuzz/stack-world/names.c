/*
 * names.c - the name server: keeps the questions it is asked until a step answers them, well or badly, over UDP and
 * TCP.
 */
#define _GNU_SOURCE 1

#include "world.h"

#include "upstream/resolver.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMES_QUESTIONS 16
#define NAMES_MESSAGE   512
#define NAMES_TCP       4
#define NAMES_TABLE     4096             /* names that a resolver remembers */

typedef struct {
    char               message[NAMES_MESSAGE];
    size_t             len;
    int                tcp;              /* its connection; -1: over UDP */
    struct sockaddr_in from;
} question_t;

static int        names_udp, names_listener, names_tcp[NAMES_TCP];
static question_t questions[NAMES_QUESTIONS];
static size_t     n_questions;
static unsigned   names_number;

unsigned
names_port(void)
{
    return names_number;
}

/* One number for both; false: it is taken for one of them. */
static bool
names_bind(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);

    names_udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    names_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(names_udp, (struct sockaddr *) &addr, len) != 0
        || getsockname(names_udp, (struct sockaddr *) &addr, &len) != 0
        || bind(names_listener, (struct sockaddr *) &addr, len) != 0 || listen(names_listener, 16) != 0)
    {
        close(names_udp);
        close(names_listener);
        return false;
    }
    names_number = ntohs(addr.sin_port);
    return true;
}

void
names_begin(void)
{
    for (int i = 0; i < NAMES_TCP; i++) {
        names_tcp[i] = -1;
    }
    for (int tries = 0; !names_bind(); tries++) {
        if (tries == 100) {
            world_fail("no port for the name server");
        }
    }
}

void
names_reset(void)
{
    char room[NAMES_MESSAGE];

    n_questions = 0;
    for (int i = 0; i < NAMES_TCP; i++) {
        if (names_tcp[i] >= 0) {
            close(names_tcp[i]);
            names_tcp[i] = -1;
        }
    }
    for (int fd; (fd = accept(names_listener, NULL, NULL)) >= 0; ) {
        close(fd);
    }
    while (recv(names_udp, room, sizeof(room), 0) >= 0) { }
}

static question_t *
names_room(void)
{
    return n_questions < NAMES_QUESTIONS ? &questions[n_questions] : NULL;
}

static void
names_tcp_turn(void)
{
    char drop[NAMES_MESSAGE + 2];

    for (int i = 0; i < NAMES_TCP; i++) {
        question_t *q = names_room();
        ssize_t n;
        if (names_tcp[i] < 0) {
            names_tcp[i] = accept4(names_listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        }
        if (names_tcp[i] < 0 || (n = recv(names_tcp[i], drop, sizeof(drop), 0)) < 0) {
            continue;
        }
        if (n == 0) {
            close(names_tcp[i]);
            names_tcp[i] = -1;
        } else if (q != NULL && n > 2) {
            q->len = (size_t) n - 2;                 /* of two in one, the rest is lost */
            q->tcp = i;
            memcpy(q->message, drop + 2, q->len);
            n_questions++;
        }
    }
}

void
names_turn(void)
{
    question_t *q;

    while ((q = names_room()) != NULL) {
        socklen_t len = sizeof(q->from);
        ssize_t n = recvfrom(names_udp, q->message, sizeof(q->message), 0, (struct sockaddr *) &q->from, &len);
        if (n < 0) {
            break;
        }
        q->len = (size_t) n;
        q->tcp = -1;
        n_questions++;
    }
    names_tcp_turn();
}

/* -- a full table -- */

static void
names_on_filled(weir_lookup_t *lookup WEIR_UNUSED, weir_lookup_result_t result WEIR_UNUSED,
                const weir_addr_t *addrs WEIR_UNUSED, size_t n WEIR_UNUSED)
{
}

/* Asked for and given up at once: nobody waits for them, and the names that were asked for before are the oldest. */
void
names_fill(void)
{
    weir_addr_t server = { .len = sizeof(server.v4) };
    weir_resolver_conf_t conf = { .servers = &server, .n = 1, .valid = { site_names_hold() * 1000 }, .ipv4 = true,
                                  .ipv6 = true };
    weir_resolver_t *resolver;
    char room[NAMES_MESSAGE];

    names_turn();
    server.v4.sin_family = AF_INET;
    server.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.v4.sin_port = htons((uint16_t) names_number);
    resolver = weir_resolver_of(world.http->groups, &conf);
    for (int i = 0; i < NAMES_TABLE - 1; i++) {
        weir_lookup_t lookup = { .name = NULL };
        char name[16];
        int n = snprintf(name, sizeof(name), "n%d.test", i);
        weir_resolver_lookup(resolver, &lookup, weir_str(name, (size_t) n), (weir_msec_t) { 5000 }, names_on_filled);
        weir_resolver_cancel(&lookup);
        if (i % 64 == 63) {
            while (recv(names_udp, room, sizeof(room), 0) >= 0) { }
        }
    }
    while (recv(names_udp, room, sizeof(room), 0) >= 0) { }
}

/* -- answering -- */

/* An address record of the question's name; which: the last byte. */
static size_t
names_record(char *out, char which, uint8_t ttl)
{
    static const char record[] = "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1";

    memcpy(out, record, 16);
    out[9] = (char) ttl;
    out[15] = which;
    return 16;
}

static size_t
names_message(char *out, const question_t *q, uint32_t how)
{
    size_t at = 12;
    uint16_t type;

    while (at < q->len && q->message[at] != 0) {
        at += (uint8_t) q->message[at] + 1;
    }
    at += 5;
    if (at > q->len) {
        return 0;
    }
    type = (uint16_t) (uint8_t) q->message[at - 3];
    memcpy(out, q->message, at);
    memcpy(out + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    switch (how & 7) {
    case 0: case 5:
        if (type == 1) {
            out[7] = 1;
            at += names_record(out + at, 1, (uint8_t) (how >> 3));
        }
        break;
    case 1: out[3] = (char) 0x83; break;
    case 2: out[3] = (char) 0x82; break;
    case 3: out[2] = (char) 0x83; break;              /* ask again over TCP */
    case 4:
        out[7] = 3;
        at += names_record(out + at, 1, 0);
        at += names_record(out + at, 2, 0);
        at += names_record(out + at, 3, 0);
        break;
    case 6: {
        weir_str_t bytes = world_take_bytes(100);
        out[7] = (char) (how >> 3);
        memcpy(out + at, bytes.at, bytes.len);
        at += bytes.len;
        break;
    }
    default: return 0;
    }
    return at;
}

void
names_answer(void)
{
    uint32_t how = world_take(1);
    char room[2 + NAMES_MESSAGE + 200];
    question_t q;
    size_t len;

    names_turn();
    if (n_questions == 0) {
        return;
    }
    q = questions[0];
    memmove(questions, questions + 1, --n_questions * sizeof(questions[0]));
    len = names_message(room + 2, &q, how);
    if (q.tcp < 0) {
        (void) !sendto(names_udp, room + 2, len, 0, (struct sockaddr *) &q.from, sizeof(q.from));
    } else if (names_tcp[q.tcp] >= 0) {
        room[0] = (char) (len >> 8);
        room[1] = (char) len;
        for (uint32_t i = how & 0x80 ? 50 : 1; i > 0; i--) {
            (void) !send(names_tcp[q.tcp], room, len + 2, MSG_NOSIGNAL);
        }
    }
}
