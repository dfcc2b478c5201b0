/*
 * tree_write.c - tree to text (tree.h).
 *
 * A word is written without quotes where it was read so, and reads the same again; the reader itself (lex.c) is asked
 * whether it does.
 */
#include "conf/tree.h"

#include <string.h>

#define TREE_INDENT   4
#define TREE_MARK     "\xEF\xBB\xBF"
#define TREE_ON       (2 * TREE_INDENT)      /* a directive goes on in a new line */

/* -- words -- */

static bool
tree_is_escape(char c)
{
    return c == '"' || c == '\'' || c == '\\' || c == 't' || c == 'r' || c == 'n'
        || c == '\t' || c == '\r' || c == '\n';      /* which are written as such letters */
}

static char
tree_escape_letter(char c)
{
    return c == '\t' ? 't' : c == '\r' ? 'r' : c == '\n' ? 'n' : c;
}

/* Must the byte have a backslash before it?  So must a backslash that a reader would take for the begin of an escape,
 * and a quote where a word without quotes begins. */
static bool
tree_needs_escape(weir_str_t word, size_t i, char quote, bool keeps_lines)
{
    char c = word.at[i];

    switch (c) {
    case '\\': return i + 1 == word.len || tree_is_escape(word.at[i + 1]);
    case '\t':
    case '\r': return true;
    case '\n': return quote == '\0' || !keeps_lines;
    default:   return quote != '\0' ? c == quote : i == 0 && (c == '"' || c == '\'');
    }
}

static size_t
tree_escape_at(weir_str_t word, size_t i, char quote, bool keeps_lines, char *out)
{
    bool needs = tree_needs_escape(word, i, quote, keeps_lines);

    out[0] = '\\';
    out[needs] = needs ? tree_escape_letter(word.at[i]) : word.at[i];
    return (size_t) 1 + needs;
}

static void
tree_put_word(weir_str_t word, char quote, bool keeps_lines, FILE *out)
{
    char bytes[2];

    if (quote != '\0') {
        (void) fputc(quote, out);
    }
    for (size_t i = 0; i < word.len; i++) {
        (void) fwrite(bytes, 1, tree_escape_at(word, i, quote, keeps_lines, bytes), out);
    }
    if (quote != '\0') {
        (void) fputc(quote, out);
    }
}

bool
weir_tree_is_bare(weir_str_t word)
{
    weir_arena_t      arena;
    weir_lex_t        lex;
    weir_conf_words_t words;
    weir_error_t      error = { .text = "" };
    char             *text, *at;
    bool              is_bare;

    if (word.len == 0 || word.len > WEIR_LEX_MAX_WORD / 2) {
        return false;
    }
    weir_arena_init(&arena, 4096);
    text = at = weir_alloc_bytes(&arena, 2 * word.len + 2);
    *at++ = ' ';                             /* else a byte order mark in the word would be the text's */
    for (size_t i = 0; i < word.len; i++) {
        at += tree_escape_at(word, i, '\0', false, at);
    }
    *at++ = ';';
    weir_lex_init(&lex, &arena, weir_str(text, (size_t) (at - text)), "");
    is_bare = weir_lex_next(&lex, &words, &error) == WEIR_LEX_SIMPLE && words.n == 1 && !words.at[0].quoted
              && weir_str_eq(words.at[0].text, word) && lex.at == lex.text.len;
    weir_arena_fini(&arena);
    return is_bare;
}

static void
tree_write_word(const weir_conf_word_t *word, FILE *out)
{
    char quote = '"';

    if (!word->quoted && weir_tree_is_bare(word->text)) {
        quote = '\0';
    } else if (weir_str_find(word->text, '"') != NULL && weir_str_find(word->text, '\'') == NULL) {
        quote = '\'';
    }
    tree_put_word(word->text, quote, word->lines != 0, out);
    if (word->is_literal) {
        weir_assert(quote != '\0');
        (void) fputc('$', out);
    }
}

