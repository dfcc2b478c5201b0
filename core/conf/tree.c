/*
 * tree.c - see tree.h: text to tree.
 */
#include "conf/tree.h"

#include "base/array.h"
#include "conf/read.h"

weir_tree_node_t *
weir_tree_add(weir_arena_t *arena, weir_tree_node_t *parent)
{
    weir_tree_node_t *node = weir_new(arena, weir_tree_node_t);

    node->parent = parent;
    if (parent->last != NULL) {
        parent->last->next = node;
    } else {
        parent->first = node;
    }
    parent->last = node;
    return node;
}

typedef struct {
    weir_arena_t     *arena;
    weir_lex_t        lex;
    weir_tree_node_t *at;                /* the block that is open */
    size_t            depth;
    uint32_t          end;               /* the line in which what came last has ended; 0: nothing has come */
    weir_array_t      comments;          /* of weir_lex_comment_t: those that the lexer met in this statement */
} tree_reader_t;

/* How many comments stand before the statement's first word: they are nodes of their own. */
static size_t
tree_leading(const tree_reader_t *reader)
{
    size_t n = 0;

    while (n < reader->comments.n && weir_array_at(&reader->comments, weir_lex_comment_t, n)->words == 0) {
        n++;
    }
    return n;
}

static void
tree_add_comments(tree_reader_t *reader, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const weir_lex_comment_t *comment = weir_array_at(&reader->comments, weir_lex_comment_t, i);
        weir_tree_node_t         *node = weir_tree_add(reader->arena, reader->at);

        node->comment = comment->text;
        node->words = (weir_conf_words_t) { .file = reader->lex.file, .line = comment->line };
        node->is_trailing = i == 0 && comment->line == reader->end;
        node->has_gap = reader->end != 0 && comment->line > reader->end + 1;
        reader->end = comment->line;
    }
}

static weir_tree_node_t *
tree_add_statement(tree_reader_t *reader, const weir_conf_words_t *words, size_t n_leading)
{
    weir_tree_node_t    *node = weir_tree_add(reader->arena, reader->at);
    weir_tree_comment_t *inner = weir_new_n(reader->arena, weir_tree_comment_t, reader->comments.n + 1);

    node->words = *words;
    node->has_gap = reader->end != 0 && words->line > reader->end + 1;
    for (size_t i = n_leading; i < reader->comments.n; i++) {
        const weir_lex_comment_t *comment = weir_array_at(&reader->comments, weir_lex_comment_t, i);

        inner[node->n_inner++] = (weir_tree_comment_t) { .text = comment->text, .before = comment->words };
    }
    node->inner = inner;
    reader->end = reader->lex.line;
    return node;
}

static bool
tree_open(tree_reader_t *reader, weir_tree_node_t *node, weir_error_t *error)
{
    const weir_conf_words_t *words = &node->words;

    if (reader->depth == WEIR_TREE_DEPTH) {
        return weir_conf_fail(error, words->file, words->line, words->at[0].column, "",
                              "too many blocks inside one another: more than %d", WEIR_TREE_DEPTH);
    }
    node->is_block = true;
    reader->depth++;
    reader->at = node;
    return true;
}

static bool
tree_close(tree_reader_t *reader, const weir_conf_words_t *words, weir_error_t *error)
{
    if (reader->depth == 0) {
        return weir_conf_fail(error, words->file, words->line, 0, "", "unexpected \"}\"");
    }
    reader->depth--;
    reader->at = reader->at->parent;
    reader->end = reader->lex.line;
    return true;
}

static bool
tree_end(const tree_reader_t *reader, weir_error_t *error)
{
    const weir_conf_words_t *opener = &reader->at->words;

    return reader->depth == 0
        || weir_conf_fail(error, reader->lex.file, reader->lex.line, reader->lex.column, "",
                          "unexpected end of file, expecting \"}\" of \"%.*s\" in line %u",
                          (int) weir_min(opener->at[0].text.len, 100), opener->at[0].text.at, opener->line);
}

/* false: at the end, or *error is set. */
static bool
tree_read_statement(tree_reader_t *reader, weir_error_t *error)
{
    weir_conf_words_t words;
    weir_lex_kind_t   kind;
    weir_tree_node_t *node;
    size_t            n;

    reader->comments.n = 0;
    kind = weir_lex_next(&reader->lex, &words, error);
    if (kind == WEIR_LEX_BAD) {
        return false;
    }
    n = tree_leading(reader);
    tree_add_comments(reader, n);
    if (kind == WEIR_LEX_CLOSE) {
        return tree_close(reader, &words, error);
    }
    if (kind == WEIR_LEX_END) {
        return tree_end(reader, error) && false;
    }
    node = tree_add_statement(reader, &words, n);
    return kind != WEIR_LEX_OPEN || tree_open(reader, node, error);
}

weir_tree_node_t *
weir_tree_read(weir_arena_t *arena, weir_str_t text, const char *file, weir_error_t *error)
{
    weir_tree_node_t *root = weir_new(arena, weir_tree_node_t);
    tree_reader_t     reader = { .arena = arena, .at = root };

    root->words.file = file;
    root->is_block = true;
    weir_array_init(&reader.comments, arena, sizeof(weir_lex_comment_t), 0);
    weir_lex_init(&reader.lex, arena, text, file);
    reader.lex.comments = &reader.comments;
    while (tree_read_statement(&reader, error)) {}
    return weir_error_is_set(error) ? NULL : root;
}
