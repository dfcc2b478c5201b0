/*
 * explain_words.c - directives as texts, without the secrets that some of them have.
 */
#include "tool/explain_facts.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 2048           /* bytes of a directive that are shown */

/* Does the name of a field, a parameter or a directive say that its value is a secret? */
static bool
words_is_secret(weir_str_t name)
{
    static const char *const marks[] = { "authorization", "cookie", "key", "token", "secret", "password",
                                         "credential" };
    char       lower[64];
    weir_str_t text = weir_str(lower, weir_min(name.len, sizeof(lower)));

    for (size_t i = 0; i < text.len; i++) {
        lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char) (name.at[i] | 0x20) : name.at[i];
    }
    for (size_t i = 0; i < weir_countof(marks); i++) {
        size_t len = strlen(marks[i]);

        for (size_t at = 0; at + len <= text.len; at++) {
            if (memcmp(text.at + at, marks[i], len) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Directives whose second word is a field's name and whose third is its value. */
static bool
words_sets_field(weir_str_t name)
{
    return weir_str_ends(name, WEIR_STR("_set_header")) || weir_str_eq(name, WEIR_STR("add_header"))
        || weir_str_eq(name, WEIR_STR("request_header")) || weir_str_eq(name, WEIR_STR("response_header"));
}

/* A variable and nothing else: what it holds is not in the file. */
static bool
words_is_variable(weir_str_t word)
{
    for (size_t i = 1; i < word.len; i++) {
        char c = word.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '{'
              || c == '}'))
        {
            return false;
        }
    }
    return word.len > 1 && word.at[0] == '$';
}

/* Has word i a secret in it? */
static bool
words_hides(const weir_conf_words_t *words, size_t i)
{
    weir_str_t name = words->at[0].text, word = words->at[i].text;

    if (i < 2 || (words_is_variable(word) && !words->at[i].is_literal)) {
        return false;
    }
    if (words_sets_field(name)) {
        return words_is_secret(words->at[i - 1].text) || (i == 3 && words_is_secret(words->at[1].text));
    }
    return weir_str_eq(name, WEIR_STR("set")) && words_is_secret(words->at[1].text);
}

/* name=value of a name that says so. */
static bool
words_hides_value(const weir_conf_word_t *said, weir_str_t *name)
{
    weir_str_t word = said->text, value;

    return weir_str_cut(word, '=', name, &value) && value.len != 0 && (said->is_literal || !words_is_variable(value))
        && memchr(name->at, '/', name->len) == NULL && words_is_secret(*name);
}

/* The part of scheme://user:password@host before the host; 0: it has none. */
static size_t
words_userinfo(weir_str_t word, size_t *begin)
{
    const char *scheme = NULL;
    size_t      at = 0;

    for (size_t i = 0; i + 3 <= word.len && scheme == NULL; i++) {
        if (memcmp(word.at + i, "://", 3) == 0) {
            scheme = word.at + i + 3;
        }
    }
    if (scheme == NULL) {
        return 0;
    }
    *begin = (size_t) (scheme - word.at);
    for (size_t i = *begin; i < word.len && word.at[i] != '/' && word.at[i] != '?'; i++) {
        if (word.at[i] == '@') {
            at = i;
        }
    }
    return at;
}

/* Arguments of a URL whose names say that they are secrets lose their values. */
static void
words_add_masked(weir_buf_t *out, weir_str_t text)
{
    size_t at = 0, end;

    while (at < text.len) {
        char c = text.at[at++];

        weir_buf_add_char(out, c);
        if (c != '?' && c != '&') {
            continue;
        }
        for (end = at; end < text.len && text.at[end] != '=' && text.at[end] != '&'; end++) {
        }
        if (end == text.len || text.at[end] != '=' || !words_is_secret(weir_str(text.at + at, end - at))) {
            continue;
        }
        weir_buf_add(out, text.at + at, end + 1 - at);
        weir_buf_add_lit(out, "***");
        for (at = end; at < text.len && text.at[at] != '&'; at++) {
        }
    }
}

json_t *
weir_explain_target(weir_str_t target)
{
    char       room[WORDS_MAX * 4];
    weir_buf_t out;

    weir_buf_init(&out, room, sizeof(room));
    words_add_masked(&out, target);
    return weir_explain_text(weir_buf_str(&out));
}

static void
words_add(weir_buf_t *out, const weir_conf_words_t *words, size_t i)
{
    weir_str_t word = words->at[i].text, name;
    size_t     begin = 0, end;
    bool       is_literal = words->at[i].is_literal;
    bool       quotes = word.len == 0 || is_literal || (words->at[i].quoted && strpbrk(word.at, " \t;{}") != NULL);

    if (quotes) {
        weir_buf_add_char(out, '"');
    }
    if (words_hides(words, i)) {
        weir_buf_add_lit(out, "***");
    } else if (words_hides_value(&words->at[i], &name)) {
        weir_buf_printf(out, "%.*s=***", WEIR_STR_ARG(name));
    } else if ((end = words_userinfo(word, &begin)) != 0) {
        weir_buf_printf(out, "%.*s***", (int) begin, word.at);
        words_add_masked(out, weir_str_skip(word, end));
    } else {
        words_add_masked(out, word);
    }
    if (quotes) {
        weir_buf_add_char(out, '"');
    }
    if (is_literal) {
        weir_buf_add_char(out, '$');               /* as in a configuration */
    }
}

json_t *
weir_explain_text(weir_str_t text)
{
    json_t *value = json_stringn(text.at != NULL ? text.at : "", text.len);
    char    plain[WORDS_MAX];
    size_t  n = weir_min(text.len, sizeof(plain));

    if (value != NULL) {
        return value;
    }
    for (size_t i = 0; i < n; i++) {
        plain[i] = (unsigned char) text.at[i] < 0x80 && text.at[i] != '\0' ? text.at[i] : '?';
    }
    return json_stringn(plain, n);
}

json_t *
weir_explain_words(const weir_conf_words_t *words)
{
    char       room[WORDS_MAX];
    weir_buf_t out;

    weir_buf_init(&out, room, sizeof(room));
    for (size_t i = 0; i < words->n; i++) {
        if (i != 0) {
            weir_buf_add_char(&out, ' ');
        }
        words_add(&out, words, i);
    }
    return weir_explain_text(weir_buf_str(&out));
}

json_t *
weir_explain_at(const weir_conf_words_t *words)
{
    char text[4200];

    if (words->pointer != NULL) {
        (void) snprintf(text, sizeof(text), "%s#%s", words->file, words->pointer);
    } else {
        (void) snprintf(text, sizeof(text), "%s:%u", words->file, words->line);
    }
    return weir_explain_text(weir_str_from_z(text));
}

json_t *
weir_explain_line(const weir_conf_words_t *words)
{
    json_t *line = json_object();

    (void) json_object_set_new(line, "line", weir_explain_words(words));
    (void) json_object_set_new(line, "at", weir_explain_at(words));
    return line;
}
