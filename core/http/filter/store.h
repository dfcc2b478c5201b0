/*
 * store.h - bytes kept for later: in memory up to a size, behind that in an unnamed temporary file up to another.
 *
 * A request's body is read again for each attempt; an answer's is read once, and when all was read the store begins
 * anew.
 */
#ifndef WEIR_HTTP_PROXY_STORE_H
#define WEIR_HTTP_PROXY_STORE_H

#include "base/str.h"

/* Of a store whose bytes all lie in a file with a name. */
typedef struct {
    const uint8_t *levels;           /* weir_file_temp_named */
    char          *name;             /* room for it: written when the file is made */
} weir_store_file_t;

typedef struct weir_store {
    char       *mem;
    size_t      mem_len, mem_cap, mem_max;
    int         fd;                  /* -1: none yet */
    uint64_t    file_len, file_max;  /* file_max 0: never a file */
    const char *dir;
    weir_store_file_t *file;         /* NULL: it has no name, and no other user */
    uint64_t    at;                  /* read so far */
} weir_store_t;

void weir_store_init(weir_store_t *store, size_t mem_max, uint64_t file_max, const char *dir);
void weir_store_fini(weir_store_t *store);
/* Everything goes into a named file from now on; the caller removes it.  Nothing was appended yet. */
void weir_store_use_file(weir_store_t *store, weir_store_file_t *file);
/* Makes the file, if there is none yet.  false: errno. */
bool weir_store_make_file(weir_store_t *store) WEIR_MUST_USE;
/* Bytes that one append may still bring. */
uint64_t weir_store_room(const weir_store_t *store);
/* OK: all of it · AGAIN: no room, nothing was taken · ERROR: errno of the file, or no memory. */
weir_io_t weir_store_append(weir_store_t *store, weir_str_t bytes) WEIR_MUST_USE;
/* Next bytes not read yet, at most cap: a slice of the memory, or read into room.  OK · EOF: all was read · ERROR. */
weir_io_t weir_store_read(weir_store_t *store, char *room, size_t cap, weir_str_t *bytes) WEIR_MUST_USE;
static inline uint64_t weir_store_size(const weir_store_t *s) { return s->mem_len + s->file_len; }
static inline uint64_t weir_store_left(const weir_store_t *s) { return weir_store_size(s) - s->at; }
static inline void weir_store_rewind(weir_store_t *s) { s->at = 0; }
/* The same bytes again, to be read from the first on: the memory is copied, the file shared (neither is appended to any
 * more).  false: no memory or descriptor, and *copy is empty. */
bool weir_store_share(weir_store_t *copy, const weir_store_t *store) WEIR_MUST_USE;
void weir_store_clear(weir_store_t *store);      /* empty again; memory and file are kept for reuse */

#endif
