/*
 * fragments_build.c - see fragments_build.h.
 */
#include "proc/master/fragments_build.h"

#include "base/array.h"
#include "conf/tree_pack.h"
#include "log/log.h"
#include "proc/master/load.h"

#include <string.h>

#define BUILD_WORDS 4096                     /* of changed fragments; with more of them every file is read again */

/* -- what the trees say -- */

/* Calls each for all directives of the tree, but comments. */
static void
build_each(const weir_tree_node_t *node, void (*each)(void *data, const weir_tree_node_t *node), void *data)
{
    const weir_tree_node_t *root = node;

    while (node != NULL) {
        if (node->words.n != 0) {
            each(data, node);
        }
        if (node->first != NULL) {
            node = node->first;
            continue;
        }
        while (node != root && node->next == NULL) {
            node = node->parent;
        }
        node = node == root ? NULL : node->next;
    }
}

static void
build_each_of(weir_arena_t *arena, const weir_fragment_version_t *version,
              void (*each)(void *data, const weir_tree_node_t *node), void *data)
{
    weir_error_t            error = { .text = "" };
    const weir_tree_node_t *tree = weir_tree_unpack(arena, weir_str(version->bytes, version->len), &error);

    weir_assert(tree != NULL);               /* it was packed here, or checked when it came */
    build_each(tree, each, data);
}

/* -- files that are read again -- */

typedef struct { weir_fragments_trial_t *trial; weir_array_t list; } build_words_t;

static void
build_note_words(void *data, const weir_tree_node_t *node)
{
    build_words_t *words = data;

    for (size_t i = 1; i < node->words.n; i++) {
        if (words->list.n == BUILD_WORDS) {
            words->trial->has_too_many_words = true;
            return;
        }
        if (node->words.at[i].text.len > 1) {
            *(weir_str_t *) weir_array_push(&words->list) = node->words.at[i].text;
        }
    }
}

static void
build_collect_words(weir_fragments_trial_t *trial)
{
    build_words_t words = { .trial = trial };

    weir_array_init(&words.list, &trial->arena, sizeof(weir_str_t), 0);
    for (const weir_list_t *at = trial->table->changes.next; at != &trial->table->changes; at = at->next) {
        const weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        for (size_t i = 0; i < change->n && !trial->has_too_many_words; i++) {
            if (change->items[i].version != NULL) {
                build_each_of(&trial->arena, change->items[i].version, build_note_words, &words);
            }
        }
    }
    trial->words = (weir_strs_t) { words.list.at, words.list.n };
}

/* A file that a changed fragment names, by its path or the end of it. */
static bool
build_reads_anew(void *data, weir_str_t path)
{
    const weir_fragments_trial_t *trial = data;

    for (size_t i = 0; i < trial->words.n; i++) {
        weir_str_t word = trial->words.at[i];

        if (weir_str_ends(path, word)
            && (word.at[0] == '/' || path.len == word.len || path.at[path.len - word.len - 1] == '/'))
        {
            return true;
        }
    }
    return trial->has_too_many_words;
}

/* -- groups that are gone -- */

typedef struct { weir_bundle_t *bundle; weir_str_t fragment; } build_gone_t;

static void
build_note_group(void *data, const weir_tree_node_t *node)
{
    const build_gone_t *gone = data;

    if (node->is_block && node->words.n == 2 && weir_str_eq(node->words.at[0].text, WEIR_STR("upstream"))) {
        weir_fragment_source_forget_group(gone->bundle, node->words.at[1].text, gone->fragment);
    }
}

static weir_str_t
build_name_at(const void *set, size_t i)
{
    return ((const weir_fragments_t *) set)->at[i].name;
}

static bool
build_has(const weir_fragments_t *set, weir_str_t name, const weir_fragment_version_t *version)
{
    bool   found;
    size_t at = weir_str_place(name, set->n, build_name_at, set, &found);

    return found && set->at[at].tree.at == version->bytes;
}

/* Those of versions that are live or asked for, and not in this build. */
static void
build_forget_groups(weir_fragments_trial_t *trial)
{
    build_gone_t gone = { .bundle = trial->bundle };

    for (size_t i = 0; i < trial->table->n; i++) {
        const weir_fragment_row_t *row = trial->table->rows[i];

        gone.fragment = weir_str_from_z(row->name);
        if (row->live != NULL && !build_has(&trial->set, gone.fragment, row->live)) {
            build_each_of(&trial->arena, row->live, build_note_group, &gone);
        }
    }
    for (const weir_list_t *at = trial->table->changes.next; at != &trial->table->changes; at = at->next) {
        const weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        for (size_t i = 0; i < change->n; i++) {
            gone.fragment = weir_str_from_z(change->items[i].name);
            if (change->items[i].version != NULL && change->state != WEIR_FRAGMENTS_LIVE
                && !build_has(&trial->set, gone.fragment, change->items[i].version))
            {
                build_each_of(&trial->arena, change->items[i].version, build_note_group, &gone);
            }
        }
    }
}

