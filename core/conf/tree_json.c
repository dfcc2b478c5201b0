/*
 * tree_json.c - see tree_json.h.
 */
#include "conf/tree_json.h"

#include "base/array.h"
#include "base/json.h"
#include "base/utf8.h"
#include "conf/read.h"

#include <string.h>

#define TREE_JSON_VALUES 4000000
#define TREE_JSON_INDENT 2

/* -- writing -- */

typedef struct { FILE *out; const char *file; weir_error_t *error; } tree_json_writer_t;

static void
json_put_escaped(char c, FILE *out)
{
    switch (c) {
    case '"':  (void) fputs("\\\"", out); break;
    case '\\': (void) fputs("\\\\", out); break;
    case '\n': (void) fputs("\\n", out); break;
    case '\r': (void) fputs("\\r", out); break;
    case '\t': (void) fputs("\\t", out); break;
    default:
        if ((unsigned char) c < 0x20 || c == 0x7f) {
            (void) fprintf(out, "\\u%04x", (unsigned char) c);
        } else {
            (void) fputc(c, out);
        }
    }
}

static bool
json_put_text(const tree_json_writer_t *w, weir_str_t text, uint32_t line)
{
    if (!weir_utf8_is_text(text)) {
        return weir_conf_fail(w->error, w->file, line, 0, "", "a text here is not UTF-8, as JSON must be");
    }
    (void) fputc('"', w->out);
    for (size_t i = 0; i < text.len; i++) {
        json_put_escaped(text.at[i], w->out);
    }
    (void) fputc('"', w->out);
    return true;
}

static bool
json_put_word(const tree_json_writer_t *w, const weir_conf_word_t *word)
{
    bool has_dollar = weir_str_find(word->text, '$') != NULL && !word->is_literal;
    bool is_marked = word->quoted && !word->is_literal && weir_tree_is_bare(word->text);

    if (!has_dollar && !is_marked) {
        return json_put_text(w, word->text, word->line);
    }
    (void) fputs(has_dollar ? "{\"expression\": " : "{\"quoted\": ", w->out);
    if (!json_put_text(w, word->text, word->line)) {
        return false;
    }
    (void) fputs(has_dollar && is_marked ? ", \"quoted\": true}" : "}", w->out);
    return true;
}

static bool
json_put_args(const tree_json_writer_t *w, const weir_conf_words_t *words)
{
    (void) fputs(", \"args\": [", w->out);
    for (size_t i = 1; i < words->n; i++) {
        (void) fputs(i != 1 ? ", " : "", w->out);
        if (!json_put_word(w, &words->at[i])) {
            return false;
        }
    }
    (void) fputc(']', w->out);
    return true;
}

/* Which words begin a line. */
static void
json_put_breaks(const tree_json_writer_t *w, const weir_conf_words_t *words)
{
    bool any = false;

    for (size_t i = 1; i < words->n; i++) {
        if (words->at[i].line > words->at[i - 1].line) {
            (void) fprintf(w->out, any ? ", %zu" : ", \"breaks\": [%zu", i);
            any = true;
        }
    }
    (void) fputs(any ? "]" : "", w->out);
}

static bool
json_put_inner(const tree_json_writer_t *w, const weir_tree_node_t *node)
{
    for (size_t i = 0; i < node->n_inner; i++) {
        (void) fprintf(w->out, "%s{\"before\": %zu, \"comment\": ", i == 0 ? ", \"comments\": [" : ", ",
                       node->inner[i].before);
        if (!json_put_text(w, node->inner[i].text, node->words.line)) {
            return false;
        }
        (void) fputc('}', w->out);
    }
    (void) fputs(node->n_inner != 0 ? "]" : "", w->out);
    return true;
}

static bool json_put_block(const tree_json_writer_t *w, const weir_tree_node_t *block, size_t depth);

static bool
json_put_node(const tree_json_writer_t *w, const weir_tree_node_t *node, size_t depth)
{
    const weir_conf_words_t *words = &node->words;

    (void) fprintf(w->out, "%*s{\"directive\": ", (int) (depth * TREE_JSON_INDENT), "");
    if (!json_put_text(w, words->n != 0 ? words->at[0].text : WEIR_STR("#"), words->line)) {
        return false;
    }
    if (words->n == 0) {
        (void) fputs(", \"comment\": ", w->out);
        if (!json_put_text(w, node->comment, words->line)) {
            return false;
        }
    } else if (!json_put_args(w, words) || !json_put_inner(w, node)) {
        return false;
    }
    json_put_breaks(w, words);
    (void) fputs(words->n != 0 && words->at[0].quoted ? ", \"quoted\": true" : "", w->out);
    (void) fputs(node->has_gap ? ", \"gap\": true" : "", w->out);
    (void) fputs(node->is_trailing ? ", \"trailing\": true" : "", w->out);
    (void) fprintf(w->out, ", \"line\": %u", words->line);
    if (node->is_block) {
        (void) fputs(", \"block\": ", w->out);
        if (!json_put_block(w, node, depth)) {
            return false;
        }
    }
    (void) fputc('}', w->out);
    return true;
}

