/*
 * dump.c - -T: the configuration's text as it was read.  Runs in the program that a person typed; allocates nothing.
 */
#include "conf/generation.h"

#include "os/file.h"

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
