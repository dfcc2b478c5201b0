/*
 * patterns.c - see patterns.h.  Built with a generation and in its arena; asked by workers.
 *
 * The literal beginning is read from the pattern's text, and not at all when there is anything in it that this reader
 * does not know for sure: then the pattern is tried on every path, which is slower and never wrong.
 */
#include "http/match/patterns.h"

#include "base/array.h"
#include "base/table.h"

typedef struct {
    weir_regex_t *regex;
    uint32_t      order;
    weir_rules_t *rules;
} pattern_t;

struct weir_patterns {
    weir_arena_t *arena;
    weir_radix_t  by_beginning;      /* weir_array_t of pattern_t *, in their order */
    weir_table_t  by_text;           /* pattern_t */
    uint32_t      n;
};

/* -- the literal beginning -- */

static bool
pattern_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
pattern_is_quantifier(char c)
{
    return c == '?' || c == '*' || c == '+' || c == '{';
}

/* Behind the class that begins at i.  SIZE_MAX: it has no end. */
static size_t
pattern_skip_class(weir_str_t text, size_t i)
{
    i++;
    i += i < text.len && text.at[i] == '^';
    i += i < text.len && text.at[i] == ']';            /* the first one is a member */
    while (i < text.len && text.at[i] != ']') {
        bool is_named = text.at[i] == '[' && i + 1 < text.len && strchr(":.=", text.at[i + 1]) != NULL;

        if (is_named || (text.at[i] == '\\' && i + 1 < text.len && (text.at[i + 1] == 'Q' || text.at[i + 1] == 'E'))) {
            return SIZE_MAX;
        }
        i += text.at[i] == '\\' ? 2 : 1;
    }
    return i < text.len ? i + 1 : SIZE_MAX;
}

/* What begins at i with "(": may its inside be read as if it were plain? */
static bool
pattern_is_plain_group(weir_str_t text, size_t i)
{
    char c = i + 1 < text.len ? text.at[i + 1] : '\0', d = i + 2 < text.len ? text.at[i + 2] : '\0';

    if (c == '*') {
        return false;                                  /* a verb */
    }
    /* a comment, a callout, flags that change how what follows is read ("x") */
    return c != '?' || d == ':' || d == '<' || d == 'P' || d == '=' || d == '!' || d == '>';
}

/* Is there nothing in it that this reader does not know, and no "|" that parts the whole of it? */
static bool
pattern_is_one_piece(weir_str_t text)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.len;) {
        switch (text.at[i]) {
        case '\\':
            if (i + 1 < text.len && (text.at[i + 1] == 'Q' || text.at[i + 1] == 'E')) {
                return false;
            }
            i += 2;
            continue;
        case '[':
            i = pattern_skip_class(text, i);
            if (i == SIZE_MAX) {
                return false;
            }
            continue;
        case '(':
            if (!pattern_is_plain_group(text, i)) {
                return false;
            }
            depth++;
            break;
        case ')':
            if (depth-- == 0) {
                return false;
            }
            break;
        case '|':
            if (depth == 0) {
                return false;
            }
            break;
        default:
            break;
        }
        i++;
    }
    return depth == 0;
}

weir_str_t
weir_pattern_beginning(weir_arena_t *arena, weir_str_t pattern)
{
    char  *out = weir_alloc_bytes(arena, pattern.len + 1);
    size_t i = 0, n = 0;

    if (!pattern_is_one_piece(pattern)) {
        return WEIR_STR("");
    }
    i += pattern.len != 0 && pattern.at[0] == '^';
    while (i < pattern.len) {
        char c = pattern.at[i];

        if (strchr("^$.[|()?*+{", c) != NULL) {
            break;
        }
        if (c == '\\') {
            if (i + 1 == pattern.len || pattern_is_letter(pattern.at[i + 1])
                || (pattern.at[i + 1] >= '0' && pattern.at[i + 1] <= '9'))
            {
                break;
            }
            c = pattern.at[++i];
        }
        i++;
        if (i < pattern.len && pattern_is_quantifier(pattern.at[i])) {
            break;                                     /* it may be there or not */
        }
        out[n++] = c;
        weir_assert(n <= i && i <= pattern.len);
    }
    return weir_str(out, n);
}

/* -- building -- */

/* The first of a list from this order on; NULL: none. */
static const pattern_t *
pattern_from(const weir_array_t *list, uint32_t order)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((*weir_array_at(list, pattern_t *, middle))->order < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->n ? *weir_array_at(list, pattern_t *, low) : NULL;
}

weir_patterns_t *
weir_patterns_create(weir_arena_t *arena)
{
    weir_patterns_t *patterns = weir_new(arena, weir_patterns_t);

    patterns->arena = arena;
    weir_radix_init(&patterns->by_beginning, arena);
    weir_table_init(&patterns->by_text, arena);
    return patterns;
}

static void
pattern_index(weir_patterns_t *patterns, pattern_t *pattern, weir_str_t text)
{
    weir_radix_node_t *node = weir_radix_add(&patterns->by_beginning, weir_pattern_beginning(patterns->arena, text));

    if (node->value == NULL) {
        node->value = weir_new(patterns->arena, weir_array_t);
        weir_array_init(node->value, patterns->arena, sizeof(pattern_t *), 0);
    }
    *(pattern_t **) weir_array_push(node->value) = pattern;
    /* what pattern_from looks for by halves */
    weir_assert(pattern == pattern_from(node->value, pattern->order));
}

weir_rules_t *
weir_patterns_add(weir_patterns_t *patterns, weir_str_t text, bool *is_new, weir_error_t *error)
{
    pattern_t *pattern = weir_table_find(&patterns->by_text, text);

    *is_new = pattern == NULL;
    if (pattern == NULL) {
        pattern = weir_new(patterns->arena, pattern_t);
        pattern->regex = weir_regex_compile_whole_in(patterns->arena, text, error);
        if (pattern->regex == NULL) {
            return NULL;
        }
        pattern->order = patterns->n++;
        pattern->rules = weir_rules_create(patterns->arena);
        (void) weir_table_add(&patterns->by_text, text, pattern);
        pattern_index(patterns, pattern, text);
    }
    return pattern->rules;
}

/* -- finding -- */

/* The next one in order, of all lists of beginnings that the path has. */
static const pattern_t *
pattern_next(const weir_radix_node_t *longest, uint32_t order, weir_match_t *match)
{
    const pattern_t *next = NULL;

    for (const weir_radix_node_t *node = longest; node != NULL; node = weir_radix_shorter(node)) {
        const pattern_t *pattern = pattern_from(node->value, order);

        match->steps++;
        if (pattern != NULL && (next == NULL || pattern->order < next->order)) {
            next = pattern;
        }
    }
    return next;
}

const weir_rule_t *
weir_patterns_find(const weir_patterns_t *patterns, const weir_match_input_t *input, weir_match_t *match)
{
    const weir_radix_node_t *longest = weir_radix_longest(&patterns->by_beginning, input->path);
    const pattern_t         *pattern;
    const weir_rule_t       *rule;

    for (uint32_t order = 0; (pattern = pattern_next(longest, order, match)) != NULL; order = pattern->order + 1) {
        weir_assert(pattern->order >= order && pattern->order < patterns->n);
        weir_regex_result_t result = weir_regex_exec(pattern->regex, input->path, &match->captures);

        match->limit |= result == WEIR_REGEX_LIMIT;
        rule = result == WEIR_REGEX_MATCH ? weir_rules_find(pattern->rules, input, match) : NULL;
        if (rule != NULL || match->limit) {
            return rule;
        }
    }
    return NULL;
}
