/*
 * fragments.c - see fragments.h: words become requests to the control socket, and answers lines of a table.
 */
#include "tool/fragments.h"

#include "base/arena.h"
#include "conf/tree_json.h"
#include "os/file.h"
#include "tool/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAGMENTS_PATH 4096
#define FRAGMENTS_MAX  ((size_t) 16 << 20)   /* bytes of what is put */

static int
fragments_wrong(const char *text)
{
    fprintf(stderr, "weir: fragments: %s\n", text);
    return 1;
}

/* -- what is put -- */

/* The bytes of a file, or of standard input for "-".  false: said on standard error. */
static bool
fragments_slurp(weir_arena_t *arena, const char *file, weir_str_t *text)
{
    char  *at;
    size_t len;

    if (strcmp(file, "-") != 0) {
        if (!weir_file_read(arena, file, FRAGMENTS_MAX, text)) {
            fprintf(stderr, "weir: \"%s\" cannot be read: %s\n", file, strerror(errno));
            return false;
        }
        return true;
    }
    at = weir_alloc_bytes(arena, FRAGMENTS_MAX + 1);
    len = fread(at, 1, FRAGMENTS_MAX + 1, stdin);
    *text = weir_str(at, len);
    if (len > FRAGMENTS_MAX) {
        fprintf(stderr, "weir: more than %zu MiB are too much\n", FRAGMENTS_MAX >> 20);
    }
    return len <= FRAGMENTS_MAX;
}

static json_t *
fragments_load(weir_str_t text, const char *file)
{
    json_error_t why;
    json_t      *json = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &why);

    if (json == NULL) {
        fprintf(stderr, "weir: \"%s\": %s in line %d\n", file, why.text, why.line);
    }
    return json;
}

/* JSON as it is, a text in its JSON notation.  NULL: said on standard error. */
static json_t *
fragments_read(weir_arena_t *arena, const char *file)
{
    weir_error_t      error = { .text = "" };
    weir_tree_node_t *tree;
    weir_str_t        text, from;
    char             *said = NULL;
    size_t            len;
    FILE             *out;
    json_t           *json = NULL;
    bool              good;

    if (!fragments_slurp(arena, file, &text)) {
        return NULL;
    }
    for (from = text; from.len != 0 && strchr(" \t\r\n", from.at[0]) != NULL;) {
        from = weir_str_skip(from, 1);
    }
    if (weir_str_starts(from, WEIR_STR("["))) {
        return fragments_load(text, file);
    }
    tree = weir_tree_read(arena, text, file, &error);
    out = tree != NULL ? open_memstream(&said, &len) : NULL;
    if (out != NULL) {
        good = weir_tree_json_write(tree, out, &error);
        if (fclose(out) == 0 && good) {
            json = json_loadb(said, len, JSON_ALLOW_NUL, NULL);
        }
        free(said);
    }
    if (json == NULL) {
        fprintf(stderr, "weir: %s\n", weir_error_is_set(&error) ? error.text : "there is no memory");
    }
    return json;
}

/* -- answers -- */

static const char *
fragments_text(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text != NULL ? text : "-";
}

static void
fragments_print(const json_t *answer)
{
    const json_t *row;
    size_t        i;

    printf("%-40s %-7s %-16s %8s %8s  %s\n", "FRAGMENT", "FROM", "DIGEST", "SINCE", "REFUSED", "STATE");
    json_array_foreach(json_object_get(answer, "fragments"), i, row) {
        printf("%-40s %-7s %-16s %8lld %8lld  %s%s%s\n", fragments_text(row, "name"), fragments_text(row, "from"),
               fragments_text(row, "digest"), (long long) json_integer_value(json_object_get(row, "since")),
               (long long) json_integer_value(json_object_get(row, "refused")), fragments_text(row, "state"),
               json_object_get(row, "error") != NULL ? ": " : "",
               json_object_get(row, "error") != NULL ? fragments_text(row, "error") : "");
    }
}

/* The answer, given back; what is wrong goes to standard error. */
static int
fragments_tell(json_t *answer, bool as_table)
{
    const char   *error = answer != NULL ? json_string_value(json_object_get(answer, "error")) : NULL;
    const json_t *pointer = json_object_get(answer, "pointer"), *fragment = json_object_get(answer, "fragment");
    bool          is_row = json_object_get(answer, "state") != NULL;
    int           code = answer == NULL || (error != NULL && !is_row) ? 1 : 0;

    if (error != NULL && !is_row) {
        fprintf(stderr, "weir: %s%s%s%s%s\n", fragment != NULL ? "fragment \"" : "",
                fragment != NULL ? json_string_value(fragment) : "", fragment != NULL ? "\": " : "", error, "");
        if (pointer != NULL && strstr(error, json_string_value(pointer)) == NULL) {
            fprintf(stderr, "weir: that is at %s\n", json_string_value(pointer));
        }
    } else if (answer != NULL && as_table) {
        fragments_print(answer);
    } else if (answer != NULL) {
        (void) json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        printf("\n");
    }
    json_decref(answer);
    return code;
}

