/*
 * encoding.c - which clients get compressed answers: what gzip, which compresses, and gzip_static, which has compressed
 * files, have in common.
 *
 * Runs in workers.
 */
#include "http/filter/encoding.h"

#include "base/date.h"
#include "expr/regex.h"
#include "http/conf.h"
#include "http/filter/response.h"
#include "os/clock.h"

enum {
    ENCODING_OFF = 1 << 0, ENCODING_EXPIRED = 1 << 1, ENCODING_NO_CACHE = 1 << 2, ENCODING_NO_STORE = 1 << 3,
    ENCODING_PRIVATE = 1 << 4, ENCODING_NO_LAST_MODIFIED = 1 << 5,
    ENCODING_NO_ETAG = 1 << 6, ENCODING_AUTH = 1 << 7, ENCODING_ANY = 1 << 8,
};

typedef struct { const weir_regex_t **at; size_t n; } encoding_patterns_t;

typedef struct {
    weir_flag_t         vary;
    uint32_t            version, proxied;
    encoding_patterns_t disable;
} encoding_conf_t;

extern const weir_module_t weir_http_encoding;
extern const size_t weir_http_encoding_index;

static const encoding_conf_t *
encoding_conf(const weir_request_t *req)
{
    return req->conf[weir_http_encoding_index];
}

/* Does the client take gzip? RFC 9110 §12.5.3: with a quality of 0 it does not. */
static bool
encoding_is_accepted(weir_str_t list)
{
    weir_str_t element, coding, parameter, name, value;

    while (weir_syntax_list_next(&list, &element)) {
        bool more = weir_str_cut(element, ';', &coding, &parameter);
        if (!weir_str_eq_fold(weir_str_trim(coding), WEIR_STR("gzip"))) {
            continue;
        }
        if (!more) {
            return true;
        }
        if (!weir_str_cut(weir_str_trim(parameter), '=', &name, &value)
            || !weir_str_eq_fold(weir_str_trim(name), WEIR_STR("q")))
        {
            return true;
        }
        for (size_t i = 0; i < value.len; i++) {
            if (value.at[i] >= '1' && value.at[i] <= '9') {
                return true;
            }
        }
        return false;
    }
    return false;
}

/* A request that came through another proxy (Via): only for answers that it will not keep for others. */
static bool
encoding_may_be_proxied(const encoding_conf_t *conf, const weir_request_t *req)
{
    weir_str_t cache = weir_response_value(req, WEIR_HEADER_CACHE_CONTROL),
               expires = weir_response_value(req, WEIR_HEADER_EXPIRES);
    unsigned proxied = conf->proxied;
    int64_t at;

    if (weir_fields_first(&req->head.fields, WEIR_HEADER_VIA) == NULL || (proxied & ENCODING_ANY)) {
        return true;
    }
    if (proxied & ENCODING_OFF) {
        return false;
    }
    if ((proxied & ENCODING_AUTH) && weir_fields_first(&req->head.fields, WEIR_HEADER_AUTHORIZATION) != NULL) {
        return true;
    }
    if (expires.at != NULL) {
        return (proxied & ENCODING_EXPIRED)
            && (!weir_date_http_read(expires, &at) || at < (int64_t) (weir_clock_wall_ms() / 1000));
    }
    if (cache.at != NULL) {
        return ((proxied & ENCODING_NO_CACHE) && weir_syntax_list_has(cache, WEIR_STR("no-cache")))
               || ((proxied & ENCODING_NO_STORE) && weir_syntax_list_has(cache, WEIR_STR("no-store")))
               || ((proxied & ENCODING_PRIVATE) && weir_syntax_list_has(cache, WEIR_STR("private")));
    }
    return ((proxied & ENCODING_NO_LAST_MODIFIED) && weir_response_value(req, WEIR_HEADER_LAST_MODIFIED).at == NULL)
           || ((proxied & ENCODING_NO_ETAG) && weir_response_value(req, WEIR_HEADER_ETAG).at == NULL);
}

