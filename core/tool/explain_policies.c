/*
 * explain_policies.c - what a place does with requests, phase by phase, and the directives that say so there or around
 * it.
 */
#include "tool/explain_facts.h"

#include <string.h>

extern const size_t weir_http_rewrite_index;

/* -- lines -- */

/* Does a line of an outer block hold in `block`? */
static bool
policies_reaches(const weir_conf_block_t *block, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    if (from == block) {
        return true;
    }
    switch (line->row->inherit) {
    case WEIR_OWN:
        return false;
    case WEIR_LOCAL:
        return (block->context & WEIR_IN_PART) != 0 && block->parent == from;
    case WEIR_REPLACE:
    case WEIR_APPEND:
        break;
    }
    return true;
}

/* Is it said again nearer to the place?  Lists that outer blocks are a part of say it beside. */
static bool
policies_is_replaced(const weir_conf_block_t *block, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    if (line->row->inherit == WEIR_APPEND) {
        return false;
    }
    for (; block != from; block = block->parent) {
        for (const weir_conf_line_t *other = block->lines; other != NULL; other = other->next) {
            if (other->module == line->module && strcmp(other->row->name, line->row->name) == 0) {
                return true;
            }
        }
    }
    return false;
}

void
weir_explain_each_line(const weir_conf_block_t *block, size_t module, const char *name,
                       void (*each)(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line),
                       void *data)
{
    for (const weir_conf_block_t *from = block; from != NULL; from = from->parent) {
        for (const weir_conf_line_t *line = from->lines; line != NULL; line = line->next) {
            if (line->module == module && (name == NULL || strcmp(line->row->name, name) == 0)
                && policies_reaches(block, from, line) && !policies_is_replaced(block, from, line))
            {
                each(data, from, line);
            }
        }
    }
}

typedef struct { json_t *lines; const weir_conf_block_t *block; } policies_lines_t;

static void
policies_tell_line(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    const policies_lines_t *to = data;
    json_t                 *told = weir_explain_line(line->words);

    (void) json_object_set_new(told, "inherited", json_boolean(from != to->block));
    (void) json_array_append_new(to->lines, told);
}

json_t *
weir_explain_lines(const weir_conf_block_t *block, size_t module, const char *name)
{
    policies_lines_t to = { .lines = json_array(), .block = block };

    weir_explain_each_line(block, module, name, policies_tell_line, &to);
    return to.lines;
}

/* -- which line has judged -- */

typedef struct {
    const weir_probe_judgement_t *judgement;
    const weir_conf_words_t      *found;
    unsigned                      best;
} policies_find_t;

/* Do the words behind the directive begin with this text, with a space between two? */
static bool
policies_says(const weir_conf_words_t *words, weir_str_t text)
{
    for (size_t i = 1; i < words->n && text.len != 0; i++) {
        if (!weir_str_starts(text, words->at[i].text)) {
            return false;
        }
        text = weir_str_skip(text, words->at[i].text.len);
        text = weir_str_starts(text, WEIR_STR(" ")) ? weir_str_skip(text, 1) : text;
    }
    return text.len == 0;
}

static void
policies_look(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    policies_find_t              *find = data;
    const weir_probe_judgement_t *j = find->judgement;
    bool     is_named = j->policy != NULL && strcmp(line->row->name, j->policy) == 0;
    unsigned suits = !is_named ? 1 : j->name.len != 0 && policies_says(line->words, j->name) ? 3 : 2;

    (void) from;
    if (suits > find->best) {
        find->best = suits;
        find->found = line->words;
    }
}

const weir_conf_words_t *
weir_explain_judging_line(const weir_probe_judgement_t *judgement)
{
    policies_find_t find = { .judgement = judgement };

    weir_explain_each_line(judgement->place->block, judgement->module, NULL, policies_look, &find);
    return find.found;
}

/* -- handlers -- */

