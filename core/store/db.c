/*
 * db.c - see db.h.  Runs in the store's process and in tools.
 */
#define _GNU_SOURCE 1

#include "store/db.h"

#include "base/arena.h"
#include "os/file.h"
#include "os/sys.h"
#include "store/record.h"
#include "store/secure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* slots of tools, of what writers hold (hold.h), of the workers of a program of before */
#define DB_READERS 600
#define DB_NO_TABLE  UINT_MAX
#define DB_DISK_FULL 65536                   /* bytes: less than one write of LMDB's */

static pid_t db_opened_by;                   /* one environment a process */

static const char *const db_names[WEIR_STORE_TABLES] = {
    [WEIR_STORE_META] = "meta",
    [WEIR_STORE_CONSUMERS] = "consumers",
    [WEIR_STORE_KEYS] = "keys",
    [WEIR_STORE_PLANS] = "plans",
    [WEIR_STORE_CELLS] = "cells",
    [WEIR_STORE_PROFILES] = "profiles",
    [WEIR_STORE_RATES] = "rates",
    [WEIR_STORE_IDENTITIES] = "identities",
};

const char *
weir_store_table_name(weir_store_table_t table)
{
    weir_assert(table < WEIR_STORE_TABLES);
    return db_names[table];
}

bool
weir_store_has(const weir_store_db_t *db, weir_store_table_t table)
{
    weir_assert(table < WEIR_STORE_TABLES);
    return db->tables[table] != DB_NO_TABLE;
}

/* LMDB says EIO too when a write was cut short, which is what the last bytes of a disk do. */
static bool
db_disk_is_full(const weir_store_db_t *db)
{
    struct statvfs disk;
    int            fd;

    return db->env != NULL && mdb_env_get_fd(db->env, &fd) == 0 && fstatvfs(fd, &disk) == 0
           && (uint64_t) disk.f_bavail * disk.f_frsize < DB_DISK_FULL;
}

const char *
weir_store_strerror(const weir_store_db_t *db, int result)
{
    switch (result) {
    case EIO:
        return strerror(db_disk_is_full(db) ? ENOSPC : EIO);
    case MDB_MAP_FULL:
        return "the store is full: raise store_size";
    case MDB_READERS_FULL:
        return "too many processes read the store";
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
        return "the file is not a store, or it is damaged";
    case ESTALE:
        return "its file was removed while it was open";
    case EWOULDBLOCK:
        return "it is in use";
    default:
        return mdb_strerror(result);
    }
}

/* -- opening -- */

/* A number of the store's own; 0: it is not there. */
static int
db_get_number(const weir_store_db_t *db, MDB_txn *txn, const char *name, uint32_t *number)
{
    MDB_val key = weir_store_val(weir_str_from_z(name)), value;
    int     result = mdb_get(txn, db->tables[WEIR_STORE_META], &key, &value);

    *number = 0;
    if (result == 0 && value.mv_size == sizeof(*number)) {
        memcpy(number, value.mv_data, sizeof(*number));
    }
    return result == MDB_NOTFOUND ? 0 : result == 0 && *number == 0 ? MDB_CORRUPTED : result;
}

static int
db_put_number(const weir_store_db_t *db, MDB_txn *txn, const char *name, uint32_t number)
{
    MDB_val key = weir_store_val(weir_str_from_z(name)), value = { .mv_size = sizeof(number), .mv_data = &number };

    weir_assert(db->writes);
    return mdb_put(txn, db->tables[WEIR_STORE_META], &key, &value, 0);
}

/* Which layout it has; *is_old: one before this, or none yet. */
static int
db_check_layout(const weir_store_db_t *db, MDB_txn *txn, bool *fits, bool *is_old)
{
    uint32_t oldest, layout;
    int      result = db_get_number(db, txn, WEIR_STORE_OLDEST_KEY, &oldest);

    if (result == 0) {
        result = db_get_number(db, txn, WEIR_STORE_LAYOUT_KEY, &layout);
    }
    if (result != 0) {
        return result;
    }
    *is_old = layout < WEIR_STORE_LAYOUT;
    *fits = oldest <= WEIR_STORE_LAYOUT;
    return oldest == 0 && !db->writes ? MDB_NOTFOUND : 0;
}

