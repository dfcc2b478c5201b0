/*
 * sockets.c - see sockets.h.
 *
 * Runs in the master (and in the only process of `master_process off`).  Allocates the table.
 */
#include "serve/sockets.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/sock.h"
#include "os/sys.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SOCKETS_TRIES   5
#define SOCKETS_TRY_MS  500
#define SOCKETS_BACKLOG 511
#define SOCKETS_LEAVES  600             /* ms: longer than workers accept on a socket that leaves (serve/accept.c) */
#define SOCKETS_KNOWN   10000           /* ms: so long a late worker may have one still, which is no stranger's */

/* -- one listener -- */

static void
sockets_close_listener(weir_listener_t *listener, bool unlink_path)
{
    for (size_t i = 0; i < listener->n_fds; i++) {
        (void) weir_sys_close(listener->fds[i]);
    }
    if (unlink_path && weir_addr_is_unix(&listener->addr) && listener->n_fds != 0
        && weir_sys_unlink(listener->addr.un.sun_path) != 0 && errno != ENOENT)
    {
        weir_log(WEIR_LOG_ERROR, NULL, errno, "unlink() \"%s\" failed", listener->addr.un.sun_path);
    }
    weir_mem_free(listener->fds);
    weir_mem_free(listener);
}

static weir_listener_t *
sockets_find(const weir_sockets_t *sockets, const weir_addr_t *addr)
{
    for (size_t i = 0; i < sockets->n; i++) {
        if (weir_addr_eq(&sockets->at[i]->addr, addr)) {
            return sockets->at[i];
        }
    }
    return NULL;
}

static weir_listener_t *
sockets_add(weir_sockets_t *sockets, const weir_addr_t *addr, const weir_listen_options_t *options)
{
    weir_listener_t *listener;

    weir_assert(sockets->n <= sockets->cap);
    if (sockets->n == sockets->cap) {
        size_t cap = weir_max(16, sockets->cap * 2);
        void  *grown = weir_mem_try_resize(sockets->at, cap * sizeof(*sockets->at));

        if (grown == NULL) {
            errno = ENOMEM;
            return NULL;
        }
        sockets->at = grown;
        sockets->cap = cap;
    }
    listener = weir_mem_need(sizeof(*listener));
    listener->addr = *addr;
    (void) weir_addr_text(&listener->addr, listener->text);
    listener->options = *options;
    sockets->at[sockets->n++] = listener;
    return listener;
}

static void
sockets_remove_at(weir_sockets_t *sockets, size_t i, bool unlink_path)
{
    weir_assert(i < sockets->n);
    sockets_close_listener(sockets->at[i], unlink_path);
    memmove(&sockets->at[i], &sockets->at[i + 1], (sockets->n - i - 1) * sizeof(*sockets->at));
    sockets->n--;
}

/* -- binding -- */

/*
 * SO_REUSEPORT lets any process of the same user in: a second instance would silently get half of the connections.  So
 * the address is first bound without it, which fails when another process listens there.  An address that overlaps with
 * one of ours (0.0.0.0:80 and 127.0.0.1:80) cannot be asked about that way.
 */
static bool
sockets_overlap(const weir_sockets_t *sockets, const weir_listener_t *listener)
{
    for (size_t i = 0; i < sockets->n; i++) {
        const weir_listener_t *other = sockets->at[i];

        if ((other->n_fds != 0 || weir_sockets_has_left(other)) && !weir_addr_is_unix(&other->addr)
            && weir_addr_port(&other->addr) == weir_addr_port(&listener->addr)
            && (weir_addr_is_wildcard(&other->addr) || weir_addr_is_wildcard(&listener->addr)
                || weir_addr_eq(&other->addr, &listener->addr)))
        {
            return true;
        }
    }
    return false;
}

static bool
sockets_is_free(const weir_listener_t *listener)
{
    const int on = 1, v6only = listener->options.ipv6_only;
    int       family = listener->addr.any.sa_family, saved;
    int       fd = weir_sys_socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool      bound;

    if (fd < 0) {
        return false;
    }
    bound = weir_sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0
        && (family != AF_INET6 || weir_sys_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) == 0)
        && (!listener->options.free_bind || weir_sock_set_freebind(fd, &listener->addr))
        && weir_sys_bind(fd, &listener->addr.any, listener->addr.len) == 0;
    saved = errno;
    (void) weir_sys_close(fd);
    errno = saved;
    return bound;
}

static bool
sockets_try(weir_sockets_t *sockets, weir_listener_t *listener)
{
    weir_listen_options_t options = listener->options;
    int                   fd;

    options.reuse_port = !weir_addr_is_unix(&listener->addr);
    if (options.reuse_port && !sockets_overlap(sockets, listener) && !sockets_is_free(listener)) {
        return false;
    }
    fd = weir_sock_listen(&listener->addr, &options);
    if (fd < 0) {
        return false;
    }
    listener->fds[listener->n_fds++] = fd;
    return true;
}

