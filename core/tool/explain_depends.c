/*
 * explain_depends.c - what only run time knows: variables of the connection and of what happens later, files, weights,
 * which server of a group, what policies say.
 *
 * A variable is taken for known only where it is listed here: a new one is a doubt until somebody thinks about it.
 */
#include "tool/explain_facts.h"

#include "http/proxy/split.h"
#include "http/route/blocks.h"
#include "http/tls/conf.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    json_t                    *doubts;
    const weir_explain_case_t *c;
    const weir_conf_words_t   *words;
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
depends_is_known(const depends_t *d, const weir_variable_t *row)
{
    static const char *const known[] = {
        "", "arg_", "args", "content_length", "content_type", "cookie_", "document_root", "document_uri", "host",
        "hostname", "http_", "https", "is_args", "is_request_port", "nginx_version", "proxy_host", "proxy_port",
        "query_string", "remote_user", "request", "request_filename", "request_method", "request_port", "request_uri",
        "route", "scheme", "server_name", "server_port", "uri", "weir_version",
    };
    static const char *const of_client[] = { "remote_addr", "binary_remote_addr", "proxy_add_x_forwarded_for" };

    for (size_t i = 0; i < weir_countof(known); i++) {
        if (strcmp(row->name, known[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < weir_countof(of_client) && d->c->has_ip; i++) {
        if (strcmp(row->name, of_client[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
depends_on_source(void *data, const weir_var_ref_t *source)
{
    const depends_t *d = data;
    char             text[200];

    if (!depends_is_known(d, source->row)) {
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
    weir_str_t     nearest;

    if (name.len != 0 && weir_vars_find(d->c->generation->vars, name, &ref, &nearest)) {
        weir_vars_each_source(d->c->generation->vars, &ref, depends_on_source, d);
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
        depends_on_word(d, words->at[i].text);
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
    for (const weir_probe_step_t *step = d->c->answer->steps; step != NULL; step = step->next) {
        depends_on_words(d, step->words, 1);
        if (depends_asks_files(step->words)) {
            depends_add(d, WEIR_STR("files, as who runs this tool sees them"));
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

/* -- who answers -- */

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

static void
depends_on_target(depends_t *d)
{
    static const char *const texts[] = { "proxy_pass", "grpc_pass", "rewrite_path", "rewrite_prefix", "rewrite_host",
                                         "proxy_method", "root", "alias", "redirect", "split_key" };
    const weir_probe_answer_t *answer = d->c->answer;
    const weir_http_pipeline_t *pipeline = weir_probe_pipeline(answer->place);
    const weir_group_conf_t *group = answer->proxy != NULL ? answer->preview.pass->group : NULL;

    depends_on_lines(d, answer->place->block, texts, weir_countof(texts));
    d->words = NULL;
    if (answer->proxy != NULL && answer->proxy->pass.targets != NULL) {
        depends_add(d, WEIR_STR("the weights of the targets, and whose turn it is"));
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
    if (pipeline->n[WEIR_PHASE_PREACCESS] + pipeline->n[WEIR_PHASE_ACCESS] != 0
        || answer->place->core->default_deny.on)
    {
        depends_add(d, WEIR_STR("what the policies of the phases preaccess and access say"));
    }
}

json_t *
weir_explain_depends(const weir_explain_case_t *c)
{
    depends_t d = { .doubts = json_array(), .c = c };

    depends_on_connection(&d);
    depends_on_steps(&d);
    if (c->answer->arrived && c->answer->place != NULL) {
        depends_on_target(&d);
    }
    return d.doubts;
}
