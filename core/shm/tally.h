/*
 * tally.h - texts and how often each was met, in shared memory: a table of rows, each a text, a count and the day on
 * which it was met last.
 *
 * For what is counted by a name that only run time knows: which consumers still call what is deprecated.  A known text
 * costs a hash, a comparison and an addition.  Rows are never given to another text, so a full table counts no new one:
 * the caller counts it in a row of the reserve, a sixteenth of the table that takes nothing else.
 *
 * There is no lock.  A row belongs to the hash that was put in it by one compare-and-swap; a process that meets a row
 * of its hash without a text writes the text, so that one whose maker was killed is completed by the next, with the
 * same bytes.
 */
#ifndef WEIR_SHM_TALLY_H
#define WEIR_SHM_TALLY_H

#include "base/buf.h"

#define WEIR_TALLY_TEXT 228                  /* bytes of a text; a longer one is an error of the caller's */

typedef struct weir_tally weir_tally_t;      /* in shared memory */

uint64_t weir_tally_bytes(uint32_t rows);
/* Formats zeroed memory, aligned to 64, or finds it formatted.  NULL: it holds something else, or is too small. */
weir_tally_t *weir_tally_open(void *memory, uint64_t size);

/* One more, on that day (since 1970).  false: there is no room for a new text. */
bool weir_tally_count(weir_tally_t *tally, weir_str_t text, uint32_t day, bool is_reserve) WEIR_MUST_USE;

/* Each row of memory that may be another process's, mapped read-only and in use: nothing of it is believed.  text: good
 * for the call.  false: it is no such table. */
typedef void weir_tally_each_t(void *data, weir_str_t text, uint64_t count, uint32_t day);
bool weir_tally_read(const void *memory, uint64_t size, weir_tally_each_t *each, void *data) WEIR_MUST_USE;
/* For weir_zone_kind_t. */
void weir_tally_describe(const void *memory, uint64_t size, weir_buf_t *out);

#endif
