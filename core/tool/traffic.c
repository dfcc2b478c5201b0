/*
 * traffic.c - see traffic.h: each request is judged, and what changes is gathered by shape.
 *
 * A request that is the same as one before, in all that may decide about it, is not asked again: a table of a fixed
 * size remembers 128 bits of a keyed digest of each.  Shapes are for telling only.
 */
#include "tool/traffic.h"

#include "base/mem.h"
#include "base/table.h"
#include "http/http.h"
#include "http/match/match.h"
#include "log/log.h"
#include "os/sys.h"
#include "serve/listen.h"

#include <stdlib.h>
#include <string.h>

#define TRAFFIC_KNOWN   (1u << 16)           /* entries */
#define TRAFFIC_SAME    UINT32_MAX           /* nothing changes */
#define TRAFFIC_REST    (UINT32_MAX - 1)     /* it changes, but its shape has no entry */

/* What was said of a request. */
typedef struct { uint64_t key[2]; uint32_t change; uint8_t loses, is_elsewhere; } traffic_known_t;
enum { TRAFFIC_LOSES_GUARD = 1, TRAFFIC_LOSES_ROUTE = 2 };

/* The table of changes finds them by what makes one. */
typedef struct { weir_traffic_change_t change; char *key; size_t key_len; uint32_t number; } traffic_entry_t;

struct weir_traffic {
    weir_fate_side_t           *old, *new;
    weir_str_t             host;             /* for requests that name none; empty */
    bool                   minds_clients;
    uint64_t               seed[2];
    traffic_known_t       *known;
    weir_arena_t           arena, request;   /* for all of it; for the request under way */
    weir_table_t           entries;
    traffic_entry_t      **at;               /* by number */
    weir_traffic_change_t **sorted;
    json_t                *unseen, *unknown;
    weir_explain_knows_t   knows;            /* of the last request: those of a source tell the same */
    weir_traffic_sums_t    sums;
};

/* -- listeners -- */

typedef struct { const weir_http_listen_t *listen; const char *problem; bool is_tls; } traffic_way_t;

static bool
traffic_has_name(const weir_http_listen_t *listen, weir_str_t host)
{
    weir_captures_t     captures = { .n = 0 };
    const weir_regex_t *regex = NULL;
    bool                limit = false;

    return host.len != 0 && weir_hosts_find(listen->hosts, host, &captures, &regex, &limit) != NULL;
}

/* How well it suits what is told; 0: not at all. */
static unsigned
traffic_suits(const weir_listen_t *listen, const weir_traffic_request_t *r, weir_str_t name)
{
    const weir_http_listen_t *http = weir_container_of(listen, weir_http_listen_t, base);
    uint16_t                  port = r->port;

    if (listen->area != &weir_http_area || weir_addr_is_unix(&listen->addr)
        || (port != 0 && weir_addr_port(&listen->addr) != port) || (r->tls >= 0 && (r->tls != 0) != listen->is_ssl))
    {
        return 0;
    }
    return 1u + (traffic_has_name(http, name) ? 4u : 0u) + (weir_addr_is_wildcard(&listen->addr) ? 2u : 0u)
         + (listen->addr.any.sa_family == AF_INET ? 1u : 0u);
}

static traffic_way_t
traffic_find_way(const weir_fate_side_t *side, const weir_traffic_request_t *r, weir_str_t name)
{
    weir_listens_t       listens = weir_listens_of(weir_fate_side_generation(side));
    const weir_listen_t *best = NULL;
    unsigned             most = 0;

    for (size_t i = 0; i < listens.n; i++) {
        unsigned suits = traffic_suits(listens.at[i], r, name);

        if (suits > most) {
            most = suits;
            best = listens.at[i];
        }
    }
    if (best == NULL) {
        return (traffic_way_t) { .problem = "no server listens for it" };
    }
    return (traffic_way_t) { .listen = weir_container_of(best, weir_http_listen_t, base), .is_tls = best->is_ssl };
}

/* An address that was asked for, as explain finds its listener. */
static traffic_way_t
traffic_find_url(const weir_fate_side_t *side, const weir_explain_url_t *url)
{
    size_t        n;
    traffic_way_t way = { .listen = weir_explain_find_listener(weir_fate_side_generation(side), url, &n),
                          .is_tls = url->is_tls };

    if (way.listen == NULL) {
        way.problem = "no server listens at this port";
    } else if (url->is_tls && !way.listen->base.is_ssl) {
        way.listen = NULL;
        way.problem = "the server at this port does not speak TLS";
    }
    return way;
}

