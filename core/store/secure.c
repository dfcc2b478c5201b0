/*
 * secure.c - see secure.h.  Runs in the master, in the store's process before it gives root up, and in tools.
 */
#define _GNU_SOURCE 1

#include "store/secure.h"

#include "os/sys.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECURE_FOLDER 0750
#define SECURE_SHOWN  0640
#define SECURE_HIDDEN 0600

static const struct { const char *name; mode_t mode; } secure_files[] = {
    { WEIR_STORE_FILE, SECURE_SHOWN },
    { WEIR_STORE_FILE "-lock", SECURE_HIDDEN },
    { WEIR_STORE_LOCK, SECURE_SHOWN },
    { WEIR_STORE_SEEDS, SECURE_HIDDEN },
};

/* What kind of file it is is asked of what was opened, not of its name. */
static bool
secure_give(int folder, const char *name, mode_t mode, uid_t owner, gid_t readers)
{
    struct stat st;
    int         fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), why;

    if (fd < 0) {
        return errno == ENOENT;
    }
    if (weir_sys_fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_nlink != 1)) {
        why = EMLINK;                        /* as for a link that O_NOFOLLOW finds */
    } else {
        why = fchown(fd, owner, readers) != 0 || fchmod(fd, mode) != 0 ? errno : 0;
    }
    (void) weir_sys_close(fd);
    errno = why;
    return why == 0;
}

bool
weir_store_secure(const char *path, uid_t owner, gid_t readers, weir_error_t *error)
{
    const char *name = "";
    int         folder = weir_sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), why;
    bool        good = folder >= 0 && fchown(folder, owner, readers) == 0 && fchmod(folder, SECURE_FOLDER) == 0;

    for (size_t i = 0; good && i < sizeof(secure_files) / sizeof(*secure_files); i++) {
        name = secure_files[i].name;
        good = secure_give(folder, name, secure_files[i].mode, owner, readers);
    }
    why = errno;
    if (folder >= 0) {
        (void) weir_sys_close(folder);
    }
    return good || weir_error_set(error, "\"%s/%s\" cannot be made the store's own: %s", path, name,
                                  why == ELOOP || why == EMLINK ? "it is a link or no plain file" : strerror(why));
}

void
weir_store_secure_file(const char *folder, const char *path, bool is_for_readers)
{
    struct stat st;

    if (geteuid() == 0 && weir_sys_stat(folder, &st) == 0) {
        (void) !lchown(path, st.st_uid, st.st_gid);
        (void) !chmod(path, is_for_readers && (st.st_mode & S_IRGRP) != 0 ? SECURE_SHOWN : SECURE_HIDDEN);
    }
}
