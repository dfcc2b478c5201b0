/*
 * cookies.c - see cookies.h.
 */
#include "http/message/cookies.h"

bool
weir_cookies_next(weir_cookies_t *cookies, weir_str_t *name, weir_str_t *value)
{
    weir_str_t pair;

    for (;;) {
        while (cookies->rest.len == 0) {
            cookies->field = cookies->field == NULL ? weir_fields_first(cookies->fields, WEIR_HEADER_COOKIE)
                             : weir_fields_next(cookies->fields, cookies->field);
            if (cookies->field == NULL) {
                return false;
            }
            cookies->rest = cookies->field->value;
        }
        (void) weir_str_cut(cookies->rest, ';', &pair, &cookies->rest);
        if (weir_str_cut(pair, '=', name, value)) {
            *name = weir_str_trim(*name);
            *value = weir_str_trim(*value);
            if (name->len != 0) {
                return true;
            }
        }
    }
}

size_t
weir_cookies_piece(weir_str_t cookie, weir_str_t name)
{
    weir_str_t tail;

    if (!weir_str_starts(cookie, name)) {
        return SIZE_MAX;
    }
    tail = weir_str_skip(cookie, name.len);
    if (tail.len == 0) {
        return 0;
    }
    return tail.len == 2 && tail.at[0] == '.' && tail.at[1] >= '1' && tail.at[1] < '0' + WEIR_COOKIES_PIECES
           ? (size_t) (tail.at[1] - '0') : SIZE_MAX;
}

/* Of the first piece: "3.text". */
static bool
cookies_count(weir_str_t *first, size_t *n)
{
    if (first->len < 2 || first->at[0] < '1' || first->at[0] > '0' + WEIR_COOKIES_PIECES || first->at[1] != '.') {
        return false;
    }
    *n = (size_t) (first->at[0] - '0');
    *first = weir_str_skip(*first, 2);
    return true;
}

weir_cookies_result_t
weir_cookies_gather(const weir_fields_t *fields, weir_str_t name, size_t most, weir_arena_t *arena, weir_str_t *value,
                    uint32_t *pieces)
{
    weir_cookies_t cookies = { .fields = fields };
    weir_str_t     at[WEIR_COOKIES_PIECES] = { { NULL, 0 } }, one, text;
    uint32_t       twice = 0;
    size_t         n, len = 0;
    char          *room;

    *pieces = 0;
    while (weir_cookies_next(&cookies, &one, &text)) {
        size_t i = weir_cookies_piece(one, name);

        weir_assert(i < WEIR_COOKIES_PIECES || i == SIZE_MAX);
        if (i != SIZE_MAX) {
            twice |= *pieces & 1u << i;
            *pieces |= 1u << i;
            at[i] = text;
        }
    }
    if ((*pieces & 1) == 0) {
        return WEIR_COOKIES_NONE;
    }
    if (!cookies_count(&at[0], &n) || (twice & ((1u << n) - 1)) != 0 || (*pieces & ((1u << n) - 1)) != (1u << n) - 1) {
        return WEIR_COOKIES_BROKEN;
    }
    for (size_t i = 0; i < n; i++) {
        len += at[i].len;
    }
    if (len > most) {
        return WEIR_COOKIES_BROKEN;
    }
    *value = at[0];
    if (n == 1) {
        return WEIR_COOKIES_WHOLE;
    }
    room = weir_try_alloc(arena, len + 1);
    if (room == NULL) {
        return WEIR_COOKIES_BROKEN;
    }
    *value = weir_str(room, len);
    for (size_t i = 0; i < n; i++) {
        memcpy(room, at[i].at != NULL ? at[i].at : "", at[i].len);
        room += at[i].len;
    }
    weir_assert(room == value->at + len);
    return WEIR_COOKIES_WHOLE;
}

weir_str_t
weir_cookies_without(weir_str_t text, weir_arena_t *arena, bool (*is_wanted)(void *data, weir_str_t name), void *data)
{
    weir_str_t rest = text, pair, name, value;
    bool       all = true;
    char      *room;
    size_t     n = 0;

    while (rest.len != 0 && all) {
        (void) weir_str_cut(rest, ';', &pair, &rest);
        (void) weir_str_cut(pair, '=', &name, &value);
        all = is_wanted(data, weir_str_trim(name));
    }
    if (all) {
        return text;
    }
    room = weir_alloc_bytes(arena, 2 * text.len + 1);            /* a space more for each ';' */
    for (rest = text; rest.len != 0;) {
        (void) weir_str_cut(rest, ';', &pair, &rest);
        (void) weir_str_cut(pair, '=', &name, &value);
        pair = weir_str_trim(pair);
        if (pair.len != 0 && is_wanted(data, weir_str_trim(name))) {
            if (n != 0) {
                room[n++] = ';';
                room[n++] = ' ';
            }
            memcpy(room + n, pair.at, pair.len);
            n += pair.len;
        }
    }
    weir_assert(n <= 2 * text.len);
    return weir_str(room, n);
}
