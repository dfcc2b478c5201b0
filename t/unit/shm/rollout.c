/*
 * rollout.c - when a release goes up, is held and is rolled back, by what was counted of it and of the others; and what
 * the store keeps of it.
 */
#include "shm/rollout.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

static const weir_rollout_conf_t plain = {
    .steps = { 100, 5000, 10000 }, .n_steps = 3, .errors = 100, .judges_errors = 1, .quantile = 95, .factor = 1200,
    .slack = 10, .interval = 1000, .min_requests = 10,
};

static weir_rollout_clock_t clock_now = { { 5000 }, 1000000 };
static weir_rollout_look_t  look;

static weir_rollout_t *
fresh(const weir_rollout_conf_t *conf)
{
    static _Alignas(64) char memory[WEIR_ROLLOUT_BYTES];
    weir_rollout_t          *rollout;

    memset(memory, 0, sizeof(memory));
    rollout = weir_rollout_open(memory, sizeof(memory));
    clock_now.now.ms += 1000000;
    (void) weir_rollout_share(rollout, conf, WEIR_STR("z"), clock_now);
    return rollout;
}

/* So many requests of a side, of which some failed; true: one of them made a change. */
static bool
count(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, bool is_release, unsigned n, unsigned failed,
      uint64_t took)
{
    bool changed = false;

    for (unsigned i = 0; i < n; i++) {
        weir_rollout_request_t request = { is_release, i < failed, { took } };

        changed = weir_rollout_count(rollout, conf, &request, clock_now, &look) || changed;
    }
    return changed;
}

static void
test_steps(void)
{
    weir_rollout_t *rollout = fresh(&plain);

    is_int(weir_rollout_share(rollout, &plain, WEIR_STR("z"), clock_now), 100, "the first step");
    ok(!count(rollout, &plain, false, 100, 0, 5) && !count(rollout, &plain, true, 10, 0, 5), "within the interval");
    clock_now.now.ms += 1000;
    ok(count(rollout, &plain, false, 1, 0, 5) && look.finding == WEIR_ROLLOUT_ROSE && look.share == 5000,
       "when it is over it goes to its second step");
    is_int(look.release.requests, 10, "by ten requests");
    clock_now.now.ms += 1000;
    ok(count(rollout, &plain, false, 9, 0, 5) && look.finding == WEIR_ROLLOUT_FEW, "too few requests hold it");
    ok(!count(rollout, &plain, true, 10, 0, 5), "which is told once");
    ok(count(rollout, &plain, false, 1, 0, 5) && look.state == WEIR_ROLLOUT_COMPLETE && look.share == 10000,
       "when there were enough it goes on, to all");
    clock_now.now.ms += 1000;
    ok(!count(rollout, &plain, true, 1000, 1000, 5) && look.share == 10000, "where it is not judged any more");
    weir_rollout_look(rollout, &look);
    ok(look.rises == 2 && look.holds == 1 && look.rollbacks == 0, "counted");
}

static void
test_back(void)
{
    weir_rollout_t *rollout = fresh(&plain);

    (void) count(rollout, &plain, false, 1000, 10, 5);
    ok(!count(rollout, &plain, true, 9, 9, 5), "of nine requests nothing is concluded");
    ok(count(rollout, &plain, true, 1, 0, 5) && look.finding == WEIR_ROLLOUT_ERRORS
       && look.state == WEIR_ROLLOUT_ROLLED_BACK, "the tenth rolls it back, within the interval");
    is_int(weir_rollout_share(rollout, &plain, WEIR_STR("z"), clock_now), 0, "it has no requests then");
    clock_now.now.ms += 5000;
    ok(!count(rollout, &plain, true, 100, 0, 5) && !count(rollout, &plain, false, 100, 0, 5), "and stays so");

    rollout = fresh(&plain);
    (void) count(rollout, &plain, false, 100, 0, 50);
    ok(!count(rollout, &plain, true, 9, 0, 80) && count(rollout, &plain, true, 1, 0, 80)
       && look.finding == WEIR_ROLLOUT_LATENCY, "because of its latency");

    rollout = fresh(&plain);
    (void) count(rollout, &plain, false, 9, 0, 5);
    ok(count(rollout, &plain, true, 10, 1, 5) && look.finding == WEIR_ROLLOUT_ERRORS,
       "errors of its own also count while the others have too few requests");
}

