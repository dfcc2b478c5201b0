/*
 * captures.c - captures of patterns and the variables a configuration defines: announced at load, read in
 * requests.
 *
 * The table from patterns to slots is of the generation; values are of the request's arena.
 */
#include "http/route/captures.h"

#include "http/route/blocks.h"
#include "http/request.h"
#include "http/vars/uri_text.h"

typedef struct { uint32_t group, slot; } captures_name_t;

/* Open addressing by the pattern's address; a power of two, at most half full. */
typedef struct {
    const weir_regex_t    *regex;
    const captures_name_t *names;
    size_t                 n;
} captures_entry_t;

struct weir_http_captures {
    captures_entry_t *at;
    size_t            size;
    const weir_http_definition_t **definitions;      /* by slot; NULL: a group's */
};

/* -- reading -- */

/* In the place of a value that could not be worked out: by why.  It fails each time it is asked for. */
static const weir_str_t captures_failed[WEIR_CAUSE_MAX];

static bool
captures_is_failed(const weir_str_t *slot)
{
    return (uintptr_t) slot >= (uintptr_t) captures_failed
        && (uintptr_t) slot < (uintptr_t) (captures_failed + WEIR_CAUSE_MAX);
}

/* NULL: nothing makes it. */
static const weir_str_t *
captures_make(weir_request_t *req, uint32_t slot)
{
    static const weir_str_t under_way;               /* a variable that is made of itself has no value */
    const weir_http_conf_t *http = weir_http_conf_of(req->generation);
    const weir_http_definition_t *definition = http->captures->definitions[slot];
    weir_cause_t before = req->failed_value;
    weir_str_t *value;

    if (definition == NULL) {
        return NULL;
    }
    req->slots[slot] = &under_way;
    req->failed_value = WEIR_CAUSE_NONE;
    value = weir_alloc(&req->arena, sizeof(*value));
    if (!definition->get(definition->data, req, value)) {
        *value = WEIR_STR_NONE;
    }
    if (weir_unlikely(req->failed_value != WEIR_CAUSE_NONE)) {
        return req->slots[slot] = &captures_failed[req->failed_value];
    }
    req->failed_value = before;
    req->slots[slot] = definition->is_volatile ? NULL : value;
    return value;
}

static bool
captures_get_slot(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    weir_request_t *req = subject;
    const weir_str_t *slot = req->slots == NULL ? NULL : req->slots[ref->slot];

    (void) arena;
    if (slot == NULL && req->slots != NULL) {
        slot = captures_make(req, ref->slot);
    }
    if (slot == NULL || slot->at == NULL) {
        if (slot != NULL && captures_is_failed(slot)) {
            weir_request_value_failed(req, (weir_cause_t) (slot - captures_failed));
        }
        return false;
    }
    *value = *slot;
    return true;
}

static bool
captures_get_group(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_request_t *req = subject;

    (void) arena;
    *value = weir_captures_get(&req->captures, ref->group);
    return value->at != NULL;
}

const weir_variable_t weir_http_slot_row = {
    .name = "", .subject = WEIR_OF_REQUEST, .get = captures_get_slot, .help = "Defined by the configuration.",
};
const weir_variable_t weir_http_capture_row = {
    .name = "", .subject = WEIR_OF_REQUEST, .get = captures_get_group, .help = "A group of the last match.",
};

/* -- load -- */

void
weir_http_captures_open(weir_conf_t *cf)
{
    weir_vars_set_readers(cf->vars, &weir_http_slot_row, &weir_http_capture_row);
    cf->subjects = WEIR_SUBJECT(WEIR_OF_CONNECTION) | WEIR_SUBJECT(WEIR_OF_REQUEST);
}

/* Of the server that is being read, or of http. */
static weir_http_names_t *
captures_names(weir_conf_t *cf)
{
    weir_conf_block_t *block = cf->block;

    while (block->context != WEIR_IN_HTTP && block->context != WEIR_IN_SERVER) {
        block = block->parent;
        weir_assert(block != NULL);
    }
    return &((weir_http_blocks_conf_t *) weir_conf_own(cf, block, weir_http_blocks_index))->variables;
}

