/*
 * api_read.c - the lines of `api NAME { … }`: title, plans, preview, openapi, version.  Load time.
 */
#include "http/route/api.h"

#include "http/message/syntax.h"

#include <string.h>

#define API_NAME_MAX  24                     /* bytes; of both names together a row of statistics has room for */
#define API_PLAN_MAX  63                     /* the store's names are no longer */
#define API_MOST      1000                   /* versions of one API, plans of it */

static const weir_conf_enum_t api_states[] = {
    { "draft", WEIR_API_DRAFT },
    { "published", WEIR_API_PUBLISHED },
    { "deprecated", WEIR_API_DEPRECATED },
    { "retired", WEIR_API_RETIRED },
    { NULL, 0 },
};

const char *
weir_api_state_name(uint32_t state)
{
    weir_assert(state < weir_countof(api_states) - 1);
    return api_states[state].name;
}

/* -- names -- */

static bool
api_is_name(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i], low = weir_char_lower(c);

        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || (i != 0 && (c == '-' || c == '_' || c == '.')))) {
            return false;
        }
    }
    return name.len != 0 && name.len <= API_NAME_MAX;
}

static bool
api_read_name(weir_conf_t *cf, size_t word, weir_str_t text, weir_str_t *name)
{
    *name = text;
    return api_is_name(text)
        || weir_conf_invalid(cf, word, "a name of up to 24 letters, digits, \"-\", \"_\" and \".\"");
}

weir_api_t *
weir_api_find(weir_api_t *first, weir_str_t name)
{
    while (first != NULL && !weir_str_eq(first->name, name)) {
        first = first->next;
    }
    return first;
}

weir_api_version_t *
weir_api_find_version(weir_api_t *api, weir_str_t name)
{
    for (size_t i = 0; i < api->versions.n; i++) {
        if (weir_str_eq(api->versions.at[i].name, name)) {
            return &api->versions.at[i];
        }
    }
    return NULL;
}

bool
weir_api_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_api_conf_t *conf = weir_conf_own(cf, cf->block, weir_http_api_index);
    weir_api_t      *api = weir_new(cf->arena, weir_api_t);

    if (!api_read_name(cf, 1, words->at[1].text, &api->name)) {
        return false;
    }
    if (weir_api_find(conf->first, api->name) != NULL) {
        return weir_conf_error(cf, 1, "duplicate api \"%.*s\"", WEIR_STR_ARG(api->name));
    }
    api->words = *words;
    if (conf->end == NULL) {
        conf->end = &conf->first;
    }
    *conf->end = api;
    conf->end = &api->next;
    block->owner = api;
    return true;
}

/* -- version NAME [state=…] [since=…] [sunset=…] [link=…] [openapi=…] -- */

static bool
api_read_state(weir_conf_t *cf, size_t word, weir_str_t value, void *version)
{
    for (const weir_conf_enum_t *state = api_states; state->name != NULL; state++) {
        if (weir_str_eq(value, weir_str_from_z(state->name))) {
            ((weir_api_version_t *) version)->state = state->value;
            return true;
        }
    }
    return weir_conf_invalid(cf, word, "state=draft, state=published, state=deprecated or state=retired");
}

static bool
api_read_openapi(weir_conf_t *cf, size_t word, weir_str_t value, void *version)
{
    return value.len != 0 ? weir_api_document_read(cf, word, value, &((weir_api_version_t *) version)->document)
                          : weir_conf_invalid(cf, word, "openapi=FILE");
}

static bool
api_check_version(weir_conf_t *cf, const weir_api_version_t *version)
{
    const weir_deprecation_t *deprecation = &version->deprecation;

    if (version->state == WEIR_API_DEPRECATED && deprecation->since.len == 0) {
        return weir_conf_error(cf, 0, "a deprecated version needs since=DATE");
    }
    if (version->state < WEIR_API_DEPRECATED
        && (deprecation->since.len | deprecation->sunset.len | deprecation->link.len) != 0)
    {
        return weir_conf_error(cf, 0, "since=, sunset= and link= are of versions with state=deprecated or "
                               "state=retired");
    }
    return weir_deprecation_check(cf, deprecation);
}

