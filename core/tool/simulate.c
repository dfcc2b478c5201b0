/*
 * simulate.c - see simulate.h.  Text and JSON are made of the same object.  The groups are asked themselves
 * (upstream/simulate.h): no arithmetic of theirs is here.
 */
#include "tool/simulate.h"

#include "base/table.h"
#include "proc/master/load.h"
#include "tool/explain_facts.h"
#include "upstream/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIMULATE_MISUSE  64
#define SIMULATE_DOWN    1024                /* --down */
#define SIMULATE_RPS_MAX 1000000000
#define SIMULATE_CHUNK   65536

typedef struct {
    const char *file, *group;                /* NULL: not given */
    weir_str_t  down[SIMULATE_DOWN];
    size_t      n_down;
    uint64_t    rps;
    bool        json;
} simulate_args_t;

/* -- facts -- */

static void
simulate_set_share(json_t *told, const simulate_args_t *args, uint64_t picks)
{
    double share = (double) picks / WEIR_SIMULATE_PICKS;

    (void) json_object_set_new(told, "share", json_real(share));
    (void) json_object_set_new(told, "rps", json_real(share * (double) args->rps));
}

static void
simulate_set_number(json_t *told, const char *member, uint64_t number)
{
    (void) json_object_set_new(told, member, json_integer((json_int_t) number));
}

static json_t *
simulate_peer(const simulate_args_t *args, const weir_simulated_peer_t *peer)
{
    json_t *told = json_object();

    (void) json_object_set_new(told, "server", weir_explain_text(peer->conf->server));
    (void) json_object_set_new(told, "address", weir_explain_text(peer->conf->text));
    (void) json_object_set_new(told, "locality", weir_explain_text(peer->conf->locality));
    simulate_set_number(told, "weight", peer->conf->weight);
    (void) json_object_set_new(told, "state",
                               json_string(peer->conf->down ? "down" : peer->is_failed ? "failed" : "up"));
    simulate_set_share(told, args, peer->picks);
    return told;
}

/* Of the localities that a set's peers are in, in the order in which they come. */
static json_t *
simulate_localities(const simulate_args_t *args, const weir_simulated_peer_t *peers, size_t n, weir_arena_t *arena)
{
    json_t      *list = json_array();
    weir_table_t picks;

    weir_table_init(&picks, arena);
    for (size_t i = 0; i < n; i++) {
        uint64_t *mine = weir_table_find(&picks, peers[i].conf->locality);

        if (mine == NULL) {
            mine = weir_new(arena, uint64_t);
            weir_table_add(&picks, peers[i].conf->locality, mine);
            *mine = UINT64_MAX;
        }
        *mine = (*mine == UINT64_MAX ? 0 : *mine) + peers[i].picks;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t *mine = weir_table_find(&picks, peers[i].conf->locality);
        json_t   *told;

        if (*mine == UINT64_MAX) {
            continue;                        /* it was told already */
        }
        told = json_object();
        (void) json_object_set_new(told, "locality", weir_explain_text(peers[i].conf->locality));
        simulate_set_share(told, args, *mine);
        (void) json_array_append_new(list, told);
        *mine = UINT64_MAX;
    }
    return list;
}

static json_t *
simulate_set(const simulate_args_t *args, const weir_simulated_t *simulated, const weir_simulated_set_t *set,
             weir_arena_t *arena)
{
    const weir_simulated_peer_t *peers = &simulated->peers[set->first];
    json_t                      *told = json_object(), *list = json_array();
    uint64_t                     picks = 0;

    for (size_t i = 0; i < set->n; i++) {
        picks += peers[i].picks;
        (void) json_array_append_new(list, simulate_peer(args, &peers[i]));
    }
    simulate_set_number(told, "priority", set->priority);
    simulate_set_number(told, "distance", set->distance);
    (void) json_object_set_new(told, "backup", json_boolean(set->is_backup));
    (void) json_object_set_new(told, "panic", json_boolean(set->is_panic));
    simulate_set_number(told, "servers", set->standing);
    simulate_set_number(told, "healthy", set->healthy);
    simulate_set_share(told, args, picks);
    (void) json_object_set_new(told, "localities", simulate_localities(args, peers, set->n, arena));
    (void) json_object_set_new(told, "peers", list);
    return told;
}

