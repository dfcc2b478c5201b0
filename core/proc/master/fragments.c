/*
 * fragments.c - see fragments.h: rows, versions and changes.  Rounds are in fragments_round.c.
 */
#include "proc/master/fragments.h"

#include "base/mem.h"

#include <string.h>

/* -- versions -- */

weir_fragment_version_t *
weir_fragment_version_create(weir_str_t tree)
{
    weir_fragment_version_t *version = weir_mem_try(sizeof(*version) + tree.len);

    if (version == NULL) {
        return NULL;
    }
    version->refs = 1;
    version->digest = weir_fragment_digest(tree);
    version->len = tree.len;
    memcpy(version->bytes, tree.at, tree.len);
    return version;
}

weir_fragment_version_t *
weir_fragment_version_ref(weir_fragment_version_t *version)
{
    if (version != NULL) {
        weir_assert(version->refs != 0 && version->refs != UINT32_MAX);
        version->refs++;
    }
    return version;
}

void
weir_fragment_version_unref(weir_fragment_version_t *version)
{
    weir_assert(version == NULL || version->refs != 0);
    if (version != NULL && --version->refs == 0) {
        weir_mem_free(version);
    }
}

/* -- changes -- */

static char *
fragments_copy(weir_str_t name)
{
    char *copy = weir_mem_need(name.len + 1);

    memcpy(copy, name.at, name.len);
    return copy;
}

weir_fragments_change_t *
weir_fragments_change_create(weir_fragment_from_t from)
{
    weir_fragments_change_t *change = weir_mem_need(sizeof(*change));

    change->from = from;
    return change;
}

weir_fragment_item_t *
weir_fragments_change_add(weir_fragments_change_t *change, weir_str_t name, weir_fragment_version_t *version)
{
    for (size_t i = 0; i < change->n; i++) {
        if (weir_str_eq(weir_str_from_z(change->items[i].name), name)) {
            weir_fragment_version_unref(version);
            return NULL;
        }
    }
    if (change->n == change->cap) {
        size_t                cap = change->cap * 2 + 4;
        weir_fragment_item_t *grown = weir_mem_need(cap * sizeof(*grown));

        if (change->n != 0) {
            memcpy(grown, change->items, change->n * sizeof(*grown));
        }
        weir_mem_free(change->items);
        change->items = grown;
        change->cap = cap;
    }
    change->items[change->n] = (weir_fragment_item_t) { .name = fragments_copy(name), .version = version };
    return &change->items[change->n++];
}

void
weir_fragments_change_free(weir_fragments_change_t *change)
{
    weir_list_remove(&change->link);
    for (size_t i = 0; i < change->n; i++) {
        weir_mem_free(change->items[i].name);
        weir_fragment_version_unref(change->items[i].version);
    }
    weir_mem_free(change->items);
    weir_mem_free(change);
}

/* -- rows -- */

void
weir_fragments_init(weir_fragment_table_t *table)
{
    *table = (weir_fragment_table_t) { .rows = NULL };
    weir_list_init(&table->changes);
}

static void
fragments_free_row(weir_fragment_row_t *row)
{
    weir_mem_free(row->name);
    weir_mem_free(row->why);
    weir_fragment_version_unref(row->live);
    weir_fragment_version_unref(row->refused);
    weir_mem_free(row);
}

void
weir_fragments_fini(weir_fragment_table_t *table)
{
    while (!weir_list_empty(&table->changes)) {
        weir_fragments_change_t *change = weir_list_entry(table->changes.next, weir_fragments_change_t, link);

        weir_list_remove(&change->link);
        if (change->on_end != NULL) {
            change->state = WEIR_FRAGMENTS_REFUSED;
            (void) weir_error_set(&change->error, "the instance is shutting down");
            change->on_end(change);
        }
        weir_fragments_change_free(change);
    }
    for (size_t i = 0; i < table->n; i++) {
        fragments_free_row(table->rows[i]);
    }
    weir_mem_free(table->rows);
    weir_fragments_init(table);
}

static weir_str_t
fragments_name_at(const void *table, size_t i)
{
    return weir_str_from_z(((const weir_fragment_table_t *) table)->rows[i]->name);
}

/* The place of the name, or where it would be. */
static size_t
fragments_at(const weir_fragment_table_t *table, weir_str_t name, bool *found)
{
    return weir_str_place(name, table->n, fragments_name_at, table, found);
}

weir_fragment_row_t *
weir_fragments_find(const weir_fragment_table_t *table, weir_str_t name)
{
    bool   found;
    size_t at = fragments_at(table, name, &found);

    return found ? table->rows[at] : NULL;
}

weir_fragment_row_t *
weir_fragments_row(weir_fragment_table_t *table, weir_str_t name, weir_fragment_from_t from)
{
    bool                 found;
    size_t               at = fragments_at(table, name, &found);
    weir_fragment_row_t *row;

    if (found) {
        return table->rows[at];
    }
    if (table->n == WEIR_FRAGMENTS_MAX) {
        return NULL;
    }
    if (table->n == table->cap) {
        size_t                cap = table->cap * 2 + 16;
        weir_fragment_row_t **grown = weir_mem_need(cap * sizeof(*grown));

        if (table->n != 0) {
            memcpy(grown, table->rows, table->n * sizeof(*grown));
        }
        weir_mem_free(table->rows);
        table->rows = grown;
        table->cap = cap;
    }
    row = weir_mem_need(sizeof(*row));
    row->name = fragments_copy(name);
    row->from = from;
    memmove(&table->rows[at + 1], &table->rows[at], (table->n - at) * sizeof(*table->rows));
    table->rows[at] = row;
    table->n++;
    return row;
}

