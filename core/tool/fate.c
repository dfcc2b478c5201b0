/*
 * fate.c - see fate.h: requests are asked of one side.
 */
#include "tool/fate.h"

#include "base/mem.h"
#include "base/table.h"
#include "http/match/match.h"
#include "http/tls/conf.h"

#include <errno.h>
#include <string.h>

/* Of a place: what stands before it, over TLS and not; and whether requests came to it, by its lines. */
typedef struct {
    const weir_http_location_t *place;
    weir_fate_guards_t          guards[2];
    bool                        has_guards[2], seen;
} side_place_t;

/* Is all known that a module looks at in a place? */
typedef struct { const void *place, *given; size_t module; bool decides; } side_decision_t;

struct weir_side {
    weir_generation_t    *generation;
    weir_probe_t         *probe;
    weir_arena_t          arena;
    weir_explain_knows_t  knows;
    weir_table_t          places, decisions, lines;       /* by the bytes of what is pointed at; lines: seen ones */
    bool                  is_tls;                         /* of the request under way */
};

/* -- its life -- */

weir_fate_side_t *
weir_fate_side_open(weir_generation_t *generation, const char *tool)
{
    weir_fate_side_t *side = weir_mem_need(sizeof(*side));

    memset(side, 0, sizeof(*side));
    weir_assert(weir_modules_count <= WEIR_FATE_MODULES);
    side->generation = generation;
    side->probe = weir_probe_create(generation);
    if (side->probe == NULL) {
        fprintf(stderr, "weir: %s: an event loop cannot be made (%d: %s)\n", tool, errno, strerror(errno));
        weir_generation_unref(generation);
        weir_mem_free(side);
        return NULL;
    }
    weir_arena_init(&side->arena, 16384);
    weir_table_init(&side->places, &side->arena);
    weir_table_init(&side->decisions, &side->arena);
    weir_table_init(&side->lines, &side->arena);
    weir_explain_find_made(generation, &side->knows);
    return side;
}

void
weir_fate_side_close(weir_fate_side_t *side)
{
    if (side != NULL) {
        weir_probe_destroy(side->probe);
        weir_arena_fini(&side->arena);
        weir_generation_unref(side->generation);
        weir_mem_free(side);
    }
}

const weir_generation_t *
weir_fate_side_generation(const weir_fate_side_t *side)
{
    return side->generation;
}

/* -- places -- */

static side_place_t *
side_place(weir_fate_side_t *side, const weir_http_location_t *place)
{
    weir_str_t    key = weir_str((const char *) &place, sizeof(place));
    side_place_t *found = weir_table_find(&side->places, key);

    if (found == NULL) {
        found = weir_new(&side->arena, side_place_t);
        found->place = place;
        (void) weir_table_add(&side->places, weir_str((const char *) &found->place, sizeof(found->place)), found);
    }
    return found;
}

static bool
side_decides(void *data, const weir_probe_answer_t *answer, const weir_http_location_t *place, size_t module)
{
    weir_fate_side_t     *side = data;
    side_decision_t  asked, *found;
    weir_str_t       key = weir_str((const char *) &asked, offsetof(side_decision_t, decides));

    memset(&asked, 0, sizeof(asked));
    asked.place = place;
    asked.given = side->knows.given.at;
    asked.module = module | (size_t) side->knows.has_ip << 32;
    found = weir_table_find(&side->decisions, key);
    if (found == NULL) {
        found = weir_new(&side->arena, side_decision_t);
        memcpy(found, &asked, sizeof(asked));
        found->decides = weir_explain_decides(side->generation, &side->knows, answer, place, module);
        key.at = (const char *) found;
        (void) weir_table_add(&side->decisions, key, found);
    }
    return found->decides;
}

/* -- what stands before a place -- */

typedef struct {
    const char              *own;            /* the module's own directive */
    size_t                   n_lines, n_requires, n_rehearsed;
    const weir_conf_words_t *words;
    bool                     is_own;
} side_lines_t;

