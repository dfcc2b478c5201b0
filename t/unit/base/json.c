/*
 * json.c - what is JSON and what is not, what a tree says; names that come twice; limits; JSONTestSuite's files.
 */
#include "base/json.h"
#include "os/file.h"

#include "../tap.h"
#include "../vectors.h"

#include <dirent.h>
#include <string.h>

static weir_arena_t arena;

/* From an allocation of its size: a sanitizer sees a byte read beyond it. */
static weir_json_result_t
parse(weir_str_t text, const weir_json_t **value)
{
    const weir_json_limits_t limits = { .depth = 8, .values = 2000 };
    char                    *copy = malloc(text.len + 1);
    weir_json_result_t       result;
    weir_str_t               whole;

    memcpy(copy, text.at, text.len);
    result = weir_json_parse(&arena, weir_str(copy, text.len), limits, value);
    free(copy);
    if (result == WEIR_JSON_GOOD) {      /* again, with texts that stay */
        whole = weir_str_dup(&arena, text);
        result = weir_json_parse(&arena, whole, limits, value);
    }
    return result;
}

static const weir_json_t *
good(const char *text)
{
    const weir_json_t *value = NULL;

    ok(parse(weir_str_from_z(text), &value) == WEIR_JSON_GOOD, text);
    return value;
}

static void
is(const char *text, weir_json_result_t want)
{
    const weir_json_t *value;

    is_int(parse(weir_str_from_z(text), &value), want, text);
}

static void
trees(void)
{
    const weir_json_t *v = good(" { \"a\" : [1, -2.5e3 ,true,false,null,\"x\\n\\u00e9\\ud83d\\ude00\"] , \"\":{} } "),
                      *a;
    weir_str_t text;
    int64_t    whole;

    is_int(v->n, 2, "two members");
    a = weir_json_get(v, WEIR_STR("a"));
    is_int(a->n, 6, "six elements");
    is_str(a->text, "[1, -2.5e3 ,true,false,null,\"x\\n\\u00e9\\ud83d\\ude00\"]", "an array's text is as it was written");
    ok(weir_json_to_whole(a->first, &whole) && whole == 1, "1");
    ok(weir_json_to_whole(a->first->next, &whole) && whole == -2500, "-2.5e3");
    is_str(a->first->next->next->next->next->next->text, "x\n\xc3\xa9\xf0\x9f\x98\x80", "escapes");
    ok(weir_json_get(v, WEIR_STR("")) != NULL && weir_json_get(v, WEIR_STR("b")) == NULL, "names");
    ok(weir_json_get(a, WEIR_STR("a")) == NULL && weir_json_get(NULL, WEIR_STR("a")) == NULL, "only objects have members");
    ok(!weir_json_get_string(v, WEIR_STR("a"), &text), "an array is no text");
    v = good("{\"s\":\"a\\u0000b\",\"t\":1.999,\"u\":-0.5,\"w\":1e400,\"x\":9007199254740993}");
    ok(weir_json_get_string(v, WEIR_STR("s"), &text) && text.len == 3, "a NUL is a character");
    ok(weir_json_to_whole(weir_json_get(v, WEIR_STR("t")), &whole) && whole == 1, "1.999 is 1");
    ok(weir_json_to_whole(weir_json_get(v, WEIR_STR("u")), &whole) && whole == -1, "-0.5 is -1");
    ok(!weir_json_to_whole(weir_json_get(v, WEIR_STR("w")), &whole), "1e400 is too large");
    ok(weir_json_to_whole(weir_json_get(v, WEIR_STR("x")), &whole), "2^53 is not");
    ok(!weir_json_to_whole(weir_json_get(v, WEIR_STR("s")), &whole), "a text is no number");
}

static void
refused(void)
{
    static const char *const malformed[] = {
        "", " ", "{", "[", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "'a'", "01", "-",
        "1.", ".5", "1e", "+1", "NaN", "Infinity", "tru", "truefalse", "1 2", "\"", "\"\\", "\"\\x\"", "\"\\u12\"",
        "\"\\u12g4\"", "\"\t\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"", "\"\xc3\"", "\xef\xbb\xbf{}", "[1}", "{\"a\":1]", "[] []", "/**/1", "\"\\\xc3\xa9\"",
    };

    for (size_t i = 0; i < weir_countof(malformed); i++) {
        is(malformed[i], WEIR_JSON_MALFORMED);
    }
    is("{\"a\":1,\"b\":2,\"a\":1}", WEIR_JSON_DUPLICATE);
    is("{\"a\":1,\"\\u0061\":1}", WEIR_JSON_DUPLICATE);
    is("[{\"x\":{\"a\":1,\"a\":1}}]", WEIR_JSON_DUPLICATE);
    is("{\"a\":1,\"A\":1}", WEIR_JSON_GOOD);
    is("[[[[[[[[1]]]]]]]]", WEIR_JSON_GOOD);
    is("[[[[[[[[[1]]]]]]]]]", WEIR_JSON_TOO_LARGE);
}

/* Many members: the names are found in a table. */
static void
many(void)
{
    const weir_json_t *value;
    char               text[32768], *at = text;

    *at++ = '{';
    for (int i = 0; i < 1000; i++) {
        at += sprintf(at, "%s\"name%d\":%d", i ? "," : "", i, i);
    }
    strcpy(at, "}");
    is_int(parse(weir_str_from_z(text), &value), WEIR_JSON_GOOD, "a thousand members");
    strcpy(at, ",\"name\\u0035\":1}");
    is_int(parse(weir_str_from_z(text), &value), WEIR_JSON_DUPLICATE, "one of a thousand comes twice");
    memset(text, ',', sizeof(text));
    for (size_t i = 0; i < 8000; i += 2) {
        text[i] = i == 0 ? '[' : '1';
    }
    text[1] = '1';
    is_int(parse(weir_str(text, 8000), &value), WEIR_JSON_TOO_LARGE, "more values than are allowed");
}

static void
suite(void)
{
    const char    *folder = vectors_path("json/test_parsing");
    char           where[512], path[1024];
    DIR           *dir;
    struct dirent *entry;
    int            wrong = 0, n = 0;

    if (folder == NULL) {
        return;
    }
    snprintf(where, sizeof(where), "%s", folder);
    dir = opendir(where);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const weir_json_t *value;
        weir_json_result_t result;
        weir_str_t         text;
        /* Names that come twice are refused here, on purpose. */
        bool twins = strstr(entry->d_name, "duplicated_key") != NULL;

        snprintf(path, sizeof(path), "%s/%s", where, entry->d_name);
        if (strchr("yni", entry->d_name[0]) == NULL || !weir_file_read(&arena, path, 1 << 20, &text)) {
            continue;
        }
        n++;
        result = parse(text, &value);
        if ((entry->d_name[0] == 'y' && result != (twins ? WEIR_JSON_DUPLICATE : WEIR_JSON_GOOD))
            || (entry->d_name[0] == 'n' && result == WEIR_JSON_GOOD))
        {
            printf("# %s: %d\n", entry->d_name, (int) result);
            wrong++;
        }
    }
    closedir(dir);
    ok(n > 300 && wrong == 0, "JSONTestSuite: y_ is taken, n_ is refused");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    trees();
    refused();
    many();
    suite();
    weir_arena_fini(&arena);
    return done();
}
