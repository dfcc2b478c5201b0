/*
 * sf.c - see sf.h.  RFC 9651 §4.
 */
#include "http/message/sf.h"

#include "base/base64.h"
#include "http/message/syntax.h"

#define SF_INTEGER_DIGITS  15
#define SF_DECIMAL_DIGITS  12
#define SF_FRACTION_DIGITS 3

/* What is read, and how much of it may be. */
typedef struct {
    weir_arena_t *arena;
    const char   *at, *end;
    uint32_t      left;          /* values */
} sf_reader_t;

/* -- bytes -- */

static bool
sf_take(sf_reader_t *r, char c)
{
    if (r->at < r->end && *r->at == c) {
        r->at++;
        return true;
    }
    return false;
}

static void
sf_skip_blanks(sf_reader_t *r, bool with_tabs)
{
    while (r->at < r->end && (*r->at == ' ' || (with_tabs && *r->at == '\t'))) {
        r->at++;
    }
}

static bool sf_is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool sf_is_digit(char c) { return c >= '0' && c <= '9'; }
static bool sf_is_alpha(char c) { return sf_is_lower((char) (c | 0x20)); }

/* Room for one more; NULL: there are too many, or there is no memory. */
static void *
sf_new(sf_reader_t *r, size_t size)
{
    void *made = r->left != 0 ? weir_try_alloc(r->arena, size) : NULL;

    if (made != NULL) {
        r->left--;
        memset(made, 0, size);
    }
    return made;
}

/* -- values -- */

static bool
sf_read_key(sf_reader_t *r, weir_str_t *key)
{
    const char *begin = r->at;

    if (r->at == r->end || (!sf_is_lower(*r->at) && *r->at != '*')) {
        return false;
    }
    while (r->at < r->end && (sf_is_lower(*r->at) || sf_is_digit(*r->at) || *r->at == '_' || *r->at == '-'
                              || *r->at == '.' || *r->at == '*'))
    {
        r->at++;
    }
    *key = weir_str(begin, (size_t) (r->at - begin));
    return true;
}

/* At most so many digits; at least one. */
static bool
sf_read_digits(sf_reader_t *r, size_t most, size_t *n, int64_t *number)
{
    for (*n = 0; r->at < r->end && sf_is_digit(*r->at); r->at++) {
        if (++*n > most) {
            return false;
        }
        *number = *number * 10 + (*r->at - '0');
    }
    return *n != 0;
}

static bool
sf_read_number(sf_reader_t *r, weir_sf_value_t *value, bool is_date)
{
    bool   is_negative = sf_take(r, '-');
    size_t n, n_fraction = 0;

    value->kind = is_date ? WEIR_SF_DATE : WEIR_SF_INTEGER;
    if (!sf_read_digits(r, SF_INTEGER_DIGITS, &n, &value->number)) {
        return false;
    }
    if (!is_date && sf_take(r, '.')) {
        value->kind = WEIR_SF_DECIMAL;
        if (n > SF_DECIMAL_DIGITS || !sf_read_digits(r, SF_FRACTION_DIGITS, &n_fraction, &value->number)) {
            return false;
        }
        for (; n_fraction < SF_FRACTION_DIGITS; n_fraction++) {
            value->number *= 10;
        }
    }
    weir_assert(value->number >= 0 && value->number < INT64_C(1000000000000000));      /* of fifteen digits */
    value->number = is_negative ? -value->number : value->number;
    return true;
}

static bool
sf_read_string(sf_reader_t *r, weir_sf_value_t *value)
{
    const char *begin = r->at;
    size_t      n_escapes = 0, n = 0;
    char       *room;

    value->kind = WEIR_SF_STRING;
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        if (*r->at == '\\') {
            n_escapes++;
            r->at++;
            if (r->at == r->end || (*r->at != '"' && *r->at != '\\')) {
                return false;
            }
        } else if (*r->at < ' ' || *r->at > '~') {
            return false;
        }
    }
    value->text = weir_str(begin, (size_t) (r->at - begin));
    if (!sf_take(r, '"')) {
        return false;
    }
    if (n_escapes == 0) {
        return true;
    }
    room = weir_try_alloc(r->arena, value->text.len);
    for (size_t i = 0; room != NULL && i < value->text.len; i++) {
        i += value->text.at[i] == '\\';
        room[n++] = value->text.at[i];
    }
    weir_assert(room == NULL || n + n_escapes == value->text.len);
    value->text = weir_str(room, n);
    return room != NULL;
}