static void
side_count_line(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line)
{
    side_lines_t *lines = data;
    bool          is_own = strcmp(line->row->name, lines->own) == 0;
    weir_str_t    name = weir_str_from_z(line->row->name), last = line->words->at[line->words->n - 1].text;

    (void) from;
    if (lines->words == NULL || (is_own && !lines->is_own)) {
        lines->words = line->words;
        lines->is_own = is_own;
    }
    lines->n_lines++;
    if (weir_str_ends(name, WEIR_STR("require"))) {
        lines->n_requires++;
        lines->n_rehearsed += weir_str_eq(last, WEIR_STR("dry_run")) && !line->words->at[line->words->n - 1].quoted;
    }
}

/* false: it refuses no request. */
static bool
side_make_guard(const weir_http_location_t *place, size_t module, const void *conf, weir_fate_guard_t *guard)
{
    const weir_http_module_t *m = weir_http_modules[module];
    side_lines_t              lines = { .own = strncmp(m->name, "http_", 5) == 0 ? m->name + 5 : m->name };

    memset(guard, 0, sizeof(*guard));
    if (m->admits_anybody || (m->guards != NULL && !m->guards(conf)) || weir_probe_is_rehearsed(place, module, conf)) {
        return false;
    }
    weir_explain_each_line(place->block, module, NULL, side_count_line, &lines);
    if (lines.n_requires != 0 && lines.n_rehearsed == lines.n_lines) {
        return false;
    }
    guard->any[module / 64] = (uint64_t) 1 << module % 64;
    guard->weight = 1 + (uint32_t) (lines.n_requires - lines.n_rehearsed);
    guard->is_identity = (m->pure >> WEIR_PHASE_ACCESS & 1) == 0;
    guard->name = lines.own;
    guard->words = lines.words;
    return true;
}

static void
side_add_guard(weir_fate_guards_t *guards, const weir_fate_guard_t *guard)
{
    if (guards->n < WEIR_FATE_GUARDS_MAX) {
        guards->at[guards->n++] = *guard;
    }
}

/* With `satisfy any` one of them is enough. */
static void
side_join_guards(weir_fate_guards_t *guards)
{
    weir_fate_guard_t *first = &guards->at[0];

    for (size_t i = 1; i < guards->n; i++) {
        for (size_t k = 0; k < weir_countof(first->any); k++) {
            first->any[k] |= guards->at[i].any[k];
        }
        first->is_identity = first->is_identity && guards->at[i].is_identity;
    }
    first->weight = 1;
    first->name = "satisfy any";
    guards->n = 1;
}

static void
side_find_guards(const weir_http_server_t *server, const weir_http_location_t *place, bool is_tls,
                 weir_fate_guards_t *guards)
{
    const weir_http_pipeline_t *pipeline = weir_probe_pipeline(place);
    const weir_http_tls_conf_t *tls = server->conf[weir_http_ssl_index];
    weir_fate_guard_t           guard;

    for (uint16_t i = 0; i < pipeline->n[WEIR_PHASE_ACCESS]; i++) {
        const weir_http_handler_t *h = &pipeline->phase[WEIR_PHASE_ACCESS][i];

        for (size_t k = 0; k < weir_modules_count; k++) {
            if (weir_http_modules[k] != NULL && weir_http_modules[k]->on[WEIR_PHASE_ACCESS] == h->run
                && side_make_guard(place, k, h->conf, &guard))
            {
                side_add_guard(guards, &guard);
            }
        }
    }
    if (guards->n > 1 && place->core->satisfy != WEIR_SATISFY_ALL) {
        side_join_guards(guards);
    }
    if (guards->n == 0 && place->core->default_deny.on && !place->core->dry_run.on) {
        guard = (weir_fate_guard_t) { .weight = 1, .name = "default_deny" };
        guard.any[weir_http_core_index / 64] = (uint64_t) 1 << weir_http_core_index % 64;
        side_add_guard(guards, &guard);
    }
    if (is_tls && tls != NULL && tls->verify == WEIR_TLS_VERIFY_ON) {
        guard = (weir_fate_guard_t) { .weight = 1, .is_identity = true, .name = "ssl_verify_client" };
        guard.any[weir_http_ssl_index / 64] = (uint64_t) 1 << weir_http_ssl_index % 64;
        side_add_guard(guards, &guard);
    }
}

