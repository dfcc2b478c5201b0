/*
 * tickets.c - the ring of ticket keys: rotation, what each age of a key is good for, saving and restoring, clocks that
 * jump, readers beside a writer.
 */
#define _GNU_SOURCE 1

#include "tls/tickets.h"

#include "../tap.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR    ((uint64_t) 3600)
#define EPOCH   ((uint64_t) 1800000000)
#define PERIOD  WEIR_TLS_TICKETS_PERIOD_S
#define LIFE    WEIR_TLS_TICKETS_LIFE_S

static char *memory;

static uint8_t names[64][16];

static void
fresh(weir_str_t saved, uint64_t wall_s)
{
    weir_tls_tickets_use(NULL);
    memset(memory, 0, WEIR_TLS_TICKETS_BYTES);
    if (!weir_tls_tickets_init(memory, saved, wall_s)) {
        exit(2);
    }
    weir_tls_tickets_use(memory);
}

static bool
rotate(uint64_t wall_s)
{
    uint64_t next_s = 0;
    bool     changed = weir_tls_tickets_rotate(memory, wall_s, &next_s);

    if (next_s == 0 || next_s > PERIOD) {
        is_int((long long) next_s, 1, "the next call is due in good time");
    }
    return changed;
}

/* The newest key's name is kept as number i. */
static bool
note_newest(int i)
{
    const weir_tls_ticket_key_t *key = weir_tls_tickets_newest();

    if (key == NULL) {
        return false;
    }
    memcpy(names[i], key->name, 16);
    return true;
}

static bool
finds(int i, bool *is_newest)
{
    const weir_tls_ticket_key_t *key = weir_tls_tickets_find(names[i], is_newest);

    return key != NULL && memcmp(key->name, names[i], 16) == 0;
}

static void
test_ages(void)
{
    static const uint8_t zero[16];
    bool     is_newest = false;
    uint64_t next_s;

    weir_tls_tickets_use(NULL);
    ok(weir_tls_tickets_newest() == NULL && weir_tls_tickets_find(zero, &is_newest) == NULL, "nowhere: no key");
    fresh(WEIR_STR_NONE, EPOCH);
    ok(note_newest(0), "there is a key from the start");
    ok(memcmp(names[0], zero, 16) != 0, "with a random name");
    ok(finds(0, &is_newest) && is_newest, "it decrypts, and is the newest");
    ok(weir_tls_tickets_find(zero, &is_newest) == NULL, "a name that is none is not found");
    ok(!weir_tls_tickets_rotate(memory, EPOCH + 1, &next_s) && next_s == PERIOD - 1,
       "a young key stays; it is told when to come back");
    ok(!rotate(EPOCH + PERIOD - 1), "until its period is over");
    ok(rotate(EPOCH + PERIOD), "then there is another");
    ok(note_newest(1) && memcmp(names[0], names[1], 16) != 0, "which encrypts from now on");
    ok(finds(0, &is_newest) && !is_newest, "the old one decrypts, and is known not to be the newest");
    (void) rotate(EPOCH + 2 * PERIOD);
    (void) rotate(EPOCH + PERIOD + LIFE);
    ok(finds(0, &is_newest), "for as long as a ticket made under it may live");
    (void) rotate(EPOCH + PERIOD + LIFE + 1);
    ok(!finds(0, &is_newest), "and no longer");
    ok(finds(1, &is_newest), "the one after it still does");
}

static void
test_a_week(void)
{
    bool is_newest, fine = true, gone = true;
    int  n = 0;

    fresh(WEIR_STR_NONE, EPOCH);
    for (uint64_t t = 0; t <= 7 * 24 * HOUR; t += HOUR) {
        uint8_t before[16];
        memcpy(before, weir_tls_tickets_newest()->name, 16);
        (void) rotate(EPOCH + t);
        if (n == 0 || memcmp(weir_tls_tickets_newest()->name, names[n - 1], 16) != 0) {
            (void) note_newest(n++);
        }
        for (int i = 0; i < n; i++) {
            uint64_t made = (uint64_t) i * PERIOD;
            if (t - made <= PERIOD + LIFE) {
                fine = fine && finds(i, &is_newest);
            } else {
                gone = gone && !finds(i, &is_newest);
            }
        }
    }
    is_int(n, 15, "a week has fourteen rotations");
    ok(fine, "in it no key goes before its time");
    ok(gone, "none stays beyond");
}

