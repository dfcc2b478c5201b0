/*
 * hold.h - what the writer holds back for workers, which read the store without LMDB's lock file.
 *
 * Workers serve clients.  One that was taken over may read the store's file, but nothing that a writer trusts may be
 * writable to it: not the file, and not LMDB's lock file, whose mutexes and table of readers every writer believes.  So
 * workers read the file without it, and the writer does not know what they read.  Instead it never uses a page again
 * that was in use less than WEIR_STORE_HOLD_MS ago: it has two read transactions of its own open, of which the older
 * one is at least that old, and LMDB keeps what they see.  A worker's look takes some microseconds.  Workers check what
 * they have read by themselves (view.h), so that this only spares them looks that are overtaken; those of a program of
 * before, which may run beside the writer after an upgrade, rely on it.
 *
 * writer   ----A--------B--------C--------     A, B: its read transactions; when B is old enough, A goes and C comes
 *     worker              -look-                   sees a version that is not older than A for as long as it may last
 */
#ifndef WEIR_STORE_HOLD_H
#define WEIR_STORE_HOLD_H

#include "store/db.h"

#define WEIR_STORE_HOLD_MS 250

typedef struct {
    MDB_txn *older, *newer;
    uint64_t taken_ms;                       /* newer was */
} weir_store_hold_t;

/* Before a writer's first write; times of the monotonic clock.  A result of LMDB's. */
int weir_store_hold_begin(weir_store_hold_t *hold, weir_store_db_t *db, uint64_t now_ms);
/* Before each one.  Looks after readers that were killed, too.  A result of LMDB's. */
int weir_store_hold_go_on(weir_store_hold_t *hold, weir_store_db_t *db, uint64_t now_ms);

/* Are pages kept that a writer could use again, now or a little later? */
bool weir_store_hold_keeps(const weir_store_hold_t *hold, const weir_store_db_t *db);

#endif
