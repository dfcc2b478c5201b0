/*
 * fragments_state.c - see fragments_state.h.
 */
#include "proc/master/fragments_state.h"

#include "base/arena.h"
#include "conf/tree_json.h"
#include "conf/tree_pack.h"
#include "os/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- writing -- */

static bool
state_write_row(const weir_fragment_row_t *row, bool is_first, FILE *out, weir_error_t *error)
{
    const weir_fragment_version_t *version = row->live != NULL ? row->live : row->refused;
    weir_tree_node_t              *tree;
    weir_arena_t                   arena;
    bool                           good;

    weir_arena_init(&arena, 16384);
    tree = weir_tree_unpack(&arena, weir_str(version->bytes, version->len), error);
    if (tree != NULL) {
        fprintf(out, "%s\n{ \"name\": \"%s\", \"from\": \"%s\", \"tree\":\n", is_first ? "" : ",", row->name,
                row->from == WEIR_FRAGMENT_OF_FILE ? "file" : "socket");
    }
    good = tree != NULL && weir_tree_json_write(tree, out, error);
    fprintf(out, "}");
    weir_arena_fini(&arena);
    return good;
}

char *
weir_fragments_state_text(const weir_fragment_table_t *table, bool all, weir_error_t *error)
{
    char  *text = NULL;
    size_t len;
    FILE  *out = open_memstream(&text, &len);
    bool   good = out != NULL, is_first = true;

    if (good) {
        fprintf(out, "{ \"fragments\": [");
    }
    for (size_t i = 0; good && i < table->n; i++) {
        const weir_fragment_row_t *row = table->rows[i];

        if ((all || row->from == WEIR_FRAGMENT_OF_SOCKET) && (row->live != NULL || row->refused != NULL)) {
            good = state_write_row(row, is_first, out, error);
            is_first = false;
        }
    }
    if (out != NULL) {
        fprintf(out, "\n] }\n");
        good = ferror(out) == 0 && good;
        good = fclose(out) == 0 && good;
    }
    if (!good) {
        (void) weir_error_set(error, "no memory for the text of the fragments");
        free(text);
        return NULL;
    }
    return text;
}

/* -- reading -- */

static bool
state_read_one(const json_t *one, const char *path, weir_arena_t *arena, weir_fragment_from_t *from,
               weir_fragment_t *fragment, weir_error_t *error)
{
    const char       *name = json_string_value(json_object_get(one, "name"));
    const char       *said = json_string_value(json_object_get(one, "from"));
    char             *text;
    weir_tree_node_t *tree;

    if (name == NULL || said == NULL || !weir_fragment_name_is_good(weir_str_from_z(name))) {
        return weir_error_set(error, "a fragment in \"%.300s\" has no name, or does not say where it is from", path);
    }
    *from = strcmp(said, "file") == 0 ? WEIR_FRAGMENT_OF_FILE : WEIR_FRAGMENT_OF_SOCKET;
    text = json_dumps(json_object_get(one, "tree"), JSON_COMPACT);
    if (text == NULL) {
        return weir_error_set(error, "fragment \"%s\" in \"%.300s\" has no tree", name, path);
    }
    tree = weir_tree_json_read(arena, weir_str_from_z(text), path, WEIR_TREE_JSON_LITERAL, error);
    free(text);
    *fragment = (weir_fragment_t) { .name = weir_str_from_z(name) };
    return tree != NULL && weir_tree_pack(arena, tree, &fragment->tree, error);
}

bool
weir_fragments_state_read(weir_str_t text, const char *path,
                          bool (*each)(void *data, weir_fragment_from_t from, const weir_fragment_t *fragment,
                                       weir_error_t *error),
                          void *data, weir_error_t *error)
{
    json_error_t  why;
    json_t       *root = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    const json_t *list = json_object_get(root, "fragments"), *one;
    bool          good = json_is_array(list);
    size_t        i;

    if (!good) {
        (void) weir_error_set(error, "the file \"%.300s\" is not one of fragments: %s", path,
                              root == NULL ? why.text : "there is no \"fragments\" in it");
    }
    json_array_foreach(list, i, one) {
        weir_fragment_t      fragment;
        weir_fragment_from_t from = WEIR_FRAGMENT_OF_SOCKET;
        weir_arena_t         arena;

        weir_arena_init(&arena, 16384);
        good = good && state_read_one(one, path, &arena, &from, &fragment, error)
               && each(data, from, &fragment, error);
        weir_arena_fini(&arena);
    }
    json_decref(root);
    return good;
}

bool
weir_fragments_state_load(weir_arena_t *arena, weir_str_t path, weir_str_t *text, weir_error_t *error)
{
    *text = WEIR_STR_NONE;
    if (weir_file_read(arena, weir_str_to_z(arena, path), WEIR_FRAGMENTS_BYTES, text) || errno == ENOENT) {
        return true;
    }
    return weir_error_set(error, "the file of fragments \"%.*s\" cannot be read (%d: %s)", WEIR_STR_ARG(path), errno,
                          strerror(errno));
}

static bool
state_put_one(void *data, weir_fragment_from_t from WEIR_UNUSED, const weir_fragment_t *fragment,
              weir_error_t *error WEIR_UNUSED)
{
    weir_bundle_put_fragment(data, fragment);
    return true;
}

bool
weir_fragments_state_put(weir_bundle_t *bundle, weir_str_t path, weir_error_t *error)
{
    weir_arena_t arena;
    weir_str_t   text;
    bool         good;

    weir_arena_init(&arena, 16384);
    good = weir_fragments_state_load(&arena, path, &text, error)
           && (text.len == 0 || weir_fragments_state_read(text, weir_str_to_z(&arena, path), state_put_one, bundle,
                                                          error));
    weir_arena_fini(&arena);
    return good;
}
