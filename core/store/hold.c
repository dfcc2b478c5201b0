/*
 * hold.c - see hold.h.  Runs in the store's process.
 */
#include "store/hold.h"

int
weir_store_hold_begin(weir_store_hold_t *hold, weir_store_db_t *db, uint64_t now_ms)
{
    int result = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &hold->older);

    if (result == 0) {
        result = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &hold->newer);
    }
    hold->taken_ms = now_ms;
    return result;
}

int
weir_store_hold_go_on(weir_store_hold_t *hold, weir_store_db_t *db, uint64_t now_ms)
{
    MDB_txn *oldest = hold->older;
    int      result, dead;

    weir_assert(oldest != NULL && hold->newer != NULL && now_ms >= hold->taken_ms);
    if (now_ms - hold->taken_ms < WEIR_STORE_HOLD_MS) {
        return 0;
    }
    mdb_txn_reset(oldest);
    result = mdb_txn_renew(oldest);
    if (result != 0) {
        return result;
    }
    *hold = (weir_store_hold_t) { .older = hold->newer, .newer = oldest, .taken_ms = now_ms };
    /* what a writer before this one held is old by now; tools that were killed */
    (void) mdb_reader_check(db->env, &dead);
    return 0;
}

bool
weir_store_hold_keeps(const weir_store_hold_t *hold, const weir_store_db_t *db)
{
    weir_assert(hold->older != NULL);
    MDB_envinfo info;

    return mdb_env_info(db->env, &info) == 0 && mdb_txn_id(hold->older) < info.me_last_txnid;
}