static int
db_open_table(weir_store_db_t *db, MDB_txn *txn, weir_store_table_t table)
{
    int result = mdb_dbi_open(txn, db_names[table], db->writes ? MDB_CREATE : 0, &db->tables[table]);

    if (result == MDB_NOTFOUND && weir_store_table_is_new(table)) {
        db->tables[table] = DB_NO_TABLE;         /* a reader of a store of layout 1 */
        return 0;
    }
    return result;
}

/* Takes out what speaks of consumers or plans that are not there: one of layout 1 removed them. */
static int
db_drop_orphans(const weir_store_db_t *db, MDB_txn *txn, weir_store_table_t table, weir_store_table_t owners)
{
    MDB_cursor *cursor;
    MDB_val     key, value, owner;
    int         result = mdb_cursor_open(txn, db->tables[table], &cursor), found;

    if (result != 0) {
        return result;
    }
    while ((result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        owner = key;
        if (table == WEIR_STORE_IDENTITIES && value.mv_size >= offsetof(weir_store_identity_t, value)) {
            const char *name = (const char *) value.mv_data + offsetof(weir_store_identity_t, consumer);

            owner = weir_store_val(weir_store_text(name, WEIR_STORE_NAME));
        }
        found = owner.mv_size != 0 ? mdb_get(txn, db->tables[owners], &owner, &value) : MDB_NOTFOUND;
        if (found == MDB_NOTFOUND) {
            found = mdb_cursor_del(cursor, 0);
        }
        if (found != 0) {
            result = found;
            break;
        }
    }
    mdb_cursor_close(cursor);
    return result == MDB_NOTFOUND ? 0 : result;
}

/* Becomes one of this layout, if it is not; see record.h.  So does a store that was never written. */
static int
db_migrate(const weir_store_db_t *db, MDB_txn *txn, bool is_old)
{
    int result = 0;

    if (is_old && (result = db_put_number(db, txn, WEIR_STORE_OLDEST_KEY, WEIR_STORE_OLDEST)) == 0) {
        result = db_put_number(db, txn, WEIR_STORE_LAYOUT_KEY, WEIR_STORE_LAYOUT);
    }
    if (result != 0 || (result = db_drop_orphans(db, txn, WEIR_STORE_PROFILES, WEIR_STORE_CONSUMERS)) != 0
        || (result = db_drop_orphans(db, txn, WEIR_STORE_IDENTITIES, WEIR_STORE_CONSUMERS)) != 0)
    {
        return result;
    }
    return db_drop_orphans(db, txn, WEIR_STORE_RATES, WEIR_STORE_PLANS);
}

static int
db_open_tables(weir_store_db_t *db, bool *fits)
{
    MDB_txn *txn;
    bool     is_old = false;
    int      result = mdb_txn_begin(db->env, NULL, db->writes ? 0 : MDB_RDONLY, &txn);

    if (result != 0) {
        return result;
    }
    for (weir_store_table_t table = 0; result == 0 && table < WEIR_STORE_TABLES; table++) {
        result = db_open_table(db, txn, table);
    }
    if (result == 0) {
        result = db_check_layout(db, txn, fits, &is_old);
    }
    if (result == 0 && *fits && db->writes) {
        result = db_migrate(db, txn, is_old);
    }
    if (result != 0 || !*fits) {
        mdb_txn_abort(txn);
        return result;
    }
    return mdb_txn_commit(txn);
}

/* Before LMDB's own lock file is looked at, which speaks of the file that is there.  To have it alone a process must be
 * able to write it: a worker, which may only read it (view.c), can keep no process from opening the store. */
static int
db_lock(weir_store_db_t *db, const weir_store_open_t *how)
{
    char         path[PATH_MAX];
    struct flock lock = { .l_type = how->alone ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };

    weir_assert(db->lock_fd == -1);
    (void) snprintf(path, sizeof(path), "%s/" WEIR_STORE_LOCK, how->path);
    db->lock_fd = weir_sys_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (db->lock_fd < 0) {
        return errno;
    }
    weir_store_secure_file(how->path, path, true);
    while (fcntl(db->lock_fd, how->waits ? F_OFD_SETLKW : F_OFD_SETLK, &lock) != 0) {
        if (errno != EINTR) {
            return errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno;
        }
    }
    return 0;
}

/* All pages that the last transaction speaks of are in the file, which never becomes shorter again: a reader of the map
 * gets no SIGBUS. */
static int
db_measure(weir_store_db_t *db)
{
    MDB_envinfo info;
    MDB_stat    stat;
    struct stat file;
    int         fd;

    if (mdb_env_get_fd(db->env, &fd) != 0 || mdb_env_info(db->env, &info) != 0 || mdb_env_stat(db->env, &stat) != 0
        || weir_sys_fstat(fd, &file) != 0)
    {
        return EIO;
    }
    db->measured = (uint64_t) file.st_size;
    return ((uint64_t) info.me_last_pgno + 1) * stat.ms_psize > db->measured ? MDB_CORRUPTED : 0;
}

static int
db_open_env(weir_store_db_t *db, const weir_store_open_t *how, const char *path)
{
    int result;

    weir_assert(db->env == NULL && db->lock_fd >= 0);     /* only the holder of the lock opens it */
    if ((result = mdb_env_create(&db->env)) != 0 || (result = mdb_env_set_maxdbs(db->env, WEIR_STORE_TABLES)) != 0
        || (result = mdb_env_set_maxreaders(db->env, DB_READERS)) != 0
        || (how->size != 0 && (result = mdb_env_set_mapsize(db->env, how->size)) != 0)
        || (result = mdb_env_open(db->env, path, MDB_NOSUBDIR | MDB_NOTLS | (how->writes ? 0 : MDB_RDONLY), 0600)) != 0)
    {
        return result;
    }
    return db_measure(db);
}

static int
db_open(weir_store_db_t *db, const weir_store_open_t *how, bool *fits)
{
    char path[PATH_MAX], lock[PATH_MAX + 8];
    int  result;

    *fits = true;
    if ((size_t) snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, how->path) >= sizeof(path)) {
        return ENAMETOOLONG;
    }
    if ((result = db_lock(db, how)) != 0 || (result = db_open_env(db, how, path)) != 0) {
        return result;
    }
    (void) snprintf(lock, sizeof(lock), "%s-lock", path);
    weir_store_secure_file(how->path, lock, false);
    if (how->writes) {
        weir_store_secure_file(how->path, path, true);
    }
    return db_open_tables(db, fits);
}

