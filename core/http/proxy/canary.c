/*
 * canary.c - see canary.h: the directive, what each request says of its side, and what is told of it.
 */
#include "http/proxy/canary.h"

#include "http/exchange/outcome.h"
#include "http/module.h"
#include "http/proxy/split.h"
#include "log/log.h"
#include "os/clock.h"
#include "store/conf.h"

#include <ctype.h>

#define CANARY_NAME_MAX 80
#define CANARY_SIDE     80                   /* bytes of what the log says of a side */

typedef struct { weir_canary_t said; } canary_conf_t;                /* name empty: it was not said */

typedef struct { weir_canary_t *at[WEIR_CANARIES_MAX]; size_t n; } canary_list_t;

extern const size_t weir_http_canary_index;

/* -- the directive -- */

static bool
canary_read_name(weir_conf_t *cf, size_t i, weir_str_t *name)
{
    *name = cf->words->at[i].text;
    for (size_t k = 0; k < name->len; k++) {
        char c = name->at[k];

        if (!isalnum((unsigned char) c) && c != '_' && c != '-' && c != '.') {
            return weir_conf_invalid(cf, i, "a name of letters, digits, \"_\", \"-\" and \".\"");
        }
    }
    return (name->len != 0 && name->len <= CANARY_NAME_MAX) || weir_conf_invalid(cf, i, "a name of 1 to 80 bytes");
}

static bool
canary_read_steps(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_rollout_conf_t *conf = &((weir_canary_t *) data)->conf;
    weir_str_t           step;
    uint32_t             before = 0;

    for (bool more = true; more; before = conf->steps[conf->n_steps++]) {
        more = weir_str_cut(value, ',', &step, &value);
        if (conf->n_steps == WEIR_ROLLOUT_STEPS || !weir_conf_read_percent(step, &conf->steps[conf->n_steps])
            || conf->steps[conf->n_steps] <= before)
        {
            return weir_conf_invalid(cf, word, "steps= with at most 16 percentages up to 100, each more than the one "
                                     "before, such as 1,5,25,50,100");
        }
    }
    return conf->steps[0] != WEIR_ROLLOUT_WHOLE
        || weir_conf_invalid(cf, word, "steps= with a first step below 100");
}

static bool
canary_read_interval(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_msec_t time;

    if (!weir_conf_read_msec(value, &time) || time.ms == 0) {
        return weir_conf_invalid(cf, word, "interval= with a time such as 5m");
    }
    ((weir_canary_t *) data)->conf.interval = time.ms;
    return true;
}

static bool
canary_read_requests(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    uint32_t n;

    if (!weir_conf_read_u32(value, &n) || n == 0) {
        return weir_conf_invalid(cf, word, "min_requests= with a number from 1 on");
    }
    ((weir_canary_t *) data)->conf.min_requests = n;
    return true;
}

static bool
canary_read_errors(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_rollout_conf_t *conf = &((weir_canary_t *) data)->conf;

    conf->judges_errors = !weir_str_eq(value, WEIR_STR("off"));
    return conf->judges_errors == 0
        || (weir_str_ends(value, WEIR_STR("%"))
            && weir_conf_read_percent(weir_str(value.at, value.len - 1), &conf->errors))
        || weir_conf_invalid(cf, word, "errors= with a percentage such as 1%, or off");
}

/* "p95:1.2x" */
static bool
canary_read_latency(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_rollout_conf_t *conf = &((weir_canary_t *) data)->conf;
    weir_str_t           quantile, factor;
    uint32_t             hundredths = 0;

    if (!weir_str_cut(value, ':', &quantile, &factor) || !weir_str_starts(quantile, WEIR_STR("p"))
        || !weir_conf_read_u32(weir_str_skip(quantile, 1), &conf->quantile) || conf->quantile < 1
        || conf->quantile > 99 || !weir_str_ends(factor, WEIR_STR("x"))
        || !weir_conf_read_percent(weir_str(factor.at, factor.len - 1), &hundredths) || hundredths < 100)
    {
        return weir_conf_invalid(cf, word, "latency= with a quantile from p1 to p99 and a factor from 1 to 100, such "
                                 "as p95:1.2x");
    }
    conf->factor = hundredths * 10;
    return true;
}

static bool
canary_read_slack(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_msec_t time;

    if (!weir_conf_read_msec(value, &time)) {
        return weir_conf_invalid(cf, word, "latency_min= with a time such as 10ms");
    }
    ((weir_canary_t *) data)->conf.slack = time.ms;
    return true;
}

static bool
canary_read_release(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    ((weir_canary_t *) data)->release = value;
    return value.len != 0 || weir_conf_invalid(cf, word, "release= with a text");
}