/* Opens one more, waiting for an instance that is just leaving when patient. */
static bool
sockets_open_one(weir_sockets_t *sockets, weir_listener_t *listener, bool patient, weir_error_t *error)
{
    const struct timespec pause = { .tv_nsec = SOCKETS_TRY_MS * 1000000L };

    for (int i = 0; i < (patient ? SOCKETS_TRIES : 1); i++) {
        if (sockets_try(sockets, listener)) {
            return true;
        }
        if (errno != EADDRINUSE || !patient) {
            return weir_error_set(error, "bind() to %s failed (%d: %s)", listener->text, errno, strerror(errno));
        }
        weir_log(WEIR_LOG_EMERG, NULL, errno, "bind() to %s failed", listener->text);
        (void) nanosleep(&pause, NULL);
        weir_clock_update();
    }
    return weir_error_set(error, "still could not bind() to %s (%d: %s)", listener->text, EADDRINUSE,
                          strerror(EADDRINUSE));
}

static bool
sockets_open_all(weir_sockets_t *sockets, weir_listener_t *listener, uint32_t workers, bool patient,
                 weir_error_t *error)
{
    size_t want = weir_addr_is_unix(&listener->addr) ? 1 : workers;
    int   *fds;

    if (listener->n_fds >= want) {
        return true;
    }
    fds = weir_mem_try_resize(listener->fds, want * sizeof(*fds));
    if (fds == NULL) {
        return weir_error_set(error, "no memory for the sockets of %s", listener->text);
    }
    listener->fds = fds;
    while (listener->n_fds < want) {
        if (!sockets_open_one(sockets, listener, patient, error)) {
            return false;
        }
    }
    return true;
}

/* -- changed options of an open socket: those that can change while it is bound -- */

static void
sockets_set(const weir_listener_t *listener, int level, int name, int was, int value)
{
    if (was == value) {
        return;
    }
    for (size_t i = 0; i < listener->n_fds; i++) {
        if (weir_sys_setsockopt(listener->fds[i], level, name, &value, sizeof(value)) != 0) {
            weir_log(WEIR_LOG_ALERT, NULL, errno, "setsockopt(%d, %d) of %s failed, ignored", level, name,
                     listener->text);
        }
    }
}

/* What cannot change while the socket is bound: it is as it was, and that is told. */
static void
sockets_tell_kept(const weir_listener_t *listener, const weir_listen_options_t *now)
{
    const weir_listen_options_t *was = &listener->options;
    int                          v6only = now->ipv6_only;
    socklen_t                    len = sizeof(v6only);
    const char                  *what = NULL;

    if (listener->addr.any.sa_family == AF_INET6
        && weir_sys_getsockopt(listener->fds[0], IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len) == 0
        && (v6only != 0) != now->ipv6_only)
    {
        what = "ipv6only";
    } else if ((was->rcvbuf != 0 && now->rcvbuf == 0) || (was->sndbuf != 0 && now->sndbuf == 0)) {
        what = was->rcvbuf != 0 && now->rcvbuf == 0 ? "rcvbuf" : "sndbuf";
    } else if ((was->keep_idle != 0 && now->keep_idle == 0) || (was->keep_interval != 0 && now->keep_interval == 0)
               || (was->keep_count != 0 && now->keep_count == 0))
    {
        what = "so_keepalive";
    }
    if (what != NULL) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "%s of %s stays as it was until the address is bound anew, at a restart", what,
                 listener->text);
    }
}

static void
sockets_retune(weir_listener_t *listener, const weir_listen_options_t *now)
{
    const weir_listen_options_t *was = &listener->options;
    bool                         tcp = !weir_addr_is_unix(&listener->addr);

    if (now->rcvbuf != 0) {
        sockets_set(listener, SOL_SOCKET, SO_RCVBUF, was->rcvbuf, now->rcvbuf);
    }
    if (now->sndbuf != 0) {
        sockets_set(listener, SOL_SOCKET, SO_SNDBUF, was->sndbuf, now->sndbuf);
    }
    if (tcp) {
        sockets_set(listener, SOL_SOCKET, SO_KEEPALIVE, was->keepalive, now->keepalive);
        sockets_set(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, was->defer_accept_s, now->defer_accept_s);
        sockets_set(listener, IPPROTO_TCP, TCP_FASTOPEN, was->fastopen, now->fastopen);
    }
    if (tcp && now->keep_idle != 0) {
        sockets_set(listener, IPPROTO_TCP, TCP_KEEPIDLE, was->keep_idle, now->keep_idle);
    }
    if (tcp && now->keep_interval != 0) {
        sockets_set(listener, IPPROTO_TCP, TCP_KEEPINTVL, was->keep_interval, now->keep_interval);
    }
    if (tcp && now->keep_count != 0) {
        sockets_set(listener, IPPROTO_TCP, TCP_KEEPCNT, was->keep_count, now->keep_count);
    }
    for (size_t i = 0; was->backlog != now->backlog && i < listener->n_fds; i++) {
        if (weir_sys_listen(listener->fds[i], now->backlog > 0 ? now->backlog : SOCKETS_BACKLOG) != 0) {
            weir_log(WEIR_LOG_ALERT, NULL, errno, "listen() of %s failed, ignored", listener->text);
        }
    }
    listener->options = *now;
}

