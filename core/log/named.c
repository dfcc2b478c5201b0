/*
 * named.c - see named.h.
 *
 * What is kept lies in one list of this process, newest first, found by a hash of its path.  Threat: names may be made
 * of what clients say.  There are never more descriptors than max; a link is not followed (weir_file_open_log); who
 * makes the name sees to dots and slashes.
 */
#include "log/named.h"

#include "base/list.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sys.h"

#include <string.h>

#define NAMED_BUCKETS 256

typedef struct {
    weir_list_t    recent, bucket;
    int            fd;               /* -1: it was not used often enough to be kept open */
    uint32_t       uses;
    weir_instant_t used, checked;
    dev_t          device;
    ino_t          inode;
    size_t         path_len;
    char           path[];
} named_t;

static weir_list_t named_recent = { &named_recent, &named_recent };
static weir_list_t named_buckets[NAMED_BUCKETS];
static uint32_t    named_n;
static uint64_t    named_seed;            /* 0: none yet */

static void
named_close(named_t *named)
{
    weir_assert(named_n > 0);
    weir_list_remove(&named->recent);
    weir_list_remove(&named->bucket);
    if (named->fd >= 0) {
        (void) weir_sys_close(named->fd);
    }
    weir_mem_free(named);
    named_n--;
}

void
weir_log_named_forget(void)
{
    while (!weir_list_empty(&named_recent)) {
        named_close(weir_list_entry(named_recent.next, named_t, recent));
    }
}

static weir_list_t *
named_bucket(weir_str_t path)
{
    weir_list_t *bucket;

    if (named_seed == 0) {
        named_seed = weir_random_seed(named_buckets) | 1;
    }
    bucket = &named_buckets[weir_str_hash(path, named_seed) % NAMED_BUCKETS];
    if (bucket->next == NULL) {
        weir_list_init(bucket);
    }
    return bucket;
}

/* The name may lead to another file by now: it was rotated away, or deleted. */
static bool
named_is_still(named_t *named, const weir_log_names_conf_t *conf, uint64_t now)
{
    struct stat st;

    if (named->fd < 0 || now - named->checked.ms < conf->valid.ms) {
        return true;
    }
    named->checked.ms = now;
    return weir_sys_lstat(named->path, &st) == 0 && st.st_dev == named->device && st.st_ino == named->inode;
}

static named_t *
named_find(weir_str_t path, const weir_log_names_conf_t *conf)
{
    weir_list_t *bucket = named_bucket(path);

    for (weir_list_t *l = bucket->next; l != bucket; l = l->next) {
        named_t *named = weir_list_entry(l, named_t, bucket);

        if (weir_str_eq(weir_str(named->path, named->path_len), path)) {
            if (named_is_still(named, conf, weir_clock_now().ms)) {
                return named;
            }
            named_close(named);
            return NULL;
        }
    }
    return NULL;
}

/* Those that have no writer, and the oldest when there are too many. */
static void
named_expire(const weir_log_names_conf_t *conf, uint64_t now)
{
    while (!weir_list_empty(&named_recent)) {
        named_t *oldest = weir_list_entry(named_recent.prev, named_t, recent);

        if (now - oldest->used.ms < conf->inactive.ms && named_n <= conf->max) {
            return;
        }
        named_close(oldest);
    }
}

static void
named_count(named_t *named, const weir_log_names_conf_t *conf, uint64_t now)
{
    weir_assert(named->fd >= 0);
    if (++named->uses < conf->min_uses) {
        (void) weir_sys_close(named->fd);
        named->fd = -1;
    }
    named->used.ms = now;
    weir_list_remove(&named->recent);
    weir_list_push(&named_recent, &named->recent);
}

static void
named_put(int fd, weir_str_t record)
{
    if (weir_sys_write(fd, record.at, record.len) != (ssize_t) record.len) {
        __atomic_fetch_add(&weir_log_dropped, 1, __ATOMIC_RELAXED);
    }
}

static bool
named_open(named_t *named, int fd, uint64_t now)
{
    struct stat st;

    weir_assert(fd >= 0);
    if (weir_sys_fstat(fd, &st) != 0) {
        return false;
    }
    named->fd = fd;
    named->checked.ms = now;
    named->device = st.st_dev;
    named->inode = st.st_ino;
    return true;
}

static named_t *
named_keep(int fd, weir_str_t path, uint64_t now)
{
    named_t *named = weir_mem_try(sizeof(*named) + path.len + 1);

    if (named == NULL) {
        return NULL;
    }
    memset(named, 0, sizeof(*named));
    if (!named_open(named, fd, now)) {
        weir_mem_free(named);
        return NULL;
    }
    named->used.ms = now;
    named->path_len = path.len;
    memcpy(named->path, path.at, path.len);
    named->path[path.len] = '\0';
    weir_list_push(&named_recent, &named->recent);
    weir_list_push(named_bucket(path), &named->bucket);
    named_n++;
    return named;
}

void
weir_log_named_write(const weir_log_names_conf_t *conf, weir_str_t path, weir_str_t record)
{
    uint64_t now = weir_clock_now().ms;
    named_t *named = conf->max != 0 ? named_find(path, conf) : NULL;
    int fd;

    if (named == NULL || named->fd < 0) {
        fd = weir_file_open_log(path.at);
        if (fd < 0) {
            __atomic_fetch_add(&weir_log_dropped, 1, __ATOMIC_RELAXED);
            return;
        }
        if (named == NULL) {
            named = conf->max != 0 ? named_keep(fd, path, now) : NULL;
        } else if (!named_open(named, fd, now)) {
            named = NULL;
        }
        if (named == NULL) {
            named_put(fd, record);
            (void) weir_sys_close(fd);
            return;
        }
    }
    named_put(named->fd, record);
    named_count(named, conf, now);
    named_expire(conf, now);
}
