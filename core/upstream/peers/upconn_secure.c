/*
 * upconn_secure.c - TLS toward peers: the handshake of a connection, and the sessions that the next one resumes.
 *
 * Runs in workers, on the loop's thread.  A peer keeps one session for each (context, name) it was asked for with, the
 * last few of them; the memory is OpenSSL's and one small allocation each.
 */
#include "base/mem.h"
#include "upstream/running.h"

#include <string.h>

#define SECURE_SLOTS_MAX 16          /* of a peer */

struct weir_upslot {
    weir_list_t         link;        /* peer->slots, the last used first */
    weir_tls_slot_t     slot;
    weir_tls_context_t *context;     /* a reference */
    weir_str_t          name;        /* behind the struct */
    uint32_t            users;       /* connections that may still put a session here */
};

bool
weir_upconn_secure_eq(const weir_upsecure_t *a, const weir_upsecure_t *b)
{
    if ((a->from == NULL) != (b->from == NULL) || (a->from != NULL && !weir_addr_eq(a->from, b->from))) {
        return false;
    }
    return a->context == b->context && a->sends_name == b->sends_name && a->verifies == b->verifies
           && weir_str_eq(a->name, b->name)
           && weir_str_eq(a->protocols, b->protocols);
}

/* -- sessions -- */

static void
secure_free_slot(weir_peer_t *peer, weir_upslot_t *slot)
{
    weir_assert(slot->users == 0 && peer->n_slots > 0);
    weir_list_remove(&slot->link);
    weir_tls_slot_fini(&slot->slot);
    weir_tls_context_unref(slot->context);
    weir_mem_free(slot);
    peer->n_slots--;
}

void
weir_upconn_slots_free(weir_peer_t *peer)
{
    while (!weir_list_empty(&peer->slots)) {
        secure_free_slot(peer, weir_list_entry(peer->slots.next, weir_upslot_t, link));
    }
}

/* The one used longest ago that has no user. */
static void
secure_make_room(weir_peer_t *peer)
{
    weir_list_t *before;

    for (weir_list_t *at = peer->slots.prev; peer->n_slots >= SECURE_SLOTS_MAX && at != &peer->slots; at = before) {
        weir_upslot_t *slot = weir_list_entry(at, weir_upslot_t, link);

        before = at->prev;
        if (slot->users == 0) {
            secure_free_slot(peer, slot);
        }
    }
}

static weir_upslot_t *
secure_find_slot(weir_peer_t *peer, const weir_upsecure_t *secure)
{
    for (weir_list_t *at = peer->slots.next; at != &peer->slots; at = at->next) {
        weir_upslot_t *slot = weir_list_entry(at, weir_upslot_t, link);

        if (slot->context == secure->context && weir_str_eq(slot->name, secure->name)) {
            return slot;
        }
    }
    return NULL;
}

static weir_upslot_t *
secure_make_slot(weir_peer_t *peer, const weir_upsecure_t *secure)
{
    weir_upslot_t *slot;

    secure_make_room(peer);
    slot = peer->n_slots < SECURE_SLOTS_MAX ? weir_mem_try(sizeof(*slot) + secure->name.len) : NULL;
    if (slot == NULL) {
        return NULL;
    }
    *slot = (weir_upslot_t) { .context = weir_tls_context_ref(secure->context),
                              .name = { (const char *) (slot + 1), secure->name.len } };
    if (secure->name.len != 0) {
        memcpy(slot + 1, secure->name.at, secure->name.len);
    }
    weir_list_push(&peer->slots, &slot->link);
    peer->n_slots++;
    weir_assert(peer->n_slots <= SECURE_SLOTS_MAX);
    return slot;
}

weir_upslot_t *
weir_upconn_slot_take(weir_peer_t *peer, const weir_upsecure_t *secure)
{
    weir_upslot_t *slot;

    if (!secure->resumes) {
        return NULL;
    }
    slot = secure_find_slot(peer, secure);
    if (slot == NULL) {
        slot = secure_make_slot(peer, secure);
    } else {
        weir_list_remove(&slot->link);
        weir_list_push(&peer->slots, &slot->link);
    }
    if (slot != NULL) {
        slot->users++;
    }
    return slot;
}

void
weir_upconn_slot_give_back(weir_upconn_t *up)
{
    if (up->slot != NULL) {
        weir_assert(up->slot->users > 0);
        up->slot->users--;
        up->slot = NULL;
    }
}

void
weir_upconn_slot_move(weir_upconn_t *up)
{
    if (up->slot != NULL) {
        weir_upconn_slot_give_back(up);
        up->slot = weir_upconn_slot_take(up->peer, &up->secure);
        weir_tls_use_slot(&up->conn, up->slot != NULL ? &up->slot->slot : NULL);
    }
}

/* -- the handshake -- */

static bool
secure_begin(weir_upconn_t *up)
{
    const weir_upsecure_t *secure = &up->secure;
    weir_tls_target_t target = {
        .server_name = secure->sends_name ? secure->name : WEIR_STR_NONE,
        .verify_name = secure->verifies ? secure->name : WEIR_STR_NONE,
        .protocols = secure->protocols,
    };

    weir_assert(up->slot == NULL);
    up->slot = weir_upconn_slot_take(up->peer, secure);
    target.slot = up->slot != NULL ? &up->slot->slot : NULL;
    return weir_tls_connect(&up->conn, secure->context, &target);
}

weir_io_t
weir_upconn_secure(weir_upconn_t *up, const char **why)
{
    weir_io_t io;

    *why = NULL;
    if (up->secure.context == NULL) {
        return WEIR_OK;
    }
    if (!weir_tls_is_on(&up->conn) && !secure_begin(up)) {
        *why = "no memory for TLS, or a name that cannot be one";
        return WEIR_ERROR;
    }
    io = weir_tls_handshake(&up->conn);
    if (io == WEIR_ERROR) {
        *why = weir_tls_why(&up->conn);
    }
    return io;
}
