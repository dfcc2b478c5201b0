/*
 * module.c - `sticky cookie|header|route|learn …` in an upstream block: what the directive says.
 *
 * Load time; memory: the generation's.
 */
#include "sticky.h"

#include "base/mem.h"
#include "jose/seal.h"

#include <string.h>

#define STICKY_ZONE_MIN     16384
#define STICKY_TIMEOUT_DFLT 600          /* seconds */
#define STICKY_PATH         1024

typedef struct {
    bool              is_set;
    weir_sticky_t     sticky;
    sticky_settings_t settings;
    weir_strs_t       create, lookup;    /* of learn, as written */
    bool              has_zone;
} sticky_said_t;

typedef struct { sticky_said_t said; } sticky_conf_t;

/* -- options of cookies -- */

static bool
sticky_read_expires(weir_conf_t *cf, size_t word, weir_str_t value, void *said)
{
    weir_sticky_t *sticky = &((sticky_said_t *) said)->sticky;
    weir_msec_t    time;

    sticky->has_expires = true;
    if (weir_str_eq(value, WEIR_STR("max"))) {
        sticky->expires = WEIR_STICKY_FOR_EVER;
        return true;
    }
    if (!weir_conf_read_msec(value, &time)) {
        return weir_conf_invalid(cf, word, "expires= and a time, or expires=max");
    }
    sticky->expires = (int64_t) (time.ms / 1000);
    return true;
}

static bool
sticky_read_domain(weir_conf_t *cf, size_t word, weir_str_t value, void *said)
{
    weir_sticky_t *sticky = &((sticky_said_t *) said)->sticky;

    if (value.len == 0) {
        return weir_conf_invalid(cf, word, "domain= and a domain");
    }
    sticky->domain = weir_conf_template(cf, word, value);
    return sticky->domain != NULL;
}

static bool
sticky_read_path(weir_conf_t *cf, size_t word, weir_str_t value, void *said)
{
    bool is_good = value.len != 0 && value.len <= STICKY_PATH && value.at[0] == '/';

    for (size_t i = 0; i < value.len; i++) {
        is_good = is_good && value.at[i] > ' ' && value.at[i] < 0x7f && value.at[i] != ';';
    }
    ((sticky_said_t *) said)->sticky.path = value;
    return is_good || weir_conf_invalid(cf, word, "path= and a path of visible ASCII without \";\"");
}

static bool
sticky_read_samesite(weir_conf_t *cf, size_t word, weir_str_t value, void *said)
{
    static const struct { weir_str_t said, sent; } words[] = {
        { WEIR_STR_INIT("strict"), WEIR_STR_INIT("Strict") },
        { WEIR_STR_INIT("lax"), WEIR_STR_INIT("Lax") },
        { WEIR_STR_INIT("none"), WEIR_STR_INIT("None") },
    };
    weir_sticky_t *sticky = &((sticky_said_t *) said)->sticky;
    weir_str_t     text = weir_str_starts(value, WEIR_STR("$")) && weir_conf_has_variables(cf, word, value)
        ? value : WEIR_STR_NONE;

    for (size_t i = 0; i < weir_countof(words); i++) {
        text = weir_str_eq_fold(value, words[i].said) ? words[i].sent : text;
    }
    if (text.len == 0) {
        return weir_conf_invalid(cf, word, "samesite= and strict, lax, none or a variable");
    }
    sticky->samesite = weir_conf_template(cf, word, text);
    return sticky->samesite != NULL;
}

static bool
sticky_read_httponly(weir_conf_t *cf WEIR_UNUSED, size_t word WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *said)
{
    return ((sticky_said_t *) said)->sticky.is_httponly = true;
}

static bool
sticky_read_secure(weir_conf_t *cf WEIR_UNUSED, size_t word WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *said)
{
    return ((sticky_said_t *) said)->sticky.is_secure = true;
}

/* -- the keys of names -- */

static void
sticky_wipe(void *settings)
{
    weir_mem_wipe(settings, sizeof(sticky_settings_t));
}

