/*
 * recorder.c - how many requests the recorder keeps: the directive, and the rings that begin with the first
 * configuration.
 */
#include "conf/module.h"
#include "log/log.h"
#include "shm/story.h"

typedef struct { uint32_t each; } recorder_conf_t;

static bool
recorder_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const recorder_conf_t *conf = conf_;
    weir_error_t           error = { .text = "" };

    if (block->context != WEIR_IN_MAIN) {
        return true;
    }
    if (!weir_stories_start(conf->each, &error)) {
        return weir_conf_error_at(cf, &block->words, "%s", error.text);
    }
    if (weir_stories_each() != conf->each && weir_zones_are_made_here()) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "\"recorder_requests %u\" takes effect at the next start", conf->each);
    }
    return true;
}

static const weir_directive_t recorder_directives[] = {
    WEIR_DIRECTIVE(recorder_conf_t, each, "recorder_requests", .where = WEIR_IN_MAIN, .dflt = "1024", .max = "65536",
                   .help = "Sets how many of its last requests each worker keeps for `weir why` and `weir tail`, at "
                           "one KiB each; 0 keeps none."),
    WEIR_DIRECTIVES_END
};

static const weir_zone_kind_t *const recorder_kinds[] = { &weir_stories_zone, NULL };

const weir_module_t weir_recorder = {
    .name = "recorder",
    .area = "Statistics",
    .conf_size = sizeof(recorder_conf_t),
    .directives = recorder_directives,
    .check = recorder_check,
    .zone_kinds = recorder_kinds,
};
