/*
 * Packed trees: all of a tree comes back, places too; what is damaged or too large is refused.
 */
#include "conf/tree_pack.h"

#include "conf/tree_json.h"
#include "tap.h"
#include "tree_same.h"

static weir_arena_t arena;

static weir_str_t
pack(const weir_tree_node_t *root)
{
    weir_error_t error = { .text = "" };
    weir_str_t   bytes = WEIR_STR("");

    if (root == NULL || !weir_tree_pack(&arena, root, &bytes, &error)) {
        printf("# %s\n", error.text);
    }
    return bytes;
}

static weir_tree_node_t *
text(const char *text)
{
    weir_error_t error = { .text = "" };

    return weir_tree_read(&arena, weir_str_from_z(text), "/etc/f.conf", &error);
}

static weir_tree_node_t *
json(const char *text)
{
    weir_error_t error = { .text = "" };

    return weir_tree_json_read(&arena, weir_str_from_z(text), "f.json", WEIR_TREE_JSON_LITERAL, &error);
}

static const weir_tree_node_t *
unpack(weir_str_t bytes)
{
    weir_error_t            error = { .text = "" };
    const weir_tree_node_t *root = weir_tree_unpack(&arena, bytes, &error);

    return (root == NULL) == weir_error_is_set(&error) ? root : NULL;
}

/* One word and one flag for each that tree_same does not look at. */
static bool
same_places(const weir_tree_node_t *a, const weir_tree_node_t *b)
{
    bool same = a->has_gap == b->has_gap && a->is_trailing == b->is_trailing && a->words.line == b->words.line
        && (a->words.pointer == NULL) == (b->words.pointer == NULL)
        && (a->words.pointer == NULL || strcmp(a->words.pointer, b->words.pointer) == 0)
        && strcmp(a->words.file, b->words.file) == 0;

    for (size_t i = 0; i < a->words.n && same; i++) {
        same = a->words.at[i].line == b->words.at[i].line && a->words.at[i].column == b->words.at[i].column
            && a->words.at[i].lines == b->words.at[i].lines;
    }
    a = a->first;
    for (b = b->first; a != NULL && b != NULL && same; a = a->next, b = b->next) {
        same = same_places(a, b);
    }
    return same && a == NULL && b == NULL;
}

static void
check(const weir_tree_node_t *root, const char *what)
{
    weir_str_t              bytes = pack(root);
    const weir_tree_node_t *back = unpack(bytes);

    ok(back != NULL && tree_same(root, back), what);
    ok(back != NULL && same_places(root, back), "with its places");
    ok(back != NULL && weir_str_eq(pack(back), bytes), "and is packed the same");
    for (size_t i = 0; i < bytes.len; i++) {
        if (unpack(weir_str(bytes.at, i)) != NULL) {
            ok(false, "a beginning of the bytes is refused");
        }
    }
    ok(unpack(weir_str_concat(&arena, bytes, WEIR_STR("\x10"))) == NULL, "not with a byte more");
}

static void
test_damage(void)
{
    weir_str_t bytes = pack(text("# c\nserver { listen 80 'x y' # d\n \"a $b\"$;\n\n a b { c; } }"));
    char      *copy = weir_alloc_bytes(&arena, bytes.len);

    for (size_t i = 0; i < bytes.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            const weir_tree_node_t *root;

            memcpy(copy, bytes.at, bytes.len);
            copy[i] = (char) (copy[i] ^ (1 << bit));
            root = unpack(weir_str(copy, bytes.len));
            if (root != NULL && pack(root).len == 0) {
                ok(false, "what is read of damaged bytes is a tree");
            }
        }
    }
    ok(true, "each bit may be wrong");
}

static void
test_limits(void)
{
    weir_tree_node_t *root = text(""), *at = root;
    weir_error_t      error = { .text = "" };
    weir_str_t        bytes;
    weir_conf_word_t  word = { .text = WEIR_STR("x") };

    for (size_t i = 0; i <= WEIR_TREE_DEPTH; i++) {
        if (i == WEIR_TREE_DEPTH) {
            ok(unpack(pack(root)) != NULL, "64 levels");
        }
        at = weir_tree_add(&arena, at);
        at->words = (weir_conf_words_t) { .at = &word, .n = 1, .file = "f", .line = 1 };
        at->is_block = true;
    }
    ok(!weir_tree_pack(&arena, root, &bytes, &error) && strstr(error.text, "more than 64") != NULL, "no more");
    root = text("a;");
    for (size_t i = 1; i < WEIR_TREE_PACK_NODES; i++) {
        at = weir_tree_add(&arena, root);
        at->words = root->first->words;
    }
    ok(unpack(pack(root)) != NULL, "a million directives");
    weir_tree_add(&arena, root)->words = root->first->words;
    error = (weir_error_t) { .text = "" };
    ok(!weir_tree_pack(&arena, root, &bytes, &error) && strstr(error.text, "too large") != NULL, "no more");
}

int
main(void)
{
    weir_arena_init(&arena, 65536);
    check(text(""), "nothing comes back");
    check(text("# a\nserver { # b\n\n  listen 80 'x y' # d\n \"a $b\" \"c $d\"$;\n\n a b { c; } # e\n}\nx \"a\nb\";"),
          "a text comes back");
    check(json("[{\"directive\": \"#\", \"comment\": \" c\"}, {\"directive\": \"server\", \"block\": ["
               "{\"directive\": \"return\", \"args\": [\"200\", \"a $b;{\\n'\\\"\", {\"expression\": \"$x\"}]}]}]"),
          "JSON comes back");
    test_damage();
    test_limits();
    weir_arena_fini(&arena);
    return done();
}
