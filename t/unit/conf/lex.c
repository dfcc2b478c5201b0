/*
 * The lexer: words, quotes, escapes, ${name}, comments, what ends a statement, and every way to get it wrong.
 */
#include "base/buf.h"
#include "conf/lex.h"
#include "tap.h"

static weir_arena_t arena;
static weir_error_t error;

/* The statements of a text as "kind:word|word" lines. */
static weir_str_t
read_all(weir_str_t text)
{
    static const char *const kinds[] = { ";", "{", "}", "end", "bad" };
    weir_lex_t        lex;
    weir_conf_words_t words;
    weir_lex_kind_t   kind;
    weir_str_t        out = WEIR_STR("");
    size_t            i;

    error = (weir_error_t) { .text = "" };
    weir_lex_init(&lex, &arena, text, "f.conf");
    do {
        kind = weir_lex_next(&lex, &words, &error);
        for (i = 0; i < words.n && kind != WEIR_LEX_BAD; i++) {
            out = weir_str_printf(&arena, "%.*s%s%.*s", WEIR_STR_ARG(out), i != 0 ? "|" : "",
                                  WEIR_STR_ARG(words.at[i].text));
        }
        out = weir_str_printf(&arena, "%.*s%s", WEIR_STR_ARG(out), kinds[kind]);
    } while (kind != WEIR_LEX_END && kind != WEIR_LEX_BAD);
    return out;
}

/* A text as the one-line name of a test. */
static const char *
name_of(weir_str_t text)
{
    static char out[200];
    weir_buf_t  buf;
    size_t      i;

    weir_buf_init(&buf, out, sizeof(out) - 1);
    for (i = 0; i < text.len; i++) {
        if (text.at[i] < 0x20 || text.at[i] == '#') {
            weir_buf_printf(&buf, "<%02x>", (unsigned char) text.at[i]);
        } else {
            weir_buf_add_char(&buf, text.at[i]);
        }
    }
    *buf.pos = '\0';
    return out;
}

static void
check_reads(weir_str_t text, const char *want)
{
    is_str(read_all(text), want, name_of(text));
}

static void
check_refuses(weir_str_t text, const char *why)
{
    (void) read_all(text);
    is_str(weir_str_from_z(error.text), why, name_of(text));
}

#define reads(text, want)  check_reads(WEIR_STR(text), (want))
#define refuses(text, why) check_refuses(WEIR_STR(text), (why))

static void
test_words(void)
{
    reads("", "end");
    reads("a;", "a;end");
    reads("  a  b\tc\r\n;", "a|b|c;end");
    reads("a b{c d;}", "a|b{c|d;}end");
    reads("a;b;", "a;b;end");
    reads("# all\na; # rest; {\n#x", "a;end");
    reads("a b#c;", "a|b#c;end");
    reads("a } ;", "bad");
    reads("a b} ;", "a|b};end");
    reads("return 200 ${x}y;", "return|200|${x}y;end");
    reads("a $x{ b;}", "a|$x{b;}end");
    reads("a $x ${ b;", "a|$x|${|b;end");
    reads("location ~ ^/a/\\d+$ { }", "location|~|^/a/\\d+${}end");
    reads("match a=/{id}/{n_1}/c;", "match|a=/{id}/{n_1}/c;end");
    reads("match {id};", "match{id};end");
    reads("a x{b}c;", "a|x{b}c;end");
    reads("a /{1}c /{a-b}c /{} d;", "a|/{1}c|/{a-b}c|/{}d;end");
    reads("a /{a", "a|/{bad");
    reads("\xEF\xBB\xBF" "a;", "a;end");
}

static void
test_quotes(void)
{
    reads("a \"b c\" 'd;e';", "a|b c|d;e;end");
    reads("a \"\";", "a|;end");
    reads("a b\"c;", "a|b\"c;end");
    reads("a \"x\\\"y\" 'x\\'y' x\\;y x\\ y;", "a|x\"y|x'y|x\\;y|x\\ y;end");
    reads("a \"\\t\\r\\n\\\\\\q\";", "a|\t\r\n\\\\q;end");
    reads("if ($x = \"a\"){}", "if|($x|=|a|){}end");
    reads("a \"b\"{}", "a|b{}end");
    reads("a 'x\ny';", "a|x\ny;end");
    refuses("a \"b\"c;", "unexpected \"c\" in f.conf:1");
    refuses("a 'b'}", "unexpected \"}\" in f.conf:1");
    refuses("\n a 'b\n",
            "unexpected end of file, expecting the closing ' of the word that begins in line 2 in f.conf:3");
}

