/*
 * match.h - the one matcher: host, path, method, headers, query to a rule; compiled at load, pure at run time.
 *
 * nginx's server_name and location rules, and later Weir's route blocks and the Gateway API, compile into it.  A rule
 * whose predicates do not hold leaves the next best one its chance, inside one host, never across.  10,000 rules cost
 * what ten cost: exact names in hash tables, prefixes in a radix tree.
 */
#ifndef WEIR_HTTP_MATCH_H
#define WEIR_HTTP_MATCH_H

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

/* -- predicates beyond the path -- */
typedef struct {
    enum { WEIR_PRED_METHOD, WEIR_PRED_HEADER, WEIR_PRED_QUERY } kind;
    weir_str_t          name;       /* header or argument name; method name */
    weir_str_t          value;      /* exact value; regex != NULL: pattern; both empty: present */
    const weir_regex_t *regex;
    bool                negate;
} weir_predicate_t;

/* What the matcher may look at. */
typedef struct {
    weir_str_t           path;      /* decoded normal form */
    weir_str_t           method;
    weir_str_t           query;
    const weir_fields_t *fields;
} weir_match_input_t;

/* Do all of them hold?  A field that came in several lines is judged as the list they make; a query argument by its
 * first value, undecoded.  *limit is set (and the answer is no) when a pattern ran into its limit. */
bool weir_predicates_hold(const weir_predicate_t *preds, size_t n, const weir_match_input_t *input, bool *limit)
    WEIR_MUST_USE;

/* -- paths -- */
typedef enum {
    WEIR_PATH_PREFIX,               /* by byte, as nginx's location /x */
    WEIR_PATH_PREFIX_FINAL,         /* ^~ : a regex is not tried any more */
    WEIR_PATH_PREFIX_SEGMENT,       /* by segment, as the Gateway API's PathPrefix */
    WEIR_PATH_EXACT,                /* = */
    WEIR_PATH_REGEX,
    WEIR_PATH_TO_SLASH,             /* of what is found only: a rule's path without the slash at its end */
} weir_path_kind_t;

typedef struct weir_paths weir_paths_t;

typedef struct weir_rule {
    weir_path_kind_t        kind;
    weir_str_t              text;       /* path or pattern, as written */
    bool                    fold_case;  /* ~* */
    bool                    to_slash;   /* a prefix "/x/": "/x", when nothing else names it, is found as TO_SLASH */
    const weir_predicate_t *preds;
    size_t                  n_preds;
    void                   *value;
    weir_paths_t           *inner;      /* nested rules, tried when this one is the best of its level; NULL: none */
    /* compiled */
    weir_regex_t           *regex;
    uint32_t                order;      /* of addition */
    struct weir_rule       *next;       /* next best rule of the same path */
} weir_rule_t;

weir_paths_t *weir_paths_create(weir_arena_t *arena);
/* rule is borrowed (generation's arena).  false with *error: bad pattern; or *duplicate: same kind and text and
 * neither has predicates (a prefix with and one without ^~ are of the same kind; patterns may stand twice, as in
 * nginx). */
bool  weir_paths_add(weir_paths_t *paths, weir_rule_t *rule, bool *duplicate, weir_error_t *error) WEIR_MUST_USE;
void  weir_paths_seal(weir_paths_t *paths);        /* sorts predicates' candidates by precedence; add no more */

typedef struct {
    const weir_rule_t *rule;            /* NULL: nothing matched */
    weir_captures_t    captures;        /* n == 0 unless a regex matched */
    bool               limit;           /* a pattern ran into its limit: the request must be denied */
} weir_match_t;
/* nginx's order: exact; the longest prefix and its inner rules; regexes of inner blocks, then of outer ones, in
 * order, unless ^~ holds; then that prefix; with predicates: next best rules of the same and shorter paths, in the
 * Gateway API's precedence (method, number of headers, number of query arguments, order). */
void weir_paths_find(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match);

#endif
