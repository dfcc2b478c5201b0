/*
 * lex.c - see lex.h.  A statement is read word by word; a word's raw bytes are found first and then copied without
 * their quotes and escapes.
 *
 * The grammar is nginx's: a word ends at white space, ';' or '{'; quotes count only where a word begins; a backslash
 * takes the next byte's meaning away and goes itself before quotes and backslashes; "${" opens no block; '#' begins a
 * comment only where a word could begin; behind a closing quote there must be white space, ';', '{' or ')'.  Beyond it:
 * "{name}" behind a slash is a part of the word, as in /users/{id}; to nginx it begins a block, of nothing it knows.
 * And "…"$, a '$' behind the closing quote, which nginx refuses: each '$' in the word is a '$' and begins no variable.
 */
#include "conf/lex.h"

#include "base/array.h"
#include "conf/read.h"

#define LEX_FEW 16              /* words of a statement that are gathered beside the arena */

void
weir_lex_init(weir_lex_t *lex, weir_arena_t *arena, weir_str_t text, const char *file)
{
    if (weir_str_starts(text, WEIR_STR("\xEF\xBB\xBF"))) {
        text = weir_str_skip(text, 3);                 /* a byte order mark that an editor left */
    }
    *lex = (weir_lex_t) { .arena = arena, .text = text, .file = file, .line = 1, .column = 1 };
}

static bool
lex_at_end(const weir_lex_t *lex)
{
    return lex->at == lex->text.len;
}

static char
lex_peek(const weir_lex_t *lex)
{
    return lex->text.at[lex->at];
}

static void
lex_skip(weir_lex_t *lex)
{
    if (lex->text.at[lex->at++] == '\n') {
        lex->line++;
        lex->column = 1;
    } else {
        lex->column++;
    }
}

static bool
lex_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A comment to its end, of a statement that has so many words yet. */
static void
lex_skip_comment(weir_lex_t *lex, size_t words)
{
    size_t             start = lex->at + 1;
    weir_lex_comment_t comment = { .line = lex->line, .words = words };

    while (!lex_at_end(lex) && lex_peek(lex) != '\n') {
        lex_skip(lex);
    }
    if (lex->comments != NULL) {
        comment.text = weir_str(lex->text.at + start, lex->at - start);
        *(weir_lex_comment_t *) weir_array_push(lex->comments) = comment;
    }
}

static void
lex_skip_blank(weir_lex_t *lex, size_t words)
{
    while (!lex_at_end(lex)) {
        if (lex_peek(lex) == '#') {
            lex_skip_comment(lex, words);
        } else if (lex_is_space(lex_peek(lex))) {
            lex_skip(lex);
        } else {
            return;
        }
    }
}

static bool
lex_unexpected(weir_lex_t *lex, weir_error_t *error)
{
    unsigned char c = (unsigned char) lex_peek(lex);

    if (c < 0x20 || c >= 0x7f) {
        return weir_conf_fail(error, lex->file, lex->line, lex->column, "", "unexpected byte 0x%02x", c);
    }
    return weir_conf_fail(error, lex->file, lex->line, lex->column, "", "unexpected \"%c\"", c);
}

/* --- one word --- */

/* Does "{name}" come next, behind a slash? */
static bool
lex_is_capture(const weir_lex_t *lex)
{
    size_t i = lex->at + 1;
    char   c = '\0';

    if (lex->at == 0 || lex->text.at[lex->at - 1] != '/') {
        return false;
    }
    for (; i < lex->text.len; i++) {
        c = lex->text.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
              || (c >= '0' && c <= '9' && i > lex->at + 1)))
        {
            break;
        }
    }
    return i < lex->text.len && c == '}' && i > lex->at + 1;
}

/* Bytes that mean nothing but themselves. */
static size_t
lex_skip_plain(weir_lex_t *lex)
{
    const char *at = lex->text.at + lex->at, *end = lex->text.at + lex->text.len;
    size_t      n;

    while (at < end && *at > ' ' && *at != ';' && *at != '{' && *at != '\\' && *at != '$') {
        at++;
    }
    n = (size_t) (at - lex->text.at) - lex->at;
    lex->at += n;
    lex->column += (uint32_t) n;
    return n;
}

