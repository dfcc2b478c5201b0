/*
 * template.c - "$name", "${name}" and "$1" in text, compiled at load, evaluated for each request.
 *
 * Compiling runs where configurations are read and allocates in the generation's arena; evaluating runs in workers and
 * allocates only when there are several parts.
 */
#include "expr/template.h"

#include "base/array.h"

#define TEMPLATE_STACK_PARTS 16

typedef struct {
    weir_arena_t *arena;
    weir_vars_t  *vars;
    weir_error_t *error;
    const weir_vars_place_t *place;    /* NULL: every name must be known now */
    weir_str_t    text;
    size_t        at;
    weir_template_part_t *parts;
    size_t        n;
} template_scan_t;

static bool
template_is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
template_refer(template_scan_t *scan, weir_str_t name)
{
    weir_var_ref_t *ref = &scan->parts[scan->n].ref;
    weir_str_t      near;

    scan->n++;
    if (scan->place != NULL) {
        return weir_vars_find_later(scan->vars, name, ref, scan->place, scan->error);
    }
    if (weir_vars_find(scan->vars, name, ref, &near)) {
        return true;
    }
    if (near.at != NULL) {
        return weir_error_set(scan->error, "unknown \"%.*s\" variable, did you mean \"%.*s\"?", WEIR_STR_ARG(name),
                              WEIR_STR_ARG(near));
    }
    return weir_error_set(scan->error, "unknown \"%.*s\" variable", WEIR_STR_ARG(name));
}

/* scan->at is behind '$'. */
static bool
template_scan_name(template_scan_t *scan)
{
    weir_str_t text = scan->text, name;
    size_t     start = scan->at;
    bool       braced = start < text.len && text.at[start] == '{';

    start += braced;
    scan->at = start;
    if (!braced && start < text.len && text.at[start] >= '1' && text.at[start] <= '9') {
        scan->at++;
    } else {
        while (scan->at < text.len && template_is_name_char(text.at[scan->at])) {
            scan->at++;
        }
    }
    name = weir_str(text.at + start, scan->at - start);
    if (braced && (scan->at == text.len || text.at[scan->at] != '}')) {
        return weir_error_set(scan->error, "the closing bracket in \"%.*s\" variable is missing", WEIR_STR_ARG(name));
    }
    scan->at += braced;
    if (name.len == 0) {
        return weir_error_set(scan->error, "invalid variable name in \"%.*s\"", WEIR_STR_ARG(text));
    }
    return template_refer(scan, name);
}

static size_t
template_count_dollars(weir_str_t text)
{
    size_t i, n = 0;

    for (i = 0; i < text.len; i++) {
        n += text.at[i] == '$';
    }
    return n;
}

/* One literal goes on where the one before it ends: a constant is one part. */
static void
template_add_literal(template_scan_t *scan, weir_str_t text)
{
    weir_template_part_t *last = scan->n != 0 ? &scan->parts[scan->n - 1] : NULL;

    if (last != NULL && last->ref.row == NULL && last->literal.at != NULL
        && last->literal.at + last->literal.len == text.at)
    {
        last->literal.len += text.len;
    } else if (text.len != 0) {
        scan->parts[scan->n++].literal = text;
    }
}

static bool
template_scan(template_scan_t *scan)
{
    weir_str_t  rest;
    const char *dollar;
    size_t      len;

    while (scan->at < scan->text.len) {
        rest = weir_str_skip(scan->text, scan->at);
        dollar = weir_str_find(rest, '$');
        len = dollar != NULL ? (size_t) (dollar - rest.at) : rest.len;
        if (len != 0) {
            template_add_literal(scan, weir_str(rest.at, len));
            scan->at += len;
            continue;
        }
        scan->at++;
        if (!template_scan_name(scan)) {
            return false;
        }
    }
    return true;
}

