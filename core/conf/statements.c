/*
 * statements.c - what a configuration is read from, statement by statement: a text with its lexer, or a tree.
 *
 * Runs where configurations are read.
 */
#include "conf/read.h"

void
weir_statements_of_text(read_statements_t *from, weir_arena_t *arena, weir_str_t text, const char *file)
{
    *from = (read_statements_t) { .root = NULL };
    weir_lex_init(&from->lex, arena, text, file);
}

void
weir_statements_of_tree(read_statements_t *from, const weir_tree_node_t *root)
{
    *from = (read_statements_t) { .root = root, .block = root, .at = root->first };
}

static weir_lex_kind_t
statements_close(read_statements_t *from, weir_conf_words_t *words)
{
    const weir_tree_node_t *block = from->block;

    *words = (weir_conf_words_t) { .file = block->words.file, .line = block->words.line,
                                   .pointer = block->words.pointer };
    if (block == from->root) {
        return WEIR_LEX_END;
    }
    from->block = block->parent;
    from->at = block->next;
    return WEIR_LEX_CLOSE;
}

const weir_conf_word_t *
weir_statements_copy_words(weir_arena_t *arena, const weir_conf_words_t *words)
{
    weir_conf_word_t *copies = weir_new_n(arena, weir_conf_word_t, words->n);

    for (size_t i = 0; i < words->n; i++) {
        copies[i] = words->at[i];
        copies[i].text = weir_str(weir_str_to_z(arena, words->at[i].text), words->at[i].text.len);
    }
    return copies;
}

/* A tree may go before what is read from it does.  A file's name is had once for what comes in a row. */
static void
statements_copy(read_statements_t *reading, weir_arena_t *arena, const weir_conf_words_t *from,
                weir_conf_words_t *words)
{
    *words = *from;
    words->at = weir_statements_copy_words(arena, from);
    if (reading->file_arena != arena || reading->file_of != from->file) {
        reading->file = from->file != NULL ? weir_str_to_z(arena, weir_str_from_z(from->file)) : NULL;
        reading->fragment_copy = reading->fragment != NULL
                                 ? weir_str_to_z(arena, weir_str_from_z(reading->fragment)) : NULL;
        reading->file_of = from->file;
        reading->file_arena = arena;
    }
    words->file = reading->file;
    words->fragment = reading->fragment_copy;
    words->pointer = from->pointer != NULL ? weir_str_to_z(arena, weir_str_from_z(from->pointer)) : NULL;
}

static weir_lex_kind_t
statements_of_tree_next(read_statements_t *from, weir_arena_t *arena, weir_conf_words_t *words)
{
    const weir_tree_node_t *node;

    while (from->at != NULL && from->at->words.n == 0) {
        from->at = from->at->next;                     /* a comment */
    }
    node = from->at;
    if (node == NULL) {
        return statements_close(from, words);
    }
    statements_copy(from, arena, &node->words, words);
    if (!node->is_block) {
        from->at = node->next;
        return WEIR_LEX_SIMPLE;
    }
    from->block = node;
    from->at = node->first;
    return WEIR_LEX_OPEN;
}

weir_lex_kind_t
weir_statements_next(read_statements_t *from, weir_arena_t *arena, weir_conf_words_t *words, weir_error_t *error)
{
    weir_lex_kind_t kind;

    from->lex.arena = arena;
    kind = from->root != NULL ? statements_of_tree_next(from, arena, words) : weir_lex_next(&from->lex, words, error);

    if (from->root == NULL || kind == WEIR_LEX_CLOSE || kind == WEIR_LEX_END) {
        words->fragment = from->fragment;
    }
    return kind;
}

weir_lex_kind_t
weir_statements_recover(read_statements_t *from)
{
    weir_assert(from->root == NULL);
    return weir_lex_recover(&from->lex);
}
