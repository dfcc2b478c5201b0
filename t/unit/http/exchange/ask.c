/*
 * A question of Weir's own is asked of a group of peers: answered, held, refused, retried, bounded and cancelled as its
 * header says.
 *
 * The peers are scripted in the same thread: a turn of the loop, then what the script says.
 */
#define _GNU_SOURCE 1

#include "http/exchange/ask.h"

#include "conf/generation.h"
#include "http/http.h"
#include "log/log.h"
#include "os/file.h"
#include "proc/common/areas.h"
#include "proc/common/settings.h"
#include "proc/common/shared.h"
#include "shm/slots.h"
#include "tap.h"
#include "tmp.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PEERS 2

static weir_loop_t *loop;
static weir_life_t *life;
static weir_serve_t *serve;
static weir_serve_t *serve;
static weir_http_t *http;
static weir_generation_t *generation;

/* -- peers -- */

static struct { int listener, fd; char got[65536]; size_t len; unsigned connections; } peers[PEERS];

static uint16_t
peer_listen(size_t i)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);

    peers[i].fd = -1;
    peers[i].listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(peers[i].listener, (struct sockaddr *) &addr, len) != 0 || listen(peers[i].listener, 16) != 0
        || getsockname(peers[i].listener, (struct sockaddr *) &addr, &len) != 0)
    {
        abort();
    }
    return ntohs(addr.sin_port);
}

