/*
 * module.h - what a module states about its directives, once: from these rows come the parser, inheritance, -T, -h and
 * the manual.
 *
 * A block of the configuration (main, events, http, server, location, upstream) holds one conf struct for each module
 * that has a field there.  A struct in which nothing was set is shared with the enclosing block's, so confs are
 * immutable once sealed.
 *
 * Contexts come in families: main and events · http, server, location, route and the parts of those three · each other
 * one alone.  A module whose rows have a field in one context of a family has a struct in all of it.  Inside http,
 * server, location and route what is not set is the parent's; events shares the very struct of main.
 *
 * What happens, in order: every block is read (own structs are made at the first directive that is set in them) · names
 * that templates use before they are defined are settled · structs are sealed from the outside in · .check · .build.
 */
#ifndef WEIR_CONF_MODULE_H
#define WEIR_CONF_MODULE_H

#include "conf/bundle.h"
#include "conf/lex.h"
#include "conf/part.h"
#include "expr/regex.h"
#include "expr/template.h"
#include "os/file.h"

/* Where a directive may stand. */
enum {
    WEIR_IN_MAIN = 1 << 0, WEIR_IN_EVENTS = 1 << 1, WEIR_IN_HTTP = 1 << 2, WEIR_IN_SERVER = 1 << 3,
        WEIR_IN_LOCATION = 1 << 4,
    WEIR_IN_UPSTREAM = 1 << 5, WEIR_IN_DATA = 1 << 6,        /* lines that are data, given to the opener's .line */
    WEIR_IN_SERVER_IF = 1 << 7,
    /* parts of a location: what is no block may stand there too */
    WEIR_IN_LOCATION_IF = 1 << 8, WEIR_IN_LIMIT_EXCEPT = 1 << 9,
    WEIR_IN_PART = WEIR_IN_LOCATION_IF | WEIR_IN_LIMIT_EXCEPT,
    WEIR_IN_ROUTE = 1 << 10,     /* what may stand in a location, but locations, may stand there too */
    WEIR_IN_ANY = WEIR_IN_HTTP | WEIR_IN_SERVER | WEIR_IN_LOCATION,  /* one family: conf is inherited down it */
};

typedef struct weir_conf weir_conf_t;
typedef struct weir_conf_block weir_conf_block_t;
typedef struct weir_directive weir_directive_t;
typedef struct weir_generation weir_generation_t;

/* How the text of a directive becomes a field: one for each C type. */
typedef struct {
    const char *name;                       /* "time", "size", "on or off": said in errors and the manual */
    size_t      size;                       /* of the field */
    uint8_t     min_args, max_args;         /* without the name; 255: no limit */
    bool        repeats;                    /* may stand several times in a block; parse appends */
    bool      (*parse)(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field);
    int       (*compare)(const void *a, const void *b);  /* for .min and .max; NULL: has no order */
    size_t      item;                    /* lists, whose field begins as weir_conf_list_t: bytes of one entry; else 0 */
} weir_conf_type_t;

/* How the field of every list type begins: what WEIR_APPEND and weir_conf_list_push rely on. (weir_strs_t is one.) */
typedef struct { void *at; size_t n; } weir_conf_list_t;

typedef struct { const char *name; uint32_t value; } weir_conf_enum_t;   /* ends with name NULL */

