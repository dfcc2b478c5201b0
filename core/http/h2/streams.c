/*
 * streams.c - the table of an HTTP/2 connection's streams, and the ways they end (RFC 9113 §5.1).
 *
 * Runs in workers.  Structs are kept for reuse by the process; the table is a fixed row of short chains.
 */
#include "http/h2/session_internal.h"

#include "base/mem.h"
#include "http/message/syntax.h"
#include "os/clock.h"

#include <string.h>

#define STREAMS_FREE_MAX 256

static weir_list_t streams_free = { &streams_free, &streams_free };
static weir_spare_t streams_spare;

static inline h2_stream_t **
streams_bucket(weir_h2_session_t *s, uint32_t id)
{
    return &s->buckets[(id >> 1) % H2_BUCKETS];
}

h2_stream_t *
h2_find(weir_h2_session_t *s, uint32_t id)
{
    h2_stream_t *st = *streams_bucket(s, id);

    while (st != NULL && st->pub.id != id) {
        st = st->next;
    }
    return st;
}

static h2_stream_t *
streams_take(void)
{
    h2_stream_t *st;

    if (weir_list_empty(&streams_free)) {
        return weir_mem_try(sizeof(*st));
    }
    st = weir_list_entry(streams_free.next, h2_stream_t, link);
    weir_list_remove(&st->link);
    weir_spare_take(&streams_spare);
    return st;
}

/* The role holds the head no more. */
static void
streams_forget_head(h2_stream_t *st)
{
    weir_h2_session_t *s = st->pub.session;

    weir_assert(s->heads_held >= st->head_held);
    s->heads_held -= st->head_held;
    st->head_held = 0;
}

static void
streams_give_back(h2_stream_t *st)
{
    weir_assert(st->pub.closed && !st->held && !weir_list_linked(&st->news_link) && !weir_list_linked(&st->ready_link));
    weir_assert(st->in.size == 0 && st->out.size == 0);
    streams_forget_head(st);
    weir_list_remove(&st->link);
    weir_mem_free(st->late);
    if (streams_spare.n >= STREAMS_FREE_MAX) {
        weir_mem_free(st);
        return;
    }
    memset(&st->link, 0, sizeof(st->link));
    weir_list_push(&streams_free, &st->link);
    weir_spare_keep(&streams_spare);
}

void
weir_h2_streams_fini(void)
{
    while (!weir_list_empty(&streams_free)) {
        h2_stream_t *st = weir_list_entry(streams_free.next, h2_stream_t, link);
        weir_list_remove(&st->link);
        weir_mem_free(st);
    }
    streams_spare = (weir_spare_t) { 0 };
}

/* Those that were used longest ago. */
size_t
weir_h2_streams_trim(size_t floor)
{
    size_t n = weir_spare_tick(&streams_spare, floor);

    for (size_t i = 0; i < n; i++) {
        h2_stream_t *st = weir_list_entry(streams_free.prev, h2_stream_t, link);

        weir_list_remove(&st->link);
        weir_spare_take(&streams_spare);
        weir_mem_free(st);
    }
    return n * sizeof(h2_stream_t);
}

h2_stream_t *
h2_add(weir_h2_session_t *s, uint32_t id)
{
    h2_stream_t *st = streams_take(), **bucket = streams_bucket(s, id);
    uint32_t ours = s->settings.stream_window;

    weir_assert(!s->dead && h2_find(s, id) == NULL);
    if (st == NULL) {
        return NULL;
    }
    memset(st, 0, sizeof(*st));
    st->pub.session = s;
    st->pub.id = id;
    st->pub.urgency = 3;
    st->send_window = s->peer_window;
    st->window = ours;
    st->recv_window = s->settings_acked || ours > WEIR_H2_WINDOW_DEFAULT ? ours : WEIR_H2_WINDOW_DEFAULT;
    st->next = *bucket;
    *bucket = st;
    weir_list_append(&s->streams, &st->link);
    for (uint32_t i = 0; i < s->n_early; i++) {
        if (s->early[i].id == id) {
            st->pub.urgency = s->early[i].urgency;
            st->pub.incremental = s->early[i].incremental;
            s->early[i] = s->early[--s->n_early];
            break;
        }
    }
    s->n_streams++;
    return st;
}

bool
h2_is_idle(const weir_h2_session_t *s, uint32_t id)
{
    bool peers = (id & 1) == (s->settings.is_server ? 1 : 0);

    return peers ? id > s->last_peer_id : id >= s->next_own_id;
}