static void
peer_turn(size_t i)
{
    int fd = accept4(peers[i].listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ssize_t n;

    if (fd >= 0) {
        if (peers[i].fd >= 0) {
            close(peers[i].fd);
        }
        peers[i].fd = fd;
        peers[i].len = 0;
        peers[i].connections++;
    }
    while (peers[i].fd >= 0 && (n = recv(peers[i].fd, peers[i].got + peers[i].len,
                                         sizeof(peers[i].got) - 1 - peers[i].len, 0)) > 0)
    {
        peers[i].len += (size_t) n;
        peers[i].got[peers[i].len] = '\0';
    }
}

static void
turn(void)
{
    weir_loop_turn(loop, (weir_msec_t) { 10 });
    for (size_t i = 0; i < PEERS; i++) {
        peer_turn(i);
    }
}

/* Until the peer has read this text; false: it does not come. */
static bool
peer_wait(size_t i, const char *text)
{
    for (int n = 0; n < 300; n++) {
        if (peers[i].fd >= 0 && strstr(peers[i].got, text) != NULL) {
            return true;
        }
        turn();
    }
    return false;
}

static void
peer_say(size_t i, const char *text)
{
    if (send(peers[i].fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t) strlen(text)) {
        abort();
    }
    peers[i].len = 0;
    peers[i].got[0] = '\0';
}

static void
peer_close(size_t i)
{
    if (peers[i].fd >= 0) {
        close(peers[i].fd);
        peers[i].fd = -1;
    }
    peers[i].len = 0;
    peers[i].got[0] = '\0';
}

/* As much of a long body as goes. */
static void
peer_pour(size_t i)
{
    static char bytes[1 << 20];

    while (send(peers[i].fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0) { }
}

/* -- the asker -- */

static struct {
    weir_ask_t  *ask;
    char         body[65536];
    size_t       len;
    unsigned     heads, pieces, ends, parts_left;
    uint16_t     status;
    weir_cause_t cause;
    char         detail[128], trailer[64];
    const char  *refuses;                    /* answers of another status than 200 */
    bool         holds, cancels_at_head, cancels_at_body, refuses_body, source_waits;
} seen;

static void
asker_head(weir_ask_t *ask, const weir_response_head_t *head)
{
    seen.heads++;
    seen.len = 0;
    seen.status = head->status;
    if (seen.cancels_at_head) {
        weir_ask_cancel(ask);
    } else if (seen.refuses != NULL && head->status != 200) {
        weir_ask_refuse(ask, seen.refuses);
    }
}

static void
asker_body(weir_ask_t *ask, weir_str_t bytes)
{
    seen.pieces++;
    memcpy(seen.body + seen.len, bytes.at, weir_min(bytes.len, sizeof(seen.body) - seen.len));
    seen.len += weir_min(bytes.len, sizeof(seen.body) - seen.len);
    if (seen.cancels_at_body) {
        weir_ask_cancel(ask);
    } else if (seen.refuses_body) {
        weir_ask_refuse(ask, "such a body");
    } else if (seen.holds) {
        weir_ask_hold(ask);
    }
}

static void
asker_end(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    const weir_fields_t *trailers = weir_ask_trailers(ask);

    seen.ends++;
    seen.cause = cause;
    snprintf(seen.detail, sizeof(seen.detail), "%s", detail != NULL ? detail : "");
    if (trailers->n != 0) {
        snprintf(seen.trailer, sizeof(seen.trailer), "%.*s", WEIR_STR_ARG(trailers->at[0].value));
    }
}

static weir_io_t
asker_next(weir_ask_t *ask, weir_str_t *bytes)
{
    (void) ask;
    if (seen.holds || seen.source_waits) {
        return WEIR_AGAIN;
    }
    if (seen.parts_left == 0) {
        return WEIR_EOF;
    }
    seen.parts_left--;
    *bytes = WEIR_STR("part");
    return WEIR_OK;
}

static const weir_ask_handler_t asker = { .on_head = asker_head, .on_body = asker_body, .on_end = asker_end };
static const weir_ask_handler_t asker_with_source = { .next_body = asker_next, .on_head = asker_head,
                                                      .on_body = asker_body, .on_end = asker_end };

static weir_question_t
question(const char *group, const char *method)
{
    memset(&seen, 0, sizeof(seen));
    return (weir_question_t) {
        .http = http,
        .to = weir_upstream_running(generation, weir_upstream_find(generation, weir_str_from_z(group))->id),
        .codec = &weir_peer_h1,
        .conf = weir_ask_conf(),
        .method = weir_str_from_z(method), .target = WEIR_STR("/ask?x=1"), .max_body = sizeof(seen.body),
        .handler = &asker,
    };
}

static void
wait_end(void)
{
    for (int n = 0; n < 500 && seen.ends == 0; n++) {
        turn();
    }
}

static void
start(const weir_question_t *q)
{
    seen.ask = weir_ask(q);
    if (seen.ask == NULL) {
        abort();
    }
}

/* -- the tests -- */

static void
test_answered(void)
{
    weir_ask_field_t fields[] = { { WEIR_STR("Accept"), WEIR_STR("text/plain") },
                                  { WEIR_STR("X-Own"), WEIR_STR("1") } };
    weir_question_t q = question("one", "GET");

    q.fields = fields;
    q.n_fields = 2;
    start(&q);
    is_int(seen.ends, 0, "nothing is called from within the start");
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    ok(strncmp(peers[0].got, "GET /ask?x=1 HTTP/1.1\r\nHost: one\r\n", 34) == 0, "its line and its host");
    ok(strstr(peers[0].got, "\r\nAccept: text/plain\r\nX-Own: 1\r\n") != NULL, "its fields");
    ok(strstr(peers[0].got, "Content-Length") == NULL, "no length where there is no body");
    peer_say(0, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
                "chunked\r\n\r\n5\r\nhello\r\n0\r\nX-End: yes\r\n\r\n");
    wait_end();
    is_int(seen.heads, 1, "one head is told");
    is_int(seen.status, 200, "its status");
    is_str(weir_str(seen.body, seen.len), "hello", "its body");
    is_int(seen.cause, WEIR_CAUSE_NONE, "the end is a good one");
    ok(strcmp(seen.trailer, "yes") == 0, "the trailers are there at the end");
}

static void
test_kept(void)
{
    weir_question_t q = question("one", "GET");
    unsigned before = peers[0].connections;

    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "another question comes");
    is_int(peers[0].connections, before, "on the kept connection");
    peer_say(0, "HTTP/1.1 204 No Content\r\n\r\n");
    wait_end();
    is_int(seen.status, 204, "it is answered");
    is_int(seen.len, 0, "without a body");
}

static void
test_whole_body(void)
{
    static char large[100000];
    weir_question_t q = question("one", "POST");

    q.body = WEIR_STR("what?");
    start(&q);
    ok(peer_wait(0, "what?"), "a small body goes along");
    ok(strstr(peers[0].got, "Content-Length: 5\r\n") != NULL, "with its length");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "!", "it is answered");
    memset(large, 'x', sizeof(large));
    q = question("one", "POST");
    q.body = weir_str(large, sizeof(large));
    start(&q);
    ok(peer_wait(0, "Content-Length: 100000\r\n"), "one that is larger than the send buffer, too");
    for (int n = 0; n < 200 && strstr(peers[0].got, "\r\n\r\n") != NULL; n++) {
        peers[0].len = 0;                    /* swallow it */
        turn();
        if (peers[0].len == 0) {
            break;
        }
    }
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n?");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "?", "and is answered");
    peer_close(0);
}

