/*
 * fate.h - what becomes of a request by one configuration, as far as two configurations are to be compared by it: where
 * it goes, what is answered, and which policies it had to pass.
 *
 * `weir diff` and `weir reload --guard` ask two of them the same.  A fate borrows from the probe of its side: until the
 * next request there.
 */
#ifndef WEIR_TOOL_FATE_H
#define WEIR_TOOL_FATE_H

#include "tool/explain_facts.h"

#define WEIR_FATE_GUARDS_MAX 16
#define WEIR_FATE_MODULES    256

/* One thing that every request of a place has to pass: a policy, or one of several (satisfy any). */
typedef struct {
    uint64_t                 any[WEIR_FATE_MODULES / 64];    /* whose; bits by module */
    uint32_t                 weight;         /* requirements of the same policy */
    bool                     is_identity;    /* asks for an identity, not only where the client is or what it sends */
    const char              *name;
    const weir_conf_words_t *words;          /* NULL: nowhere */
} weir_fate_guard_t;

typedef struct { weir_fate_guard_t at[WEIR_FATE_GUARDS_MAX]; size_t n; } weir_fate_guards_t;

typedef enum { WEIR_FATE_NO_LISTENER, WEIR_FATE_UNROUTED, WEIR_FATE_REFUSED, WEIR_FATE_ANSWERED, WEIR_FATE_PASSED }
    weir_fate_outcome_t;

typedef struct {
    weir_fate_outcome_t       outcome;
    uint16_t                  status;        /* 0: a peer's */
    weir_cause_t              cause;
    const char               *problem;       /* constant; NULL: none */
    bool                      is_named;      /* the host is a name of the server */
    bool                      is_route;
    weir_str_t                server, place; /* place empty: the server itself */
    weir_str_t                redirect, upstream, method, target, file;
    const weir_fate_guards_t *guards;        /* what stands before the place; NULL: it did not come so far */
    bool                      is_stopped;    /* one of them has refused it */
} weir_fate_t;

/* What two fates of one request say. */
typedef struct {
    bool                     changes, changes_guards;
    bool                     loses_guard, loses_route;
    const weir_fate_guard_t *guard;          /* the first that is lost; NULL: none, or it refused and does not now */
    const char              *why;            /* constant; NULL: nothing is lost */
} weir_fate_verdict_t;

typedef struct weir_side weir_fate_side_t;

/* Takes the reference.  NULL: said on standard error for the tool of that name. */
weir_fate_side_t *weir_fate_side_open(weir_generation_t *generation, const char *tool) WEIR_MUST_USE;
void         weir_fate_side_close(weir_fate_side_t *side);      /* NULL is fine */
const weir_generation_t *weir_fate_side_generation(const weir_fate_side_t *side);

/* request: with what the caller knows; decides is filled in here. listen NULL: problem says why. */
void weir_fate_side_ask(weir_fate_side_t *side, weir_probe_request_t *request, const weir_explain_knows_t *knows,
                   const char *problem, weir_fate_t *fate);
/* Places that no request came to: routes, a line at a time where they have several, and locations. */
void weir_fate_side_each_unseen(const weir_fate_side_t *side, void (*each)(void *data, weir_str_t place), void *data);
/* What decides of requests here and is not known of them: "the header X-Canary", with the line that asks. */
void weir_fate_side_each_unknown(const weir_fate_side_t *side, const weir_explain_knows_t *knows,
                            void (*each)(void *data, weir_str_t what, const weir_conf_words_t *words), void *data);
/* Does any policy or text look at the client's address? */
bool weir_fate_side_minds_clients(const weir_fate_side_t *side);

weir_fate_verdict_t weir_fate_compare(const weir_fate_t *old, const weir_fate_t *new);
/* As an object; with_guards: what stands before the place, too. */
json_t *weir_fate_tell(const weir_fate_t *fate, bool with_guards);

#endif