/* -- those that leave -- */

bool
weir_sockets_has_left(const weir_listener_t *listener)
{
    return listener->left_at.ms != 0;
}

static bool
sockets_refuse(weir_listener_t *listener)
{
    for (size_t i = 0; i < listener->n_fds; i++) {
        if (!weir_sock_refuse_new(listener->fds[i])) {      /* some kernels allow it to root alone */
            weir_log(WEIR_LOG_INFO, NULL, errno, "setsockopt(SO_ATTACH_FILTER) of %s failed", listener->text);
            return false;
        }
    }
    return true;
}

static void
sockets_close_left(weir_listener_t *listener)
{
    while (listener->n_fds != 0) {
        (void) weir_sys_close(listener->fds[--listener->n_fds]);
    }
}

/* Where clients may connect still, we close before workers do: they take those. */
static void
sockets_leave(weir_listener_t *listener)
{
    listener->left_at = weir_clock_now();
    if (!listener->refuses) {
        sockets_close_left(listener);
    }
}

/* A generation listens there again: what was not closed yet is used on, and handed to workers as what is new is. */
static void
sockets_return(weir_listener_t *listener)
{
    for (size_t i = 0; i < listener->n_fds; i++) {
        if (!weir_sock_take_new(listener->fds[i])) {
            weir_log(WEIR_LOG_ALERT, NULL, errno, "setsockopt(SO_DETACH_FILTER) of %s failed", listener->text);
        }
    }
    listener->refuses = false;
    if (weir_sockets_has_left(listener)) {
        listener->left_at = (weir_instant_t) { 0 };
        listener->since = 0;
    }
}

void
weir_sockets_refuse_unused(weir_sockets_t *sockets, uint64_t serial)
{
    for (size_t i = 0; i < sockets->n; i++) {
        weir_listener_t *listener = sockets->at[i];

        if (listener->last != serial && !listener->refuses && !weir_addr_is_unix(&listener->addr)) {
            listener->refuses = sockets_refuse(listener);
        }
    }
}

void
weir_sockets_leave_unused(weir_sockets_t *sockets, uint64_t serial)
{
    for (size_t i = sockets->n; i-- != 0;) {
        weir_listener_t *listener = sockets->at[i];

        if (listener->last == serial || weir_sockets_has_left(listener)) {
            continue;
        }
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "no longer listening on %s", listener->text);
        if (weir_addr_is_unix(&listener->addr)) {
            sockets_remove_at(sockets, i, true);
        } else {
            sockets_leave(listener);
        }
    }
}

weir_msec_t
weir_sockets_close_left(weir_sockets_t *sockets)
{
    uint64_t now = weir_clock_now().ms, next = 0;

    for (size_t i = sockets->n; i-- != 0;) {
        weir_listener_t *listener = sockets->at[i];
        uint64_t         since = now - listener->left_at.ms, wait;

        if (!weir_sockets_has_left(listener)) {
            continue;
        }
        if (since >= SOCKETS_KNOWN) {
            sockets_remove_at(sockets, i, false);
            continue;
        }
        if (since >= SOCKETS_LEAVES) {
            sockets_close_left(listener);
        }
        wait = (since < SOCKETS_LEAVES ? SOCKETS_LEAVES : SOCKETS_KNOWN) - since;
        next = next == 0 ? wait : weir_min(next, wait);
    }
    return (weir_msec_t) { next };
}

/* -- all of a generation -- */

/* Where the address stands; in a fragment, which a person has not just written, the text says it too. */
static void
sockets_place(const weir_conf_words_t *words, weir_error_t *error)
{
    size_t len = strlen(error->text);

    if (words == NULL || words->file == NULL) {
        return;
    }
    (void) snprintf(error->file, sizeof(error->file), "%s", words->file);
    error->line = words->line;
    if (words->fragment != NULL) {
        (void) snprintf(error->fragment, sizeof(error->fragment), "%s", words->fragment);
        (void) snprintf(error->text + len, sizeof(error->text) - len, words->line != 0 ? " in %s:%u" : " in %s",
                        words->file, words->line);
    }
}

