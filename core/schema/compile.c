/*
 * compile.c - from a document to nodes: a node for each schema in it, then the references between them.
 *
 * Load time only; memory: the arena's.  A schema that a reference leads to, in a place where none was looked for, is
 * compiled when the reference is.  Documents of other URIs are asked for when a reference leads there, each once.
 */
#include "schema/node.h"
#include "schema/uri.h"

#include "base/array.h"

#define COMPILE_DEPTH 256               /* schemas inside one another */

typedef struct {
    weir_schema_node_t     *node;
    weir_schema_resource_t *resource;
    weir_str_t              text;
    bool                    is_dynamic;
} compile_ref_t;

typedef struct {
    weir_arena_t                *arena;
    const weir_schema_options_t *options;
    weir_error_t                *error;
    weir_table_t                 resources;      /* by URI */
    weir_table_t                 nodes;          /* by the address of their JSON */
    weir_array_t                 refs;           /* compile_ref_t, to be resolved */
    weir_schema_t               *schema;
} compile_t;

static weir_schema_node_t *compile_schema(compile_t *c, const weir_json_t *json, weir_schema_resource_t *resource,
                                          weir_str_t at, unsigned depth);

static bool
compile_is(const weir_json_t *value, weir_json_kind_t kind)
{
    return value != NULL && value->kind == kind;
}

static weir_str_t
compile_address(const weir_json_t *const *json)
{
    return weir_str((const char *) json, sizeof(*json));
}

/* NULL: not compiled so far. */
static weir_schema_node_t *
compile_find(const compile_t *c, const weir_json_t *json)
{
    return weir_table_find(&c->nodes, compile_address(&json));
}

static weir_str_t
compile_below(const compile_t *c, weir_str_t at, weir_str_t name)
{
    return weir_json_pointer(c->arena, at, name);
}

static weir_str_t
compile_below_index(const compile_t *c, weir_str_t at, size_t i)
{
    return weir_str_printf(c->arena, "%.*s/%zu", WEIR_STR_ARG(at), i);
}

/* -- fields of a node -- */

static void *
compile_field(weir_schema_node_t *node, const weir_schema_keyword_t *keyword)
{
    return (char *) node + keyword->field;
}

static bool
compile_list(compile_t *c, const weir_json_t *array, weir_schema_resource_t *resource, weir_str_t at, unsigned depth,
             weir_schema_list_t *list)
{
    list->at = weir_new_n(c->arena, const weir_schema_node_t *, array->n + 1);
    for (const weir_json_t *inner = array->first; inner != NULL; inner = inner->next) {
        const weir_schema_node_t *node = compile_schema(c, inner, resource, compile_below_index(c, at, list->n), depth);

        if (node == NULL) {
            return false;
        }
        list->at[list->n++] = node;
    }
    return true;
}

static bool
compile_member(compile_t *c, const weir_json_t *json, weir_schema_resource_t *resource, weir_str_t at, unsigned depth,
               weir_schema_map_t *map)
{
    weir_schema_member_t *member = &map->at[map->n];

    member->name = json->name;
    member->node = compile_schema(c, json, resource, compile_below(c, at, json->name), depth);
    if (member->node == NULL) {
        return false;
    }
    (void) weir_table_add(&map->by_name, member->name, member);
    map->n++;
    return true;
}

static void
compile_map_init(compile_t *c, const weir_json_t *object, weir_schema_map_t *map)
{
    *map = (weir_schema_map_t) { .at = weir_new_n(c->arena, weir_schema_member_t, object->n + 1) };
    weir_table_init(&map->by_name, c->arena);
}

static bool
compile_map(compile_t *c, const weir_json_t *object, weir_schema_resource_t *resource, weir_str_t at, unsigned depth,
            weir_schema_map_t *map)
{
    compile_map_init(c, object, map);
    for (const weir_json_t *json = object->first; json != NULL; json = json->next) {
        if (!compile_member(c, json, resource, at, depth, map)) {
            return false;
        }
    }
    return true;
}

static weir_schema_names_t
compile_names(const compile_t *c, const weir_json_t *array)
{
    weir_schema_names_t names = { .at = weir_new_n(c->arena, weir_str_t, array->n + 1) };

    for (const weir_json_t *name = array->first; name != NULL; name = name->next) {
        names.at[names.n++] = name->text;
    }
    return names;
}

