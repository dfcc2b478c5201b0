/*
 * fragments.c - of changes that wait together, the good ones are live and each bad one is refused by itself.
 *
 * The stand-in for a build reads each tree as words: "+x" defines x, "?x" needs x, "!" is bad and says so by name; "~"
 * is bad and says no name.  A name may be defined once.
 */
#include "proc/master/fragments.h"

#include "tap.h"

#include <stdio.h>

static weir_fragment_table_t table;
static size_t                builds;
static char                  built[4096];        /* what the last good build was of: "a=… b=…" */
static const char           *rest_needs;         /* what the rest of the configuration needs; NULL: nothing */
static uint64_t              serial;

static bool
set_defines(weir_fragments_t set, const char *name, int *times)
{
    *times = 0;
    for (size_t i = 0; i < set.n; i++) {
        char  text[256], *word;

        snprintf(text, sizeof(text), "%.*s", WEIR_STR_ARG(set.at[i].tree));
        for (word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
            *times += word[0] == '+' && strcmp(word + 1, name) == 0;
        }
    }
    return *times != 0;
}

static void
add_error(weir_conf_errors_t *errors, weir_str_t name, const char *text)
{
    weir_error_t *error;

    if (errors->n < errors->max) {
        error = &errors->at[errors->n++];
        *error = (weir_error_t) { .text = "" };
        snprintf(error->text, sizeof(error->text), "%s", text);
        snprintf(error->fragment, sizeof(error->fragment), "%.*s", WEIR_STR_ARG(name));
    }
}

static bool
build(void *data WEIR_UNUSED, weir_fragments_t set, const weir_fragment_from_t *from WEIR_UNUSED,
      weir_conf_errors_t *errors)
{
    size_t len = 0;
    int    times;

    builds++;
    for (size_t i = 0; i < set.n; i++) {
        char words[16][32];
        int  n = sscanf(weir_str(set.at[i].tree.at, set.at[i].tree.len).at, "%31s %31s %31s", words[0], words[1],
                        words[2]);

        for (int w = 0; w < n; w++) {
            if (words[w][0] == '!') {
                add_error(errors, set.at[i].name, "it is bad");
            } else if (words[w][0] == '~') {
                add_error(errors, WEIR_STR(""), "something is bad");
            } else if (words[w][0] == '?' && !set_defines(set, words[w] + 1, &times)) {
                add_error(errors, set.at[i].name, "it needs more");
            } else if (words[w][0] == '+' && set_defines(set, words[w] + 1, &times) && times > 1) {
                add_error(errors, set.at[i].name, "it is there twice");
            }
        }
    }
    if (rest_needs != NULL && !set_defines(set, rest_needs, &times)) {
        add_error(errors, WEIR_STR(""), "the rest needs more");
    }
    if (errors->n != 0) {
        return false;
    }
    built[0] = '\0';
    for (size_t i = 0; i < set.n; i++) {
        len += (size_t) snprintf(built + len, sizeof(built) - len, "%.*s=%.*s;", WEIR_STR_ARG(set.at[i].name),
                                 WEIR_STR_ARG(set.at[i].tree));
    }
    return true;
}

static weir_fragments_result_t
run_round(bool is_fresh)
{
    static weir_error_t        at[20];
    weir_conf_errors_t         errors = { at, 0, 20 };
    const weir_fragments_ops_t ops = { .build = build, .is_fresh = is_fresh };
    weir_fragments_result_t    result;

    builds = 0;
    built[0] = '\0';
    result = weir_fragments_round(&table, &ops, &errors);
    if (result == WEIR_FRAGMENTS_BUILT) {
        weir_fragments_commit(&table, ++serial);
    }
    weir_fragments_end(&table, serial);
    return result;
}

/* How each ended: 'L', 'C' or 'R', by its letter. */
static char ends[128];

static void
on_end(weir_fragments_change_t *change)
{
    ends[(unsigned char) *(char *) change->data] = change->state == WEIR_FRAGMENTS_LIVE ? 'L'
                                                   : change->state == WEIR_FRAGMENTS_CONFLICT ? 'C' : 'R';
}