/* The listener at the same address; if there is none, one that has its port for every address. */
static traffic_way_t
traffic_same_way(const weir_fate_side_t *side, const traffic_way_t *old)
{
    weir_listens_t listens = weir_listens_of(weir_fate_side_generation(side));
    traffic_way_t  way = { .problem = "no server listens there any more", .is_tls = old->is_tls };
    unsigned       most = 0;

    if (old->listen == NULL) {
        return *old;
    }
    for (size_t i = 0; i < listens.n; i++) {
        const weir_listen_t *listen = listens.at[i];
        unsigned suits = listen->area != &weir_http_area || listen->is_ssl != old->is_tls ? 0
                       : weir_addr_eq(&listen->addr, &old->listen->base.addr)             ? 2
                       : weir_addr_is_wildcard(&listen->addr)
                             && weir_addr_port(&listen->addr) == weir_addr_port(&old->listen->base.addr);

        if (suits > most) {
            most = suits;
            way.listen = weir_container_of(listen, weir_http_listen_t, base);
            way.problem = NULL;
        }
    }
    return way;
}

/* -- shapes -- */

static bool
traffic_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A number; a UUID; hexadecimal digits or a token that are long and have digits in them. */
static bool
traffic_is_id(weir_str_t segment)
{
    size_t digits = 0, hex = 0, dashes = 0;

    for (size_t i = 0; i < segment.len; i++) {
        digits += segment.at[i] >= '0' && segment.at[i] <= '9';
        hex += traffic_is_hex(segment.at[i]);
        dashes += segment.at[i] == '-';
    }
    return segment.len != 0
        && (digits == segment.len || (hex + dashes == segment.len && digits != 0 && segment.len >= 8)
            || (digits >= 4 && segment.len >= 20));
}

/* METHOD host /path/{}; what does not fit is cut. */
static void
traffic_shape(const weir_traffic_request_t *r, weir_str_t name, char *room, size_t size)
{
    weir_str_t path = r->target, query, segment;
    weir_buf_t out;

    weir_buf_init(&out, room, size - 1);
    (void) weir_str_cut(path, '?', &path, &query);
    weir_buf_printf(&out, "%.*s %.*s ", (int) weir_min(r->method.len, 20), r->method.at,
                    (int) weir_min(name.len, 100), name.at != NULL ? name.at : "");
    while (weir_str_starts(path, WEIR_STR("/"))) {
        size_t end = 1;

        while (end < path.len && path.at[end] != '/') {
            end++;
        }
        segment = weir_str(path.at + 1, end - 1);
        weir_buf_add_char(&out, '/');
        weir_buf_add_str(&out, traffic_is_id(segment) ? WEIR_STR("{}")
                                                      : weir_str(segment.at, weir_min(segment.len, 64)));
        path = weir_str_skip(path, end);
    }
    weir_buf_add_str(&out, weir_str(path.at, weir_min(path.len, 64)));
    weir_assert(weir_buf_str(&out).len < size);
    room[weir_buf_str(&out).len] = '\0';
}

/* -- what changes -- */

static void
traffic_key_add(char *room, size_t size, size_t *n, weir_str_t text)
{
    size_t len = weir_min(text.len, size - *n - 1);

    memcpy(room + *n, text.at != NULL ? text.at : "", len);
    *n += len;
    room[(*n)++] = '\0';
    weir_assert(*n <= size);
    *n = weir_min(*n, size - 1);
}

static void
traffic_key_of(char *room, size_t size, size_t *n, const weir_fate_t *fate)
{
    const uint64_t flags[] = { (uint64_t) fate->outcome, fate->status, fate->cause, fate->is_route,
                               (uintptr_t) fate->guards, (uintptr_t) fate->problem };

    traffic_key_add(room, size, n, weir_str((const char *) flags, sizeof(flags)));
    traffic_key_add(room, size, n, fate->server);
    traffic_key_add(room, size, n, fate->place);
    traffic_key_add(room, size, n, fate->upstream);
}

static void
traffic_example(const weir_traffic_request_t *r, weir_str_t host, bool is_tls, char *room, size_t size)
{
    weir_buf_t out;

    weir_buf_init(&out, room, size - 1);
    if (r->shown.len != 0) {
        weir_buf_add_str(&out, weir_str(r->shown.at, weir_min(r->shown.len, size - 1)));
    } else {
        weir_buf_printf(&out, "%.*s %s%.*s%.*s", (int) weir_min(r->method.len, 20), r->method.at,
                        is_tls ? "https://" : "http://", (int) weir_min(host.len, 100), host.at,
                        (int) weir_min(r->target.len, size / 2), r->target.at);
    }
    room[weir_buf_str(&out).len] = '\0';
}

