/*
 * generation.h - a configuration as a value: immutable, in one arena, counted by reference.
 *
 * Built by a pure function from a bundle: in the master (recording), in a worker's build thread (replaying).
 * References are taken and given back on the loop's thread only.
 */
#ifndef WEIR_CONF_GENERATION_H
#define WEIR_CONF_GENERATION_H

#include "conf/module.h"
#include "event/loop.h"
#include "log/log.h"

#include <stdio.h>

struct weir_generation {
    weir_arena_t       arena;
    uint32_t           refs;
    struct weir_generation *next_dead;      /* whose memory is given back after it */
    uint64_t           serial;      /* 1, 2, … given by the master */
    weir_conf_block_t *root;
    weir_vars_t       *vars;
    weir_array_t       parts;       /* of weir_part_t *: a reference each; the first is the environment */
    size_t             bytes;       /* of all that, when it was built */
    void             **built;       /* by module index: what the module's build made for itself; NULL */
    /* While it serves in a process.  What is above and what it points to does not change then. */
    void             **kept;        /* by module index: what the module's adopt made for itself; NULL */
    weir_arena_t       live;        /* for that, and what is to be done before the memory above goes */
};

typedef struct {
    weir_str_t prefix;              /* -p, absolute, ends with '/' */
    weir_str_t file;                /* main file, absolute */
    weir_str_t directives;          /* -g, may be empty; read in main before the file */
    bool       keeps_lines;         /* for tools that tell where something is said: blocks remember each
                                     * directive, and nothing is opened or made */
} weir_conf_source_t;

/* What a reading found wrong, in the order of the files: the first `max` of it. */
typedef struct { weir_error_t *at; size_t n, max; } weir_conf_errors_t;

/* NULL with errors: a statement with a fault is left out and reading goes on behind it, until there are `max` of
 * them. */
weir_generation_t *weir_generation_build_all(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial,
                                             weir_conf_errors_t *errors) WEIR_MUST_USE;
/* The same, ended by the first error.  NULL with *error.  The result has one reference.  Nothing it points at belongs
 * to the bundle afterwards. */
weir_generation_t *weir_generation_build(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial,
                                         weir_error_t *error) WEIR_MUST_USE;
weir_generation_t *weir_generation_ref(weir_generation_t *generation);
/* The last one frees it; a large one in slices, where there is a loop for it. */
void               weir_generation_unref(weir_generation_t *generation);
/* The loop whose turns have such slices from now on.  NULL: none, and what is left is given back at once. */
void               weir_generation_free_on(weir_loop_t *loop);
/* How many this process has in memory: the newest, and those of before that a request or a connection still needs. */
uint32_t           weir_generations_alive(void);

/* -T: the files of the bundle in the order they were read, with "# configuration file NAME:" before each; then its
 * fragments in the order of their names, with "# configuration fragment NAME:". */
void weir_conf_dump(weir_bundle_t *bundle, int fd);
/* The same as JSON: [ { "file": …, "parsed": … (tree_json.h) }, { "fragment": …, "parsed": … } ]; false with *error:
 * a text is not UTF-8. */
bool weir_conf_dump_json(weir_bundle_t *bundle, FILE *out, weir_error_t *error) WEIR_MUST_USE;
/* -h DIRECTIVE: its row (syntax, default, context, limits, help); false when there is none: prints the nearest name. */
bool weir_conf_print_help(weir_str_t directive, int fd);
/* The reference: every row of every module, one Markdown page for each module, to fd. */
void weir_conf_print_manual(int fd);

#endif