/* dependentRequired; of draft-07's dependencies those that are names. */
static void
compile_needs(const compile_t *c, const weir_json_t *object, weir_schema_node_t *node)
{
    node->needs.at = weir_new_n(c->arena, weir_schema_needs_t, object->n + 1);
    for (const weir_json_t *json = object->first; json != NULL; json = json->next) {
        if (json->kind == WEIR_JSON_ARRAY) {
            node->needs.at[node->needs.n++] = (weir_schema_needs_t) {
                .name = json->name, .needs = compile_names(c, json)
            };
        }
    }
}

static bool
compile_dependencies(compile_t *c, const weir_json_t *object, weir_schema_node_t *node, weir_str_t at, unsigned depth)
{
    compile_needs(c, object, node);
    compile_map_init(c, object, &node->dependent);
    for (const weir_json_t *json = object->first; json != NULL; json = json->next) {
        if (json->kind != WEIR_JSON_ARRAY && !compile_member(c, json, node->resource, at, depth, &node->dependent)) {
            return false;
        }
    }
    return true;
}

static const weir_regex_t *
compile_regex(const compile_t *c, weir_str_t text, weir_str_t at)
{
    weir_error_t        why = { .text = "" };
    const weir_regex_t *regex = weir_regex_compile_ecma_in(c->arena, weir_schema_pattern(c->arena, text), &why);

    if (regex == NULL) {
        (void) weir_error_set(c->error, "%.*s: %s", WEIR_STR_ARG(at), why.text);
    }
    return regex;
}

static bool
compile_patterns(compile_t *c, const weir_json_t *object, weir_schema_node_t *node, weir_str_t at, unsigned depth)
{
    node->patterns.at = weir_new_n(c->arena, weir_schema_pattern_t, object->n + 1);
    for (const weir_json_t *json = object->first; json != NULL; json = json->next) {
        weir_str_t             below = compile_below(c, at, json->name);
        weir_schema_pattern_t *pattern = &node->patterns.at[node->patterns.n++];

        pattern->regex = compile_regex(c, json->name, below);
        pattern->node = pattern->regex != NULL ? compile_schema(c, json, node->resource, below, depth) : NULL;
        if (pattern->node == NULL) {
            return false;
        }
    }
    return true;
}

/* Draft-07: with an array it is what draft 2020-12 calls prefixItems, and additionalItems is its items. */
static bool
compile_items(compile_t *c, const weir_json_t *schema, const weir_json_t *items, weir_schema_node_t *node,
              weir_str_t at, unsigned depth)
{
    const weir_json_t *others = weir_json_get(schema, WEIR_STR("additionalItems"));

    if (!compile_is(items, WEIR_JSON_ARRAY)) {
        return (node->items = compile_schema(c, items, node->resource, at, depth)) != NULL;
    }
    if (!compile_list(c, items, node->resource, at, depth, &node->first_items)) {
        return false;
    }
    if (others == NULL) {
        return true;
    }
    node->items = compile_schema(c, others, node->resource,
                                 compile_below(c, node->at, WEIR_STR("additionalItems")), depth);
    return node->items != NULL;
}

static void
compile_types(const weir_json_t *value, weir_schema_node_t *node)
{
    if (value->kind == WEIR_JSON_STRING) {
        node->types = weir_schema_type_of_name(value->text);
    }
    for (const weir_json_t *name = value->first; name != NULL; name = name->next) {
        node->types |= weir_schema_type_of_name(name->text);
    }
}

static void
compile_ref(compile_t *c, const weir_json_t *value, weir_schema_node_t *node, bool is_dynamic)
{
    *(compile_ref_t *) weir_array_push(&c->refs) = (compile_ref_t) {
        .node = node, .resource = node->resource, .text = value->text, .is_dynamic = is_dynamic
    };
}

/* OpenAPI 3.0: whether a bound is one of those that are not reached, and whether null is good beside the type. */
static void
compile_openapi(const weir_json_t *schema, weir_str_t name, weir_schema_node_t *node)
{
    if (weir_str_eq(name, WEIR_STR("nullable"))) {
        node->is_nullable = true;
    } else if (weir_str_eq(name, WEIR_STR("exclusiveMaximum"))) {
        node->below = weir_json_get(schema, WEIR_STR("maximum"));
    } else {
        node->above = weir_json_get(schema, WEIR_STR("minimum"));
    }
}

