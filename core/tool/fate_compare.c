/*
 * fate_compare.c - two fates of one request, and what two sides cannot know of it.
 *
 * What a request loses, in words: the manual's page "explain" has them, too.
 *   A guard is lost when the old place had it and the new one has neither it nor more of its kind: a policy that asks
 *   for the client's identity may be replaced by another such one; one that looks at addresses or at the request may
 *   not.
 *   A route is lost when what was taken (passed on, or answered with less than 400) is refused, finds no server or gets
 *   an error now; when its host was a name of its server and is none now; or when another place takes it, and other
 *   things are done there.
 */
#include "tool/fate.h"

#include "http/match/match.h"
#include "http/route/blocks.h"
#include "log/log.h"

#include <string.h>

/* -- guards -- */

static bool
fate_same_modules(const weir_fate_guard_t *a, const weir_fate_guard_t *b)
{
    return memcmp(a->any, b->any, sizeof(a->any)) == 0;
}

/* A request that passes `new` has passed one of `old`. */
static bool
fate_covers(const weir_fate_guard_t *new, const weir_fate_guard_t *old)
{
    for (size_t i = 0; i < weir_countof(new->any); i++) {
        if ((new->any[i] & ~old->any[i]) != 0) {
            return false;
        }
    }
    return !fate_same_modules(new, old) || new->weight >= old->weight;
}

/* The first of the old that nothing stands for any more; NULL: all stand. */
static const weir_fate_guard_t *
fate_lost_guard(const weir_fate_guards_t *old, const weir_fate_guards_t *new)
{
    size_t spare = 0;                            /* new ones that ask for an identity, and were not there */

    for (size_t i = 0; new != NULL && i < new->n; i++) {
        bool is_old = false;

        for (size_t k = 0; k < old->n; k++) {
            is_old = is_old || fate_covers(&new->at[i], &old->at[k]);
        }
        spare += new->at[i].is_identity && !is_old;
    }
    for (size_t k = 0; k < old->n; k++) {
        bool stands = false;

        for (size_t i = 0; new != NULL && i < new->n; i++) {
            stands = stands || fate_covers(&new->at[i], &old->at[k]);
        }
        if (stands) {
            continue;
        }
        if (!old->at[k].is_identity || spare == 0) {
            return &old->at[k];
        }
        spare--;
    }
    return NULL;
}

/* Does the client get anything there that a guard could have kept from it? */
static bool
fate_gives(const weir_fate_t *fate)
{
    return fate->outcome == WEIR_FATE_PASSED || (fate->outcome == WEIR_FATE_ANSWERED && fate->status < 300);
}

/* -- routes -- */

static bool
fate_is_taken(const weir_fate_t *fate)
{
    return fate->outcome == WEIR_FATE_PASSED || (fate->outcome == WEIR_FATE_ANSWERED && fate->status < 400);
}

static bool
fate_same_place(const weir_fate_t *a, const weir_fate_t *b)
{
    return a->is_route == b->is_route && weir_str_eq(a->server, b->server) && weir_str_eq(a->place, b->place);
}

/* Whatever the place is called. */
static bool
fate_same_deed(const weir_fate_t *a, const weir_fate_t *b)
{
    return a->outcome == b->outcome && a->status == b->status && a->cause == b->cause && a->problem == b->problem
        && weir_str_eq(a->redirect, b->redirect) && weir_str_eq(a->upstream, b->upstream)
        && weir_str_eq(a->method, b->method) && weir_str_eq(a->target, b->target) && weir_str_eq(a->file, b->file);
}

static const char *
fate_lost_route(const weir_fate_t *old, const weir_fate_t *new)
{
    if (!fate_is_taken(old)) {
        return NULL;
    }
    if (new->outcome == WEIR_FATE_NO_LISTENER) {
        return "no server listens there";
    }
    if (new->outcome == WEIR_FATE_UNROUTED) {
        return "no route and no location takes it";
    }
    if (!fate_is_taken(new)) {
        return new->is_stopped ? NULL : "it gets an error";       /* what a policy refuses has its route */
    }
    if (old->is_named && !new->is_named) {
        return "its host is no server's name, and the default server takes it";
    }
    return fate_same_place(old, new) || fate_same_deed(old, new) ? NULL : "another place takes it";
}

