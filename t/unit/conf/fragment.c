/*
 * Fragments: recorded by name, read at the end of http in the order of their names, into blocks that stand elsewhere
 * last; what is wrong says in which one.
 */
#include "conf/fragment.h"

#include "conf/tree_json.h"
#include "conf/tree_pack.h"
#include "reading.h"

#include <unistd.h>

static weir_arena_t arena;

static void
put_tree(const char *name, const weir_tree_node_t *root)
{
    weir_fragment_t fragment = { .name = weir_str_from_z(name) };
    weir_error_t    error = { .text = "" };

    if (root == NULL || !weir_tree_pack(&arena, root, &fragment.tree, &error)) {
        printf("# %s\n", error.text);
        abort();
    }
    fragment.digest = weir_fragment_digest(fragment.tree);
    weir_bundle_put_fragment(reading_bundle, &fragment);
}

static void
put(const char *name, const char *text)
{
    weir_error_t error = { .text = "" };

    put_tree(name, weir_tree_read(&arena, weir_str_from_z(text), weir_str_to_z(&arena,
                                  weir_str_printf(&arena, "/f/%s", name)), &error));
}

static void
put_json(const char *name, const char *json)
{
    weir_error_t error = { .text = "" };

    put_tree(name, weir_tree_json_read(&arena, weir_str_from_z(json), "f.json", WEIR_TREE_JSON_LITERAL, &error));
    if (weir_error_is_set(&error)) {
        printf("# %s\n", error.text);
    }
}

static void
begin(const char *main)
{
    reading_begin();
    reading_file(READING_FILE, main);
}

/* The toy_text of each server, and toy_number of what is in it. */
static const char *
servers(const weir_generation_t *generation)
{
    static char              text[512];
    const weir_conf_block_t *http = generation != NULL ? generation->root->first : NULL, *block, *inner;

    text[0] = '\0';
    for (block = http != NULL ? http->first : NULL; block != NULL; block = block->next) {
        const toy_conf_t *conf = block->confs[TOY];

        if (conf == NULL) {
            continue;                                  /* lines that are data */
        }
        (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), " %.*s=%u", WEIR_STR_ARG(conf->text),
                        conf->number);
        for (inner = block->first; inner != NULL; inner = inner->next) {
            (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "(%.*s)",
                            WEIR_STR_ARG(inner->words.at[1].text));
        }
    }
    return text;
}

static void
is_built(const char *expected, const char *what)
{
    weir_generation_t *generation = reading_build("");

    if (generation == NULL) {
        printf("# %s\n", reading_error.text);
    }
    is_str(weir_str_from_z(servers(generation)), expected, what);
    if (generation != NULL) {
        weir_generation_unref(generation);
    }
}

static void
test_names(void)
{
    char long_name[257];

    memset(long_name, 'a', sizeof(long_name));
    ok(weir_fragment_name_is_good(WEIR_STR("team-a/routes_1.json")), "a name");
    ok(weir_fragment_name_is_good(weir_str(long_name, 255)), "of 255 bytes");
    ok(!weir_fragment_name_is_good(weir_str(long_name, 256)), "not of more");
    ok(!weir_fragment_name_is_good(WEIR_STR("")), "not of none");
    ok(!weir_fragment_name_is_good(WEIR_STR("a b")) && !weir_fragment_name_is_good(WEIR_STR("a\0b"))
       && !weir_fragment_name_is_good(WEIR_STR("\xC3\xA4")), "not of other characters");
}

static void
test_reading(void)
{
    begin("http { server { toy_text m; } }");
    put("b", "server { toy_text b; }");
    put("a", "server { toy_text a; toy_number 3; }");
    put("ab", "server { toy_text ab; }");
    is_built(" m=7 a=3 ab=7 b=7", "fragments are read behind http in the order of their names");
    put("a", "# nothing");
    is_built(" m=7 ab=7 b=7", "one is replaced");
    begin("");
    put("a", "server { toy_text a; }");
    is_built(" a=7", "without http there is one for them");
    begin("http { toy_number 9; }");
    put("a", "toy_text_too x; server { toy_text a; }");
    is_built(" a=9", "what they say is in http");
}

static void
test_extending(void)
{
    begin("http { extend b { location /1 { } toy_number 4; } server { toy_text b; location /0 { } } }");
    put("z", "server { toy_text z; }");
    put("a", "extend z { location /2 { } } extend b { location /3 { } }");
    is_built(" b=4(/0)(/1)(/3) z=7(/2)", "a server is added to when all else is read");
}

