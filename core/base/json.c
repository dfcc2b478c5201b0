/*
 * json.c - one pass over the text with a stack of its own; see json.h.
 *
 * Memory: a node for each value and a table for each object of many members, in the caller's arena.
 */
#include "base/json.h"

#include "base/table.h"
#include "base/utf8.h"

#include <stdlib.h>

#define JSON_FEW        12               /* names are compared with one another up to so many, found in a table above */
#define JSON_NUMBER_MAX 64               /* bytes of a number that is worked out */
#define JSON_EXACT      9007199254740992.0

typedef struct {
    weir_json_t        *container;
    const weir_json_t **end;             /* where the next one is linked */
} json_level_t;

typedef struct {
    weir_arena_t      *arena;
    const char        *at, *end;
    weir_json_limits_t limits;
    uint32_t           depth, values;
    json_level_t       levels[WEIR_JSON_DEPTH_MAX];
} json_reader_t;

static void
json_skip_space(json_reader_t *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
}

static bool
json_take(json_reader_t *r, char c)
{
    if (r->at < r->end && *r->at == c) {
        r->at++;
        return true;
    }
    return false;
}

/* -- strings -- */

static bool
json_hex4(const char *at, const char *end, uint32_t *value)
{
    uint64_t wide;

    if (end - at < 4 || !weir_str_hex_to_u64(weir_str(at, 4), &wide)) {
        return false;
    }
    *value = (uint32_t) wide;
    return true;
}

/* Behind "\u": one character, of one or two of them.  Bytes written; 0: it is none. */
static size_t
json_unescape_unicode(const char **at, const char *end, char out[4])
{
    uint32_t code, low;

    if (!json_hex4(*at, end, &code)) {
        return 0;
    }
    *at += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !json_hex4(*at + 2, end, &low) || low < 0xdc00
            || low > 0xdfff)
        {
            return 0;
        }
        *at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        out[0] = (char) (0xf0 | code >> 18);
        out[1] = (char) (0x80 | (code >> 12 & 63));
        out[2] = (char) (0x80 | (code >> 6 & 63));
        out[3] = (char) (0x80 | (code & 63));
        return 4;
    }
    if (code >= 0xdc00 && code <= 0xdfff) {
        return 0;
    }
    if (code < 0x80) {
        out[0] = (char) code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char) (0xc0 | code >> 6);
        out[1] = (char) (0x80 | (code & 63));
        return 2;
    }
    out[0] = (char) (0xe0 | code >> 12);
    out[1] = (char) (0x80 | (code >> 6 & 63));
    out[2] = (char) (0x80 | (code & 63));
    return 3;
}

/* Of a string that was looked through: its text, and false when an escape is none.  It gets no longer. */
static bool
json_unescape(weir_arena_t *arena, weir_str_t raw, weir_str_t *text)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char       *at = raw.at, *end = raw.at + raw.len, *name;
    char             *room = weir_alloc_bytes(arena, raw.len), *out = room;
    size_t            n;

    while (at < end) {
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        at++;
        if (*at == 'u') {
            at++;
            n = json_unescape_unicode(&at, end, out);
            if (n == 0) {
                return false;
            }
            out += n;
            continue;
        }
        name = *at != '\0' ? strchr(names, *at) : NULL;
        if (name == NULL) {
            return false;
        }
        *out++ = means[name - names];
        at++;
    }
    *text = weir_str(room, (size_t) (out - room));
    return true;
}

