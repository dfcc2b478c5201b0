/*
 * fragments_build.h - one build of a round: a bundle with these fragments, and a generation of it.
 *
 * Runs in the master, in the single process, and in tools.
 */
#ifndef WEIR_PROC_MASTER_FRAGMENTS_BUILD_H
#define WEIR_PROC_MASTER_FRAGMENTS_BUILD_H

#include "base/arena.h"
#include "conf/fragment_source.h"
#include "proc/master/fragments_live.h"

typedef struct {
    const weir_conf_source_t     *source;
    uint64_t                      serial;
    const weir_fragments_judge_t *judge;     /* NULL: none */
    weir_bundle_t                *before;    /* a replay; NULL: everything is read */
    const weir_fragment_table_t  *table;
    const char                   *known_folder, *known_state;       /* that were read; NULL: none was */

    /* what came of it */
    weir_generation_t            *generation;
    weir_bundle_t                *bundle;
    bool                          has_folder, has_state;             /* its configuration names one */
    bool                          is_aborted;                        /* it named another one: these */
    const char                   *folder, *state;                    /* arena; NULL: that is known */

    /* of the build under way */
    weir_arena_t                  arena;
    bool                          is_open;
    weir_fragment_source_t        from_directives;
    weir_fragments_t              set;
    const weir_fragment_from_t   *from;
    weir_strs_t                   words;     /* of fragments that change */
    bool                          has_too_many_words, names_folder, names_state;
} weir_fragments_trial_t;

void weir_fragments_build_begin(weir_fragments_trial_t *trial, const weir_fragment_table_t *table,
                                const char *known_folder, const char *known_state);
/* What is left of it, but what was taken. */
void weir_fragments_build_end(weir_fragments_trial_t *trial);
/* See weir_fragments_ops_t. */
bool weir_fragments_build(void *data, weir_fragments_t set, const weir_fragment_from_t *from,
                          weir_conf_errors_t *errors);

#endif
