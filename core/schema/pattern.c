/*
 * pattern.c - an ECMA-262 pattern in PCRE2's spelling: properties by their long names.  Load time only.
 *
 * PCRE2 knows the general categories by their short names only; "General_Category=", "gc=", "Script=" and "sc=" before
 * a name say what kind of name it is, which PCRE2 finds out itself.
 */
#include "schema/node.h"

#include "base/buf.h"

static const struct { weir_str_t name, in_short; } pattern_categories[] = {
    { WEIR_STR_INIT("Letter"), WEIR_STR_INIT("L") },
    { WEIR_STR_INIT("Cased_Letter"), WEIR_STR_INIT("L&") },
    { WEIR_STR_INIT("Uppercase_Letter"), WEIR_STR_INIT("Lu") },
    { WEIR_STR_INIT("Lowercase_Letter"), WEIR_STR_INIT("Ll") },
    { WEIR_STR_INIT("Titlecase_Letter"), WEIR_STR_INIT("Lt") },
    { WEIR_STR_INIT("Modifier_Letter"), WEIR_STR_INIT("Lm") },
    { WEIR_STR_INIT("Other_Letter"), WEIR_STR_INIT("Lo") },
    { WEIR_STR_INIT("Mark"), WEIR_STR_INIT("M") },
    { WEIR_STR_INIT("Combining_Mark"), WEIR_STR_INIT("M") },
    { WEIR_STR_INIT("Nonspacing_Mark"), WEIR_STR_INIT("Mn") },
    { WEIR_STR_INIT("Spacing_Mark"), WEIR_STR_INIT("Mc") },
    { WEIR_STR_INIT("Enclosing_Mark"), WEIR_STR_INIT("Me") },
    { WEIR_STR_INIT("Number"), WEIR_STR_INIT("N") },
    { WEIR_STR_INIT("Decimal_Number"), WEIR_STR_INIT("Nd") },
    { WEIR_STR_INIT("digit"), WEIR_STR_INIT("Nd") },
    { WEIR_STR_INIT("Letter_Number"), WEIR_STR_INIT("Nl") },
    { WEIR_STR_INIT("Other_Number"), WEIR_STR_INIT("No") },
    { WEIR_STR_INIT("Punctuation"), WEIR_STR_INIT("P") },
    { WEIR_STR_INIT("punct"), WEIR_STR_INIT("P") },
    { WEIR_STR_INIT("Connector_Punctuation"), WEIR_STR_INIT("Pc") },
    { WEIR_STR_INIT("Dash_Punctuation"), WEIR_STR_INIT("Pd") },
    { WEIR_STR_INIT("Open_Punctuation"), WEIR_STR_INIT("Ps") },
    { WEIR_STR_INIT("Close_Punctuation"), WEIR_STR_INIT("Pe") },
    { WEIR_STR_INIT("Initial_Punctuation"), WEIR_STR_INIT("Pi") },
    { WEIR_STR_INIT("Final_Punctuation"), WEIR_STR_INIT("Pf") },
    { WEIR_STR_INIT("Other_Punctuation"), WEIR_STR_INIT("Po") },
    { WEIR_STR_INIT("Symbol"), WEIR_STR_INIT("S") },
    { WEIR_STR_INIT("Math_Symbol"), WEIR_STR_INIT("Sm") },
    { WEIR_STR_INIT("Currency_Symbol"), WEIR_STR_INIT("Sc") },
    { WEIR_STR_INIT("Modifier_Symbol"), WEIR_STR_INIT("Sk") },
    { WEIR_STR_INIT("Other_Symbol"), WEIR_STR_INIT("So") },
    { WEIR_STR_INIT("Separator"), WEIR_STR_INIT("Z") },
    { WEIR_STR_INIT("Space_Separator"), WEIR_STR_INIT("Zs") },
    { WEIR_STR_INIT("Line_Separator"), WEIR_STR_INIT("Zl") },
    { WEIR_STR_INIT("Paragraph_Separator"), WEIR_STR_INIT("Zp") },
    { WEIR_STR_INIT("Other"), WEIR_STR_INIT("C") },
    { WEIR_STR_INIT("Control"), WEIR_STR_INIT("Cc") },
    { WEIR_STR_INIT("cntrl"), WEIR_STR_INIT("Cc") },
    { WEIR_STR_INIT("Format"), WEIR_STR_INIT("Cf") },
    { WEIR_STR_INIT("Surrogate"), WEIR_STR_INIT("Cs") },
    { WEIR_STR_INIT("Private_Use"), WEIR_STR_INIT("Co") },
    { WEIR_STR_INIT("Unassigned"), WEIR_STR_INIT("Cn") },
};

