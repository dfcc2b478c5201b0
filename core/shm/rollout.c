/*
 * rollout.c - see rollout.h.  Runs in workers; allocates nothing.
 */
#include "shm/rollout.h"

#define ROLLOUT_KEPT_S  (UINT64_C(60) * 86400)           /* so long the store has it after the last request, and … */
#define ROLLOUT_AGAIN_S 86400                            /* … it is told so that often */
#define ROLLOUT_NAME    1                                /* its only cell there */
#define ROLLOUT_SERIAL  24                               /* bits of the word, from the lowest on; then … */
#define ROLLOUT_STEP    24                               /* … where these begin, 8 bits each */
#define ROLLOUT_STATE   32
#define ROLLOUT_FINDING 40

typedef struct {
    uint64_t requests, errors;
    uint64_t times[WEIR_STATS_BUCKETS];
} rollout_count_t;

typedef struct {
    uint64_t        began;                   /* of the monotonic clock */
    uint64_t        is_held;                 /* and that was told */
    uint64_t        unused[6];
    rollout_count_t sides[2];                /* the others, the release */
} rollout_bank_t;

struct weir_rollout {
    uint64_t            word;                /* 0: it has not begun */
    uint64_t            saved;               /* the word that the store has */
    uint64_t            expires_s;
    uint64_t            n_steps, share;      /* for tools, which have no configuration */
    uint64_t            rises, holds, rollbacks;
    uint64_t            finding, found_s;
    weir_rollout_side_t found[2];            /* the others, the release */
    weir_rollout_side_t known;               /* the others, when last they had enough requests */
    uint64_t            unused[5];
    rollout_bank_t      banks[2];
};

_Static_assert(sizeof(struct weir_rollout) <= WEIR_ROLLOUT_BYTES, "it fits");

const char *const weir_rollout_states[WEIR_ROLLOUT_STATES] = { "none", "rising", "complete", "rolled_back" };
const char *const weir_rollout_findings[WEIR_ROLLOUT_FINDINGS] = {
    "began", "rose", "stays", "few_requests", "few_requests_of_others", "errors", "latency",
};