static bool
sockets_open_list(weir_sockets_t *sockets, weir_listens_t list, uint32_t workers, bool patient, bool only_fragments,
                  weir_error_t *error)
{
    for (size_t i = 0; i < list.n; i++) {
        weir_listener_t *listener = sockets_find(sockets, &list.at[i]->addr);

        if (only_fragments && (list.at[i]->words == NULL || list.at[i]->words->fragment == NULL)) {
            continue;
        }
        if (listener == NULL) {
            listener = sockets_add(sockets, &list.at[i]->addr, &list.at[i]->options);
        }
        if (listener == NULL) {
            return weir_error_set(error, "no memory for the sockets of %.*s", WEIR_STR_ARG(list.at[i]->text));
        }
        if (!sockets_open_all(sockets, listener, workers, patient, error)) {
            sockets_place(list.at[i]->words, error);
            return false;
        }
    }
    return true;
}

/* Sockets that were added to listeners of before stay: closing one would cost what waits in it by now. */
static void
sockets_undo(weir_sockets_t *sockets)
{
    for (size_t i = sockets->n; i-- != 0;) {
        if (sockets->at[i]->since == 0) {
            sockets_remove_at(sockets, i, true);
        }
    }
}

bool
weir_sockets_open(weir_sockets_t *sockets, const weir_generation_t *generation, uint32_t workers, bool patient,
                  weir_error_t *error)
{
    weir_listens_t list = weir_listens_of(generation);
    bool           opened = sockets_open_list(sockets, list, workers, patient, false, error);

    if (!opened) {
        sockets_undo(sockets);
    }
    for (size_t i = 0; opened && i < list.n; i++) {
        weir_listener_t *listener = sockets_find(sockets, &list.at[i]->addr);

        weir_assert(listener != NULL && listener->n_fds != 0);
        if (listener->refuses || weir_sockets_has_left(listener)) {
            sockets_return(listener);
        }
        sockets_tell_kept(listener, &list.at[i]->options);
        sockets_retune(listener, &list.at[i]->options);
        listener->last = generation->serial;
        if (listener->since == 0) {
            listener->since = generation->serial;
        }
    }
    return opened;
}

bool
weir_sockets_check(weir_sockets_t *sockets, const weir_generation_t *generation, uint32_t workers, bool patient,
                   bool only_fragments, weir_error_t *error)
{
    size_t before = sockets->n;
    bool   opens = sockets_open_list(sockets, weir_listens_of(generation), workers, patient, only_fragments, error);

    while (sockets->n > before) {
        sockets_remove_at(sockets, sockets->n - 1, true);
    }
    return opens;
}

bool
weir_sockets_adopt(weir_sockets_t *sockets, int fd)
{
    static const weir_listen_options_t unknown;
    weir_addr_t                        addr;
    weir_listener_t                   *listener;
    int                               *grown;

    if (!weir_sock_local(fd, &addr)) {
        return false;
    }
    listener = sockets_find(sockets, &addr);
    listener = listener != NULL ? listener : sockets_add(sockets, &addr, &unknown);
    grown = listener != NULL ? weir_mem_try_resize(listener->fds, (listener->n_fds + 1) * sizeof(int)) : NULL;
    if (grown == NULL) {
        errno = ENOMEM;
        return false;
    }
    listener->fds = grown;
    listener->fds[listener->n_fds++] = fd;
    return true;
}

void
weir_sockets_close_unused(weir_sockets_t *sockets, uint64_t serial)
{
    for (size_t i = sockets->n; i-- != 0;) {
        if (sockets->at[i]->last != serial) {
            weir_log(WEIR_LOG_NOTICE, NULL, 0, "no longer listening on %s", sockets->at[i]->text);
            sockets_remove_at(sockets, i, true);
        }
    }
}

bool
weir_sockets_are_shared(const weir_listener_t *listener)
{
    return weir_addr_is_unix(&listener->addr);
}

bool
weir_sockets_serves(const weir_listener_t *listener, size_t i, uint32_t index, uint32_t workers)
{
    weir_assert(workers != 0 && i < listener->n_fds);
    return weir_sockets_are_shared(listener) || i % workers == index;
}

void
weir_sockets_fini(weir_sockets_t *sockets, bool unlink_paths)
{
    while (sockets->n != 0) {
        sockets_remove_at(sockets, sockets->n - 1, unlink_paths);
    }
    weir_mem_free(sockets->at);
    *sockets = (weir_sockets_t) { 0 };
}
