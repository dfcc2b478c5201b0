/*
 * fragments_live.c - see fragments_live.h.
 */
#include "proc/master/fragments_live.h"

#include "base/mem.h"
#include "log/log.h"
#include "proc/master/current.h"
#include "proc/master/fragments_build.h"
#include "proc/master/fragments_files.h"
#include "proc/master/fragments_keep.h"
#include "proc/master/fragments_state.h"
#include "proc/master/load.h"
#include "proc/master/watch_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_TRIES 3                         /* a folder that is new, and a file of the state */

static struct {
    weir_fragment_table_t  table;            /* changes.next NULL: not there yet */
    weir_fragments_files_t files;
    char                  *folder, *state;   /* heap; NULL: none is named */
    weir_error_t           folder_error;     /* that was logged */
    weir_watch_dir_t      *watch;
    weir_loop_t           *loop;             /* NULL: nothing is watched */
    void                 (*wants)(void *data);
    void                  *data;
    bool                   has_begun;        /* a generation is in use */
    bool                   is_hushed;
    bool                   is_inherited;
    bool                   forks;            /* for the disk */
    bool                   state_is_new;     /* the file is another one than before */
    uint64_t               done;             /* the generation that all processes go by */
    weir_fragments_trial_t trial;            /* of the last load */
} live;

/* -- the table -- */

static void
live_on_refusal(const weir_fragment_row_t *row)
{
    if (!live.is_hushed) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "fragment \"%s\" is refused%s: %s", row->name,
                 row->live != NULL ? ", its last good version stays" : "", row->why->text);
    }
}

void
weir_fragments_live_hush(void)
{
    live.is_hushed = true;
}

static weir_fragment_table_t *
live_table(void)
{
    if (live.table.changes.next == NULL) {
        weir_fragments_init(&live.table);
        live.table.on_refusal = live_on_refusal;
    }
    return &live.table;
}

const weir_fragment_table_t *
weir_fragments_live_table(void)
{
    return live_table();
}

static char *
live_copy(weir_str_t text)
{
    char *copy = weir_mem_need(text.len + 1);

    memcpy(copy, text.at, text.len);
    return copy;
}

static bool
live_is(const char *path, weir_str_t text)
{
    return path != NULL && weir_str_eq(weir_str_from_z(path), text);
}

/* -- the folder -- */

/* What is there now; the table is asked for what differs. */
static void
live_scan(void)
{
    weir_error_t error = { .text = "" };

    if (live.watch != NULL) {
        weir_watch_dir_renew(live.watch);
    }
    if (weir_fragments_files_scan(&live.files, weir_str_from_z(live.folder), &error)) {
        live.folder_error = (weir_error_t) { .text = "" };
        weir_fragments_files_ask(&live.files, live_table(), true, NULL);
    } else if (strcmp(error.text, live.folder_error.text) != 0) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "fragments stay as they are: %s", error.text);
        live.folder_error = error;
    }
}

static void
live_ask_for_load(void)
{
    if (live.wants != NULL && weir_fragments_are_asked(&live.table)) {
        live.wants(live.data);
    }
}

static void
live_on_folder(void *data WEIR_UNUSED)
{
    live_scan();
    weir_fragments_end(live_table(), 0);
    live_ask_for_load();
}

static void
live_watch(void)
{
    if (live.loop != NULL && live.folder != NULL && live.watch == NULL) {
        live.watch = weir_watch_dir_create(live.loop, weir_str_from_z(live.folder), live_on_folder, NULL);
        live_scan();                         /* what changed before it was watched */
    }
}

/* folder: of weir_mem_need, taken over; NULL: there is none any more. */
static void
live_use_folder(char *folder)
{
    weir_watch_dir_destroy(live.watch);
    live.watch = NULL;
    weir_fragments_files_forget(&live.files);
    weir_mem_free(live.folder);
    live.folder = folder;
    live.folder_error = (weir_error_t) { .text = "" };
    if (live.folder != NULL) {
        live_scan();
    } else {
        weir_fragments_files_ask(&live.files, live_table(), false, NULL);
    }
}