static json_t *
simulate_group(const simulate_args_t *args, const weir_group_conf_t *conf, weir_arena_t *arena)
{
    weir_simulated_t simulated = weir_simulate(conf, args->down, args->n_down, arena);
    json_t          *told = json_object(), *sets = json_array(), *none = json_object();

    for (size_t i = 0; i < simulated.n_sets; i++) {
        (void) json_array_append_new(sets, simulate_set(args, &simulated, &simulated.sets[i], arena));
    }
    (void) json_object_set_new(told, "name", weir_explain_text(conf->name));
    (void) json_object_set_new(told, "balancer", json_string(weir_simulate_balancer(conf)));
    simulate_set_number(told, "rps", args->rps);
    (void) json_object_set_new(told, "sets", sets);
    simulate_set_share(none, args, simulated.none);
    (void) json_object_set_new(told, "none", none);
    return told;
}

/* Of an upstream block, and that one if one was named. */
static bool
simulate_is_asked_for(const simulate_args_t *args, weir_generation_t *generation, const weir_group_conf_t *conf)
{
    return weir_upstream_find(generation, conf->name) == conf
           && (args->group == NULL || weir_str_eq(conf->name, weir_str_from_z(args->group)));
}

/* The groups that are asked for. */
static json_t *
simulate_all(const simulate_args_t *args, weir_generation_t *generation)
{
    weir_group_conf_t *const *groups;
    const size_t              n = weir_upstream_list(generation, &groups);
    json_t                   *list = json_array();
    weir_arena_t              arena;

    weir_arena_init(&arena, SIMULATE_CHUNK);
    for (size_t i = 0; i < n; i++) {
        if (simulate_is_asked_for(args, generation, groups[i])) {
            (void) json_array_append_new(list, simulate_group(args, groups[i], &arena));
        }
    }
    weir_arena_fini(&arena);
    return list;
}

/* -- text -- */

static double
simulate_percent(const json_t *told)
{
    return 100 * json_real_value(json_object_get(told, "share"));
}

static void
simulate_show_share(const json_t *told)
{
    printf(" %6.2f%% %10.0f/s", simulate_percent(told), json_real_value(json_object_get(told, "rps")));
}

static const char *
simulate_text(const json_t *told, const char *member)
{
    const char *text = json_string_value(json_object_get(told, member));

    return text != NULL && *text != '\0' ? text : "-";
}

static void
simulate_show_set(const json_t *set)
{
    const json_t *localities = json_object_get(set, "localities"), *one;
    size_t        i;

    printf("  priority %lld, distance %lld%s: %lld of %lld healthy%s\n",
           (long long) json_integer_value(json_object_get(set, "priority")),
           (long long) json_integer_value(json_object_get(set, "distance")),
           json_is_true(json_object_get(set, "backup")) ? ", backup" : "",
           (long long) json_integer_value(json_object_get(set, "healthy")),
           (long long) json_integer_value(json_object_get(set, "servers")),
           json_is_true(json_object_get(set, "panic")) ? ", in panic: all are used" : "");
    printf("    %-44s", "all of it");
    simulate_show_share(set);
    putchar('\n');
    json_array_foreach(localities, i, one) {
        printf("    locality %-35s", simulate_text(one, "locality"));
        simulate_show_share(one);
        putchar('\n');
    }
    json_array_foreach(json_object_get(set, "peers"), i, one) {
        printf("      %-30s %-6s weight=%-4lld", simulate_text(one, "address"), simulate_text(one, "state"),
               (long long) json_integer_value(json_object_get(one, "weight")));
        simulate_show_share(one);
        putchar('\n');
    }
}

static void
simulate_show(const json_t *list)
{
    const json_t *group, *set;
    size_t        i, k;

    json_array_foreach(list, i, group) {
        printf("upstream %s (%s)\n", simulate_text(group, "name"), simulate_text(group, "balancer"));
        json_array_foreach(json_object_get(group, "sets"), k, set) {
            simulate_show_set(set);
        }
        if (simulate_percent(json_object_get(group, "none")) > 0) {
            printf("  %-46s", "no server");
            simulate_show_share(json_object_get(group, "none"));
            putchar('\n');
        }
    }
}

/* -- the tool -- */

static bool
simulate_misuse(const char *what, const char *word, const char *expected)
{
    fprintf(stderr, "weir: simulate: %s \"%s\": expected %s\n", what, word, expected);
    return false;
}

