/*
 * core_cpu.c - worker_processes and worker_cpu_affinity: how many workers, and on which CPUs each.
 *
 * The CPUs that there are come from the bundle, so that every process counts the same.
 */
#include "conf/core.h"

#include "base/array.h"

static bool
cpu_available(weir_conf_t *cf, weir_core_cpus_t *cpus)
{
    weir_error_t why = { .text = "" };

    return weir_bundle_cpus(cf->bundle, cpus->words, &why) || weir_conf_error(cf, 0, "%s", why.text);
}

static bool
cpu_is_set(const weir_core_cpus_t *cpus, size_t i)
{
    weir_assert(i < WEIR_BUNDLE_CPUS);
    return cpus->words[i / 64] >> i % 64 & 1;
}

static uint32_t
cpu_count(const weir_core_cpus_t *cpus)
{
    uint32_t n = 0;
    size_t   i;

    for (i = 0; i < WEIR_CORE_CPU_WORDS; i++) {
        n += (uint32_t) __builtin_popcountll(cpus->words[i]);
    }
    return n;
}

static bool
cpu_parse_processes(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_core_cpus_t cpus;

    (void) row;
    if (weir_str_eq(words->at[1].text, WEIR_STR("auto"))) {
        if (!cpu_available(cf, &cpus)) {
            return false;
        }
        *(uint32_t *) field = cpu_count(&cpus);
        return true;
    }
    return weir_conf_read_u32(words->at[1].text, field) || weir_conf_invalid(cf, 1, "a number or auto");
}

static int
cpu_compare_processes(const void *a, const void *b)
{
    return weir_type_u32.compare(a, b);
}

/* "0101": the last digit is CPU 0. */
static bool
cpu_parse_mask(weir_conf_t *cf, size_t word, weir_core_cpus_t *cpus)
{
    weir_str_t text = cf->words->at[word].text;
    size_t     i, n = 0;

    for (i = text.len; i > 0; i--) {
        char c = text.at[i - 1];

        if (c == ' ') {
            continue;
        }
        if ((c != '0' && c != '1') || n == WEIR_BUNDLE_CPUS) {
            return weir_conf_invalid(cf, word, "up to 1024 digits 0 or 1");
        }
        if (c == '1') {
            cpus->words[n / 64] |= UINT64_C(1) << n % 64;
        }
        n++;
    }
    return cpu_count(cpus) != 0 || weir_conf_invalid(cf, word, "at least one digit 1");
}

static bool
cpu_parse_affinity(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_core_affinity_t *affinity = field;
    size_t                i;

    (void) row;
    affinity->automatic = weir_str_eq(words->at[1].text, WEIR_STR("auto"));
    if (affinity->automatic && words->n > 3) {
        return weir_conf_invalid(cf, 3, "no more than one mask after auto");
    }
    for (i = affinity->automatic ? 2 : 1; i < words->n; i++) {
        if (!cpu_parse_mask(cf, i, weir_conf_list_push(cf, affinity, sizeof(weir_core_cpus_t)))) {
            return false;
        }
    }
    return true;
}

const weir_conf_type_t weir_core_type_processes = { .name = "number | auto", .size = sizeof(uint32_t), .min_args = 1,
                                                    .max_args = 1, .parse = cpu_parse_processes,
                                                    .compare = cpu_compare_processes };
const weir_conf_type_t weir_core_type_affinity = { .name = "mask ... | auto [mask]",
                                                   .size = sizeof(weir_core_affinity_t),
                                                   .min_args = 1, .max_args = 255, .parse = cpu_parse_affinity,
                                                   .item = sizeof(weir_core_cpus_t) };

/* The k-th CPU of those allowed, round and round. */
static weir_core_cpus_t
cpu_single(const weir_core_cpus_t *allowed, uint32_t k)
{
    weir_core_cpus_t one = { .words = { 0 } };
    size_t           i;

    weir_assert(cpu_count(allowed) != 0);
    k %= cpu_count(allowed);
    for (i = 0; !cpu_is_set(allowed, i) || k-- > 0; i++) {
        weir_assert(i + 1 < WEIR_BUNDLE_CPUS);
    }
    one.words[i / 64] = UINT64_C(1) << i % 64;
    return one;
}

bool
weir_core_check_affinity(weir_conf_t *cf, weir_core_conf_t *core)
{
    const weir_core_affinity_t *affinity = &core->affinity;
    weir_core_cpus_t            allowed, *rows;
    uint32_t                    i;
    size_t                      w;

    if (affinity->n == 0 && !affinity->automatic) {
        return true;
    }
    if (!cpu_available(cf, &allowed)) {
        return false;
    }
    if (affinity->automatic && affinity->n != 0) {
        for (w = 0; w < WEIR_CORE_CPU_WORDS; w++) {
            allowed.words[w] &= affinity->at[0].words[w];
        }
        if (cpu_count(&allowed) == 0) {
            return weir_conf_error(cf, 0, "no CPU of the mask of \"worker_cpu_affinity\" may be used by this process");
        }
    }
    if (!affinity->automatic && affinity->n != 1 && affinity->n != core->worker_processes) {
        weir_conf_warn(cf, 0,
                       "the number of \"worker_processes\" is not equal to the number of \"worker_cpu_affinity\" "
                              "masks, using last mask for remaining worker processes");
    }
    weir_assert(affinity->automatic || affinity->n != 0);
    rows = weir_new_n(cf->arena, weir_core_cpus_t, core->worker_processes);
    for (i = 0; i < core->worker_processes; i++) {
        rows[i] = affinity->automatic ? cpu_single(&allowed, i)
                                      : affinity->at[weir_min(i, affinity->n - 1)];
    }
    core->cpus = rows->words;
    return true;
}
