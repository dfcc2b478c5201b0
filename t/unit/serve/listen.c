#define _GNU_SOURCE 1

/*
 * listen.c - the words of `listen` become addresses and what they are asked to be; an area has words of its own.
 */
#include "serve/listen.h"

#include "conf/core.h"
#include "os/file.h"
#include "tap.h"
#include "tmp.h"

#include <string.h>

enum { OWN_FIRST = 1 << 0, OWN_SECOND = 1 << 1 };

typedef struct { weir_listen_entries_t listens; } own_conf_t;

static const weir_listen_word_t own_words[] = {
    { "first", OWN_FIRST }, { "eldest", OWN_FIRST }, { "second", OWN_SECOND }, { NULL, 0 },
};
static const weir_listen_syntax_t own_syntax = { .words = own_words, .port = 7000 };

static bool
own_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    return weir_listen_parse(cf, words, &own_syntax, field);
}

static const weir_conf_type_t own_type = {
    .name = "address", .size = sizeof(weir_listen_entries_t), .min_args = 1, .max_args = 20, .repeats = true,
    .parse = own_parse,
};

static const weir_directive_t own_directives[] = {
    WEIR_DIRECTIVE_OF(own_conf_t, listens, "listen", &own_type, .where = WEIR_IN_MAIN, .help = "For the test."),
    WEIR_DIRECTIVES_END
};

static const weir_module_t own = { .name = "own", .conf_size = sizeof(own_conf_t), .directives = own_directives };

static weir_generation_t *generation;
static weir_error_t       error;

/* The entries of a configuration; none, and `error`, when it is wrong. */
static weir_listen_entries_t
entries(const char *text)
{
    static const weir_module_t *const table[] = { &weir_core, &own, NULL };
    const char        *path = tmp_path("weir.conf");
    weir_conf_source_t source = { .prefix = weir_str_from_z(tmp_path("")), .file = weir_str_from_z(path) };
    weir_bundle_t     *bundle = weir_bundle_create();

    if (generation != NULL) {
        weir_generation_unref(generation);
    }
    error = (weir_error_t) { .text = "" };
    weir_modules_in_use = table;
    weir_assert(weir_file_write(path, weir_str_from_z(text)));
    generation = weir_generation_build(bundle, &source, 1, &error);
    weir_bundle_destroy(bundle);
    return generation == NULL ? (weir_listen_entries_t) { NULL, 0 }
                              : ((own_conf_t *) weir_conf_of(generation->root, 1))->listens;
}

static void
is_addr(const weir_listen_entry_t *entry, const char *want)
{
    char text[WEIR_ADDR_TEXT];

    is_str(weir_str(text, weir_addr_text(&entry->addr, text)), want, want);
}

static void
test_addresses(void)
{
    weir_listen_entries_t list = entries(
        "listen 81; listen 127.0.0.1; listen [::1]:82; listen unix:/run/x; listen *:83-85; listen *:86;\n");

    if (!is_int(list.n, 8, "each address is an entry")) {
        printf("# %s\n", error.text);
        return;
    }
    is_addr(&list.at[0], "0.0.0.0:81");
    is_addr(&list.at[1], "127.0.0.1:7000");
    is_addr(&list.at[2], "[::1]:82");
    is_addr(&list.at[3], "unix:/run/x");
    is_addr(&list.at[4], "0.0.0.0:83");
    is_addr(&list.at[6], "0.0.0.0:85");
    is_addr(&list.at[7], "0.0.0.0:86");
    ok(list.at[0].options.reuse_port && !list.at[3].options.reuse_port, "a socket for each worker, but not of a path");
    ok(!list.at[0].has_options && list.at[0].options.ipv6_only, "without options they are those of nginx");
}

static void
test_options(void)
{
    weir_listen_entries_t list = entries(
        "listen 81 backlog=9 rcvbuf=8k sndbuf=1m fastopen=3 deferred so_keepalive=30m:10s:5 ipv6only=off reuseport\n"
        "    bind;\n"
        "listen 82 ssl proxy_protocol eldest; listen 83 second so_keepalive=off;\n");
    const weir_listen_options_t *o;

    if (!is_int(list.n, 3, "options are read")) {
        printf("# %s\n", error.text);
        return;
    }
    o = &list.at[0].options;
    ok(list.at[0].has_options && o->backlog == 9 && o->rcvbuf == 8192 && o->sndbuf == 1 << 20 && o->fastopen == 3
       && o->defer_accept_s == 1 && !o->ipv6_only, "those of the socket");
    ok(o->keepalive && o->keep_idle == 1800 && o->keep_interval == 10 && o->keep_count == 5, "and of its keepalive");
    ok(list.at[1].is_ssl && list.at[1].is_proxied && !list.at[1].has_options,
       "what stands before the protocol is no option of the socket");
    ok(list.at[1].flags == OWN_FIRST && list.at[2].flags == OWN_SECOND, "nor are the area's own words");
}

static void
test_wrong(void)
{
    static const char *const wrong[][2] = {
        { "listen 0;", "invalid port" }, { "listen 70000;", "invalid port" }, { "listen 90-80;", "invalid port range" },
        { "listen unix:;", "no path in the unix domain socket" }, { "listen 81 backlog=0;", "\"backlog=0\"" },
        { "listen 81 so_keepalive=;", "\"so_keepalive=\"" }, { "listen 81 ipv6only=maybe;", "\"ipv6only=maybe\"" },
        { "listen 81 third;", "\"third\" of the \"listen\" directive: expected first, second, ssl, proxy_prot" },
        { "listen 81 ssl=on;", "\"ssl=on\"" },
    };

    for (size_t i = 0; i < weir_countof(wrong); i++) {
        if (!ok(entries(wrong[i][0]).n == 0 && strstr(error.text, wrong[i][1]) != NULL, wrong[i][0])) {
            printf("# %s\n", error.text);
        }
    }
}

int
main(void)
{
    static weir_log_sink_t quiet = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = 2 };

    weir_log_use(&quiet);
    test_addresses();
    test_options();
    test_wrong();
    if (generation != NULL) {
        weir_generation_unref(generation);
    }
    return done();
}
