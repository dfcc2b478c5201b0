/*
 * commands.c - see commands.h.
 */
#include "proc/master/commands.h"

#include <string.h>

static const weir_command_t *const commands_tables[] = {
    weir_commands_fragments, weir_commands_upstream, weir_commands_zones,
};

void
weir_commands_each(void (*each)(void *data, const weir_command_t *row), void *data)
{
    for (size_t i = 0; i < weir_countof(commands_tables); i++) {
        for (const weir_command_t *row = commands_tables[i]; row->name != NULL; row++) {
            each(data, row);
        }
    }
}

static const weir_command_t *
commands_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < weir_countof(commands_tables); i++) {
        for (const weir_command_t *row = commands_tables[i]; row->name != NULL; row++) {
            if (strcmp(row->name, name) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

weir_call_t *
weir_commands_call(const weir_command_ops_t *ops, const json_t *words, void (*on_answer)(weir_call_t *call), void *data)
{
    return weir_call_begin(ops, commands_find(json_string_value(json_object_get(words, "do"))), words, on_answer, data);
}
