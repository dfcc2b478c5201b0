/*
 * sink.c - where records go: files, standard error, syslog.
 *
 * Opened by the master and by each process that builds a generation, written by every process by itself.  Nothing here
 * waits: what cannot be written at once is dropped and counted.  Only weir_log_open for syslog allocates, and gives it
 * back. RFC 3164 for syslog.
 */
#include "log/files.h"

#include "base/buf.h"
#include "os/addr.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SINK_SYSLOG_PORT 514

uint64_t weir_log_dropped;

static void
sink_count_dropped(void)
{
    __atomic_fetch_add(&weir_log_dropped, 1, __ATOMIC_RELAXED);
}

/* --- opening --- */

static int
sink_open_path(weir_str_t path)
{
    char name[PATH_MAX];

    if (path.len == 0 || path.len >= sizeof(name)) {
        errno = path.len == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    memcpy(name, path.at, path.len);
    name[path.len] = '\0';
    return weir_file_open_log(name);
}

/* A pipe whose reader sleeps would stop the process: it is opened again for itself, where it does not wait. */
static int
sink_open_stderr(void)
{
    struct stat st;
    int         fd = -1;

    if (weir_sys_fstat(STDERR_FILENO, &st) == 0 && S_ISFIFO(st.st_mode)) {
        fd = weir_file_open_log("/dev/stderr");
    }
    return fd >= 0 ? fd : STDERR_FILENO;
}

static bool
sink_find_peer(weir_log_sink_t *sink, const char **why)
{
    weir_hostport_t hp;
    weir_arena_t    arena;
    weir_addrs_t    addrs;
    uint16_t        port;

    if (!weir_addr_parse_hostport(&hp, sink->path, why)) {
        return false;
    }
    if (hp.is_unix) {
        return weir_addr_from_unix(&sink->peer, hp.host);
    }
    if (hp.is_wildcard) {
        *why = "no host";
        return false;
    }
    port = hp.has_port ? hp.port : SINK_SYSLOG_PORT;
    weir_arena_init(&arena, 4096);
    addrs = weir_addr_lookup(&arena, hp.host, port, why);
    if (addrs.n != 0) {
        sink->peer = addrs.at[0];
    }
    weir_arena_fini(&arena);
    return addrs.n != 0;
}

/* Whether the daemon is there does not matter yet: each record tries again. */
static int
sink_open_syslog(weir_log_sink_t *sink, const char **why)
{
    int fd;

    errno = 0;
    if (!sink_find_peer(sink, why)) {
        return -1;
    }
    fd = weir_sys_socket(sink->peer.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *why = "socket() failed";
        return -1;
    }
    (void) weir_sys_connect(fd, &sink->peer.any, sink->peer.len);
    return fd;
}

bool
weir_log_open(weir_log_sink_t *sink, const char **why)
{
    switch (sink->kind) {
    case WEIR_LOG_TO_FILE:
        *why = "open() failed";
        sink->fd = sink_open_path(sink->path);
        break;
    case WEIR_LOG_TO_STDERR:
        sink->fd = sink_open_stderr();
        break;
    case WEIR_LOG_TO_SYSLOG:
        sink->fd = sink_open_syslog(sink, why);
        break;
    }
    sink->torn = false;
    return sink->fd >= 0;
}

/* The new file takes the old one's descriptor number at once: no record falls between. */
static void
sink_reopen(weir_log_sink_t *sink)
{
    int fd = sink_open_path(sink->path);

    weir_assert(sink->kind == WEIR_LOG_TO_FILE);
    if (fd < 0) {
        weir_log(WEIR_LOG_ERROR, NULL, errno, "open() \"%.*s\" failed", WEIR_STR_ARG(sink->path));
        return;
    }
    if (sink->fd < 0) {
        sink->fd = fd;
    } else {
        if (weir_sys_dup_over(fd, sink->fd) < 0) {
            weir_log(WEIR_LOG_ERROR, NULL, errno, "dup() of \"%.*s\" failed", WEIR_STR_ARG(sink->path));
        }
        (void) weir_sys_close(fd);
    }
    if (sink->torn) {
        sink->torn = false;
    }
}

void
weir_log_reopen(weir_log_sink_t *sinks)
{
    weir_log_sink_t *sink;

    for (sink = sinks; sink != NULL; sink = sink->next) {
        if (sink->kind == WEIR_LOG_TO_FILE) {
            sink_reopen(sink);
        }
    }
}

void
weir_log_close(weir_log_sink_t *sinks)
{
    weir_log_sink_t *sink;

    for (sink = sinks; sink != NULL; sink = sink->next) {
        if (sink->fd >= 0 && sink->fd != STDERR_FILENO) {
            (void) weir_sys_close(sink->fd);
        }
        sink->fd = -1;
    }
}

/* --- sending --- */

/* "Nov  2 22:41:03" from the error log's "2026/11/02 22:41:03". */
static void
sink_add_syslog_date(weir_buf_t *buf)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    weir_str_t        date = weir_clock_log_date();
    uint64_t          month;

    if (date.len < 19 || !weir_str_to_u64(weir_str(date.at + date.len - 14, 2), &month) || month < 1 || month > 12) {
        return;
    }
    date = weir_str_skip(date, date.len - 11);      /* "02 22:41:03" */
    weir_buf_add(buf, months + 3 * (month - 1), 3);
    weir_buf_add_char(buf, ' ');
    weir_buf_add_char(buf, date.at[0] == '0' ? ' ' : date.at[0]);
    weir_buf_add_str(buf, weir_str_skip(date, 1));
    weir_buf_add_char(buf, ' ');
}

