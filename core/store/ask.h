/*
 * ask.h - commands (store/command.h) from outside: of the store's process when one runs, else done to the file here.
 *
 * Runs in tools.  An answer that says "ok" is on the disk.
 */
#ifndef WEIR_STORE_ASK_H
#define WEIR_STORE_ASK_H

#include "store/command.h"

#define WEIR_STORE_ASK_MAX 64                /* commands at a time */

typedef struct {
    int             fd;                      /* of the socket; -1: the file is open here */
    weir_store_db_t db;
    size_t          len;                     /* of what came and was not looked at */
    char            line[WEIR_STORE_LINE_MAX];
} weir_store_ask_t;

/* size: bytes the file may grow to, if it has to be made.  false with *error. */
bool weir_store_ask_open(weir_store_ask_t *ask, const char *path, uint64_t size, weir_error_t *error) WEIR_MUST_USE;
void weir_store_ask_close(weir_store_ask_t *ask);
/* n <= WEIR_STORE_ASK_MAX answers, new references, in the commands' order.  false with *error: none, and whether they
 * were done is not known. */
bool weir_store_ask(weir_store_ask_t *ask, json_t *const *commands, json_t **answers, size_t n,
                    weir_error_t *error) WEIR_MUST_USE;

#endif