static void
policies_add(json_t *policies, const char *phase, const weir_conf_block_t *block, size_t module, const char *name,
             bool always)
{
    json_t *lines = weir_explain_lines(block, module, name), *policy;

    if (!always && json_array_size(lines) == 0) {
        json_decref(lines);
        return;
    }
    policy = json_object();
    (void) json_object_set_new(policy, "phase", json_string(phase));
    (void) json_object_set_new(policy, "module", json_string(weir_modules[module]->name));
    (void) json_object_set_new(policy, "lines", lines);
    (void) json_array_append_new(policies, policy);
}

static const char *
policies_verdict(const weir_probe_answer_t *answer, const weir_conf_block_t *block, size_t module, weir_phase_t phase)
{
    static const char *const words[] = { [WEIR_PROBE_DEPENDS] = "depends", [WEIR_PROBE_PASSED] = "passes",
                                         [WEIR_PROBE_REFUSED] = "refuses", [WEIR_PROBE_ANSWERED] = "answers",
                                         [WEIR_PROBE_REHEARSED] = "refuses (dry run)" };
    const char              *verdict = NULL;

    for (const weir_probe_judgement_t *j = answer != NULL ? answer->judgements : NULL; j != NULL; j = j->next) {
        if (j->module == module && j->phase == phase && j->place->block == block) {
            verdict = words[j->verdict];
        }
    }
    return verdict;
}

static void
policies_phase(json_t *policies, const char *name, weir_phase_t phase, const weir_conf_block_t *block,
               const weir_http_pipeline_t *pipeline, const weir_probe_answer_t *answer)
{
    for (uint16_t k = 0; k < pipeline->n[phase]; k++) {
        const weir_http_handler_t *h = &pipeline->phase[phase][k];

        for (size_t i = 0; i < weir_modules_count; i++) {
            const weir_http_module_t *m = weir_http_modules[i];

            if (m != NULL && m->on[phase] == h->run && block->confs[i] == h->conf && i != weir_http_rewrite_index) {
                const char *verdict = policies_verdict(answer, block, i, phase);

                policies_add(policies, name, block, i, NULL, phase != WEIR_PHASE_FILTER);
                if (verdict != NULL && json_array_size(policies) != 0) {
                    (void) json_object_set_new(json_array_get(policies, json_array_size(policies) - 1), "verdict",
                                               json_string(verdict));
                }
            }
        }
    }
}

static void
policies_answers(json_t *policies, const weir_conf_block_t *block, const weir_http_pipeline_t *pipeline)
{
    for (uint16_t k = 0; k < pipeline->n_filters; k++) {
        for (size_t i = 0; i < weir_modules_count; i++) {
            const weir_http_module_t *m = weir_http_modules[i];

            if (m != NULL && m->filter_head == pipeline->filters[k].run && block->confs[i] == pipeline->filters[k].conf
                && m->on[WEIR_PHASE_CONTENT] == NULL)
            {
                policies_add(policies, "answer", block, i, NULL, false);
            }
        }
    }
}

json_t *
weir_explain_policies(const weir_http_location_t *place, const weir_probe_answer_t *answer)
{
    static const struct { weir_phase_t phase; const char *name; } phases[] = {
        { WEIR_PHASE_REWRITE, "rewrite" }, { WEIR_PHASE_PREACCESS, "preaccess" }, { WEIR_PHASE_ACCESS, "access" },
        { WEIR_PHASE_FILTER, "request" }, { WEIR_PHASE_PRECONTENT, "precontent" },
    };
    const weir_http_pipeline_t *pipeline = weir_probe_pipeline(place);
    json_t *policies = json_array();

    policies_add(policies, "all", place->block, weir_http_core_index, "dry_run", false);
    policies_add(policies, "body", place->block, weir_http_core_index, "client_max_body_size", false);
    for (size_t i = 0; i < weir_countof(phases); i++) {
        if (phases[i].phase == WEIR_PHASE_ACCESS) {
            policies_add(policies, "access", place->block, weir_http_core_index, "satisfy", false);
            policies_add(policies, "access", place->block, weir_http_core_index, "default_deny", false);
        }
        policies_phase(policies, phases[i].name, phases[i].phase, place->block, pipeline, answer);
    }
    policies_answers(policies, place->block, pipeline);
    policies_add(policies, "errors", place->block, weir_http_core_index, "error_page", false);
    return policies;
}
