/* str_copy.c - copies belong to the arena and end in NUL. */
#include "base/str.h"

#include "tap.h"

int
main(void)
{
    weir_arena_t arena;
    weir_str_t   s, long_one;
    char         text[3] = { 'a', '\0', 'B' };

    weir_arena_init(&arena, 256);
    s = weir_str_dup(&arena, weir_str(text, 3));
    ok(s.len == 3 && memcmp(s.at, "a\0B", 4) == 0 && s.at != text, "dup copies NUL too and adds one");
    s = weir_str_dup(&arena, WEIR_STR_NONE);
    ok(s.len == 0 && s.at != NULL && s.at[0] == '\0', "a copy of none is empty text");
    s = weir_str_lower(&arena, WEIR_STR("MiXeD-1\xc4Z"));
    ok(strcmp(s.at, "mixed-1\xc4z") == 0, "lower folds ASCII only");
    s = weir_str_concat(&arena, WEIR_STR("ab"), WEIR_STR("cd"));
    ok(s.len == 4 && strcmp(s.at, "abcd") == 0, "concat");
    ok(weir_str_concat(&arena, WEIR_STR_NONE, WEIR_STR_NONE).len == 0, "concat of none");
    s = weir_str_printf(&arena, "%s=%d", "n", 42);
    ok(s.len == 4 && strcmp(s.at, "n=42") == 0, "printf");
    long_one = weir_str_printf(&arena, "%01000d", 1);
    ok(long_one.len == 1000 && long_one.at[1000] == '\0' && long_one.at[999] == '1', "printf of any length");
    ok(strcmp(weir_str_to_z(&arena, WEIR_STR("path")), "path") == 0, "to_z");
    weir_arena_fini(&arena);
    return done();
}
