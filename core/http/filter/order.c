/*
 * order.c - see order.h.  Load time only.
 */
#include "http/filter/order.h"

#include "conf/core.h"
#include "http/filter/pace.h"
#include "http/filter/ranges.h"

static const weir_http_filter_row_t order_own[] = {
    { weir_ranges_head, NULL, WEIR_FILTER_RANGE },
    { weir_pace_head, NULL, WEIR_FILTER_PACE },
};

/* What has been placed so far, of a row of modules. */
typedef struct {
    const weir_http_module_t *const *modules;
    size_t n;
    bool *is_placed;
} order_t;

static bool
order_is_filter(const weir_http_module_t *m)
{
    return m != NULL && (m->filter_head != NULL || m->on[WEIR_PHASE_FILTER] != NULL);
}

/* Is the name among those that are told with spaces between them? */
static bool
order_names(const char *list, const char *name)
{
    weir_str_t rest = weir_str_from_z(list), word;

    while (rest.len != 0) {
        (void) weir_str_cut(rest, ' ', &word, &rest);
        if (weir_str_eq(word, weir_str_from_z(name))) {
            return true;
        }
    }
    return false;
}

/* Does one that has no place yet come before this one? */
static bool
order_must_wait(const order_t *o, const weir_http_module_t *m)
{
    for (size_t i = 0; i < o->n; i++) {
        const weir_http_module_t *other = o->modules[i];

        if (other == m || o->is_placed[i] || !order_is_filter(other)) {
            continue;
        }
        if (other->filter_place < m->filter_place) {
            return true;
        }
        if (other->filter_place == m->filter_place && m->filter_after != NULL
            && order_names(m->filter_after, other->name))
        {
            return true;
        }
    }
    return false;
}

/* The first that may come next; n: there is none. */
static size_t
order_next(const order_t *o)
{
    size_t i = 0;

    while (i < o->n && (o->is_placed[i] || !order_is_filter(o->modules[i]) || order_must_wait(o, o->modules[i]))) {
        i++;
    }
    return i;
}

const size_t *
weir_filters_order_of(weir_arena_t *arena, const weir_http_module_t *const *modules, size_t n)
{
    order_t o = { modules, n, weir_new_n(arena, bool, n) };
    size_t *order = weir_new_n(arena, size_t, n + 1), at = 0, i;

    while ((i = order_next(&o)) != n) {
        o.is_placed[i] = true;
        order[at++] = i;
    }
    for (i = 0; i < n; i++) {
        if (order_is_filter(modules[i]) && !o.is_placed[i]) {
            weir_log(WEIR_LOG_EMERG, NULL, 0, "the filters of \"%s\" and others are to come behind one another "
                     "(.filter_after)", modules[i]->name);
            return NULL;
        }
    }
    order[at] = SIZE_MAX;
    return order;
}

const size_t *
weir_filters_order(weir_conf_t *cf)
{
    return weir_filters_order_of(cf->arena, weir_http_modules, weir_modules_count);
}

static bool
order_is_on(const weir_conf_block_t *block, size_t module)
{
    const weir_http_module_t *m = weir_http_modules[module];

    return m->filter_head != NULL && (m->enabled == NULL || m->enabled(block->confs[module], WEIR_PHASE_MAX));
}

void
weir_filters_place(weir_arena_t *arena, const size_t *order, const weir_conf_block_t *block,
                   struct weir_http_pipeline *pipeline)
{
    weir_http_filter_row_t *rows;
    size_t n = 0, own = 0;

    for (const size_t *at = order; *at != SIZE_MAX; at++) {
        n += order_is_on(block, *at);
    }
    rows = weir_new_n(arena, weir_http_filter_row_t, n + weir_countof(order_own));
    n = 0;
    for (const size_t *at = order; *at != SIZE_MAX; at++) {
        const weir_http_module_t *m = weir_http_modules[*at];

        while (own < weir_countof(order_own) && order_own[own].place < m->filter_place) {
            rows[n++] = order_own[own++];
        }
        if (order_is_on(block, *at)) {
            rows[n++] = (weir_http_filter_row_t) { m->filter_head, block->confs[*at], m->filter_place };
        }
    }
    while (own < weir_countof(order_own)) {
        rows[n++] = order_own[own++];
    }
    pipeline->filters = rows;
    pipeline->n_filters = (uint16_t) n;
}
