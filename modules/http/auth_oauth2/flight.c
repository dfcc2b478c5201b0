/*
 * flight.c - one question to an authorization server, and all requests of this process that wait for its answer.
 *
 *     join: is the same (server, client, token) asked? ── yes ──> waits there
 *                                                      └─ no ───> POST token=… (RFC 7662 §2.1), and waits
 *     answer: into the cache, then to all requests that wait, once
 *
 * A question goes on when its last request has left, if its answer will be kept: a client that comes again finds it.
 * How many questions are under way, and how many requests wait, is bounded: strangers can make up tokens as they like.
 * A question holds the generation that it began with; a reload changes nothing for it, and a request of the new
 * generation joins one of the old when server, client and token are the same.
 *
 * Runs in workers; memory: one block a question, and its fetch.  What stands in the form is wiped.
 */
#include "oauth2.h"

#include "base/mem.h"
#include "http/fetch/form.h"

#define FLIGHT_MAX     256                           /* questions of one process at a time */
#define FLIGHT_WAITERS 4096                          /* requests of one process that wait */

/* Of a process. */
typedef struct {
    weir_list_t  list;
    size_t       n, n_waiters;
    weir_life_t *life;
} flights_t;

struct oauth2_flight {
    weir_list_t          link;
    weir_digest_t        digest;
    const oauth2_conf_t *conf;                       /* of the generation that it holds */
    weir_generation_t   *held;
    weir_fetch_t        *fetch;                      /* NULL: its answer is being told */
    weir_list_t          waiters;
    flights_t           *all;
};

bool
oauth2_flights_begin(weir_life_t *life)
{
    flights_t *flights = weir_mem_need(sizeof(*flights));

    weir_list_init(&flights->list);
    flights->life = life;
    life->kept[weir_http_auth_oauth2_index] = flights;
    return true;
}

void
oauth2_flights_adopt(weir_life_t *life, weir_generation_t *generation)
{
    generation->kept[weir_http_auth_oauth2_index] = life->kept[weir_http_auth_oauth2_index];
}

static void
flight_free(oauth2_flight_t *flight)
{
    weir_generation_t *held = flight->held;

    weir_assert(weir_list_empty(&flight->waiters) && flight->fetch == NULL);
    weir_mem_free(flight);
    weir_generation_unref(held);
}

static void
flight_cancel(oauth2_flight_t *flight)
{
    weir_fetch_cancel(flight->fetch);
    flight->fetch = NULL;
    weir_list_remove(&flight->link);
    flight->all->n--;
    flight_free(flight);
}

void
oauth2_flights_end(weir_life_t *life)
{
    flights_t *flights = life->kept[weir_http_auth_oauth2_index];

    while (!weir_list_empty(&flights->list)) {
        flight_cancel(weir_list_entry(flights->list.next, oauth2_flight_t, link));
    }
    life->kept[weir_http_auth_oauth2_index] = NULL;
    weir_mem_free(flights);
}

/* -- requests that wait -- */

static void
flight_let_go(oauth2_waiter_t *waiter)
{
    weir_list_remove(&waiter->link);
    waiter->flight->all->n_waiters--;
    waiter->flight = NULL;
}

void
oauth2_flight_leave(oauth2_waiter_t *waiter)
{
    oauth2_flight_t *flight = waiter->flight;

    if (flight != NULL) {
        flight_let_go(waiter);
        if (weir_list_empty(&flight->waiters) && flight->fetch != NULL && !oauth2_has_cache(flight->conf)) {
            flight_cancel(flight);
        }
    }
}

/* Called by the loop.  A request that begins to wait from here on asks anew, or finds the answer in the cache. */
static void
flight_on_fetched(void *data, const weir_fetched_t *fetched)
{
    oauth2_flight_t *flight = data;

    weir_assert(flight->fetch != NULL);
    flight->fetch = NULL;
    weir_list_remove(&flight->link);
    flight->all->n--;
    if (fetched->body.at != NULL) {
        oauth2_cache_put(flight->conf, &flight->digest, fetched->body);
    }
    while (!weir_list_empty(&flight->waiters)) {
        oauth2_waiter_t *waiter = weir_list_entry(flight->waiters.next, oauth2_waiter_t, link);

        flight_let_go(waiter);
        waiter->on_answer(waiter, fetched->body, fetched->why);
    }
    flight_free(flight);
}

