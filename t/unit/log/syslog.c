/* syslog.c - records as RFC 3164 datagrams, over UDP and unix sockets, to a daemon that comes and goes. */
#define _GNU_SOURCE 1

#include "log/log.h"

#include "os/sock.h"
#include "os/sys.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "capture.h"

static char received[8192];
static bool is_nameless;                     /* the next record does not name this machine */

static const char *
receive(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t       n = -1;

    if (poll(&p, 1, 5000) == 1) {
        n = recv(fd, received, sizeof(received) - 1, 0);
    }
    received[n < 0 ? 0 : n] = '\0';
    return received;
}

static int
daemon_at(const weir_addr_t *addr)
{
    int fd = weir_sys_socket(addr->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (weir_sys_bind(fd, &addr->any, addr->len) != 0) {
        perror("bind");
    }
    return fd;
}

/* "<PRI>Mon dd hh:mm:ss HOST tag: " and what follows it; HOST empty: none. */
static const char *
after_head(const char *text, int pri, const char *tag)
{
    static const char none[8];
    char month[4], want[160], host[64] = "";
    int  got_pri = -1, a[4], skipped = 0;

    if (sscanf(text, "<%d>%3s %2d %2d:%2d:%2d %n", &got_pri, month, &a[0], &a[1], &a[2], &a[3], &skipped) != 6
        || got_pri != pri || skipped < 16
        || text[skipped - 13] != ' ' || text[skipped - 11] == ' '
        || strstr("JanFebMarAprMayJunJulAugSepOctNovDec", month) == NULL) {
        return none;
    }
    if (!is_nameless) {
        (void) gethostname(host, sizeof(host) - 2);
        host[strcspn(host, ".")] = '\0';
        strcat(host, " ");
    }
    snprintf(want, sizeof(want), "%s%s: ", host, tag);
    text += skipped;
    return strncmp(text, want, strlen(want)) == 0 ? text + strlen(want) : none;
}

static void
test_udp(void)
{
    weir_log_sink_t sink = { .kind = WEIR_LOG_TO_SYSLOG, .level = WEIR_LOG_NOTICE, .facility = WEIR_LOG_LOCAL7 };
    weir_addr_t     addr;
    char            text[WEIR_ADDR_TEXT];
    const char     *why = NULL, *rest;
    static char     large[5000];
    int             fd;

    if (!weir_addr_from_ip(&addr, WEIR_STR("127.0.0.1"), 0)) {
        return;
    }
    fd = daemon_at(&addr);
    ok(weir_sock_local(fd, &addr), "a daemon");
    sink.path = weir_str(text, weir_addr_text(&addr, text));
    ok(weir_log_open(&sink, &why) && sink.fd >= 0, "an address and a port");
    weir_log_use(&sink);
    weir_log(WEIR_LOG_ERROR, &capture_conn, ENOENT, "bad\nthing");
    rest = after_head(receive(fd), 23 * 8 + 3, "weir");
    ok(rest[4] == '/' && strstr(rest, "[error] ") != NULL, "priority, date, tag, then the record");
    ok(strstr(rest, ": *5 bad\\x0Athing (2: No such file or directory), client: 192.0.2.7, server: example.com") != NULL
       && strchr(rest, '\n') == NULL, "without a newline");

    sink.json = true;
    sink.tag = WEIR_STR("edge1");
    sink.facility = 0;
    weir_log(WEIR_LOG_EMERG, NULL, 0, "x");
    rest = after_head(receive(fd), 0, "edge1");
    ok(rest[0] == '{' && rest[strlen(rest) - 1] == '}', "JSON, with another tag and facility");

    sink.no_hostname = is_nameless = true;
    memset(large, 'a', sizeof(large));
    weir_log_send(&sink, WEIR_LOG_INFO, weir_str(large, sizeof(large)));
    rest = after_head(receive(fd), 6, "edge1");
    is_int(strlen(rest), WEIR_LOG_RECORD - 1,
           "a record of one's own is cut, and has no name of the machine where none is wanted");
    is_nameless = false;
    weir_log_use(NULL);
    weir_log_close(&sink);
    weir_sys_close(fd);
    is_int(weir_log_dropped, 0, "nothing was dropped");
}

static void
test_unix(void)
{
    weir_log_sink_t sink = { .kind = WEIR_LOG_TO_SYSLOG, .level = WEIR_LOG_NOTICE, .facility = WEIR_LOG_LOCAL7 };
    weir_addr_t     addr;
    const char     *why = NULL, *path = tmp_path("log");
    char            text[300];
    int             fd, i;

    if (!weir_addr_from_unix(&addr, weir_str_from_z(path))) {
        return;
    }
    snprintf(text, sizeof(text), "unix:%s", path);
    sink.path = weir_str_from_z(text);
    ok(weir_log_open(&sink, &why), "a daemon that is not there yet is no failure");
    weir_log_use(&sink);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "nobody");
    is_int(weir_log_dropped, 1, "what nobody takes is dropped");
    fd = daemon_at(&addr);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "first");
    ok(strstr(after_head(receive(fd), 187, "weir"), ": first") != NULL, "it comes, and has the next record");
    weir_sys_close(fd);
    unlink(path);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "away");
    is_int(weir_log_dropped, 2, "it goes");
    fd = daemon_at(&addr);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "second");
    ok(strstr(after_head(receive(fd), 187, "weir"), ": second") != NULL, "and comes again");
    for (i = 0; i < 2000; i++) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "more");
    }
    ok(weir_log_dropped > 2, "one that sleeps is not waited for");
    weir_log_use(NULL);
    weir_log_close(&sink);
    weir_sys_close(fd);
}

static void
test_bad(void)
{
    static const char *const bad[] = { "", "unix:", "*:514", "514", "127.0.0.1:0", "127.1:514", "a b", "[::1" };
    weir_log_sink_t          sink = { .kind = WEIR_LOG_TO_SYSLOG };
    const char              *why;
    size_t                   i;

    for (i = 0; i < weir_countof(bad); i++) {
        why = NULL;
        sink.path = weir_str_from_z(bad[i]);
        ok(!weir_log_open(&sink, &why) && sink.fd == -1 && why != NULL, bad[i]);
    }
}

int
main(void)
{
    test_udp();
    test_unix();
    test_bad();
    return done();
}