static uint32_t
traffic_change(weir_traffic_t *t, const weir_traffic_request_t *r, weir_str_t host, weir_str_t name, bool is_tls,
               const weir_fate_t *was, const weir_fate_t *is, const weir_fate_verdict_t *verdict)
{
    char             key[1536], shape[sizeof(((weir_traffic_change_t *) 0)->shape)];
    size_t           n = 0;
    traffic_entry_t *entry;

    traffic_shape(r, name, shape, sizeof(shape));
    traffic_key_add(key, sizeof(key), &n, weir_str_from_z(shape));
    traffic_key_of(key, sizeof(key), &n, was);
    traffic_key_of(key, sizeof(key), &n, is);
    entry = weir_table_find(&t->entries, weir_str(key, n));
    if (entry != NULL) {
        return entry->number;
    }
    if (t->sums.n_changes == WEIR_TRAFFIC_SHAPES_MAX) {
        return TRAFFIC_REST;
    }
    entry = weir_new(&t->arena, traffic_entry_t);
    memcpy(entry->change.shape, shape, sizeof(shape));
    traffic_example(r, host, is_tls, entry->change.example, sizeof(entry->change.example));
    entry->change.was = weir_fate_tell(was, verdict->changes_guards);
    entry->change.is = weir_fate_tell(is, verdict->changes_guards);
    entry->change.lost = verdict->guard != NULL && verdict->guard->words != NULL
                         ? weir_explain_line(verdict->guard->words) : NULL;
    entry->change.why = verdict->why;
    entry->change.loses_guard = verdict->loses_guard;
    entry->change.loses_route = verdict->loses_route;
    weir_assert(t->sums.n_changes < WEIR_TRAFFIC_SHAPES_MAX && t->at[t->sums.n_changes] == NULL);
    entry->number = (uint32_t) t->sums.n_changes++;
    t->at[entry->number] = entry;
    (void) weir_table_add(&t->entries, weir_str_dup(&t->arena, weir_str(key, n)), entry);
    return entry->number;
}

static void
traffic_count(weir_traffic_t *t, const traffic_known_t *known)
{
    weir_assert(t->sums.lost <= t->sums.changed && t->sums.changed <= t->sums.judged && t->sums.judged < t->sums.lines);
    t->sums.judged++;
    t->sums.elsewhere += known->is_elsewhere;
    if (known->change == TRAFFIC_SAME) {
        return;
    }
    t->sums.changed++;
    t->sums.lost_guard += (known->loses & TRAFFIC_LOSES_GUARD) != 0;
    t->sums.lost_route += (known->loses & TRAFFIC_LOSES_ROUTE) != 0;
    t->sums.lost += known->loses != 0;
    if (known->change == TRAFFIC_REST) {
        t->sums.rest_shapes++;
    } else {
        weir_assert(known->change < t->sums.n_changes && t->at[known->change] != NULL);
        t->at[known->change]->change.count++;
    }
}

/* -- a request -- */

static void
traffic_hash(const weir_traffic_t *t, const weir_traffic_request_t *r, weir_str_t host, uint64_t key[2])
{
    const uint64_t flags[] = { r->port, (uint64_t) (r->tls + 1), r->is_http2, r->has_client, (uintptr_t) r->given.at,
                               r->has_place, r->url != NULL, r->n_fields };
    const weir_str_t parts[] = { weir_str((const char *) flags, sizeof(flags)), r->method, r->target, host, r->place };

    for (size_t k = 0; k < 2; k++) {
        key[k] = t->seed[k];
        for (size_t i = 0; i < weir_countof(parts); i++) {
            key[k] = weir_str_hash(parts[i], key[k]) ^ parts[i].len;
        }
        for (size_t i = 0; i < r->n_fields; i++) {
            key[k] = weir_str_hash(r->fields[i], key[k]) ^ r->fields[i].len;
        }
        if (r->has_client && t->minds_clients) {
            char text[WEIR_ADDR_TEXT];

            key[k] = weir_str_hash(weir_str(text, weir_addr_text_ip(&r->client, text)), key[k]);
        }
    }
}

/* Without its port, in lower case. */
static weir_str_t
traffic_host_name(weir_arena_t *arena, weir_str_t host)
{
    weir_hostport_t hp;
    const char     *why;

    return weir_str_lower(arena, weir_addr_parse_hostport(&hp, host, &why) && !hp.is_unix ? hp.host : host);
}

