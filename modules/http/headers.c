/*
 * headers.c - add_header, add_trailer, expires: fields of the configuration's own in answers, Weir's own and those of
 * peers.
 *
 * Fields are those of the innermost block that has any.  Without `always` they are for 200, 201, 204, 206, 301, 302,
 * 303, 304, 307 and 308.  ETag and Last-Modified take the place of the answer's own; others are added to what is there.
 * Framing is Weir's alone: its fields are left out with a warning.  Runs in workers; values are of the request's arena.
 */
#include "http/module.h"

#include "base/date.h"
#include "os/clock.h"

#include <time.h>

typedef enum { EXPIRES_OFF, EXPIRES_EPOCH, EXPIRES_MAX, EXPIRES_AFTER, EXPIRES_MODIFIED, EXPIRES_DAILY } expires_kind_t;
typedef struct {
    expires_kind_t         kind;
    int64_t                seconds;          /* from now, or from Last-Modified; DAILY: of the day */
    const weir_template_t *text;             /* read for each answer; NULL: the above */
    bool                   from_modified;    /* with text: `modified` stands before it */
} headers_expires_t;

typedef struct {
    weir_str_t             name;
    weir_header_id_t       id;
    const weir_template_t *value;
    bool                   always;
} headers_field_t;

typedef struct { headers_field_t *at; size_t n; } headers_fields_t;

typedef struct { headers_fields_t fields, trailers; headers_expires_t expires; } headers_conf_t;

/* -- an answer -- */

static bool
headers_is_plain(uint16_t status)
{
    switch (status) {
    case 200: case 201: case 204: case 206: case 301: case 302: case 303: case 304: case 307: case 308:
        return true;
    default:
        return false;
    }
}

static bool
headers_replaces(weir_header_id_t id)
{
    /* two types are none */
    return id == WEIR_HEADER_ETAG || id == WEIR_HEADER_LAST_MODIFIED || id == WEIR_HEADER_CONTENT_TYPE;
}

/* -- expires -- */

/* "off", "epoch", "max", "@15h30m", or a time that may be negative; false: none of these. */
static bool
expires_read(weir_str_t text, bool from_modified, headers_expires_t *expires)
{
    bool        is_negative = weir_str_starts(text, WEIR_STR("-")), is_daily = weir_str_starts(text, WEIR_STR("@"));
    bool        has_sign = is_negative || is_daily || weir_str_starts(text, WEIR_STR("+"));
    weir_msec_t time;

    if (!from_modified && weir_str_eq(text, WEIR_STR("off"))) {
        expires->kind = EXPIRES_OFF;
        return true;
    }
    if (!from_modified && (weir_str_eq(text, WEIR_STR("epoch")) || weir_str_eq(text, WEIR_STR("max")))) {
        expires->kind = text.at[0] == 'e' ? EXPIRES_EPOCH : EXPIRES_MAX;
        return true;
    }
    if (!weir_conf_read_msec(weir_str_skip(text, has_sign), &time)
        || (is_daily && (from_modified || time.ms > UINT64_C(86400000))))
    {
        return false;
    }
    expires->kind = is_daily ? EXPIRES_DAILY : from_modified ? EXPIRES_MODIFIED : EXPIRES_AFTER;
    expires->seconds = (int64_t) (time.ms / 1000) * (is_negative ? -1 : 1);
    return true;
}

/* The next time that the clock of this machine says so. */
static int64_t
expires_next(int64_t now, int64_t second_of_day)
{
    time_t    at = (time_t) now;
    struct tm t;

    weir_assert(second_of_day >= 0 && second_of_day <= 86400);
    if (localtime_r(&at, &t) == NULL) {
        return now;
    }
    t.tm_hour = (int) (second_of_day / 3600);
    t.tm_min = (int) (second_of_day / 60 % 60);
    t.tm_sec = (int) (second_of_day % 60);
    t.tm_isdst = -1;
    at = mktime(&t);
    if (at <= (time_t) now) {
        t.tm_mday++;
        t.tm_isdst = -1;
        at = mktime(&t);
    }
    return (int64_t) at;
}

static int64_t
expires_modified(const weir_request_t *req, int64_t now)
{
    int64_t at;

    return weir_date_http_read(weir_response_value(req, WEIR_HEADER_LAST_MODIFIED), &at) ? at : now;
}

static void
expires_say(weir_request_t *req, int64_t at, weir_str_t control)
{
    char *date = weir_alloc_bytes(&req->arena, WEIR_DATE_HTTP_BYTES);

    weir_date_http(date, at);
    weir_response_drop(req, WEIR_HEADER_EXPIRES);
    weir_response_drop(req, WEIR_HEADER_CACHE_CONTROL);
    weir_response_add(req, WEIR_HEADER_EXPIRES, weir_str(date, WEIR_DATE_HTTP_BYTES));
    weir_response_add(req, WEIR_HEADER_CACHE_CONTROL, control);
}

