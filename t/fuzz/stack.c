/*
 * stack.c - fuzz target: a whole worker between scripted clients and scripted upstreams (stack-world/world.h).
 *
 * HTTP/1 and HTTP/2 on both sides, TLS, the PROXY protocol, subrequests, limits, a name server, reloads and leaving at
 * any moment; time jumps as the input says.  After each run everybody leaves and time goes on: then no connection,
 * request, block of memory, watch, descriptor or gauge may be left.  What the peers saw was judged as it came.
 */
#include "stack-world/world.h"

#include "log/log.h"
#include "os/clock.h"
#include "proc/common/areas.h"
#include "proc/common/settings.h"
#include "proc/common/shared.h"
#include "shm/holds.h"
#include "shm/slots.h"
#include "shm/stats.h"
#include "shm/zone.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_STEPS   400
#define STACK_RELOADS 6         /* a run; each is a configuration read */
#define STACK_RUNS    64        /* of one worker */
#define STACK_MEMORY  (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
void __lsan_do_leak_check(void) __attribute__((weak));

world_t world;
/* records are made, and thrown away */
static weir_log_sink_t stack_log = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_INFO };

/* Time is the input's: the libc's is moved by what was skipped.  The wall's is left alone: libFuzzer bounds a run by
 * it. */
int
clock_gettime(clockid_t id, struct timespec *t)
{
    long rc = syscall(SYS_clock_gettime, id, t);

    if (rc == 0 && world.is_on && id == CLOCK_MONOTONIC) {
        t->tv_sec += (time_t) (world.skew_ms / 1000);
        t->tv_nsec += (long) (world.skew_ms % 1000) * 1000000;
        if (t->tv_nsec >= 1000000000) {
            t->tv_nsec -= 1000000000;
            t->tv_sec++;
        }
    }
    return (int) rc;
}

/* -- the input -- */

uint32_t
world_take(unsigned bytes)
{
    uint32_t value = 0;

    while (bytes-- > 0) {
        value = value << 8 | (world.at < world.end ? *world.at++ : 0);
    }
    return value;
}

weir_str_t
world_take_bytes(size_t max)
{
    size_t wanted = world_take(1) % (max + 1), n = weir_min(wanted, (size_t) (world.end - world.at));
    weir_str_t bytes = weir_str((const char *) world.at, n);

    world.at += n;
    return bytes;
}

/* -- steps -- */

static void
stack_peers(void)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++) {
        peer_move(&world.clients[i], world.clients[i].is_slow ? 0 : 1 << 20);
    }
    upstream_accept();
    for (size_t i = 0; i < WORLD_UPSTREAMS; i++) {
        peer_move(&world.upstreams[i], world.upstreams[i].is_slow ? 0 : 1 << 20);
    }
    names_turn();
}

void
world_turn(void)
{
    weir_loop_turn(world.loop, (weir_msec_t) { 0 });
    stack_peers();
}

/* Seldom, where bytes come by chance: it takes longer than all the rest. */
static void
stack_reload(void)
{
    uint32_t which = world_take(1);
    weir_generation_t *generation;

    if (which < 256 - 8 * SITE_TEXTS || world.reloads == STACK_RELOADS) {
        return;
    }
    world.reloads++;
    generation = site_build(which % SITE_TEXTS);
    weir_serve_use(world.serve, generation);
    weir_generation_unref(generation);
    if (!world.http->quitting) {
        site_listen();
    }
}

static void
stack_quit(void)
{
    weir_serve_quit(world.serve, (weir_msec_t) { world_take(1) * 100 });
    site_listen();
}

/* Seldom, too. */
static void
stack_fill_names(void)
{
    if (world_take(1) == 200 && !world.has_filled) {
        world.has_filled = true;
        names_fill();
    }
}