static bool
fate_same_guards(const weir_fate_guards_t *a, const weir_fate_guards_t *b)
{
    if (a == NULL || b == NULL || a->n != b->n) {
        return (a == NULL || a->n == 0) && (b == NULL || b->n == 0);
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!fate_same_modules(&a->at[i], &b->at[i]) || a->at[i].weight != b->at[i].weight) {
            return false;
        }
    }
    return true;
}

weir_fate_verdict_t
weir_fate_compare(const weir_fate_t *old, const weir_fate_t *new)
{
    weir_fate_verdict_t verdict = { .changes_guards = !fate_same_guards(old->guards, new->guards) };
    const char         *route = fate_lost_route(old, new);

    verdict.changes = verdict.changes_guards || !fate_same_place(old, new) || !fate_same_deed(old, new);
    verdict.guard = old->guards != NULL && fate_gives(new) ? fate_lost_guard(old->guards, new->guards) : NULL;
    verdict.loses_guard = verdict.guard != NULL || (old->is_stopped && fate_gives(new));
    verdict.loses_route = route != NULL;
    verdict.why = verdict.guard != NULL ? "a policy that it had to pass is gone"
                : verdict.loses_guard   ? "a policy refused it, and none does now"
                                        : route;
    return verdict;
}

/* -- telling -- */

static void
fate_set(json_t *told, const char *name, weir_str_t text)
{
    if (text.len != 0) {
        (void) json_object_set_new(told, name, weir_explain_text(text));
    }
}

static json_t *
fate_policies(const weir_fate_guards_t *guards)
{
    char       text[1024];
    weir_buf_t out;

    weir_buf_init(&out, text, sizeof(text));
    for (size_t i = 0; guards != NULL && i < guards->n; i++) {
        weir_buf_printf(&out, "%s%s", i != 0 ? " " : "", guards->at[i].name);
        if (guards->at[i].weight > 2) {
            weir_buf_printf(&out, "(%u)", guards->at[i].weight - 1);
        }
    }
    return weir_explain_text(weir_buf_str(&out).len != 0 ? weir_buf_str(&out) : WEIR_STR("none"));
}

json_t *
weir_fate_tell(const weir_fate_t *fate, bool with_guards)
{
    static const char *const words[] = { "no listener", "unrouted", "refused", "answered", "passed" };
    json_t                  *told = json_object();

    if (fate->server.len != 0 || fate->place.len != 0) {
        (void) json_object_set_new(told, "server", weir_explain_text(fate->server));
    }
    fate_set(told, fate->is_route ? "route" : "location", fate->place);
    (void) json_object_set_new(told, "outcome", json_string(words[fate->outcome]));
    if (fate->status != 0) {
        (void) json_object_set_new(told, "status", json_integer(fate->status));
    }
    if (fate->cause != WEIR_CAUSE_NONE && fate->cause != WEIR_CAUSE_ROUTE_RETURN) {
        fate_set(told, "cause", weir_cause_row(fate->cause)->word);
    }
    if (fate->problem != NULL) {
        (void) json_object_set_new(told, "problem", json_string(fate->problem));
    }
    fate_set(told, "redirect", fate->redirect);
    fate_set(told, "upstream", fate->upstream);
    if (fate->target.len != 0) {
        (void) json_object_set_new(told, "asks", weir_explain_target(fate->target));
    }
    fate_set(told, "file", fate->file);
    if (with_guards) {
        (void) json_object_set_new(told, "policies", fate_policies(fate->guards));
    }
    return told;
}

/* -- what is not known -- */

typedef struct {
    const weir_explain_knows_t *knows;
    void                      (*each)(void *data, weir_str_t what, const weir_conf_words_t *words);
    void                       *data;
} fate_unknown_t;

/* As a variable spells a field's name. */
static bool
fate_is_given(const weir_explain_knows_t *knows, const char *prefix, weir_str_t name)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < knows->given.n; i++) {
        weir_str_t given = knows->given.at[i];
        bool       same = given.len == len + name.len && weir_str_starts(given, weir_str(prefix, len));

        for (size_t k = 0; same && k < name.len; k++) {
            char c = weir_char_lower(name.at[k]);

            same = given.at[len + k] == (c == '-' ? '_' : c);
        }
        if (same || (strcmp(prefix, "cookie_") == 0 && weir_str_eq(given, WEIR_STR("http_cookie")))) {
            return true;
        }
    }
    return knows->has_fields;
}

