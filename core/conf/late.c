/*
 * late.c - what is read when the rest of the http block has been: the fragments in the order of their names, then the
 * blocks that add to other blocks, wherever these stand.
 *
 * Runs where configurations are read.
 */
#include "conf/fragment.h"
#include "conf/read.h"
#include "conf/tree_pack.h"

#include <stdio.h>

/* --- fragments --- */

static weir_tree_node_t *
late_unpack(reader_t *reader, const weir_fragment_t *fragment)
{
    weir_error_t      why = { .text = "" };
    weir_tree_node_t *root = weir_tree_unpack(reader->cf.arena, fragment->tree, &why);

    if (root == NULL) {
        (void) weir_error_set(reader->cf.error, "the fragment \"%s\" cannot be read: %s", reader->fragment, why.text);
    }
    return root;
}

/* false: reader->stopped is set. */
static bool
late_read_fragment(reader_t *reader, const weir_fragment_t *fragment)
{
    read_statements_t       from;
    const weir_tree_node_t *root;
    bool                    read;

    reader->fragment = weir_str_to_z(reader->cf.arena, fragment->name);
    root = late_unpack(reader, fragment);
    if (root == NULL) {
        reader->stopped = !weir_conf_take_error(reader);
        read = !reader->stopped;
    } else {
        weir_statements_of_tree(&from, root);
        from.fragment = reader->fragment;
        read = weir_conf_read_statements(reader, &from, NULL);
    }
    reader->fragment = NULL;
    return read;
}

/* --- blocks that add to others --- */

bool
weir_conf_keep_late(reader_t *reader, read_statements_t *from, const read_row_t *at, const weir_conf_words_t *words)
{
    read_late_t *late = weir_new(reader->cf.arena, read_late_t);

    weir_assert(at->row->extends != NULL && reader->cf.block->context == WEIR_IN_HTTP);
    *late = (read_late_t) { .from = *from, .at = at, .words = words };
    if (reader->late == NULL) {
        reader->late_end = &reader->late;
    }
    *reader->late_end = late;
    reader->late_end = &late->next;
    if (weir_conf_skip_block(reader, from)) {
        return true;
    }
    return weir_conf_refuse(reader, words, "", "unexpected end of file, expecting \"}\" of \"%.*s\"",
                            WEIR_STR_ARG(words->at[0].text));
}

/* As weir_conf_read_statements: in a block that has been read before. */
static bool
late_read_into(reader_t *reader, read_late_t *late, weir_conf_block_t *block)
{
    weir_conf_block_t *http = reader->cf.block;
    bool               read;

    weir_assert(block->parent == http && block->context == late->at->row->opens);
    weir_conf_enter(&reader->cf, block);
    reader->cf.words = late->words;
    reader->depth++;
    reader->files[reader->n_files++] = late->words->file;        /* which may not include itself from here */
    read = weir_conf_read_statements(reader, &late->from, late->words);
    reader->n_files--;
    if (read) {
        reader->depth--;
        reader->cf.block = http;
    }
    weir_conf_use_part(&reader->cf, http->part);
    return read;
}

static bool
late_read_block(reader_t *reader, read_late_t *late)
{
    weir_conf_block_t *block;
    bool               read;

    reader->fragment = late->from.fragment;
    reader->cf.words = late->words;
    block = late->at->row->extends(&reader->cf, late->words);
    if (block != NULL) {
        read = late_read_into(reader, late, block);
    } else {
        (void) weir_conf_error_at(&reader->cf, late->words, "invalid \"%s\" block", late->at->row->name);
        reader->stopped = !weir_conf_take_error(reader);
        read = !reader->stopped;
    }
    reader->fragment = NULL;
    return read;
}

bool
weir_conf_read_late(reader_t *reader)
{
    weir_fragments_t fragments = weir_bundle_fragments(reader->cf.bundle, reader->cf.arena);

    weir_assert(reader->cf.block->context == WEIR_IN_HTTP && reader->fragment == NULL);
    reader->has_http = true;
    for (size_t i = 0; i < fragments.n; i++) {
        if (!late_read_fragment(reader, &fragments.at[i])) {
            return false;
        }
    }
    while (reader->late != NULL) {
        read_late_t *late = reader->late;

        reader->late = late->next;
        if (!late_read_block(reader, late)) {
            return false;
        }
    }
    return true;
}
