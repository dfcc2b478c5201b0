/*
 * zones.c - `weir zones`: a line for each zone of the running instance: its kind, name, size, and what its kind
 * tells of it.
 */
#include "tool/zones.h"

#include "tool/ask.h"

#include <stdio.h>

static const char *
zones_text(const json_t *zone, const char *name)
{
    const char *text = json_string_value(json_object_get(zone, name));

    return text != NULL ? text : "";
}

static void
zones_print(const json_t *answer)
{
    const json_t *zone;
    size_t        i;

    printf("%-14s %-20s %12s\n", "KIND", "NAME", "BYTES");
    json_array_foreach(json_object_get(answer, "zones"), i, zone) {
        const char *name = zones_text(zone, "name");

        printf("%-14s %-20s %12lld  %s\n", zones_text(zone, "kind"), *name != '\0' ? name : "-",
               (long long) json_integer_value(json_object_get(zone, "bytes")), zones_text(zone, "says"));
    }
}

int
weir_tool_zones(const weir_settings_t *settings, char *const *argv)
{
    const char     *error;
    json_t         *answer = NULL;
    weir_tool_ask_t ask;

    if (*argv != NULL) {
        fprintf(stderr, "weir: \"zones\" takes no arguments\n");
        return 1;
    }
    if (!weir_tool_ask_open(&ask, settings)) {
        return 1;
    }
    if (weir_tool_ask_send(&ask, "GET", "/v1/zones", NULL)) {
        answer = weir_tool_ask_read(&ask);
    }
    weir_tool_ask_close(&ask);
    error = json_string_value(json_object_get(answer, "error"));
    if (error != NULL) {
        fprintf(stderr, "weir: %s\n", error);
    } else if (answer != NULL) {
        zones_print(answer);
    }
    json_decref(answer);
    return answer == NULL || error != NULL;
}
