/*
 * zones.c - `weir zones`: a line for each zone of the running instance: its kind, name, size, and what its kind
 * tells of it.
 */
#include "tool/zones.h"

#include "tool/attach.h"
#include "tool/running.h"

#include <stdio.h>

static void
zones_head(bool *begun)
{
    if (!*begun) {
        printf("%-14s %-20s %12s\n", "KIND", "NAME", "BYTES");
        *begun = true;
    }
}

static void
zones_print(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory)
{
    char       text[512];
    weir_buf_t told;

    zones_head(data);
    weir_buf_init(&told, text, sizeof(text));
    if (kind == NULL) {
        weir_buf_printf(&told, "layout %u is not known to this program", head->layout);
    } else if (kind->describe != NULL) {
        kind->describe(memory, head->size, &told);
    }
    printf("%-14.*s %-20.*s %12llu  %.*s\n", WEIR_STR_ARG(head->kind),
           WEIR_STR_ARG(head->name.len != 0 ? head->name : WEIR_STR("-")),
           (unsigned long long) head->size, WEIR_STR_ARG(weir_buf_str(&told)));
}

int
weir_tool_zones(const weir_settings_t *settings, char *const *argv)
{
    weir_error_t error = { .text = "" };
    bool         begun = false;
    pid_t        pid;

    if (*argv != NULL) {
        fprintf(stderr, "weir: \"zones\" takes no arguments\n");
        return 1;
    }
    if (!weir_running_serving(settings->pid_file, &pid)) {
        return 1;
    }
    if (!weir_attach_zones(pid, zones_print, &begun, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return 1;
    }
    zones_head(&begun);
    return 0;
}
