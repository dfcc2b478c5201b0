/*
 * commands_zones.c - what lies in shared memory.
 *
 * Workers write there, and a look at much of it takes its time: so not the master looks, but a child that it forks for
 * each question, which says what it found and ends.  It is killed when it does not.  In the single process it is that
 * itself.
 */
#include "proc/master/commands.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/signals.h"
#include "shm/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONES_PATIENCE ((weir_msec_t) { 20000 })
#define ZONES_ANSWER   (16 * 1024 * 1024)
#define ZONES_LOOKS    4                     /* children at one time */

typedef struct {
    weir_list_t  link;
    weir_watch_t watch;
    weir_timer_t timer;
    weir_call_t *call;
    pid_t        pid;
    char        *text;
    size_t       len, cap;
} zones_look_t;

static weir_list_t zones_looks = { &zones_looks, &zones_looks };
static unsigned    zones_n;

/* -- the look -- */

static void
zones_add(void *data, const weir_zone_kind_t *kind, weir_str_t kind_name, weir_str_t name, const void *memory,
          uint64_t size)
{
    char       room[512];
    weir_buf_t said;

    weir_buf_init(&said, room, sizeof(room));
    if (kind != NULL && kind->describe != NULL) {
        kind->describe(memory, size, &said);
    }
    (void) json_array_append_new(data, json_pack("{s:s%, s:s%, s:I, s:s%}", "kind", kind_name.at, kind_name.len, "name",
                                                 name.at, name.len, "bytes", (json_int_t) size, "says", said.at,
                                                 weir_buf_len(&said)));
}

static json_t *
zones_tell(void)
{
    json_t *zones = json_array();

    weir_zones_look(zones_add, zones);
    return json_pack("{s:b, s:o}", "ok", 1, "zones", zones);
}

/* The child's half. */
static _Noreturn void
zones_run(int fd)
{
    char  *text = json_dumps(zones_tell(), JSON_COMPACT);
    size_t len = text != NULL ? strlen(text) : 0, at = 0;

    (void) weir_process_die_with_parent(SIGKILL);
    (void) fcntl(fd, F_SETFL, 0);            /* it waits for the master */
    while (at < len) {
        ssize_t n = weir_sys_send(fd, text + at, len - at, 0);

        if (n <= 0) {
            break;
        }
        at += (size_t) n;
    }
    _exit(0);
}

/* -- the master's half -- */

static void
zones_free(zones_look_t *look)
{
    weir_timer_drop(&look->timer);
    weir_list_remove(&look->link);
    weir_mem_free(look->text);
    weir_mem_free(look);
    weir_assert(zones_n > 0);
    zones_n--;
}

static void
zones_end(zones_look_t *look)
{
    int     fd = look->watch.fd;
    json_t *answer = look->len != 0 ? json_loadb(look->text, look->len, 0, NULL) : NULL;

    weir_loop_unwatch(look->call->ops->loop, &look->watch);
    (void) weir_sys_close(fd);
    if (answer != NULL) {
        weir_call_answer(look->call, answer);
    } else {
        weir_call_refuse(look->call, 500, "shared memory could not be looked at");
    }
    zones_free(look);
}

/* It holds the other end of what is watched here: it lives, and no other process has its number. */
static void
zones_kill(zones_look_t *look)
{
    (void) weir_process_kill(look->pid, SIGKILL);
    look->len = 0;
    zones_end(look);
}

void
weir_commands_zones_close(void)
{
    while (!weir_list_empty(&zones_looks)) {
        zones_kill(weir_list_entry(zones_looks.next, zones_look_t, link));
    }
}

void
weir_commands_zones_forget(void)
{
    while (!weir_list_empty(&zones_looks)) {
        zones_look_t *look = weir_list_entry(zones_looks.next, zones_look_t, link);

        (void) weir_sys_close(look->watch.fd);
        zones_free(look);                    /* the call's memory stays the child's */
    }
}

static void
zones_on_timer(weir_timer_t *timer)
{
    zones_kill(weir_container_of(timer, zones_look_t, timer));
}

static void
zones_on_ready(weir_watch_t *watch)
{
    zones_look_t *look = weir_container_of(watch, zones_look_t, watch);
    ssize_t       n;

    if (look->len == look->cap) {
        size_t cap = look->cap != 0 ? look->cap * 2 : 16384;
        char  *grown = cap <= ZONES_ANSWER ? weir_mem_try_resize(look->text, cap) : NULL;

        if (grown == NULL) {
            zones_kill(look);
            return;
        }
        look->text = grown;
        look->cap = cap;
    }
    n = weir_sys_recv(watch->fd, look->text + look->len, look->cap - look->len, 0);
    if (n > 0) {
        look->len += (size_t) n;
    } else if (n == 0 || errno != EAGAIN) {
        zones_end(look);
    }
}

static bool
zones_begin(weir_call_t *call)
{
    zones_look_t *look;
    int           fds[2];
    pid_t         pid;

    if (weir_sys_socketpair(SOCK_STREAM, fds) != 0) {
        return false;
    }
    weir_signals_block();
    pid = weir_sys_fork();
    if (pid == 0) {
        zones_run(fds[1]);
    }
    weir_signals_unblock();
    (void) weir_sys_close(fds[1]);
    if (pid < 0) {
        (void) weir_sys_close(fds[0]);
        return false;
    }
    look = weir_mem_need(sizeof(*look));
    *look = (zones_look_t) { .call = call, .pid = pid };
    if (!weir_loop_watch_level(call->ops->loop, &look->watch, fds[0], zones_on_ready, false)) {
        (void) weir_process_kill(pid, SIGKILL);
        (void) weir_sys_close(fds[0]);
        weir_mem_free(look);
        return false;
    }
    weir_timer_set(call->ops->loop, &look->timer, ZONES_PATIENCE, zones_on_timer);
    weir_list_append(&zones_looks, &look->link);
    zones_n++;
    return true;
}

static void
zones_list(weir_call_t *call, const json_t *words WEIR_UNUSED)
{
    if (call->ops->master == NULL) {
        weir_call_answer(call, zones_tell());
    } else if (zones_n >= ZONES_LOOKS) {
        weir_call_refuse(call, 503, "others are looking at shared memory: ask again in a moment");
    } else if (!zones_begin(call)) {
        weir_call_refuse(call, 503, "no process could be started to look at shared memory");
    }
}

const weir_command_t weir_commands_zones[] = {
    { .name = "zones.list", .run = zones_list, .is_long = true },
    WEIR_COMMANDS_END
};
