/*
 * upstream.c - see upstream.h: words become commands of the control socket, and answers lines of a table.
 */
#include "tool/upstream.h"

#include "base/mem.h"
#include "conf/module.h"
#include "os/addr.h"
#include "os/sys.h"
#include "proc/master/control.h"
#include "proc/master/pidfile.h"
#include "tool/running.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define UPSTREAM_PATIENCE_S 30
#define UPSTREAM_UNDER_WAY  256              /* commands of standard input that are not answered yet */
#define UPSTREAM_LATE       3

typedef struct { int fd; FILE *in; } upstream_link_t;

/* -- the socket -- */

static bool
upstream_connect(const weir_settings_t *settings, upstream_link_t *link)
{
    const struct timeval patience = { .tv_sec = UPSTREAM_PATIENCE_S };
    char        path[PATH_MAX + 16];
    weir_addr_t addr;
    pid_t       pid;

    *link = (upstream_link_t) { .fd = -1 };
    (void) snprintf(path, sizeof(path), "%.*s" WEIR_CONTROL_SUFFIX, WEIR_STR_ARG(settings->pid_file));
    if (!weir_running_serving(settings->pid_file, &pid)) {
        return false;
    }
    if (weir_addr_from_unix(&addr, weir_str_from_z(path))) {
        link->fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (link->fd >= 0) {
        (void) weir_sys_setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void) weir_sys_setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    }
    if (link->fd < 0 || weir_sys_connect(link->fd, &addr.any, addr.len) != 0
        || (link->in = fdopen(link->fd, "r")) == NULL)
    {
        fprintf(stderr, "weir: the control socket \"%s\" of process %d cannot be asked: %s\n", path, (int) pid,
                strerror(errno));
        if (link->fd >= 0) {
            (void) weir_sys_close(link->fd);
        }
        return false;
    }
    return true;
}

static bool
upstream_write(const upstream_link_t *link, const char *text, size_t len)
{
    while (len != 0) {
        ssize_t n = weir_sys_send(link->fd, text, len, 0);

        if (n <= 0) {
            fprintf(stderr, "weir: asking the control socket failed: %s\n", strerror(errno));
            return false;
        }
        text += n;
        len -= (size_t) n;
    }
    return true;
}

/* One answer; NULL: said on standard error. */
static json_t *
upstream_read(const upstream_link_t *link)
{
    char   *line = NULL;
    size_t  room = 0;
    ssize_t n = getline(&line, &room, link->in);
    json_t *answer = n > 0 ? json_loadb(line, (size_t) n, 0, NULL) : NULL;

    if (answer == NULL) {
        fprintf(stderr, "weir: the control socket gave no answer: whether anything was changed is not known\n");
    }
    free(line);
    return answer;
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
            good = upstream_take_word(command, *argv++);
        }
    }
    if (!good) {
        json_decref(command);
    }
    return good ? command : NULL;
}

static int
upstream_ask(const upstream_link_t *link, const json_t *command, bool json)
{
    char   *text = json_dumps(command, JSON_COMPACT);
    json_t *answer = NULL;
    int     code = 1;

    if (text != NULL && upstream_write(link, text, strlen(text)) && upstream_write(link, "\n", 1)) {
        answer = upstream_read(link);
    }
    free(text);
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

/* Reads n answers, which go to standard output as they came.  The worst code. */
static int
upstream_drain(const upstream_link_t *link, size_t n)
{
    int code = 0;

    for (; n != 0; n--) {
        json_t *answer = upstream_read(link);

        if (answer == NULL) {
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
    return code;
}

static int
upstream_pipe(const upstream_link_t *link)
{
    char   *line = NULL;
    size_t  room = 0, under_way = 0;
    ssize_t n;
    int     code = 0, worst = 0;

    while ((n = getline(&line, &room, stdin)) > 0) {
        if (!upstream_write(link, line, (size_t) n) || (line[n - 1] != '\n' && !upstream_write(link, "\n", 1))) {
            worst = 1;
            break;
        }
        if (++under_way == UPSTREAM_UNDER_WAY) {
            code = upstream_drain(link, under_way / 2);
            worst = worst == 0 || code == 1 ? code : worst;
            under_way -= under_way / 2;
        }
    }
    free(line);
    code = upstream_drain(link, under_way);
    return worst == 0 || code == 1 ? code : worst;
}

int
weir_tool_upstream(const weir_settings_t *settings, char *const *argv)
{
    bool            json = false, pipe = argv[0] != NULL && strcmp(argv[0], "-") == 0;
    json_t         *command = NULL;
    upstream_link_t link;
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
    if (upstream_connect(settings, &link)) {
        code = pipe ? upstream_pipe(&link) : upstream_ask(&link, command, json);
        (void) fclose(link.in);
    }
    json_decref(command);
    return code;
}
