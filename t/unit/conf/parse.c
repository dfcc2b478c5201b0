/*
 * Reading blocks and directives: what a person is told about each mistake, and include.
 */
#include "reading.h"

#define AT " in /etc/weir/weir.conf:"

static void
test_places(void)
{
    reading_refuses("toy_flga on;", "unknown directive \"toy_flga\", did you mean \"toy_flag\"?" AT "1");
    reading_refuses("deamon on;", "unknown directive \"deamon\", did you mean \"daemon\"?" AT "1");
    reading_refuses("zzzzzzzzzz on;", "unknown directive \"zzzzzzzzzz\"" AT "1");
    reading_refuses("\"\" on;", "unknown directive \"\"" AT "1");
    reading_refuses("http {\n gzip on;\n}", "directive \"gzip\" is not supported by this version of weir" AT "2");
    reading_refuses("\ntoy_flag on;",
                    "\"toy_flag\" directive is not allowed here" AT "2 (allowed in http, server, location)");
    reading_refuses("http { daemon on; }", "\"daemon\" directive is not allowed here" AT "1 (allowed in main)");
    reading_refuses("worker_connections 5;", "\"worker_connections\" directive is not allowed here" AT
                    "1 (allowed in events)");
}

static void
test_shape(void)
{
    reading_refuses("http;", "directive \"http\" has no opening \"{\"" AT "1");
    reading_refuses("http { toy_flag on { } }", "directive \"toy_flag\" is not terminated by \";\"" AT "1");
    reading_refuses("http { toy_flag; }", "invalid number of arguments in \"toy_flag\" directive" AT
                    "1 (usage: toy_flag on | off;)");
    reading_refuses("http { toy_flag on off; }", "invalid number of arguments in \"toy_flag\" directive" AT
                    "1 (usage: toy_flag on | off;)");
    reading_refuses("http { server { location { } } }", "invalid number of arguments in \"location\" directive" AT
                    "1 (usage: location [modifier] uri { ... })");
    reading_refuses("http x { }", "invalid number of arguments in \"http\" directive" AT "1 (usage: http { ... })");
    reading_refuses("daemon on;\ndaemon off;", "\"daemon\" directive is duplicate" AT "2");
    reading_refuses("http {}\nhttp {}", "\"http\" directive is duplicate" AT "2");
    reading_refuses("http {\n server {\n", "unexpected end of file, expecting \"}\" of \"server\" in line 2" AT "3");
    reading_refuses("http { } }", "unexpected \"}\"" AT "1");
    reading_refuses("daemon on", "unexpected end of file, expecting \";\" or \"}\"" AT "1");
}

static void
test_values(void)
{
    reading_refuses("daemon oof;", "invalid value \"oof\" in \"daemon\" directive: expected on or off" AT "1");
    reading_refuses("http { toy_time 5x; }",
                    "invalid value \"5x\" in \"toy_time\" directive: expected a time such as 500ms, "
                    "10s or \"1h 30m\"" AT "1");
    reading_refuses("http { toy_time 10ms; }",
                    "invalid value \"10ms\" in \"toy_time\" directive: must be at least 1s" AT "1");
    reading_refuses("http { toy_time\n 2d; }",
                    "invalid value \"2d\" in \"toy_time\" directive: must be at most 1d" AT "2");
    reading_refuses("http { toy_size 2m; }",
                    "invalid value \"2m\" in \"toy_size\" directive: must be at most 1m" AT "1");
    reading_refuses("http { toy_number -1; }",
                    "invalid value \"-1\" in \"toy_number\" directive: expected a number up to "
                    "4294967295" AT "1");
    reading_refuses("http { toy_choice grean; }",
                    "invalid value \"grean\" in \"toy_choice\" directive: expected one of red, "
                    "green, blue; did you mean \"green\"?" AT "1");
    reading_refuses("http { toy_mask red pink; }",
                    "invalid value \"pink\" in \"toy_mask\" directive: expected one of red, "
                    "green, blue" AT "1");
    reading_refuses("http { toy_bufs 0 8k; }",
                    "invalid value \"0\" in \"toy_bufs\" directive: expected a number of buffers" AT
                    "1");
    reading_refuses("http { toy_template $toy_nam; }",
                    "unknown \"toy_nam\" variable, did you mean \"toy_name\"?" AT "1");
    reading_refuses("http { toy_template ${x; }", "the closing bracket in \"x\" variable is missing" AT "1");
    reading_refuses("http { toy_lines { a b; c; } }", "a line needs two words" AT "1");
    reading_refuses("http { toy_lines { a {} } }", "unexpected \"{\" inside \"toy_lines\"" AT "1");
    reading_refuses("http { server { toy_number 666; } }", "a bad number" AT "1");
}