static bool
sf_read_bytes(sf_reader_t *r, weir_sf_value_t *value)
{
    const char *colon = weir_str_find(weir_str(r->at, (size_t) (r->end - r->at)), ':');
    weir_str_t  coded;
    char       *room;
    size_t      n;

    value->kind = WEIR_SF_BYTES;
    if (colon == NULL) {
        return false;
    }
    coded = weir_str(r->at, (size_t) (colon - r->at));
    room = weir_try_alloc(r->arena, weir_base64_decoded(coded.len) + 1);
    if (room == NULL || !weir_base64_decode(coded, room, &n)) {
        return false;
    }
    weir_assert(n <= weir_base64_decoded(coded.len) && colon < r->end);
    value->text = weir_str(room, n);
    r->at = colon + 1;
    return true;
}

static bool
sf_read_token(sf_reader_t *r, weir_sf_value_t *value)
{
    const char *begin = r->at;

    value->kind = WEIR_SF_TOKEN;
    while (r->at < r->end && (weir_byte_is(*r->at, WEIR_BYTE_TOKEN) || *r->at == ':' || *r->at == '/')) {
        r->at++;
    }
    value->text = weir_str(begin, (size_t) (r->at - begin));
    return true;
}

static bool
sf_read_value(sf_reader_t *r, weir_sf_value_t *value)
{
    if (r->at == r->end) {
        return false;
    }
    if (*r->at == '-' || sf_is_digit(*r->at)) {
        return sf_read_number(r, value, false);
    }
    if (sf_take(r, '"')) {
        return sf_read_string(r, value);
    }
    if (sf_take(r, ':')) {
        return sf_read_bytes(r, value);
    }
    if (sf_take(r, '@')) {
        return sf_read_number(r, value, true);
    }
    if (sf_take(r, '?')) {
        value->kind = WEIR_SF_BOOLEAN;
        value->number = sf_take(r, '1') ? 1 : 0;
        return value->number == 1 || sf_take(r, '0');
    }
    return (sf_is_alpha(*r->at) || *r->at == '*') && sf_read_token(r, value);
}

/* -- what is around them -- */

static bool
sf_read_params(sf_reader_t *r, const weir_sf_param_t **first)
{
    const weir_sf_param_t **tail = first;
    weir_sf_param_t        *param;

    while (sf_take(r, ';')) {
        sf_skip_blanks(r, false);
        param = sf_new(r, sizeof(*param));
        if (param == NULL || !sf_read_key(r, &param->key) || weir_sf_find_param(*first, param->key) != NULL) {
            return false;
        }
        param->value = (weir_sf_value_t) { .kind = WEIR_SF_BOOLEAN, .number = 1 };
        if (sf_take(r, '=')) {
            param->value = (weir_sf_value_t) { .number = 0 };
            if (!sf_read_value(r, &param->value)) {
                return false;
            }
        }
        *tail = param;
        tail = &param->next;
    }
    return true;
}

/* Behind the '('. */
static bool
sf_read_list(sf_reader_t *r, const weir_sf_item_t **first)
{
    const weir_sf_item_t **tail = first;
    weir_sf_item_t        *item;

    for (;;) {
        sf_skip_blanks(r, false);
        if (sf_take(r, ')')) {
            return true;
        }
        item = sf_new(r, sizeof(*item));
        if (item == NULL || !sf_read_value(r, &item->value) || !sf_read_params(r, &item->params)) {
            return false;
        }
        *tail = item;
        tail = &item->next;
        if (r->at == r->end || (*r->at != ' ' && *r->at != ')')) {
            return false;
        }
    }
}

static bool
sf_read_member(sf_reader_t *r, weir_sf_member_t *member)
{
    member->value = (weir_sf_value_t) { .kind = WEIR_SF_BOOLEAN, .number = 1 };
    if (sf_take(r, '=')) {
        member->value = (weir_sf_value_t) { .number = 0 };
        member->is_list = sf_take(r, '(');
        if (member->is_list ? !sf_read_list(r, &member->items) : !sf_read_value(r, &member->value)) {
            return false;
        }
    }
    return sf_read_params(r, &member->params);
}