static bool
traffic_is_elsewhere(const weir_traffic_request_t *r, const weir_fate_t *was)
{
    weir_str_t place = r->place;

    if (!r->has_place || was->outcome == WEIR_FATE_REFUSED || was->outcome == WEIR_FATE_NO_LISTENER) {
        return false;
    }
    if (weir_str_starts(place, WEIR_STR("route ")) != was->is_route) {
        return true;
    }
    place = was->is_route ? weir_str_skip(place, 6) : place;
    return place.len != 0 && was->place.len != 0 && !weir_str_starts(was->place, place);      /* (it may be cut) */
}

static void
traffic_judge(weir_traffic_t *t, const weir_traffic_request_t *r, weir_str_t host, traffic_known_t *known)
{
    weir_str_t           name = traffic_host_name(&t->request, host);
    traffic_way_t        way = r->url != NULL ? traffic_find_url(t->old, r->url) : traffic_find_way(t->old, r, name);
    traffic_way_t        next = r->url != NULL ? traffic_find_url(t->new, r->url) : traffic_same_way(t->new, &way);
    weir_explain_knows_t knows = { .has_ip = r->has_client, .given = r->given };
    weir_probe_request_t asked = { .is_tls = way.is_tls, .is_http2 = r->is_http2, .client = r->client };
    weir_fate_t          was, is;
    weir_fate_verdict_t  verdict;

    weir_assert((way.listen == NULL) == (way.problem != NULL) && (next.listen == NULL) == (next.problem != NULL));
    asked.text = weir_explain_head(&t->request, r->method, r->target, host, r->fields, r->n_fields);
    asked.listen = way.listen;
    weir_fate_side_ask(t->old, &asked, &knows, way.problem, &was);
    asked.listen = next.listen;
    weir_fate_side_ask(t->new, &asked, &knows, next.problem, &is);
    verdict = weir_fate_compare(&was, &is);
    known->change = verdict.changes ? traffic_change(t, r, host, name, way.is_tls, &was, &is, &verdict) : TRAFFIC_SAME;
    known->loses = (uint8_t) ((verdict.loses_guard ? TRAFFIC_LOSES_GUARD : 0)
                              | (verdict.loses_route ? TRAFFIC_LOSES_ROUTE : 0));
    known->is_elsewhere = traffic_is_elsewhere(r, &was);
}

/* The name of the default server of the listener that it comes to. */
static weir_str_t
traffic_assumed_host(weir_traffic_t *t, const weir_traffic_request_t *r)
{
    traffic_way_t way = traffic_find_way(t->old, r, WEIR_STR_NONE);
    weir_str_t    name = way.listen != NULL ? way.listen->default_server->primary_name : WEIR_STR_NONE;

    return name.len != 0 && weir_str_find(name, '*') == NULL && weir_str_find(name, '~') == NULL
           && !weir_str_starts(name, WEIR_STR(".")) && !weir_str_eq(name, WEIR_STR("_")) ? name : WEIR_STR("localhost");
}

void
weir_traffic_take(weir_traffic_t *t, const weir_traffic_request_t *r)
{
    weir_str_t       host = r->host.len != 0 ? r->host : t->host;
    uint64_t         key[2];
    traffic_known_t *known;

    t->sums.lines++;
    t->sums.cut += r->is_cut;
    t->knows = (weir_explain_knows_t) { .has_ip = r->has_client, .given = r->given };
    if (host.len == 0) {
        t->sums.no_host++;
        host = traffic_assumed_host(t, r);
    }
    traffic_hash(t, r, host, key);
    known = &t->known[key[0] % TRAFFIC_KNOWN];
    if (known->key[0] != key[0] || known->key[1] != key[1]) {
        memcpy(known->key, key, sizeof(key));
        traffic_judge(t, r, host, known);
        weir_arena_reset(&t->request);
    }
    traffic_count(t, known);
}

weir_arena_t *
weir_traffic_arena(weir_traffic_t *traffic)
{
    return &traffic->arena;
}

void
weir_traffic_skip(weir_traffic_t *t, weir_str_t line)
{
    t->sums.lines++;
    t->sums.skipped++;
    weir_assert(t->sums.skipped <= t->sums.lines && t->sums.n_samples <= WEIR_TRAFFIC_SAMPLES);
    if (t->sums.n_samples < WEIR_TRAFFIC_SAMPLES) {
        char  *to = t->sums.samples[t->sums.n_samples++];
        size_t n = weir_min(line.len, sizeof(t->sums.samples[0]) - 1);

        memcpy(to, line.at != NULL ? line.at : "", n);
        for (size_t i = 0; i < n; i++) {
            to[i] = to[i] == '\0' ? '?' : to[i];
        }
        to[n] = '\0';
    }
}

