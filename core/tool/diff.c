/*
 * diff.c - see diff.h.
 *
 * A place (a route, a location, a server itself) is what explain tells of it: the lines of its block and the policies
 * that run in it, wherever they are said; files and line numbers are left out.  Requests are asked of both
 * configurations (traffic.h).
 */
#include "tool/diff.h"

#include "proc/master/load.h"
#include "tool/explain.h"
#include "tool/running.h"
#include "tool/traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIFF_CHANGED 2

typedef struct {
    weir_fate_side_t *side;
    json_t      *places;             /* by "server, kind name": an array of lines */
} diff_side_t;

typedef struct { const char *old, *new; weir_traffic_source_t traffic; bool json; } diff_args_t;

/* -- what a place is -- */

static void
diff_add_text(json_t *lines, const char *before, const json_t *line)
{
    (void) json_array_append_new(lines, json_sprintf("%s%s", before, json_string_value(json_object_get(line, "line"))));
}

/* Everything that stands in the block, but for locations, which are places of their own. */
static void
diff_add_block(json_t *lines, const weir_conf_block_t *block)
{
    for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
        if (line->row->opens == 0) {
            json_t *told = weir_explain_line(line->words);

            diff_add_text(lines, "", told);
            json_decref(told);
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!(inner->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE))) {
            json_t *told = weir_explain_line(&inner->words);

            diff_add_text(lines, "", told);
            json_decref(told);
            diff_add_block(lines, inner);
        }
    }
}

static void
diff_add_policies(json_t *lines, const weir_http_location_t *place)
{
    json_t       *policies = weir_explain_policies(place, NULL);
    const json_t *policy, *line;
    size_t        i, k;

    json_array_foreach(policies, i, policy) {
        json_array_foreach(json_object_get(policy, "lines"), k, line) {
            if (json_is_true(json_object_get(line, "inherited"))) {
                diff_add_text(lines, "inherits ", line);
            }
        }
    }
    json_decref(policies);
}

/* What it is called in both of them: a server by its names, as a request finds it. */
static json_t *
diff_key(const weir_http_server_t *server, const char *kind, weir_str_t name)
{
    return json_sprintf("server \"%.*s\"%s%s%s%.*s", WEIR_STR_ARG(server->primary_name), *kind != '\0' ? ", " : "",
                        kind, name.len != 0 ? " " : "", WEIR_STR_ARG(name));
}

static void
diff_add_place(diff_side_t *side, const weir_http_server_t *server, const char *kind, weir_str_t name,
               const weir_http_location_t *place)
{
    json_t     *key = diff_key(server, kind, name), *lines = json_array();
    const char *text = json_string_value(key);
    json_t     *there = text != NULL ? json_object_get(side->places, text) : NULL;

    diff_add_block(lines, place->block);
    if (place != server->fallback) {
        diff_add_policies(lines, place);
    }
    if (there != NULL) {
        (void) json_array_extend(there, lines);          /* two servers of one name: at two addresses */
        json_decref(lines);
    } else if (text != NULL) {
        (void) json_object_set_new(side->places, text, lines);
    } else {
        json_decref(lines);
    }
    json_decref(key);
}

static void
diff_add_places(diff_side_t *side, const weir_http_server_t *server, const weir_conf_block_t *parent)
{
    for (const weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        const weir_http_location_t *place = block->owner;

        if (block->context == WEIR_IN_ROUTE) {
            diff_add_place(side, server, "route", place->route->name, place);
        } else if (block->context == WEIR_IN_LOCATION) {
            diff_add_place(side, server, "location", place->name, place);
        }
        if (block->context & (WEIR_IN_ROUTE | WEIR_IN_LOCATION)) {
            diff_add_places(side, server, block);
        }
    }
}

static bool
diff_open(diff_side_t *side, const weir_conf_source_t *before, const char *file)
{
    weir_conf_source_t      source = *before;
    weir_error_t            error = { .text = "" };
    weir_arena_t            arena;
    const weir_http_conf_t *http;
    weir_generation_t      *generation;

    weir_arena_init(&arena, 1024);
    source.keeps_lines = true;
    source.file = file[0] == '/' ? weir_str_from_z(file)
                                 : weir_str_printf(&arena, "%.*s%s", WEIR_STR_ARG(source.prefix), file);
    *side = (diff_side_t) { .side = NULL };
    generation = weir_load(&source, 1, NULL, &error);
    weir_arena_fini(&arena);
    if (generation == NULL) {
        return false;
    }
    side->side = weir_fate_side_open(generation, "diff");
    if (side->side == NULL) {
        return false;
    }
    side->places = json_object();
    http = weir_http_conf_of(generation);
    for (size_t i = 0; http != NULL && i < http->n_servers; i++) {
        diff_add_place(side, http->servers[i], "", WEIR_STR_NONE, http->servers[i]->fallback);
        diff_add_places(side, http->servers[i], http->servers[i]->block);
    }
    return true;
}

static void
diff_close(diff_side_t *side)
{
    weir_fate_side_close(side->side);
    json_decref(side->places);
}

/* -- places -- */

/* Lines of one that the other has not, as often as that is so. */
static json_t *
diff_lines(const json_t *lines, const json_t *others)
{
    json_t       *left = json_copy((json_t *) (uintptr_t) others), *more = json_array();
    const json_t *line;
    size_t        i, k;

    json_array_foreach(lines, i, line) {
        for (k = 0; k < json_array_size(left) && !json_equal(json_array_get(left, k), line); k++) {
        }
        if (k < json_array_size(left)) {
            (void) json_array_remove(left, k);
        } else {
            (void) json_array_append(more, (json_t *) (uintptr_t) line);
        }
    }
    json_decref(left);
    return more;
}