/* -- what the directives name -- */

static void
build_put(const weir_fragments_trial_t *trial, weir_bundle_t *bundle, weir_fragment_from_t from)
{
    for (size_t i = 0; i < trial->set.n; i++) {
        if (trial->from[i] == from) {
            weir_bundle_put_fragment(bundle, &trial->set.at[i]);
        }
    }
}

/* false with *error: it is not read yet. */
static bool
build_knows(weir_fragments_trial_t *trial, const char *known, weir_str_t path, const char **other, weir_error_t *error)
{
    if (known != NULL && weir_str_eq(weir_str_from_z(known), path)) {
        return true;
    }
    *other = weir_str_to_z(&trial->arena, path);
    trial->is_aborted = true;
    return weir_error_set(error, "\"%s\" is read first", *other);
}

static bool
build_take_folder(void *data, weir_bundle_t *bundle, weir_str_t path, weir_error_t *error)
{
    weir_fragments_trial_t *trial = data;

    trial->names_folder = true;
    if (!build_knows(trial, trial->known_folder, path, &trial->folder, error)) {
        return false;
    }
    build_put(trial, bundle, WEIR_FRAGMENT_OF_FILE);
    return true;
}

static bool
build_take_state(void *data, weir_bundle_t *bundle WEIR_UNUSED, weir_str_t path, weir_error_t *error)
{
    weir_fragments_trial_t *trial = data;

    trial->names_state = true;
    return build_knows(trial, trial->known_state, path, &trial->state, error);
}

/* -- a build -- */

static void
build_drop(weir_fragments_trial_t *trial)
{
    if (trial->generation != NULL) {
        weir_generation_unref(trial->generation);
        weir_bundle_destroy(trial->bundle);
    }
    trial->generation = NULL;
    trial->bundle = NULL;
}

void
weir_fragments_build_end(weir_fragments_trial_t *trial)
{
    build_drop(trial);
    if (trial->is_open) {
        weir_arena_fini(&trial->arena);
        trial->is_open = false;
    }
    trial->folder = trial->state = trial->known_folder = trial->known_state = NULL;
    trial->words = (weir_strs_t) { NULL, 0 };
}

void
weir_fragments_build_begin(weir_fragments_trial_t *trial, const weir_fragment_table_t *table,
                           const char *known_folder, const char *known_state)
{
    weir_fragments_build_end(trial);
    weir_arena_init(&trial->arena, 65536);
    trial->is_open = true;
    trial->is_aborted = trial->has_folder = trial->has_state = trial->has_too_many_words = false;
    trial->table = table;
    trial->known_folder = known_folder;
    trial->known_state = known_state;
    trial->from_directives = (weir_fragment_source_t) { .data = trial, .folder = build_take_folder,
                                                        .state = build_take_state };
    if (trial->before != NULL) {
        build_collect_words(trial);
    }
}

bool
weir_fragments_build(void *data, weir_fragments_t set, const weir_fragment_from_t *from, weir_conf_errors_t *errors)
{
    weir_fragments_trial_t *trial = data;
    weir_bundle_t          *before = trial->bundle;
    weir_generation_t      *generation;
    weir_error_t            error = { .text = "" };

    trial->set = set;
    trial->from = from;
    trial->names_folder = trial->names_state = false;
    trial->bundle = weir_bundle_create();
    weir_fragment_source_set(trial->bundle, &trial->from_directives);
    if (trial->before != NULL) {
        weir_fragment_source_go_by(trial->bundle, trial->before, build_reads_anew, trial);
    }
    build_forget_groups(trial);
    build_put(trial, trial->bundle, WEIR_FRAGMENT_OF_SOCKET);
    generation = weir_load_build(trial->bundle, trial->source, trial->serial, errors);
    if (generation != NULL && trial->judge != NULL
        && !trial->judge->check(trial->judge->data, generation, &error))
    {
        weir_generation_unref(generation);
        generation = NULL;
        errors->at[0] = error;
        errors->n = 1;
    }
    if (generation == NULL) {
        weir_bundle_destroy(trial->bundle);
        trial->bundle = before;
        errors->n = trial->is_aborted ? 0 : errors->n;
        return false;
    }
    weir_bundle_destroy(before);
    if (trial->generation != NULL) {
        weir_generation_unref(trial->generation);
    }
    trial->generation = generation;
    trial->has_folder = trial->names_folder;
    trial->has_state = trial->names_state;
    return true;
}
