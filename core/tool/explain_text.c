/*
 * explain_text.c - the facts of a request as lines for people.  A byte that would command a terminal is escaped.
 */
#include "tool/explain_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A control of Latin-1 in UTF-8, a mark that turns the direction of what is shown, or the end of a line to some. */
static bool
text_is_hidden(const unsigned char *at)
{
    return (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) || (at[0] == 0xd8 && at[1] == 0x9c)
        || (at[0] == 0xe2 && at[1] == 0x80 && ((at[2] >= 0x8e && at[2] <= 0x8f) || (at[2] >= 0xa8 && at[2] <= 0xae)))
        || (at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

void
weir_explain_show(const char *text)
{
    size_t hidden = 0;

    for (; text != NULL && *text != '\0'; text++) {
        unsigned char c = (unsigned char) *text;

        if (hidden == 0 && text_is_hidden((const unsigned char *) text)) {
            hidden = c == 0xe2 ? 3 : 2;
        }
        if (c < 0x20 || c == 0x7f || hidden != 0) {
            printf("\\x%02x", c);
            hidden -= hidden != 0;
        } else {
            putchar(c);
        }
    }
}

void
weir_explain_dump(const json_t *told)
{
    char *text = json_dumps(told, JSON_COMPACT | JSON_ENSURE_ASCII);

    weir_assert(text != NULL);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == 0x7f) {                       /* (which JSON does not escape) */
            printf("\\u007f");
        } else {
            putchar(*at);
        }
    }
    putchar('\n');
    free(text);
}

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* "  label     " */
static void
text_label(const char *label)
{
    printf("  %-9s ", label);
}

/* "  (file:line)" and the end of the line. */
static void
text_end(const json_t *told)
{
    const char *at = text_of(told, "at");

    if (at != NULL) {
        printf("  (");
        weir_explain_show(at);
        putchar(')');
    }
    if (json_is_true(json_object_get(told, "inherited"))) {
        printf(" inherited");
    }
    putchar('\n');
}

static void
text_line(const char *label, const json_t *told)
{
    text_label(label);
    weir_explain_show(text_of(told, "line"));
    text_end(told);
}

static void
text_lines(const char *label, const json_t *lines)
{
    size_t        i;
    const json_t *line;

    json_array_foreach(lines, i, line) {
        text_line(i == 0 ? label : "", line);
    }
}

static void
text_listener(const json_t *listener)
{
    if (listener == NULL) {
        return;
    }
    text_label("listener");
    weir_explain_show(text_of(listener, "address"));
    printf("%s", json_is_true(json_object_get(listener, "tls")) ? ", TLS" : "");
    text_end(listener);
}

static void
text_server(const json_t *server)
{
    if (server == NULL) {
        return;
    }
    text_label("server");
    putchar('"');
    weir_explain_show(text_of(server, "name"));
    printf("\", %s", text_of(server, "how"));
    text_end(server);
}

static void
text_place(const json_t *facts)
{
    static const char *const kinds[] = { "route", "location" };

    for (size_t i = 0; i < weir_countof(kinds); i++) {
        const json_t *place = json_object_get(facts, kinds[i]);

        if (place == NULL) {
            continue;
        }
        text_label(kinds[i]);
        weir_explain_show(text_of(place, "name"));
        text_end(place);
        if (json_object_get(place, "match") != NULL) {
            text_line("", json_object_get(place, "match"));
        }
        if (json_object_get(place, "part") != NULL) {
            text_line("", json_object_get(place, "part"));
        }
    }
}

static void
text_others(const json_t *others)
{
    size_t        i;
    const json_t *other;

    json_array_foreach(others, i, other) {
        text_label(i == 0 ? "not" : "");
        weir_explain_show(text_of(other, "kind"));
        putchar(' ');
        weir_explain_show(text_of(other, "name"));
        printf(": ");
        weir_explain_show(text_of(other, "why"));
        text_end(other);
    }
}

