/*
 * command.c - the command line is read as nginx reads its own.
 */
#include "tool/command.h"

#include "tap.h"

#include <signal.h>

static weir_command_t command;
static weir_error_t   error;

static bool
parse(const char *a, const char *b, const char *c)
{
    const char *argv[] = { "weir", a, b, c, NULL };

    error = (weir_error_t) { 0 };
    return weir_command_parse(&command, (char *const *) (uintptr_t) argv, &error);
}

int
main(void)
{
    ok(parse(NULL, NULL, NULL) && !command.test && command.file == NULL, "no option is fine");
    ok(parse("-tq", "-c", "x.conf") && command.test && command.quiet, "flags may stand together");
    is_str(weir_str_from_z(command.file), "x.conf", "an argument may be the next word");
    ok(parse("-Tcx.conf", NULL, NULL) && command.test && command.dump, "-T tests too");
    is_str(weir_str_from_z(command.file), "x.conf", "or the rest of the word");
    ok(parse("-V", NULL, NULL) && command.version && command.build, "-V has all of -v");
    ok(parse("-h", NULL, NULL) && command.help && command.topic == NULL, "-h alone is help");
    ok(parse("-h", "listen", "-q") && command.quiet, "-h has a topic");
    is_str(weir_str_from_z(command.topic), "listen", "the next word");
    ok(parse("-h", "-q", NULL) && command.topic == NULL, "unless it is an option");
    ok(parse("-?", NULL, NULL) && command.help, "-? is help");
    ok(parse("-s", "reload", NULL) && weir_command_signal(command.signal) == SIGHUP, "-s reload");
    is_int(weir_command_signal("stop"), SIGTERM, "-s stop");
    is_int(weir_command_signal("quit"), SIGQUIT, "-s quit");
    is_int(weir_command_signal("reopen"), SIGUSR1, "-s reopen");
    ok(parse("-p", "/srv", "-estderr") && strcmp(command.error_log, "stderr") == 0, "-p and -e");
    ok(parse("-g", "daemon off;", NULL) && strcmp(command.directives, "daemon off;") == 0, "-g");

    ok(!parse("-s", "up", NULL), "an unknown signal is refused");
    is_str(weir_str_from_z(error.text), "invalid option: \"-s up\"", "with nginx's words");
    ok(!parse("-x", NULL, NULL), "an unknown option is refused");
    is_str(weir_str_from_z(error.text), "invalid option: \"x\"", "with nginx's words");
    ok(!parse("stop", NULL, NULL), "a bare word is refused");
    is_str(weir_str_from_z(error.text), "invalid option: \"stop\"", "with nginx's words");
    ok(!parse("-", NULL, NULL), "so is a dash");
    ok(!parse("-c", NULL, NULL), "-c without a file is refused");
    is_str(weir_str_from_z(error.text), "option \"-c\" requires file name", "with nginx's words");
    ok(!parse("-p", "", NULL), "an empty folder is refused");
    is_str(weir_str_from_z(error.text), "option \"-p\" requires directory name", "with nginx's words");
    return done();
}
