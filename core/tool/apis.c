/*
 * apis.c - see apis.h.  Text and JSON are made of the same object.
 */
#include "tool/apis.h"

#include "http/route/api.h"
#include "proc/master/load.h"
#include "tool/explain_facts.h"
#include "tool/live.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define APIS_MISUSE 64

typedef struct {
    const char *name;                        /* of one API only; NULL: all */
    bool        json, live;
} apis_args_t;

/* -- facts -- */

static void
apis_set_text(json_t *told, const char *member, weir_str_t text)
{
    if (text.len != 0) {
        (void) json_object_set_new(told, member, weir_explain_text(text));
    }
}

static void
apis_set_date(json_t *told, const char *member, int64_t seconds)
{
    time_t    at = (time_t) seconds;
    char      text[32];
    struct tm t;

    if (seconds != WEIR_DEPRECATION_NO_DATE && gmtime_r(&at, &t) != NULL
        && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &t) != 0)
    {
        (void) json_object_set_new(told, member, json_string(text));
    }
}

static json_t *
apis_document(const weir_api_document_t *document)
{
    json_t *told = json_object();

    apis_set_text(told, "file", document->file);
    apis_set_text(told, "openapi", document->openapi);
    apis_set_text(told, "title", document->title);
    apis_set_text(told, "version", document->version);
    (void) json_object_set_new(told, "operations", json_integer(document->operations));
    return told;
}

static const char *
apis_kind(const weir_conf_block_t *block)
{
    return block->context == WEIR_IN_ROUTE ? "route" : block->context == WEIR_IN_SERVER ? "server" : "location";
}

/* A server is a place, too: what no location takes. */
static bool
apis_is_place(const weir_conf_block_t *block, const weir_api_version_t *version)
{
    const weir_api_conf_t *conf = block->confs[weir_http_api_index];

    return (block->context & (WEIR_IN_SERVER | WEIR_IN_LOCATION | WEIR_IN_ROUTE)) != 0 && conf != NULL
        && conf->use.at == version;
}

static void
apis_add_place(json_t *places, const weir_conf_block_t *block, const weir_http_server_t *server)
{
    json_t *place = json_object();

    (void) json_object_set_new(place, "server", weir_explain_text(server->primary_name));
    (void) json_object_set_new(place, "kind", json_string(apis_kind(block)));
    if (block->context != WEIR_IN_SERVER) {
        const weir_http_location_t *location = block->owner;

        (void) json_object_set_new(place, "name",
                                   weir_explain_text(location->route != NULL ? location->route->name : location->name));
    }
    (void) json_object_set_new(place, "at", weir_explain_at(&block->words));
    (void) json_array_append_new(places, place);
}

static void
apis_add_places(json_t *places, const weir_conf_block_t *block, const weir_http_server_t *server,
                const weir_api_version_t *version)
{
    if (block->context == WEIR_IN_SERVER) {
        server = block->owner;
    }
    if (server != NULL && apis_is_place(block, version)) {
        apis_add_place(places, block, server);
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        apis_add_places(places, inner, server, version);
    }
}

/* NULL: nothing is said of http. */
static const weir_conf_block_t *
apis_root(const weir_generation_t *generation)
{
    const weir_conf_block_t *block = generation->root->first;

    while (block != NULL && block->context != WEIR_IN_HTTP) {
        block = block->next;
    }
    return block;
}

static json_t *
apis_version(const weir_generation_t *generation, const weir_api_version_t *version)
{
    const weir_conf_block_t *root = apis_root(generation);
    json_t                  *told = json_object(), *places = json_array();

    (void) json_object_set_new(told, "version", weir_explain_text(version->name));
    (void) json_object_set_new(told, "state", json_string(weir_api_state_name(version->state)));
    apis_set_date(told, "since", version->deprecation.since_s);
    apis_set_date(told, "sunset", version->deprecation.sunset_s);
    apis_set_text(told, "link", version->deprecation.url);
    if (version->document.file.len != 0) {
        (void) json_object_set_new(told, "document", apis_document(&version->document));
    }
    (void) json_object_set_new(told, "at", weir_explain_at(&version->words));
    if (root != NULL) {
        apis_add_places(places, root, NULL, version);
    }
    (void) json_object_set_new(told, "places", places);
    return told;
}

