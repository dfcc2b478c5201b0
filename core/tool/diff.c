/*
 * diff.c - see diff.h.
 *
 * A place (a route, a location, a server itself) is what explain tells of it: the lines of its block and the policies
 * that run in it, wherever they are said; files and line numbers are left out.  Requests are asked of both
 * configurations, by explain.
 */
#include "tool/diff.h"

#include "log/log.h"
#include "proc/master/load.h"
#include "tool/explain.h"
#include "tool/explain_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIFF_CHANGED 2

typedef struct {
    weir_generation_t *generation;
    weir_probe_t      *probe;
    json_t            *places;       /* by "server, kind name": an array of lines */
    json_t            *seen;         /* places that a request came to: by the same */
} diff_side_t;

typedef struct { const char *old, *new, *traffic; } diff_args_t;

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
    json_t       *policies = weir_explain_policies(place);
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

    weir_arena_init(&arena, 1024);
    source.keeps_lines = true;
    source.file = file[0] == '/' ? weir_str_from_z(file)
                                 : weir_str_printf(&arena, "%.*s%s", WEIR_STR_ARG(source.prefix), file);
    *side = (diff_side_t) { .generation = weir_load(&source, 1, NULL, &error) };
    weir_arena_fini(&arena);
    if (side->generation == NULL) {
        return false;
    }
    side->places = json_object();
    side->seen = json_object();
    side->probe = weir_probe_create(side->generation);
    if (side->probe == NULL) {
        fprintf(stderr, "weir: diff: an event loop cannot be made (%d: %s)\n", errno, strerror(errno));
        return false;
    }
    http = weir_http_conf_of(side->generation);
    for (size_t i = 0; http != NULL && i < http->n_servers; i++) {
        diff_add_place(side, http->servers[i], "", WEIR_STR_NONE, http->servers[i]->fallback);
        diff_add_places(side, http->servers[i], http->servers[i]->block);
    }
    return true;
}

static void
diff_close(diff_side_t *side)
{
    if (side->probe != NULL) {
        weir_probe_destroy(side->probe);
    }
    if (side->generation != NULL) {
        weir_generation_unref(side->generation);
    }
    json_decref(side->places);
    json_decref(side->seen);
}

/* -- places -- */

static void
diff_show(const char *text)
{
    for (; *text != '\0'; text++) {
        putchar((unsigned char) *text < 0x20 || *text == 0x7f ? '?' : *text);
    }
}

static void
diff_show_line(const char *text)
{
    diff_show(text);
    putchar('\n');
}

/* Lines of one that the other has not, as often as that is so. */
static bool
diff_lines(const char *mark, const json_t *lines, const json_t *others, bool shows)
{
    json_t       *left = json_copy((json_t *) (uintptr_t) others);
    const json_t *line;
    size_t        i, k;
    bool          differs = false;

    json_array_foreach(lines, i, line) {
        for (k = 0; k < json_array_size(left) && !json_equal(json_array_get(left, k), line); k++) {
        }
        if (k < json_array_size(left)) {
            (void) json_array_remove(left, k);
            continue;
        }
        differs = true;
        if (shows) {
            printf("    %s ", mark);
            diff_show_line(json_string_value(line));
        }
    }
    json_decref(left);
    return differs;
}

static bool
diff_places(const diff_side_t *old, const diff_side_t *new)
{
    const char *key;
    json_t     *lines;
    bool        differs = false;

    json_object_foreach(old->places, key, lines) {
        const json_t *others = json_object_get(new->places, key);

        if (others == NULL) {
            printf("removed  ");
            diff_show_line(key);
        } else if (diff_lines("-", lines, others, false) || diff_lines("+", others, lines, false)) {
            printf("changed  ");
            diff_show_line(key);
            (void) diff_lines("-", lines, others, true);
            (void) diff_lines("+", others, lines, true);
        } else {
            continue;
        }
        differs = true;
    }
    json_object_foreach(new->places, key, lines) {
        if (json_object_get(old->places, key) == NULL) {
            printf("added    ");
            diff_show_line(key);
            differs = true;
        }
    }
    return differs;
}

/* -- requests -- */

static void
diff_take(json_t *fate, const char *name, const json_t *value)
{
    if (value != NULL) {
        (void) json_object_set(fate, name, (json_t *) (uintptr_t) value);
    }
}

