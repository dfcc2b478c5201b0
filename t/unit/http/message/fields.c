/*
 * fields.c - field names and their indexes, rows of fields, tokens and lists.
 */
#include "http/message/fields.h"
#include "http/message/syntax.h"
#include "tap.h"

#include <ctype.h>

static void
test_names(void)
{
    char     upper[32], odd[32];
    unsigned id, lower = 0, capitals = 0, canonical = 0, near = 0;
    size_t   i;

    for (id = 1; id < WEIR_HEADER_MAX; id++) {
        weir_str_t name = weir_header_name((weir_header_id_t) id);

        for (i = 0; i < name.len; i++) {
            upper[i] = name.at[i] >= 'a' && name.at[i] <= 'z' ? (char) (name.at[i] - 0x20) : name.at[i];
        }
        lower += weir_header_id(name) == id;
        capitals += weir_header_id(weir_str(upper, name.len)) == id;
        canonical += weir_str_eq_fold(weir_header_canonical((weir_header_id_t) id), name);
        for (i = 0; i < name.len; i++) {              /* each byte changed in the bit that folds letters,
        and in others */
            memcpy(odd, name.at, name.len);
            odd[i] ^= name.at[i] == '-' || (name.at[i] >= '0' && name.at[i] <= '9') ? 0x20 : 0x40;
            near += weir_header_id(weir_str(odd, name.len)) == id;
        }
        near += weir_header_id(weir_str(name.at, name.len - 1)) == id;
    }
    is_int(lower, WEIR_HEADER_MAX - 1, "every name has its index");
    is_int(capitals, WEIR_HEADER_MAX - 1, "in capitals too");
    is_int(canonical, WEIR_HEADER_MAX - 1, "a canonical spelling differs in case only");
    is_int(near, 0, "no other byte is folded");
    is_int(weir_header_id(WEIR_STR("")), WEIR_HEADER_OTHER, "no name");
    is_int(weir_header_id(WEIR_STR("x")), WEIR_HEADER_OTHER, "a short name");
    is_int(weir_header_id(WEIR_STR("x-some-name-that-is-longer-than-any")), WEIR_HEADER_OTHER, "a long name");
    is_str(weir_header_canonical(WEIR_HEADER_CONTENT_TYPE), "Content-Type", "capitals behind '-'");
    is_str(weir_header_canonical(WEIR_HEADER_ETAG), "ETag", "an exception");
    is_str(weir_header_canonical(WEIR_HEADER_WWW_AUTHENTICATE), "WWW-Authenticate", "another");
    is_str(weir_header_canonical(WEIR_HEADER_SEC_WEBSOCKET_KEY), "Sec-WebSocket-Key", "a third");
}

static weir_field_t *
add(weir_fields_t *fields, weir_arena_t *arena, const char *name, const char *value)
{
    weir_str_t n = weir_str_from_z(name);

    return weir_fields_add(fields, arena, weir_header_id(n), n, weir_str_from_z(value), 0);
}

static void
test_fields(void)
{
    weir_fields_t fields = { .n = 0 };
    weir_arena_t  arena;
    weir_field_t *field;
    weir_str_t    text;
    unsigned      i;

    weir_arena_init(&arena, 4096);
    ok(weir_fields_find(&fields, WEIR_STR("x")) == NULL && weir_fields_first(&fields, WEIR_HEADER_HOST) == NULL,
       "nothing yet");
    add(&fields, &arena, "X-Role", "a");
    add(&fields, &arena, "Cookie", "a=1");
    add(&fields, &arena, "Accept", "x");
    add(&fields, &arena, "x-role", "b, c");
    add(&fields, &arena, "cookie", "b=2");
    for (i = 0; i < 100; i++) {
        add(&fields, &arena, "filler", "");
    }
    add(&fields, &arena, "X-ROLE", "");
    is_int(fields.n, 106, "the row grows");
    field = weir_fields_find(&fields, WEIR_STR("X-role"));
    is_str(field->value, "a", "the first of a name");
    field = weir_fields_next(&fields, field);
    is_str(field->value, "b, c", "the second");
    field = weir_fields_next(&fields, field);
    is_str(field->value, "", "the third");
    ok(weir_fields_next(&fields, field) == NULL, "no fourth");
    field = weir_fields_first(&fields, WEIR_HEADER_COOKIE);
    is_str(field->value, "a=1", "the first by index");
    is_str(weir_fields_next(&fields, field)->value, "b=2", "the next by index");
    text = weir_fields_join(&fields, WEIR_STR("x-role"), &arena);
    is_str(text, "a, b, c, ", "joined with commas");
    text = weir_fields_join(&fields, WEIR_STR("COOKIE"), &arena);
    is_str(text, "a=1; b=2", "cookies joined with semicolons");
    text = weir_fields_join(&fields, WEIR_STR("accept"), &arena);
    ok(text.at == weir_fields_first(&fields, WEIR_HEADER_ACCEPT)->value.at, "one value is not copied");
    ok(weir_fields_join(&fields, WEIR_STR("none"), &arena).at == NULL, "none joined");
    ok(weir_fields_add(&fields, &arena, WEIR_HEADER_OTHER, WEIR_STR("a"), WEIR_STR(""), 106) == NULL,
       "not beyond a limit");
    is_int(fields.n, 106, "nothing was added");
    weir_fields_reset(&fields);
    ok(fields.n == 0 && weir_fields_first(&fields, WEIR_HEADER_COOKIE) == NULL && fields.cap >= 106,
       "reset keeps room");
    weir_arena_fini(&arena);
}