static void
fragments_drop(weir_fragment_table_t *table, weir_fragment_row_t *row)
{
    bool   found;
    size_t at = fragments_at(table, weir_str_from_z(row->name), &found);

    weir_assert(found && row->live == NULL);
    memmove(&table->rows[at], &table->rows[at + 1], (table->n - at - 1) * sizeof(*table->rows));
    table->n--;
    fragments_free_row(row);
}

static void
fragments_clear_refusal(weir_fragment_row_t *row)
{
    weir_fragment_version_unref(row->refused);
    row->refused = NULL;
    weir_mem_free(row->why);
    row->why = NULL;
}

void
weir_fragments_refuse(weir_fragment_table_t *table, weir_fragment_row_t *row, weir_fragment_version_t *version,
                      const weir_error_t *error)
{
    bool is_known = row->why != NULL && strcmp(row->why->text, error->text) == 0
                    && (row->refused == NULL ? version == NULL
                                             : version != NULL && version->digest == row->refused->digest);

    if (is_known) {
        return;
    }
    fragments_clear_refusal(row);
    row->refused = weir_fragment_version_ref(version);
    row->why = weir_mem_need(sizeof(*row->why));
    *row->why = *error;
    row->n_refused++;
    if (table->on_refusal != NULL) {
        table->on_refusal(row);
    }
}

void
weir_fragments_forget_refusal(weir_fragment_table_t *table, weir_fragment_row_t *row)
{
    fragments_clear_refusal(row);
    if (row->live == NULL) {
        fragments_drop(table, row);
    }
}

void
weir_fragments_drop_files(weir_fragment_table_t *table)
{
    for (size_t i = table->n; i-- > 0;) {
        weir_fragment_row_t *row = table->rows[i];

        if (row->from == WEIR_FRAGMENT_OF_FILE) {
            weir_fragment_version_unref(row->live);
            row->live = NULL;
            fragments_drop(table, row);
        }
    }
}

/* -- what becomes of changes -- */

void
weir_fragments_ask(weir_fragment_table_t *table, weir_fragments_change_t *change)
{
    weir_assert(change->n != 0);
    change->state = WEIR_FRAGMENTS_WAITS;
    weir_list_append(&table->changes, &change->link);
}

bool
weir_fragments_are_asked(const weir_fragment_table_t *table)
{
    for (const weir_list_t *at = table->changes.next; at != &table->changes; at = at->next) {
        if (weir_list_entry(at, weir_fragments_change_t, link)->state == WEIR_FRAGMENTS_WAITS) {
            return true;
        }
    }
    return false;
}

static void
fragments_take_up(weir_fragment_table_t *table, const weir_fragments_change_t *change, weir_fragment_item_t *item)
{
    weir_fragment_row_t *row = weir_fragments_row(table, weir_str_from_z(item->name), change->from);

    weir_assert(row != NULL && row->from == change->from);      /* the round has looked */
    fragments_clear_refusal(row);
    weir_fragment_version_unref(row->live);
    row->live = weir_fragment_version_ref(item->version);
    row->since = change->serial;
    row->n_accepted++;
    if (row->live == NULL) {
        fragments_drop(table, row);
    }
}

/* A row of a file remembers the version, so that it is not asked for again; one of the socket that has nothing live
 * does not stay for that. */
static void
fragments_note_refusal(weir_fragment_table_t *table, const weir_fragments_change_t *change)
{
    for (size_t i = 0; i < change->n; i++) {
        const weir_fragment_item_t *item = &change->items[i];
        weir_str_t                  name = weir_str_from_z(item->name);
        weir_fragment_row_t        *row = change->from == WEIR_FRAGMENT_OF_FILE || change->is_restored
                                          ? weir_fragments_row(table, name, change->from)
                                          : weir_fragments_find(table, name);

        if (row != NULL && row->from == change->from) {
            weir_fragments_refuse(table, row, item->version, &change->error);
        }
    }
}

void
weir_fragments_commit(weir_fragment_table_t *table, uint64_t serial)
{
    for (weir_list_t *at = table->changes.next; at != &table->changes; at = at->next) {
        weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        if (change->state == WEIR_FRAGMENTS_ACCEPTED) {
            change->state = WEIR_FRAGMENTS_LIVE;
            change->serial = serial;
            table->n_accepted++;
            for (size_t i = 0; i < change->n; i++) {
                fragments_take_up(table, change, &change->items[i]);
            }
        }
    }
}

void
weir_fragments_give_up(weir_fragment_table_t *table, const weir_error_t *error)
{
    for (weir_list_t *at = table->changes.next; at != &table->changes; at = at->next) {
        weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        if (change->state == WEIR_FRAGMENTS_ACCEPTED) {
            change->state = WEIR_FRAGMENTS_REFUSED;
            change->error = *error;
        }
    }
}

void
weir_fragments_end(weir_fragment_table_t *table, uint64_t serial)
{
    for (weir_list_t *at = table->changes.next, *next; at != &table->changes; at = next) {
        weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);
        bool refused = change->state == WEIR_FRAGMENTS_REFUSED || change->state == WEIR_FRAGMENTS_CONFLICT;

        next = at->next;
        if (!refused && (change->state != WEIR_FRAGMENTS_LIVE || change->serial > serial)) {
            continue;
        }
        if (refused) {
            table->n_refused++;
            fragments_note_refusal(table, change);
        }
        weir_list_remove(&change->link);
        if (change->on_end != NULL) {
            change->on_end(change);
        }
        weir_fragments_change_free(change);
    }
}