static void
fate_unknown_rule(const fate_unknown_t *u, const weir_rule_t *rule)
{
    char text[160];

    for (size_t i = 0; i < rule->n_preds; i++) {
        const weir_predicate_t *pred = &rule->preds[i];
        bool                    is_header = pred->kind == WEIR_PRED_HEADER;

        if ((is_header || pred->kind == WEIR_PRED_COOKIE) && rule->words != NULL
            && !fate_is_given(u->knows, is_header ? "http_" : "cookie_", pred->name))
        {
            (void) snprintf(text, sizeof(text), "%s %.*s", is_header ? "header" : "cookie",
                            (int) weir_min(pred->name.len, 100), pred->name.at);
            u->each(u->data, weir_str_from_z(text), rule->words);
        }
    }
}

static void
fate_unknown_word(const fate_unknown_t *u, weir_str_t word, const weir_conf_words_t *words)
{
    static const char *const prefixes[] = { "http_", "cookie_" };
    char                     text[160];

    for (size_t i = 0; i + 1 < word.len; i++) {
        weir_str_t name = weir_str_skip(word, i + 1);
        size_t     n = 0;

        if (word.at[i] != '$') {
            continue;
        }
        name = name.at[0] == '{' ? weir_str_skip(name, 1) : name;
        while (n < name.len && ((name.at[n] >= 'a' && name.at[n] <= 'z') || (name.at[n] >= 'A' && name.at[n] <= 'Z')
                                || (name.at[n] >= '0' && name.at[n] <= '9') || name.at[n] == '_'))
        {
            n++;
        }
        name.len = n;
        for (size_t k = 0; k < weir_countof(prefixes); k++) {
            if (weir_str_starts(name, weir_str_from_z(prefixes[k])) && !weir_str_eq(name, WEIR_STR("http_host"))
                && !fate_is_given(u->knows, prefixes[k], weir_str_skip(name, strlen(prefixes[k]))))
            {
                (void) snprintf(text, sizeof(text), "$%.*s", (int) weir_min(name.len, 100), name.at);
                u->each(u->data, weir_str_from_z(text), words);
            }
        }
    }
}

/* What decides where a request goes: conditions of routes, `if`, and what is mapped. */
static void
fate_unknown_of(const fate_unknown_t *u, const weir_conf_block_t *block)
{
    static const char *const deciding[] = { "if", "set", "map", "rewrite", "return", "proxy_pass", "grpc_pass" };

    if (block->context == WEIR_IN_ROUTE) {
        const weir_http_route_t *route = ((const weir_http_location_t *) block->owner)->route;

        for (size_t i = 0; i < route->n_lines; i++) {
            fate_unknown_rule(u, route->lines[i]);
        }
    }
    for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
        for (size_t i = 0; i < weir_countof(deciding); i++) {
            for (size_t k = 1; strcmp(line->row->name, deciding[i]) == 0 && k < line->words->n; k++) {
                if (!line->words->at[k].is_literal) {
                    fate_unknown_word(u, line->words->at[k].text, line->words);
                }
            }
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        fate_unknown_of(u, inner);
    }
}

void
weir_fate_side_each_unknown(const weir_fate_side_t *side, const weir_explain_knows_t *knows,
                       void (*each)(void *data, weir_str_t what, const weir_conf_words_t *words), void *data)
{
    const fate_unknown_t u = { .knows = knows, .each = each, .data = data };

    fate_unknown_of(&u, weir_fate_side_generation(side)->root);
}

static bool
fate_minds(const weir_conf_block_t *block)
{
    static const char *const names[] = { "allow", "deny", "geo", "set_real_ip_from" };

    for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
        for (size_t i = 0; i < weir_countof(names); i++) {
            if (strcmp(line->row->name, names[i]) == 0) {
                return true;
            }
        }
        for (size_t i = 0; i < line->words->n; i++) {
            weir_str_t word = line->words->at[i].text;

            for (size_t k = 0; k < word.len && strcmp(line->row->name, "log_format") != 0; k++) {
                if (weir_str_starts(weir_str_skip(word, k), WEIR_STR("remote_addr"))
                    || weir_str_starts(weir_str_skip(word, k), WEIR_STR("forwarded_for")))
                {
                    return true;
                }
            }
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (fate_minds(inner)) {
            return true;
        }
    }
    return false;
}

bool
weir_fate_side_minds_clients(const weir_fate_side_t *side)
{
    return fate_minds(weir_fate_side_generation(side)->root);
}
