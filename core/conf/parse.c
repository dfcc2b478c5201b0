/*
 * parse.c - statements to blocks: finds each directive's row, checks where it stands and its arguments, reads its
 * field.
 *
 * Runs where configurations are read: in the master, and in a worker's build thread; everything is of one reading.
 * Blocks within blocks and files within files are bounded, so recursion is.
 */
#include "conf/read.h"

#include "base/array.h"

#include <stdio.h>

/* --- what is wrong with a directive --- */

bool
weir_conf_refuse(reader_t *reader, const weir_conf_words_t *words, const char *after, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void) weir_conf_vfail_at(reader->cf.error, words, 0, after, fmt, args);
    va_end(args);
    return false;
}

static bool
parse_check_count(reader_t *reader, const weir_directive_t *row, const weir_conf_words_t *words)
{
    size_t n = words->n - 1;
    size_t min = row->opens ? row->block_min_args : row->type->min_args;
    size_t max = row->opens ? row->block_max_args : row->type->max_args;
    char   syntax[60], after[80];

    if (n >= min && (n <= max || max == 255)) {
        return true;
    }
    after[0] = '\0';
    if (weir_conf_syntax(row, syntax, sizeof(syntax)) < sizeof(syntax)) {
        (void) snprintf(after, sizeof(after), " (usage: %s)", syntax);
    }
    return weir_conf_refuse(reader, words, after, "invalid number of arguments in \"%s\" directive", row->name);
}

static bool
parse_check_duplicate(reader_t *reader, const read_row_t *at, const weir_conf_words_t *words)
{
    const weir_directive_t *row = at->row;
    bool                    repeats = row->type != NULL ? row->type->repeats : !row->single;

    weir_assert(row->type != NULL || row->opens != 0);
    if (repeats || !weir_conf_bit(reader->cf.block, at)) {
        return true;
    }
    return weir_conf_refuse(reader, words, "", "\"%s\" directive is duplicate", row->name);
}

/* --- a simple directive --- */

static bool
parse_limit(reader_t *reader, const read_row_t *at, size_t which, const void *field)
{
    const weir_directive_t  *row = at->row;
    const weir_conf_words_t *words = reader->cf.words;
    bool                     is_min = which == READ_MIN;
    const char              *text = is_min ? row->min : row->max;
    const void              *limit;
    int                      order;

    if (text == NULL) {
        return true;
    }
    weir_assert(row->type->compare != NULL);
    limit = weir_conf_text_value(reader, at, which);
    if (limit == NULL) {
        return false;
    }
    order = row->type->compare(field, limit);
    if (is_min ? order >= 0 : order <= 0) {
        return true;
    }
    return weir_conf_error(&reader->cf, 1, "invalid value \"%.*s\" in \"%s\" directive: must be at %s %s",
                           (int) weir_min(words->at[1].text.len, 100), words->at[1].text.at, row->name,
                           is_min ? "least" : "most", text);
}

static void
parse_keep_line(reader_t *reader, weir_conf_block_t *block, const read_row_t *at, const weir_conf_words_t *words)
{
    weir_conf_line_t *line;

    if (!reader->keeps_lines) {
        return;
    }
    line = weir_new(reader->cf.arena, weir_conf_line_t);
    *line = (weir_conf_line_t) { .words = words, .row = at->row, .module = at->module };
    if (block->last_line != NULL) {
        block->last_line->next = line;
    } else {
        block->lines = line;
    }
    block->last_line = line;
}

static bool
parse_simple(reader_t *reader, const read_row_t *at, const weir_conf_words_t *words)
{
    const weir_directive_t *row = at->row;
    weir_conf_t            *cf = &reader->cf;
    void                   *field = NULL;

    weir_assert(row->opens == 0 && row->type != NULL);
    if (weir_conf_has_field(row)) {
        field = (char *) weir_conf_own(cf, cf->block, at->module) + row->offset;
    }
    if (!row->type->parse(cf, row, words, field)) {
        if (!weir_error_is_set(cf->error)) {
            (void) weir_conf_refuse(reader, words, "", "invalid \"%s\" directive", row->name);
        }
        return false;
    }
    weir_conf_mark_set(cf, cf->block, at);
    parse_keep_line(reader, cf->block, at, words);
    return field == NULL || (parse_limit(reader, at, READ_MIN, field) && parse_limit(reader, at, READ_MAX, field));
}

/* --- a block --- */

