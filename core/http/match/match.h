/*
 * match.h - the one matcher: host, path, method, headers, cookies, query to a rule; compiled at load, pure at run time.
 *
 * nginx's server_name and location rules compile into hosts and paths, Weir's route blocks (and later the Gateway API)
 * into routes.  A rule whose predicates do not hold leaves the next best one its chance, inside one host.  10,000 rules
 * cost what ten cost: exact names in hash tables, prefixes in a radix tree, path templates in a tree of segments,
 * patterns by their literal beginning, rules of one path by the values that they ask for.
 */
#ifndef WEIR_HTTP_MATCH_H
#define WEIR_HTTP_MATCH_H

#include "base/radix.h"
#include "conf/lex.h"
#include "expr/regex.h"
#include "http/message/head.h"

/* -- hosts: exact, then longest "*.x", then longest "x.*", then regex in order, then none (the default's turn) -- */
typedef struct weir_hosts weir_hosts_t;
weir_hosts_t *weir_hosts_create(weir_arena_t *arena);
/* name as in server_name: "a.b", ".a.b" (both a.b and *.a.b), "*.a.b", "a.*", "~regex" ("" means no Host), in any
 * case; value is not NULL.  false with *error: bad name; *conflict tells whether that name is there already (the first
 * one keeps it; of ".a.b" nothing is added when either half is there). */
bool  weir_hosts_add(weir_hosts_t *hosts, weir_str_t name, void *value, bool *conflict, weir_error_t *error)
    WEIR_MUST_USE;
/* Whether a ~regex name is compiled to match in any case. */
bool  weir_hosts_folds(weir_str_t pattern);
/* host: lower case, without port.  NULL: none.  captures are written for a regex name; *regex tells which (else NULL).
 * *limit: a pattern ran into its limit: the request must be denied. */
void *weir_hosts_find(const weir_hosts_t *hosts, weir_str_t host, weir_captures_t *captures, const weir_regex_t **regex,
                      bool *limit);

/* One name after another that fits the host, the most specific first, patterns and "x.*" left out: zeroed at first. */
typedef struct { const weir_radix_node_t *node; uint32_t stage; } weir_hosts_walk_t;
void *weir_hosts_next(const weir_hosts_t *hosts, weir_str_t host, weir_hosts_walk_t *walk);      /* NULL: no more */

/* -- predicates beyond the path -- */
typedef enum { WEIR_PRED_METHOD, WEIR_PRED_HEADER, WEIR_PRED_QUERY, WEIR_PRED_COOKIE } weir_predicate_kind_t;

typedef struct {
    weir_predicate_kind_t kind;
    weir_str_t          name;       /* of a header, cookie or argument; method name */
    weir_strs_t         names;      /* METHOD: any of them; n == 0: name */
    weir_str_t          value;      /* exact value; regex != NULL: pattern; at == NULL and no pattern: present */
    const weir_regex_t *regex;
    bool                negate;
} weir_predicate_t;

/* What the matcher may look at. */
typedef struct {
    weir_str_t           path;      /* decoded normal form */
    weir_str_t           method;
    weir_str_t           query;
    const weir_fields_t *fields;
    weir_str_t           host;      /* lower case, without port; of routes only */
} weir_match_input_t;

/* Do all of them hold?  A field that came in several lines is judged as the list they make; an argument or a cookie by
 * its first value, an argument decoded.  *limit is set (and the answer is no) when a pattern ran into its limit. */
bool weir_predicates_hold(const weir_predicate_t *preds, size_t n, const weir_match_input_t *input, bool *limit)
    WEIR_MUST_USE;
/* What the request has of what the predicate asks for; false: nothing.  It borrows from the input or from the arena. */
bool weir_predicates_value(const weir_predicate_t *pred, const weir_match_input_t *input, weir_arena_t *arena,
                           weir_str_t *value) WEIR_MUST_USE;
/* Is it said of one value what is to be there?  Then rules can be found by it. */
static inline bool
weir_predicates_is_exact(const weir_predicate_t *pred)
{
    return !pred->negate && (pred->kind == WEIR_PRED_METHOD || (pred->regex == NULL && pred->value.at != NULL));
}

/* -- paths -- */
typedef enum {
    WEIR_PATH_PREFIX,               /* by byte, as nginx's location /x */
    WEIR_PATH_PREFIX_FINAL,         /* ^~ : a regex is not tried any more */
    WEIR_PATH_PREFIX_SEGMENT,       /* by segment, as the Gateway API's PathPrefix */
    WEIR_PATH_EXACT,                /* = */
    WEIR_PATH_REGEX,                /* of routes: the whole path */
    WEIR_PATH_TEMPLATE,             /* of routes: /users/{id} */
    WEIR_PATH_TO_SLASH,             /* of what is found only: a rule's path without the slash at its end */
} weir_path_kind_t;

