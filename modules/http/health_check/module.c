/*
 * module.c - `health_check` and `match`, as nginx Plus has them: which checks a group of peers has.
 *
 * In a location a check is of the groups that its proxy_pass or grpc_pass names, and asks as that place does; in an
 * upstream block it is of that group, and asks as the first place does that passes requests to it.  Load time, but for
 * the module's life.
 */
#include "health.h"

#include <ctype.h>

#define HEALTH_LIMIT        5000             /* ms of a probe where no place says it */
#define HEALTH_INTERVAL_MIN 10               /* ms */
#define HEALTH_FRESH_MORE   10               /* s */

typedef struct { health_check_t *at; size_t n; } health_checks_t;    /* as weir_conf_list_t */

typedef struct {
    health_checks_t checks;
    health_match_t *matches;                 /* of http */
} health_conf_t;

/* -- health_check's parameters -- */

static bool
health_read_msec(weir_conf_t *cf, size_t i, weir_str_t text, weir_msec_t *value, uint64_t least)
{
    if (!weir_conf_read_msec(text, value) || value->ms < least || value->ms > UINT32_MAX) {
        return weir_conf_invalid(cf, i, least <= 1 ? "a time" : "a time of at least 10ms");
    }
    return true;
}

static bool
health_read_number(weir_conf_t *cf, size_t i, weir_str_t text, uint32_t *value, uint32_t least, uint32_t most)
{
    if (!weir_conf_read_u32(text, value) || *value < least || *value > most) {
        return weir_conf_invalid(cf, i, weir_str_printf(cf->arena, "a number from %u to %u%c", least, most, 0).at);
    }
    return true;
}

static bool
health_read_interval(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_msec(cf, i, value, &((health_check_t *) data)->interval, HEALTH_INTERVAL_MIN);
}

static bool
health_read_jitter(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_msec(cf, i, value, &((health_check_t *) data)->jitter, 0);
}

static bool
health_read_timeout(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_msec(cf, i, value, &((health_check_t *) data)->timeout, 1);
}

static bool
health_read_keepalive(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_msec(cf, i, value, &((health_check_t *) data)->keepalive_time, 0);
}

static bool
health_read_fails(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_number(cf, i, value, &((health_check_t *) data)->fails, 1, HEALTH_RUN_MAX);
}

static bool
health_read_passes(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_number(cf, i, value, &((health_check_t *) data)->passes, 1, HEALTH_RUN_MAX);
}

static bool
health_read_port(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    return health_read_number(cf, i, value, &((health_check_t *) data)->port, 1, 65535);
}

static bool
health_read_uri(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    health_check_t *check = data;

    for (size_t k = 0; k < value.len; k++) {
        if ((unsigned char) value.at[k] <= ' ' || (unsigned char) value.at[k] >= 0x7f || value.at[k] == '#') {
            return weir_conf_invalid(cf, i, "a path, encoded as it is sent");
        }
        if (value.at[k] == '$' && k + 1 < value.len && (isalpha((unsigned char) value.at[k + 1])
                                                        || value.at[k + 1] == '_' || value.at[k + 1] == '{'))
        {
            return weir_conf_invalid(cf, i, "a path without variables: a check is of no request");
        }
    }
    check->has_uri = true;
    check->uri = value;
    return (value.len != 0 && value.at[0] == '/') || weir_conf_invalid(cf, i, "a path that begins with \"/\"");
}

static bool
health_read_match(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    ((health_check_t *) data)->match_name = value;
    return value.len != 0 || weir_conf_invalid(cf, i, "the name of a match block");
}

static bool
health_read_type(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    static const char *const names[] = { [HEALTH_HTTP] = "http", [HEALTH_GRPC] = "grpc", [HEALTH_TCP] = "tcp" };

    for (unsigned k = 0; k < weir_countof(names); k++) {
        if (weir_str_eq(value, weir_str_from_z(names[k]))) {
            ((health_check_t *) data)->kind = (health_kind_t) k;
            return true;
        }
    }
    return weir_conf_invalid(cf, i, "http, grpc or tcp");
}

static bool
health_read_service(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value, void *data)
{
    ((health_check_t *) data)->has_grpc_service = true;
    ((health_check_t *) data)->grpc_service = value;
    return true;
}

static bool
health_read_status(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    ((health_check_t *) data)->has_grpc_status = true;
    return health_read_number(cf, i, value, &((health_check_t *) data)->grpc_status, 0, 16);
}

static bool
health_read_mandatory(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *data)
{
    return ((health_check_t *) data)->is_mandatory = true;
}

static bool
health_read_persistent(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *data)
{
    return ((health_check_t *) data)->is_persistent = true;
}

