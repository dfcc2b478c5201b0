/*
 * tree_pack.c - see tree_pack.h.
 */
#include "conf/tree_pack.h"

#include "base/array.h"
#include "conf/wire.h"

#define PACK_MAGIC "weirtre1"
#define PACK_PLACE 4096                     /* bytes of a file's name, of the pointer to the whole */

enum { PACK_BLOCK = 1, PACK_TRAILING = 2, PACK_GAP = 4, PACK_COMMENT = 8, PACK_END = 16 };
enum { PACK_QUOTED = 1, PACK_LITERAL = 2 };

/* -- to bytes -- */

typedef struct { weir_wire_t wire; size_t nodes, words; weir_error_t *error; } pack_writer_t;

static void
pack_put_flags(pack_writer_t *w, unsigned flags)
{
    uint8_t byte = (uint8_t) flags;

    weir_wire_add(&w->wire, &byte, sizeof(byte));
}

static void
pack_put_word(pack_writer_t *w, const weir_conf_word_t *word)
{
    pack_put_flags(w, (word->quoted ? PACK_QUOTED : 0u) | (word->is_literal ? PACK_LITERAL : 0u));
    weir_wire_add_u32(&w->wire, word->line);
    weir_wire_add_u32(&w->wire, word->column);
    weir_wire_add_u32(&w->wire, word->lines);
    weir_wire_add_str(&w->wire, word->text);
}

static void
pack_put_directive(pack_writer_t *w, const weir_tree_node_t *node)
{
    weir_wire_add_u32(&w->wire, (uint32_t) node->words.n);
    for (size_t i = 0; i < node->words.n; i++) {
        pack_put_word(w, &node->words.at[i]);
    }
    weir_wire_add_u32(&w->wire, (uint32_t) node->n_inner);
    for (size_t i = 0; i < node->n_inner; i++) {
        weir_wire_add_u32(&w->wire, (uint32_t) node->inner[i].before);
        weir_wire_add_str(&w->wire, node->inner[i].text);
    }
}

static bool
pack_has_room(pack_writer_t *w, const weir_tree_node_t *node, size_t depth)
{
    w->nodes++;
    w->words += node->words.n;
    if (depth > WEIR_TREE_DEPTH) {
        return weir_error_set(w->error, "too many blocks inside one another: more than %d", WEIR_TREE_DEPTH);
    }
    return (w->nodes <= WEIR_TREE_PACK_NODES && w->words <= WEIR_TREE_PACK_WORDS && w->wire.len <= WEIR_TREE_PACK_MAX)
        || weir_error_set(w->error, "too large a piece of a configuration");
}

/* What is in a block, and its end. */
static bool
pack_put_block(pack_writer_t *w, const weir_tree_node_t *block, size_t depth)
{
    for (const weir_tree_node_t *node = block->first; node != NULL; node = node->next) {
        bool is_comment = node->words.n == 0;

        if (!pack_has_room(w, node, depth + node->is_block)) {
            return false;
        }
        pack_put_flags(w, (node->is_block ? PACK_BLOCK : 0u) | (node->is_trailing ? PACK_TRAILING : 0u)
                          | (node->has_gap ? PACK_GAP : 0u) | (is_comment ? PACK_COMMENT : 0u));
        weir_wire_add_u32(&w->wire, node->words.line);
        if (is_comment) {
            weir_wire_add_str(&w->wire, node->comment);
            continue;
        }
        pack_put_directive(w, node);
        if (node->is_block && !pack_put_block(w, node, depth + 1)) {
            return false;
        }
    }
    pack_put_flags(w, PACK_END);
    return true;
}