static void
expires_set(weir_request_t *req, const headers_expires_t *conf)
{
    int64_t           now = (int64_t) (weir_clock_wall_ms() / 1000), at = now;
    headers_expires_t expires = *conf;

    if (conf->text != NULL && !expires_read(weir_request_eval(req, conf->text), conf->from_modified, &expires)) {
        return;
    }
    switch (expires.kind) {
    case EXPIRES_OFF:
        return;
    case EXPIRES_EPOCH:
        expires_say(req, 1, WEIR_STR("no-cache"));
        return;
    case EXPIRES_MAX:
        expires_say(req, 2145916555, WEIR_STR("max-age=315360000"));             /* the end of 2037; ten years */
        return;
    case EXPIRES_AFTER: at = now + expires.seconds; break;
    case EXPIRES_MODIFIED: at = expires_modified(req, now) + expires.seconds; break;
    case EXPIRES_DAILY: at = expires_next(now, expires.seconds); break;
    }
    bool is_past = at < now || (expires.kind != EXPIRES_DAILY && expires.seconds < 0 && at <= now);
    expires_say(req, at, is_past ? WEIR_STR("no-cache")
                : weir_str_printf(&req->arena, "max-age=%lld", (long long) (at - now)));
}

/* -- add_trailer -- */

typedef struct { weir_filter_t filter; const headers_conf_t *conf; } headers_trailing_t;

/* Now that all else of the answer is known. */
static weir_io_t
headers_trail(weir_filter_t *self)
{
    weir_request_t       *req = self->req;
    const headers_conf_t *conf = weir_container_of(self, headers_trailing_t, filter)->conf;
    bool                  is_plain = headers_is_plain(req->res.status);

    for (size_t i = 0; i < conf->trailers.n; i++) {
        const headers_field_t *field = &conf->trailers.at[i];
        weir_str_t             value = is_plain || field->always ? weir_request_eval(req, field->value) : WEIR_STR_NONE;

        if (value.len != 0) {
            weir_assert(weir_fields_add(&req->res.trailers, &req->arena, field->id, field->name, value, 0) != NULL);
        }
    }
    return weir_filter_pass_end(self);
}

static const weir_filter_ops_t headers_trailing = { .place = WEIR_FILTER_FIELDS, .end = headers_trail };

/* There can be some behind a body in chunks, or on a stream. */
static void
headers_expect_trailers(weir_request_t *req, const headers_conf_t *conf)
{
    headers_trailing_t *trailing;
    bool                is_any = headers_is_plain(req->res.status);

    weir_assert(!req->res.head_sent);
    for (size_t i = 0; i < conf->trailers.n; i++) {
        is_any = is_any || conf->trailers.at[i].always;
    }
    if (!is_any || req->version < 11 || req->res.status < 200 || req->res.status == 204 || req->res.status == 304) {
        return;
    }
    trailing = weir_new(&req->arena, headers_trailing_t);
    trailing->conf = conf;
    weir_filter_add(req, &trailing->filter, &headers_trailing);
    req->res.has_trailers = true;
    if (req->version == 11) {
        req->res.length = WEIR_LENGTH_NONE;
    }
}

static weir_step_t
headers_head(weir_request_t *req, const void *conf_)
{
    const headers_conf_t *conf = conf_;
    bool                  is_plain = headers_is_plain(req->res.status);

    if (is_plain && (conf->expires.kind != EXPIRES_OFF || conf->expires.text != NULL)) {
        expires_set(req, &conf->expires);
    }
    if (conf->trailers.n != 0) {
        headers_expect_trailers(req, conf);
    }

    for (size_t i = 0; i < conf->fields.n; i++) {
        const headers_field_t *field = &conf->fields.at[i];
        weir_str_t             value;

        if (!is_plain && !field->always) {
            continue;
        }
        value = weir_request_eval(req, field->value);
        if (headers_replaces(field->id) && value.len != 0) {
            weir_response_set(req, field->id, value);
        } else if (headers_replaces(field->id) && field->id != WEIR_HEADER_CONTENT_TYPE) {
            weir_response_drop(req, field->id);
        } else if (value.len != 0 && !headers_replaces(field->id)) {
            weir_assert(weir_fields_add(&req->res.fields, &req->arena, field->id, field->name, value, 0) != NULL);
        }
    }
    return WEIR_NEXT;
}

static bool
headers_enabled(const void *conf, weir_phase_t phase)
{
    const headers_conf_t *headers = conf;

    (void) phase;
    return headers->fields.n != 0 || headers->trailers.n != 0 || headers->expires.kind != EXPIRES_OFF
           || headers->expires.text != NULL;
}

/* -- directives -- */