static weir_conf_block_t *
parse_make_block(reader_t *reader, const weir_directive_t *row, const weir_conf_words_t *words)
{
    weir_conf_block_t *parent = reader->cf.block, *block;
    weir_part_t       *part = parent->part;

    weir_assert(row->opens != 0 && parent != NULL);
    if (row->is_part) {
        part = weir_part_create();
        weir_generation_add_part(reader->generation, part);
        weir_conf_use_part(&reader->cf, part);
    }
    block = weir_new(reader->cf.arena, weir_conf_block_t);
    *block = (weir_conf_block_t) { .context = row->opens, .row = row, .words = *words, .parent = parent, .part = part };
    if (row->is_part) {
        block->words.at = weir_statements_copy_words(reader->cf.arena, words);      /* the part's own */
        *(weir_conf_block_t **) weir_array_push(&reader->parts) = block;
    } else {
        if (parent->last != NULL) {
            parent->last->next = block;
        } else {
            parent->first = block;
        }
        parent->last = block;
    }
    if (row->opens != WEIR_IN_MAIN && weir_conf_family(row->opens) == weir_conf_family(WEIR_IN_MAIN)) {
        block->confs = parent->confs;
        block->set = parent->set;
    } else {
        block->confs = weir_new_n(reader->cf.arena, void *, reader->n_modules);
        block->set = &block->own_set;
    }
    return block;
}

static bool
parse_block(reader_t *reader, read_statements_t *from, const read_row_t *at, const weir_conf_words_t *words)
{
    weir_conf_t            *cf = &reader->cf;
    const weir_directive_t *row = at->row;
    weir_conf_block_t      *parent = cf->block, *block;

    if (reader->depth == READ_MAX_BLOCKS) {
        return weir_conf_refuse(reader, words, "", "too many blocks inside one another: more than %d", READ_MAX_BLOCKS);
    }
    if (weir_conf_has_field(row)) {
        (void) weir_conf_own(cf, parent, at->module);
    }
    weir_conf_mark_set(cf, parent, at);
    parse_keep_line(reader, parent, at, words);
    block = parse_make_block(reader, row, words);
    words = &block->words;
    if (row->opened != NULL && !row->opened(cf, block, words)) {
        return weir_conf_error_at(cf, words, "invalid \"%s\" block", row->name);
    }
    reader->depth++;
    cf->block = block;
    if (!weir_conf_read_statements(reader, from, words)
        || (row->opens == WEIR_IN_HTTP && !weir_conf_read_late(reader)))
    {
        return false;
    }
    weir_assert(cf->block == block && reader->depth > 0);
    cf->block = parent;
    cf->words = words;
    weir_conf_use_part(cf, parent->part);
    reader->depth--;
    return true;
}

/* --- statements --- */

static bool
parse_data(reader_t *reader, weir_lex_kind_t kind, const weir_conf_words_t *words)
{
    weir_conf_block_t *block = reader->cf.block;

    if (kind == WEIR_LEX_OPEN) {
        return weir_conf_refuse(reader, words, "", "unexpected \"{\" inside \"%s\"", block->row->name);
    }
    weir_assert(block->row->line != NULL);
    return block->row->line(&reader->cf, block, words) || weir_conf_error_at(&reader->cf, words, "invalid line");
}

static bool
parse_directive(reader_t *reader, read_statements_t *from, weir_lex_kind_t kind, const weir_conf_words_t *words)
{
    unsigned          elsewhere;
    const read_row_t *at = weir_conf_find(reader, words->at[0].text, reader->cf.block->context,
                                          kind == WEIR_LEX_OPEN, &elsewhere);

    reader->cf.words = words;
    if (words->at[0].quoted && words->at[0].text.len == 0 && reader->cf.block->context != WEIR_IN_DATA) {
        return weir_conf_refuse(reader, words, "", "unknown directive \"\"");
    }
    if (at == NULL) {
        return reader->cf.block->context == WEIR_IN_DATA ? parse_data(reader, kind, words)
                                                         : weir_conf_take_unknown(reader, kind, words, elsewhere);
    }
    if (at->row->opens != 0 && kind == WEIR_LEX_SIMPLE) {
        return weir_conf_refuse(reader, words, "", "directive \"%s\" has no opening \"{\"", at->row->name);
    }
    if (at->row->opens == 0 && kind == WEIR_LEX_OPEN) {
        return weir_conf_refuse(reader, words, "", "directive \"%s\" is not terminated by \";\"", at->row->name);
    }
    if (!parse_check_count(reader, at->row, words) || !parse_check_duplicate(reader, at, words)) {
        return false;
    }
    if (at->row->extends != NULL) {
        return weir_conf_keep_late(reader, from, at, words);
    }
    return kind == WEIR_LEX_OPEN ? parse_block(reader, from, at, words) : parse_simple(reader, at, words);
}

bool
weir_conf_go_on(reader_t *reader, read_statements_t *from, weir_lex_kind_t kind, const weir_conf_words_t *words)
{
    if (reader->stopped) {
        return false;
    }
    if (!weir_conf_take_error(reader)) {
        reader->stopped = true;
        return false;
    }
    return weir_conf_recover(reader, from, kind, words);
}

