/*
 * files.h - files that many records go to, such as access logs: one descriptor and one buffer per process and path.
 *
 * A file is opened in append mode when a generation that names it is built: by the master, which may be root, before
 * it forks or hands the descriptor on; by a worker itself only when it was given none.  Records collect in the
 * buffer and leave in one write, whole: at the end of a turn of the loop when the last write was long enough ago,
 * else when it is, or when the buffer is full.  Nothing here waits: what cannot be written is dropped and counted in
 * weir_log_dropped.
 *
 * Taking and giving back are for any thread; all else is for the thread that runs the loop.
 */
#ifndef WEIR_LOG_FILES_H
#define WEIR_LOG_FILES_H

#include "log/log.h"

#include <sys/types.h>

typedef struct weir_log_file weir_log_file_t;

#define WEIR_LOG_FILE_BUFFER   65536
#define WEIR_LOG_FILE_INTERVAL 50                /* ms */
#define WEIR_LOG_FILE_NEVER    UINT64_MAX

/* How records that were written with it may wait. */
typedef struct {
    size_t      size;                            /* bytes that may be waiting */
    weir_msec_t interval;                        /* between two writes; WEIR_LOG_FILE_NEVER: only when it is full */
    int         gzip;                            /* level 1 to 9: each write is a member of a gzip file; 0: plain */
} weir_log_file_pace_t;

/* The file of this path, in this process; a reference.  Opens nothing. */
weir_log_file_t *weir_log_file_take(weir_str_t path) __attribute__((returns_nonnull));
void             weir_log_file_give_back(weir_log_file_t *file);      /* the last one writes what waits and closes it */
/* Opens it unless it is open.  false: errno. */
bool             weir_log_file_open(weir_log_file_t *file) WEIR_MUST_USE;
weir_str_t       weir_log_file_path(const weir_log_file_t *file);     /* NUL-terminated */

/* One record, its newline included. */
void             weir_log_file_write(weir_log_file_t *file, weir_str_t record, const weir_log_file_pace_t *pace);

/* -- for what drives them -- */
/* Writes what is due; when the next is (0: nothing waits). */
weir_instant_t   weir_log_files_flush_due(weir_instant_t now);
void             weir_log_files_flush(void);                          /* writes all that waits */
/* Writes what waits, then opens every file anew by its path; one that cannot be keeps its old descriptor. */
void             weir_log_files_reopen(void);
/* In the master, after it has reopened and before it tells the workers to: they are the workers' user's then, which can
 * open them. */
void             weir_log_files_own(uid_t user);

/* -- for the hand-over to a worker that runs already -- */
/* Every open file.  `each` may not come back here. */
void             weir_log_files_each(void (*each)(void *data, weir_str_t path, int fd), void *data);
/* fd (taken over) is the file of this path, if this process has not opened it yet.  It is kept for the generation
 * that is built next, until weir_log_files_drop_unused. */
void             weir_log_files_adopt(weir_str_t path, int fd);
void             weir_log_files_drop_unused(void);

#endif