static bool
headers_is_framing(weir_header_id_t id)
{
    switch (id) {
    case WEIR_HEADER_CONTENT_LENGTH: case WEIR_HEADER_TRANSFER_ENCODING:
    case WEIR_HEADER_CONNECTION: case WEIR_HEADER_KEEP_ALIVE:
    case WEIR_HEADER_PROXY_CONNECTION: case WEIR_HEADER_TE: case WEIR_HEADER_TRAILER: case WEIR_HEADER_UPGRADE:
        return true;
    default:
        return false;
    }
}

/* Line ends with the blanks around them become one space, at the end nothing (RFC 9112 section 5.2): texts of several
 * lines are common in files. */
static weir_str_t
headers_unfold(weir_arena_t *arena, weir_str_t text)
{
    char  *out = weir_alloc_bytes(arena, text.len + 1);
    size_t len = 0, i = 0, from;

    while (i < text.len) {
        from = i;
        while (i < text.len && weir_str_find(WEIR_STR(" \t\r\n"), text.at[i]) != NULL) {
            i++;
        }
        weir_str_t blank = weir_str(text.at + from, i - from);

        if (weir_str_find(blank, '\n') == NULL && weir_str_find(blank, '\r') == NULL) {
            memcpy(out + len, blank.at, blank.len);
            len += blank.len;
        } else if (len != 0 && i < text.len) {
            out[len++] = ' ';
        }
        if (i < text.len) {
            out[len++] = text.at[i++];
        }
    }
    weir_assert(len <= text.len);
    out[len] = '\0';
    return weir_str(out, len);
}

static bool
headers_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    headers_field_t field = { .name = words->at[1].text, .always = words->n == 4 };

    if (!weir_syntax_is_token(field.name)) {
        return weir_conf_invalid(cf, 1, "the name of a header field");
    }
    field.id = weir_header_id(field.name);
    if (field.always && !weir_str_eq(words->at[3].text, WEIR_STR("always"))) {
        return weir_conf_invalid(cf, 3, "\"always\" or nothing");
    }
    if (headers_is_framing(field.id)) {
        weir_conf_warn(cf, 1, "\"%.*s\" is of the connection, not of the answer: \"%s\" leaves it out",
                       WEIR_STR_ARG(field.name), row->name);
        return true;
    }
    field.value = weir_conf_template(cf, 2, headers_unfold(cf->arena, words->at[2].text));
    if (field.value == NULL) {
        return false;
    }
    if (field.value->is_constant && field.value->n != 0 && !weir_syntax_is_field_value(field.value->parts[0].literal)) {
        return weir_conf_invalid(cf, 2, "a text without line ends and other controls");
    }
    *(headers_field_t *) weir_conf_list_push(cf, list, sizeof(field)) = field;
    return true;
}

static const weir_conf_type_t headers_type = {
    .name = "name value [always]", .size = sizeof(headers_fields_t), .min_args = 2, .max_args = 3, .repeats = true,
    .parse = headers_parse,
    .item = sizeof(headers_field_t),
};

static bool
headers_parse_expires(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    headers_expires_t *expires = field;
    size_t             last = words->n - 1;
    weir_str_t         text = words->at[last].text;

    (void) row;
    *expires = (headers_expires_t) { .from_modified = last == 2 };
    if (last == 2 && !weir_str_eq(words->at[1].text, WEIR_STR("modified"))) {
        return weir_conf_invalid(cf, 1, "\"modified\" before a time");
    }
    if (weir_conf_has_variables(cf, last, text)) {
        expires->text = weir_conf_template(cf, last, text);
        return expires->text != NULL;
    }
    return expires_read(text, expires->from_modified, expires)
           || weir_conf_invalid(cf, last, last == 2 ? "a time such as 1h or -1"
                                : "a time such as 1h or -1, @15h30m, epoch, max or off");
}

static const weir_conf_type_t headers_type_expires = {
    .name = "[modified] time | epoch | max | off", .size = sizeof(headers_expires_t), .min_args = 1, .max_args = 2,
    .parse = headers_parse_expires,
};

static const weir_directive_t headers_directives[] = {
    WEIR_DIRECTIVE_OF(headers_conf_t, fields, "add_header", &headers_type, .where = WEIR_IN_ANY,
                      .help = "Adds a field to answers of 200, 201, 204, 206, 301-304, 307 and 308, or to all "
                              "(always); an empty value adds nothing."),
    WEIR_DIRECTIVE_OF(headers_conf_t, trailers, "add_trailer", &headers_type, .where = WEIR_IN_ANY,
                      .help = "Adds a field behind the body, for the same statuses as add_header."),
    WEIR_DIRECTIVE_OF(headers_conf_t, expires, "expires", &headers_type_expires, .where = WEIR_IN_ANY, .dflt = "off",
                      .help = "Sets Expires and Cache-Control for the same statuses as add_header: a time from now "
                              "or from Last-Modified, a time of day (@), never or forever."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_headers = {
    .name = "http_headers",
    .area = "Responses",
    .conf_size = sizeof(headers_conf_t),
    .directives = headers_directives,
    .enabled = headers_enabled,
    .filter_head = headers_head,
};
