/*
 * line.c - see line.h.  Runs where configurations are read; memory is the generation's.
 */
#include "http/match/line.h"

#include "base/array.h"
#include "conf/module.h"
#include "http/match/path_templates.h"
#include "http/message/syntax.h"

typedef struct {
    weir_arena_t *arena;
    weir_rule_t  *rule;
    weir_array_t  preds;          /* weir_predicate_t */
    bool          has_path, has_host, has_method, negate;
    weir_error_t *error;
} line_t;

/* -- paths -- */

static bool
line_is_path(line_t *l, weir_str_t text)
{
    if (!weir_str_starts(text, WEIR_STR("/"))) {
        return weir_error_set(l->error, "\"%.*s\" is no path: it begins with \"/\"", WEIR_STR_ARG(text));
    }
    if (weir_str_find(text, '?') != NULL) {
        return weir_error_set(l->error, "\"%.*s\" is no path: a query is matched by query:NAME=value",
                              WEIR_STR_ARG(text));
    }
    return true;
}

static bool
line_read_path(line_t *l, weir_str_t text)
{
    l->rule->kind = WEIR_PATH_EXACT;
    l->rule->text = text;
    return line_is_path(l, text);
}

/* "/a/" is the same as "/a": the segment and all below. */
static bool
line_read_prefix(line_t *l, weir_str_t text)
{
    l->rule->kind = WEIR_PATH_PREFIX_SEGMENT;
    l->rule->text = text;
    l->rule->text.len -= weir_str_ends(text, WEIR_STR("/"));
    if (line_is_path(l, text) && weir_str_ends(l->rule->text, WEIR_STR("/"))) {
        return weir_error_set(l->error, "\"%.*s\" ends with an empty segment", WEIR_STR_ARG(text));
    }
    return !weir_error_is_set(l->error);
}

static bool
line_read_regex(line_t *l, weir_str_t text)
{
    weir_rule_t *rule = l->rule;
    weir_str_t   name;
    uint32_t     group;
    size_t       n = 0;

    if (text.len == 0) {
        return weir_error_set(l->error, "empty regular expression");
    }
    rule->kind = WEIR_PATH_REGEX;
    rule->text = text;
    rule->regex = weir_regex_compile_whole_in(l->arena, text, l->error);
    if (rule->regex == NULL) {
        return false;
    }
    while (weir_regex_name(rule->regex, n, &name, &group)) {
        n++;
    }
    rule->names = weir_new_n(l->arena, weir_rule_name_t, n + 1);
    while (rule->n_names < n && weir_regex_name(rule->regex, rule->n_names, &name, &group)) {
        rule->names[rule->n_names++] = (weir_rule_name_t) { .name = weir_str_dup(l->arena, name), .group = group };
    }
    return true;
}

/* One without a capture is a path. */
static bool
line_read_template(line_t *l, weir_str_t text)
{
    weir_str_t   names[WEIR_PATH_TEMPLATE_MAX_CAPTURES];
    weir_rule_t *rule = l->rule;
    size_t       n;

    if (!line_is_path(l, text) || !weir_path_template_read(text, names, &n, l->error)) {
        return false;
    }
    rule->kind = n != 0 ? WEIR_PATH_TEMPLATE : WEIR_PATH_EXACT;
    rule->text = text;
    rule->names = weir_new_n(l->arena, weir_rule_name_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (names[i].len == 0) {
            return weir_error_set(l->error, "a capture without a name");
        }
        rule->names[rule->n_names++] = (weir_rule_name_t) { .name = names[i], .group = (uint32_t) i + 1 };
    }
    return true;
}

static bool
line_is_grpc_name(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) {
            return false;
        }
    }
    return text.len != 0;
}

/* A call is a request for /service/method. */
static bool
line_read_grpc(line_t *l, weir_str_t text)
{
    weir_rule_t *rule = l->rule;
    weir_str_t   service, method;
    bool         has_method = weir_str_cut(text, '/', &service, &method), any = weir_str_eq(service, WEIR_STR("*"));

    if ((!any && !line_is_grpc_name(service)) || (has_method ? !line_is_grpc_name(method) : any)) {
        return weir_error_set(l->error, "\"%.*s\" is no call: expected service, service/method or */method",
                              WEIR_STR_ARG(text));
    }
    rule->kind = any ? WEIR_PATH_TEMPLATE : has_method ? WEIR_PATH_EXACT : WEIR_PATH_PREFIX_SEGMENT;
    rule->text = weir_str_concat(l->arena, any ? WEIR_STR("/{}/") : WEIR_STR("/"), any ? method : text);
    return true;
}

/* -- host, method -- */