void
weir_traffic_skip_long(weir_traffic_t *t)
{
    t->sums.lines++;
    t->sums.skipped++;
    t->sums.too_long++;
}

/* -- all of it -- */

static int
traffic_order(const void *a_, const void *b_)
{
    const weir_traffic_change_t *a = *(weir_traffic_change_t *const *) a_, *b = *(weir_traffic_change_t *const *) b_;
    bool a_loses = a->loses_guard || a->loses_route, b_loses = b->loses_guard || b->loses_route;

    if (a_loses != b_loses) {
        return a_loses ? -1 : 1;
    }
    return a->count != b->count ? (a->count > b->count ? -1 : 1) : strcmp(a->shape, b->shape);
}

static void
traffic_add_unseen(void *data, weir_str_t place)
{
    (void) json_array_append_new(data, weir_explain_text(place));
}

static void
traffic_add_unknown(void *data, weir_str_t what, const weir_conf_words_t *words)
{
    weir_traffic_t *t = data;
    json_t         *told = weir_explain_line(words);
    size_t          i = 0;

    (void) json_object_set_new(told, "what", weir_explain_text(what));
    while (i < json_array_size(t->unknown) && !json_equal(json_array_get(t->unknown, i), told)) {
        i++;
    }
    if (i == json_array_size(t->unknown) && i < WEIR_TRAFFIC_NOTES_MAX) {
        (void) json_array_append(t->unknown, told);
    }
    json_decref(told);
}

static void
traffic_finish(weir_traffic_t *t)
{
    weir_traffic_sums_t *sums = &t->sums;

    t->sorted = weir_new_n(&t->arena, weir_traffic_change_t *, sums->n_changes + 1);
    for (size_t i = 0; i < sums->n_changes; i++) {
        t->sorted[i] = &t->at[i]->change;
    }
    qsort(t->sorted, sums->n_changes, sizeof(t->sorted[0]), traffic_order);
    sums->changes = (const weir_traffic_change_t *const *) t->sorted;
    weir_fate_side_each_unseen(t->new, traffic_add_unseen, t->unseen);
    weir_fate_side_each_unknown(t->new, &t->knows, traffic_add_unknown, t);
    sums->unseen = t->unseen;
    sums->unknown = t->unknown;
}

weir_traffic_t *
weir_traffic_judge(weir_fate_side_t *old, weir_fate_side_t *new, const weir_traffic_source_t *source, pid_t pid)
{
    static weir_log_sink_t nowhere = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = -1 };
    weir_traffic_t *t = weir_mem_need(sizeof(*t));
    bool            good;

    memset(t, 0, sizeof(*t));
    t->old = old;
    t->new = new;
    t->host = weir_str_from_z(source->host);
    t->minds_clients = weir_fate_side_minds_clients(old) || weir_fate_side_minds_clients(new);
    t->seed[0] = weir_random_seed(t);
    t->seed[1] = weir_random_seed(&t->seed) ^ UINT64_C(0x9e3779b97f4a7c15);
    t->known = weir_mem_need(TRAFFIC_KNOWN * sizeof(t->known[0]));
    memset(t->known, 0, TRAFFIC_KNOWN * sizeof(t->known[0]));
    weir_arena_init(&t->arena, 65536);
    weir_arena_init(&t->request, 8192);
    weir_table_init(&t->entries, &t->arena);
    t->at = weir_new_n(&t->arena, traffic_entry_t *, WEIR_TRAFFIC_SHAPES_MAX);
    t->unseen = json_array();
    t->unknown = json_array();
    weir_log_use(&nowhere);
    good = source->recorder ? weir_traffic_read_recorder(t, pid, source->tool)
                            : weir_traffic_read_log(t, source, weir_fate_side_generation(old));
    weir_log_use(NULL);
    if (!good) {
        weir_traffic_destroy(t);
        return NULL;
    }
    traffic_finish(t);
    return t;
}

void
weir_traffic_destroy(weir_traffic_t *t)
{
    for (size_t i = 0; i < t->sums.n_changes; i++) {
        json_decref(t->at[i]->change.was);
        json_decref(t->at[i]->change.is);
        json_decref(t->at[i]->change.lost);
    }
    json_decref(t->unseen);
    json_decref(t->unknown);
    weir_arena_fini(&t->request);
    weir_arena_fini(&t->arena);
    weir_mem_free(t->known);
    weir_mem_free(t);
}

const weir_traffic_sums_t *
weir_traffic_sums(const weir_traffic_t *traffic)
{
    return &traffic->sums;
}
