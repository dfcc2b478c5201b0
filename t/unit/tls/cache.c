/*
 * cache.c - sessions in shared memory: put, get, take, drop, expiry, giving way; what a dead writer left; corruption;
 * processes at once.
 */
#define _GNU_SOURCE 1

#include "os/clock.h"
#include "tls/session.h"

#include "../tap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE  (256 * 1024)
#define LATER UINT64_MAX

static char              *memory;
static weir_tls_cache_t  *cache;
static char               room[8192];
static uint64_t           now;

static void
fresh(size_t size)
{
    memset(memory, 0, SIZE);
    cache = weir_tls_cache_open(memory, size);
    if (cache == NULL) {
        exit(2);
    }
}

static weir_str_t
id_of(uint32_t n)
{
    static char id[32];

    memset(id, 'i', sizeof(id));
    memcpy(id, &n, sizeof(n));
    return weir_str(id, sizeof(id));
}

/* A session that says whose it is in each byte. */
static weir_str_t
session_of(uint32_t n, size_t len)
{
    static char bytes[8192];

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char) ((n * 2654435761u + i * 40503u * (n + 3)) >> 8);
    }
    return weir_str(bytes, len);
}

static bool
put(uint32_t n, size_t len)
{
    return weir_tls_cache_put(cache, id_of(n), session_of(n, len), LATER);
}

static bool
has(uint32_t n, size_t len)
{
    size_t got = weir_tls_cache_get(cache, id_of(n), room, sizeof(room), now, false);

    return got == len && memcmp(room, session_of(n, len).at, len) == 0;
}

static void
test_one(void)
{
    static const size_t lens[] = { 1, 150, 319, 320, 321, 1000, 2000 };

    fresh(SIZE);
    ok(!has(1, 100), "nothing is in a new one");
    for (size_t i = 0; i < weir_countof(lens); i++) {
        char what[64];
        snprintf(what, sizeof(what), "a session of %zu bytes comes back as it was", lens[i]);
        ok(put((uint32_t) i, lens[i]) && has((uint32_t) i, lens[i]), what);
    }
    ok(has(0, 1) && has(6, 2000), "all of them do");
    ok(!put(100, 5000), "one too large is not kept");
    ok(!weir_tls_cache_put(cache, weir_str(room, 33), session_of(0, 1), LATER), "nor one with an id too long");
    ok(!weir_tls_cache_put(cache, WEIR_STR_NONE, session_of(0, 1), LATER), "nor one without an id");
    ok(weir_tls_cache_get(cache, WEIR_STR_NONE, room, sizeof(room), now, false) == 0, "and none is found without");
    ok(weir_tls_cache_get(cache, id_of(1), room, 149, now, false) == 0, "too little room: a miss");
    ok(put(1, 200) && has(1, 200), "a second session of one id replaces the first");
    weir_tls_cache_drop(cache, id_of(1));
    ok(!has(1, 200) && !has(1, 150), "what is dropped is gone, and the first does not come back");
    weir_tls_cache_drop(cache, id_of(1));
    ok(has(2, 319), "the others stay");
    ok(memmem(memory, SIZE, session_of(1, 64).at, 64) == NULL, "no byte of what was dropped stays in the memory");
}

static void
test_taking(void)
{
    fresh(SIZE);
    (void) put(1, 100);
    is_int(weir_tls_cache_get(cache, id_of(1), room, sizeof(room), now, true), 100, "the first to take it gets it");
    is_int(weir_tls_cache_get(cache, id_of(1), room, sizeof(room), now, true), 0, "the second does not");
    ok(!has(1, 100), "nor who only looks");
    ok(memmem(memory, SIZE, session_of(1, 64).at, 64) == NULL, "and it left the memory");
}