bool
weir_tree_pack(weir_arena_t *arena, const weir_tree_node_t *root, weir_str_t *bytes, weir_error_t *error)
{
    pack_writer_t w = { .error = error };
    const char   *file = root->words.file != NULL ? root->words.file : "", *pointer = root->words.pointer;

    weir_wire_init(&w.wire, arena);
    if (strlen(file) > PACK_PLACE || (pointer != NULL && strlen(pointer) > PACK_PLACE)) {
        return weir_error_set(error, "too long a name of a file");
    }
    weir_wire_add(&w.wire, PACK_MAGIC, sizeof(PACK_MAGIC) - 1);
    weir_wire_add_str(&w.wire, weir_str_from_z(file));
    pack_put_flags(&w, pointer != NULL);
    weir_wire_add_str(&w.wire, weir_str_from_z(pointer));
    if (!pack_put_block(&w, root, 0)) {
        return false;
    }
    *bytes = weir_wire_text(&w.wire);
    return bytes->len <= WEIR_TREE_PACK_MAX || weir_error_set(error, "too large a piece of a configuration");
}

/* -- from bytes -- */

typedef struct {
    weir_arena_t     *arena;
    weir_str_t        from;                 /* what is left */
    const char       *file;
    weir_tree_node_t *block;                /* that is open */
    size_t            depth, nodes, words;
    size_t            nth[WEIR_TREE_DEPTH + 1];          /* by depth: how many nodes the open blocks have yet */
    const char       *pointers[WEIR_TREE_DEPTH + 1];     /* by depth: to what is in them; NULL: it is no JSON */
} pack_reader_t;

static bool
pack_take_flags(pack_reader_t *r, unsigned known, unsigned *flags)
{
    uint8_t byte;

    if (!weir_wire_take(&r->from, &byte, sizeof(byte))) {
        return false;
    }
    *flags = byte;
    return (byte & ~known) == 0;
}

/* A copy that ends with a NUL, and has none in it. */
static bool
pack_take_text(pack_reader_t *r, size_t max, weir_str_t *text)
{
    weir_str_t bytes;

    if (!weir_wire_take_str(&r->from, &bytes) || bytes.len > max || weir_str_find(bytes, '\0') != NULL) {
        return false;
    }
    *text = weir_str(weir_str_to_z(r->arena, bytes), bytes.len);
    return true;
}

static bool
pack_take_comment(pack_reader_t *r, weir_str_t *text)
{
    weir_str_t bytes;

    if (!weir_wire_take_str(&r->from, &bytes) || weir_str_find(bytes, '\n') != NULL) {
        return false;
    }
    *text = weir_str(weir_str_to_z(r->arena, bytes), bytes.len);         /* it may have a byte 0 */
    return true;
}

static bool
pack_take_word(pack_reader_t *r, weir_conf_word_t *word)
{
    unsigned flags;

    if (!pack_take_flags(r, PACK_QUOTED | PACK_LITERAL, &flags)
        || !weir_wire_take(&r->from, &word->line, sizeof(word->line))
        || !weir_wire_take(&r->from, &word->column, sizeof(word->column))
        || !weir_wire_take(&r->from, &word->lines, sizeof(word->lines))
        || !pack_take_text(r, WEIR_LEX_MAX_WORD, &word->text))
    {
        return false;
    }
    word->quoted = flags & PACK_QUOTED;
    word->is_literal = flags & PACK_LITERAL;
    return (word->quoted || word->text.len != 0)
        && (!word->is_literal || (word->quoted && weir_str_find(word->text, '$') != NULL));
}

static bool
pack_take_words(pack_reader_t *r, weir_tree_node_t *node)
{
    weir_conf_word_t *words;
    uint32_t          n;

    /* a word is 17 bytes at least: memory is bounded by what is there */
    if (!weir_wire_take(&r->from, &n, sizeof(n)) || n == 0 || n > WEIR_LEX_MAX_WORDS || n > r->from.len / 17
        || n > WEIR_TREE_PACK_WORDS - r->words)
    {
        return false;
    }
    r->words += n;
    words = weir_new_n(r->arena, weir_conf_word_t, n);
    for (size_t i = 0; i < n; i++) {
        if (!pack_take_word(r, &words[i])) {
            return false;
        }
    }
    node->words.at = words;
    node->words.n = n;
    return true;
}

