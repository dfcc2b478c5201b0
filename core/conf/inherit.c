/*
 * inherit.c - structs of blocks: made when something is set, sealed from the outside in, then checked.
 *
 * A struct in which nothing was set is the parent's own; in one in which something was set, each field that was not is
 * the parent's or, at the root of a family, its row's default.  Runs where configurations are read.
 */
#include "conf/read.h"

#include "base/array.h"

/* --- while reading --- */

/* NULL: nothing of the module is set there. */
static weir_conf_set_t *
inherit_set_of(const weir_conf_block_t *block, size_t module)
{
    weir_conf_set_t *set = block->set != NULL ? *block->set : NULL;

    while (set != NULL && set->module != module) {
        set = set->next;
    }
    return set;
}

bool
weir_conf_bit(const weir_conf_block_t *block, const read_row_t *at)
{
    const weir_conf_set_t *set = inherit_set_of(block, at->module);

    return set != NULL && (set->bits[at->bit / 64] >> at->bit % 64 & 1);
}

void
weir_conf_mark_set(weir_conf_t *cf, weir_conf_block_t *block, const read_row_t *at)
{
    const read_row_t *row = reader_of(cf)->rows[at->module];
    weir_conf_set_t  *set = inherit_set_of(block, at->module);
    size_t            n = 0;

    weir_assert(row != NULL && row[at->bit].row == at->row);
    if (set == NULL) {
        while (row[n].row != NULL) {
            n++;
        }
        set = weir_alloc_zero(cf->arena, sizeof(*set) + (n / 64 + 1) * sizeof(set->bits[0]));
        *set = (weir_conf_set_t) { .next = *block->set, .module = at->module };
        *block->set = set;
    }
    set->bits[at->bit / 64] |= UINT64_C(1) << at->bit % 64;
}

void *
weir_conf_own(weir_conf_t *cf, weir_conf_block_t *block, size_t module_index)
{
    void **conf = &block->confs[module_index];

    weir_assert(weir_modules_in_use[module_index]->conf_size != 0);
    if (*conf == NULL) {
        *conf = weir_alloc_zero(cf->arena, weir_modules_in_use[module_index]->conf_size);
    }
    return *conf;
}

void *
weir_conf_list_push(weir_conf_t *cf, void *field, size_t item)
{
    weir_conf_list_t *list = field;
    void             *room;

    weir_assert(item != 0 && (list->n == 0 || list->at != NULL));
    if ((list->n & (list->n - 1)) == 0) {             /* full at every power of two: there is no place for a capacity */
        room = weir_alloc(cf->arena, weir_max(list->n * 2, 1) * item);
        if (list->n != 0) {
            memcpy(room, list->at, list->n * item);
        }
        list->at = room;
    }
    return memset((char *) list->at + item * list->n++, 0, item);
}

bool
weir_conf_is_set(const weir_conf_block_t *block, size_t module_index, const char *directive)
{
    const weir_directive_t *row = weir_modules_in_use[module_index]->directives;
    read_row_t              at = { .module = (uint32_t) module_index };

    if (inherit_set_of(block, module_index) == NULL) {
        return false;
    }
    for (; row->name != NULL; row++, at.bit++) {
        if (strcmp(row->name, directive) == 0 && weir_conf_bit(block, &at)) {
            return true;
        }
    }
    return false;
}

/* --- texts of rows: as if they had stood behind the row's name --- */

static const void *
inherit_read_text(reader_t *reader, const weir_directive_t *row, const char *text)
{
    weir_str_t        statement = weir_str_printf(reader->cf.arena, "%s %s;", row->name, text);
    void             *value = weir_alloc_zero(reader->cf.arena, row->type->size);
    weir_conf_words_t words;
    weir_lex_t        lex;

    weir_lex_init(&lex, reader->cf.arena, statement, "the defaults");
    if (weir_lex_next(&lex, &words, reader->cf.error) != WEIR_LEX_SIMPLE) {
        return NULL;
    }
    reader->cf.words = &words;
    return row->type->parse(&reader->cf, row, &words, value) ? value : NULL;
}