static void
test_source(void)
{
    weir_question_t q = question("one", "POST");

    q.handler = &asker_with_source;
    q.length = WEIR_LENGTH_NONE;
    seen.parts_left = 3;
    seen.holds = true;
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the head goes before the body is there");
    ok(strstr(peers[0].got, "Transfer-Encoding: chunked\r\n") != NULL, "and says that its length is not known");
    turn();
    ok(strstr(peers[0].got, "part") == NULL, "nothing of it goes while the source has nothing");
    seen.holds = false;
    weir_ask_go_on(seen.ask);
    ok(peer_wait(0, "0\r\n\r\n"), "the pieces go when it has, and the end");
    ok(strstr(peers[0].got, "4\r\npart\r\n4\r\npart\r\n4\r\npart\r\n0\r\n\r\n") != NULL, "all three of them");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "ok", "it is answered");
    peer_close(0);
}

static void
test_hold(void)
{
    weir_question_t q = question("one", "GET");

    q.conf.read_timeout.ms = 50;
    start(&q);
    seen.holds = true;
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    for (int n = 0; n < 20 && seen.pieces == 0; n++) {
        turn();
    }
    is_int(seen.pieces, 1, "a piece comes, and is held");
    peer_say(0, "def");
    for (int n = 0; n < 20; n++) {
        turn();                              /* longer than read_timeout */
    }
    is_int(seen.pieces, 1, "no more is told while it is held");
    is_int(seen.ends, 0, "and the peer is not to blame for the time");
    seen.holds = false;
    weir_ask_go_on(seen.ask);
    is_int(seen.pieces, 1, "nothing is called from within");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "abcdef", "the rest comes after");
    peer_close(0);
}

static void
test_next_peer(void)
{
    weir_question_t q = question("two", "GET");
    size_t first;

    start(&q);
    for (int n = 0; n < 300 && peers[0].len == 0 && peers[1].len == 0; n++) {
        turn();
    }
    first = peers[0].len != 0 ? 0 : 1;
    peer_close(first);
    ok(peer_wait(1 - first, "\r\n\r\n"), "a peer that closes is followed by the next");
    peer_say(1 - first, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "2", "whose answer counts");
    peer_close(0);
    peer_close(1);
    q = question("two", "POST");
    q.body = WEIR_STR("once");
    start(&q);
    for (int n = 0; n < 300 && peers[0].len == 0 && peers[1].len == 0; n++) {
        turn();
    }
    peer_close(peers[0].len != 0 ? 0 : 1);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_CLOSED, "what would do harm twice is asked once");
    peer_close(0);
    peer_close(1);
}

/* All that the peer is sent until nothing comes any more, or so much has. */
static size_t
peer_swallow(size_t i, size_t enough)
{
    size_t all = 0;

    for (int n = 0; n < 300 && all < enough; n++) {
        all += peers[i].len;
        peers[i].len = 0;
        turn();
    }
    return all + peers[i].len;
}

/* A kept connection that closes as it is asked again: the same is asked on a new one, with its body. */
static void
test_race_of_a_long_body(void)
{
    static char     large[100000];
    weir_question_t q = question("one", "GET");
    unsigned        connections;

    memset(large, 'x', sizeof(large));
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "a question");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    wait_end();
    connections = peers[0].connections;
    q = question("one", "POST");
    q.body = weir_str(large, sizeof(large));
    q.may_repeat = true;
    start(&q);
    ok(peer_swallow(0, sizeof(large) + 1) > sizeof(large), "a long one comes on the same connection");
    is_int(peers[0].connections, connections, "which is no new one");
    peer_close(0);
    ok(peer_wait(0, "Content-Length: 100000\r\n"), "when it closes, the question comes on another one");
    is_int(peers[0].connections, connections + 1, "which is new");
    ok(peer_swallow(0, sizeof(large) + 1) > sizeof(large), "with all of its body");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "!", "and is answered");
    peer_close(0);
}