static bool
json_put_block(const tree_json_writer_t *w, const weir_tree_node_t *block, size_t depth)
{
    (void) fputc('[', w->out);
    for (const weir_tree_node_t *child = block->first; child != NULL; child = child->next) {
        (void) fputs(child == block->first ? "\n" : ",\n", w->out);
        if (!json_put_node(w, child, depth + 1)) {
            return false;
        }
    }
    if (block->first != NULL) {
        (void) fprintf(w->out, "\n%*s", (int) (depth * TREE_JSON_INDENT), "");
    }
    (void) fputc(']', w->out);
    return true;
}

bool
weir_tree_json_write(const weir_tree_node_t *root, FILE *out, weir_error_t *error)
{
    const tree_json_writer_t w = { out, root->words.file, error };

    return json_put_block(&w, root, 0);
}

bool
weir_tree_json_write_text(weir_str_t text, FILE *out, weir_error_t *error)
{
    const tree_json_writer_t w = { out, "", error };

    return json_put_text(&w, text, 0);
}

/* -- reading -- */

typedef struct {
    weir_arena_t            *arena;
    const char              *file;
    weir_tree_json_dollar_t  dollar;
    weir_error_t            *error;
} tree_json_reader_t;

static bool
json_refuse(const tree_json_reader_t *r, weir_str_t where, const char *what)
{
    if (!weir_error_is_set(r->error)) {
        (void) snprintf(r->error->file, sizeof(r->error->file), "%s", r->file);
        (void) snprintf(r->error->pointer, sizeof(r->error->pointer), "%.*s", WEIR_STR_ARG(where));
    }
    return weir_error_set(r->error, "%s: %.*s: %s", r->file, (int) weir_min(where.len, (size_t) 200),
                          where.len != 0 ? where.at : "", what);
}

static weir_str_t
json_at(const tree_json_reader_t *r, weir_str_t where, const char *name)
{
    return weir_json_pointer(r->arena, where, weir_str_from_z(name));
}

static weir_str_t
json_nth(const tree_json_reader_t *r, weir_str_t where, size_t i)
{
    return weir_str_printf(r->arena, "%.*s/%zu", WEIR_STR_ARG(where), i);
}

/* false: there is no such member; what is none of the kind is an error. */
static bool
json_flag(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where, const char *name, bool *good)
{
    const weir_json_t *value = weir_json_get(object, weir_str_from_z(name));

    if (value != NULL && value->kind != WEIR_JSON_TRUE && value->kind != WEIR_JSON_FALSE) {
        *good = json_refuse(r, json_at(r, where, name), "expected true or false");
    }
    return value != NULL && value->kind == WEIR_JSON_TRUE;
}

/* A word or a comment as the text notation can have it. */
static bool
json_check_text(const tree_json_reader_t *r, weir_str_t text, weir_str_t where)
{
    if (weir_str_find(text, '\0') != NULL) {
        return json_refuse(r, where, "a configuration has no byte 0");
    }
    return text.len <= WEIR_LEX_MAX_WORD / 2 || json_refuse(r, where, "too long a text");
}

static bool
json_known_members(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where,
                   const char *const *names)
{
    for (const weir_json_t *member = object->first; member != NULL; member = member->next) {
        size_t i = 0;

        while (names[i] != NULL && !weir_str_eq(member->name, weir_str_from_z(names[i]))) {
            i++;
        }
        if (names[i] == NULL) {
            return json_refuse(r, weir_json_pointer(r->arena, where, member->name), "there is no such member");
        }
    }
    return true;
}

/* {"expression": …, "quoted": true}, {"quoted": …} */
static bool
json_read_marked(const tree_json_reader_t *r, const weir_json_t *value, weir_str_t where, weir_conf_word_t *word)
{
    static const char *const names[] = { "expression", "quoted", NULL };
    bool good = true;

    if (!json_known_members(r, value, where, names)) {
        return false;
    }
    if (weir_json_get_string(value, WEIR_STR("expression"), &word->text)) {
        word->quoted = json_flag(r, value, where, "quoted", &good);
        return good;
    }
    word->quoted = true;
    if (!weir_json_get_string(value, WEIR_STR("quoted"), &word->text)) {
        return json_refuse(r, where, "expected \"expression\" or \"quoted\" with a text");
    }
    word->is_literal = r->dollar == WEIR_TREE_JSON_LITERAL && weir_str_find(word->text, '$') != NULL;
    return true;
}

