/*
 * watch_dir.c - see watch_dir.h.
 */
#define _GNU_SOURCE 1

#include "proc/master/watch_dir.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/sys.h"
#include "os/walk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#define WATCH_QUIET   100                    /* ms without a change */
#define WATCH_LONGEST 1000                   /* ms from the first change on */
#define WATCH_LOOK    ((weir_msec_t) { 1000 })
#define WATCH_WAYS    64                     /* folders on the way */
#define WATCH_READS   64                     /* of events, a turn */

#define WATCH_BELOW (IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB \
                     | IN_DELETE_SELF | IN_MOVE_SELF)
#define WATCH_WAY   (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)

/* A folder on the way: of it, only what has that name matters. */
typedef struct { int watch; uint32_t at, len; } watch_way_t;

struct weir_watch_dir {
    weir_loop_t   *loop;
    weir_watch_t   watch;                    /* inotify; fd -1: there is none */
    weir_timer_t   timer;                    /* until it has been quiet */
    weir_timer_t   look_timer;
    weir_instant_t first, last;              /* change that is not told; first.ms 0: there is none */
    void         (*on_change)(void *data);
    void          *data;
    bool           is_looking, was_told;
    uint64_t       looks;                    /* what was seen, as a number */
    watch_way_t    ways[WATCH_WAYS];
    size_t         n_ways;
    char           path[PATH_MAX];
};

/* -- debouncing -- */

static void
watch_on_quiet(weir_timer_t *timer)
{
    weir_watch_dir_t *dir = weir_container_of(timer, weir_watch_dir_t, timer);
    uint64_t          now = weir_clock_now().ms, due;

    weir_assert(dir->first.ms != 0);
    due = weir_min(dir->last.ms + WATCH_QUIET, dir->first.ms + WATCH_LONGEST);
    if (now < due) {
        weir_timer_set(dir->loop, &dir->timer, (weir_msec_t) { due - now }, watch_on_quiet);
        return;
    }
    dir->first.ms = 0;
    dir->on_change(dir->data);
}

static void
watch_stir(weir_watch_dir_t *dir)
{
    dir->last = weir_clock_now();
    if (dir->first.ms == 0) {
        dir->first.ms = weir_max(dir->last.ms, (uint64_t) 1);
        weir_timer_set(dir->loop, &dir->timer, (weir_msec_t) { WATCH_QUIET }, watch_on_quiet);
    }
}

/* -- inotify -- */

/* Of a folder on the way: is it the name that matters? */
static bool
watch_matters(const weir_watch_dir_t *dir, const struct inotify_event *event)
{
    bool is_way = false;

    if ((event->mask & IN_IGNORED) != 0) {
        return false;
    }
    for (size_t i = 0; i < dir->n_ways; i++) {
        const watch_way_t *way = &dir->ways[i];

        if (way->watch != event->wd) {
            continue;
        }
        is_way = true;
        if (event->len != 0 && strlen(event->name) == way->len
            && memcmp(event->name, dir->path + way->at, way->len) == 0)
        {
            return true;
        }
    }
    return !is_way;
}

static void
watch_on_events(weir_watch_t *watch)
{
    weir_watch_dir_t *dir = weir_container_of(watch, weir_watch_dir_t, watch);
    char              room[8192] __attribute__((aligned(__alignof__(struct inotify_event))));

    for (int i = 0; i < WATCH_READS; i++) {
        ssize_t n = weir_sys_read(watch->fd, room, sizeof(room));

        if (n <= 0) {
            watch->readable = n != 0 && errno == EAGAIN ? false : watch->readable;
            return;
        }
        for (ssize_t at = 0; n - at >= (ssize_t) sizeof(struct inotify_event);) {
            const struct inotify_event *event = (const struct inotify_event *) (const void *) (room + at);

            if (watch_matters(dir, event)) {
                watch_stir(dir);
            }
            at += (ssize_t) (sizeof(*event) + event->len);
        }
    }
}

static void
watch_close(weir_watch_dir_t *dir)
{
    int fd = dir->watch.fd;

    if (fd >= 0) {
        weir_loop_unwatch(dir->loop, &dir->watch);
        (void) weir_sys_close(fd);
        dir->watch.fd = -1;
    }
}

typedef struct { weir_watch_dir_t *dir; int fd, error; } watch_adding_t;

static void
watch_add(void *data, const char *path)
{
    watch_adding_t *adding = data;

    if (adding->error == 0 && weir_sys_inotify_add(adding->fd, path, WATCH_BELOW) < 0 && errno != ENOENT
        && errno != ENOTDIR && errno != ELOOP)
    {
        adding->error = errno;
    }
}

static bool
watch_pass(void *data WEIR_UNUSED, weir_str_t name WEIR_UNUSED, const char *path WEIR_UNUSED,
           const struct stat *st WEIR_UNUSED, weir_error_t *error WEIR_UNUSED)
{
    return true;
}

