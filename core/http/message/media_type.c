/*
 * media_type.c - see media_type.h.
 */
#include "http/message/media_type.h"

#define MEDIA_PARAMETERS 16              /* of one value: no real type has more */

/* A token at the beginning of the rest. */
static bool
media_take_token(weir_str_t *rest, weir_str_t *token)
{
    const char *end = weir_byte_span(rest->at, rest->at + rest->len, WEIR_BYTE_TOKEN);

    *token = weir_str(rest->at, (size_t) (end - rest->at));
    *rest = weir_str_skip(*rest, token->len);
    return token->len != 0;
}

static bool
media_take_char(weir_str_t *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c) {
        return false;
    }
    *rest = weir_str_skip(*rest, 1);
    return true;
}

static void
media_skip_blanks(weir_str_t *rest)
{
    while (media_take_char(rest, ' ') || media_take_char(rest, '\t')) {
    }
}

/* What stands between quotes, of which the first was taken. */
static bool
media_take_quoted(weir_str_t *rest, weir_str_t *value)
{
    size_t n = 0;

    while (n < rest->len && rest->at[n] != '"') {
        if (rest->at[n] == '\\' || !weir_byte_is(rest->at[n], WEIR_BYTE_VALUE)) {
            return false;
        }
        n++;
    }
    *value = weir_str(rest->at, n);
    *rest = weir_str_skip(*rest, n);
    return media_take_char(rest, '"');
}

weir_io_t
weir_media_type_next(weir_str_t *parameters, weir_str_t *name, weir_str_t *value)
{
    weir_str_t rest = *parameters;
    size_t     marks = 0;

    media_skip_blanks(&rest);
    while (media_take_char(&rest, ';')) {                    /* nothing may stand between two of them */
        marks++;
        media_skip_blanks(&rest);
    }
    if (rest.len == 0) {
        return WEIR_EOF;
    }
    if (marks == 0) {
        return WEIR_ERROR;
    }
    if (!media_take_token(&rest, name) || !media_take_char(&rest, '=')
        || !(media_take_char(&rest, '"') ? media_take_quoted(&rest, value) : media_take_token(&rest, value)))
    {
        return WEIR_ERROR;
    }
    *parameters = rest;
    return WEIR_OK;
}

bool
weir_media_type_read(weir_str_t value, weir_media_type_t *media)
{
    weir_str_t names[MEDIA_PARAMETERS], rest = weir_str_trim(value), type, subtype, name, text;
    size_t     n = 0;
    weir_io_t  io;

    *media = (weir_media_type_t) { .type = rest };
    if (!media_take_token(&rest, &type) || !media_take_char(&rest, '/') || !media_take_token(&rest, &subtype)) {
        return false;
    }
    weir_assert(subtype.at + subtype.len == rest.at);
    media->type.len = type.len + 1 + subtype.len;
    media->parameters = rest;
    while ((io = weir_media_type_next(&rest, &name, &text)) == WEIR_OK) {
        for (size_t i = 0; i < n; i++) {
            if (weir_str_eq_fold(names[i], name)) {
                return false;
            }
        }
        if (n == MEDIA_PARAMETERS) {
            return false;
        }
        weir_assert(name.len != 0);
        names[n++] = name;
    }
    return io == WEIR_EOF;
}

bool
weir_media_type_field(const weir_fields_t *fields, weir_str_t *value)
{
    const weir_field_t *field = weir_fields_first(fields, WEIR_HEADER_CONTENT_TYPE);

    *value = field != NULL ? field->value : WEIR_STR_NONE;
    return field == NULL || weir_fields_next(fields, field) == NULL;
}

bool
weir_media_range_read(weir_str_t text, weir_media_range_t *range)
{
    weir_str_t head, tail;

    if (weir_str_starts(text, WEIR_STR("+"))) {
        *range = (weir_media_range_t) { text, WEIR_MEDIA_WITH_SUFFIX };
        return weir_syntax_is_token(weir_str_skip(text, 1));
    }
    if (!weir_str_cut(text, '/', &head, &tail) || !weir_syntax_is_token(head) || !weir_syntax_is_token(tail)
        || memchr(head.at, '*', head.len) != NULL)
    {
        return false;
    }
    if (weir_str_eq(tail, WEIR_STR("*"))) {
        *range = (weir_media_range_t) { weir_str(text.at, text.len - 1), WEIR_MEDIA_OF_TYPE };
        return true;
    }
    *range = (weir_media_range_t) { text, WEIR_MEDIA_WHOLE };
    return memchr(tail.at, '*', tail.len) == NULL;
}

static bool
media_fits(const weir_media_range_t *range, weir_str_t type)
{
    switch (range->kind) {
    case WEIR_MEDIA_WHOLE: return weir_str_eq_fold(type, range->text);
    case WEIR_MEDIA_OF_TYPE: return weir_str_starts_fold(type, range->text);
    case WEIR_MEDIA_WITH_SUFFIX:
        return type.len > range->text.len
            && weir_str_eq_fold(weir_str_skip(type, type.len - range->text.len), range->text);
    }
    return false;
}

bool
weir_media_ranges_have(const weir_media_ranges_t *ranges, weir_str_t type)
{
    for (size_t i = 0; i < ranges->n; i++) {
        if (media_fits(&ranges->at[i], type)) {
            return true;
        }
    }
    return false;
}
