/*
 * budget.c - a budget of retries: its arithmetic held against one that is written down plainly, and shared by processes
 * that are killed.
 */
#define _GNU_SOURCE 1

#include "shm/budget.h"

#include "../event/pair.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define AT(n) ((weir_instant_t) { (n) })

static weir_budget_t *
fresh(void)
{
    weir_budget_t *budget = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    pair_need(budget != MAP_FAILED, "memory");
    return budget;
}

static unsigned
earn(weir_budget_t *budget, unsigned n, uint32_t hundredths, uint64_t now)
{
    for (unsigned i = 0; i < n; i++) {
        weir_budget_earn(budget, hundredths, AT(now));
    }
    return n;
}

static unsigned
spend_all(weir_budget_t *budget, uint32_t a_second, uint64_t now)
{
    unsigned n = 0;

    while (weir_budget_spend(budget, a_second, AT(now))) {
        n++;
    }
    return n;
}

static void
test_share(void)
{
    weir_budget_t *budget = fresh();

    is_int(spend_all(budget, 0, 60000), 0, "nothing was earned yet");
    earn(budget, 4, 2000, 60000);
    is_int(spend_all(budget, 0, 60000), 0, "four requests at 20% are not enough");
    earn(budget, 1, 2000, 60001);
    is_int(weir_budget_left(budget, AT(60001)), 1, "five are a token");
    is_int(spend_all(budget, 0, 60002), 1, "and one retry");
    earn(budget, 1003, 2000, 61000);
    is_int(spend_all(budget, 0, 61000), 200, "of a thousand and three two hundred, the rest is kept");
    earn(budget, 2, 2000, 61000);
    is_int(spend_all(budget, 0, 61000), 1, "…");
    earn(budget, 30000, 1, 62000);
    is_int(spend_all(budget, 0, 62000), 3, "a hundredth of a percent");
    earn(budget, 7, 10000, 62000);
    is_int(spend_all(budget, 0, 62000), 7, "a hundred percent");
}

static void
test_window(void)
{
    weir_budget_t *budget = fresh();

    earn(budget, 100, 2000, 10000);
    is_int(weir_budget_left(budget, AT(19999)), 20, "what was earned is good in its slot and the next");
    is_int(weir_budget_left(budget, AT(20000)), 0, "and not beyond");
    earn(budget, 50, 2000, 15000);
    is_int(weir_budget_left(budget, AT(15000)), 30, "both count");
    is_int(spend_all(budget, 0, 19999), 30, "all are spent");
    earn(budget, 50, 2000, 19999);
    is_int(weir_budget_left(budget, AT(24999)), 10, "the older ones went first");
    earn(budget, 100, 2000, 14000);
    is_int(weir_budget_left(budget, AT(24999)), 30, "a clock that is behind earns in the slot that is");
    is_int(spend_all(budget, 0, 1000), 30, "and may spend what is there");
    earn(budget, 300000, 10000, 26000);
    earn(budget, 300000, 10000, 26000);
    is_int(weir_budget_left(budget, AT(26000)), UINT32_MAX / WEIR_BUDGET_WHOLE, "there is a most");
}

static void
test_min(void)
{
    weir_budget_t *budget = fresh();

    is_int(spend_all(budget, 10, 60000), 10, "ten a second, at once");
    is_int(spend_all(budget, 10, 60099), 0, "the next not before its time");
    is_int(spend_all(budget, 10, 60100), 1, "one each tenth of a second");
    is_int(spend_all(budget, 10, 60500), 4, "…");
    is_int(spend_all(budget, 10, 99999), 10, "and none are saved beyond a second's");
    earn(budget, 50, 2000, 99999);
    is_int(spend_all(budget, 10, 99999), 10, "what was earned comes beside them");
    is_int(spend_all(budget, 3, 200000), 3, "a number that does not divide the second");
}

/* Whatever comes in whatever order: tries are never more than their part. */
static void
test_against_a_plain_one(void)
{
    weir_budget_t *budget = fresh();
    uint64_t       earned[400] = { 0 }, now = 1000000, seed = 88172645463325252u;
    unsigned       wrong = 0, spent = 0, all = 0;

    for (unsigned i = 0; i < 200000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        now += seed % 16 == 0 ? seed / 16 % 40 : 0;
        uint64_t *here = &earned[now / 5000 - 199], *before = here - 1;
        if (seed >> 40 & 3) {
            weir_budget_earn(budget, 3333, AT(now));
            *here += 3333;
            all++;
            continue;
        }
        bool     want = *here + (now / 5000 > 200 ? *before : 0) >= 10000;
        uint64_t old = want && now / 5000 > 200 ? weir_min(*before, UINT64_C(10000)) : 0;
        if (weir_budget_spend(budget, 0, AT(now)) != want) {
            wrong++;
        }
        if (want) {
            *before -= old;
            *here -= 10000 - old;
            spent++;
        }
    }
    is_int(wrong, 0, "two hundred thousand steps are decided as by a plain count of two slots");
    ok(spent * 3 <= all && spent > 10000, "a third of the requests at most, and not few");
}

/* Four processes, each of which earns and spends, and is killed and made anew all the time. */
static void
test_exact_and_killed(void)
{
    struct { uint64_t earned, spent; } *sum = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                                                   0);
    weir_budget_t *budget = fresh();

    for (unsigned round = 0; round < 40; round++) {
        pid_t pids[4];

        for (unsigned i = 0; i < 4; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                for ( ;; ) {
                    /* counted before it is earned and after it is spent, so that a kill between is on the safe side */
                    (void) __atomic_add_fetch(&sum->earned, 1, __ATOMIC_SEQ_CST);
                    weir_budget_earn(budget, 2000, AT(60000));
                    if (weir_budget_spend(budget, 0, AT(60000))) {
                        (void) __atomic_add_fetch(&sum->spent, 1, __ATOMIC_SEQ_CST);
                    }
                }
            }
        }
        usleep(5000);
        for (unsigned i = 0; i < 4; i++) {
            kill(pids[i], SIGKILL);
            (void) waitpid(pids[i], NULL, 0);
        }
    }
    sum->spent += spend_all(budget, 0, 60000);
    ok(sum->spent * 5 <= sum->earned, "no more than a fifth");
    ok(sum->spent * 5 + 40 * 4 * 10 >= sum->earned, "and no less, but for what the killed ones were at");
    ok(sum->earned > 1000, "of many");
}

/* None is killed: to the last one. */
static void
test_exact(void)
{
    unsigned      *spent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    weir_budget_t *budget = fresh();

    for (unsigned i = 0; i < 4; i++) {
        if (fork() == 0) {
            for (unsigned k = 0; k < 5000; k++) {
                weir_budget_earn(budget, 2000, AT(60000));
                if (weir_budget_spend(budget, 25, AT(60000))) {
                    (void) __atomic_add_fetch(spent, 1, __ATOMIC_SEQ_CST);
                }
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {}
    *spent += spend_all(budget, 25, 60000);
    is_int(*spent, 4 * 5000 / 5 + 25, "of 20,000 requests of four processes exactly a fifth, and 25 of this second");
}

int
main(void)
{
    test_share();
    test_window();
    test_min();
    test_against_a_plain_one();
    test_exact();
    test_exact_and_killed();
    return done();
}