/* The index of first fields is a byte a name: what lies behind its reach is found all the same. */
static void
test_far(void)
{
    weir_fields_t fields = { .n = 0 };
    weir_arena_t  arena;
    unsigned      wrong = 0;

    weir_arena_init(&arena, 4096);
    for (unsigned at = 250; at < 260; at++) {
        weir_field_t *first, *second;

        fields = (weir_fields_t) { .n = 0 };
        while (fields.n < at) {
            (void) weir_fields_add(&fields, &arena, WEIR_HEADER_OTHER, WEIR_STR("x"), WEIR_STR("y"), 0);
        }
        (void) weir_fields_add(&fields, &arena, WEIR_HEADER_DATE, WEIR_STR("Date"), WEIR_STR("1"), 0);
        first = weir_fields_first(&fields, WEIR_HEADER_DATE);
        wrong += first != &fields.at[at] || weir_fields_next(&fields, first) != NULL;
        (void) weir_fields_add(&fields, &arena, WEIR_HEADER_OTHER, WEIR_STR("x"), WEIR_STR("y"), 0);
        (void) weir_fields_add(&fields, &arena, WEIR_HEADER_DATE, WEIR_STR("Date"), WEIR_STR("2"), 0);
        first = weir_fields_first(&fields, WEIR_HEADER_DATE);
        second = first != NULL ? weir_fields_next(&fields, first) : NULL;
        wrong += first != &fields.at[at] || second != &fields.at[at + 2] || weir_fields_next(&fields, second) != NULL;
    }
    is_int(wrong, 0, "the first and the next of a name, wherever they are");
    weir_arena_fini(&arena);
}

static void
test_syntax(void)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char              text[40];
    unsigned          c, tokens = 0, wrong = 0, at;

    for (c = 0; c < 256; c++) {
        text[0] = (char) c;
        tokens += weir_syntax_is_token(weir_str(text, 1)) == (c != 0 && strchr(token, (int) c) != NULL);
    }
    is_int(tokens, 256, "token characters");
    ok(!weir_syntax_is_token(WEIR_STR("")) && !weir_syntax_is_token(WEIR_STR("a b")), "no token");
    for (c = 0; c < 256; c++) {                       /* at each place, for the vector's lanes and the rest */
        for (at = 0; at < sizeof(text); at++) {
            memset(text, 'x', sizeof(text));
            text[at] = (char) c;
            wrong += weir_syntax_is_field_value(weir_str(text, sizeof(text))) != ((c >= 0x20 && c != 0x7f) || c == '\t');
            wrong += weir_byte_span_value(text, text + sizeof(text))
                     != text + ((c >= 0x20 && c != 0x7f) || c == '\t' ? sizeof(text) : at);
            wrong += weir_byte_span_plain(text, text + sizeof(text)) != text
                + (c == '-' || (c < 0x80 && isalnum((int) c)) ? sizeof(text) : at);
        }
    }
    is_int(wrong, 0, "field value and plain characters, wherever they are");
    ok(weir_syntax_is_field_value(WEIR_STR("")), "an empty value");
}

static void
test_lists(void)
{
    weir_str_t list = WEIR_STR(" a ,, \"b,\\\",c\" x;y=\"z,\",\t,d"), element;

    ok(weir_syntax_list_next(&list, &element), "a list");
    is_str(element, "a", "its first element");
    ok(weir_syntax_list_next(&list, &element), "and another");
    is_str(element, "\"b,\\\",c\" x;y=\"z,\"", "commas in quoted strings");
    ok(weir_syntax_list_next(&list, &element), "and another");
    is_str(element, "d", "empty elements are skipped");
    ok(!weir_syntax_list_next(&list, &element), "the end");
    list = WEIR_STR("\"open, x");
    ok(weir_syntax_list_next(&list, &element) && element.len == 8 && !weir_syntax_list_next(&list, &element), "a string without end");
    list = WEIR_STR("\"\\");
    ok(weir_syntax_list_next(&list, &element) && element.len == 2, "an escape without end");
    ok(weir_syntax_list_has(WEIR_STR("gzip, Trailers ;q=1"), WEIR_STR("trailers")), "has a token with parameters");
    ok(!weir_syntax_list_has(WEIR_STR("gzip, \"x, trailers\""), WEIR_STR("trailers")), "not inside of a string");
    ok(!weir_syntax_list_has(WEIR_STR(""), WEIR_STR("a")) && !weir_syntax_list_has(WEIR_STR("ab"), WEIR_STR("a")), "has it not");
}

int
main(void)
{
    test_names();
    test_fields();
    test_far();
    test_syntax();
    test_lists();
    return done();
}
