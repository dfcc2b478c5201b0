/*
 * file.c - whole files, logs' descriptors, temporary files, folders.
 *
 * Runs in every process; reading allocates in the caller's arena.  Everything here may be run by root in folders where
 * others can write, so that no last component that is a symbolic link is followed for writing.
 */
#define _GNU_SOURCE 1

#include "os/file.h"

#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_READ_MIN   4096
#define FILE_NAME_TRIES 16

static void
file_close_keeping_errno(int fd)
{
    int saved = errno;

    (void) weir_sys_close(fd);
    errno = saved;
}

/* --- reading --- */

/* Reads to the end; room doubles as the file (of /proc, or growing) turns out to be larger. */
static bool
file_read_all(weir_arena_t *arena, int fd, size_t room, size_t limit, weir_str_t *bytes)
{
    char   *at = weir_try_alloc(arena, room + 1), *larger;
    size_t  len = 0;
    ssize_t n;

    while (at != NULL) {
        n = weir_sys_read(fd, at + len, room + 1 - len);
        if (n < 0) {
            return false;
        }
        if (n == 0) {
            at[len] = '\0';
            *bytes = weir_str(at, len);
            return true;
        }
        len += (size_t) n;
        weir_assert(len <= room + 1);
        if (len > limit) {
            errno = EFBIG;
            return false;
        }
        if (len > room) {
            room = (size_t) weir_min(room * 2, limit);
            larger = weir_try_alloc(arena, room + 1);
            if (larger != NULL) {
                memcpy(larger, at, len);
            }
            at = larger;
        }
    }
    errno = ENOMEM;
    return false;
}

bool
weir_file_read(weir_arena_t *arena, const char *path, size_t limit, weir_str_t *bytes)
{
    struct stat st;
    int         fd = weir_sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);    /* NONBLOCK: a FIFO has no writer */
    bool        done = false;

    if (fd < 0) {
        return false;
    }
    limit = (size_t) weir_min(limit, SIZE_MAX / 4);
    if (weir_sys_fstat(fd, &st) == 0) {
        if (!S_ISREG(st.st_mode)) {
            errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        } else if ((uint64_t) st.st_size > limit) {
            errno = EFBIG;
        } else {
            done = file_read_all(arena, fd, (size_t) weir_min(weir_max((uint64_t) st.st_size, FILE_READ_MIN), limit),
                                 limit, bytes);
        }
    }
    file_close_keeping_errno(fd);
    return done;
}

/* --- writing --- */

bool
weir_file_write_all(int fd, weir_str_t bytes)
{
    ssize_t n;

    while (bytes.len != 0) {
        n = weir_sys_write(fd, bytes.at, bytes.len);
        if (n < 0) {
            return false;
        }
        if (n == 0) {
            errno = EIO;
            return false;
        }
        weir_assert((size_t) n <= bytes.len);
        bytes = weir_str_skip(bytes, (size_t) n);
    }
    return true;
}

