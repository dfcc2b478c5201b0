/*
 * story.h - what the recorder keeps of a request (shm/story.h).
 */
#ifndef WEIR_HTTP_STORY_H
#define WEIR_HTTP_STORY_H

#include "http/request.h"

/* A policy has judged the request: "limit_req rate PASSED" in its story.  name and verdict live as long as the
 * request. */
void weir_http_story_judged(weir_request_t *req, const char *policy, weir_str_t name, weir_str_t verdict);
/* The same of what is known when the configuration is read, which costs a request less. */
typedef struct { const char *policy; weir_str_t name, verdict, line; } weir_verdict_t;
/* name and verdict live as long as the arena. */
weir_verdict_t weir_http_story_prepare(weir_arena_t *arena, const char *policy, weir_str_t name, weir_str_t verdict);
void weir_http_story_say(weir_request_t *req, const weir_verdict_t *verdict);
/* Weir itself answers with an error: `weir why` will find it by its $request_id, which log and page show.  Nothing
 * without a recorder. */
void weir_http_story_name(weir_request_t *req);
/* Once, when it is over. */
void weir_http_story_tell(const weir_request_t *req);

#endif
