/*
 * ledger.c - what was asked, what was answered and what was written down: every request has a tag, every answer of an
 * upstream an id.
 *
 * A client sends its tag in X-Tag, which goes upstream as it is; an upstream that knows whom it answers says its
 * answer's id in X-Answer.  Bodies are made of the tag or the id and the place in the body, so that whoever reads a
 * byte knows whether it stands where it was sent.  What must hold:
 *
 *     a client reads an answer that was made for its request, in order, and all of it when the answer ended cleanly;
 *     an upstream reads a request's body so
 *     the access log has one record of each request, with the status that the client read
 *     what a run added to the process's row of statistics is what the run's records say
 *
 * A peer that sent what may be taken in more than one way is blind from then on: what it sent proves nothing (seen_t).
 */
#include "world.h"

#include "log/files.h"
#include "shm/stats.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LEDGER_REQUESTS 2048             /* of a run; those beyond have no tag */
#define LEDGER_ANSWERS  2048
#define LEDGER_LOG      (1 << 20)

typedef struct {
    uint64_t sent;                       /* bytes of its body */
    bool     is_ended, is_blind, is_tunnel;
    bool     is_made_anew;               /* gRPC-Web's bodies are not those that are sent on */
    bool     was_upstream;
    unsigned status;                     /* of the final head that its client read; 0: none */
    unsigned records, logged;            /* in the access log; the status there */
    const seen_t *client;
} request_t;

typedef struct {
    uint32_t tag;                        /* 0: whoever reads it */
    uint64_t sent;
    bool     is_ended, is_blind;
} answer_t;

typedef struct { uint64_t requests, sent, received, statuses[WEIR_STATS_STATUSES]; } sums_t;

static request_t requests[LEDGER_REQUESTS];
static answer_t  made_answers[LEDGER_ANSWERS];
static uint32_t  n_requests, n_answers, ledger_run;
static sums_t    ledger_before, ledger_read;
static int       ledger_fd = -1;

/* -- tags: a run's number and a place in the table; never 0 -- */

static uint32_t
ledger_number(uint32_t place)
{
    return (ledger_run & 0xfffff) << 12 | (place + 1);
}

static request_t *
ledger_request(uint32_t tag)
{
    uint32_t place = (tag & 0xfff) - 1;

    return tag != 0 && tag == ledger_number(place) && place < n_requests ? &requests[place] : NULL;
}

static answer_t *
ledger_answer(uint32_t id)
{
    uint32_t place = (id & 0xfff) - 1;

    return id != 0 && id == ledger_number(place) && place < n_answers ? &made_answers[place] : NULL;
}

uint32_t
ledger_read_number(const char *at, size_t len)
{
    uint32_t value = 0;

    for (size_t i = 0; i < len; i++) {
        const char *digit = strchr("0123456789abcdef", at[i]);
        if (len != LEDGER_DIGITS || digit == NULL || at[i] == '\0') {
            return 0;
        }
        value = value << 4 | (uint32_t) (digit - "0123456789abcdef");
    }
    return value;
}

/* -- what a body is made of -- */

static void
ledger_fill(char *out, size_t n, uint32_t of, uint64_t at)
{
    for (size_t i = 0; i < n; i++, at++) {
        out[i] = (char) (((of * 0x85ebca6bu ^ (uint32_t) (at >> 8) * 0x9e3779b1u) >> 24) + at);
    }
}

const char *
ledger_bytes(size_t n, uint32_t of, uint64_t at)
{
    static char room[65536];

    ledger_fill(room, weir_min(n, sizeof(room)), of, at);
    return room;
}

static void
ledger_compare(const char *whose, const seen_body_t *body, const char *at, size_t n)
{
    for (size_t done = 0; done < n; ) {
        size_t part = weir_min(n - done, (size_t) 65536);
        if (memcmp(at + done, ledger_bytes(part, body->of, body->at + done), part) != 0) {
            world_fail("%s: bytes %llu and on are not those of %08x", whose, (unsigned long long) (body->at + done),
                       body->of);
        }
        done += part;
    }
}

/* -- a client's side -- */

uint32_t
ledger_ask(const seen_t *client, bool is_made_anew, bool is_tunnel)
{
    if (n_requests == LEDGER_REQUESTS) {
        return 0;
    }
    requests[n_requests] = (request_t) { .is_made_anew = is_made_anew || is_tunnel, .is_tunnel = is_tunnel,
                                         .is_blind = client->is_blind, .client = client };
    return ledger_number(n_requests++);
}

