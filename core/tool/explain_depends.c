/*
 * explain_depends.c - what only run time knows: variables of the connection and of what happens later, files, weights,
 * which server of a group, what policies say.
 *
 * A variable is taken for known only where it is listed here: a new one is a doubt until it is added here.
 */
#include "tool/explain_facts.h"

#include "http/proxy/split.h"
#include "http/route/blocks.h"
#include "http/tls/conf.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    json_t                     *doubts;
    weir_generation_t          *generation;
    const weir_explain_knows_t *knows;
    const weir_probe_answer_t  *answer;
    const weir_explain_case_t  *c;           /* NULL: a module is asked about */
    const weir_conf_words_t    *words;
    size_t                      module;      /* … and which */
} depends_t;

static void
depends_add(const depends_t *d, weir_str_t what)
{
    json_t *doubt = json_object();
    size_t  i = 0;

    (void) json_object_set_new(doubt, "on", weir_explain_text(what));
    if (d->words != NULL) {
        (void) json_object_set_new(doubt, "line", weir_explain_words(d->words));
        (void) json_object_set_new(doubt, "at", weir_explain_at(d->words));
    }
    while (i < json_array_size(d->doubts) && !json_equal(json_array_get(d->doubts, i), doubt)) {
        i++;
    }
    if (i == json_array_size(d->doubts)) {
        (void) json_array_append(d->doubts, doubt);
    }
    json_decref(doubt);
}

/* -- variables -- */