void
world_step(void)
{
    uint32_t op = world_take(1);
    peer_t *c = &world.clients[(op >> 5) % WORLD_CLIENTS], *u = &world.upstreams[op >> 5];

    switch (op & 31) {
    case 0: case 1: client_connect(c); break;
    case 2: case 3: client_request(c); break;
    case 4: client_request(c); client_request(c); break;
    case 5: client_body(c); break;
    case 6: peer_h2_control(c); break;
    case 7: peer_raw(c); break;
    case 8: peer_close(c); break;
    case 9: c->is_slow = !c->is_slow; break;
    case 10: peer_move(c, world_take(2)); break;
    case 11: case 12: upstream_answer(u); break;
    case 13: case 14: upstream_body(u); break;
    case 15: peer_raw(u); break;
    case 16: peer_h2_control(u); break;
    case 17: peer_close(u); break;
    case 18: u->is_slow = !u->is_slow; break;
    case 19: world.skew_ms += world_take(1) * 100; world_turn(); break;
    case 20: world.skew_ms += 70000; world_turn(); break;
    case 21: stack_reload(); break;
    case 22: if (world_take(1) == 200) { stack_quit(); } break;
    case 23: client_connect(c); client_request(c); world_turn(); world_turn(); break;
    case 24: client_request(c); world_turn(); world_turn(); upstream_answer(u); world_turn(); break;
    case 25: names_answer(); world_turn(); break;
    case 26: names_answer(); names_answer(); world_turn(); world_turn(); upstream_answer(u); break;
    case 27: (void) pool_run(op >> 5); break;
    case 28: stack_fill_names(); break;
    default: world_turn();
    }
}

/* -- a run -- */

static size_t
stack_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;

    while (folder != NULL && readdir(folder) != NULL) {
        n++;
    }
    closedir(folder);
    return n;
}

/* What is open, for who reads a finding. */
static void
stack_tell_descriptors(void)
{
    char path[64], what[256];

    for (int fd = 0; fd < 1024; fd++) {
        ssize_t n;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = readlink(path, what, sizeof(what) - 1);
        if (n > 0) {
            fprintf(stderr, "%d: %.*s\n", fd, (int) n, what);
        }
    }
}

static void
stack_init(void)
{
    weir_generation_t *generation;
    weir_settings_t settings;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < WORLD_CLIENTS; i++) {
        world.clients[i].fd = -1;
    }
    for (size_t i = 0; i < WORLD_UPSTREAMS; i++) {
        world.upstreams[i].fd = -1;
    }
    world.is_on = true;
    site_begin();
    names_begin();
    stack_log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    weir_log_use(&stack_log);
    world.loop = weir_loop_create(64);
    generation = site_build(0);
    weir_settings_read(&settings, generation);
    if (world.loop == NULL || !weir_shared_open(world.loop, &settings) || !weir_slots_take(getpid())) {
        world_fail("shared memory");
    }
    weir_generation_unref(generation);
}

/* Clients leave, then upstreams; time goes on until nothing waits for anything. */
static void
stack_all_leave(void)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++) {
        peer_end(&world.clients[i]);
    }
    world_turn();
    while (pool_run(0)) { }
    world_turn();
    for (int k = 0; k < 40; k++) {                   /* a name that nobody waits for is asked for up to 32 times */
        for (size_t i = 0; i < WORLD_UPSTREAMS; i++) {
            peer_end(&world.upstreams[i]);
        }
        world_turn();
        while (pool_run(0)) { }                  /* a request that came with its client's end waits for its password only now */
        world.skew_ms += 61000;
    }
    for (size_t i = 0; i < WORLD_UPSTREAMS; i++) {
        peer_end(&world.upstreams[i]);
    }
}

/* "KIND SIZE LAYOUT NAME" */
static uint64_t
stack_zone_size(weir_str_t label)
{
    weir_str_t kind, rest;

    return weir_str_cut(label, ' ', &kind, &rest) ? strtoull(rest.at, NULL, 10) : 0;
}

/* What limit_conn counts: nobody holds anything. */
static void
stack_check_holds(void *data WEIR_UNUSED, weir_str_t label, int fd)
{
    struct stat info;
    char text[64];
    weir_buf_t out;
    char *memory;

    if (!weir_str_starts(label, WEIR_STR("limit-conn ")) || fstat(fd, &info) != 0) {
        return;
    }
    memory = mmap(NULL, (size_t) info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        world_fail("a zone cannot be mapped");
    }
    weir_buf_init(&out, text, sizeof(text));
    weir_holds_describe(memory + WEIR_ZONE_HEAD, stack_zone_size(label), &out);
    (void) munmap(memory, (size_t) info.st_size);
    if (!weir_str_starts(weir_buf_str(&out), WEIR_STR("keys=0 "))) {
        world_fail("limit_conn: %.*s: %.*s are held", WEIR_STR_ARG(label), WEIR_STR_ARG(weir_buf_str(&out)));
    }
}

