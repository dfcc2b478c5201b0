/*
 * link.c - whatever a worker says, the master survives it, and believes only what it asked.
 */
#include "proc/master/master.h"

#include "base/mem.h"
#include "os/sys.h"
#include "tap.h"

#include <unistd.h>

static weir_master_t     master;
static weir_child_t      child;
static weir_generation_t generation;
static int               worker;

/* pid -1: nobody is there to be killed. */
static void
start(uint64_t began, uint64_t serial, uint64_t asked)
{
    int fds[2];

    weir_list_remove(&child.link);
    child = (weir_child_t) { .master = &master, .pid = -1, .began = began, .serial = serial, .asked = asked };
    child.channel.fd = -1;
    weir_list_init(&child.queue);
    weir_list_append(&master.children, &child.link);
    weir_assert(weir_channel_open(fds));
    worker = fds[1];
    weir_assert(weir_link_open(&child, fds[0]));
}

static void
turn(void)
{
    weir_loop_turn(master.loop, (weir_msec_t) { 0 });
}

static void
finish(void)
{
    weir_link_close(&child);
    (void) weir_sys_close(worker);
}

static void
say(weir_channel_kind_t kind, uint64_t serial)
{
    weir_channel_message_t message = { .kind = kind, .serial = serial };

    weir_assert(weir_channel_send(worker, &message) == WEIR_OK);
}

static void
test_answers(void)
{
    start(3, 0, 3);
    say(WEIR_CHANNEL_READY, 3);
    turn();
    is_int(child.serial, 3, "a worker that starts says what it serves");
    ok(child.channel.fd >= 0, "and stays");
    child.asked = 4;
    say(WEIR_CHANNEL_READY, 4);
    turn();
    is_int(child.serial, 4, "one that was asked answers");
    say(WEIR_CHANNEL_READY, 4);
    turn();
    ok(child.channel.fd < 0, "but not twice");
    finish();

    start(3, 0, 4);
    say(WEIR_CHANNEL_READY, 3);
    turn();
    is_int(child.serial, 3, "one that was asked while it started owes both answers");
    say(WEIR_CHANNEL_READY, 4);
    turn();
    is_int(child.serial, 4, "one after the other");
    finish();
}

static void
test_out_of_turn(void)
{
    static const struct { weir_channel_kind_t kind; uint64_t serial; const char *what; } rows[] = {
        { WEIR_CHANNEL_READY, 3, "an answer that was not asked" },
        { WEIR_CHANNEL_READY, 4, "one of the future" },
        { WEIR_CHANNEL_FAILED, 3, "a failure that was not asked" },
        { WEIR_CHANNEL_RELOAD, 3, "an order" },
    };

    for (size_t i = 0; i < weir_countof(rows); i++) {
        start(3, 3, 3);
        say(rows[i].kind, rows[i].serial);
        turn();
        ok(child.channel.fd < 0 && child.serial == 3, rows[i].what);
        finish();
    }
    start(3, 0, 3);
    say(WEIR_CHANNEL_FAILED, 3);
    turn();
    ok(child.channel.fd < 0, "a worker that starts cannot fail that way");
    finish();
    start(3, 3, 3);
    (void) weir_sys_close(worker);
    worker = -1;
    turn();
    ok(child.channel.fd < 0, "the end of a worker ends its channel");
    finish();
}

/* Bytes, sizes and descriptors by a small generator: the same in each run. */
static void
test_garbage(void)
{
    static const int fds[WEIR_SOCK_MAX_FDS];
    char             bytes[12000];
    uint32_t         seed = 1;

    for (int round = 0; round < 2000; round++) {
        start(3, 3, 4);
        for (int i = 0; i < 20; i++) {
            size_t len, n;

            seed = seed * 1664525u + 1013904223u;
            len = 1 + (seed >> 8) % (i % 4 == 0 ? sizeof(bytes) : 64);
            n = (seed >> 3) % 3 == 0 ? (seed >> 16) % WEIR_SOCK_MAX_FDS : 0;
            for (size_t k = 0; k < len && k < 64; k++) {
                seed = seed * 1664525u + 1013904223u;
                bytes[k] = (char) (seed >> 24);
            }
            if (i % 2 == 0) {
                memcpy(bytes, "riew", weir_min(4, len));    /* a head that may be one */
                bytes[4] = (char) ((seed >> 5) % 7);
            }
            if (!weir_sock_send_fds(worker, bytes, len, fds, n)) {
                break;
            }
        }
        turn();
        turn();
        if (child.serial != 3 || child.asked != 4) {
            ok(false, "garbage changed what the master believes");
        }
        finish();
    }
    ok(true, "40,000 messages of garbage are survived");
}

int
main(void)
{
    generation.serial = 3;
    master.generation = &generation;
    master.bundle_fd = -1;
    weir_list_init(&master.children);
    master.loop = weir_loop_create(8);
    weir_log_main.level = WEIR_LOG_EMERG;
    test_answers();
    test_out_of_turn();
    test_garbage();
    weir_loop_destroy(master.loop);
    return done();
}
