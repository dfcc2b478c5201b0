/*
 * slots.c - one slot a process, freed when its owner is dead and what it left is settled.
 */
#include "shm/slots.h"

#include "../tap.h"

#include <string.h>

static uint64_t memory[WEIR_SLOTS];
static uint32_t folded[WEIR_SLOTS + 1], n_folded;

static void
fold(uint32_t slot)
{
    folded[n_folded++] = slot;
}

static void
see(void *data, uint32_t slot, pid_t pid)
{
    char *text = data;

    (void) snprintf(text + strlen(text), 100, "%u=%d ", slot, (int) pid);
}

static const char *
held(void)
{
    static char text[WEIR_SLOTS * 20];

    text[0] = '\0';
    weir_slots_each(see, text);
    return text;
}

static void
test_taking(void)
{
    ok(!weir_slots_take(100), "without memory there is none to take");
    weir_slots_use(memory);
    is_str(weir_str_from_z(held()), "", "all are free at first");
    ok(weir_slots_take(100), "one is taken");
    is_int(weir_slot(), 0, "the first");
    weir_slots_use(memory);                 /* as another process */
    ok(weir_slots_take(200) && weir_slot() == 1, "another process gets another");
    is_str(weir_str_from_z(held()), "0=100 1=200 ", "both are told of");
}

static void
test_reaping(void)
{
    weir_slots_reap(300, fold);
    is_int(n_folded, 0, "who had none leaves nothing");
    weir_slots_reap(100, fold);
    ok(n_folded == 1 && folded[0] == 0, "a dead owner's slot is settled once");
    is_str(weir_str_from_z(held()), "1=200 ", "and free");
    weir_slots_reap(100, fold);
    is_int(n_folded, 1, "again is nothing");
    ok(weir_slots_take(100) && weir_slot() == 0, "the same pid may come again");
    is_int(memory[0] & UINT32_MAX, 1, "as another incarnation");
}

static void
test_all_taken(void)
{
    char       text[100];
    weir_buf_t buf;
    int        n = 2;

    while (weir_slots_take(1000 + n)) {
        n++;
    }
    is_int(n, WEIR_SLOTS, "there are so many");
    weir_buf_init(&buf, text, sizeof(text));
    weir_slots_describe(memory, sizeof(memory), &buf);
    *buf.pos = '\0';
    is_str(weir_str_from_z(text), "held=256 room=256", "said in words");
    weir_slots_reap(1002, fold);
    ok(weir_slots_take(5000) && weir_slot() == 2, "one that became free is taken next");
}

int
main(void)
{
    test_taking();
    test_reaping();
    test_all_taken();
    return done();
}