static const weir_conf_option_t health_options[] = {
    { "interval", health_read_interval, false },
    { "jitter", health_read_jitter, false },
    { "fails", health_read_fails, false },
    { "passes", health_read_passes, false },
    { "uri", health_read_uri, false },
    { "port", health_read_port, false },
    { "match", health_read_match, false },
    { "timeout", health_read_timeout, false },
    { "keepalive_time", health_read_keepalive, false },
    { "type", health_read_type, false },
    { "grpc_service", health_read_service, false },
    { "grpc_status", health_read_status, false },
    { "mandatory", health_read_mandatory, true },
    { "persistent", health_read_persistent, true },
};

static bool
health_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    weir_conf_words_t *kept = weir_new(cf->arena, weir_conf_words_t);
    health_check_t     check = { .words = kept, .interval = { 5000 }, .fails = 1, .passes = 1, .uri = WEIR_STR("/") };

    *kept = *words;
    if (!weir_conf_read_options(cf, words, 1, health_options, weir_countof(health_options),
                                "interval=, jitter=, fails=, passes=, uri=, port=, match=, timeout=, keepalive_time=, "
                                "type=, grpc_service=, grpc_status=, mandatory or persistent", &check))
    {
        return false;
    }
    if (check.is_persistent && !check.is_mandatory) {
        return weir_conf_error(cf, 0, "\"persistent\" of \"health_check\" needs \"mandatory\"");
    }
    if (check.kind != HEALTH_GRPC && (check.has_grpc_service || check.has_grpc_status)) {
        return weir_conf_error(cf, 0, "\"grpc_service\" and \"grpc_status\" of \"health_check\" need \"type=grpc\"");
    }
    if (check.kind != HEALTH_HTTP && check.has_uri) {
        return weir_conf_error(cf, 0, "\"uri\" of \"health_check\" is for \"type=http\" only");
    }
    if (check.kind == HEALTH_GRPC && check.match_name.len != 0) {
        return weir_conf_error(cf, 0, "\"match\" of \"health_check\" is not for \"type=grpc\"");
    }
    *(health_check_t *) weir_conf_list_push(cf, field, sizeof(check)) = check;
    return true;
}

static const weir_conf_type_t health_type = {
    .name = "parameters", .size = sizeof(health_checks_t), .min_args = 0, .max_args = 14, .repeats = true,
    .parse = health_parse, .item = sizeof(health_check_t),
};

/* -- match -- */

static bool
health_opened_match(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    health_conf_t  *conf = weir_conf_own(cf, cf->block, weir_http_health_check_index);
    health_match_t *match = health_match_open(cf, words), *other;

    for (other = conf->matches; match != NULL && other != NULL; other = other->next) {
        if (weir_str_eq(other->name, match->name)) {
            return weir_conf_error(cf, 1, "duplicate match \"%.*s\"", WEIR_STR_ARG(match->name));
        }
    }
    if (match == NULL) {
        return false;
    }
    match->next = conf->matches;
    conf->matches = match;
    block->owner = match;
    return true;
}

static bool
health_line_match(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    return health_match_line(cf, block->owner, words);
}

static const weir_directive_t health_directives[] = {
    WEIR_DIRECTIVE_OF(health_conf_t, checks, "health_check", &health_type, .where = WEIR_IN_LOCATION | WEIR_IN_UPSTREAM,
                      .inherit = WEIR_OWN, .whole = true,
                      .args = "[interval=time] [jitter=time] [fails=number] [passes=number] [uri=path] [port=number] "
                              "[match=name] [timeout=time] [keepalive_time=time] [mandatory [persistent]] "
                              "[type=http|grpc|tcp [grpc_service=name] [grpc_status=code]]",
                      .help = "Asks each server of the group again and again, and passes no requests to those that do "
                              "not answer well."),
    WEIR_BLOCK("match", WEIR_IN_DATA, .where = WEIR_IN_HTTP, .block_min_args = 1, .block_max_args = 1, .args = "name",
               .opened = health_opened_match, .line = health_line_match,
               .help = "Says what an answer to a health check is to look like: status, header, body, require; send and "
                       "expect of type=tcp."),
    WEIR_DIRECTIVES_END
};

/* -- which checks a group has -- */

typedef struct {
    weir_conf_t          *cf;
    weir_generation_t    *generation;
    health_built_t       *built;
    const health_match_t *matches;
} health_build_t;

/* The settings by which the block passes requests on; NULL: it does not. */
static weir_proxy_conf_t *
health_proxy_of(const weir_conf_block_t *block)
{
    for (size_t m = 0; m < weir_modules_count; m++) {
        if (weir_http_modules[m] != NULL && weir_http_modules[m]->is_proxy && block->confs[m] != NULL) {
            weir_proxy_conf_t *conf = block->confs[m];

            if (conf->pass.url.len != 0) {
                return conf;
            }
        }
    }
    return NULL;
}

