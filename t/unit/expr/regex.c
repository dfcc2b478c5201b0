/*
 * Patterns: matching, captures, names, sharing by reference, limits, two threads.
 */
#include "expr/regex.h"
#include "tap.h"

#include <pthread.h>
#include <time.h>

static weir_error_t error;

static weir_regex_t *
compile(const char *pattern)
{
    error = (weir_error_t) { .text = "" };
    return weir_regex_compile(weir_str_from_z(pattern), false, &error);
}

static void
test_match(void)
{
    weir_regex_t   *regex = compile("^/(\\w+)/(x)?(?<rest>.*)$"), *folded;
    weir_captures_t captures = { .n = 7 };
    weir_str_t      name;
    uint32_t        group;

    is_int(weir_regex_exec(regex, WEIR_STR("none"), &captures), WEIR_REGEX_NO_MATCH, "no match");
    is_int(captures.n, 7, "leaves captures alone");
    is_int(weir_regex_exec(regex, WEIR_STR("/one/two"), &captures), WEIR_REGEX_MATCH, "a match");
    is_str(weir_captures_get(&captures, 0), "/one/two", "the whole");
    is_str(weir_captures_get(&captures, 1), "one", "a group");
    ok(weir_captures_get(&captures, 2).at == NULL, "a group that took no part");
    is_str(weir_captures_get(&captures, 3), "two", "a named one");
    ok(weir_captures_get(&captures, 4).at == NULL, "one that is not there");
    is_int(weir_regex_captures(regex), 3, "groups are counted");
    ok(weir_regex_name(regex, 0, &name, &group) && group == 3 && !weir_regex_name(regex, 1, &name, &group),
       "and named");
    is_str(name, "rest", "so");
    is_str(weir_regex_pattern(regex), "^/(\\w+)/(x)?(?<rest>.*)$", "the pattern as written");
    is_int(weir_regex_exec(regex, WEIR_STR("/one/two"), NULL), WEIR_REGEX_MATCH, "without captures");
    is_int(weir_regex_exec(regex, WEIR_STR_NONE, NULL), WEIR_REGEX_NO_MATCH, "nothing at all");
    weir_regex_unref(regex);

    folded = weir_regex_compile(WEIR_STR("ABC"), true, &error);
    is_int(weir_regex_exec(folded, WEIR_STR("xabcx"), NULL), WEIR_REGEX_MATCH, "without case");
    weir_regex_unref(folded);

    regex = compile("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)(m)(n)(o)(p)(q)(r)(s)(t)(u)(v)");
    is_int(weir_regex_exec(regex, WEIR_STR("abcdefghijklmnopqrstuv"), &captures), WEIR_REGEX_MATCH,
           "more groups than room");
    is_int(captures.n, WEIR_REGEX_MAX_CAPTURES, "keeps those that fit");
    is_str(weir_captures_get(&captures, 19), "s", "up to the last");
    weir_regex_unref(regex);
}

static void
test_errors(void)
{
    ok(compile("(") == NULL, "a bad pattern");
    is_str(weir_str_from_z(error.text),
           "regular expression \"(\" is not valid: missing closing parenthesis at offset 1", "says what and where");
    ok(compile("a(?<x>b)(?<x>c)") == NULL, "a name twice");
}

static void
test_sharing(void)
{
    weir_arena_t  arena;
    weir_regex_t *one = compile("shared"), *two = compile("shared"), *folded, *interpreted;

    folded = weir_regex_compile(WEIR_STR("shared"), true, &error);
    weir_regex_use_jit(false);
    interpreted = compile("shared");
    weir_regex_use_jit(true);
    ok(one == two, "the same text and flags are one");
    ok(one != folded && one != interpreted, "other flags are another");
    is_int(weir_regex_exec(interpreted, WEIR_STR("it is shared"), NULL), WEIR_REGEX_MATCH,
           "without JIT it is the same");
    weir_regex_unref(one);
    is_int(weir_regex_exec(two, WEIR_STR("it is shared"), NULL), WEIR_REGEX_MATCH, "it lives with its last reference");
    weir_regex_unref(two);
    weir_regex_unref(folded);
    weir_regex_unref(interpreted);

    weir_arena_init(&arena, 1024);
    one = weir_regex_compile_in(&arena, WEIR_STR("of an arena"), false, &error);
    ok(one != NULL, "one of an arena");
    weir_arena_fini(&arena);
}

/* What takes for ever must end soon, and as a limit, not as "no match". */
static void
test_limits(bool jit)
{
    static const char *const patterns[] = { "^(a+)+$", "(.*)*x$", "^(a|aa)+$", "(a*)*b", "^((a)|(aa)|\\2)+$" };
    char                    *subject = malloc(65536);
    struct timespec          begin, end;
    weir_regex_t            *regex;
    weir_regex_result_t      result;
    size_t                   i;

    memset(subject, 'a', 65536);
    subject[65535] = '!';
    weir_regex_use_jit(jit);
    for (i = 0; i < weir_countof(patterns); i++) {
        regex = compile(patterns[i]);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        result = weir_regex_exec(regex, weir_str(subject, 65536), NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        ok(result == WEIR_REGEX_LIMIT || result == WEIR_REGEX_NO_MATCH, patterns[i]);
        printf("# %s: %s after %.2f ms\n", jit ? "JIT" : "interpreter",
               result == WEIR_REGEX_LIMIT ? "limit" : "no match",
               (double) (end.tv_sec - begin.tv_sec) * 1e3 + (double) (end.tv_nsec - begin.tv_nsec) / 1e6);
        weir_regex_unref(regex);
    }
    regex = compile("^(a+)+$");
    is_int(weir_regex_exec(regex, weir_str(subject + 65000, 536), NULL), WEIR_REGEX_LIMIT, "the classic is a limit");
    weir_regex_unref(regex);
    weir_regex_use_jit(true);
    free(subject);
}

static void *
compile_and_drop(void *data)
{
    char         pattern[16];
    weir_error_t why = { .text = "" };
    int          i;

    (void) data;
    for (i = 0; i < 300; i++) {
        (void) snprintf(pattern, sizeof(pattern), "x%d", i % 5);
        weir_regex_unref(weir_regex_compile(weir_str_from_z(pattern), false, &why));
    }
    return NULL;
}

int
main(void)
{
    pthread_t thread;

    test_match();
    test_errors();
    test_sharing();
    test_limits(true);
    test_limits(false);
    ok(pthread_create(&thread, NULL, compile_and_drop, NULL) == 0, "a second thread compiles");
    compile_and_drop(NULL);
    ok(pthread_join(thread, NULL) == 0, "while this one does");
    return done();
}
