/*
 * type.c - how the text of a directive becomes a field: one parser for each unit, used by every directive and option.
 *
 * Pure; runs where configurations are read; results are in the generation's arena.
 */
#include "conf/read.h"

#include "base/array.h"

#include <limits.h>
#include <stdio.h>

/* A duration stays one when it is counted in microseconds or added to a point in time. */
#define TYPE_MAX_MSEC ((uint64_t) INT64_MAX / 1000)

#define TYPE_ARGS WEIR_UNUSED weir_conf_t *cf, WEIR_UNUSED const weir_directive_t *row, \
                  const weir_conf_words_t *words, void *field

/* --- single words --- */

typedef struct { const char *name; uint64_t ms; } type_unit_t;

/* In the order in which they may follow one another. */
static const type_unit_t type_units[] = {
    { "y", UINT64_C(365) * 86400000 }, { "M", UINT64_C(30) * 86400000 }, { "w", UINT64_C(7) * 86400000 },
    { "d", UINT64_C(86400000) }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

/* Digits at the front of *text, taken off. */
static bool
type_take_number(weir_str_t *text, uint64_t *number)
{
    weir_str_t digits = { text->at, 0 };

    while (digits.len < text->len && text->at[digits.len] >= '0' && text->at[digits.len] <= '9') {
        digits.len++;
    }
    *text = weir_str_skip(*text, digits.len);
    return weir_str_to_u64(digits, number);
}

/* The unit at the front of *text, taken off; a number without one is seconds and the last.  Past the table: none. */
static size_t
type_take_unit(weir_str_t *text)
{
    weir_str_t letters = { text->at, 0 };
    size_t     i;

    while (letters.len < text->len && text->at[letters.len] != ' ' && !(text->at[letters.len] >= '0'
                                                                         && text->at[letters.len] <= '9'))
    {
        letters.len++;
    }
    *text = weir_str_skip(*text, letters.len);
    if (letters.len == 0) {
        return text->len == 0 ? 6 : weir_countof(type_units);
    }
    for (i = 0; i < weir_countof(type_units); i++) {
        if (weir_str_eq(letters, weir_str_from_z(type_units[i].name))) {
            return i;
        }
    }
    return i;
}

bool
weir_conf_read_msec(weir_str_t text, weir_msec_t *value)
{
    uint64_t number, total = 0;
    size_t   unit, next_unit = 0;

    do {
        if (!type_take_number(&text, &number)) {
            return false;
        }
        unit = type_take_unit(&text);
        if (unit >= weir_countof(type_units) || unit < next_unit
            || number > (TYPE_MAX_MSEC - total) / type_units[unit].ms)
        {
            return false;
        }
        total += number * type_units[unit].ms;
        next_unit = unit + 1;
        while (text.len > 1 && text.at[0] == ' ') {
            text = weir_str_skip(text, 1);
        }
    } while (text.len != 0);
    value->ms = total;
    return true;
}

bool
weir_conf_read_bytes(weir_str_t text, weir_bytes_t *value)
{
    unsigned shift = 0;
    uint64_t number;

    if (!type_take_number(&text, &number) || text.len > 1) {
        return false;
    }
    if (text.len == 1) {
        switch (text.at[0]) {
        case 'k': case 'K': shift = 10; break;
        case 'm': case 'M': shift = 20; break;
        case 'g': case 'G': shift = 30; break;
        default: return false;
        }
    }
    if (number > (uint64_t) INT64_MAX >> shift) {
        return false;
    }
    value->n = number << shift;
    return true;
}

bool
weir_conf_read_u32(weir_str_t text, uint32_t *value)
{
    uint64_t number;

    if (!weir_str_to_u64(text, &number) || number > UINT32_MAX) {
        return false;
    }
    *value = (uint32_t) number;
    return true;
}

bool
weir_conf_read_percent(weir_str_t text, uint32_t *hundredths)
{
    weir_str_t whole = text, part = WEIR_STR_NONE;
    uint64_t number, decimals = 0;
    bool has_part = weir_str_cut(text, '.', &whole, &part);

    if (!weir_str_to_u64(whole, &number) || number > 100
        || (has_part && (part.len == 0 || part.len > 2 || !weir_str_to_u64(part, &decimals))))
    {
        return false;
    }
    *hundredths = (uint32_t) (number * 100 + (part.len == 1 ? decimals * 10 : decimals));
    return *hundredths <= 10000;
}

static weir_str_t
conf_path_in(weir_conf_t *cf, weir_str_t folder, weir_str_t path)
{
    return path.len != 0 && path.at[0] == '/' ? weir_str_dup(cf->arena, path)
           : weir_str_concat(cf->arena, folder, path);
}

weir_str_t
weir_conf_full_path(weir_conf_t *cf, weir_str_t path)
{
    return conf_path_in(cf, cf->prefix, path);
}

weir_str_t
weir_conf_near_path(weir_conf_t *cf, weir_str_t path)
{
    return conf_path_in(cf, cf->conf_dir, path);
}

/* --- words as something more, with errors in place --- */

static const weir_template_t *
conf_template(weir_conf_t *cf, size_t word, const weir_template_piece_t *pieces, size_t n, weir_subjects_t subjects)
{
    const weir_conf_words_t *words = cf->words;
    weir_vars_place_t        place = { .file = words->file, .subjects = subjects,
                                       .line = word < words->n ? words->at[word].line : words->line,
                                       .pointer = weir_conf_word_pointer(cf->arena, words, word),
                                       .fragment = words->fragment };
    weir_error_t             why = { .text = "" };
    const weir_template_t   *made = weir_template_compile_pieces(cf->arena, cf->vars, pieces, n, &place, &why);

    if (made == NULL) {
        (void) weir_conf_error(cf, word, "%s", why.text);
    }
    return made;
}

const weir_template_t *
weir_conf_template_of(weir_conf_t *cf, size_t word, weir_str_t text, weir_subjects_t subjects)
{
    const weir_template_piece_t piece = { text, word < cf->words->n && cf->words->at[word].is_literal };

    return conf_template(cf, word, &piece, 1, subjects);
}

/* A name goes on from one word to the next, unless one of them is literal. */
const weir_template_t *
weir_conf_template_of_words(weir_conf_t *cf, const weir_conf_words_t *words, size_t first)
{
    weir_template_piece_t *pieces = weir_new_n(cf->arena, weir_template_piece_t, words->n);
    size_t                 n = 0;

    for (size_t i = first; i < words->n; i++) {
        const weir_conf_word_t *word = &words->at[i];

        if (n != 0 && !pieces[n - 1].is_literal && !word->is_literal) {
            pieces[n - 1].text = weir_str_concat(cf->arena, pieces[n - 1].text, word->text);
        } else {
            pieces[n++] = (weir_template_piece_t) { word->text, word->is_literal };
        }
    }
    return conf_template(cf, weir_min(first, words->n - 1), pieces, n, cf->subjects);
}

const weir_template_t *
weir_conf_template(weir_conf_t *cf, size_t word, weir_str_t text)
{
    return weir_conf_template_of(cf, word, text, cf->subjects);
}

weir_regex_t *
weir_conf_regex(weir_conf_t *cf, size_t word, weir_str_t pattern, bool fold_case)
{
    weir_error_t  why = { .text = "" };
    weir_regex_t *regex = weir_regex_compile_in(cf->arena, pattern, fold_case, &why);

    if (regex == NULL) {
        (void) weir_conf_error(cf, word, "%s", why.text);
    }
    return regex;
}

bool
weir_conf_file(weir_conf_t *cf, size_t word, weir_str_t path, weir_str_t *bytes)
{
    weir_error_t why = { .text = "" };

    return weir_bundle_file(cf->bundle, path, bytes, &why) || weir_conf_error(cf, word, "%s", why.text);
}

/* --- the types --- */

static bool
type_flag_parse(TYPE_ARGS)
{
    weir_str_t text = words->at[1].text;

    ((weir_flag_t *) field)->on = weir_str_eq_fold(text, WEIR_STR("on"));
    return ((weir_flag_t *) field)->on || weir_str_eq_fold(text, WEIR_STR("off"))
           || weir_conf_invalid(cf, 1, "on or off");
}

static bool
type_msec_parse(TYPE_ARGS)
{
    return weir_conf_read_msec(words->at[1].text, field)
           || weir_conf_invalid(cf, 1, "a time such as 500ms, 10s or \"1h 30m\"");
}

static bool
type_bytes_parse(TYPE_ARGS)
{
    return weir_conf_read_bytes(words->at[1].text, field) || weir_conf_invalid(cf, 1, "a size such as 8192, 8k or 1m");
}

static bool
type_u32_parse(TYPE_ARGS)
{
    return weir_conf_read_u32(words->at[1].text, field) || weir_conf_invalid(cf, 1, "a number up to 4294967295");
}

static bool
type_u64_parse(TYPE_ARGS)
{
    return weir_str_to_u64(words->at[1].text, field) || weir_conf_invalid(cf, 1, "a number");
}

static bool
type_str_parse(TYPE_ARGS)
{
    *(weir_str_t *) field = words->at[1].text;
    return true;
}

static bool
type_strs_parse(TYPE_ARGS)
{
    size_t i;

    for (i = 1; i < words->n; i++) {
        *(weir_str_t *) weir_conf_list_push(cf, field, sizeof(weir_str_t)) = words->at[i].text;
    }
    return true;
}

static bool
type_said_parse(TYPE_ARGS)
{
    (void) words;
    ((weir_flag_t *) field)->on = true;
    return true;
}

static bool
type_path_parse(TYPE_ARGS)
{
    if (words->at[1].text.len == 0) {
        return weir_conf_invalid(cf, 1, "a path");
    }
    ((weir_path_t *) field)->text = weir_conf_full_path(cf, words->at[1].text);
    return true;
}

static bool
type_temp_path_parse(TYPE_ARGS)
{
    weir_temp_path_t *path = field;
    weir_path_t       folder;

    if (!type_path_parse(cf, row, words, &folder)) {
        return false;
    }
    *path = (weir_temp_path_t) { .text = folder.text };
    for (size_t i = 2; i < words->n && i < 2 + WEIR_FILE_LEVELS; i++) {
        weir_str_t word = words->at[i].text;

        if (word.len != 1 || word.at[0] < '1' || word.at[0] > '3') {
            return weir_conf_invalid(cf, i, "1, 2 or 3 digits");
        }
        path->levels[i - 2] = (uint8_t) (word.at[0] - '0');
    }
    return true;
}

static bool
type_template_parse(TYPE_ARGS)
{
    *(const weir_template_t **) field = weir_conf_template(cf, 1, words->at[1].text);
    return *(const weir_template_t **) field != NULL;
}

static bool
type_bufs_parse(TYPE_ARGS)
{
    weir_bufs_t *bufs = field;

    if (!weir_conf_read_u32(words->at[1].text, &bufs->n) || bufs->n == 0) {
        return weir_conf_invalid(cf, 1, "a number of buffers");
    }
    if (!weir_conf_read_bytes(words->at[2].text, &bufs->size) || bufs->size.n == 0
        || bufs->size.n > (uint64_t) INT64_MAX / bufs->n)
    {
        return weir_conf_invalid(cf, 2, "the size of a buffer such as 8k");
    }
    return true;
}

/* `one of "a", "b", did you mean "a"?` */
static bool
type_no_such_value(weir_conf_t *cf, const weir_directive_t *row, size_t word)
{
    const char *names[64], *near;
    char        text[400];
    size_t      n = 0, len;

    len = (size_t) snprintf(text, sizeof(text), "%s", row->values[1].name != NULL ? "one of " : "");
    for (; row->values[n].name != NULL && n < weir_countof(names); n++) {
        names[n] = row->values[n].name;
        if (len < sizeof(text)) {
            len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%s", n != 0 ? ", " : "", names[n]);
        }
    }
    near = weir_conf_nearest(cf->words->at[word].text, names, n);
    if (near != NULL && len < sizeof(text)) {
        (void) snprintf(text + len, sizeof(text) - len, "; did you mean \"%s\"?", near);
    }
    return weir_conf_invalid(cf, word, text);
}

static const weir_conf_enum_t *
type_find_value(const weir_directive_t *row, weir_str_t text)
{
    const weir_conf_enum_t *value;

    for (value = row->values; value->name != NULL; value++) {
        if (weir_str_eq_fold(text, weir_str_from_z(value->name))) {
            return value;
        }
    }
    return NULL;
}

static bool
type_enum_parse(TYPE_ARGS)
{
    const weir_conf_enum_t *value = type_find_value(row, words->at[1].text);

    if (value == NULL) {
        return type_no_such_value(cf, row, 1);
    }
    *(uint32_t *) field = value->value;
    return true;
}

static bool
type_mask_parse(TYPE_ARGS)
{
    const weir_conf_enum_t *value;
    uint32_t                mask = 0;
    size_t                  i;

    for (i = 1; i < words->n; i++) {
        value = type_find_value(row, words->at[i].text);
        if (value == NULL) {
            return type_no_such_value(cf, row, i);
        }
        mask |= value->value;
    }
    *(uint32_t *) field = mask;
    return true;
}

/* --- order, for limits --- */

static int
type_compare_u64(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static int
type_compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}

#define TYPE_ONE(c_type) .size = sizeof(c_type), .min_args = 1, .max_args = 1

const weir_conf_type_t weir_type_flag = { .name = "on | off", TYPE_ONE(weir_flag_t), .parse = type_flag_parse };
const weir_conf_type_t weir_type_msec = { .name = "time", TYPE_ONE(weir_msec_t), .parse = type_msec_parse,
                                          .compare = type_compare_u64 };
const weir_conf_type_t weir_type_bytes = { .name = "size", TYPE_ONE(weir_bytes_t), .parse = type_bytes_parse,
                                           .compare = type_compare_u64 };
const weir_conf_type_t weir_type_u32 = { .name = "number", TYPE_ONE(uint32_t), .parse = type_u32_parse,
                                         .compare = type_compare_u32 };
const weir_conf_type_t weir_type_u64 = { .name = "number", TYPE_ONE(uint64_t), .parse = type_u64_parse,
                                         .compare = type_compare_u64 };
const weir_conf_type_t weir_type_str = { .name = "string", TYPE_ONE(weir_str_t), .parse = type_str_parse };
const weir_conf_type_t weir_type_strs = { .name = "string ...", .size = sizeof(weir_strs_t), .min_args = 1,
                                          .max_args = 255,
                                          .parse = type_strs_parse, .item = sizeof(weir_str_t) };
const weir_conf_type_t weir_type_said = { .name = "", .size = sizeof(weir_flag_t), .parse = type_said_parse };
const weir_conf_type_t weir_type_path = { .name = "path", TYPE_ONE(weir_path_t), .parse = type_path_parse };
const weir_conf_type_t weir_type_temp_path = { .name = "path [level1 [level2 [level3]]]",
                                               .size = sizeof(weir_temp_path_t), .min_args = 1,
                                               .max_args = 1 + WEIR_FILE_LEVELS, .parse = type_temp_path_parse };
const weir_conf_type_t weir_type_template = { .name = "string", TYPE_ONE(const weir_template_t *),
                                              .parse = type_template_parse };
const weir_conf_type_t weir_type_bufs = { .name = "number size", .size = sizeof(weir_bufs_t), .min_args = 2,
                                          .max_args = 2,
                                          .parse = type_bufs_parse };
const weir_conf_type_t weir_type_enum = { .name = "value", TYPE_ONE(uint32_t), .parse = type_enum_parse };
const weir_conf_type_t weir_type_mask = { .name = "value ...", .size = sizeof(uint32_t), .min_args = 1, .max_args = 255,
                                          .parse = type_mask_parse };