typedef struct weir_paths weir_paths_t;

/* What a group of a rule's path is called. */
typedef struct { weir_str_t name; uint32_t group, slot; } weir_rule_name_t;

typedef struct weir_rule {
    weir_path_kind_t        kind;
    weir_str_t              text;       /* path or pattern, as written */
    bool                    fold_case;  /* ~* */
    bool                    to_slash;   /* a prefix "/x/": "/x", when nothing else names it, is found as TO_SLASH */
    const weir_predicate_t *preds;
    size_t                  n_preds;
    void                   *value;
    weir_paths_t           *inner;      /* nested rules, tried when this one is the best of its level; NULL: none */
    /* of routes */
    weir_str_t               host;      /* "a.b" or "*.a.b", lower case; empty: any */
    weir_rule_name_t        *names;
    size_t                   n_names;
    const weir_conf_words_t *words;     /* where it is said */
    /* compiled */
    weir_regex_t           *regex;
    uint32_t                order;      /* of addition */
    uint32_t                rank;       /* among the rules of its path: 0 is the best */
    struct weir_rule       *next;       /* next best rule of the same path */
} weir_rule_t;

/* The Gateway API's order of rules of one path: more methods, then more headers (a cookie is one), then more query
 * arguments, then the earlier one.  Below 0: a comes first. */
int weir_predicates_compare(const weir_rule_t *a, const weir_rule_t *b);

/* Bytes of the path that a route's rule names: the whole path, or the prefix without a slash at its end; 0: it names a
 * template, a pattern or nothing. */
static inline size_t
weir_rule_literal(const weir_rule_t *rule)
{
    return rule->kind == WEIR_PATH_EXACT || rule->kind == WEIR_PATH_PREFIX_SEGMENT ? rule->text.len : 0;
}

/* The first of them that names neither a path nor a beginning of one; NULL: all do. */
const weir_rule_t *weir_rules_not_literal(weir_rule_t *const *rules, size_t n);

weir_paths_t *weir_paths_create(weir_arena_t *arena);
/* rule is borrowed (generation's arena).  false with *error: bad pattern; or *duplicate: same kind and text and
 * neither has predicates (a prefix with and one without ^~ are of the same kind; patterns may stand twice, as in
 * nginx). */
bool  weir_paths_add(weir_paths_t *paths, weir_rule_t *rule, bool *duplicate, weir_error_t *error) WEIR_MUST_USE;
void  weir_paths_seal(weir_paths_t *paths);        /* sorts predicates' candidates by precedence; add no more */

typedef struct {
    const weir_rule_t *rule;            /* NULL: nothing matched */
    weir_captures_t    captures;        /* n == 0 unless a regex matched; of a route never 0 */
    bool               limit;           /* a pattern ran into its limit: the request must be denied */
    uint32_t           steps;           /* of routes: nodes and rules that were looked at */
} weir_match_t;
/* nginx's order: exact; the longest prefix and its inner rules; regexes of inner blocks, then of outer ones, in
 * order, unless ^~ holds; then that prefix; with predicates: next best rules of the same and shorter paths, in the
 * Gateway API's precedence (method, number of headers, number of query arguments, order). */
void weir_paths_find(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match);

/* -- routes: rules with a host of their own, in the Gateway API's order -- */
typedef struct weir_routes weir_routes_t;
weir_routes_t *weir_routes_create(weir_arena_t *arena, bool host_fallthrough);
/* rule is borrowed; its kind is EXACT, PREFIX_SEGMENT (its text then has no slash at its end; "" is every path), REGEX
 * or TEMPLATE.  false with *error; or with *same: another rule asks for the very same. */
bool  weir_routes_add(weir_routes_t *routes, weir_rule_t *rule, const weir_rule_t **same, weir_error_t *error)
    WEIR_MUST_USE;
void  weir_routes_seal(weir_routes_t *routes);
/* The rules of the host that fits best and has any: the exact one, the longest wildcard, none; with host_fallthrough
 * those of the next one, too, when no rule of it holds.  Among them: exact path; template, with the more literal
 * segments from the left; patterns in order; the longest prefix; then weir_predicates_compare.
 *
 * Bounds: an exact path and each prefix of the path cost one look-up.  Templates: at most two nodes for each node of
 * the level above, and never more than there are nodes.  Patterns: those whose literal beginning is the path's, in
 * order.  Of the rules of one path: one look-up for each name that they ask an exact value of, and those rules of which
 * all these values are the request's, or which have none. */
void  weir_routes_find(const weir_routes_t *routes, const weir_match_input_t *input, weir_match_t *match);

#endif
