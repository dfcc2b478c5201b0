/* Learned sessions in shared memory: one ends when nobody has asked for it for the timeout, at each point of the clock of
 * which a value has a part; when there is no room the one that would end soonest gives way. */
#include "tap.h"

#include "base/mem.h"
#include "shm/slots.h"
#include "../modules/upstream/sticky/sticky.h"

#include <unistd.h>

#define ROOM 16384

static const weir_str_t group = WEIR_STR_INIT("group");

static weir_instant_t
at(uint64_t seconds)
{
    return (weir_instant_t) { seconds * 1000 };
}

static sticky_sessions_t
open_sessions(uint64_t timeout)
{
    static _Alignas(64) char memory[ROOM];

    memset(memory, 0, sizeof(memory));
    return (sticky_sessions_t) { .table = weir_keyed_open(memory, sizeof(memory)), .timeout = timeout };
}

static void
test_time(void)
{
    /* small, and around the places where the 24 bits come again */
    static const uint64_t starts[] = { 1, (1 << 23) - 5, (1 << 24) - 5, (1 << 24) + 7, 3 * (UINT64_C(1) << 24) - 1 };
    bool renewed = true, over = true, new_ = true;

    for (size_t i = 0; i < weir_countof(starts); i++) {
        sticky_sessions_t sessions = open_sessions(600);
        uint64_t          now = starts[i];

        sticky_sessions_put(&sessions, group, WEIR_STR("one"), 77, at(now));
        for (int step = 0; step < 20; step++, now += 590) {
            renewed = renewed && sticky_sessions_find(&sessions, group, WEIR_STR("one"), at(now)) == 77;
        }
        now -= 590;
        over = over && sticky_sessions_find(&sessions, group, WEIR_STR("one"), at(now + 601)) == 0
               && sticky_sessions_find(&sessions, group, WEIR_STR("one"), at(now + 10 * 86400)) == 0;
        sticky_sessions_put(&sessions, group, WEIR_STR("one"), 78, at(now + 700));
        new_ = new_ && sticky_sessions_find(&sessions, group, WEIR_STR("one"), at(now + 1290)) == 78;
    }
    ok(renewed, "a session that is asked for lives on");
    ok(over, "one that nobody asks for is over after the timeout");
    ok(new_, "and may begin anew, with another peer");
}

static void
test_longest(void)
{
    sticky_sessions_t sessions = open_sessions(STICKY_TIMEOUT);

    sticky_sessions_put(&sessions, group, WEIR_STR("one"), 5, at(1000));
    is_int(sticky_sessions_find(&sessions, group, WEIR_STR("one"), at(1000 + STICKY_TIMEOUT)), 5, "the longest");
    sessions = open_sessions(STICKY_TIMEOUT);
    sticky_sessions_put(&sessions, group, WEIR_STR("one"), 5, at(1000));
    is_int(sticky_sessions_find(&sessions, group, WEIR_STR("one"), at(1001 + STICKY_TIMEOUT)), 0, "is one, too");
}

static void
test_names(void)
{
    static char       long_name[5000];
    sticky_sessions_t sessions = open_sessions(600);
    weir_str_t        text = weir_str(long_name, sizeof(long_name));

    memset(long_name, 'x', sizeof(long_name));
    sticky_sessions_put(&sessions, group, WEIR_STR("one"), 7, at(5));
    is_int(sticky_sessions_find(&sessions, WEIR_STR("other"), WEIR_STR("one"), at(6)), 0, "another group's is another one");
    is_int(sticky_sessions_find(&sessions, group, WEIR_STR("On"), at(6)), 0, "a name is the whole name");
    sticky_sessions_put(&sessions, group, WEIR_STR(""), 7, at(5));
    is_int(sticky_sessions_find(&sessions, group, WEIR_STR(""), at(6)), 0, "no name is none");
    sticky_sessions_put(&sessions, group, text, 7, at(5));
    is_int(sticky_sessions_find(&sessions, group, text, at(6)), 0, "one that is too long is none");
    text.len = 4096;
    sticky_sessions_put(&sessions, group, text, (UINT64_C(1) << STICKY_PEER_BITS) - 1, at(5));
    ok(sticky_sessions_find(&sessions, group, text, at(6)) == (UINT64_C(1) << STICKY_PEER_BITS) - 1,
       "the longest name, and the greatest number of a peer");
}

/* A name has eight cells: which of them the oldest are in, and whether one of 4,000 is spared, is chance.  With these
 * seeds it is the same each time. */
static void
test_full(void)
{
    static const uint64_t seeds[2] = { 1, 2 };
    sticky_sessions_t     sessions;
    unsigned              old = 0, young = 0;
    char                  name[24];

    weir_keyed_use_seeds(seeds);
    sessions = open_sessions(600);
    for (unsigned i = 0; i < 4000; i++) {
        sticky_sessions_put(&sessions, group, weir_str(name, (size_t) snprintf(name, sizeof(name), "%u", i)), 9,
                            at(10 + i / 10));
    }
    for (unsigned i = 0; i < 4000; i++) {
        bool is_there = sticky_sessions_find(&sessions, group,
                                             weir_str(name, (size_t) snprintf(name, sizeof(name), "%u", i)), at(410)) != 0;

        old += is_there && i < 2000;
        young += is_there && i >= 3700;
    }
    is_int(young, 300, "when there is no room the youngest stay");
    is_int(old, 0, "and the oldest go");
}

int
main(void)
{
    static _Alignas(64) char slots[WEIR_SLOTS_BYTES];

    weir_slots_use(slots);
    ok(weir_slots_take(getpid()), "a process that has a slot");
    test_time();
    test_longest();
    test_names();
    test_full();
    return done();
}
