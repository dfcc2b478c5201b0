/*
 * stats.c - rows by name, each slot's own copy, what is added up, the dead, and latencies in buckets.
 */
#define _GNU_SOURCE 1

#include "shm/stats.h"

#include "base/arena.h"
#include "shm/slots.h"

#include "../event/pair.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static weir_stats_row_t sum;
static weir_arena_t     arena;               /* as of a configuration in use */

static uint32_t
row_of(weir_stats_kind_t kind, weir_str_t name)
{
    return weir_stats_row(&arena, kind, name, 0);
}

static const weir_stats_row_t *
sum_of(uint32_t row)
{
    weir_stats_sum(row, &sum);
    return &sum;
}

static void
test_buckets(void)
{
    uint64_t wrong = 0, last = 0;
    double   worst = 0;

    for (uint64_t us = 0; us < 2000000; us += us < 5000 ? 1 : us / 1000) {
        uint32_t bucket = weir_stats_bucket(us);
        uint64_t first = bucket == 0 ? 0 : weir_stats_bucket_end(bucket - 1), end = weir_stats_bucket_end(bucket);
        double   middle = (double) (first + end - 1) / 2, off = us == 0 ? 0 : (middle - (double) us) / (double) us;

        wrong += us < first || us >= end || bucket < last;
        last = bucket;
        worst = off < 0 ? (-off > worst ? -off : worst) : (off > worst ? off : worst);
    }
    is_int(wrong, 0, "each latency lies in its bucket, and they rise");
    ok(worst < 0.063, "whose middle is within 6.3 % of it");
    is_int(weir_stats_bucket(UINT64_MAX), WEIR_STATS_BUCKETS - 1, "beyond all measure is the last");
}

static void
test_names(void)
{
    weir_stats_kind_t kind;
    uint32_t          a, b;
    char              name[300];

    is_int(weir_stats_rows(), WEIR_STATS_KINDS, "at first there is one row a kind");
    a = row_of(WEIR_STATS_SERVER, WEIR_STR("a"));
    b = row_of(WEIR_STATS_LOCATION, WEIR_STR("a"));
    ok(a >= WEIR_STATS_KINDS && b > a, "a name is one of its kind");
    ok(row_of(WEIR_STATS_SERVER, WEIR_STR("a")) == a, "and found again");
    is_str(weir_stats_name(b, &kind), "a", "by its number too");
    is_int(kind, WEIR_STATS_LOCATION, "with its kind");
    is_str(weir_stats_name(WEIR_STATS_PEER, &kind), "_other", "what has no row of its own has this");
    memset(name, 'n', sizeof(name));
    a = row_of(WEIR_STATS_PEER, weir_str(name, sizeof(name)));
    is_int(weir_stats_name(a, &kind).len, WEIR_STATS_NAME, "a long name is cut");
    weir_zones_may_make(false);
    is_int(row_of(WEIR_STATS_SERVER, WEIR_STR("new")), WEIR_STATS_SERVER, "who may make none gets _other");
    ok(row_of(WEIR_STATS_SERVER, WEIR_STR("a")) >= WEIR_STATS_KINDS, "but finds what is there");
    weir_zones_may_make(true);
}

static _Noreturn void
child(uint32_t row, unsigned n)
{
    pair_need(weir_slots_take(getpid()), "a slot");
    for (unsigned i = 0; i < n; i++) {
        weir_stats_row_t *mine = weir_stats_mine(row);
        mine->requests++;
        mine->busy = 3;
        weir_stats_latency(mine, 100);
    }
    _exit(0);
}

