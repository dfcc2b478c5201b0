/* A host means the exact name, else the longest "*.x", else the longest "x.*", else the first pattern. */
#include "http/match/match.h"
#include "tap.h"

#include <time.h>

static const char *
hosts_ask(const weir_hosts_t *hosts, const char *host)
{
    weir_captures_t     captures = { .n = 0 };
    const weir_regex_t *regex;
    const char         *value;
    bool                limit;

    value = weir_hosts_find(hosts, weir_str_from_z(host), &captures, &regex, &limit);
    return value != NULL ? value : "-";
}

/* Value and name are the same text. */
static bool
hosts_put(weir_hosts_t *hosts, const char *name, bool *conflict)
{
    weir_error_t error = { .text = "" };

    return weir_hosts_add(hosts, weir_str_from_z(name), (void *) (uintptr_t) name, conflict, &error);
}

static void
test_order(weir_arena_t *arena)
{
    static const char *const names[] = {
        "", "example.org", "Www.Example.ORG", "*.example.org", "*.sub.example.org", "mail.*", "mail.example.*",
        ".dot.net", "~^(?<user>[a-z]+)\\.people\\.", "~^Case\\.", "~people", "*.com",
    };
    static const struct { const char *host, *name; } cases[] = {
        { "", "" },
        { "example.org", "example.org" },
        { "www.example.org", "Www.Example.ORG" },
        { "ftp.example.org", "*.example.org" },
        { "a.b.example.org", "*.example.org" },
        { "sub.example.org", "*.example.org" },
        { "x.sub.example.org", "*.sub.example.org" },
        { "xexample.org", "-" },
        { ".example.org", "-" },
        { "mail.net", "mail.*" },
        { "mail.a.b.c", "mail.*" },
        { "mail.example.net", "mail.example.*" },
        { "mail.example.org", "*.example.org" },
        { "mail.example.com", "*.com" },
        { "mail", "-" },
        { "mail.", "-" },
        { "xmail.net", "-" },
        { "dot.net", ".dot.net" },
        { "a.dot.net", ".dot.net" },
        { "a.b.dot.net", ".dot.net" },
        { "adot.net", "-" },
        { "joe.people.net", "~^(?<user>[a-z]+)\\.people\\." },
        { "7.people.net", "~people" },
        { "people.com", "*.com" },
        { "case.net", "~^Case\\." },
        { "com", "-" },
        { "nowhere", "-" },
    };
    weir_hosts_t *hosts = weir_hosts_create(arena);
    bool          conflict;

    for (size_t i = 0; i < weir_countof(names); i++) {
        ok(hosts_put(hosts, names[i], &conflict) && !conflict, names[i]);
    }
    for (size_t i = 0; i < weir_countof(cases); i++) {
        is_str(weir_str_from_z(hosts_ask(hosts, cases[i].host)), cases[i].name, cases[i].host);
    }
}

static void
test_captures(weir_arena_t *arena)
{
    weir_hosts_t       *hosts = weir_hosts_create(arena);
    const weir_regex_t *regex;
    weir_captures_t     captures = { .n = 0 };
    weir_str_t          hostile = WEIR_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    bool                conflict, limit;

    ok(hosts_put(hosts, "~^(.+)\\.people\\.org$", &conflict) && hosts_put(hosts, "~^(a+)+$", &conflict),
       "two patterns");
    ok(weir_hosts_find(hosts, WEIR_STR("joe.people.org"), &captures, &regex, &limit) != NULL && !limit, "one matches");
    is_str(weir_captures_get(&captures, 1), "joe", "with its captures");
    ok(regex != NULL && weir_str_eq(weir_regex_pattern(regex), WEIR_STR("^(.+)\\.people\\.org$")),
       "and tells which it is");
    ok(weir_hosts_find(hosts, hostile, &captures, &regex, &limit) == NULL && limit,
       "a pattern that runs into its limit is no answer");
    ok(regex == NULL, "and names no pattern");
}

static void
test_conflicts(weir_arena_t *arena)
{
    static const struct { const char *name; bool conflict; } cases[] = {
        { "a.org", false }, { "A.org", true }, { "*.a.org", false }, { "*.a.org", true }, { ".a.org", true },
        { ".b.org", false }, { "b.org", true }, { "*.b.org", true }, { "c.*", false }, { "c.*", true },
        { "~x", false }, { "~x", true }, { "", false }, { "", true },
        { "*.d.org", false }, { ".d.org", true }, { "d.org", false },
    };
    weir_hosts_t *hosts = weir_hosts_create(arena);
    bool          conflict;

    for (size_t i = 0; i < weir_countof(cases); i++) {
        ok(hosts_put(hosts, cases[i].name, &conflict) && conflict == cases[i].conflict, cases[i].name);
    }
}

static void
test_bad_names(weir_arena_t *arena)
{
    static const char *const names[] = {
        "*", ".", "*.", ".*", "a.*.b", "w*.a", "*a.b", "a.b*", "*.a.*", "a..b", "**.a", "~", "~("
    };
    weir_hosts_t *hosts = weir_hosts_create(arena);
    weir_error_t  error = { .text = "" };
    bool          conflict;

    for (size_t i = 0; i < weir_countof(names); i++) {
        ok(!hosts_put(hosts, names[i], &conflict), names[i]);
    }
    ok(!weir_hosts_add(hosts, weir_str("a\0b", 3), hosts, &conflict, &error), "a NUL");
    is_str(weir_str(error.text, 32), "invalid server name or wildcard ", "the error says what is wrong");
}

