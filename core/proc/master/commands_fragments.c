/*
 * commands_fragments.c - the commands of fragments.
 *
 *     {"do":"fragments.list"}                                             all of them, without their trees
 *     {"do":"fragments.get","name":NAME}                                  one, with its tree in the JSON notation
 *     {"do":"fragments.put","name":NAME,"tree":[…],"if_digest":DIGEST}    if_digest need not be; "": if there is none
 *     {"do":"fragments.remove","name":NAME,"if_digest":DIGEST}
 *     {"do":"fragments.apply","put":[{"name":…,"tree":…},…],"remove":[{"name":…},…]}    all of it or nothing
 *
 * A change is answered when all workers serve it: {"ok":true,"generation":N}; an error says where: "fragment", "file",
 * "line" or "pointer".  Runs in the master, or in the single process.
 */
#include "base/arena.h"
#include "conf/tree_json.h"
#include "conf/tree_pack.h"
#include "proc/master/commands.h"
#include "proc/master/fragments_keep.h"
#include "proc/master/fragments_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAGMENTS_ITEMS 4096                 /* of one change */

/* -- what there is -- */

static json_t *
fragments_digest(uint64_t digest)
{
    char text[24];

    (void) snprintf(text, sizeof(text), "%016llx", (unsigned long long) digest);
    return json_string(text);
}

/* Where an error is, beside what it says. */
static void
fragments_add_place(json_t *to, const weir_error_t *error)
{
    if (error->fragment[0] != '\0') {
        (void) json_object_set_new(to, "fragment", json_string(error->fragment));
    }
    if (error->file[0] != '\0') {
        (void) json_object_set_new(to, "file", json_string(error->file));
    }
    if (error->line != 0) {
        (void) json_object_set_new(to, "line", json_integer(error->line));
    }
    if (error->pointer[0] != '\0') {
        (void) json_object_set_new(to, "pointer", json_string(error->pointer));
    }
}

static json_t *
fragments_row(const weir_fragment_row_t *row)
{
    json_t *one = json_pack("{s:s,s:s,s:s,s:I,s:I}", "name", row->name, "from",
                            row->from == WEIR_FRAGMENT_OF_FILE ? "file" : "socket", "state",
                            row->why == NULL ? "accepted" : row->live != NULL ? "refused, an older one is live"
                                                                              : "refused",
                            "accepted", (json_int_t) row->n_accepted, "refused", (json_int_t) row->n_refused);

    if (row->live != NULL) {
        (void) json_object_set_new(one, "digest", fragments_digest(row->live->digest));
        (void) json_object_set_new(one, "since", json_integer((json_int_t) row->since));
    }
    if (row->why != NULL) {
        (void) json_object_set_new(one, "error", json_string(row->why->text));
        fragments_add_place(one, row->why);
        (void) json_object_del(one, "fragment");
    }
    return one;
}

static void
fragments_list(weir_call_t *call, const json_t *words WEIR_UNUSED)
{
    const weir_fragment_table_t *table = weir_fragments_live_table();
    json_t                      *list = json_array();

    for (size_t i = 0; i < table->n; i++) {
        (void) json_array_append_new(list, fragments_row(table->rows[i]));
    }
    weir_call_answer(call, json_pack("{s:b,s:I,s:I,s:o}", "ok", 1, "accepted", (json_int_t) table->n_accepted,
                                     "refused", (json_int_t) table->n_refused, "fragments", list));
}

/* NULL: there is no memory. */
static json_t *
fragments_tree(const weir_fragment_version_t *version)
{
    weir_error_t      error = { .text = "" };
    weir_tree_node_t *tree;
    weir_arena_t      arena;
    json_t           *read = NULL;
    char             *text = NULL;
    size_t            len;
    FILE             *out = open_memstream(&text, &len);

    weir_arena_init(&arena, 16384);
    tree = weir_tree_unpack(&arena, weir_str(version->bytes, version->len), &error);
    if (out != NULL) {
        bool good = tree != NULL && weir_tree_json_write(tree, out, &error);

        if (fclose(out) == 0 && good) {
            read = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
        }
        free(text);
    }
    weir_arena_fini(&arena);
    return read;
}

