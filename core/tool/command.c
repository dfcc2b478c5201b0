/*
 * command.c - see command.h.  Runs before anything else; allocates nothing.
 */
#include "tool/command.h"

#include "conf/module.h"
#include "tool/tool.h"

#include <signal.h>

static const char *const command_signals[] = { "stop", "quit", "reopen", "reload", "upgrade" };

int
weir_command_signal(const char *name)
{
    static const int numbers[] = { SIGTERM, SIGQUIT, SIGUSR1, SIGHUP, SIGUSR2 };

    for (size_t i = 0; i < weir_countof(command_signals); i++) {
        if (strcmp(command_signals[i], name) == 0) {
            return numbers[i];
        }
    }
    return 0;
}

/* nginx's words, and what was probably meant. */
static bool
command_invalid(const char *before, const char *word, const char *near, weir_error_t *error)
{
    return weir_error_set(error, "invalid option: \"%s%s\"%s%s%s", before, word,
                          near != NULL ? ", did you mean \"" : "",
                          near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* Where an option's argument goes, or NULL for one that has none. */
static const char **
command_argument(weir_command_t *command, char option, const char **what)
{
    switch (option) {
    case 'p':
        *what = "directory name";
        return &command->prefix;
    case 'c':
        *what = "file name";
        return &command->file;
    case 'e':
        *what = "file name";
        return &command->error_log;
    case 'g':
        *what = "parameter";
        return &command->directives;
    case 's':
        *what = "parameter";
        return &command->signal;
    default:
        return NULL;
    }
}

static bool
command_set_flag(weir_command_t *command, char option)
{
    switch (option) {
    case '?':
    case 'h':
        return command->help = true;
    case 'v':
        return command->version = true;
    case 'V':
        return command->version = command->build = true;
    case 't':
        return command->test = true;
    case 'T':
        return command->test = command->dump = true;
    case 'q':
        return command->quiet = true;
    case 'M':
        return command->manual = true;
    default:
        return false;
    }
}

/* One word of options: "-tq", "-cFILE", "-c" FILE, "-h" [DIRECTIVE]. */
static bool
command_parse_word(weir_command_t *command, char *const **argv, weir_error_t *error)
{
    const char *at = **argv + 1, *what, **argument;

    do {
        argument = command_argument(command, *at, &what);
        if (argument != NULL) {
            *argument = at[1] != '\0' ? at + 1 : *++*argv;
            if (*argument == NULL || **argument == '\0') {
                return weir_error_set(error, "option \"-%c\" requires %s", *at, what);
            }
            return true;
        }
        if (!command_set_flag(command, *at)) {
            return weir_error_set(error, "invalid option: \"%c\"", *at);
        }
    } while (*++at != '\0');

    if (at[-1] == 'h' && (*argv)[1] != NULL && (*argv)[1][0] != '-') {
        command->topic = *++*argv;
    }
    return true;
}

/* A tool goes with where things are, and with nothing else that is to be done. */
static bool
command_is_plain(const weir_command_t *command, weir_error_t *error)
{
    if (command->signal != NULL || command->test || command->help || command->version || command->manual) {
        return weir_error_set(error, "\"%s\" goes with -p, -c, -e and -g only", command->tool[0]);
    }
    return true;
}

static bool
command_take_long(weir_command_t *command, const char *word)
{
    if (strcmp(word, "--wait") == 0) {
        return command->wait = true;
    }
    if (strcmp(word, "--json") == 0) {
        return command->json = true;
    }
    if (strcmp(word, "--help") == 0) {
        return command->help = true;
    }
    return strcmp(word, "--version") == 0 && (command->version = true);
}

bool
weir_command_parse(weir_command_t *command, char *const *argv, weir_error_t *error)
{
    *command = (weir_command_t) { 0 };
    for (argv++; *argv != NULL; argv++) {
        if (weir_tool_find(*argv) != NULL) {
            command->tool = argv;
            return command_is_plain(command, error);
        }
        if (command_take_long(command, *argv)) {
            continue;
        }
        if ((*argv)[0] != '-' || (*argv)[1] == '\0' || (*argv)[1] == '-') {
            return command_invalid("", *argv, weir_tool_nearest(*argv), error);
        }
        if (!command_parse_word(command, &argv, error)) {
            return false;
        }
    }
    if (command->signal != NULL && weir_command_signal(command->signal) == 0) {
        return command_invalid("-s ", command->signal,
                               weir_conf_nearest(weir_str_from_z(command->signal), command_signals,
                                                 weir_countof(command_signals)), error);
    }
    if (command->json && !command->dump) {
        return weir_error_set(error, "\"--json\" goes with -T");
    }
    if (command->wait && (command->signal == NULL
                          || (strcmp(command->signal, "reload") != 0 && strcmp(command->signal, "upgrade") != 0)))
    {
        return weir_error_set(error, "\"--wait\" goes with -s reload or -s upgrade");
    }
    return true;
}
