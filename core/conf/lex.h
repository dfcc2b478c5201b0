/*
 * lex.h - nginx's grammar to statements: words, quotes, escapes, ${name}, comments, ';', '{', '}'.
 *
 * Pure: a text in, statements out; runs in the master and in a worker's build thread; fuzzed by t/fuzz/conf_lex.c.
 */
#ifndef WEIR_CONF_LEX_H
#define WEIR_CONF_LEX_H

#include "base/array.h"
#include "base/error.h"

typedef struct {
    weir_str_t text;          /* quotes and escapes resolved; owned by the arena */
    bool       quoted;
    bool       is_literal;    /* it has a '$' that begins no variable, nor does any other in it */
    uint32_t   line, column;
    uint32_t   lines;         /* that it goes on for, behind its first */
} weir_conf_word_t;

#define WEIR_LEX_MAX_WORD  65536   /* bytes of a word as written */
#define WEIR_LEX_MAX_WORDS 4096    /* of a directive, its name included */

/* The "file" of -g: errors name it without a line, as nginx does. */
#define WEIR_LEX_COMMAND_LINE "command line"

typedef enum { WEIR_LEX_SIMPLE, WEIR_LEX_OPEN, WEIR_LEX_CLOSE, WEIR_LEX_END, WEIR_LEX_BAD } weir_lex_kind_t;

typedef struct {
    const weir_conf_word_t *at;   /* at[0] is the directive's name */
    size_t                  n;
    const char             *file; /* NUL-terminated, arena */
    uint32_t                line; /* of the first word; of '}' for CLOSE */
    const char             *pointer;  /* of what came as JSON: where it stands in it (RFC 6901), not in which line */
    const char             *fragment; /* whose statement it is (fragment.h); NULL: of no fragment */
} weir_conf_words_t;

/* What stands behind '#', and behind how many words of its statement. */
typedef struct { weir_str_t text; uint32_t line; size_t words; } weir_lex_comment_t;

typedef struct {
    weir_arena_t       *arena;
    weir_str_t          text;
    const char         *file;
    size_t              at;
    uint32_t            line, column;
    weir_array_t       *comments;         /* weir_lex_comment_t's are added to it; NULL: they are skipped */
} weir_lex_t;

void weir_lex_init(weir_lex_t *lex, weir_arena_t *arena, weir_str_t text, const char *file);
/* SIMPLE: words ended by ';' · OPEN: words ended by '{' · CLOSE: '}' · END · BAD with *error (file, line, column). */
weir_lex_kind_t weir_lex_next(weir_lex_t *lex, weir_conf_words_t *words, weir_error_t *error);

/* Behind BAD: to the end of the statement in which it was: behind ';' or '{' (OPEN), before '}'.  END: there is
 * none. */
weir_lex_kind_t weir_lex_recover(weir_lex_t *lex);

#endif
