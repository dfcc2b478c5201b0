/* Upstream blocks and addresses become groups, and mistakes in them are told as nginx tells them. */
#define _GNU_SOURCE 1

#include "conf/generation.h"
#include "event/loop.h"
#include "log/log.h"
#include "os/file.h"
#include "tap.h"
#include "tmp.h"
#include "upstream/balancer.h"
#include "upstream/numbers.h"

static weir_bundle_t *bundle;
static weir_error_t   error;

/* The generation of an http block with this text; NULL with `error`. */
static weir_generation_t *
conf_build(const char *text)
{
    const char        *path = tmp_path("weir.conf");
    weir_conf_source_t source = { .prefix = weir_str_from_z(tmp_path("")), .file = weir_str_from_z(path) };
    weir_arena_t       arena;
    weir_str_t         all;

    weir_arena_init(&arena, 4096);
    all = weir_str_printf(&arena, "events { }\nhttp { access_log off;\n%s\n}\n", text);
    if (!weir_file_write(path, all)) {
        abort();
    }
    weir_arena_fini(&arena);
    weir_bundle_destroy(bundle);
    bundle = weir_bundle_create();
    error = (weir_error_t) { .text = "" };
    return weir_generation_build(bundle, &source, 1, &error);
}

static weir_group_conf_t *
conf_for(weir_generation_t *generation, const char *authority, uint16_t default_port)
{
    weir_conf_word_t  word[] = { { .text = WEIR_STR("proxy_pass"), .line = 7 },
                                 { .text = weir_str_from_z(authority), .line = 7 } };
    weir_conf_words_t words = { .at = word, .n = 2, .file = "x.conf", .line = 7 };
    weir_conf_t       cf = { .arena = &generation->arena, .bundle = bundle, .error = &error, .words = &words,
                             .root = generation->root, .block = generation->root };

    error = (weir_error_t) { .text = "" };
    return weir_upstream_for(&cf, generation, weir_str_from_z(authority), default_port);
}

static void
test_block(void)
{
    weir_generation_t *generation = conf_build(
        "upstream Api {\n"
        "    server 127.0.0.1:8080 weight=3 max_fails=0 fail_timeout=5s max_conns=9;\n"
        "    server 127.0.0.2 backup;\n"
        "    server [::1]:81 down;\n"
        "    server unix:/run/api.sock fail_timeout=1m;\n"
        "    keepalive 7;\n"
        "    keepalive_requests 8;\n"
        "    keepalive_time 9m;\n"
        "    keepalive_timeout 10s;\n"
        "}\n");
    const weir_group_conf_t *group = generation != NULL ? weir_upstream_find(generation, WEIR_STR("aPI")) : NULL;

    if (!ok(group != NULL, "a block makes a group, found in any case")) {
        printf("# %s\n", error.text);
        return;
    }
    is_str(group->name, "Api", "with its name");
    is_str(group->host_header, "Api", "which is $proxy_host too");
    is_int(group->n_peers, 4, "four servers");
    ok(!group->peers[2].backup, "three of them primaries");
    is_str(group->peers[0].text, "127.0.0.1:8080", "an address");
    ok(group->peers[0].weight == 3 && group->peers[0].max_fails == 0 && group->peers[0].fail_timeout.ms == 5000
       && group->peers[0].max_conns == 9, "with its parameters");
    is_str(group->peers[1].text, "[::1]:81", "IPv6");
    ok(group->peers[1].down && !group->peers[1].backup, "down");
    is_str(group->peers[2].text, "unix:/run/api.sock", "a unix socket");
    ok(group->peers[2].weight == 1 && group->peers[2].max_fails == 1 && group->peers[2].fail_timeout.ms == 60000
       && group->peers[2].max_conns == 0, "defaults of what is not said");
    is_str(group->peers[3].text, "127.0.0.2:80", "port 80 when there is none, and the backup last");
    is_str(group->peers[3].server, "127.0.0.2", "as it was written");
    ok(group->peers[3].backup, "backup");
    ok(group->keepalive == 7 && group->keepalive_requests == 8 && group->keepalive_time.ms == 540000
       && group->keepalive_timeout.ms == 10000, "the keepalive directives");
    ok(group->balancer == &weir_balancer_round_robin, "round robin");
    weir_generation_unref(generation);
}