const weir_template_t *
weir_template_compile_pieces(weir_arena_t *arena, weir_vars_t *vars, const weir_template_piece_t *pieces, size_t n,
                             const weir_vars_place_t *place, weir_error_t *error)
{
    weir_template_t *made = weir_new(arena, weir_template_t);
    template_scan_t  scan = { .arena = arena, .vars = vars, .error = error, .place = place };
    size_t           room = 0;

    /* Each '$' makes at most one reference and ends one literal; one more literal may follow the last. */
    for (size_t i = 0; i < n; i++) {
        room += pieces[i].is_literal ? 1 : template_count_dollars(pieces[i].text) * 2 + 1;
        made->source = i == 0 ? weir_str_dup(arena, pieces[i].text)
                       : weir_str_concat(arena, made->source, pieces[i].text);
    }
    scan.parts = weir_new_n(arena, weir_template_part_t, weir_max(room, (size_t) 1));
    made->is_constant = true;
    made->source = weir_str(made->source.at != NULL ? made->source.at : "", made->source.len);
    for (size_t i = 0, at = 0; i < n; i++) {
        scan.text = weir_str(made->source.at + at, pieces[i].text.len);
        at += scan.text.len;
        scan.at = 0;
        if (pieces[i].is_literal) {
            template_add_literal(&scan, scan.text);
            continue;
        }
        made->is_constant = made->is_constant && weir_str_find(scan.text, '$') == NULL;
        if (!template_scan(&scan)) {
            return NULL;
        }
        weir_assert(scan.at == scan.text.len);
    }
    weir_assert(scan.n <= room);
    made->parts = scan.parts;
    made->n = scan.n;
    return made;
}

const weir_template_t *
weir_template_compile_at(weir_arena_t *arena, weir_vars_t *vars, weir_str_t text, const weir_vars_place_t *place,
                         weir_error_t *error)
{
    const weir_template_piece_t piece = { text, false };

    return weir_template_compile_pieces(arena, vars, &piece, 1, place, error);
}

const weir_template_t *
weir_template_compile(weir_arena_t *arena, weir_vars_t *vars, weir_str_t text, weir_error_t *error)
{
    return weir_template_compile_at(arena, vars, text, NULL, error);
}

void
weir_template_makes(const weir_template_t *template, weir_vars_t *vars, uint32_t slot)
{
    for (size_t i = 0; template != NULL && i < template->n; i++) {
        weir_vars_maker_reads(vars, slot, &template->parts[i].ref);
    }
}

static weir_str_t
template_eval_part(const weir_template_part_t *part, const weir_scope_t *scope, weir_arena_t *arena)
{
    weir_str_t value = WEIR_STR_NONE;

    if (part->ref.row == NULL) {
        return part->literal;
    }
    return weir_vars_get(&part->ref, scope, arena, &value) ? value : WEIR_STR_NONE;
}

weir_str_t
weir_template_eval(const weir_template_t *template, const weir_scope_t *scope, weir_arena_t *arena)
{
    weir_str_t  room[TEMPLATE_STACK_PARTS], *values = room;
    size_t      i, len = 0;
    char       *out, *at;

    if (template->n <= 1) {
        return template->n == 0 ? WEIR_STR("") : template_eval_part(&template->parts[0], scope, arena);
    }
    if (template->n > TEMPLATE_STACK_PARTS) {
        values = weir_alloc(arena, sizeof(weir_str_t) * template->n);
    }
    for (i = 0; i < template->n; i++) {
        values[i] = template_eval_part(&template->parts[i], scope, arena);
        len += values[i].len;
    }
    out = at = weir_alloc_bytes(arena, len);
    for (i = 0; i < template->n; i++) {
        if (values[i].len != 0) {
            memcpy(at, values[i].at, values[i].len);
            at += values[i].len;
        }
    }
    weir_assert((size_t) (at - out) == len);     /* a value has stayed as it was measured */
    return weir_str(out, len);
}