static bool
line_read_host(line_t *l, weir_str_t text)
{
    weir_str_t name = text;

    if (weir_str_starts(name, WEIR_STR("*."))) {
        name = weir_str_skip(name, 1);
    }
    name = weir_str_starts(name, WEIR_STR(".")) ? weir_str_skip(name, 1) : name;
    if (name.len == 0 || name.len > 255 || weir_str_find(name, '*') != NULL || weir_str_find(name, '/') != NULL
        || name.at[0] == '.' || name.at[0] == '~' || name.at[name.len - 1] == '.')
    {
        return weir_error_set(l->error, "\"%.*s\" is no host: expected a name, *.name or .name", WEIR_STR_ARG(text));
    }
    if (name.at[0] != '[' && weir_str_find(name, ':') != NULL) {
        return weir_error_set(l->error, "\"%.*s\" is no host: it has a port", WEIR_STR_ARG(text));
    }
    if (l->has_host) {
        return weir_error_set(l->error, "a second host; hosts of which one is enough stand in match lines of their "
                              "own");
    }
    l->has_host = true;
    l->rule->host = weir_str_lower(l->arena, text);
    return true;
}

static bool
line_is_token(weir_str_t text)
{
    return text.len != 0
           && weir_byte_span(text.at, text.at + text.len, WEIR_BYTE_TOKEN) == text.at + text.len;
}

static bool
line_is_method(line_t *l, weir_str_t name, const weir_strs_t *names)
{
    weir_str_t lower = weir_str_lower(l->arena, name);
    char      *upper = weir_alloc_bytes(l->arena, name.len + 1);

    if (!line_is_token(name)) {
        return weir_error_set(l->error, "\"%.*s\" is no method", WEIR_STR_ARG(name));
    }
    for (size_t i = 0; i < name.len; i++) {
        upper[i] = (char) (lower.at[i] >= 'a' && lower.at[i] <= 'z' ? lower.at[i] - 0x20 : lower.at[i]);
    }
    if (weir_method_parse(name) == WEIR_METHOD_OTHER
        && weir_method_parse(weir_str(upper, name.len)) != WEIR_METHOD_OTHER)
    {
        return weir_error_set(l->error, "\"%.*s\" is no method, did you mean \"%.*s\"?", WEIR_STR_ARG(name),
                              (int) name.len, upper);
    }
    for (size_t i = 0; i < names->n; i++) {
        if (weir_str_eq(names->at[i], name)) {
            return weir_error_set(l->error, "the method \"%.*s\" stands there twice", WEIR_STR_ARG(name));
        }
    }
    return true;
}

static bool
line_read_method(line_t *l, weir_str_t text)
{
    weir_predicate_t pred = { .kind = WEIR_PRED_METHOD, .negate = l->negate };
    weir_str_t       name, rest = text;
    size_t           n = 1;

    if (l->has_method) {
        return weir_error_set(l->error, "a second condition of the method; expected all in one: method=GET|POST");
    }
    l->has_method = true;
    for (size_t i = 0; i < text.len; i++) {
        n += text.at[i] == '|';
    }
    pred.names.at = weir_new_n(l->arena, weir_str_t, n);
    while (pred.names.n < n) {
        (void) weir_str_cut(rest, '|', &name, &rest);
        if (!line_is_method(l, name, &pred.names)) {
            return false;
        }
        pred.names.at[pred.names.n++] = name;
    }
    pred.name = pred.names.at[0];
    *(weir_predicate_t *) weir_array_push(&l->preds) = pred;
    return true;
}

/* -- header, query, cookie -- */

static bool
line_read_value(line_t *l, weir_predicate_t *pred, weir_str_t text)
{
    bool folds;

    if (text.len == 0) {
        return true;                                       /* it is there */
    }
    if (text.at[0] == '=') {
        pred->value = weir_str_skip(text, 1);
        if (pred->kind == WEIR_PRED_HEADER && !weir_syntax_is_field_value(pred->value)) {
            return weir_error_set(l->error, "\"%.*s\" is no value of a field", WEIR_STR_ARG(pred->value));
        }
        return true;
    }
    folds = weir_str_starts(text, WEIR_STR("~*"));
    text = weir_str_skip(text, folds ? 2 : 1);
    if (text.len == 0) {
        return weir_error_set(l->error, "empty regular expression");
    }
    pred->regex = weir_regex_compile_in(l->arena, text, folds, l->error);
    return pred->regex != NULL;
}