static void
test_clocks(void)
{
    bool is_newest;

    fresh(WEIR_STR_NONE, EPOCH);
    (void) note_newest(0);
    ok(rotate(EPOCH + 365 * 24 * HOUR), "a clock that jumps a year ahead");
    ok(note_newest(1) && !finds(0, &is_newest) && finds(1, &is_newest), "leaves one new key");
    ok(rotate(EPOCH), "and back");
    ok(note_newest(2) && !finds(1, &is_newest), "leaves none of the future");
    ok(!rotate(EPOCH + 1), "and then all is quiet");

    fresh(WEIR_STR_NONE, EPOCH);
    (void) note_newest(0);
    (void) rotate(EPOCH - 2);
    ok(finds(0, &is_newest), "a clock set back by seconds loses nothing");
    for (int i = 0; i < 100; i++) {
        (void) rotate(i % 2 == 0 ? 0 : UINT64_MAX / 2);
    }
    ok(weir_tls_tickets_newest() != NULL, "a clock gone mad leaves a key to encrypt with");
}

/* -- saving -- */

static char   saved[16384];
static size_t saved_len;

static weir_str_t
save(void)
{
    saved_len = weir_tls_tickets_save(memory, saved, sizeof(saved));
    return weir_str(saved, saved_len);
}

static void
test_saving(void)
{
    char                         copy[16384];
    bool                         is_newest;
    weir_tls_ticket_key_t        key;
    const weir_tls_ticket_key_t *found;

    fresh(WEIR_STR_NONE, EPOCH);
    (void) note_newest(0);
    (void) rotate(EPOCH + PERIOD);
    (void) note_newest(1);
    key = *weir_tls_tickets_find(names[0], &is_newest);
    (void) save();
    memcpy(copy, saved, saved_len);
    fresh(weir_str(copy, saved_len), EPOCH + PERIOD + 60);
    ok(finds(1, &is_newest) && is_newest, "a restart has the newest key of before, and it is the newest");
    found = weir_tls_tickets_find(names[0], &is_newest);
    ok(found != NULL && memcmp(found, &key, sizeof(key)) == 0, "and the older one, every byte");
    fresh(weir_str(copy, saved_len), EPOCH + 2 * PERIOD + 1);
    ok(finds(1, &is_newest) && !is_newest, "a restart after the period makes a new key beside");
    fresh(weir_str(copy, saved_len), EPOCH + 100 * 24 * HOUR);
    ok(!finds(0, &is_newest) && !finds(1, &is_newest) && weir_tls_tickets_newest() != NULL,
       "a restart much later has a new one only");
    fresh(weir_str(copy, saved_len), EPOCH - 100 * 24 * HOUR);
    ok(!finds(0, &is_newest) && !finds(1, &is_newest) && weir_tls_tickets_newest() != NULL,
       "keys of the future are not believed");
    ok(weir_tls_tickets_save(memory, copy, 3) == 0, "no room: nothing is written");
    ok(weir_tls_tickets_save(memory, copy, 100) <= 100, "little room: no more than it");
}

