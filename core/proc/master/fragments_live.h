/*
 * fragments_live.h - the fragments of this instance: its table, the folder and the file that they come from, and
 * generations that are built with them.
 *
 *     folder changes, or the socket asks --> wants --> load (a round) --> use --> done
 *                                                        |
 *                                                        +-- nothing is accepted, or the rest is bad
 *
 * One that is not fresh goes by what the generation in use has read: files of the configuration, names of hosts; only
 * files that a changed fragment names are read again.  A fresh one, at a start and at a reload, reads everything.
 *
 * Runs in the master, in the single process, and in tools, which only load.  One table a process.
 */
#ifndef WEIR_PROC_MASTER_FRAGMENTS_LIVE_H
#define WEIR_PROC_MASTER_FRAGMENTS_LIVE_H

#include "event/loop.h"
#include "proc/master/fragments.h"

/* What else a generation must be able to do: addresses that can be bound.  false with *error. */
typedef struct {
    void *data;
    bool (*check)(void *data, const weir_generation_t *generation, weir_error_t *error);
} weir_fragments_judge_t;

/* judge: may be NULL.  NULL with *error: the rest is bad, and all of it is logged; without: nothing is to be done, for
 * one that is not fresh.  Else use or give_up follows. */
weir_generation_t *weir_fragments_live_load(const weir_conf_source_t *source, uint64_t serial, bool is_fresh,
                                            const weir_fragments_judge_t *judge, weir_bundle_t **bundle,
                                            weir_error_t *error) WEIR_MUST_USE;
/* Nothing is said of fragments that are refused: a tool that only wants settings. */
void weir_fragments_live_hush(void);
/* What was loaded is in use, here. */
void weir_fragments_live_use(uint64_t serial);
/* It cannot be used after all. */
void weir_fragments_live_give_up(const weir_error_t *error);
/* All processes go by the generation. */
void weir_fragments_live_done(uint64_t serial);

/* From now on the folder is watched.  forks: a child writes the file of `fragments_state`, else a turn does.
 * wants: a load that is not fresh is wanted, in another turn. */
void weir_fragments_live_begin(weir_loop_t *loop, bool forks, void (*wants)(void *data), void *data);
void weir_fragments_live_end(void);
/* In a forked child, whose loop is not ours. */
void weir_fragments_live_forget(void);

const weir_fragment_table_t *weir_fragments_live_table(void);
/* The change waits for the next load, which is wanted. */
void weir_fragments_live_ask(weir_fragments_change_t *change);
/* All of them for a program that takes over; of malloc.  NULL with *error. */
char *weir_fragments_live_text(weir_error_t *error) WEIR_MUST_USE;
/* In that program, before its first load.  false with *error. */
bool  weir_fragments_live_inherit(weir_str_t text, weir_error_t *error) WEIR_MUST_USE;

#endif
