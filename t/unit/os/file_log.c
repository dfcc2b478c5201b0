/* file_log.c - opening a log: appended to, never through a stranger's link, never waiting. */
#define _GNU_SOURCE 1

#include "os/file.h"

#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tap.h"
#include "tmp.h"

/* A FIFO with a reader that does not read takes what fits and then says EAGAIN. */
static bool
fills_without_waiting(int fd)
{
    char text[4096] = { 0 };
    int  i;

    for (i = 0; i < 10000; i++) {
        if (weir_sys_write(fd, text, sizeof(text)) < 0) {
            return errno == EAGAIN;
        }
    }
    return false;
}

int
main(void)
{
    const char *path = tmp_path("error.log"), *link_path = tmp_path("link"), *fifo = tmp_path("fifo");
    int         a, b, reader;

    a = weir_file_open_log(path);
    b = weir_file_open_log(path);
    ok(a >= 0 && b >= 0, "a log is made and opened again");
    ok((fcntl(a, F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
    ok(weir_file_write_all(a, WEIR_STR("1\n")) && weir_file_write_all(b, WEIR_STR("2\n"))
       && weir_file_write_all(a, WEIR_STR("3\n")), "written from both");
    ok(strcmp(tmp_text(path), "1\n2\n3\n") == 0, "each at the end");
    weir_sys_close(a);
    weir_sys_close(b);

    ok(symlink(path, link_path) == 0 && weir_file_open_log(link_path) == -1 && errno == ELOOP, "a link is refused");
    unlink(link_path);
    ok(symlink("/dev/stderr", link_path) == 0, "a link to standard error");
    a = weir_file_open_log(link_path);
    ok(a >= 0, "is what container images have, and opened");
    weir_sys_close(a);
    unlink(link_path);
    ok(symlink("/dev/stderr2", link_path) == 0 && weir_file_open_log(link_path) == -1 && errno == ELOOP, "not another");
    unlink(link_path);
    ok(symlink("/dev/stderr/../null", link_path) == 0 && weir_file_open_log(link_path) == -1 && errno == ELOOP,
       "nor a longer one");

    a = weir_file_open_log("/dev/stdout");
    ok(a >= 0, "/dev/stdout");
    weir_sys_close(a);
    a = weir_file_open_log("/dev/null");
    ok(a >= 0, "/dev/null");
    weir_sys_close(a);
    ok(weir_file_open_log("/dev/weir-no-such-device") == -1 && errno == ENOENT, "nothing is made in /dev");
    ok(weir_file_open_log(tmp_folder) == -1 && errno == EISDIR, "a folder");
    ok(weir_file_open_log(tmp_path("none/error.log")) == -1 && errno == ENOENT, "no folder");

    ok(mkfifo(fifo, 0600) == 0 && weir_file_open_log(fifo) == -1 && errno == ENXIO, "a FIFO nobody reads");
    reader = weir_sys_open(fifo, O_RDONLY | O_NONBLOCK, 0);
    a = weir_file_open_log(fifo);
    ok(a >= 0 && fills_without_waiting(a), "one that somebody should read");
    weir_sys_close(a);
    weir_sys_close(reader);
    return done();
}