/* NULL: refused. */
static const char *
fragments_name(weir_call_t *call, const json_t *words)
{
    const char *name = json_string_value(json_object_get(words, "name"));

    if (name == NULL || !weir_fragment_name_is_good(weir_str_from_z(name))) {
        weir_call_refuse(call, 400, "\"name\": expected 1 to %d letters, digits, '.', '_', '-' and '/'",
                         WEIR_FRAGMENT_NAME_MAX);
        return NULL;
    }
    return name;
}

static void
fragments_get(weir_call_t *call, const json_t *words)
{
    const char                *name = fragments_name(call, words);
    const weir_fragment_row_t *row = name == NULL ? NULL : weir_fragments_find(weir_fragments_live_table(),
                                                                               weir_str_from_z(name));
    json_t                    *answer, *tree;

    if (name == NULL) {
        return;
    }
    if (row == NULL) {
        weir_call_refuse(call, 404, "there is no fragment \"%s\"", name);
        return;
    }
    answer = fragments_row(row);
    (void) json_object_set_new(answer, "ok", json_true());
    tree = row->live != NULL ? fragments_tree(row->live) : NULL;
    if (tree != NULL) {
        (void) json_object_set_new(answer, "tree", tree);
    }
    weir_call_answer(call, answer);
}

/* -- changes -- */

static void
fragments_on_end(weir_fragments_change_t *change)
{
    weir_call_t *call = change->data;
    const char  *fault = weir_fragments_keep_fault();
    json_t      *answer;

    if (change->state != WEIR_FRAGMENTS_LIVE) {
        answer = json_pack("{s:s}", "error", change->error.text);
        fragments_add_place(answer, &change->error);
        weir_call_refuse_with(call, change->state == WEIR_FRAGMENTS_CONFLICT ? 409 : 422, answer);
    } else if (fault != NULL) {
        weir_call_refuse(call, 500, "%s", fault);
    } else {
        weir_call_answer(call, json_pack("{s:b,s:I}", "ok", 1, "generation", (json_int_t) change->serial));
    }
}

/* false: refused. */
static bool
fragments_read_digest(weir_call_t *call, const json_t *words, weir_fragment_item_t *item)
{
    const json_t *said = json_object_get(words, "if_digest");
    const char   *text = json_string_value(said);
    char         *end = NULL;

    item->has_digest = said != NULL;
    if (text != NULL && text[0] != '\0') {
        item->digest = strtoull(text, &end, 16);
    }
    if (said == NULL || (text != NULL && (end == NULL || (*end == '\0' && strlen(text) == 16)))) {
        return true;
    }
    weir_call_refuse(call, 400, "\"if_digest\": expected 16 hexadecimal digits, or an empty text");
    return false;
}

