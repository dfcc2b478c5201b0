/*
 * inherit.c - see inherit.h.  Runs in masters; the table is a few KiB in a fixed buffer.
 */
#include "proc/master/inherit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "event/wake.h"
#include "log/log.h"
#include "os/file.h"
#include "os/sys.h"
#include "proc/master/fragments_live.h"
#include "shm/zone.h"
#include "upstream/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INHERIT_BYTES (256 * 1024)
#define INHERIT_FDS   16384
#define INHERIT_CHANGES_MAX ((off_t) 256 * 1024 * 1024)

static struct {
    char  *text;                             /* heap; NULL: nothing is inherited */
    size_t len;
    int   *fds;                              /* heap, ascending */
    size_t n_fds;
    int    ready_fd;
    int    changes_fd, fragments_fd;         /* that were written; 0: none was */
} inherit = { .ready_fd = -1 };

static pid_t inherit_predecessor;            /* the master that started this one; 0: none did */

/* -- reading -- */

/* The next word of a line as a descriptor that is open. */
static bool
inherit_fd(weir_str_t *line, int *fd)
{
    weir_str_t word, rest;
    uint64_t   number;

    if (!weir_str_cut(*line, ' ', &word, &rest)) {
        rest = WEIR_STR_NONE;
    }
    if (!weir_str_to_u64(word, &number) || number < 3 || number > INT32_MAX || fcntl((int) number, F_GETFD) < 0) {
        return false;
    }
    *fd = (int) number;
    *line = rest;
    return true;
}

static bool
inherit_note(int fd)
{
    weir_assert(inherit.fds != NULL && inherit.n_fds <= INHERIT_FDS);
    if (inherit.n_fds == INHERIT_FDS) {
        return false;
    }
    inherit.fds[inherit.n_fds++] = fd;
    (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return true;
}

/* Calls each(what, line) for every line: "listen", "3 4 5". */
static bool
inherit_each(bool (*each)(weir_str_t what, weir_str_t rest, void *data), void *data)
{
    weir_str_t text = weir_str(inherit.text, inherit.len), line, what, rest;

    while (weir_str_cut(text, '\n', &line, &text)) {
        if (!weir_str_cut(line, ' ', &what, &rest) || !each(what, rest, data)) {
            return false;
        }
    }
    return text.len == 0;
}

static bool
inherit_check_line(weir_str_t what, weir_str_t rest, void *data WEIR_UNUSED)
{
    int fd;

    if (weir_str_eq(what, WEIR_STR("listen"))) {
        do {
            if (!inherit_fd(&rest, &fd) || !inherit_note(fd)) {
                return false;
            }
        } while (rest.len != 0);
        return true;
    }
    if (weir_str_eq(what, WEIR_STR("zone")) || weir_str_eq(what, WEIR_STR("bell"))
        || weir_str_eq(what, WEIR_STR("changes")) || weir_str_eq(what, WEIR_STR("fragments")))
    {
        return inherit_fd(&rest, &fd) && inherit_note(fd);
    }
    return weir_str_eq(what, WEIR_STR("ready")) && inherit_fd(&rest, &inherit.ready_fd)
        && inherit_note(inherit.ready_fd);
}

static int
inherit_compare(const void *a, const void *b)
{
    int x = *(const int *) a, y = *(const int *) b;

    return x < y ? -1 : x > y;
}

static bool
inherit_load(int fd)
{
    ssize_t n;

    weir_assert(inherit.text == NULL && inherit.fds == NULL);
    inherit.text = weir_mem_need(INHERIT_BYTES);
    inherit.fds = weir_mem_need(INHERIT_FDS * sizeof(int));
    n = weir_sys_pread(fd, inherit.text, INHERIT_BYTES, 0);
    (void) weir_sys_close(fd);
    inherit.len = n > 0 ? (size_t) n : 0;
    if (n <= 0 || n == INHERIT_BYTES || !inherit_each(inherit_check_line, NULL) || inherit.ready_fd < 0) {
        return false;
    }
    qsort(inherit.fds, inherit.n_fds, sizeof(int), inherit_compare);
    return true;
}

bool
weir_inherit_read(weir_error_t *error)
{
    const char *said = getenv(WEIR_INHERITED);
    uint64_t    fd;

    if (said == NULL) {
        return true;
    }
    if (!weir_str_to_u64(weir_str_from_z(said), &fd) || fd < 3 || fd > INT32_MAX || !inherit_load((int) fd)) {
        return weir_error_set(error, "the environment's " WEIR_INHERITED
                                     " is not what a running weir gives to the one it starts");
    }
    inherit_predecessor = getppid();
    (void) unsetenv(WEIR_INHERITED);
    return true;
}

bool
weir_inherit_has_predecessor(void)
{
    return inherit_predecessor != 0 && getppid() == inherit_predecessor;
}

bool
weir_inherit_is_under_way(void)
{
    return inherit.ready_fd >= 0;
}

const int *
weir_inherit_fds(size_t *n)
{
    *n = inherit.n_fds;
    return inherit.fds;
}

/* -- taking -- */

/* All that is in a memory file, which is closed; *text is weir_mem_free's.  false: it cannot be read. */
static bool
inherit_slurp(int fd, weir_str_t *text)
{
    struct stat st;
    char       *room = weir_sys_fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= INHERIT_CHANGES_MAX
                       ? weir_mem_try((size_t) st.st_size) : NULL;
    ssize_t     n = room != NULL ? weir_sys_pread(fd, room, (size_t) st.st_size, 0) : -1;

    (void) weir_sys_close(fd);
    *text = weir_str(room, n > 0 ? (size_t) n : 0);
    return n > 0 && n == st.st_size;
}

/* What cannot be read is as the configuration says it. */
static void
inherit_take_changes(int fd)
{
    weir_str_t text;

    if (!inherit_slurp(fd, &text) || !weir_changes_load(text)) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "what was changed of upstreams at run time cannot be taken over");
    }
    weir_mem_free((void *) (uintptr_t) text.at);
}