/* Keywords that have no field of their own, or need more than their value. */
static bool
compile_special(compile_t *c, const weir_json_t *schema, const weir_schema_keyword_t *keyword, const weir_json_t *value,
                weir_schema_node_t *node, weir_str_t at, unsigned depth)
{
    weir_str_t        name = weir_str_from_z(keyword->name);
    weir_schema_map_t aside;

    if (weir_str_eq(name, WEIR_STR("$defs")) || weir_str_eq(name, WEIR_STR("definitions"))) {
        return compile_map(c, value, node->resource, at, depth, &aside);
    }
    if (keyword->shape == WEIR_SCHEMA_OF_ITEMS) {
        return compile_items(c, schema, value, node, at, depth);
    }
    if (keyword->shape == WEIR_SCHEMA_OF_DEPENDENCIES) {
        return compile_dependencies(c, value, node, at, depth);
    }
    if (weir_str_eq(name, WEIR_STR("patternProperties"))) {
        return compile_patterns(c, value, node, at, depth);
    }
    if (weir_str_eq(name, WEIR_STR("pattern"))) {
        return (node->pattern = compile_regex(c, value->text, at)) != NULL;
    }
    if (weir_str_eq(name, WEIR_STR("$ref"))) {
        compile_ref(c, value, node, false);
    } else if (weir_str_eq(name, WEIR_STR("$dynamicRef"))) {
        compile_ref(c, value, node, true);
    } else if (weir_str_eq(name, WEIR_STR("dependentRequired"))) {
        compile_needs(c, value, node);
    } else if (weir_str_eq(name, WEIR_STR("type"))) {
        compile_types(value, node);
    } else if (weir_str_eq(name, WEIR_STR("format")) && c->options->checks_format) {
        node->format = weir_schema_format_of(value->text);
    } else if (keyword->shape == WEIR_SCHEMA_OF_BOOLEAN && value->kind == WEIR_JSON_TRUE) {
        compile_openapi(schema, name, node);
    }
    return true;
}

static bool
compile_keyword(compile_t *c, const weir_json_t *schema, const weir_schema_keyword_t *keyword, const weir_json_t *value,
                weir_schema_node_t *node, unsigned depth)
{
    weir_str_t at = compile_below(c, node->at, weir_str_from_z(keyword->name));

    if (!weir_schema_shape_holds(keyword->shape, value)) {
        return weir_error_set(c->error, "%.*s must be %s", WEIR_STR_ARG(at), weir_schema_shape_text(keyword->shape));
    }
    if (keyword->field == 0) {
        return compile_special(c, schema, keyword, value, node, at, depth);
    }
    switch (keyword->shape) {
    case WEIR_SCHEMA_OF_SCHEMA:
        *(weir_schema_node_t **) compile_field(node, keyword) = compile_schema(c, value, node->resource, at, depth);
        return *(weir_schema_node_t **) compile_field(node, keyword) != NULL;
    case WEIR_SCHEMA_OF_SCHEMAS:
        return compile_list(c, value, node->resource, at, depth, compile_field(node, keyword));
    case WEIR_SCHEMA_OF_MAP:
        return compile_map(c, value, node->resource, at, depth, compile_field(node, keyword));
    case WEIR_SCHEMA_OF_COUNT:
        *(uint64_t *) compile_field(node, keyword) = (uint64_t) weir_schema_number(value);
        return true;
    case WEIR_SCHEMA_OF_BOOLEAN:
        *(bool *) compile_field(node, keyword) = value->kind == WEIR_JSON_TRUE;
        return true;
    case WEIR_SCHEMA_OF_NAMES:
        *(weir_schema_names_t *) compile_field(node, keyword) = compile_names(c, value);
        return true;
    default:
        *(const weir_json_t **) compile_field(node, keyword) = value;
        return true;
    }
}

/* -- resources -- */

/* $schema of a document: its draft, or another metaschema, which may leave the assertions out. */
static bool
compile_dialect(compile_t *c, weir_schema_resource_t *resource)
{
    const weir_json_t *value = weir_json_get(resource->root, WEIR_STR("$schema")), *meta, *vocabulary;
    weir_str_t    uri, fragment;

    if (!compile_is(value, WEIR_JSON_STRING) || weir_schema_draft_of(value->text, &resource->draft)) {
        return true;
    }
    weir_schema_uri_split(value->text, &uri, &fragment);
    meta = c->options->find != NULL ? c->options->find(c->options->data, uri) : NULL;
    if (meta == NULL) {
        return weir_error_set(c->error, "$schema \"%.*s\": only draft 2020-12 and draft-07 are known",
                              WEIR_STR_ARG(uri));
    }
    value = weir_json_get(meta, WEIR_STR("$schema"));
    if (compile_is(value, WEIR_JSON_STRING)) {
        (void) weir_schema_draft_of(value->text, &resource->draft);
    }
    vocabulary = weir_json_get(meta, WEIR_STR("$vocabulary"));
    resource->validates = vocabulary == NULL
        || weir_json_get(vocabulary, WEIR_STR("https://json-schema.org/draft/2020-12/vocab/validation")) != NULL;
    return true;
}