static bool
sticky_derive_keys(weir_conf_t *cf, size_t word, sticky_settings_t *settings, weir_strs_t secrets)
{
    weir_arena_on_cleanup(cf->arena, sticky_wipe, settings);
    settings->n_keys = 0;
    for (size_t i = 0; i < secrets.n; i++) {
        if (!sticky_derive(secrets.at[i], settings->keys[settings->n_keys++])) {
            return weir_conf_error(cf, word, "no memory for the keys of \"sticky\"");
        }
    }
    return true;
}

static bool
sticky_read_secret(weir_conf_t *cf, size_t word, weir_str_t value, void *said)
{
    weir_error_t error = { .text = "" };
    weir_strs_t  secrets;
    weir_str_t   path, bytes;

    if (value.len == 0 || weir_conf_has_variables(cf, word, value)) {
        return weir_conf_invalid(cf, word, "secret= and the name of a file, without variables");
    }
    path = weir_conf_near_path(cf, value);
    if (!weir_conf_file(cf, word, path, &bytes)) {
        return false;
    }
    if (!weir_seal_read_secrets(cf->arena, bytes, &secrets, &error)) {
        return weir_conf_error(cf, word, "\"%.*s\" is no file of secrets: %s", WEIR_STR_ARG(path), error.text);
    }
    if (secrets.n > STICKY_KEYS) {
        return weir_conf_error(cf, word, "\"%.*s\" has more than %d secrets", WEIR_STR_ARG(path), STICKY_KEYS);
    }
    return sticky_derive_keys(cf, word, &((sticky_said_t *) said)->settings, secrets);
}

/* -- cookie, header -- */

static bool
sticky_is_token(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= '0' && c <= '9') || (weir_char_lower(c) >= 'a' && weir_char_lower(c) <= 'z')
              || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
        {
            return false;
        }
    }
    return name.len != 0;
}

static bool
sticky_parse_named(weir_conf_t *cf, const weir_conf_words_t *words, sticky_said_t *said)
{
    static const weir_conf_option_t options[] = {
        { .name = "secret", .read = sticky_read_secret },
        { .name = "expires", .read = sticky_read_expires },
        { .name = "domain", .read = sticky_read_domain },
        { .name = "path", .read = sticky_read_path },
        { .name = "samesite", .read = sticky_read_samesite },
        { .name = "httponly", .read = sticky_read_httponly, .is_bare = true },
        { .name = "secure", .read = sticky_read_secure, .is_bare = true },
    };
    static const weir_str_t no_secret = WEIR_STR_INIT("");
    const bool              is_cookie = said->sticky.kind == WEIR_STICKY_COOKIE;

    if (words->n < 3 || !sticky_is_token(words->at[2].text)) {
        return words->n < 3 ? weir_conf_error(cf, 1, "\"sticky %s\" needs a name", is_cookie ? "cookie" : "header")
               : weir_conf_invalid(cf, 2, is_cookie ? "the name of a cookie" : "the name of a header field");
    }
    said->sticky.name = words->at[2].text;
    if (!weir_conf_read_options(cf, words, 3, options, is_cookie ? weir_countof(options) : 1,
                                is_cookie ? "expires=TIME, domain=DOMAIN, path=PATH, samesite=WORD, httponly, secure "
                                            "or secret=FILE" : "secret=FILE", said))
    {
        return false;
    }
    if (said->settings.n_keys == 0) {
        weir_conf_warn(cf, 1, "\"sticky %s\" has no secret=FILE: a client that tries all likely addresses finds "
                       "which server its names stand for", is_cookie ? "cookie" : "header");
    }
    return said->settings.n_keys != 0
           || sticky_derive_keys(cf, 1, &said->settings, (weir_strs_t) { (weir_str_t *) (uintptr_t) &no_secret, 1 });
}

/* -- route, learn -- */

/* The values of several texts as one: weir_sticky_first takes it apart.  NULL: cf->error is set. */
static const weir_template_t *
sticky_join(weir_conf_t *cf, size_t word, weir_strs_t texts)
{
    const char between[] = { WEIR_STICKY_BETWEEN };
    weir_str_t all = texts.at[0];

    for (size_t i = 1; i < texts.n; i++) {
        all = weir_str_concat(cf->arena, weir_str_concat(cf->arena, all, weir_str(between, 1)), texts.at[i]);
    }
    return weir_conf_template(cf, word, all);
}