static void
inherit_take_fragments(int fd)
{
    weir_error_t error = { .text = "" };
    weir_str_t   text;

    if (!inherit_slurp(fd, &text) || !weir_fragments_live_inherit(text, &error)) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "fragments of the configuration cannot be taken over: %s", error.text);
    }
    weir_mem_free((void *) (uintptr_t) text.at);
}

static bool
inherit_zone_line(weir_str_t what, weir_str_t rest, void *data WEIR_UNUSED)
{
    int fd;

    if (weir_str_eq(what, WEIR_STR("zone")) && inherit_fd(&rest, &fd)) {
        weir_zones_adopt(rest, fd);
    } else if (weir_str_eq(what, WEIR_STR("bell")) && inherit_fd(&rest, &fd)) {
        weir_wake_adopt_bell(fd);
    } else if (weir_str_eq(what, WEIR_STR("changes")) && inherit_fd(&rest, &fd)) {
        inherit_take_changes(fd);
    } else if (weir_str_eq(what, WEIR_STR("fragments")) && inherit_fd(&rest, &fd)) {
        inherit_take_fragments(fd);
    }
    return true;
}

void
weir_inherit_zones(void)
{
    if (inherit.text != NULL) {
        (void) inherit_each(inherit_zone_line, NULL);
    }
}

static bool
inherit_socket_line(weir_str_t what, weir_str_t rest, void *data)
{
    int fd;

    while (weir_str_eq(what, WEIR_STR("listen")) && rest.len != 0 && inherit_fd(&rest, &fd)) {
        if (!weir_sockets_adopt(data, fd)) {
            return false;
        }
    }
    return true;
}

bool
weir_inherit_sockets(weir_sockets_t *sockets)
{
    return inherit.text == NULL || inherit_each(inherit_socket_line, sockets);
}

/* -- the end of it -- */

static void
inherit_free(void)
{
    weir_mem_free(inherit.text);
    weir_mem_free(inherit.fds);
    inherit.text = NULL;
    inherit.fds = NULL;
    inherit.n_fds = 0;
}

void
weir_inherit_forget(void)
{
    inherit_free();
    if (inherit.ready_fd >= 0) {
        (void) weir_sys_close(inherit.ready_fd);
        inherit.ready_fd = -1;
    }
}

void
weir_inherit_ready(void)
{
    if (inherit.ready_fd >= 0) {
        (void) weir_sys_write(inherit.ready_fd, "R", 1);
        weir_inherit_forget();
    }
}

void
weir_inherit_failed(const char *why)
{
    char said[1000];
    int  len;

    if (inherit.ready_fd < 0) {
        return;
    }
    len = snprintf(said, sizeof(said), "F%s", why);
    (void) weir_sys_write(inherit.ready_fd, said, weir_min((size_t) len, sizeof(said) - 1));
    weir_inherit_forget();                  /* the first word holds */
}

/* -- writing -- */

typedef struct { weir_buf_t out; int *fds; size_t n, cap; } inherit_writer_t;
typedef struct { int fd; bool good; } inherit_changes_t;

static void
inherit_add(inherit_writer_t *w, int fd)
{
    weir_assert(w->n <= w->cap);
    weir_buf_add_char(&w->out, ' ');
    weir_buf_add_u64(&w->out, (uint64_t) fd);
    if (w->n == w->cap) {
        w->out.full = true;
        return;
    }
    w->fds[w->n++] = fd;
}