/* The i-th of what it passes requests to; NULL: there is no more.  (It may be known only with a request.) */
static const weir_proxy_pass_t *
health_pass_of(const weir_proxy_conf_t *conf, size_t i)
{
    const weir_proxy_targets_t *targets = conf->pass.targets;

    if (targets == NULL) {
        return i == 0 ? &conf->pass : NULL;
    }
    return i < targets->n ? &targets->at[i].pass : NULL;
}

static inline bool
health_is_place(const weir_conf_block_t *block)
{
    return (block->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE)) != 0 && block->confs != NULL;
}

/* The first place that passes requests to the group. */
static const weir_proxy_conf_t *
health_find_place(const weir_conf_block_t *parent, weir_group_id_t group, bool *is_tls)
{
    for (const weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        const weir_proxy_conf_t *conf = health_is_place(block) ? health_proxy_of(block) : NULL;
        const weir_proxy_pass_t *pass;

        for (size_t i = 0; conf != NULL && (pass = health_pass_of(conf, i)) != NULL; i++) {
            if (weir_group_id_eq(pass->group, group)) {
                *is_tls = pass->is_tls;
                return conf;
            }
        }
        conf = health_find_place(block, group, is_tls);
        if (conf != NULL) {
            return conf;
        }
    }
    return NULL;
}

static bool
health_bind_match(health_build_t *build, health_check_t *check)
{
    const health_match_t *match = build->matches;
    weir_conf_t          *cf = build->cf;

    if (check->match_name.len == 0) {
        return true;
    }
    while (match != NULL && !weir_str_eq(match->name, check->match_name)) {
        match = match->next;
    }
    if (match == NULL) {
        return weir_conf_error_at(cf, check->words, "unknown match \"%.*s\"", WEIR_STR_ARG(check->match_name));
    }
    if (check->kind == HEALTH_TCP ? match->is_of_http : match->is_of_tcp) {
        return weir_conf_error_at(cf, check->words, "match \"%.*s\" has %s, which \"type=%s\" has no use for",
                                  WEIR_STR_ARG(match->name),
                                  check->kind == HEALTH_TCP ? "status, header, body or require" : "send or expect",
                                  check->kind == HEALTH_TCP ? "tcp" : "http");
    }
    check->match = match;
    return health_match_settle(cf, build->generation, match);
}

/* All of a probe. */
static weir_msec_t
health_limit(const health_check_t *check)
{
    const weir_exchange_conf_t *peer = check->place != NULL ? &check->place->peer : NULL;

    if (check->timeout.ms != 0) {
        return check->timeout;
    }
    return (weir_msec_t) { peer != NULL ? peer->connect_timeout.ms + peer->send_timeout.ms + peer->read_timeout.ms
                                        : HEALTH_LIMIT };
}

/* Never 0. */
static uint32_t
health_id(const health_check_t *check)
{
    uint64_t numbers[] = { check->kind, check->port };
    uint64_t hash = weir_str_hash(weir_str((const char *) numbers, sizeof(numbers)), 1);

    hash = weir_str_hash(check->uri, hash);
    hash = weir_str_hash(check->match_name, hash);
    hash = weir_str_hash(check->grpc_service, hash);
    return (uint32_t) (hash & 0xffffff) | 1;
}

static health_list_t *
health_list_of(health_build_t *build, const weir_group_conf_t *group)
{
    health_list_t *list = build->built->lists;

    while (list != NULL && !weir_group_id_eq(list->group, group->id)) {
        list = list->next;
    }
    if (list == NULL) {
        list = weir_new(build->cf->arena, health_list_t);
        *list = (health_list_t) { .next = build->built->lists, .group = group->id, .name = group->name };
        build->built->lists = list;
    }
    return list;
}

/* The group has this check, which is the location's or the block's own.  One that it has already, from another place,
 * is made once. */
static bool
health_add(health_build_t *build, const weir_group_conf_t *group, const health_check_t *said,
           const weir_proxy_conf_t *place, bool is_tls)
{
    health_list_t  *list = health_list_of(build, group);
    health_check_t *check = weir_new(build->cf->arena, health_check_t);

    *check = *said;
    check->group = group->id;
    check->place = place;
    check->is_tls = is_tls;
    check->limit = health_limit(check);
    check->id = health_id(check);
    if (!health_bind_match(build, check)) {
        return false;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->checks[i]->id == check->id) {
            return true;
        }
    }
    if (list->n == HEALTH_CHECKS) {
        return weir_conf_error_at(build->cf, check->words, "upstream \"%.*s\" has more than %d different health checks",
                                  WEIR_STR_ARG(group->name), HEALTH_CHECKS);
    }
    list->checks[list->n++] = check;
    return true;
}

