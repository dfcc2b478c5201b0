/*
 * record.h - one record of the error log as bytes: between log.c and record.c only.
 */
#ifndef WEIR_LOG_RECORD_H
#define WEIR_LOG_RECORD_H

#include "base/buf.h"
#include "log/log.h"

#define WEIR_LOG_MAX_FIELDS 32

typedef struct {
    weir_log_level_t level;
    uint64_t         connection;    /* 0: none */
    int              errnum;        /* 0: none */
    weir_str_t       message;
    bool             cut;           /* the message did not fit */
    weir_log_field_t fields[WEIR_LOG_MAX_FIELDS];
    size_t           n_fields;
} weir_log_record_t;

/* Each fills the buffer at most and writes no newline; what does not fit is cut and ends in "...". */
void weir_log_record_text(weir_buf_t *buf, const weir_log_record_t *record);   /* nginx's form */
void weir_log_record_boot(weir_buf_t *buf, const weir_log_record_t *record);   /* "weir: [emerg] message" */
void weir_log_record_json(weir_buf_t *buf, const weir_log_record_t *record);

/* In a message quotes stay as they are: it stands between none. */
typedef enum { WEIR_LOG_ESCAPE_TEXT, WEIR_LOG_ESCAPE_MESSAGE, WEIR_LOG_ESCAPE_JSON } weir_log_escape_t;

/* Moves *s behind what was escaped into out; what is left did not fit. */
size_t weir_log_escape(weir_log_escape_t form, char *out, size_t cap, weir_str_t *s);

#endif