static void
test_errors(void)
{
    refuses("a", "unexpected end of file, expecting \";\" or \"}\" in f.conf:1");
    refuses("a b \n\n", "unexpected end of file, expecting \";\" or \"}\" in f.conf:3");
    refuses(";", "unexpected \";\" in f.conf:1");
    refuses("\n{", "unexpected \"{\" in f.conf:2");
    refuses("a }", "unexpected \"}\" in f.conf:1");
    refuses("a b\0c;", "unexpected byte 0x00 in f.conf:1");
    refuses("a \"b\"\x01;", "unexpected byte 0x01 in f.conf:1");
    (void) read_all(WEIR_STR("ab cd\n  ef 'x'y;"));
    is_int(error.line, 2, "an error's line");
    is_int(error.column, 9, "and column");
    is_str(weir_str_from_z(error.file), "f.conf", "and file");
}

static void
test_places(void)
{
    weir_lex_t        lex;
    weir_conf_words_t words;

    weir_lex_init(&lex, &arena, WEIR_STR("\n\n  one 'two'\n three;\n}"), "f.conf");
    is_int(weir_lex_next(&lex, &words, &error), WEIR_LEX_SIMPLE, "a statement over two lines");
    is_int(words.line, 3, "its line is that of its first word");
    is_int(words.at[0].column, 3, "column of the first word");
    is_int(words.at[1].column, 7, "column of a quoted word is its quote's");
    is_int(words.at[2].line, 4, "line of the last");
    ok(!words.at[0].quoted && words.at[1].quoted, "quoted words are known");
    is_int(words.at[2].text.at[words.at[2].text.len], 0, "a NUL follows each word");
    is_int(weir_lex_next(&lex, &words, &error), WEIR_LEX_CLOSE, "a block ends");
    is_int(words.line, 5, "in its line");
}

static void
test_limits(void)
{
    char  *room = malloc(200000);
    size_t i;

    memset(room, 'x', 200000);
    room[WEIR_LEX_MAX_WORD] = ';';
    is_int(read_all(weir_str(room, WEIR_LEX_MAX_WORD + 1)).len, WEIR_LEX_MAX_WORD + 4, "the longest word");
    room[WEIR_LEX_MAX_WORD] = 'x';
    room[WEIR_LEX_MAX_WORD + 1] = ';';
    (void) read_all(weir_str(room, WEIR_LEX_MAX_WORD + 2));
    is_str(weir_str_from_z(error.text),
           "too long word \"xxxxxxxxxx...\": more than 65536 bytes, probably a quote is missing in f.conf:1",
           "one more");
    for (i = 0; i < 2 * WEIR_LEX_MAX_WORDS + 2; i += 2) {
        room[i] = 'a';
        room[i + 1] = ' ';
    }
    room[2 * WEIR_LEX_MAX_WORDS - 1] = ';';
    is_str(weir_str(read_all(weir_str(room, 2 * WEIR_LEX_MAX_WORDS)).at, 4), "a|a|", "the most words");
    room[2 * WEIR_LEX_MAX_WORDS - 1] = ' ';
    room[2 * WEIR_LEX_MAX_WORDS + 1] = ';';
    (void) read_all(weir_str(room, 2 * WEIR_LEX_MAX_WORDS + 2));
    is_str(weir_str_from_z(error.text),
           "too many words in one directive: more than 4096, probably a \";\" is missing in f.conf:1", "one more");
    free(room);
}

int
main(void)
{
    weir_arena_init(&arena, 65536);
    test_words();
    test_quotes();
    test_errors();
    test_places();
    test_limits();
    weir_arena_fini(&arena);
    return done();
}