static const weir_fate_guards_t *
side_guards(weir_fate_side_t *side, const weir_http_server_t *server, const weir_http_location_t *place, bool is_tls)
{
    side_place_t *found = side_place(side, place);

    if (!found->has_guards[is_tls]) {
        found->has_guards[is_tls] = true;
        side_find_guards(server, place, is_tls, &found->guards[is_tls]);
    }
    return &found->guards[is_tls];
}

/* -- a request -- */

static void
side_see(weir_fate_side_t *side, const weir_probe_answer_t *answer)
{
    const weir_http_location_t *place = answer->place;
    const weir_conf_words_t    *line = answer->line != NULL ? answer->line->words : NULL, **kept;

    if (place->block->context & WEIR_IN_PART) {
        place = place->block->parent->owner;
    }
    weir_assert(place != NULL);
    side_place(side, place)->seen = true;
    if (line != NULL && weir_table_find(&side->lines, weir_str((const char *) &line, sizeof(line))) == NULL) {
        kept = weir_new(&side->arena, const weir_conf_words_t *);
        *kept = line;
        (void) weir_table_add(&side->lines, weir_str((const char *) kept, sizeof(*kept)), kept);
    }
}

static void
side_tell_place(const weir_probe_answer_t *answer, weir_fate_t *fate)
{
    const weir_http_location_t *place = answer->place;

    if (place->block->context & WEIR_IN_PART) {
        place = place->block->parent->owner;
    }
    if (place == answer->server->fallback || place->block->context == WEIR_IN_SERVER) {
        return;
    }
    fate->is_route = place->route != NULL;
    fate->place = fate->is_route ? place->route->name : place->name;
}

static weir_fate_outcome_t
side_outcome(const weir_probe_answer_t *answer)
{
    weir_assert(answer->status <= 999 && answer->cause < WEIR_CAUSE_MAX);

    bool is_said = answer->cause == WEIR_CAUSE_NONE || answer->cause == WEIR_CAUSE_ROUTE_RETURN;

    if (answer->status != 0 && (!is_said || answer->arrived)) {
        return is_said ? WEIR_FATE_ANSWERED : WEIR_FATE_REFUSED;
    }
    if (answer->status != 0) {
        return WEIR_FATE_ANSWERED;
    }
    if (answer->is_unrouted) {
        return WEIR_FATE_UNROUTED;
    }
    if (answer->proxy == NULL) {
        return WEIR_FATE_ANSWERED;
    }
    return answer->preview.problem != NULL ? WEIR_FATE_REFUSED : WEIR_FATE_PASSED;
}

static void
side_tell_answer(weir_fate_side_t *side, const weir_probe_answer_t *answer, weir_fate_t *fate)
{
    weir_captures_t     captures = { .n = 0 };
    const weir_regex_t *regex = NULL;
    bool                limit = false;

    fate->outcome = side_outcome(answer);
    fate->status = answer->status;
    fate->cause = answer->cause;
    fate->server = answer->server->primary_name;
    fate->is_named = weir_hosts_find(answer->listen->hosts, answer->host, &captures, &regex, &limit) != NULL;
    fate->redirect = answer->redirect;
    fate->file = fate->outcome == WEIR_FATE_UNROUTED ? WEIR_STR_NONE : answer->file;
    if (answer->proxy != NULL) {
        const weir_group_conf_t *group = weir_proxy_pass_group(side->generation, answer->preview.pass);

        fate->upstream = group != NULL ? group->name : WEIR_STR_NONE;
        fate->problem = answer->preview.problem;
        fate->method = answer->preview.method;
        fate->target = answer->preview.target;
    }
    if (answer->place != NULL) {
        side_see(side, answer);
        side_tell_place(answer, fate);
        fate->guards = answer->arrived ? side_guards(side, answer->server, answer->place, side->is_tls) : NULL;
    }
    for (const weir_probe_judgement_t *j = answer->judgements; j != NULL; j = j->next) {
        fate->is_stopped = fate->is_stopped
                           || (j->phase == WEIR_PHASE_ACCESS && j->verdict == WEIR_PROBE_REFUSED
                               && !weir_http_modules[j->module]->admits_anybody);
    }
    fate->is_stopped = fate->outcome == WEIR_FATE_REFUSED
                       && (fate->is_stopped || fate->cause == WEIR_CAUSE_ACCESS_DEFAULT);
}