/* NULL: the error is set. */
static weir_schema_resource_t *
compile_resource(compile_t *c, const weir_json_t *root, weir_str_t uri, const weir_schema_resource_t *outer)
{
    weir_schema_resource_t *resource = weir_new(c->arena, weir_schema_resource_t);

    resource->uri = weir_str_dup(c->arena, uri);
    resource->root = root;
    resource->draft = outer != NULL ? outer->draft : c->options->draft;
    resource->validates = outer != NULL ? outer->validates : true;
    weir_table_init(&resource->anchors, c->arena);
    weir_table_init(&resource->dynamic, c->arena);
    if (!compile_dialect(c, resource)) {
        return NULL;
    }
    if (weir_table_add(&c->resources, resource->uri, resource) != resource) {
        (void) weir_error_set(c->error, "two schemas have the $id \"%.*s\"", WEIR_STR_ARG(uri));
        return NULL;
    }
    return resource;
}

/* $id, $anchor and $dynamicAnchor: how others may call this schema. */
static bool
compile_identity(compile_t *c, const weir_json_t *json, weir_schema_node_t *node)
{
    const weir_json_t *id = weir_json_get(json, WEIR_STR("$id")), *anchor = weir_json_get(json, WEIR_STR("$anchor")),
                 *dynamic = weir_json_get(json, WEIR_STR("$dynamicAnchor"));
    weir_str_t    uri = WEIR_STR_NONE, fragment = WEIR_STR_NONE;

    if (compile_is(id, WEIR_JSON_STRING)) {
        weir_schema_uri_split(id->text, &uri, &fragment);
    }
    if (uri.len != 0 && json != node->resource->root) {
        uri = weir_schema_uri_resolve(c->arena, node->resource->uri, uri);
        node->resource = compile_resource(c, json, uri, node->resource);
        if (node->resource == NULL) {
            return false;
        }
        node->at = weir_str_concat(c->arena, uri, WEIR_STR("#"));
    }
    if (node->resource->draft != WEIR_SCHEMA_2020_12) {
        return fragment.len == 0 || weir_table_add(&node->resource->anchors, fragment, (void *) json) != NULL;
    }
    if (compile_is(anchor, WEIR_JSON_STRING)) {
        (void) weir_table_add(&node->resource->anchors, anchor->text, (void *) json);
    }
    if (compile_is(dynamic, WEIR_JSON_STRING)) {
        (void) weir_table_add(&node->resource->anchors, dynamic->text, (void *) json);
        (void) weir_table_add(&node->resource->dynamic, dynamic->text, node);
    }
    return true;
}

/* -- schemas -- */

static weir_schema_node_t *
compile_new(compile_t *c, weir_schema_kind_t kind, weir_schema_resource_t *resource, weir_str_t at)
{
    weir_schema_node_t *node = weir_new(c->arena, weir_schema_node_t);

    *node = (weir_schema_node_t) {
        .kind = kind, .resource = resource, .at = at, .min_contains = 1, .max_contains = UINT64_MAX,
        .max_length = UINT64_MAX, .max_items = UINT64_MAX, .max_members = UINT64_MAX,
    };
    return node;
}

static bool
compile_keywords(compile_t *c, const weir_json_t *json, weir_schema_node_t *node, unsigned depth)
{
    for (const weir_schema_keyword_t *keyword = weir_schema_keywords; keyword->name != NULL; keyword++) {
        const weir_json_t *value = weir_json_get(json, weir_str_from_z(keyword->name));

        if (value != NULL && weir_schema_keyword_is_of(keyword, node->resource->draft)
            && (node->resource->validates || !keyword->asserts)
            && !compile_keyword(c, json, keyword, value, node, depth))
        {
            return false;
        }
    }
    c->schema->tracks = c->schema->tracks || node->unevaluated_items != NULL || node->unevaluated_members != NULL;
    return true;
}