/*
 * How requests' streams ended, two bits each, for the last H2_CLOSED_KEPT numbers up to closed_top: a row as of a
 * clock's hand, so that to remember and to ask cost the same however many there are.  Streams of the other parity
 * (pushes) never open.
 */
static bool
streams_is_kept(const weir_h2_session_t *s, uint32_t id)
{
    return (id & 1) == 1 && id >> 1 <= s->closed_top && s->closed_top - (id >> 1) < H2_CLOSED_KEPT;
}

h2_closed_t
h2_how_closed(const weir_h2_session_t *s, uint32_t id)
{
    uint32_t at = (id >> 1) % H2_CLOSED_KEPT;

    return streams_is_kept(s, id) ? (h2_closed_t) (s->closed[at / 32] >> at % 32 * 2 & 3) : H2_CLOSED_NEVER;
}

static void
streams_remember(weir_h2_session_t *s, uint32_t id, h2_closed_t how)
{
    uint32_t number = id >> 1, at = number % H2_CLOSED_KEPT;

    weir_assert(h2_find(s, id) == NULL);
    if (number > s->closed_top) {           /* those between have not ended, or never were */
        uint32_t n = number - s->closed_top < H2_CLOSED_KEPT ? s->closed_top + 1 : number - H2_CLOSED_KEPT + 1;
        for (; n <= number; n++) {
            s->closed[n % H2_CLOSED_KEPT / 32] &= ~((uint64_t) 3 << n % 32 * 2);
        }
        s->closed_top = number;
    }
    if (streams_is_kept(s, id)) {
        s->closed[at / 32] = (s->closed[at / 32] & ~((uint64_t) 3 << at % 32 * 2)) | (uint64_t) how << at % 32 * 2;
    }
}

static void
streams_forget_news(h2_stream_t *st)
{
    weir_list_remove(&st->news_link);
    st->waits_run = st->has_data = false;
}

void
h2_close(h2_stream_t *st, h2_closed_t how)
{
    weir_h2_session_t *s = st->pub.session;
    h2_stream_t **at = streams_bucket(s, st->pub.id);

    if (st->pub.closed) {
        return;
    }
    st->pub.closed = true;
    st->aborted = how != H2_CLOSED_BOTH;
    st->held = !st->released && st->pub.owner != NULL;
    s->n_held += st->held;
    while (*at != st) {
        weir_assert(*at != NULL);               /* what is not closed is in the table */
        at = &(*at)->next;
    }
    *at = st->next;
    streams_remember(s, st->pub.id, how);
    h2_drop_queue(st);
    h2_window_back(st);
    if (how != H2_CLOSED_BOTH) {
        streams_forget_news(st);
    }
    weir_list_remove(&st->link);
    weir_list_append(&s->graveyard, &st->link);
    weir_assert(s->n_streams != 0 && !weir_list_linked(&st->ready_link));
    s->n_streams--;
    h2_post(s);
}

void
h2_maybe_done(h2_stream_t *st)
{
    if (st->pub.closed || !st->end_sent || !st->pub.peer_ended) {
        return;
    }
    h2_close(st, H2_CLOSED_BOTH);
}

void
h2_bury(weir_h2_session_t *s)
{
    weir_list_t *next;

    for (weir_list_t *l = s->graveyard.next; l != &s->graveyard; l = next) {
        h2_stream_t *st = weir_list_entry(l, h2_stream_t, link);
        next = l->next;
        weir_assert(st->pub.closed && st->pub.session == s);
        if (!st->held) {
            weir_chain_clear(&st->in, s->blocks);
            streams_give_back(st);
        }
    }
}

void
h2_send_reset(weir_h2_session_t *s, uint32_t id, weir_h2_error_t code)
{
    char payload[4];

    weir_h2_put_u32(payload, code);
    h2_put_control(s, WEIR_H2_RST_STREAM, 0, id, weir_str(payload, 4));
}

void
h2_stream_error(weir_h2_session_t *s, uint32_t id, weir_h2_error_t code)
{
    h2_stream_t *st = h2_find(s, id);

    if (st != NULL && s->settings.is_server) {
        h2_tell_run(st);                       /* before: nothing goes behind the reset */
        st = h2_find(s, id);
    }
    h2_send_reset(s, id, code);
    if (st != NULL) {
        h2_close(st, H2_CLOSED_BY_US);
        h2_tell_closed(st, code, false, false);
    } else {
        streams_remember(s, id, H2_CLOSED_BY_US);
    }
    if (!s->dead) {
        (void) h2_guard_reset(s);
    }
}

