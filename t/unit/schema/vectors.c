/*
 * vectors.c - the JSON Schema Test Suite: all required cases of draft 2020-12 and draft-07, and the optional ones but
 * for those that are named here.  The suite lies in ../shared/vectors/json-schema; without it the test is skipped.
 */
#include "schema/schema.h"

#include "../vectors.h"
#include "tap.h"

#include <dirent.h>
#include <string.h>

static char *suite;

/* Optional files that say more than Weir means to do, each with the reason. */
static const struct { const char *file, *why; } left_out[] = {
    { "cross-draft.json", "needs draft 2019-09" },
    { "format-assertion.json", "formats are checked where an option says so, not a metaschema" },
    { "dependencies-compatibility.json", "a keyword of draft-07 in draft 2020-12" },
    { "content.json", "contentEncoding and contentMediaType say nothing" },
    { "format/ecmascript-regex.json", "PCRE2 knows more than ECMA-262" },
    { "hostname.json", "A-labels are not decoded" },
    { "idn-email.json", "a format that is not checked" },
    { "idn-hostname.json", "a format that is not checked" },
    { "iri.json", "a format that is not checked" },
    { "iri-reference.json", "a format that is not checked" },
    { "uri-template.json", "a format that is not checked" },
    { "regex.json", "a format that is not checked" },
    { "duration.json", "a format that is not checked" },
    { "relative-json-pointer.json", "a format that is not checked" },
};

typedef struct { weir_arena_t *arena; char room[512]; } remotes_t;

static const weir_json_t *
load(weir_arena_t *arena, const char *path)
{
    const weir_json_limits_t limits = { .depth = WEIR_JSON_DEPTH_MAX, .values = 100000 };
    const size_t             room = 1 << 20;
    char                    *text = weir_alloc_bytes(arena, room);
    const weir_json_t       *json = NULL;
    FILE                    *file = fopen(path, "rb");
    size_t                   n = file != NULL ? fread(text, 1, room, file) : 0;

    if (file != NULL) {
        (void) fclose(file);
    }
    if (n == room || weir_json_parse(arena, weir_str(text, n), limits, &json) != WEIR_JSON_GOOD) {
        printf("# %s cannot be read\n", path);
        return NULL;
    }
    return json;
}

/* http://localhost:1234/PATH is remotes/PATH. */
static const weir_json_t *
find_remote(void *data, weir_str_t uri)
{
    remotes_t *remotes = data;
    weir_str_t server = WEIR_STR("http://localhost:1234/");

    if (!weir_str_starts(uri, server)) {
        return NULL;
    }
    uri = weir_str_skip(uri, server.len);
    (void) snprintf(remotes->room, sizeof(remotes->room), "%s/remotes/%.*s", suite, WEIR_STR_ARG(uri));
    return load(remotes->arena, remotes->room);
}

static weir_str_t
text_of(const weir_json_t *object, weir_str_t member)
{
    weir_str_t text;

    return weir_json_get_string(object, member, &text) ? text : WEIR_STR("?");
}

/* The number of cases that went wrong. */
static unsigned
run_group(const weir_json_t *group, weir_schema_draft_t draft, bool checks_format, unsigned *n)
{
    weir_arena_t          arena;
    remotes_t             remotes = { .arena = &arena };
    weir_schema_options_t options = { .draft = draft, .checks_format = checks_format, .find = find_remote,
                                      .data = &remotes };
    weir_error_t          error = { .text = "" };
    weir_schema_fault_t   fault;
    const weir_schema_t  *schema;
    unsigned              wrong = 0;

    weir_arena_init(&arena, 16384);
    schema = weir_schema_compile(&arena, weir_json_get(group, WEIR_STR("schema")), WEIR_STR("http://test.invalid/x"),
                                 &options, &error);
    if (schema == NULL) {
        printf("# %.*s: %s\n", WEIR_STR_ARG(text_of(group, WEIR_STR("description"))), error.text);
    }
    for (const weir_json_t *test = weir_json_get(group, WEIR_STR("tests"))->first; test != NULL; test = test->next) {
        bool expected = weir_json_get(test, WEIR_STR("valid"))->kind == WEIR_JSON_TRUE;

        ++*n;
        if (schema == NULL || weir_schema_accepts(schema, weir_json_get(test, WEIR_STR("data")), &arena, &fault) != expected) {
            printf("# %.*s: %.*s: not %s (%.*s, %.*s)\n", WEIR_STR_ARG(text_of(group, WEIR_STR("description"))), WEIR_STR_ARG(text_of(test, WEIR_STR("description"))),
                   expected ? "accepted" : "refused", WEIR_STR_ARG(fault.at), WEIR_STR_ARG(fault.rule));
            wrong++;
        }
    }
    weir_arena_fini(&arena);
    return wrong;
}

static const char *
why_left_out(const char *path)
{
    for (size_t i = 0; i < weir_countof(left_out); i++) {
        size_t n = strlen(left_out[i].file), len = strlen(path);

        if (len > n && path[len - n - 1] == '/' && strcmp(path + len - n, left_out[i].file) == 0) {
            return left_out[i].why;
        }
    }
    return NULL;
}

static void
run_file(const char *folder, const char *file, weir_schema_draft_t draft, bool is_optional, bool checks_format)
{
    weir_arena_t arena;
    char         path[1024], what[1100];
    unsigned     n = 0, wrong = 0;
    const weir_json_t *groups;

    (void) snprintf(path, sizeof(path), "%s/%s", folder, file);
    if (is_optional && why_left_out(path) != NULL) {
        printf("# %s is left out: %s\n", path, why_left_out(path));
        return;
    }
    weir_arena_init(&arena, 4096);
    groups = load(&arena, path);
    for (const weir_json_t *group = groups != NULL ? groups->first : NULL; group != NULL; group = group->next) {
        wrong += run_group(group, draft, checks_format, &n);
    }
    (void) snprintf(what, sizeof(what), "%s: all of %u cases", path + strlen(suite) + 1, n);
    ok(groups != NULL && n != 0 && wrong == 0, what);
    weir_arena_fini(&arena);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
run_folder(const char *name, weir_schema_draft_t draft, bool is_optional, bool checks_format)
{
    struct dirent **entries;
    char            folder[512];
    int             n;

    (void) snprintf(folder, sizeof(folder), "%s/tests/%s", suite, name);
    n = scandir(folder, &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        if (strstr(entries[i]->d_name, ".json") != NULL) {
            run_file(folder, entries[i]->d_name, draft, is_optional, checks_format);
        }
        free(entries[i]);
    }
    if (n >= 0) {
        free((void *) entries);
    }
}

int
main(void)
{
    const char *path = vectors_path("json-schema");

    if (path == NULL) {
        printf("1..0 # SKIP the JSON Schema Test Suite is not here\n");
        return 0;
    }
    suite = strdup(path);
    run_folder("draft2020-12", WEIR_SCHEMA_2020_12, false, false);
    run_folder("draft7", WEIR_SCHEMA_DRAFT_07, false, false);
    run_folder("draft2020-12/optional", WEIR_SCHEMA_2020_12, true, false);
    run_folder("draft7/optional", WEIR_SCHEMA_DRAFT_07, true, false);
    run_folder("draft2020-12/optional/format", WEIR_SCHEMA_2020_12, true, true);
    run_folder("draft7/optional/format", WEIR_SCHEMA_DRAFT_07, true, true);
    free(suite);
    return done();
}