/* Each folder above: "/" for "/etc", "/etc" for "/etc/weir".  What cannot be watched there is not. */
static void
watch_add_ways(watch_adding_t *adding)
{
    weir_watch_dir_t *dir = adding->dir;
    size_t            len = strlen(dir->path);

    dir->n_ways = 0;
    while (len > 1 && dir->n_ways < WATCH_WAYS) {
        size_t at = len;
        char   kept;
        int    watch;

        while (at > 0 && dir->path[at - 1] != '/') {
            at--;
        }
        kept = dir->path[at];
        dir->path[at] = '\0';
        watch = weir_sys_inotify_add(adding->fd, dir->path, WATCH_WAY | IN_MASK_ADD);
        dir->path[at] = kept;
        if (watch >= 0) {
            dir->ways[dir->n_ways++] = (watch_way_t) { .watch = watch, .at = (uint32_t) at,
                                                       .len = (uint32_t) (len - at) };
        }
        len = at > 0 ? at - 1 : 0;
    }
}

static bool
watch_open(weir_watch_dir_t *dir)
{
    watch_adding_t        adding = { .dir = dir, .fd = weir_sys_inotify() };
    const weir_walk_ops_t ops = { .data = &adding, .on_folder = watch_add, .on_link = watch_add,
                                  .on_file = watch_pass };
    weir_error_t          ignored = { .text = "" };

    if (adding.fd < 0) {
        return false;
    }
    watch_add_ways(&adding);
    if (!weir_walk(weir_str_from_z(dir->path), &ops, &ignored)) {
        weir_assert(weir_error_is_set(&ignored));    /* who reads it says what is wrong: what is there is watched */
    }
    if (adding.error == 0 && weir_loop_watch_level(dir->loop, &dir->watch, adding.fd, watch_on_events, false)) {
        return true;
    }
    adding.error = adding.error != 0 ? adding.error : errno;
    (void) weir_sys_close(adding.fd);
    dir->watch.fd = -1;
    errno = adding.error;
    return false;
}

/* -- looking -- */

static bool
watch_see(void *data, weir_str_t name, const char *path WEIR_UNUSED, const struct stat *st,
          weir_error_t *error WEIR_UNUSED)
{
    const uint64_t seen[] = { (uint64_t) st->st_dev, st->st_ino, (uint64_t) st->st_size,
                              (uint64_t) st->st_mtim.tv_sec, (uint64_t) st->st_mtim.tv_nsec,
                              (uint64_t) st->st_ctim.tv_sec, (uint64_t) st->st_ctim.tv_nsec };
    uint64_t      *sum = data;

    *sum = weir_str_hash(name, *sum);
    *sum = weir_str_hash(weir_str((const char *) seen, sizeof(seen)), *sum);
    return true;
}

static uint64_t
watch_look(const weir_watch_dir_t *dir)
{
    uint64_t              sum = 1;
    const weir_walk_ops_t ops = { .data = &sum, .on_file = watch_see };
    weir_error_t          ignored = { .text = "" };

    return weir_walk(weir_str_from_z(dir->path), &ops, &ignored) ? sum : 0;
}

static void
watch_on_look(weir_timer_t *timer)
{
    weir_watch_dir_t *dir = weir_container_of(timer, weir_watch_dir_t, look_timer);
    uint64_t          seen = watch_look(dir);

    if (seen != dir->looks) {
        dir->looks = seen;
        watch_stir(dir);
    }
    weir_timer_set(dir->loop, timer, WATCH_LOOK, watch_on_look);
}

/* -- life -- */

void
weir_watch_dir_renew(weir_watch_dir_t *dir)
{
    watch_close(dir);
    weir_timer_clear(&dir->look_timer);
    dir->is_looking = !watch_open(dir);
    if (!dir->is_looking) {
        return;
    }
    if (!dir->was_told) {
        weir_log(WEIR_LOG_WARN, NULL, errno, "the folder \"%s\" cannot be watched: it is looked at once a second",
                 dir->path);
        dir->was_told = true;
    }
    dir->looks = watch_look(dir);
    weir_timer_set(dir->loop, &dir->look_timer, WATCH_LOOK, watch_on_look);
}

weir_watch_dir_t *
weir_watch_dir_create(weir_loop_t *loop, weir_str_t path, void (*on_change)(void *data), void *data)
{
    weir_watch_dir_t *dir = weir_mem_need(sizeof(*dir));

    while (path.len > 1 && path.at[path.len - 1] == '/') {
        path.len--;
    }
    weir_assert(path.len != 0 && path.at[0] == '/' && path.len < sizeof(dir->path));
    dir->loop = loop;
    dir->watch.fd = -1;
    dir->on_change = on_change;
    dir->data = data;
    memcpy(dir->path, path.at, path.len);
    return dir;
}

void
weir_watch_dir_destroy(weir_watch_dir_t *dir)
{
    if (dir != NULL) {
        watch_close(dir);
        weir_timer_drop(&dir->timer);
        weir_timer_drop(&dir->look_timer);
        weir_mem_free(dir);
    }
}

void
weir_watch_dir_forget(weir_watch_dir_t *dir)
{
    if (dir != NULL && dir->watch.fd >= 0) {
        (void) weir_sys_close(dir->watch.fd);
        dir->watch.fd = -1;
    }
    if (dir != NULL) {
        weir_timer_drop(&dir->timer);
        weir_timer_drop(&dir->look_timer);
    }
}

bool
weir_watch_dir_is_looking(const weir_watch_dir_t *dir)
{
    return dir->is_looking;
}
