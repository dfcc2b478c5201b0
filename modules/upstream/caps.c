/*
 * caps.c - `max_requests`, `max_pending`, `max_retries` and `max_connections` in an upstream block: how much of each
 * the group has at one time, in all workers.
 *
 * Each is the gauge of a part of the group's state, so that a worker that is killed holds nothing any more.  The word
 * behind the name of a part's record counts what was refused for it.  Connections are counted where they are made and
 * closed (upstream/upconn.c).
 *
 * Runs in workers.
 */
#include "upstream/module.h"

typedef enum { CAPS_REQUESTS, CAPS_PENDING, CAPS_RETRIES, CAPS_CONNECTIONS, CAPS_N } caps_kind_t;

typedef struct { uint32_t max[CAPS_N]; } caps_conf_t;        /* 0: no cap; the settings as they are */

typedef struct { weir_state_part_t *parts[CAPS_N]; } caps_state_t;       /* NULL: no cap */

/* What a request holds: its note. */
enum {
    CAPS_HAS_REQUEST = 1, CAPS_HAS_PENDING = 2,
    CAPS_HAS_ASKED = 4,                      /* a retry that has no peer yet; one that has: weir_pick_t.is_retry */
    /* Of one that has asked: */
    CAPS_ASKED_PENDING = 16,                 /* it is pending again */
    CAPS_ASKED_ON = 32,                      /* it goes on in the place of a retry */
};

static const char *const caps_names[CAPS_N] = { "max_requests", "max_pending", "max_retries", "max_connections" };

static bool
caps_take(const weir_uppolicy_of_t *of, caps_kind_t kind)
{
    const caps_conf_t  *conf = of->settings;
    const caps_state_t *state = of->state;

    if (state->parts[kind] == NULL || weir_state_part_admit(state->parts[kind], conf->max[kind])) {
        return true;
    }
    weir_state_part_count(state->parts[kind]);
    return false;
}

/* What of these the request holds it holds no longer. */
static void
caps_give_back(const weir_uppolicy_of_t *of, uint8_t *note, caps_kind_t kind, unsigned bits)
{
    const caps_state_t *state = of->state;

    if ((*note & bits) != 0) {
        *note &= (uint8_t) ~bits;
        if (state->parts[kind] != NULL) {
            weir_state_part_leave(state->parts[kind]);
        }
    }
}

static void
caps_begin(weir_uppolicy_of_t *of)
{
    const caps_conf_t *conf = of->settings;
    caps_state_t      *state = of->state;

    for (unsigned i = 0; i < CAPS_N; i++) {
        state->parts[i] = conf->max[i] != 0 ? weir_state_part(of->group, NULL, caps_names[i]) : NULL;
    }
    weir_upconn_cap(of->group, state->parts[CAPS_CONNECTIONS], conf->max[CAPS_CONNECTIONS]);
}

static weir_refusal_t
caps_admit(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    uint8_t *note = weir_policy_note(of, pick);

    weir_assert(*note == 0);
    if (!caps_take(of, CAPS_REQUESTS)) {
        return WEIR_REFUSED_REQUESTS;
    }
    *note = CAPS_HAS_REQUEST;
    if (!caps_take(of, CAPS_PENDING)) {
        caps_give_back(of, note, CAPS_REQUESTS, CAPS_HAS_REQUEST);
        return WEIR_REFUSED_PENDING;
    }
    *note |= CAPS_HAS_PENDING;
    return WEIR_REFUSED_NOT;
}

static void
caps_connected(weir_uppolicy_of_t *of, weir_pick_t *pick)
{
    caps_give_back(of, weir_policy_note(of, pick), CAPS_PENDING, CAPS_HAS_PENDING);
}

/* The peer that is held is a retry's no longer. */
static void
caps_give_back_retry(const weir_uppolicy_of_t *of, weir_pick_t *pick)
{
    const caps_state_t *state = of->state;

    if (pick->is_retry && state->parts[CAPS_RETRIES] != NULL) {
        weir_state_part_leave(state->parts[CAPS_RETRIES]);
    }
    pick->is_retry = false;
}

/* The request goes on with what it has. */
static void
caps_retry_not(weir_uppolicy_of_t *of, weir_pick_t *pick)
{
    uint8_t *note = weir_policy_note(of, pick);

    if ((*note & CAPS_ASKED_PENDING) != 0) {
        caps_give_back(of, note, CAPS_PENDING, CAPS_HAS_PENDING);
    }
    if ((*note & CAPS_ASKED_ON) != 0) {
        *note &= (uint8_t) ~CAPS_HAS_ASKED;
        pick->is_retry = true;
    } else {
        caps_give_back(of, note, CAPS_RETRIES, CAPS_HAS_ASKED);
    }
    *note &= (uint8_t) ~(CAPS_ASKED_PENDING | CAPS_ASKED_ON);
}