static void
test_refused(void)
{
    weir_question_t q = question("two", "POST");
    size_t first;

    q.body = WEIR_STR("x");
    q.may_repeat = true;
    seen.refuses = "not 200";
    start(&q);
    for (int n = 0; n < 300 && peers[0].len == 0 && peers[1].len == 0; n++) {
        turn();
    }
    first = peers[0].len != 0 ? 0 : 1;
    peer_say(first, "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx");
    ok(peer_wait(1 - first, "\r\n\r\nx"), "an answer that the asker refuses is followed by the next peer's");
    peer_say(1 - first, "HTTP/1.1 404 Oh\r\nContent-Length: 0\r\n\r\n");
    wait_end();
    is_int(seen.heads, 2, "both answers were shown");
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_ANSWER, "with nobody left it ends so");
    ok(strcmp(seen.detail, "not 200") == 0, "and says why");
    peer_close(0);
    peer_close(1);
}

/* The peer pours and turns are long: pieces told so far. */
static void
pour_until(size_t peer, unsigned pieces)
{
    for (int n = 0; n < 300 && seen.pieces < pieces; n++) {
        peer_pour(peer);
        turn();
    }
}

static void
test_refused_in_a_long_turn(void)
{
    weir_question_t q = question("two", "GET");
    size_t first;

    q.max_body = UINT64_MAX / 2;
    start(&q);
    for (int n = 0; n < 300 && peers[0].len == 0 && peers[1].len == 0; n++) {
        turn();
    }
    first = peers[0].len != 0 ? 0 : 1;
    peer_say(first, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
    pour_until(first, 40);
    ok(seen.pieces >= 40, "a long answer comes");
    seen.refuses_body = true;
    peer_pour(first);
    ok(peer_wait(1 - first, "\r\n\r\n"), "a body that is refused in the middle is followed by the next peer's");
    seen.refuses_body = false;
    peer_say(1 - first, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
    wait_end();
    is_str(weir_str(seen.body, seen.len), "2", "whose answer counts");
    is_int(seen.cause, WEIR_CAUSE_NONE, "and is a whole one");
    peer_close(0);
    peer_close(1);
}

/* The answer comes as the question still goes: neither stops the other. */
static void
test_source_in_a_long_turn(void)
{
    weir_question_t q = question("one", "POST");

    q.handler = &asker_with_source;
    q.length = WEIR_LENGTH_NONE;
    q.max_body = UINT64_MAX / 2;
    seen.source_waits = true;
    seen.parts_left = 3;
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the head goes");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
    pour_until(0, 40);
    seen.source_waits = false;
    peer_pour(0);
    weir_ask_go_on(seen.ask);
    pour_until(0, seen.pieces + 40);
    ok(peer_wait(0, "0\r\n\r\n"), "the pieces go while the answer comes, and the end");
    weir_ask_cancel(seen.ask);
    turn();
    peer_close(0);
}

static void
test_limits(void)
{
    weir_question_t q = question("one", "GET");

    q.max_body = 4;
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde");
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_BODY_TOO_LARGE, "an answer that is too long ends it");
    is_int(seen.pieces, 0, "and is not told");
    peer_close(0);
    q = question("one", "GET");
    q.limit.ms = 30;
    start(&q);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_DEADLINE, "the limit of time ends it, whatever the peer does");
    peer_close(0);
    q = question("one", "GET");
    q.conf.read_timeout.ms = 30;
    start(&q);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, "so does a peer that says nothing");
    peer_close(0);
    q = question("one", "GET");
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    turn();
    peer_close(0);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE, "a cut answer is not a whole one");
    q = question("down", "GET");
    start(&q);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_NONE, "nobody may be asked");
    q = question("refuses", "GET");
    start(&q);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_CONNECT_REFUSED, "nobody listens");
}