/* NAME, NAME=value, NAME~regex, NAME~*regex */
static bool
line_read_pair(line_t *l, weir_predicate_kind_t kind, weir_str_t text)
{
    weir_predicate_t pred = { .kind = kind, .negate = l->negate };
    size_t           n = 0;

    while (n < text.len && text.at[n] != '=' && text.at[n] != '~') {
        n++;
    }
    pred.name = weir_str(text.at, n);
    if (pred.name.len == 0 || (kind != WEIR_PRED_QUERY && !line_is_token(pred.name))) {
        return weir_error_set(l->error, "\"%.*s\" is no name of %s", WEIR_STR_ARG(pred.name),
                              kind == WEIR_PRED_HEADER  ? "a field"
                              : kind == WEIR_PRED_QUERY ? "an argument"
                                                        : "a cookie");
    }
    if (!line_read_value(l, &pred, weir_str_skip(text, n))) {
        return false;
    }
    *(weir_predicate_t *) weir_array_push(&l->preds) = pred;
    return true;
}

static bool
line_read_header(line_t *l, weir_str_t text)
{
    return line_read_pair(l, WEIR_PRED_HEADER, text);
}

static bool
line_read_query(line_t *l, weir_str_t text)
{
    return line_read_pair(l, WEIR_PRED_QUERY, text);
}

static bool
line_read_cookie(line_t *l, weir_str_t text)
{
    return line_read_pair(l, WEIR_PRED_COOKIE, text);
}

/* -- a line -- */

static const struct {
    const char *begin;
    bool        is_path, may_negate;
    bool      (*read)(line_t *l, weir_str_t text);
} line_conditions[] = {
    { "path=", true, false, line_read_path },
    { "path_prefix=", true, false, line_read_prefix },
    { "path_template=", true, false, line_read_template },
    { "path_regex=", true, false, line_read_regex },
    { "grpc=", true, false, line_read_grpc },
    { "host=", false, false, line_read_host },
    { "method=", false, true, line_read_method },
    { "header:", false, true, line_read_header },
    { "query:", false, true, line_read_query },
    { "cookie:", false, true, line_read_cookie },
};

static bool
line_unknown(line_t *l, weir_str_t text)
{
    const char *names[weir_countof(line_conditions)], *near;
    size_t      n = 0;

    for (size_t i = 0; i < weir_countof(names); i++) {
        names[i] = line_conditions[i].begin;
    }
    while (n < text.len && text.at[n] != '=' && text.at[n] != ':') {
        n++;
    }
    n += n < text.len;
    near = weir_conf_nearest(weir_str(text.at, n), names, weir_countof(names));
    if (near != NULL) {
        return weir_error_set(l->error, "unknown, did you mean \"%s\"?", near);
    }
    return weir_error_set(l->error,
                          "unknown, expected path=, path_prefix=, path_template=, path_regex=, grpc=, host=, "
                          "method=, header:NAME, query:NAME or cookie:NAME");
}

static bool
line_read_word(line_t *l, weir_str_t word)
{
    weir_str_t text = word;

    l->negate = weir_str_starts(text, WEIR_STR("!"));
    text = weir_str_skip(text, l->negate);
    for (size_t i = 0; i < weir_countof(line_conditions); i++) {
        weir_str_t begin = weir_str_from_z(line_conditions[i].begin);

        if (!weir_str_starts(text, begin)) {
            continue;
        }
        if (l->negate && !line_conditions[i].may_negate) {
            return weir_error_set(l->error, "\"%.*s\" cannot be turned round by \"!\": that is for method, header, "
                                  "query and cookie", WEIR_STR_ARG(begin));
        }
        if (line_conditions[i].is_path && l->has_path) {
            return weir_error_set(l->error, "a second condition of the path; paths of which one is enough stand in "
                                  "match lines of their own");
        }
        l->has_path = l->has_path || line_conditions[i].is_path;
        return line_conditions[i].read(l, weir_str_skip(text, begin.len));
    }
    return line_unknown(l, text);
}

static bool
line_is_twice(const weir_conf_words_t *words, size_t at)
{
    for (size_t i = 1; i < at; i++) {
        if (weir_str_eq(words->at[i].text, words->at[at].text)) {
            return true;
        }
    }
    return false;
}

bool
weir_match_line_read(weir_arena_t *arena, const weir_conf_words_t *words, weir_rule_t *rule, size_t *word,
                     weir_error_t *error)
{
    line_t l = { .arena = arena, .rule = rule, .error = error };

    *rule = (weir_rule_t) { .kind = WEIR_PATH_PREFIX_SEGMENT, .text = WEIR_STR(""), .words = words };
    weir_array_init(&l.preds, arena, sizeof(weir_predicate_t), 0);
    for (*word = 1; *word < words->n; ++*word) {
        weir_str_t text = words->at[*word].text;

        if (line_is_twice(words, *word)) {
            return weir_error_set(error, "it stands there twice");
        }
        if (!line_read_word(&l, text)) {
            return false;
        }
    }
    rule->preds = l.preds.at;
    rule->n_preds = l.preds.n;
    return true;
}
