/*
 * fragments_round.c - a round of fragments.h: which of the changes that wait can be live together.
 *
 *     all of them --> built                                                        the usual way: one build
 *          |
 *          +--> errors name fragments of changes: without these, again
 *          |
 *          +--> errors name none: without one of them at a time; else from what is live on, half of them at a time
 *                                                                                   at the end: each refused one again
 *
 * A change that was refused because of another one that was too has its second chance at the end.  Memory: an arena for
 * the time of the round.
 */
#include "proc/master/fragments.h"

#include "base/arena.h"

#include <string.h>

#define ROUND_ONE_AT_A_TIME 16               /* changes, at most, of which each is left out in turn */

typedef struct {
    weir_str_t               name;
    weir_fragment_version_t *version;
    weir_fragment_from_t     from;
} round_piece_t;

typedef struct {
    weir_fragment_table_t      *table;
    const weir_fragments_ops_t *ops;
    weir_conf_errors_t         *errors;
    weir_arena_t                arena;
    weir_fragments_change_t   **changes;     /* that waited */
    size_t                      n;
    round_piece_t              *pieces;      /* by name: what is live, and what is in on top of it */
    size_t                      n_pieces, n_builds;
    size_t                      bytes;
    bool                        has_candidate, is_aborted;
} round_t;

/* -- what is live with what is in -- */

static weir_str_t
round_name_at(const void *round, size_t i)
{
    return ((const round_t *) round)->pieces[i].name;
}

static size_t
round_at(const round_t *round, weir_str_t name, bool *found)
{
    return weir_str_place(name, round->n_pieces, round_name_at, round, found);
}

/* false with the change's error: it is not as things are. */
static bool
round_fits(const round_t *round, weir_fragments_change_t *change)
{
    size_t more = 0, bytes = round->bytes;

    for (size_t i = 0; i < change->n; i++) {
        const weir_fragment_item_t *item = &change->items[i];
        bool                        found;
        const round_piece_t        *piece = &round->pieces[round_at(round, weir_str_from_z(item->name), &found)];

        if (found && piece->from != change->from) {
            return weir_error_set(&change->error, piece->from == WEIR_FRAGMENT_OF_FILE
                                  ? "fragment \"%s\" is a file's: change or remove that"
                                  : "fragment \"%s\" was put by the control socket: remove it there first", item->name);
        }
        if (!found && item->version == NULL) {
            return weir_error_set(&change->error, "there is no fragment \"%s\"", item->name);
        }
        if (item->has_digest && item->digest != (found ? piece->version->digest : 0)) {
            return found ? weir_error_set(&change->error, "fragment \"%s\" has the digest %016llx: somebody has "
                                          "changed it", item->name, (unsigned long long) piece->version->digest)
                         : weir_error_set(&change->error, "there is no fragment \"%s\" now", item->name);
        }
        more += !found;
        bytes += item->version != NULL ? item->version->len : 0;
        bytes -= found ? piece->version->len : 0;
    }
    if (round->n_pieces + more > WEIR_FRAGMENTS_MAX || bytes > WEIR_FRAGMENTS_BYTES) {
        return weir_error_set(&change->error, "there would be more than %d fragments, or more than %zu MiB of them",
                              WEIR_FRAGMENTS_MAX, WEIR_FRAGMENTS_BYTES >> 20);
    }
    return true;
}

static void
round_apply(round_t *round, const weir_fragments_change_t *change)
{
    for (size_t i = 0; i < change->n; i++) {
        const weir_fragment_item_t *item = &change->items[i];
        weir_str_t                  name = weir_str_from_z(item->name);
        bool                        found;
        size_t                      at = round_at(round, name, &found), behind = round->n_pieces - at;
        round_piece_t              *piece = &round->pieces[at];

        if (found) {
            round->bytes -= piece->version->len;
        }
        if (item->version == NULL) {
            weir_assert(found);
            memmove(piece, piece + 1, (behind - 1) * sizeof(*piece));
            round->n_pieces--;
            continue;
        }
        if (!found) {
            memmove(piece + 1, piece, behind * sizeof(*piece));
            round->n_pieces++;
        }
        *piece = (round_piece_t) { .name = name, .version = item->version, .from = change->from };
        round->bytes += item->version->len;
    }
}

