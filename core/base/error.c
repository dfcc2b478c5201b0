/*
 * error.c - see error.h.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool
weir_error_set(weir_error_t *error, const char *fmt, ...)
{
    va_list args;

    if (!weir_error_is_set(error)) {
        va_start(args, fmt);
        vsnprintf(error->text, sizeof(error->text), fmt, args);
        va_end(args);
    }
    return false;
}