/* -- against a list that is asked as the documentation says -- */

#define NAMES 60

static uint32_t hosts_state = 7;

static uint32_t
hosts_random(uint32_t below)
{
    hosts_state = hosts_state * 1664525 + 1013904223;
    return (hosts_state >> 8) % below;
}

static weir_str_t
hosts_random_name(weir_arena_t *arena)
{
    weir_str_t name = WEIR_STR("");

    for (uint32_t n = 1 + hosts_random(4); n > 0; n--) {
        name = weir_str_printf(arena, "%.*s%s%c", WEIR_STR_ARG(name), name.len != 0 ? "." : "",
                               (char) ('a' + hosts_random(3)));
    }
    return name;
}

static weir_str_t
hosts_random_form(weir_arena_t *arena, weir_str_t base)
{
    switch (hosts_random(4)) {
    case 0:  return base;
    case 1:  return weir_str_concat(arena, WEIR_STR("*."), base);
    case 2:  return weir_str_concat(arena, base, WEIR_STR(".*"));
    default: return weir_str_concat(arena, WEIR_STR("."), base);
    }
}

static const weir_str_t *
hosts_model(const weir_str_t *names, weir_str_t host)
{
    const weir_str_t *head = NULL, *tail = NULL;

    for (size_t i = 0; i < NAMES; i++) {
        weir_str_t name = names[i];

        if (weir_str_eq(name, host) || (name.at[0] == '.' && weir_str_eq(weir_str_skip(name, 1), host))) {
            return &names[i];
        }
        if (name.at[0] == '*' || name.at[0] == '.') {
            weir_str_t end = weir_str_skip(name, name.at[0] == '*');

            if (host.len > end.len && weir_str_ends(host, end)
                && (head == NULL || end.len > head->len - (head->at[0] == '*')))
            {
                head = &names[i];
            }
        } else if (name.at[name.len - 1] == '*') {
            weir_str_t start = weir_str(name.at, name.len - 1);

            if (host.len > start.len && weir_str_starts(host, start) && (tail == NULL || start.len + 1 > tail->len)) {
                tail = &names[i];
            }
        }
    }
    return head != NULL ? head : tail;
}

static void
test_against_model(weir_arena_t *arena)
{
    int wrong = 0, found = 0;

    for (int round = 0; round < 50; round++) {
        weir_hosts_t *hosts = weir_hosts_create(arena);
        weir_str_t    names[NAMES];

        for (size_t i = 0; i < NAMES; i++) {
            weir_error_t error = { .text = "" };
            bool         conflict = true;

            while (conflict) {
                weir_str_t base = hosts_random_name(arena);

                names[i] = hosts_random_form(arena, base);
                wrong += !weir_hosts_add(hosts, names[i], &names[i], &conflict, &error);
            }
        }
        for (int i = 0; i < 200; i++) {
            weir_str_t          host = hosts_random_name(arena);
            const weir_regex_t *regex;
            weir_captures_t     captures = { .n = 0 };
            bool                limit;
            const weir_str_t   *got = weir_hosts_find(hosts, host, &captures, &regex, &limit);

            wrong += got != hosts_model(names, host);
            found += got != NULL;
        }
    }
    is_int(wrong, 0, "10,000 random hosts mean the same name as in a list");
    ok(found > 1000, "many of which were found");
}

/* -- 10,000 names cost what ten cost -- */

static double
hosts_seconds(const weir_hosts_t *hosts, weir_str_t host)
{
    struct timespec from, to;
    double          best = 1e9;

    for (int round = 0; round < 20; round++) {
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 1000; i++) {
            const weir_regex_t *regex;
            weir_captures_t     captures;
            bool                limit;

            if (weir_hosts_find(hosts, host, &captures, &regex, &limit) == NULL) {
                abort();
            }
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        double took = (double) (to.tv_sec - from.tv_sec) + (double) (to.tv_nsec - from.tv_nsec) / 1e9;
        best = took < best ? took : best;
    }
    return best;
}

static weir_hosts_t *
hosts_of(weir_arena_t *arena, int n)
{
    weir_hosts_t *hosts = weir_hosts_create(arena);
    weir_error_t  error = { .text = "" };
    bool          conflict;

    for (int i = 0; i < n; i++) {
        weir_str_t name = weir_str_printf(arena, "tenant%05d.example.org", i);
        weir_str_t below = weir_str_concat(arena, WEIR_STR("*."), name);

        if (!weir_hosts_add(hosts, name, hosts, &conflict, &error)
            || !weir_hosts_add(hosts, below, hosts, &conflict, &error))
        {
            abort();
        }
    }
    return hosts;
}

static void
test_cost(weir_arena_t *arena)
{
    weir_hosts_t *few = hosts_of(arena, 10), *many = hosts_of(arena, 10000);
    weir_str_t    exact = WEIR_STR("tenant00007.example.org"), below = WEIR_STR("a.tenant00007.example.org");

    ok(hosts_seconds(many, exact) < 10 * hosts_seconds(few, exact),
       "an exact name among 10,000 costs about what it costs among ten");
    ok(hosts_seconds(many, below) < 10 * hosts_seconds(few, below),
       "and so does one below a wildcard");
}

int
main(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 65536);
    test_order(&arena);
    test_captures(&arena);
    test_conflicts(&arena);
    test_bad_names(&arena);
    test_against_model(&arena);
    test_cost(&arena);
    weir_arena_fini(&arena);
    return done();
}
