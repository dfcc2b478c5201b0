/*
 * conf_lex.c - the configuration lexer on any bytes: it ends, words lie in the text's bounds and lines only go up.
 */
#include "conf/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_words(const weir_conf_words_t *words)
{
    uint32_t line = words->line;
    size_t   i;

    weir_assert(words->n >= 1 && words->n <= WEIR_LEX_MAX_WORDS);
    for (i = 0; i < words->n; i++) {
        weir_assert(words->at[i].line >= line && words->at[i].column >= 1);
        weir_assert(words->at[i].text.len <= WEIR_LEX_MAX_WORD);
        weir_assert(words->at[i].quoted || words->at[i].text.len != 0);
        weir_assert(memchr(words->at[i].text.at, '\0', words->at[i].text.len) == NULL);
        weir_assert(words->at[i].text.at[words->at[i].text.len] == '\0');
        line = words->at[i].line;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_arena_t      arena;
    weir_error_t      error = { .text = "" };
    weir_lex_t        lex;
    weir_lex_kind_t   kind;
    weir_conf_words_t words;
    size_t            at = 0;

    weir_arena_init(&arena, 65536);
    weir_lex_init(&lex, &arena, weir_str((const char *) data, size), "fuzz");
    while ((kind = weir_lex_next(&lex, &words, &error)) != WEIR_LEX_END && kind != WEIR_LEX_BAD) {
        weir_assert(lex.at > at && lex.at <= size);
        at = lex.at;
        weir_assert(kind != WEIR_LEX_CLOSE || words.n == 0);
        if (kind != WEIR_LEX_CLOSE) {
            check_words(&words);
        }
    }
    weir_assert((kind == WEIR_LEX_BAD) == weir_error_is_set(&error));
    weir_arena_fini(&arena);
    return 0;
}
