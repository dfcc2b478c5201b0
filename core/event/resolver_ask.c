/*
 * resolver_ask.c - how a name is asked for: see resolver_name.h.
 *
 * A name that is looked up is asked of the servers in turn over UDP, both kinds of address at once, from a socket
 * that is opened for this question alone: its port is one more number that a forger would have to guess beside the two
 * ids and the case of the letters, all of them from the kernel's generator.  An answer that is cut comes again over
 * TCP, and so does one whose letters have another case than the question's: a forger cannot speak there, and a server
 * that has lost the case there, too, is asked in lower case for an hour.  One that does not understand EDNS is asked
 * without.  An answer that holds only an alias is followed by a question for that.  A server that says it cannot, or is
 * not there, gives way to the next at once; one kind of address does not wait for long for the other.
 *
 * Threat: a server sends without end.  So many messages are read from a socket and no more.
 */
#include "event/resolver_name.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/sock.h"
#include "os/sys.h"

#include <errno.h>
#include <string.h>

#define RESOLVE_AGAIN     ((weir_msec_t) { 1500 })    /* then the next server is asked */
#define RESOLVE_TRIES     32              /* of one name: a waiter has a limit of its own */
#define RESOLVE_HABITS    3600000         /* ms that is remembered what a server does not understand */
#define RESOLVE_TCP_MAX   65535
#define RESOLVE_MESSAGES  16              /* read from one socket; then it is given up */
#define RESOLVE_ALIASES   16              /* followed, one after another */

static void name_on_again(weir_timer_t *timer);
static void name_open(name_t *name);

/* What is asked for. */
static weir_str_t
half_text(const name_t *name, size_t i)
{
    return name->half[i].aliases != 0 ? weir_str(name->half[i].alias, name->half[i].alias_len) : name_text(name);
}

static weir_dns_question_t
half_question(const name_t *name, size_t i)
{
    const half_t *half = &name->half[i];
    weir_dns_question_t question = { .name = half_text(name, i), .type = half->type, .id = half->id,
                                     .is_plain = half->is_plain, .any_case = half->any_case };

    memcpy(question.upper, half->upper, sizeof(question.upper));
    return question;
}

/* What is known when the question goes to the server whose turn it is.  false: there is no randomness. */
static bool
half_draw(name_t *name, half_t *half)
{
    const weir_resolver_t *resolver = name->resolver;
    const server_habits_t *habits = &resolver->habits[name->server];
    uint64_t now = weir_clock_now().ms;

    half->is_plain = habits->has_no_edns.ms > now;
    half->any_case = !resolver->conf.keeps_case || habits->loses_case.ms > now;
    memset(half->upper, 0, sizeof(half->upper));
    return weir_sys_random(&half->id, sizeof(half->id)) == 0
           && (half->any_case || weir_sys_random(half->upper, sizeof(half->upper)) == 0);
}

/* -- asking -- */

void
weir_resolver_hang_up(name_t *name)
{
    if (name->udp_open) {
        int fd = name->udp.fd;
        weir_loop_forget(name->resolver->loop, &name->udp);
        weir_sys_close(fd);
        name->udp_open = false;
    }
    weir_conn_close(&name->tcp);
    weir_mem_free(name->tcp_in);
    name->tcp_in = NULL;
    name->tcp_len = name->n_messages = 0;
}

static bool
name_is_answered(const name_t *name)
{
    return (name->half[0].state == HALF_NONE || name->half[0].state == HALF_DONE)
           && (name->half[1].state == HALF_NONE || name->half[1].state == HALF_DONE);
}

/* An answer that leads to another name, and holds nothing of it: that is asked for. */
static bool
half_follow(name_t *name, half_t *half, const weir_dns_answer_t *answer)
{
    if (answer->n + answer->n_services != 0 || answer->alias_len == 0 || half->aliases == RESOLVE_ALIASES) {
        return false;
    }
    half->aliases++;
    weir_assert(half->state == HALF_WAITS || half->state == HALF_TCP);
    weir_assert(answer->alias_len <= sizeof(half->alias));
    half->alias_len = (uint8_t) answer->alias_len;
    memcpy(half->alias, answer->alias, answer->alias_len);
    half->ttl = answer->ttl;
    half->state = HALF_WAITS;
    name->has_alias = true;
    name->is_tcp_tried = false;
    return true;
}

static void
half_forget(half_t *half)
{
    weir_mem_free(half->found);
    half->found = NULL;
    half->n = 0;
}

