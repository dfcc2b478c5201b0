/*
 * flush.h - what changed in zones goes to the store: in one transaction, told to the zones when it is on the disk.
 *
 * The cells are read inside the write transaction, so that of two writers (an upgrade) the later one has the later
 * values.
 */
#ifndef WEIR_STORE_FLUSH_H
#define WEIR_STORE_FLUSH_H

#include "store/db.h"

typedef struct weir_store_flush weir_store_flush_t;

weir_store_flush_t *weir_store_flush_create(void);
void                weir_store_flush_destroy(weir_store_flush_t *flush);
/* Puts what zones have and the store lacks, and takes out some of what expired.  *changes: how many of both.  A result
 * of LMDB's: when it is not 0 the transaction must be aborted. */
int  weir_store_flush_put(weir_store_flush_t *flush, weir_store_db_t *db, MDB_txn *txn, uint64_t now_s,
                          size_t *changes);
/* The transaction was committed. */
void weir_store_flush_done(weir_store_flush_t *flush);

#endif
