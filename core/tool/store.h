/*
 * store.h - `weir store dump|load|compact|check|flush`: the store as a whole, whether an instance runs or not.
 */
#ifndef WEIR_TOOL_STORE_H
#define WEIR_TOOL_STORE_H

#include "proc/common/settings.h"
#include "store/command.h"

int weir_tool_store(const weir_settings_t *settings, char *const *argv);

/* For tools beside it.  false: said. */
bool weir_tool_store_exists(const weir_settings_t *settings);
/* One command (store/command.h), of the store's process or done to the file; the answer, a new reference.  NULL:
 * said. */
json_t *weir_tool_store_ask(const weir_settings_t *settings, json_t *command);
/* Every record (weir_store_dump); exit code. */
int  weir_tool_store_read(const weir_settings_t *settings,
                          void (*each)(void *data, weir_store_table_t table, const json_t *record), void *data);

#endif