/* NULL: the error is set. */
static weir_schema_node_t *
compile_schema(compile_t *c, const weir_json_t *json, weir_schema_resource_t *resource, weir_str_t at, unsigned depth)
{
    weir_schema_node_t *node = compile_find(c, json);
    const weir_json_t       *ref = weir_json_get(json, WEIR_STR("$ref")), **address;

    if (json->kind == WEIR_JSON_TRUE || json->kind == WEIR_JSON_FALSE) {
        return compile_new(c, json->kind == WEIR_JSON_TRUE ? WEIR_SCHEMA_TRUE : WEIR_SCHEMA_FALSE, resource, at);
    }
    if (node != NULL) {
        return node;
    }
    if (!compile_is(json, WEIR_JSON_OBJECT) || depth == 0) {
        (void) weir_error_set(c->error, depth == 0 ? "schemas lie too deep inside one another: %.*s"
                                                   : "%.*s is not a schema", WEIR_STR_ARG(at));
        return NULL;
    }
    node = compile_new(c, WEIR_SCHEMA_BY_KEYWORDS, resource, at);
    address = weir_new(c->arena, const weir_json_t *);
    *address = json;
    (void) weir_table_add(&c->nodes, compile_address(address), node);
    if (resource->draft != WEIR_SCHEMA_2020_12 && compile_is(ref, WEIR_JSON_STRING)) {
        compile_ref(c, ref, node, false);               /* all beside it is ignored (draft-07, §8.3) */
        return node;
    }
    return compile_identity(c, json, node) && compile_keywords(c, json, node, depth - 1) ? node : NULL;
}

/* A whole document.  NULL: the error is set. */
static weir_schema_node_t *
compile_document(compile_t *c, const weir_json_t *json, weir_str_t uri)
{
    const weir_json_t           *id = weir_json_get(json, WEIR_STR("$id"));
    weir_str_t              own = WEIR_STR_NONE, fragment;
    weir_schema_resource_t *resource;

    if (compile_is(id, WEIR_JSON_STRING)) {
        weir_schema_uri_split(id->text, &own, &fragment);
    }
    own = own.len != 0 ? weir_schema_uri_resolve(c->arena, uri, own) : uri;
    resource = compile_resource(c, json, own, NULL);
    if (resource == NULL) {
        return NULL;
    }
    if (!weir_str_eq(own, uri)) {
        (void) weir_table_add(&c->resources, weir_str_dup(c->arena, uri), resource);
    }
    return compile_schema(c, json, resource, weir_str_concat(c->arena, own, WEIR_STR("#")), COMPILE_DEPTH);
}

/* -- references -- */

static bool
compile_step(const weir_json_t **at, weir_str_t token)
{
    const weir_json_t *inner = (*at)->first;
    uint64_t           index = 0;

    if ((*at)->kind == WEIR_JSON_ARRAY && !weir_str_to_u64(token, &index)) {
        return false;
    }
    while (inner != NULL && ((*at)->kind == WEIR_JSON_ARRAY ? index-- != 0 : !weir_str_eq(inner->name, token))) {
        inner = inner->next;
    }
    *at = inner;
    return inner != NULL;
}

/* "~1" is a slash, "~0" a tilde. */
static weir_str_t
compile_unescape(compile_t *c, weir_str_t token)
{
    char  *out = weir_alloc_bytes(c->arena, token.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < token.len; i++) {
        bool is_escape = token.at[i] == '~' && i + 1 < token.len;

        out[n++] = !is_escape ? token.at[i] : token.at[i + 1] == '1' ? '/' : '~';
        i += is_escape;
    }
    return weir_str(out, n);
}

/* By a JSON Pointer from the root of a resource.  NULL: nothing is there, or the error is set. */
static weir_schema_node_t *
compile_by_pointer(compile_t *c, weir_schema_resource_t *resource, weir_str_t pointer)
{
    const weir_json_t *json = resource->root;
    weir_str_t    at = weir_str_concat(c->arena, resource->uri, WEIR_STR("#")), rest = pointer, token;
    size_t        end;

    while (rest.len != 0) {
        const weir_schema_node_t *node = compile_find(c, json);

        resource = node != NULL ? node->resource : resource;
        for (end = 1; end < rest.len && rest.at[end] != '/'; end++) {
        }
        token = weir_str(rest.at + 1, end - 1);
        rest = weir_str_skip(rest, end);
        token = compile_unescape(c, token);
        at = compile_below(c, at, token);
        if (!compile_step(&json, token)) {
            return NULL;
        }
    }
    return compile_schema(c, json, resource, at, COMPILE_DEPTH);
}