static void
test_defaults(void)
{
    weir_generation_t       *generation = conf_build("upstream a { server localhost:81; }");
    const weir_group_conf_t *group = generation != NULL ? weir_upstream_find(generation, WEIR_STR("a")) : NULL;

    if (!ok(group != NULL, "a name is resolved")) {
        printf("# %s\n", error.text);
        return;
    }
    ok(group->n_peers >= 1 && group->n_peers <= 2 && weir_addr_port(&group->peers[0].addr) == 81,
       "each address is a peer");
    is_str(group->peers[0].server, "localhost:81", "which remembers its name");
    ok(group->keepalive == 32 && group->keepalive_requests == 1000 && group->keepalive_time.ms == 3600000
       && group->keepalive_timeout.ms == 60000, "the defaults of keepalive");
    weir_generation_unref(generation);
}

static void
test_mistakes(void)
{
    static const struct { const char *conf, *error; } cases[] = {
        { "upstream a { }", "no servers are inside upstream in " },
        { "upstream a { server 127.0.0.1 backup; }", "no servers in upstream \"a\" in " },
        { "upstream a { server 127.0.0.1; }\nupstream A { server 127.0.0.1; }", "duplicate upstream \"A\" in " },
        { "upstream a { server 127.0.0.1 weight=0; }", "invalid parameter \"weight=0\" in " },
        { "upstream a { server 127.0.0.1 weight=x; }", "invalid parameter \"weight=x\" in " },
        { "upstream a { server 127.0.0.1 weight=-1; }", "invalid parameter \"weight=-1\" in " },
        { "upstream a { server 127.0.0.1 max_fails=; }", "invalid parameter \"max_fails=\" in " },
        { "upstream a { server 127.0.0.1 fail_timeout=1q; }", "invalid parameter \"fail_timeout=1q\" in " },
        { "upstream a { server 127.0.0.1 backups; }", "invalid parameter \"backups\" in " },
        { "upstream a { server 127.0.0.1:0; }", "invalid port" },
        { "upstream a { server 127.0.0.1:99999; }", "invalid port" },
        { "upstream a { server *:80; }", "no host in upstream \"*:80\" in " },
        { "upstream a { server :80; }", "no host in upstream \":80\" in " },
        { "upstream a { server 8080; }", "no host in upstream \"8080\" in " },
        { "upstream a { server unix:; }", "no path in the unix domain socket in upstream \"unix:\" in " },
        { "upstream a { server nowhere.invalid; }", "host not found in upstream \"nowhere.invalid\" in " },
        { "upstream a { server 127.0.0.1; keepalive 1; keepalive 2; }", "\"keepalive\" directive is duplicate in " },
        { "upstream a { server 127.0.0.1; keepalive -1; }", "invalid value \"-1\" in \"keepalive\" directive" },
        { "upstream { server 127.0.0.1; }", "invalid number of arguments in \"upstream\" directive in " },
        { "upstream a b { server 127.0.0.1; }", "invalid number of arguments in \"upstream\" directive in " },
        { "upstream a { server; }", "invalid number of arguments in \"server\" directive in " },
        { "upstream \"\" { server 127.0.0.1; }", "the name of an upstream has 1 to 255 bytes in " },
    };

    for (size_t i = 0; i < weir_countof(cases); i++) {
        weir_generation_t *generation = conf_build(cases[i].conf);

        ok(generation == NULL, cases[i].conf);
        is_str(weir_str(error.text, strnlen(error.text, strlen(cases[i].error))), cases[i].error, "says what is wrong");
        if (generation != NULL) {
            weir_generation_unref(generation);
        }
    }
    ok(conf_build("upstream a {\n server 127.0.0.1;\n server 127.0.0.1 oops;\n}") == NULL
       && error.line == 5, "with its line");
}

