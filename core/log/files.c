/*
 * files.c - see files.h.  Runs in the master and in workers; a file's struct, path and buffer are on the heap.
 *
 * The list of files has a mutex, because a worker's build thread takes files while the loop's thread writes to
 * others.  Only the loop's thread looks at buffers, so they need none.
 */
#include "log/files.h"

#include "base/list.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FILES_WINDOW 15
#define FILES_GZIP   16             /* deflateInit2: with a gzip header */
#define FILES_MEMORY 8
#define FILES_WRITES 4              /* attempts at a batch that the kernel takes in parts */

struct weir_log_file {
    weir_list_t    link;            /* of all, under the lock */
    uint32_t       refs;            /* under the lock */
    int            fd;              /* -1: not open; set under the lock */
    bool           is_pipe;         /* writes of more than PIPE_BUF would mix with others' */
    bool           torn;            /* the last write ended within a record */
    weir_list_t    dirty;           /* linked while something waits */
    weir_instant_t written;         /* last time */
    weir_instant_t due;
    int            gzip;            /* of the records that wait */
    char          *buf;
    size_t         len, cap;
    weir_str_t     path;            /* behind the struct */
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static weir_list_t     files_all = { &files_all, &files_all };
static weir_list_t     files_dirty = { &files_dirty, &files_dirty };
static weir_instant_t  files_next = { WEIR_LOG_FILE_NEVER };       /* when the first of the dirty ones is due */

/* -- writing -- */

static void
files_count_dropped(weir_str_t records)
{
    uint64_t n = 0;

    for (size_t i = 0; i < records.len; i++) {
        n += records.at[i] == '\n';
    }
    __atomic_fetch_add(&weir_log_dropped, n, __ATOMIC_RELAXED);
}

/* Whole records from the front that may leave in one write. */
static size_t
files_batch(const weir_log_file_t *file, weir_str_t rest)
{
    size_t len = rest.len;

    if (!file->is_pipe || len <= PIPE_BUF) {
        return len;
    }
    for (len = PIPE_BUF; len > 0 && rest.at[len - 1] != '\n'; len--) {
    }
    if (len != 0) {
        return len;
    }
    const char *end = memchr(rest.at, '\n', rest.len);              /* a record that is longer than that */
    return end == NULL ? rest.len : (size_t) (end - rest.at) + 1;
}

/* A part that was written gets its rest at once, or no other process's records would stay whole behind it. */
static bool
files_write_batch(weir_log_file_t *file, weir_str_t batch)
{
    weir_assert(file->fd >= 0);
    for (int i = 0; i < FILES_WRITES && batch.len != 0; i++) {
        ssize_t n = weir_sys_write(file->fd, batch.at, batch.len);
        if (n <= 0) {
            break;
        }
        file->torn = batch.at[n - 1] != '\n';
        batch = weir_str_skip(batch, (size_t) n);
    }
    if (batch.len != 0) {
        files_count_dropped(batch);
    }
    return batch.len == 0;
}

/* After a record that was cut the next one begins on a line of its own. */
static void
files_mend(weir_log_file_t *file)
{
    if (file->torn && weir_sys_write(file->fd, "\n", 1) == 1) {
        file->torn = false;
    }
}

static void
files_write(weir_log_file_t *file, weir_str_t rest)
{
    int saved = errno;

    if (file->fd < 0 && !weir_log_file_open(file)) {
        files_count_dropped(rest);
        errno = saved;
        return;
    }
    files_mend(file);
    while (rest.len != 0) {
        size_t len = files_batch(file, rest);
        weir_assert(len != 0 && len <= rest.len);
        bool written = files_write_batch(file, weir_str(rest.at, len));

        rest = weir_str_skip(rest, len);
        if (!written) {
            files_count_dropped(rest);
            files_mend(file);
            break;
        }
    }
    errno = saved;
}

/* A member of its own each time: what was written can be read whatever follows.  false: there was no memory. */
static bool
files_write_gzip(weir_log_file_t *file)
{
    z_stream z = { .next_in = (Bytef *) file->buf, .avail_in = (uInt) file->len };
    uLong    room;
    char    *out;
    bool     done;

    if (deflateInit2(&z, file->gzip, Z_DEFLATED, FILES_WINDOW + FILES_GZIP, FILES_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    room = deflateBound(&z, (uLong) file->len);
    out = weir_mem_try(room);
    z.next_out = (Bytef *) out;
    z.avail_out = (uInt) room;
    weir_assert(file->len != 0 && file->len <= UINT_MAX);
    done = out != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END;
    if (done && ((file->fd < 0 && !weir_log_file_open(file))
                 || !files_write_batch(file, weir_str(out, room - z.avail_out))))
    {
        files_count_dropped(weir_str(file->buf, file->len));
    }
    (void) deflateEnd(&z);
    weir_mem_free(out);
    return done;
}

static void
files_flush(weir_log_file_t *file)
{
    weir_assert(file->len <= file->cap);
    weir_list_remove(&file->dirty);
    if (file->len != 0) {
        if (file->gzip == 0) {
            files_write(file, weir_str(file->buf, file->len));
        } else if (!files_write_gzip(file)) {
            files_count_dropped(weir_str(file->buf, file->len));
        }
        file->len = 0;
        file->written = weir_clock_now();
    }
}

static bool
files_make_room(weir_log_file_t *file, size_t size)
{
    char *grown;

    size = (size_t) weir_max(size, WEIR_LOG_FILE_BUFFER);
    if (file->cap >= size) {
        return true;
    }
    grown = weir_mem_try_resize(file->buf, size);
    if (grown != NULL) {
        file->buf = grown;
        file->cap = size;
    }
    return grown != NULL;
}

void
weir_log_file_write(weir_log_file_t *file, weir_str_t record, const weir_log_file_pace_t *pace)
{
    uint64_t due = weir_clock_now().ms;

    file->gzip = pace->gzip;
    if (!files_make_room(file, pace->size) || record.len > file->cap) {
        files_flush(file);
        files_write(file, record);
        return;
    }
    if (record.len > file->cap - file->len || (file->len != 0 && file->len + record.len > pace->size)) {
        files_flush(file);
    }
    weir_assert(record.len <= file->cap - file->len);
    memcpy(file->buf + file->len, record.at, record.len);
    file->len += record.len;
    if (pace->interval.ms == WEIR_LOG_FILE_NEVER) {
        due = WEIR_LOG_FILE_NEVER;
    } else {
        due = weir_max(due, file->written.ms + pace->interval.ms);
    }
    if (!weir_list_linked(&file->dirty)) {
        weir_list_append(&files_dirty, &file->dirty);
        file->due.ms = due;
    }
    file->due.ms = weir_min(file->due.ms, due);
    files_next.ms = weir_min(files_next.ms, file->due.ms);
}

weir_instant_t
weir_log_files_flush_due(weir_instant_t now)
{
    weir_list_t *next;
    uint64_t     soonest = WEIR_LOG_FILE_NEVER;

    if (now.ms < files_next.ms) {
        return (weir_instant_t) { files_next.ms == WEIR_LOG_FILE_NEVER ? 0 : files_next.ms };
    }
    for (weir_list_t *l = files_dirty.next; l != &files_dirty; l = next) {
        weir_log_file_t *file = weir_list_entry(l, weir_log_file_t, dirty);

        next = l->next;
        if (file->due.ms <= now.ms) {
            files_flush(file);
        } else {
            soonest = weir_min(soonest, file->due.ms);
        }
    }
    files_next.ms = soonest;
    return (weir_instant_t) { soonest == WEIR_LOG_FILE_NEVER ? 0 : soonest };
}

void
weir_log_files_flush(void)
{
    while (!weir_list_empty(&files_dirty)) {
        files_flush(weir_list_entry(files_dirty.next, weir_log_file_t, dirty));
    }
    files_next.ms = WEIR_LOG_FILE_NEVER;
}

/* -- which there are -- */

/* Under the lock; NULL: none. */
static weir_log_file_t *
files_find(weir_str_t path)
{
    for (weir_list_t *l = files_all.next; l != &files_all; l = l->next) {
        weir_log_file_t *file = weir_list_entry(l, weir_log_file_t, link);
        if (weir_str_eq(file->path, path)) {
            return file;
        }
    }
    return NULL;
}

static weir_log_file_t *
files_create(weir_str_t path)
{
    weir_log_file_t *file = weir_mem_need(sizeof(*file) + path.len + 1);
    char            *name = (char *) (file + 1);

    memcpy(name, path.at, path.len);
    file->path = weir_str(name, path.len);
    file->fd = -1;
    weir_list_append(&files_all, &file->link);
    return file;
}

static void
files_destroy(weir_log_file_t *file)
{
    weir_assert(file->refs == 0 && !weir_list_linked(&file->dirty));
    weir_list_remove(&file->link);
    if (file->fd >= 0) {
        (void) weir_sys_close(file->fd);
    }
    weir_mem_free(file->buf);
    weir_mem_free(file);
}

weir_log_file_t *
weir_log_file_take(weir_str_t path)
{
    weir_log_file_t *file;

    (void) pthread_mutex_lock(&files_lock);
    file = files_find(path);
    if (file == NULL) {
        file = files_create(path);
    }
    file->refs++;
    (void) pthread_mutex_unlock(&files_lock);
    return file;
}

/* A build thread that fails gives back what it took; the last reference of a file with records is the loop's. */
void
weir_log_file_give_back(weir_log_file_t *file)
{
    bool is_last;

    (void) pthread_mutex_lock(&files_lock);
    weir_assert(file->refs > 0);
    is_last = --file->refs == 0;
    (void) pthread_mutex_unlock(&files_lock);
    if (!is_last) {
        return;
    }
    files_flush(file);
    (void) pthread_mutex_lock(&files_lock);
    if (file->refs == 0) {
        files_destroy(file);
    }
    (void) pthread_mutex_unlock(&files_lock);
}

weir_str_t
weir_log_file_path(const weir_log_file_t *file)
{
    return file->path;
}

/* -- descriptors -- */

static bool
files_is_pipe(int fd)
{
    struct stat st;

    return weir_sys_fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

bool
weir_log_file_open(weir_log_file_t *file)
{
    int fd;

    if (file->fd >= 0) {
        return true;
    }
    fd = weir_file_open_log(file->path.at);
    if (fd < 0) {
        return false;
    }
    (void) pthread_mutex_lock(&files_lock);
    file->is_pipe = files_is_pipe(fd);
    file->torn = false;
    file->fd = fd;
    (void) pthread_mutex_unlock(&files_lock);
    return true;
}

/* The new file takes the old one's number, so that no record falls between. */
static void
files_reopen(weir_log_file_t *file)
{
    int fd = weir_file_open_log(file->path.at);

    if (fd < 0) {
        weir_log(WEIR_LOG_ERROR, NULL, errno, "open() \"%.*s\" failed", WEIR_STR_ARG(file->path));
        return;
    }
    if (file->fd < 0) {
        file->fd = fd;
    } else {
        if (weir_sys_dup_over(fd, file->fd) < 0) {
            weir_log(WEIR_LOG_ERROR, NULL, errno, "dup() of \"%.*s\" failed", WEIR_STR_ARG(file->path));
        }
        (void) weir_sys_close(fd);
    }
    file->is_pipe = files_is_pipe(file->fd);
    file->torn = false;
}

void
weir_log_files_reopen(void)
{
    weir_log_files_flush();
    (void) pthread_mutex_lock(&files_lock);
    for (weir_list_t *l = files_all.next; l != &files_all; l = l->next) {
        files_reopen(weir_list_entry(l, weir_log_file_t, link));
    }
    (void) pthread_mutex_unlock(&files_lock);
}

void
weir_log_files_own(uid_t user)
{
    struct stat st;

    (void) pthread_mutex_lock(&files_lock);
    for (weir_list_t *l = files_all.next; l != &files_all; l = l->next) {
        weir_log_file_t *file = weir_list_entry(l, weir_log_file_t, link);

        if (file->fd >= 0 && weir_sys_fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != user
            && fchown(file->fd, user, (gid_t) -1) != 0)
        {
            weir_log(WEIR_LOG_ERROR, NULL, errno, "fchown() of \"%.*s\" failed", WEIR_STR_ARG(file->path));
        }
    }
    (void) pthread_mutex_unlock(&files_lock);
}

/* -- hand-over -- */

void
weir_log_files_each(void (*each)(void *data, weir_str_t path, int fd), void *data)
{
    (void) pthread_mutex_lock(&files_lock);
    for (weir_list_t *l = files_all.next; l != &files_all; l = l->next) {
        weir_log_file_t *file = weir_list_entry(l, weir_log_file_t, link);
        if (file->fd >= 0) {
            each(data, file->path, file->fd);
        }
    }
    (void) pthread_mutex_unlock(&files_lock);
}

void
weir_log_files_adopt(weir_str_t path, int fd)
{
    weir_log_file_t *file;

    weir_assert(fd >= 0);
    (void) pthread_mutex_lock(&files_lock);
    file = files_find(path);
    if (file == NULL) {
        file = files_create(path);
    }
    if (file->fd < 0) {
        file->is_pipe = files_is_pipe(fd);
        file->fd = fd;
        fd = -1;
    }
    (void) pthread_mutex_unlock(&files_lock);
    if (fd >= 0) {
        (void) weir_sys_close(fd);
    }
}

void
weir_log_files_drop_unused(void)
{
    weir_list_t *next;

    (void) pthread_mutex_lock(&files_lock);
    for (weir_list_t *l = files_all.next; l != &files_all; l = next) {
        weir_log_file_t *file = weir_list_entry(l, weir_log_file_t, link);
        next = l->next;
        if (file->refs == 0) {
            files_destroy(file);
        }
    }
    (void) pthread_mutex_unlock(&files_lock);
}