/* -- nodes -- */

static void
tree_indent(size_t depth, size_t more, FILE *out)
{
    (void) fprintf(out, "%*s", (int) (depth * TREE_INDENT + more), "");
}

static void
tree_write_comment(weir_str_t text, FILE *out)
{
    while (text.len != 0 && strchr(" \t\r", text.at[text.len - 1]) != NULL) {
        text.len--;
    }
    (void) fputc('#', out);
    (void) fwrite(text.at, 1, text.len, out);
}

/* if ($a = "x"): a parenthesis behind a quote. */
static bool
tree_closes(const weir_conf_words_t *words, size_t i)
{
    return words->at[i - 1].quoted && !words->at[i].quoted && weir_str_starts(words->at[i].text, WEIR_STR(")"))
        && weir_tree_is_bare(words->at[i].text);
}

/* The words, with what stands between them; true: a comment has ended the line. */
static bool
tree_write_words(const weir_tree_node_t *node, size_t depth, FILE *out)
{
    size_t inner = 0;
    bool   is_new_line = false;

    for (size_t i = 0; i <= node->words.n; i++) {
        bool goes_on = i != 0 && i < node->words.n && node->words.at[i].line > node->words.at[i - 1].line;

        for (; inner < node->n_inner && node->inner[inner].before == i; inner++) {
            (void) (is_new_line ? tree_indent(depth, TREE_ON, out) : (void) fputc(' ', out));
            tree_write_comment(node->inner[inner].text, out);
            (void) fputc('\n', out);
            is_new_line = true;
        }
        if (i == node->words.n) {
            return is_new_line;
        }
        if (!is_new_line && goes_on) {
            (void) fputc('\n', out);
            is_new_line = true;
        }
        if (is_new_line) {
            tree_indent(depth, TREE_ON, out);
        } else if (i != 0 && !tree_closes(&node->words, i)) {
            (void) fputc(' ', out);
        }
        tree_write_word(&node->words.at[i], out);
        is_new_line = false;
    }
    return is_new_line;
}

static void
tree_write_node(const weir_tree_node_t *node, size_t depth, bool is_first, FILE *out)
{
    if (node->words.n == 0) {
        if (!node->is_trailing) {
            (void) fputs(node->has_gap && !is_first ? "\n\n" : is_first && depth == 0 ? "" : "\n", out);
            tree_indent(depth, 0, out);
        } else {
            (void) fputc(' ', out);
        }
        tree_write_comment(node->comment, out);
        return;
    }
    (void) fputs(node->has_gap && !is_first ? "\n\n" : is_first && depth == 0 ? "" : "\n", out);
    tree_indent(depth, 0, out);
    if (tree_write_words(node, depth, out)) {
        tree_indent(depth, 0, out);
    } else if (node->is_block) {
        (void) fputc(' ', out);
    }
    if (!node->is_block) {
        (void) fputc(';', out);
        return;
    }
    (void) fputc('{', out);
    for (const weir_tree_node_t *child = node->first; child != NULL; child = child->next) {
        tree_write_node(child, depth + 1, child == node->first, out);
    }
    (void) fputc('\n', out);
    tree_indent(depth, 0, out);
    (void) fputc('}', out);
}

void
weir_tree_write(const weir_tree_node_t *root, FILE *out)
{
    const weir_conf_words_t *first = root->first != NULL ? &root->first->words : NULL;

    if (first != NULL && first->n != 0 && !first->at[0].quoted
        && weir_str_starts(first->at[0].text, WEIR_STR(TREE_MARK)))
    {
        (void) fputc('\n', out);             /* what a word begins with is no byte order mark */
    }
    for (const weir_tree_node_t *child = root->first; child != NULL; child = child->next) {
        tree_write_node(child, 0, child == root->first, out);
    }
    if (root->first != NULL) {
        (void) fputc('\n', out);
    }
}
