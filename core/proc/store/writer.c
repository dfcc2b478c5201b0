/*
 * writer.c - the store's process: the only writer.  Commands of people come by a socket, counts come from zones;
 * both go to the disk in one transaction a turn, and only then are they answered.
 *
 * Once it has opened the files it runs as store_user, or as another user that is not the workers', who could kill it;
 * where there is none, as theirs.  It holds one write transaction at a time and reads nothing from the network.
 */
#define _GNU_SOURCE 1

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
#include "proc/master/store_process.h"
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

#define PROCESS_EVENTS   64
#define PROCESS_CLIENTS  64
#define PROCESS_PENDING  256                 /* commands of one transaction */
#define PROCESS_ORPHANED ((weir_msec_t) { 1500 })    /* workers count on for a second when the master has gone */

typedef struct process process_t;

typedef struct {
    weir_list_t  link;
    process_t   *process;
    weir_watch_t watch;
    bool         ended;                      /* it says no more */
    size_t       len;
    char         line[WEIR_STORE_LINE_MAX];
} process_client_t;

typedef struct { process_client_t *client; json_t *request, *answer; } process_pending_t;

struct process {
    const weir_store_start_t *start;
    weir_settings_t           settings;
    const weir_store_conf_t  *conf;
    weir_loop_t              *loop;
    weir_store_db_t           db;
    weir_store_flush_t       *flush;
    weir_watch_t              listener;
    weir_list_t               clients;
    size_t                    n_clients;
    process_pending_t         pending[PROCESS_PENDING];
    size_t                    n_pending;
    weir_timer_t              timer, orphan_timer;
    weir_task_t               task;
    weir_store_hold_t         hold;
    uid_t                     starter;                   /* who may ask, beside root and the store's owner */
    bool                      complained, done;
};

/* -- a transaction -- */

static void
process_complain(process_t *process, int result)
{
    if (!process->complained) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "the store cannot be written, workers go on with what they have: %s", weir_store_strerror(&process->db, result));
        process->complained = true;
    }
}

static int
process_fill(process_t *process, MDB_txn *txn, bool *is_empty)
{
    uint64_t now_s = weir_clock_wall_ms() / 1000;
    size_t   changes;
    int      result = 0;

    for (size_t i = 0; result == 0 && i < process->n_pending; i++) {
        process->pending[i].answer = weir_store_do(&process->db, txn, process->pending[i].request, now_s, &result);
    }
    if (result == 0) {
        result = weir_store_flush_put(process->flush, &process->db, txn, now_s, &changes);
        *is_empty = changes == 0 && process->n_pending == 0;
    }
    return result;
}

static void
process_forget_answers(process_t *process)
{
    for (size_t i = 0; i < process->n_pending; i++) {
        json_decref(process->pending[i].answer);
        process->pending[i].answer = NULL;
    }
}

static void
process_wait_for_hold(void)
{
    (void) nanosleep(&(struct timespec) { .tv_nsec = WEIR_STORE_HOLD_MS * 1000 * 1000 }, NULL);
}

/* Commands and counts, on the disk.  A result of LMDB's. */
static int
process_try(process_t *process)
{
    MDB_txn *txn;
    bool     is_empty = true;
    int      result = weir_store_look(&process->db);

    if (result != 0 || (result = weir_store_hold_go_on(&process->hold, &process->db, weir_clock_now().ms)) != 0 || (result = mdb_txn_begin(process->db.env, NULL, 0, &txn)) != 0) {
        return result;
    }
    result = process_fill(process, txn, &is_empty);
    if (result != 0 || is_empty) {
        mdb_txn_abort(txn);
    } else {
        result = mdb_txn_commit(txn);
    }
    if (result == 0) {
        weir_store_flush_done(process->flush);
    }
    return result;
}

/* A store that is full may have room in a moment: what is held for workers.  Only after something was written, so not
 * for long nor again and again. */
static int
process_write(process_t *process)
{
    int result = process_try(process);

    while (result == MDB_MAP_FULL && weir_store_hold_keeps(&process->hold, &process->db)) {
        process_forget_answers(process);
        process_wait_for_hold();
        weir_clock_update();
        result = process_try(process);
    }
    return result;
}

