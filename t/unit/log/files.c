/* Log files: one a path, records leave whole and in batches, what cannot be written is dropped and counted. */
#define _GNU_SOURCE 1
#include "log/files.h"

#include "os/clock.h"

#include "tap.h"
#include "tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const weir_log_file_pace_t pace = { WEIR_LOG_FILE_BUFFER, { WEIR_LOG_FILE_INTERVAL }, 0 };

static weir_str_t
text_of(const char *path)
{
    return weir_str_from_z(tmp_text(path));
}

static weir_instant_t
later(uint64_t ms)
{
    return weir_instant_after(weir_clock_now(), (weir_msec_t) { ms });
}

static void
one_file_a_path(void)
{
    const char *path = tmp_path("one.log");
    weir_log_file_t *a = weir_log_file_take(weir_str_from_z(path)), *b = weir_log_file_take(weir_str_from_z(path));

    ok(a == b, "the same path is the same file");
    ok(weir_log_file_open(a), "it opens");
    is_str(weir_log_file_path(a), path, "it knows its path");
    weir_log_file_give_back(a);
    weir_log_file_write(b, WEIR_STR("x\n"), &pace);
    weir_log_file_give_back(b);
    is_str(text_of(path), "x\n", "the last one to go writes what waits");
    is_int(weir_log_files_flush_due(later(1000)).ms, 0, "and nothing waits any more");
}

static void
batches(void)
{
    const char *path = tmp_path("batch.log");
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(path));
    weir_instant_t due;

    weir_clock_update();
    ok(weir_log_file_open(file), "open");
    weir_log_file_write(file, WEIR_STR("a\n"), &pace);
    is_str(text_of(path), "", "a record waits for the end of the turn");
    is_int(weir_log_files_flush_due(weir_clock_now()).ms, 0, "and is written there, the last write being long ago");
    is_str(text_of(path), "a\n", "there it is");
    weir_log_file_write(file, WEIR_STR("b\n"), &pace);
    weir_log_file_write(file, WEIR_STR("c\n"), &pace);
    due = weir_log_files_flush_due(weir_clock_now());
    is_int(due.ms - weir_clock_now().ms, WEIR_LOG_FILE_INTERVAL, "the next ones wait for the interval");
    is_str(text_of(path), "a\n", "nothing before");
    is_int(weir_log_files_flush_due(due).ms, 0, "at its end");
    is_str(text_of(path), "a\nb\nc\n", "they are written together");
    weir_log_file_give_back(file);
}

static void
slow_pace(void)
{
    const char *path = tmp_path("slow.log");
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(path));
    const weir_log_file_pace_t never = { 8, { WEIR_LOG_FILE_NEVER }, 0 };

    weir_log_file_write(file, WEIR_STR("1234\n"), &never);
    is_int(weir_log_files_flush_due(later(100000)).ms, 0, "without an interval nothing is due");
    is_str(text_of(path), "", "and nothing is written");
    weir_log_file_write(file, WEIR_STR("5678\n"), &never);
    is_str(text_of(path), "1234\n", "until the buffer would be too full");
    weir_log_files_flush();
    is_str(text_of(path), "1234\n5678\n", "or all is asked for");
    weir_log_file_give_back(file);
}

static void
large_records(void)
{
    static char big[3 * WEIR_LOG_FILE_BUFFER];
    const char *path = tmp_path("large.log");
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(path));
    struct stat st;

    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\n';
    weir_log_file_write(file, WEIR_STR("before\n"), &pace);
    weir_log_file_write(file, weir_str(big, sizeof(big)), &pace);
    weir_log_file_write(file, WEIR_STR("after\n"), &pace);
    weir_log_files_flush();
    ok(stat(path, &st) == 0 && (size_t) st.st_size == sizeof(big) + 13,
       "a record larger than the buffer is written too");
    weir_log_file_give_back(file);
}

static void
reopening(void)
{
    const char *path = tmp_path("rotate.log"), *old = tmp_path("rotate.log.1");
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(path));

    ok(weir_log_file_open(file), "open");
    weir_log_file_write(file, WEIR_STR("one\n"), &pace);
    ok(rename(path, old) == 0, "moved away");
    weir_log_files_reopen();
    weir_log_file_write(file, WEIR_STR("two\n"), &pace);
    weir_log_files_flush();
    is_str(text_of(old), "one\n", "what was waiting goes to the old file");
    is_str(text_of(path), "two\n", "what comes next to the new one");
    weir_log_files_own(getuid());
    ok(true, "a file that is the user's already stays as it is");
    weir_log_file_give_back(file);
}

