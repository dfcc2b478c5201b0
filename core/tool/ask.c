/*
 * ask.c - see ask.h.  Runs in tools; blocks.
 */
#include "tool/ask.h"

#include "base/buf.h"
#include "base/mem.h"
#include "http/h1/parse.h"
#include "os/addr.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/master/control.h"
#include "tool/running.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define ASK_PATIENCE_S 90
#define ASK_ROOM       65536
#define ASK_ANSWER_MAX (128 * 1024 * 1024)

bool
weir_tool_ask_open(weir_tool_ask_t *ask, const weir_settings_t *settings)
{
    const struct timeval patience = { .tv_sec = ASK_PATIENCE_S };
    char        path[PATH_MAX + 16];
    weir_addr_t addr;
    pid_t       pid;

    *ask = (weir_tool_ask_t) { .fd = -1 };
    if (settings->control.path.len != 0) {
        (void) snprintf(path, sizeof(path), "%.*s", WEIR_STR_ARG(settings->control.path));
    } else {
        (void) snprintf(path, sizeof(path), "%.*s" WEIR_CONTROL_SUFFIX, WEIR_STR_ARG(settings->pid_file));
    }
    if (!weir_running_serving(settings->pid_file, &pid)) {
        return false;
    }
    if (weir_addr_from_unix(&addr, weir_str_from_z(path))) {
        ask->fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (ask->fd >= 0) {
        (void) weir_sys_setsockopt(ask->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void) weir_sys_setsockopt(ask->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    }
    if (ask->fd < 0 || weir_sys_connect(ask->fd, &addr.any, addr.len) != 0) {
        int failed = errno;

        if (weir_process_kill(pid, 0) != 0 && errno == ESRCH) {
            fprintf(stderr, "weir: process %d, which the pid file names, has ended: nothing runs with this "
                    "configuration\n", (int) pid);
            weir_tool_ask_close(ask);
            return false;
        }
        errno = failed;
        fprintf(stderr, "weir: the control socket \"%s\" of process %d cannot be asked: %s\n", path, (int) pid,
                strerror(errno));
        weir_tool_ask_close(ask);
        return false;
    }
    return true;
}

void
weir_tool_ask_close(weir_tool_ask_t *ask)
{
    if (ask->fd >= 0) {
        (void) weir_sys_close(ask->fd);
    }
    weir_mem_free(ask->in);
    *ask = (weir_tool_ask_t) { .fd = -1 };
}

/* -- requests -- */

static bool
ask_write(const weir_tool_ask_t *ask, const char *text, size_t len)
{
    while (len != 0) {
        ssize_t n = weir_sys_send(ask->fd, text, len, 0);

        if (n <= 0) {
            fprintf(stderr, "weir: asking the control socket failed: %s\n", strerror(errno));
            return false;
        }
        text += n;
        len -= (size_t) n;
    }
    return true;
}

bool
weir_tool_ask_path(char *path, size_t room, const char *text)
{
    size_t     len = strlen(path);
    weir_buf_t b;

    weir_buf_init(&b, path + len, room - len - 1);
    weir_buf_add_char(&b, '/');
    weir_buf_add_percent(&b, weir_str_from_z(text));
    *b.pos = '\0';
    return !b.full;
}

bool
weir_tool_ask_send(weir_tool_ask_t *ask, const char *method, const char *path, const json_t *body)
{
    char  *json = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL, *text;
    size_t len = json != NULL ? strlen(json) : 0, room = strlen(method) + strlen(path) + len + 200;
    int    n;
    bool   good;

    text = weir_mem_need(room);
    n = json != NULL ? snprintf(text, room, "%s %s HTTP/1.1\r\nHost: weir\r\nContent-Type: application/json\r\n"
                                "Content-Length: %zu\r\n\r\n%s", method, path, len, json)
                     : snprintf(text, room, "%s %s HTTP/1.1\r\nHost: weir\r\n\r\n", method, path);
    free(json);
    weir_assert(n > 0 && (size_t) n < room);
    good = ask_write(ask, text, (size_t) n);
    weir_mem_wipe(text, room);
    weir_mem_free(text);
    return good;
}

/* -- answers -- */

/* false: nothing more comes. */
static bool
ask_receive(weir_tool_ask_t *ask)
{
    ssize_t n;

    if (ask->len == ask->cap) {
        size_t cap = ask->cap != 0 ? ask->cap * 2 : ASK_ROOM;
        char  *grown = cap <= ASK_ANSWER_MAX ? weir_mem_try_resize(ask->in, cap) : NULL;

        if (grown == NULL) {
            return false;
        }
        ask->in = grown;
        ask->cap = cap;
    }
    n = weir_sys_recv(ask->fd, ask->in + ask->len, ask->cap - ask->len, 0);
    ask->len += n > 0 ? (size_t) n : 0;
    return n > 0;
}

/* Head and body of the next answer; *taken: bytes of both.  false: there is none. */
static bool
ask_find(weir_tool_ask_t *ask, weir_response_head_t *head, weir_str_t *body, weir_arena_t *arena)
{
    static const weir_h1_limits_t limits = { .max_line = 1024, .max_field = 16384, .max_head = 32768,
                                             .max_fields = 64 };
    weir_h1_scan_t        scan = { 0 };
    weir_h1_scan_result_t result;
    size_t                len;

    while ((result = weir_h1_scan(&scan, &limits, ask->in, ask->len, &len)) == WEIR_H1_MORE) {
        if (!ask_receive(ask)) {
            return false;
        }
    }
    if (result != WEIR_H1_DONE
        || weir_h1_parse_response(head, weir_str_dup(arena, weir_str(ask->in, len)), 64, arena) != WEIR_H1_OK
        || head->content_length > ASK_ANSWER_MAX)
    {
        return false;
    }
    while (ask->len < len + head->content_length) {
        if (!ask_receive(ask)) {
            return false;
        }
    }
    *body = weir_str(ask->in + len, head->content_length);
    return true;
}

/* A problem as an answer: "detail" is its "error". */
static json_t *
ask_turn_problem(json_t *problem, unsigned status)
{
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    if (detail != NULL) {
        (void) json_object_set(problem, "error", json_object_get(problem, "detail"));
    } else {
        (void) json_object_set_new(problem, "error", json_sprintf("the control socket answered %u", status));
    }
    (void) json_object_del(problem, "detail");
    (void) json_object_del(problem, "title");
    (void) json_object_del(problem, "status");
    return problem;
}

json_t *
weir_tool_ask_read(weir_tool_ask_t *ask)
{
    weir_response_head_t head = { .status = 0 };
    weir_str_t           body;
    weir_arena_t         arena;
    json_t              *answer = NULL;

    weir_arena_init(&arena, 4096);
    if (ask_find(ask, &head, &body, &arena)) {
        answer = json_loadb(body.at, body.len, 0, NULL);
        ask->len -= (size_t) (body.at + body.len - ask->in);
        memmove(ask->in, body.at + body.len, ask->len);
    }
    weir_arena_fini(&arena);
    if (answer == NULL) {
        fprintf(stderr, "weir: the control socket gave no answer: whether anything was changed is not known\n");
        return NULL;
    }
    return head.status >= 400 ? ask_turn_problem(answer, head.status) : answer;
}
