/*
 * view.h - a worker's look into the store's file: without a lock, without LMDB, and without trust in what it reads.
 *
 * A worker may not write anything that the writer believes, so it cannot tell LMDB what it reads (hold.h), and pages
 * may be used again under it when it is stopped in the middle of a look.  So it reads as a sequence lock is read: it
 * notes which transaction is the newest, walks that one's tree, copies the record out, and only then asks again.  A
 * page that transaction S sees is freed by S + 1 at the soonest, and LMDB uses what S + 1 freed in S + 3 at the
 * soonest, which writes nothing before S + 2 is the newest.  So while the newest is S or S + 1 all that was read was
 * S's; else it is thrown away, and the worker looks again.  It does not matter how long it was stopped, nor whether the
 * writer holds anything back.
 *
 * Until it has asked, what it reads may be anything: every number that leads somewhere is read once and checked against
 * the page and the file.
 *
 * The file's format is LMDB's data version 1 (0.9.x), of a machine of this word size and byte order.
 */
#ifndef WEIR_STORE_VIEW_H
#define WEIR_STORE_VIEW_H

#include "base/error.h"
#include "store/db.h"

typedef enum { WEIR_STORE_FOUND, WEIR_STORE_MISSING, WEIR_STORE_BROKEN } weir_store_found_t;

typedef struct {
    int                  fd, lock_fd;
    const unsigned char *map;                    /* NULL: not open */
    size_t               mapped;                 /* bytes: whole pages, all of them in the file */
    uint32_t             page;                   /* bytes of one */
    bool                 is_short;               /* the last look led behind what is mapped */
    uint64_t             looks;                  /* walks that were begun */
    void               (*on_page)(void *data);   /* for tests: before each page; NULL */
    void                *data;
} weir_store_view_t;

/* Of the folder's store, which must be of a layout that this program knows.  false with *error: nothing is open. */
bool weir_store_view_open(weir_store_view_t *view, const char *folder, weir_error_t *error) WEIR_MUST_USE;
void weir_store_view_close(weir_store_view_t *view);
/* Is the file as long as it was, so that the map may be read?  *is_removed: it has no name any more; what is written
 * now is in another one, if there is one.  A system call. */
bool weir_store_view_is_whole(const weir_store_view_t *view, bool *is_removed) WEIR_MUST_USE;
/* Whether the bytes begin like a store; sets view->page. */
bool weir_store_view_begins(weir_store_view_t *view) WEIR_MUST_USE;

/* The number of the newest transaction at this moment. */
size_t weir_store_view_transaction(const weir_store_view_t *view);
/* A record of `size` bytes is copied; what is left of it after any other result is nothing.  MISSING: the newest
 * transaction of some moment of this call had none.  BROKEN: the file is damaged, or was changed as fast as it was
 * looked at. */
weir_store_found_t weir_store_view_get(weir_store_view_t *view, weir_store_table_t table, weir_str_t key, void *record,
                                       size_t size);
/* The same of a record that is as long as it needs to be: of its bytes the first ones, `room` at the most; *size: how
 * many it has.  A table that a store of layout 1 does not have is empty there. */
weir_store_found_t weir_store_view_read(weir_store_view_t *view, weir_store_table_t table, weir_str_t key, void *record,
                                        size_t room, size_t *size);

#endif