static bool
depends_lists(const char *const *names, size_t n, const weir_variable_t *row)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(row->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Is it the variable of a module that has judged this request by its head, or is about to? */
static bool
depends_is_judged(const depends_t *d, const weir_variable_t *row)
{
    for (size_t i = 0; i < weir_modules_count; i++) {
        const weir_http_module_t *m = weir_http_modules[i];

        for (const weir_variable_t *own = m != NULL && m->judges_head != NULL ? m->variables : NULL;
             own != NULL && own->name != NULL; own++)
        {
            if (own != row) {
                continue;
            }
            for (const weir_probe_judgement_t *j = d->answer->judgements; j != NULL; j = j->next) {
                if (j->module == i && j->verdict != WEIR_PROBE_DEPENDS && d->answer->arrived) {
                    return true;
                }
            }
            return d->c == NULL && d->module == i;
        }
    }
    return false;
}

/* A name that stands in the configuration, looked up once: each look-up takes memory of the generation. */
static bool
depends_find(const depends_t *d, weir_str_t name, weir_var_ref_t *ref)
{
    weir_var_ref_t *known = name.len != 0 ? weir_table_find(d->knows->refs, name) : NULL;
    weir_str_t      nearest;

    if (known == NULL && name.len != 0) {
        known = weir_new(&d->generation->arena, weir_var_ref_t);
        if (!weir_vars_find(d->generation->vars, name, known, &nearest)) {
            known->row = NULL;
        }
        (void) weir_table_add(d->knows->refs, name, known);
    }
    *ref = known != NULL ? *known : (weir_var_ref_t) { .row = NULL };
    return ref->row != NULL;
}

/* Of one that the configuration defines (row is that of all of them): does a policy fill it in? */
static bool
depends_is_made(const depends_t *d, const weir_var_ref_t *source)
{
    weir_var_ref_t ref;

    for (size_t i = 0; i < d->knows->made.n; i++) {
        if (depends_find(d, d->knows->made.at[i], &ref) && ref.row == source->row && ref.slot == source->slot) {
            return true;
        }
    }
    return false;
}

static bool
depends_is_given(const depends_t *d, const weir_var_ref_t *source)
{
    for (size_t i = 0; i < d->knows->given.n; i++) {
        weir_str_t given = d->knows->given.at[i], name = weir_str_from_z(source->row->name);

        if ((weir_str_starts(given, name) && weir_str_eq(weir_str_skip(given, name.len), source->suffix))
            || (weir_str_eq(name, WEIR_STR("cookie_")) && weir_str_eq(given, WEIR_STR("http_cookie"))))
        {
            return true;
        }
    }
    return false;
}

static bool
depends_is_known(const depends_t *d, const weir_var_ref_t *source)
{
    static const char *const known[] = {
        "arg_", "args", "document_root", "document_uri", "host", "hostname", "https", "is_args", "is_request_port",
        "nginx_version", "proxy_host", "proxy_port", "query_string", "request", "request_filename", "request_method",
        "request_port", "request_uri", "route", "scheme", "server_name", "server_port", "uri", "weir_version",
    };
    static const char *const of_client[] = { "remote_addr", "binary_remote_addr" };
    static const char *const of_fields[] = { "content_length", "content_type", "cookie_", "http_", "remote_user" };
    const weir_variable_t   *row = source->row;

    if (strcmp(row->name, "proxy_add_x_forwarded_for") == 0) {
        return d->knows->has_ip && d->knows->has_fields;
    }
    if (row->name[0] == '\0') {
        return !depends_is_made(d, source);
    }
    if (strcmp(row->name, "http_") == 0 && weir_str_eq(source->suffix, WEIR_STR("host"))) {
        return true;
    }
    return depends_lists(known, weir_countof(known), row)
        || (d->knows->has_ip && depends_lists(of_client, weir_countof(of_client), row))
        || (depends_lists(of_fields, weir_countof(of_fields), row)
            && (d->knows->has_fields || depends_is_given(d, source)))
        || depends_is_judged(d, row);
}

static void
depends_on_source(void *data, const weir_var_ref_t *source)
{
    const depends_t *d = data;
    char             text[200];

    if (!depends_is_known(d, source)) {
        (void) snprintf(text, sizeof(text), "$%s%.*s", source->row->name,
                        (int) (source->row->is_prefix ? weir_min(source->suffix.len, 100) : 0),
                        source->row->is_prefix ? source->suffix.at : "");
        depends_add(d, weir_str_from_z(text));
    }
}

static bool
depends_is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void
depends_on_name(depends_t *d, weir_str_t name)
{
    weir_var_ref_t ref;

    if (depends_find(d, name, &ref)) {
        weir_vars_each_source(d->generation->vars, &ref, depends_on_source, d);
    }
}

/* $name and ${name}. */
static void
depends_on_word(depends_t *d, weir_str_t word)
{
    for (size_t i = 0; i < word.len; i++) {
        size_t begin = i + 1, end;

        if (word.at[i] != '$') {
            continue;
        }
        begin += begin < word.len && word.at[begin] == '{';
        for (end = begin; end < word.len && depends_is_name(word.at[end]); end++) {
        }
        depends_on_name(d, weir_str(word.at + begin, end - begin));
        i = end - 1;
    }
}

static void
depends_on_words(depends_t *d, const weir_conf_words_t *words, size_t from)
{
    d->words = words;
    for (size_t i = from; i < words->n; i++) {
        if (!words->at[i].is_literal) {
            depends_on_word(d, words->at[i].text);
        }
    }
}

/* -- what was run -- */

/* `if (-f …)` and its like. */
static bool
depends_asks_files(const weir_conf_words_t *words)
{
    weir_str_t first;

    if (words->n < 2 || !weir_str_eq(words->at[0].text, WEIR_STR("if"))) {
        return false;
    }
    first = words->at[1].text;
    if (weir_str_starts(first, WEIR_STR("("))) {
        first = weir_str_skip(first, 1);
    }
    if (first.len == 0 && words->n > 2) {
        first = words->at[2].text;
    }
    return weir_str_starts(first, WEIR_STR("-")) || weir_str_starts(first, WEIR_STR("!-"));
}

static void
depends_on_steps(depends_t *d)
{
    for (const weir_probe_step_t *step = d->answer->steps; step != NULL; step = step->next) {
        depends_on_words(d, step->words, 1);
        if (depends_asks_files(step->words)) {
            depends_add(d, WEIR_STR("files, as the user who runs this tool sees them"));
        }
    }
}

/* -- the connection -- */

static void
depends_on_connection(depends_t *d)
{
    const weir_explain_case_t  *c = d->c;
    const weir_http_tls_conf_t *tls = c->answer->server != NULL ? c->answer->server->conf[weir_http_ssl_index] : NULL;

    d->words = NULL;
    if (c->n_listens > 1) {
        depends_add(d, WEIR_STR("the address that the client connects to: several listen at this port"));
    }
    if (c->listen->base.is_proxied) {
        depends_add(d, WEIR_STR("the PROXY protocol header of the connection"));
    }
    if (c->request->is_tls && tls != NULL && tls->verify != WEIR_TLS_VERIFY_OFF) {
        depends_add(d, WEIR_STR("the client's certificate"));
    }
}

/* -- what answers -- */

static void
depends_on_lines(depends_t *d, const weir_conf_block_t *block, const char *const *names, size_t n)
{
    for (bool goes_on = true; goes_on; goes_on = (block->context & WEIR_IN_PART) != 0, block = block->parent) {
        for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
            for (size_t i = 0; i < n; i++) {
                if (strcmp(line->row->name, names[i]) == 0) {
                    depends_on_words(d, line->words, 1);
                }
            }
        }
    }
}

/* What a policy will say: its line. */
static void
depends_on_policy(depends_t *d, size_t module, const weir_conf_words_t *line)
{
    char text[200];

    d->words = line;
    (void) snprintf(text, sizeof(text), "what %s says", weir_modules[module]->name);
    depends_add(d, weir_str_from_z(text));
    d->words = NULL;
}

static void
depends_on_policies(depends_t *d)
{
    for (const weir_probe_judgement_t *j = d->answer->judgements; j != NULL; j = j->next) {
        if (j->verdict == WEIR_PROBE_DEPENDS) {
            depends_on_policy(d, j->module, weir_explain_judging_line(j));
        }
    }
}

