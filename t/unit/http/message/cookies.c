/*
 * cookies.c - Cookie fields: pairs, values in pieces, fields without some of them.
 */
#include "http/message/cookies.h"

#include "tap.h"

static weir_arena_t arena;

static weir_fields_t
fields_of(const char *one, const char *two)
{
    weir_fields_t fields = { .n = 0 };

    weir_assert(weir_fields_add(&fields, &arena, WEIR_HEADER_COOKIE, WEIR_STR("cookie"), weir_str_from_z(one), 0));
    if (two != NULL) {
        weir_assert(weir_fields_add(&fields, &arena, WEIR_HEADER_COOKIE, WEIR_STR("cookie"), weir_str_from_z(two), 0));
    }
    return fields;
}

static const char *
gathered(const char *one, const char *two)
{
    weir_fields_t fields = fields_of(one, two);
    weir_str_t    value = WEIR_STR_NONE;
    uint32_t      pieces;

    switch (weir_cookies_gather(&fields, WEIR_STR("s"), 10, &arena, &value, &pieces)) {
    case WEIR_COOKIES_NONE:   return "none";
    case WEIR_COOKIES_BROKEN: return "broken";
    default:                  return weir_str_to_z(&arena, value);
    }
}

static void
is_gathered(const char *one, const char *two, const char *want, const char *what)
{
    is_str(weir_str_from_z(gathered(one, two)), want, what);
}

static bool
is_other(void *data, weir_str_t name)
{
    (void) data;
    return weir_cookies_piece(name, WEIR_STR("s")) == SIZE_MAX;
}

static void
is_without(const char *text, const char *want)
{
    is_str(weir_cookies_without(weir_str_from_z(text), &arena, is_other, NULL), want, text);
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    is_gathered("a=b", NULL, "none", "nothing of that name");
    is_gathered("s=1.abc", NULL, "abc", "one piece");
    is_gathered("a=b; s=1.abc;c=d", NULL, "abc", "among others");
    is_gathered("S=1.abc", NULL, "none", "names have case");
    is_gathered("s.1=def; s=2.abc", NULL, "abcdef", "two pieces");
    is_gathered("s.1=def", "s=2.abc", "abcdef", "in two fields");
    is_gathered("s=2.abc", NULL, "broken", "one is missing");
    is_gathered("s.1=def; s.2=x", NULL, "none", "the first is missing");
    is_gathered("s=1.abc; s=1.abc", NULL, "broken", "one is there twice");
    is_gathered("s=1.abc; s.1=x; s.1=x", NULL, "abc", "twice, but none of it");
    is_gathered("s=0.abc", NULL, "broken", "of none");
    is_gathered("s=10.abc", NULL, "broken", "of ten");
    is_gathered("s=abc", NULL, "broken", "of unknown number");
    is_gathered("s=", NULL, "broken", "empty");
    is_gathered("s=1.12345678901", NULL, "broken", "too long");
    is_gathered("s=2.12345; s.1=67890", NULL, "1234567890", "just not too long");
    is_gathered(";; =x; s ; s=1.a ;", NULL, "a", "whatever stands around it");
    is_gathered("s.9=1; s.a=1; s.10=1; s=1.a", NULL, "a", "other names");
    is_without("a=b; c=d", "a=b; c=d");
    is_without("s=1.x", "");
    is_without("a=b; s=1.x; c=d", "a=b; c=d");
    is_without("s=1.x; a=b;s.1=y;c=d;", "a=b; c=d");
    is_without("s", "");
    is_without("ss=1; s.=2; xs=3", "ss=1; s.=2; xs=3");
    weir_arena_fini(&arena);
    return done();
}
