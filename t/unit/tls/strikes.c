/*
 * strikes.c - 0-RTT hellos are let in once: first, replayed, after the window, when a set is full, by several processes
 * at once.
 */
#define _GNU_SOURCE 1

#include "tls/session.h"

#include "../tap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE   4096
#define WINDOW ((uint64_t) 20000)

static char    *memory;
static uint64_t ready;

static void
fresh(size_t size, uint64_t now)
{
    memset(memory, 0, SIZE);
    weir_tls_strikes_init(memory, size, now);
    weir_tls_strikes_use(memory, size);
    ready = now + WINDOW;
}

/* The random bytes of hello number n; all of one set when `set` is not negative. */
static const uint8_t *
hello(uint32_t n, int set)
{
    static uint8_t random[32];
    uint64_t       mixed = ((uint64_t) n + 1) * 0x9e3779b97f4a7c15u;

    for (unsigned i = 0; i < 32; i++) {
        mixed ^= mixed >> 27;
        mixed *= 0x94d049bb133111ebu;
        random[i] = (uint8_t) (mixed >> 56);
    }
    if (set >= 0) {
        uint64_t hash = (uint64_t) set;
        memcpy(random, &hash, sizeof(hash));
    }
    return random;
}

static bool
first(uint32_t n, uint64_t at)
{
    return weir_tls_strikes_first(hello(n, -1), at);
}

static void
test_alone(void)
{
    weir_tls_strikes_use(NULL, 0);
    ok(!first(1, 100000), "without a register nothing is let in");
    fresh(SIZE, 1000000);
    ok(!first(1, 1000000) && !first(2, ready - 1), "in the first 20 s nothing is: an earlier process may have");
    ok(first(1, ready), "then the first time is");
    ok(!first(1, ready) && !first(1, ready + 1) && !first(1, ready + WINDOW),
       "a replay is not, for as long as the ticket's age may pass");
    ok(first(2, ready) && first(3, ready + 5), "others are");
    ok(first(1, ready + WINDOW + 200), "long after, the register has forgotten (and OpenSSL refuses the age)");
}

static void
test_full(void)
{
    int let_in = 0;

    fresh(SIZE, 5);
    for (uint32_t n = 0; n < 100; n++) {
        let_in += weir_tls_strikes_first(hello(n, 3), ready);
    }
    is_int(let_in, 8, "a set that is full lets nobody in");
    ok(weir_tls_strikes_first(hello(1, 4), ready), "its neighbour does");
    ok(!weir_tls_strikes_first(hello(0, 3), ready + WINDOW), "and forgets nothing for it");
    ok(weir_tls_strikes_first(hello(50, 3), ready + WINDOW + 200), "later there is room again");
}

static void
test_time(void)
{
    uint64_t far = ready;
    bool     once = true;

    /* The cells' clock goes round every nine hours: a replay is refused right across. */
    fresh(SIZE, 5);
    for (uint32_t n = 0; n < 4000; n++) {
        far = ready + (uint64_t) n * 9973;
        once = once && first(n, far) && !first(n, far + 1) && !first(n, far + WINDOW - 100);
    }
    ok(once, "eleven hours of hellos, each let in once");
    fresh(SIZE, 5);
    ok(first(1, ready + 1000) && !first(1, ready + 900), "a clock that another worker reads a little earlier");
}

static void
test_memory(void)
{
    fresh(SIZE, 5);
    (void) first(1, ready);
    weir_tls_strikes_init(memory, SIZE, ready);
    ok(!first(1, ready), "handed on, it knows what it let in");
    ok(first(2, ready), "and need not wait again");
    weir_tls_strikes_use(memory, SIZE / 2);
    ok(!first(3, ready), "less memory than it was made for is not used");
    memset(memory, 0x77, SIZE);
    weir_tls_strikes_use(memory, SIZE);
    ok(!first(4, ready), "nor memory that holds something else");
}

static void
test_processes(void)
{
    unsigned *won = (unsigned *) (void *) (memory + SIZE);
    unsigned  most = 0, sum = 0;
    pid_t     pids[4];

    fresh(SIZE, 5);
    memset(won, 0, 300 * sizeof(*won));
    for (int p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            for (uint32_t n = 0; n < 300; n++) {
                if (first(n, ready + n / 10)) {
                    (void) __atomic_add_fetch(&won[n], 1, __ATOMIC_SEQ_CST);
                }
            }
            _exit(0);
        }
    }
    for (int p = 0; p < 4; p++) {
        (void) waitpid(pids[p], NULL, 0);
    }
    for (int n = 0; n < 300; n++) {
        most = won[n] > most ? won[n] : most;
        sum += won[n];
    }
    is_int(most, 1, "four processes let one hello in at most once");
    ok(sum > 200, "and mostly once");
}

int
main(void)
{
    memory = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return 2;
    }
    test_alone();
    test_full();
    test_time();
    test_memory();
    test_processes();
    return done();
}