/* The resource of that URI, which is asked for when it is new.  NULL: there is none, or the error is set. */
static weir_schema_resource_t *
compile_find_resource(compile_t *c, weir_str_t uri)
{
    weir_schema_resource_t *resource = weir_table_find(&c->resources, uri);
    const weir_json_t           *json;

    if (resource != NULL || c->options->find == NULL) {
        return resource;
    }
    json = c->options->find(c->options->data, uri);
    if (json == NULL || compile_document(c, json, uri) == NULL) {
        return NULL;
    }
    return weir_table_find(&c->resources, uri);
}

static weir_schema_node_t *
compile_target(compile_t *c, const compile_ref_t *ref, weir_str_t uri, weir_str_t fragment)
{
    weir_schema_resource_t *resource = weir_table_find(&c->resources, uri), *meta;
    const weir_json_t           *json;
    weir_schema_draft_t     draft;

    if (resource == NULL && fragment.len == 0 && weir_schema_draft_of(uri, &draft)) {
        meta = weir_new(c->arena, weir_schema_resource_t);
        *meta = *ref->resource;
        meta->draft = draft;
        return compile_new(c, WEIR_SCHEMA_META, meta, uri);
    }
    resource = compile_find_resource(c, uri);
    if (resource == NULL) {
        return NULL;
    }
    if (fragment.len == 0 || fragment.at[0] == '/') {
        return compile_by_pointer(c, resource, fragment);
    }
    json = weir_table_find(&resource->anchors, fragment);
    return json != NULL ? compile_find(c, json) : NULL;
}

static bool
compile_resolve(compile_t *c, const compile_ref_t *ref)
{
    weir_str_t          uri = weir_schema_uri_resolve(c->arena, ref->resource->uri, ref->text), document, fragment;
    weir_schema_node_t *target;

    weir_schema_uri_split(ref->text, &document, &fragment);
    fragment = weir_schema_uri_decode(c->arena, fragment);
    target = compile_target(c, ref, uri, fragment);
    if (target == NULL) {
        return weir_error_set(c->error, "%.*s: the reference \"%.*s\" leads to nothing that is known",
                              WEIR_STR_ARG(ref->node->at), WEIR_STR_ARG(ref->text));
    }
    if (!ref->is_dynamic) {
        ref->node->ref = target;
        return true;
    }
    ref->node->dynamic_ref = target;
    if (weir_table_find(&target->resource->dynamic, fragment) == target) {
        ref->node->dynamic_name = weir_str_dup(c->arena, fragment);
    }
    return true;
}

/* One schema of a document that is none itself: of OpenAPI. */
static weir_schema_node_t *
compile_entry(compile_t *c, const weir_json_t *document, weir_str_t uri)
{
    weir_schema_resource_t *resource = compile_resource(c, document, uri, NULL);
    weir_schema_node_t     *node = resource != NULL ? compile_by_pointer(c, resource, c->options->entry) : NULL;

    if (node == NULL && !weir_error_is_set(c->error)) {
        (void) weir_error_set(c->error, "there is nothing at \"%.*s\"", WEIR_STR_ARG(c->options->entry));
    }
    return node;
}

weir_schema_t *
weir_schema_compile(weir_arena_t *arena, const weir_json_t *document, weir_str_t uri,
                    const weir_schema_options_t *options, weir_error_t *error)
{
    compile_t c = { .arena = arena, .options = options, .error = error };
    weir_str_t fragment;

    weir_schema_uri_split(uri, &uri, &fragment);
    c.schema = weir_new(arena, weir_schema_t);
    weir_table_init(&c.resources, arena);
    weir_table_init(&c.nodes, arena);
    weir_array_init(&c.refs, arena, sizeof(compile_ref_t), 0);
    uri = uri.at != NULL ? uri : WEIR_STR("");
    c.schema->root = options->entry.len == 0 ? compile_document(&c, document, uri) : compile_entry(&c, document, uri);
    if (c.schema->root == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < c.refs.n; i++) {
        compile_ref_t ref = *weir_array_at(&c.refs, compile_ref_t, i);      /* resolving may add others */

        if (!compile_resolve(&c, &ref)) {
            return NULL;
        }
    }
    return c.schema;
}
