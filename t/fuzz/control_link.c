/*
 * control_link.c - fuzz target: the protocol between the master and the control process (proc/common/frames.h), both
 * ends, and what clients of the control socket say.
 *
 * The first byte chooses the end: 'M' the master's, whose control process is in somebody else's hands; any other the
 * control process's, with clients and a master in somebody else's hands.  What follows are steps: a byte that says
 * what is done, two of a length, so many bytes.
 *
 * Oracles: the master answers each request that it takes once, by its number, with JSON and a status; it survives
 * everything.  The control process asks for objects with "do" only; what a client gets is answers of HTTP whose bodies
 * are JSON, no more of them than there were requests; what was taken is given back.
 */
#include "conf/core.h"
#include "conf/wire.h"
#include "config.h"
#include "http/h1/parse.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/sys.h"
#include "proc/control/server.h"
#include "proc/master/control_link.h"
#include "upstream/group.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#define FUZZ_FILE    WEIR_STR("/etc/weir/weir.conf")
#define FUZZ_CLIENTS 3
#define FUZZ_ROOM    (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static weir_generation_t *fuzz_generation;
static weir_loop_t       *fuzz_loop;
static bool               fuzz_has_ended;
static char               fuzz_room[FUZZ_ROOM];

/* -- an instance with one group -- */

static void
put(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key, const void *value, size_t len)
{
    weir_assert(weir_bundle_add(bundle, kind, key, weir_str_dup(&bundle->arena, weir_str(value, len))) != NULL);
}