static inline uint64_t rollout_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void rollout_store(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

static inline uint64_t
rollout_word(uint64_t serial, uint32_t step, weir_rollout_state_t state, weir_rollout_finding_t finding)
{
    return (serial & ((UINT64_C(1) << ROLLOUT_SERIAL) - 1)) | (uint64_t) step << ROLLOUT_STEP
           | (uint64_t) state << ROLLOUT_STATE | (uint64_t) finding << ROLLOUT_FINDING;
}

static inline uint64_t rollout_serial(uint64_t word) { return word & ((UINT64_C(1) << ROLLOUT_SERIAL) - 1); }
static inline uint32_t rollout_step(uint64_t word) { return (uint32_t) (word >> ROLLOUT_STEP & 0xff); }
static inline uint32_t rollout_state(uint64_t word) { return (uint32_t) (word >> ROLLOUT_STATE & 0xff); }

weir_rollout_t *
weir_rollout_open(void *memory, uint64_t size)
{
    return size == WEIR_ROLLOUT_BYTES ? memory : NULL;
}

static rollout_bank_t *
rollout_bank(weir_rollout_t *rollout, uint64_t word)
{
    return &rollout->banks[rollout_serial(word) & 1];
}

static uint32_t
rollout_share_of(const weir_rollout_conf_t *conf, uint64_t word)
{
    uint32_t step = rollout_step(word);

    if (rollout_state(word) == WEIR_ROLLOUT_ROLLED_BACK) {
        return 0;
    }
    return conf->steps[step < conf->n_steps ? step : conf->n_steps - 1];
}

/* The word changes, and its bank is empty.  false: another worker has changed it. */
static bool
rollout_change(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, uint64_t was, uint64_t next,
               weir_rollout_clock_t clock)
{
    rollout_bank_t *bank = rollout_bank(rollout, next);

    if (rollout_load(&rollout->word) != was) {
        return false;
    }
    for (uint64_t *at = (uint64_t *) bank; at < (uint64_t *) (bank + 1); at++) {
        __atomic_store_n(at, 0, __ATOMIC_RELAXED);
    }
    rollout_store(&bank->began, clock.now.ms);
    rollout_store(&rollout->expires_s, clock.wall_s + ROLLOUT_KEPT_S);
    if (!__atomic_compare_exchange_n(&rollout->word, &was, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        return false;
    }
    rollout_store(&rollout->n_steps, conf->n_steps);
    rollout_store(&rollout->share, rollout_share_of(conf, next));
    return true;
}

/* As the store has it, or from the first step on.  false: the store cannot be read now. */
static bool
rollout_begin(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, weir_str_t zone, weir_rollout_clock_t clock)
{
    uint64_t            value = 0;
    weir_saved_result_t found = weir_saved_load(WEIR_STR(WEIR_ROLLOUT_KIND), zone, ROLLOUT_NAME, &value);
    bool                is_known = found == WEIR_SAVED_FOUND && rollout_state(value) != WEIR_ROLLOUT_NONE
                                   && rollout_state(value) < WEIR_ROLLOUT_STATES && rollout_step(value) < conf->n_steps;

    if (found == WEIR_SAVED_UNKNOWN) {
        return false;
    }
    if (is_known) {
        rollout_store(&rollout->saved, value);
    } else {
        value = rollout_word(0, 0, WEIR_ROLLOUT_RISING, WEIR_ROLLOUT_BEGAN);
    }
    if (rollout_change(rollout, conf, 0, value, clock)) {
        rollout_store(&rollout->finding, value >> ROLLOUT_FINDING & 0xff);
        rollout_store(&rollout->found_s, clock.wall_s);
    }
    return true;
}

uint32_t
weir_rollout_share(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, weir_str_t zone,
                   weir_rollout_clock_t clock)
{
    uint64_t word = rollout_load(&rollout->word);

    if (weir_unlikely(word == 0)) {
        if (!rollout_begin(rollout, conf, zone, clock)) {
            return 0;
        }
        word = rollout_load(&rollout->word);
    }
    return rollout_share_of(conf, word);
}

/* -- judging -- */

/* In milliseconds; 0: there was none. */
static uint64_t
rollout_quantile(const rollout_count_t *count, uint32_t percent)
{
    uint64_t total = 0, below = 0, times[WEIR_STATS_BUCKETS];

    for (uint32_t i = 0; i < WEIR_STATS_BUCKETS; i++) {
        times[i] = rollout_load(&count->times[i]);
        total += times[i];
    }
    for (uint32_t i = 0; i < WEIR_STATS_BUCKETS && total != 0; i++) {
        below += times[i];
        if (below * 100 >= total * percent) {
            return weir_max((weir_stats_bucket_end(i) + 999) / 1000, 1);
        }
    }
    return 0;
}

static void
rollout_sum(const rollout_count_t *count, const weir_rollout_conf_t *conf, weir_rollout_side_t *side)
{
    side->requests = rollout_load(&count->requests);
    side->errors = weir_min(rollout_load(&count->errors), side->requests);
    side->time = conf->quantile != 0 ? rollout_quantile(count, conf->quantile) : 0;
}

/* a/b of one side is more than that of the other and so many hundredths of a percent. */
static bool
rollout_fails_more(const weir_rollout_side_t *release, const weir_rollout_side_t *others, uint32_t more)
{
    double rate = (double) release->errors / (double) release->requests;
    double usual = others->requests != 0 ? (double) others->errors / (double) others->requests : 0;

    return rate > usual + (double) more / WEIR_ROLLOUT_WHOLE + 1e-12;
}

weir_rollout_finding_t
weir_rollout_judge(const weir_rollout_conf_t *conf, const weir_rollout_side_t *release,
                   const weir_rollout_side_t *others)
{
    if (release->requests == 0) {
        return WEIR_ROLLOUT_STAYS;
    }
    if (conf->judges_errors != 0 && rollout_fails_more(release, others, conf->errors)) {
        return WEIR_ROLLOUT_ERRORS;
    }
    if (conf->quantile != 0 && others->time != 0 && release->time * 1000 > others->time * conf->factor
        && release->time - others->time >= conf->slack)
    {
        return WEIR_ROLLOUT_LATENCY;
    }
    return WEIR_ROLLOUT_STAYS;
}

static void
rollout_found(weir_rollout_t *rollout, weir_rollout_finding_t finding, const weir_rollout_side_t *release,
              const weir_rollout_side_t *others, weir_rollout_clock_t clock, weir_rollout_look_t *look)
{
    rollout->found[0] = *others;
    rollout->found[1] = *release;
    rollout_store(&rollout->found_s, clock.wall_s);
    rollout_store(&rollout->finding, finding);
    weir_rollout_look(rollout, look);
    look->release = *release;
    look->others = *others;
    look->finding = finding;
}

/* It goes to its next step, or stays at its last one with counts that begin anew. */
static bool
rollout_rise(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, uint64_t word, weir_rollout_clock_t clock,
             bool *is_last)
{
    uint32_t             step = rollout_step(word);
    weir_rollout_state_t state = WEIR_ROLLOUT_RISING;

    *is_last = step + 1 >= conf->n_steps;
    if (!*is_last) {
        step++;
    }
    if (conf->steps[step] == WEIR_ROLLOUT_WHOLE) {
        state = WEIR_ROLLOUT_COMPLETE;
    }
    return rollout_change(rollout, conf, word, rollout_word(rollout_serial(word) + 1, step, state,
                                                            *is_last ? WEIR_ROLLOUT_STAYS : WEIR_ROLLOUT_ROSE), clock);
}

/* With what is counted in its bank.  is_over: the interval is. */
static bool
rollout_look_at(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, uint64_t word, bool is_over,
                weir_rollout_clock_t clock, weir_rollout_look_t *look)
{
    rollout_bank_t        *bank = rollout_bank(rollout, word);
    weir_rollout_side_t    release, others, usual;
    weir_rollout_finding_t finding = WEIR_ROLLOUT_STAYS;
    bool                   is_last, is_enough;

    rollout_sum(&bank->sides[1], conf, &release);
    rollout_sum(&bank->sides[0], conf, &others);
    usual = others.requests >= conf->min_requests ? others : rollout->known;
    if (release.requests >= conf->min_requests) {
        finding = weir_rollout_judge(conf, &release, &usual);
    }
    if (finding == WEIR_ROLLOUT_ERRORS || finding == WEIR_ROLLOUT_LATENCY) {
        if (!rollout_change(rollout, conf, word, rollout_word(rollout_serial(word) + 1, rollout_step(word),
                                                              WEIR_ROLLOUT_ROLLED_BACK, finding), clock))
        {
            return false;
        }
        (void) __atomic_fetch_add(&rollout->rollbacks, 1, __ATOMIC_RELAXED);
        rollout_found(rollout, finding, &release, &usual, clock, look);
        return true;
    }
    if (!is_over) {
        return false;
    }
    is_enough = release.requests >= conf->min_requests && others.requests >= conf->min_requests;
    if (!is_enough) {
        if (__atomic_exchange_n(&bank->is_held, 1, __ATOMIC_ACQ_REL) != 0) {
            return false;
        }
        (void) __atomic_fetch_add(&rollout->holds, 1, __ATOMIC_RELAXED);
        rollout_found(rollout, release.requests < conf->min_requests ? WEIR_ROLLOUT_FEW : WEIR_ROLLOUT_FEW_OTHERS,
                      &release, &others, clock, look);
        return true;
    }
    if (!rollout_rise(rollout, conf, word, clock, &is_last)) {
        return false;
    }
    rollout->known = others;
    if (!is_last) {
        (void) __atomic_fetch_add(&rollout->rises, 1, __ATOMIC_RELAXED);
    }
    rollout_found(rollout, is_last ? WEIR_ROLLOUT_STAYS : WEIR_ROLLOUT_ROSE, &release, &others, clock, look);
    return !is_last;
}

bool
weir_rollout_count(weir_rollout_t *rollout, const weir_rollout_conf_t *conf, const weir_rollout_request_t *request,
                   weir_rollout_clock_t clock, weir_rollout_look_t *look)
{
    uint64_t         word = rollout_load(&rollout->word), n, began;
    rollout_bank_t  *bank = rollout_bank(rollout, word);
    rollout_count_t *count = &bank->sides[request->is_release];
    bool             is_over;

    if (clock.wall_s + ROLLOUT_KEPT_S >= rollout_load(&rollout->expires_s) + ROLLOUT_AGAIN_S) {
        rollout_store(&rollout->expires_s, clock.wall_s + ROLLOUT_KEPT_S);
        rollout_store(&rollout->saved, 0);
    }
    if (rollout_state(word) != WEIR_ROLLOUT_RISING) {
        return false;
    }
    if (conf->quantile != 0) {
        (void) __atomic_fetch_add(&count->times[weir_stats_bucket(request->took.ms * 1000)], 1, __ATOMIC_RELAXED);
    }
    if (request->failed) {
        (void) __atomic_fetch_add(&count->errors, 1, __ATOMIC_RELAXED);
    }
    n = __atomic_add_fetch(&count->requests, 1, __ATOMIC_ACQ_REL);
    began = rollout_load(&bank->began);
    is_over = clock.now.ms > began && clock.now.ms - began >= conf->interval;
    if (is_over || (request->is_release && n >= conf->min_requests && (request->failed || n % conf->min_requests == 0)))
    {
        return rollout_look_at(rollout, conf, word, is_over, clock, look);
    }
    return false;
}

/* -- looking -- */

void
weir_rollout_look(const weir_rollout_t *rollout, weir_rollout_look_t *look)
{
    uint64_t word = rollout_load(&rollout->word);

    *look = (weir_rollout_look_t) {
        .step = rollout_step(word), .share = (uint32_t) rollout_load(&rollout->share),
        .state = rollout_state(word) < WEIR_ROLLOUT_STATES ? (weir_rollout_state_t) rollout_state(word)
                 : WEIR_ROLLOUT_NONE,
        .finding = (weir_rollout_finding_t) weir_min(rollout_load(&rollout->finding), WEIR_ROLLOUT_FINDINGS - 1),
        .others = rollout->found[0], .release = rollout->found[1], .found_s = rollout_load(&rollout->found_s),
        .rises = rollout_load(&rollout->rises), .holds = rollout_load(&rollout->holds),
        .rollbacks = rollout_load(&rollout->rollbacks),
    };
}

void
weir_rollout_sides(const weir_rollout_t *rollout, weir_rollout_side_t *release, weir_rollout_side_t *others)
{
    const rollout_bank_t *bank = &rollout->banks[rollout_serial(rollout_load(&rollout->word)) & 1];

    *release = (weir_rollout_side_t) { rollout_load(&bank->sides[1].requests), rollout_load(&bank->sides[1].errors),
                                       0 };
    *others = (weir_rollout_side_t) { rollout_load(&bank->sides[0].requests), rollout_load(&bank->sides[0].errors), 0 };
}

static void
rollout_describe_side(weir_buf_t *out, const char *name, const weir_rollout_side_t *side)
{
    weir_buf_printf(out, " %s=%llu/%llu", name, (unsigned long long) side->errors, (unsigned long long) side->requests);
    if (side->time != 0) {
        weir_buf_printf(out, ",%llums", (unsigned long long) side->time);
    }
}

static void
rollout_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    const weir_rollout_t *rollout = memory;
    weir_rollout_look_t   look;

    if (size != WEIR_ROLLOUT_BYTES) {
        return;
    }
    weir_rollout_look(rollout, &look);
    weir_buf_printf(out, "state=%s step=%u/%llu share=%u.%02u%% last=%s", weir_rollout_states[look.state],
                    look.step + 1, (unsigned long long) rollout_load(&rollout->n_steps), look.share / 100,
                    look.share % 100, weir_rollout_findings[look.finding]);
    if (look.release.requests + look.others.requests != 0) {
        rollout_describe_side(out, "failed", &look.release);
        rollout_describe_side(out, "of_others", &look.others);
    }
}

/* -- the store's side -- */

static size_t
rollout_lacks(const void *memory, uint64_t size, uint32_t *at, weir_saved_cell_t *cells, size_t n)
{
    const weir_rollout_t *rollout = memory;
    uint64_t              word = size == WEIR_ROLLOUT_BYTES ? rollout_load(&rollout->word) : 0;

    *at = 0;
    if (n == 0 || word == 0 || word == rollout_load(&rollout->saved)) {
        return 0;
    }
    cells[0] = (weir_saved_cell_t) { .name = ROLLOUT_NAME, .value = word, .seen = word,
                                     .expires_s = rollout_load(&rollout->expires_s) };
    return 1;
}

static void
rollout_has(void *memory, uint64_t size, const weir_saved_cell_t *cell)
{
    weir_rollout_t *rollout = memory;

    if (size == WEIR_ROLLOUT_BYTES) {
        rollout_store(&rollout->saved, cell->seen);
    }
}

static const weir_saved_kind_t rollout_saved = { rollout_lacks, rollout_has };

const weir_zone_kind_t weir_rollout_kind = {
    .name = WEIR_ROLLOUT_KIND, .layout = 1, .describe = rollout_describe, .saved = &rollout_saved,
};
