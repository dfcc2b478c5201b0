/*
 * check.c - a value against the nodes (JSON Schema 2020-12 Core §7, §10, §11; Validation §6).
 *
 * Runs in workers, on the loop's thread.  Recursion and work are bounded.  What a schema has looked at of a value is
 * noted only where some unevaluatedItems or unevaluatedProperties may ask for it; memory for that, and for the words
 * about a fault: the arena's.
 */
#include "schema/node.h"

#define CHECK_DEPTH 1024                /* nodes inside one another, of the schema and of the value */
#define CHECK_STEPS 2000000             /* nodes that are asked for one value */

/* The resources that were entered, the newest first: where $dynamicRef looks. */
typedef struct check_scope {
    const struct check_scope     *outer;
    const weir_schema_resource_t *resource;
} check_scope_t;

/* Where in the value: a member of `outer`, or an element. */
typedef struct check_place {
    const struct check_place *outer;
    const weir_json_t        *member;           /* NULL: an element */
    size_t                    index;            /* … of this number */
} check_place_t;

/* Which members (in their order) or elements have been looked at with success; NULL: no node asks. */
typedef struct { uint8_t *at; size_t n; } check_seen_t;

typedef struct {
    weir_arena_t        *arena;
    weir_schema_fault_t *fault;
    const check_scope_t *scope;
    uint32_t             steps, depth;
    bool                 tracks;
    unsigned             silent;                /* inside of what may fail without a fault */
} check_t;

static bool check_node(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
                       check_seen_t *seen);

/* -- faults -- */

/* As a JSON Pointer; out == NULL: its length only. */
static size_t
check_put_place(const check_place_t *place, char *out)
{
    size_t     n;
    char       number[24];
    weir_str_t name;

    if (place == NULL) {
        return 0;
    }
    n = check_put_place(place->outer, out);
    name = place->member != NULL ? place->member->name
                                 : weir_str(number, (size_t) (weir_str_from_u64(number, place->index) - number));
    if (out != NULL) {
        out[n] = '/';
    }
    n++;
    for (size_t i = 0; i < name.len; i++) {
        bool is_escaped = name.at[i] == '~' || name.at[i] == '/';

        if (out != NULL) {
            out[n] = is_escaped ? '~' : name.at[i];
        }
        if (out != NULL && is_escaped) {
            out[n + 1] = name.at[i] == '~' ? '0' : '1';
        }
        n += 1 + is_escaped;
    }
    return n;
}

/* Always false.  Of faults inside one another the outermost one stays that was said last. */
static bool
check_fail(check_t *c, const weir_schema_node_t *node, const char *keyword, const check_place_t *place)
{
    char *at;

    if (c->silent != 0 || c->fault->is_limit) {
        return false;
    }
    at = weir_try_alloc(c->arena, check_put_place(place, NULL) + 1);
    c->fault->at = at != NULL ? weir_str(at, check_put_place(place, at)) : WEIR_STR_NONE;
    c->fault->rule = keyword[0] != '\0' ? weir_str_printf(c->arena, "%.*s/%s", WEIR_STR_ARG(node->at), keyword)
                                        : node->at;
    return false;
}

static bool
check_limit(check_t *c, const weir_schema_node_t *node, const check_place_t *place)
{
    c->silent = 0;
    (void) check_fail(c, node, "", place);
    c->fault->is_limit = true;
    return false;
}

/* -- what was looked at -- */

static bool
check_seen_init(const check_t *c, check_seen_t *seen, const weir_json_t *value)
{
    seen->n = value->n;
    seen->at = weir_try_alloc(c->arena, seen->n + 1);
    if (seen->at != NULL) {
        memset(seen->at, 0, seen->n + 1);
    }
    return seen->at != NULL;
}

static void
check_seen_add(check_seen_t *seen, size_t i)
{
    if (seen != NULL) {
        weir_assert(i < seen->n);
        seen->at[i] = 1;
    }
}

static void
check_seen_merge(check_seen_t *seen, const check_seen_t *other)
{
    for (size_t i = 0; seen != NULL && i < seen->n; i++) {
        seen->at[i] |= other->at[i];
    }
}