static void
diff_add_change(json_t *changes, const char *change, const char *place, json_t *removed, json_t *added)
{
    json_t *told = json_object();

    (void) json_object_set_new(told, "change", json_string(change));
    (void) json_object_set_new(told, "place", json_string(place));
    (void) json_object_set_new(told, "removed", removed != NULL ? removed : json_array());
    (void) json_object_set_new(told, "added", added != NULL ? added : json_array());
    (void) json_array_append_new(changes, told);
}

static json_t *
diff_places(const diff_side_t *old, const diff_side_t *new)
{
    const char *key;
    json_t     *lines, *changes = json_array(), *removed, *added;

    json_object_foreach(old->places, key, lines) {
        const json_t *others = json_object_get(new->places, key);

        if (others == NULL) {
            diff_add_change(changes, "removed", key, NULL, NULL);
            continue;
        }
        removed = diff_lines(lines, others);
        added = diff_lines(others, lines);
        if (json_array_size(removed) + json_array_size(added) != 0) {
            diff_add_change(changes, "changed", key, removed, added);
        } else {
            json_decref(removed);
            json_decref(added);
        }
    }
    json_object_foreach(new->places, key, lines) {
        if (json_object_get(old->places, key) == NULL) {
            diff_add_change(changes, "added", key, NULL, NULL);
        }
    }
    return changes;
}

static void
diff_print_lines(const char *mark, const json_t *lines)
{
    size_t        i;
    const json_t *line;

    json_array_foreach(lines, i, line) {
        printf("    %s ", mark);
        weir_explain_show(json_string_value(line));
        putchar('\n');
    }
}

static void
diff_print_places(const json_t *changes)
{
    size_t        i;
    const json_t *change;

    json_array_foreach(changes, i, change) {
        printf("%-8s ", json_string_value(json_object_get(change, "change")));
        weir_explain_show(json_string_value(json_object_get(change, "place")));
        putchar('\n');
        diff_print_lines("-", json_object_get(change, "removed"));
        diff_print_lines("+", json_object_get(change, "added"));
    }
}

/* -- the tool -- */

static bool
diff_read_args(diff_args_t *args, char *const *argv)
{
    size_t used;
    bool   good;

    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            args->json = true;
        } else if (weir_traffic_option(&args->traffic, argv, &used, &good)) {
            if (!good) {
                return false;
            }
            argv += used - 1;
        } else if ((*argv)[0] == '-') {
            fprintf(stderr, "weir: diff: \"%s\": expected --traffic FILE, --recorder, --format NAME, --host NAME or "
                    "--json, and two configurations\n", *argv);
            return false;
        } else if (args->old == NULL) {
            args->old = *argv;
        } else if (args->new == NULL) {
            args->new = *argv;
        } else {
            fprintf(stderr, "weir: diff: a third configuration \"%s\": expected two\n", *argv);
            return false;
        }
    }
    if (args->new == NULL) {
        fprintf(stderr, "weir: diff: expected two configurations: OLD NEW\n");
    } else if (args->traffic.log != NULL && args->traffic.recorder) {
        fprintf(stderr, "weir: diff: --traffic and --recorder: expected one of them\n");
        return false;
    }
    return args->new != NULL;
}

static void
diff_tell(const diff_args_t *args, json_t *places, const weir_traffic_sums_t *sums)
{
    json_t *told;

    if (!args->json) {
        diff_print_places(places);
        if (sums != NULL) {
            weir_traffic_print(sums, false);
        }
        return;
    }
    told = json_object();
    (void) json_object_set(told, "places", places);
    if (sums != NULL) {
        (void) json_object_set_new(told, "traffic", weir_traffic_json(sums));
    }
    weir_explain_dump(told);
    json_decref(told);
}

static int
diff_run(const diff_args_t *args, const diff_side_t *old, const diff_side_t *new)
{
    bool                       wants = args->traffic.log != NULL || args->traffic.recorder, differs;
    weir_traffic_t            *traffic = NULL;
    const weir_traffic_sums_t *sums = NULL;
    weir_settings_t            settings;
    pid_t                      pid = 0;
    json_t                    *places;

    weir_settings_read(&settings, weir_fate_side_generation(old->side));
    if (args->traffic.recorder && !weir_running_serving(settings.pid_file, &pid)) {
        return WEIR_EXPLAIN_FAILED;
    }
    if (wants) {
        traffic = weir_traffic_judge(old->side, new->side, &args->traffic, pid);
        if (traffic == NULL) {
            return WEIR_EXPLAIN_FAILED;
        }
        sums = weir_traffic_sums(traffic);
    }
    places = diff_places(old, new);
    diff_tell(args, places, sums);
    differs = json_array_size(places) != 0 || (sums != NULL && sums->changed != 0);
    json_decref(places);
    if (traffic != NULL) {
        weir_traffic_destroy(traffic);
    }
    return differs ? DIFF_CHANGED : 0;
}

int
weir_tool_diff(const weir_conf_source_t *source, char *const *argv)
{
    diff_args_t args = { .traffic = { .tool = "diff" } };
    diff_side_t old = { .side = NULL }, new = { .side = NULL };
    int         code = WEIR_EXPLAIN_FAILED;

    if (!diff_read_args(&args, argv)) {
        return WEIR_EXPLAIN_MISUSE;
    }
    if (diff_open(&old, source, args.old) && diff_open(&new, source, args.new)) {
        code = diff_run(&args, &old, &new);
    }
    diff_close(&old);
    diff_close(&new);
    return code;
}