static bool
sticky_add_text(weir_conf_t *cf, size_t word, weir_str_t text, weir_strs_t *texts, const char *expected)
{
    if (!weir_str_starts(text, WEIR_STR("$")) || !weir_conf_has_variables(cf, word, text)) {
        return weir_conf_invalid(cf, word, expected);
    }
    texts->at[texts->n++] = text;
    return true;
}

static bool
sticky_parse_route(weir_conf_t *cf, const weir_conf_words_t *words, sticky_said_t *said)
{
    weir_strs_t texts = { weir_new_n(cf->arena, weir_str_t, words->n), 0 };

    if (words->n < 3) {
        return weir_conf_error(cf, 1, "\"sticky route\" needs a variable");
    }
    for (size_t i = 2; i < words->n; i++) {
        if (!sticky_add_text(cf, i, words->at[i].text, &texts, "a variable")) {
            return false;
        }
    }
    said->sticky.lookup = sticky_join(cf, 2, texts);
    return said->sticky.lookup != NULL;
}

/* NAME:SIZE. */
static bool
sticky_read_zone(weir_conf_t *cf, size_t word, weir_str_t value, sticky_said_t *said)
{
    sticky_settings_t *settings = &said->settings;
    weir_str_t         name, size;
    weir_bytes_t       bytes;

    if (said->has_zone) {
        return weir_conf_error(cf, word, "\"zone=\" stands twice in \"sticky\"");
    }
    if (!weir_str_cut(value, ':', &name, &size) || name.len == 0 || name.len >= STICKY_ZONE
        || !weir_conf_read_bytes(size, &bytes))
    {
        return weir_conf_invalid(cf, word, "zone=NAME:SIZE, the size such as 1m");
    }
    if (bytes.n < STICKY_ZONE_MIN) {
        return weir_conf_error(cf, word, "zone \"%.*s\" is too small: %d bytes at least", WEIR_STR_ARG(name),
                               STICKY_ZONE_MIN);
    }
    memcpy(settings->zone, name.at, name.len);
    settings->zone_size = bytes.n;
    return said->has_zone = true;
}

static bool
sticky_read_timeout(weir_conf_t *cf, size_t word, weir_str_t value, sticky_settings_t *settings)
{
    weir_msec_t time;

    if (!weir_conf_read_msec(value, &time) || time.ms < 1000 || time.ms / 1000 > STICKY_TIMEOUT) {
        return weir_conf_invalid(cf, word, "timeout= and a time from 1s to 90d");
    }
    settings->timeout = time.ms / 1000;
    return true;
}

static bool
sticky_read_learn(weir_conf_t *cf, size_t word, weir_str_t text, sticky_said_t *said)
{
    weir_str_t name, value;
    bool       has_value = weir_str_cut(text, '=', &name, &value);

    if (has_value && weir_str_eq(name, WEIR_STR("create"))) {
        return sticky_add_text(cf, word, value, &said->create, "create= and a variable");
    }
    if (has_value && weir_str_eq(name, WEIR_STR("lookup"))) {
        return sticky_add_text(cf, word, value, &said->lookup, "lookup= and a variable");
    }
    if (has_value && weir_str_eq(name, WEIR_STR("zone"))) {
        return sticky_read_zone(cf, word, value, said);
    }
    if (has_value && weir_str_eq(name, WEIR_STR("timeout"))) {
        return sticky_read_timeout(cf, word, value, &said->settings);
    }
    if (!has_value && weir_str_eq(name, WEIR_STR("header"))) {
        return said->sticky.learns_at_head = true;
    }
    return weir_conf_invalid(cf, word, "create=VARIABLE, lookup=VARIABLE, zone=NAME:SIZE, timeout=TIME or header");
}

static void
sticky_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

/* The generation holds it, so that running groups find it. */
static bool
sticky_take_zone(weir_conf_t *cf, const sticky_settings_t *settings)
{
    weir_error_t error = { .text = "" };
    weir_zone_t *zone = sticky_sessions_take(settings, &error);

    if (zone == NULL) {
        return weir_conf_error(cf, 0, "%s", error.text);
    }
    weir_arena_on_cleanup(cf->arena, sticky_give_back, zone);
    return true;
}