static bool
api_line_version(weir_conf_t *cf, weir_api_t *api, const weir_conf_words_t *words)
{
    static const weir_conf_option_t options[] = {
        WEIR_DEPRECATION_OPTIONS,
        { .name = "state", .read = api_read_state },
        { .name = "openapi", .read = api_read_openapi },
    };
    weir_api_version_t version = { .deprecation = WEIR_DEPRECATION_NONE, .api = api, .state = WEIR_API_PUBLISHED,
                                   .words = *words };

    if (words->n < 2) {
        return weir_conf_error(cf, 0, "\"version\" needs a name");
    }
    if (!api_read_name(cf, 1, words->at[1].text, &version.name)) {
        return false;
    }
    if (weir_api_find_version(api, version.name) != NULL) {
        return weir_conf_error(cf, 1, "duplicate version \"%.*s\" of api \"%.*s\"", WEIR_STR_ARG(version.name),
                               WEIR_STR_ARG(api->name));
    }
    if (api->versions.n == API_MOST) {
        return weir_conf_error(cf, 0, "an api has more than %d versions", API_MOST);
    }
    if (!weir_conf_read_options(cf, words, 2, options, weir_countof(options),
                                "state=, since=, sunset=, link= or openapi=", &version)
        || !api_check_version(cf, &version))
    {
        return false;
    }
    version.label = weir_str_printf(cf->arena, "%.*s/%.*s", WEIR_STR_ARG(api->name), WEIR_STR_ARG(version.name));
    *(weir_api_version_t *) weir_conf_list_push(cf, &api->versions, sizeof(version)) = version;
    return true;
}

/* -- the other lines -- */

static bool
api_line_plans(weir_conf_t *cf, weir_api_t *api, const weir_conf_words_t *words)
{
    size_t n = words->n;

    if (api->plans.n != 0) {
        return weir_conf_error(cf, 0, "\"plans\" stands twice in api \"%.*s\"", WEIR_STR_ARG(api->name));
    }
    api->is_plans_dry_run = n > 2 && weir_str_eq(words->at[n - 1].text, WEIR_STR("dry_run"));
    n -= api->is_plans_dry_run;
    if (n < 2) {
        return weir_conf_error(cf, 0, "\"plans\" needs the name of a plan");
    }
    for (size_t i = 1; i < n; i++) {
        weir_str_t plan = words->at[i].text;

        if (plan.len == 0 || plan.len > API_PLAN_MAX || i > API_MOST) {
            return weir_conf_invalid(cf, i, "the name of a plan");
        }
        *(weir_str_t *) weir_conf_list_push(cf, &api->plans, sizeof(plan)) = plan;
    }
    return true;
}

static bool
api_line_preview(weir_conf_t *cf, weir_api_t *api, const weir_conf_words_t *words)
{
    if (words->n < 2 || api->preview != NULL) {
        return weir_conf_error(cf, 0, words->n < 2 ? "\"preview\" needs a condition" : "\"preview\" stands twice");
    }
    api->preview_words = *words;
    api->preview = weir_conf_predicate(cf, words, 1, words->n);
    return api->preview != NULL;
}

static bool
api_line_title(weir_conf_t *cf, weir_api_t *api, const weir_conf_words_t *words)
{
    if (words->n != 2 || api->title.len != 0) {
        return weir_conf_error(cf, 0, words->n != 2 ? "\"title\" takes one text" : "\"title\" stands twice");
    }
    if (words->at[1].text.len == 0 || !weir_syntax_is_field_value(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "a text without line ends and other controls");
    }
    api->title = words->at[1].text;
    return true;
}

static bool
api_line_openapi(weir_conf_t *cf, weir_api_t *api, const weir_conf_words_t *words)
{
    if (words->n != 2 || api->document.file.len != 0) {
        return weir_conf_error(cf, 0, words->n != 2 ? "\"openapi\" takes one file" : "\"openapi\" stands twice");
    }
    return weir_api_document_read(cf, 1, words->at[1].text, &api->document);
}

bool
weir_api_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    static const struct {
        const char *name;
        bool      (*read)(weir_conf_t *cf, weir_api_t *api, const weir_conf_words_t *words);
    } lines[] = {
        { "title", api_line_title }, { "plans", api_line_plans }, { "preview", api_line_preview },
        { "openapi", api_line_openapi }, { "version", api_line_version },
    };
    const char *names[weir_countof(lines)], *near;

    for (size_t i = 0; i < weir_countof(lines); i++) {
        names[i] = lines[i].name;
        if (weir_str_eq(words->at[0].text, weir_str_from_z(lines[i].name))) {
            return lines[i].read(cf, block->owner, words);
        }
    }
    near = weir_conf_nearest(words->at[0].text, names, weir_countof(names));
    return weir_conf_error(cf, 0, "\"%.*s\" is no line of \"api\": expected title, plans, preview, openapi or "
                           "version%s%s%s",
                           WEIR_STR_ARG(words->at[0].text), near != NULL ? ", did you mean \"" : "",
                           near != NULL ? near : "", near != NULL ? "\"?" : "");
}

bool
weir_api_settle(weir_conf_t *cf, weir_api_t *api)
{
    if (api->versions.n == 0) {
        return weir_conf_error_at(cf, &api->words, "api \"%.*s\" has no version", WEIR_STR_ARG(api->name));
    }
    for (size_t i = 0; i < api->versions.n; i++) {
        if (api->versions.at[i].document.file.len == 0) {
            api->versions.at[i].document = api->document;
        }
    }
    return true;
}
