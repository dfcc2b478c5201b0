/*
 * upstream.c - see upstream.h: words become commands of the control socket, and answers lines of a table.
 */
#include "tool/upstream.h"

#include "conf/module.h"
#include "tool/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPSTREAM_UNDER_WAY  64               /* commands of standard input that are not answered yet */
#define UPSTREAM_LATE       3
#define UPSTREAM_PATH       16384

/* -- requests -- */

/* Appended to the path as a query: what a command has beside what its path says. */
static void
upstream_put_query(char *path, size_t room, const json_t *rest)
{
    const char *name;
    json_t     *value;
    size_t      len = strlen(path);
    char        before = '?';

    json_object_foreach((json_t *) (uintptr_t) rest, name, value) {
        len += (size_t) snprintf(path + len, room - len, "%c%.40s%s", before, name,
                                 json_is_false(value) ? "=false" : "");
        before = '&';
        if (len + 64 > room) {
            break;
        }
    }
}

/* The request that a command is, sent.  NULL: it was; else the answer, new: it is none. */
static json_t *
upstream_send(weir_tool_ask_t *ask, const json_t *command, bool *sent)
{
    const char *what = json_string_value(json_object_get(command, "do"));
    const char *group = json_string_value(json_object_get(command, "group"));
    const char *server = json_string_value(json_object_get(command, "server"));
    char        path[UPSTREAM_PATH] = "/v1/upstreams";
    json_t     *rest;
    bool        good, is_of_server;

    if (!json_is_object(command) || what == NULL) {
        return json_pack("{s:s}", "error", "a command is to be a line of JSON, with \"do\"");
    }
    what = strncmp(what, "upstream.", 9) == 0 ? what + 9 : "";
    is_of_server = strcmp(what, "set") == 0 || strcmp(what, "drain") == 0 || strcmp(what, "remove") == 0;
    if (strcmp(what, "list") != 0 && strcmp(what, "add") != 0 && !is_of_server) {
        return json_pack("{s:s}", "error", "\"do\" is to be upstream.list, upstream.add, upstream.set, upstream.drain "
                         "or upstream.remove");
    }
    if (strcmp(what, "list") != 0 && (group == NULL || *group == '\0')) {
        return json_pack("{s:s}", "error", "\"group\" is to be the name of an upstream block");
    }
    if (is_of_server && (server == NULL || *server == '\0')) {
        return json_pack("{s:s}", "error", "\"server\" is to be IP, IP:PORT or unix:PATH");
    }
    rest = json_copy((json_t *) (uintptr_t) command);
    (void) json_object_del(rest, "do");
    (void) json_object_del(rest, "group");
    good = group == NULL || weir_tool_ask_path(path, sizeof(path), group);
    if (strcmp(what, "list") == 0) {
        *sent = good && weir_tool_ask_send(ask, "GET", path, NULL);
    } else if (strcmp(what, "add") == 0) {
        good = good && weir_tool_ask_path(path, sizeof(path), "servers");
        *sent = good && weir_tool_ask_send(ask, "POST", path, rest);
    } else {
        (void) json_object_del(rest, "server");
        good = good && weir_tool_ask_path(path, sizeof(path), "servers")
               && weir_tool_ask_path(path, sizeof(path), server);
        if (good && strcmp(what, "remove") == 0) {
            upstream_put_query(path, sizeof(path), rest);
            *sent = weir_tool_ask_send(ask, "DELETE", path, NULL);
        } else if (good) {
            if (strcmp(what, "drain") == 0) {
                (void) json_object_set_new(rest, "drain", json_true());
            }
            *sent = weir_tool_ask_send(ask, "PATCH", path, rest);
        }
    }
    json_decref(rest);
    return good ? NULL : json_pack("{s:s}", "error", "the name is too long");
}

/* The code for it; what is wrong with it goes to standard error. */
static int
upstream_judge(const json_t *answer)
{
    const char   *error = json_string_value(json_object_get(answer, "error"));
    const json_t *late = json_object_get(answer, "late"), *pid;
    size_t        i;

    if (error != NULL) {
        fprintf(stderr, "weir: %s\n", error);
        return 1;
    }
    if (late != NULL) {
        fprintf(stderr, "weir: it is changed, but workers do not go by it yet:");
        json_array_foreach(late, i, pid) {
            fprintf(stderr, " %lld", (long long) json_integer_value(pid));
        }
        fprintf(stderr, "\n");
    }
    return late != NULL ? UPSTREAM_LATE : 0;
}

/* -- tables -- */

static const char *
upstream_text(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text != NULL ? text : "-";
}

static long long
upstream_number(const json_t *row, const char *name)
{
    return (long long) json_integer_value(json_object_get(row, name));
}