static void
half_keep_addrs(half_t *half, const weir_dns_answer_t *answer)
{
    weir_addr_t *addrs = weir_mem_try((answer->n + 1) * sizeof(*addrs));

    half->found = addrs;
    for (size_t i = 0; addrs != NULL && i < answer->n; i++) {
        const weir_dns_address_t *from = &answer->at[i];
        weir_addr_t *to = &addrs[half->n++];

        weir_assert(from->len == 4 || from->len == 16);
        memset(to, 0, sizeof(*to));
        if (from->len == 4) {
            to->v4.sin_family = AF_INET;
            memcpy(&to->v4.sin_addr, from->bytes, 4);
            to->len = sizeof(to->v4);
        } else {
            to->v6.sin6_family = AF_INET6;
            memcpy(&to->v6.sin6_addr, from->bytes, 16);
            to->len = sizeof(to->v6);
        }
    }
}

/* Those with a target, which is behind the array. */
static void
half_keep_services(half_t *half, weir_str_t message, const weir_dns_answer_t *answer)
{
    size_t room = answer->n_services * (sizeof(weir_service_t) + WEIR_DNS_NAME_MAX + 2);
    weir_service_t *services = weir_mem_try(room + 1);
    char *texts = (char *) (services + answer->n_services);

    half->found = services;
    for (size_t i = 0; services != NULL && i < answer->n_services; i++) {
        const weir_dns_service_t *from = &answer->services[i];
        size_t len = weir_dns_read_host(message, from->target, texts);

        if (len != 0) {
            services[half->n++] = (weir_service_t) { from->priority, from->weight, from->port, weir_str(texts, len) };
            texts += len;
        }
    }
}

/* The server's answer over TCP has lost the case, too: it does so with all. */
static void
half_lost_case(name_t *name, half_t *half)
{
    server_habits_t *habits = &name->resolver->habits[name->server];
    char text[WEIR_ADDR_TEXT];

    half->any_case = true;
    habits->loses_case.ms = weir_clock_now().ms + RESOLVE_HABITS;
    if (!habits->is_told) {
        size_t n = weir_addr_text(&name->resolver->conf.servers[name->server], text);

        weir_log(WEIR_LOG_NOTICE, NULL, 0, "name server %.*s answers with other letters than those of the question: it "
                 "is asked in lower case", (int) n, text);
    }
    habits->is_told = true;
}

/* A half that the server could not answer is asked of the next one. */
static void
half_take(name_t *name, size_t i, weir_str_t message)
{
    half_t *half = &name->half[i];
    weir_dns_answer_t *answer = &name->resolver->answer;
    weir_dns_question_t question = half_question(name, i);
    weir_dns_result_t result;

    if (half->state != HALF_WAITS && half->state != HALF_TCP) {
        return;
    }
    answer->n = answer->n_services = answer->alias_len = 0;
    answer->ttl = half->ttl;
    answer->negative_ttl = 0;
    result = weir_dns_read_answer(message, &question, answer);
    if (result == WEIR_DNS_OTHER_CASE && half->state == HALF_TCP) {
        half_lost_case(name, half);
        question.any_case = true;
        result = weir_dns_read_answer(message, &question, answer);
    }
    switch (result) {
    case WEIR_DNS_OTHER: case WEIR_DNS_MALFORMED:
        return;                            /* a forger does not end the wait */
    case WEIR_DNS_OTHER_CASE: case WEIR_DNS_TRUNCATED:
        half->state = half->state == HALF_WAITS ? HALF_TCP : half->state;
        return;
    case WEIR_DNS_NO_EDNS:
        name->resolver->habits[name->server].has_no_edns.ms = weir_clock_now().ms + RESOLVE_HABITS;
        half->state = HALF_WAITS;
        name->asks_anew = true;
        return;
    case WEIR_DNS_FAILED:
        if (name->tries < name->resolver->conf.n) {
            name->is_refused = true;       /* the next server may know */
            return;
        }
        /* fall through */
    case WEIR_DNS_OK: case WEIR_DNS_NO_NAME:
        if (result == WEIR_DNS_OK && half_follow(name, half, answer)) {
            return;
        }
        half->ttl = answer->ttl;
        half->negative_ttl = answer->negative_ttl;
        half->result = result;
        half->state = HALF_DONE;
        half_forget(half);
        if (result == WEIR_DNS_OK && half->type == WEIR_DNS_SRV) {
            half_keep_services(half, message, answer);
        } else if (result == WEIR_DNS_OK) {
            half_keep_addrs(half, answer);
        }
        if (result == WEIR_DNS_OK && half->found == NULL) {
            half->result = WEIR_DNS_FAILED;           /* no memory */
        }
    }
}