static void
test_cancel(void)
{
    weir_question_t q = question("one", "GET");

    start(&q);
    weir_ask_cancel(seen.ask);
    turn();
    q = question("one", "GET");
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    weir_ask_cancel(seen.ask);
    turn();
    peer_close(0);
    q = question("one", "GET");
    seen.cancels_at_head = true;
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde");
    for (int n = 0; n < 50 && seen.heads == 0; n++) {
        turn();
    }
    turn();
    is_int(seen.pieces + seen.ends, 0, "cancelled at the head: nothing more is called");
    peer_close(0);
    q = question("one", "GET");
    seen.cancels_at_body = true;
    start(&q);
    ok(peer_wait(0, "\r\n\r\n"), "the question comes");
    peer_say(0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    for (int n = 0; n < 50 && seen.pieces == 0; n++) {
        turn();
    }
    turn();
    is_int(seen.ends, 0, "cancelled at the body: nothing more is called");
    weir_ask_cancel(NULL);
    peer_close(0);
}

/* Of this very worker, over HTTP/2: questions share a connection. */
static void
test_h2(void)
{
    weir_question_t q = question("self", "GET");

    q.codec = &weir_peer_h2;
    q.conf.http_version = 20;
    q.target = WEIR_STR("/hello");
    start(&q);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_NONE, "a question over HTTP/2 is answered");
    is_int(seen.status, 200, "its status");
    is_str(weir_str(seen.body, seen.len), "hello", "its body");
    is_int(weir_serve_busy(serve), 1, "over one connection");
    q = question("self", "POST");
    q.codec = &weir_peer_h2;
    q.conf.http_version = 20;
    q.body = WEIR_STR("body");
    q.target = WEIR_STR("/none");
    seen.refuses = "not this";
    start(&q);
    wait_end();
    is_int(seen.cause, WEIR_CAUSE_UPSTREAM_ANSWER, "another answer is refused");
    is_int(weir_serve_busy(serve), 1, "it came over the same connection");
}

static void
listen_self(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    weir_addr_t addr;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path, sizeof(name.sun_path), "%s", tmp_path("s"));
    if (bind(fd, (struct sockaddr *) &name, sizeof(name)) != 0 || listen(fd, 8) != 0
        || !weir_addr_from_unix(&addr, weir_str_from_z(tmp_path("s")))
        || !weir_accept_listen(serve, &addr, fd, true))
    {
        abort();
    }
}

static void
begin(void)
{
    const char *path = tmp_path("weir.conf");
    weir_conf_source_t source = { .prefix = weir_str_from_z(tmp_path("")), .file = weir_str_from_z(path) };
    weir_bundle_t *bundle = weir_bundle_create();
    weir_error_t error = { .text = "" };
    uint16_t first = peer_listen(0), second = peer_listen(1);
    weir_settings_t settings;
    char text[1024];

    snprintf(text, sizeof(text),
             "events { }\nhttp { access_log off; upstream one { server 127.0.0.1:%u max_fails=0; keepalive 4; }\n"
             "upstream two { server 127.0.0.1:%u max_fails=0; server 127.0.0.1:%u max_fails=0; }\n"
             "upstream down { server 127.0.0.1:%u down; } upstream refuses { server 127.0.0.1:1; }\n"
             "upstream self { server unix:%s; }\n"
             "server { listen unix:%s; http2 on; location = /hello { return 200 hello; } location / { return 404; } } "
             "}\n",
             first, first, second, first, tmp_path("s"), tmp_path("s"));
    if (!weir_file_write(path, weir_str_from_z(text))) {
        abort();
    }
    generation = weir_generation_build(bundle, &source, 1, &error);
    weir_bundle_destroy(bundle);
    if (generation == NULL) {
        printf("Bail out! %s\n", error.text);
        exit(1);
    }
    loop = weir_loop_create(64);
    weir_settings_read(&settings, generation);
    if (loop == NULL || !weir_shared_open(loop, &settings) || !weir_slots_take(getpid())) {
        abort();
    }
    life = weir_life_create(loop);
    serve = weir_serve_create(life, weir_areas, generation, 64);
    http = weir_http_of(serve);
    listen_self();
}

int
main(void)
{
    static weir_log_sink_t quiet = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = 2 };

    signal(SIGPIPE, SIG_IGN);
    weir_log_use(&quiet);
    begin();
    test_answered();
    test_kept();
    test_whole_body();
    test_race_of_a_long_body();
    test_source();
    test_hold();
    test_next_peer();
    test_refused();
    test_refused_in_a_long_turn();
    test_source_in_a_long_turn();
    test_limits();
    test_cancel();
    test_h2();
    weir_serve_stop(serve);
    weir_life_end(life);
    weir_serve_destroy(serve);
    weir_life_destroy(life);
    weir_generation_unref(generation);
    weir_loop_turn(loop, (weir_msec_t) { 0 });
    weir_loop_destroy(loop);
    return done();
}