bool
weir_sf_parse_dictionary(weir_arena_t *arena, weir_str_t text, uint32_t max, const weir_sf_member_t **first)
{
    sf_reader_t              r = { .arena = arena, .at = text.at, .end = text.at + text.len, .left = max };
    const weir_sf_member_t **tail = first;
    weir_sf_member_t        *member;

    *first = NULL;
    if (text.len == 0) {
        return true;
    }
    while (r.end > r.at && r.end[-1] == ' ') {
        r.end--;
    }
    sf_skip_blanks(&r, false);
    while (r.at < r.end) {
        member = sf_new(&r, sizeof(*member));
        if (member == NULL || !sf_read_key(&r, &member->key) || weir_sf_find_member(*first, member->key) != NULL
            || !sf_read_member(&r, member))
        {
            return false;
        }
        *tail = member;
        tail = &member->next;
        weir_assert(r.at <= r.end && r.left < max);
        sf_skip_blanks(&r, true);
        if (r.at == r.end) {
            return true;
        }
        if (!sf_take(&r, ',')) {
            return false;
        }
        sf_skip_blanks(&r, true);
        if (r.at == r.end) {
            return false;                            /* a comma, and nothing behind it */
        }
    }
    return true;
}

const weir_sf_member_t *
weir_sf_find_member(const weir_sf_member_t *first, weir_str_t key)
{
    while (first != NULL && !weir_str_eq(first->key, key)) {
        first = first->next;
    }
    return first;
}

const weir_sf_param_t *
weir_sf_find_param(const weir_sf_param_t *first, weir_str_t key)
{
    while (first != NULL && !weir_str_eq(first->key, key)) {
        first = first->next;
    }
    return first;
}

/* -- writing -- */

static void
sf_add_number(weir_buf_t *out, int64_t number)
{
    if (number < 0) {
        weir_buf_add_char(out, '-');
    }
    weir_buf_add_u64(out, (uint64_t) (number < 0 ? -number : number));
}

static void
sf_add_decimal(weir_buf_t *out, int64_t thousandths)
{
    uint64_t size = (uint64_t) (thousandths < 0 ? -thousandths : thousandths), rest = size % 1000;

    if (thousandths < 0) {
        weir_buf_add_char(out, '-');
    }
    weir_buf_add_u64(out, size / 1000);
    weir_buf_add_char(out, '.');
    weir_buf_add_char(out, (char) ('0' + rest / 100));
    if (rest % 100 != 0) {
        weir_buf_add_char(out, (char) ('0' + rest / 10 % 10));
    }
    if (rest % 10 != 0) {
        weir_buf_add_char(out, (char) ('0' + rest % 10));
    }
}

static void
sf_add_string(weir_buf_t *out, weir_str_t text)
{
    weir_buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            weir_buf_add_char(out, '\\');
        }
        weir_buf_add_char(out, text.at[i]);
    }
    weir_buf_add_char(out, '"');
}

void
weir_sf_add_value(weir_buf_t *out, const weir_sf_value_t *value)
{
    switch (value->kind) {
    case WEIR_SF_INTEGER:
        sf_add_number(out, value->number);
        break;
    case WEIR_SF_DECIMAL:
        sf_add_decimal(out, value->number);
        break;
    case WEIR_SF_STRING:
        sf_add_string(out, value->text);
        break;
    case WEIR_SF_TOKEN:
        weir_buf_add_str(out, value->text);
        break;
    case WEIR_SF_BYTES:
        weir_buf_add_char(out, ':');
        weir_base64_add(out, value->text);
        weir_buf_add_char(out, ':');
        break;
    case WEIR_SF_BOOLEAN:
        weir_buf_add_char(out, '?');
        weir_buf_add_char(out, value->number != 0 ? '1' : '0');
        break;
    case WEIR_SF_DATE:
        weir_buf_add_char(out, '@');
        sf_add_number(out, value->number);
        break;
    }
}

void
weir_sf_add_params(weir_buf_t *out, const weir_sf_param_t *first)
{
    for (; first != NULL; first = first->next) {
        weir_buf_add_char(out, ';');
        weir_buf_add_str(out, first->key);
        if (first->value.kind != WEIR_SF_BOOLEAN || first->value.number == 0) {
            weir_buf_add_char(out, '=');
            weir_sf_add_value(out, &first->value);
        }
    }
}

void
weir_sf_add_item(weir_buf_t *out, const weir_sf_item_t *item)
{
    weir_sf_add_value(out, &item->value);
    weir_sf_add_params(out, item->params);
}

void
weir_sf_add_member(weir_buf_t *out, const weir_sf_member_t *member)
{
    if (!member->is_list) {
        weir_sf_add_value(out, &member->value);
    } else {
        weir_buf_add_char(out, '(');
        for (const weir_sf_item_t *item = member->items; item != NULL; item = item->next) {
            if (item != member->items) {
                weir_buf_add_char(out, ' ');
            }
            weir_sf_add_item(out, item);
        }
        weir_buf_add_char(out, ')');
    }
    weir_sf_add_params(out, member->params);
}