/* RFC 3164 §4.1.2: the name without its domain. */
static void
sink_add_hostname(weir_buf_t *buf)
{
    static char   name[64];
    static size_t len;

    if (len == 0) {
        if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0' || name[0] == '.') {
            (void) snprintf(name, sizeof(name), "localhost");
        }
        for (; name[len] != '\0' && name[len] != '.' && name[len] != ' '; len++) {}
    }
    weir_buf_add(buf, name, len);
    weir_buf_add_char(buf, ' ');
}

static bool
sink_send_datagram(weir_log_sink_t *sink, weir_str_t bytes)
{
    weir_assert(sink->fd >= 0 && sink->kind == WEIR_LOG_TO_SYSLOG);
    if (weir_sys_send(sink->fd, bytes.at, bytes.len, MSG_DONTWAIT) >= 0) {
        return true;
    }
    if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) {
        return false;
    }
    /* The daemon was away or is a new one (or UDP tells of an earlier record): once more. */
    return weir_sys_connect(sink->fd, &sink->peer.any, sink->peer.len) == 0
        && weir_sys_send(sink->fd, bytes.at, bytes.len, MSG_DONTWAIT) >= 0;
}

static bool
sink_send_syslog(weir_log_sink_t *sink, weir_log_level_t level, weir_str_t record)
{
    char       room[WEIR_LOG_RECORD + 256];
    weir_buf_t buf;

    weir_buf_init(&buf, room, sizeof(room));
    weir_buf_printf(&buf, "<%d>", sink->facility * 8 + (int) level);
    sink_add_syslog_date(&buf);
    if (!sink->no_hostname) {
        sink_add_hostname(&buf);
    }
    weir_buf_add_str(&buf, sink->tag.len == 0 ? WEIR_STR("weir") : weir_str(sink->tag.at, weir_min(sink->tag.len, 64)));
    weir_buf_add_lit(&buf, ": ");
    weir_buf_add_str(&buf, record);
    return sink_send_datagram(sink, weir_buf_str(&buf));
}

/* One write() a record, so that records of many processes do not mix.  A part that was written is ended by the next
 * record's newline. */
static bool
sink_send_line(weir_log_sink_t *sink, weir_str_t record)
{
    char       room[WEIR_LOG_RECORD + 1];
    weir_buf_t buf;
    ssize_t    n;

    weir_assert(sink->fd >= 0 && record.len < WEIR_LOG_RECORD);
    weir_buf_init(&buf, room, sizeof(room));
    if (sink->torn) {
        weir_buf_add_char(&buf, '\n');
    }
    weir_buf_add_str(&buf, record);
    weir_buf_add_char(&buf, '\n');
    n = weir_sys_write(sink->fd, buf.at, weir_buf_len(&buf));
    if (n < 0) {
        return false;
    }
    if (weir_unlikely(sink->torn != ((size_t) n != weir_buf_len(&buf)))) {     /* else its page is not written to */
        sink->torn = !sink->torn;
    }
    return !sink->torn;
}

/* With the turn's others. */
static bool
sink_send_file(weir_log_sink_t *sink, weir_str_t record)
{
    static const weir_log_file_pace_t pace = { .size = WEIR_LOG_FILE_BUFFER };
    char line[WEIR_LOG_RECORD];

    weir_assert(record.len < WEIR_LOG_RECORD);
    memcpy(line, record.at, record.len);
    line[record.len] = '\n';
    weir_log_file_write(sink->file, weir_str(line, record.len + 1), &pace);
    return true;
}

void
weir_log_send(weir_log_sink_t *sink, weir_log_level_t level, weir_str_t record)
{
    int  saved = errno;
    bool sent = false;

    record.len = (size_t) weir_min(record.len, WEIR_LOG_RECORD - 1);
    if (sink->file != NULL) {
        sent = sink_send_file(sink, record);
    } else if (sink->fd >= 0) {
        sent = sink->kind == WEIR_LOG_TO_SYSLOG ? sink_send_syslog(sink, level, record) : sink_send_line(sink, record);
    }
    if (!sent) {
        sink_count_dropped();
    }
    errno = saved;
}