static weir_fragments_change_t *
begin(const char *letter, weir_fragment_from_t from)
{
    weir_fragments_change_t *change = weir_fragments_change_create(from);

    change->on_end = on_end;
    change->data = (void *) (uintptr_t) letter;
    ends[(unsigned char) *letter] = '-';
    return change;
}

static weir_fragment_item_t *
add(weir_fragments_change_t *change, const char *name, const char *tree)
{
    weir_fragment_version_t *version = NULL;
    char                     text[64] = "";

    if (tree != NULL) {
        snprintf(text, sizeof(text), "%s", tree);
        version = weir_fragment_version_create(weir_str(text, strlen(text) + 1));
        weir_assert(version != NULL);
    }
    return weir_fragments_change_add(change, weir_str_from_z(name), version);
}

/* A file's change of one fragment. */
static void
put(const char *letter, const char *name, const char *tree)
{
    weir_fragments_change_t *change = begin(letter, WEIR_FRAGMENT_OF_FILE);

    weir_assert(add(change, name, tree) != NULL);
    weir_fragments_ask(&table, change);
}

static const char *
live(const char *name)
{
    const weir_fragment_row_t *row = weir_fragments_find(&table, weir_str_from_z(name));

    return row == NULL ? "none" : row->live == NULL ? "not live" : row->live->bytes;
}

static void
test_usual(void)
{
    weir_fragments_init(&table);
    is_int(run_round(true), WEIR_FRAGMENTS_BUILT, "a fresh rest is built without a fragment");
    is_int(builds, 1, "once");
    is_int(run_round(false), WEIR_FRAGMENTS_SAME, "nothing to do is nothing to build");
    is_int(builds, 0, "so it is not");
    put("a", "a", "+x");
    put("b", "b", "?x");
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "two good ones are built");
    is_int(builds, 1, "at once");
    ok(ends['a'] == 'L' && ends['b'] == 'L', "and are live");
    is_int(weir_fragments_find(&table, WEIR_STR("a"))->since, serial, "since this generation");
    put("a", "a", "!");
    put("b", "b", "?x +z");
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "a bad one does not hold the other up");
    is_int(builds, 3, "both are named, since one misses the other: it has a second chance");
    ok(ends['a'] == 'R' && ends['b'] == 'L', "one is refused, the other live");
    ok(strcmp(live("a"), "+x") == 0 && strcmp(live("b"), "?x +z") == 0, "the last good version of the bad one stays");
    ok(strcmp(weir_fragments_find(&table, WEIR_STR("a"))->why->text, "it is bad") == 0, "it is known why");
    put("a", "a", NULL);
    is_int(run_round(false), WEIR_FRAGMENTS_SAME, "what another one needs cannot be removed");
    ok(ends['a'] == 'R' && strcmp(live("a"), "+x") == 0, "it stays");
    put("a", "a", NULL);
    put("b", "b", "+z");
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "with what needs it, it can");
    ok(strcmp(live("a"), "none") == 0, "and it is gone");
    weir_fragments_fini(&table);
}

static void
test_parting(void)
{
    weir_fragments_init(&table);
    put("a", "a", "+x");
    put("b", "b", "~");
    put("c", "c", "?x");
    is_int(run_round(true), WEIR_FRAGMENTS_BUILT, "one that is bad without a name is found");
    ok(ends['a'] == 'L' && ends['b'] == 'R' && ends['c'] == 'L', "it alone is refused");
    put("a", "a", NULL);
    put("c", "c", "?x +k");
    put("d", "d", "+m");
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "a removal that another change minds");
    ok(ends['a'] == 'R' && ends['c'] == 'L' && ends['d'] == 'L', "is what is refused, not who minds it");
    put("e", "e", "~");
    put("f", "f", "~");
    put("g", "g", "+p");
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "two without a name");
    ok(ends['e'] == 'R' && ends['f'] == 'R' && ends['g'] == 'L', "are both found");
    rest_needs = "q";
    put("h", "h", "+r");
    is_int(run_round(true), WEIR_FRAGMENTS_REST_IS_BAD, "a fresh rest that is bad is not a change's fault");
    ok(ends['h'] == '-' && weir_fragments_are_asked(&table), "the change waits on");
    rest_needs = NULL;
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "and is live with the rest of before");
    ok(ends['h'] == 'L', "so it is");
    weir_fragments_fini(&table);
}

