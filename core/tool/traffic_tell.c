/*
 * traffic_tell.c - what changes for traffic, as text and as JSON.  Whatever a client wrote leaves as printable ASCII.
 */
#include "tool/traffic.h"

#include <string.h>

#define TELL_CHANGES_MAX 50                  /* of the text; --json has them all */

void
weir_traffic_show(FILE *to, weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.at[i];

        if (c < 0x20 || c >= 0x7f || c == '\\') {
            fprintf(to, "\\x%02x", c);
        } else {
            (void) fputc(c, to);
        }
    }
}

static void
tell_show(const char *text)
{
    weir_traffic_show(stdout, weir_str_from_z(text));
}

static double
tell_share(uint64_t part, uint64_t all)
{
    return all != 0 ? 100.0 * (double) part / (double) all : 0.0;
}

static void
tell_fate(const char *mark, const json_t *fate)
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
            tell_show(json_string_value(value));
        }
    }
    putchar('\n');
}

static const char *
tell_kind(const weir_traffic_change_t *change)
{
    return change->loses_guard ? "unguarded" : change->loses_route ? "lost     " : "request  ";
}

static void
tell_change(const weir_traffic_sums_t *sums, const weir_traffic_change_t *change)
{
    printf("%s %llu (%.2f%%)  ", tell_kind(change), (unsigned long long) change->count,
           tell_share(change->count, sums->judged));
    tell_show(change->shape);
    printf("\n    as ");
    tell_show(change->example);
    putchar('\n');
    if (change->why != NULL) {
        printf("    %s", change->why);
        if (change->lost != NULL) {
            printf(": ");
            tell_show(json_string_value(json_object_get(change->lost, "line")));
            printf("  (");
            tell_show(json_string_value(json_object_get(change->lost, "at")));
            putchar(')');
        }
        putchar('\n');
    }
    tell_fate("-", change->was);
    tell_fate("+", change->is);
}

static void
tell_count(const char *label, uint64_t n, const char *what)
{
    if (n != 0) {
        printf("%-9s%llu %s\n", label, (unsigned long long) n, what);
    }
}

static void
tell_doubts(const weir_traffic_sums_t *sums)
{
    size_t        i;
    const json_t *unknown;

    tell_count("skipped", sums->skipped, "lines from which no request could be read");
    for (i = 0; i < sums->n_samples; i++) {
        printf("         such as ");
        tell_show(sums->samples[i]);
        putchar('\n');
    }
    tell_count("assumed", sums->no_host, "requests name no host: they are asked of the default server (--host)");
    tell_count("assumed", sums->cut, "requests are longer than the recorder keeps: they are asked as far as they are "
               "known");
    tell_count("assumed", sums->elsewhere, "requests went to another place than is found for them: by what is not "
               "recorded");
    json_array_foreach(sums->unknown, i, unknown) {
        printf("assumed  no ");
        tell_show(json_string_value(json_object_get(unknown, "what")));
        printf(", which is not recorded, in ");
        tell_show(json_string_value(json_object_get(unknown, "line")));
        printf("  (");
        tell_show(json_string_value(json_object_get(unknown, "at")));
        printf(")\n");
    }
}

void
weir_traffic_print(const weir_traffic_sums_t *sums, bool only_lost)
{
    size_t        shown = 0, left = 0, i;
    const json_t *place;

    for (i = 0; i < sums->n_changes; i++) {
        const weir_traffic_change_t *change = sums->changes[i];

        if (only_lost && !change->loses_guard && !change->loses_route) {
            continue;
        }
        if (shown < TELL_CHANGES_MAX) {
            tell_change(sums, change);
            shown++;
        } else {
            left++;
        }
    }
    if (left != 0) {
        printf("         and %zu shapes more (--json shows all)\n", left);
    }
    tell_count("", sums->rest_shapes, "requests change in more shapes than are told apart");
    printf("traffic  %llu of %llu requests change (%.2f%%)\n", (unsigned long long) sums->changed,
           (unsigned long long) sums->judged, tell_share(sums->changed, sums->judged));
    printf("traffic  %llu lose a policy (%.2f%%), %llu lose their route (%.2f%%)\n",
           (unsigned long long) sums->lost_guard, tell_share(sums->lost_guard, sums->judged),
           (unsigned long long) sums->lost_route, tell_share(sums->lost_route, sums->judged));
    tell_doubts(sums);
    json_array_foreach(sums->unseen, i, place) {
        if (!only_lost) {
            printf("unseen   ");
            tell_show(json_string_value(place));
            putchar('\n');
        }
    }
}

/* -- JSON -- */

static json_t *
tell_json_change(const weir_traffic_sums_t *sums, const weir_traffic_change_t *change)
{
    json_t *told = json_object();

    (void) json_object_set_new(told, "shape", weir_explain_text(weir_str_from_z(change->shape)));
    (void) json_object_set_new(told, "example", weir_explain_text(weir_str_from_z(change->example)));
    (void) json_object_set_new(told, "count", json_integer((json_int_t) change->count));
    (void) json_object_set_new(told, "share", json_real(tell_share(change->count, sums->judged)));
    (void) json_object_set_new(told, "loses_policy", json_boolean(change->loses_guard));
    (void) json_object_set_new(told, "loses_route", json_boolean(change->loses_route));
    if (change->why != NULL) {
        (void) json_object_set_new(told, "why", json_string(change->why));
    }
    if (change->lost != NULL) {
        (void) json_object_set(told, "policy", change->lost);
    }
    (void) json_object_set(told, "was", change->was);
    (void) json_object_set(told, "is", change->is);
    return told;
}

json_t *
weir_traffic_json(const weir_traffic_sums_t *sums)
{
    const struct { const char *name; uint64_t n; } counts[] = {
        { "lines", sums->lines }, { "requests", sums->judged }, { "changed", sums->changed },
        { "lose_policy", sums->lost_guard }, { "lose_route", sums->lost_route }, { "lose", sums->lost },
        { "skipped", sums->skipped }, { "too_long", sums->too_long }, { "no_host", sums->no_host },
        { "cut", sums->cut }, { "went_elsewhere", sums->elsewhere }, { "of_more_shapes", sums->rest_shapes },
    };
    json_t *told = json_object(), *changes = json_array(), *samples = json_array();

    for (size_t i = 0; i < weir_countof(counts); i++) {
        (void) json_object_set_new(told, counts[i].name, json_integer((json_int_t) counts[i].n));
    }
    (void) json_object_set_new(told, "changed_share", json_real(tell_share(sums->changed, sums->judged)));
    (void) json_object_set_new(told, "lose_share", json_real(tell_share(sums->lost, sums->judged)));
    for (size_t i = 0; i < sums->n_changes; i++) {
        (void) json_array_append_new(changes, tell_json_change(sums, sums->changes[i]));
    }
    for (size_t i = 0; i < sums->n_samples; i++) {
        (void) json_array_append_new(samples, weir_explain_text(weir_str_from_z(sums->samples[i])));
    }
    (void) json_object_set_new(told, "changes", changes);
    (void) json_object_set_new(told, "skipped_samples", samples);
    (void) json_object_set(told, "assumed_absent", (json_t *) (uintptr_t) sums->unknown);
    (void) json_object_set(told, "unseen", (json_t *) (uintptr_t) sums->unseen);
    return told;
}
