/*
 * pidfile.c - what is written is read; what is no number is refused.
 */
#define _GNU_SOURCE 1

#include "proc/master/pidfile.h"

#include "log/log.h"
#include "os/file.h"
#include "tap.h"
#include "tmp.h"

static weir_str_t
file_with(const char *text)
{
    const char *path = tmp_path("pid");

    weir_assert(weir_file_write(path, weir_str_from_z(text)));
    return weir_str_from_z(path);
}

int
main(void)
{
    static const char *const bad[] = { "", "\n", "0", "-1", "1 2", " 1", "x", "99999999999999999999", "2147483648" };
    weir_str_t               path = weir_str_from_z(tmp_path("pid"));
    pid_t                    pid = 0;

    weir_log_main.level = WEIR_LOG_EMERG;
    ok(weir_pidfile_check(path), "it could be written");
    ok(weir_pidfile_write(path, 1234), "it is");
    ok(weir_pidfile_read(path, &pid) && pid == 1234, "and read");
    ok(weir_pidfile_read(file_with("77\r\n"), &pid) && pid == 77, "with any line end");
    for (size_t i = 0; i < weir_countof(bad); i++) {
        ok(!weir_pidfile_read(file_with(bad[i]), &pid), "what is no process id is refused");
    }
    weir_pidfile_remove(path);
    ok(!weir_pidfile_read(path, &pid), "removed, it is gone");
    weir_log_main.level = WEIR_LOG_EMERG;
    ok(!weir_pidfile_check(weir_str_from_z("/nowhere/at/all/pid")), "in no folder it could not be written");
    return done();
}