static void
refused(const char *text, const char *fragment, const char *pointer, uint32_t line, const char *what)
{
    weir_generation_t *generation = reading_build("");

    ok(generation == NULL && strstr(reading_error.text, text) != NULL, what);
    if (strcmp(reading_error.fragment, fragment) != 0 || strcmp(reading_error.pointer, pointer) != 0
        || reading_error.line != line || strstr(reading_error.text, text) == NULL)
    {
        printf("# \"%s\" of \"%s\" at \"%s\", line %u\n", reading_error.text, reading_error.fragment,
               reading_error.pointer, reading_error.line);
        ok(false, "and where");
    }
    reading_error = (weir_error_t) { .text = "" };
    if (generation != NULL) {
        weir_generation_unref(generation);
    }
}

static void
test_errors(void)
{
    begin("http { }");
    put("good", "server { toy_text good; }");
    put("x/y", "server {\n toy_flog on;\n}");
    refused("unknown directive \"toy_flog\", did you mean \"toy_flag\"? in /f/x/y:2", "x/y", "", 2,
            "a file's error tells the line");
    put_json("x/y", "[{\"directive\": \"server\", \"block\": [{\"directive\": \"toy_time\", \"args\": [\"never\"]}]}]");
    refused("in f.json#/0/block/0/args/0", "x/y", "/0/block/0/args/0", 0, "JSON's the pointer");
    put("x/y", "server { toy_number 666; }");
    refused("a bad number in /f/x/y:1", "x/y", "", 1, "an error that is found later tells the fragment too");
    put("x/y", "server { toy_template $nothing; }");
    refused("unknown \"nothing\" variable in /f/x/y:1", "x/y", "", 1, "so does one of a name");
    put_json("x/y", "[{\"directive\": \"toy_template\", \"args\": [{\"expression\": \"$nothing\"}]}]");
    refused("unknown \"nothing\" variable in f.json#/0/args/0", "x/y", "/0/args/0", 0, "with the pointer");
    put("x/y", "extend\n none { toy_number 1; }");
    refused("no server \"none\" in /f/x/y:2", "x/y", "", 2, "nothing is there to add to");
    put("x/y", "extend good { toy_number 1;\n toy_number 2;\n}");
    put("good", "server { toy_text good; toy_number 0; }");
    refused("\"toy_number\" directive is duplicate in /f/x/y:1", "x/y", "", 1, "a server says a thing once");
    put("x/y", "http { }");
    refused("\"http\" directive is not allowed here in /f/x/y:1 (allowed in main)", "x/y", "", 1, "no http in http");
}

static void
test_includes(void)
{
    begin("http { }");
    reading_file("/etc/weir/part", "server { toy_text p; }\nextend p { location / { } }");
    put("a", "include part;");
    is_built(" p=7(/)", "a fragment includes a file");
    begin("http { }");
    reading_file("/etc/weir/part", "server {\n toy_text\n}");
    put("a", "\n\ninclude part;");
    refused("unexpected \"}\" in /etc/weir/part:3", "a", "", 3, "whose errors are the fragment's");
    begin("http { include part; }");
    reading_file("/etc/weir/part", "server { toy_text p; } extend p { include part; }");
    refused("the file \"/etc/weir/part\" includes itself in /etc/weir/part:1", "", "", 1,
            "what is read late may not include itself");
    begin("http { extend x { location / { } }");
    refused("unexpected end of file", "", "", 1, "a block that is added has its end");
}

static void
test_odd_ones(void)
{
    char   deep[2048] = "server {";
    size_t i;

    begin("http { }");
    put("a", "toy_lines { x 1; include part; \"\" 2; }");
    reading_file("/etc/weir/part", "y 3;");
    is_built("", "lines that are data, and more of them in a file");
    begin("http { }");
    put("a", "toy_lines { x { } }");
    refused("unexpected \"{\" inside \"toy_lines\" in /f/a:1", "a", "", 1, "no blocks are among them");
    begin("http { } http { server { toy_text 2; } }");
    put("a", "server { toy_text a; }");
    refused("\"http\" directive is duplicate in " READING_FILE ":1", "", "", 1, "a second http is none");
    begin("http { }");
    put("a", "\"\" x;");
    refused("unknown directive \"\" in /f/a:1", "a", "", 1, "a directive has a name");
    begin("http { }");
    for (i = 1; i < WEIR_TREE_DEPTH; i++) {
        (void) strcat(deep, "location /{");
    }
    for (i = 0; i < WEIR_TREE_DEPTH; i++) {
        (void) strcat(deep, "}");
    }
    put("a", deep);
    refused("too many blocks inside one another: more than 64", "a", "", 1, "http is one of the levels");
    begin("events { }");
    put("a", "extend x { }");
    refused("no server \"x\" in /f/a:1", "a", "", 1, "an http block that is made for fragments has no servers");
}

