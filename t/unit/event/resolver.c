/*
 * resolver.c - names are looked up at name servers of this process: a full table, aliases that lead on, a server that
 * is bad, one that sends without end.
 */
#include "event/resolver.h"

#include "base/dns.h"
#include "event/conn.h"
#include "os/clock.h"
#include "pair.h"

#include <string.h>
#include <sys/socket.h>

#define SERVERS 2
#define NAMES   4096                     /* that the table holds */
#define MESSAGES 16                      /* read from one socket */

typedef enum { ANSWER_ADDRESS, ANSWER_ALIAS, ANSWER_CIRCLE, ANSWER_FAIL, ANSWER_NOTHING, ANSWER_TCP, ANSWER_GONE,
               ANSWER_LAST } manner_t;

typedef struct { int udp, tcp, accepted; manner_t manner; int asked; char last[256]; } server_t;
typedef struct { weir_lookup_t lookup; weir_lookup_result_t result; size_t n; bool is_told; weir_addr_t first, after;
                 } asker_t;

static weir_loop_t     *loop;
static weir_resolver_t *resolver;
static server_t         servers[SERVERS];
static weir_addr_t      addrs[SERVERS];
static asker_t          inner;
static bool             asks_more;

/* -- the servers -- */

/* One port for both, which the kernel chooses. */
static void
server_open(server_t *server, weir_addr_t *addr)
{
    for (int tries = 0; tries < 50; tries++) {
        memset(addr, 0, sizeof(*addr));
        addr->v4.sin_family = AF_INET;
        addr->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        addr->len = sizeof(addr->v4);
        server->accepted = -1;
        server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        pair_need(bind(server->udp, &addr->any, addr->len) == 0, "bind");
        pair_need(getsockname(server->udp, &addr->any, &addr->len) == 0, "getsockname");
        server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (bind(server->tcp, &addr->any, addr->len) == 0 && listen(server->tcp, 8) == 0) {
            return;
        }
        close(server->udp);
        close(server->tcp);
    }
    pair_need(false, "no port");
}

static size_t
question_end(const char *m)
{
    size_t at = 12;

    while (m[at] != 0) {
        at += (size_t) (unsigned char) m[at] + 1;
    }
    return at + 5;
}

static void
question_name(const char *m, char *out)
{
    size_t n = 0;

    for (size_t at = 12; m[at] != 0; at += (size_t) (unsigned char) m[at] + 1) {
        if (n != 0) {
            out[n++] = '.';
        }
        memcpy(out + n, m + at + 1, (size_t) (unsigned char) m[at]);
        n += (size_t) (unsigned char) m[at];
    }
    out[n] = '\0';
}