static void
test_include(void)
{
    weir_generation_t *generation;

    reading_begin();
    reading_file(READING_FILE,
                 "include main.inc; http { server { include more/toy.inc; toy_lines { include lines; } } }");
    reading_file("/etc/weir/main.inc", "daemon off;\nworker_processes 3;\n");
    reading_file("/etc/weir/more/toy.inc", "location / { }");
    reading_file("/etc/weir/lines", "a 1;\nb 2;");
    generation = reading_build("");
    if (ok(generation != NULL, "files are read where they are included")) {
        is_int(weir_core_conf(generation)->worker_processes, 3, "in main");
        is_int(((const toy_conf_t *) weir_conf_of(generation->root->first->first, TOY))->lines.n, 2, "in data");
        is_str(generation->root->first->first->first->words.at[1].text, "/", "in a server");
    }
    reading_done(generation);

    reading_begin();
    reading_file(READING_FILE, "\ninclude a.inc;");
    reading_file("/etc/weir/a.inc", "daemon on;\nfoo;");
    ok(reading_build("") == NULL, "an error in an included file");
    is_str(weir_str_from_z(reading_error.text), "unknown directive \"foo\" in /etc/weir/a.inc:2", "says which");
    reading_done(NULL);

    reading_begin();
    reading_file(READING_FILE, "include a.inc;");
    reading_file("/etc/weir/a.inc", "include b.inc;");
    reading_file("/etc/weir/b.inc", "\ninclude a.inc;");
    ok(reading_build("") == NULL, "a circle of files");
    is_str(weir_str_from_z(reading_error.text), "the file \"/etc/weir/a.inc\" includes itself in /etc/weir/b.inc:2",
           "says so");
    reading_done(NULL);

    reading_refuses("include /nowhere/none.conf;",
                    "open() \"/nowhere/none.conf\" failed (2: No such file or directory)" AT "1");
    generation = reading("include /nowhere/*.conf;");
    ok(generation != NULL, "a mask may match nothing");
    reading_done(generation);
}

static void
test_depth(void)
{
    weir_arena_t arena;
    weir_str_t   text = WEIR_STR("http { server { ");
    char         name[32];
    int          i;

    weir_arena_init(&arena, 4096);
    for (i = 0; i < 63; i++) {
        text = weir_str_printf(&arena, "%.*s location / {", WEIR_STR_ARG(text));
    }
    reading_refuses(text.at, "too many blocks inside one another: more than 64" AT "1");
    weir_arena_fini(&arena);

    reading_begin();
    reading_file(READING_FILE, "include 1;");
    for (i = 1; i < 20; i++) {
        (void) snprintf(name, sizeof(name), "include %d;", i + 1);
        text = weir_str_dup(&reading_bundle->arena, weir_str_from_z(name));
        (void) snprintf(name, sizeof(name), "/etc/weir/%d", i);
        reading_file(name, text.at);
    }
    ok(reading_build("") == NULL, "many files inside one another");
    is_str(weir_str_from_z(reading_error.text), "too many files inside one another: more than 16 in /etc/weir/15:1", "bound");
    reading_done(NULL);
}

static void
test_command_line(void)
{
    weir_generation_t *generation;

    reading_begin();
    reading_file(READING_FILE, "");
    generation = reading_build("daemon off; worker_processes 2;");
    ok(generation != NULL && !weir_core_conf(generation)->daemon.on, "-g is read in main");
    reading_done(generation);

    reading_begin();
    reading_file(READING_FILE, "");
    ok(reading_build("daemon off") == NULL, "-g without its semicolon");
    is_str(weir_str_from_z(reading_error.text), "unexpected end of parameter, expecting \";\" in command line", "nginx's words");
    reading_done(NULL);

    reading_begin();
    reading_file(READING_FILE, "\ndaemon on;");
    ok(reading_build("daemon off;") == NULL, "-g and the file");
    is_str(weir_str_from_z(reading_error.text), "\"daemon\" directive is duplicate" AT "2", "are one configuration");
    reading_done(NULL);
}

int
main(void)
{
    test_places();
    test_shape();
    test_values();
    test_include();
    test_depth();
    test_command_line();
    return done();
}
