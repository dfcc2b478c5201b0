/*
 * source.c - see source.h: lists of peers as values.  Runs in workers; a list is one block of the heap.
 *
 * Packed, a peer is a head of fixed size and its texts.  What is unpacked is believed in nothing: lengths are checked
 * before bytes.
 */
#include "upstream/source.h"

#include "base/mem.h"
#include "upstream/follow.h"

#include <string.h>

#define SOURCE_UNIX_MAX (sizeof(((struct sockaddr_un *) 0)->sun_path))

typedef struct {
    uint32_t weight, max_conns;
    uint16_t priority, port;
    uint8_t  flags, family, server_len, locality_len;
    uint8_t  ip[16];
    uint8_t  path_len;               /* of a unix socket */
} source_head_t;

#define SOURCE_BACKUP 1
#define SOURCE_DOWN   2

const weir_peer_conf_t weir_source_default = { .weight = 1, .max_fails = 1, .fail_timeout = { 10000 } };

void
weir_source_give(weir_source_run_t *run, const weir_source_peer_t *peers, size_t n)
{
    weir_follow_give(run, peers, n);
}

weir_loop_t *
weir_source_loop(const weir_source_run_t *run)
{
    return weir_follow_loop(run);
}

const weir_source_peer_t *
weir_source_list(const weir_source_run_t *run, size_t *n)
{
    weir_source_list_t list = weir_follow_list(run);

    *n = list.n;
    return list.at;
}

/* -- copies -- */

static size_t
source_texts(const weir_source_peer_t *peers, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += peers[i].server.len + peers[i].locality.len;
    }
    return bytes;
}

static weir_str_t
source_keep(char **at, weir_str_t text)
{
    weir_str_t kept = weir_str(*at, text.len);

    if (text.len == 0) {
        return WEIR_STR_NONE;
    }
    memcpy(*at, text.at, text.len);
    *at += text.len;
    return kept;
}

weir_source_list_t
weir_source_copy(const weir_source_peer_t *peers, size_t n)
{
    weir_source_list_t list = { n != 0 ? weir_mem_try(n * sizeof(*peers) + source_texts(peers, n)) : NULL, 0 };
    char *texts;

    weir_assert(n <= WEIR_SOURCE_PEERS);
    if (list.at == NULL) {
        return list;
    }
    texts = (char *) (list.at + n);
    for (list.n = 0; list.n < n; list.n++) {
        weir_source_peer_t *peer = &list.at[list.n];

        *peer = peers[list.n];
        peer->server = source_keep(&texts, peer->server);
        peer->locality = source_keep(&texts, peer->locality);
    }
    return list;
}

void
weir_source_free(weir_source_list_t *list)
{
    weir_mem_free(list->at);
    *list = (weir_source_list_t) { NULL, 0 };
}

static bool
source_peer_eq(const weir_source_peer_t *a, const weir_source_peer_t *b)
{
    return weir_addr_eq(&a->addr, &b->addr) && weir_str_eq(a->server, b->server)
           && weir_str_eq(a->locality, b->locality) && a->weight == b->weight && a->max_conns == b->max_conns
           && a->priority == b->priority && a->backup == b->backup && a->down == b->down;
}

bool
weir_source_eq(const weir_source_peer_t *a, size_t n_a, const weir_source_peer_t *b, size_t n_b)
{
    for (size_t i = 0; i < n_a && n_a == n_b; i++) {
        if (!source_peer_eq(&a[i], &b[i])) {
            return false;
        }
    }
    return n_a == n_b;
}

/* -- as bytes -- */

static size_t
source_path_len(const weir_addr_t *addr)
{
    return weir_addr_is_unix(addr) ? strnlen(addr->un.sun_path, SOURCE_UNIX_MAX) : 0;
}

static void
source_fill_head(const weir_source_peer_t *peer, source_head_t *head)
{
    const weir_addr_t *addr = &peer->addr;

    memset(head, 0, sizeof(*head));
    head->weight = peer->weight;
    head->max_conns = peer->max_conns;
    head->priority = peer->priority;
    head->port = weir_addr_port(addr);
    head->flags = (uint8_t) ((peer->backup ? SOURCE_BACKUP : 0) | (peer->down ? SOURCE_DOWN : 0));
    head->family = (uint8_t) addr->any.sa_family;
    head->server_len = (uint8_t) peer->server.len;
    head->locality_len = (uint8_t) peer->locality.len;
    head->path_len = (uint8_t) source_path_len(addr);
    if (addr->any.sa_family == AF_INET) {
        memcpy(head->ip, &addr->v4.sin_addr, sizeof(addr->v4.sin_addr));
    } else if (addr->any.sa_family == AF_INET6) {
        memcpy(head->ip, &addr->v6.sin6_addr, sizeof(addr->v6.sin6_addr));
    }
}