const void *
weir_conf_text_value(reader_t *reader, const read_row_t *at, size_t which)
{
    const char *const        texts[READ_TEXTS] = { at->row->dflt, at->row->min, at->row->max };
    const weir_conf_words_t *words = reader->cf.words;
    read_row_t              *kept = &reader->rows[at->module][at->bit];

    weir_assert(which < READ_TEXTS && texts[which] != NULL && kept->row == at->row);
    if (kept->values[which] == NULL) {
        weir_conf_use_part(&reader->cf, reader->environment->part);
        kept->values[which] = inherit_read_text(reader, at->row, texts[which]);
        weir_conf_use_part(&reader->cf, reader->cf.block->part);
        if (kept->values[which] == NULL) {
            return NULL;                               /* the error is told with the text's own words */
        }
        reader->cf.words = words;
    }
    return kept->values[which];
}

static bool
inherit_default(reader_t *reader, const read_row_t *at, void *field)
{
    const void *value;

    if (at->row->dflt == NULL) {
        return true;
    }
    value = weir_conf_text_value(reader, at, READ_DFLT);
    if (value != NULL) {
        memcpy(field, value, at->row->type->size);
    }
    return value != NULL;
}

/* --- sealing --- */

static void
inherit_append(reader_t *reader, const weir_directive_t *row, const void *from, void *to)
{
    const weir_conf_list_t *outer = from;
    weir_conf_list_t       *inner = to;
    size_t                  item = row->type->item;
    char                   *all;

    weir_assert(item != 0);
    if (outer->n == 0) {
        return;
    }
    all = weir_alloc(reader->cf.arena, (outer->n + inner->n) * item);
    memcpy(all, outer->at, outer->n * item);
    if (inner->n != 0) {
        memcpy(all + outer->n * item, inner->at, inner->n * item);
    }
    inner->at = all;
    inner->n += outer->n;
}

/* Whether a directive that fills the same field was set in this block. */
static bool
inherit_twin_is_set(const reader_t *reader, const weir_conf_block_t *block, const read_row_t *at)
{
    const read_row_t *other;

    if (!at->twin) {
        return false;
    }
    for (other = reader->rows[at->module]; other->row != NULL; other++) {
        if (weir_conf_has_field(other->row) && other->row->offset == at->row->offset && weir_conf_bit(block, other)) {
            return true;
        }
    }
    return false;
}

/* Whether what the enclosing block has of this is this block's too. */
static bool
inherit_reaches(const weir_directive_t *row, const weir_conf_block_t *block)
{
    return row->inherit != WEIR_OWN && (row->inherit != WEIR_LOCAL || (block->context & WEIR_IN_PART));
}

static bool
inherit_row(reader_t *reader, weir_conf_block_t *block, const read_row_t *at, const char *parent)
{
    const weir_directive_t *row = at->row;
    char                   *field = (char *) block->confs[at->module] + row->offset;

    if (!weir_conf_has_field(row) || !(row->where & weir_conf_family(block->context))) {
        return true;
    }
    if (weir_conf_bit(block, at)) {
        if (parent != NULL && row->inherit == WEIR_APPEND) {
            inherit_append(reader, row, parent + row->offset, field);
        }
        return true;
    }
    if (inherit_twin_is_set(reader, block, at)) {
        return true;
    }
    if (parent != NULL && inherit_reaches(row, block)) {
        memcpy(field, parent + row->offset, row->type->size);
        return true;
    }
    return inherit_default(reader, at, field);
}

static bool
inherit_same_family(const weir_conf_block_t *block)
{
    return block->parent != NULL && weir_conf_family(block->context) == weir_conf_family(block->parent->context);
}

/* A struct may be shared unless the parent has something of its own in it that is not inherited. */
static bool
inherit_may_share(const reader_t *reader, const weir_conf_block_t *block, size_t m)
{
    const weir_conf_block_t *parent = block->parent;
    const read_row_t *at;

    weir_assert(parent != NULL);
    if (!reader->keeps_own[m] || inherit_set_of(parent, m) == NULL) {
        return true;
    }
    for (at = reader->rows[m]; at->row != NULL; at++) {
        if (!inherit_reaches(at->row, block) && weir_conf_bit(parent, at)) {
            return false;
        }
    }
    return true;
}

