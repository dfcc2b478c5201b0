/*
 * resolver.c - see resolver.h.
 *
 * A name that is looked up is asked of the servers in turn over UDP, both kinds of address at once, from a socket
 * that is opened for this question alone: its port is one more number that a forger would have to guess beside the two
 * ids.  An answer that is cut comes again over TCP.  One that holds only an alias is followed by a question for that.
 * A server that says it cannot, or is not there, gives way to the next at once.
 *
 * Threat: a server sends without end.  So many messages are read from a socket and no more.
 *
 * Names live in a table of fixed size; when it is full the one that has not been asked for longest goes.
 */
#include "event/resolver.h"

#include "base/dns.h"
#include "base/mem.h"
#include "event/conn.h"
#include "os/clock.h"
#include "os/sock.h"
#include "os/sys.h"

#include <errno.h>
#include <string.h>

#define RESOLVE_NAMES     4096            /* remembered */
#define RESOLVE_BUCKETS   1024            /* a power of two */
#define RESOLVE_AGAIN     ((weir_msec_t) { 1500 })    /* then the next server is asked */
#define RESOLVE_TRIES     32              /* of one name: who waits has a limit of his own */
#define RESOLVE_NEGATIVE  1000            /* ms that "no such name" holds */
#define RESOLVE_TTL_MAX   86400           /* s */
#define RESOLVE_TCP_MAX   65535
#define RESOLVE_MESSAGES  16              /* read from one socket; then it is given up */
#define RESOLVE_ALIASES   16              /* followed, one after another */

typedef enum { HALF_NONE, HALF_WAITS, HALF_TCP, HALF_DONE } half_state_t;      /* of one kind of address */

typedef struct {
    half_state_t      state;
    uint16_t          id;
    uint8_t           aliases;            /* followed so far; the last is what is asked for: */
    uint8_t           alias_len;
    char              alias[WEIR_DNS_NAME_MAX];
    uint32_t          ttl;                /* the smallest of their answers */
    weir_dns_result_t result;
    weir_dns_answer_t answer;
} half_t;

typedef struct weir_name {
    weir_list_t        bucket, recent;
    weir_resolver_t   *resolver;
    weir_list_t        waiting;           /* weir_lookup_t */
    weir_addr_t       *addrs;
    size_t             n;
    weir_lookup_result_t result;
    weir_instant_t     until;             /* what is known holds; 0: nothing is */
    /* while it is asked for */
    /* of the server asked now; a half has come to one */
    bool               is_asked, is_tcp_tried, is_refused, has_alias;
    uint32_t           pins;              /* its users are told of changes and read addrs: it stays */
    half_t             half[2];           /* A, AAAA */
    weir_watch_t       udp;
    bool               udp_open;
    weir_conn_t        tcp;
    char              *tcp_in;
    size_t             tcp_len, n_messages;
    size_t             server;            /* the one asked now */
    uint32_t           tries;
    weir_timer_t       again;
    weir_task_t        told;
    size_t             text_len;
    char               text[];            /* lower case */
} name_t;

struct weir_resolver {
    weir_loop_t         *loop;
    weir_resolver_conf_t conf;
    weir_list_t          buckets[RESOLVE_BUCKETS], recent;      /* recent: newest first */
    size_t               n_names, next_server;
    uint64_t             seed;
};

static void name_on_again(weir_timer_t *timer);
static void name_open(name_t *name);
static void name_over(name_t *name);

static weir_dns_type_t
half_type(size_t i)
{
    return i == 0 ? WEIR_DNS_A : WEIR_DNS_AAAA;
}

static weir_str_t
name_text(const name_t *name)
{
    return weir_str(name->text, name->text_len);
}

/* What is asked for. */
static weir_str_t
half_text(const name_t *name, size_t i)
{
    return name->half[i].aliases != 0 ? weir_str(name->half[i].alias, name->half[i].alias_len) : name_text(name);
}

/* -- asking -- */

