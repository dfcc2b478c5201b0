/*
 * order.c - see order.h.
 *
 * Two heaps of keys: `turns` has the peers that may be picked, by load and due time; `resting` has those that rest, by
 * the time when that may be over.  Due times are of a clock that only picks move: a round is ORDER_ROUND ticks, a
 * peer's step is a round divided by its weight, and what the division leaves is kept, so that shares are exact.  The
 * clock may wrap: due times are compared by their difference, which is a round at most for each peer.
 */
#include "upstream/order.h"

#include "upstream/running.h"

#define ORDER_ROUND   (UINT64_C(1) << 40)
#define ORDER_ASIDE   8                      /* peers that only this request may not have, before all are looked at */
#define ORDER_CORRECT 64                     /* loads that were too low, before one is taken as it is */
#define ORDER_REFRESH 4                      /* peers looked at again by each pick */

typedef struct { uint64_t load, due; uint32_t peer; } order_key_t;

typedef struct {
    order_key_t *keys;
    uint32_t    *places;                     /* by peer: its place in keys, and 1; 0: it is not there */
    uint32_t     n;
} order_heap_t;

typedef struct {
    uint64_t due;                            /* of its last key */
    uint64_t width;                          /* its weight then, times WEIR_TURNS_WHOLE */
    uint64_t left;                           /* of the divisions, in parts of width */
    uint64_t counted;                        /* picks of the set when its weight in use was last seen to */
    bool     rests, is_carried;              /* is_carried: due is what it has yet to wait */
} order_peer_t;

struct weir_order {
    order_heap_t  turns, resting;
    order_peer_t *peers;
    uint64_t      clock, picks;
    size_t        n_rests, n_down;           /* a peer that is down does not count among those that rest */
    uint32_t      cursor;                    /* of the peer that is looked at again next */
    weir_load_t   load;                      /* as last asked for */
    bool          is_begun;                  /* a peer was taken: only then `turns` is kept */
};

/* -- a heap -- */

static bool
order_is_less(const order_key_t *a, const order_key_t *b)
{
    if (a->load != b->load) {
        return a->load < b->load;
    }
    return a->due != b->due ? (int64_t) (a->due - b->due) < 0 : a->peer < b->peer;
}

static void
order_put(order_heap_t *heap, uint32_t at, const order_key_t *key)
{
    heap->keys[at] = *key;
    heap->places[key->peer] = at + 1;
}