/* -- in place: other schemas of the same value -- */

/* Whether it would be accepted; no fault is said. */
static bool
check_quietly(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
              check_seen_t *seen)
{
    bool is_good;

    c->silent++;
    is_good = check_node(c, node, value, place, seen);
    if (!c->fault->is_limit) {
        c->silent--;
    }
    return is_good && !c->fault->is_limit;
}

static const weir_schema_node_t *
check_dynamic(const check_t *c, const weir_schema_node_t *node)
{
    const weir_schema_node_t *found = node->dynamic_ref, *here;

    for (const check_scope_t *scope = c->scope; scope != NULL && node->dynamic_name.len != 0; scope = scope->outer) {
        here = weir_table_find(&scope->resource->dynamic, node->dynamic_name);
        found = here != NULL ? here : found;
    }
    return found;
}

static bool
check_any_of(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
             check_seen_t *seen)
{
    size_t n = 0;

    for (size_t i = 0; i < node->any_of.n && (n == 0 || seen != NULL); i++) {
        n += check_quietly(c, node->any_of.at[i], value, place, seen);
    }
    return n != 0 || node->any_of.n == 0 || check_fail(c, node, "anyOf", place);
}

static bool
check_one_of(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
             check_seen_t *seen)
{
    size_t n = 0;

    for (size_t i = 0; i < node->one_of.n && n < 2; i++) {
        n += check_quietly(c, node->one_of.at[i], value, place, seen);
    }
    return n == 1 || node->one_of.n == 0 || check_fail(c, node, "oneOf", place);
}

static bool
check_condition(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
                check_seen_t *seen)
{
    const weir_schema_node_t *branch;

    if (node->when == NULL) {
        return true;
    }
    branch = check_quietly(c, node->when, value, place, seen) ? node->then : node->otherwise;
    return !c->fault->is_limit && (branch == NULL || check_node(c, branch, value, place, seen));
}

static bool
check_in_place(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
               check_seen_t *seen)
{
    if (node->ref != NULL && !check_node(c, node->ref, value, place, seen)) {
        return false;
    }
    if (node->dynamic_ref != NULL && !check_node(c, check_dynamic(c, node), value, place, seen)) {
        return false;
    }
    for (size_t i = 0; i < node->all_of.n; i++) {
        if (!check_node(c, node->all_of.at[i], value, place, seen)) {
            return false;
        }
    }
    if (node->not != NULL && (check_quietly(c, node->not, value, place, NULL) || c->fault->is_limit)) {
        return check_fail(c, node, "not", place);
    }
    return check_any_of(c, node, value, place, seen) && check_one_of(c, node, value, place, seen)
        && check_condition(c, node, value, place, seen);
}

/* -- any value -- */

static unsigned
check_type_of(const weir_json_t *value)
{
    switch (value->kind) {
    case WEIR_JSON_NULL:
        return WEIR_SCHEMA_NULL;
    case WEIR_JSON_TRUE: case WEIR_JSON_FALSE:
        return WEIR_SCHEMA_BOOLEAN;
    case WEIR_JSON_NUMBER:
        return WEIR_SCHEMA_NUMBER | (weir_schema_is_integer(value) ? WEIR_SCHEMA_INTEGER : 0);
    case WEIR_JSON_STRING:
        return WEIR_SCHEMA_STRING;
    case WEIR_JSON_ARRAY:
        return WEIR_SCHEMA_ARRAY;
    case WEIR_JSON_OBJECT:
        return WEIR_SCHEMA_OBJECT;
    }
    return 0;
}

static bool
check_is_one_of(const weir_json_t *values, const weir_json_t *value)
{
    for (const weir_json_t *one = values->first; one != NULL; one = one->next) {
        if (weir_schema_is_equal(one, value)) {
            return true;
        }
    }
    return false;
}

static bool
check_any(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place)
{
    if (node->types != 0 && (node->types & check_type_of(value)) == 0) {
        return check_fail(c, node, "type", place);
    }
    if (node->one_of_values != NULL && !check_is_one_of(node->one_of_values, value)) {
        return check_fail(c, node, "enum", place);
    }
    return node->the_value == NULL || weir_schema_is_equal(node->the_value, value)
        || check_fail(c, node, "const", place);
}

