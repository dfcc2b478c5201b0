/*
 * tools.c - the table of tools (see tools.h).
 */
#include "proc/tools.h"

#include "proc/tool_zones.h"

#include <string.h>

static const weir_tool_t tools[] = {
    { "zones", "", "what lies in the shared memory of the running instance", weir_tool_zones },
};

const weir_tool_t *
weir_tool_find(const char *name)
{
    for (size_t i = 0; i < weir_countof(tools); i++) {
        if (strcmp(tools[i].name, name) == 0) {
            return &tools[i];
        }
    }
    return NULL;
}

const weir_tool_t *
weir_tool_at(size_t i)
{
    return i < weir_countof(tools) ? &tools[i] : NULL;
}