static void
test_many(void)
{
    static char names[200][8];
    size_t      n_live = 0;

    weir_fragments_init(&table);
    for (size_t i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "%03zu", i);
        put("m", names[i], i == 77 || i == 150 ? "~" : "");
    }
    is_int(run_round(true), WEIR_FRAGMENTS_BUILT, "two bad ones among two hundred");
    for (size_t i = 0; i < 200; i++) {
        n_live += strcmp(live(names[i]), "not live") != 0;
    }
    is_int(n_live, 198, "are found");
    ok(builds <= WEIR_FRAGMENTS_BUILDS, "within the bound");
    weir_fragments_fini(&table);
}

static void
test_transactions(void)
{
    weir_fragments_change_t *change;

    weir_fragments_init(&table);
    change = begin("a", WEIR_FRAGMENT_OF_SOCKET);
    weir_assert(add(change, "s", "+s") != NULL && add(change, "t", "!") != NULL);
    ok(add(change, "s", "+s") == NULL, "a name is in a transaction once");
    weir_fragments_ask(&table, change);
    is_int(run_round(false), WEIR_FRAGMENTS_SAME, "a transaction with one bad piece");
    ok(ends['a'] == 'R' && table.n == 0, "is refused as a whole, and leaves nothing");

    change = begin("a", WEIR_FRAGMENT_OF_SOCKET);
    weir_assert(add(change, "s", "+s") != NULL && add(change, "t", "?s") != NULL);
    weir_fragments_ask(&table, change);
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "one with two good pieces");
    ok(ends['a'] == 'L' && strcmp(live("t"), "?s") == 0, "is live as a whole");

    change = begin("b", WEIR_FRAGMENT_OF_SOCKET);
    weir_assert(add(change, "u", "+u") != NULL && add(change, "none", NULL) != NULL);
    weir_fragments_ask(&table, change);
    put("c", "s", "+s");
    is_int(run_round(false), WEIR_FRAGMENTS_SAME, "a removal of what is not there, and a file of a name that is taken");
    ok(ends['b'] == 'C' && ends['c'] == 'C' && builds == 0, "are conflicts, for which nothing is built");
    ok(strcmp(live("u"), "none") == 0 && strcmp(live("s"), "+s") == 0, "and change nothing");
    weir_fragments_fini(&table);
}

static void
test_compare_and_swap(void)
{
    weir_fragments_change_t *change;
    uint64_t                 digest;

    weir_fragments_init(&table);
    put("a", "a", "+x");
    weir_assert(run_round(false) == WEIR_FRAGMENTS_BUILT);
    digest = weir_fragments_find(&table, WEIR_STR("a"))->live->digest;
    for (int i = 0; i < 2; i++) {
        weir_fragment_item_t *item;

        change = begin(i == 0 ? "a" : "b", WEIR_FRAGMENT_OF_FILE);
        item = add(change, "a", i == 0 ? "+y" : "+z");
        item->has_digest = true;
        item->digest = digest;
        weir_fragments_ask(&table, change);
    }
    is_int(run_round(false), WEIR_FRAGMENTS_BUILT, "two changes that go by the same version");
    ok(ends['a'] == 'L' && ends['b'] == 'C' && strcmp(live("a"), "+y") == 0, "the first one wins");
    weir_fragments_fini(&table);
}

int
main(void)
{
    test_usual();
    test_parting();
    test_many();
    test_transactions();
    test_compare_and_swap();
    return done();
}