static void
test_implied(void)
{
    weir_generation_t *generation = conf_build("upstream backend { server 127.0.0.1:1; }");
    weir_group_conf_t *group, *again;

    if (generation == NULL) {
        ok(false, error.text);
        return;
    }
    ok(conf_for(generation, "backend", 80) == weir_upstream_find(generation, WEIR_STR("backend")),
       "a name of a block is that group");
    ok(conf_for(generation, "BackEnd", 80) == weir_upstream_find(generation, WEIR_STR("backend")),
       "in any case");
    ok(conf_for(generation, "backend:81", 80) == NULL, "it has no port");
    is_str(weir_str_from_z(error.text), "upstream \"backend\" may not have port 81 in x.conf:7", "which is said");

    group = conf_for(generation, "127.0.0.1:9000", 80);
    if (!ok(group != NULL, "an address makes a group")) {
        return;
    }
    is_str(group->name, "127.0.0.1:9000", "of its name");
    is_str(group->host_header, "127.0.0.1:9000", "and $proxy_host");
    ok(group->n_peers == 1 && group->keepalive == 0, "one peer, nothing is kept");
    ok(group->peers[0].max_fails == 1 && group->peers[0].fail_timeout.ms == 10000 && group->peers[0].weight == 1,
       "defaults");
    ok(conf_for(generation, "127.0.0.1:9000", 80) == group, "asked for again it is the same");

    group = conf_for(generation, "127.0.0.1", 80);
    again = conf_for(generation, "127.0.0.1:80", 80);
    ok(group != NULL && group == again, "the usual port may be left out");
    is_str(group->host_header, "127.0.0.1", "and is, in $proxy_host");
    again = conf_for(generation, "127.0.0.1:80", 443);
    ok(again != NULL && again != group, "it depends on the scheme which that is");
    is_str(again->host_header, "127.0.0.1:80", "as $proxy_host does");

    group = conf_for(generation, "[::1]:8080", 80);
    ok(group != NULL && weir_str_eq(group->host_header, WEIR_STR("[::1]:8080")), "IPv6");
    is_str(group->peers[0].text, "[::1]:8080", "its address");
    group = conf_for(generation, "unix:/tmp/a.sock", 80);
    ok(group != NULL && weir_str_eq(group->host_header, WEIR_STR("localhost")), "a unix socket is localhost");
    is_str(group->peers[0].text, "unix:/tmp/a.sock", "its address");
    ok(conf_for(generation, "nowhere.invalid", 80) == NULL, "a name that does not resolve");
    is_str(weir_str_from_z(error.text), "host not found in upstream \"nowhere.invalid\" in x.conf:7", "is told");
    ok(conf_for(generation, "a/b", 80) == NULL && weir_error_is_set(&error), "as is nonsense");
    weir_generation_unref(generation);
}

static void
test_digest(void)
{
    static const char *const variants[] = {
        "upstream a { server 127.0.0.1 weight=2; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2; keepalive 4; }",
        "upstream a { server 127.0.0.1 weight=3; keepalive 3; }",
        "upstream a { server 127.0.0.2 weight=2; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2 max_fails=2; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2 max_conns=2; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2 fail_timeout=2; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2 down; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2; server 127.0.0.1; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2; server 127.0.0.1 backup; keepalive 3; }",
        "upstream a { server 127.0.0.1 weight=2; keepalive 3; keepalive_time 1s; }",
        "upstream a { server 127.0.0.1 weight=2; keepalive 3; keepalive_timeout 1s; }",
        "upstream a { server 127.0.0.1 weight=2; keepalive 3; keepalive_requests 1; }",
    };
    uint64_t digests[weir_countof(variants)];

    for (size_t i = 0; i < weir_countof(variants); i++) {
        weir_generation_t *first = conf_build(variants[i]), *second = conf_build(variants[i]);
        int                same = 0;

        if (first == NULL || second == NULL) {
            ok(false, error.text);
            return;
        }
        digests[i] = weir_upstream_find(first, WEIR_STR("a"))->digest;
        ok(digests[i] == weir_upstream_find(second, WEIR_STR("a"))->digest, "read twice, the digest is the same");
        for (size_t j = 0; j < i; j++) {
            same += digests[i] == digests[j];
        }
        is_int(same, 0, variants[i]);
        weir_generation_unref(first);
        weir_generation_unref(second);
    }
}

static weir_group_t *
running_of(weir_generation_t *generation, const char *name)
{
    return weir_upstream_running(generation, weir_upstream_find(generation, weir_str_from_z(name))->id);
}

static uint32_t
number_of(weir_generation_t *generation, const char *name)
{
    const weir_group_conf_t *group = weir_upstream_find(generation, weir_str_from_z(name));

    return group != NULL && weir_upstream_by_id(generation, group->id) == group ? group->id.number : 0;
}

static void
test_numbers(void)
{
    weir_generation_t       *first = conf_build("upstream a { server 127.0.0.1; } upstream B { server 127.0.0.1; } "
                                                "upstream c { server 127.0.0.1; }");
    weir_generation_t       *second = conf_build("upstream d { server 127.0.0.1; } upstream c { server 127.0.0.9; } "
                                                 "upstream b { server 127.0.0.1; }");
    const weir_group_conf_t *implied = conf_for(second, "127.0.0.1:80", 80), *other = conf_for(second, "127.0.0.1", 443);
    uint32_t                 a = number_of(first, "a"), b = number_of(first, "b"), c = number_of(first, "c");
    uint32_t                 d = number_of(second, "d");

    ok(a != 0 && b != 0 && c != 0 && a != b && b != c && a != c, "each group has a number of its own");
    ok(number_of(second, "c") == c, "the next generation has the same for the name, with other servers in another place");
    ok(number_of(second, "b") == b, "in any case of letters");
    ok(d != a && d != b && d != c, "and no number of a name that a generation still has");
    ok(implied->id.number != 0 && implied->id.number != other->id.number
       && weir_upstream_by_id(second, implied->id) == implied, "an address has one, too");
    is_int(weir_numbers_count(), 6, "names with a number");
    weir_generation_unref(first);
    is_int(weir_numbers_count(), 5, "of which the one goes that nobody has");
    ok(weir_numbers_take(WEIR_STR("fresh"), false) == a, "so that its number is given again");
    weir_numbers_give_back(a);
    weir_generation_unref(second);
    is_int(weir_numbers_count(), 0, "and then all have gone");
}