static void
stack_check_gauges(void)
{
    for (uint32_t i = 0; i < weir_stats_rows(); i++) {
        weir_stats_kind_t kind;
        weir_str_t name = weir_stats_name(i, &kind);
        const weir_stats_row_t *row = weir_stats_mine(i);
        if (kind == WEIR_STATS_PEER ? row->busy != 0 : row->active != 0 || row->busy != 0 || row->idle != 0) {
            world_fail("gauges of \"%.*s\": %lld active, %lld busy, %lld idle", WEIR_STR_ARG(name),
                       (long long) row->active,
                       (long long) row->busy, (long long) row->idle);
        }
    }
}

static void
stack_check_quiet(void)
{
    const weir_http_t *http = world.http;

    if (world.serve->n_conns != 0 || http->n_detached != 0) {
        world_fail("%zu connections and %zu subrequests are left", world.serve->n_conns, http->n_detached);
    }
    if (http->blocks.n_used != 0) {
        world_fail("%zu blocks are left", (size_t) http->blocks.n_used);
    }
    stack_check_gauges();
    weir_zones_each(stack_check_holds, NULL);
}

/* Compared with the first time that a worker was there, or was not; what its first run opened belongs to it. */
static void
stack_check_gone(void)
{
    static struct { size_t descriptors, watches, memory; } first[2];
    size_t memory = __sanitizer_get_current_allocated_bytes != NULL ? __sanitizer_get_current_allocated_bytes() : 0;
    size_t descriptors = stack_descriptors(), watches = weir_loop_watches(world.loop), kind = world.http != NULL;

    if (first[kind].descriptors == 0 || world.runs == 1) {
        first[kind].descriptors = descriptors;
        first[kind].watches = watches;
        first[kind].memory = weir_max(first[kind].memory, memory);
    }
    if (descriptors > first[kind].descriptors) {
        stack_tell_descriptors();
        world_fail("%zu descriptors, %zu before", descriptors, first[kind].descriptors);
    }
    if (watches > first[kind].watches) {
        world_fail("%zu watches, %zu before", watches, first[kind].watches);
    }
    if (memory > first[kind].memory + STACK_MEMORY) {
        world_fail("%zu bytes in use, %zu before", memory, first[kind].memory);
    }
}

/* A worker lives for some runs, as reading a configuration takes longer than most of them; a run that reloaded or left
 * ends it. */
static void
stack_worker_begins(void)
{
    weir_generation_t *generation = site_build(0);

    world.life = weir_life_create(world.loop);
    world.serve = weir_serve_create(world.life, weir_areas, generation, 64);
    world.http = weir_http_of(world.serve);
    world.runs = 0;
    weir_generation_unref(generation);
    site_listen();
}

static void
stack_worker_ends(void)
{
    weir_serve_stop(world.serve);
    weir_life_end(world.life);
    weir_serve_destroy(world.serve);
    weir_life_destroy(world.life);
    world.serve = NULL;
    world.http = NULL;
    weir_loop_turn(world.loop, (weir_msec_t) { 0 });
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world.loop == NULL) {
        stack_init();
    }
    world.is_on = true;
    world.at = data;
    world.end = data + size;
    world.reloads = 0;
    world.has_filled = false;
    if (world.http == NULL) {
        stack_worker_begins();
    }
    world_turn();
    ledger_begin();
    for (int i = 0; i < STACK_STEPS && world.at < world.end; i++) {
        world_step();
    }
    world_turn();
    stack_all_leave();
    stack_check_quiet();
    ledger_check();
    if (++world.runs == STACK_RUNS || world.reloads != 0 || world.http->quitting) {
        stack_worker_ends();
    }
    site_forget();
    names_reset();
    stack_check_gone();
    world.is_on = false;
    return 0;
}
