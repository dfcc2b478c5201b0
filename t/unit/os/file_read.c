/* file_read.c - whole files within a limit. */
#define _GNU_SOURCE 1

#include "os/file.h"

#include <errno.h>
#include <sys/stat.h>

#include "tap.h"
#include "tmp.h"

static const char *
make(const char *name, size_t size)
{
    const char *path = tmp_path(name);
    FILE       *file = fopen(path, "w");
    size_t      i;

    for (i = 0; i < size; i++) {
        fputc((char) ('a' + i % 26), file);
    }
    fclose(file);
    return path;
}

int
main(void)
{
    static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
    weir_arena_t        arena;
    weir_str_t          bytes = WEIR_STR_NONE;
    const char         *path;
    char                what[64];
    size_t              i;

    weir_arena_init(&arena, 4096);
    for (i = 0; i < weir_countof(sizes); i++) {
        path = make("file", sizes[i]);
        snprintf(what, sizeof(what), "a file of %zu bytes", sizes[i]);
        ok(weir_file_read(&arena, path, 1000000, &bytes) && bytes.len == sizes[i] && bytes.at[bytes.len] == '\0', what);
        ok(weir_file_read(&arena, path, sizes[i], &bytes) && bytes.len == sizes[i], "exactly at the limit");
        ok(sizes[i] == 0 || (!weir_file_read(&arena, path, sizes[i] - 1, &bytes) && errno == EFBIG), "above it");
    }
    ok(bytes.at[0] == 'a' && bytes.at[27] == 'b', "the bytes are the file's");

    ok(!weir_file_read(&arena, tmp_path("none"), 100, &bytes) && errno == ENOENT, "no file");
    ok(!weir_file_read(&arena, "/tmp", 100, &bytes) && errno == EISDIR, "a folder");
    ok(!weir_file_read(&arena, "/dev/zero", 100, &bytes) && errno == EINVAL, "a device");
    path = tmp_path("fifo");
    ok(mkfifo(path, 0600) == 0 && !weir_file_read(&arena, path, 100, &bytes) && errno == EINVAL,
       "a FIFO does not make it wait");
    ok(weir_file_read(&arena, "/proc/self/maps", 10000000, &bytes) && bytes.len > 100,
       "a file that says it has no bytes");
    ok(!weir_file_read(&arena, "/proc/self/maps", 50, &bytes) && errno == EFBIG, "and has more than it may");
    weir_arena_fini(&arena);
    return done();
}
