/*
 * statistics.c - how much room there is for statistics: the directive, and the zone that begins with the first configuration.
 */
#include "conf/generation.h"
#include "log/log.h"
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
    if (weir_stats_room() != conf->rows && weir_zones_are_made_here()) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "\"statistics_rows %u\" is taken up at the next start", conf->rows);
    }
    return true;
}

static const weir_directive_t statistics_directives[] = {
    WEIR_DIRECTIVE(statistics_conf_t, rows, "statistics_rows", .where = WEIR_IN_MAIN, .dflt = "1024", .min = "64", .max = "65536",
                   .help = "How many things are counted by themselves: servers, locations, upstreams, peers, limits; what comes then is "
                           "counted together as _other."),
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