/* Whatever the file holds: a key to encrypt with, and nothing beyond the ring. */
static void
test_saved_garbage(void)
{
    char copy[16384];
    bool is_newest, fine = true;

    fresh(WEIR_STR_NONE, EPOCH);
    for (uint64_t i = 1; i < 4; i++) {
        (void) rotate(EPOCH + i * PERIOD);
    }
    (void) note_newest(0);
    (void) save();
    for (size_t len = 0; len <= saved_len; len++) {
        memcpy(copy, saved, len);
        fresh(weir_str(copy, len), EPOCH + 3 * PERIOD + 1);
        fine = fine && weir_tls_tickets_newest() != NULL;
    }
    ok(fine, "a file cut anywhere still leads to a key");
    for (size_t at = 0; at < saved_len; at++) {
        for (int to = 0; to < 4; to++) {
            memcpy(copy, saved, saved_len);
            copy[at] = "\0 \n9"[to];
            fresh(weir_str(copy, saved_len), EPOCH + 3 * PERIOD + 1);
            fine = fine && weir_tls_tickets_newest() != NULL;
        }
    }
    ok(fine, "so does one with any byte changed");
    memcpy(copy, "weir-tickets 2\n", 15);
    memcpy(copy + 15, saved + 15, saved_len - 15);
    fresh(weir_str(copy, saved_len), EPOCH + 3 * PERIOD + 1);
    ok(!finds(0, &is_newest), "another version is not read");
    memcpy(copy, saved, 15);
    for (size_t i = 15; i < sizeof(copy); i += saved_len - 15) {
        memcpy(copy + i, saved + 15, weir_min(saved_len - 15, sizeof(copy) - i));
    }
    fresh(weir_str(copy, sizeof(copy)), EPOCH + 3 * PERIOD + 1);
    ok(weir_tls_tickets_newest() != NULL, "far more keys than there is room for");
}

/* -- another process reads while this one rotates -- */

static bool
reader_sees_whole_keys(int stop)
{
    bool  is_newest;
    char  byte;

    for (;;) {
        const weir_tls_ticket_key_t *newest = weir_tls_tickets_newest(), *again = NULL;
        weir_tls_ticket_key_t        key;
        if (newest != NULL) {                /* never yet looked without a writer in between */
            key = *newest;
            again = weir_tls_tickets_find(key.name, &is_newest);
        }
        if (again != NULL && (memcmp(again->aes, key.aes, 32) != 0 || memcmp(again->hmac, key.hmac, 32) != 0)) {
            return false;
        }
        if (read(stop, &byte, 1) == 0) {
            return true;
        }
    }
}

static void
test_two_processes(void)
{
    int   pipe_fds[2], status = -1;
    pid_t pid;

    fresh(WEIR_STR_NONE, EPOCH);
    (void) weir_tls_tickets_newest();
    if (pipe2(pipe_fds, O_NONBLOCK) != 0) {
        exit(2);
    }
    pid = fork();
    if (pid == 0) {
        close(pipe_fds[1]);
        _exit(reader_sees_whole_keys(pipe_fds[0]) ? 0 : 1);
    }
    close(pipe_fds[0]);
    for (uint64_t i = 1; i <= 20000; i++) {
        (void) rotate(EPOCH + i * PERIOD);
    }
    close(pipe_fds[1]);
    (void) waitpid(pid, &status, 0);
    is_int(status, 0, "another process never saw half a key in 20,000 rotations");

    /* A master that died in the middle of writing leaves an odd number; its successor goes on. */
    (void) note_newest(0);
    ((uint64_t *) (void *) memory)[1] |= 1;
    ok(memcmp(weir_tls_tickets_newest()->name, names[0], 16) == 0, "a ring half written: the copy from before is used");
    ok(weir_tls_tickets_init(memory, WEIR_STR_NONE, EPOCH + 20000 * PERIOD), "the next master takes the ring");
    weir_tls_tickets_use(memory);
    ok(weir_tls_tickets_newest() != NULL, "and it can be read again");
}

int
main(void)
{
    memory = mmap(NULL, WEIR_TLS_TICKETS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return 2;
    }
    test_ages();
    test_a_week();
    test_clocks();
    test_saving();
    test_saved_garbage();
    test_two_processes();
    return done();
}