static void
test_expiry(void)
{
    fresh(SIZE);
    (void) weir_tls_cache_put(cache, id_of(1), session_of(1, 10), now + 5);
    ok(weir_tls_cache_get(cache, id_of(1), room, sizeof(room), now + 4, false) == 10, "good until its time");
    ok(weir_tls_cache_get(cache, id_of(1), room, sizeof(room), now + 5, false) == 0, "and not at it");
    ok(weir_tls_cache_get(cache, id_of(1), room, sizeof(room), now + 5, true) == 0, "not for who takes it either");
}

static void
test_giving_way(void)
{
    uint32_t n = 20000, kept = 0, put_ones = 0;

    fresh(SIZE);
    for (uint32_t i = 0; i < n; i++) {
        put_ones += put(i, 100);
    }
    is_int(put_ones, n, "there is always room for one more");
    for (uint32_t i = 0; i < n; i++) {
        kept += has(i, 100);
    }
    ok(kept > SIZE / 2 / 384 && kept < SIZE / 384, "about as many as fit are there");
    ok(has(n - 1, 100), "the last one among them");
    for (uint32_t i = 0; i < 200; i++) {
        (void) put(n + i, 2000);
    }
    ok(has(n - 1, 100), "large sessions take no room from small ones");

    /* Expired ones go before good ones. */
    fresh(SIZE);
    for (uint32_t i = 0; i < 2000; i++) {
        (void) weir_tls_cache_put(cache, id_of(i), session_of(i, 100), i % 2 == 0 ? LATER : 1);
    }
    kept = 0;
    for (uint32_t i = 0; i < 300; i += 2) {
        kept += has(i, 100);
    }
    ok(kept > 0, "what is void gives way first");
}

static void
test_opening(void)
{
    char *other = memory;

    fresh(SIZE);
    (void) put(1, 100);
    ok(weir_tls_cache_open(memory, SIZE) == cache && has(1, 100), "who opens it second finds it as it was");
    ok(weir_tls_cache_open(memory, SIZE - 64) == NULL, "with another size it is something else");
    memset(other, 0x5a, 64);
    ok(weir_tls_cache_open(memory, SIZE) == NULL, "so is memory that holds other things");
    memset(memory, 0, SIZE);
    ok(weir_tls_cache_open(memory, WEIR_TLS_CACHE_MIN - 1) == NULL, "too little memory is refused");
    fresh(WEIR_TLS_CACHE_MIN);
    ok(put(1, 100) && has(1, 100), "the least there may be works");
    (void) put(2, 2000);
    ok(has(1, 100), "even where there is no place for large ones");
}

/* -- where a slot is: its session's bytes are there in the clear -- */

static char *
slot_bytes(uint32_t n, size_t len)
{
    return memmem(memory, SIZE, session_of(n, len).at, len);
}

static void
test_corruption(void)
{
    char  copy[SIZE], *at;
    bool  fine = true, same;
    size_t from;

    fresh(SIZE);
    (void) put(7, 64);
    memcpy(copy, memory, SIZE);
    at = slot_bytes(7, 64);
    if (!ok(at != NULL, "the session is in the memory")) {
        return;
    }
    from = (size_t) (at - memory) - 64;              /* of its head: word, checksum, times, lengths, id */
    for (size_t i = 8; i < 64 + 64; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            size_t got;
            memcpy(memory + from, copy + from, 64 + 64);
            memory[from + i] ^= (char) (1u << bit);
            got = weir_tls_cache_get(cache, id_of(7), room, sizeof(room), now, false);
            same = got == 64 && memcmp(room, session_of(7, 64).at, 64) == 0;
            fine = fine && (got == 0 || same);
        }
    }
    ok(fine, "a bit changed anywhere is a miss, or changes nothing that counts");
    memset(memory + from + 8, 0xff, 64 + 64 - 8);
    ok(!has(7, 64), "a slot of nonsense is a miss");
    ok(put(7, 64) && has(7, 64), "and can be used again");
}