bool
weir_store_open(weir_store_db_t *db, const weir_store_open_t *how, weir_error_t *error)
{
    bool fits;
    int  result;

    weir_assert(db_opened_by != getpid());
    *db = (weir_store_db_t) { .writes = how->writes, .lock_fd = -1 };
    result = db_open(db, how, &fits);
    if (result == 0 && fits) {
        db_opened_by = getpid();
        return true;
    }
    if (result == 0) {
        (void) weir_error_set(error,
                              "the store in \"%s\" is of another version of Weir: dump it there and load it here",
                              how->path);
    } else {
        (void) weir_error_set(error, "the store in \"%s\" cannot be opened: %s", how->path,
                              weir_store_strerror(db, result));
    }
    weir_store_close(db);
    return false;
}

void
weir_store_close(weir_store_db_t *db)
{
    if (db->env != NULL) {
        mdb_env_close(db->env);
        db->env = NULL;
        db_opened_by = 0;
    }
    if (db->lock_fd >= 0) {
        (void) weir_sys_close(db->lock_fd);
        db->lock_fd = -1;
    }
}

int
weir_store_look(const weir_store_db_t *db)
{
    struct stat file;
    int         fd;

    weir_assert(db->env != NULL);
    if (mdb_env_get_fd(db->env, &fd) != 0 || weir_sys_fstat(fd, &file) != 0) {
        return EIO;
    }
    return file.st_nlink == 0 ? ESTALE : (uint64_t) file.st_size < db->measured ? MDB_CORRUPTED : 0;
}

