/*
 * tree_pack.c - any bytes as a packed tree: what is a tree is packed to the same bytes again, and can be written as text
 * that says the same; and any text that is a tree comes back from its bytes as it was.
 */
#include "../unit/conf/tree_same.h"

#include "conf/tree_pack.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be said in text; a sender may have said in its bytes that a word with a blank has no quotes. */
static bool
says_the_same(const weir_tree_node_t *a, const weir_tree_node_t *b)
{
    const weir_tree_node_t *x = a->first, *y = b->first;
    bool                    same = a->is_block == b->is_block && a->words.n == b->words.n;

    for (size_t i = 0; i < a->words.n && same; i++) {
        same = weir_str_eq(a->words.at[i].text, b->words.at[i].text)
            && a->words.at[i].is_literal == b->words.at[i].is_literal;
    }
    for (; x != NULL && y != NULL && same; x = x->next, y = y->next) {
        same = says_the_same(x, y);
    }
    return same && x == y;
}

static bool
is_written_short(const weir_tree_node_t *node)
{
    bool is_short = true;

    for (size_t i = 0; i < node->words.n; i++) {
        is_short = is_short && node->words.at[i].text.len <= WEIR_LEX_MAX_WORD / 2;     /* with its escapes */
    }
    for (node = node->first; node != NULL && is_short; node = node->next) {
        is_short = is_written_short(node);
    }
    return is_short;
}

static void
check_text(weir_arena_t *arena, const weir_tree_node_t *root)
{
    weir_error_t            error = { .text = "" };
    char                   *text = NULL;
    size_t                  len = 0;
    FILE                   *out = open_memstream(&text, &len);
    const weir_tree_node_t *again;

    weir_tree_write(root, out);
    (void) fclose(out);
    again = weir_tree_read(arena, weir_str(text, len), "written", &error);
    weir_assert(again != NULL && says_the_same(root, again));
    free(text);
}

static void
check_tree(weir_arena_t *arena, weir_str_t bytes)
{
    weir_error_t            error = { .text = "" };
    const weir_tree_node_t *root = weir_tree_unpack(arena, bytes, &error);
    weir_str_t              again;

    weir_assert((root == NULL) == weir_error_is_set(&error));
    if (root == NULL) {
        return;
    }
    weir_assert(weir_tree_pack(arena, root, &again, &error) && weir_str_eq(again, bytes));
    if (is_written_short(root)) {
        check_text(arena, root);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t              input = weir_str((const char *) data, size), bytes;
    weir_error_t            error = { .text = "" };
    const weir_tree_node_t *root, *back;
    weir_arena_t            arena;

    weir_arena_init(&arena, 4096);
    check_tree(&arena, input);
    root = weir_tree_read(&arena, input, "input", &error);
    if (root != NULL) {
        weir_assert(weir_tree_pack(&arena, root, &bytes, &error));
        back = weir_tree_unpack(&arena, bytes, &error);
        weir_assert(back != NULL && tree_same(root, back));
        check_tree(&arena, bytes);
    }
    weir_arena_fini(&arena);
    return 0;
}
