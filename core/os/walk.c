/*
 * walk.c - see walk.h.  Runs in the master and in tools; memory: an arena for the time of the walk.
 */
#include "os/walk.h"

#include "base/arena.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <string.h>

typedef struct {
    weir_arena_t           arena;
    const weir_walk_ops_t *ops;
    weir_error_t          *error;
    size_t                 root_len;        /* of the path of the folder, with its '/' */
    size_t                 n_files, n_folders;
} walk_t;

static bool walk_folder(walk_t *walk, const char *path, size_t depth);

static bool
walk_file(walk_t *walk, const char *path, const struct stat *st)
{
    if (++walk->n_files > WEIR_WALK_FILES) {
        return weir_error_set(walk->error, "more than %d files are below the folder \"%.*s\"", WEIR_WALK_FILES,
                              (int) walk->root_len, path);
    }
    return walk->ops->on_file(walk->ops->data, weir_str_from_z(path + walk->root_len), path, st, walk->error);
}

static bool
walk_entry(walk_t *walk, const char *path, size_t depth)
{
    struct stat st;

    if (weir_sys_lstat(path, &st) != 0) {
        return true;                         /* gone meanwhile */
    }
    if (S_ISLNK(st.st_mode)) {
        if (walk->ops->on_link != NULL) {
            walk->ops->on_link(walk->ops->data, path);
        }
        if (weir_sys_stat(path, &st) != 0) {
            return true;                     /* it leads nowhere */
        }
    }
    if (S_ISDIR(st.st_mode)) {
        return walk_folder(walk, path, depth + 1);
    }
    return !S_ISREG(st.st_mode) || walk_file(walk, path, &st);
}

static bool
walk_folder(walk_t *walk, const char *path, size_t depth)
{
    weir_file_entries_t entries;

    if (depth > WEIR_WALK_DEPTH) {
        return weir_error_set(walk->error, "folders are inside one another more than %d times: \"%.300s\"",
                              WEIR_WALK_DEPTH, path);
    }
    if (++walk->n_folders > WEIR_WALK_FOLDERS) {
        return weir_error_set(walk->error, "more than %d folders are below \"%.*s\"", WEIR_WALK_FOLDERS,
                              (int) walk->root_len, path);
    }
    if (walk->ops->on_folder != NULL) {
        walk->ops->on_folder(walk->ops->data, path);
    }
    if (!weir_file_list(&walk->arena, path, WEIR_WALK_FILES + WEIR_WALK_FOLDERS, &entries)) {
        return (errno == ENOENT && depth > 0)
               || weir_error_set(walk->error, "the folder \"%.300s\" cannot be read (%d: %s)", path, errno,
                                 strerror(errno));
    }
    for (size_t i = 0; i < entries.n; i++) {
        const char *full = weir_str_printf(&walk->arena, "%s/%.*s", path, WEIR_STR_ARG(entries.at[i].name)).at;

        if (!walk_entry(walk, full, depth)) {
            return false;
        }
    }
    return true;
}

bool
weir_walk(weir_str_t folder, const weir_walk_ops_t *ops, weir_error_t *error)
{
    walk_t walk = { .ops = ops, .error = error };
    bool   good;

    while (folder.len > 1 && folder.at[folder.len - 1] == '/') {
        folder.len--;
    }
    weir_assert(folder.len != 0 && folder.at[0] == '/' && ops->on_file != NULL);
    weir_arena_init(&walk.arena, 16384);
    walk.root_len = folder.len + 1;
    good = walk_folder(&walk, weir_str_to_z(&walk.arena, folder), 0);
    weir_arena_fini(&walk.arena);
    return good;
}