static bool
health_add_of_upstream(health_build_t *build, const weir_conf_block_t *block, const health_check_t *check)
{
    weir_group_conf_t       *group = weir_upstream_find(build->generation, block->words.at[1].text);
    bool                     is_tls = false;
    const weir_proxy_conf_t *place;

    weir_assert(group != NULL);
    place = health_find_place(build->cf->root, group->id, &is_tls);
    return health_add(build, group, check, place, is_tls && check->kind != HEALTH_TCP);
}

static bool
health_add_of_place(health_build_t *build, const weir_conf_block_t *block, const health_check_t *check)
{
    const weir_proxy_conf_t *place = health_proxy_of(block);
    const weir_proxy_pass_t *pass;

    if (place == NULL) {
        return weir_conf_error_at(build->cf, check->words, "\"health_check\" has nothing to check: there is no "
                                  "proxy_pass or grpc_pass in its location");
    }
    for (size_t i = 0; (pass = health_pass_of(place, i)) != NULL; i++) {
        if (pass->text != NULL) {
            return weir_conf_error_at(build->cf, check->words, "\"health_check\" has nothing to check: which servers "
                                      "\"%.*s\" names is known only with a request", WEIR_STR_ARG(pass->url));
        }
        if (weir_group_id_is(pass->group)            /* a target that is a status has none */
            && !health_add(build, weir_upstream_by_id(build->generation, pass->group), check, place,
                           pass->is_tls && check->kind != HEALTH_TCP))
        {
            return false;
        }
    }
    return true;
}

static bool
health_add_below(health_build_t *build, const weir_conf_block_t *parent)
{
    for (const weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        const health_conf_t *conf = block->confs != NULL ? block->confs[weir_http_health_check_index] : NULL;
        bool                 is_upstream = block->context == WEIR_IN_UPSTREAM;
        bool                 has_any = conf != NULL && (is_upstream || health_is_place(block))
                                       && weir_conf_is_set(block, weir_http_health_check_index, "health_check");

        for (size_t i = 0; has_any && i < conf->checks.n; i++) {
            if (!(is_upstream ? health_add_of_upstream : health_add_of_place)(build, block, &conf->checks.at[i])) {
                return false;
            }
        }
        if (!health_add_below(build, block)) {
            return false;
        }
    }
    return true;
}

/* What the policy of the group's running form goes by. */
static void
health_judge(weir_conf_t *cf, weir_generation_t *generation, const health_list_t *list)
{
    health_settings_t *settings = weir_new(cf->arena, health_settings_t);

    settings->n = list->n;
    for (uint32_t i = 0; i < list->n; i++) {
        const health_check_t *check = list->checks[i];
        uint64_t              fresh = 2 * (check->interval.ms + check->jitter.ms) + check->limit.ms;

        settings->checks[i].id = check->id;
        settings->checks[i].fresh_s = (uint32_t) weir_min(fresh / 1000 + HEALTH_FRESH_MORE, UINT64_C(1) << 22);
        settings->checks[i].is_mandatory = check->is_mandatory;
        settings->checks[i].is_persistent = check->is_persistent;
    }
    weir_upstream_judge(generation, list->group, &health_policy,
                        weir_str((const char *) settings, sizeof(*settings)));
}

static bool
health_build(weir_conf_t *cf, weir_generation_t *generation)
{
    health_build_t build = { .cf = cf, .generation = generation, .built = weir_new(cf->arena, health_built_t) };

    generation->built[weir_http_health_check_index] = build.built;
    for (const weir_conf_block_t *block = cf->root->first; block != NULL; block = block->next) {
        const health_conf_t *conf = block->context == WEIR_IN_HTTP ? block->confs[weir_http_health_check_index] : NULL;

        if (conf != NULL && conf->matches != NULL) {
            build.matches = conf->matches;
        }
    }
    if (!health_add_below(&build, cf->root)) {
        return false;
    }
    for (const health_list_t *list = build.built->lists; list != NULL; list = list->next) {
        health_judge(cf, generation, list);
    }
    return true;
}

/* -- the module -- */

static void
health_adopt(weir_life_t *life, weir_generation_t *generation)
{
    health_watch_use(life, generation);
}

static void
health_retire(weir_life_t *life, weir_generation_t *generation)
{
    if (health_watch_used() == generation) {
        health_watch_use(life, NULL);
    }
}

static void
health_end(weir_life_t *life)
{
    health_watch_use(life, NULL);
}

static const struct weir_module_life health_life = { .adopt = health_adopt, .retire = health_retire,
                                                     .end = health_end };

const weir_http_module_t weir_http_health_check = {
    .name = "http_health_check",
    .life = &health_life,
    .area = "Upstreams",
    .conf_size = sizeof(health_conf_t),
    .directives = health_directives,
    .build = health_build,
    .after = "http_proxy http_grpc",
};