bool
weir_conf_read_statements(reader_t *reader, read_statements_t *from, const weir_conf_words_t *opener)
{
    weir_conf_block_t *block = reader->cf.block;
    size_t             depth = reader->depth;
    weir_conf_words_t *words;
    weir_lex_kind_t    kind;

    weir_assert(block != NULL && depth <= READ_MAX_BLOCKS);
    for (;;) {
        words = weir_new(reader->cf.arena, weir_conf_words_t);
        kind = weir_statements_next(from, reader->cf.arena, words, reader->cf.error);
        switch (kind) {
        case WEIR_LEX_BAD:
            if (!weir_conf_go_on(reader, from, kind, words)) {
                return false;
            }
            break;
        case WEIR_LEX_END:
            if (opener == NULL) {
                return true;
            }
            reader->stopped = true;
            return weir_conf_fail(reader->cf.error, from->lex.file, from->lex.line, from->lex.column, "",
                                  "unexpected end of file, expecting \"}\" of \"%.*s\" in line %u",
                                  (int) weir_min(opener->at[0].text.len, 100), opener->at[0].text.at, opener->line);
        case WEIR_LEX_CLOSE:
            if (opener != NULL) {
                return true;
            }
            reader->stopped = true;               /* what follows would stand outside of where it belongs */
            return weir_conf_fail(reader->cf.error, from->lex.file, words->line, 0, "", "unexpected \"}\"");
        default:
            if (!parse_directive(reader, from, kind, words)) {
                if (!weir_conf_go_on(reader, from, kind, words)) {
                    return false;
                }
                reader->cf.block = block;
                weir_conf_use_part(&reader->cf, block->part);
                reader->depth = depth;
            }
        }
    }
}

bool
weir_conf_read_text(reader_t *reader, weir_str_t text, const char *file)
{
    const weir_conf_words_t *words = reader->cf.words;
    weir_conf_block_t       *block = reader->cf.block;
    size_t                   depth = reader->depth;
    read_statements_t        from;
    bool                     read;

    weir_assert(reader->n_files < READ_MAX_INCLUDES);
    reader->files[reader->n_files++] = file;
    weir_statements_of_text(&from, reader->cf.arena, text, file);
    from.fragment = reader->fragment;
    read = weir_conf_read_statements(reader, &from, NULL);
    reader->n_files--;
    weir_assert(!read || reader->depth == depth);     /* what was opened in a file is closed in it */
    reader->cf.words = words;
    if (!read) {
        reader->cf.block = block;
        reader->depth = depth;
        if (weir_error_is_set(&reader->error) && reader->errors->n < reader->errors->max) {
            (void) weir_conf_take_error(reader);
        }
        /* the file that includes this one can be gone on with */
        reader->stopped = reader->errors->n == reader->errors->max;
    }
    return read;
}

/* --- include --- */

static bool
parse_include_file(reader_t *reader, weir_str_t path)
{
    weir_conf_t *cf = &reader->cf;
    weir_error_t why = { .text = "" };
    const char  *file = weir_str_to_z(cf->arena, path);
    weir_str_t   text;
    size_t       i;

    for (i = 0; i < reader->n_files; i++) {
        if (strcmp(reader->files[i], file) == 0) {
            return weir_conf_error(cf, 1, "the file \"%.300s\" includes itself", file);
        }
    }
    if (reader->n_files >= READ_MAX_INCLUDES) {
        return weir_conf_error(cf, 1, "too many files inside one another: more than %d", READ_MAX_INCLUDES);
    }
    if (!weir_bundle_conf(cf->bundle, path, &text, &why)) {
        return weir_conf_error(cf, 1, "%s", why.text);
    }
    return weir_conf_read_text(reader, text, file) || !reader->stopped;     /* its errors are taken down */
}

bool
weir_conf_include(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_str_t   path = words->at[1].text;
    weir_error_t why = { .text = "" };
    weir_strs_t  paths = { NULL, 0 };
    size_t       i;

    (void) row;
    (void) field;
    if (path.len == 0) {
        return weir_conf_invalid(cf, 1, "the name of a file");
    }
    path = weir_conf_near_path(cf, path);
    if (strpbrk(words->at[1].text.at, "*?[") == NULL) {
        return parse_include_file(reader_of(cf), path);
    }
    if (!weir_bundle_glob(cf->bundle, path, &paths, &why)) {
        return weir_conf_error(cf, 1, "%s", why.text);
    }
    for (i = 0; i < paths.n; i++) {
        if (!parse_include_file(reader_of(cf), paths.at[i])) {
            return false;
        }
    }
    return true;
}
