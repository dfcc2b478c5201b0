/*
 * path_templates.c - see path_templates.h.  Read and built with a generation; asked by workers, allocating nothing.
 *
 * A node has its children by literal segment in a hash table, and one for all other segments.  The literal one is tried
 * first; when nothing below it holds, the other one.  Each node knows how long the templates below it are, so that only
 * branches are entered that end where the path ends.  Of each level no more nodes are entered than twice those of the
 * level above, and never more than there are.
 */
#include "http/match/path_templates.h"

#include "base/table.h"

typedef struct template_node {
    weir_table_t          literals;      /* template_node_t, by segment */
    struct template_node *other;         /* of a capture; NULL: none */
    weir_rules_t         *rules;         /* of the template that ends here; NULL: none does */
    uint64_t              depths;        /* bit n: one ends n segments below */
} template_node_t;

struct weir_path_templates {
    weir_arena_t   *arena;
    template_node_t root;
};

/* -- texts -- */

static bool
template_is_name(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return true;
}

static bool
template_is_capture(weir_str_t segment)
{
    return segment.len > 1 && segment.at[0] == '{' && segment.at[segment.len - 1] == '}';
}

static bool
template_read_capture(weir_str_t segment, weir_str_t *names, size_t *n, weir_error_t *error)
{
    weir_str_t name = weir_str(segment.at + 1, segment.len - 2);

    if (!template_is_name(name)) {
        return weir_error_set(error, "\"%.*s\" is no capture: expected {name} of letters, digits and underscores",
                              WEIR_STR_ARG(segment));
    }
    for (size_t i = 0; i < *n; i++) {
        if (name.len != 0 && weir_str_eq_fold(names[i], name)) {
            return weir_error_set(error, "the capture \"{%.*s}\" stands there twice", WEIR_STR_ARG(name));
        }
    }
    if (*n == WEIR_PATH_TEMPLATE_MAX_CAPTURES) {
        return weir_error_set(error, "more than %d captures", WEIR_PATH_TEMPLATE_MAX_CAPTURES);
    }
    names[(*n)++] = name;
    return true;
}

bool
weir_path_template_read(weir_str_t text, weir_str_t *names, size_t *n, weir_error_t *error)
{
    weir_str_t segment, rest = weir_str_skip(text, 1);
    size_t     n_segments = 0;

    *n = 0;
    if (!weir_str_starts(text, WEIR_STR("/"))) {
        return weir_error_set(error, "a path begins with \"/\"");
    }
    for (bool more = true; more; n_segments++) {
        more = weir_str_cut(rest, '/', &segment, &rest);
        if (n_segments == WEIR_PATH_TEMPLATE_MAX_SEGMENTS) {
            return weir_error_set(error, "more than %d segments", WEIR_PATH_TEMPLATE_MAX_SEGMENTS);
        }
        if (segment.len == 0 && more) {
            return weir_error_set(error, "an empty segment");
        }
        if (template_is_capture(segment)) {
            if (!template_read_capture(segment, names, n, error)) {
                return false;
            }
        } else if (weir_str_find(segment, '{') != NULL || weir_str_find(segment, '}') != NULL) {
            return weir_error_set(error, "\"%.*s\" is a part of a segment: a capture {name} is a whole one",
                                  WEIR_STR_ARG(segment));
        }
    }
    return true;
}

weir_str_t
weir_path_template_shape(weir_arena_t *arena, weir_str_t text)
{
    char  *out = weir_alloc_bytes(arena, text.len);
    size_t n = 0;
    bool   in_name = false;

    for (size_t i = 0; i < text.len; i++) {
        in_name = in_name && text.at[i] != '}';
        if (!in_name) {
            out[n++] = text.at[i];
        }
        in_name = in_name || text.at[i] == '{';
    }
    return weir_str(out, n);
}

/* -- building -- */

weir_path_templates_t *
weir_path_templates_create(weir_arena_t *arena)
{
    weir_path_templates_t *templates = weir_new(arena, weir_path_templates_t);

    templates->arena = arena;
    weir_table_init(&templates->root.literals, arena);
    return templates;
}

