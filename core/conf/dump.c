/*
 * dump.c - -T: the configuration's text as it was read, or its trees.  Runs in the program that a person typed.
 */
#include "conf/generation.h"

#include "conf/tree_json.h"
#include "conf/tree_pack.h"
#include "os/file.h"

#include <stdlib.h>

#define DUMP_CHUNK 65536

typedef struct { int fd; bool failed; } dump_t;

static void
dump_write(dump_t *dump, weir_str_t text)
{
    dump->failed = dump->failed || !weir_file_write_all(dump->fd, text);
}

static void
dump_file(void *data, weir_str_t path, weir_str_t bytes)
{
    dump_write(data, WEIR_STR("# configuration file "));
    dump_write(data, path);
    dump_write(data, WEIR_STR(":\n"));
    dump_write(data, bytes);
    dump_write(data, WEIR_STR("\n"));
}

/* Its tree in the notation of text; memory: the arena. */
static weir_str_t
dump_fragment_text(weir_arena_t *arena, const weir_fragment_t *fragment)
{
    weir_error_t            error = { .text = "" };
    const weir_tree_node_t *root = weir_tree_unpack(arena, fragment->tree, &error);
    char                   *text = NULL;
    size_t                  len = 0;
    weir_str_t              copy;
    FILE                   *out;

    if (root == NULL) {
        return WEIR_STR("");                           /* a generation was built of it: it is a tree */
    }
    out = open_memstream(&text, &len);
    weir_assert(out != NULL);
    weir_tree_write(root, out);
    weir_assert(fclose(out) == 0);
    copy = weir_str_dup(arena, weir_str(text, len));
    free(text);
    return copy;
}

void
weir_conf_dump(weir_bundle_t *bundle, int fd)
{
    dump_t           dump = { .fd = fd };
    weir_arena_t     arena;
    weir_fragments_t fragments;

    weir_bundle_each_conf(bundle, dump_file, &dump);
    weir_arena_init(&arena, DUMP_CHUNK);
    fragments = weir_bundle_fragments(bundle, &arena);
    for (size_t i = 0; i < fragments.n; i++) {
        dump_write(&dump, WEIR_STR("# configuration fragment "));
        dump_write(&dump, fragments.at[i].name);
        dump_write(&dump, WEIR_STR(":\n"));
        dump_write(&dump, dump_fragment_text(&arena, &fragments.at[i]));
        dump_write(&dump, WEIR_STR("\n"));
    }
    weir_arena_fini(&arena);
}

typedef struct { FILE *out; weir_error_t *error; size_t n; } dump_json_t;

static void
dump_json_tree(dump_json_t *dump, const char *head, weir_str_t name, const weir_tree_node_t *root)
{
    (void) fputs(dump->n++ == 0 ? "\n" : ",\n", dump->out);
    (void) fputs(head, dump->out);
    if (weir_tree_json_write_text(name, dump->out, dump->error)) {
        (void) fputs(", \"parsed\": ", dump->out);
        if (weir_tree_json_write(root, dump->out, dump->error)) {
            (void) fputc('}', dump->out);
        }
    }
}

static void
dump_json_file(void *data, weir_str_t path, weir_str_t bytes)
{
    dump_json_t      *dump = data;
    weir_arena_t      arena;
    weir_tree_node_t *root;
    const char       *file;

    if (weir_error_is_set(dump->error)) {
        return;
    }
    weir_arena_init(&arena, DUMP_CHUNK);
    file = weir_str_to_z(&arena, path);
    root = weir_tree_read(&arena, bytes, file, dump->error);
    if (root != NULL) {
        dump_json_tree(dump, "{\"file\": ", path, root);
    }
    weir_arena_fini(&arena);
}

static void
dump_json_fragments(dump_json_t *dump, const weir_bundle_t *bundle)
{
    weir_arena_t     arena;
    weir_fragments_t fragments;

    weir_arena_init(&arena, DUMP_CHUNK);
    fragments = weir_bundle_fragments(bundle, &arena);
    for (size_t i = 0; i < fragments.n && !weir_error_is_set(dump->error); i++) {
        const weir_tree_node_t *root = weir_tree_unpack(&arena, fragments.at[i].tree, dump->error);

        if (root != NULL) {
            dump_json_tree(dump, "{\"fragment\": ", fragments.at[i].name, root);
        }
    }
    weir_arena_fini(&arena);
}

bool
weir_conf_dump_json(weir_bundle_t *bundle, FILE *out, weir_error_t *error)
{
    dump_json_t dump = { out, error, 0 };

    (void) fputc('[', out);
    weir_bundle_each_conf(bundle, dump_json_file, &dump);
    dump_json_fragments(&dump, bundle);
    (void) fputs("\n]\n", out);
    return !weir_error_is_set(error);
}