/* A limit on sizes makes writes come back short, then fail. */
static void
full_disk(void)
{
    const char *path = tmp_path("full.log");
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(path));
    struct rlimit limit, small;
    uint64_t dropped = weir_log_dropped;

    (void) signal(SIGXFSZ, SIG_IGN);
    ok(getrlimit(RLIMIT_FSIZE, &limit) == 0, "the limit");
    small = limit;
    small.rlim_cur = 10;
    ok(setrlimit(RLIMIT_FSIZE, &small) == 0, "a small one");
    weir_log_file_write(file, WEIR_STR("12345\n"), &pace);
    weir_log_file_write(file, WEIR_STR("abcdef\n"), &pace);
    weir_log_file_write(file, WEIR_STR("gone\n"), &pace);
    errno = 42;
    weir_log_files_flush();
    is_int(errno, 42, "errno is left alone");
    ok(setrlimit(RLIMIT_FSIZE, &limit) == 0, "room again");
    is_int(weir_log_dropped - dropped, 2, "the records that were lost are counted");
    weir_log_file_write(file, WEIR_STR("whole\n"), &pace);
    weir_log_files_flush();
    is_str(text_of(path), "12345\nabcd\nwhole\n", "what comes after a torn record begins on a line of its own");
    weir_log_file_give_back(file);
}

static void
sleeping_reader(void)
{
    static char line[1000];
    const char *path = tmp_path("pipe.log");
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(path));
    uint64_t dropped = weir_log_dropped;
    char got[8192];
    ssize_t n;
    bool whole = true;
    int reader;

    ok(mkfifo(path, 0600) == 0, "a pipe");
    reader = open(path, O_RDONLY | O_NONBLOCK);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (int i = 0; i < 200; i++) {
        weir_log_file_write(file, weir_str(line, sizeof(line)), &pace);
    }
    weir_log_files_flush();
    ok(weir_log_dropped > dropped, "what does not fit is dropped");
    for (uint64_t bytes = 0; (n = read(reader, got, 1000)) > 0; bytes += (uint64_t) n) {
        whole = whole && n == 1000 && got[999] == '\n';
    }
    ok(whole, "what was written is whole");
    close(reader);
    weir_log_file_write(file, WEIR_STR("nobody reads\n"), &pace);
    weir_log_files_flush();
    ok(true, "a reader that has gone does no harm");
    weir_log_file_give_back(file);
}

static void
count_files(void *data, weir_str_t path, int fd)
{
    (void) path;
    *(int *) data += fd >= 0;
}

static void
handing_over(void)
{
    const char *path = tmp_path("given.log");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), again = open(path, O_WRONLY | O_APPEND), n = 0;
    weir_log_file_t *file;

    weir_log_files_adopt(weir_str_from_z(path), fd);
    weir_log_files_adopt(weir_str_from_z(path), again);
    ok(fcntl(again, F_GETFD) == -1, "the second descriptor for a file is closed");
    weir_log_files_each(count_files, &n);
    is_int(n, 1, "there is one");
    file = weir_log_file_take(weir_str_from_z(path));
    weir_log_files_drop_unused();
    ok(fcntl(fd, F_GETFD) != -1, "one that is used stays");
    ok(weir_log_file_open(file), "it is open already");
    weir_log_file_write(file, WEIR_STR("given\n"), &pace);
    weir_log_file_give_back(file);
    is_str(text_of(path), "given\n", "its records arrive");
    ok(fcntl(fd, F_GETFD) == -1, "the last user closes it");
    weir_log_files_adopt(weir_str_from_z(path), open(path, O_WRONLY | O_APPEND));
    weir_log_files_drop_unused();
    n = 0;
    weir_log_files_each(count_files, &n);
    is_int(n, 0, "one that nobody came to use is closed");
}

static void
no_such_folder(void)
{
    weir_log_file_t *file = weir_log_file_take(weir_str_from_z(tmp_path("nowhere/x.log")));
    uint64_t dropped = weir_log_dropped;

    ok(!weir_log_file_open(file) && errno == ENOENT, "a file that cannot be opened says why");
    weir_log_file_write(file, WEIR_STR("x\n"), &pace);
    weir_log_files_flush();
    is_int(weir_log_dropped - dropped, 1, "records for it are dropped and counted");
    weir_log_file_give_back(file);
}

int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    weir_clock_update();
    one_file_a_path();
    batches();
    slow_pace();
    large_records();
    reopening();
    full_disk();
    sleeping_reader();
    handing_over();
    no_such_folder();
    return done();
}