static bool
check_number(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place)
{
    if (node->maximum != NULL && weir_schema_compare(value, node->maximum) > 0) {
        return check_fail(c, node, "maximum", place);
    }
    if (node->below != NULL && weir_schema_compare(value, node->below) >= 0) {
        return check_fail(c, node, "exclusiveMaximum", place);
    }
    if (node->minimum != NULL && weir_schema_compare(value, node->minimum) < 0) {
        return check_fail(c, node, "minimum", place);
    }
    if (node->above != NULL && weir_schema_compare(value, node->above) <= 0) {
        return check_fail(c, node, "exclusiveMinimum", place);
    }
    return node->multiple_of == NULL || weir_schema_is_multiple(value, node->multiple_of)
        || check_fail(c, node, "multipleOf", place);
}

/* What it may cost is not known before: it counts as a hundred nodes, and one more for each byte. */
static weir_regex_result_t
check_pattern(check_t *c, const weir_regex_t *pattern, weir_str_t text)
{
    c->steps += 100 + (uint32_t) weir_min(text.len, CHECK_STEPS);
    return c->steps > CHECK_STEPS ? WEIR_REGEX_LIMIT : weir_regex_exec(pattern, text, NULL);
}

static bool
check_string(check_t *c, const weir_schema_node_t *node, weir_str_t text, const check_place_t *place)
{
    uint64_t            length = weir_schema_length(text);
    weir_regex_result_t result;

    if (length > node->max_length) {
        return check_fail(c, node, "maxLength", place);
    }
    if (length < node->min_length) {
        return check_fail(c, node, "minLength", place);
    }
    if (node->pattern != NULL) {
        result = check_pattern(c, node->pattern, text);
        if (result == WEIR_REGEX_LIMIT) {
            return check_limit(c, node, place);
        }
        if (result == WEIR_REGEX_NO_MATCH) {
            return check_fail(c, node, "pattern", place);
        }
    }
    return node->format == NULL || node->format(text) || check_fail(c, node, "format", place);
}

/* -- arrays -- */

static bool
check_contains(check_t *c, const weir_schema_node_t *node, const weir_json_t *array, const check_place_t *place,
               check_seen_t *seen)
{
    uint64_t      n = 0;
    check_place_t inner = { .outer = place };

    if (node->contains == NULL) {
        return true;
    }
    for (const weir_json_t *element = array->first; element != NULL; element = element->next) {
        if (check_quietly(c, node->contains, element, &inner, NULL)) {
            n++;
            check_seen_add(seen, inner.index);
        }
        if (c->fault->is_limit) {
            return false;
        }
        inner.index++;
    }
    if (n < node->min_contains) {
        return check_fail(c, node, node->min_contains == 1 ? "contains" : "minContains", place);
    }
    return n <= node->max_contains || check_fail(c, node, "maxContains", place);
}

static bool
check_elements(check_t *c, const weir_schema_node_t *node, const weir_json_t *array, const check_place_t *place,
               check_seen_t *seen)
{
    check_place_t inner = { .outer = place };

    for (const weir_json_t *element = array->first; element != NULL; element = element->next) {
        const weir_schema_node_t *rule = inner.index < node->first_items.n ? node->first_items.at[inner.index]
                                                                           : node->items;

        if (rule == NULL) {
            break;
        }
        if (!check_node(c, rule, element, &inner, NULL)) {
            return false;
        }
        check_seen_add(seen, inner.index++);
    }
    return true;
}

static bool
check_array(check_t *c, const weir_schema_node_t *node, const weir_json_t *array, const check_place_t *place,
            check_seen_t *seen)
{
    if (array->n > node->max_items) {
        return check_fail(c, node, "maxItems", place);
    }
    if (array->n < node->min_items) {
        return check_fail(c, node, "minItems", place);
    }
    if (!check_elements(c, node, array, place, seen) || !check_contains(c, node, array, place, seen)) {
        return false;
    }
    return !node->has_unique_items || weir_schema_are_unique(array) || check_fail(c, node, "uniqueItems", place);
}