/* Behind what needs no look: printable ASCII but quotes and backslashes. */
static inline const char *
json_skip_plain(const char *at, const char *end)
{
    while (at < end && (unsigned char) (*at - ' ') < 0x80 - ' ' && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

/* At its first quote. */
static bool
json_string(json_reader_t *r, weir_str_t *text)
{
    const char *begin;
    bool        has_escapes = false;
    size_t      n;

    if (!json_take(r, '"')) {
        return false;
    }
    begin = r->at;
    for (;;) {
        r->at = json_skip_plain(r->at, r->end);
        if (r->at == r->end || *r->at == '"') {
            break;
        }
        if (*r->at == '\\') {
            has_escapes = true;
            n = 2;
            if (r->end - r->at < 2 || (unsigned char) r->at[1] >= 0x80) {
                return false;
            }
        } else {
            n = (unsigned char) *r->at < ' ' ? 0 : weir_utf8_length(r->at, r->end);
        }
        if (n == 0) {
            return false;
        }
        r->at += n;
    }
    *text = weir_str(begin, (size_t) (r->at - begin));
    return json_take(r, '"') && (!has_escapes || json_unescape(r->arena, *text, text));
}

/* -- numbers and words -- */

static bool
json_digits(json_reader_t *r)
{
    const char *begin = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        r->at++;
    }
    return r->at != begin;
}

static bool
json_number(json_reader_t *r, weir_json_t *value)
{
    const char *begin = r->at;

    (void) json_take(r, '-');
    if (!json_take(r, '0') && !json_digits(r)) {
        return false;
    }
    if (json_take(r, '.') && !json_digits(r)) {
        return false;
    }
    if (json_take(r, 'e') || json_take(r, 'E')) {
        if (!json_take(r, '+')) {
            (void) json_take(r, '-');
        }
        if (!json_digits(r)) {
            return false;
        }
    }
    value->kind = WEIR_JSON_NUMBER;
    value->text = weir_str(begin, (size_t) (r->at - begin));
    return true;
}

static bool
json_word(json_reader_t *r, weir_json_t *value)
{
    static const struct { weir_str_t word; weir_json_kind_t kind; } words[] = {
        { WEIR_STR_INIT("true"), WEIR_JSON_TRUE }, { WEIR_STR_INIT("false"), WEIR_JSON_FALSE },
        { WEIR_STR_INIT("null"), WEIR_JSON_NULL },
    };
    weir_str_t rest = weir_str(r->at, (size_t) (r->end - r->at));

    for (size_t i = 0; i < weir_countof(words); i++) {
        if (weir_str_starts(rest, words[i].word)) {
            value->kind = words[i].kind;
            value->text = weir_str(r->at, words[i].word.len);
            r->at += words[i].word.len;
            return true;
        }
    }
    return json_number(r, value);
}

/* -- arrays and objects -- */

static bool
json_has_twins(weir_arena_t *arena, const weir_json_t *object)
{
    weir_table_t table;

    if (object->n <= JSON_FEW) {
        for (const weir_json_t *a = object->first; a != NULL; a = a->next) {
            for (const weir_json_t *b = a->next; b != NULL; b = b->next) {
                if (weir_str_eq(a->name, b->name)) {
                    return true;
                }
            }
        }
        return false;
    }
    weir_table_init(&table, arena);
    for (const weir_json_t *a = object->first; a != NULL; a = a->next) {
        if (weir_table_add(&table, a->name, (void *) (uintptr_t) a) != a) {
            return true;
        }
    }
    return false;
}

/* A value behind the name, if it has one: *value is linked where it belongs. */
static weir_json_result_t
json_begin_value(json_reader_t *r, weir_str_t name, weir_json_t **value)
{
    weir_json_t *v;
    bool         opens = r->at < r->end && (*r->at == '{' || *r->at == '[');

    if (r->values++ == r->limits.values || (opens && r->depth == r->limits.depth)) {
        return WEIR_JSON_TOO_LARGE;
    }
    v = weir_new(r->arena, weir_json_t);
    v->name = name;
    if (r->depth != 0) {
        json_level_t *level = &r->levels[r->depth - 1];

        *level->end = v;
        level->end = &v->next;
        level->container->n++;
    }
    *value = v;
    if (opens) {
        v->kind = *r->at == '{' ? WEIR_JSON_OBJECT : WEIR_JSON_ARRAY;
        v->text = weir_str(r->at++, 0);
        r->levels[r->depth++] = (json_level_t) { v, &v->first };
        return WEIR_JSON_GOOD;
    }
    if (r->at < r->end && *r->at == '"') {
        v->kind = WEIR_JSON_STRING;
        return json_string(r, &v->text) ? WEIR_JSON_GOOD : WEIR_JSON_MALFORMED;
    }
    return json_word(r, v) ? WEIR_JSON_GOOD : WEIR_JSON_MALFORMED;
}

/* The name before a member's value, with its colon. */
static bool
json_name(json_reader_t *r, weir_str_t *name)
{
    json_skip_space(r);
    if (!json_string(r, name)) {
        return false;
    }
    json_skip_space(r);
    return json_take(r, ':');
}

/* The innermost array or object, at what follows a value or its opening: true: another value comes · false: it has
 * ended, or *result says why not. */
static bool
json_goes_on(json_reader_t *r, weir_json_result_t *result)
{
    weir_json_t *in = r->levels[r->depth - 1].container;
    char         closing = in->kind == WEIR_JSON_OBJECT ? '}' : ']';

    json_skip_space(r);
    if (json_take(r, closing)) {
        in->text.len = (size_t) (r->at - in->text.at);
        r->depth--;
        if (in->kind == WEIR_JSON_OBJECT && json_has_twins(r->arena, in)) {
            *result = WEIR_JSON_DUPLICATE;
        }
        return false;
    }
    if (in->n != 0 && !json_take(r, ',')) {
        *result = WEIR_JSON_MALFORMED;
        return false;
    }
    return true;
}

weir_json_result_t
weir_json_parse(weir_arena_t *arena, weir_str_t text, weir_json_limits_t limits, const weir_json_t **value)
{
    json_reader_t      r = { .arena = arena, .at = text.at, .end = text.at + text.len, .limits = limits };
    weir_json_result_t result;
    weir_json_t       *top, *v;
    weir_str_t         name;

    weir_assert(limits.depth != 0 && limits.depth <= WEIR_JSON_DEPTH_MAX);
    json_skip_space(&r);
    result = json_begin_value(&r, WEIR_STR_NONE, &top);
    while (result == WEIR_JSON_GOOD && r.depth != 0) {
        if (!json_goes_on(&r, &result)) {
            continue;
        }
        name = WEIR_STR_NONE;
        if (r.levels[r.depth - 1].container->kind == WEIR_JSON_OBJECT && !json_name(&r, &name)) {
            return WEIR_JSON_MALFORMED;
        }
        json_skip_space(&r);
        result = json_begin_value(&r, name, &v);
    }
    if (result != WEIR_JSON_GOOD) {
        return result;
    }
    json_skip_space(&r);
    if (r.at != r.end) {
        return WEIR_JSON_MALFORMED;
    }
    *value = top;
    return WEIR_JSON_GOOD;
}

/* -- looking -- */

const weir_json_t *
weir_json_get(const weir_json_t *object, weir_str_t name)
{
    if (object == NULL || object->kind != WEIR_JSON_OBJECT) {
        return NULL;
    }
    for (const weir_json_t *member = object->first; member != NULL; member = member->next) {
        if (weir_str_eq(member->name, name)) {
            return member;
        }
    }
    return NULL;
}

bool
weir_json_get_string(const weir_json_t *object, weir_str_t name, weir_str_t *text)
{
    const weir_json_t *member = weir_json_get(object, name);

    if (member == NULL || member->kind != WEIR_JSON_STRING) {
        return false;
    }
    *text = member->text;
    return true;
}

bool
weir_json_to_whole(const weir_json_t *value, int64_t *whole)
{
    char   room[JSON_NUMBER_MAX + 1];
    double number;

    if (value == NULL || value->kind != WEIR_JSON_NUMBER || value->text.len > JSON_NUMBER_MAX) {
        return false;
    }
    memcpy(room, value->text.at, value->text.len);
    room[value->text.len] = '\0';
    number = strtod(room, NULL);
    if (!(number >= -JSON_EXACT && number <= JSON_EXACT)) {
        return false;
    }
    *whole = (int64_t) number;
    *whole -= (double) *whole > number;
    return true;
}

weir_str_t
weir_json_pointer(weir_arena_t *arena, weir_str_t outer, weir_str_t name)
{
    char  *out = weir_alloc_bytes(arena, outer.len + 1 + 2 * name.len);
    size_t n = outer.len;

    if (outer.len != 0) {
        memcpy(out, outer.at, outer.len);
    }
    out[n++] = '/';
    for (size_t i = 0; i < name.len; i++) {
        bool is_escaped = name.at[i] == '~' || name.at[i] == '/';

        out[n++] = is_escaped ? '~' : name.at[i];
        if (is_escaped) {
            out[n++] = name.at[i] == '~' ? '0' : '1';
        }
    }
    return weir_str(out, n);
}
