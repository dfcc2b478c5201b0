/*
 * channel.c - messages travel whole, with their descriptors; what is no message for the end that reads it is refused.
 */
#include "proc/common/channel.h"

#include "os/sys.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int master, worker;

static bool
is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

/* Of descriptors above the standard ones. */
static size_t
count_open(void)
{
    size_t n = 0;

    for (int fd = 3; fd < 256; fd++) {
        n += is_open(fd);
    }
    return n;
}

static void
test_round_trips(void)
{
    weir_channel_message_t out = { .kind = WEIR_CHANNEL_READY, .serial = 7 }, in;

    is_int(weir_channel_recv(master, WEIR_CHANNEL_OF_MASTER, &in), WEIR_AGAIN, "nothing was said yet");
    is_int(weir_channel_send(worker, &out), WEIR_OK, "READY is sent");
    is_int(weir_channel_recv(master, WEIR_CHANNEL_OF_MASTER, &in), WEIR_OK, "and received");
    ok(in.kind == WEIR_CHANNEL_READY && in.serial == 7, "with its serial");

    out = (weir_channel_message_t) { .kind = WEIR_CHANNEL_FAILED, .serial = 8 };
    memset(out.text, 'x', sizeof(out.text) - 1);
    is_int(weir_channel_send(worker, &out), WEIR_OK, "FAILED with the longest text is sent");
    is_int(weir_channel_recv(master, WEIR_CHANNEL_OF_MASTER, &in), WEIR_OK, "and received");
    is_int(strlen(in.text), WEIR_CHANNEL_TEXT - 1, "the whole text");

    out = (weir_channel_message_t) { .kind = WEIR_CHANNEL_RELOAD, .serial = 9, .n_logs = 2, .n_sockets = 300,
                                     .fds = { STDIN_FILENO }, .n_fds = 1 };
    is_int(weir_channel_send(master, &out), WEIR_OK, "RELOAD is sent");
    is_int(weir_channel_recv(worker, WEIR_CHANNEL_OF_WORKER, &in), WEIR_OK, "and received");
    ok(in.n_logs == 2 && in.n_sockets == 300 && in.n_fds == 1 && is_open(in.fds[0]), "with counts and a descriptor");
    weir_channel_close_fds(&in);
    is_int(in.n_fds, 0, "which the receiver closes");
}

static void
test_sockets(void)
{
    weir_channel_message_t out = { .kind = WEIR_CHANNEL_SOCKETS, .serial = 9, .n_fds = WEIR_SOCK_MAX_FDS }, in;
    size_t                 before = count_open(), same = 0;

    for (size_t i = 0; i < out.n_fds; i++) {
        out.fds[i] = STDIN_FILENO;
        ok(weir_addr_from_ip(&out.sockets[i].addr, i % 2 == 0 ? WEIR_STR("127.0.0.1") : WEIR_STR("::1"), (uint16_t) i),
           "an address");
    }
    ok(weir_addr_from_unix(&out.sockets[5].addr, WEIR_STR("/tmp/a.sock")), "one of a unix socket");
    out.sockets[5].shared = true;
    is_int(weir_channel_send(master, &out), WEIR_OK, "SOCKETS with as many as fit is sent");
    is_int(weir_channel_recv(worker, WEIR_CHANNEL_OF_WORKER, &in), WEIR_OK, "and received");
    for (size_t i = 0; i < in.n_fds; i++) {
        same += weir_addr_eq(&in.sockets[i].addr, &out.sockets[i].addr)
            && in.sockets[i].shared == out.sockets[i].shared && is_open(in.fds[i]);
    }
    is_int(same, WEIR_SOCK_MAX_FDS, "each with its address");
    weir_channel_close_fds(&in);
    is_int(count_open(), before, "no descriptor is left");
}

static void
test_files(void)
{
    weir_channel_message_t out = { .kind = WEIR_CHANNEL_FILES, .serial = 9 }, in;
    char                   path[4096];
    size_t                 added = 0;

    memset(path, 'p', sizeof(path));
    while (weir_channel_add_file(&out, weir_str(path, sizeof(path) - 1 - added), STDIN_FILENO)) {
        added++;
    }
    is_int(added, 2, "two of the longest paths find room");
    while (weir_channel_add_file(&out, WEIR_STR("/a"), STDIN_FILENO)) {
        added++;
    }
    is_int(added, 2, "and nothing more");
    is_int(weir_channel_send(master, &out), WEIR_OK, "FILES is sent");
    is_int(weir_channel_recv(worker, WEIR_CHANNEL_OF_WORKER, &in), WEIR_OK, "and received");
    ok(in.n_fds == 2 && strlen(in.paths) == 4095 && strlen(in.paths + 4096) == 4094, "with its paths");
    weir_channel_close_fds(&in);

    out = (weir_channel_message_t) { .kind = WEIR_CHANNEL_FILES, .serial = 9 };
    for (added = 0; weir_channel_add_file(&out, WEIR_STR("/a"), STDIN_FILENO); added++) {
    }
    is_int(added, WEIR_SOCK_MAX_FDS, "of short paths, as many as descriptors may be");
    is_int(weir_channel_send(master, &out), WEIR_OK, "are sent");
    is_int(weir_channel_recv(worker, WEIR_CHANNEL_OF_WORKER, &in), WEIR_OK, "and received");
    weir_channel_close_fds(&in);
}

