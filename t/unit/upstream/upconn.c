/* Kept connections are used newest first, and are dropped when they are too many, too old, used up, or spoken on. */
#include "groups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#define FDS 64

static const weir_upsecure_t pool_plain;
static int listener;

/* A listener of this test's own as the spec's peer i. */
static int
pool_listen(groups_spec_t *spec, size_t i)
{
    weir_peer_conf_t *peer = &spec->peers[i];
    socklen_t         len = sizeof(peer->addr.v4);
    int               fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    weir_addr_set_port(&peer->addr, 0);
    if (fd == -1 || bind(fd, &peer->addr.any, peer->addr.len) != 0 || listen(fd, 64) != 0
        || getsockname(fd, &peer->addr.any, &len) != 0) {
        abort();
    }
    peer->text = peer->server = weir_str(spec->texts[i], weir_addr_text(&peer->addr, spec->texts[i]));
    return fd;
}

static weir_group_t *
pool_group(groups_spec_t *spec, const char *name, uint32_t keepalive)
{
    groups_spec(spec, name, 1);
    spec->conf.keepalive = keepalive;
    listener = pool_listen(spec, 0);
    return groups_attach(spec);
}

static weir_peer_t *
pool_peer(weir_group_t *group)
{
    weir_peer_t *const *peers;

    (void) weir_group_peers(group, &peers);
    return peers[0];
}

static void
pool_in_use_ready(weir_watch_t *watch)
{
    (void) watch;
}

static void
pool_turn(void)
{
    weir_loop_turn(groups_loop, (weir_msec_t) { 20 });
}

/* A connection that is made, with the peer's side of it. */
static weir_upconn_t *
pool_open(weir_peer_t *peer, int *other)
{
    bool           done = false;
    weir_upconn_t *up = weir_upconn_open(peer, &pool_plain, pool_in_use_ready, &done);

    if (up == NULL) {
        abort();
    }
    *other = accept(listener, NULL, NULL);
    while (!up->conn.watch.writable) {
        pool_turn();
    }
    return up;
}

static size_t
pool_watches(void)
{
    return weir_loop_watches(groups_loop);
}

static void
test_newest_first(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = pool_group(&spec, "newest", 2);
    weir_peer_t   *peer = pool_peer(group);
    int            fd[3];
    weir_upconn_t *up[3];

    for (int i = 0; i < 3; i++) {
        up[i] = pool_open(peer, &fd[i]);
    }
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == NULL, "nothing is idle at first");
    ok(up[0]->requests == 0 && !up[0]->reused, "a new connection has served nobody");
    for (int i = 0; i < 3; i++) {
        weir_upconn_keep(up[i]);
    }
    is_int(pool_watches(), 2, "of three kept connections the oldest is closed");
    ok(read(fd[0], (char[1]) { 0 }, 1) == 0, "for the peer too");
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == up[2], "the newest comes first");
    ok(up[2]->reused && weir_upconn_is_fresh(up[2]), "and says that it has served before");
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == up[1], "then the one before");
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == NULL, "then none");
    weir_upconn_close(up[1]);
    weir_upconn_keep(up[2]);
    weir_group_unref(group);
    is_int(pool_watches(), 0, "idle connections go with the group");
    for (int i = 0; i < 3; i++) {
        close(fd[i]);
    }
    close(listener);
}

static void
test_not_kept(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = pool_group(&spec, "none", 0);
    weir_upconn_t *up;
    int            fd;

    up = pool_open(pool_peer(group), &fd);
    weir_upconn_keep(up);
    is_int(pool_watches(), 0, "keepalive 0 keeps nothing");
    close(fd);
    weir_group_unref(group);
    close(listener);
}

static void
test_limits(void)
{
    groups_spec_t  spec;
    weir_group_t  *group;
    weir_peer_t   *peer;
    weir_upconn_t *up;
    int            fd;

    groups_spec(&spec, "limits", 1);
    listener = pool_listen(&spec, 0);
    spec.conf.keepalive = 4;
    spec.conf.keepalive_requests = 2;
    spec.conf.keepalive_time.ms = 50;
    spec.conf.keepalive_timeout.ms = 40;
    group = groups_attach(&spec);
    peer = pool_peer(group);

    up = pool_open(peer, &fd);
    up->requests = 1;
    weir_upconn_keep(up);
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == up, "one request of two");
    up->requests = 2;
    weir_upconn_keep(up);
    is_int(pool_watches(), 0, "after keepalive_requests it is closed");
    close(fd);

    up = pool_open(peer, &fd);
    up->created.ms -= 60;
    weir_upconn_keep(up);
    is_int(pool_watches(), 0, "after keepalive_time it is closed");
    close(fd);

    up = pool_open(peer, &fd);
    weir_upconn_keep(up);
    is_int(pool_watches(), 1, "it is kept");
    for (int i = 0; i < 100 && pool_watches() != 0; i++) {
        pool_turn();
    }
    is_int(pool_watches(), 0, "for keepalive_timeout");
    close(fd);

    up = pool_open(peer, &fd);
    weir_upconn_keep(up);
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == up, "one that is taken");
    for (int i = 0; i < 5; i++) {
        pool_turn();
    }
    is_int(pool_watches(), 1, "is not closed under its owner");
    weir_upconn_close(up);
    close(fd);
    weir_group_unref(group);
    close(listener);
}

