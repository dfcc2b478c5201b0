/*
 * table.c - the rows of all modules: which directive a name is where, and which modules have a struct where.
 *
 * Runs where configurations are read; the index is of one reading and in its arena.
 */
#include "conf/read.h"

#include "base/array.h"

#include <stdio.h>

const weir_module_t *const *weir_modules_in_use = weir_modules;

size_t
weir_conf_table_size(void)
{
    size_t n = 0;

    while (weir_modules_in_use[n] != NULL) {
        n++;
    }
    return n;
}

size_t
weir_conf_module_slots(void)
{
    return weir_max(weir_modules_count, weir_conf_table_size());
}

unsigned
weir_conf_family(unsigned context)
{
    unsigned family = context;

    if (context & (WEIR_IN_MAIN | WEIR_IN_EVENTS)) {
        family |= WEIR_IN_MAIN | WEIR_IN_EVENTS;
    }
    if (context & (WEIR_IN_ANY | WEIR_IN_ROUTE | WEIR_IN_SERVER_IF | WEIR_IN_PART)) {
        family |= WEIR_IN_ANY | WEIR_IN_ROUTE | WEIR_IN_SERVER_IF | WEIR_IN_PART;
    }
    return family;
}

/* What may stand in a location may stand in a route, but for another location; and what is no block in the parts of
 * both. */
static unsigned
table_where(const weir_directive_t *row)
{
    unsigned where = row->where;

    if (row->where & WEIR_IN_LOCATION) {
        where |= row->opens != WEIR_IN_LOCATION ? WEIR_IN_ROUTE : 0;
        where |= !row->opens && !row->whole ? WEIR_IN_PART : 0;
    }
    return where;
}

bool
weir_conf_has_field(const weir_directive_t *row)
{
    return row->type != NULL && row->type->size != 0;
}

static unsigned
table_contexts_of(const weir_module_t *module)
{
    const weir_directive_t *row;
    unsigned                fields = 0, blocks = 0;

    for (row = module->directives; row != NULL && row->name != NULL; row++) {
        if (weir_conf_has_field(row)) {
            fields |= row->where;
        } else if (row->opens) {
            blocks |= row->where;
        }
    }
    /* A module of nothing but blocks keeps what their lines say in the structs of where the blocks stand. */
    return weir_conf_family(fields != 0 ? fields : blocks);
}

static bool
table_has_twin(const weir_module_t *module, const weir_directive_t *row)
{
    const weir_directive_t *other;

    for (other = module->directives; other->name != NULL; other++) {
        if (other != row && weir_conf_has_field(row) && weir_conf_has_field(other) && other->offset == row->offset) {
            return true;
        }
    }
    return false;
}

static void
table_index_module(reader_t *reader, size_t m)
{
    const weir_module_t    *module = weir_modules_in_use[m];
    const weir_directive_t *row = module->directives;
    read_row_t             *at, **bucket;
    size_t                  n = 0, i;

    while (row != NULL && row[n].name != NULL) {
        n++;
    }
    reader->rows[m] = weir_new_n(reader->cf.arena, read_row_t, n + 1);
    for (i = 0; i < n; i++) {
        weir_assert(!weir_conf_has_field(&row[i]) || row[i].offset + row[i].type->size <= module->conf_size);
        at = &reader->rows[m][i];
        bucket = &reader->buckets[weir_str_hash(weir_str_from_z(row[i].name), 0) % reader->n_buckets];
        *at = (read_row_t) { .next = *bucket, .row = &row[i], .module = (uint32_t) m, .bit = (uint32_t) i,
                             .twin = table_has_twin(module, &row[i]) };
        *bucket = at;
        reader->keeps_own[m] = reader->keeps_own[m] || row[i].inherit == WEIR_OWN || row[i].inherit == WEIR_LOCAL;
    }
    reader->contexts[m] = module->conf_size != 0 ? table_contexts_of(module) : 0;
}

