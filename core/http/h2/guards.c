/*
 * guards.c - how much of what does no work a peer may do on an HTTP/2 connection (RFC 9113 §10.5).
 *
 * Runs in workers; allocates nothing.  Each limit is one fact here; each ends the connection with ENHANCE_YOUR_CALM and
 * a cause.
 */
#include "http/h2/session_internal.h"

#include "os/clock.h"

#define GUARD_RESETS        100      /* streams that may be reset at once … */
#define GUARD_RESETS_S      10       /* … and how many per second after that */
#define GUARD_GLITCHES      1000     /* frames that do no work, by weight … */
#define GUARD_GLITCHES_S    100      /* … of which so many are forgiven a second */
#define GUARD_GLITCHES_HEAD 10       /* … and with every head */
#define GUARD_FRAMES        8        /* CONTINUATIONs beyond what the bytes need … */
#define GUARD_FRAME_BYTES   1024     /* … at so many a frame */
#define GUARD_CONTROL       65536    /* bytes of answers to PING, SETTINGS, … that the peer does not read */

static bool
guard_fail(weir_h2_session_t *s, weir_cause_t cause, const char *detail)
{
    weir_h2_session_fail(s, WEIR_H2_ENHANCE_YOUR_CALM, s->settings.is_server ? cause : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL,
                         detail);
    return false;
}

/* A stream was reset before its time: by the peer, or by us because of it (CVE-2023-44487, CVE-2025-8671). */
bool
h2_guard_reset(weir_h2_session_t *s)
{
    weir_instant_t now = weir_clock_now();
    uint64_t refill = (now.ms - s->reset_filled.ms) * GUARD_RESETS_S / 1000;

    if (refill != 0) {
        s->reset_tokens = (int32_t) weir_min((uint64_t) s->reset_tokens + refill, GUARD_RESETS);
        s->reset_filled = now;
    }
    weir_assert(s->reset_tokens >= 0 && s->reset_tokens <= GUARD_RESETS);     /* below 0 it is dead */
    return --s->reset_tokens >= 0 || guard_fail(s, WEIR_CAUSE_CLIENT_H2_RAPID_RESET, NULL);
}

void
weir_h2_session_count_reset(weir_h2_session_t *s)
{
    if (!s->dead) {
        (void) h2_guard_reset(s);
    }
}

bool
h2_guard_glitch(weir_h2_session_t *s, uint32_t weight)
{
    weir_instant_t now = weir_clock_now();
    uint64_t forgiven = (now.ms - s->glitch_decayed.ms) * GUARD_GLITCHES_S / 1000;

    if (forgiven != 0) {
        s->glitches -= (uint32_t) weir_min(forgiven, s->glitches);
        s->glitch_decayed = now;
    }
    s->glitches += weight;
    return s->glitches <= GUARD_GLITCHES || guard_fail(s, WEIR_CAUSE_CLIENT_H2_FLOOD, NULL);
}

/* We refused a stream.  That is the client's doing when it has more open than it knows that it may; else it is ours
 * (what its requests hold together, requests that outlive their streams, no memory), and one that goes on asking does
 * no work, no more. */
bool
h2_guard_refusal(weir_h2_session_t *s)
{
    bool is_peers = s->settings_acked && s->n_streams >= s->settings.max_streams;

    return is_peers ? h2_guard_reset(s) : h2_guard_glitch(s, 1);
}

void
h2_guard_earn(weir_h2_session_t *s, uint32_t weight)
{
    s->glitches -= (uint32_t) weir_min(weight, s->glitches);
    weir_assert(s->dead || s->glitches <= GUARD_GLITCHES);
}

void
h2_guard_work(weir_h2_session_t *s)
{
    h2_guard_earn(s, GUARD_GLITCHES_HEAD);
}

/* Of the header block under way (CVE-2024-27316 and its kin). */
bool
h2_guard_block(weir_h2_session_t *s)
{
    if (s->block_len > s->settings.max_block) {
        return guard_fail(s, WEIR_CAUSE_CLIENT_H2_CONTINUATION, "too many bytes");
    }
    if (s->block_frames > GUARD_FRAMES + s->block_len / GUARD_FRAME_BYTES) {
        return guard_fail(s, WEIR_CAUSE_CLIENT_H2_CONTINUATION, "too many frames");
    }
    return true;
}

bool
h2_guard_control(weir_h2_session_t *s)
{
    return s->control_waiting <= GUARD_CONTROL
        || guard_fail(s, WEIR_CAUSE_CLIENT_H2_FLOOD, "it does not read our answers");
}
