/*
 * conf_tree.c - a configuration as a tree: text that can be read is written so that it reads the same, as text and as
 * JSON, and writing what was written changes nothing; any JSON that can be read is a tree that can be written.
 */
#include "../unit/conf/tree_same.h"

#include "base/utf8.h"
#include "conf/tree_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static weir_str_t
written(weir_arena_t *arena, const weir_tree_node_t *root, bool as_json, bool *good)
{
    weir_error_t error = { .text = "" };
    char        *text = NULL;
    size_t       len = 0;
    FILE        *out = open_memstream(&text, &len);
    weir_str_t   copy;

    *good = true;
    if (as_json) {
        *good = weir_tree_json_write(root, out, &error);
    } else {
        weir_tree_write(root, out);
    }
    (void) fclose(out);
    copy = weir_str_dup(arena, weir_str(text, len));
    free(text);
    return copy;
}

static void
check_text(weir_arena_t *arena, const weir_tree_node_t *root)
{
    weir_error_t            error = { .text = "" };
    bool                    good;
    weir_str_t              text = written(arena, root, false, &good), again;
    const weir_tree_node_t *read = weir_tree_read(arena, text, "written", &error);

    if (read == NULL || !tree_same(root, read)) {
        abort();
    }
    again = written(arena, read, false, &good);
    if (!weir_str_eq(text, again)) {
        abort();
    }
}

static void
check_json(weir_arena_t *arena, weir_str_t from, const weir_tree_node_t *root)
{
    weir_error_t            error = { .text = "" };
    bool                    good;
    weir_str_t              json = written(arena, root, true, &good);
    const weir_tree_node_t *read;

    if (!good) {
        if (weir_utf8_is_text(from)) {
            abort();
        }
        return;
    }
    read = weir_tree_json_read(arena, json, "written", WEIR_TREE_JSON_LITERAL, &error);
    if (read == NULL ? json.len < (1u << 20) : !tree_same(root, read)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t        text = weir_str((const char *) data, size);
    weir_error_t      error = { .text = "" }, json_error = { .text = "" };
    weir_tree_node_t *root;
    weir_arena_t      arena;

    weir_arena_init(&arena, 4096);
    root = weir_tree_read(&arena, text, "input", &error);
    if (root != NULL) {
        check_text(&arena, root);
        check_json(&arena, text, root);
    }
    root = weir_tree_json_read(&arena, text, "input", WEIR_TREE_JSON_VARIABLES, &json_error);
    if (root != NULL) {
        check_text(&arena, root);
    }
    if ((root == NULL) != weir_error_is_set(&json_error)) {
        abort();
    }
    weir_arena_fini(&arena);
    return 0;
}
