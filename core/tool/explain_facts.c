/*
 * explain_facts.c - see explain_facts.h.
 */
#include "tool/explain_facts.h"

#include "http/message/status.h"
#include "http/proxy/split.h"
#include "http/route/blocks.h"
#include "tool/explain.h"

#include <string.h>

extern const size_t weir_http_proxy_index;

static void
facts_set(json_t *object, const char *name, weir_str_t text)
{
    (void) json_object_set_new(object, name, weir_explain_text(text));
}

/* A block's own opening line. */
static json_t *
facts_of_words(const weir_conf_words_t *words, weir_str_t name)
{
    json_t *told = weir_explain_line(words);

    facts_set(told, "name", name);
    return told;
}

/* -- listener -- */

static const weir_conf_words_t *
facts_listen_words(const weir_http_server_t *server, const weir_http_listen_t *listen)
{
    const weir_http_blocks_conf_t *conf = weir_conf_of(server->block, weir_http_blocks_index);

    for (size_t i = 0; i < conf->listens.n; i++) {
        if (weir_addr_eq(&conf->listens.at[i].addr, &listen->base.addr)) {
            return conf->listens.at[i].words;
        }
    }
    return &server->block->words;            /* it has no `listen`, and the standard address */
}

static json_t *
facts_listener(const weir_explain_case_t *c)
{
    const weir_http_server_t *server = c->answer->server != NULL ? c->answer->server : c->listen->default_server;
    json_t *told = weir_explain_line(facts_listen_words(server, c->listen));

    facts_set(told, "address", c->listen->base.text);
    (void) json_object_set_new(told, "tls", json_boolean(c->listen->base.is_ssl));
    return told;
}

/* -- server -- */

/* Does this one name of a server take the host?  The matcher is asked about it alone. */
static bool
facts_name_takes(weir_arena_t *arena, weir_str_t name, weir_str_t host)
{
    weir_hosts_t *alone = weir_hosts_create(arena);
    const weir_regex_t *regex;
    weir_captures_t captures;
    weir_error_t error;
    bool conflict, limit = false;

    return weir_hosts_add(alone, name, alone, &conflict, &error)
        && weir_hosts_find(alone, host, &captures, &regex, &limit) != NULL;
}

/* In the order in which names are tried. */
static unsigned
facts_rank(weir_str_t name)
{
    return weir_str_starts(name, WEIR_STR("~")) ? 3
         : weir_str_starts(name, WEIR_STR("*")) || weir_str_starts(name, WEIR_STR(".")) ? 1
         : weir_str_ends(name, WEIR_STR(".*")) ? 2 : 0;
}

static const char *
facts_how(weir_str_t name, weir_str_t host)
{
    static const char *const how[] = { "exact name", "wildcard name", "wildcard name", "pattern" };

    return weir_str_starts(name, WEIR_STR(".")) && weir_str_eq(weir_str_skip(name, 1), host) ? how[0]
                                                                                           : how[facts_rank(name)];
}

static const weir_conf_words_t *
facts_name_words(const weir_http_server_t *server, weir_str_t name)
{
    for (const weir_conf_line_t *line = server->block->lines; line != NULL; line = line->next) {
        for (size_t i = 1; i < line->words->n && strcmp(line->row->name, "server_name") == 0; i++) {
            if (weir_str_eq_fold(line->words->at[i].text, name)) {
                return line->words;
            }
        }
    }
    return &server->block->words;
}

static json_t *
facts_server(const weir_explain_case_t *c)
{
    const weir_http_server_t *server = c->answer->server;
    const weir_str_t *best = NULL;
    json_t *told;

    for (size_t i = 0; i < server->names.n && c->answer->host.len != 0; i++) {
        const weir_str_t *name = &server->names.at[i];

        if (name->len != 0 && facts_name_takes(c->answer->arena, *name, c->answer->host)
            && (best == NULL || facts_rank(*name) < facts_rank(*best)
                || (facts_rank(*name) == facts_rank(*best) && facts_rank(*name) != 3 && name->len > best->len)))
        {
            best = name;
        }
    }
    told = best != NULL ? facts_of_words(facts_name_words(server, *best), *best)
                        : facts_of_words(&server->block->words, server->primary_name);
    facts_set(told, "first_name", server->primary_name);
    if (best == NULL) {
        (void) json_object_set_new(told, "how", json_string("default server of the listener"));
        return told;
    }
    (void) json_object_set_new(told, "how", json_string(facts_how(*best, c->answer->host)));
    return told;
}

/* -- the place -- */

static json_t *
facts_place(const weir_probe_answer_t *answer)
{
    const weir_http_location_t *place = answer->place;
    const weir_conf_block_t *block = place->block;
    bool is_part = (block->context & WEIR_IN_PART) != 0;
    json_t *told;

    if (is_part) {
        place = block->parent->owner;
    }
    if (place == answer->server->fallback || place->block->context == WEIR_IN_SERVER) {
        return facts_of_words(&answer->server->block->words, WEIR_STR("server"));
    }
    told = facts_of_words(&place->block->words, place->route != NULL ? place->route->name : place->name);
    if (answer->line != NULL && answer->line->words != NULL) {
        (void) json_object_set_new(told, "match", weir_explain_line(answer->line->words));
    }
    if (is_part) {
        (void) json_object_set_new(told, "part", weir_explain_line(&block->words));
    }
    return told;
}