static bool
json_read_word(const tree_json_reader_t *r, const weir_json_t *value, weir_str_t where, weir_conf_word_t *word)
{
    if (value->kind == WEIR_JSON_OBJECT) {
        if (!json_read_marked(r, value, where, word)) {
            return false;
        }
    } else if (value->kind != WEIR_JSON_STRING) {
        return json_refuse(r, where, "expected a text, or an object with \"expression\" or \"quoted\"");
    } else {
        word->text = value->text;
        word->is_literal = r->dollar == WEIR_TREE_JSON_LITERAL && weir_str_find(word->text, '$') != NULL;
    }
    if (!json_check_text(r, word->text, where)) {
        return false;
    }
    word->text = weir_str(weir_str_to_z(r->arena, word->text), word->text.len);
    word->quoted = word->quoted || word->is_literal || !weir_tree_is_bare(word->text);
    return true;
}

static bool
json_read_words(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where, weir_tree_node_t *node)
{
    const weir_json_t *args = weir_json_get(object, WEIR_STR("args"));
    weir_conf_word_t  *words;
    weir_str_t         name, at = json_at(r, where, "args");
    bool               good = true;
    size_t             n = 1;

    if (!weir_json_get_string(object, WEIR_STR("directive"), &name)) {
        return json_refuse(r, where, "expected \"directive\" with the name of one");
    }
    if (args != NULL && args->kind != WEIR_JSON_ARRAY) {
        return json_refuse(r, at, "expected an array");
    }
    if (args != NULL && args->n >= WEIR_LEX_MAX_WORDS) {
        return json_refuse(r, at, "too many words in one directive");
    }
    words = weir_new_n(r->arena, weir_conf_word_t, (args != NULL ? args->n : 0) + 1);
    words[0] = (weir_conf_word_t) { .text = weir_str(weir_str_to_z(r->arena, name), name.len), .line = 1 };
    words[0].quoted = json_flag(r, object, where, "quoted", &good) || !weir_tree_is_bare(name);
    if (!good || !json_check_text(r, name, json_at(r, where, "directive"))) {
        return false;
    }
    for (const weir_json_t *value = args != NULL ? args->first : NULL; value != NULL; value = value->next, n++) {
        words[n].line = 1;
        if (!json_read_word(r, value, json_nth(r, at, n - 1), &words[n])) {
            return false;
        }
    }
    node->words.at = words;
    node->words.n = n;
    node->words.line = 1;
    return true;
}

/* The lines of the words, counted from the directive's own. */
static bool
json_read_breaks(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where, weir_tree_node_t *node)
{
    const weir_json_t *breaks = weir_json_get(object, WEIR_STR("breaks"));
    weir_conf_word_t  *words = (weir_conf_word_t *) (uintptr_t) node->words.at;
    int64_t            at, before = 0;

    if (breaks == NULL) {
        return true;
    }
    for (const weir_json_t *value = breaks->first; value != NULL; value = value->next) {
        if (!weir_json_to_whole(value, &at) || at <= before || (uint64_t) at >= node->words.n) {
            return json_refuse(r, json_at(r, where, "breaks"), "expected numbers of words that grow");
        }
        for (size_t i = (size_t) at; i < node->words.n; i++) {
            words[i].line++;
        }
        before = at;
    }
    return breaks->kind == WEIR_JSON_ARRAY || json_refuse(r, json_at(r, where, "breaks"), "expected an array");
}

/* A comment ends with its line. */
static bool
json_read_comment(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where, weir_str_t *text)
{
    if (!weir_json_get_string(object, WEIR_STR("comment"), text)) {
        return json_refuse(r, where, "expected \"comment\" with a text");
    }
    return weir_str_find(*text, '\n') == NULL
        || json_refuse(r, json_at(r, where, "comment"), "a comment is one line");
}

static bool
json_read_inner(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where, weir_tree_node_t *node)
{
    static const char *const names[] = { "before", "comment", NULL };
    const weir_json_t   *comments = weir_json_get(object, WEIR_STR("comments"));
    weir_tree_comment_t *inner;
    weir_str_t           at = json_at(r, where, "comments");
    int64_t              number, last = 1;

    if (comments == NULL) {
        return true;
    }
    if (comments->kind != WEIR_JSON_ARRAY) {
        return json_refuse(r, at, "expected an array");
    }
    inner = weir_new_n(r->arena, weir_tree_comment_t, comments->n);
    for (const weir_json_t *value = comments->first; value != NULL; value = value->next) {
        weir_str_t         here = json_nth(r, at, node->n_inner);
        const weir_json_t *before = weir_json_get(value, WEIR_STR("before"));

        if (value->kind != WEIR_JSON_OBJECT || !json_known_members(r, value, here, names)
            || !json_read_comment(r, value, here, &inner[node->n_inner].text))
        {
            return weir_error_is_set(r->error) ? false : json_refuse(r, here, "expected an object");
        }
        if (before == NULL || !weir_json_to_whole(before, &number) || number < last
            || (uint64_t) number > node->words.n)
        {
            return json_refuse(r, here, "expected \"before\" with the number of a word, in their order");
        }
        inner[node->n_inner++].before = (size_t) number;
        last = number;
    }
    node->inner = inner;
    return true;
}