void
ledger_sent(uint32_t tag, size_t n, bool ends)
{
    request_t *request = ledger_request(tag);

    if (request != NULL) {
        request->is_blind = request->is_blind || request->is_ended;      /* more than it can be */
        request->sent += n;
        request->is_ended = request->is_ended || ends;
    }
}

void
ledger_request_is_blind(uint32_t tag)
{
    request_t *request = ledger_request(tag);

    if (request != NULL) {
        request->is_blind = true;
    }
}

void
ledger_client_is_blind(const seen_t *client)
{
    for (uint32_t i = 0; i < n_requests; i++) {
        requests[i].is_blind = requests[i].is_blind || requests[i].client == client;
    }
}

/* A peer that begins anew: what was asked before is not its own any more. */
void
ledger_client_left(const seen_t *client)
{
    for (uint32_t i = 0; i < n_requests; i++) {
        if (requests[i].client == client) {
            requests[i].client = NULL;
        }
    }
}

void
ledger_final(uint32_t tag, unsigned status, uint32_t id, seen_body_t *body, bool is_other)
{
    request_t *request = ledger_request(tag);
    answer_t *answer = ledger_answer(id);

    *body = (seen_body_t) { .of = 0 };
    if (id != 0 && answer == NULL) {
        world_fail("an answer of another run, %08x", id);
    }
    if (request == NULL || request->is_blind) {
        return;
    }
    request->status = status;
    if (answer != NULL && answer->tag != 0 && answer->tag != tag) {
        world_fail("request %08x is answered with %08x, which was made for %08x", tag, id, answer->tag);
    }
    if (answer != NULL && !answer->is_blind && !request->is_made_anew && !is_other) {
        body->of = id;
    }
}

/* -- an upstream's side -- */

uint32_t
ledger_make_answer(uint32_t tag)
{
    if (n_answers == LEDGER_ANSWERS) {
        return 0;
    }
    made_answers[n_answers] = (answer_t) { .tag = tag };
    return ledger_number(n_answers++);
}

void
ledger_answer_sent(uint32_t id, size_t n, bool ends)
{
    answer_t *answer = ledger_answer(id);

    if (answer != NULL) {
        answer->is_blind = answer->is_blind || answer->is_ended;
        answer->sent += n;
        answer->is_ended = answer->is_ended || ends;
    }
}

void
ledger_answer_is_blind(uint32_t id)
{
    answer_t *answer = ledger_answer(id);

    if (answer != NULL) {
        answer->is_blind = true;
    }
}

void
ledger_upstream(uint32_t tag, seen_body_t *body)
{
    request_t *request = ledger_request(tag);

    *body = (seen_body_t) { .of = 0 };
    if (request != NULL) {
        request->was_upstream = true;
        body->of = request->is_blind || request->is_made_anew ? 0 : tag;
    }
}

/* -- bodies as they are read -- */

void
ledger_body(bool by_client, seen_body_t *body, const char *at, size_t n)
{
    const answer_t *answer = by_client ? ledger_answer(body->of) : NULL;
    const request_t *request = by_client ? NULL : ledger_request(body->of);
    bool is_blind = by_client ? answer == NULL || answer->is_blind : request == NULL || request->is_blind;

    if (!is_blind) {
        ledger_compare(by_client ? "an answer" : "a request's body", body, at, n);
        if (body->at + n > (by_client ? answer->sent : request->sent)) {
            world_fail("%s: %08x is longer than what was sent", by_client ? "an answer" : "a request's body", body->of);
        }
    }
    body->at += n;
}

/* It ended cleanly.  A request that is sent on without its body, as to auth_request's location, has none. */
void
ledger_body_ends(bool by_client, const seen_body_t *body)
{
    const answer_t *answer = by_client ? ledger_answer(body->of) : NULL;
    const request_t *request = by_client ? NULL : ledger_request(body->of);

    if (answer != NULL && !answer->is_blind && (!answer->is_ended || body->at != answer->sent)) {
        world_fail("an answer, %08x, ends cleanly with %llu bytes of %llu%s", body->of, (unsigned long long) body->at,
                   (unsigned long long) answer->sent, answer->is_ended ? "" : " and more");
    }
    if (request != NULL && !request->is_blind && body->at != 0 && (!request->is_ended || body->at != request->sent)) {
        world_fail("a request's body, %08x, ends cleanly with %llu bytes of %llu%s", body->of,
                   (unsigned long long) body->at, (unsigned long long) request->sent,
                   request->is_ended ? "" : " and more");
    }
}

