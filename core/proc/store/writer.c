/*
 * writer.c - the store's process: the only writer.  Commands of people come by a socket, counts come from zones;
 * both go to the disk in one transaction a turn, and only then are they answered.
 *
 * Once it has opened the files it runs as store_user, or as another user that is not the workers', which could kill it;
 * where there is none, as the workers' user.  It holds one write transaction at a time and reads nothing from the
 * network.
 */
#define _GNU_SOURCE 1

#include "proc/store/writer.h"

#include "base/mem.h"
#include "conf/core.h"
#include "log/log.h"
#include "os/addr.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/rights.h"
#include "proc/common/settings.h"
#include "proc/common/shared.h"
#include "proc/common/signals.h"
#include "store/command.h"
#include "store/conf.h"
#include "store/flush.h"
#include "store/hold.h"
#include "store/secure.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WRITER_EVENTS   64
#define WRITER_CLIENTS  64
#define WRITER_PENDING  256                 /* commands of one transaction */
#define WRITER_ORPHANED ((weir_msec_t) { 1500 })    /* workers count on for a second when the master has gone */

typedef struct writer writer_t;

typedef struct {
    weir_list_t  link;
    writer_t    *writer;
    weir_watch_t watch;
    bool         ended;                      /* it says no more */
    size_t       len;
    char         line[WEIR_STORE_LINE_MAX];
} writer_client_t;

typedef struct { writer_client_t *client; json_t *request, *answer; } writer_pending_t;

struct writer {
    const weir_writer_start_t *start;
    weir_settings_t            settings;
    const weir_store_conf_t   *conf;
    weir_loop_t               *loop;
    weir_store_db_t            db;
    weir_store_flush_t        *flush;
    weir_watch_t               listener;
    weir_list_t                clients;
    size_t                     n_clients;
    writer_pending_t           pending[WRITER_PENDING];
    size_t                     n_pending;
    weir_timer_t               timer, orphan_timer;
    weir_task_t                task;
    weir_store_hold_t          hold;
    uid_t                      starter;                   /* may ask, as root and the store's owner may */
    bool                       complained, done;
};

/* -- a transaction -- */

static void
writer_complain(writer_t *writer, int result)
{
    if (!writer->complained) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "the store cannot be written, workers go on with what they have: %s",
                 weir_store_strerror(&writer->db, result));
        writer->complained = true;
    }
}

static int
writer_fill(writer_t *writer, MDB_txn *txn, bool *is_empty)
{
    uint64_t now_s = weir_clock_wall_ms() / 1000;
    size_t   changes;
    int      result = 0;

    for (size_t i = 0; result == 0 && i < writer->n_pending; i++) {
        writer->pending[i].answer = weir_store_do(&writer->db, txn, writer->pending[i].request, now_s, &result);
    }
    if (result == 0) {
        result = weir_store_flush_put(writer->flush, &writer->db, txn, now_s, &changes);
        *is_empty = changes == 0 && writer->n_pending == 0;
    }
    return result;
}

static void
writer_forget_answers(writer_t *writer)
{
    for (size_t i = 0; i < writer->n_pending; i++) {
        json_decref(writer->pending[i].answer);
        writer->pending[i].answer = NULL;
    }
}

static void
writer_wait_for_hold(void)
{
    (void) nanosleep(&(struct timespec) { .tv_nsec = WEIR_STORE_HOLD_MS * 1000 * 1000 }, NULL);
}

/* Commands and counts, on the disk.  A result of LMDB's. */
static int
writer_try(writer_t *writer)
{
    MDB_txn *txn;
    bool     is_empty = true;
    int      result = weir_store_look(&writer->db);

    if (result != 0 || (result = weir_store_hold_go_on(&writer->hold, &writer->db, weir_clock_now().ms)) != 0
        || (result = mdb_txn_begin(writer->db.env, NULL, 0, &txn)) != 0)
    {
        return result;
    }
    result = writer_fill(writer, txn, &is_empty);
    if (result != 0 || is_empty) {
        mdb_txn_abort(txn);
    } else {
        result = mdb_txn_commit(txn);
    }
    if (result == 0) {
        weir_store_flush_done(writer->flush);
    }
    return result;
}

/* A store that is full may have room in a moment: what is held for workers.  Only after something was written, so not
 * for long nor again and again. */
static int
writer_write(writer_t *writer)
{
    int result = writer_try(writer);

    while (result == MDB_MAP_FULL && weir_store_hold_keeps(&writer->hold, &writer->db)) {
        writer_forget_answers(writer);
        writer_wait_for_hold();
        weir_clock_update();
        result = writer_try(writer);
    }
    return result;
}

