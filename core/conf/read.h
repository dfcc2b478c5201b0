/*
 * read.h - what the files of core/conf share: one reading in progress, the index of rows, the shape of errors.
 *
 * Private to core/conf.  A reading lives on one thread and in one arena; nothing here is global.
 */
#ifndef WEIR_CONF_READ_H
#define WEIR_CONF_READ_H

#include "conf/generation.h"
#include "conf/tree.h"

#include <stdarg.h>

#define READ_MAX_INCLUDES 16
#define READ_MAX_BLOCKS   64
#define READ_CONTEXTS     16      /* WEIR_IN_… are bits below this */

/* A row of the table and where it is. */
enum { READ_DFLT, READ_MIN, READ_MAX, READ_TEXTS };

typedef struct read_row {
    struct read_row        *next;         /* of the same bucket */
    const weir_directive_t *row;
    uint32_t                module, bit;  /* index of the module, of the row in it */
    bool                    twin;         /* another row of the module fills the same field */
    const void             *values[READ_TEXTS];    /* what its texts mean, the generation's; NULL: not read yet */
} read_row_t;

/* A struct of nothing but defaults, and in which context. */
typedef struct { void *conf; unsigned context; } read_plain_t;

/* What statements are read from: a text, or a tree.  A copy of it reads on from the same place. */
typedef struct {
    weir_lex_t              lex;          /* of a text */
    const weir_tree_node_t *root;         /* of a tree; NULL: it is a text */
    const weir_tree_node_t *block, *at;   /* the block that is open, and what comes next in it; NULL: its end */
    const char             *fragment;     /* whose statements they are; NULL: of no fragment */
    /* of a tree: these names, as they lie in the memory of what is read now */
    const weir_arena_t     *file_arena;
    const char             *file_of, *file, *fragment_copy;
} read_statements_t;

/* A block that adds to another one (weir_directive_t's extends), kept until all else has been read. */
typedef struct read_late {
    struct read_late        *next;
    read_statements_t        from;        /* behind its '{' */
    const struct read_row   *at;
    const weir_conf_words_t *words;
} read_late_t;

typedef struct {
    weir_conf_t         cf;               /* what modules see: first, so that one is the other */
    weir_generation_t  *generation;
    read_row_t        **buckets;
    read_row_t        **rows;             /* by module: its rows in order, NULL-row ended as the module's */
    size_t              n_modules, n_buckets;
    unsigned           *contexts;         /* by module: where it has a struct (whole families) */
    size_t            **in;               /* by context (the number of its bit): the modules with a struct there … */
    size_t             *n_in;
    size_t             *checks, n_checks; /* the modules that check their structs */
    bool               *keeps_own;        /* by module: it has rows that an inner block does not inherit */
    read_plain_t       *plain;            /* by module: what blocks share that say nothing of it (inherit.c) */
    const char         *files[READ_MAX_INCLUDES + 1];    /* being read, outermost first */
    size_t              n_files, depth;
    weir_conf_errors_t *errors;
    weir_error_t        error;            /* of the statement being read: cf.error */
    bool                keeps_lines;      /* the source's */
    weir_conf_block_t  *environment;      /* main, as it was read: cf.root is what modules build from, when they do */
    weir_array_t        parts;            /* of weir_conf_block_t *: the servers and upstreams, in their order */
    bool                stopped;          /* the text being read cannot be gone on with */
    bool                has_http;         /* an http block was read to its end, and with it the fragments */
    const char         *fragment;         /* being read; NULL: none */
    read_late_t        *late, **late_end;
    weir_strs_t         warned;           /* names of nginx's directives without an effect that were told of */
} reader_t;

static inline reader_t *reader_of(weir_conf_t *cf) { return weir_container_of(cf, reader_t, cf); }
/* Where lies what blocks of all kinds point at: it lives as long as any of them. */
static inline weir_arena_t *reader_common(const reader_t *reader) { return &reader->environment->part->arena; }

/* table.c */
unsigned    weir_conf_family(unsigned context);                       /* all contexts that share its structs */
size_t      weir_conf_table_size(void);
size_t      weir_conf_module_slots(void);                              /* module indices are below this */
void        weir_conf_index(reader_t *reader);                         /* fills buckets, rows, contexts */
/* The row for a name in a context, of two the one that is a block or not; NULL: none there.  *elsewhere: the contexts
 * of rows of that name that do not fit. */
read_row_t *weir_conf_find(const reader_t *reader, weir_str_t name, unsigned context, bool is_block,
                           unsigned *elsewhere);
bool        weir_conf_has_field(const weir_directive_t *row);
const char *weir_conf_nearest_row(weir_str_t name, unsigned context);  /* of those that may stand there, else of all */
size_t      weir_conf_contexts_text(unsigned contexts, char *out, size_t size);