static void
test_spoken_on(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = pool_group(&spec, "spoken", 4);
    weir_peer_t   *peer = pool_peer(group);
    weir_upconn_t *up;
    int            fd;

    up = pool_open(peer, &fd);
    weir_upconn_keep(up);
    ok(write(fd, "x", 1) == 1, "the peer sends a byte nobody asked for");
    pool_turn();
    is_int(pool_watches(), 0, "and is dropped");
    close(fd);

    up = pool_open(peer, &fd);
    weir_upconn_keep(up);
    close(fd);
    pool_turn();
    is_int(pool_watches(), 0, "one that closes too");

    up = pool_open(peer, &fd);
    ok(weir_upconn_is_fresh(up), "nothing has come");
    ok(write(fd, "x", 1) == 1 && !weir_upconn_is_fresh(up), "is_fresh sees what the loop has not seen yet");
    pool_turn();
    weir_upconn_keep(up);
    is_int(pool_watches(), 0, "with bytes waiting it is not kept");
    close(fd);

    up = pool_open(peer, &fd);
    up->conn.watch.readable = true;
    weir_upconn_keep(up);
    ok(pool_watches() == 1 && weir_upconn_take_idle(peer, &pool_plain, NULL) == up, "readable without a byte is kept");
    weir_upconn_keep(up);
    up->conn.watch.peer_closed = true;
    ok(weir_upconn_take_idle(peer, &pool_plain, NULL) == NULL && pool_watches() == 0,
       "one known to be closed is never handed out");
    close(fd);
    weir_group_unref(group);
    close(listener);
}

static void
test_refused(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = pool_group(&spec, "refused", 4);
    bool           done = false;
    weir_upconn_t *up;

    close(listener);
    up = weir_upconn_open(pool_peer(group), &pool_plain, pool_in_use_ready, &done);
    if (up != NULL) {
        for (int i = 0; i < 10 && !up->conn.watch.failed; i++) {
            pool_turn();
        }
        ok(up->conn.watch.failed, "a refused connection is told of");
        weir_upconn_close(up);
    } else {
        ok(errno == ECONNREFUSED, "a refused connection is told of");
    }
    is_int(pool_watches(), 0, "and leaves nothing");
    weir_group_unref(group);
}

static void
test_reload(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = pool_group(&spec, "moved", 4), *changed;
    weir_upconn_t *idle, *busy;
    int            fd[2];

    busy = pool_open(pool_peer(group), &fd[0]);
    idle = pool_open(pool_peer(group), &fd[1]);
    weir_upconn_keep(idle);
    spec.conf.digest = 2;
    spec.peers[0].weight = 3;
    changed = groups_attach(&spec);
    weir_group_unref(group);
    is_int(pool_watches(), 2, "a connection in use outlives its group's configuration");
    ok(weir_upconn_take_idle(pool_peer(changed), &pool_plain, NULL) == idle,
       "an idle one moves to the group of the same name");
    weir_upconn_keep(idle);
    weir_upconn_keep(busy);
    is_int(pool_watches(), 1, "the last one in use takes the old group with it");
    weir_group_unref(changed);
    is_int(pool_watches(), 0, "and all is closed in the end");
    close(fd[0]);
    close(fd[1]);
    close(listener);
}

static void
test_end(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = pool_group(&spec, "end", 4);
    weir_upconn_t *idle, *busy;
    int            fd[2];

    busy = pool_open(pool_peer(group), &fd[0]);
    idle = pool_open(pool_peer(group), &fd[1]);
    weir_upconn_keep(idle);
    weir_groups_destroy(groups_all);
    is_int(pool_watches(), 1, "the end of all groups closes what is idle");
    weir_group_unref(group);
    weir_upconn_keep(busy);
    is_int(pool_watches(), 0, "and what is in use when it is done");
    groups_all = NULL;
    close(fd[0]);
    close(fd[1]);
    close(listener);
}

int
main(void)
{
    groups_init();
    test_newest_first();
    test_not_kept();
    test_limits();
    test_spoken_on();
    test_refused();
    test_reload();
    test_end();
    groups_fini();
    return done();
}