static void
writer_answer(const weir_store_db_t *db, writer_pending_t *pending, int result)
{
    writer_client_t *client = pending->client;
    char            *text;
    size_t           len;

    weir_assert(client->writer != NULL && pending->request != NULL);
    if (result != 0) {
        json_decref(pending->answer);
        pending->answer = json_pack("{s:s}", "error", weir_store_strerror(db, result));
    }
    text = json_dumps(pending->answer, JSON_COMPACT);
    if (client->watch.fd >= 0 && text != NULL) {
        len = strlen(text);
        text[len] = '\n';                    /* in the place of the NUL */
        if (weir_sys_send(client->watch.fd, text, len + 1, 0) != (ssize_t) len + 1) {
            client->ended = true;            /* it does not read */
        }
        weir_mem_wipe(text, len);
    }
    free(text);
    json_decref(pending->request);
    json_decref(pending->answer);
}

static void
writer_free(writer_client_t *client)
{
    weir_assert(client->writer->n_clients > 0);
    if (client->watch.fd >= 0) {
        int fd = client->watch.fd;

        weir_loop_unwatch(client->writer->loop, &client->watch);
        (void) weir_sys_close(fd);
    }
    client->writer->n_clients--;
    weir_list_remove(&client->link);
    weir_mem_wipe(client->line, sizeof(client->line));
    weir_mem_free(client);
}

static void
writer_turn(writer_t *writer)
{
    int result = writer_write(writer);

    if (result != 0) {
        writer_complain(writer, result);
    } else {
        writer->complained = false;
    }
    for (size_t i = 0; i < writer->n_pending; i++) {
        writer_answer(&writer->db, &writer->pending[i], result);
    }
    writer->n_pending = 0;
    for (weir_list_t *at = writer->clients.next, *next; at != &writer->clients; at = next) {
        writer_client_t *client = weir_list_entry(at, writer_client_t, link);

        next = at->next;
        if (client->ended) {
            writer_free(client);
        }
    }
}

static void writer_cut_all(writer_t *writer);

static void
writer_on_task(weir_task_t *task)
{
    writer_t *writer = weir_container_of(task, writer_t, task);

    writer_turn(writer);
    writer_cut_all(writer);
}

static void
writer_on_timer(weir_timer_t *timer)
{
    writer_t *writer = weir_container_of(timer, writer_t, timer);

    writer_turn(writer);
    weir_timer_set(writer->loop, &writer->timer, writer->conf->flush, writer_on_timer);
}

/* -- commands -- */

static void
writer_take(writer_client_t *client, weir_str_t line)
{
    writer_t         *writer = client->writer;
    writer_pending_t *pending = &writer->pending[writer->n_pending++];
    json_error_t      why;

    weir_assert(writer->n_pending <= WRITER_PENDING);     /* with this one */
    *pending = (writer_pending_t) { .client = client,
                                   .request = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, &why) };
    if (pending->request == NULL) {
        pending->request = json_object();    /* no command: it is told so */
    }
    weir_task_post(writer->loop, &writer->task, writer_on_task);
}

/* Whole lines; what is left stays for the next. */
static void
writer_cut(writer_client_t *client)
{
    char  *from = client->line, *end = client->line + client->len, *newline;
    size_t left;

    weir_assert(client->len <= sizeof(client->line));
    while (client->writer->n_pending < WRITER_PENDING && (newline = memchr(from, '\n', (size_t) (end - from))) != NULL)
    {
        weir_str_t line = weir_str(from, (size_t) (newline - from));

        from = newline + 1;
        writer_take(client, line);
    }
    weir_assert(from <= end);
    left = (size_t) (end - from);
    memmove(client->line, from, left);
    weir_mem_wipe(client->line + left, client->len - left);
    client->len = left;
}

/* Those that wait are taken before anything else is read. */
static void
writer_cut_all(writer_t *writer)
{
    for (weir_list_t *at = writer->clients.next; at != &writer->clients; at = at->next) {
        writer_cut(weir_list_entry(at, writer_client_t, link));
    }
}

static void
writer_on_client(weir_watch_t *watch)
{
    writer_client_t *client = weir_container_of(watch, writer_client_t, watch);
    ssize_t          n;

    if (client->len == sizeof(client->line)) {
        return;                              /* whole lines wait for the next transaction */
    }
    n = weir_sys_recv(watch->fd, client->line + client->len, sizeof(client->line) - client->len, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n > 0) {
        client->len += (size_t) n;
        writer_cut(client);
    }
    /* a line without end */
    if (n <= 0 || (client->len == sizeof(client->line) && memchr(client->line, '\n', client->len) == NULL)) {
        client->ended = true;
        weir_task_post(client->writer->loop, &client->writer->task, writer_on_task);
    }
}

