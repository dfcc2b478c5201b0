/*
 * utf8.h - is a text well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF)?
 *
 * Pure; every process; allocates nothing.
 */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include "base/str.h"

/* How many bytes the character that is not ASCII at `at` has, before `end`; 0: it is none. */
size_t weir_utf8_length(const char *at, const char *end);
bool   weir_utf8_is_text(weir_str_t text);

#endif