/* -- asking -- */

/* RFC 7662 §2.1, and RFC 6749 §2.3.1 where the client stands in the form. */
static weir_str_t
flight_form(weir_arena_t *arena, const oauth2_client_t *client, weir_str_t token)
{
    const struct { weir_str_t name, value; } members[] = {
        { WEIR_STR("token"), token }, { WEIR_STR("token_type_hint"), WEIR_STR("access_token") },
        { WEIR_STR("client_id"), client->id }, { WEIR_STR("client_secret"), client->secret },
    };
    size_t     n = client->basic.len != 0 ? 2 : weir_countof(members), room = 0;
    weir_buf_t form;

    for (size_t i = 0; i < n; i++) {
        room += weir_fetch_form_room(members[i].name, members[i].value);
    }
    weir_buf_init(&form, weir_alloc_bytes(arena, room), room);
    for (size_t i = 0; i < n; i++) {
        weir_fetch_form_add(&form, members[i].name, members[i].value);
    }
    weir_assert(!form.full);
    return weir_buf_str(&form);
}

static weir_fetch_t *
flight_fetch(oauth2_flight_t *flight, weir_http_t *http, weir_str_t token)
{
    const oauth2_conf_t *conf = flight->conf;
    weir_fetch_spec_t    spec = { .accept = WEIR_STR("application/json"), .authorization = conf->client->basic,
                                  .type = WEIR_FETCH_FORM_TYPE, .may_repeat = true, .max_body = OAUTH2_ANSWER_MAX,
                                  .limit = conf->endpoint->timeout };
    weir_arena_t         secrets;
    weir_fetch_t        *fetch;

    weir_arena_init(&secrets, 4096);
    spec.body = flight_form(&secrets, conf->client, token);
    fetch = weir_fetch(http, flight->held, &conf->endpoint->at, &spec, flight_on_fetched, flight);
    weir_arena_wipe(&secrets);
    weir_arena_fini(&secrets);
    return fetch;
}

static oauth2_flight_t *
flight_find(const flights_t *flights, const weir_digest_t *digest)
{
    for (weir_list_t *l = flights->list.next; l != &flights->list; l = l->next) {
        oauth2_flight_t *flight = weir_list_entry(l, oauth2_flight_t, link);

        if (memcmp(flight->digest.bytes, digest->bytes, sizeof(digest->bytes)) == 0) {
            return flight;
        }
    }
    return NULL;
}

/* NULL: too many are under way, or there is no memory. */
static oauth2_flight_t *
flight_begin(flights_t *flights, const oauth2_state_t *state)
{
    oauth2_flight_t *flight = flights->n < FLIGHT_MAX ? weir_mem_try(sizeof(*flight)) : NULL;

    if (flight == NULL) {
        return NULL;
    }
    *flight = (oauth2_flight_t) { .digest = state->digest, .conf = state->conf, .all = flights };
    weir_list_init(&flight->waiters);
    flight->held = weir_generation_ref(state->req->generation);
    flight->fetch = flight_fetch(flight, state->req->http, state->token);
    if (flight->fetch == NULL) {
        flight_free(flight);
        return NULL;
    }
    weir_list_append(&flights->list, &flight->link);
    flights->n++;
    return flight;
}

bool
oauth2_flight_join(const oauth2_state_t *state, oauth2_waiter_t *waiter)
{
    flights_t       *flights = state->req->generation->kept[weir_http_auth_oauth2_index];
    oauth2_flight_t *flight;

    weir_assert(waiter->flight == NULL && flights != NULL);
    flight = flights->n_waiters < FLIGHT_WAITERS ? flight_find(flights, &state->digest) : NULL;
    if (flight == NULL && flights->n_waiters < FLIGHT_WAITERS) {
        flight = flight_begin(flights, state);
    }
    if (flight == NULL) {
        return false;
    }
    waiter->flight = flight;
    weir_list_append(&flight->waiters, &waiter->link);
    flights->n_waiters++;
    return true;
}