void
weir_fate_side_ask(weir_fate_side_t *side, weir_probe_request_t *request, const weir_explain_knows_t *knows,
              const char *problem, weir_fate_t *fate)
{
    weir_probe_answer_t answer;

    memset(fate, 0, sizeof(*fate));
    fate->problem = problem;
    if (request->listen == NULL) {
        fate->outcome = WEIR_FATE_NO_LISTENER;
        return;
    }
    side->knows.has_ip = knows->has_ip;
    side->knows.has_fields = knows->has_fields;
    side->knows.given = knows->given;
    side->is_tls = request->is_tls;
    request->decides = side_decides;
    request->data = side;
    weir_probe_ask(side->probe, request, &answer, &fate->problem);
    if (fate->problem != NULL) {
        fate->outcome = WEIR_FATE_REFUSED;
        return;
    }
    side_tell_answer(side, &answer, fate);
}

/* -- places that no request came to -- */

typedef struct {
    const weir_fate_side_t *side;
    void             (*each)(void *data, weir_str_t place);
    void              *data;
    weir_arena_t       arena;
} side_unseen_t;

static bool
side_is_seen(const weir_fate_side_t *side, const weir_http_location_t *place)
{
    const side_place_t *found = weir_table_find(&side->places, weir_str((const char *) &place, sizeof(place)));

    return found != NULL && found->seen;
}

static void
side_unseen_route(side_unseen_t *u, const weir_http_server_t *server, const weir_http_location_t *place)
{
    const weir_http_route_t *route = place->route;
    bool                     is_seen = side_is_seen(u->side, place);

    if (!is_seen) {
        u->each(u->data, weir_str_printf(&u->arena, "server \"%.*s\", route %.*s",
                                         WEIR_STR_ARG(server->primary_name), WEIR_STR_ARG(route->name)));
    }
    for (size_t i = 0; i < route->n_lines && is_seen; i++) {
        const weir_conf_words_t *words = route->lines[i]->words;
        json_t                  *told;

        if (words == NULL || (i != 0 && words == route->lines[i - 1]->words)
            || weir_table_find(&u->side->lines, weir_str((const char *) &words, sizeof(words))) != NULL)
        {
            continue;
        }
        told = weir_explain_words(words);
        u->each(u->data, weir_str_printf(&u->arena, "server \"%.*s\", route %.*s: %s",
                                         WEIR_STR_ARG(server->primary_name), WEIR_STR_ARG(route->name),
                                         json_string_value(told)));
        json_decref(told);
    }
}

static void
side_unseen_of(side_unseen_t *u, const weir_http_server_t *server, const weir_conf_block_t *parent)
{
    for (const weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        const weir_http_location_t *place = block->owner;

        if (block->context == WEIR_IN_ROUTE) {
            side_unseen_route(u, server, place);
        } else if (block->context == WEIR_IN_LOCATION && !place->is_named && !place->core->internal.on
                   && !side_is_seen(u->side, place))
        {
            u->each(u->data, weir_str_printf(&u->arena, "server \"%.*s\", location %.*s",
                                             WEIR_STR_ARG(server->primary_name), WEIR_STR_ARG(place->name)));
        }
        if (block->context & (WEIR_IN_ROUTE | WEIR_IN_LOCATION)) {
            side_unseen_of(u, server, block);
        }
    }
}

void
weir_fate_side_each_unseen(const weir_fate_side_t *side, void (*each)(void *data, weir_str_t place), void *data)
{
    const weir_http_conf_t *http = weir_http_conf_of(side->generation);
    side_unseen_t           u = { .side = side, .each = each, .data = data };

    weir_arena_init(&u.arena, 4096);
    for (size_t i = 0; http != NULL && i < http->n_servers; i++) {
        side_unseen_of(&u, http->servers[i], http->servers[i]->block);
    }
    weir_arena_fini(&u.arena);
}
