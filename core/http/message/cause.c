/*
 * cause.c - the table of causes, and the page of the manual that lists them.
 *
 * Pure; every process.  Allocates nothing but the manual's text, which it gives back.
 */
#include "http/message/cause.h"

#include "conf/manual.h"
#include "os/file.h"

#include <string.h>

static const weir_cause_row_t cause_rows[WEIR_CAUSE_MAX] = {
    [WEIR_CAUSE_NONE] = { WEIR_STR_INIT(""), 0, WEIR_LOG_INFO, "Nothing went wrong." },
#define CAUSE_ROW(token, word, status, level, help) \
    [WEIR_CAUSE_##token] = { WEIR_STR_INIT(word), status, WEIR_LOG_##level, help },
    WEIR_CAUSES(CAUSE_ROW)
#undef CAUSE_ROW
};

const weir_cause_row_t *
weir_cause_row(weir_cause_t cause)
{
    weir_assert((unsigned) cause < WEIR_CAUSE_MAX);
    return &cause_rows[cause];
}

/* One Markdown row for each cause.  What cannot be written is lost. */
void
weir_cause_print_manual(int fd)
{
    weir_arena_t arena;
    weir_str_t line;
    char status[24];

    weir_arena_init(&arena, 4096);
    line = weir_str_printf(&arena, "# Causes\n\n%s\n\n| Cause | Status | Level | Meaning |\n|---|---|---|---|\n",
                           weir_manual_find("page:Causes", ""));
    for (unsigned i = WEIR_CAUSE_NONE + 1; weir_file_write_all(fd, line) && i < WEIR_CAUSE_MAX; i++) {
        const weir_cause_row_t *row = &cause_rows[i];

        *weir_str_from_u64(status, row->status) = '\0';
        line = weir_str_printf(&arena, "| `%.*s` | %s | %s | %s |\n", WEIR_STR_ARG(row->word),
                               row->status ? status : "-", weir_log_level_name(row->level), row->help);
    }
    weir_arena_fini(&arena);
}

void
weir_cause_log(weir_cause_t cause, const weir_log_context_t *context, const char *detail)
{
    const weir_cause_row_t *row = weir_cause_row(cause);
    int                     len = (int) strlen(row->help) - 1;       /* without its full stop: fields follow */

    weir_assert(len > 0);
    weir_log(row->level, context, 0, "%.*s%s%s", len, row->help, detail != NULL ? ": " : "",
             detail != NULL ? detail : "");
}