/* Where it goes and what comes of it, without files and lines. */
static json_t *
diff_fate(diff_side_t *side, const json_t *facts)
{
    static const char *const kinds[] = { "route", "location" };
    const json_t *server = json_object_get(facts, "server"), *target = json_object_get(facts, "target");
    const json_t *answer = json_object_get(facts, "answer");
    json_t       *fate = json_object(), *key;

    diff_take(fate, "server", json_object_get(server, "first_name"));
    for (size_t i = 0; i < weir_countof(kinds); i++) {
        const json_t *place = json_object_get(facts, kinds[i]);

        if (place != NULL) {
            diff_take(fate, kinds[i], json_object_get(place, "name"));
            key = json_sprintf("server \"%s\", %s %s", json_string_value(json_object_get(server, "first_name")),
                               kinds[i], json_string_value(json_object_get(place, "name")));
            (void) json_object_set_new(side->seen, json_string_value(key), json_true());
            json_decref(key);
        }
    }
    diff_take(fate, "outcome", json_object_get(facts, "outcome"));
    diff_take(fate, "status", json_object_get(answer, "status"));
    diff_take(fate, "redirect", json_object_get(answer, "location"));
    diff_take(fate, "upstream", json_object_get(json_object_get(target, "upstream"), "name"));
    diff_take(fate, "asks", json_object_get(target, "target"));
    diff_take(fate, "file", json_object_get(target, "file"));
    return fate;
}

static void
diff_show_fate(const char *mark, const json_t *fate)
{
    const char   *name, *between = "";
    const json_t *value;

    printf("    %s ", mark);
    json_object_foreach((json_t *) (uintptr_t) fate, name, value) {
        printf("%s%s ", between, name);
        between = ", ";
        if (json_is_integer(value)) {
            printf("%d", (int) json_integer_value(value));
        } else {
            diff_show(json_string_value(value));
        }
    }
    putchar('\n');
}

/* Places that no request came to: what is said of the traffic says nothing of them. */
static void
diff_unseen(const diff_side_t *side)
{
    const char *key;
    json_t     *lines;

    json_object_foreach(side->places, key, lines) {
        if (strstr(key, "\", ") != NULL && json_object_get(side->seen, key) == NULL) {
            printf("unseen   ");
            diff_show_line(key);
        }
    }
}

static bool
diff_requests(diff_side_t *old, diff_side_t *new, FILE *traffic)
{
    char      *line = NULL;
    size_t     room = 0, n = 0, changed = 0;
    weir_str_t text;

    while (weir_explain_next_line(traffic, &line, &room, &text)) {
        json_t *before, *after, *was, *is;

        if (text.len == 0 || (before = weir_explain_ask_line(old->generation, old->probe, text)) == NULL) {
            continue;
        }
        after = weir_explain_ask_line(new->generation, new->probe, text);
        was = diff_fate(old, before);
        is = diff_fate(new, after);
        n++;
        if (!json_equal(was, is)) {
            changed++;
            printf("request  ");
            diff_show(json_string_value(json_object_get(before, "request")));
            putchar('\n');
            diff_show_fate("-", was);
            diff_show_fate("+", is);
        }
        json_decref(before);
        json_decref(after);
        json_decref(was);
        json_decref(is);
    }
    free(line);
    printf("traffic  %zu of %zu requests change (%.2f%%)\n", changed, n,
           n != 0 ? 100.0 * (double) changed / (double) n : 0.0);
    diff_unseen(new);
    return changed != 0;
}

/* -- the tool -- */

static bool
diff_read_args(diff_args_t *args, char *const *argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--traffic") == 0 && argv[1] != NULL) {
            args->traffic = *++argv;
        } else if ((*argv)[0] == '-') {
            fprintf(stderr, "weir: diff: \"%s\": expected --traffic FILE, and two configurations\n", *argv);
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
    }
    return args->new != NULL;
}

static int
diff_run(diff_side_t *old, diff_side_t *new, FILE *traffic)
{
    static weir_log_sink_t nowhere = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = -1 };
    bool                   differs;

    weir_log_use(&nowhere);
    differs = diff_places(old, new);
    if (traffic != NULL) {
        differs = diff_requests(old, new, traffic) || differs;
    }
    weir_log_use(NULL);
    return differs ? DIFF_CHANGED : 0;
}

int
weir_tool_diff(const weir_conf_source_t *source, char *const *argv)
{
    diff_args_t args = { .old = NULL };
    diff_side_t old = { .probe = NULL }, new = { .probe = NULL };
    FILE       *traffic = NULL;
    int         code = WEIR_EXPLAIN_FAILED;

    if (!diff_read_args(&args, argv)) {
        return WEIR_EXPLAIN_MISUSE;
    }
    if (args.traffic != NULL && (traffic = fopen(args.traffic, "re")) == NULL) {
        fprintf(stderr, "weir: diff: open() \"%s\" failed (%d: %s)\n", args.traffic, errno, strerror(errno));
        return WEIR_EXPLAIN_FAILED;
    }
    if (diff_open(&old, source, args.old) && diff_open(&new, source, args.new)) {
        code = diff_run(&old, &new, traffic);
    }
    diff_close(&old);
    diff_close(&new);
    if (traffic != NULL) {
        (void) fclose(traffic);
    }
    return code;
}
