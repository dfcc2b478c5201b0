/*
 * named.h - log files whose names are made when a record is (access_log with variables): opened for each record, or
 * kept open for a while.
 *
 * Of a worker, on the loop's thread; the files belong to the workers' user.  Each record is one write.
 */
#ifndef WEIR_LOG_NAMED_H
#define WEIR_LOG_NAMED_H

#include "log/log.h"

/* open_log_file_cache */
typedef struct {
    uint32_t    max;                 /* descriptors kept; 0: none */
    uint32_t    min_uses;            /* so many records before it is kept open; until then it is opened for each */
    /* unused so long: closed and forgotten · so old: looked whether its name is still its own */
    weir_msec_t inactive, valid;
} weir_log_names_conf_t;

/* Appends the record (with its newline) to the file of this path (NUL-terminated), made when it is not there.  What
 * cannot be written is dropped and counted in weir_log_dropped. */
void weir_log_named_write(const weir_log_names_conf_t *conf, weir_str_t path, weir_str_t record);
/* Closes what is kept: after a rotation, and at the end. */
void weir_log_named_forget(void);

#endif