/* Where the raw word ends that begins here without a quote. */
static void
lex_skip_bare(weir_lex_t *lex)
{
    bool dollar = false;
    char c;

    while (!lex_at_end(lex)) {
        dollar = lex_skip_plain(lex) == 0 && dollar;
        if (lex_at_end(lex)) {
            return;
        }
        c = lex_peek(lex);
        if (lex_is_space(c) || c == ';' || (c == '{' && !dollar && !lex_is_capture(lex))) {
            return;
        }
        dollar = c == '$';
        lex_skip(lex);
        if (c == '\\' && !lex_at_end(lex)) {
            lex_skip(lex);
        }
    }
}

/* To the closing quote; false: there is none. */
static bool
lex_skip_quoted(weir_lex_t *lex, char quote)
{
    char c;

    while (!lex_at_end(lex)) {
        c = lex_peek(lex);
        if (c == quote) {
            return true;
        }
        lex_skip(lex);
        if (c == '\\' && !lex_at_end(lex)) {
            lex_skip(lex);
        }
    }
    return false;
}

/* The byte that a backslash and c mean, or 0 when the backslash stays. */
static char
lex_escape(char c)
{
    switch (c) {
    case '"': case '\'': case '\\':
        return c;
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    default:
        return '\0';
    }
}

static weir_str_t
lex_unescape(weir_arena_t *arena, weir_str_t raw)
{
    char  *out = weir_alloc_bytes(arena, raw.len + 1), *at = out, escaped;
    size_t i;

    if (weir_str_find(raw, '\\') == NULL) {
        memcpy(out, raw.len != 0 ? raw.at : "", raw.len);
        out[raw.len] = '\0';
        return weir_str(out, raw.len);
    }
    for (i = 0; i < raw.len; i++) {
        escaped = raw.at[i] == '\\' && i + 1 < raw.len ? lex_escape(raw.at[i + 1]) : '\0';
        i += escaped != '\0';
        *at++ = escaped != '\0' ? escaped : raw.at[i];
    }
    *at = '\0';
    return weir_str(out, (size_t) (at - out));
}

static bool
lex_check_after_quote(weir_lex_t *lex, weir_error_t *error)
{
    char c;

    if (lex_at_end(lex)) {
        return true;                                   /* the caller says that the file ends too early */
    }
    c = lex_peek(lex);
    return lex_is_space(c) || c == ';' || c == '{' || c == ')' ? true : lex_unexpected(lex, error);
}

static bool
lex_word(weir_lex_t *lex, weir_conf_word_t *word, weir_error_t *error)
{
    char       quote = lex_peek(lex);
    weir_str_t raw;
    size_t     start;

    *word = (weir_conf_word_t) { .quoted = quote == '"' || quote == '\'', .line = lex->line, .column = lex->column };
    if (word->quoted) {
        lex_skip(lex);
    }
    start = lex->at;
    if (!word->quoted) {
        lex_skip_bare(lex);
    } else if (!lex_skip_quoted(lex, quote)) {
        return weir_conf_fail(error, lex->file, lex->line, lex->column, "",
                              "unexpected end of file, expecting the closing %c of the word that begins in line %u",
                              quote,
                              word->line);
    }
    weir_assert(start <= lex->at && lex->at <= lex->text.len);
    raw = weir_str(lex->text.at + start, lex->at - start);
    if (raw.len > WEIR_LEX_MAX_WORD) {
        return weir_conf_fail(error, lex->file, word->line, word->column, "",
                              "too long word \"%.10s...\": more than %d bytes, probably a quote is missing", raw.at,
                              WEIR_LEX_MAX_WORD);
    }
    if (weir_str_find(raw, '\0') != NULL) {
        return weir_conf_fail(error, lex->file, word->line, word->column, "", "unexpected byte 0x00");
    }
    word->text = lex_unescape(lex->arena, raw);
    word->lines = lex->line - word->line;
    if (!word->quoted) {
        return true;
    }
    lex_skip(lex);
    if (!lex_at_end(lex) && lex_peek(lex) == '$') {
        lex_skip(lex);
        word->is_literal = weir_str_find(word->text, '$') != NULL;      /* without one it says nothing */
    }
    return lex_check_after_quote(lex, error);
}

