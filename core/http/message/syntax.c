/*
 * syntax.c - the table of byte classes; tokens, field values and comma-separated lists (RFC 9110 §5.5, §5.6).
 *
 * Pure; runs in workers; allocates nothing.
 */
#include "http/message/syntax.h"

#define T WEIR_BYTE_TOKEN
#define P WEIR_BYTE_PATH
#define Q WEIR_BYTE_QUERY
#define V WEIR_BYTE_VALUE
#define W WEIR_BYTE_WIRE

#define LETTER    (T | WEIR_BYTE_PLAIN | P | Q | V | WEIR_BYTE_UNRESERVED | W)
#define HEX_DIGIT (LETTER | WEIR_BYTE_HEX)

const uint8_t weir_byte_class[256] = {
    ['0' ... '9'] = HEX_DIGIT,
    ['A' ... 'F'] = HEX_DIGIT,
    ['G' ... 'Z'] = LETTER,
    ['a' ... 'f'] = HEX_DIGIT,
    ['g' ... 'z'] = LETTER,
    ['-'] = LETTER,
    ['.'] = T | P | Q | V | WEIR_BYTE_UNRESERVED | W,
    ['_'] = T | P | Q | V | WEIR_BYTE_UNRESERVED | W,
    ['~'] = T | P | Q | V | WEIR_BYTE_UNRESERVED | W,
    ['!'] = T | P | Q | V | W,
    ['$'] = T | P | Q | V | W,
    ['&'] = T | P | Q | V | W,
    ['\''] = T | P | Q | V | W,
    ['*'] = T | P | Q | V | W,
    ['+'] = T | P | Q | V | W,
    ['('] = P | Q | V | W,
    [')'] = P | Q | V | W,
    [','] = P | Q | V | W,
    [';'] = P | Q | V | W,
    ['='] = P | Q | V | W,
    [':'] = P | Q | V | W,
    ['@'] = P | Q | V | W,
    ['/'] = P | Q | V | W,
    ['%'] = T | P | Q | V,
    ['|'] = T | P | Q | V,
    ['^'] = T | P | Q | V,
    ['`'] = T | P | Q | V,
    ['['] = P | Q | V,
    [']'] = P | Q | V,
    ['{'] = P | Q | V,
    ['}'] = P | Q | V,
    ['"'] = P | Q | V,
    ['<'] = P | Q | V,
    ['>'] = P | Q | V,
    ['?'] = Q | V,
    ['\\'] = Q | V,
    ['#'] = T | V,
    [' '] = V,
    ['\t'] = V,
    [0x80 ... 0xff] = P | V,
};

bool
weir_syntax_is_token(weir_str_t s)
{
    return s.len != 0 && weir_byte_span(s.at, s.at + s.len, WEIR_BYTE_TOKEN) == s.at + s.len;
}

bool
weir_syntax_is_field_value(weir_str_t s)
{
    return s.len == 0 || weir_byte_span_value(s.at, s.at + s.len) == s.at + s.len;
}

/* Length of the element at the start of list: up to a comma that is not in a quoted string.  A string that does not end
 * reaches to the end of the list. */
static size_t
syntax_element_length(weir_str_t list)
{
    bool   quoted = false;
    size_t i;

    for (i = 0; i < list.len; i++) {
        if (list.at[i] == '"') {
            quoted = !quoted;
        } else if (quoted && list.at[i] == '\\' && i + 1 < list.len) {
            i++;
        } else if (!quoted && list.at[i] == ',') {
            break;
        }
    }
    return i;
}

bool
weir_syntax_list_next(weir_str_t *list, weir_str_t *element)
{
    size_t n;

    while (list->len != 0) {
        n = syntax_element_length(*list);
        weir_assert(n <= list->len);
        *element = weir_str_trim(weir_str(list->at, n));
        *list = weir_str_skip(*list, n + 1);
        if (element->len != 0) {
            return true;
        }
    }
    return false;
}

bool
weir_syntax_list_has(weir_str_t list, weir_str_t token)
{
    weir_str_t element, name, parameters;

    while (weir_syntax_list_next(&list, &element)) {
        (void) weir_str_cut(element, ';', &name, &parameters);
        if (weir_str_eq_fold(weir_str_trim(name), token)) {
            return true;
        }
    }
    return false;
}
