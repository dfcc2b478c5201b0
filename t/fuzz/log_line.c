/*
 * log_line.c - fuzz target: formats of access logs, and lines that are read back by them.
 *
 * An input is lines: the first is a log_format's text, its first byte the escaping; each other one is a line of such a
 * log.  Oracles: what is told is a token and a target without spaces and controls; a field has no line end; what the
 * line gave is inside it or in the arena.
 */
#include "tool/log_line.h"

#include "http/message/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(weir_str_t text, bool spaces)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.at[i];

        weir_assert(c >= 0x20 || (spaces && c == '\t'));
        weir_assert(c != 0x7f && (spaces || c != ' '));
    }
}

static void
check_line(const weir_log_line_t *told)
{
    weir_assert(weir_syntax_is_token(told->method) && told->target.len != 0);
    check_text(told->target, false);
    check_text(told->host, false);
    weir_assert(told->n_fields <= WEIR_LOG_FIELDS_MAX);
    for (size_t i = 0; i < told->n_fields; i++) {
        check_text(told->fields[i], true);
        weir_assert(weir_str_find(told->fields[i], ':') != NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t        rest = weir_str((const char *) data, size), line;
    weir_log_format_t format;
    weir_log_line_t   told;
    weir_arena_t      arena;
    const char       *why = NULL;

    if (size == 0) {
        return 0;
    }
    weir_arena_init(&arena, 4096);
    (void) weir_str_cut(weir_str_skip(rest, 1), '\n', &line, &rest);
    if (weir_log_format_make(&arena, WEIR_STR("fuzz"), line, (weir_log_line_escape_t) (data[0] % 3), &format, &why)) {
        weir_assert(format.n_parts <= WEIR_LOG_PARTS_MAX && format.given.n <= format.n_variables);
        while (rest.len != 0) {
            (void) weir_str_cut(rest, '\n', &line, &rest);
            if (weir_log_format_read(&format, &arena, line, &told)) {
                check_line(&told);
            }
        }
    } else {
        weir_assert(why != NULL);
    }
    weir_arena_fini(&arena);
    return 0;
}