/* -- the state -- */

static bool
live_take(void *data WEIR_UNUSED, weir_fragment_from_t from, const weir_fragment_t *fragment, weir_error_t *error)
{
    weir_fragment_version_t *version = weir_fragment_version_create(fragment->tree);
    weir_fragments_change_t *change;

    if (version == NULL) {
        return weir_error_set(error, "no memory for fragment \"%.*s\"", WEIR_STR_ARG(fragment->name));
    }
    change = weir_fragments_change_create(from);
    weir_assert(weir_fragments_change_add(change, fragment->name, version) != NULL);
    change->is_restored = true;
    weir_fragments_ask(live_table(), change);
    return true;
}

static bool
live_read_state(weir_error_t *error)
{
    weir_arena_t arena;
    weir_str_t   text;
    bool         good;

    weir_arena_init(&arena, 16384);
    good = weir_fragments_state_load(&arena, weir_str_from_z(live.state), &text, error)
           && (text.len == 0 || weir_fragments_state_read(text, live.state, live_take, NULL, error));
    weir_arena_fini(&arena);
    return good;
}

char *
weir_fragments_live_text(weir_error_t *error)
{
    return weir_fragments_state_text(live_table(), true, error);
}

bool
weir_fragments_live_inherit(weir_str_t text, weir_error_t *error)
{
    live.is_inherited = true;
    return weir_fragments_state_read(text, "what the program before has", live_take, NULL, error);
}

/* -- a load -- */

/* The directives name something that is not read yet.  false with *error: it cannot be. */
static bool
live_follow(weir_error_t *error)
{
    if (live.trial.folder != NULL && !live_is(live.folder, weir_str_from_z(live.trial.folder))) {
        live_use_folder(live_copy(weir_str_from_z(live.trial.folder)));
        if (weir_error_is_set(&live.folder_error)) {
            *error = live.folder_error;
            return false;
        }
    }
    if (live.trial.state != NULL && !live_is(live.state, weir_str_from_z(live.trial.state))) {
        weir_mem_free(live.state);
        live.state = live_copy(weir_str_from_z(live.trial.state));
        /* while it runs, the fragments are what they are, and another file is told of them */
        live.state_is_new = live.has_begun;
        return live.has_begun || live.is_inherited || live_read_state(error);
    }
    return true;
}

static weir_fragments_result_t
live_round(bool is_fresh, weir_conf_errors_t *errors, weir_error_t *error)
{
    const weir_fragments_ops_t ops = { .data = &live.trial, .build = weir_fragments_build, .is_fresh = is_fresh };
    weir_fragments_result_t    result = WEIR_FRAGMENTS_REST_IS_BAD;

    for (int i = 0; i < LIVE_TRIES; i++) {
        weir_fragments_build_begin(&live.trial, live_table(), live.folder, live.state);
        result = weir_fragments_round(live_table(), &ops, errors);
        if (!live.trial.is_aborted) {
            break;
        }
        if (!live_follow(error)) {
            errors->at[0] = *error;
            errors->n = 1;
            break;
        }
    }
    return result;
}

/* The load has failed: the folder is the one of the generation in use. */
static void
live_turn_back(const char *folder)
{
    bool is_same = folder == NULL ? live.folder == NULL : live_is(live.folder, weir_str_from_z(folder));

    if (live.has_begun && !is_same) {
        live_use_folder(folder != NULL ? live_copy(weir_str_from_z(folder)) : NULL);
        live_watch();
    }
}