int
weir_store_walk(weir_store_db_t *db)
{
    MDB_txn    *txn;
    MDB_cursor *cursor;
    MDB_val     key, value;
    int         result = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);

    if (result != 0) {
        return result;
    }
    for (weir_store_table_t i = 0; result == 0 && i < WEIR_STORE_TABLES; i++) {
        if (!weir_store_has(db, i)) {
            continue;
        }
        result = mdb_cursor_open(txn, db->tables[i], &cursor);
        while (result == 0 && (result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
            if (value.mv_size != 0) {        /* its page too is looked at */
                (void) *((const volatile unsigned char *) value.mv_data + value.mv_size - 1);
            }
        }
        if (result == MDB_NOTFOUND) {
            mdb_cursor_close(cursor);
            result = 0;
        }
    }
    mdb_txn_abort(txn);
    return result;
}

/* -- copies -- */

int
weir_store_copy(weir_store_db_t *db, const char *to)
{
    weir_assert(db->env != NULL);
    mode_t before = umask(0177);
    int    result = mdb_env_copy2(db->env, to, MDB_CP_COMPACT);

    (void) umask(before);
    return result;
}

int
weir_store_compact(weir_store_db_t *db, const char *folder)
{
    char path[PATH_MAX], copy[PATH_MAX + 8];
    int  result, fd;

    (void) snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, folder);
    (void) snprintf(copy, sizeof(copy), "%s.new", path);
    (void) weir_sys_unlink(copy);            /* of one that was killed */
    result = weir_store_copy(db, copy);
    if (result == 0) {
        weir_store_secure_file(folder, copy, true);
        fd = weir_sys_open(copy, O_RDWR, 0);
        result = fd < 0 || fsync(fd) != 0 || weir_sys_rename(copy, path) != 0 ? errno : 0;
        if (fd >= 0) {
            (void) weir_sys_close(fd);
        }
    }
    if (result != 0) {
        (void) weir_sys_unlink(copy);
    }
    return result;
}

/* -- seeds -- */

bool
weir_store_set_seeds(const char *folder, const uint64_t seeds[2], weir_error_t *error)
{
    char path[PATH_MAX];

    (void) snprintf(path, sizeof(path), "%s/" WEIR_STORE_SEEDS, folder);
    if (!weir_file_write_secret(path, weir_str((const char *) seeds, 2 * sizeof(*seeds)))) {
        return weir_error_set(error, "\"%s\" cannot be made: %s", path, strerror(errno));
    }
    weir_store_secure_file(folder, path, false);
    return true;
}

bool
weir_store_seeds(const char *folder, uint64_t seeds[2], weir_error_t *error)
{
    char         path[PATH_MAX];
    weir_arena_t arena;
    weir_str_t   bytes = WEIR_STR_NONE;
    bool         there;

    if ((size_t) snprintf(path, sizeof(path), "%s/" WEIR_STORE_SEEDS, folder) >= sizeof(path)) {
        return weir_error_set(error, "the path of the store is too long");
    }
    weir_arena_init(&arena, 256);
    there = weir_file_read(&arena, path, 2 * sizeof(*seeds), &bytes);
    if (there && bytes.len == 2 * sizeof(*seeds)) {
        memcpy(seeds, bytes.at, bytes.len);
        weir_arena_fini(&arena);
        return true;
    }
    weir_arena_fini(&arena);
    if (there || errno != ENOENT) {
        return weir_error_set(error, "\"%s\" %s", path, there ? "is not what it was made as" : strerror(errno));
    }
    if (weir_sys_random(seeds, 2 * sizeof(*seeds)) != 0) {
        return weir_error_set(error, "there is no randomness for \"%s\"", path);
    }
    return weir_store_set_seeds(folder, seeds, error);
}

size_t
weir_store_cell_key(char room[WEIR_STORE_CELL_KEY], weir_str_t kind, weir_str_t zone, uint64_t name)
{
    size_t len = 0;

    weir_assert(kind.len < 32 && zone.len < 128);
    memcpy(room, kind.at, kind.len);
    len = kind.len;
    room[len++] = '\0';
    memcpy(room + len, zone.at, zone.len);
    len += zone.len;
    room[len++] = '\0';
    memcpy(room + len, &name, sizeof(name));
    return len + sizeof(name);
}
