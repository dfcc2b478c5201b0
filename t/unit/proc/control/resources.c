/*
 * resources.c - which resource a request is of, and what of it becomes which word of a command.
 */
#include "proc/control/resources.h"

#include "tap.h"


static weir_arena_t arena;

static const char *
command_of(weir_method_t method, const char *path)
{
    weir_resource_match_t match;

    if (!weir_resource_find(&match, method, weir_str_from_z(path), &arena)) {
        return "unreadable";
    }
    return match.row == NULL ? match.methods != 0 ? "other method" : "none"
           : match.row->command != NULL ? match.row->command : "the rows";
}

static void
test_paths(void)
{
    static const struct { weir_method_t method; const char *path, *command; } cases[] = {
        { WEIR_METHOD_GET, "/v1", "the rows" }, { WEIR_METHOD_GET, "/v1/", "the rows" },
        { WEIR_METHOD_HEAD, "/v1", "the rows" }, { WEIR_METHOD_POST, "/v1", "other method" },
        { WEIR_METHOD_GET, "/", "none" }, { WEIR_METHOD_GET, "", "none" }, { WEIR_METHOD_GET, "v1", "none" },
        { WEIR_METHOD_GET, "/v1x", "none" }, { WEIR_METHOD_GET, "//v1", "none" }, { WEIR_METHOD_GET, "/v1//", "none" },
        { WEIR_METHOD_GET, "/v1/upstreams", "upstream.list" }, { WEIR_METHOD_GET, "/v1/upstreams/a", "upstream.list" },
        { WEIR_METHOD_GET, "/v1/upstreams//servers", "none" },
        { WEIR_METHOD_POST, "/v1/upstreams/a/servers", "upstream.add" },
        { WEIR_METHOD_PATCH, "/v1/upstreams/a/servers/1.2.3.4:5", "upstream.set" },
        { WEIR_METHOD_DELETE, "/v1/upstreams/a/servers/unix:%2Frun%2Fx", "upstream.remove" },
        { WEIR_METHOD_DELETE, "/v1/upstreams/a/servers/a/b", "none" },
        { WEIR_METHOD_GET, "/v1/upstreams/%", "unreadable" }, { WEIR_METHOD_GET, "/v1/upstreams/%4", "unreadable" },
        { WEIR_METHOD_GET, "/v1/upstreams/%4g", "unreadable" }, { WEIR_METHOD_GET, "/v1/upstreams/%00", "unreadable" },
        { WEIR_METHOD_GET, "/v1/upstreams/a%41", "upstream.list" },
    };

    for (size_t i = 0; i < weir_countof(cases); i++) {
        is_str(weir_str_from_z(command_of(cases[i].method, cases[i].path)), cases[i].command, cases[i].path);
    }
}

/* The words as a text; or why there are none. */
static const char *
words(weir_method_t method, const char *path, const char *query, const char *body_text)
{
    json_t               *body = body_text != NULL ? json_loads(body_text, 0, NULL) : NULL, *said;
    weir_resource_match_t match;
    const char           *why = "?";
    char                 *text;
    weir_str_t            kept;

    weir_assert(weir_resource_find(&match, method, weir_str_from_z(path), &arena) && match.row != NULL);
    said = weir_resource_words(&match, body, weir_str_from_z(query), &arena, &why);
    json_decref(body);
    if (said == NULL) {
        return why;
    }
    text = json_dumps(said, JSON_COMPACT | JSON_SORT_KEYS);
    kept = weir_str_dup(&arena, weir_str(text, strlen(text) + 1));
    free(text);
    json_decref(said);
    return kept.at;
}

static void
test_words(void)
{
    is_str(weir_str_from_z(words(WEIR_METHOD_DELETE, "/v1/upstreams/a%20b/servers/unix:%2Fx", "forget", NULL)),
           "{\"do\":\"upstream.remove\",\"forget\":true,\"group\":\"a b\",\"server\":\"unix:/x\"}",
           "what the path and the query say");
    is_str(weir_str_from_z(words(WEIR_METHOD_PATCH, "/v1/upstreams/a/servers/b", "", "{\"x\":[1,{\"$\":\";}\"}]}")),
           "{\"do\":\"upstream.set\",\"group\":\"a\",\"server\":\"b\",\"x\":[1,{\"$\":\";}\"}]}", "and the body, as it is");
    is_str(weir_str_from_z(words(WEIR_METHOD_PATCH, "/v1/upstreams/a/servers/b", "", "{\"server\":\"c\"}")),
           "\"server\" is given twice", "the body says nothing that the path says");
    is_str(weir_str_from_z(words(WEIR_METHOD_PATCH, "/v1/upstreams/a/servers/b", "", "{\"do\":\"c\"}")),
           "\"do\" is given twice", "nor which command it is");
    is_str(weir_str_from_z(words(WEIR_METHOD_PATCH, "/v1/upstreams/a/servers/b", "", "[]")),
           "the body is to be a JSON object", "and is an object");
    is_str(weir_str_from_z(words(WEIR_METHOD_DELETE, "/v1/upstreams/a/servers/b", "forget=false&", NULL)),
           "{\"do\":\"upstream.remove\",\"forget\":false,\"group\":\"a\",\"server\":\"b\"}", "false is false");
    is_str(weir_str_from_z(words(WEIR_METHOD_DELETE, "/v1/upstreams/a/servers/b", "forget&forget", NULL)),
           "\"forget\" is given twice", "a name stands once");
    is_str(weir_str_from_z(words(WEIR_METHOD_DELETE, "/v1/upstreams/a/servers/b", "do=x", NULL)),
           "\"do\" is not for this resource", "and is one of the resource's");
    is_str(weir_str_from_z(words(WEIR_METHOD_DELETE, "/v1/upstreams/a/servers/b", "forget=%f", NULL)),
           "the query cannot be read", "what is no %XX is told");
    is_str(weir_str_from_z(words(WEIR_METHOD_DELETE, "/v1/upstreams/%ff/servers/b", "", NULL)),
           "\"group\" is no UTF-8", "so is what is no UTF-8");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    test_paths();
    test_words();
    weir_arena_fini(&arena);
    return done();
}
