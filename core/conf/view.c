/*
 * view.c - the tree of blocks, which is in pieces: those of main and http are the environment's, each server and each
 * upstream is of a part.  A piece points at none but the environment's, so that a generation ties them together anew.
 */
#include "conf/read.h"

size_t
weir_conf_parts(const weir_conf_t *cf, weir_conf_block_t *const **first)
{
    const reader_t *reader = weir_container_of(cf, const reader_t, cf);

    *first = reader->parts.at;
    return reader->parts.n;
}

static weir_conf_block_t *
view_add(const reader_t *reader, weir_conf_block_t *parent, const weir_conf_block_t *block)
{
    weir_conf_block_t *copy = weir_new(&reader->generation->arena, weir_conf_block_t);

    *copy = *block;
    copy->next = NULL;
    if (parent->last != NULL) {
        parent->last->next = copy;
    } else {
        parent->first = copy;
    }
    parent->last = copy;
    return copy;
}

static void
view_add_children(const reader_t *reader, weir_conf_block_t *copy, const weir_conf_block_t *of)
{
    copy->first = copy->last = NULL;
    for (const weir_conf_block_t *child = of->first; child != NULL; child = child->next) {
        (void) view_add(reader, copy, child);
    }
    for (size_t i = 0; i < reader->parts.n; i++) {
        const weir_conf_block_t *part = *weir_array_at(&reader->parts, weir_conf_block_t *, i);

        if (part->parent == of) {
            (void) view_add(reader, copy, part);
        }
    }
}

weir_conf_block_t *
weir_conf_view(const reader_t *reader)
{
    const weir_conf_block_t *root = reader->cf.root, *child = root->first;
    weir_conf_block_t       *view = weir_new(&reader->generation->arena, weir_conf_block_t);

    *view = *root;
    view_add_children(reader, view, root);
    for (weir_conf_block_t *copy = view->first; child != NULL; child = child->next, copy = copy->next) {
        view_add_children(reader, copy, child);
    }
    return view;
}

/* Depth is bounded by the reading. */
static bool
view_walk(reader_t *reader, weir_conf_block_t *block, bool (*visit)(reader_t *, weir_conf_block_t *, void *),
          void *data)
{
    weir_conf_enter(&reader->cf, block);
    if (!visit(reader, block, data)) {
        return false;
    }
    for (weir_conf_block_t *child = block->first; child != NULL; child = child->next) {
        if (!view_walk(reader, child, visit, data)) {
            return false;
        }
    }
    return true;
}

bool
weir_conf_visit(reader_t *reader, bool (*visit)(reader_t *, weir_conf_block_t *, void *), void *data)
{
    bool good = view_walk(reader, reader->environment, visit, data);

    for (size_t i = 0; good && i < reader->parts.n; i++) {
        good = view_walk(reader, *weir_array_at(&reader->parts, weir_conf_block_t *, i), visit, data);
    }
    return good;
}