static bool json_read_block(const tree_json_reader_t *r, const weir_json_t *array, weir_str_t where,
                            weir_tree_node_t *block, size_t depth);

static bool
json_read_node(const tree_json_reader_t *r, const weir_json_t *object, weir_str_t where, weir_tree_node_t *block,
               size_t depth)
{
    static const char *const names[] = { "directive", "args", "block", "line", "file", "comment", "comments", "gap",
                                         "trailing", "breaks", "quoted", NULL };
    const weir_json_t *inside = weir_json_get(object, WEIR_STR("block"));
    weir_tree_node_t  *node;
    weir_str_t         name;
    bool               good = true;

    if (object->kind != WEIR_JSON_OBJECT) {
        return json_refuse(r, where, "expected an object with \"directive\"");
    }
    if (!json_known_members(r, object, where, names)) {
        return false;
    }
    node = weir_tree_add(r->arena, block);
    node->words.file = r->file;
    node->words.pointer = weir_str_to_z(r->arena, where);
    node->has_gap = json_flag(r, object, where, "gap", &good);
    node->is_trailing = json_flag(r, object, where, "trailing", &good);
    if (!good) {
        return false;
    }
    if (weir_json_get_string(object, WEIR_STR("directive"), &name) && weir_str_eq(name, WEIR_STR("#"))) {
        return json_read_comment(r, object, where, &node->comment);
    }
    if (!json_read_words(r, object, where, node) || !json_read_breaks(r, object, where, node)
        || !json_read_inner(r, object, where, node))
    {
        return false;
    }
    node->is_block = inside != NULL;
    node->is_trailing = false;
    return inside == NULL || json_read_block(r, inside, json_at(r, where, "block"), node, depth + 1);
}

static bool
json_read_block(const tree_json_reader_t *r, const weir_json_t *array, weir_str_t where, weir_tree_node_t *block,
                size_t depth)
{
    size_t i = 0;

    if (array->kind != WEIR_JSON_ARRAY) {
        return json_refuse(r, where, "expected an array of directives");
    }
    if (depth > WEIR_TREE_DEPTH) {
        return json_refuse(r, where, "too many blocks inside one another");
    }
    for (const weir_json_t *value = array->first; value != NULL; value = value->next, i++) {
        if (!json_read_node(r, value, json_nth(r, where, i), block, depth)) {
            return false;
        }
    }
    return true;
}

weir_tree_node_t *
weir_tree_json_read_value(weir_arena_t *arena, const weir_json_t *array, weir_str_t where, const char *file,
                          weir_tree_json_dollar_t dollar, weir_error_t *error)
{
    const tree_json_reader_t r = { arena, file, dollar, error };
    weir_tree_node_t        *root = weir_new(arena, weir_tree_node_t);

    root->is_block = true;
    root->words.file = file;
    root->words.pointer = weir_str_to_z(arena, where);
    return json_read_block(&r, array, where, root, 0) ? root : NULL;
}

weir_tree_node_t *
weir_tree_json_read(weir_arena_t *arena, weir_str_t json, const char *file, weir_tree_json_dollar_t dollar,
                    weir_error_t *error)
{
    static const weir_json_limits_t limits = { WEIR_JSON_DEPTH_MAX, TREE_JSON_VALUES };
    const tree_json_reader_t        r = { arena, file, dollar, error };
    const weir_json_t              *value;

    switch (json.len <= WEIR_TREE_JSON_MAX ? weir_json_parse(arena, json, limits, &value) : WEIR_JSON_TOO_LARGE) {
    case WEIR_JSON_GOOD:
        return weir_tree_json_read_value(arena, value, WEIR_STR(""), file, dollar, error);
    case WEIR_JSON_DUPLICATE:
        (void) json_refuse(&r, WEIR_STR(""), "an object has two members of one name");
        return NULL;
    case WEIR_JSON_TOO_LARGE:
        (void) json_refuse(&r, WEIR_STR(""), "too large, or nested too deep");
        return NULL;
    default:
        (void) json_refuse(&r, WEIR_STR(""), "it is no JSON");
        return NULL;
    }
}