static void
text_rewrites(const json_t *rewrites)
{
    size_t        i;
    const json_t *step;

    json_array_foreach(rewrites, i, step) {
        const char *query = text_of(step, "query");

        text_label(i == 0 ? "rewrites" : "");
        weir_explain_show(text_of(step, "line"));
        printf(" -> ");
        weir_explain_show(text_of(step, "path"));
        if (query != NULL && *query != '\0') {
            putchar('?');
            weir_explain_show(query);
        }
        text_end(step);
    }
}

static void
text_policies(const json_t *policies)
{
    size_t        i, k;
    const json_t *policy, *line;

    json_array_foreach(policies, i, policy) {
        text_label(i == 0 ? "policies" : "");
        printf("%-10s %s%s%s\n", text_of(policy, "phase"), text_of(policy, "module"),
               text_of(policy, "verdict") != NULL ? ": " : "",
               text_of(policy, "verdict") != NULL ? text_of(policy, "verdict") : "");
        json_array_foreach(json_object_get(policy, "lines"), k, line) {
            text_label("");
            printf("           ");
            weir_explain_show(text_of(line, "line"));
            text_end(line);
        }
    }
}

static void
text_target(const json_t *target)
{
    const json_t *upstream = json_object_get(target, "upstream");

    if (target == NULL) {
        return;
    }
    text_lines("target", json_object_get(target, "lines"));
    if (upstream != NULL) {
        text_label("upstream");
        weir_explain_show(text_of(upstream, "name"));
        text_end(upstream);
        text_lines("", json_object_get(upstream, "servers"));
    }
    if (text_of(target, "target") != NULL) {
        text_label("asks");
        weir_explain_show(text_of(target, "method"));
        putchar(' ');
        weir_explain_show(text_of(target, "target"));
        if (text_of(target, "host") != NULL) {
            printf(", Host: ");
            weir_explain_show(text_of(target, "host"));
        }
        putchar('\n');
    }
    if (text_of(target, "problem") != NULL) {
        text_label("problem");
        printf("%s\n", text_of(target, "problem"));
    }
    if (text_of(target, "file") != NULL) {
        text_label("file");
        weir_explain_show(text_of(target, "file"));
        putchar('\n');
        text_lines("", json_object_get(target, "root"));
    }
}

static void
text_answer(const json_t *answer)
{
    if (answer == NULL) {
        return;
    }
    text_label("answer");
    printf("%lld", (long long) json_integer_value(json_object_get(answer, "status")));
    if (text_of(answer, "location") != NULL) {
        printf(", Location: ");
        weir_explain_show(text_of(answer, "location"));
    }
    if (text_of(answer, "cause") != NULL) {
        printf(", cause %s", text_of(answer, "cause"));
    }
    if (text_of(answer, "detail") != NULL) {
        printf(" (");
        weir_explain_show(text_of(answer, "detail"));
        putchar(')');
    }
    putchar('\n');
    if (json_object_get(answer, "by") != NULL) {
        text_line("by", json_object_get(answer, "by"));
    }
}

static void
text_depends(const json_t *depends)
{
    size_t        i;
    const json_t *doubt;

    json_array_foreach(depends, i, doubt) {
        text_label(i == 0 ? "depends" : "");
        printf("on ");
        weir_explain_show(text_of(doubt, "on"));
        if (text_of(doubt, "line") != NULL) {
            printf(", in ");
            weir_explain_show(text_of(doubt, "line"));
        }
        text_end(doubt);
    }
}

void
weir_explain_print(const json_t *facts)
{
    weir_explain_show(text_of(facts, "request"));
    putchar('\n');
    text_label("outcome");
    printf("%s", text_of(facts, "outcome"));
    if (text_of(facts, "problem") != NULL) {
        printf(": ");
        weir_explain_show(text_of(facts, "problem"));
    }
    putchar('\n');
    text_listener(json_object_get(facts, "listener"));
    text_server(json_object_get(facts, "server"));
    text_place(facts);
    text_others(json_object_get(facts, "others"));
    text_rewrites(json_object_get(facts, "rewrites"));
    text_policies(json_object_get(facts, "policies"));
    text_answer(json_object_get(facts, "answer"));
    text_target(json_object_get(facts, "target"));
    text_depends(json_object_get(facts, "depends"));
}
