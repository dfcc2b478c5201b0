/*
 * version.c - what -v, -V and -h print.  Runs in the program that a person typed; allocates nothing.
 */
#include "tool/version.h"

#include "tool/tool.h"

#include "config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <openssl/crypto.h>
#include <pcre2.h>
#include <stdio.h>

void
weir_version_print_usage(void)
{
    const weir_tool_t *tool;

    fprintf(stderr,
            "weir version: weir/" WEIR_VERSION "\n"
            "Usage: weir [-?hvVtTq] [-s signal [--wait]] [-p prefix]\n"
            "            [-e filename] [-c filename] [-g directives] [tool]\n"
            "\n"
            "Options:\n"
            "  -?,-h,--help  : print this text and exit\n"
            "  -h directive  : print what is known of a directive and exit\n"
            "  -v,--version  : print the version and exit\n"
            "  -V            : print the version, the compiler, libraries and configure options and exit\n"
            "  -t            : read and check the configuration and exit\n"
            "  -T            : as -t, and print every file that was read\n"
            "  --json        : with -T: as JSON, see `weir convert`\n"
            "  -q            : with -t: say nothing but errors\n"
            "  -s signal     : tell the running master to: stop, quit, reopen, reload, upgrade\n"
            "  --wait        : with -s reload: return when it is in use, or say why it is not and exit with 1; -s "
            "upgrade always does\n"
            "  -p prefix     : where relative paths begin (default: " WEIR_PREFIX "/)\n"
            "  -e filename   : error log until the configuration is read, or stderr (default: "
            WEIR_ERROR_LOG_PATH ")\n"
            "  -c filename   : configuration file (default: " WEIR_CONF_PATH ")\n"
            "  -g directives : main directives beside those of the configuration file\n"
            "  -M            : print the reference manual of all directives as Markdown and exit\n"
            "\n"
            "Beside a running instance: weir [options] TOOL\n");
    for (size_t i = 0; (tool = weir_tool_at(i)) != NULL; i++) {
        fprintf(stderr, "  %-13s : %s%s%s\n", tool->name, tool->args, tool->args[0] != '\0' ? ": " : "", tool->help);
    }
    fprintf(stderr, "\n");
}

static void
version_print_libraries(void)
{
    char pcre[64] = "";     /* "10.42 2022-12-11" */

    fprintf(stderr, "built with %s\n", OPENSSL_VERSION_TEXT);
    if (strcmp(OPENSSL_VERSION_TEXT, OpenSSL_version(OPENSSL_VERSION)) != 0) {
        fprintf(stderr, "running with %s\n", OpenSSL_version(OPENSSL_VERSION));
    }
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int) sizeof(pcre)) {
        (void) pcre2_config(PCRE2_CONFIG_VERSION, pcre);
    }
    fprintf(stderr, "PCRE2 %s\n", pcre);
}

void
weir_version_print(bool build)
{
    fprintf(stderr, "weir version: weir/" WEIR_VERSION "\n");
    if (build) {
        fprintf(stderr, "built by " WEIR_COMPILER "\n");
        version_print_libraries();
        fprintf(stderr, "configure arguments:%s" WEIR_CONFIGURE_LINE "\n", WEIR_CONFIGURE_LINE[0] != '\0' ? " " : "");
    }
}