/* What came is read: on to the end, to the next server, or to the next question. */
static void
name_go_on(name_t *name)
{
    bool is_refused = name->is_refused, asks_anew = name->has_alias || name->asks_anew;

    weir_assert(name->is_asked);
    name->is_refused = name->has_alias = name->asks_anew = false;
    if (name_is_answered(name)) {
        weir_resolver_over(name);
    } else if (is_refused && name->tries < name->resolver->conf.n) {
        name_on_again(&name->again);
    } else if (asks_anew) {
        name_open(name);
    } else if (name->half[0].state != HALF_WAITS && name->half[1].state != HALF_WAITS && !weir_conn_is_open(&name->tcp)
               && !name->is_tcp_tried) {
        name_open(name);                   /* what is left is for TCP */
    }
}

static void
name_on_udp(weir_watch_t *watch)
{
    name_t *name = weir_container_of(watch, name_t, udp);
    char room[4096];

    for ( ;; ) {
        ssize_t n = weir_sys_recv(watch->fd, room, sizeof(room), 0);
        if (n < 0) {
            watch->readable = false;
            name->is_refused = name->is_refused || (errno != EAGAIN && errno != EINTR);
            break;
        }
        half_take(name, 0, weir_str(room, (size_t) n));
        half_take(name, 1, weir_str(room, (size_t) n));
        if (++name->n_messages == RESOLVE_MESSAGES && !name_is_answered(name)) {      /* a forger's: another port */
            name_on_again(&name->again);
            return;
        }
        if (name->n_messages == RESOLVE_MESSAGES) {
            break;
        }
    }
    name_go_on(name);
}

/* -- TCP: both questions, their answers one after another, each behind its length -- */

static void
name_tcp_send(name_t *name)
{
    char room[2 * (2 + WEIR_DNS_QUERY_MAX)];
    struct iovec iov = { room, 0 };
    size_t sent;

    for (size_t i = 0; i < 2; i++) {
        if (name->half[i].state == HALF_TCP) {
            char *at = room + iov.iov_len;
            weir_dns_question_t question = half_question(name, i);
            size_t n = weir_dns_write_query(at + 2, &question);
            at[0] = (char) (n >> 8);
            at[1] = (char) n;
            iov.iov_len += n + 2;
        }
    }
    if (weir_conn_send(&name->tcp, &iov, 1, &sent) == WEIR_ERROR) {
        weir_conn_close(&name->tcp);
    }
}

/* All whole messages of what was received. */
static void
name_tcp_take(name_t *name)
{
    size_t at = 0;

    while (name->tcp_len - at >= 2 && name->n_messages < RESOLVE_MESSAGES) {
        const char *message = name->tcp_in + at;
        size_t n = (size_t) (unsigned char) message[0] << 8 | (unsigned char) message[1];

        if (name->tcp_len - at - 2 < n) {
            break;
        }
        half_take(name, 0, weir_str(message + 2, n));
        half_take(name, 1, weir_str(message + 2, n));
        at += 2 + n;
        name->n_messages++;
    }
    weir_assert(at <= name->tcp_len);
    name->tcp_len -= at;
    if (at != 0) {
        memmove(name->tcp_in, name->tcp_in + at, name->tcp_len);
    }
}

/* That server's TCP led nowhere: the next server's turn, now or with the timer. */
static void
name_tcp_failed(name_t *name)
{
    weir_assert(name->is_asked);
    weir_conn_close(&name->tcp);
    name->is_refused = true;
    name_go_on(name);
}

static void
name_on_tcp(weir_watch_t *watch)
{
    name_t *name = weir_container_of(watch, name_t, tcp.watch);
    size_t got;
    weir_io_t io = WEIR_OK;

    if (name->tcp_in == NULL) {            /* until now it was being connected */
        if (!watch->writable && !watch->failed) {
            return;
        }
        name->tcp_in = weir_mem_try(RESOLVE_TCP_MAX + 2);
        if (name->tcp_in == NULL || weir_sock_error(watch->fd) != 0) {
            name_tcp_failed(name);
            return;
        }
        name_tcp_send(name);
    }
    while (io == WEIR_OK && weir_conn_is_open(&name->tcp) && watch->readable) {
        io = weir_conn_recv(&name->tcp, name->tcp_in + name->tcp_len, RESOLVE_TCP_MAX + 2 - name->tcp_len, &got);
        if (io == WEIR_OK) {
            name->tcp_len += got;
            name_tcp_take(name);
        }
        if (name->tcp_len == RESOLVE_TCP_MAX + 2 || name->n_messages == RESOLVE_MESSAGES) {
            io = WEIR_ERROR;
        }
    }
    if (!name_is_answered(name) && !name->has_alias && (io == WEIR_EOF || io == WEIR_ERROR)) {
        name_tcp_failed(name);
        return;
    }
    name_go_on(name);
}

