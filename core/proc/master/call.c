/*
 * call.c - see call.h.
 */
#include "proc/master/call.h"

#include "base/mem.h"
#include "os/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CALL_PATIENCE 10000                  /* ms that a change may take in all processes before it is late */

/* -- answers -- */

static void
call_free(weir_call_t *call)
{
    json_decref(call->answer);
    weir_mem_free(call);
}

static void
call_put(weir_call_t *call, unsigned status, uint64_t number, json_t *answer)
{
    weir_assert(call->answer == NULL && call->status == 0);
    call->status = answer != NULL ? status : 500;
    call->answer = answer != NULL ? answer : json_pack("{s:s}", "error", "there is no memory");
    call->number = answer != NULL ? number : 0;
    if (call->is_dropped && !call->is_running) {
        call_free(call);
    } else if (!call->is_running && call->on_answer != NULL) {
        call->on_answer(call);
    }
}

void
weir_call_answer(weir_call_t *call, json_t *answer)
{
    call_put(call, 200, 0, answer);
}

void
weir_call_answer_when(weir_call_t *call, uint64_t number, json_t *answer)
{
    call_put(call, 200, number, answer);
}

void
weir_call_refuse_with(weir_call_t *call, unsigned status, json_t *answer)
{
    weir_assert(status >= 400 && status < 600);
    call_put(call, status, 0, answer);
}

void
weir_call_refuse(weir_call_t *call, unsigned status, const char *format, ...)
{
    char    text[1024];
    va_list args;
    json_t *why;

    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    why = json_string(text);
    weir_call_refuse_with(call, status, json_pack("{s:o}", "error", why != NULL ? why : json_string("it is no UTF-8")));
}

bool
weir_call_is_answered(weir_call_t *call, uint64_t settled)
{
    const char *fault;
    json_t     *late;

    if (call->answer == NULL) {
        return false;
    }
    if (call->number == 0) {
        return true;
    }
    if (call->number <= settled) {
        fault = call->ops->fault(call->ops->data, call->number);
        if (fault != NULL) {
            json_decref(call->answer);
            call->answer = json_pack("{s:s}", "error", fault);
            call->status = 500;
        }
        call->number = 0;
    } else if (weir_clock_now().ms - call->since.ms >= CALL_PATIENCE) {
        late = json_array();
        (void) call->ops->settled(call->ops->data, call->number, late);
        (void) json_object_set_new(call->answer, "late", late);
        call->status = 202;
        call->number = 0;
    }
    return call->number == 0;
}

/* -- who asks -- */

weir_call_t *
weir_call_begin(const weir_command_ops_t *ops, const weir_command_t *row, const json_t *words,
                void (*on_answer)(weir_call_t *call), void *data)
{
    weir_call_t *call = weir_mem_need(sizeof(*call));
    const char  *name = json_string_value(json_object_get(words, "do"));

    *call = (weir_call_t) { .ops = ops, .row = row, .since = weir_clock_now(), .on_answer = on_answer,
                            .data = data, .is_running = true };
    if (!json_is_object(words)) {
        weir_call_refuse(call, 400, "a command is to be a line of JSON");
    } else if (name == NULL) {
        weir_call_refuse(call, 400, "\"do\" is not given");
    } else if (row == NULL) {
        weir_call_refuse(call, 404, "\"%.*s\" is no command", (int) weir_min(strlen(name), 64), name);
    } else {
        row->run(call, words);
    }
    call->is_running = false;
    return call;
}

void
weir_call_drop(weir_call_t *call)
{
    weir_assert(!call->is_dropped && !call->is_running);
    call->is_dropped = true;
    if (call->answer != NULL) {
        call_free(call);
    }
}
