/* sinks.c - several places at once, reopening; what cannot be written is dropped and counted, and nobody waits. */
#define _GNU_SOURCE 1

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "capture.h"

static weir_log_sink_t
file_sink(const char *path, weir_log_level_t level)
{
    weir_log_sink_t sink = { .kind = WEIR_LOG_TO_FILE, .path = weir_str_from_z(path), .level = level, .fd = -1 };
    const char     *why = "";

    if (!weir_log_open(&sink, &why)) {
        printf("# %s: %s\n", path, why);
    }
    return sink;
}

static size_t
lines(const char *text)
{
    size_t n = 0;

    while ((text = strchr(text, '\n')) != NULL) {
        text++;
        n++;
    }
    return n;
}

static void
test_several(void)
{
    weir_log_sink_t a = file_sink(tmp_path("a.log"), WEIR_LOG_INFO), b = file_sink(tmp_path("b.log"), WEIR_LOG_ERROR);

    a.next = &b;
    b.json = true;
    weir_log_use(&a);
    weir_log(WEIR_LOG_INFO, NULL, 0, "one");
    weir_log(WEIR_LOG_ERROR, NULL, 0, "two");
    is_int(lines(tmp_text(tmp_path("a.log"))), 2, "each sink has its level");
    is_int(lines(tmp_text(tmp_path("b.log"))), 1, "the other has another");
    ok(tmp_text(tmp_path("b.log"))[0] == '{', "and its form");
    weir_log_send(&a, WEIR_LOG_INFO, WEIR_STR("ready made"));
    ok(strstr(tmp_text(tmp_path("a.log")), "two\nready made\n") != NULL, "a record of one's own");
    weir_log_use(NULL);
    weir_log_close(&a);
    ok(a.fd == -1 && b.fd == -1, "all are closed");
}

static void
test_reopen(void)
{
    const char     *path = tmp_path("r.log"), *old = tmp_path("r.log.1");
    weir_log_sink_t sink = file_sink(path, WEIR_LOG_NOTICE);
    int             fd = sink.fd;

    weir_log_use(&sink);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "before");
    ok(rename(path, old) == 0, "rotated");
    weir_log(WEIR_LOG_ERROR, NULL, 0, "between");
    weir_log_reopen(&sink);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "after");
    ok(lines(tmp_text(old)) == 2 && lines(tmp_text(path)) == 1 && strstr(tmp_text(path), "after") != NULL,
       "a reopen goes on in the new file");
    is_int(sink.fd, fd, "under the same descriptor");
    ok((fcntl(sink.fd, F_GETFD) & FD_CLOEXEC) != 0, "which is close-on-exec");

    ok(unlink(path) == 0 && mkdir(path, 0755) == 0, "a folder where the file should be");
    weir_log_reopen(&sink);
    ok(rmdir(path) == 0 && sink.fd == fd, "keeps the old descriptor");
    weir_log(WEIR_LOG_ERROR, NULL, 0, "still");
    weir_log_reopen(&sink);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "back");
    is_int(lines(tmp_text(path)), 1, "until it is gone");
    weir_log_use(NULL);
    weir_log_close(&sink);
}

static void
test_open_failures(void)
{
    weir_log_sink_t sink = { .kind = WEIR_LOG_TO_FILE, .path = WEIR_STR("") };
    const char     *why = NULL;

    ok(!weir_log_open(&sink, &why) && errno == ENOENT && why != NULL && sink.fd == -1, "no path");
    sink.path = weir_str_from_z(tmp_path("none/x.log"));
    ok(!weir_log_open(&sink, &why) && errno == ENOENT && strcmp(why, "open() failed") == 0, "no folder");
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("x"));
    is_int(weir_log_dropped, 1, "a record for a sink that is not open is counted");
    weir_log_dropped = 0;
}

static void
test_full(void)
{
    weir_log_sink_t sink = file_sink("/dev/full", WEIR_LOG_NOTICE);
    int             i;

    weir_log_use(&sink);
    for (i = 0; i < 10; i++) {
        errno = EBUSY;
        weir_log(WEIR_LOG_ERROR, NULL, 0, "x");
    }
    is_int(weir_log_dropped, 10, "a full disk drops records, counted exactly");
    is_int(errno, EBUSY, "and errno is left alone");
    weir_log_use(NULL);
    weir_log_close(&sink);
    weir_log_dropped = 0;
}

/* The disk ends in the middle of a record, then has room again. */
static void
test_torn(void)
{
    const char     *path = tmp_path("torn.log");
    weir_log_sink_t sink = file_sink(path, WEIR_LOG_NOTICE);
    struct rlimit   limit, small;

    getrlimit(RLIMIT_FSIZE, &limit);
    small = (struct rlimit) { .rlim_cur = 40, .rlim_max = limit.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("first record, which fits"));
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("second record, which does not"));
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("third record, which does not"));
    setrlimit(RLIMIT_FSIZE, &limit);
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("fourth"));
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("fifth"));
    is_str(weir_str_from_z(tmp_text(path)), "first record, which fits\nsecond record, \nfourth\nfifth\n",
           "half a record does not swallow the next");
    is_int(weir_log_dropped, 2, "what was not written whole counts as dropped");
    weir_log_close(&sink);
    weir_log_dropped = 0;
}

static void
test_sleeping_reader(void)
{
    const char     *path = tmp_path("fifo");
    weir_log_sink_t sink;
    char            text[4096];
    int             reader, i;
    size_t          got = 0;
    ssize_t         n;

    ok(mkfifo(path, 0600) == 0, "a FIFO");
    reader = open(path, O_RDONLY | O_NONBLOCK);
    sink = file_sink(path, WEIR_LOG_NOTICE);
    for (i = 0; i < 2000; i++) {
        weir_log_send(&sink, WEIR_LOG_ERROR, weir_str("0123456789012345678901234567890123456789012345678", 49));
    }
    while ((n = read(reader, text, sizeof(text))) > 0) {
        got += (size_t) n;
    }
    ok(got % 50 == 0 && got / 50 + weir_log_dropped == 2000 && weir_log_dropped != 0,
       "whose reader sleeps: what came and what was dropped is all");
    close(reader);
    signal(SIGPIPE, SIG_IGN);
    weir_log_dropped = 0;
    weir_log_send(&sink, WEIR_LOG_ERROR, WEIR_STR("x"));
    is_int(weir_log_dropped, 1, "whose reader is gone");
    weir_log_close(&sink);
    weir_log_dropped = 0;
}

int
main(void)
{
    test_several();
    test_reopen();
    test_open_failures();
    test_full();
    test_torn();
    test_sleeping_reader();
    return done();
}
