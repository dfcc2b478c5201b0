/*
 * story.c - see story.h.  Runs in workers; a verdict is a small allocation in the request's arena.
 */
#include "http/record/story.h"

#include "shm/story.h"

#include <string.h>

#define STORY_VERDICT 64                     /* bytes of a policy, a zone and what was said */
#define STORY_NAME    12                     /* of them the zone's */

/* line.at == NULL: it is still to be made of the others. */
struct weir_verdict { struct weir_verdict *next; weir_str_t line; const char *policy; weir_str_t name, verdict; };

static struct weir_verdict *
story_add(weir_request_t *req)
{
    struct weir_verdict *v = weir_alloc(&req->arena, sizeof(*v)), **end = &req->verdicts;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    v->next = NULL;
    return *end = v;
}

void
weir_http_story_judged(weir_request_t *req, const char *policy, weir_str_t name, weir_str_t verdict)
{
    struct weir_verdict *v;

    weir_assert(policy != NULL);
    if (weir_unlikely(req->witness != NULL)) {
        req->witness->judged(req->witness, policy, name, verdict);
        return;
    }
    if (!weir_stories_are_on()) {
        return;
    }
    v = story_add(req);
    v->line = WEIR_STR_NONE;
    v->policy = policy;
    v->name = name;
    v->verdict = verdict;
}

void
weir_http_story_say(weir_request_t *req, const weir_verdict_t *verdict)
{
    weir_assert(verdict->line.at != NULL);           /* it was prepared */
    if (weir_unlikely(req->witness != NULL)) {
        req->witness->judged(req->witness, verdict->policy, verdict->name, verdict->verdict);
    } else if (weir_stories_are_on()) {
        story_add(req)->line = verdict->line;
    }
}

void
weir_http_story_name(weir_request_t *req)
{
    if (weir_stories_are_on()) {
        (void) weir_request_id(req);
    }
}

static uint32_t
story_ms(weir_msec_t time, bool happened)
{
    return happened ? (uint32_t) weir_min(time.ms, UINT32_MAX - 1) : UINT32_MAX;
}

static void
story_attempts(weir_story_t *story, const weir_request_t *req)
{
    uint32_t first = req->n_attempts > WEIR_STORY_ATTEMPTS ? req->n_attempts - WEIR_STORY_ATTEMPTS : 0;

    weir_assert(req->n_attempts <= req->cap_attempts);
    story->n_attempts = req->n_attempts;
    for (uint32_t i = first; i < req->n_attempts; i++) {
        const weir_attempt_t *attempt = &req->attempts[i];
        weir_story_attempt_t *its = &story->attempts[i - first];

        weir_story_put(story, WEIR_STORY_PEER + i - first, attempt->peer);
        its->status = attempt->status;
        its->cause = (uint16_t) attempt->cause;
        its->connect_ms = story_ms(attempt->connect_time, attempt->connected);
        its->header_ms = story_ms(attempt->header_time, attempt->has_header);
        its->response_ms = story_ms(attempt->response_time, true);
    }
}

/* No printf: a request that a limit let pass has one of these. */
static size_t
story_append(char *room, size_t n, weir_str_t text, size_t most)
{
    size_t len = weir_min(weir_min(text.len, most), STORY_VERDICT - n);

    weir_assert(n <= STORY_VERDICT);
    if (len != 0) {
        memcpy(room + n, text.at, len);
    }
    return n + len;
}

static weir_str_t
story_line(char room[STORY_VERDICT], const char *policy, weir_str_t name, weir_str_t verdict)
{
    size_t n = story_append(room, 0, weir_str_from_z(policy), STORY_VERDICT);

    n = story_append(room, n, WEIR_STR(" "), 1);
    n = story_append(room, n, name, STORY_NAME);
    n = story_append(room, n, WEIR_STR(" "), 1);
    n = story_append(room, n, verdict, STORY_VERDICT);
    return weir_str(room, n);
}

weir_verdict_t
weir_http_story_prepare(weir_arena_t *arena, const char *policy, weir_str_t name, weir_str_t verdict)
{
    char room[STORY_VERDICT];

    return (weir_verdict_t) { policy, name, verdict,
                              weir_str_dup(arena, story_line(room, policy, name, verdict)) };
}

static void
story_verdicts(weir_story_t *story, const weir_request_t *req)
{
    char room[STORY_VERDICT];

    for (const struct weir_verdict *v = req->verdicts; v != NULL && story->n_verdicts < WEIR_STORY_VERDICTS;
         v = v->next) {
        weir_story_put(story, WEIR_STORY_VERDICT + story->n_verdicts++,
                       v->line.at != NULL ? v->line : story_line(room, v->policy, v->name, v->verdict));
    }
}

void
weir_http_story_tell(const weir_request_t *req)
{
    weir_story_t *story;

    if (!weir_stories_are_on() || req->witness != NULL) {
        return;
    }
    story = weir_story_begin();
    story->has_id = req->id_text != NULL;
    story->id[0] = req->id[0];
    story->id[1] = req->id[1];
    story->wall_ms = req->started_wall_ms;
    story->total_us = req->total_us;
    story->received = req->received;
    story->sent = req->res.bytes_sent;
    story->connection = req->client->number;
    story->status = weir_request_status(req);
    story->cause = (uint16_t) req->cause;
    story->version = req->version;
    story->is_tls = req->client->is_tls;
    weir_story_put(story, WEIR_STORY_METHOD, req->head.method_name);
    weir_story_put(story, WEIR_STORY_HOST, req->host);
    weir_story_put(story, WEIR_STORY_TARGET, req->head.target);
    weir_story_put(story, WEIR_STORY_CLIENT, req->client->text);
    weir_story_put(story, WEIR_STORY_SERVER, req->server != NULL ? req->server->primary_name : WEIR_STR_NONE);
    weir_story_put(story, WEIR_STORY_LOCATION, req->location != NULL ? req->location->name : WEIR_STR_NONE);
    weir_story_put(story, WEIR_STORY_DETAIL, weir_str_from_z(req->detail));
    story_attempts(story, req);
    story_verdicts(story, req);
    weir_story_end(story);
}