/* Changes that are in, and are as things are, in their order; the others that are in are in CONFLICT. */
static void
round_compose(round_t *round)
{
    const weir_fragment_table_t *table = round->table;

    round->n_pieces = round->bytes = 0;
    for (size_t i = 0; i < table->n; i++) {
        weir_fragment_row_t *row = table->rows[i];

        if (row->live != NULL) {
            round->pieces[round->n_pieces++] = (round_piece_t) {
                .name = weir_str_from_z(row->name), .version = row->live, .from = row->from,
            };
            round->bytes += row->live->len;
        }
    }
    for (size_t i = 0; i < round->n; i++) {
        weir_fragments_change_t *change = round->changes[i];

        if (!change->is_in) {
            continue;
        }
        change->error = (weir_error_t) { .text = "" };
        change->state = round_fits(round, change) ? WEIR_FRAGMENTS_WAITS : WEIR_FRAGMENTS_CONFLICT;
        if (change->state == WEIR_FRAGMENTS_WAITS) {
            round_apply(round, change);
        }
    }
}

/* -- builds -- */

static bool
round_has_budget(const round_t *round)
{
    return round->n_builds < WEIR_FRAGMENTS_BUILDS;
}

static bool
round_build(round_t *round)
{
    weir_fragments_t      set = { .n = 0 };
    weir_fragment_from_t *from;
    bool                  good;

    if (round->is_aborted) {
        return false;
    }
    round_compose(round);
    set.at = weir_new_n(&round->arena, weir_fragment_t, round->n_pieces);
    from = weir_new_n(&round->arena, weir_fragment_from_t, round->n_pieces);
    for (; set.n < round->n_pieces; set.n++) {
        const weir_fragment_version_t *version = round->pieces[set.n].version;

        set.at[set.n] = (weir_fragment_t) { .name = round->pieces[set.n].name,
                                            .tree = weir_str(version->bytes, version->len),
                                            .digest = version->digest };
        from[set.n] = round->pieces[set.n].from;
    }
    round->n_builds++;
    round->errors->n = 0;
    good = round->ops->build(round->ops->data, set, from, round->errors);
    round->is_aborted = !good && round->errors->n == 0;
    round->has_candidate = round->has_candidate || good;
    return good;
}

static void
round_refuse(weir_fragments_change_t *change, const weir_error_t *error)
{
    change->is_in = false;
    change->state = WEIR_FRAGMENTS_REFUSED;
    change->error = *error;
}

static size_t
round_count_in(const round_t *round)
{
    size_t n = 0;

    for (size_t i = 0; i < round->n; i++) {
        n += round->changes[i]->is_in && round->changes[i]->state != WEIR_FRAGMENTS_CONFLICT;
    }
    return n;
}

/* Changes that are in and put a fragment that an error names.  Were there any? */
static bool
round_refuse_named(round_t *round)
{
    bool any = false;

    for (size_t i = 0; i < round->n; i++) {
        weir_fragments_change_t *change = round->changes[i];
        const weir_error_t      *named = NULL;

        for (size_t k = 0; change->is_in && k < change->n && named == NULL; k++) {
            for (size_t e = 0; change->items[k].version != NULL && e < round->errors->n && named == NULL; e++) {
                named = strcmp(round->errors->at[e].fragment, change->items[k].name) == 0 ? &round->errors->at[e]
                                                                                          : NULL;
            }
        }
        if (named != NULL && change->state != WEIR_FRAGMENTS_CONFLICT) {
            round_refuse(change, named);
            any = true;
        }
    }
    return any;
}

/* Is there one without which the others can be built?  It is refused then. */
static bool
round_leave_one_out(round_t *round, const weir_error_t *error)
{
    if (round_count_in(round) > ROUND_ONE_AT_A_TIME) {
        return false;
    }
    for (size_t i = round->n; i-- > 0 && round_has_budget(round);) {
        weir_fragments_change_t *change = round->changes[i];

        if (!change->is_in || change->state == WEIR_FRAGMENTS_CONFLICT) {
            continue;
        }
        change->is_in = false;
        if (round_build(round)) {
            round_refuse(change, error);
            return true;
        }
        change->is_in = true;
    }
    return false;
}

/* On top of what is in, those of the list that can be, half of them at a time. */
static void
round_add(round_t *round, weir_fragments_change_t **list, size_t n)
{
    weir_error_t error;

    for (size_t i = 0; i < n; i++) {
        list[i]->is_in = true;
    }
    if (n == 0 || (round_has_budget(round) && round_build(round))) {
        return;
    }
    error = round->errors->at[0];
    for (size_t i = 0; i < n; i++) {
        round_refuse(list[i], &error);
    }
    if (n > 1 && round_has_budget(round)) {
        round_add(round, list, n / 2);
        round_add(round, list + n / 2, n - n / 2);
    }
}