weir_generation_t *
weir_fragments_live_load(const weir_conf_source_t *source, uint64_t serial, bool is_fresh,
                         const weir_fragments_judge_t *judge, weir_bundle_t **bundle, weir_error_t *error)
{
    static weir_error_t     at[WEIR_LOAD_ERRORS];
    weir_conf_errors_t      errors = { at, 0, WEIR_LOAD_ERRORS };
    char                   *folder = live.folder != NULL ? live_copy(weir_str_from_z(live.folder)) : NULL;
    weir_generation_t      *generation = NULL;
    weir_fragments_result_t result;
    weir_error_t            why = { .text = "" };

    if (is_fresh && live.folder != NULL) {
        live_scan();
    }
    live.trial.source = source;
    live.trial.serial = serial;
    live.trial.judge = judge;
    live.trial.before = is_fresh ? NULL : weir_current_bundle();
    result = live_round(is_fresh, &errors, &why);
    weir_bundle_destroy(live.trial.before);
    if (result == WEIR_FRAGMENTS_BUILT) {
        generation = live.trial.generation;
        *bundle = live.trial.bundle;
        weir_load_warn(generation);
        live.trial.generation = NULL;
        live.trial.bundle = NULL;
    } else if (result == WEIR_FRAGMENTS_REST_IS_BAD) {
        if (errors.n == 0) {
            (void) weir_error_set(&errors.at[errors.n++], "the folder of fragments is another one at each look");
        }
        weir_load_tell_errors(&errors, error);
        live_turn_back(folder);
    }
    weir_fragments_build_end(&live.trial);
    weir_mem_free(folder);
    weir_fragments_end(live_table(), 0);
    return generation;
}

/* -- the file of the state -- */

/* Does what was accepted change what the file is to say? */
static bool
live_state_changes(void)
{
    for (const weir_list_t *at = live.table.changes.next; at != &live.table.changes; at = at->next) {
        const weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        if (change->state == WEIR_FRAGMENTS_ACCEPTED && change->from == WEIR_FRAGMENT_OF_SOCKET
            && !change->is_restored)
        {
            return true;
        }
    }
    return false;
}

static void
live_settle(void)
{
    if (!weir_fragments_keep_is_busy()) {
        weir_fragments_end(live_table(), live.done);
    }
}

static void
live_keep(void)
{
    weir_error_t error = { .text = "" };
    char        *text = live.state != NULL ? weir_fragments_state_text(live_table(), false, &error) : NULL;

    live.state_is_new = false;
    if (text != NULL) {
        weir_fragments_keep_write(live.forks ? live.loop : NULL, live.state, text, live_settle);
    } else if (live.state != NULL) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "the file of fragments is not written: %s", error.text);
    }
}

void
weir_fragments_live_use(uint64_t serial)
{
    bool is_changed;

    live.has_begun = true;
    is_changed = live_state_changes();
    weir_fragments_commit(live_table(), serial);
    if (!live.trial.has_folder && live.folder != NULL) {
        weir_fragments_drop_files(live_table());
        live_use_folder(NULL);
    }
    if (!live.trial.has_state && live.state != NULL) {
        weir_mem_free(live.state);
        live.state = NULL;
    }
    if (is_changed || live.state_is_new) {
        live_keep();
    }
    live_watch();
}

void
weir_fragments_live_give_up(const weir_error_t *error)
{
    weir_fragments_give_up(live_table(), error);
    weir_fragments_end(live_table(), 0);
}

void
weir_fragments_live_done(uint64_t serial)
{
    live.done = serial;
    live_settle();
}

void
weir_fragments_live_ask(weir_fragments_change_t *change)
{
    weir_fragments_ask(live_table(), change);
    live_ask_for_load();
}

/* -- life -- */

void
weir_fragments_live_begin(weir_loop_t *loop, bool forks, void (*wants)(void *data), void *data)
{
    live.forks = forks;
    live.loop = loop;
    live.wants = wants;
    live.data = data;
    live_watch();
    weir_fragments_end(live_table(), 0);
    live_ask_for_load();
}

void
weir_fragments_live_end(void)
{
    weir_fragments_keep_wait();
    weir_watch_dir_destroy(live.watch);
    live.watch = NULL;
    live.loop = NULL;
    live.wants = NULL;
    weir_fragments_files_forget(&live.files);
    weir_fragments_fini(live_table());
    weir_mem_free(live.folder);
    weir_mem_free(live.state);
    live.folder = live.state = NULL;
}

void
weir_fragments_live_forget(void)
{
    weir_watch_dir_forget(live.watch);
    weir_fragments_keep_forget();
    live.loop = NULL;
    live.wants = NULL;
}