static int
file_create(const char *name, mode_t mode)
{
    return weir_sys_open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

/* Opens a file of a name that no other file has, made by adding to `stem`.  -1: errno. */
static int
file_open_new(const char *stem, mode_t mode, char *name, size_t size)
{
    uint64_t random;
    int      fd, tries, n;

    for (tries = 0; tries < FILE_NAME_TRIES; tries++) {
        if (weir_sys_random(&random, sizeof(random)) != 0) {
            return -1;
        }
        n = snprintf(name, size, "%s.%016llx", stem, (unsigned long long) random);
        if (n < 0 || (size_t) n >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = file_create(name, mode);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

/* What has no disk behind it cannot be synced, and is as durable as it gets. */
static bool
file_sync(int fd)
{
    return weir_sys_fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

/* The names in the folder of that file.  One that may not be opened for reading is left to the kernel's time. */
static bool
file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char        folder[PATH_MAX] = ".";
    size_t      len = slash == NULL ? 0 : slash == path ? 1 : (size_t) (slash - path);
    bool        done;
    int         fd;

    if (len >= sizeof(folder)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (len != 0) {
        memcpy(folder, path, len);
        folder[len] = '\0';
    }
    fd = weir_sys_open(folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        return errno == EACCES;
    }
    done = file_sync(fd);
    file_close_keeping_errno(fd);
    return done;
}

static bool
file_write_close(int fd, weir_str_t bytes, bool durable)
{
    if (!weir_file_write_all(fd, bytes) || (durable && !file_sync(fd))) {
        file_close_keeping_errno(fd);
        return false;
    }
    return weir_sys_close(fd) == 0;
}

static bool
file_overwrite(const char *path, weir_str_t bytes, bool durable)
{
    int fd = weir_sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY, 0644);

    return fd >= 0 && file_write_close(fd, bytes, durable);
}

static bool
file_write(const char *path, weir_str_t bytes, mode_t mode, bool in_place, bool durable)
{
    char        name[PATH_MAX];
    struct stat st;
    int         fd, saved;

    /* Renaming over a device would replace it: "pid /dev/null" means the /dev/null of all programs. */
    if (in_place && weir_sys_lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
        return file_overwrite(path, bytes, durable);
    }
    fd = file_open_new(path, mode, name, sizeof(name));
    if (fd < 0) {
        return in_place && (errno == EACCES || errno == EPERM || errno == ENAMETOOLONG)
               && file_overwrite(path, bytes, durable);
    }
    if (file_write_close(fd, bytes, durable) && weir_sys_rename(name, path) == 0) {
        return !durable || file_sync_folder(path);
    }
    saved = errno;
    (void) weir_sys_unlink(name);
    errno = saved;
    return false;
}

bool
weir_file_write(const char *path, weir_str_t bytes)
{
    return file_write(path, bytes, 0644, true, false);
}

bool
weir_file_write_durable(const char *path, weir_str_t bytes)
{
    return file_write(path, bytes, 0644, true, true);
}

bool
weir_file_write_secret(const char *path, weir_str_t bytes)
{
    return file_write(path, bytes, 0600, false, false);
}

/* --- logs --- */

/* /dev/stdout and /dev/stderr cannot be opened where they are sockets, as under a service manager. */
static int
file_open_device(const char *path)
{
    int fd = weir_sys_open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);

    if (fd >= 0 || errno != ENXIO) {
        return fd;
    }
    if (strcmp(path, "/dev/stdout") == 0) {
        return weir_sys_dup(STDOUT_FILENO);
    }
    return strcmp(path, "/dev/stderr") == 0 ? weir_sys_dup(STDERR_FILENO) : -1;
}

/* NONBLOCK: a FIFO whose reader sleeps may cost records, never a worker's time. */
int
weir_file_open_log(const char *path)
{
    char    target[sizeof("/dev/stdout") + 1];
    ssize_t n;
    int     fd;

    if (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0) {
        return file_open_device(path);
    }
    fd = weir_sys_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
    if (fd >= 0 || errno != ELOOP) {
        return fd;
    }
    /* The one link that leads nowhere dangerous, and that nginx's container images have for a log. */
    n = weir_sys_readlink(path, target, sizeof(target) - 1);
    if (n > 0) {
        target[n] = '\0';
        if (strcmp(target, "/dev/stdout") == 0 || strcmp(target, "/dev/stderr") == 0) {
            return file_open_device(target);
        }
    }
    errno = ELOOP;
    return -1;
}

/* --- temporary files and folders --- */

int
weir_file_temp(const char *dir)
{
    char stem[PATH_MAX], name[PATH_MAX];
    int  fd = weir_sys_open(dir, O_TMPFILE | O_RDWR | O_EXCL, 0600);
    int  n;

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
        return fd;
    }
    n = snprintf(stem, sizeof(stem), "%s/weir", dir);
    if (n < 0 || (size_t) n >= sizeof(stem)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = file_open_new(stem, 0600, name, sizeof(name));
    if (fd >= 0) {
        (void) weir_sys_unlink(name);
    }
    return fd;
}

static bool
file_make_dir(const char *path, mode_t mode)
{
    struct stat st;

    if (weir_sys_mkdir(path, mode) == 0) {
        return true;
    }
    if (errno != EEXIST) {
        return false;
    }
    if (weir_sys_stat(path, &st) != 0) {
        return false;
    }
    errno = ENOTDIR;
    return S_ISDIR(st.st_mode);
}

bool
weir_file_make_dirs(const char *path, bool private_last)
{
    char   part[PATH_MAX];
    size_t len = strlen(path), i;

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    if (len == 0 || len >= sizeof(part)) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        return false;
    }
    for (i = 1; i < len; i++) {
        if (path[i] != '/' || path[i - 1] == '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (!file_make_dir(part, 0755)) {
            return false;
        }
    }
    memcpy(part, path, len);
    part[len] = '\0';
    return file_make_dir(part, private_last ? 0700 : 0755);
}

/* dir/levels/digits into name.  Where the last folder ends. */
static size_t
file_compose(const char *dir, const uint8_t *levels, uint64_t random, char *name)
{
    char   digits[17];
    size_t at = strlen(dir), left = 16;

    (void) snprintf(digits, sizeof(digits), "%016llx", (unsigned long long) random);
    memcpy(name, dir, at);
    for (size_t i = 0; i < WEIR_FILE_LEVELS && levels[i] != 0; i++) {
        weir_assert(left >= levels[i]);     /* the directive's parser saw to that */
        left -= levels[i];
        name[at++] = '/';
        memcpy(name + at, digits + left, levels[i]);
        at += levels[i];
    }
    name[at] = '/';
    memcpy(name + at + 1, digits, sizeof(digits));
    return at;
}

/* A folder of levels is made by the first whose file has a name in it. */
static int
file_create_within(char *name, size_t folder, bool in_levels)
{
    int fd = file_create(name, 0600);

    weir_assert(name[folder] == '/');
    if (fd >= 0 || errno != ENOENT || !in_levels) {
        return fd;
    }
    name[folder] = '\0';
    bool made = weir_file_make_dirs(name, true);
    name[folder] = '/';
    return made ? file_create(name, 0600) : -1;
}

int
weir_file_temp_named(const char *dir, const uint8_t levels[WEIR_FILE_LEVELS], char *name)
{
    uint64_t random;

    for (int tries = 0; tries < FILE_NAME_TRIES; tries++) {
        if (weir_sys_random(&random, sizeof(random)) != 0) {
            return -1;
        }
        size_t folder = file_compose(dir, levels, random, name);
        int fd = file_create_within(name, folder, levels[0] != 0);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

/* --- folders --- */

static int
file_compare(const void *a_, const void *b_)
{
    const weir_file_entry_t *a = a_, *b = b_;

    if (a->is_folder != b->is_folder) {
        return a->is_folder ? -1 : 1;
    }
    return weir_str_cmp(a->name, b->name);
}

static bool
file_push(weir_arena_t *arena, weir_file_entries_t *entries, int folder, const char *name)
{
    weir_file_entry_t *grown;
    struct stat st;

    if (fstatat(folder, name, &st, 0) != 0 && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;                       /* it went in the meantime */
    }
    if (entries->n == 0 || (entries->n >= 16 && (entries->n & (entries->n - 1)) == 0)) {
        grown = weir_try_alloc(arena, weir_max(entries->n * 2, 16) * sizeof(*grown));
        if (grown == NULL) {
            errno = ENOMEM;
            return false;
        }
        if (entries->n != 0) {
            memcpy(grown, entries->at, entries->n * sizeof(*grown));
        }
        entries->at = grown;
    }
    entries->at[entries->n++] = (weir_file_entry_t) {
        weir_str_dup(arena, weir_str_from_z(name)), S_ISDIR(st.st_mode), st.st_mtim.tv_sec, (uint64_t) st.st_size,
    };
    return true;
}

bool
weir_file_list(weir_arena_t *arena, const char *path, size_t limit, weir_file_entries_t *entries)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool ok = true;

    *entries = (weir_file_entries_t) { NULL, 0 };
    if (folder == NULL) {
        return false;
    }
    for (errno = 0; ok && (entry = readdir(folder)) != NULL; errno = 0) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (entries->n == limit) {
            errno = E2BIG;
            ok = false;
            break;
        }
        ok = file_push(arena, entries, dirfd(folder), entry->d_name);
    }
    int error = errno;
    (void) closedir(folder);
    errno = error;
    if (!ok || error != 0) {
        return false;
    }
    if (entries->n != 0) {
        qsort(entries->at, entries->n, sizeof(*entries->at), file_compare);
    }
    return true;
}

static bool
file_is_new_name(const char *name, weir_str_t stem)
{
    if (strncmp(name, stem.at, stem.len) != 0 || name[stem.len] != '.') {
        return false;
    }
    return strspn(name + stem.len + 1, "0123456789abcdef") == 16 && name[stem.len + 17] == '\0';
}

void
weir_file_sweep(const char *path, int64_t seconds)
{
    const char    *slash = strrchr(path, '/');
    weir_str_t     stem = weir_str_from_z(slash != NULL ? slash + 1 : path);
    char           folder[PATH_MAX] = ".";
    DIR           *list;
    struct dirent *entry;
    struct stat    st;
    uint64_t       monotonic, now;

    weir_sys_clock(&monotonic, &now);
    if (slash != NULL) {
        (void) snprintf(folder, sizeof(folder), "%.*s", (int) (slash - path + 1), path);
    }
    list = opendir(folder);
    while (list != NULL && (entry = readdir(list)) != NULL) {
        if (file_is_new_name(entry->d_name, stem) && fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISREG(st.st_mode) && st.st_mtim.tv_sec + seconds < (int64_t) (now / 1000))
        {
            (void) unlinkat(dirfd(list), entry->d_name, 0);
        }
    }
    if (list != NULL) {
        (void) closedir(list);
    }
}

bool
weir_file_real_path(weir_arena_t *arena, const char *path, weir_str_t *real)
{
    char room[PATH_MAX];

    if (realpath(path, room) == NULL) {
        return false;
    }
    *real = weir_str_dup(arena, weir_str_from_z(room));
    return true;
}
