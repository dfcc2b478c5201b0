/*
 * tool.c - the table of tools (see tool.h).
 */
#include "tool/tool.h"

#include "conf/module.h"
#include "tool/apis.h"
#include "tool/consumers.h"
#include "tool/diff.h"
#include "tool/explain.h"
#include "tool/fragments.h"
#include "tool/notation.h"
#include "tool/reload.h"
#include "tool/simulate.h"
#include "tool/store.h"
#include "tool/stories.h"
#include "tool/upstream.h"
#include "tool/zones.h"

#include <string.h>

static const weir_tool_t tools[] = {
    { "apis", "[--live] [--json] [NAME]", "the APIs, their versions and states, and what belongs to each",
      .run_source = weir_tool_apis },
    { "consumer", "add|set|remove|list [NAME] [plan=PLAN] [disabled=on|off] [group=NAME]... [meta=NAME=VALUE]... "
      "[identity=KIND:VALUE]... | calls [PLACE] [--json]",
      "the consumers of APIs; calls: which of them still call what is deprecated", .run = weir_tool_consumer },
    { "convert", "--to json|conf [--variables] FILE|-",
      "a configuration file as JSON, or JSON as a configuration file; --variables: each $ in it begins a variable",
      .run_source = weir_notation_convert },
    { "diff", "[--traffic FILE|--recorder] [--format NAME] [--host NAME] [--json] OLD NEW",
      "what another configuration would change for which routes and locations, and for what share of requests",
      .run_source = weir_tool_diff },
    { "explain", "[-c FILE] [-H FIELD] [--ip ADDRESS] [--http2] [--json] [--live] REQUEST|-",
      "what the configuration, or with --live the running one, would do with a request",
      .run_source = weir_tool_explain },
    { "fmt", "[-w|--check] FILE...|-",
      "configuration files in one layout; -w: written back, --check: which of them are not in it (exit code 3)",
      .run_source = weir_notation_fmt },
    { "fragments", "[list [--json] | get NAME | put NAME FILE|- [if_digest=DIGEST] | remove NAME [if_digest=DIGEST] | "
      "apply FILE|-]",
      "pieces of the configuration that change while the instance runs: what there is, what is refused and why",
      .run = weir_tool_fragments },
    { "identity", "add KIND:VALUE consumer=NAME | remove KIND:VALUE | list [CONSUMER]",
      "what consumers are known by, beside API keys: see `weir -h identify`", .run = weir_tool_identity },
    { "key", "create CONSUMER [label=TEXT] [expires=30d|DATE] [secret=-] | list [CONSUMER] | revoke ID",
      "API keys of consumers", .run = weir_tool_key },
    { "plan", "add|set|remove|list [NAME] [hour=N|none] [day=N|none] [month=N|none] [rate=10r/s|none] [burst=N] "
      "[concurrency=N|none]",
      "how much consumers may use",
      .run = weir_tool_plan },
    { "reload",
      "[--guard SHARE [--traffic FILE|--recorder] [--format NAME] [--host NAME] [--allow-no-traffic] [--json]]",
      "the instance takes up its files, with --guard only if no more requests than that lose a policy or their route",
      .run_source = weir_tool_reload },
    { "simulate", "[-c FILE] [--group NAME] [--down LOCALITY|SERVER]... [--rps N] [--json]",
      "what each priority, locality and server of upstream blocks would get if these had failed",
      .run_source = weir_tool_simulate },
    { "store", "dump | load | compact [FILE] | check | flush",
      "the store as a whole; dump writes to standard output, load reads standard input", .run = weir_tool_store },
    { "upstream", "[GROUP [list [--json] | add|set|drain|remove ADDRESS [weight=N] [max_fails=N] [fail_timeout=TIME] "
      "[max_conns=N] [slow_start=TIME] [priority=N] [locality=PLACE] [backup] [down] [up] [drain]]] | -",
      "groups of servers and their servers: what there is, and what to change while the instance runs",
      .run = weir_tool_upstream },
    { "why", "ID", "the story of the request with that $request_id", .run = weir_tool_why },
    { "tail", "[status=5xx] [cause=WORD] [host=] [path=] [client=] [slow=MS]", "a line for each request as it ends",
      .run = weir_tool_tail },
    { "zones", "", "what lies in the shared memory of the running instance", .run = weir_tool_zones },
};

const weir_tool_t *
weir_tool_find(const char *name)
{
    for (size_t i = 0; i < weir_countof(tools); i++) {
        if (strcmp(tools[i].name, name) == 0) {
            return &tools[i];
        }
    }
    return NULL;
}

const weir_tool_t *
weir_tool_at(size_t i)
{
    return i < weir_countof(tools) ? &tools[i] : NULL;
}

const char *
weir_tool_nearest(const char *word)
{
    const char *names[weir_countof(tools)];

    for (size_t i = 0; i < weir_countof(tools); i++) {
        names[i] = tools[i].name;
    }
    return weir_conf_nearest(weir_str_from_z(word), names, weir_countof(names));
}