static const char *
facts_kind(const weir_probe_answer_t *answer)
{
    const weir_http_location_t *place = answer->place;

    if (place->block->context & WEIR_IN_PART) {
        place = place->block->parent->owner;
    }
    return place == answer->server->fallback || place->block->context == WEIR_IN_SERVER ? "server_block"
         : place->route != NULL                                                        ? "route"
                                                                                       : "location";
}

/* What the rewrite phase did, in its order; without a step whose condition did not hold. */
static json_t *
facts_rewrites(const weir_probe_answer_t *answer)
{
    json_t *rewrites = json_array();

    for (const weir_probe_step_t *step = answer->steps; step != NULL; step = step->next) {
        json_t *told;

        if (!step->held) {
            continue;
        }
        told = weir_explain_line(step->words);
        facts_set(told, "path", step->path);
        facts_set(told, "query", step->query);
        (void) json_array_append_new(rewrites, told);
    }
    return rewrites;
}

/* -- the target -- */

static const weir_conf_block_t *
facts_group_block(const weir_conf_block_t *root, weir_str_t name)
{
    for (const weir_conf_block_t *http = root->first; http != NULL; http = http->next) {
        for (const weir_conf_block_t *block = http->first; block != NULL; block = block->next) {
            if (block->context == WEIR_IN_UPSTREAM && block->words.n > 1
                && weir_str_eq_fold(block->words.at[1].text, name))
            {
                return block;
            }
        }
    }
    return NULL;
}

static json_t *
facts_group(const weir_generation_t *generation, const weir_group_conf_t *group)
{
    const weir_conf_block_t *block = facts_group_block(generation->root, group->name);
    json_t *told = block != NULL ? weir_explain_line(&block->words) : json_object(), *servers = json_array();

    facts_set(told, "name", group->name);
    if (block != NULL) {
        for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
            if (strcmp(line->row->name, "server") == 0) {
                (void) json_array_append_new(servers, weir_explain_line(line->words));
            }
        }
    } else {
        for (size_t i = 0; i < group->n_peers; i++) {
            json_t *server = json_object();

            facts_set(server, "line", group->peers[i].text);
            (void) json_array_append_new(servers, server);
        }
    }
    (void) json_object_set_new(told, "servers", servers);
    return told;
}

static void
facts_passed(const weir_explain_case_t *c, json_t *target)
{
    const weir_proxy_preview_t *preview = &c->answer->preview;
    const weir_group_conf_t    *group = weir_proxy_pass_group(c->generation, preview->pass);

    (void) json_object_set_new(target, "kind", json_string("passed"));
    if (group != NULL) {
        (void) json_object_set_new(target, "upstream", facts_group(c->generation, group));
    }
    if (preview->problem != NULL) {
        (void) json_object_set_new(target, "problem", json_string(preview->problem));
        return;
    }
    facts_set(target, "method", preview->method);
    (void) json_object_set_new(target, "target", weir_explain_target(preview->target));
    if (preview->host.len != 0) {
        facts_set(target, "host", preview->host);
    }
}

/* The lines that say what makes the content. */
static json_t *
facts_content(const weir_http_location_t *place)
{
    const weir_http_pipeline_t *pipeline = weir_probe_pipeline(place);
    const weir_conf_block_t *block = place->block;
    json_t *lines = json_array(), *told;

    for (size_t i = 0; i < weir_modules_count; i++) {
        const weir_http_module_t *m = weir_http_modules[i];

        for (uint16_t k = 0; m != NULL && k < pipeline->n[WEIR_PHASE_CONTENT]; k++) {
            if (pipeline->phase[WEIR_PHASE_CONTENT][k].run == m->on[WEIR_PHASE_CONTENT]
                && m->on[WEIR_PHASE_CONTENT] != NULL)
            {
                told = weir_explain_lines(block, i, NULL);
                (void) json_array_extend(lines, told);
                json_decref(told);
            }
        }
    }
    return lines;
}

static json_t *
facts_root(const weir_conf_block_t *block)
{
    json_t *lines = json_array();

    for (size_t i = 0; i < weir_modules_count; i++) {
        static const char *const names[] = { "root", "alias" };

        for (size_t k = 0; k < weir_countof(names); k++) {
            json_t *told = block->confs[i] != NULL ? weir_explain_lines(block, i, names[k]) : NULL;

            (void) json_array_extend(lines, told);
            json_decref(told);
        }
    }
    return lines;
}

static json_t *
facts_target(const weir_explain_case_t *c)
{
    const weir_probe_answer_t *answer = c->answer;
    json_t *target = json_object();

    if (answer->proxy != NULL) {
        facts_passed(c, target);
    } else if (answer->file.len != 0) {
        (void) json_object_set_new(target, "kind", json_string("file"));
        facts_set(target, "file", answer->file);
        (void) json_object_set_new(target, "root", facts_root(answer->place->block));
    } else {
        (void) json_object_set_new(target, "kind", json_string("module"));
    }
    (void) json_object_set_new(target, "lines", facts_content(answer->place));
    return target;
}