static void
upstream_print_groups(const json_t *answer)
{
    const json_t *row;
    size_t        i;

    printf("%-32s %8s %8s\n", "GROUP", "SERVERS", "CHANGES");
    json_array_foreach(json_object_get(answer, "groups"), i, row) {
        printf("%-32s %8lld %8lld\n", upstream_text(row, "group"), upstream_number(row, "servers"),
               upstream_number(row, "changed"));
    }
}

static void
upstream_print_servers(const json_t *answer)
{
    const json_t *row;
    size_t        i;

    printf("%-28s %-14s %-10s %6s %6s %6s %6s  %s\n", "SERVER", "FROM", "STATE", "WEIGHT", "ACTIVE", "MAX", "FAILS",
           "MORE");
    json_array_foreach(json_object_get(answer, "servers"), i, row) {
        printf("%-28s %-14s %-10s %6lld %6lld %6lld %6lld ", upstream_text(row, "server"), upstream_text(row, "from"),
               upstream_text(row, "state"), upstream_number(row, "weight"), upstream_number(row, "active"),
               upstream_number(row, "max_conns"), upstream_number(row, "fails"));
        if (json_object_get(row, "name") != NULL) {
            printf(" name=%s", upstream_text(row, "name"));
        }
        if (upstream_number(row, "priority") != 0) {
            printf(" priority=%lld", upstream_number(row, "priority"));
        }
        if (json_object_get(row, "locality") != NULL) {
            printf(" locality=%s", upstream_text(row, "locality"));
        }
        printf("%s%s\n", json_is_true(json_object_get(row, "backup")) ? " backup" : "",
               json_is_true(json_object_get(row, "changed")) ? " changed" : "");
    }
}

/* -- words -- */

static bool
upstream_wrong(const char *word, const char *expected)
{
    fprintf(stderr, "weir: upstream: \"%s\": expected %s\n", word, expected);
    return false;
}

/* A word of add or set. */
static bool
upstream_take_word(json_t *command, const char *word)
{
    static const char expected[] = "weight=, max_fails=, max_conns= or priority= with a number, fail_timeout= or "
                                   "slow_start= with a time, locality=, backup, down, up or drain";
    const char *equals = strchr(word, '=');
    char        name[32];
    weir_str_t  value;
    uint64_t    number;

    if (strcmp(word, "backup") == 0 || strcmp(word, "down") == 0 || strcmp(word, "drain") == 0) {
        (void) json_object_set_new(command, word, json_true());
        return true;
    }
    if (strcmp(word, "up") == 0) {
        (void) json_object_set_new(command, "down", json_false());
        (void) json_object_set_new(command, "drain", json_false());
        return true;
    }
    if (equals == NULL || (size_t) (equals - word) >= sizeof(name)) {
        return upstream_wrong(word, expected);
    }
    memcpy(name, word, (size_t) (equals - word));
    name[equals - word] = '\0';
    value = weir_str_from_z(equals + 1);
    if (strcmp(name, "fail_timeout") == 0 || strcmp(name, "slow_start") == 0 || strcmp(name, "locality") == 0) {
        (void) json_object_set_new(command, name, json_stringn(value.at, value.len));
        return true;
    }
    if (!weir_str_to_u64(value, &number) || number > INT64_MAX
        || (strcmp(name, "weight") != 0 && strcmp(name, "max_fails") != 0 && strcmp(name, "max_conns") != 0
            && strcmp(name, "priority") != 0))
    {
        return upstream_wrong(word, expected);
    }
    (void) json_object_set_new(command, name, json_integer((json_int_t) number));
    return true;
}

/* GROUP VERB …  NULL: said on standard error. */
static json_t *
upstream_command(char *const *argv, bool *json)
{
    static const char *const verbs[] = { "list", "add", "set", "drain", "remove" };
    const char *verb = argv[0] != NULL && argv[1] != NULL && strcmp(argv[1], "--json") != 0 ? argv[1] : "list";
    json_t     *command = json_object();
    char        what[32];
    bool        known = false, good = true;

    for (size_t i = 0; i < weir_countof(verbs); i++) {
        known = known || strcmp(verb, verbs[i]) == 0;
    }
    if (!known) {
        good = upstream_wrong(verb, "list, add, set, drain or remove");
    }
    (void) snprintf(what, sizeof(what), "upstream.%s", known ? verb : "");
    (void) json_object_set_new(command, "do", json_string(what));
    if (argv[0] != NULL) {
        json_t *group = json_string(argv[0]);

        good = good && (group != NULL || upstream_wrong(argv[0], "the name of a group, in UTF-8"));
        (void) json_object_set_new(command, "group", group);
    }
    argv += argv[0] == NULL ? 0 : argv[1] == NULL || strcmp(argv[1], "--json") == 0 ? 1 : 2;
    if (good && strcmp(verb, "list") == 0) {
        bool asks = *argv != NULL && strcmp(*argv, "--json") == 0;

        *json = *json || asks;
        good = argv[asks] == NULL || upstream_wrong(argv[asks], "nothing behind list but --json");
    } else if (good && *argv == NULL) {
        good = upstream_wrong(verb, "the address of a server behind it");
    } else if (good) {
        (void) json_object_set_new(command, "server", json_string(*argv++));
        while (good && *argv != NULL) {
            good = (strcmp(verb, "drain") != 0 || upstream_wrong(*argv, "nothing behind the server to drain"))
                   && upstream_take_word(command, *argv);
            argv++;
        }
    }
    if (!good) {
        json_decref(command);
    }
    return good ? command : NULL;
}

