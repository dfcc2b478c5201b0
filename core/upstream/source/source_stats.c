/*
 * source_stats.c - what statistics tell of a group's sources (source.h): a policy that judges no peer.
 *
 * What all workers know lies in a part of the group: whichever worker asks writes it.
 */
#include "upstream/follow.h"
#include "upstream/policy.h"

/* The part. */
typedef struct {
    uint64_t name;                           /* the place's own */
    uint64_t taken, failures[WEIR_SOURCE_REASONS];
    uint64_t failing;                        /* a bit for each source of the group whose last question failed */
} source_record_t;

_Static_assert(sizeof(source_record_t) <= WEIR_PLACES_RECORD, "it fits");

typedef struct { source_record_t *record; } source_group_t;

static void
source_begin(weir_uppolicy_of_t *of)
{
    ((source_group_t *) of->state)->record = weir_state_part(of->group, NULL, "sources")->place.record;
}

static const weir_told_t source_tells[] = {
    { .name = "lists", .help = "Answers of sources of servers that were taken.", .kind = WEIR_TOLD_COUNT },
    { .name = "failures", .help = "Questions to sources of servers that failed.", .kind = WEIR_TOLD_COUNT,
      .label = "reason", .value = "silent" },
    { .name = "failures", .help = "Questions to sources of servers that failed.", .kind = WEIR_TOLD_COUNT,
      .label = "reason", .value = "refused" },
    { .name = "failures", .help = "Questions to sources of servers that failed.", .kind = WEIR_TOLD_COUNT,
      .label = "reason", .value = "absent" },
    { .name = "failures", .help = "Questions to sources of servers that failed.", .kind = WEIR_TOLD_COUNT,
      .label = "reason", .value = "malformed" },
    { .name = "failing", .help = "Sources of servers whose last question failed.", .kind = WEIR_TOLD_GAUGE },
};

static void
source_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const source_record_t *record = ((const source_group_t *) of->state)->record;
    uint64_t               sources;

    if (peer != NULL) {
        return;
    }
    memcpy(&sources, of->settings, sizeof(sources));
    numbers[0] = __atomic_load_n(&record->taken, __ATOMIC_RELAXED);
    for (size_t i = 0; i < WEIR_SOURCE_REASONS; i++) {
        numbers[1 + i] = __atomic_load_n(&record->failures[i], __ATOMIC_RELAXED);
    }
    numbers[1 + WEIR_SOURCE_REASONS] = (uint64_t) __builtin_popcountll(__atomic_load_n(&record->failing,
                                                                                       __ATOMIC_RELAXED) & sources);
}

static const weir_uppolicy_t source_policy = {
    .name = "sources",
    .group_size = sizeof(source_group_t),
    .begin = source_begin,
    .tells = source_tells,
    .n_tells = weir_countof(source_tells),
    .tell = source_tell,
};

void
weir_source_count(weir_group_conf_t *group, const uint64_t *sources)
{
    weir_assert(group->n_policies < WEIR_POLICIES_MAX);
    group->policies[group->n_policies++] = (weir_uppolicy_conf_t) { &source_policy,
                                                                   weir_str((const char *) sources, sizeof(*sources)) };
}

static source_record_t *
source_record(const weir_source_run_t *run)
{
    weir_uppolicy_of_t *of = weir_policy_find(weir_follow_running(run), &source_policy);

    return of != NULL ? ((source_group_t *) of->state)->record : NULL;
}

void
weir_source_confirm(weir_source_run_t *run)
{
    source_record_t *record = source_record(run);

    if (record != NULL) {
        (void) __atomic_fetch_add(&record->taken, 1, __ATOMIC_RELAXED);
        (void) __atomic_fetch_and(&record->failing, ~run->source->bit, __ATOMIC_RELAXED);
    }
}

void
weir_source_failed(weir_source_run_t *run, weir_source_reason_t reason)
{
    source_record_t *record = source_record(run);

    weir_assert(reason < WEIR_SOURCE_REASONS);
    if (record != NULL) {
        (void) __atomic_fetch_add(&record->failures[reason], 1, __ATOMIC_RELAXED);
        (void) __atomic_fetch_or(&record->failing, run->source->bit, __ATOMIC_RELAXED);
    }
}