static template_node_t *
template_child(weir_path_templates_t *templates, template_node_t *node, weir_str_t segment)
{
    bool             is_capture = template_is_capture(segment);
    template_node_t *child = is_capture ? node->other : weir_table_find(&node->literals, segment);

    if (child != NULL) {
        return child;
    }
    child = weir_new(templates->arena, template_node_t);
    weir_table_init(&child->literals, templates->arena);
    if (is_capture) {
        node->other = child;
    } else {
        (void) weir_table_add(&node->literals, segment, child);
    }
    return child;
}

/* Behind the first slash: segments of it. */
static size_t
template_length(weir_str_t path)
{
    size_t n = 1;

    for (const char *slash; (slash = weir_str_find(path, '/')) != NULL; n++) {
        path = weir_str_skip(path, (size_t) (slash - path.at) + 1);
    }
    return n;
}

weir_rules_t *
weir_path_templates_add(weir_path_templates_t *templates, weir_str_t text, bool *is_new)
{
    template_node_t *node = &templates->root;
    weir_str_t       segment, rest = weir_str_skip(text, 1);
    size_t           left = template_length(rest);

    weir_assert(left <= WEIR_PATH_TEMPLATE_MAX_SEGMENTS);
    node->depths |= UINT64_C(1) << left;
    for (bool more = true; more;) {
        more = weir_str_cut(rest, '/', &segment, &rest);
        node = template_child(templates, node, segment);
        node->depths |= UINT64_C(1) << --left;
    }
    *is_new = node->rules == NULL;
    if (*is_new) {
        node->rules = weir_rules_create(templates->arena);
    }
    return node->rules;
}

/* -- finding -- */

typedef struct {
    const weir_match_input_t *input;
    weir_match_t             *match;
    uint32_t                  from[WEIR_REGEX_MAX_CAPTURES], to[WEIR_REGEX_MAX_CAPTURES];
} template_search_t;

static void
template_keep(const template_search_t *s, size_t n)
{
    weir_captures_t *captures = &s->match->captures;

    captures->subject = s->input->path;
    captures->n = n;
    captures->from[0] = 0;
    captures->to[0] = (uint32_t) s->input->path.len;
    for (size_t i = 1; i < n; i++) {
        captures->from[i] = s->from[i];
        captures->to[i] = s->to[i];
    }
}

/* at: where the node's next segment begins, of which there are `left`; n: captures so far, the whole path being one.
 * As deep as a template is long. */
static const weir_rule_t *
template_search(template_search_t *s, const template_node_t *node, size_t at, size_t left, size_t n)
{
    weir_str_t             path = s->input->path, segment, rest;
    const template_node_t *child;
    const weir_rule_t     *rule = NULL;

    s->match->steps++;
    if (left == 0) {
        rule = weir_rules_find(node->rules, s->input, s->match);
        if (rule != NULL) {
            template_keep(s, n);
        }
        return rule;
    }
    (void) weir_str_cut(weir_str_skip(path, at), '/', &segment, &rest);
    left--;
    child = weir_table_find(&node->literals, segment);
    if (child != NULL && (child->depths >> left & 1)) {
        rule = template_search(s, child, at + segment.len + 1, left, n);
    }
    child = node->other;
    if (rule != NULL || s->match->limit || child == NULL || segment.len == 0 || !(child->depths >> left & 1)) {
        return rule;
    }
    s->from[n] = (uint32_t) at;
    s->to[n] = (uint32_t) (at + segment.len);
    return template_search(s, child, at + segment.len + 1, left, n + 1);
}

const weir_rule_t *
weir_path_templates_find(const weir_path_templates_t *templates, const weir_match_input_t *input, weir_match_t *match)
{
    template_search_t s = { .input = input, .match = match };
    size_t            left;

    if (!weir_str_starts(input->path, WEIR_STR("/")) || input->path.len >= UINT32_MAX) {
        return NULL;
    }
    left = template_length(weir_str_skip(input->path, 1));
    if (left > WEIR_PATH_TEMPLATE_MAX_SEGMENTS || !(templates->root.depths >> left & 1)) {
        return NULL;
    }
    return template_search(&s, &templates->root, 1, left, 1);
}
