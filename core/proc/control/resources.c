/*
 * resources.c - see resources.h.
 */
#include "proc/control/resources.h"

#include "base/buf.h"

#include <string.h>

#define RESOURCES_WORD 4096                  /* bytes of a path's or query's word */

#define GET(path_, command_, ...)   { .method = WEIR_METHOD_GET, .path = path_, .command = command_, __VA_ARGS__ }
#define BODY(method_, path_, command_, ...)                                                                  \
    { .method = WEIR_METHOD_##method_, .path = path_, .command = command_, .takes_body = true, __VA_ARGS__ }
#define DELETE(path_, command_, ...) { .method = WEIR_METHOD_DELETE, .path = path_, .command = command_, __VA_ARGS__ }

static const weir_resource_t resources_rows[] = {
    GET("/v1", NULL, .help = "Lists the resources."),
    GET("/v1/upstreams", "upstream.list", .is_long = true,
        .help = "Lists the groups, how many servers each has and how many of these are changed."),
    GET("/v1/upstreams/{group}", "upstream.list", .is_long = true,
        .help = "Lists the servers of a group as all workers know them."),
    GET("/v1/upstreams/{group}/servers", "upstream.list", .is_long = true, .help = "The same."),
    BODY(POST, "/v1/upstreams/{group}/servers", "upstream.add", .located = "server",
         .help = "Adds a server; what is not given is as the directive `server` has it.",
         .body = "{\"server\":\"10.0.0.1:80\",\"weight\":2}"),
    BODY(PATCH, "/v1/upstreams/{group}/servers/{server}", "upstream.set",
         .help = "Changes what is given of a server: `weight`, `max_fails`, `fail_timeout`, `max_conns`, `slow_start`, "
                 "`down`, `drain`.",
         .body = "{\"down\":true}"),
    DELETE("/v1/upstreams/{group}/servers/{server}", "upstream.remove", .query = "forget",
           .help = "Removes a server; with `?forget` what was changed of it is forgotten instead."),
    GET("/v1/zones", "zones.list", .is_long = true,
        .help = "Lists what lies in shared memory: kind, name, size, and what each kind tells of itself."),
    GET("/v1/fragments", "fragments.list", .is_long = true,
        .help = "Lists the fragments of the configuration: state, digest, since which generation each is live, what of "
                "it was refused and why."),
    BODY(POST, "/v1/fragments", "fragments.apply",
         .help = "Puts and removes fragments, all of it or nothing; answered when all workers serve it.",
         .body = "{\"put\":[{\"name\":\"a\",\"tree\":[]}],\"remove\":[{\"name\":\"b\"}]}"),
    GET("/v1/fragments/{name*}", "fragments.get", .is_long = true, .help = "Tells one fragment, with its tree."),
    BODY(PUT, "/v1/fragments/{name*}", "fragments.put", .member = "tree", .query = "if_digest",
         .help = "Puts a fragment, the JSON notation of a configuration; with `?if_digest=DIGEST` only in the place of "
                 "that version, with `?if_digest=` only where there is none.",
         .body = "[{\"directive\":\"upstream\",\"args\":[\"api\"],\"block\":[{\"directive\":\"server\",\"args\":"
                 "[\"10.0.0.1\"]}]}]"),
    DELETE("/v1/fragments/{name*}", "fragments.remove", .query = "if_digest",
           .help = "Removes a fragment; one that others need is refused."),
};

/* -- paths -- */

static int
resources_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* false: a bad %XX, a NUL, or too long. */
static bool
resources_decode(weir_str_t raw, bool plus_is_space, weir_arena_t *arena, weir_str_t *decoded)
{
    char  *at;
    size_t len = 0;

    if (raw.len > RESOURCES_WORD) {
        return false;
    }
    at = weir_alloc_bytes(arena, raw.len + 1);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i];

        if (c == '%') {
            int high = raw.len - i > 2 ? resources_digit(raw.at[i + 1]) : -1;
            int low = raw.len - i > 2 ? resources_digit(raw.at[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            c = (char) (high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0') {
            return false;
        }
        at[len++] = c;
    }
    at[len] = '\0';
    *decoded = weir_str(at, len);
    return true;
}

static weir_str_t
resources_segment(weir_str_t *path)
{
    weir_str_t  segment;
    const char *slash = memchr(path->at, '/', path->len);

    segment = weir_str(path->at, slash != NULL ? (size_t) (slash - path->at) : path->len);
    *path = weir_str_skip(*path, segment.len + (slash != NULL));
    return segment;
}

/* Is the raw path the row's?  Names and raw values are noted. */
static bool
resources_match(weir_resource_match_t *match, const char *row, weir_str_t path)
{
    weir_str_t pattern = weir_str_from_z(row);

    match->n = 0;
    while (pattern.len != 0) {
        weir_str_t want = resources_segment(&pattern), is;

        if (path.len == 0 || path.at == NULL) {
            return false;
        }
        if (want.len > 1 && want.at[0] == '{' && want.at[want.len - 2] == '*') {
            match->names[match->n] = weir_str(want.at + 1, want.len - 3);
            match->values[match->n++] = path;
            return true;
        }
        is = resources_segment(&path);
        if (want.len > 1 && want.at[0] == '{') {
            if (is.len == 0) {
                return false;
            }
            weir_assert(match->n < WEIR_RESOURCE_NAMES);
            match->names[match->n] = weir_str(want.at + 1, want.len - 2);
            match->values[match->n++] = is;
        } else if (!weir_str_eq(want, is)) {
            return false;
        }
    }
    return path.len == 0;
}

bool
weir_resource_find(weir_resource_match_t *match, weir_method_t method, weir_str_t path, weir_arena_t *arena)
{
    weir_resource_match_t at;

    *match = (weir_resource_match_t) { .row = NULL };
    method = method == WEIR_METHOD_HEAD ? WEIR_METHOD_GET : method;
    if (path.len > 1 && path.at[path.len - 1] == '/') {
        path.len--;
    }
    if (path.len == 0 || path.at[0] != '/' || path.at[path.len - 1] == '/') {
        return true;
    }
    path = weir_str_skip(path, 1);
    for (size_t i = 0; i < weir_countof(resources_rows); i++) {
        if (!resources_match(&at, resources_rows[i].path + 1, path)) {
            continue;
        }
        match->methods |= UINT32_C(1) << resources_rows[i].method;
        if (match->row == NULL && resources_rows[i].method == method) {
            uint32_t methods = match->methods;

            *match = at;
            match->row = &resources_rows[i];
            match->methods = methods;
        }
    }
    for (size_t i = 0; match->row != NULL && i < match->n; i++) {
        if (!resources_decode(match->values[i], false, arena, &match->values[i])) {
            return false;
        }
    }
    return true;
}

weir_str_t
weir_resource_allow(uint32_t methods, weir_arena_t *arena)
{
    static const struct { weir_method_t method; const char *name; } names[] = {
        { WEIR_METHOD_GET, "GET, HEAD" }, { WEIR_METHOD_POST, "POST" }, { WEIR_METHOD_PUT, "PUT" },
        { WEIR_METHOD_PATCH, "PATCH" }, { WEIR_METHOD_DELETE, "DELETE" },
    };
    weir_str_t allow = WEIR_STR("");

    for (size_t i = 0; i < weir_countof(names); i++) {
        if ((methods >> names[i].method & 1) != 0) {
            allow = weir_str_printf(arena, "%.*s%s%s", WEIR_STR_ARG(allow), allow.len != 0 ? ", " : "", names[i].name);
        }
    }
    return allow;
}

/* -- words -- */

/* false: the body says it, too; or it is no UTF-8. */
static bool
resources_put(json_t *words, weir_str_t name, json_t *value, weir_arena_t *arena, const char **why)
{
    const char *key = weir_str_to_z(arena, name);

    if (value == NULL) {
        *why = weir_str_printf(arena, "\"%s\" is no UTF-8", key).at;
        return false;
    }
    if (json_object_get(words, key) != NULL) {
        json_decref(value);
        *why = weir_str_printf(arena, "\"%s\" is given twice", key).at;
        return false;
    }
    return json_object_set_new(words, key, value) == 0;
}

/* The name's place among those that the row has; *is_number as the # behind it says. */
static bool
resources_takes(const char *names, weir_str_t name, bool *is_number)
{
    weir_str_t left = weir_str_from_z(names != NULL ? names : ""), word;

    while (left.len != 0) {
        (void) weir_str_cut(left, ' ', &word, &left);
        *is_number = word.len != 0 && word.at[word.len - 1] == '#';
        word.len -= *is_number;
        if (weir_str_eq(word, name)) {
            return true;
        }
    }
    return false;
}

static bool
resources_put_query(const weir_resource_t *row, json_t *words, weir_str_t query, weir_arena_t *arena,
                    const char **why)
{
    while (query.len != 0) {
        weir_str_t pair, name, value;
        bool       has_value, is_number;
        uint64_t   number;
        json_t    *word;

        (void) weir_str_cut(query, '&', &pair, &query);
        has_value = weir_str_cut(pair, '=', &name, &value);
        if (pair.len == 0) {
            continue;
        }
        if (!resources_takes(row->query, name, &is_number)) {
            *why = weir_str_printf(arena, "\"%.*s\" is not for this resource", (int) weir_min(name.len, (size_t) 40),
                                   name.at).at;
            return false;
        }
        if (has_value && !resources_decode(value, true, arena, &value)) {
            *why = "the query cannot be read";
            return false;
        }
        if (!has_value || weir_str_eq(value, WEIR_STR("true"))) {
            word = json_true();
        } else if (weir_str_eq(value, WEIR_STR("false"))) {
            word = json_false();
        } else if (is_number && weir_str_to_u64(value, &number) && number <= INT64_MAX) {
            word = json_integer((json_int_t) number);
        } else {
            word = json_stringn(value.at, value.len);
        }
        if (!resources_put(words, name, word, arena, why)) {
            return false;
        }
    }
    return true;
}

json_t *
weir_resource_words(const weir_resource_match_t *match, json_t *body, weir_str_t query, weir_arena_t *arena,
                    const char **why)
{
    const weir_resource_t *row = match->row;
    json_t                *words;
    bool                   good = true;

    if (row->member == NULL && body != NULL && !json_is_object(body)) {
        *why = "the body is to be a JSON object";
        return NULL;
    }
    words = row->member == NULL && body != NULL ? json_copy(body) : json_object();
    if (words == NULL) {
        *why = "there is no memory";
        return NULL;
    }
    if (row->member != NULL && body != NULL) {
        good = json_object_set(words, row->member, body) == 0;
    }
    good = good && resources_put(words, WEIR_STR("do"), json_string(row->command), arena, why);
    for (size_t i = 0; good && i < match->n; i++) {
        good = resources_put(words, match->names[i], json_stringn(match->values[i].at, match->values[i].len), arena,
                             why);
    }
    good = good && resources_put_query(row, words, query, arena, why);
    if (!good) {
        json_decref(words);
        return NULL;
    }
    return words;
}

/* -- the rows themselves -- */

json_t *
weir_resources_tell(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < weir_countof(resources_rows); i++) {
        const weir_resource_t *row = &resources_rows[i];
        weir_arena_t           arena;
        json_t                *one;
        weir_str_t             name;

        weir_arena_init(&arena, 256);
        name = row->method == WEIR_METHOD_GET ? WEIR_STR("GET")
               : weir_resource_allow(UINT32_C(1) << row->method, &arena);
        one = json_pack("{s:s#, s:s, s:s}", "method", name.at, (int) name.len, "path", row->path, "help", row->help);
        if (row->query != NULL) {
            (void) json_object_set_new(one, "query", json_string(row->query));
        }
        if (row->body != NULL) {
            (void) json_object_set_new(one, "body", json_string(row->body));
        }
        (void) json_array_append_new(list, one);
        weir_arena_fini(&arena);
    }
    return json_pack("{s:b, s:o}", "ok", 1, "resources", list);
}