static void
process_answer(const weir_store_db_t *db, process_pending_t *pending, int result)
{
    process_client_t *client = pending->client;
    char             *text;
    size_t            len;

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
process_free(process_client_t *client)
{
    if (client->watch.fd >= 0) {
        int fd = client->watch.fd;

        weir_loop_unwatch(client->process->loop, &client->watch);
        (void) weir_sys_close(fd);
    }
    client->process->n_clients--;
    weir_list_remove(&client->link);
    weir_mem_wipe(client->line, sizeof(client->line));
    weir_mem_free(client);
}

static void
process_turn(process_t *process)
{
    int result = process_write(process);

    if (result != 0) {
        process_complain(process, result);
    } else {
        process->complained = false;
    }
    for (size_t i = 0; i < process->n_pending; i++) {
        process_answer(&process->db, &process->pending[i], result);
    }
    process->n_pending = 0;
    for (weir_list_t *at = process->clients.next, *next; at != &process->clients; at = next) {
        process_client_t *client = weir_list_entry(at, process_client_t, link);

        next = at->next;
        if (client->ended) {
            process_free(client);
        }
    }
}

static void process_cut_all(process_t *process);

static void
process_on_task(weir_task_t *task)
{
    process_t *process = weir_container_of(task, process_t, task);

    process_turn(process);
    process_cut_all(process);
}

static void
process_on_timer(weir_timer_t *timer)
{
    process_t *process = weir_container_of(timer, process_t, timer);

    process_turn(process);
    weir_timer_set(process->loop, &process->timer, process->conf->flush, process_on_timer);
}

/* -- commands -- */

static void
process_take(process_client_t *client, weir_str_t line)
{
    process_t         *process = client->process;
    process_pending_t *pending = &process->pending[process->n_pending++];
    json_error_t       why;

    *pending = (process_pending_t) { .client = client, .request = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, &why) };
    if (pending->request == NULL) {
        pending->request = json_object();    /* no command: it is told so */
    }
    weir_task_post(process->loop, &process->task, process_on_task);
}

/* Whole lines; what is left stays for the next. */
static void
process_cut(process_client_t *client)
{
    char  *from = client->line, *end = client->line + client->len, *newline;
    size_t left;

    while (client->process->n_pending < PROCESS_PENDING && (newline = memchr(from, '\n', (size_t) (end - from))) != NULL) {
        weir_str_t line = weir_str(from, (size_t) (newline - from));

        from = newline + 1;
        process_take(client, line);
    }
    left = (size_t) (end - from);
    memmove(client->line, from, left);
    weir_mem_wipe(client->line + left, client->len - left);
    client->len = left;
}

/* Those that wait are taken before anything else is read. */
static void
process_cut_all(process_t *process)
{
    for (weir_list_t *at = process->clients.next; at != &process->clients; at = at->next) {
        process_cut(weir_list_entry(at, process_client_t, link));
    }
}

static void
process_on_client(weir_watch_t *watch)
{
    process_client_t *client = weir_container_of(watch, process_client_t, watch);
    ssize_t           n;

    if (client->len == sizeof(client->line)) {
        return;                              /* whole lines wait for the next transaction */
    }
    n = weir_sys_recv(watch->fd, client->line + client->len, sizeof(client->line) - client->len, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n > 0) {
        client->len += (size_t) n;
        process_cut(client);
    }
    if (n <= 0 || (client->len == sizeof(client->line) && memchr(client->line, '\n', client->len) == NULL)) {   /* a line without end */
        client->ended = true;
        weir_task_post(client->process->loop, &client->process->task, process_on_task);
    }
}

