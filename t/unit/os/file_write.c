/* file_write.c - files replaced at once, temporary files. */
#define _GNU_SOURCE 1

#include "os/file.h"

#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "tap.h"
#include "tmp.h"

static size_t
entries(const char *path)
{
    DIR   *dir = opendir(path);
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n - 2;
}

static void
sweep_make(const char *path, time_t age)
{
    struct timespec times[2] = { { .tv_sec = time(NULL) - age }, { .tv_sec = time(NULL) - age } };

    weir_assert(weir_file_write(path, WEIR_STR("x")) && utimensat(AT_FDCWD, path, times, 0) == 0);
}

/* What a kill has left beside a file goes, and nothing else does. */
static void
test_sweep(void)
{
    static const struct { const char *name; time_t age; bool goes; } cases[] = {
        { "state.0123456789abcdef", 1000, true }, { "state.0123456789abcdee", 0, false },
        { "state.0123456789abcde", 1000, false }, { "state.0123456789abcdef0", 1000, false },
        { "state.0123456789ABCDEF", 1000, false }, { "stat.0123456789abcdef", 1000, false },
        { "state0.123456789abcdef0", 1000, false }, { "state", 1000, false }, { "state.bak", 1000, false },
    };
    struct stat st;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sweep_make(tmp_path(cases[i].name), cases[i].age);
    }
    weir_file_sweep(tmp_path("state"), 60);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ok((stat(tmp_path(cases[i].name), &st) != 0) == cases[i].goes, cases[i].name);
        (void) unlink(tmp_path(cases[i].name));
    }
    weir_file_sweep("/nowhere/at/all", 60);
    weir_file_sweep("", 60);
}

static void
test_write(void)
{
    const char *path = tmp_path("pid"), *link_path = tmp_path("link"), *victim = tmp_path("victim");
    struct stat st, after;

    ok(weir_file_write(path, WEIR_STR("123\n")), "a new file");
    ok(stat(path, &st) == 0 && (st.st_mode & 0777 & ~0644u) == 0, "mode 0644 at most");
    ok(strcmp(tmp_text(path), "123\n") == 0, "has the bytes");
    ok(weir_file_write(path, WEIR_STR("4")) && strcmp(tmp_text(path), "4") == 0, "a shorter one replaces it");
    ok(stat(path, &after) == 0 && after.st_ino != st.st_ino, "as another file: readers see one or the other");
    ok(weir_file_write(path, WEIR_STR_NONE) && stat(path, &st) == 0 && st.st_size == 0, "an empty one");
    is_int(entries(tmp_folder), 1, "nothing is left beside it");

    ok(weir_file_write_durable(path, WEIR_STR("5")) && strcmp(tmp_text(path), "5") == 0, "one that is synced");
    ok(weir_file_write_durable("/dev/null", WEIR_STR("5")), "where there is nothing to sync, too");
    is_int(entries(tmp_folder), 1, "nothing is left beside it either");
    ok(weir_file_write(victim, WEIR_STR("keep")) && symlink(victim, link_path) == 0, "a link to another file");
    ok(weir_file_write(link_path, WEIR_STR("new")) && strcmp(tmp_text(victim), "keep") == 0, "is not written through");
    ok(strcmp(tmp_text(link_path), "new") == 0, "but replaced");

    ok(weir_file_write("/dev/null", WEIR_STR("1")) && lstat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode),
       "/dev/null stays what it is");
    ok(!weir_file_write("/dev/full", WEIR_STR("1")) && errno == ENOSPC, "no room is told");
    ok(!weir_file_write(tmp_path("none/pid"), WEIR_STR("1")) && errno == ENOENT, "so is a folder that is none");
    ok(!weir_file_write(tmp_folder, WEIR_STR("1")) && errno == EISDIR, "and one where a file should be");
}

static void
test_write_all(void)
{
    int     pair[2];
    char    large[300000] = { 0 };
    ssize_t n, total = 0;

    ok(pipe2(pair, O_NONBLOCK) == 0 && !weir_file_write_all(pair[1], weir_str(large, sizeof(large))) && errno == EAGAIN,
       "a pipe that is full is told");
    while ((n = weir_sys_read(pair[0], large, sizeof(large))) > 0) {
        total += n;
    }
    ok(total > 4096, "after what fitted");
    weir_sys_close(pair[0]);
    weir_sys_close(pair[1]);
}

static void
test_temp(void)
{
    const char *dir = tmp_path("temp");
    struct stat st;
    char        text[5] = { 0 };
    int         fd, other;

    ok(weir_file_make_dirs(dir, false), "a folder");
    fd = weir_file_temp(dir);
    other = weir_file_temp(dir);
    ok(fd >= 0 && other >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600, "temporary files, mode 0600");
    is_int(entries(dir), 0, "without names");
    ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
    ok(weir_file_write_all(fd, WEIR_STR("text")) && weir_sys_pread(fd, text, 4, 0) == 4 && strcmp(text, "text") == 0,
       "written and read");
    weir_sys_close(fd);
    weir_sys_close(other);
    ok(weir_file_temp(tmp_path("none")) == -1 && errno == ENOENT, "no folder, no file");
    fd = weir_file_temp("/dev/shm");
    ok(fd >= 0, "in another file system");
    weir_sys_close(fd);
}

static void
test_temp_named(void)
{
    const uint8_t flat[WEIR_FILE_LEVELS] = { 0 }, deep[WEIR_FILE_LEVELS] = { 1, 2, 3 };
    const char   *dir = tmp_path("named"), *last;
    char          name[4096];
    struct stat   st;
    int           fd;

    ok(mkdir(dir, 0700) == 0, "a folder");
    fd = weir_file_temp_named(dir, flat, name);
    ok(fd >= 0 && strlen(name) == strlen(dir) + 17 && stat(name, &st) == 0 && (st.st_mode & 0777) == 0600,
       "a file with a name, mode 0600");
    close(fd);
    fd = weir_file_temp_named(dir, deep, name);
    ok(fd >= 0 && strlen(name) + 1 == WEIR_FILE_NAME(strlen(dir)) - 3 && stat(name, &st) == 0,
       "one in folders, which are made");
    last = name + strlen(name);
    ok(name[strlen(dir) + 1] == last[-1] && memcmp(name + strlen(dir) + 3, last - 3, 2) == 0
       && memcmp(name + strlen(dir) + 6, last - 6, 3) == 0,
       "that have the last digits of its name");
    close(fd);
    ok(weir_file_temp_named(tmp_path("none"), flat, name) == -1 && errno == ENOENT, "no folder, no file");
}

int
main(void)
{
    test_sweep();
    test_write();
    test_write_all();
    test_temp();
    test_temp_named();
    return done();
}