/* NULL: refused. */
static weir_fragment_version_t *
fragments_read_tree(weir_call_t *call, const char *name, const json_t *words)
{
    const json_t            *said = json_object_get(words, "tree");
    char                    *text = said != NULL ? json_dumps(said, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    weir_fragment_version_t *version = NULL;
    weir_error_t             error = { .text = "" };
    weir_tree_node_t        *tree;
    weir_arena_t             arena;
    weir_str_t               packed;
    json_t                  *answer;

    if (text == NULL) {
        weir_call_refuse(call, 400, "\"tree\": expected the JSON notation of a configuration");
        return NULL;
    }
    weir_arena_init(&arena, 16384);
    tree = weir_tree_json_read(&arena, weir_str_from_z(text), name, WEIR_TREE_JSON_LITERAL, &error);
    if (tree != NULL && weir_tree_pack(&arena, tree, &packed, &error)) {
        version = weir_fragment_version_create(packed);
    }
    weir_arena_fini(&arena);
    free(text);
    if (version == NULL) {
        answer = json_pack("{s:s}", "error", weir_error_is_set(&error) ? error.text : "there is no memory");
        fragments_add_place(answer, &error);
        weir_call_refuse_with(call, 422, answer);
    }
    return version;
}

/* false: refused. */
static bool
fragments_add(weir_call_t *call, weir_fragments_change_t *change, const json_t *words, bool is_put)
{
    const char              *name = fragments_name(call, words);
    weir_fragment_version_t *version = NULL;
    weir_fragment_item_t    *item;

    if (name == NULL) {
        return false;
    }
    if (is_put && (version = fragments_read_tree(call, name, words)) == NULL) {
        return false;
    }
    item = weir_fragments_change_add(change, weir_str_from_z(name), version);
    if (item == NULL) {
        weir_call_refuse(call, 400, "fragment \"%s\" is in the change twice", name);
        return false;
    }
    return fragments_read_digest(call, words, item);
}

static bool
fragments_is_closed(weir_call_t *call)
{
    const char *closed = call->ops->is_closed(call->ops->data);

    if (closed != NULL) {
        weir_call_refuse(call, 503, "%s", closed);
    }
    return closed != NULL;
}

static weir_fragments_change_t *
fragments_begin(weir_call_t *call)
{
    weir_fragments_change_t *change = weir_fragments_change_create(WEIR_FRAGMENT_OF_SOCKET);

    change->on_end = fragments_on_end;
    change->data = call;
    return change;
}

static void
fragments_one(weir_call_t *call, const json_t *words, bool is_put)
{
    weir_fragments_change_t *change;

    if (fragments_is_closed(call)) {
        return;
    }
    change = fragments_begin(call);
    if (fragments_add(call, change, words, is_put)) {
        weir_fragments_live_ask(change);
    } else {
        weir_fragments_change_free(change);
    }
}

static void
fragments_put(weir_call_t *call, const json_t *words)
{
    fragments_one(call, words, true);
}

static void
fragments_remove(weir_call_t *call, const json_t *words)
{
    fragments_one(call, words, false);
}

static void
fragments_apply(weir_call_t *call, const json_t *words)
{
    const json_t            *put = json_object_get(words, "put"), *remove = json_object_get(words, "remove");
    size_t                   n_put = json_array_size(put), n_remove = json_array_size(remove);
    weir_fragments_change_t *change;
    bool                     good = true;

    if (fragments_is_closed(call)) {
        return;
    }
    if ((put != NULL && !json_is_array(put)) || (remove != NULL && !json_is_array(remove)) || n_put + n_remove == 0
        || n_put > FRAGMENTS_ITEMS || n_remove > FRAGMENTS_ITEMS)
    {
        weir_call_refuse(call, 400, "expected lists \"put\" and \"remove\" with 1 to %d fragments", FRAGMENTS_ITEMS);
        return;
    }
    change = fragments_begin(call);
    for (size_t i = 0; good && i < n_put; i++) {
        good = fragments_add(call, change, json_array_get(put, i), true);
    }
    for (size_t i = 0; good && i < n_remove; i++) {
        good = fragments_add(call, change, json_array_get(remove, i), false);
    }
    if (good) {
        weir_fragments_live_ask(change);
    } else {
        weir_fragments_change_free(change);
    }
}

const weir_command_t weir_commands_fragments[] = {
    { .name = "fragments.list", .run = fragments_list, .is_long = true },
    { .name = "fragments.get", .run = fragments_get, .is_long = true },
    { .name = "fragments.put", .run = fragments_put },
    { .name = "fragments.remove", .run = fragments_remove },
    { .name = "fragments.apply", .run = fragments_apply },
    WEIR_COMMANDS_END
};