/* The system says who is at the other end; the socket's mode alone would let in whoever it was handed on to. */
static bool
process_may_ask(const process_t *process, int fd)
{
    struct ucred peer;
    socklen_t    len = sizeof(peer);

    if (weir_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    if (peer.uid == 0 || peer.uid == process->starter || (!process->conf->owner.ignored && peer.uid == process->conf->owner.uid)) {
        return true;
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0, "process %d of user %u asked for changes of the store, which it may not", (int) peer.pid, (unsigned) peer.uid);
    return false;
}

static void
process_on_accept(weir_watch_t *watch)
{
    process_t        *process = weir_container_of(watch, process_t, listener);
    process_client_t *client;
    int               fd = weir_sys_accept(watch->fd, NULL, NULL);

    if (fd < 0) {
        return;
    }
    client = process->n_clients < PROCESS_CLIENTS && process_may_ask(process, fd) ? weir_mem_try(sizeof(*client)) : NULL;
    if (client != NULL) {
        memset(client, 0, offsetof(process_client_t, line));
    }
    if (client == NULL || !weir_loop_watch_level(process->loop, &client->watch, fd, process_on_client, false)) {
        weir_mem_free(client);
        (void) weir_sys_close(fd);
        return;
    }
    client->process = process;
    weir_list_append(&process->clients, &client->link);
    process->n_clients++;
}

/* The one of before loses its name, not its clients.  Without a socket tools write to the file themselves. */
static void
process_listen(process_t *process)
{
    char        path[PATH_MAX];
    weir_addr_t addr;
    int         fd = -1;
    mode_t      before;

    (void) snprintf(path, sizeof(path), "%s/" WEIR_STORE_SOCKET, process->conf->path.text.at);
    process->listener.fd = -1;
    if (!weir_addr_from_unix(&addr, weir_str_from_z(path))) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "the path \"%s\" is too long for a socket", path);
        return;
    }
    (void) weir_sys_unlink(path);
    before = umask(0177);
    fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || weir_sys_bind(fd, &addr.any, addr.len) != 0 || weir_sys_listen(fd, PROCESS_CLIENTS) != 0
        || !weir_loop_watch_level(process->loop, &process->listener, fd, process_on_accept, false))
    {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "the socket \"%s\" cannot be made", path);
        if (fd >= 0) {
            (void) weir_sys_close(fd);
        }
        process->listener.fd = -1;
    }
    weir_store_secure_file(process->conf->path.text.at, path, false);
    (void) umask(before);
}

/* -- life -- */

static void
process_on_orphan_timer(weir_timer_t *timer)
{
    weir_container_of(timer, process_t, orphan_timer)->done = true;
}

static void
process_on_signal(void *data)
{
    process_t *process = data;

    if (weir_signals_take(WEIR_SIGNAL_TERM, NULL) || weir_signals_take(WEIR_SIGNAL_QUIT, NULL)) {
        if (getppid() == process->start->master) {
            process->done = true;
        } else if (process->orphan_timer.deadline.ms == 0) {
            weir_timer_set(process->loop, &process->orphan_timer, PROCESS_ORPHANED, process_on_orphan_timer);
        }
    }
    if (weir_signals_take(WEIR_SIGNAL_USR1, NULL)) {         /* from a master whose user it is */
        weir_log_reopen(weir_core_sinks(process->start->generation));
    }
}

static bool
process_failed(const char *what)
{
    weir_log(WEIR_LOG_EMERG, NULL, errno, "%s", what);
    return false;
}

/* A user that nobody named may be none here (in a container that maps a few only): then the workers'. */
static bool
process_change_user(const process_t *process, bool *is_workers, const char **why)
{
    const weir_store_conf_t *conf = process->conf;
    weir_rights_user_t       own = { .uid = conf->runs_as.uid, .gid = conf->runs_as.gid, .groups = conf->runs_as.groups, .n_groups = conf->runs_as.n_groups };

    *is_workers = false;
    if (!conf->runs_as.ignored && (process->settings.changes_user || !conf->owner.ignored) && weir_rights_drop(&own, why)) {
        return true;
    }
    if (!conf->owner.ignored) {
        return false;
    }
    *is_workers = true;
    if (process->settings.changes_user) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the store process runs as the workers' user, who can kill it: set store_user to another one");
    }
    return weir_rights_drop(process->settings.changes_user ? &process->settings.user : NULL, why);
}