static void
test_counting(void)
{
    uint32_t row = row_of(WEIR_STATS_UPSTREAM, WEIR_STR("up"));
    pid_t    pids[4];

    weir_stats_mine(row)->requests += 5;
    weir_stats_mine(row)->busy = 1;
    for (unsigned i = 0; i < 4; i++) {
        if ((pids[i] = fork()) == 0) {
            child(row, 10000);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        (void) waitpid(pids[i], NULL, 0);
    }
    ok(sum_of(row)->requests == 40005 && sum.busy == 13, "four processes and we: all of it is there");
    is_int(sum.latency[weir_stats_bucket(100)], 40000, "latencies too");
    for (unsigned i = 0; i < 4; i++) {
        weir_slots_reap(pids[i], weir_zones_fold);
    }
    ok(sum_of(row)->requests == 40005 && sum.busy == 1,
       "when they are dead what they counted stays, what was under way does not");
    weir_zones_fold(1);
    is_int(sum_of(row)->requests, 40005, "once");
    if ((pids[0] = fork()) == 0) {
        child(row, 7);
    }
    (void) waitpid(pids[0], NULL, 0);
    is_int(sum_of(row)->requests, 40012, "the slot's next owner counts on");
}

/* Also those on the second page. */
static void
test_causes(void)
{
    uint32_t row = row_of(WEIR_STATS_SERVER, WEIR_STR("causes"));
    uint64_t wrong = 0;

    for (size_t i = 0; i < WEIR_STATS_CAUSES; i++) {
        for (size_t n = 0; n <= i; n++) {
            weir_stats_count_cause(weir_stats_mine(row), i);
        }
    }
    for (size_t i = 0; i < WEIR_STATS_CAUSES; i++) {
        wrong += weir_stats_of_cause(sum_of(row), i) != i + 1;
    }
    is_int(wrong, 0, "each cause has a count of its own");
    is_int(sum_of(row)->statuses[WEIR_STATS_STATUSES - 1], 0, "and none of them is a status");
}

static void
test_quantiles(void)
{
    uint32_t row = row_of(WEIR_STATS_SERVER, WEIR_STR("q"));
    uint64_t p50, p99, p9999;

    is_int(weir_stats_quantile(sum_of(row), 0.5), 0, "of nothing it is 0");
    for (unsigned us = 1; us <= 100000; us++) {
        weir_stats_latency(weir_stats_mine(row), us);
    }
    (void) sum_of(row);
    p50 = weir_stats_quantile(&sum, 0.5);
    p99 = weir_stats_quantile(&sum, 0.99);
    p9999 = weir_stats_quantile(&sum, 0.9999);
    ok(p50 > 46800 && p50 < 53200, "the median within its bounds");
    ok(p99 > 92700 && p99 < 105300, "p99 too");
    ok(p9999 > 93600 && p9999 < 106400, "and p99.99");
    is_int(sum.latency_us, 5000050000, "the sum is exact");
}

/* Names of a configuration, in an arena of their own. */
static void
name_peers(weir_arena_t *conf, unsigned first, unsigned n)
{
    char name[20];

    weir_arena_init(conf, 4096);
    for (unsigned i = first; i < first + n; i++) {
        (void) weir_stats_row(conf, WEIR_STATS_PEER,
                              weir_str(name, (size_t) snprintf(name, sizeof(name), "peer %u", i)), 0);
    }
}

static bool
is_listed(uint32_t row)
{
    uint32_t rows[5000], n = weir_stats_list(rows, weir_countof(rows));

    for (uint32_t i = 0; i < n; i++) {
        if (rows[i] == row) {
            return true;
        }
    }
    return false;
}

static void
test_statuses(void)
{
    bool seen[WEIR_STATS_STATUSES] = { false };
    bool once = true;

    for (uint32_t status = 100; status < 600; status++) {
        uint32_t at = weir_stats_status(status);

        once = once && at < WEIR_STATS_STATUSES && !seen[at];
        if (at < WEIR_STATS_STATUSES) {
            seen[at] = true;
        }
    }
    ok(once, "each status has a counter of its own");
    ok(weir_stats_status(200) < 111 && weir_stats_status(429) < 111 && weir_stats_status(499) < 111
       && weir_stats_status(504) < 111,
       "usual ones are in the first page");
    ok(weir_stats_status(599) >= 111, "others are not");
}

static void
test_full(void)
{
    weir_arena_t  before, conf;
    weir_error_t  error = { .text = "" };
    uint32_t      row;

    pair_need(weir_stats_start(64, &error), "so much room");
    name_peers(&before, 0, 100);
    is_int(weir_stats_rows(), 64, "there is so much room");
    is_int(weir_stats_row(&before, WEIR_STATS_PEER, WEIR_STR("peer 99"), 0), WEIR_STATS_PEER,
           "what comes then is _other of its kind");
    row = weir_stats_row(&before, WEIR_STATS_PEER, WEIR_STR("peer 3"), 0);
    ok(row != WEIR_STATS_PEER && is_listed(row), "what was there keeps its row, and is listed");
    weir_stats_mine(row)->requests = 5;

    pair_need(weir_stats_start(64, &error), "a new configuration");
    name_peers(&conf, 1000, 20);
    is_int(weir_stats_row(&conf, WEIR_STATS_PEER, WEIR_STR("peer 1000"), 0), WEIR_STATS_PEER,
           "while the one before is in use there is no room");
    weir_arena_fini(&conf);
    weir_arena_fini(&before);
    ok(!is_listed(row), "what nobody names any more is not listed");
    is_int(sum_of(row)->requests, 5, "but not forgotten");

    pair_need(weir_stats_start(64, &error), "the next one");
    name_peers(&conf, 1000, 20);
    row = weir_stats_row(&conf, WEIR_STATS_PEER, WEIR_STR("peer 1000"), 0);
    ok(row >= WEIR_STATS_KINDS && is_listed(row), "its rows are given to others");
    is_int(sum_of(row)->requests, 0, "which begin at nothing");
    name_peers(&before, 1000, 40);
    ok(weir_stats_row(&before, WEIR_STATS_PEER, WEIR_STR("peer 1000"), 0) == row, "and are found by their names");
    weir_arena_fini(&before);
    weir_arena_fini(&conf);
}

/* A process that holds a row keeps it from being given away, and a dead one does not. */
static void
test_held_by_another(void)
{
    weir_arena_t conf;
    weir_error_t error = { .text = "" };
    uint32_t     row;
    int          pipes[2];
    char         byte;
    pid_t        pid;

    weir_arena_init(&conf, 4096);
    row = weir_stats_row(&conf, WEIR_STATS_SERVER, WEIR_STR("held"), 0);
    pair_need(pipe(pipes) == 0, "a pipe");
    pid = fork();
    if (pid == 0) {
        pair_need(weir_slots_take(getpid()), "a slot");
        weir_stats_hold_all();
        (void) !write(pipes[1], "x", 1);
        pause();
    }
    pair_need(read(pipes[0], &byte, 1) == 1, "it holds");
    weir_arena_fini(&conf);
    ok(is_listed(row), "what another process holds is listed");
    pair_need(weir_stats_start(64, &error), "a configuration");
    name_peers(&conf, 2000, 100);
    ok(is_listed(row) && weir_stats_row(&conf, WEIR_STATS_SERVER, WEIR_STR("held"), 0) == row, "and not given away");
    weir_arena_fini(&conf);
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
    ok(is_listed(row), "killed, it holds it still");
    weir_slots_reap(pid, weir_zones_fold);
    ok(!is_listed(row), "until it is settled");
}

/* -- two masters, as after an upgrade -- */

/* In a child: what makes rows and serves nobody. */
static void
be_master(void)
{
    weir_error_t error = { .text = "" };

    weir_slot_mine = (weir_slot_t) { .number = WEIR_SLOT_NONE };
    pair_need(weir_stats_start(64, &error), "a master");
}

/* A master without workers may serve again with its configuration: its rows are its. */
static void
test_held_by_a_master(void)
{
    weir_arena_t      conf;
    weir_error_t      error = { .text = "" };
    uint32_t          row = 0;
    int               pipes[2];
    pid_t             pid;
    weir_stats_kind_t kind;

    pair_need(pipe(pipes) == 0, "a pipe");
    pid = fork();
    if (pid == 0) {
        be_master();
        row = weir_stats_row(&arena, WEIR_STATS_SERVER, WEIR_STR("of the old one"), 0);
        (void) !write(pipes[1], &row, sizeof(row));
        pause();
    }
    pair_need(read(pipes[0], &row, sizeof(row)) == sizeof(row), "it names its row");
    ok(row >= WEIR_STATS_KINDS && !is_listed(row), "a row of a master without workers is not listed");
    for (unsigned i = 0; i < 3; i++) {
        pair_need(weir_stats_start(64, &error), "a configuration");
        name_peers(&conf, 4000 + 100 * i, 100);
        weir_arena_fini(&conf);
    }
    is_str(weir_stats_name(row, &kind), "of the old one", "nor given to another name");
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
    for (unsigned i = 0; i < 3; i++) {
        pair_need(weir_stats_start(64, &error), "a configuration");
        name_peers(&conf, 5000 + 100 * i, 100);
        weir_arena_fini(&conf);
    }
    ok(!weir_str_eq(weir_stats_name(row, &kind), WEIR_STR("of the old one")), "until it is dead");
}

enum { FOLDED = 40 };

/* A worker that counts one in each row, and ends. */
static pid_t
dead_worker(const uint32_t *rows)
{
    pid_t pid = fork();

    if (pid == 0) {
        pair_need(weir_slots_take(getpid()), "a slot");
        for (unsigned i = 0; i < FOLDED; i++) {
            weir_stats_mine(rows[i])->requests++;
            weir_stats_mine(rows[i])->busy++;
        }
        _exit(0);
    }
    (void) waitpid(pid, NULL, 0);
    return pid;
}

static uint64_t
wrong_sums(const uint32_t *rows, uint64_t requests)
{
    uint64_t wrong = 0;

    for (unsigned i = 0; i < FOLDED; i++) {
        (void) sum_of(rows[i]);
        wrong += sum.requests != requests || sum.busy != 0;
    }
    return wrong;
}

/* One is killed at any instruction of it, and another one does it again; and two at once. */
static void
test_folded_by_two(void)
{
    weir_arena_t conf;
    weir_error_t error = { .text = "" };
    uint32_t     rows[FOLDED];
    uint64_t     wrong = 0, rounds = 0;
    char         name[20];
    pid_t        workers[2], masters[2];

    pair_need(weir_stats_start(64, &error), "a configuration");
    weir_arena_init(&conf, 4096);
    for (unsigned i = 0; i < FOLDED; i++) {
        rows[i] = weir_stats_row(&conf, WEIR_STATS_LOCATION,
                                 weir_str(name, (size_t) snprintf(name, sizeof(name), "folded %u", i)), 0);
    }
    for (; rounds < 300; rounds++) {
        workers[0] = dead_worker(rows);
        if ((masters[0] = fork()) == 0) {
            be_master();
            weir_slots_reap(workers[0], weir_zones_fold);
            _exit(0);
        }
        usleep((unsigned) (rounds * 7 % 900));
        (void) kill(masters[0], SIGKILL);
        (void) waitpid(masters[0], NULL, 0);
        weir_slots_reap(workers[0], weir_zones_fold);
        wrong += wrong_sums(rows, rounds + 1);
    }
    is_int(wrong, 0, "a master that is killed as it adds the dead: nothing is lost and nothing comes twice");
    for (unsigned k = 0; k < 100; k++, rounds += 2) {
        for (unsigned i = 0; i < 2; i++) {
            workers[i] = fork();
            if (workers[i] == 0) {
                pair_need(weir_slots_take(getpid()), "a slot");
                for (unsigned at = 0; at < FOLDED; at++) {
                    weir_stats_mine(rows[at])->requests++;
                }
                pause();                     /* both are there: each has a slot of its own */
            }
        }
        usleep(500);
        for (unsigned i = 0; i < 2; i++) {
            while (sum_of(rows[FOLDED - 1])->requests < rounds + 2) {
                usleep(100);
            }
            (void) kill(workers[i], SIGKILL);
            (void) waitpid(workers[i], NULL, 0);
        }
        for (unsigned i = 0; i < 2; i++) {
            if ((masters[i] = fork()) == 0) {
                be_master();
                weir_slots_reap(workers[i], weir_zones_fold);
                _exit(0);
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            (void) waitpid(masters[i], NULL, 0);
        }
        wrong += wrong_sums(rows, rounds + 2);
    }
    is_int(wrong, 0, "two that add at once: all of it is there, once");
    weir_arena_fini(&conf);
}

/* More than a segment has. */
static void
test_many(void)
{
    enum { MANY = 3000 };
    weir_arena_t  conf, again;
    weir_error_t  error = { .text = "" };
    uint32_t      last, wrong = 0, rows[MANY + WEIR_STATS_KINDS + 100], n;
    weir_stats_kind_t kind;

    pair_need(weir_stats_start(100000, &error), "room for many");
    name_peers(&conf, 0, MANY);
    last = weir_stats_row(&conf, WEIR_STATS_PEER, WEIR_STR("peer 2999"), 0);
    ok(last >= 2 * WEIR_STATS_SEGMENT, "rows go on in other segments");
    weir_stats_mine(last)->requests = 7;
    weir_stats_mine(WEIR_STATS_KINDS)->requests = 8;
    ok(sum_of(last)->requests == 7 && sum_of(WEIR_STATS_KINDS)->requests == 8, "and are counted in side by side");
    name_peers(&again, 0, MANY);
    n = weir_stats_list(rows, weir_countof(rows));
    for (uint32_t i = 1; i < n; i++) {
        weir_stats_kind_t before;
        (void) weir_stats_name(rows[i - 1], &before);
        (void) weir_stats_name(rows[i], &kind);
        wrong += before > kind;
    }
    ok(n >= MANY && wrong == 0, "each is listed once, by kind");
    weir_arena_fini(&again);
    weir_arena_fini(&conf);
    name_peers(&conf, MANY, MANY);
    ok(weir_stats_rows() < 2 * MANY, "those of before are used again");
    weir_arena_fini(&conf);
}

int
main(void)
{
    weir_error_t error = { .text = "" };

    weir_arena_init(&arena, 4096);
    ok(!weir_stats_is_on() && row_of(WEIR_STATS_SERVER, WEIR_STR("a")) == 0, "before it begins nothing is counted");
    weir_stats_mine(7)->requests++;
    weir_slots_use(mmap(NULL, WEIR_SLOTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pair_need(weir_slots_take(getpid()), "a slot");
    ok(weir_stats_start(64, &error), "it begins");
    is_int(weir_stats_room(), 64, "with the room it was begun with");
    test_buckets();
    test_statuses();
    test_names();
    test_counting();
    test_causes();
    test_quantiles();
    weir_arena_fini(&arena);
    test_full();
    test_held_by_another();
    test_held_by_a_master();
    test_many();
    test_folded_by_two();
    weir_stats_end();
    return done();
}