static weir_generation_t *
build(void)
{
    static const char     text[] = "events { } http { upstream api { server 127.0.0.1:1; } server { listen 80; } }";
    static const uint64_t cpus[WEIR_CORE_CPU_WORDS] = { 3 };
    static const uint32_t user[] = { 1, 0, 0 };
    weir_conf_source_t    source = { .prefix = WEIR_STR("/usr/weir/"), .file = FUZZ_FILE };
    weir_bundle_t        *bundle = weir_bundle_create_replay();
    weir_error_t          error = { .text = "" };
    weir_generation_t    *generation;

    put(bundle, WEIR_BUNDLE_CONF, FUZZ_FILE, text, sizeof(text) - 1);
    put(bundle, WEIR_BUNDLE_USER, WEIR_STR(WEIR_USER ":" WEIR_GROUP), user, sizeof(user));
    put(bundle, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"), cpus, sizeof(cpus));
    generation = weir_generation_build(bundle, &source, 1, &error);
    weir_bundle_destroy(bundle);
    weir_assert(generation != NULL);
    return generation;
}

static weir_generation_t *
ops_generation(void *data)
{
    (void) data;
    return fuzz_generation;
}

static const char *
ops_is_closed(void *data)
{
    (void) data;
    return NULL;
}

static bool
ops_publish(void *data, uint64_t number, const weir_change_t *change, weir_str_t line, weir_error_t *error)
{
    (void) data;
    (void) line;
    return weir_changes_put(number, change) || weir_error_set(error, "too many");
}

static const char *
ops_fault(void *data, uint64_t number)
{
    (void) data;
    return number % 7 == 0 ? "the disk is full" : NULL;
}

static uint64_t
ops_settled(void *data, uint64_t number, json_t *late)
{
    (void) data;
    (void) number;
    (void) late;
    return weir_changes_number();
}

static void
forget(void *data, weir_str_t group)
{
    (void) data;
    weir_changes_forget(group, UINT64_MAX);
}

/* -- steps -- */

typedef struct { uint8_t what; weir_str_t bytes; } step_t;

static bool
next_step(weir_str_t *script, step_t *step)
{
    size_t len;

    if (script->len < 3) {
        return false;
    }
    step->what = (uint8_t) script->at[0];
    len = (uint8_t) script->at[1] | (size_t) (uint8_t) script->at[2] << 8;
    *script = weir_str_skip(*script, 3);
    len = weir_min(len, script->len);
    step->bytes = weir_str(script->at, len);
    *script = weir_str_skip(*script, len);
    return true;
}

/* What does not fit is lost, as a frame that is cut is. */
static void
say(int fd, weir_str_t bytes)
{
    if (fd >= 0 && bytes.len != 0) {
        (void) !weir_sys_send(fd, bytes.at, bytes.len, 0);
    }
}

static void
say_frame(int fd, weir_frame_kind_t kind, unsigned status, uint64_t id, weir_str_t payload)
{
    char     head[WEIR_FRAME_HEAD];
    uint32_t len = (uint32_t) payload.len;
    uint16_t words[2] = { (uint16_t) kind, (uint16_t) status };

    memcpy(head, &len, 4);
    memcpy(head + 4, words, 4);
    memcpy(head + 8, &id, 8);
    say(fd, weir_str(head, sizeof(head)));
    say(fd, payload);
}

static void
turn(void)
{
    weir_loop_turn(fuzz_loop, (weir_msec_t) { 0 });
    weir_loop_turn(fuzz_loop, (weir_msec_t) { 0 });
}

/* -- the master's end -- */

static void
on_master_end(weir_control_link_t *link)
{
    (void) link;
    fuzz_has_ended = true;
}

/* Every answer that is whole; returns how many. */
static size_t
read_answers(int fd, uint64_t last)
{
    static const uint32_t max[WEIR_FRAME_KINDS] = { [WEIR_FRAME_ANSWER] = WEIR_FRAME_MAX_ANSWER };
    ssize_t      n = weir_sys_recv(fd, fuzz_room, sizeof(fuzz_room), 0);
    weir_str_t   left = weir_str(fuzz_room, n > 0 ? (size_t) n : 0);
    weir_frame_t frame;
    size_t       count = 0;

    while (left.len != 0) {
        json_t *answer;

        weir_assert(weir_frames_cut(left, max, &frame) == WEIR_FRAMES_DONE);
        weir_assert(frame.id <= last && frame.status >= 200 && frame.status <= 599);
        answer = json_loadb(left.at + WEIR_FRAME_HEAD, frame.len, 0, NULL);
        weir_assert(json_is_object(answer));
        weir_assert((frame.status >= 400) == (json_object_get(answer, "error") != NULL));
        json_decref(answer);
        left = weir_str_skip(left, WEIR_FRAME_HEAD + frame.len);
        count++;
    }
    return count;
}

static void
fuzz_master(weir_str_t script)
{
    weir_command_ops_t  ops = { .loop = fuzz_loop, .generation = ops_generation, .is_closed = ops_is_closed,
                                .publish = ops_publish, .fault = ops_fault, .settled = ops_settled };
    weir_control_link_t link = { .on_end = on_master_end };
    uint64_t            asked = 0, answered = 0;
    bool                is_sound = true;
    step_t              step;
    int                 fds[2];

    weir_assert(weir_sys_socketpair(SOCK_STREAM, fds) == 0 && weir_control_link_open(&link, &ops, fds[0]));
    for (unsigned i = 0; i < 200 && !fuzz_has_ended && next_step(&script, &step); i++) {
        switch (step.what % 4) {
        case 0:
            is_sound = false;
            say(fds[1], step.bytes);
            break;
        case 1:
            say_frame(fds[1], WEIR_FRAME_SAID, step.what, 0, step.bytes);
            is_sound = is_sound && step.bytes.len <= WEIR_FRAME_MAX_SAID;
            break;
        default:
            say_frame(fds[1], WEIR_FRAME_REQUEST, 0, ++asked, step.bytes);
        }
        turn();
        if (is_sound) {
            answered += read_answers(fds[1], asked);
            weir_assert(answered == asked);
        } else {
            (void) !weir_sys_recv(fds[1], fuzz_room, sizeof(fuzz_room), 0);
        }
    }
    weir_control_link_close(&link);
    (void) weir_sys_close(fds[1]);
    turn();
    weir_changes_each_group(forget, NULL);
}

/* -- the control process's end -- */

static void
on_server_end(void *data)
{
    (void) data;
    fuzz_has_ended = true;
}

/* What the kernel calls it. */
static int
listen_somewhere(struct sockaddr_un *addr, socklen_t *len)
{
    int fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *addr = (struct sockaddr_un) { .sun_family = AF_UNIX };
    *len = sizeof(*addr);
    weir_assert(fd >= 0 && weir_sys_bind(fd, (struct sockaddr *) addr, sizeof(sa_family_t)) == 0);
    weir_assert(weir_sys_listen(fd, 16) == 0 && weir_sys_getsockname(fd, (struct sockaddr *) addr, len) == 0);
    return fd;
}

/* What the client has got, as far as it is whole.  A HEAD has no body: the check ends there. */
static void
read_client(int fd, bool master_is_sound)
{
    static const weir_h1_limits_t limits = { .max_line = 1024, .max_field = 16384, .max_head = 32768,
                                             .max_fields = 64 };
    ssize_t              n = weir_sys_recv(fd, fuzz_room, sizeof(fuzz_room), 0);
    weir_str_t           left = weir_str(fuzz_room, n > 0 ? (size_t) n : 0);
    weir_response_head_t head;
    weir_arena_t         arena;
    size_t               len;

    weir_arena_init(&arena, 4096);
    while (left.len > 12 && memcmp(left.at, "HTTP/1.1 100", 12) != 0) {
        weir_h1_scan_t scan = { 0 };
        json_t        *body;

        if (weir_h1_scan(&scan, &limits, left.at, left.len, &len) != WEIR_H1_DONE) {
            break;                           /* of an answer that was read in part before */
        }
        weir_assert(weir_h1_parse_response(&head, weir_str(left.at, len), 64, &arena) == WEIR_H1_OK);
        weir_assert(head.content_length != WEIR_LENGTH_NONE);
        left = weir_str_skip(left, len);
        if (head.content_length > left.len || left.at[0] != '{') {
            break;
        }
        body = json_loadb(left.at, head.content_length, 0, NULL);
        weir_assert(json_is_object(body) || !master_is_sound);
        weir_assert(!master_is_sound || (head.status >= 400) == (json_object_get(body, "detail") != NULL));
        json_decref(body);
        left = weir_str_skip(left, head.content_length);
    }
    weir_arena_fini(&arena);
}

/* The number of the last request that is whole; 0: none came. */
static uint64_t
read_requests(int fd)
{
    static const uint32_t max[WEIR_FRAME_KINDS] = { [WEIR_FRAME_REQUEST] = WEIR_FRAME_MAX_REQUEST,
                                                    [WEIR_FRAME_SAID] = WEIR_FRAME_MAX_SAID };
    ssize_t      n = weir_sys_recv(fd, fuzz_room, sizeof(fuzz_room), 0);
    weir_str_t   left = weir_str(fuzz_room, n > 0 ? (size_t) n : 0);
    weir_frame_t frame;
    uint64_t     last = 0;

    while (left.len != 0 && weir_frames_cut(left, max, &frame) == WEIR_FRAMES_DONE) {
        if (frame.kind == WEIR_FRAME_REQUEST) {
            json_t *words = json_loadb(left.at + WEIR_FRAME_HEAD, frame.len, JSON_REJECT_DUPLICATES, NULL);

            weir_assert(json_is_string(json_object_get(words, "do")));
            json_decref(words);
            last = frame.id;
        }
        left = weir_str_skip(left, WEIR_FRAME_HEAD + frame.len);
    }
    return last;
}

static void
fuzz_control(weir_str_t script)
{
    weir_control_setup_t setup = { .loop = fuzz_loop, .owner = geteuid(), .mode = 0600, .on_end = on_server_end };
    int                  fds[2], clients[FUZZ_CLIENTS] = { -1, -1, -1 };
    uint64_t             last = 0, now;
    struct sockaddr_un   addr;
    socklen_t            len;
    step_t               step;
    bool                 is_sound = true;        /* what the master answers is its own */

    setup.listener = listen_somewhere(&addr, &len);
    weir_assert(weir_sys_socketpair(SOCK_STREAM, fds) == 0);
    setup.link = fds[0];
    weir_assert(weir_control_server_begin(&setup));
    for (unsigned i = 0; i < 200 && !fuzz_has_ended && next_step(&script, &step); i++) {
        int *client = &clients[(step.what >> 4) % FUZZ_CLIENTS];

        if (*client < 0 && step.what % 8 < 5) {
            *client = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            if (weir_sys_connect(*client, (struct sockaddr *) &addr, len) != 0) {
                (void) weir_sys_close(*client);
                *client = -1;
            }
        }
        switch (step.what % 8) {
        case 5:
            is_sound = false;
            say(fds[1], step.bytes);
            break;
        case 6:
            is_sound = false;
            say_frame(fds[1], WEIR_FRAME_ANSWER, step.bytes.len % 2 == 0 ? 200 : 409, last, step.bytes);
            break;
        case 7:
            if (*client >= 0 && step.bytes.len == 0) {
                (void) weir_sys_close(*client);
                *client = -1;
            } else if (*client >= 0) {
                (void) weir_sys_shutdown(*client, SHUT_WR);
            }
            break;
        default:
            say(*client, step.bytes);
        }
        turn();
        now = read_requests(fds[1]);
        last = now != 0 ? now : last;
        if (step.what % 8 == 4 && last != 0) {
            say_frame(fds[1], WEIR_FRAME_ANSWER, 200, last, WEIR_STR("{\"ok\":true}"));
            turn();
            read_client(*client, is_sound);
        }
    }
    (void) weir_sys_close(fds[1]);
    turn();
    for (size_t i = 0; i < FUZZ_CLIENTS; i++) {
        if (clients[i] >= 0) {
            (void) weir_sys_close(clients[i]);
        }
    }
    weir_control_server_end();
    turn();
    weir_assert(weir_loop_watches(fuzz_loop) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t script = weir_str((const char *) data, size);

    if (fuzz_loop == NULL) {
        weir_log_main.level = WEIR_LOG_EMERG;
        weir_clock_update();
        fuzz_generation = build();
        fuzz_loop = weir_loop_create(64);
    }
    fuzz_has_ended = false;
    if (size != 0 && script.at[0] == 'M') {
        fuzz_master(weir_str_skip(script, 1));
    } else if (size != 0) {
        fuzz_control(weir_str_skip(script, 1));
    }
    return 0;
}
