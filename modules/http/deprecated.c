/*
 * deprecated.c - `deprecated since=DATE [sunset=DATE] [link=URL]`: clients are told that a place will go (RFC 9745, RFC
 * 8594); `brownout`: for a while it refuses requests, so that clients that read no fields notice.
 *
 * Which consumers still call is counted (http/record/calls.h).  Runs in workers; memory: a field's text, of the
 * generation.
 */
#include "http/module.h"

#include "http/answer/deprecation.h"
#include "http/guard/dry_run.h"
#include "http/record/calls.h"
#include "http/record/story.h"
#include "os/clock.h"

typedef struct {
    weir_deprecation_t what;
    bool               is_off;
} deprecated_said_t;

typedef struct {
    int64_t  from;                           /* seconds since 1970 */
    uint64_t length, every;                  /* seconds; every 0: once */
    uint16_t status;                         /* 0: the cause's */
    bool     is_dry_run;
} brownout_t;

typedef struct { brownout_t *at; size_t n; } brownouts_t;

typedef struct {
    deprecated_said_t said;
    brownouts_t       brownouts;
} deprecated_conf_t;

extern const size_t weir_http_deprecated_index;

/* -- a request -- */

/* Seconds until the window that is open now ends; 0: none is open. */
static uint64_t
brownout_left(const brownout_t *brownout, int64_t now)
{
    uint64_t since;

    if (now < brownout->from) {
        return 0;
    }
    since = (uint64_t) (now - brownout->from);
    if (brownout->every != 0) {
        since %= brownout->every;
    }
    return since < brownout->length ? brownout->length - since : 0;
}

static weir_step_t
deprecated_preaccess(weir_request_t *req, const void *conf_)
{
    const brownouts_t *brownouts = &((const deprecated_conf_t *) conf_)->brownouts;
    int64_t            now = (int64_t) (weir_clock_wall_ms() / 1000);
    weir_str_t        *retry_after;

    for (size_t i = 0; i < brownouts->n; i++) {
        const brownout_t *brownout = &brownouts->at[i];
        uint64_t          left = brownout_left(brownout, now);
        weir_policy_t     policy = left != 0 ? weir_dry_run_begin(req, weir_dry_run_of(brownout->is_dry_run))
                                   : WEIR_POLICY_NOT_ASKED;

        if (policy == WEIR_POLICY_NOT_ASKED) {
            continue;
        }
        weir_http_story_judged(req, "brownout", WEIR_STR_NONE,
                               weir_dry_run_verdict(true, policy == WEIR_POLICY_REHEARSED));
        if (policy == WEIR_POLICY_REHEARSED) {
            weir_request_log(req, WEIR_LOG_INFO, WEIR_CAUSE_DEPRECATED_BROWNOUT,
                             "the request would be refused (dry run)");
            (void) !weir_dry_run_ends(req);
            continue;
        }
        retry_after = weir_new(&req->arena, weir_str_t);
        *retry_after = weir_str_printf(&req->arena, "%llu", (unsigned long long) left);
        weir_request_keep(req, weir_http_deprecated_index, retry_after);
        return brownout->status == 0 ? weir_request_fail(req, WEIR_CAUSE_DEPRECATED_BROWNOUT, NULL)
                                     : weir_request_fail_status(req, WEIR_CAUSE_DEPRECATED_BROWNOUT,
                                                                brownout->status, NULL);
    }
    return WEIR_NEXT;
}

static weir_step_t
deprecated_head(weir_request_t *req, const void *conf)
{
    const deprecated_said_t *said = &((const deprecated_conf_t *) conf)->said;
    const weir_str_t        *retry_after = weir_request_kept(req, weir_http_deprecated_index);

    if (retry_after != NULL) {
        (void) weir_response_add(req, WEIR_HEADER_RETRY_AFTER, *retry_after);
    }
    weir_deprecation_tell(req, &said->what);
    return WEIR_NEXT;
}

/* Guards have let it in: a consumer still calls. */
static weir_step_t
deprecated_precontent(weir_request_t *req, const void *conf)
{
    (void) conf;
    if (weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE) == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;                    /* a policy of a rehearsal would have refused it */
    }
    weir_calls_count(req->generation->built[weir_http_deprecated_index], req, WEIR_STR_NONE);
    weir_dry_run_leave(req);
    return WEIR_NEXT;
}

static bool
deprecated_is_said(const deprecated_conf_t *conf)
{
    return !conf->said.is_off && conf->said.what.since.len != 0;
}

static bool
deprecated_enabled(const void *conf_, weir_phase_t phase)
{
    const deprecated_conf_t *conf = conf_;

    switch (phase) {
    case WEIR_PHASE_PREACCESS:
        return conf->brownouts.n != 0;
    case WEIR_PHASE_PRECONTENT:
        return deprecated_is_said(conf);
    default:
        return conf->brownouts.n != 0 || deprecated_is_said(conf);
    }
}

/* -- directives -- */

static bool
deprecated_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = { WEIR_DEPRECATION_OPTIONS };
    deprecated_said_t *said = field;

    said->what = WEIR_DEPRECATION_NONE;
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        said->is_off = true;
        return true;
    }
    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options), "since=DATE, sunset=DATE or link=URL",
                                &said->what))
    {
        return false;
    }
    if (said->what.since.len == 0) {
        return weir_conf_error(cf, 0, "\"deprecated\" needs since=DATE");
    }
    return weir_deprecation_check(cf, &said->what);
}