struct weir_directive {
    const char             *name;
    const weir_conf_type_t *type;
                  /* NULL for a block; a block that fills a field states the field's type here, with
                                             * its .offset, so that the field is inherited (the type's parse is not
                                             * called) */
    size_t                  offset;
    unsigned                where;
    const char             *dflt;           /* arguments as text, read by the same parser; NULL: zero bytes */
    const char             *min, *max;
    const char             *args;           /* syntax of the arguments for the manual; NULL: from the type */
    const char             *help;           /* one line, ends with a full stop */
    const weir_conf_enum_t *values;         /* for enums and masks */
    /* APPEND: list types: outer entries come first; LOCAL: not inherited, but a part has what its location has; OWN:
     * never */
    enum { WEIR_REPLACE, WEIR_APPEND, WEIR_LOCAL, WEIR_OWN } inherit;
    bool                    whole;          /* is for a whole location, not for a part of one */
    /* -- a block -- */
    unsigned                opens;          /* the context inside, or 0 */
    uint8_t                 block_min_args, block_max_args;
    bool                    single;         /* at most one such block in its parent */
    bool                    is_part;        /* it has memory of its own: part.h */
    /* When '{' was read: cf->block is still the parent, block->parent too.  May set block->owner. */
    bool (*opened)(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
    /* The block adds to one that stands already in cf->block: this finds it when all else of http has been read, the
     * fragments too, and what stands in the block is read as if it stood there.  NULL: recorded.  (For blocks in
     * http.) */
    weir_conf_block_t *(*extends)(weir_conf_t *cf, const weir_conf_words_t *words);
    /* opens WEIR_IN_DATA: every line but `include`. */
    bool (*line)(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words);
};

extern const weir_conf_type_t weir_type_flag;      /* weir_flag_t: on | off */
extern const weir_conf_type_t weir_type_said;      /* weir_flag_t that is on by being there: no argument */
extern const weir_conf_type_t weir_type_msec;      /* weir_msec_t: 10, 10s, 500ms, 1h 30m; a bare number is seconds */
extern const weir_conf_type_t weir_type_bytes;     /* weir_bytes_t: 8192, 8k, 1m, 1g */
extern const weir_conf_type_t weir_type_u32;       /* uint32_t */
extern const weir_conf_type_t weir_type_u64;       /* uint64_t */
extern const weir_conf_type_t weir_type_str;       /* weir_str_t */
extern const weir_conf_type_t weir_type_strs;      /* weir_strs_t: one or more words, one directive */
extern const weir_conf_type_t weir_type_path;      /* weir_path_t: relative to the prefix */
/* weir_temp_path_t: relative to the prefix; path [level1 [level2 [level3]]] */
extern const weir_conf_type_t weir_type_temp_path;
extern const weir_conf_type_t weir_type_template;  /* const weir_template_t * */
extern const weir_conf_type_t weir_type_bufs;      /* weir_bufs_t: number size */
extern const weir_conf_type_t weir_type_enum;      /* uint32_t, row->values */
extern const weir_conf_type_t weir_type_mask;      /* uint32_t of or-ed row->values; one or more words */

typedef struct { weir_str_t text; } weir_path_t;                 /* absolute, NUL-terminated */
/* A folder of temporary files; a file with a name lies in folders below it that have the last digits of the name, so
 * many each (0: none). */
typedef struct { weir_str_t text; uint8_t levels[WEIR_FILE_LEVELS]; } weir_temp_path_t;
typedef struct { uint32_t n; weir_bytes_t size; } weir_bufs_t;

/* The field's C type chooses the parser. */
#define WEIR_DIRECTIVE(conf, field, text, ...)                                                       \
    { .name = (text), .offset = offsetof(conf, field),                                               \
      .type = _Generic(((conf *) 0)->field,                                                          \
                       weir_flag_t: &weir_type_flag, weir_msec_t: &weir_type_msec,                   \
                       weir_bytes_t: &weir_type_bytes, uint32_t: &weir_type_u32,                     \
                       uint64_t: &weir_type_u64, weir_str_t: &weir_type_str,                         \
                       weir_strs_t: &weir_type_strs, weir_path_t: &weir_type_path,                   \
                       weir_temp_path_t: &weir_type_temp_path,                                       \
                       const weir_template_t *: &weir_type_template, weir_bufs_t: &weir_type_bufs),  \
      __VA_ARGS__ }
/* A field of a type the area defines itself (or an enum / mask). */
#define WEIR_DIRECTIVE_OF(conf, field, text, conf_type, ...) \
    { .name = (text), .offset = offsetof(conf, field), .type = (conf_type), __VA_ARGS__ }
#define WEIR_BLOCK(text, context, ...) { .name = (text), .opens = (context), __VA_ARGS__ }
#define WEIR_DIRECTIVES_END { .name = NULL }

struct weir_module_life;

/* Every kind of module begins with these. */
#define WEIR_MODULE_FIELDS                                                                             \
    const char             *name;                                                                      \
    const char             *area;        /* the page of the manual it is on */                         \
    size_t                  conf_size;                                                                 \
    const weir_directive_t *directives;                                                                \
    const weir_variable_t  *variables;                                                                 \
    /* After inheritance, for each struct of the module's own (not the shared ones), outer blocks first:\
     * validates across fields and computes derived ones. */                                           \
    bool (*check)(weir_conf_t *cf, weir_conf_block_t *block, void *conf);                              \
    /* After every block is sealed and checked, for each block, outer ones first, in the memory of its part: what it\
     * says is bound to what the generation has beside it, by names and numbers. */                    \
    bool (*bind)(weir_conf_t *cf, weir_generation_t *generation, weir_conf_block_t *block);            \
    /* Behind that, in the generation's memory: builds what the generation runs on. */                 \
    bool (*build)(weir_conf_t *cf, weir_generation_t *generation);                                     \
    /* Behind every build, where the bundle is recorded: puts there what a replay is to find.  NULL: nothing. */ \
    void (*record)(weir_conf_t *cf, weir_generation_t *generation);                                    \
    /* What it does while a process serves (conf/life.h); NULL: nothing. */                             \
    const struct weir_module_life *life;                                                               \
    /* The kinds of its zones (shm/zone.h), ended by NULL: for tools that look at them. */             \
    const struct weir_zone_kind *const *zone_kinds

typedef struct weir_module { WEIR_MODULE_FIELDS; } weir_module_t;

/* Made by configure: every module in order; and for each a constant weir_<name>_index. */
extern const weir_module_t *const weir_modules[];
extern const size_t               weir_modules_count;
/* The table that a reading goes by, ended by NULL: weir_modules, unless a unit test swapped it before it reads.
 * weir_core must be its first entry. */
extern const weir_module_t *const *weir_modules_in_use;

/* A directive as it stands in a block. */
typedef struct weir_conf_line {
    struct weir_conf_line   *next;            /* in order of appearance */
    const weir_conf_words_t *words;
    const weir_directive_t  *row;
    size_t                   module;          /* whose row it is */
} weir_conf_line_t;

/* What was set of one module in a block: bits by row. */
typedef struct weir_conf_set {
    struct weir_conf_set *next;               /* another module's */
    size_t                module;
    uint64_t              bits[];
} weir_conf_set_t;

struct weir_conf_block {
    unsigned                context;
    const weir_directive_t *row;              /* that opened it; NULL for main */
    weir_conf_words_t       words;            /* of the opening directive */
    weir_conf_block_t      *parent, *first, *last, *next;   /* children in order of appearance */
    void                  **confs;            /* by module index; NULL where the module has no directive here */
    weir_conf_set_t        *own_set, **set;   /* what was set here; in `events` it is main's */
    void                   *owner;            /* what .opened made of it */
    weir_part_t            *part;             /* that it is of; NULL: of the environment */
    weir_conf_line_t       *lines, *last_line;    /* when the source says so (keeps_lines); else NULL */
};

/* One reading of a configuration. */
struct weir_conf {
    weir_arena_t      *arena;                 /* of what is read or built now: its part's, or the generation's; what is
                                               * there is not written to while it serves */
    weir_arena_t      *live;                  /* the generation's, for what a process writes to then (generation.h) */
    weir_bundle_t     *bundle;
    weir_vars_t       *vars;
    weir_str_t         prefix;                /* ends with '/' */
    weir_str_t         conf_dir;              /* of the main file, ends with '/': for include */
    weir_conf_block_t *root, *block;          /* main; the one being read */
    const weir_conf_words_t *words;           /* the directive being read, for errors */
    weir_error_t      *error;
    weir_subjects_t    subjects;              /* what there is when texts of this area are worked out */
};

/* What is read, checked or built from here on is of that block's part, and where errors are. */
void weir_conf_enter(weir_conf_t *cf, weir_conf_block_t *block);
/* … is the generation's own. */
void weir_conf_leave(weir_conf_t *cf);
/* The blocks with a part of their own that have been read, in their order.  Returns how many. */
size_t weir_conf_parts(const weir_conf_t *cf, weir_conf_block_t *const **first);

/* Records `fmt… in file:line` with the position of word `i` of the directive being read.  Returns false. */
bool weir_conf_error(weir_conf_t *cf, size_t word, const char *fmt, ...) WEIR_PRINTF(3, 4);
/* The same for a block's own opening line or any words. */
bool weir_conf_error_at(weir_conf_t *cf, const weir_conf_words_t *words, const char *fmt, ...) WEIR_PRINTF(3, 4);
/* `invalid value "x" in "directive" directive: expected WHAT`, for word `i`; did-you-mean with the names when there are
 * any. */
bool weir_conf_invalid(weir_conf_t *cf, size_t word, const char *expected);
/* A warning in the log with the position; said once, by the process that records (the master), not by replays. */
void weir_conf_warn(weir_conf_t *cf, size_t word, const char *fmt, ...) WEIR_PRINTF(3, 4);
/* Where a statement stands, "FILE:LINE" or, of JSON, "FILE#POINTER": for sentences about two places. */
const char *weir_conf_place(weir_arena_t *arena, const weir_conf_words_t *words);
/* "did you mean": the one of names that is close enough to got to be a slip, or NULL. */
const char *weir_conf_nearest(weir_str_t got, const char *const *names, size_t n);

/* Single words with the parsers of the types above, for directives that have options of the form name=value. */
bool weir_conf_read_msec(weir_str_t text, weir_msec_t *value) WEIR_MUST_USE;
bool weir_conf_read_bytes(weir_str_t text, weir_bytes_t *value) WEIR_MUST_USE;
bool weir_conf_read_u32(weir_str_t text, uint32_t *value) WEIR_MUST_USE;
/* "12", "0.5", "33.33": hundredths of a percent, 0 to 10,000; at most two decimals. */
bool weir_conf_read_percent(weir_str_t text, uint32_t *hundredths) WEIR_MUST_USE;

/* An option of a directive: name=value, or with is_bare the name alone. */
typedef struct {
    const char *name;
    bool      (*read)(weir_conf_t *cf, size_t word, weir_str_t value, void *data);       /* false: recorded */
    bool        is_bare;
} weir_conf_option_t;
/* Every word from `first` on is one of these n options, in any order, each once at most.  expected: which there are,
 * for the error of a word that is none of them.  false: recorded. */
bool weir_conf_read_options(weir_conf_t *cf, const weir_conf_words_t *words, size_t first,
                            const weir_conf_option_t *options, size_t n, const char *expected,
                            void *data) WEIR_MUST_USE;

weir_str_t weir_conf_full_path(weir_conf_t *cf, weir_str_t path);   /* relative to the prefix; NUL-terminated */
/* relative to the folder of the main file; NUL-terminated */
weir_str_t weir_conf_near_path(weir_conf_t *cf, weir_str_t path);

/* Word `i` (or a text that came out of it) as a template, a pattern, a file's bytes; NULL or false: the error is
 * recorded with the word's position.  A template may use names that the configuration defines further down.  The
 * pattern is given back with
 * the generation; cf->arena need not be asked for. */
const weir_template_t *weir_conf_template(weir_conf_t *cf, size_t word, weir_str_t text);
/* Has the text, that of word `i` or one that came out of it, a '$' that begins a variable? */
static inline bool
weir_conf_has_variables(const weir_conf_t *cf, size_t word, weir_str_t text)
{
    /* (the text of a default is of no word) */
    return !(word < cf->words->n && cf->words->at[word].is_literal) && weir_str_find(text, '$') != NULL;
}
/* The words from `first` on as one template, of the area's subjects; errors are of `first`. */
const weir_template_t *weir_conf_template_of_words(weir_conf_t *cf, const weir_conf_words_t *words, size_t first);
/* For a text that is worked out when there is less than the area's subjects. */
const weir_template_t *weir_conf_template_of(weir_conf_t *cf, size_t word, weir_str_t text, weir_subjects_t subjects);
weir_regex_t *weir_conf_regex(weir_conf_t *cf, size_t word, weir_str_t pattern, bool fold_case);
bool weir_conf_file(weir_conf_t *cf, size_t word, weir_str_t path, weir_str_t *bytes) WEIR_MUST_USE;
/* A zeroed new last entry of a list field, for the parse of list types. */
void *weir_conf_list_push(weir_conf_t *cf, void *field, size_t item) __attribute__((returns_nonnull));

/* The module's struct in this block: after sealing never NULL where it has one; while reading only where something was
 * set. */
static inline void *weir_conf_of(const weir_conf_block_t *block,
                                 size_t module_index) { return block->confs[module_index]; }
/* While reading: the block's own struct, made when it is not there yet; for .opened and .line. */
void *weir_conf_own(weir_conf_t *cf, weir_conf_block_t *block, size_t module_index) __attribute__((returns_nonnull));
/* in this very block */
bool weir_conf_is_set(const weir_conf_block_t *block, size_t module_index, const char *directive);

#endif