static const weir_conf_option_t canary_options[] = {
    { "steps", canary_read_steps, false }, { "interval", canary_read_interval, false },
    { "min_requests", canary_read_requests, false }, { "errors", canary_read_errors, false },
    { "latency", canary_read_latency, false }, { "latency_min", canary_read_slack, false },
    { "release", canary_read_release, false },
};

static bool
canary_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    weir_canary_t *canary = field;

    canary->conf = (weir_rollout_conf_t) { .interval = 300000, .min_requests = 100, .errors = 100, .judges_errors = 1,
                                           .slack = 10 };
    canary->words = words;
    canary->target = words->at[2].text;
    if (!canary_read_name(cf, 1, &canary->name)
        || !weir_conf_read_options(cf, words, 3, canary_options, weir_countof(canary_options),
                                   "steps=, interval=, min_requests=, errors=, latency=, latency_min= or release=",
                                   canary))
    {
        return false;
    }
    if (canary->conf.n_steps == 0) {
        return weir_conf_error(cf, 0, "\"canary\" has no steps: it needs steps=, such as steps=1,5,25,50,100");
    }
    if (canary->conf.judges_errors == 0 && canary->conf.quantile == 0) {
        return weir_conf_error(cf, 0, "\"canary\" judges nothing: errors are off, and there is no latency=");
    }
    return true;
}

static const weir_conf_type_t canary_type = {
    .name = "name target steps=percent,... [interval=time] [min_requests=number] [errors=percent|off] "
            "[latency=pN:factorx] [latency_min=time] [release=text]",
    .size = sizeof(weir_canary_t), .min_args = 3, .max_args = 2 + weir_countof(canary_options), .parse = canary_parse,
};

static const weir_directive_t canary_directives[] = {
    WEIR_DIRECTIVE_OF(canary_conf_t, said, "canary", &canary_type, .where = WEIR_IN_LOCATION, .inherit = WEIR_LOCAL,
                      .help = "Gives one of the targets that share a place's requests more of them step by step, as "
                              "long as it does as well as the others, and none when it does not."),
    WEIR_DIRECTIVES_END
};

/* All lines of the block are known; `return` of a status is not looked for. */
static bool
canary_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const weir_canary_t        *canary = &((canary_conf_t *) conf_)->said;
    const weir_http_location_t *place = block->owner;

    if (canary->name.len == 0 || (block->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE)) == 0
        || !weir_conf_is_set(block, weir_http_canary_index, "canary"))
    {
        return true;
    }
    if (place->targets == NULL) {
        return weir_conf_error_at(cf, canary->words, "\"canary\" stands where no targets share the requests: it needs "
                                  "several \"proxy_pass\" or \"grpc_pass\" with weight= beside it");
    }
    if (!weir_store_is_set(cf)) {
        cf->words = canary->words;
        weir_conf_warn(cf, 0, "\"canary %.*s\" begins with its first step after each restart: only with \"store_path\" "
                       "it is kept", WEIR_STR_ARG(canary->name));
    }
    return true;
}

/* -- building -- */

static weir_proxy_target_t *
canary_find_target(weir_conf_t *cf, const weir_canary_t *canary, weir_proxy_targets_t *targets)
{
    weir_proxy_target_t *found = NULL;
    size_t               others = 0;

    for (size_t i = 0; i < targets->n; i++) {
        weir_proxy_target_t *target = &targets->at[i];

        if (target->status != 0 || !weir_str_eq(target->text, canary->target)) {
            others += target->status == 0 && target->weight != 0;
            continue;
        }
        if (found != NULL || target->weight != 0) {
            (void) weir_conf_error_at(cf, canary->words, "\"%.*s\" is the target of \"canary\": it has to stand once "
                                      "in this place, with weight=0", WEIR_STR_ARG(canary->target));
            return NULL;
        }
        found = target;
    }
    if (found == NULL || others == 0) {
        (void) weir_conf_error_at(cf, canary->words, found == NULL ? "\"canary\" names \"%.*s\", which is none of the "
                                  "targets of this place" : "there is no other target than \"%.*s\" that \"canary\" "
                                  "could compare it with", WEIR_STR_ARG(canary->target));
        return NULL;
    }
    return found;
}

static void
canary_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

/* What makes it another one, so that it begins anew: its target, its release, its steps. */
static weir_str_t
canary_zone_name(weir_arena_t *arena, const weir_canary_t *canary)
{
    uint64_t hash = weir_str_hash(canary->target, 1);

    hash = weir_str_hash(canary->release, hash);
    hash = weir_str_hash(weir_str((const char *) canary->conf.steps, sizeof(canary->conf.steps)), hash);
    return weir_str_printf(arena, "%.*s:%08x", WEIR_STR_ARG(canary->name), (unsigned) (hash >> 32));
}