/* body: given back. */
static int
fragments_ask(const weir_settings_t *settings, const char *method, const char *path, json_t *body, bool as_table)
{
    weir_tool_ask_t ask;
    int             code = 1;

    if (weir_tool_ask_open(&ask, settings)) {
        code = weir_tool_ask_send(&ask, method, path, body) ? fragments_tell(weir_tool_ask_read(&ask), as_table) : 1;
        weir_tool_ask_close(&ask);
    }
    json_decref(body);
    return code;
}

/* -- words -- */

/* NAME [if_digest=DIGEST] at the end of the path.  false: said on standard error. */
static bool
fragments_name(char *path, size_t room, const char *name, const char *option)
{
    size_t len;

    if (!weir_tool_ask_path(path, room, name)) {
        return fragments_wrong("the name is too long") == 0;
    }
    if (option == NULL) {
        return true;
    }
    len = strlen(path);
    if (strncmp(option, "if_digest=", strlen("if_digest=")) != 0 || strlen(option) > 64
        || strspn(option + strlen("if_digest="), "0123456789abcdef") != strlen(option) - strlen("if_digest="))
    {
        return fragments_wrong("expected if_digest= with the digest that it has, or nothing if there is none") == 0;
    }
    (void) snprintf(path + len, room - len, "?%s", option);
    return true;
}

static int
fragments_change(const weir_settings_t *settings, const char *verb, char *const *argv)
{
    char         path[FRAGMENTS_PATH] = "/v1/fragments";
    weir_arena_t arena;
    json_t      *body;
    int          code = 1;

    weir_arena_init(&arena, 16384);
    if (strcmp(verb, "apply") == 0) {
        weir_str_t text;

        if (argv[0] == NULL || argv[1] != NULL) {
            code = fragments_wrong("expected apply FILE|- with {\"put\":[{\"name\":…,\"tree\":[…]}],\"remove\":[…]}");
        } else if (fragments_slurp(&arena, argv[0], &text) && (body = fragments_load(text, argv[0])) != NULL) {
            code = fragments_ask(settings, "POST", path, body, false);
        }
    } else if (strcmp(verb, "put") == 0) {
        if (argv[0] == NULL || argv[1] == NULL || (argv[2] != NULL && argv[3] != NULL)) {
            code = fragments_wrong("expected put NAME FILE|- [if_digest=DIGEST]");
        } else if (fragments_name(path, sizeof(path), argv[0], argv[2])
                   && (body = fragments_read(&arena, argv[1])) != NULL)
        {
            code = fragments_ask(settings, "PUT", path, body, false);
        }
    } else if (argv[0] == NULL || (argv[1] != NULL && argv[2] != NULL)) {
        code = fragments_wrong("expected remove NAME [if_digest=DIGEST]");
    } else if (fragments_name(path, sizeof(path), argv[0], argv[1])) {
        code = fragments_ask(settings, "DELETE", path, NULL, false);
    }
    weir_arena_fini(&arena);
    return code;
}

int
weir_tool_fragments(const weir_settings_t *settings, char *const *argv)
{
    char        path[FRAGMENTS_PATH] = "/v1/fragments";
    const char *verb = argv[0] != NULL && strcmp(argv[0], "--json") != 0 ? argv[0] : "list";

    argv += argv[0] != NULL && strcmp(argv[0], "--json") != 0;
    if (strcmp(verb, "list") == 0) {
        bool json = argv[0] != NULL && strcmp(argv[0], "--json") == 0;

        if (argv[json] != NULL) {
            return fragments_wrong("expected nothing behind list but --json");
        }
        return fragments_ask(settings, "GET", path, NULL, !json);
    }
    if (strcmp(verb, "get") == 0) {
        if (argv[0] == NULL || argv[1] != NULL) {
            return fragments_wrong("expected get NAME");
        }
        return fragments_name(path, sizeof(path), argv[0], NULL) ? fragments_ask(settings, "GET", path, NULL, false)
                                                                  : 1;
    }
    if (strcmp(verb, "put") == 0 || strcmp(verb, "remove") == 0 || strcmp(verb, "apply") == 0) {
        return fragments_change(settings, verb, argv);
    }
    return fragments_wrong("expected list, get, put, remove or apply");
}
