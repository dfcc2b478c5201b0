/*
 * commands_upstream.c - the commands about groups of servers and their peers (upstream/changes.h, upstream/command.h).
 */
#include "proc/master/commands.h"

#include "upstream/command.h"

#include <stdlib.h>

static void
upstream_list(weir_call_t *call, const json_t *words)
{
    json_t *answer = weir_upstream_tell(call->ops->generation(call->ops->data), words);

    if (json_object_get(answer, "error") != NULL) {
        weir_call_refuse_with(call, 404, answer);
    } else {
        weir_call_answer(call, answer);
    }
}

/* Of a change that can be understood and is not made. */
static unsigned
upstream_status(const weir_command_ops_t *ops, const weir_change_t *change)
{
    if (weir_upstream_find(ops->generation(ops->data), change->group) == NULL) {
        return 404;
    }
    return change->kind == WEIR_CHANGE_ADD ? 409 : 404;
}

static void
upstream_change(weir_call_t *call, const json_t *words)
{
    const weir_command_ops_t *ops = call->ops;
    const char               *closed = ops->is_closed(ops->data);
    uint64_t                  number = weir_changes_number() + 1;
    weir_error_t              error = { .text = "" };
    weir_change_t             change;
    json_t                   *said;
    char                     *line;

    if (closed != NULL) {
        weir_call_refuse(call, 503, "%s", closed);
        return;
    }
    if (!weir_change_read(&change, words, &error)) {
        weir_call_refuse(call, 400, "%s", error.text);
        return;
    }
    if (!weir_upstream_check(ops->generation(ops->data), &change, &error)) {
        weir_call_refuse(call, upstream_status(ops, &change), "%s", error.text);
        return;
    }
    said = weir_change_write(&change);
    line = json_dumps(said, JSON_COMPACT);
    json_decref(said);
    if (line == NULL) {
        weir_call_refuse(call, 500, "there is no memory");
    } else if (!ops->publish(ops->data, number, &change, weir_str_from_z(line), &error)) {
        weir_call_refuse(call, 500, "%s", error.text);
    } else {
        weir_call_answer_when(call, number, json_pack("{s:b}", "ok", 1));
    }
    free(line);
}

const weir_command_t weir_commands_upstream[] = {
    { .name = "upstream.list", .run = upstream_list, .is_long = true },
    { .name = "upstream.add", .run = upstream_change },
    { .name = "upstream.set", .run = upstream_change },
    { .name = "upstream.drain", .run = upstream_change },
    { .name = "upstream.remove", .run = upstream_change },
    WEIR_COMMANDS_END
};