/* The configuration's of that name; the first place that names it makes it.  NULL: recorded. */
static weir_canary_t *
canary_open(weir_conf_t *cf, canary_list_t *list, weir_canary_t *said)
{
    weir_zone_id_t id = { .kind = &weir_rollout_kind, .size = WEIR_ROLLOUT_BYTES };
    weir_error_t   error = { .text = "" };
    weir_zone_t   *zone;

    said->zone = canary_zone_name(cf->arena, said);
    for (size_t i = 0; i < list->n; i++) {
        weir_canary_t *known = list->at[i];

        if (!weir_str_eq(known->name, said->name)) {
            continue;
        }
        if (!weir_str_eq(known->zone, said->zone) || memcmp(&known->conf, &said->conf, sizeof(said->conf)) != 0) {
            (void) weir_conf_error_at(cf, said->words, "\"canary %.*s\" says something else here than in another "
                                      "place", WEIR_STR_ARG(said->name));
            return NULL;
        }
        return known;
    }
    if (list->n == WEIR_CANARIES_MAX) {
        (void) weir_conf_error_at(cf, said->words, "there are more than %d canaries", WEIR_CANARIES_MAX);
        return NULL;
    }
    id.name = said->zone;
    zone = weir_zone_take(&id, &error);
    if (zone == NULL) {
        (void) weir_conf_error_at(cf, said->words, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, canary_give_back, zone);
    said->rollout = weir_rollout_open(weir_zone_memory(zone), weir_zone_size(zone));
    weir_assert(said->rollout != NULL);
    return list->at[list->n++] = said;
}

bool
weir_canary_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                  weir_proxy_targets_t *targets)
{
    canary_conf_t *conf = weir_conf_of(block, weir_http_canary_index);
    canary_list_t *list = generation->built[weir_http_canary_index];

    if (conf == NULL || conf->said.name.len == 0) {
        return true;
    }
    if (list == NULL) {
        list = generation->built[weir_http_canary_index] = weir_new(cf->arena, canary_list_t);
    }
    targets->taken = canary_find_target(cf, &conf->said, targets);
    if (targets->taken == NULL) {
        return false;
    }
    targets->canary = canary_open(cf, list, &conf->said);
    targets->taking_unit = WEIR_ROLLOUT_WHOLE;
    for (uint32_t i = 0; i < conf->said.conf.n_steps; i++) {         /* so that each step is exact in few requests */
        targets->taking_unit = weir_share_divisor(conf->said.conf.steps[i], targets->taking_unit);
    }
    targets->taking_seed = weir_str_hash(conf->said.name, UINT64_C(0x63616e617279));
    return targets->canary != NULL
        && weir_share_build(cf, generation, &targets->taking, weir_share_name(cf->arena, block, "canary", 0),
                            WEIR_ROLLOUT_WHOLE / targets->taking_unit);
}

size_t
weir_canary_list(const weir_generation_t *generation, weir_canary_t *const **first)
{
    const canary_list_t *list = generation->built[weir_http_canary_index];

    *first = list != NULL ? list->at : NULL;
    return list != NULL ? list->n : 0;
}

/* -- a request -- */

static weir_rollout_clock_t
canary_clock(void)
{
    return (weir_rollout_clock_t) { weir_clock_now(), weir_clock_wall_ms() / 1000 };
}

bool
weir_canary_takes(const weir_proxy_targets_t *targets, weir_str_t key)
{
    const weir_canary_t *canary = targets->canary;
    uint32_t             share = weir_rollout_share(canary->rollout, &canary->conf, canary->zone, canary_clock());

    if (share == 0 || share == WEIR_ROLLOUT_WHOLE) {
        return share != 0;
    }
    /* A key that the canary has stays with it as its share grows. */
    return (key.len != 0 ? weir_str_hash(key, targets->taking_seed) % WEIR_ROLLOUT_WHOLE
                         : weir_share_next(&targets->taking) * targets->taking_unit) < share;
}

/* The call failed, as grpc-status says and in HTTP a status of 5xx would. */
static bool
canary_grpc_failed(const weir_request_t *req)
{
    uint16_t status = weir_outcome_grpc(&req->upstream_trailers);

    if (status == 0 && req->upstream_head != NULL) {                     /* an answer of nothing but a status */
        status = weir_outcome_grpc(&req->upstream_head->fields);
    }
    return status >= 500;
}

/* How the last attempt ended is how the request did; one that was made beside another and not waited for says nothing.
 * false: the client has gone, or ended it by a limit of its own. */