/* -- the answer -- */

static void
facts_find_deny(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    const weir_conf_words_t **found = data;

    (void) from;
    *found = *found == NULL ? line->words : *found;
}

/* The line that has refused or answered it; NULL: none of a policy has. */
static const weir_conf_words_t *
facts_who_refuses(const weir_probe_answer_t *answer)
{
    const weir_probe_judgement_t *by = NULL;
    const weir_conf_words_t      *words = NULL;

    if (answer->cause == WEIR_CAUSE_ACCESS_DEFAULT && answer->place != NULL) {
        weir_explain_each_line(answer->place->block, weir_http_core_index, "default_deny", facts_find_deny, &words);
        return words;
    }
    for (const weir_probe_judgement_t *j = answer->judgements; j != NULL; j = j->next) {
        by = j->verdict == WEIR_PROBE_REFUSED || j->verdict == WEIR_PROBE_ANSWERED ? j : by;
    }
    return by != NULL ? weir_explain_judging_line(by) : NULL;
}

static json_t *
facts_answer(const weir_probe_answer_t *answer)
{
    const weir_conf_words_t *by = facts_who_refuses(answer);

    json_t *told = json_object();

    (void) json_object_set_new(told, "status", json_integer(answer->status));
    if (answer->redirect.len != 0) {
        facts_set(told, "location", answer->redirect);
    }
    if (answer->cause != WEIR_CAUSE_NONE) {
        facts_set(told, "cause", weir_cause_row(answer->cause)->word);
    }
    if (answer->detail != NULL) {
        (void) json_object_set_new(told, "detail", weir_explain_text(weir_str_from_z(answer->detail)));
    }
    if (by != NULL) {
        (void) json_object_set_new(told, "by", weir_explain_line(by));
    }
    return told;
}

/* -- all of it -- */

static const char *
facts_outcome(const weir_explain_case_t *c, int *code)
{
    const weir_probe_answer_t *answer = c->answer;
    bool is_said = answer->cause == WEIR_CAUSE_NONE || answer->cause == WEIR_CAUSE_ROUTE_RETURN;

    *code = 0;
    if (answer->status != 0 && !answer->arrived && is_said) {
        return "answered";
    }
    if (answer->status != 0 && !is_said) {
        *code = WEIR_EXPLAIN_REFUSED;
        return "refused";
    }
    if (answer->is_unrouted) {
        *code = WEIR_EXPLAIN_UNROUTED;
        return "unrouted";
    }
    if (answer->proxy != NULL && answer->preview.problem != NULL) {
        *code = WEIR_EXPLAIN_REFUSED;
        return "refused";
    }
    return answer->proxy != NULL ? "passed" : "answered";
}

static void
facts_of_answer(const weir_explain_case_t *c, json_t *facts)
{
    const weir_probe_answer_t *answer = c->answer;
    json_t *others;

    (void) json_object_set_new(facts, "server", facts_server(c));
    if (answer->place != NULL) {
        (void) json_object_set_new(facts, facts_kind(answer), facts_place(answer));
        others = weir_explain_others(c);
        if (others != NULL) {
            (void) json_object_set_new(facts, "others", others);
        }
    }
    (void) json_object_set_new(facts, "rewrites", facts_rewrites(answer));
    if (answer->arrived) {
        (void) json_object_set_new(facts, "policies", weir_explain_policies(answer->place, answer));
        if (answer->status == 0) {
            (void) json_object_set_new(facts, "target", facts_target(c));
        }
    }
    if (answer->status != 0) {
        (void) json_object_set_new(facts, "answer", facts_answer(answer));
    }
    (void) json_object_set_new(facts, "depends", weir_explain_depends(c));
}

void
weir_explain_behind(const weir_explain_case_t *c, json_t *facts)
{
    if (c->answer->arrived && c->answer->status == 0 && !c->answer->is_unrouted) {
        (void) json_object_set_new(facts, "target", facts_target(c));
    }
}

json_t *
weir_explain_facts(const weir_explain_case_t *c, int *code)
{
    json_t *facts = json_object();

    facts_set(facts, "request", c->shown);
    if (c->listen == NULL) {
        *code = WEIR_EXPLAIN_UNROUTED;
        (void) json_object_set_new(facts, "outcome", json_string("no listener"));
    } else if (c->problem != NULL) {
        *code = WEIR_EXPLAIN_REFUSED;
        (void) json_object_set_new(facts, "outcome", json_string("refused"));
        (void) json_object_set_new(facts, "listener", facts_listener(c));
    } else {
        (void) json_object_set_new(facts, "outcome", json_string(facts_outcome(c, code)));
        (void) json_object_set_new(facts, "listener", facts_listener(c));
        facts_of_answer(c, facts);
    }
    if (c->problem != NULL) {
        (void) json_object_set_new(facts, "problem", json_string(c->problem));
    }
    return facts;
}