/* An answer to the question in m (its room has 512 bytes): its length. */
static size_t
server_answer(server_t *server, char *m)
{
    static const char address[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\7";
    static const char circle[] = "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1x\xc0\x0c";      /* x.NAME, whatever it is */
    size_t at = question_end(m);

    server->asked++;
    question_name(m, server->last);
    m[2] = (char) 0x81;
    m[3] = (char) (server->manner == ANSWER_FAIL ? 0x82 : 0x80);
    if (server->manner == ANSWER_TCP) {
        m[2] = (char) 0x83;
    }
    memset(m + 6, 0, 6);
    if (server->manner == ANSWER_ADDRESS || server->manner == ANSWER_LAST
        || (server->manner == ANSWER_ALIAS && strchr(server->last, '.') != NULL))
    {
        memcpy(m + at, address, sizeof(address) - 1);
        at += sizeof(address) - 1;
        m[7] = 1;
    } else if (server->manner == ANSWER_CIRCLE || server->manner == ANSWER_ALIAS) {
        memcpy(m + at, circle, sizeof(circle) - 1);
        at += sizeof(circle) - 1;
        m[7] = 1;
    }
    return at;
}

static void
server_work(server_t *server)
{
    static const char zeros[65536];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    char m[512];

    if (server->manner == ANSWER_GONE) {
        return;
    }
    while (recvfrom(server->udp, m, sizeof(m), 0, (struct sockaddr *) &from, &from_len) > 0) {
        if (server->manner != ANSWER_NOTHING) {
            size_t n = server_answer(server, m);
            for (int i = 1; server->manner == ANSWER_LAST && i < MESSAGES; i++) {
                (void) sendto(server->udp, "no answer", 9, 0, (struct sockaddr *) &from, from_len);
            }
            (void) sendto(server->udp, m, n, 0, (struct sockaddr *) &from, from_len);
        }
    }
    if (server->manner == ANSWER_LAST) {
        return;                              /* nobody speaks TCP */
    }
    if (server->accepted < 0) {
        server->accepted = accept(server->tcp, NULL, NULL);
    }
    while (server->accepted >= 0 && send(server->accepted, zeros, sizeof(zeros), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) { }
}

/* -- who asks -- */

static void
on_inner(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *found, size_t n)
{
    asker_t *asker = weir_container_of(lookup, asker_t, lookup);

    (void) found;
    asker->is_told = true;
    asker->result = result;
    asker->n = n;
}

static void
on_told(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *found, size_t n)
{
    asker_t *asker = weir_container_of(lookup, asker_t, lookup);

    asker->is_told = true;
    asker->result = result;
    asker->n = n;
    if (n != 0) {
        asker->first = found[0];
    }
    if (asks_more) {
        memset(&inner, 0, sizeof(inner));
        weir_resolver_lookup(resolver, &inner.lookup, WEIR_STR("another.name"), MS(5000), on_inner);
    }
    if (n != 0) {
        asker->after = found[0];
    }
}

static uint64_t
ask(asker_t *asker, weir_str_t name)
{
    weir_instant_t began = weir_clock_now();

    memset(asker, 0, sizeof(*asker));
    weir_resolver_lookup(resolver, &asker->lookup, name, MS(5000), on_told);
    for (int i = 0; i < 2000 && !asker->is_told; i++) {
        for (size_t k = 0; k < SERVERS; k++) {
            server_work(&servers[k]);
        }
        weir_loop_turn(loop, MS(5));
    }
    weir_resolver_cancel(&asker->lookup);
    return weir_clock_now().ms - began.ms;
}

static void
use_servers(size_t n, bool ipv6)
{
    weir_resolver_conf_t conf = { .servers = addrs, .n = n, .ipv4 = true, .ipv6 = ipv6 };

    if (resolver != NULL) {
        weir_resolver_destroy(resolver);
    }
    resolver = weir_resolver_create(loop, &conf);
    for (size_t i = 0; i < SERVERS; i++) {
        servers[i].asked = 0;
    }
}

/* -- what is proved -- */

static void
a_full_table(void)
{
    static asker_t asker;
    weir_lookup_t  other;
    char           name[32];

    use_servers(1, false);
    servers[0].manner = ANSWER_ADDRESS;
    (void) ask(&asker, WEIR_STR("oldest"));
    ok(asker.result == WEIR_LOOKUP_OK && asker.n == 1, "a name is found");
    for (int again = 0; again < 2; again++) {
        servers[0].manner = ANSWER_NOTHING;
        memset(&asker, 0, sizeof(asker));
        use_servers(1, false);
        servers[0].manner = ANSWER_ADDRESS;
        if (again == 1) {
            (void) ask(&asker, WEIR_STR("oldest"));          /* remembered: it is told from inside */
        } else {
            weir_resolver_lookup(resolver, &asker.lookup, WEIR_STR("oldest"), MS(5000), on_told);
        }
        for (int i = 0; i < NAMES - 1; i++) {
            memset(&other, 0, sizeof(other));
            int n = snprintf(name, sizeof(name), "name%d", i);
            weir_resolver_lookup(resolver, &other, weir_str(name, (size_t) n), MS(5000), on_inner);
            weir_resolver_cancel(&other);
        }
        asks_more = true;
        asker.is_told = false;
        if (again == 1) {
            memset(&asker, 0, sizeof(asker));
            weir_resolver_lookup(resolver, &asker.lookup, WEIR_STR("oldest"), MS(5000), on_told);
        }
        for (int i = 0; i < 2000 && !asker.is_told; i++) {
            server_work(&servers[0]);
            weir_loop_turn(loop, MS(5));
        }
        asks_more = false;
        ok(asker.is_told && asker.result == WEIR_LOOKUP_OK,
           again ? "a remembered name, the table is full" : "a name that is answered, the table is full");
        ok(asker.n == 1 && weir_addr_eq(&asker.first, &asker.after), "what is told stays while another name is begun");
        weir_resolver_cancel(&inner.lookup);
    }
}

static void
aliases(void)
{
    static asker_t asker;

    use_servers(1, true);
    servers[0].manner = ANSWER_ALIAS;
    (void) ask(&asker, WEIR_STR("alone"));
    ok(asker.result == WEIR_LOOKUP_OK, "an answer that holds only a CNAME is followed by a question");
    is_str(weir_str_from_z(servers[0].last), "x.alone", "for where it leads");
    use_servers(1, false);
    servers[0].manner = ANSWER_CIRCLE;
    (void) ask(&asker, WEIR_STR("round"));
    ok(asker.result == WEIR_LOOKUP_NO_NAME || asker.n == 0, "one that leads on for ever has no address");
    is_int(servers[0].asked, 17, "and is followed sixteen times");
}

static void
bad_servers(void)
{
    static asker_t asker;
    static const manner_t bad[] = { ANSWER_FAIL, ANSWER_GONE, ANSWER_TCP };
    static const char *const what[] = { "that fails", "that is not there", "that sends without end over TCP" };

    for (size_t i = 0; i < weir_countof(bad); i++) {
        use_servers(SERVERS, false);
        servers[0].manner = bad[i];
        servers[1].manner = ANSWER_ADDRESS;
        if (bad[i] == ANSWER_GONE) {
            close(servers[0].udp);
            close(servers[0].tcp);
        }
        uint64_t took = ask(&asker, WEIR_STR("found"));
        ok(asker.result == WEIR_LOOKUP_OK && asker.n == 1, what[i]);
        ok(took < 1000, "gives way to the next at once");
        if (bad[i] == ANSWER_GONE) {
            server_open(&servers[0], &addrs[0]);
        }
    }
}

static void
an_answer_behind_others(void)
{
    static asker_t asker;

    use_servers(1, false);
    servers[0].manner = ANSWER_LAST;
    uint64_t took = ask(&asker, WEIR_STR("behind.others"));
    ok(asker.result == WEIR_LOOKUP_OK && asker.n == 1, "an answer counts that is the last message read from a socket");
    ok(took < 1000 && accept(servers[0].tcp, NULL, NULL) < 0, "at once, and nobody is asked over TCP");
}

int
main(void)
{
    static weir_lookup_t waits;

    loop = weir_loop_create(64);
    for (size_t i = 0; i < SERVERS; i++) {
        server_open(&servers[i], &addrs[i]);
    }
    a_full_table();
    aliases();
    bad_servers();
    an_answer_behind_others();
    weir_resolver_lookup(resolver, &waits, WEIR_STR("nobody.answers"), MS(5000), on_inner);
    ok(waits.name != NULL, "somebody waits to the end");
    weir_resolver_destroy(resolver);
    ok(waits.name == NULL, "and has nothing to do with what is gone");
    weir_resolver_cancel(&waits);
    weir_loop_destroy(loop);
    return done();
}
