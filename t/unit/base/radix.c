/* A radix tree finds the longest key a text begins with, then the shorter ones, and stays flat. */
#include "base/radix.h"
#include "tap.h"

static uint32_t radix_state = 12345;

static uint32_t
radix_random(uint32_t below)
{
    radix_state = radix_state * 1664525 + 1013904223;
    return (radix_state >> 8) % below;
}

static void
radix_put(weir_radix_t *tree, const char *key)
{
    weir_radix_node_t *node = weir_radix_add(tree, weir_str_from_z(key));

    node->value = (void *) (uintptr_t) key;
}

/* Depth of the longest key, -1: none. */
static long long
radix_depth(const weir_radix_t *tree, const char *text)
{
    const weir_radix_node_t *node = weir_radix_longest(tree, weir_str_from_z(text));

    return node != NULL ? (long long) node->depth : -1;
}

static void
test_longest(weir_arena_t *arena)
{
    weir_radix_t             tree;
    const weir_radix_node_t *node;

    weir_radix_init(&tree, arena);
    ok(radix_depth(&tree, "/a") == -1 && radix_depth(&tree, "") == -1, "an empty tree has nothing");
    radix_put(&tree, "/api/users");
    radix_put(&tree, "/api/");
    radix_put(&tree, "/apix");
    radix_put(&tree, "/");
    is_int(radix_depth(&tree, "/api/users/7"), 10, "the longest of three");
    is_int(radix_depth(&tree, "/api/user"), 5, "a key that the text ends inside of does not count");
    is_int(radix_depth(&tree, "/ap"), 1, "a fork without a value does not count");
    is_int(radix_depth(&tree, "/apix"), 5, "the whole text");
    is_int(radix_depth(&tree, "x"), -1, "another first byte");

    node = weir_radix_shorter(weir_radix_longest(&tree, WEIR_STR("/api/users")));
    ok(node != NULL && node->depth == 5, "then the next shorter one");
    node = weir_radix_shorter(node);
    ok(node != NULL && node->depth == 1, "and the next");
    ok(weir_radix_shorter(node) == NULL, "and no more");
    radix_put(&tree, "");
    is_int(radix_depth(&tree, "x"), 0, "the empty key is the beginning of everything");
}

static void
test_all_bytes(weir_arena_t *arena)
{
    weir_radix_t tree;
    int          wrong = 0;

    weir_radix_init(&tree, arena);
    for (int c = 0; c < 256; c++) {
        char *key = weir_alloc_bytes(arena, 2);

        key[0] = (char) c;
        key[1] = 'z';
        weir_radix_add(&tree, weir_str(key, 2))->value = key;
    }
    for (int c = 0; c < 256; c++) {
        const char               text[] = { (char) c, 'z', 'z' };
        const weir_radix_node_t *node = weir_radix_longest(&tree, weir_str(text, 3));

        wrong += node == NULL || node->depth != 2 || *(const char *) node->value != (char) c;
    }
    is_int(wrong, 0, "all 256 bytes, NUL too, are told apart");
}

#define KEYS 200

static void
test_against_model(weir_arena_t *arena)
{
    int wrong = 0;

    for (int round = 0; round < 100; round++) {
        weir_str_t   keys[KEYS];
        weir_radix_t tree;

        weir_radix_init(&tree, arena);
        for (int i = 0; i < KEYS; i++) {
            size_t len = radix_random(8);
            char  *key = weir_alloc_bytes(arena, len + 1);

            for (size_t j = 0; j < len; j++) {
                key[j] = (char) ('a' + radix_random(3));
            }
            keys[i] = weir_str(key, len);
            weir_radix_add(&tree, keys[i])->value = key;
        }
        for (int i = 0; i < KEYS; i++) {
            const weir_radix_node_t *node = weir_radix_longest(&tree, keys[i]);

            for (size_t n = keys[i].len + 1; n-- > 0;) {
                bool is_key = false;

                for (int j = 0; j < KEYS; j++) {
                    is_key |= weir_str_eq(keys[j], weir_str(keys[i].at, n));
                }
                if (is_key) {
                    wrong += node == NULL || node->depth != n;
                    node = node != NULL ? weir_radix_shorter(node) : NULL;
                }
            }
            wrong += node != NULL;
        }
    }
    is_int(wrong, 0, "20,000 look-ups give the same chain of keys as a list does");
}

static size_t
radix_height(const weir_radix_node_t *node)
{
    size_t highest = 0;

    for (size_t i = 0; i < node->n; i++) {
        highest = (size_t) weir_max(highest, radix_height(node->children[i]));
    }
    return highest + 1;
}

static void
test_height(weir_arena_t *arena)
{
    weir_radix_t few, many;

    weir_radix_init(&few, arena);
    weir_radix_init(&many, arena);
    for (int i = 0; i < 10000; i++) {
        weir_str_t key = weir_str_printf(arena, "/service/%04d/", i);

        weir_radix_add(&many, key)->value = &few;
        if (i < 10) {
            weir_radix_add(&few, key)->value = &few;
        }
    }
    is_int(radix_height(&few.root), 3, "ten prefixes: the root, the fork, the leaves");
    is_int(radix_height(&many.root), 6, "10,000 prefixes: a fork for each digit more");
}

int
main(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 65536);
    test_longest(&arena);
    test_all_bytes(&arena);
    test_against_model(&arena);
    test_height(&arena);
    weir_arena_fini(&arena);
    return done();
}