static int
upstream_ask(weir_tool_ask_t *ask, const json_t *command, bool json)
{
    bool    sent = false;
    json_t *answer = upstream_send(ask, command, &sent);
    int     code;

    if (sent) {
        answer = weir_tool_ask_read(ask);
    }
    if (answer == NULL) {
        return 1;
    }
    code = upstream_judge(answer);
    if (code != 1 && json) {
        (void) json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        printf("\n");
    } else if (json_object_get(answer, "groups") != NULL) {
        upstream_print_groups(answer);
    } else if (json_object_get(answer, "servers") != NULL) {
        upstream_print_servers(answer);
    }
    json_decref(answer);
    return code;
}

/* -- many commands -- */

/* What is not answered yet, in order: an answer that was made here, or NULL, one that is to come. */
typedef struct { json_t *at[UPSTREAM_UNDER_WAY]; size_t n; } upstream_pending_t;

/* The first n answers go to standard output as they came.  The worst code. */
static int
upstream_drain(weir_tool_ask_t *ask, upstream_pending_t *pending, size_t n)
{
    int code = 0;

    for (size_t i = 0; i < n; i++) {
        json_t *answer = pending->at[i] != NULL ? pending->at[i] : weir_tool_ask_read(ask);

        if (answer == NULL) {
            for (i++; i < pending->n; i++) {
                json_decref(pending->at[i]);
            }
            pending->n = 0;
            return 1;
        }
        (void) json_dumpf(answer, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        printf("\n");
        if (json_object_get(answer, "error") != NULL) {
            code = 1;
        } else if (code == 0 && json_object_get(answer, "late") != NULL) {
            code = UPSTREAM_LATE;
        }
        json_decref(answer);
    }
    memmove(pending->at, pending->at + n, (pending->n - n) * sizeof(*pending->at));
    pending->n -= n;
    return code;
}

static int
upstream_pipe(weir_tool_ask_t *ask)
{
    upstream_pending_t pending = { .n = 0 };
    char              *line = NULL;
    size_t             room = 0;
    ssize_t            n;
    int                code = 0, worst = 0;

    while ((n = getline(&line, &room, stdin)) > 0) {
        json_t *command = json_loadb(line, (size_t) n, JSON_REJECT_DUPLICATES, NULL), *answer;
        bool    sent = false;

        answer = upstream_send(ask, command, &sent);
        json_decref(command);
        if (!sent && answer == NULL) {
            worst = 1;
            break;
        }
        pending.at[pending.n++] = answer;
        if (pending.n == UPSTREAM_UNDER_WAY) {
            code = upstream_drain(ask, &pending, pending.n / 2);
            worst = worst == 0 || code == 1 ? code : worst;
        }
    }
    free(line);
    code = upstream_drain(ask, &pending, pending.n);
    return worst == 0 || code == 1 ? code : worst;
}

int
weir_tool_upstream(const weir_settings_t *settings, char *const *argv)
{
    bool            json = false, pipe = argv[0] != NULL && strcmp(argv[0], "-") == 0;
    json_t         *command = NULL;
    weir_tool_ask_t ask;
    int             code = 1;

    if (argv[0] != NULL && strcmp(argv[0], "--json") == 0) {
        json = true;
        argv++;
    }
    if (pipe ? argv[1] != NULL && !upstream_wrong(argv[1], "nothing behind -")
        : (command = upstream_command(argv, &json)) == NULL)
    {
        return 1;
    }
    if (weir_tool_ask_open(&ask, settings)) {
        code = pipe ? upstream_pipe(&ask) : upstream_ask(&ask, command, json);
        weir_tool_ask_close(&ask);
    }
    json_decref(command);
    return code;
}