/* The system says which user is at the other end; the socket's mode alone would let in any process that it was handed
 * on to. */
static bool
writer_may_ask(const writer_t *writer, int fd)
{
    struct ucred peer;
    socklen_t    len = sizeof(peer);

    if (weir_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    if (peer.uid == 0 || peer.uid == writer->starter
        || (!writer->conf->owner.ignored && peer.uid == writer->conf->owner.uid))
    {
        return true;
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0,
             "process %d of user %u asked to change the store and was refused: it has no right to",
             (int) peer.pid, (unsigned) peer.uid);
    return false;
}

static void
writer_on_accept(weir_watch_t *watch)
{
    writer_t        *writer = weir_container_of(watch, writer_t, listener);
    writer_client_t *client;
    int              fd = weir_sys_accept(watch->fd, NULL, NULL);

    if (fd < 0) {
        return;
    }
    client = writer->n_clients < WRITER_CLIENTS && writer_may_ask(writer, fd) ? weir_mem_try(sizeof(*client)) : NULL;
    if (client != NULL) {
        memset(client, 0, offsetof(writer_client_t, line));
    }
    if (client == NULL || !weir_loop_watch_level(writer->loop, &client->watch, fd, writer_on_client, false)) {
        weir_mem_free(client);
        (void) weir_sys_close(fd);
        return;
    }
    client->writer = writer;
    weir_assert(writer->n_clients < WRITER_CLIENTS);
    weir_list_append(&writer->clients, &client->link);
    writer->n_clients++;
}

/* The one of before loses its name, not its clients.  Without a socket tools write to the file themselves. */
static void
writer_listen(writer_t *writer)
{
    char        path[PATH_MAX];
    weir_addr_t addr;
    int         fd = -1;
    mode_t      before;

    (void) snprintf(path, sizeof(path), "%s/" WEIR_STORE_SOCKET, writer->conf->path.text.at);
    writer->listener.fd = -1;
    if (!weir_addr_from_unix(&addr, weir_str_from_z(path))) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "the path \"%s\" is too long for a socket", path);
        return;
    }
    (void) weir_sys_unlink(path);
    before = umask(0177);
    fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || weir_sys_bind(fd, &addr.any, addr.len) != 0 || weir_sys_listen(fd, WRITER_CLIENTS) != 0
        || !weir_loop_watch_level(writer->loop, &writer->listener, fd, writer_on_accept, false))
    {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "the socket \"%s\" cannot be made", path);
        if (fd >= 0) {
            (void) weir_sys_close(fd);
        }
        writer->listener.fd = -1;
    }
    weir_store_secure_file(writer->conf->path.text.at, path, false);
    (void) umask(before);
}

/* -- life -- */

static void
writer_on_orphan_timer(weir_timer_t *timer)
{
    weir_container_of(timer, writer_t, orphan_timer)->done = true;
}

static void
writer_on_signal(void *data)
{
    writer_t *writer = data;

    if (weir_signals_take(WEIR_SIGNAL_TERM, NULL) || weir_signals_take(WEIR_SIGNAL_QUIT, NULL)) {
        if (getppid() == writer->start->master) {
            writer->done = true;
        } else if (writer->orphan_timer.deadline.ms == 0) {
            weir_timer_set(writer->loop, &writer->orphan_timer, WRITER_ORPHANED, writer_on_orphan_timer);
        }
    }
    if (weir_signals_take(WEIR_SIGNAL_USR1, NULL)) {         /* from a master whose user it is */
        weir_log_reopen(weir_core_sinks(writer->start->generation));
    }
}

static bool
writer_failed(const char *what)
{
    weir_log(WEIR_LOG_EMERG, NULL, errno, "%s", what);
    return false;
}

/* A user that was not named may not exist here (in a container that maps a few only): then the workers'. */
static bool
writer_change_user(const writer_t *writer, bool *is_workers, const char **why)
{
    const weir_store_conf_t *conf = writer->conf;
    weir_rights_user_t own = { .uid = conf->runs_as.uid,
                               .gid = conf->runs_as.gid,
                               .groups = conf->runs_as.groups,
                               .n_groups = conf->runs_as.n_groups };

    *is_workers = false;
    if (!conf->runs_as.ignored && (writer->settings.changes_user || !conf->owner.ignored)
        && weir_rights_drop(&own, why))
    {
        return true;
    }
    if (!conf->owner.ignored) {
        return false;
    }
    *is_workers = true;
    if (writer->settings.changes_user) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0,
                 "the store process runs as the workers' user, which can kill it: set store_user to another one");
    }
    return weir_rights_drop(writer->settings.changes_user ? &writer->settings.user : NULL, why);
}

