/*
 * command.h - what people change in the store, as JSON objects: the one executor behind the store's process and the
 * tools.
 *
 *     {"do":"consumer.add","name":"acme","plan":"gold"}       consumer.set · consumer.remove (with all that is its)
 *         "groups":["admin"] · "meta":{"tier":"1","old":null} · "identities":["jwt:abc"]      beside the plan: json.h
 *     {"do":"identity.add","consumer":"acme","identity":"jwt:abc"}      identity.remove: of whomever it is
 *     {"do":"plan.add","name":"gold","hour":1000}             plan.set · plan.remove; hour, day, month: null: no limit
 *         "rate":"10r/s" · "burst":20 · "concurrency":5       null: none
 *     {"do":"key.create","consumer":"acme","label":"ci","expires":1767225600,"secret":"…"}   the answer has it, once
 *     {"do":"key.revoke","id":"0123456789abcdef"}             a beginning of 8 digits is enough when it is the only one
 *     {"do":"load","record":{…}}                              a line of weir_store_dump
 *     {"do":"flush"}                                          everything is on the disk when it is answered
 *
 * The answer is {"ok":true,"layout":2,…} or {"error":"…"}.  A program of layout 1 says no layout, and has passed over
 * what it does not know.  Each is a transaction of its own inside the caller's.
 */
#ifndef WEIR_STORE_COMMAND_H
#define WEIR_STORE_COMMAND_H

#include "store/db.h"

#include <jansson.h>

/* of the store process, in store_path: a command a line, an answer a line */
#define WEIR_STORE_SOCKET   "socket"
#define WEIR_STORE_LINE_MAX 16384                /* bytes of a line */

/* The answer, a new reference; never NULL.  *failed: a result of LMDB's after which txn must be aborted; 0. */
json_t *weir_store_do(weir_store_db_t *db, MDB_txn *txn, const json_t *command, uint64_t now_s, int *failed);

/* Every record as an object, plans first and what refers to them later.  A result of LMDB's. */
int weir_store_dump(weir_store_db_t *db, MDB_txn *txn,
                    void (*each)(void *data, weir_store_table_t table, const json_t *record), void *data);
/* Looks at every record and what it refers to.  each: a sentence for each fault. */
int weir_store_check(weir_store_db_t *db, MDB_txn *txn, void (*each)(void *data, const char *fault), void *data);

#endif