static bool
canary_read_request(const weir_request_t *req, weir_rollout_request_t *said)
{
    const weir_attempt_t *last = &req->attempts[req->n_attempts - 1];
    weir_outcome_t        outcome;

    while (!last->has_header && last->cause == WEIR_CAUSE_NONE) {
        if (last == req->attempts) {
            return false;
        }
        last--;
    }
    if (last->is_excused) {
        return false;
    }
    outcome = weir_outcome_of(last, last->cause != WEIR_CAUSE_NONE);
    said->failed = outcome.failed || last->status >= 500 || (last->has_header && canary_grpc_failed(req));
    said->took.ms = last->has_header && req->target_took.ms != 0 ? req->target_took.ms - 1 : req->total_us / 1000;
    return last->has_header || said->failed;
}

/* "0.33% of 1200 requests failed, p95 21 ms" */
static void
canary_add_side(weir_buf_t *out, const char *what, const weir_rollout_side_t *side, uint32_t quantile)
{
    weir_buf_printf(out, "%llu of %llu %s failed", (unsigned long long) side->errors,
                    (unsigned long long) side->requests, what);
    if (side->time != 0) {
        weir_buf_printf(out, ", p%u %llu ms", quantile, (unsigned long long) side->time);
    }
}

static void
canary_log_finding(const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    char       text[2 * CANARY_SIDE + 120];
    weir_buf_t figures;

    weir_buf_init(&figures, text, sizeof(text));
    canary_add_side(&figures, "of its requests", &look->release, canary->conf.quantile);
    weir_buf_add_lit(&figures, "; ");
    canary_add_side(&figures, "of the others'", &look->others, canary->conf.quantile);
    switch (look->finding) {
    case WEIR_ROLLOUT_ERRORS: case WEIR_ROLLOUT_LATENCY:
        weir_log(WEIR_LOG_WARN, NULL, 0, "canary \"%.*s\": %.*s is rolled back from step %u because of its %s: %.*s",
                 WEIR_STR_ARG(canary->name), WEIR_STR_ARG(canary->target), look->step + 1,
                 weir_rollout_findings[look->finding], WEIR_STR_ARG(weir_buf_str(&figures)));
        return;
    case WEIR_ROLLOUT_FEW: case WEIR_ROLLOUT_FEW_OTHERS:
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "canary \"%.*s\": %.*s is held at step %u, %s had too few requests: %.*s",
                 WEIR_STR_ARG(canary->name), WEIR_STR_ARG(canary->target), look->step + 1,
                 look->finding == WEIR_ROLLOUT_FEW ? "it" : "the others", WEIR_STR_ARG(weir_buf_str(&figures)));
        return;
    default:
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "canary \"%.*s\": %.*s goes to step %u, %u.%02u%% of the requests: %.*s",
                 WEIR_STR_ARG(canary->name), WEIR_STR_ARG(canary->target), look->step + 1, look->share / 100,
                 look->share % 100, WEIR_STR_ARG(weir_buf_str(&figures)));
    }
}

static weir_step_t
canary_log(weir_request_t *req, const void *conf WEIR_UNUSED)
{
    const weir_proxy_targets_t *targets = req->location->targets;
    const weir_proxy_target_t  *target = req->target;
    weir_rollout_request_t      said = { .is_release = false };
    weir_rollout_look_t         look;

    if (targets == NULL || targets->canary == NULL || target == NULL || target < targets->at
        || target >= targets->at + targets->n || target->status != 0 || req->n_attempts == 0
        || !canary_read_request(req, &said))
    {
        return WEIR_NEXT;
    }
    said.is_release = target == targets->taken;
    if (weir_rollout_count(targets->canary->rollout, &targets->canary->conf, &said, canary_clock(), &look)) {
        canary_log_finding(targets->canary, &look);
    }
    return WEIR_NEXT;
}

static bool
canary_enabled(const void *conf, weir_phase_t phase WEIR_UNUSED)
{
    return ((const canary_conf_t *) conf)->said.name.len != 0;
}

/* It begins before its first request, so that it can be looked at. */
static void
canary_adopt(weir_life_t *life WEIR_UNUSED, weir_generation_t *generation)
{
    weir_canary_t *const *canaries;
    size_t                n = weir_canary_list(generation, &canaries);

    for (size_t i = 0; i < n; i++) {
        (void) weir_rollout_share(canaries[i]->rollout, &canaries[i]->conf, canaries[i]->zone, canary_clock());
    }
}

static const struct weir_module_life canary_life = { .adopt = canary_adopt };

static const weir_zone_kind_t *const canary_kinds[] = { &weir_rollout_kind, NULL };

const weir_http_module_t weir_http_canary = {
    .name = "http_canary",
    .area = "Traffic",
    .life = &canary_life,
    .conf_size = sizeof(canary_conf_t),
    .directives = canary_directives,
    .zone_kinds = canary_kinds,
    .check = canary_check,
    .on = { [WEIR_PHASE_LOG] = canary_log },
    .enabled = canary_enabled,
};
