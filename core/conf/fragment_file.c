/*
 * fragment_file.c - see fragment_file.h.
 */
#include "conf/fragment_file.h"

#include "base/arena.h"
#include "conf/tree_json.h"
#include "conf/tree_pack.h"
#include "os/file.h"
#include "os/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool
weir_fragment_file_is_one(weir_str_t name)
{
    return weir_str_ends(name, WEIR_STR(".conf")) || weir_str_ends(name, WEIR_STR(".json"));
}

static bool
fragment_file_fail(weir_error_t *error, weir_str_t name, const char *path)
{
    weir_assert(weir_error_is_set(error));
    (void) snprintf(error->fragment, sizeof(error->fragment), "%.*s", WEIR_STR_ARG(name));
    if (error->file[0] == '\0') {
        (void) snprintf(error->file, sizeof(error->file), "%s", path);
    }
    return false;
}

bool
weir_fragment_file_read(weir_arena_t *arena, weir_str_t name, const char *path, weir_str_t *tree, weir_error_t *error)
{
    weir_tree_node_t *root;
    weir_str_t        text;

    if (!weir_fragment_name_is_good(name)) {
        (void) weir_error_set(error, "the file \"%.300s\" cannot be a fragment: expected a path of at most %d letters, "
                              "digits, '.', '_', '-' and '/' below its folder", path, WEIR_FRAGMENT_NAME_MAX);
        return fragment_file_fail(error, name, path);
    }
    if (!weir_file_read(arena, path, WEIR_FRAGMENT_FILE_MAX, &text)) {
        (void) weir_error_set(error, "the file \"%.300s\" cannot be read (%d: %s)", path, errno, strerror(errno));
        return fragment_file_fail(error, name, path);
    }
    root = weir_str_ends(name, WEIR_STR(".json"))
           ? weir_tree_json_read(arena, text, path, WEIR_TREE_JSON_LITERAL, error)
           : weir_tree_read(arena, text, path, error);
    return (root != NULL && weir_tree_pack(arena, root, tree, error)) || fragment_file_fail(error, name, path);
}

typedef struct {
    weir_bundle_t *bundle;
    void         (*tell)(const weir_error_t *error);
    weir_error_t  *error;                    /* the first */
    uint64_t       bytes;
} fragment_files_t;

static bool
fragment_files_one(void *data, weir_str_t name, const char *path, const struct stat *st, weir_error_t *error)
{
    fragment_files_t *files = data;
    weir_error_t      why = { .text = "" };
    weir_fragment_t   fragment = { .name = name };
    weir_arena_t      arena;

    if (!weir_fragment_file_is_one(name)) {
        return true;
    }
    files->bytes += (uint64_t) st->st_size;
    if (files->bytes > WEIR_FRAGMENT_FILES_MAX) {
        return weir_error_set(error, "the files of fragments are more than %u MiB",
                              (unsigned) (WEIR_FRAGMENT_FILES_MAX >> 20));
    }
    weir_arena_init(&arena, 16384);
    if (weir_fragment_file_read(&arena, name, path, &fragment.tree, &why)) {
        weir_bundle_put_fragment(files->bundle, &fragment);
    } else {
        files->tell(&why);
        if (!weir_error_is_set(files->error)) {
            *files->error = why;
        }
    }
    weir_arena_fini(&arena);
    return true;
}

bool
weir_fragment_files_put(weir_bundle_t *bundle, weir_str_t folder, void (*tell)(const weir_error_t *error),
                        weir_error_t *error)
{
    weir_error_t          first = { .text = "" };
    fragment_files_t      files = { .bundle = bundle, .tell = tell, .error = &first };
    const weir_walk_ops_t ops = { .data = &files, .on_file = fragment_files_one };

    if (!weir_walk(folder, &ops, error)) {
        return false;
    }
    if (weir_error_is_set(&first)) {
        *error = first;
    }
    return !weir_error_is_set(&first);
}