/* --- one statement --- */

static weir_lex_kind_t
lex_end(weir_lex_t *lex, const weir_array_t *array, weir_error_t *error)
{
    if (array->n == 0) {
        return WEIR_LEX_END;
    }
    if (strcmp(lex->file, WEIR_LEX_COMMAND_LINE) == 0) {
        (void) weir_conf_fail(error, lex->file, lex->line, lex->column, "",
                              "unexpected end of parameter, expecting \";\"");
    } else {
        (void) weir_conf_fail(error, lex->file, lex->line, lex->column, "",
                              "unexpected end of file, expecting \";\" or \"}\"");
    }
    return WEIR_LEX_BAD;
}

/* At ';', '{' or '}', which is taken. */
static weir_lex_kind_t
lex_close_statement(weir_lex_t *lex, const weir_array_t *array, weir_error_t *error)
{
    char c = lex_peek(lex);

    if ((c == '}') != (array->n == 0)) {
        (void) lex_unexpected(lex, error);
        return WEIR_LEX_BAD;
    }
    lex_skip(lex);
    return c == ';' ? WEIR_LEX_SIMPLE : c == '{' ? WEIR_LEX_OPEN : WEIR_LEX_CLOSE;
}

static weir_lex_kind_t
lex_statement(weir_lex_t *lex, weir_array_t *array, uint32_t *line, weir_error_t *error)
{
    weir_conf_word_t word;
    char             c;

    for (;;) {
        lex_skip_blank(lex, array->n);
        *line = array->n == 0 ? lex->line : *line;
        if (lex_at_end(lex)) {
            return lex_end(lex, array, error);
        }
        c = lex_peek(lex);
        if (c == ';' || c == '{' || c == '}') {
            return lex_close_statement(lex, array, error);
        }
        if (array->n == WEIR_LEX_MAX_WORDS) {
            (void) weir_conf_fail(error, lex->file, lex->line, lex->column, "",
                                  "too many words in one directive: more than %d, probably a \";\" is missing",
                                  WEIR_LEX_MAX_WORDS);
            return WEIR_LEX_BAD;
        }
        if (!lex_word(lex, &word, error)) {
            return WEIR_LEX_BAD;
        }
        *(weir_conf_word_t *) weir_array_push(array) = word;
    }
}

weir_lex_kind_t
weir_lex_next(weir_lex_t *lex, weir_conf_words_t *words, weir_error_t *error)
{
    weir_conf_word_t few[LEX_FEW], *copies;
    weir_array_t     array = { .arena = lex->arena, .at = few, .cap = LEX_FEW, .item = sizeof(*few) };
    weir_lex_kind_t  kind;

    *words = (weir_conf_words_t) { .file = lex->file, .line = lex->line };
    kind = lex_statement(lex, &array, &words->line, error);
    weir_assert(lex->at <= lex->text.len);
    words->n = array.n;
    words->at = array.at;
    if (array.at == few) {                             /* most are so short: they take what they need, not more */
        copies = array.n != 0 ? weir_alloc(lex->arena, array.n * sizeof(*copies)) : NULL;
        if (array.n != 0) {
            memcpy(copies, few, array.n * sizeof(*copies));
        }
        words->at = copies;
    }
    return kind;
}

weir_lex_kind_t
weir_lex_recover(weir_lex_t *lex)
{
    char c;

    while (!lex_at_end(lex)) {
        c = lex_peek(lex);
        if (c == '}') {
            return WEIR_LEX_CLOSE;
        }
        lex_skip(lex);
        if (c == ';' || c == '{') {
            return c == ';' ? WEIR_LEX_SIMPLE : WEIR_LEX_OPEN;
        }
    }
    return WEIR_LEX_END;
}