static bool
brownout_read_seconds(weir_conf_t *cf, size_t i, weir_str_t text, uint64_t *seconds)
{
    weir_msec_t time;

    if (!weir_conf_read_msec(text, &time) || time.ms < 1000) {
        return weir_conf_invalid(cf, i, "a time of a second or more");
    }
    *seconds = time.ms / 1000;
    return true;
}

static bool
brownout_read_from(weir_conf_t *cf, size_t i, weir_str_t value, void *brownout)
{
    return weir_deprecation_read_date(cf, i, value, &((brownout_t *) brownout)->from);
}

static bool
brownout_read_for(weir_conf_t *cf, size_t i, weir_str_t value, void *brownout)
{
    return brownout_read_seconds(cf, i, value, &((brownout_t *) brownout)->length);
}

static bool
brownout_read_every(weir_conf_t *cf, size_t i, weir_str_t value, void *brownout)
{
    return brownout_read_seconds(cf, i, value, &((brownout_t *) brownout)->every);
}

static bool
brownout_read_status(weir_conf_t *cf, size_t i, weir_str_t value, void *brownout)
{
    uint32_t status;

    if (!weir_conf_read_u32(value, &status) || status < 400 || status > 599) {
        return weir_conf_invalid(cf, i, "status=STATUS (400 to 599)");
    }
    ((brownout_t *) brownout)->status = (uint16_t) status;
    return true;
}

static bool
brownout_read_dry_run(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *brownout)
{
    return ((brownout_t *) brownout)->is_dry_run = true;
}

static bool
brownout_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    static const weir_conf_option_t options[] = {
        { .name = "from", .read = brownout_read_from },   { .name = "for", .read = brownout_read_for },
        { .name = "every", .read = brownout_read_every }, { .name = "status", .read = brownout_read_status },
        { .name = "dry_run", .read = brownout_read_dry_run, .is_bare = true },
    };
    brownout_t brownout = { .from = INT64_MIN };

    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options),
                                "from=DATE, for=TIME, every=TIME, status=STATUS (400 to 599) or dry_run", &brownout))
    {
        return false;
    }
    if (brownout.from == INT64_MIN || brownout.length == 0) {
        return weir_conf_error(cf, 0, "\"brownout\" needs from=DATE and for=TIME");
    }
    if (brownout.every != 0 && brownout.every <= brownout.length) {
        return weir_conf_error(cf, 0, "in \"brownout\" for= must be shorter than every=");
    }
    *(brownout_t *) weir_conf_list_push(cf, list, sizeof(brownout)) = brownout;
    return true;
}

/* Is a place in here deprecated? */
static bool
deprecated_is_used(const weir_conf_block_t *block)
{
    const deprecated_conf_t *conf = block->confs[weir_http_deprecated_index];

    if (conf != NULL && deprecated_is_said(conf)) {
        return true;
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (deprecated_is_used(inner)) {
            return true;
        }
    }
    return false;
}

static bool
deprecated_build(weir_conf_t *cf, weir_generation_t *generation)
{
    if (!deprecated_is_used(cf->root)) {
        return true;
    }
    generation->built[weir_http_deprecated_index] = weir_calls_open(cf);
    return generation->built[weir_http_deprecated_index] != NULL;
}

static const weir_zone_kind_t *const deprecated_kinds[] = { &weir_calls_zone, NULL };

static const weir_conf_type_t deprecated_type = {
    .name = "since=date [sunset=date] [link=url] | off", .size = sizeof(deprecated_said_t), .min_args = 1,
    .max_args = 3, .parse = deprecated_parse,
};

static const weir_conf_type_t brownout_type = {
    .name = "from=date for=time [every=time] [status=status] [dry_run]", .size = sizeof(brownouts_t), .min_args = 2,
    .max_args = 5, .repeats = true, .parse = brownout_parse, .item = sizeof(brownout_t),
};

static const weir_directive_t deprecated_directives[] = {
    WEIR_DIRECTIVE_OF(deprecated_conf_t, said, "deprecated", &deprecated_type, .where = WEIR_IN_ANY,
                      .help = "Tells clients in each answer that a place is deprecated, and when it will go."),
    WEIR_DIRECTIVE_OF(deprecated_conf_t, brownouts, "brownout", &brownout_type, .where = WEIR_IN_ANY,
                      .help = "Refuses requests during a window of time, so that callers of what is deprecated "
                              "notice."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_deprecated = {
    .name = "http_deprecated",
    .area = "Traffic",
    .conf_size = sizeof(deprecated_conf_t),
    .directives = deprecated_directives,
    .build = deprecated_build,
    .zone_kinds = deprecated_kinds,
    .on = { [WEIR_PHASE_PREACCESS] = deprecated_preaccess, [WEIR_PHASE_PRECONTENT] = deprecated_precontent },
    .enabled = deprecated_enabled,
    .filter_head = deprecated_head,
    .filter_after = "http_api",
    .after = "http_limit_req http_limit_conn http_cors http_api",
};
