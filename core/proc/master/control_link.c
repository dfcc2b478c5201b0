/*
 * control_link.c - see control_link.h.  Fuzzed by t/fuzz/control_link.c.
 */
#include "proc/master/control_link.h"

#include "base/json.h"
#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "proc/master/commands.h"

#include <stdlib.h>

#define LINK_CALLS  1024                     /* under way, at most */
#define LINK_UNSENT (1024 * 1024)            /* bytes of answers, beyond which nothing is taken */
#define LINK_SAID   20                       /* lines for the log in a second */

typedef struct {
    weir_list_t          link;
    weir_control_link_t *of;
    uint64_t             id;
    weir_call_t         *call;
} control_call_t;

static const uint32_t link_max[WEIR_FRAME_KINDS] = {
    [WEIR_FRAME_REQUEST] = WEIR_FRAME_MAX_REQUEST, [WEIR_FRAME_SAID] = WEIR_FRAME_MAX_SAID,
};

/* The same bounds as the control process has: it may have been taken over. */
static const weir_json_limits_t link_limits = { .depth = 102, .values = 400100 };

static void
control_link_hold(weir_control_link_t *link)
{
    weir_frames_hold(&link->frames, link->n_calls >= LINK_CALLS || weir_frames_unsent(&link->frames) >= LINK_UNSENT);
}

static void
control_link_answer(weir_control_link_t *link, uint64_t id, unsigned status, const json_t *answer)
{
    char      *text = json_dumps(answer, JSON_COMPACT);
    weir_str_t said = weir_str_from_z(text != NULL ? text : "");

    if (text == NULL || said.len > WEIR_FRAME_MAX_ANSWER) {
        status = 500;
        said = WEIR_STR("{\"error\":\"the answer is too large\"}");
    }
    (void) weir_frames_put(&link->frames, WEIR_FRAME_ANSWER, status, id, said);
    free(text);
}

static void
control_link_free(control_call_t *one)
{
    weir_call_drop(one->call);
    weir_list_remove(&one->link);
    weir_assert(one->of->n_calls > 0);
    one->of->n_calls--;
    weir_mem_free(one);
}

void
weir_control_link_settle(weir_control_link_t *link)
{
    uint64_t settled;

    if (weir_list_empty(&link->calls)) {
        return;
    }
    settled = link->ops->settled(link->ops->data, 0, NULL);
    for (weir_list_t *at = link->calls.next, *next; at != &link->calls; at = next) {
        control_call_t *one = weir_list_entry(at, control_call_t, link);

        next = at->next;
        if (weir_call_is_answered(one->call, settled)) {
            control_link_answer(link, one->id, one->call->status, one->call->answer);
            control_link_free(one);
        }
    }
    control_link_hold(link);
}

static void
control_link_on_task(weir_task_t *task)
{
    weir_control_link_settle(weir_container_of(task, weir_control_link_t, task));
}

static void
control_link_on_answer(weir_call_t *call)
{
    control_call_t *one = call->data;

    weir_task_post(one->of->frames.loop, &one->of->task, control_link_on_task);
}

/* NULL: it is none that the control process sends. */
static json_t *
control_link_read(weir_str_t text)
{
    const weir_json_t *tree;
    weir_json_result_t result;
    weir_arena_t       arena;

    weir_arena_init(&arena, 4096);
    result = weir_json_parse(&arena, text, link_limits, &tree);
    weir_arena_fini(&arena);
    return result == WEIR_JSON_GOOD ? json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static void
control_link_take(weir_control_link_t *link, uint64_t id, weir_str_t text)
{
    json_t         *words = control_link_read(text);
    control_call_t *one = weir_mem_need(sizeof(*one));

    *one = (control_call_t) { .of = link, .id = id };
    one->call = weir_commands_call(link->ops, words, control_link_on_answer, one);
    json_decref(words);
    weir_list_append(&link->calls, &one->link);
    link->n_calls++;
    weir_task_post(link->frames.loop, &link->task, control_link_on_task);
    control_link_hold(link);
}

/* A line for the log: what cannot be printed is not, and not more lines than an operator can read. */
static void
control_link_say(weir_control_link_t *link, unsigned level, weir_str_t text)
{
    char     line[WEIR_FRAME_MAX_SAID];
    uint64_t second = weir_clock_now().ms / 1000;

    link->n_said = second == link->said_second ? link->n_said + 1 : 1;
    link->said_second = second;
    if (link->n_said > LINK_SAID) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        line[i] = text.at[i] >= ' ' && text.at[i] <= '~' ? text.at[i] : '?';
    }
    weir_log(level <= WEIR_LOG_ALERT ? WEIR_LOG_ALERT : level <= WEIR_LOG_WARN ? WEIR_LOG_WARN : WEIR_LOG_NOTICE,
             NULL, 0, "control process %d: %.*s%s", (int) link->pid, (int) text.len, line,
             link->n_said == LINK_SAID ? " (what else it says in this second is dropped)" : "");
}

static void
control_link_on_frame(weir_frames_t *frames, const weir_frame_t *frame, weir_str_t payload)
{
    weir_control_link_t *link = weir_container_of(frames, weir_control_link_t, frames);

    if (frame->kind == WEIR_FRAME_SAID) {
        control_link_say(link, frame->status, payload);
    } else {
        control_link_take(link, frame->id, payload);
    }
}

static void
control_link_drop_calls(weir_control_link_t *link)
{
    while (!weir_list_empty(&link->calls)) {
        control_link_free(weir_list_entry(link->calls.next, control_call_t, link));
    }
    weir_task_cancel(&link->task);
}

static void
control_link_on_end(weir_frames_t *frames)
{
    weir_control_link_t *link = weir_container_of(frames, weir_control_link_t, frames);

    control_link_drop_calls(link);
    link->on_end(link);
}

bool
weir_control_link_open(weir_control_link_t *link, const weir_command_ops_t *ops, int fd)
{
    link->ops = ops;
    weir_list_init(&link->calls);
    link->frames.watch.fd = -1;
    link->frames.max = link_max;
    link->frames.on_frame = control_link_on_frame;
    link->frames.on_end = control_link_on_end;
    return weir_frames_open(&link->frames, ops->loop, fd);
}

void
weir_control_link_leave(weir_control_link_t *link)
{
    (void) weir_frames_put(&link->frames, WEIR_FRAME_LEAVE, 0, 0, WEIR_STR(""));
}

void
weir_control_link_close(weir_control_link_t *link)
{
    control_link_drop_calls(link);
    weir_frames_close(&link->frames);
}

void
weir_control_link_forget(weir_control_link_t *link)
{
    control_link_drop_calls(link);
    weir_frames_forget(&link->frames);
}