/* Options that have a value. */
static bool
simulate_take_value(simulate_args_t *args, const char *option, const char *value)
{
    if (value == NULL) {
        fprintf(stderr, "weir: simulate: \"%s\" needs a value\n", option);
        return false;
    }
    if (strcmp(option, "-c") == 0) {
        args->file = value;
    } else if (strcmp(option, "--group") == 0) {
        args->group = value;
    } else if (strcmp(option, "--down") == 0) {
        if (args->n_down == SIMULATE_DOWN) {
            return simulate_misuse("too many", option, "1024 at most");
        }
        args->down[args->n_down++] = weir_str_from_z(value);
    } else if (!weir_str_to_u64(weir_str_from_z(value), &args->rps) || args->rps == 0 || args->rps > SIMULATE_RPS_MAX) {
        return simulate_misuse("invalid number", value, "requests a second, from 1 to 1000000000");
    }
    return true;
}

static bool
simulate_read_args(simulate_args_t *args, char *const *argv)
{
    static const char *const with_value[] = { "-c", "--group", "--down", "--rps" };

    for (; *argv != NULL; argv++) {
        bool has_value = false;

        for (size_t i = 0; i < weir_countof(with_value); i++) {
            has_value = has_value || strcmp(*argv, with_value[i]) == 0;
        }
        if (strcmp(*argv, "--json") == 0) {
            args->json = true;
        } else if (!has_value) {
            return simulate_misuse("unexpected", *argv, "-c, --group, --down, --rps or --json");
        } else if (!simulate_take_value(args, argv[0], argv[1])) {
            return false;
        } else {
            argv++;
        }
    }
    return true;
}

/* Everything that was named is there. */
static bool
simulate_knows(const simulate_args_t *args, weir_generation_t *generation)
{
    weir_group_conf_t *const *groups;
    const size_t              n = weir_upstream_list(generation, &groups);
    bool                      seen[SIMULATE_DOWN] = { false }, has_group = false;

    for (size_t i = 0; i < n; i++) {
        if (!simulate_is_asked_for(args, generation, groups[i])) {
            continue;
        }
        has_group = true;
        for (size_t k = 0; k < groups[i]->n_peers; k++) {
            for (size_t d = 0; d < args->n_down; d++) {
                seen[d] = seen[d] || weir_simulate_names(args->down[d], &groups[i]->peers[k]);
            }
        }
    }
    if (!has_group) {
        fprintf(stderr, "weir: simulate: there is no upstream%s%s\n", args->group != NULL ? " " : "",
                args->group != NULL ? args->group : "");
        return false;
    }
    for (size_t d = 0; d < args->n_down; d++) {
        if (!seen[d]) {
            fprintf(stderr, "weir: simulate: no server is at or in \"%.*s\"\n", WEIR_STR_ARG(args->down[d]));
            return false;
        }
    }
    return true;
}

static int
simulate_print(const simulate_args_t *args, weir_generation_t *generation)
{
    json_t       *list = simulate_all(args, generation), *all = json_pack("{s:O}", "upstreams", list);
    const json_t *group;
    size_t        i;
    int           code = 0;

    if (args->json) {
        (void) json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        putchar('\n');
    } else {
        simulate_show(list);
    }
    json_array_foreach(list, i, group) {
        code = simulate_percent(json_object_get(group, "none")) > 0 ? 2 : code;
    }
    json_decref(all);
    json_decref(list);
    return code;
}

static weir_generation_t *
simulate_load(const weir_conf_source_t *before, const char *file)
{
    weir_conf_source_t source = *before;
    weir_error_t       error = { .text = "" };
    weir_arena_t       arena;
    weir_generation_t *generation;

    source.keeps_lines = true;           /* nothing that it names is opened or made */
    weir_arena_init(&arena, SIMULATE_CHUNK);
    if (file != NULL) {
        source.file = file[0] == '/' ? weir_str_from_z(file)
                                     : weir_str_printf(&arena, "%.*s%s", WEIR_STR_ARG(source.prefix), file);
    }
    generation = weir_load(&source, 1, NULL, &error);
    weir_arena_fini(&arena);
    return generation;
}

int
weir_tool_simulate(const weir_conf_source_t *source, char *const *argv)
{
    static simulate_args_t args = { .rps = 100 };
    weir_generation_t *generation;
    int                code;

    if (!simulate_read_args(&args, argv)) {
        return SIMULATE_MISUSE;
    }
    generation = simulate_load(source, args.file);
    if (generation == NULL) {
        return 1;
    }
    code = simulate_knows(&args, generation) ? simulate_print(&args, generation) : 1;
    weir_generation_unref(generation);
    return code;
}