static bool
pack_take_inner(pack_reader_t *r, weir_tree_node_t *node)
{
    weir_tree_comment_t *inner;
    uint32_t             n, before, last = 1;

    if (!weir_wire_take(&r->from, &n, sizeof(n)) || n > r->from.len / 8) {
        return false;
    }
    inner = n != 0 ? weir_new_n(r->arena, weir_tree_comment_t, n) : NULL;
    for (size_t i = 0; i < n; i++, last = before) {
        if (!weir_wire_take(&r->from, &before, sizeof(before)) || before < last || before > node->words.n
            || !pack_take_comment(r, &inner[i].text))
        {
            return false;
        }
        inner[i].before = before;
    }
    node->inner = inner;
    node->n_inner = n;
    return true;
}

static bool
pack_open(pack_reader_t *r, weir_tree_node_t *node)
{
    if (r->depth == WEIR_TREE_DEPTH) {
        return false;
    }
    r->block = node;
    r->depth++;
    r->nth[r->depth] = 0;
    r->pointers[r->depth] = node->words.pointer == NULL ? NULL
                            : weir_str_to_z(r->arena, weir_str_printf(r->arena, "%s/block", node->words.pointer));
    return true;
}

static bool
pack_take_node(pack_reader_t *r, unsigned flags)
{
    weir_tree_node_t *node;
    const char       *outer = r->pointers[r->depth];

    if (r->nodes++ == WEIR_TREE_PACK_NODES) {
        return false;
    }
    node = weir_tree_add(r->arena, r->block);
    node->words.file = r->file;
    node->words.pointer = outer == NULL ? NULL
                          : weir_str_to_z(r->arena, weir_str_printf(r->arena, "%s/%zu", outer, r->nth[r->depth]));
    r->nth[r->depth]++;
    node->is_trailing = flags & PACK_TRAILING;
    node->has_gap = flags & PACK_GAP;
    node->is_block = flags & PACK_BLOCK;
    if (!weir_wire_take(&r->from, &node->words.line, sizeof(node->words.line))) {
        return false;
    }
    if (flags & PACK_COMMENT) {
        return !node->is_block && pack_take_comment(r, &node->comment);
    }
    return !node->is_trailing && pack_take_words(r, node) && pack_take_inner(r, node)
        && (!node->is_block || pack_open(r, node));
}

/* To the end of the whole, behind which there is nothing. */
static bool
pack_take_nodes(pack_reader_t *r)
{
    unsigned flags;

    for (;;) {
        if (!pack_take_flags(r, PACK_BLOCK | PACK_TRAILING | PACK_GAP | PACK_COMMENT | PACK_END, &flags)) {
            return false;
        }
        if (!(flags & PACK_END)) {
            if (!pack_take_node(r, flags)) {
                return false;
            }
            continue;
        }
        if (flags != PACK_END || r->depth == 0) {
            return flags == PACK_END && r->from.len == 0;
        }
        r->block = r->block->parent;
        r->depth--;
        weir_assert(r->block != NULL);
    }
}

static bool
pack_take_head(pack_reader_t *r, weir_tree_node_t *root)
{
    char       magic[sizeof(PACK_MAGIC) - 1];
    weir_str_t text;
    unsigned   is_json;

    if (!weir_wire_take(&r->from, magic, sizeof(magic)) || memcmp(magic, PACK_MAGIC, sizeof(magic)) != 0
        || !pack_take_text(r, PACK_PLACE, &text))
    {
        return false;
    }
    r->file = root->words.file = text.at;
    if (!pack_take_flags(r, 1, &is_json) || !pack_take_text(r, PACK_PLACE, &text)) {
        return false;
    }
    r->pointers[0] = root->words.pointer = is_json ? text.at : NULL;
    return is_json || text.len == 0;
}

weir_tree_node_t *
weir_tree_unpack(weir_arena_t *arena, weir_str_t bytes, weir_error_t *error)
{
    weir_tree_node_t *root = weir_new(arena, weir_tree_node_t);
    pack_reader_t     r = { .arena = arena, .from = bytes, .block = root };

    root->is_block = true;
    if (bytes.len > WEIR_TREE_PACK_MAX || !pack_take_head(&r, root) || !pack_take_nodes(&r)) {
        (void) weir_error_set(error, "these are not the bytes of a piece of a configuration");
        return NULL;
    }
    return root;
}