static weir_generation_t *
replay(weir_error_t *why)
{
    weir_conf_source_t source = { .prefix = weir_str_from_z(tmp_path("")),
                                  .file = weir_str_from_z(tmp_path("weir.conf")) };
    int                fd = weir_wire_bundle_to_fd(bundle);
    weir_bundle_t     *copy = weir_wire_bundle_from_fd(fd, why);
    weir_generation_t *generation = copy != NULL ? weir_generation_build(copy, &source, 2, why) : NULL;

    weir_bundle_destroy(copy);
    (void) close(fd);
    return generation;
}

static void
test_numbers_travel(void)
{
    static const char text[] = "upstream b { server 127.0.0.1; } upstream c { server 127.0.0.1; } "
                               "server { listen 127.0.0.1:1; location / { proxy_pass http://127.0.0.1:2; } }";
    weir_generation_t  *first = conf_build("upstream a { server 127.0.0.1; } upstream b { server 127.0.0.1; }");
    weir_generation_t  *second = conf_build(text), *replayed;
    weir_numbers_said_t said[3];
    weir_str_t          numbers;
    weir_error_t        why = { .text = "" };

    weir_generation_unref(first);                    /* the number of a is free, where the replay is */
    replayed = replay(&why);
    if (!ok(replayed != NULL, "a bundle is replayed")) {
        printf("# %s\n", why.text);
        return;
    }
    ok(number_of(replayed, "b") == number_of(second, "b") && number_of(replayed, "c") == number_of(second, "c"),
       "its groups have the numbers of who recorded it");
    ok(weir_bundle_get(bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), &numbers) && numbers.len == sizeof(said),
       "three of them, with that of the address");
    weir_generation_unref(replayed);
    memcpy(said, numbers.at, sizeof(said));
    said[1].number = said[0].number;
    weir_bundle_put(bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), weir_str((char *) said, sizeof(said)));
    ok(replay(&why) == NULL, "a number that two would have is refused");
    said[1].number = WEIR_NUMBERS_MAX;
    weir_bundle_put(bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), weir_str((char *) said, sizeof(said)));
    ok(replay(&why) == NULL, "so is one that is too high");
    weir_bundle_put(bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), weir_str((char *) said, sizeof(said[0])));
    ok(replay(&why) == NULL, "and a list that is too short");
    weir_bundle_put(bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), weir_str((char *) said, 3));
    ok(replay(&why) == NULL, "or ends inside a number");
    weir_generation_unref(second);
    is_int(weir_numbers_count(), 0, "a replay holds no number here");
}

static void
test_generations(void)
{
    weir_loop_t       *loop = weir_loop_create(4);
    weir_groups_t     *groups = weir_groups_create(loop);
    weir_generation_t *first = conf_build("upstream a { server 127.0.0.1; } upstream b { server 127.0.0.1; } "
                                          "upstream c { server 127.0.0.1; }");
    weir_generation_t *second = conf_build("upstream a { server 127.0.0.1; } upstream b { server 127.0.0.1:2; } "
                                           "upstream c { server 127.0.0.1; keepalive 1; }");
    weir_group_t      *a, *b, *c;

    weir_upstream_start(first, groups);
    a = running_of(first, "a");
    b = running_of(first, "b");
    c = running_of(first, "c");
    ok(a != NULL && b != NULL && a != b, "a generation that starts has running groups");
    weir_upstream_start(second, groups);
    ok(running_of(second, "a") == a, "what did not change is shared with the next one");
    ok(running_of(second, "b") == b
       && weir_group_find_peer(b, WEIR_STR("127.0.0.1:2")) != NULL
       && weir_group_find_peer(b, WEIR_STR("127.0.0.1:80")) == NULL, "so is what has other peers, which has them then");
    ok(running_of(second, "c") != c, "what has other settings is not");
    weir_generation_unref(first);
    is_str(weir_group_conf(a)->name, "a", "a running group does not need the generation it came from");
    weir_groups_destroy(groups);
    weir_generation_unref(second);
    weir_loop_destroy(loop);
}

int
main(void)
{
    test_block();
    test_defaults();
    test_mistakes();
    test_implied();
    test_digest();
    test_numbers();
    test_numbers_travel();
    test_generations();
    weir_bundle_destroy(bundle);
    return done();
}
