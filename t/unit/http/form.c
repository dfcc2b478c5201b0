/*
 * form.c - forms that Weir sends, and Basic credentials of a client of OAuth 2.0.
 */
#include "http/fetch/form.h"

#include "../tap.h"

static void
is_basic(const char *id, const char *secret, const char *want)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 1024);
    ok(weir_str_eq(weir_fetch_form_basic(&arena, weir_str_from_z(id), weir_str_from_z(secret)), weir_str_from_z(want)),
       want);
    weir_arena_fini(&arena);
}

int
main(void)
{
    char       room[200];
    weir_buf_t form;

    weir_buf_init(&form, room, sizeof(room));
    weir_fetch_form_add(&form, WEIR_STR("token"), WEIR_STR("a b&c=d+%\xc3\xa4"));
    weir_fetch_form_add(&form, WEIR_STR("token_type_hint"), WEIR_STR("access_token"));
    ok(weir_str_eq(weir_buf_str(&form),
                   WEIR_STR("token=a%20b%26c%3Dd%2B%25%C3%A4&token_type_hint=access_token")),
       "names and values are encoded");
    ok(weir_buf_len(&form) <= weir_fetch_form_room(WEIR_STR("token"), WEIR_STR("a b&c=d+%\xc3\xa4"))
       + weir_fetch_form_room(WEIR_STR("token_type_hint"), WEIR_STR("access_token")), "and fit");

    /* RFC 6749 §2.3.1, RFC 6750; and all three paddings */
    is_basic("s6BhdRkqt3", "gX1fBat3bV", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    is_basic("a", "", "Basic YTo=");
    is_basic("ab", "c", "Basic YWI6Yw==");
    is_basic("ab", "cd", "Basic YWI6Y2Q=");
    is_basic("a:b", "c d", "Basic YSUzQWI6YyUyMGQ=");
    is_basic("", "", "Basic Og==");
    return done();
}
