/*
 * statistics.c - how much room there is for statistics: the directive, and the zones, of which the first begins with
 * the first configuration.
 */
#include "conf/generation.h"
#include "shm/stats.h"

typedef struct { uint32_t rows; } statistics_conf_t;

/* Of main, and so before anything inside http has its row. */
static bool
statistics_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const statistics_conf_t *conf = conf_;
    weir_error_t             error = { .text = "" };

    if (block->context != WEIR_IN_MAIN) {
        return true;
    }
    if (!weir_stats_start(conf->rows, &error)) {
        return weir_conf_error_at(cf, &block->words, "%s", error.text);
    }
    return true;
}

static const weir_directive_t statistics_directives[] = {
    WEIR_DIRECTIVE(statistics_conf_t, rows, "statistics_rows", .where = WEIR_IN_MAIN, .dflt = "65536", .min = "64",
                   .max = "262144",
                   .help = "Limits how many servers, locations, upstreams, peers and limits are counted by "
                           "themselves; further ones are counted together as _other."),
    WEIR_DIRECTIVES_END
};

static const weir_zone_kind_t *const statistics_kinds[] = { &weir_stats_zone, NULL };

const weir_module_t weir_statistics = {
    .name = "statistics",
    .area = "Statistics",
    .conf_size = sizeof(statistics_conf_t),
    .directives = statistics_directives,
    .check = statistics_check,
    .zone_kinds = statistics_kinds,
};
