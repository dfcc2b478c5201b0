/* file_dirs.c - mkdir -p. */
#define _GNU_SOURCE 1

#include "os/file.h"

#include <errno.h>
#include <sys/stat.h>

#include "tap.h"
#include "tmp.h"

static unsigned
mode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? st.st_mode & 0777 : 0;
}

int
main(void)
{
    char  name[8000];
    FILE *file;

    umask(022);
    ok(weir_file_make_dirs(tmp_path("a/b//c/"), false), "several at once, with more slashes than needed");
    is_int(mode_of(tmp_path("a/b/c")), 0755, "mode 0755");
    ok(weir_file_make_dirs(tmp_path("a/b/c"), false), "again");
    ok(weir_file_make_dirs(tmp_path("p/q"), true), "a private one");
    is_int(mode_of(tmp_path("p/q")), 0700, "mode 0700");
    is_int(mode_of(tmp_path("p")), 0755, "its parent is not private");
    ok(weir_file_make_dirs("/", false) && weir_file_make_dirs("///", false), "the root is there");

    ok(chdir(tmp_folder) == 0 && weir_file_make_dirs("x/y", false) && mode_of(tmp_path("x/y")) == 0755,
       "a relative path");

    file = fopen(tmp_path("file"), "w");
    fclose(file);
    ok(!weir_file_make_dirs(tmp_path("file"), false) && errno == ENOTDIR, "a file in its place");
    ok(!weir_file_make_dirs(tmp_path("file/sub"), false) && errno == ENOTDIR, "a file on the way");
    ok(!weir_file_make_dirs("", false) && errno == ENOENT, "no name");
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ok(!weir_file_make_dirs(name, false) && errno == ENAMETOOLONG, "a name that is too long");
    return done();
}
