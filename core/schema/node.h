/*
 * node.h - what a schema is compiled to, and the keywords.  Inside core/schema only.
 */
#ifndef WEIR_SCHEMA_NODE_H
#define WEIR_SCHEMA_NODE_H

#include "base/table.h"
#include "expr/regex.h"
#include "schema/schema.h"

typedef struct weir_schema_node weir_schema_node_t;
typedef struct weir_schema_resource weir_schema_resource_t;

/* The bits of `type`. */
enum {
    WEIR_SCHEMA_NULL = 1 << 0, WEIR_SCHEMA_BOOLEAN = 1 << 1, WEIR_SCHEMA_INTEGER = 1 << 2, WEIR_SCHEMA_NUMBER = 1 << 3,
    WEIR_SCHEMA_STRING = 1 << 4, WEIR_SCHEMA_ARRAY = 1 << 5, WEIR_SCHEMA_OBJECT = 1 << 6,
};

typedef enum {
    WEIR_SCHEMA_BY_KEYWORDS,
    WEIR_SCHEMA_TRUE,
    WEIR_SCHEMA_FALSE,
    WEIR_SCHEMA_META,                       /* the value is itself a schema of the resource's draft */
} weir_schema_kind_t;

typedef struct { const weir_schema_node_t **at; size_t n; } weir_schema_list_t;
typedef struct { weir_str_t name; const weir_schema_node_t *node; } weir_schema_member_t;
typedef struct { weir_schema_member_t *at; size_t n; weir_table_t by_name; } weir_schema_map_t;
typedef struct { const weir_regex_t *regex; const weir_schema_node_t *node; } weir_schema_pattern_t;
typedef struct { weir_str_t *at; size_t n; } weir_schema_names_t;
typedef struct { weir_str_t name; weir_schema_names_t needs; } weir_schema_needs_t;
typedef bool (*weir_schema_format_t)(weir_str_t text);

/* A part of documents with a URI of its own ($id): what references in it are resolved against. */
struct weir_schema_resource {
    weir_str_t          uri;                /* without fragment */
    weir_schema_draft_t draft;
    bool                validates;          /* the vocabulary of assertions is in use ($vocabulary) */
    const weir_json_t       *root;
    weir_table_t        anchors;            /* name -> const weir_json_t *: of $anchor and $dynamicAnchor */
    weir_table_t        dynamic;            /* name -> weir_schema_node_t * of $dynamicAnchor */
};

/* Of a bound that was not said: NULL.  Counts: UINT64_MAX above, 0 below. */
struct weir_schema_node {
    weir_schema_kind_t            kind;
    weir_schema_resource_t       *resource;
    weir_str_t                    at;       /* a URI with a JSON Pointer */

    weir_schema_node_t           *ref, *dynamic_ref;
    weir_str_t                    dynamic_name;      /* of a dynamic_ref that the dynamic scope may lead elsewhere */

    unsigned                      types;             /* 0: any */
    const weir_json_t                 *one_of_values;     /* enum */
    const weir_json_t                 *the_value;         /* const */
    const weir_json_t                 *multiple_of, *minimum, *maximum, *above, *below;
    uint64_t                      min_length, max_length, min_items, max_items, min_members, max_members;
    const weir_regex_t           *pattern;
    weir_schema_format_t          format;
    bool                          has_unique_items;
    bool                          is_nullable;       /* OpenAPI 3.0: null is good, whatever the other keywords say */

    weir_schema_list_t            all_of, any_of, one_of, first_items;
    const weir_schema_node_t     *not, *when, *then, *otherwise;
    const weir_schema_node_t     *items, *contains, *names, *other_members, *unevaluated_items, *unevaluated_members;
    uint64_t                      min_contains, max_contains;
    weir_schema_map_t             members, dependent;
    struct { weir_schema_pattern_t *at; size_t n; } patterns;
    weir_schema_names_t           required;
    struct { weir_schema_needs_t *at; size_t n; } needs;      /* dependentRequired */
};