static bool
sticky_parse_learn(weir_conf_t *cf, const weir_conf_words_t *words, sticky_said_t *said)
{
    said->create.at = weir_new_n(cf->arena, weir_str_t, words->n);
    said->lookup.at = weir_new_n(cf->arena, weir_str_t, words->n);
    said->settings.timeout = STICKY_TIMEOUT_DFLT;
    for (size_t i = 2; i < words->n; i++) {
        if (!sticky_read_learn(cf, i, words->at[i].text, said)) {
            return false;
        }
    }
    if (said->create.n == 0 || said->lookup.n == 0 || !said->has_zone) {
        return weir_conf_error(cf, 1, "\"sticky learn\" needs create=, lookup= and zone=");
    }
    said->sticky.learn = sticky_join(cf, 1, said->create);
    said->sticky.lookup = sticky_join(cf, 1, said->lookup);
    return said->sticky.learn != NULL && said->sticky.lookup != NULL && sticky_take_zone(cf, &said->settings);
}

/* -- the module -- */

static bool
sticky_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const struct {
        weir_str_t word;
        bool     (*parse)(weir_conf_t *cf, const weir_conf_words_t *words, sticky_said_t *said);
    } kinds[] = {
        [WEIR_STICKY_COOKIE] = { WEIR_STR_INIT("cookie"), sticky_parse_named },
        [WEIR_STICKY_HEADER] = { WEIR_STR_INIT("header"), sticky_parse_named },
        [WEIR_STICKY_ROUTE] = { WEIR_STR_INIT("route"), sticky_parse_route },
        [WEIR_STICKY_LEARN] = { WEIR_STR_INIT("learn"), sticky_parse_learn },
    };
    sticky_said_t *said = field;

    said->is_set = true;
    said->sticky.tell = sticky_tell;
    said->sticky.learned = sticky_learned;
    for (size_t i = 0; i < weir_countof(kinds); i++) {
        if (weir_str_eq(words->at[1].text, kinds[i].word)) {
            said->sticky.kind = (weir_sticky_kind_t) i;
            said->settings.kind = (uint32_t) i;
            return kinds[i].parse(cf, words, said);
        }
    }
    return weir_conf_invalid(cf, 1, "cookie, header, route or learn");
}

static const weir_conf_type_t sticky_type = {
    .name = "sticky", .size = sizeof(sticky_said_t), .min_args = 1, .max_args = 32, .parse = sticky_parse,
};

static const weir_directive_t sticky_directives[] = {
    WEIR_DIRECTIVE_OF(sticky_conf_t, said, "sticky", &sticky_type, .where = WEIR_IN_UPSTREAM,
        .args = "cookie name [expires=time|max] [domain=domain] [path=path] [samesite=strict|lax|none|$variable] "
                "[httponly] [secure] [secret=file] | header name [secret=file] | route $variable ... | "
                "learn create=$variable lookup=$variable zone=name:size [timeout=time] [header]",
        .help = "Sends the requests of a session to one server: by a cookie or header field of Weir's, by the route "
                "that a request names, or by sessions of the servers' own."),
    WEIR_DIRECTIVES_END
};

static const weir_uppolicy_t *
sticky_judge(const void *conf_, weir_str_t *settings)
{
    const sticky_conf_t *conf = conf_;

    *settings = weir_str((const char *) &conf->said.settings, sizeof(conf->said.settings));
    return conf->said.is_set ? &sticky_policy : NULL;
}

static const weir_sticky_t *
sticky_stick(const void *conf_)
{
    const sticky_conf_t *conf = conf_;

    return conf->said.is_set ? &conf->said.sticky : NULL;
}

const weir_upstream_module_t weir_upstream_sticky = {
    .name = "upstream_sticky",
    .area = "Upstreams",
    .conf_size = sizeof(sticky_conf_t),
    .directives = sticky_directives,
    .judge = sticky_judge,
    .stick = sticky_stick,
    .zone_kinds = sticky_zone_kinds,
};
