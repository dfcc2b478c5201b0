/*
 * load.h - from files to a generation that a process can run on: built, its logs open, its settings read.
 */
#ifndef WEIR_PROC_MASTER_LOAD_H
#define WEIR_PROC_MASTER_LOAD_H

#include "proc/common/settings.h"

#define WEIR_LOAD_ERRORS 20         /* most that are told of one reading */

/* Reads and checks.  *bundle (NULL: not wanted) gets what was read, the caller's.  NULL: what is wrong with the files
 * was logged, all of it up to a bound;
 * *error is the first of it, and says how many there are.  A fragment that is bad is logged and left out. */
weir_generation_t *weir_load(const weir_conf_source_t *source, uint64_t serial, weir_bundle_t **bundle,
                             weir_error_t *error) WEIR_MUST_USE;
/* The same, and a bad fragment is an error like any other. */
weir_generation_t *weir_load_strictly(const weir_conf_source_t *source, uint64_t serial, weir_bundle_t **bundle,
                                      weir_error_t *error) WEIR_MUST_USE;
/* One build of a bundle that may have fragments; nothing is logged but warnings of the files. */
weir_generation_t *weir_load_build(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial,
                                   weir_conf_errors_t *errors) WEIR_MUST_USE;
void weir_load_warn(const weir_generation_t *generation);
/* All of them, of which there is one at least, are logged; *first gets the first, and how many there are. */
void weir_load_tell_errors(const weir_conf_errors_t *errors, weir_error_t *first);
/* Opens every log of the generation.  false with *error: none is open. */
bool weir_load_open_logs(weir_generation_t *generation, weir_error_t *error) WEIR_MUST_USE;
/* Makes its logs the process's; `old` (may be NULL) is closed and given back. */
void weir_load_use_logs(weir_generation_t *generation, weir_generation_t *old);

/* While the configuration is read at start, records go to standard error in short form and to the file (-e; NULL: none;
 * "stderr": standard error alone).  What the file is, the core module asks the bundle: key "error_log". */
void weir_load_boot_log(const char *path, bool quiet);
/* The same standard error, beside the generation's own sinks, until the start is over. */
void weir_load_boot_end(void);
/* Closes the file. */
void weir_load_boot_fini(void);
/* Where standard error goes when the terminal is gone: a descriptor of the generation's logs, or -1. */
int weir_load_stderr(const weir_generation_t *generation);

#endif