/* What is between the braces of \p{…}. */
static weir_str_t
pattern_property(weir_str_t name)
{
    static const weir_str_t kinds[] = {
        WEIR_STR_INIT("General_Category="), WEIR_STR_INIT("gc="), WEIR_STR_INIT("Script="), WEIR_STR_INIT("sc="),
    };

    for (size_t i = 0; i < weir_countof(kinds); i++) {
        if (weir_str_starts(name, kinds[i])) {
            name = weir_str_skip(name, kinds[i].len);
        }
    }
    for (size_t i = 0; i < weir_countof(pattern_categories); i++) {
        if (weir_str_eq(name, pattern_categories[i].name)) {
            return pattern_categories[i].in_short;
        }
    }
    return name;
}

/* The white space of ECMA-262, which is more than PCRE2's. */
static const weir_str_t pattern_spaces = WEIR_STR_INIT("\\s\\xa0\\u2028\\u2029\\ufeff\\p{Zs}");

/* "\s" and "\S", but for a "\S" in brackets: there PCRE2's stays.  false: it is another escape. */
static bool
pattern_put_spaces(weir_buf_t *out, char c, bool in_brackets)
{
    if (c != 's' && (c != 'S' || in_brackets)) {
        return false;
    }
    weir_buf_add_str(out, in_brackets ? WEIR_STR_NONE : c == 's' ? WEIR_STR("[") : WEIR_STR("[^"));
    weir_buf_add_str(out, pattern_spaces);
    weir_buf_add_str(out, in_brackets ? WEIR_STR_NONE : WEIR_STR("]"));
    return true;
}

/* The escape at the beginning of text; how long it was. */
static size_t
pattern_put_escape(weir_buf_t *out, weir_str_t text, bool in_brackets)
{
    weir_str_t name, rest;

    if (text.len > 2 && weir_char_lower(text.at[1]) == 'p' && text.at[2] == '{'
        && weir_str_cut(weir_str_skip(text, 3), '}', &name, &rest))
    {
        weir_buf_add_str(out, weir_str(text.at, 3));
        weir_buf_add_str(out, pattern_property(name));
        return 3 + name.len;
    }
    if (!pattern_put_spaces(out, text.at[1], in_brackets)) {
        weir_buf_add_str(out, weir_str(text.at, 2));
    }
    return 2;
}

weir_str_t
weir_schema_pattern(weir_arena_t *arena, weir_str_t text)
{
    weir_buf_t out;
    bool       in_brackets = false;
    size_t     room = text.len * (pattern_spaces.len + 3) / 2 + 1;      /* two bytes become at most so many */

    weir_buf_init(&out, weir_alloc_bytes(arena, room), room);
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] == '\\' && i + 1 < text.len) {
            i += pattern_put_escape(&out, weir_str_skip(text, i), in_brackets);
            continue;
        }
        in_brackets = text.at[i] == '[' || (in_brackets && text.at[i] != ']');
        weir_buf_add_str(&out, weir_str(text.at + i++, 1));
    }
    weir_assert(!out.full);
    return weir_buf_str(&out);
}