/* One of the workers' user is closed to the debugger whatever they are: it holds the store open to write. */
static bool
writer_drop_rights(const writer_t *writer)
{
    const char *why = "";
    bool        is_workers;

    if (!writer_change_user(writer, &is_workers, &why)
        || !weir_rights_lock(writer->settings.may_dump && !is_workers, &why))
    {
        return writer_failed(why);
    }
    return weir_process_die_with_parent(SIGQUIT) || writer_failed("prctl(PR_SET_PDEATHSIG) failed");
}

/* The first one reads the whole file: one that is damaged ends it here, rather than workers later. */
static bool
writer_open(writer_t *writer, weir_error_t *error)
{
    weir_store_open_t how = {
        .path = writer->conf->path.text.at, .size = writer->conf->size.n, .writes = true, .waits = true
    };
    int               result = 0;

    if (!weir_store_open(&writer->db, &how, error)) {
        return false;
    }
    if ((result = weir_store_hold_begin(&writer->hold, &writer->db, weir_clock_now().ms)) != 0) {
        return weir_error_set(error, "the store in \"%s\" cannot be read: %s", how.path,
                              weir_store_strerror(&writer->db, result));
    }
    if (writer->start->ready_fd >= 0 && (result = weir_store_walk(&writer->db)) != 0) {
        return weir_error_set(error, "the store in \"%s\" cannot be read: %s", how.path,
                              weir_store_strerror(&writer->db, result));
    }
    return true;
}

static bool
writer_set_up(writer_t *writer)
{
    weir_error_t error = { .text = "" };

    weir_process_set_title("weir: store process");
    weir_process_set_environment(writer->settings.environment);
    weir_shared_in_store();
    writer->starter = geteuid();
    writer->loop = weir_loop_create(WRITER_EVENTS);
    if (writer->loop == NULL || !weir_signals_open(writer->loop, writer_on_signal, writer)) {
        return writer_failed("making the event loop failed");
    }
    if (!writer_open(writer, &error)) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
        return false;
    }
    writer_listen(writer);                 /* requests from now on wait for this one */
    if (writer->start->ready_fd < 0) {
        writer_wait_for_hold();             /* what workers look at was held by the one before, which has gone */
    }
    if (!writer_drop_rights(writer)) {
        return false;
    }
    writer->flush = weir_store_flush_create();
    writer_on_timer(&writer->timer);
    return true;
}

static void
writer_tear_down(writer_t *writer)
{
    weir_signals_close();
    weir_timer_drop(&writer->timer);
    weir_timer_drop(&writer->orphan_timer);
    weir_task_cancel(&writer->task);
    while (!weir_list_empty(&writer->clients)) {
        writer_free(weir_list_entry(writer->clients.next, writer_client_t, link));
    }
    if (writer->listener.fd >= 0) {
        int fd = writer->listener.fd;

        weir_loop_unwatch(writer->loop, &writer->listener);
        (void) weir_sys_close(fd);
    }
    if (writer->flush != NULL) {
        weir_store_flush_destroy(writer->flush);
    }
    weir_loop_destroy(writer->loop);
    weir_log_use(NULL);
    weir_log_close(weir_core_sinks(writer->start->generation));
    weir_generation_unref((weir_generation_t *) (uintptr_t) writer->start->generation);
    weir_shared_close();
    if (writer->start->ready_fd >= 0) {
        (void) weir_sys_close(writer->start->ready_fd);
    }
    weir_process_fini();
}

_Noreturn void
weir_writer_run(const weir_writer_start_t *start)
{
    static writer_t writer;
    bool            started;

    writer.start = start;
    writer.listener.fd = writer.db.lock_fd = -1;
    weir_list_init(&writer.clients);
    writer.conf = weir_store_conf(start->generation);
    weir_settings_read(&writer.settings, start->generation);
    started = writer_set_up(&writer);
    if (started && start->ready_fd >= 0) {
        (void) !weir_sys_write(start->ready_fd, "R", 1);
    }
    if (started && getppid() != start->master) {
        writer.done = true;
    }
    while (started && !writer.done) {
        weir_loop_turn(writer.loop, (weir_msec_t) { 3600 * 1000 });
    }
    if (started) {
        writer_turn(&writer);              /* what is left */
    }
    writer_tear_down(&writer);
    exit(started ? 0 : 1);
}
