/*
 * ask.c - see ask.h.
 */
#include "store/ask.h"

#include "base/mem.h"
#include "os/addr.h"
#include "os/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define ASK_PATIENCE_S 10

/* -- opening -- */

/* -1, with errno; *nobody: no process listens there. */
static int
ask_connect(const char *folder, bool *nobody)
{
    const struct timeval patience = { .tv_sec = ASK_PATIENCE_S };
    char                 path[PATH_MAX];
    weir_addr_t          addr;
    int                  fd;

    *nobody = true;
    if ((size_t) snprintf(path, sizeof(path), "%s/" WEIR_STORE_SOCKET, folder) >= sizeof(path)
        || !weir_addr_from_unix(&addr, weir_str_from_z(path)))
    {
        return -1;
    }
    fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {                           /* a process that is stuck holds no caller for ever */
        (void) weir_sys_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void) weir_sys_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    }
    if (fd >= 0 && weir_sys_connect(fd, &addr.any, addr.len) == 0) {
        return fd;
    }
    *nobody = errno == ENOENT || errno == ECONNREFUSED;
    if (fd >= 0) {
        int why = errno;

        (void) weir_sys_close(fd);
        errno = why;
    }
    return -1;
}

bool
weir_store_ask_open(weir_store_ask_t *ask, const char *path, uint64_t size, weir_error_t *error)
{
    struct stat st;
    bool        nobody;

    *ask = (weir_store_ask_t) { .fd = ask_connect(path, &nobody), .db = { .lock_fd = -1 } };
    if (ask->fd >= 0) {
        return true;
    }
    if (!nobody) {
        return weir_error_set(error, "the store process in \"%s\" cannot be asked: %s", path, strerror(errno));
    }
    if (weir_sys_stat(path, &st) != 0) {
        return weir_error_set(error, "the store in \"%s\" cannot be opened: %s", path, strerror(errno));
    }
    return weir_store_open(&ask->db, &(weir_store_open_t) { .path = path, .size = size, .writes = true }, error);
}

void
weir_store_ask_close(weir_store_ask_t *ask)
{
    if (ask->fd >= 0) {
        (void) weir_sys_close(ask->fd);
        ask->fd = -1;
    }
    weir_store_close(&ask->db);
}

/* -- of the process -- */

static bool
ask_send(int fd, const json_t *command, weir_error_t *error)
{
    char *text = json_dumps(command, JSON_COMPACT);
    bool  good = text != NULL;

    if (good) {
        size_t len = strlen(text);

        if (len >= WEIR_STORE_LINE_MAX) {
            good = weir_error_set(error, "a command has more than %d bytes", WEIR_STORE_LINE_MAX - 1);
        } else {
            text[len] = '\n';                /* in the place of the NUL */
            good = weir_sys_send(fd, text, len + 1, 0) == (ssize_t) len + 1
                   || weir_error_set(error, "asking the store process failed: %s", strerror(errno));
        }
        weir_mem_wipe(text, len);
    }
    free(text);
    return good;
}

/* One line; NULL with *error: the other side is gone, or it is no answer. */
static json_t *
ask_receive(weir_store_ask_t *ask, weir_error_t *error)
{
    char   *end;
    ssize_t n = 1;
    json_t *answer;

    while ((end = memchr(ask->line, '\n', ask->len)) == NULL && ask->len < sizeof(ask->line)
           && (n = weir_sys_read(ask->fd, ask->line + ask->len, sizeof(ask->line) - ask->len)) > 0)
    {
        ask->len += (size_t) n;
    }
    if (end == NULL) {
        (void) weir_error_set(error, "the store process did not answer: %s",
                              n == 0 ? "it has gone" : errno == EAGAIN ? "it is stuck" : strerror(errno));
        return NULL;
    }
    answer = json_loadb(ask->line, (size_t) (end - ask->line), 0, NULL);
    ask->len -= (size_t) (end + 1 - ask->line);
    memmove(ask->line, end + 1, ask->len);
    weir_mem_wipe(ask->line + ask->len, sizeof(ask->line) - ask->len);
    if (answer == NULL) {
        (void) weir_error_set(error, "the store process gave no answer that can be read");
    }
    return answer;
}

/* -- of the file -- */

static bool
ask_file(weir_store_db_t *db, json_t *const *commands, json_t **answers, size_t n, weir_error_t *error)
{
    uint64_t now_s = (uint64_t) time(NULL);
    MDB_txn *txn = NULL;
    int      result = mdb_txn_begin(db->env, NULL, 0, &txn);
    size_t   done = 0;

    while (result == 0 && done < n) {
        answers[done] = weir_store_do(db, txn, commands[done], now_s, &result);
        done++;
    }
    if (result == 0) {
        result = mdb_txn_commit(txn);
    } else if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    if (result == 0) {
        return true;
    }
    while (done > 0) {
        json_decref(answers[--done]);
    }
    return weir_error_set(error, "the store cannot be written: %s", weir_store_strerror(db, result));
}

bool
weir_store_ask(weir_store_ask_t *ask, json_t *const *commands, json_t **answers, size_t n, weir_error_t *error)
{
    size_t done = 0;
    bool   good = true;

    weir_assert(n <= WEIR_STORE_ASK_MAX);
    if (ask->fd < 0) {
        return ask_file(&ask->db, commands, answers, n, error);
    }
    for (size_t i = 0; good && i < n; i++) {
        good = ask_send(ask->fd, commands[i], error);
    }
    while (good && done < n) {
        answers[done] = ask_receive(ask, error);
        good = answers[done] != NULL;
        done += good;
    }
    while (!good && done > 0) {
        json_decref(answers[--done]);
    }
    return good;
}