static void
name_close(name_t *name)
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
    if (answer->n != 0 || answer->alias_len == 0 || half->aliases == RESOLVE_ALIASES) {
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

/* A half that the server could not answer is asked of the next one. */
static void
half_take(name_t *name, size_t i, weir_str_t message)
{
    half_t *half = &name->half[i];
    weir_dns_answer_t answer = { .n = 0, .ttl = half->ttl };
    weir_dns_result_t result;

    if (half->state != HALF_WAITS && half->state != HALF_TCP) {
        return;
    }
    result = weir_dns_read_answer(message, half->id, half_text(name, i), half_type(i), &answer);
    switch (result) {
    case WEIR_DNS_OTHER: case WEIR_DNS_MALFORMED:
        return;                            /* a forger does not end the wait */
    case WEIR_DNS_TRUNCATED:
        if (half->state == HALF_WAITS) {
            half->state = HALF_TCP;
        }
        return;
    case WEIR_DNS_FAILED:
        if (name->tries < name->resolver->conf.n) {
            name->is_refused = true;       /* the next server may know */
            return;
        }
        /* fall through */
    case WEIR_DNS_OK: case WEIR_DNS_NO_NAME:
        if (result == WEIR_DNS_OK && half_follow(name, half, &answer)) {
            return;
        }
        half->answer = answer;
        half->result = result;
        half->state = HALF_DONE;
    }
}

/* What came is read: on to the end, to the next server, or to the next question. */
static void
name_go_on(name_t *name)
{
    bool is_refused = name->is_refused, has_alias = name->has_alias;

    weir_assert(name->is_asked);
    name->is_refused = name->has_alias = false;
    if (name_is_answered(name)) {
        name_over(name);
    } else if (is_refused && name->tries < name->resolver->conf.n) {
        name_on_again(&name->again);
    } else if (has_alias) {
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
            size_t n = weir_dns_write_query(at + 2, name->half[i].id, half_text(name, i), half_type(i));
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
        if (name->half[i].state == HALF_WAITS) {
            (void) weir_sys_random(&name->half[i].id, sizeof(name->half[i].id));
            (void) weir_sys_send(fd, room, weir_dns_write_query(room, name->half[i].id, half_text(name, i),
                                                                half_type(i)), 0);
        }
    }
}

static void
name_open(name_t *name)
{
    bool by_tcp = name->half[0].state != HALF_WAITS && name->half[1].state != HALF_WAITS;

    weir_assert(name->is_asked && !name_is_answered(name));
    name_close(name);
    weir_timer_set(name->resolver->loop, &name->again, RESOLVE_AGAIN, name_on_again);
    if (by_tcp) {
        name_open_tcp(name);
    } else {
        name_open_udp(name);
    }
}

/* What is not answered yet, of the server whose turn it is. */
static void
name_ask(name_t *name)
{
    weir_assert(name->is_asked && name->server < name->resolver->conf.n);
    name->is_tcp_tried = name->is_refused = name->has_alias = false;
    if (name->tries++ == RESOLVE_TRIES) {
        name_over(name);
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

static void
name_begin(name_t *name)
{
    weir_resolver_t *resolver = name->resolver;

    weir_assert(!name->is_asked);
    name->is_asked = true;
    name->tries = 0;
    name->server = resolver->next_server++ % resolver->conf.n;
    name->half[0] = (half_t) { .state = resolver->conf.ipv4 ? HALF_WAITS : HALF_NONE, .ttl = RESOLVE_TTL_MAX };
    name->half[1] = (half_t) { .state = resolver->conf.ipv6 ? HALF_WAITS : HALF_NONE, .ttl = RESOLVE_TTL_MAX };
    name_ask(name);
}

/* -- answered -- */

static size_t
name_take_half(name_t *name, const half_t *half, size_t n)
{
    for (size_t i = 0; half->state == HALF_DONE && half->result == WEIR_DNS_OK && i < half->answer.n; i++) {
        const weir_dns_address_t *from = &half->answer.at[i];
        weir_addr_t *to = &name->addrs[n++];
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
    return n;
}

static weir_lookup_result_t
name_result(const name_t *name)
{
    bool failed = false, has_said = false;

    if (name->n != 0) {
        return WEIR_LOOKUP_OK;
    }
    for (size_t i = 0; i < 2; i++) {
        has_said = has_said || name->half[i].state == HALF_DONE;
        failed = failed || (name->half[i].state == HALF_DONE && name->half[i].result == WEIR_DNS_FAILED);
    }
    return failed ? WEIR_LOOKUP_FAILED : has_said ? WEIR_LOOKUP_NO_NAME : WEIR_LOOKUP_TIMEOUT;
}

/* Who is told may look up other names, for which room is made: this one stays meanwhile. */
static void
name_tell_one(name_t *name, weir_lookup_t *lookup)
{
    weir_assert(!name->is_asked && (name->result == WEIR_LOOKUP_OK) == (name->n != 0));
    name->pins++;
    lookup->done(lookup, name->result, name->addrs, name->n);
    weir_assert(name->pins > 0);
    name->pins--;
}

static void
name_tell(name_t *name)
{
    while (!weir_list_empty(&name->waiting)) {
        weir_lookup_t *lookup = weir_list_entry(name->waiting.next, weir_lookup_t, link);

        weir_list_remove(&lookup->link);
        weir_timer_drop(&lookup->timer);
        lookup->name = NULL;
        name_tell_one(name, lookup);
    }
}

static void
name_on_told(weir_task_t *task)
{
    name_tell(weir_container_of(task, name_t, told));
}

static void
name_over(name_t *name)
{
    const weir_resolver_conf_t *conf = &name->resolver->conf;
    uint64_t ttl = UINT64_MAX;
    size_t n = 0;

    weir_assert(name->is_asked && name->pins == 0);     /* no user reads the addresses that go now */
    name_close(name);
    weir_timer_clear(&name->again);
    name->is_asked = false;
    for (size_t i = 0; i < 2; i++) {
        if (name->half[i].state == HALF_DONE && name->half[i].answer.n != 0) {
            n += name->half[i].answer.n;
            ttl = weir_min(ttl, (uint64_t) name->half[i].answer.ttl);
        }
    }
    weir_mem_free(name->addrs);
    name->addrs = n != 0 ? weir_mem_try(n * sizeof(*name->addrs)) : NULL;
    name->n = 0;
    if (name->addrs != NULL) {
        name->n = name_take_half(name, &name->half[1], name_take_half(name, &name->half[0], 0));
        weir_assert(name->n == n);
    }
    name->result = name_result(name);
    uint64_t holds = name->result != WEIR_LOOKUP_OK ? RESOLVE_NEGATIVE : conf->valid.ms != 0 ? conf->valid.ms
                     : weir_max(ttl, 1) * 1000;
    name->until.ms = weir_clock_now().ms + holds;
    weir_task_post(name->resolver->loop, &name->told, name_on_told);      /* who is told may ask again */
}

/* -- names -- */

static weir_list_t *
resolver_bucket(weir_resolver_t *resolver, weir_str_t text)
{
    return &resolver->buckets[weir_str_hash(text, resolver->seed) & (RESOLVE_BUCKETS - 1)];
}

static void
name_free(name_t *name)
{
    weir_assert(name->pins == 0 && weir_list_empty(&name->waiting) && name->resolver->n_names > 0);
    name_close(name);
    weir_timer_drop(&name->again);
    weir_task_cancel(&name->told);
    weir_list_remove(&name->bucket);
    weir_list_remove(&name->recent);
    name->resolver->n_names--;
    weir_mem_free(name->addrs);
    weir_mem_free(name);
}

/* Room for one more: the one asked for longest ago that has no waiter. */
static bool
resolver_make_room(weir_resolver_t *resolver)
{
    weir_assert(resolver->n_names <= RESOLVE_NAMES);
    if (resolver->n_names < RESOLVE_NAMES) {
        return true;
    }
    for (weir_list_t *l = resolver->recent.prev; l != &resolver->recent; l = l->prev) {
        name_t *name = weir_list_entry(l, name_t, recent);
        if (weir_list_empty(&name->waiting) && name->pins == 0) {
            name_free(name);
            return true;
        }
    }
    return false;
}

static name_t *
resolver_find(weir_resolver_t *resolver, weir_str_t text)
{
    weir_list_t *bucket = resolver_bucket(resolver, text);

    for (weir_list_t *l = bucket->next; l != bucket; l = l->next) {
        name_t *name = weir_list_entry(l, name_t, bucket);
        if (weir_str_eq(name_text(name), text)) {
            return name;
        }
    }
    return NULL;
}

static name_t *
resolver_get(weir_resolver_t *resolver, weir_str_t text)
{
    name_t *name = resolver_find(resolver, text);

    if (name == NULL) {
        name = resolver_make_room(resolver) ? weir_mem_try(sizeof(*name) + text.len) : NULL;
        if (name == NULL) {
            return NULL;
        }
        memset(name, 0, sizeof(*name));
        name->resolver = resolver;
        name->text_len = text.len;
        memcpy(name->text, text.at, text.len);
        weir_list_init(&name->waiting);
        weir_list_push(resolver_bucket(resolver, text), &name->bucket);
        resolver->n_names++;
    } else {
        weir_list_remove(&name->recent);
    }
    weir_list_push(&resolver->recent, &name->recent);
    return name;
}

static size_t
resolver_lower(weir_str_t text, char *out)
{
    if (text.len != 0 && text.at[text.len - 1] == '.') {
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        out[i] = weir_char_lower(text.at[i]);
    }
    return text.len;
}

/* Nobody waits any more: it is not asked for any longer. */
static void
name_maybe_stop(name_t *name)
{
    if (name->is_asked && weir_list_empty(&name->waiting)) {
        name_close(name);
        weir_timer_clear(&name->again);
        name->is_asked = false;
    }
}

/* -- from outside -- */

static void
lookup_on_timeout(weir_timer_t *timer)
{
    weir_lookup_t *lookup = weir_container_of(timer, weir_lookup_t, timer);
    name_t *name = lookup->name;

    weir_assert(name != NULL && weir_list_linked(&lookup->link));
    weir_list_remove(&lookup->link);
    lookup->name = NULL;
    name_maybe_stop(name);
    lookup->done(lookup, WEIR_LOOKUP_TIMEOUT, NULL, 0);
}

void
weir_resolver_lookup(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t text, weir_msec_t timeout,
                     void (*done)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs,
                                  size_t n))
{
    char lower[256];
    name_t *name;

    weir_assert(done != NULL && !weir_list_linked(&lookup->link));     /* a lookup asks for one name at a time */
    lookup->done = done;
    if (!weir_dns_is_name(text)) {
        done(lookup, WEIR_LOOKUP_NO_NAME, NULL, 0);
        return;
    }
    name = resolver_get(resolver, weir_str(lower, resolver_lower(text, lower)));
    if (name == NULL) {
        done(lookup, WEIR_LOOKUP_FAILED, NULL, 0);
        return;
    }
    if (!name->is_asked && name->until.ms > weir_clock_now().ms) {
        name_tell_one(name, lookup);
        return;
    }
    lookup->name = name;
    weir_list_append(&name->waiting, &lookup->link);
    weir_timer_set(resolver->loop, &lookup->timer, timeout, lookup_on_timeout);
    if (!name->is_asked) {
        name_begin(name);
    }
}

void
weir_resolver_cancel(weir_lookup_t *lookup)
{
    name_t *name = lookup->name;

    if (name != NULL) {
        weir_assert(weir_list_linked(&lookup->link));
        weir_list_remove(&lookup->link);
        lookup->name = NULL;
        name_maybe_stop(name);
    }
    weir_timer_drop(&lookup->timer);
}

weir_instant_t
weir_resolver_expires(const weir_resolver_t *resolver, weir_str_t text)
{
    char lower[256];
    const name_t *name;

    if (text.len > 254) {
        return (weir_instant_t) { 0 };
    }
    name = resolver_find((weir_resolver_t *) (uintptr_t) resolver, weir_str(lower, resolver_lower(text, lower)));
    return name != NULL ? name->until : (weir_instant_t) { 0 };
}

bool
weir_resolver_is(const weir_resolver_t *resolver, const weir_resolver_conf_t *conf)
{
    const weir_resolver_conf_t *its = &resolver->conf;

    if (its->n != conf->n || its->valid.ms != conf->valid.ms || its->ipv4 != conf->ipv4 || its->ipv6 != conf->ipv6) {
        return false;
    }
    for (size_t i = 0; i < conf->n; i++) {
        if (!weir_addr_eq(&its->servers[i], &conf->servers[i])) {
            return false;
        }
    }
    return true;
}

weir_resolver_t *
weir_resolver_create(weir_loop_t *loop, const weir_resolver_conf_t *conf)
{
    weir_resolver_t *resolver = weir_mem_need(sizeof(*resolver));

    weir_assert(conf->n != 0 && (conf->ipv4 || conf->ipv6));
    resolver->loop = loop;
    resolver->conf = *conf;
    resolver->seed = weir_random_seed(resolver);
    resolver->conf.servers = weir_mem_need(conf->n * sizeof(*conf->servers));
    memcpy(resolver->conf.servers, conf->servers, conf->n * sizeof(*conf->servers));
    for (size_t i = 0; i < RESOLVE_BUCKETS; i++) {
        weir_list_init(&resolver->buckets[i]);
    }
    weir_list_init(&resolver->recent);
    return resolver;
}

/* Names that upstream blocks follow are asked about until their generation ends, which may be after this. */
static void
name_forget_waiting(name_t *name)
{
    while (!weir_list_empty(&name->waiting)) {
        weir_lookup_t *lookup = weir_list_entry(name->waiting.next, weir_lookup_t, link);

        weir_list_remove(&lookup->link);
        weir_timer_drop(&lookup->timer);
        lookup->name = NULL;
    }
}

void
weir_resolver_destroy(weir_resolver_t *resolver)
{
    while (!weir_list_empty(&resolver->recent)) {
        name_t *name = weir_list_entry(resolver->recent.next, name_t, recent);

        name_forget_waiting(name);
        name_free(name);
    }
    weir_mem_free(resolver->conf.servers);
    weir_assert(resolver->n_names == 0);
    weir_mem_free(resolver);
}