/* Against whole numbers: errors/requests > errors'/requests' + more, and the quantile more than the factor and the
 * slack. */
static void
test_bounds(void)
{
    weir_rollout_conf_t conf = plain;
    uint64_t            seed = 12345;
    unsigned            differ = 0, back = 0;

    for (unsigned i = 0; i < 200000; i++) {
        uint64_t               n[8];
        weir_rollout_side_t    release, others;
        weir_rollout_finding_t expected = WEIR_ROLLOUT_STAYS, got;

        for (unsigned k = 0; k < 8; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            n[k] = seed >> 33;
        }
        release = (weir_rollout_side_t) { 1 + n[0] % 500, n[1] % 20, 1 + n[2] % 100 };
        others = (weir_rollout_side_t) { 1 + n[3] % 5000, n[4] % 50, n[5] % 100 };
        release.errors = weir_min(release.errors, release.requests);
        others.errors = weir_min(others.errors, others.requests);
        conf.errors = (uint32_t) (n[6] % 500);
        conf.factor = 1000 + (uint32_t) (n[7] % 1000);
        if ((release.errors * others.requests * 10000)
            > others.errors * release.requests * 10000 + release.requests * others.requests * conf.errors)
        {
            expected = WEIR_ROLLOUT_ERRORS;
        } else if (others.time != 0 && release.time * 1000 > others.time * conf.factor
                   && release.time >= others.time + conf.slack)
        {
            expected = WEIR_ROLLOUT_LATENCY;
        }
        got = weir_rollout_judge(&conf, &release, &others);
        differ += got != expected;
        back += got != WEIR_ROLLOUT_STAYS;
    }
    ok(differ == 0 && back > 1000 && back < 199000, "200,000 pairs are judged as whole numbers judge them");
}

/* -- the store -- */

static uint64_t            kept;
static weir_saved_result_t answers;

static weir_saved_result_t
load(weir_str_t kind WEIR_UNUSED, weir_str_t zone WEIR_UNUSED, uint64_t name WEIR_UNUSED, uint64_t *value)
{
    *value = kept;
    return answers;
}

static size_t
lacks(weir_rollout_t *rollout, weir_saved_cell_t *cell)
{
    uint32_t at = 0;

    return weir_rollout_kind.saved->lacks(rollout, WEIR_ROLLOUT_BYTES, &at, cell, 1);
}

static void
test_store(void)
{
    weir_rollout_t   *rollout = fresh(&plain);
    weir_saved_cell_t cell;
    uint64_t          word;

    clock_now.now.ms += 1000;
    (void) count(rollout, &plain, false, 10, 0, 5);
    (void) count(rollout, &plain, true, 10, 0, 5);
    is_int(lacks(rollout, &cell), 1, "the store lacks it");
    weir_rollout_kind.saved->has(rollout, WEIR_ROLLOUT_BYTES, &cell);
    word = cell.value;
    is_int(lacks(rollout, &cell), 0, "and has it then");
    clock_now.wall_s += 2 * 86400;
    (void) count(rollout, &plain, false, 1, 0, 5);
    ok(lacks(rollout, &cell) == 1 && cell.value == word && cell.expires_s > clock_now.wall_s,
       "days later it is told again, so that it is not forgotten");

    weir_saved_use(load);
    answers = WEIR_SAVED_FOUND;
    kept = word;
    rollout = fresh(&plain);
    is_int(weir_rollout_share(rollout, &plain, WEIR_STR("z"), clock_now), 5000, "a restart goes on where it was");
    kept = UINT64_MAX;
    rollout = fresh(&plain);
    is_int(weir_rollout_share(rollout, &plain, WEIR_STR("z"), clock_now), 100, "what makes no sense is not believed");
    answers = WEIR_SAVED_UNKNOWN;
    rollout = fresh(&plain);
    is_int(weir_rollout_share(rollout, &plain, WEIR_STR("z"), clock_now), 0, "while the store cannot be read: none");
    answers = WEIR_SAVED_NONE;
    is_int(weir_rollout_share(rollout, &plain, WEIR_STR("z"), clock_now), 100, "when it can, the first step");
    weir_saved_use(NULL);
}

int
main(void)
{
    test_steps();
    test_back();
    test_bounds();
    test_store();
    return done();
}
