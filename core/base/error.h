/*
 * error.h - what went wrong at load time, for a person: a sentence, where it was read, and a hint.
 */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

#include "base/str.h"

typedef struct {
    char     text[1024];   /* complete for nginx's users: "unknown directive \"x\" in /etc/weir.conf:3" */
    char     file[512];    /* empty when it is about no file */
    uint32_t line, column; /* from 1; 0: none */
    char     pointer[256]; /* into a file that is JSON (RFC 6901); empty: it is none, or it is about the whole */
    char     fragment[256]; /* of the configuration, by its name; empty: it is about none */
} weir_error_t;

/* Sets text; keeps the first error when one is set already.  Always returns false, for `return weir_error_set(...)`. */
bool weir_error_set(weir_error_t *error, const char *fmt, ...) WEIR_PRINTF(2, 3);
static inline bool weir_error_is_set(const weir_error_t *error) { return error->text[0] != '\0'; }

#endif