static void
test_dead_writer(void)
{
    uint64_t *word;
    char     *at;

    fresh(SIZE);
    (void) put(7, 64);
    at = slot_bytes(7, 64);
    if (!ok(at != NULL, "the session is in the memory")) {
        return;
    }
    word = (uint64_t *) (void *) (at - 64);          /* the claim's, where the slot begins */
    *word = (weir_clock_now().ms << 24) | 1;
    ok(!has(7, 64), "while a writer has a slot, a reader sees nothing");
    *word = ((weir_clock_now().ms - 2000) << 24) | 1;
    ok(!has(7, 64), "nor when that writer is dead");
    ok(put(7, 80) && has(7, 80), "whose claim is taken over after a moment");
    *word = ((weir_clock_now().ms + 3600 * 1000) << 24) | 1;
    ok(!has(7, 80), "a claim from the future");
    for (uint32_t i = 100; i < 5000; i++) {
        (void) put(i, 64);
    }
    ok(put(7, 90) && has(7, 90), "does not hold its place for ever");
}

/* -- several at once -- */

static bool
hammer(unsigned seed)
{
    bool whole = true;

    for (unsigned i = 0; i < 60000; i++) {
        uint32_t n = (seed = seed * 1103515245u + 12345u) >> 16 & 255;
        size_t   len = 40 + n, got;
        switch (i % 8) {
        case 0:
            (void) put(n, len);
            break;
        case 1:
            weir_tls_cache_drop(cache, id_of(n));
            break;
        default:
            got = weir_tls_cache_get(cache, id_of(n), room, sizeof(room), now, i % 8 == 2);
            whole = whole && (got == 0 || (got == len && memcmp(room, session_of(n, len).at, len) == 0));
        }
    }
    return whole;
}

static void
test_processes(void)
{
    pid_t pids[4];
    int   failed = 0, status;

    fresh(16384);
    for (unsigned i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            _exit(hammer(i + 1) ? 0 : 1);
        }
    }
    (void) kill(pids[3], SIGSTOP);                    /* one is halted wherever it is, and one dies there */
    usleep(2000);
    (void) kill(pids[2], SIGKILL);
    (void) kill(pids[3], SIGCONT);
    for (unsigned i = 0; i < 4; i++) {
        (void) waitpid(pids[i], &status, 0);
        failed += i != 2 && status != 0;
    }
    is_int(failed, 0,
           "four processes at once never see another's session or a part of one, though one of them is killed");
    usleep(1100 * 1000);                              /* a claim of the dead one is old by then */
    ok(put(1, 41) && has(1, 41), "and the cache goes on");
}

static void
test_only_one_takes(void)
{
    unsigned *won = (unsigned *) (void *) (memory + SIZE);
    pid_t     pids[4];

    fresh(SIZE);
    for (uint32_t i = 0; i < 500; i++) {
        (void) put(i, 100);
    }
    memset(won, 0, 500 * sizeof(*won));
    for (unsigned p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            for (uint32_t i = 0; i < 500; i++) {
                if (weir_tls_cache_get(cache, id_of(i), room, sizeof(room), now, true) != 0) {
                    (void) __atomic_add_fetch(&won[i], 1, __ATOMIC_SEQ_CST);
                }
            }
            _exit(0);
        }
    }
    unsigned most = 0, sum = 0;
    for (unsigned p = 0; p < 4; p++) {
        (void) waitpid(pids[p], NULL, 0);
    }
    for (unsigned i = 0; i < 500; i++) {
        most = won[i] > most ? won[i] : most;
        sum += won[i];
    }
    is_int(most, 1, "of four processes one takes a session, never two");
    ok(sum > 300, "and one does");
}

int
main(void)
{
    memory = mmap(NULL, SIZE + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return 2;
    }
    weir_clock_update();
    now = weir_clock_wall_ms() / 1000;
    test_one();
    test_taking();
    test_expiry();
    test_giving_way();
    test_opening();
    test_corruption();
    test_dead_writer();
    test_processes();
    test_only_one_takes();
    return done();
}