/* Policies that look at bodies, at files or at dice; a copy that goes elsewhere changes nothing for the client. */
static void
depends_on_bodies(depends_t *d, const weir_http_pipeline_t *pipeline)
{
    for (uint16_t k = 0; k < pipeline->n[WEIR_PHASE_PRECONTENT]; k++) {
        for (size_t i = 0; i < weir_modules_count; i++) {
            const weir_http_module_t *m = weir_http_modules[i];

            if (m != NULL && m->on[WEIR_PHASE_PRECONTENT] == pipeline->phase[WEIR_PHASE_PRECONTENT][k].run
                && (m->pure >> WEIR_PHASE_PRECONTENT & 1) == 0 && strcmp(m->name, "http_mirror") != 0)
            {
                const weir_probe_judgement_t asked = { .module = i, .place = d->answer->place };

                depends_on_policy(d, i, weir_explain_judging_line(&asked));
            }
        }
    }
}

static void
depends_on_target(depends_t *d)
{
    static const char *const texts[] = { "proxy_pass", "grpc_pass", "rewrite_path", "rewrite_prefix", "rewrite_host",
                                         "proxy_method", "root", "alias", "redirect", "split_key" };
    const weir_probe_answer_t *answer = d->answer;
    const weir_http_pipeline_t *pipeline = weir_probe_pipeline(answer->place);
    const weir_group_conf_t *group = answer->proxy != NULL ? weir_proxy_pass_group(d->generation, answer->preview.pass)
                                                             : NULL;

    depends_on_lines(d, answer->place->block, texts, weir_countof(texts));
    d->words = NULL;
    if (answer->proxy != NULL && answer->proxy->pass.targets != NULL) {
        depends_add(d, WEIR_STR("the weights of the targets, and whose turn it is"));
        if (answer->proxy->pass.targets->canary != NULL) {
            depends_add(d, WEIR_STR("at which step the canary is"));
        }
    }
    if (group != NULL && group->n_peers > 1) {
        depends_add(d, WEIR_STR("which servers of the group are healthy, and whose turn it is"));
    }
    if (answer->proxy != NULL && group == NULL && answer->preview.problem == NULL) {
        depends_add(d, WEIR_STR("what the resolver says of the name"));
    }
    if (answer->file.len != 0) {
        depends_add(d, WEIR_STR("whether the file is there"));
    }
    depends_on_bodies(d, pipeline);
}

json_t *
weir_explain_depends(const weir_explain_case_t *c)
{
    depends_t d = { .doubts = json_array(), .generation = c->generation, .knows = c->knows, .answer = c->answer,
                    .c = c };

    depends_on_connection(&d);
    depends_on_steps(&d);
    depends_on_policies(&d);
    if (c->answer->arrived && c->answer->status == 0 && c->answer->place != NULL) {
        depends_on_target(&d);
    }
    return d.doubts;
}

/* -- what a policy looks at -- */

/* `auth_request_set $name …`, `auth_jwt_claim_set $name …` and the like. */
static bool
depends_makes(const weir_conf_line_t *line)
{
    return weir_str_ends(weir_str_from_z(line->row->name), WEIR_STR("_set")) && line->words->n > 1
        && weir_str_starts(line->words->at[1].text, WEIR_STR("$"));
}

static void
depends_on_its_line(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    (void) from;
    if (!depends_makes(line)) {                  /* (what a policy finds out it does not look at) */
        depends_on_words(data, line->words, 1);
    }
}

bool
weir_explain_decides(weir_generation_t *generation, const weir_explain_knows_t *knows,
                     const weir_probe_answer_t *answer, const weir_http_location_t *place, size_t module)
{
    depends_t                 d = { .doubts = json_array(), .generation = generation, .knows = knows,
                                    .answer = answer, .module = module };
    const weir_http_module_t *m = weir_http_modules[module];
    weir_str_t                name, rest = weir_str_from_z(m->looks_at);
    bool                      is_known;

    while (rest.len != 0) {
        (void) weir_str_cut(rest, ' ', &name, &rest);
        depends_on_name(&d, name);
    }
    weir_explain_each_line(place->block, module, NULL, depends_on_its_line, &d);
    is_known = json_array_size(d.doubts) == 0 && (m->judges_head == NULL || knows->has_fields);
    json_decref(d.doubts);
    return is_known;
}

/* What a policy has found out. */
static void
depends_add_made(weir_arena_t *arena, weir_str_t name, weir_strs_t *made, size_t room)
{
    for (size_t i = 0; i < made->n; i++) {
        if (weir_str_eq_fold(made->at[i], name)) {
            return;
        }
    }
    weir_assert(made->n < room);                 /* each has a slot */
    made->at[made->n++] = weir_str_lower(arena, name);
}

static void
depends_find_made(weir_arena_t *arena, const weir_conf_block_t *block, weir_strs_t *made, size_t room)
{
    for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
        if (depends_makes(line)) {
            depends_add_made(arena, weir_str_skip(line->words->at[1].text, 1), made, room);
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        depends_find_made(arena, inner, made, room);
    }
}

void
weir_explain_find_made(weir_generation_t *generation, weir_explain_knows_t *knows)
{
    size_t room = weir_vars_slots(generation->vars);

    knows->made.at = weir_new_n(&generation->arena, weir_str_t, room + 1);
    knows->made.n = 0;
    knows->refs = weir_new(&generation->arena, weir_table_t);
    weir_table_init(knows->refs, &generation->arena);
    depends_find_made(&generation->arena, generation->root, &knows->made, room);
}