/* -- a run -- */

static void
ledger_sums(sums_t *sums)
{
    const weir_stats_row_t *row = weir_stats_mine(WEIR_STATS_PROCESS);

    *sums = (sums_t) { .requests = row->requests, .sent = row->sent, .received = row->received };
    memcpy(sums->statuses, row->statuses, sizeof(sums->statuses));
}

void
ledger_begin(void)
{
    char path[128];

    n_requests = n_answers = 0;
    ledger_run++;
    if (ledger_fd < 0) {
        snprintf(path, sizeof(path), "%s/access", world.dir);
        ledger_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    ledger_sums(&ledger_before);
    memset(&ledger_read, 0, sizeof(ledger_read));
}

/* "TAG STATUS SENT RECEIVED ...": a subrequest's record, which received nothing itself, counts in the sums only. */
static void
ledger_record(const char *line)
{
    char tag[16] = "";
    unsigned status = 0;
    unsigned long long sent = 0, received = 0;
    request_t *request;

    if (sscanf(line, "%15s %u %llu %llu", tag, &status, &sent, &received) != 4) {
        world_fail("no record of the access log: %.80s", line);
    }
    ledger_read.requests++;
    ledger_read.sent += sent;
    ledger_read.received += received;
    if (status >= 100 && status < 600) {
        ledger_read.statuses[weir_stats_status(status)]++;
    }
    request = received != 0 ? ledger_request(ledger_read_number(tag, strlen(tag))) : NULL;
    if (request != NULL) {
        request->records++;
        request->logged = status;
    }
}

static void
ledger_read_log(void)
{
    static char room[LEDGER_LOG];
    ssize_t n;

    weir_log_files_flush();
    n = pread(ledger_fd, room, sizeof(room) - 1, 0);
    if (n < 0 || (size_t) n == sizeof(room) - 1 || ftruncate(ledger_fd, 0) != 0) {
        world_fail("the access log");
    }
    room[n] = '\0';
    if (getenv("STACK_TELL") != NULL) {
        fputs(room, stderr);                 /* for who makes an input */
    }
    for (char *line = room, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        ledger_record(line);
    }
}

static void
ledger_same(const char *what, uint64_t counted, uint64_t logged)
{
    if (counted != logged) {
        world_fail("statistics count %llu %s, the access log %llu", (unsigned long long) counted, what,
                   (unsigned long long) logged);
    }
}

static void
ledger_check_sums(void)
{
    sums_t now;

    ledger_sums(&now);
    ledger_same("requests", now.requests - ledger_before.requests, ledger_read.requests);
    ledger_same("bytes sent", now.sent - ledger_before.sent, ledger_read.sent);
    ledger_same("bytes received", now.received - ledger_before.received, ledger_read.received);
    for (uint32_t i = 100; i < 600; i++) {
        uint32_t at = weir_stats_status(i);
        char what[32];
        (void) snprintf(what, sizeof(what), "answers of status %u", i);
        ledger_same(what, now.statuses[at] - ledger_before.statuses[at], ledger_read.statuses[at]);
    }
}

/* Of one whose head was refused no fields are known, the tag neither.  A tunnel's 101 is told as 200 over HTTP/2. */
static void
ledger_check_request(const request_t *request, uint32_t tag)
{
    bool is_refused = !request->was_upstream && (request->status == 0 || request->status / 100 == 4);
    unsigned logged = request->is_tunnel && request->logged == 101 ? 200 : request->logged;

    if (request->records > 1 || (request->records == 0 && !is_refused)) {
        world_fail("request %08x has %u records in the access log", tag, request->records);
    }
    if (request->records != 0 && request->status != 0 && logged != request->status) {
        world_fail("request %08x was answered %u and is logged as %u", tag, request->status, request->logged);
    }
}

void
ledger_check(void)
{
    ledger_read_log();
    for (uint32_t i = 0; i < n_requests; i++) {
        if (!requests[i].is_blind) {
            ledger_check_request(&requests[i], ledger_number(i));
        }
    }
    ledger_check_sums();
}
