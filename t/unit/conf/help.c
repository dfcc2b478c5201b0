/*
 * What the rows say to people: -h, the manual, -T.
 */
#define _GNU_SOURCE 1

#include "reading.h"

#include <sys/mman.h>
#include <unistd.h>

static char text[200000];

static int
open_text(void)
{
    return memfd_create("text", 0);
}

static const char *
read_text(int fd)
{
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

static void
help_says(const char *directive, const char *want, bool found)
{
    int fd = open_text();

    ok(weir_conf_print_help(weir_str_from_z(directive), fd) == found, directive);
    is_str(weir_str_from_z(read_text(fd)), want, "its text");
}

int
main(void)
{
    int fd;

    weir_modules_in_use = reading_modules;
    help_says("toy_time", "Syntax:   toy_time time;\nDefault:  toy_time 60s;\nContext:  http, server, location\n"
              "Limits:   at least 1s, at most 1d\nModule:   toy\n\nHow long.\n", true);
    help_says("toy_choice", "Syntax:   toy_choice red | green | blue;\nDefault:  toy_choice green;\n"
              "Context:  http, server, location\nModule:   toy\n", true);
    help_says("location", "Syntax:   location [modifier] uri { ... }\nContext:  server, location\nModule:   toy\n",
              true);
    help_says("toy_tme", "there is no directive \"toy_tme\", did you mean \"toy_time\"?\n", false);
    help_says("zzzzzzz", "there is no directive \"zzzzzzz\"\n", false);
    help_says("aio",
              "directive \"aio\" of nginx is accepted and has no effect (Weir opens and reads files in its own way.)\n",
              false);
    help_says("perl_set", "directive \"perl_set\" is not supported by this version of weir\n", false);

    fd = open_text();
    weir_conf_print_manual(fd);
    (void) read_text(fd);
    ok(strncmp(text, "# Process\n\n", 11) == 0 && strstr(text, "\n## Module core\n\n### include\n\n") != NULL,
       "the manual begins with the core, on its page");
    ok(strstr(text, "## toy_time\n\nHow long.\n\n- Syntax: `toy_time time;`\n- Default: `toy_time 60s;`\n"
                    "- Context: http, server, location\n- Limits: at least 1s, at most 1d\n") != NULL,
                    "every row is there");
    ok(strstr(text, "## Variables\n\n- `$toy_name`: The name of the toy.\n- `$toy_part_NAME`\n") != NULL,
       "and every variable");
    weir_conf_print_manual(-1);
    ok(true, "nobody reads it");

    reading_begin();
    reading_file(READING_FILE, "include a;\n");
    reading_file("/etc/weir/a", "daemon on;");
    (void) weir_bundle_add(reading_bundle, WEIR_BUNDLE_FILE, WEIR_STR("/etc/weir/key"), WEIR_STR("secret"));
    fd = open_text();
    weir_conf_dump(reading_bundle, fd);
    is_str(weir_str_from_z(read_text(fd)), "# configuration file /etc/weir/weir.conf:\ninclude a;\n\n"
                                           "# configuration file /etc/weir/a:\ndaemon on;\n", "-T");
    reading_done(NULL);
    return done();
}