static void
test_dump(void)
{
    weir_generation_t *generation;
    weir_error_t       error = { .text = "" };
    char              *text = NULL;
    size_t             len = 0;
    FILE              *out = open_memstream(&text, &len), *file = tmpfile();
    char               back[512] = "";

    begin("http { }\n");
    put("b", "server {}");
    put_json("a", "[{\"directive\": \"server\", \"block\": [{\"directive\": \"toy_text\", \"args\": [\"a $b;\"]}]}]");
    generation = reading_build("");
    ok(generation != NULL && weir_conf_dump_json(reading_bundle, out, &error) && fclose(out) == 0, "-T --json");
    ok(strstr(text, "{\"fragment\": \"a\", \"parsed\": [") != NULL && strstr(text, "[\"a $b;\"]") != NULL,
       "tells fragments");
    free(text);
    weir_conf_dump(reading_bundle, fileno(file));
    rewind(file);
    back[fread(back, 1, sizeof(back) - 1, file)] = '\0';
    (void) fclose(file);
    is_str(weir_str_from_z(back), "# configuration file " READING_FILE ":\nhttp { }\n\n"
           "# configuration fragment a:\nserver {\n    toy_text \"a $b;\"$;\n}\n\n"
           "# configuration fragment b:\nserver {\n}\n\n", "so does -T, behind the files");
    weir_generation_unref(generation);
}

static void
test_all_errors(void)
{
    weir_error_t       at[4] = { { .text = "" } };
    weir_conf_errors_t errors = { at, 0, 4 };
    weir_conf_source_t source = { .prefix = WEIR_STR("/usr/weir/"), .file = WEIR_STR(READING_FILE) };
    weir_fragment_t    broken = { .name = WEIR_STR("b"), .tree = WEIR_STR("no tree") };

    begin("http { toy_nix 1; }");
    put("a", "toy_nix 2;");
    weir_bundle_put_fragment(reading_bundle, &broken);
    put("c", "extend none { toy_nix 3; }");
    ok(weir_generation_build_all(reading_bundle, &source, 1, &errors) == NULL && errors.n == 4, "all errors are told");
    ok(at[0].fragment[0] == '\0' && strcmp(at[1].fragment, "a") == 0 && strcmp(at[2].fragment, "b") == 0
       && strcmp(at[3].fragment, "c") == 0, "of each fragment");
    ok(strstr(at[2].text, "the fragment \"b\" cannot be read: ") != NULL, "also of one that is no tree");
}

static void
test_replay(void)
{
    weir_bundle_t      *bundle;
    weir_fragments_t    list;
    weir_generation_t  *generation;
    weir_conf_source_t  source = { .prefix = WEIR_STR("/usr/weir/"), .file = WEIR_STR(READING_FILE) };
    int                 fd;

    begin("http { }");
    put("b", "server { toy_text b; }");
    put("a", "server { toy_text a; }");
    generation = reading_build("");
    weir_generation_unref(generation);
    fd = weir_wire_bundle_to_fd(reading_bundle);
    bundle = weir_wire_bundle_from_fd(fd, &reading_error);
    (void) close(fd);
    list = weir_bundle_fragments(bundle, &arena);
    ok(list.n == 2 && weir_str_eq(list.at[0].name, WEIR_STR("a")), "fragments travel");
    ok(list.at[0].digest == weir_fragment_digest(list.at[0].tree), "with their digests");
    generation = weir_generation_build(bundle, &source, 1, &reading_error);
    is_str(weir_str_from_z(servers(generation)), " a=7 b=7", "and are read in a replay");
    weir_bundle_destroy(bundle);
    weir_generation_unref(generation);
    bundle = weir_bundle_create_replay();
    ok(weir_bundle_add(bundle, WEIR_BUNDLE_FRAGMENT, WEIR_STR("a b"), WEIR_STR("")) == NULL, "not with bad names");
    weir_bundle_destroy(bundle);
}

int
main(void)
{
    weir_arena_init(&arena, 65536);
    test_names();
    test_reading();
    test_extending();
    test_errors();
    test_includes();
    test_odd_ones();
    test_dump();
    test_all_errors();
    test_replay();
    weir_bundle_destroy(reading_bundle);
    weir_arena_fini(&arena);
    return done();
}