const weir_regex_t *
weir_http_captures_announce(weir_conf_t *cf, size_t word, weir_str_t pattern, bool fold_case, weir_subject_t subject)
{
    weir_regex_t *regex = weir_conf_regex(cf, word, pattern, fold_case);
    weir_http_pattern_t *entry;
    weir_str_t name;
    uint32_t group, slot;
    size_t i;

    if (regex == NULL) {
        return NULL;
    }
    for (i = 0; weir_regex_name(regex, i, &name, &group); i++) {
        if (!weir_vars_define(cf->vars, name, &slot)) {
            (void) weir_conf_error(cf, word, "the group \"%.*s\" has the name of a built-in variable",
                                   WEIR_STR_ARG(name));
            return NULL;
        }
        weir_vars_add_maker(cf->vars, slot, subject);
    }
    if (i != 0) {
        entry = weir_conf_list_push(cf, &captures_names(cf)->patterns, sizeof(*entry));
        *entry = (weir_http_pattern_t) { .pattern = pattern, .fold_case = fold_case, .regex = regex };
    }
    return regex;
}

bool
weir_http_define(weir_conf_t *cf, size_t word, weir_str_t text, weir_http_definition_t *definition)
{
    weir_str_t name = weir_str_skip(text, 1);

    if (!weir_str_starts(text, WEIR_STR("$")) || name.len == 0 || cf->words->at[word].is_literal) {
        return weir_conf_error(cf, word, "invalid variable name \"%.*s\"", WEIR_STR_ARG(text));
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return weir_conf_error(cf, word, "invalid variable name \"%.*s\"", WEIR_STR_ARG(text));
        }
    }
    if (!weir_vars_define(cf->vars, name, &definition->slot)) {
        return weir_conf_error(cf, word, "\"%.*s\" is the name of a built-in variable", WEIR_STR_ARG(text));
    }
    weir_vars_add_maker(cf->vars, definition->slot, definition->subject);
    *(weir_http_definition_t **) weir_conf_list_push(cf, &captures_names(cf)->definitions,
                                                     sizeof(definition)) = definition;
    return true;
}