/* The key belongs at `at` or nearer to the first. */
static void
order_raise(order_heap_t *heap, uint32_t at, order_key_t key)
{
    while (at != 0 && order_is_less(&key, &heap->keys[(at - 1) / 2])) {
        order_put(heap, at, &heap->keys[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    order_put(heap, at, &key);
}

/* The key belongs at `at` or farther from the first. */
static void
order_sink(order_heap_t *heap, uint32_t at, order_key_t key)
{
    for (uint32_t next = 2 * at + 1; next < heap->n; next = 2 * at + 1) {
        next += next + 1 < heap->n && order_is_less(&heap->keys[next + 1], &heap->keys[next]);
        if (!order_is_less(&heap->keys[next], &key)) {
            break;
        }
        order_put(heap, at, &heap->keys[next]);
        at = next;
    }
    order_put(heap, at, &key);
}

static void
order_move(order_heap_t *heap, uint32_t at, order_key_t key)
{
    weir_assert(at < heap->n);
    if (at != 0 && order_is_less(&key, &heap->keys[(at - 1) / 2])) {
        order_raise(heap, at, key);
    } else {
        order_sink(heap, at, key);
    }
}

/* In it with that key, whether it was there before or not. */
static void
order_set(order_heap_t *heap, order_key_t key)
{
    if (heap->places[key.peer] != 0) {
        order_move(heap, heap->places[key.peer] - 1, key);
    } else {
        order_raise(heap, heap->n++, key);
    }
}

static void
order_remove(order_heap_t *heap, uint32_t peer)
{
    uint32_t at = heap->places[peer];

    if (at == 0) {
        return;
    }
    heap->places[peer] = 0;
    heap->n--;
    if (at - 1 != heap->n) {
        order_move(heap, at - 1, heap->keys[heap->n]);
    }
}

/* -- weights and due times -- */

static weir_peer_t *
order_peer(const weir_host_set_t *set, uint32_t i)
{
    return set->peers[i];
}

static weir_turns_t *
order_turn(const weir_host_set_t *set, uint32_t i)
{
    return &((weir_turns_t *) set->state)[i];
}

/* The weight in use has come back by one for each pick since it was last seen to. */
static void
order_regain(const weir_host_set_t *set, uint32_t i)
{
    order_peer_t *peer = &set->order->peers[i];
    weir_turns_t *turn = order_turn(set, i);
    int64_t       weight = order_peer(set, i)->conf->weight;

    if (turn->effective < weight) {
        turn->effective += (int64_t) weir_min(set->order->picks - peer->counted, (uint64_t) (weight - turn->effective));
    }
    peer->counted = set->order->picks;
}

static uint64_t
order_width(const weir_host_set_t *set, uint32_t i)
{
    const weir_turns_t *turn = order_turn(set, i);
    uint64_t            width = (turn->effective > 0 ? (uint64_t) turn->effective : 1) * turn->part;

    weir_assert(width <= ORDER_ROUND);
    return width;
}

/* Due when some of its first step has passed, each peer some more than the one before: so turns of heavy peers and of
 * light ones are mixed. */
static void
order_begin_round(const weir_host_set_t *set, uint32_t i)
{
    order_peer_t *peer = &set->order->peers[i];
    uint64_t      some = (uint64_t) ((__uint128_t) ORDER_ROUND * (2 * (uint64_t) i + 1) / (2 * set->n));

    weir_assert(some < ORDER_ROUND);         /* so a round has as many turns of the peer as its weight */
    peer->width = order_width(set, i);
    peer->due = set->order->clock + some / peer->width;
    peer->left = some % peer->width;
}

static void
order_step(const weir_host_set_t *set, uint32_t i)
{
    order_peer_t *peer = &set->order->peers[i];
    uint64_t      width;

    order_regain(set, i);
    width = order_width(set, i);
    if (width != peer->width) {
        peer->width = width;
        peer->left = 0;
    }
    peer->due += ORDER_ROUND / width;
    peer->left += ORDER_ROUND % width;
    if (peer->left >= width) {
        peer->left -= width;
        peer->due++;
    }
    weir_assert(peer->left < width);
}

/* -- which peers are in it -- */

static uint64_t
order_load(const weir_host_set_t *set, uint32_t i)
{
    return set->order->load != NULL ? set->order->load(order_peer(set, i)) : 0;
}

/* Its load is read again; it is in `turns`. */
static void
order_reload(const weir_host_set_t *set, uint32_t i)
{
    order_heap_t *turns = &set->order->turns;
    uint64_t      load = order_load(set, i);

    weir_assert(turns->places[i] != 0);
    if (load != turns->keys[turns->places[i] - 1].load) {
        order_set(turns, (order_key_t) { load, set->order->peers[i].due, i });
    }
}

static bool
order_is_full(const weir_peer_t *peer)
{
    return peer->conf->max_conns != 0 && weir_state_in_use(peer) >= peer->conf->max_conns;
}

/* It may be picked as far as the set knows, or not any more. */
static void
order_sync(const weir_host_set_t *set, uint32_t i)
{
    weir_order_t      *order = set->order;
    order_peer_t      *peer = &order->peers[i];
    const weir_peer_t *is = order_peer(set, i);

    if (!order->is_begun) {
        return;
    }
    if (is->conf->down || (peer->rests && !weir_peer_is_needed(is)) || order_is_full(is)) {
        order_remove(&order->turns, i);
    } else if (order->turns.places[i] == 0) {
        if ((int64_t) (peer->due - order->clock) < 0) {
            order_begin_round(set, i);       /* what it could not have while it was out is lost */
        }
        order_set(&order->turns, (order_key_t) { order_load(set, i), peer->due, i });
    }
}

static void
order_set_rests(const weir_host_set_t *set, uint32_t i, weir_instant_t now)
{
    weir_order_t      *order = set->order;
    const weir_peer_t *is = order_peer(set, i);
    bool               rests = !is->conf->down && weir_peer_rests(is, now);

    if (rests) {
        order_set(&order->resting, (order_key_t) { 0, weir_peer_rests_until(is).ms, i });
    } else {
        order_remove(&order->resting, i);
    }
    order->n_rests += (size_t) rests - (size_t) order->peers[i].rests;
    order->peers[i].rests = rests;
    weir_assert(order->n_rests == order->resting.n && order->n_rests <= set->n);
    order_sync(set, i);
}

/* Those whose time has come are looked at. */
static void
order_wake(const weir_host_set_t *set, weir_instant_t now)
{
    weir_order_t *order = set->order;

    for (uint32_t n = order->resting.n; n != 0 && order->resting.n != 0 && order->resting.keys[0].due < now.ms; n--) {
        order_set_rests(set, order->resting.keys[0].peer, now);
    }
}

/* A few peers, at each pick others: their load, or whether one that is full has room by now. */
static void
order_refresh(const weir_host_set_t *set)
{
    weir_order_t *order = set->order;

    for (unsigned n = 0; n < ORDER_REFRESH; n++) {
        uint32_t i = order->cursor;

        order->cursor = i + 1 < set->n ? i + 1 : 0;
        if (order->turns.places[i] == 0) {
            order_sync(set, i);
        } else if (order->load != NULL) {
            order_reload(set, i);
        }
    }
}

/* -- taking one -- */

static weir_peer_t *
order_serve(const weir_host_set_t *set, uint32_t i, uint64_t load)
{
    weir_order_t *order = set->order;

    if ((int64_t) (order->peers[i].due - order->clock) > 0) {
        order->clock = order->peers[i].due;
    }
    order->picks++;
    order_step(set, i);
    order_set(&order->turns, (order_key_t) { load, order->peers[i].due, i });
    return order_peer(set, i);
}

/* Each of them is asked: none of those that were met may be picked by this request, or none was met. */
static weir_peer_t *
order_search(const weir_host_set_t *set, bool (*may)(const weir_peer_t *peer, const void *data), const void *data)
{
    order_key_t best = { 0, 0, UINT32_MAX };

    for (uint32_t i = 0; i < set->n; i++) {
        if (may(order_peer(set, i), data)) {
            order_key_t key = { order_load(set, i), set->order->peers[i].due, i };

            best = best.peer == UINT32_MAX || order_is_less(&key, &best) ? key : best;
        }
    }
    return best.peer != UINT32_MAX ? order_serve(set, best.peer, best.load) : NULL;
}

/* It waits as long as it would have in the set of before, for the weight that it has now. */
static void
order_go_on(const weir_host_set_t *set, uint32_t i)
{
    order_peer_t *peer = &set->order->peers[i];
    uint64_t      width = order_width(set, i);

    if (width != peer->width) {
        peer->due = (uint64_t) ((__uint128_t) peer->due * peer->width / width);
        peer->left = 0;
        peer->width = width;
    }
    peer->due += set->order->clock;
}

static void
order_begin(const weir_host_set_t *set)
{
    set->order->is_begun = true;
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->order->peers[i].is_carried) {
            order_go_on(set, i);
        } else {
            order_begin_round(set, i);
        }
        order_sync(set, i);
    }
}

/* Other loads than before, or none any more. */
static void
order_measure(const weir_host_set_t *set, weir_load_t load)
{
    weir_order_t *order = set->order;

    if (order->load == load) {
        return;
    }
    order->load = load;
    for (uint32_t i = 0; i < set->n; i++) {
        if (order->turns.places[i] != 0) {
            order_set(&order->turns, (order_key_t) { order_load(set, i), order->peers[i].due, i });
        }
    }
}

/* The first that may be picked; *search: none of those that were met, but there are others. */
static weir_peer_t *
order_first(const weir_host_set_t *set, bool (*may)(const weir_peer_t *peer, const void *data), const void *data,
            weir_instant_t now, bool *search)
{
    weir_order_t *order = set->order;
    order_key_t   aside[ORDER_ASIDE];
    unsigned      n_aside = 0, corrected = 0;
    weir_peer_t  *found = NULL;

    while (order->turns.n != 0 && found == NULL && n_aside < ORDER_ASIDE) {
        order_key_t key = order->turns.keys[0];
        uint64_t    load = order_load(set, key.peer);

        if (load > key.load && corrected++ < ORDER_CORRECT) {
            key.load = load;
            order_set(&order->turns, key);
        } else if (may(order_peer(set, key.peer), data)) {
            found = order_serve(set, key.peer, load);
        } else {
            order_set_rests(set, key.peer, now);
            if (order->turns.places[key.peer] != 0) {
                order_remove(&order->turns, key.peer);      /* it is this request only that may not have it */
                aside[n_aside++] = key;
            }
        }
    }
    for (unsigned i = 0; i < n_aside; i++) {
        order_set(&order->turns, aside[i]);
    }
    *search = found == NULL;
    return found;
}

weir_peer_t *
weir_order_take(const weir_host_set_t *set, weir_load_t load,
                bool (*may)(const weir_peer_t *peer, const void *data), const void *data, weir_instant_t now)
{
    weir_peer_t *peer;
    bool         search;

    weir_assert(set->order != NULL && set->state != NULL);
    if (!set->order->is_begun) {
        order_begin(set);
    }
    order_measure(set, load);
    order_wake(set, now);
    order_refresh(set);
    peer = order_first(set, may, data, now, &search);
    return search ? order_search(set, may, data) : peer;
}

/* -- what it is told -- */

void
weir_order_told(weir_peer_t *peer)
{
    if (peer->set != NULL && peer->set->order != NULL) {
        order_set_rests(peer->set, (uint32_t) weir_peer_index(peer), peer->group->now);
    }
}

void
weir_order_left(weir_peer_t *peer)
{
    const weir_host_set_t *set = peer->set;
    uint32_t               i = (uint32_t) weir_peer_index(peer);

    if (set->order == NULL || !set->order->is_begun) {
        return;
    }
    if (set->order->turns.places[i] == 0) {
        order_sync(set, i);
    } else if (set->order->load != NULL) {
        order_reload(set, i);
    }
}

void
weir_order_adjusted(weir_peer_t *peer, const weir_peer_conf_t *was)
{
    weir_order_t *order = peer->set->order;

    if (order == NULL) {
        return;
    }
    order->n_down += (size_t) peer->conf->down - (size_t) was->down;
    weir_assert(order->n_down <= peer->set->n);
    weir_order_told(peer);
    if (order->turns.places[weir_peer_index(peer)] != 0) {
        order_reload(peer->set, (uint32_t) weir_peer_index(peer));
    }
}

void
weir_order_reweigh(weir_peer_t *peer)
{
    const weir_host_set_t *set = peer->set;
    uint32_t               i = (uint32_t) weir_peer_index(peer);
    order_peer_t          *is;
    uint64_t               width;

    if (set->order == NULL || !set->order->is_begun) {
        return;
    }
    is = &set->order->peers[i];
    width = order_width(set, i);
    if ((int64_t) (is->due - set->order->clock) > 0 && width != is->width) {
        is->due = set->order->clock + (uint64_t) ((__uint128_t) (is->due - set->order->clock) * is->width / width);
        is->left = 0;
        is->width = width;
    }
    if (set->order->turns.places[i] != 0) {
        order_set(&set->order->turns, (order_key_t) { order_load(set, i), is->due, i });
    }
}

void
weir_order_carry(weir_peer_t *to, const weir_peer_t *from)
{
    const weir_order_t *before = from->set->order;
    uint32_t            at = (uint32_t) weir_peer_index(from);
    order_peer_t       *is;

    if (before != NULL) {
        order_regain(from->set, at);
    }
    if (before == NULL || !before->is_begun || to->set->order == NULL) {
        return;
    }
    is = &to->set->order->peers[weir_peer_index(to)];
    weir_assert(!to->set->order->is_begun && before->peers[at].width != 0);
    is->due = (int64_t) (before->peers[at].due - before->clock) > 0 ? before->peers[at].due - before->clock : 0;
    is->left = before->peers[at].left;
    is->width = before->peers[at].width;
    is->is_carried = true;
}

void
weir_order_report_failure(weir_peer_t *peer)
{
    if (peer->set->order != NULL) {
        order_regain(peer->set, (uint32_t) weir_peer_index(peer));
    }
}

size_t
weir_order_down(const weir_host_set_t *set)
{
    return set->order->n_down;
}

size_t
weir_order_awake(const weir_host_set_t *set, weir_instant_t now)
{
    order_wake(set, now);
    weir_assert(set->order->n_down + set->order->n_rests <= set->n);
    return set->n - set->order->n_down - set->order->n_rests;
}

void
weir_order_panic(const weir_host_set_t *set)
{
    for (uint32_t i = 0; i < set->n && set->order != NULL; i++) {
        order_sync(set, i);
    }
}

weir_order_t *
weir_order_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    weir_order_t *order = weir_new(arena, weir_order_t);

    weir_assert(set->n >= WEIR_ORDER_FROM && set->n < UINT32_MAX);
    order->peers = weir_new_n(arena, order_peer_t, set->n);
    for (uint32_t i = 0; i < set->n; i++) {
        order->n_down += order_peer(set, i)->conf->down;
    }
    for (unsigned i = 0; i < 2; i++) {
        order_heap_t *heap = i == 0 ? &order->turns : &order->resting;

        heap->keys = weir_new_n(arena, order_key_t, set->n);
        heap->places = weir_new_n(arena, uint32_t, set->n);
    }
    return order;
}
