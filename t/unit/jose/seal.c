/*
 * seal.c - sealed texts: what was sealed comes back, with the same key, purpose and binding, and in no other case.
 */
#include "jose/seal.h"

#include "tap.h"

static weir_arena_t arena;

static weir_seal_t *
make(weir_str_t first, weir_str_t second, weir_str_t purpose)
{
    weir_str_t secrets[] = { first, second };

    return weir_seal_create((weir_strs_t) { secrets, second.len != 0 ? 2 : 1 }, purpose);
}

static weir_str_t
closed(const weir_seal_t *seal, weir_str_t plain, weir_str_t bound)
{
    char *room = weir_alloc_bytes(&arena, weir_seal_room(plain.len));

    weir_assert(weir_seal_close(seal, plain, bound, room));
    return weir_str(room, weir_seal_room(plain.len));
}

static weir_seal_result_t
opened(const weir_seal_t *seal, weir_str_t sealed, weir_str_t bound, weir_str_t *plain)
{
    return weir_seal_open(seal, sealed, bound, weir_alloc_bytes(&arena, sealed.len + 1), plain);
}

static void
test_keys(void)
{
    const weir_str_t one = WEIR_STR("the first secret, which is long enough");
    const weir_str_t two = WEIR_STR("the second secret, which is long enough");
    const weir_str_t p = WEIR_STR("session"), me = WEIR_STR("me"), text = WEIR_STR("a text");
    weir_seal_t     *a = make(one, WEIR_STR_NONE, p), *b = make(two, one, p), *c = make(two, WEIR_STR_NONE, p);
    weir_seal_t     *d = make(one, WEIR_STR_NONE, WEIR_STR("login"));
    weir_str_t       sealed = closed(a, text, me), plain = WEIR_STR_NONE;

    ok(opened(a, sealed, me, &plain) == WEIR_SEAL_OPENED, "it is opened");
    is_str(plain, "a text", "and says what it said");
    ok(opened(b, sealed, me, &plain) == WEIR_SEAL_OPENED_OLD, "by the key that was first before");
    ok(opened(c, sealed, me, &plain) == WEIR_SEAL_FOREIGN, "not without its key");
    ok(opened(d, sealed, me, &plain) == WEIR_SEAL_FOREIGN, "not for another purpose");
    ok(opened(a, sealed, WEIR_STR("you"), &plain) == WEIR_SEAL_BROKEN, "not for another");
    ok(opened(a, sealed, WEIR_STR_NONE, &plain) == WEIR_SEAL_BROKEN, "not for nobody");
    ok(opened(a, closed(a, WEIR_STR_NONE, me), me, &plain) == WEIR_SEAL_OPENED && plain.len == 0, "an empty text");
    ok(!weir_str_eq(sealed, closed(a, text, me)), "no two are the same");
    weir_seal_destroy(a);
    weir_seal_destroy(b);
    weir_seal_destroy(c);
    weir_seal_destroy(d);
}

/* Each bit of each character, each length. */
static void
test_changes(void)
{
    weir_seal_t *seal = make(WEIR_STR("the only secret, which is long enough"), WEIR_STR_NONE, WEIR_STR("p"));
    weir_str_t   sealed = closed(seal, WEIR_STR("what it says"), WEIR_STR("me")), plain, torn;
    size_t       bad = 0;
    char        *copy;

    for (size_t i = 0; i < sealed.len * 8; i++) {
        torn = weir_str_dup(&arena, sealed);
        copy = (char *) (uintptr_t) torn.at;
        copy[i / 8] = (char) (copy[i / 8] ^ 1 << i % 8);
        bad += opened(seal, torn, WEIR_STR("me"), &plain) == WEIR_SEAL_OPENED;
    }
    is_int(bad, 0, "with one bit changed none is opened");
    for (size_t i = 0; i < sealed.len; i++) {
        bad += opened(seal, weir_str(sealed.at, i), WEIR_STR("me"), &plain) == WEIR_SEAL_OPENED;
        bad += opened(seal, weir_str_skip(sealed, i + 1), WEIR_STR("me"), &plain) == WEIR_SEAL_OPENED;
    }
    is_int(bad, 0, "nor one that lacks an end");
    weir_seal_destroy(seal);
}

static void
test_secrets(void)
{
    weir_strs_t  secrets;
    weir_error_t error = { .text = "" };
    weir_str_t   long_enough = WEIR_STR("0123456789abcdef0123456789abcdef");
    weir_str_t   many = WEIR_STR_NONE;

    ok(weir_seal_read_secrets(&arena, weir_str_printf(&arena, "# a\n\n %.*s \r\n%.*sx", WEIR_STR_ARG(long_enough),
                                                          WEIR_STR_ARG(long_enough)), &secrets, &error)
           && secrets.n == 2 && weir_str_eq(secrets.at[0], long_enough), "a file of two secrets");
    ok(!weir_seal_read_secrets(&arena, WEIR_STR("# none\n"), &secrets, &error), "of none");
    error.text[0] = '\0';
    ok(!weir_seal_read_secrets(&arena, WEIR_STR("short\n"), &secrets, &error)
           && strstr(error.text, "line 1 has 5 characters") != NULL, "of one that is short");
    for (size_t i = 0; i < 17; i++) {
        many = weir_str_printf(&arena, "%.*s%.*s\n", WEIR_STR_ARG(many), WEIR_STR_ARG(long_enough));
    }
    ok(!weir_seal_read_secrets(&arena, many, &secrets, &error), "of too many");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    test_keys();
    test_changes();
    test_secrets();
    weir_arena_fini(&arena);
    return done();
}
