/*
 * command_parts.h - what the commands of the store share (command.c, command_consumers.c): records in the transaction
 * of a command, and what went wrong.
 */
#ifndef WEIR_STORE_COMMAND_PARTS_H
#define WEIR_STORE_COMMAND_PARTS_H

#include "store/command.h"
#include "store/json.h"

typedef struct {
    weir_store_db_t *db;
    MDB_txn         *txn;
    const json_t    *request;
    uint64_t         now_s;
    weir_error_t     error;                      /* for people */
    int              result;                     /* of LMDB, other than MDB_NOTFOUND; 0 */
    json_t          *answer;
} weir_store_command_t;

/* A result of LMDB's: is it one of failure?  It is kept then, unless it says that something is not there. */
bool weir_store_command_failed(weir_store_command_t *command, int result);
/* false: it is not there, or command->result says why not. */
bool weir_store_command_get(weir_store_command_t *command, weir_store_table_t table, weir_str_t name, void *record,
                            size_t size);
/* The same of a record that is as long as it needs to be, of `room` bytes at the most; *size. */
bool weir_store_command_read(weir_store_command_t *command, weir_store_table_t table, weir_str_t name, void *record,
                             size_t room, size_t *size);
bool weir_store_command_put(weir_store_command_t *command, weir_store_table_t table, weir_str_t name,
                            const void *record, size_t size);
/* false: it is not there, or it failed. */
bool weir_store_command_delete(weir_store_command_t *command, weir_store_table_t table, weir_str_t name);
/* What is named is of use only when it is there (wanted) or not yet.  false: said. */
bool weir_store_command_expect(weir_store_command_t *command, bool found, bool wanted, const char *what,
                               const char *name);
/* Calls on each record; a call may delete the one it gets. */
bool weir_store_command_each(weir_store_command_t *command, weir_store_table_t table,
                             bool (*each)(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value), void *data);

/* What belongs to something with a name. */
typedef struct { weir_store_command_t *command; const char *name; size_t n; } weir_store_command_of_t;

/* -- command_consumers.c -- */
bool weir_store_command_consumer_add(weir_store_command_t *command);
bool weir_store_command_consumer_set(weir_store_command_t *command);
bool weir_store_command_consumer_remove(weir_store_command_t *command);
bool weir_store_command_identity_add(weir_store_command_t *command);
bool weir_store_command_identity_remove(weir_store_command_t *command);
/* NULL: it is damaged (said), or has none. */
bool weir_store_command_profile(weir_store_command_t *command, weir_str_t consumer, weir_store_profile_t *profile);
bool weir_store_command_put_profile(weir_store_command_t *command, weir_str_t consumer,
                                    const weir_store_profile_t *profile);

#endif