struct weir_schema {
    const weir_schema_node_t *root;
    bool                      tracks;       /* some node has an unevaluated… */
};

/* -- keywords (keywords.c) -- */

/* What stands behind a keyword. */
typedef enum {
    WEIR_SCHEMA_OF_SCHEMA,
    WEIR_SCHEMA_OF_SCHEMAS,                 /* one or more, in an array */
    WEIR_SCHEMA_OF_MAP,                     /* an object of schemas */
    WEIR_SCHEMA_OF_ITEMS,                   /* draft-07: a schema or an array of them */
    WEIR_SCHEMA_OF_DEPENDENCIES,            /* draft-07: an object of schemas and arrays of names */
    WEIR_SCHEMA_OF_COUNT,
    WEIR_SCHEMA_OF_NUMBER,
    WEIR_SCHEMA_OF_POSITIVE,
    WEIR_SCHEMA_OF_BOOLEAN,
    WEIR_SCHEMA_OF_STRING,
    WEIR_SCHEMA_OF_NAMES,                   /* an array of different strings */
    WEIR_SCHEMA_OF_NEEDS,                   /* an object of such arrays */
    WEIR_SCHEMA_OF_TYPES,
    WEIR_SCHEMA_OF_ARRAY,
    WEIR_SCHEMA_OF_OBJECT,
    WEIR_SCHEMA_OF_ANYTHING,
} weir_schema_shape_t;

typedef struct {
    const char         *name;
    weir_schema_shape_t shape;
    unsigned            drafts;             /* bits by weir_schema_draft_t */
    bool                asserts;            /* belongs to the vocabulary of assertions */
    size_t              field;              /* offset in the node, by shape; 0: the compiler's own */
} weir_schema_keyword_t;

/* The last one has no name. */
extern const weir_schema_keyword_t weir_schema_keywords[];

static inline bool
weir_schema_keyword_is_of(const weir_schema_keyword_t *keyword, weir_schema_draft_t draft)
{
    return (keyword->drafts & (1u << draft)) != 0;
}

bool weir_schema_shape_holds(weir_schema_shape_t shape, const weir_json_t *value);
/* In words, for errors. */
const char *weir_schema_shape_text(weir_schema_shape_t shape);
/* 0: none of them. */
unsigned weir_schema_type_of_name(weir_str_t name);
/* NULL: not known; it says nothing then. */
weir_schema_format_t weir_schema_format_of(weir_str_t name);
/* Is the value a schema of that draft, with all that is in it?  What the metaschema would say. */
bool weir_schema_is_schema(const weir_json_t *value, weir_schema_draft_t draft, uint32_t depth);
/* Of $schema: which draft; false: neither. */
bool weir_schema_draft_of(weir_str_t uri, weir_schema_draft_t *draft);

/* -- patterns (pattern.c) -- */

/* As PCRE2 spells it (expr/regex.h: ECMA); in the arena. */
weir_str_t weir_schema_pattern(weir_arena_t *arena, weir_str_t text);

/* -- values (values.c) -- */

/* A number as it is compared: whole ones of 64 bits and doubles are exact. */
long double weir_schema_number(const weir_json_t *value);
bool     weir_schema_is_integer(const weir_json_t *value);                 /* 1.0 is one */
int      weir_schema_compare(const weir_json_t *a, const weir_json_t *b);  /* numbers: below 0, 0, above */
bool     weir_schema_is_multiple(const weir_json_t *value, const weir_json_t *of);
/* 1 and 1.0 are; the order of members is nothing */
bool     weir_schema_is_equal(const weir_json_t *a, const weir_json_t *b);
bool     weir_schema_are_unique(const weir_json_t *array);            /* also false when there is no memory to tell */
uint64_t weir_schema_length(weir_str_t text);                    /* in code points */

#endif