static captures_entry_t *
captures_find(const struct weir_http_captures *captures, const weir_regex_t *regex)
{
    size_t i = (size_t) (((uintptr_t) regex >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32);

    for (;; i++) {
        captures_entry_t *entry = &captures->at[i & (captures->size - 1)];
        if (entry->regex == NULL || entry->regex == regex) {
            return entry;
        }
    }
}

static bool
captures_add(weir_conf_t *cf, struct weir_http_captures *captures, const weir_regex_t *regex)
{
    captures_entry_t *entry = captures_find(captures, regex);
    captures_name_t *names;
    weir_str_t name;
    uint32_t group;
    size_t n = 0;

    if (entry->regex != NULL) {
        return true;
    }
    while (weir_regex_name(regex, n, &name, &group)) {
        n++;
    }
    names = weir_new_n(cf->arena, captures_name_t, n + 1);
    for (size_t i = 0; i < n && weir_regex_name(regex, i, &name, &group); i++) {
        names[i].group = group;
        if (!weir_vars_define(cf->vars, name, &names[i].slot)) {
            return false;
        }
    }
    *entry = (captures_entry_t) { .regex = regex, .names = names, .n = n };
    return true;
}

static bool
captures_add_patterns(weir_conf_t *cf, struct weir_http_captures *captures, const weir_http_patterns_t *patterns)
{
    for (size_t i = 0; i < patterns->n; i++) {
        const weir_http_pattern_t *at = &patterns->at[i];
        /* The one that its announcer has, and the one the matcher got: pcre_jit may have come between. */
        const weir_regex_t *regex = weir_regex_compile_in(cf->arena, at->pattern, at->fold_case, cf->error);

        if (regex == NULL || !captures_add(cf, captures, regex) || !captures_add(cf, captures, at->regex)) {
            return false;
        }
    }
    return true;
}

static void
captures_add_definitions(struct weir_http_captures *captures, const weir_http_definitions_t *definitions)
{
    for (size_t i = 0; i < definitions->n; i++) {
        const weir_http_definition_t *definition = definitions->at[i],
                                     **place = &captures->definitions[definition->slot];

        if (!definition->is_fallback || *place == NULL) {
            *place = definition;
        }
    }
}

bool
weir_http_captures_build(weir_conf_t *cf, const weir_http_names_t *const *names, size_t n, weir_http_conf_t *http)
{
    struct weir_http_captures *captures = weir_new(cf->arena, struct weir_http_captures);
    size_t                     n_patterns = 0;

    for (size_t i = 0; i < n; i++) {
        n_patterns += names[i]->patterns.n;
    }
    for (captures->size = 8; captures->size < 4 * n_patterns; captures->size *= 2) {
    }
    captures->at = weir_new_n(cf->arena, captures_entry_t, captures->size);
    captures->definitions = weir_new_n(cf->arena, const weir_http_definition_t *, weir_vars_slots(cf->vars) + 1);
    for (size_t i = 0; i < n; i++) {
        if (!captures_add_patterns(cf, captures, &names[i]->patterns)) {
            return false;
        }
        captures_add_definitions(captures, &names[i]->definitions);
    }
    http->captures = captures;
    return true;
}

/* -- requests -- */

/* What the groups are for a reader that takes the encoded slashes of a decoded subject for slashes; NULL: the same. */
static const weir_captures_t *
captures_read_plain(weir_request_t *req, const weir_captures_t *captures, const weir_regex_t *regex)
{
    weir_captures_t *plain;
    weir_str_t other;

    if (weir_likely(!weir_uri_text_other_reading(req, captures->subject, &other))) {
        return NULL;
    }
    plain = weir_new(&req->arena, weir_captures_t);
    if (weir_regex_exec(regex, other, plain) != WEIR_REGEX_MATCH) {
        *plain = (weir_captures_t) { .n = 0 };
    }
    req->has_plain_forms = true;
    return plain;
}

/* A group of the request's captures is what that variable has. */
static void
captures_fill(weir_request_t *req, uint32_t group, uint32_t slot)
{
    weir_str_t *value = weir_alloc(&req->arena, sizeof(*value));

    *value = weir_captures_get(&req->captures, group);
    req->slots[slot] = value;
    weir_uri_text_keep_group(req, slot, *value,
                             req->captures_plain != NULL ? weir_captures_get(req->captures_plain, group) : *value,
                             req->captures_decoded);
}

void
weir_http_captures_set(weir_request_t *req, const weir_captures_t *captures, const weir_regex_t *regex,
                       bool is_decoded)
{
    const weir_http_conf_t *http = weir_http_conf_of(req->generation);
    const captures_entry_t *entry = captures_find(http->captures, regex);

    req->captures = *captures;
    req->captures_decoded = is_decoded;
    req->captures_plain = is_decoded ? captures_read_plain(req, captures, regex) : NULL;
    for (size_t i = 0; i < entry->n; i++) {
        captures_fill(req, entry->names[i].group, entry->names[i].slot);
    }
}

/* A template takes a path with encoded slashes in one of its readings only, and such a request does not come here. */
void
weir_http_captures_set_route(weir_request_t *req, const weir_match_t *match)
{
    const weir_rule_t *rule = match->rule;

    req->route = rule;
    if (rule->kind != WEIR_PATH_REGEX && rule->kind != WEIR_PATH_TEMPLATE) {
        return;
    }
    req->captures = match->captures;
    req->captures_decoded = true;
    req->captures_plain = rule->regex != NULL ? captures_read_plain(req, &match->captures, rule->regex) : NULL;
    for (size_t i = 0; i < rule->n_names; i++) {
        captures_fill(req, rule->names[i].group, rule->names[i].slot);
    }
}

weir_regex_result_t
weir_http_captures_match(weir_request_t *req, const weir_regex_t *regex, weir_str_t subject, bool is_decoded)
{
    weir_captures_t     captures;
    weir_regex_result_t result = weir_regex_exec(regex, subject, &captures);

    if (result == WEIR_REGEX_MATCH) {
        weir_http_captures_set(req, &captures, regex, is_decoded);
    }
    return result;
}
