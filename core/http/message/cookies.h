/*
 * cookies.h - the Cookie fields of a request as pairs (RFC 6265 §5.4, in which order they came), values that are spread
 * over several cookies, and fields without some of them.
 *
 * A value that is too long for one cookie is in pieces: the cookie NAME says how many there are and has the first,
 * "3.text"; NAME.1, NAME.2 … have the others.  Only a reader of the value can tell which pieces belong together.  Names
 * have case.  Pure; every function is linear in the bytes of the fields.
 */
#ifndef WEIR_HTTP_COOKIES_H
#define WEIR_HTTP_COOKIES_H

#include "http/message/fields.h"

/* Of browsers: name, value and attributes of one cookie are 4096 bytes at most. */
#define WEIR_COOKIES_PIECE  3800                 /* bytes of a piece's value */
#define WEIR_COOKIES_PIECES 9                    /* that a value may have: their numbers are digits */

/* Zeroed but for the fields. */
typedef struct { const weir_fields_t *fields; const weir_field_t *field; weir_str_t rest; } weir_cookies_t;

/* The next pair with a '=' and a name; false: that was all. */
bool weir_cookies_next(weir_cookies_t *cookies, weir_str_t *name, weir_str_t *value) WEIR_MUST_USE;

typedef enum { WEIR_COOKIES_NONE, WEIR_COOKIES_WHOLE, WEIR_COOKIES_BROKEN } weir_cookies_result_t;

/* The value that is spread over NAME and its pieces, of `most` bytes at most; one piece: where it lies, else in the
 * arena.  NONE: there is no cookie NAME.  BROKEN: one of them is missing, is there twice, or too long.  *pieces: of
 * those that are there, as bits (NAME itself is the first), whatever the result. */
weir_cookies_result_t weir_cookies_gather(const weir_fields_t *fields, weir_str_t name, size_t most,
                                          weir_arena_t *arena, weir_str_t *value, uint32_t *pieces) WEIR_MUST_USE;

/* Is it NAME or one of its pieces?  Which one: 0 … WEIR_COOKIES_PIECES - 1; SIZE_MAX: neither. */
size_t weir_cookies_piece(weir_str_t cookie, weir_str_t name);

/* The text of a Cookie field without the cookies that are not wanted; in the arena, or itself when all are wanted. */
weir_str_t weir_cookies_without(weir_str_t text, weir_arena_t *arena, bool (*is_wanted)(void *data, weir_str_t name),
                                void *data);

#endif