/* One of the workers' user is closed to the debugger whatever they are: it holds the store open to write. */
static bool
process_drop_rights(const process_t *process)
{
    const char *why = "";
    bool        is_workers;

    if (!process_change_user(process, &is_workers, &why) || !weir_rights_lock(process->settings.may_dump && !is_workers, &why)) {
        return process_failed(why);
    }
    return weir_process_die_with_parent(SIGQUIT) || process_failed("prctl(PR_SET_PDEATHSIG) failed");
}

/* The first one reads the whole file: one that is damaged ends it here, rather than workers later. */
static bool
process_open(process_t *process, weir_error_t *error)
{
    weir_store_open_t how = { .path = process->conf->path.text.at, .size = process->conf->size.n, .writes = true, .waits = true };
    int               result = 0;

    if (!weir_store_open(&process->db, &how, error)) {
        return false;
    }
    if ((result = weir_store_hold_begin(&process->hold, &process->db, weir_clock_now().ms)) != 0) {
        return weir_error_set(error, "the store in \"%s\" cannot be read: %s", how.path, weir_store_strerror(&process->db, result));
    }
    if (process->start->ready_fd >= 0 && (result = weir_store_walk(&process->db)) != 0) {
        return weir_error_set(error, "the store in \"%s\" cannot be read: %s", how.path, weir_store_strerror(&process->db, result));
    }
    return true;
}

static bool
process_set_up(process_t *process)
{
    weir_error_t error = { .text = "" };

    weir_process_set_title("weir: store process");
    weir_process_set_environment(process->settings.environment);
    weir_shared_in_store();
    process->starter = geteuid();
    process->loop = weir_loop_create(PROCESS_EVENTS);
    if (process->loop == NULL || !weir_signals_open(process->loop, process_on_signal, process)) {
        return process_failed("making the event loop failed");
    }
    if (!process_open(process, &error)) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
        return false;
    }
    process_listen(process);                 /* who asks from now on waits for this one */
    if (process->start->ready_fd < 0) {
        process_wait_for_hold();             /* what workers look at was held by the one before, who has gone */
    }
    if (!process_drop_rights(process)) {
        return false;
    }
    process->flush = weir_store_flush_create();
    process_on_timer(&process->timer);
    return true;
}

static void
process_tear_down(process_t *process)
{
    weir_signals_close();
    weir_timer_drop(&process->timer);
    weir_timer_drop(&process->orphan_timer);
    weir_task_cancel(&process->task);
    while (!weir_list_empty(&process->clients)) {
        process_free(weir_list_entry(process->clients.next, process_client_t, link));
    }
    if (process->listener.fd >= 0) {
        int fd = process->listener.fd;

        weir_loop_unwatch(process->loop, &process->listener);
        (void) weir_sys_close(fd);
    }
    if (process->flush != NULL) {
        weir_store_flush_destroy(process->flush);
    }
    weir_loop_destroy(process->loop);
    weir_log_use(NULL);
    weir_log_close(weir_core_sinks(process->start->generation));
    weir_generation_unref((weir_generation_t *) (uintptr_t) process->start->generation);
    weir_shared_close();
    if (process->start->ready_fd >= 0) {
        (void) weir_sys_close(process->start->ready_fd);
    }
    weir_process_fini();
}

_Noreturn void
weir_store_process_run(const weir_store_start_t *start)
{
    static process_t process;
    bool             started;

    process.start = start;
    process.listener.fd = process.db.lock_fd = -1;
    weir_list_init(&process.clients);
    process.conf = weir_store_conf(start->generation);
    weir_settings_read(&process.settings, start->generation);
    started = process_set_up(&process);
    if (started && start->ready_fd >= 0) {
        (void) !weir_sys_write(start->ready_fd, "R", 1);
    }
    if (started && getppid() != start->master) {
        process.done = true;
    }
    while (started && !process.done) {
        weir_loop_turn(process.loop, (weir_msec_t) { 3600 * 1000 });
    }
    if (started) {
        process_turn(&process);              /* what is left */
    }
    process_tear_down(&process);
    exit(started ? 0 : 1);
}