static json_t *
apis_one(const weir_generation_t *generation, const weir_api_t *api)
{
    json_t *told = json_object(), *plans = json_array(), *versions = json_array();

    (void) json_object_set_new(told, "name", weir_explain_text(api->name));
    apis_set_text(told, "title", api->title);
    for (size_t i = 0; i < api->plans.n; i++) {
        (void) json_array_append_new(plans, weir_explain_text(api->plans.at[i]));
    }
    (void) json_object_set_new(told, "plans", plans);
    if (api->preview != NULL) {
        (void) json_object_set_new(told, "preview", weir_explain_words(&api->preview_words));
    }
    (void) json_object_set_new(told, "at", weir_explain_at(&api->words));
    for (size_t i = 0; i < api->versions.n; i++) {
        (void) json_array_append_new(versions, apis_version(generation, &api->versions.at[i]));
    }
    (void) json_object_set_new(told, "versions", versions);
    return told;
}

static json_t *
apis_facts(const weir_generation_t *generation, const char *name)
{
    json_t *list = json_array();

    for (const weir_api_t *api = weir_api_first(generation); api != NULL; api = api->next) {
        if (name == NULL || weir_str_eq(api->name, weir_str_from_z(name))) {
            (void) json_array_append_new(list, apis_one(generation, api));
        }
    }
    return list;
}

/* -- text -- */

static const char *
apis_text(const json_t *told, const char *member)
{
    const char *text = json_string_value(json_object_get(told, member));

    return text != NULL ? text : "";
}

static void
apis_show_member(const json_t *told, const char *member)
{
    if (*apis_text(told, member) != '\0') {
        printf("  %s %s", member, apis_text(told, member));
    }
}

static void
apis_show_version(const json_t *version)
{
    const json_t *document = json_object_get(version, "document"), *place;
    size_t        i;

    printf("  %-12s %-10s", apis_text(version, "version"), apis_text(version, "state"));
    apis_show_member(version, "since");
    apis_show_member(version, "sunset");
    apis_show_member(version, "link");
    printf("  (%s)\n", apis_text(version, "at"));
    if (document != NULL) {
        printf("    document   %s: \"%s\" %s, OpenAPI %s, %lld operations\n", apis_text(document, "file"),
               apis_text(document, "title"), apis_text(document, "version"), apis_text(document, "openapi"),
               (long long) json_integer_value(json_object_get(document, "operations")));
    }
    json_array_foreach(json_object_get(version, "places"), i, place) {
        printf("    %-10s %s%sserver \"%s\"  (%s)\n", apis_text(place, "kind"), apis_text(place, "name"),
               *apis_text(place, "name") != '\0' ? " of " : "", apis_text(place, "server"), apis_text(place, "at"));
    }
}

static void
apis_show(const json_t *list)
{
    const json_t *api, *version, *plan;
    size_t        i, k;

    json_array_foreach(list, i, api) {
        printf("%s", apis_text(api, "name"));
        if (*apis_text(api, "title") != '\0') {
            printf("  \"%s\"", apis_text(api, "title"));
        }
        printf("  (%s)\n", apis_text(api, "at"));
        if (json_array_size(json_object_get(api, "plans")) != 0) {
            printf("  plans       ");
            json_array_foreach(json_object_get(api, "plans"), k, plan) {
                printf(" %s", json_string_value(plan));
            }
            putchar('\n');
        }
        if (*apis_text(api, "preview") != '\0') {
            printf("  %s\n", apis_text(api, "preview"));
        }
        json_array_foreach(json_object_get(api, "versions"), k, version) {
            apis_show_version(version);
        }
    }
}

/* -- the tool -- */

static bool
apis_read_args(apis_args_t *args, char *const *argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            args->json = true;
        } else if (strcmp(*argv, "--live") == 0) {
            args->live = true;
        } else if (**argv == '-' || args->name != NULL) {
            fprintf(stderr, "weir: apis: unexpected \"%s\": expected the name of an API, --live or --json\n", *argv);
            return false;
        } else {
            args->name = *argv;
        }
    }
    return true;
}

int
weir_tool_apis(const weir_conf_source_t *from, char *const *argv)
{
    weir_conf_source_t source = *from;
    weir_error_t       error = { .text = "" };
    apis_args_t        args = { .name = NULL };
    weir_generation_t *generation;
    json_t            *list;
    int                code = 0;

    if (!apis_read_args(&args, argv)) {
        return APIS_MISUSE;
    }
    source.keeps_lines = true;
    generation = args.live ? weir_live_load(&source, NULL) : weir_load(&source, 1, NULL, &error);
    if (generation == NULL) {
        return 1;
    }
    list = apis_facts(generation, args.name);
    if (args.name != NULL && json_array_size(list) == 0) {
        fprintf(stderr, "weir: apis: there is no api \"%s\"\n", args.name);
        code = 1;
    } else if (args.json) {
        json_t *all = json_pack("{s:O}", "apis", list);

        (void) json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        apis_show(list);
    }
    json_decref(list);
    weir_generation_unref(generation);
    return code;
}