void
h2_refuse(weir_h2_session_t *s, uint32_t id)
{
    weir_assert(h2_find(s, id) == NULL);
    h2_send_reset(s, id, WEIR_H2_REFUSED_STREAM);
    streams_remember(s, id, H2_CLOSED_BY_US);
    if (!s->dead) {
        (void) h2_guard_refusal(s);
    }
}

/* -- what the role may do -- */

void
weir_h2_stream_run_later(weir_h2_stream_t *stream)
{
    h2_stream_t *st = h2_of(stream);

    if (!stream->closed && !st->released) {
        st->waits_run = true;
        h2_add_news(st);
    }
}

void
weir_h2_stream_reset(weir_h2_stream_t *stream, weir_h2_error_t code)
{
    h2_stream_t *st = h2_of(stream);

    if (stream->closed || stream->session->dead) {
        return;
    }
    if (stream->id != 0) {
        h2_send_reset(stream->session, stream->id, code);
    }
    h2_close(st, H2_CLOSED_BY_US);
    st->told = true;
}

void
weir_h2_stream_blame(weir_h2_stream_t *stream, weir_h2_error_t code)
{
    weir_h2_session_t *s = stream->session;

    if (!stream->closed) {
        weir_h2_stream_reset(stream, code);
    } else if (!s->dead && weir_h2_stream_is_whole(stream)) {
        h2_send_reset(s, stream->id, code);
    }
}

bool
weir_h2_stream_is_whole(const weir_h2_stream_t *stream)
{
    const h2_stream_t *st = weir_container_of(stream, h2_stream_t, pub);

    return stream->closed && !st->aborted;
}

void
weir_h2_stream_release(weir_h2_stream_t *stream)
{
    h2_stream_t *st = h2_of(stream);
    weir_h2_session_t *s = stream->session;

    weir_assert(!st->released && s->head_stream != st);
    weir_assert(!st->held || (stream->closed && s->n_held != 0));
    st->released = true;
    stream->owner = NULL;
    streams_forget_news(st);
    streams_forget_head(st);
    if (st->held) {
        st->held = false;
        s->n_held--;
        h2_post(s);
    }
    if (stream->closed) {
        return;
    }
    if (!stream->we_ended) {
        weir_h2_stream_reset(stream, WEIR_H2_CANCEL);
        return;
    }
    if (!stream->peer_ended && !s->settings.is_server) {
        weir_h2_stream_reset(stream, WEIR_H2_CANCEL);
        return;
    }
    if (st->end_sent && !stream->peer_ended) {
        weir_h2_stream_reset(stream, WEIR_H2_NO_ERROR);    /* a whole answer before a whole request (§8.1) */
    }
}

/* -- priorities (RFC 9218) -- */

void
h2_set_priority(h2_stream_t *st, uint8_t urgency, bool incremental)
{
    bool ready = weir_list_linked(&st->ready_link);

    weir_assert(urgency < 8 && (!ready || st->pub.session->n_ready != 0));
    if (ready) {
        weir_list_remove(&st->ready_link);
        st->pub.session->n_ready--;
    }
    st->pub.urgency = urgency;
    st->pub.incremental = incremental;
    if (ready) {
        h2_ready_if(st);
    }
}

void
weir_h2_stream_priority(weir_h2_stream_t *stream, uint8_t urgency, bool incremental)
{
    if (urgency < 8 && !stream->closed) {
        h2_set_priority(h2_of(stream), urgency, incremental);
    }
}

void
weir_h2_priority_read(weir_str_t text, uint8_t *urgency, bool *incremental)
{
    weir_str_t member;

    *urgency = 3;
    *incremental = false;
    while (weir_syntax_list_next(&text, &member)) {
        if (member.len == 3 && memcmp(member.at, "u=", 2) == 0 && member.at[2] >= '0' && member.at[2] <= '7') {
            *urgency = (uint8_t) (member.at[2] - '0');
        } else if (weir_str_eq(member, WEIR_STR("i")) || weir_str_eq(member, WEIR_STR("i=?1"))) {
            *incremental = true;
        }
    }
}

/* Of a PRIORITY_UPDATE. */
void
h2_priority_text(weir_h2_session_t *s, uint32_t id, weir_str_t text)
{
    h2_stream_t *st = h2_find(s, id);
    uint8_t urgency;
    bool incremental;

    weir_h2_priority_read(text, &urgency, &incremental);
    if (st != NULL) {
        h2_set_priority(st, urgency, incremental);
    } else if (h2_is_idle(s, id) && s->n_early < H2_EARLY_KEPT) {
        s->early[s->n_early].id = id;
        s->early[s->n_early].urgency = urgency;
        s->early[s->n_early++].incremental = incremental;
    }
}
