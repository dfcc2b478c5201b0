/*
 * recover.c - how a reading goes on behind a statement that has a fault, so that a person learns of all faults of a
 * file at once.
 *
 * Runs where configurations are read.  A reading with an error never becomes a generation, so that nothing needs what
 * was left out.
 */
#include "conf/read.h"

#include <stdio.h>

bool
weir_conf_take_error(reader_t *reader)
{
    weir_conf_errors_t *errors = reader->errors;

    weir_assert(weir_error_is_set(&reader->error) && errors->n < errors->max);
    if (reader->fragment != NULL && reader->error.fragment[0] == '\0') {
        (void) snprintf(reader->error.fragment, sizeof(reader->error.fragment), "%s", reader->fragment);
    }
    errors->at[errors->n++] = reader->error;
    reader->error = (weir_error_t) { .text = "" };
    return errors->n < errors->max;
}

/* What is in it stands nowhere, so nothing is said of it. */
bool
weir_conf_skip_block(reader_t *reader, read_statements_t *from)
{
    weir_error_t      ignored = { .text = "" };
    weir_conf_words_t words;
    weir_lex_kind_t   kind;
    size_t            depth = 1;

    while (depth != 0) {
        kind = weir_statements_next(from, reader->cf.arena, &words, &ignored);
        if (kind == WEIR_LEX_BAD) {
            kind = weir_statements_recover(from);
            if (kind == WEIR_LEX_CLOSE) {
                continue;
            }
        }
        if (kind == WEIR_LEX_END) {
            reader->stopped = true;
            return false;
        }
        depth += kind == WEIR_LEX_OPEN;
        depth -= kind == WEIR_LEX_CLOSE;
    }
    return true;
}

/* A name that the statement would have defined, so that its users are not told that they use an unknown one. */
static void
recover_define(reader_t *reader, const weir_conf_words_t *words)
{
    uint32_t slot;

    for (size_t i = 1; i < words->n; i++) {
        weir_str_t text = words->at[i].text;

        if (text.len > 1 && text.at[0] == '$' && !words->at[i].is_literal
            && !weir_vars_define(reader->cf.vars, weir_str_skip(text, 1), &slot))
        {
            continue;                       /* a built-in one is known anyway */
        }
    }
}

bool
weir_conf_recover(reader_t *reader, read_statements_t *from, weir_lex_kind_t kind, const weir_conf_words_t *words)
{
    if (kind == WEIR_LEX_BAD) {
        kind = weir_statements_recover(from);
    } else {
        recover_define(reader, words);
    }
    if (kind == WEIR_LEX_END) {
        reader->stopped = true;
        return false;
    }
    return kind != WEIR_LEX_OPEN || weir_conf_skip_block(reader, from);
}