size_t
weir_source_pack(const weir_source_peer_t *peers, size_t n, char *out)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        const weir_source_peer_t *peer = &peers[i];
        source_head_t head;

        weir_assert(peer->server.len <= WEIR_SOURCE_TEXT_MAX && peer->locality.len <= WEIR_SOURCE_TEXT_MAX);
        source_fill_head(peer, &head);
        if (out != NULL) {
            char *at = out + bytes;

            memcpy(at, &head, sizeof(head));
            at += sizeof(head);
            memcpy(at, peer->addr.un.sun_path, head.path_len);
            at += head.path_len;
            (void) source_keep(&at, peer->server);
            (void) source_keep(&at, peer->locality);
        }
        bytes += sizeof(head) + head.path_len + peer->server.len + peer->locality.len;
    }
    return bytes;
}

static bool
source_read_addr(const source_head_t *head, weir_str_t path, weir_addr_t *addr)
{
    memset(addr, 0, sizeof(*addr));
    switch (head->family) {
    case AF_INET:
        addr->v4.sin_family = AF_INET;
        memcpy(&addr->v4.sin_addr, head->ip, sizeof(addr->v4.sin_addr));
        addr->len = sizeof(addr->v4);
        break;
    case AF_INET6:
        addr->v6.sin6_family = AF_INET6;
        memcpy(&addr->v6.sin6_addr, head->ip, sizeof(addr->v6.sin6_addr));
        addr->len = sizeof(addr->v6);
        break;
    case AF_UNIX:
        return memchr(path.at, '\0', path.len) == NULL && weir_addr_from_unix(addr, path);
    default:
        return false;
    }
    weir_addr_set_port(addr, head->port);
    return true;
}

/* The next peer of the bytes; its texts point into them. */
static bool
source_read(weir_str_t *bytes, weir_source_peer_t *peer)
{
    source_head_t head;

    if (bytes->len < sizeof(head)) {
        return false;
    }
    memcpy(&head, bytes->at, sizeof(head));
    *bytes = weir_str_skip(*bytes, sizeof(head));
    if (bytes->len < (size_t) head.path_len + head.server_len + head.locality_len
        || !source_read_addr(&head, weir_str(bytes->at, head.path_len), &peer->addr)
        || head.weight > WEIR_SOURCE_WEIGHT_MAX)
    {
        return false;
    }
    *bytes = weir_str_skip(*bytes, head.path_len);
    peer->server = weir_str(bytes->at, head.server_len);
    *bytes = weir_str_skip(*bytes, head.server_len);
    peer->locality = weir_str(bytes->at, head.locality_len);
    *bytes = weir_str_skip(*bytes, head.locality_len);
    peer->weight = head.weight;
    peer->max_conns = head.max_conns;
    peer->priority = head.priority;
    peer->backup = (head.flags & SOURCE_BACKUP) != 0;
    peer->down = (head.flags & SOURCE_DOWN) != 0;
    return true;
}

bool
weir_source_unpack(weir_str_t bytes, weir_source_list_t *list)
{
    size_t max = bytes.len / sizeof(source_head_t), n = 0;
    weir_source_peer_t *peers = max != 0 && max <= 16 * WEIR_SOURCE_PEERS ? weir_mem_try(max * sizeof(*peers)) : NULL;

    bool is_good = bytes.len == 0 || peers != NULL;

    *list = (weir_source_list_t) { NULL, 0 };
    while (is_good && bytes.len != 0) {
        is_good = n < weir_min(max, (size_t) WEIR_SOURCE_PEERS) && source_read(&bytes, &peers[n]);
        n++;
    }
    if (is_good && n != 0) {
        *list = weir_source_copy(peers, n);
    }
    weir_mem_free(peers);
    return is_good && list->n == n;
}
