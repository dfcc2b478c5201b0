/*
 * dump.c - -T: the configuration's text as it was read, or its trees.  Runs in the program that a person typed.
 */
#include "conf/generation.h"

#include "conf/tree_json.h"
#include "os/file.h"

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

void
weir_conf_dump(weir_bundle_t *bundle, int fd)
{
    dump_t dump = { .fd = fd };

    weir_bundle_each_conf(bundle, dump_file, &dump);
}

typedef struct { FILE *out; weir_error_t *error; size_t n; } dump_json_t;

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
        (void) fputs(dump->n++ == 0 ? "\n{\"file\": " : ",\n{\"file\": ", dump->out);
        if (weir_tree_json_write_text(path, dump->out, dump->error)) {
            (void) fputs(", \"parsed\": ", dump->out);
            if (weir_tree_json_write(root, dump->out, dump->error)) {
                (void) fputc('}', dump->out);
            }
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
    (void) fputs("\n]\n", out);
    return !weir_error_is_set(error);
}