static void
inherit_write_zone(void *data, weir_str_t label, int fd)
{
    inherit_writer_t *w = data;

    weir_buf_add_lit(&w->out, "zone");
    inherit_add(w, fd);
    weir_buf_add_char(&w->out, ' ');
    weir_buf_add_str(&w->out, label);
    weir_buf_add_char(&w->out, '\n');
}

static void
inherit_write_bell(void *data, int fd)
{
    inherit_writer_t *w = data;

    weir_buf_add_lit(&w->out, "bell");
    inherit_add(w, fd);
    weir_buf_add_char(&w->out, '\n');
}

static void
inherit_write_line(void *data, const char *line)
{
    inherit_changes_t *to = data;
    weir_str_t         text = weir_str_from_z(line);

    to->good = to->good && weir_file_write_all(to->fd, text) && weir_file_write_all(to->fd, WEIR_STR("\n"));
}

/* Only where there are any: a program of before does not know the word. */
static void
inherit_write_changes(inherit_writer_t *w)
{
    inherit_changes_t to = { .good = true };

    if (weir_changes_count() == 0) {
        return;
    }
    if (inherit.changes_fd > 0) {            /* of an upgrade that failed */
        (void) weir_sys_close(inherit.changes_fd);
    }
    to.fd = inherit.changes_fd = weir_sys_memfd("weir changes");
    if (to.fd < 0) {
        w->out.full = true;
        return;
    }
    weir_changes_each_line(inherit_write_line, &to);
    w->out.full = w->out.full || !to.good;
    weir_buf_add_lit(&w->out, "changes");
    inherit_add(w, to.fd);
    weir_buf_add_char(&w->out, '\n');
}

static void
inherit_write_fragments(inherit_writer_t *w)
{
    weir_error_t error = { .text = "" };
    char        *text;

    if (weir_fragments_live_table()->n == 0) {
        return;
    }
    if (inherit.fragments_fd > 0) {          /* of an upgrade that failed */
        (void) weir_sys_close(inherit.fragments_fd);
    }
    text = weir_fragments_live_text(&error);
    inherit.fragments_fd = text != NULL ? weir_sys_memfd("weir fragments") : -1;
    if (inherit.fragments_fd < 0 || !weir_file_write_all(inherit.fragments_fd, weir_str_from_z(text))) {
        w->out.full = true;
    } else {
        weir_buf_add_lit(&w->out, "fragments");
        inherit_add(w, inherit.fragments_fd);
        weir_buf_add_char(&w->out, '\n');
    }
    free(text);
}

static void
inherit_compose(inherit_writer_t *w, const weir_sockets_t *sockets, int ready_fd)
{
    for (size_t i = 0; i < sockets->n; i++) {
        if (weir_sockets_has_left(sockets->at[i])) {
            continue;
        }
        weir_buf_add_lit(&w->out, "listen");
        for (size_t k = 0; k < sockets->at[i]->n_fds; k++) {
            inherit_add(w, sockets->at[i]->fds[k]);
        }
        weir_buf_add_char(&w->out, '\n');
    }
    weir_zones_each(inherit_write_zone, w);
    weir_wake_each_bell(inherit_write_bell, w);
    inherit_write_changes(w);
    inherit_write_fragments(w);
    weir_buf_add_lit(&w->out, "ready");
    inherit_add(w, ready_fd);
    weir_buf_add_char(&w->out, '\n');
}

int
weir_inherit_write(const weir_sockets_t *sockets, int ready_fd, int **fds, size_t *n)
{
    inherit_writer_t w = { .fds = weir_mem_try(INHERIT_FDS * sizeof(int)), .cap = INHERIT_FDS - 1 };
    char            *room = weir_mem_try(INHERIT_BYTES);
    int              fd = room != NULL && w.fds != NULL ? weir_sys_memfd("weir inherited") : -1;
    bool             good = fd >= 0;

    if (good) {
        weir_buf_init(&w.out, room, INHERIT_BYTES - 1);
        inherit_compose(&w, sockets, ready_fd);
        good = !w.out.full && weir_sys_write(fd, room, weir_buf_len(&w.out)) == (ssize_t) weir_buf_len(&w.out);
    }
    weir_mem_free(room);
    if (!good) {
        if (fd >= 0) {
            (void) weir_sys_close(fd);
        }
        weir_mem_free(w.fds);
        return -1;
    }
    weir_assert(w.n < INHERIT_FDS);     /* one place was left for it */
    w.fds[w.n++] = fd;
    *fds = w.fds;
    *n = w.n;
    return fd;
}
