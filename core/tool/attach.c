/*
 * attach.c - see attach.h.  Runs in tools.  What the memory says of itself is not trusted: sizes are those of the
 * descriptors.
 */
#include "tool/attach.h"

#include "conf/module.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ATTACH_ZONE   "/memfd:" WEIR_ZONE_MEMFD
#define ATTACH_BUNDLE "/memfd:" WEIR_BUNDLE_MEMFD

static const weir_zone_kind_t *
attach_find(const weir_zone_kind_t *const *kinds, const weir_zone_head_t *head)
{
    for (; kinds != NULL && *kinds != NULL; kinds++) {
        if (weir_str_eq(head->kind, weir_str_from_z((*kinds)->name)) && head->layout == (*kinds)->layout) {
            return *kinds;
        }
    }
    return NULL;
}

static const weir_zone_kind_t *
attach_kind(const weir_zone_head_t *head)
{
    const weir_zone_kind_t *kind = attach_find(weir_shared_kinds, head);

    for (size_t i = 0; kind == NULL && i < weir_modules_count; i++) {
        kind = attach_find(weir_modules[i]->zone_kinds, head);
    }
    return kind;
}

typedef struct {
    void (*each)(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory);
    void  *data;
} attach_t;

static void
attach_one(const attach_t *a, const char *path)
{
    int              fd = weir_sys_open(path, O_RDONLY, 0);
    weir_zone_head_t head;
    struct stat      st;
    void            *memory;

    if (fd < 0) {
        return;
    }
    memory = weir_sys_fstat(fd, &st) == 0 && st.st_size > WEIR_ZONE_HEAD ? weir_sys_map_read(fd, (size_t) st.st_size)
             : NULL;
    if (memory != NULL) {
        if (weir_zone_read_head(memory, &head) && head.size == (uint64_t) st.st_size - WEIR_ZONE_HEAD) {
            a->each(a->data, &head, attach_kind(&head), (const char *) memory + WEIR_ZONE_HEAD);
        }
        (void) weir_sys_unmap(memory, (size_t) st.st_size);
    }
    (void) weir_sys_close(fd);
}

/* Calls each_path with every descriptor that is a memory file of this name, until it says no.  false: errno. */
static bool
attach_each_path(pid_t pid, const char *name, bool (*each_path)(void *data, const char *path), void *data)
{
    char                 path[300], to[64];
    const struct dirent *entry;
    DIR                 *folder;
    bool                 more = true;

    weir_assert(pid > 0);
    (void) snprintf(path, sizeof(path), "/proc/%d/fd", (int) pid);
    folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    while (more && (entry = readdir(folder)) != NULL) {
        (void) snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int) pid, entry->d_name);
        if (weir_sys_readlink(path, to, sizeof(to)) >= (ssize_t) strlen(name) && memcmp(to, name, strlen(name)) == 0) {
            more = each_path(data, path);
        }
    }
    (void) closedir(folder);
    return true;
}

/* The process could not be looked into; false. */
static bool
attach_fail(pid_t pid, weir_error_t *error)
{
    if (errno == ENOENT && weir_process_kill(pid, 0) != 0 && errno == ESRCH) {
        return weir_error_set(error,
                              "process %d, which the pid file names, has ended: nothing runs with this configuration",
                              (int) pid);
    }
    return weir_error_set(error, "process %d cannot be looked into (%d: %s)", (int) pid, errno, strerror(errno));
}

static bool
attach_on_path(void *data, const char *path)
{
    attach_one(data, path);
    return true;
}

bool
weir_attach_zones(pid_t pid, void (*each)(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind,
                                          const void *memory),
                  void *data, weir_error_t *error)
{
    attach_t a = { each, data };

    return attach_each_path(pid, ATTACH_ZONE, attach_on_path, &a) || attach_fail(pid, error);
}

typedef struct { void (*each)(void *data, int fd); void *data; } attach_bundles_t;

static bool
attach_on_bundle(void *data, const char *path)
{
    const attach_bundles_t *a = data;
    int                     fd = weir_sys_open(path, O_RDONLY, 0);

    if (fd >= 0) {
        a->each(a->data, fd);
        (void) weir_sys_close(fd);
    }
    return true;
}

bool
weir_attach_bundles(pid_t pid, void (*each)(void *data, int fd), void *data, weir_error_t *error)
{
    attach_bundles_t a = { each, data };

    return attach_each_path(pid, ATTACH_BUNDLE, attach_on_bundle, &a) || attach_fail(pid, error);
}

static bool
attach_is_weir(void *data, const char *path)
{
    (void) path;
    *(bool *) data = true;
    return false;
}

/* One that is starting has no zones yet. */
static bool
attach_is_our_program(pid_t pid)
{
    char    path[64], its[4096], ours[sizeof(its)];
    ssize_t n, m = weir_sys_readlink("/proc/self/exe", ours, sizeof(ours));

    (void) snprintf(path, sizeof(path), "/proc/%d/exe", (int) pid);
    n = weir_sys_readlink(path, its, sizeof(its));
    return n > 0 && n == m && memcmp(its, ours, (size_t) n) == 0;
}

bool
weir_attach_check(pid_t pid, weir_error_t *error)
{
    bool is_weir = attach_is_our_program(pid);

    return is_weir || !attach_each_path(pid, ATTACH_ZONE, attach_is_weir, &is_weir) || is_weir
           || weir_error_set(error, "process %d, which the pid file names, is not Weir: the pid file is stale",
                             (int) pid);
}
