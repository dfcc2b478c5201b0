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

static bool
order_is_filter(size_t module)
{
    const weir_http_module_t *m = weir_http_modules[module];

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
order_must_wait(size_t module, const bool *is_placed)
{
    const weir_http_module_t *m = weir_http_modules[module];

    for (size_t i = 0; i < weir_modules_count; i++) {
        if (i == module || is_placed[i] || !order_is_filter(i)) {
            continue;
        }
        if (weir_http_modules[i]->filter_place < m->filter_place) {
            return true;
        }
        if (weir_http_modules[i]->filter_place == m->filter_place && m->filter_after != NULL
            && order_names(m->filter_after, weir_http_modules[i]->name))
        {
            return true;
        }
    }
    return false;
}

const size_t *
weir_filters_order(weir_conf_t *cf)
{
    size_t *order = weir_new_n(cf->arena, size_t, weir_modules_count + 1);
    bool *is_placed = weir_new_n(cf->arena, bool, weir_modules_count);
    size_t n = 0, left = 0;

    for (size_t i = 0; i < weir_modules_count; i++) {
        left += order_is_filter(i);
    }
    while (left != 0) {
        size_t i = 0;

        while (i < weir_modules_count && (!order_is_filter(i) || is_placed[i] || order_must_wait(i, is_placed))) {
            i++;
        }
        if (i == weir_modules_count) {
            weir_log(WEIR_LOG_EMERG, NULL, 0, "modules' filters are to come behind one another (.filter_after)");
            return NULL;
        }
        is_placed[i] = true;
        order[n++] = i;
        left--;
    }
    order[n] = SIZE_MAX;
    return order;
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