static void
table_index_contexts(reader_t *reader)
{
    size_t context, m;

    reader->in = weir_new_n(reader->cf.arena, size_t *, READ_CONTEXTS);
    reader->n_in = weir_new_n(reader->cf.arena, size_t, READ_CONTEXTS);
    reader->checks = weir_new_n(reader->cf.arena, size_t, reader->n_modules);
    for (m = 0; m < reader->n_modules; m++) {
        if (weir_modules_in_use[m]->check != NULL) {
            reader->checks[reader->n_checks++] = m;
        }
    }
    for (context = 0; context < READ_CONTEXTS; context++) {
        reader->in[context] = weir_new_n(reader->cf.arena, size_t, reader->n_modules);
        for (m = 0; m < reader->n_modules; m++) {
            if (reader->contexts[m] & 1U << context) {
                reader->in[context][reader->n_in[context]++] = m;
            }
        }
    }
}

void
weir_conf_index(reader_t *reader)
{
    size_t m;

    reader->n_modules = weir_conf_table_size();
    reader->n_buckets = 512;
    reader->buckets = weir_new_n(reader->cf.arena, read_row_t *, reader->n_buckets);
    reader->rows = weir_new_n(reader->cf.arena, read_row_t *, reader->n_modules);
    reader->contexts = weir_new_n(reader->cf.arena, unsigned, reader->n_modules);
    reader->keeps_own = weir_new_n(reader->cf.arena, bool, reader->n_modules);
    reader->plain = weir_new_n(reader->cf.arena, read_plain_t, reader->n_modules);
    for (m = 0; m < reader->n_modules; m++) {
        table_index_module(reader, m);
    }
    table_index_contexts(reader);
}

read_row_t *
weir_conf_find(const reader_t *reader, weir_str_t name, unsigned context, bool is_block, unsigned *elsewhere)
{
    read_row_t *found = NULL, *at = reader->buckets[weir_str_hash(name, 0) % reader->n_buckets];

    weir_assert(reader->n_buckets != 0);
    *elsewhere = 0;
    for (; at != NULL; at = at->next) {
        if (!weir_str_eq(name, weir_str_from_z(at->row->name))) {
            continue;
        }
        if (!(table_where(at->row) & context)) {
            *elsewhere |= at->row->where;
        } else if (found == NULL || (at->row->opens != 0) == is_block) {
            found = at;
        }
    }
    return found;
}

static const char *
table_nearest(weir_str_t name, unsigned contexts)
{
    const weir_directive_t *row;
    const char             *best = NULL, *pair[2];
    size_t                  m;

    for (m = 0; weir_modules_in_use[m] != NULL; m++) {
        for (row = weir_modules_in_use[m]->directives; row != NULL && row->name != NULL; row++) {
            if (table_where(row) & contexts) {
                pair[0] = best != NULL ? best : row->name;
                pair[1] = row->name;
                best = weir_conf_nearest(name, pair, 2);
            }
        }
    }
    return best;
}

const char *
weir_conf_nearest_row(weir_str_t name, unsigned context)
{
    const char *best = table_nearest(name, context);

    return best != NULL ? best : table_nearest(name, ~0U);
}

size_t
weir_conf_contexts_text(unsigned contexts, char *out, size_t size)
{
    static const char *const names[] = {
        "main", "events", "http", "server", "location", "upstream", NULL, "if in server", "if in location",
        "limit_except", "route",
    };
    size_t                   len = 0, i;
    int                      n;

    if ((contexts & 0x3f) == 0x3f) {
        n = snprintf(out, size, "any");
        return n > 0 ? (size_t) n : 0;
    }
    out[0] = '\0';
    for (i = 0; i < weir_countof(names); i++) {
        if (names[i] != NULL && (contexts & 1U << i)) {
            n = snprintf(out + len, size - len, "%s%s", len != 0 ? ", " : "", names[i]);
            if (n < 0 || (size_t) n >= size - len) {
                return len;
            }
            len += (size_t) n;
        }
    }
    return len;
}