static bool
encoding_is_disabled(const encoding_conf_t *conf, weir_request_t *req)
{
    const weir_field_t *agent = weir_fields_first(&req->head.fields, WEIR_HEADER_USER_AGENT);

    for (size_t i = 0; agent != NULL && i < conf->disable.n; i++) {
        /* at the limit too: plain is always right */
        if (weir_regex_exec(conf->disable.at[i], agent->value, NULL) != WEIR_REGEX_NO_MATCH) {
            return true;
        }
    }
    return false;
}

bool
weir_encoding_is_wanted(weir_request_t *req)
{
    const encoding_conf_t  *conf = encoding_conf(req);
    const weir_field_t *accept = weir_fields_first(&req->head.fields, WEIR_HEADER_ACCEPT_ENCODING);

    return accept != NULL && encoding_is_accepted(weir_fields_join(&req->head.fields, accept->name, &req->arena))
        && req->version >= conf->version && encoding_may_be_proxied(conf, req) && !encoding_is_disabled(conf, req);
}

void
weir_encoding_say_vary(weir_request_t *req)
{
    if (encoding_conf(req)->vary.on) {
        weir_response_add(req, WEIR_HEADER_VARY, WEIR_STR("Accept-Encoding"));
    }
}

bool
weir_encoding_says_vary(const weir_request_t *req)
{
    return encoding_conf(req)->vary.on;
}

/* -- directives -- */

static bool
encoding_parse_disable(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    (void) row;
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t text = words->at[i].text;
        const weir_regex_t *regex;

        if (weir_str_eq(text, WEIR_STR("msie6"))) {
            text = WEIR_STR("MSIE [4-6]\\.(?!.*SV1)");
        }
        regex = weir_conf_regex(cf, i, text, true);
        if (regex == NULL) {
            return false;
        }
        *(const weir_regex_t **) weir_conf_list_push(cf, list, sizeof(regex)) = regex;
    }
    return true;
}

static const weir_conf_type_t encoding_type_disable = {
    .name = "regex...",
    .size = sizeof(encoding_patterns_t),
    .min_args = 1,
    .max_args = 255,
    .repeats = true,
    .parse = encoding_parse_disable,
    .item = sizeof(const weir_regex_t *),
};

static const weir_conf_enum_t encoding_versions[] = { { "1.0", 10 }, { "1.1", 11 }, { NULL, 0 } };

static const weir_conf_enum_t encoding_proxied[] = {
    { "off", ENCODING_OFF },           { "expired", ENCODING_EXPIRED },
    { "no-cache", ENCODING_NO_CACHE }, { "no-store", ENCODING_NO_STORE },
    { "private", ENCODING_PRIVATE },   { "no_last_modified", ENCODING_NO_LAST_MODIFIED },
    { "no_etag", ENCODING_NO_ETAG },   { "auth", ENCODING_AUTH },
    { "any", ENCODING_ANY },           { NULL, 0 },
};

static const weir_directive_t encoding_directives[] = {
    WEIR_DIRECTIVE(encoding_conf_t, vary, "gzip_vary", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Adds Vary: Accept-Encoding to answers that may be compressed."),
    WEIR_DIRECTIVE_OF(encoding_conf_t, version, "gzip_http_version", &weir_type_enum, .where = WEIR_IN_ANY,
                      .dflt = "1.1", .values = encoding_versions, .args = "1.0 | 1.1",
                      .help = "Sets the lowest HTTP version of a request whose answer is compressed."),
    WEIR_DIRECTIVE_OF(encoding_conf_t, proxied, "gzip_proxied", &weir_type_mask, .where = WEIR_IN_ANY, .dflt = "off",
                      .values = encoding_proxied,
                      .help = "Says which answers are compressed for requests that came through a proxy (Via): "
                              "those that it must not keep, or any."),
    WEIR_DIRECTIVE_OF(encoding_conf_t, disable, "gzip_disable", &encoding_type_disable, .where = WEIR_IN_ANY,
                      .help = "Lists patterns of user agents for which nothing is compressed; msie6 stands for old "
                              "ones."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_http_encoding = {
    .name = "http_encoding",
    .area = "Responses",
    .conf_size = sizeof(encoding_conf_t),
    .directives = encoding_directives,
};