/* The reader says EPROTO and keeps nothing. */
static void
refused(weir_channel_end_t end, const void *bytes, size_t len, const int *fds, size_t n, const char *what)
{
    weir_channel_message_t in;
    int                    from = end == WEIR_CHANNEL_OF_MASTER ? worker : master;
    int                    to = end == WEIR_CHANNEL_OF_MASTER ? master : worker;
    size_t                 before = count_open();

    ok(weir_sock_send_fds(from, bytes, len, fds, n), "something is sent");
    errno = 0;
    ok(weir_channel_recv(to, end, &in) == WEIR_ERROR && errno == EPROTO, what);
    is_int(count_open(), before, "no descriptor is left of it");
}

static void
test_refusals(void)
{
    weir_channel_message_t ready = { .kind = WEIR_CHANNEL_READY, .serial = 1 };
    struct {
        uint32_t magic, kind;
        uint64_t serial;
        uint32_t counts[4];
        char     rest[2000];
    } raw = { .magic = 0x77656972u, .serial = 1 };
    const int              fds[] = { 0, 1, 2 };
    const size_t           head = 32;
    char                   large[20000] = "";

    refused(WEIR_CHANNEL_OF_MASTER, "x", 1, NULL, 0, "one byte is no message");
    refused(WEIR_CHANNEL_OF_MASTER, large, sizeof(large), NULL, 0, "nor is what is longer than any");
    refused(WEIR_CHANNEL_OF_WORKER, large, sizeof(large), fds, 3, "at either end");
    for (uint32_t kind = 0; kind < 10; kind++) {
        raw.kind = kind;
        refused(WEIR_CHANNEL_OF_MASTER, &raw, head, fds, 3, "the master takes no descriptor");
        refused(WEIR_CHANNEL_OF_MASTER, &raw, head - 1, NULL, 0, "half a head is refused");
        refused(WEIR_CHANNEL_OF_MASTER, &raw, head + 1025, NULL, 0, "a tail that is too long is refused");
        if (kind != WEIR_CHANNEL_READY && kind != WEIR_CHANNEL_FAILED) {
            refused(WEIR_CHANNEL_OF_MASTER, &raw, head, NULL, 0, "the master is not told such things");
        }
    }
    raw.kind = WEIR_CHANNEL_READY;
    refused(WEIR_CHANNEL_OF_MASTER, &raw, head + 1, NULL, 0, "READY has no tail");
    raw.kind = WEIR_CHANNEL_RELOAD;
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head, NULL, 0, "RELOAD without a bundle is refused");
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head, fds, 2, "and with two");
    raw.kind = WEIR_CHANNEL_FILES;
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head, fds, 1, "FILES without paths is refused");
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head + 2, fds, 1, "and with more than descriptors");
    raw.rest[0] = 'x';
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head + 1, fds, 1, "and with one that does not end");
    raw.rest[0] = '\0';
    raw.kind = WEIR_CHANNEL_SOCKETS;
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head, fds, 1, "SOCKETS without addresses is refused");
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head + 136, fds, 1, "and with an empty address");
    raw.kind = WEIR_CHANNEL_LEND;
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head, fds, 1, "LEND without addresses is refused");
    raw.kind = WEIR_CHANNEL_RETURN;
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head, fds, 1, "RETURN with a descriptor is refused");
    refused(WEIR_CHANNEL_OF_WORKER, &raw, head + 1, NULL, 0, "and with a tail");
    raw.magic++;
    raw.kind = WEIR_CHANNEL_READY;
    refused(WEIR_CHANNEL_OF_MASTER, &raw, head, NULL, 0, "another magic is refused");

    is_int(weir_channel_send(worker, &ready), WEIR_OK, "what comes after");
    is_int(weir_channel_recv(master, WEIR_CHANNEL_OF_MASTER, &ready), WEIR_OK, "is read as ever");
}

static void
test_end(void)
{
    weir_channel_message_t message = { .kind = WEIR_CHANNEL_READY, .serial = 1 };
    int                    n = 0;

    while (weir_channel_send(worker, &message) == WEIR_OK && n < 100000) {
        n++;
    }
    ok(n > 0 && n < 100000, "a reader that sleeps stops the writer with AGAIN");
    (void) weir_sys_close(worker);
    while (n-- > 0 && weir_channel_recv(master, WEIR_CHANNEL_OF_MASTER, &message) == WEIR_OK) {
        ;
    }
    is_int(n, -1, "everything that was sent is there");
    is_int(weir_channel_recv(master, WEIR_CHANNEL_OF_MASTER, &message), WEIR_EOF, "then comes the end");
    (void) weir_sys_close(master);
}

int
main(void)
{
    int fds[2];

    ok(weir_channel_open(fds), "a channel opens");
    master = fds[0];
    worker = fds[1];
    test_round_trips();
    test_sockets();
    test_files();
    test_refusals();
    test_end();
    return done();
}