/* A retry of a retry goes on in the same place; a second try beside one has its own. */
static bool
caps_retry(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    uint8_t *note = weir_policy_note(of, pick);

    if ((*note & CAPS_HAS_PENDING) == 0) {
        if (!caps_take(of, CAPS_PENDING)) {
            return false;
        }
        *note |= CAPS_HAS_PENDING | CAPS_ASKED_PENDING;
    }
    if (pick->is_retry && !pick->is_beside) {
        *note |= CAPS_HAS_ASKED | CAPS_ASKED_ON;
        pick->is_retry = false;
        return true;
    }
    if ((*note & CAPS_HAS_ASKED) == 0 && !caps_take(of, CAPS_RETRIES)) {
        caps_retry_not(of, pick);
        return false;
    }
    *note |= CAPS_HAS_ASKED;
    return true;
}

static void
caps_picked(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    uint8_t *note = weir_policy_note(of, pick);

    if ((*note & CAPS_HAS_ASKED) != 0) {
        *note &= (uint8_t) ~(CAPS_HAS_ASKED | CAPS_ASKED_PENDING | CAPS_ASKED_ON);
        caps_give_back_retry(of, pick);      /* of an attempt that has ended, and was not followed until now */
        pick->is_retry = true;
    }
}

static void
caps_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome WEIR_UNUSED,
            weir_instant_t now WEIR_UNUSED)
{
    caps_give_back_retry(of, pick);
}

static void
caps_leave(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    uint8_t *note = weir_policy_note(of, pick);

    caps_give_back(of, note, CAPS_RETRIES, CAPS_HAS_ASKED);
    caps_give_back_retry(of, pick);
    caps_give_back(of, note, CAPS_PENDING, CAPS_HAS_PENDING);
    caps_give_back(of, note, CAPS_REQUESTS, CAPS_HAS_REQUEST);
    *note &= (uint8_t) ~(CAPS_ASKED_PENDING | CAPS_ASKED_ON);
    weir_assert(*note == 0);
}

/* -- statistics -- */

#define CAPS_TELL_NOW(word)                                                                                      \
    { .name = "now", .help = "What is under way and has a cap; 0 where there is none.", .kind = WEIR_TOLD_GAUGE, \
      .label = "of", .value = (word) }
#define CAPS_TELL_REFUSED(word) \
    { .name = "refused", .help = "What a cap refused.", .kind = WEIR_TOLD_COUNT, .label = "of", .value = (word) }

static const weir_told_t caps_tells[] = {
    CAPS_TELL_NOW("requests"), CAPS_TELL_NOW("pending"), CAPS_TELL_NOW("retries"), CAPS_TELL_NOW("connections"),
    CAPS_TELL_REFUSED("requests"), CAPS_TELL_REFUSED("pending"), CAPS_TELL_REFUSED("retries"),
    CAPS_TELL_REFUSED("connections"),
};

static void
caps_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const caps_state_t *state = of->state;

    for (unsigned i = 0; i < CAPS_N && peer == NULL; i++) {
        const weir_state_part_t *part = state->parts[i];

        numbers[i] = part != NULL ? weir_state_part_sum(part) : 0;
        numbers[CAPS_N + i] = part != NULL ? weir_state_part_counted(part) : 0;
    }
}

static const weir_uppolicy_t caps_policy = {
    .name = "caps",
    .group_size = sizeof(caps_state_t),
    .begin = caps_begin,
    .admit = caps_admit,
    .leave = caps_leave,
    .retry = caps_retry,
    .retry_not = caps_retry_not,
    .picked = caps_picked,
    .connected = caps_connected,
    .report = caps_report,
    .tells = caps_tells,
    .n_tells = weir_countof(caps_tells),
    .tell = caps_tell,
};

static const weir_uppolicy_t *
caps_judge(const void *conf, weir_str_t *settings)
{
    const caps_conf_t *caps = conf;
    bool               some = false;

    for (unsigned i = 0; i < CAPS_N; i++) {
        some = some || caps->max[i] != 0;
    }
    *settings = weir_str((const char *) caps, sizeof(*caps));
    return some ? &caps_policy : NULL;
}

#define CAPS_DIRECTIVE(kind, text, words)                                                                      \
    WEIR_DIRECTIVE(caps_conf_t, max[kind], text, .where = WEIR_IN_UPSTREAM, .min = "1", .max = "1000000", .help = words)

static const weir_directive_t caps_directives[] = {
    CAPS_DIRECTIVE(CAPS_REQUESTS, "max_requests",
                   "Bounds the requests that the group has at one time, in all workers."),
    CAPS_DIRECTIVE(CAPS_PENDING, "max_pending",
                   "Bounds the requests that have no connection to a server yet, in all workers."),
    CAPS_DIRECTIVE(CAPS_RETRIES, "max_retries",
                   "Bounds the requests that are being sent once more at one time, in all workers."),
    CAPS_DIRECTIVE(CAPS_CONNECTIONS, "max_connections",
                   "Bounds the connections to servers of the group, in all workers, kept ones included."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_caps = {
    .name = "upstream_caps",
    .area = "Upstreams",
    .conf_size = sizeof(caps_conf_t),
    .directives = caps_directives,
    .judge = caps_judge,
};
