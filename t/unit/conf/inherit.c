/*
 * Structs of blocks: defaults once, fields from the outside in, shared where nothing was set, lists that append.
 */
#include "reading.h"

static const toy_conf_t *
conf_of(const weir_conf_block_t *block)
{
    return weir_conf_of(block, TOY);
}

/* The first block inside, past blocks of data. */
static const weir_conf_block_t *
inside(const weir_conf_block_t *block)
{
    for (block = block->first; block->context == WEIR_IN_DATA; block = block->next) { }
    return block;
}

static void
test_defaults(void)
{
    weir_generation_t *generation = reading("http { }");
    const toy_conf_t  *conf = conf_of(generation->root->first);

    ok(conf->flag.on, "a flag's default");
    is_int(conf->time.ms, 60000, "a time's");
    is_int(conf->size.n, 8192, "a size's");
    is_int(conf->number, 7, "a number's");
    is_int(conf->choice, 2, "a choice's");
    is_int(conf->mask, 5, "a mask's");
    is_str(conf->text, "a b", "a quoted text's, of a directive of inner blocks only");
    is_int(conf->words.n, 2, "words'");
    is_int(conf->bufs.n * conf->bufs.size.n, 32768, "buffers'");
    is_str(conf->path.text, "/usr/weir/logs/toy", "a path's, under the prefix");
    is_int(conf->template->n, 1, "a template's");
    is_int(conf->derived, 14, ".check works on them");
    is_str(weir_str_from_z(generation->built[1]), "built", ".build was called");
    ok(weir_conf_of(generation->root, TOY) == NULL, "no struct in main for a module of http");
    reading_done(generation);
}

static void
test_down(void)
{
    weir_generation_t *generation = reading(
        "http { toy_time 5s; toy_name a; toy_rule a; toy_lines { x 1; }\n"
        "  server { toy_name b; toy_rule b; toy_number 9; toy_text_too q;\n"
        "    location / { toy_time 6s; toy_name c; toy_lines { y 2; z 3; }\n"
        "      location /in { } } }\n"
        "  server { } }");
    const weir_conf_block_t *http = generation->root->first, *server = inside(http), *outer = inside(server),
                            *inner = inside(outer);

    is_int(conf_of(server)->time.ms, 5000, "http's value in a server");
    is_int(conf_of(server)->number, 9, "beside its own");
    is_int(conf_of(outer)->time.ms, 6000, "a location's own");
    is_int(conf_of(outer)->number, 9, "beside the server's");
    is_int(conf_of(outer)->derived, 18, ".check ran for each own struct");
    ok(conf_of(inner) == conf_of(outer), "a block in which nothing was set shares its parent's struct");
    ok(conf_of(server->next) == conf_of(http), "so does the second server");
    ok(conf_of(server) != conf_of(http), "the first has its own");
    is_int(conf_of(outer)->names.n, 3, "an appending list has the outer ones");
    is_str(conf_of(outer)->names.at[0], "a", "first");
    is_str(conf_of(outer)->names.at[2], "c", "and its own last");
    is_int(conf_of(http)->names.n, 1, "the outer one is as it was");
    is_int(conf_of(server)->rules.n, 1, "a replacing list has its own only");
    is_str(conf_of(outer)->rules.at[0], "b", "or its parent's");
    is_int(conf_of(server)->lines.n, 1, "data is inherited");
    is_int(conf_of(outer)->lines.n, 2, "or replaced");
    is_str(conf_of(server)->text, "q", "a field that two directives fill is not overwritten by the unset one");
    is_str(conf_of(outer)->text, "q", "and is inherited");
    is_str(conf_of(http)->text, "a b", "while its default is the first one's");
    ok(weir_conf_is_set(outer, TOY, "toy_time") && !weir_conf_is_set(outer, TOY, "toy_number"),
       "what was set here is known");
    ok(strcmp(reading_calls, " http server location build") == 0, "checks from the outside in, then build");
    reading_done(generation);
}

static void
test_local(void)
{
    weir_generation_t *generation = reading("http { server { toy_here 5; toy_number 9;\n"
                                            "  location / { location /in { toy_number 8; } } } server { } }");
    const weir_conf_block_t *server = inside(generation->root->first), *outer = inside(server);

    is_int(conf_of(server)->here, 5, "what is for this block only");
    is_int(conf_of(outer)->here, 1, "is not inherited");
    is_int(conf_of(outer)->number, 9, "the rest is");
    is_int(conf_of(inside(outer))->here, 1, "nor further down");
    ok(conf_of(server->next) == conf_of(server->parent), "other blocks share as ever");
    reading_done(generation);
}

static void
test_families(void)
{
    weir_generation_t *generation = reading("events { worker_connections 99; }\n"
                                            "http { upstream a { weight 5; } upstream b { } }");
    const weir_conf_block_t *events = generation->root->first, *a = events->next->first;

    is_int(weir_core_conf(generation)->worker_connections, 99, "what events say is in the struct of main");
    ok(weir_conf_of(events, 0) == weir_conf_of(generation->root, 0), "it is the same struct");
    is_int(((const toy_group_conf_t *) weir_conf_of(a, TOY_GROUP))->weight, 5, "an upstream's own value");
    is_int(((const toy_group_conf_t *) weir_conf_of(a->next, TOY_GROUP))->weight, 3, "each upstream has the default");
    ok(weir_conf_of(a->parent, TOY_GROUP) == NULL, "http has no such struct");
    ok(weir_conf_of(a, TOY) == NULL, "an upstream has none of http's");
    is_str(weir_str_from_z(events->next->owner), "http", "an owner is kept");
    reading_done(generation);

    generation = reading("");
    is_int(weir_core_conf(generation)->worker_connections, 512, "without events there are its defaults");
    reading_done(generation);
}

static void
test_later_names(void)
{
    static char         subject[] = "value";
    const weir_scope_t  scope = { .of = { [WEIR_OF_REQUEST] = subject } };
    weir_arena_t        arena;
    weir_generation_t  *generation = reading("http { toy_template a-$later-${toy_part_X}; server { toy_define LATER; } "
                                             "}");

    weir_arena_init(&arena, 1024);
    if (ok(generation != NULL, "a template may use a name that is defined further down")) {
        is_str(weir_template_eval(conf_of(generation->root->first)->template, &scope, &arena), "a-value-x",
               "it is settled");
        is_int(weir_vars_slots(generation->vars), 1, "in one slot");
    }
    reading_done(generation);
    weir_arena_fini(&arena);
    reading_refuses("http { toy_template $never;\n }", "unknown \"never\" variable in /etc/weir/weir.conf:1");
    reading_refuses("http { toy_define toy_name; }", "it is a built-in one in /etc/weir/weir.conf:1");
}

static void
test_references(void)
{
    weir_generation_t *generation = reading("http { }");

    ok(weir_generation_ref(generation) == generation, "a second reference");
    weir_generation_unref(generation);
    is_int(conf_of(generation->root->first)->number, 7, "the first one still holds");
    reading_done(generation);
}

int
main(void)
{
    test_defaults();
    test_down();
    test_local();
    test_families();
    test_later_names();
    test_references();
    return done();
}
