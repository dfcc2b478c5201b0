/*
 * deprecated.c - `deprecated since=DATE [sunset=DATE] [link=URL]`: clients are told that a place will go (RFC 9745, RFC
 * 8594); `brownout`: for a while it refuses requests, so that those notice who read no fields.
 *
 * Runs in workers; memory: a field's text, of the generation.
 */
#include "http/module.h"

#include "base/date.h"
#include "http/guard/dry_run.h"
#include "http/message/syntax.h"
#include "http/record/story.h"
#include "os/clock.h"

typedef struct {
    weir_str_t since, sunset, link;          /* the values of the fields; empty: it is not sent */
    bool       is_off;
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
    if (said->since.len != 0) {
        (void) weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_OTHER, WEIR_STR("Deprecation"), said->since,
                               0);
    }
    if (said->sunset.len != 0) {
        (void) weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_OTHER, WEIR_STR("Sunset"), said->sunset, 0);
    }
    if (said->link.len != 0) {
        (void) weir_response_add(req, WEIR_HEADER_LINK, said->link);
    }
    return WEIR_NEXT;
}

static bool
deprecated_enabled(const void *conf_, weir_phase_t phase)
{
    const deprecated_conf_t *conf = conf_;

    return conf->brownouts.n != 0 || (phase != WEIR_PHASE_PREACCESS && conf->said.since.len != 0);
}

/* -- directives -- */

typedef struct { int64_t since, sunset; } deprecated_dates_t;

static bool
deprecated_read_date(weir_conf_t *cf, size_t i, weir_str_t text, int64_t *seconds)
{
    return weir_date_iso_read(text, seconds)
        || weir_conf_invalid(cf, i, "a date such as 2026-12-31 or 2026-12-31T09:30:00Z");
}

/* A URI that may stand between < and >. */
static bool
deprecated_is_link(weir_str_t url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.at[i] <= ' ' || url.at[i] >= 0x7f || url.at[i] == '<' || url.at[i] == '>' || url.at[i] == '"') {
            return false;
        }
    }
    return url.len != 0;
}

static bool
deprecated_read_word(weir_conf_t *cf, size_t i, weir_str_t name, weir_str_t value, deprecated_said_t *said,
                     deprecated_dates_t *dates)
{
    char *room;

    if (weir_str_eq(name, WEIR_STR("since"))) {
        if (!deprecated_read_date(cf, i, value, &dates->since)) {
            return false;
        }
        said->since = weir_str_printf(cf->arena, "@%lld", (long long) dates->since);
        return true;
    }
    if (weir_str_eq(name, WEIR_STR("sunset"))) {
        if (!deprecated_read_date(cf, i, value, &dates->sunset)) {
            return false;
        }
        room = weir_alloc_bytes(cf->arena, WEIR_DATE_HTTP_BYTES);
        weir_date_http(room, dates->sunset);
        said->sunset = weir_str(room, WEIR_DATE_HTTP_BYTES);
        return true;
    }
    if (weir_str_eq(name, WEIR_STR("link")) && deprecated_is_link(value)) {
        said->link = weir_str_printf(cf->arena, "<%.*s>; rel=\"deprecation\"", WEIR_STR_ARG(value));
        return true;
    }
    return weir_conf_invalid(cf, i, "since=DATE, sunset=DATE or link=URL");
}

static bool
deprecated_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    deprecated_said_t *said = field;
    deprecated_dates_t dates = { .sunset = INT64_MAX };

    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        said->is_off = true;
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name, value;

        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        if (!deprecated_read_word(cf, i, name, value, said, &dates)) {
            return false;
        }
    }
    if (said->since.len == 0) {
        return weir_conf_error(cf, 0, "\"deprecated\" needs since=DATE");
    }
    return dates.since <= dates.sunset
        || weir_conf_error(cf, 0, "the sunset comes before the deprecation (RFC 9745 §4)");
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
brownout_read_word(weir_conf_t *cf, size_t i, weir_str_t name, weir_str_t value, brownout_t *brownout)
{
    uint32_t status;

    if (weir_str_eq(name, WEIR_STR("from"))) {
        return deprecated_read_date(cf, i, value, &brownout->from);
    }
    if (weir_str_eq(name, WEIR_STR("for"))) {
        return brownout_read_seconds(cf, i, value, &brownout->length);
    }
    if (weir_str_eq(name, WEIR_STR("every"))) {
        return brownout_read_seconds(cf, i, value, &brownout->every);
    }
    if (weir_str_eq(name, WEIR_STR("status")) && weir_conf_read_u32(value, &status) && status >= 400 && status <= 599) {
        brownout->status = (uint16_t) status;
        return true;
    }
    return weir_conf_invalid(cf, i, "from=DATE, for=TIME, every=TIME, status=STATUS (400 to 599) or dry_run");
}

static bool
brownout_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    brownout_t brownout = { .from = INT64_MIN };

    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name, value;

        if (weir_str_eq(words->at[i].text, WEIR_STR("dry_run"))) {
            brownout.is_dry_run = true;
            continue;
        }
        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        if (!brownout_read_word(cf, i, name, value, &brownout)) {
            return false;
        }
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
    .on = { [WEIR_PHASE_PREACCESS] = deprecated_preaccess },
    .enabled = deprecated_enabled,
    .filter_head = deprecated_head,
    .after = "http_limit_req http_limit_conn http_cors",
};