static bool
check_unevaluated_items(check_t *c, const weir_schema_node_t *node, const weir_json_t *array,
                        const check_place_t *place, check_seen_t *seen)
{
    check_place_t inner = { .outer = place };

    for (const weir_json_t *element = array->first; element != NULL; element = element->next) {
        if (!seen->at[inner.index] && !check_node(c, node->unevaluated_items, element, &inner, NULL)) {
            return node->unevaluated_items->kind == WEIR_SCHEMA_FALSE
                && check_fail(c, node, "unevaluatedItems", &inner);
        }
        seen->at[inner.index++] = 1;
    }
    return true;
}

/* -- objects -- */

static bool
check_names_are_there(const weir_json_t *object, const weir_schema_names_t *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (weir_json_get(object, names->at[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Patterns and names; *is_known: some rule was for it. */
static bool
check_member_rules(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
                   bool *is_known)
{
    const weir_schema_member_t *member = weir_table_find(&node->members.by_name, value->name);

    *is_known = member != NULL;
    if (member != NULL && !check_node(c, member->node, value, place, NULL)) {
        return false;
    }
    for (size_t i = 0; i < node->patterns.n; i++) {
        weir_regex_result_t result = check_pattern(c, node->patterns.at[i].regex, value->name);

        if (result == WEIR_REGEX_LIMIT) {
            return check_limit(c, node, place);
        }
        if (result == WEIR_REGEX_MATCH) {
            *is_known = true;
            if (!check_node(c, node->patterns.at[i].node, value, place, NULL)) {
                return false;
            }
        }
    }
    return true;
}

static bool
check_member(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
             bool *is_known)
{
    if (!check_member_rules(c, node, value, place, is_known)) {
        return false;
    }
    if (*is_known || node->other_members == NULL) {
        return true;
    }
    *is_known = true;
    if (node->other_members->kind == WEIR_SCHEMA_FALSE) {
        return check_fail(c, node, "additionalProperties", place);
    }
    return check_node(c, node->other_members, value, place, NULL);
}

static bool
check_name(check_t *c, const weir_schema_node_t *node, weir_str_t name, const check_place_t *place)
{
    const weir_json_t text = { .kind = WEIR_JSON_STRING, .text = name };

    return node->names == NULL || check_quietly(c, node->names, &text, place, NULL)
        || check_fail(c, node, "propertyNames", place);
}

static bool
check_members(check_t *c, const weir_schema_node_t *node, const weir_json_t *object, const check_place_t *place,
              check_seen_t *seen)
{
    size_t i = 0;
    bool   is_known;

    for (const weir_json_t *value = object->first; value != NULL; value = value->next) {
        const check_place_t inner = { .outer = place, .member = value };

        if (!check_name(c, node, value->name, &inner) || !check_member(c, node, value, &inner, &is_known)) {
            return false;
        }
        if (is_known) {
            check_seen_add(seen, i);
        }
        i++;
    }
    return true;
}

static bool
check_dependents(check_t *c, const weir_schema_node_t *node, const weir_json_t *object, const check_place_t *place,
                 check_seen_t *seen)
{
    for (size_t i = 0; i < node->needs.n; i++) {
        if (weir_json_get(object, node->needs.at[i].name) != NULL
            && !check_names_are_there(object, &node->needs.at[i].needs))
        {
            return check_fail(c, node, "dependentRequired", place);
        }
    }
    for (size_t i = 0; i < node->dependent.n; i++) {
        const weir_schema_member_t *member = &node->dependent.at[i];

        if (weir_json_get(object, member->name) != NULL
            && !check_node(c, member->node, object, place, seen))
        {
            return false;
        }
    }
    return true;
}

static bool
check_object(check_t *c, const weir_schema_node_t *node, const weir_json_t *object, const check_place_t *place,
             check_seen_t *seen)
{
    if (object->n > node->max_members) {
        return check_fail(c, node, "maxProperties", place);
    }
    if (object->n < node->min_members) {
        return check_fail(c, node, "minProperties", place);
    }
    if (!check_names_are_there(object, &node->required)) {
        return check_fail(c, node, "required", place);
    }
    return check_members(c, node, object, place, seen) && check_dependents(c, node, object, place, seen);
}

static bool
check_unevaluated_members(check_t *c, const weir_schema_node_t *node, const weir_json_t *object,
                          const check_place_t *place, check_seen_t *seen)
{
    size_t i = 0;

    for (const weir_json_t *value = object->first; value != NULL; value = value->next) {
        const check_place_t inner = { .outer = place, .member = value };

        if (!seen->at[i] && !check_node(c, node->unevaluated_members, value, &inner, NULL)) {
            return node->unevaluated_members->kind == WEIR_SCHEMA_FALSE
                && check_fail(c, node, "unevaluatedProperties", &inner);
        }
        seen->at[i++] = 1;
    }
    return true;
}

/* -- a node -- */

static bool
check_by_keywords(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
                  check_seen_t *seen)
{
    if (node->is_nullable && value->kind == WEIR_JSON_NULL) {
        return true;
    }
    if (!check_any(c, node, value, place) || !check_in_place(c, node, value, place, seen)) {
        return false;
    }
    switch (value->kind) {
    case WEIR_JSON_NUMBER:
        return check_number(c, node, value, place);
    case WEIR_JSON_STRING:
        return check_string(c, node, value->text, place);
    case WEIR_JSON_ARRAY:
        return check_array(c, node, value, place, seen)
            && (node->unevaluated_items == NULL || check_unevaluated_items(c, node, value, place, seen));
    case WEIR_JSON_OBJECT:
        return check_object(c, node, value, place, seen)
            && (node->unevaluated_members == NULL || check_unevaluated_members(c, node, value, place, seen));
    case WEIR_JSON_NULL: case WEIR_JSON_FALSE: case WEIR_JSON_TRUE:
        break;
    }
    return true;
}

/* What a node sees is told to the node that asks (seen) only when the node accepts the value. */
static bool
check_with_seen(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
                check_seen_t *seen)
{
    bool         is_wanted = seen != NULL || node->unevaluated_items != NULL || node->unevaluated_members != NULL;
    check_seen_t own;

    if (!is_wanted || !c->tracks || (value->kind != WEIR_JSON_ARRAY && value->kind != WEIR_JSON_OBJECT)) {
        return check_by_keywords(c, node, value, place, NULL);
    }
    if (!check_seen_init(c, &own, value)) {
        return check_limit(c, node, place);
    }
    if (!check_by_keywords(c, node, value, place, &own)) {
        return false;
    }
    check_seen_merge(seen, &own);
    return true;
}

static bool
check_node(check_t *c, const weir_schema_node_t *node, const weir_json_t *value, const check_place_t *place,
           check_seen_t *seen)
{
    check_scope_t scope = { .outer = c->scope, .resource = node->resource };
    bool          is_good;

    if (c->fault->is_limit) {
        return false;
    }
    if (++c->steps > CHECK_STEPS || c->depth == CHECK_DEPTH) {
        return check_limit(c, node, place);
    }
    switch (node->kind) {
    case WEIR_SCHEMA_TRUE:
        return true;
    case WEIR_SCHEMA_FALSE:
        return check_fail(c, node, "", place);
    case WEIR_SCHEMA_META:
        return weir_schema_is_schema(value, node->resource->draft, CHECK_DEPTH) || check_fail(c, node, "", place);
    case WEIR_SCHEMA_BY_KEYWORDS:
        break;
    }
    c->depth++;
    if (c->scope == NULL || c->scope->resource != node->resource) {
        c->scope = &scope;
    }
    is_good = check_with_seen(c, node, value, place, seen);
    c->scope = scope.outer;
    c->depth--;
    return is_good;
}

bool
weir_schema_accepts(const weir_schema_t *schema, const weir_json_t *value, weir_arena_t *arena,
                    weir_schema_fault_t *fault)
{
    check_t c = { .arena = arena, .fault = fault, .tracks = schema->tracks };

    *fault = (weir_schema_fault_t) { .at = WEIR_STR("") };
    return check_node(&c, schema->root, value, NULL, NULL) && !fault->is_limit;
}