static bool
inherit_fill(reader_t *reader, weir_conf_block_t *block, size_t m, const char *parent)
{
    const read_row_t *at;

    (void) weir_conf_own(&reader->cf, block, m);
    for (at = reader->rows[m]; at->row != NULL; at++) {
        if (!inherit_row(reader, block, at, parent)) {
            return false;
        }
    }
    return true;
}

/* At the root of a family, where nothing of the module was said and nothing looks at what it has: all such blocks have
 * one struct of defaults. */
static bool
inherit_plain(reader_t *reader, weir_conf_block_t *block, size_t m)
{
    read_plain_t *plain = &reader->plain[m];
    bool          filled;

    if (weir_modules_in_use[m]->check != NULL || (plain->conf != NULL && plain->context != block->context)) {
        return inherit_fill(reader, block, m, NULL);
    }
    if (plain->conf == NULL) {
        weir_conf_use_part(&reader->cf, reader->environment->part);
        filled = inherit_fill(reader, block, m, NULL);
        weir_conf_use_part(&reader->cf, reader->cf.block->part);
        *plain = (read_plain_t) { block->confs[m], block->context };
        return filled;
    }
    block->confs[m] = plain->conf;
    return true;
}

static bool
inherit_module(reader_t *reader, weir_conf_block_t *block, size_t m, bool same_family)
{
    if (!same_family) {
        return block->confs[m] == NULL ? inherit_plain(reader, block, m) : inherit_fill(reader, block, m, NULL);
    }
    if (block->confs[m] == NULL && inherit_may_share(reader, block, m)) {
        block->confs[m] = block->parent->confs[m];
        if (block->confs[m] != NULL) {
            return true;
        }
    }
    return inherit_fill(reader, block, m, block->parent->confs[m]);
}

/* events has the very structs of main. */
static bool
inherit_is_part(const weir_conf_block_t *block)
{
    return block->parent != NULL && block->confs == block->parent->confs;
}

static bool
inherit_block(reader_t *reader, weir_conf_block_t *block, void *data WEIR_UNUSED)
{
    bool   same_family = inherit_same_family(block);
    size_t context = (size_t) __builtin_ctz(block->context), i;

    weir_assert(block->context == 1U << context && context < READ_CONTEXTS);
    for (i = 0; i < reader->n_in[context] && !inherit_is_part(block); i++) {
        if (!inherit_module(reader, block, reader->in[context][i], same_family)) {
            return false;
        }
    }
    return true;
}

static bool
inherit_check_block(reader_t *reader, weir_conf_block_t *block)
{
    bool                 same_family = inherit_same_family(block);
    const weir_module_t *module;
    void                *conf;
    size_t               i;

    for (i = 0; i < reader->n_checks && !inherit_is_part(block); i++) {
        module = weir_modules_in_use[reader->checks[i]];
        conf = block->confs[reader->checks[i]];
        if (conf == NULL || (same_family && conf == block->parent->confs[reader->checks[i]])) {
            continue;
        }
        reader->cf.words = &block->words;
        if (!module->check(&reader->cf, block, conf)) {
            return weir_conf_error_at(&reader->cf, &block->words, "the module %s refuses this", module->name);
        }
    }
    return true;
}

bool
weir_conf_seal(reader_t *reader)
{
    return weir_conf_visit(reader, inherit_block, NULL);
}

/* What lies in a block with a fault is not looked at: it may build on what is missing. */
static void
inherit_check_walk(reader_t *reader, weir_conf_block_t *block)
{
    weir_conf_block_t *child;

    weir_conf_enter(&reader->cf, block);
    if (!inherit_check_block(reader, block)) {
        reader->stopped = !weir_conf_take_error(reader);
        return;
    }
    for (child = block->first; child != NULL && !reader->stopped; child = child->next) {
        inherit_check_walk(reader, child);
    }
}

bool
weir_conf_check(reader_t *reader)
{
    inherit_check_walk(reader, reader->environment);
    for (size_t i = 0; i < reader->parts.n && !reader->stopped; i++) {
        inherit_check_walk(reader, *weir_array_at(&reader->parts, weir_conf_block_t *, i));
    }
    return reader->errors->n == 0;
}