/* recover.c */
/* The error of a statement is taken down.  Is there room for more of them? */
bool weir_conf_take_error(reader_t *reader);
/* What follows a faulty statement that ended with `kind`: its block is skipped, a name that it would have defined is
 * known.  false: not possible. */
bool weir_conf_recover(reader_t *reader, read_statements_t *from, weir_lex_kind_t kind,
                       const weir_conf_words_t *words);
/* To the '}' of a block whose '{' was read; what is in it is not looked at.  false: the text ends before. */
bool weir_conf_skip_block(reader_t *reader, read_statements_t *from);

/* unknown.c: a directive that is in no row.  true: nginx has it, and it is taken without an effect. */
bool weir_conf_take_unknown(reader_t *reader, weir_lex_kind_t kind, const weir_conf_words_t *words, unsigned elsewhere);

/* statements.c */
void weir_statements_of_text(read_statements_t *from, weir_arena_t *arena, weir_str_t text, const char *file);
void weir_statements_of_tree(read_statements_t *from, const weir_tree_node_t *root);
/* As weir_lex_next and weir_lex_recover; in a tree nothing is BAD.  What the words are made of is the arena's. */
weir_lex_kind_t weir_statements_next(read_statements_t *from, weir_arena_t *arena, weir_conf_words_t *words,
                                     weir_error_t *error);
weir_lex_kind_t weir_statements_recover(read_statements_t *from);
/* The words with their texts, in the arena. */
const weir_conf_word_t *weir_statements_copy_words(weir_arena_t *arena, const weir_conf_words_t *words);

/* late.c: what is read at the end of http */
/* The block is skipped, and read in weir_conf_read_late. */
bool weir_conf_keep_late(reader_t *reader, read_statements_t *from, const read_row_t *at,
                         const weir_conf_words_t *words);
/* The fragments, then every block that was kept: cf->block is http.  false: reader->stopped is set. */
bool weir_conf_read_late(reader_t *reader);

/* parse.c */
/* opener: of the block whose '}' ends these statements; NULL: the end of the text or tree does.  They are read into
 * cf->block.  false: reader->stopped is set. */
bool weir_conf_read_statements(reader_t *reader, read_statements_t *from, const weir_conf_words_t *opener);
/* The error is taken down; where it leaves the text readable, what follows is read on. */
bool weir_conf_go_on(reader_t *reader, read_statements_t *from, weir_lex_kind_t kind, const weir_conf_words_t *words);
/* The error is of the directive whose name these words begin with.  Returns false. */
bool weir_conf_refuse(reader_t *reader, const weir_conf_words_t *words, const char *after, const char *fmt,
                      ...) WEIR_PRINTF(4, 5);
bool weir_conf_read_text(reader_t *reader, weir_str_t text, const char *file);
bool weir_conf_include(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field);

/* generation.c: memory, and what is said of variables, are the part's from here on. */
void weir_conf_use_part(weir_conf_t *cf, weir_part_t *part);
void weir_generation_add_part(weir_generation_t *generation, weir_part_t *part);

/* view.c: what modules build from */
/* The blocks of main and http, copied into the generation's arena, with all parts among those of http. */
weir_conf_block_t *weir_conf_view(const reader_t *reader);
/* Every block, but those of parts that are another generation's, too; outer ones first.  Each is entered before. */
bool weir_conf_visit(reader_t *reader, bool (*visit)(reader_t *reader, weir_conf_block_t *block, void *data),
                     void *data) WEIR_MUST_USE;

/* inherit.c */
bool weir_conf_seal(reader_t *reader);
bool weir_conf_check(reader_t *reader);
void weir_conf_mark_set(weir_conf_t *cf, weir_conf_block_t *block, const read_row_t *at);
bool weir_conf_bit(const weir_conf_block_t *block, const read_row_t *at);
/* What the row's .dflt, .min or .max (which: READ_DFLT …) means; it is read once in a reading.  NULL: the error is
 * recorded. */
const void *weir_conf_text_value(reader_t *reader, const read_row_t *at, size_t which);

/* error.c: where a word of what came as JSON stands in it; NULL: it did not come so. */
const char *weir_conf_word_pointer(weir_arena_t *arena, const weir_conf_words_t *words, size_t word);
/* error.c: text is `fmt… in file:line` and then `after` (may be empty).  Returns false. */
/* Of a word of a statement. */
bool weir_conf_vfail_at(weir_error_t *error, const weir_conf_words_t *words, size_t word, const char *after,
                        const char *fmt, va_list args) WEIR_PRINTF(5, 0);
bool weir_conf_fail(weir_error_t *error, const char *file, uint32_t line, uint32_t column, const char *after,
                    const char *fmt, ...) WEIR_PRINTF(6, 7);

/* help.c */
size_t weir_conf_syntax(const weir_directive_t *row, char *out, size_t size);   /* "name arguments;" */

#endif