/* Those that were refused may have been so because of one another. */
static void
round_try_again(round_t *round)
{
    size_t n = 0;

    for (size_t i = 0; i < round->n; i++) {
        n += round->changes[i]->state == WEIR_FRAGMENTS_REFUSED;
    }
    for (size_t i = 0; n > 1 && i < round->n && round_has_budget(round); i++) {
        weir_fragments_change_t *change = round->changes[i];
        weir_error_t             error = change->error;

        if (change->state == WEIR_FRAGMENTS_REFUSED) {
            change->is_in = true;
            if (!round_build(round)) {
                round_refuse(change, &error);
            }
        }
    }
}

/* -- the round -- */

static void
round_set_in(round_t *round, bool is_in)
{
    for (size_t i = 0; i < round->n; i++) {
        round->changes[i]->is_in = is_in;
    }
}

/* What could not be built by names.  false: what is live cannot be built either. */
static bool
round_part(round_t *round)
{
    weir_error_t              error = round->errors->at[0];
    weir_fragments_change_t **list = weir_new_n(&round->arena, weir_fragments_change_t *, round->n);
    size_t                    n = 0;

    if (round_leave_one_out(round, &error)) {
        return true;
    }
    for (size_t i = 0; i < round->n; i++) {
        if (round->changes[i]->is_in) {
            list[n++] = round->changes[i];
            round->changes[i]->is_in = false;
        }
    }
    if (round->ops->is_fresh && !round_build(round)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        round_refuse(list[i], &error);
    }
    if (n > 1) {
        round_add(round, list, n);
    }
    return true;
}

/* false: what is live cannot be built with the rest. */
static bool
round_run(round_t *round)
{
    round_set_in(round, true);
    for (;;) {
        round_compose(round);
        if (round_count_in(round) == 0 && !round->ops->is_fresh) {
            break;
        }
        if (round_build(round)) {
            break;
        }
        if (round_count_in(round) == 0 || round->is_aborted) {
            return false;
        }
        if (!round_has_budget(round)) {
            for (size_t i = 0; i < round->n; i++) {
                if (round->changes[i]->is_in) {
                    round_refuse(round->changes[i], &round->errors->at[0]);
                }
            }
            continue;
        }
        if (round_refuse_named(round)) {
            continue;
        }
        if (!round_part(round)) {
            return false;
        }
        break;
    }
    round_try_again(round);
    return true;
}

weir_fragments_result_t
weir_fragments_round(weir_fragment_table_t *table, const weir_fragments_ops_t *ops, weir_conf_errors_t *errors)
{
    round_t round = { .table = table, .ops = ops, .errors = errors };
    size_t  n_items = 0, n_accepted = 0;
    bool    good;

    weir_assert(errors->max != 0);
    for (const weir_list_t *at = table->changes.next; at != &table->changes; at = at->next) {
        const weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        round.n += change->state == WEIR_FRAGMENTS_WAITS;
        n_items += change->n;
    }
    weir_arena_init(&round.arena, 65536);
    round.changes = weir_new_n(&round.arena, weir_fragments_change_t *, round.n);
    round.pieces = weir_new_n(&round.arena, round_piece_t, table->n + n_items + 1);
    round.n = 0;
    for (weir_list_t *at = table->changes.next; at != &table->changes; at = at->next) {
        weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        if (change->state == WEIR_FRAGMENTS_WAITS) {
            round.changes[round.n++] = change;
        }
    }
    good = round_run(&round) && !round.is_aborted;
    if (good) {
        round_compose(&round);
    }
    for (size_t i = 0; i < round.n; i++) {
        weir_fragments_change_t *change = round.changes[i];

        if (!good) {
            change->state = WEIR_FRAGMENTS_WAITS;
        } else if (change->is_in && change->state == WEIR_FRAGMENTS_WAITS) {
            change->state = WEIR_FRAGMENTS_ACCEPTED;
            n_accepted++;
        }
    }
    weir_arena_fini(&round.arena);
    weir_assert(!good || round.has_candidate || n_accepted == 0);
    return !good ? WEIR_FRAGMENTS_REST_IS_BAD : n_accepted != 0 || ops->is_fresh ? WEIR_FRAGMENTS_BUILT
                                                                                  : WEIR_FRAGMENTS_SAME;
}
