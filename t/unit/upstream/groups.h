/*
 * groups.h - groups for the tests of this folder, without a configuration file.
 */
#ifndef WEIR_T_GROUPS_H
#define WEIR_T_GROUPS_H

#include "event/loop.h"
#include "log/log.h"
#include "os/clock.h"
#include "tap.h"
#include "upstream/balancer.h"

#define GROUP_PEERS 8

typedef struct {
    weir_group_conf_t conf;
    weir_peer_conf_t  peers[GROUP_PEERS];
    char              texts[GROUP_PEERS][WEIR_ADDR_TEXT];
} groups_spec_t;

static weir_loop_t   *groups_loop;
static weir_groups_t *groups_all;

static inline void
groups_init(void)
{
    weir_log_main.level = WEIR_LOG_ERROR;            /* what is marked failed is told of at warn */
    groups_loop = weir_loop_create(16);
    groups_all = weir_groups_create(groups_loop);
}

static inline void
groups_fini(void)
{
    weir_groups_destroy(groups_all);
    weir_loop_destroy(groups_loop);
}

/* Peers 127.0.0.1:1, :2, … of weight 1; all primaries. */
static inline void
groups_spec(groups_spec_t *spec, const char *name, size_t n)
{
    *spec = (groups_spec_t) {
        .conf = { .name = weir_str_from_z(name), .host_header = weir_str_from_z(name), .n_peers = n,
                  .keepalive_requests = 1000, .keepalive_time = { 3600000 }, .keepalive_timeout = { 60000 },
                  .balancer = &weir_balancer_round_robin, .digest = 1 }
    };
    spec->conf.peers = spec->peers;
    for (size_t i = 0; i < n; i++) {
        weir_peer_conf_t *peer = &spec->peers[i];

        *peer = (weir_peer_conf_t) { .weight = 1, .max_fails = 1, .fail_timeout = { 10000 } };
        if (!weir_addr_from_ip(&peer->addr, WEIR_STR("127.0.0.1"), (uint16_t) (i + 1))) {
            abort();
        }
        peer->text = peer->server = weir_str(spec->texts[i], weir_addr_text(&peer->addr, spec->texts[i]));
    }
}

static inline weir_group_t *
groups_attach(groups_spec_t *spec)
{
    return weir_group_attach(groups_all, &spec->conf);
}

static inline char
groups_letter(const weir_peer_t *peer)
{
    return (char) ('a' + weir_peer_number(peer));
}

/* How an attempt ended. */
static inline void
groups_report(weir_pick_t *pick, bool failed, weir_instant_t now)
{
    const weir_outcome_t outcome = { .kind = failed ? WEIR_OUTCOME_RESET : WEIR_OUTCOME_ANSWER, .status = 200,
                                     .failed = failed };

    weir_pick_report(pick, &outcome, now);
}

/* One request with one attempt; the peer's letter, '-' when there was none. */
static inline char
groups_request(weir_group_t *group, bool fails, uint64_t now)
{
    weir_arena_t arena;
    weir_pick_t  pick;
    char         letter = '-';

    weir_arena_init(&arena, 256);
    weir_pick_begin(&pick, group, &arena);
    if (weir_pick_next(&pick, (weir_instant_t) { now })) {
        letter = groups_letter(pick.peer);
        groups_report(&pick, fails, (weir_instant_t) { now });
    }
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    return letter;
}

/* Letters of n requests that go well. */
static inline const char *
groups_requests(weir_group_t *group, size_t n, uint64_t now)
{
    static char letters[64];

    for (size_t i = 0; i < n; i++) {
        letters[i] = groups_request(group, false, now);
    }
    letters[n] = '\0';
    return letters;
}

#define is_letters(got, want, what) is_str(weir_str_from_z(got), (want), (what))

#endif
