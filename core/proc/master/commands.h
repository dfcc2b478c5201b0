/*
 * commands.h - what can be asked of a running instance, by name.
 *
 * Rows (call.h) stand in files of their own (commands_upstream.c), whose tables commands.c lists.  Runs in the master,
 * or in the single process.
 */
#ifndef WEIR_PROC_MASTER_COMMANDS_H
#define WEIR_PROC_MASTER_COMMANDS_H

#include "proc/master/call.h"

#define WEIR_COMMANDS_END { .name = NULL }

extern const weir_command_t weir_commands_upstream[];        /* commands_upstream.c */
/* commands_zones.c */
extern const weir_command_t weir_commands_zones[];
void weir_commands_zones_close(void);                        /* no look is under way any more */
void weir_commands_zones_forget(void);                       /* in a forked child */
extern const weir_command_t weir_commands_fragments[];       /* commands_fragments.c */

/* words: {"do":"NAME", ...}; the rest as weir_call_begin has it. */
weir_call_t *weir_commands_call(const weir_command_ops_t *ops, const json_t *words,
                                void (*on_answer)(weir_call_t *call), void *data);
/* Calls each with every row. */
void         weir_commands_each(void (*each)(void *data, const weir_command_t *row), void *data);

#endif
