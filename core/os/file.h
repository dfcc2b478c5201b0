/*
 * file.h - whole files, logs' descriptors, temporary files.
 */
#ifndef WEIR_OS_FILE_H
#define WEIR_OS_FILE_H

#include "base/str.h"

/* Reads a regular file of at most `limit` bytes into the arena (NUL after the end). false: errno; EFBIG above it. */
bool weir_file_read(weir_arena_t *arena, const char *path, size_t limit, weir_str_t *bytes) WEIR_MUST_USE;
/* Writes and replaces atomically where the folder allows, mode 0644.  false: errno. */
bool weir_file_write(const char *path, weir_str_t bytes) WEIR_MUST_USE;
/* The same, and it is on the disk when this returns: a power cut leaves the old bytes or the new.  Waits for
 * the disk. */
bool weir_file_write_durable(const char *path, weir_str_t bytes) WEIR_MUST_USE;
/* Files that writing this one has made beside it and a kill has left there (its name, a dot and 16 hexadecimal digits)
 * are removed, those that are older than so many seconds: a younger one may be in use at this moment. */
void weir_file_sweep(const char *path, int64_t seconds);
/* As weir_file_write with mode 0600, and always a new file in the place of the old. */
bool weir_file_write_secret(const char *path, weir_str_t bytes) WEIR_MUST_USE;
/* O_APPEND|O_CREAT|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC, mode 0644 for logs. -1: errno.  What is below /dev/ is
 * opened as it is, and so is a link whose text is /dev/stdout or /dev/stderr.  A FIFO without a reader is ENXIO. */
int  weir_file_open_log(const char *path) WEIR_MUST_USE;
/* Writes all of it, through short writes. false: errno. */
bool weir_file_write_all(int fd, weir_str_t bytes) WEIR_MUST_USE;
/* An unnamed temporary file (O_TMPFILE, else made and unlinked) in `dir`, mode 0600. -1: errno. */
int  weir_file_temp(const char *dir) WEIR_MUST_USE;
/* A temporary file that has a name, mode 0600: 16 random hexadecimal digits, below `dir` in folders that have its last
 * digits, so many each (0: no more folders), made when they are missing.  The name is written to `name`, of at least
 * WEIR_FILE_NAME(strlen(dir)) bytes.  -1: errno. */
#define WEIR_FILE_LEVELS       3
#define WEIR_FILE_NAME(folder) ((folder) + 4 * WEIR_FILE_LEVELS + 18)
int  weir_file_temp_named(const char *dir, const uint8_t levels[WEIR_FILE_LEVELS], char *name) WEIR_MUST_USE;
typedef struct { weir_str_t name; bool is_folder; int64_t modified; uint64_t size; } weir_file_entry_t;
typedef struct { weir_file_entry_t *at; size_t n; } weir_file_entries_t;
/* What is in a folder but what begins with a dot: folders first, then by name; of links what they lead to.  false:
 * errno; E2BIG above `limit`. */
bool weir_file_list(weir_arena_t *arena, const char *path, size_t limit, weir_file_entries_t *entries) WEIR_MUST_USE;
/* The path with every link in it resolved.  false: errno. */
bool weir_file_real_path(weir_arena_t *arena, const char *path, weir_str_t *real) WEIR_MUST_USE;
/* mkdir -p, mode 0755 (0700 for the last when private). false: errno. */
bool weir_file_make_dirs(const char *path, bool private_last) WEIR_MUST_USE;

#endif
