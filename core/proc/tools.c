/*
 * tools.c - the table of tools (see tools.h).
 */
#include "proc/tools.h"

#include "proc/tool_stories.h"
#include "proc/tool_zones.h"

#include <string.h>

static const weir_tool_t tools[] = {
    { "why", "ID", "the story of the request with that $request_id", weir_tool_why },
    { "tail", "[status=5xx] [cause=WORD] [host=] [path=] [client=] [slow=MS]", "a line for each request as it ends", weir_tool_tail },
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