static void
name_open_tcp(name_t *name)
{
    bool done;
    int fd = weir_sock_connect(&name->resolver->conf.servers[name->server], &done);

    name->is_tcp_tried = true;
    weir_assert(!weir_conn_is_open(&name->tcp) && name->tcp_in == NULL);
    if (fd >= 0 && !weir_conn_open(&name->tcp, name->resolver->loop, fd, name_on_tcp)) {
        memset(&name->tcp, 0, sizeof(name->tcp));      /* the next server's turn comes with the timer */
    }
}

static void
name_open_udp(name_t *name)
{
    const weir_addr_t *server = &name->resolver->conf.servers[name->server];
    char room[WEIR_DNS_QUERY_MAX];
    int fd = weir_sys_socket(server->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || weir_sys_connect(fd, &server->any, server->len) != 0) {
        if (fd >= 0) {
            weir_sys_close(fd);
        }
        return;
    }
    memset(&name->udp, 0, sizeof(name->udp));
    if (!weir_loop_watch(name->resolver->loop, &name->udp, fd, name_on_udp)) {
        weir_sys_close(fd);
        return;
    }
    weir_assert(!name->udp_open && name->n_messages == 0);
    name->udp_open = true;
    for (size_t i = 0; i < 2; i++) {
        if (name->half[i].state == HALF_WAITS && half_draw(name, &name->half[i])) {
            weir_dns_question_t question = half_question(name, i);

            (void) weir_sys_send(fd, room, weir_dns_write_query(room, &question), 0);
        }
    }
}

static void
name_open(name_t *name)
{
    bool by_tcp = name->half[0].state != HALF_WAITS && name->half[1].state != HALF_WAITS;

    weir_assert(name->is_asked && !name_is_answered(name));
    weir_resolver_hang_up(name);
    weir_timer_set(name->resolver->loop, &name->again, RESOLVE_AGAIN, name_on_again);
    if (by_tcp) {
        name_open_tcp(name);
    } else {
        name_open_udp(name);
    }
}

/* There are addresses of one kind, and every server has let us wait for the other: it does not hold them up. */
static bool
name_is_enough(const name_t *name)
{
    return name->tries > weir_max(name->resolver->conf.n, (size_t) 2) && (name->half[0].n != 0 || name->half[1].n != 0);
}

/* What is not answered yet, of the server whose turn it is. */
static void
name_ask(name_t *name)
{
    weir_assert(name->is_asked && name->server < name->resolver->conf.n);
    name->is_tcp_tried = name->is_refused = name->has_alias = name->asks_anew = false;
    if (name->tries++ == RESOLVE_TRIES || name_is_enough(name)) {
        weir_resolver_over(name);
        return;
    }
    name_open(name);
}

/* The next server's turn. */
static void
name_on_again(weir_timer_t *timer)
{
    name_t *name = weir_container_of(timer, name_t, again);

    weir_assert(name->is_asked);
    for (size_t i = 0; i < 2; i++) {
        if (name->half[i].state == HALF_TCP) {
            name->half[i].state = HALF_WAITS;      /* that server's TCP led nowhere */
        }
    }
    name->server = (name->server + 1) % name->resolver->conf.n;
    name_ask(name);
}

void
weir_resolver_forget_found(name_t *name)
{
    half_forget(&name->half[0]);
    half_forget(&name->half[1]);
}

void
weir_resolver_ask(name_t *name)
{
    weir_resolver_t *resolver = name->resolver;

    weir_assert(!name->is_asked);
    name->is_asked = true;
    name->tries = 0;
    name->server = resolver->next_server++ % resolver->conf.n;
    weir_resolver_forget_found(name);
    name->half[0] = (half_t) { .state = resolver->conf.ipv4 || name->is_service ? HALF_WAITS : HALF_NONE,
                               .type = name->is_service ? WEIR_DNS_SRV : WEIR_DNS_A, .ttl = RESOLVE_TTL_MAX };
    name->half[1] = (half_t) { .state = resolver->conf.ipv6 && !name->is_service ? HALF_WAITS : HALF_NONE,
                               .type = WEIR_DNS_AAAA, .ttl = RESOLVE_TTL_MAX };
    name_ask(name);
}
