/*
 * resources_manual.c - the page of the manual about the control socket: its rows as a table.  Runs in tools.
 */
#include "proc/control/resources.h"

#include "conf/manual.h"
#include "os/file.h"

void
weir_resources_manual_print(int fd)
{
    const json_t *row;
    size_t        i;
    json_t       *rows = weir_resources_tell();
    weir_arena_t  arena;
    weir_str_t    line;
    bool          good;

    weir_arena_init(&arena, 4096);
    line = weir_str_printf(&arena, "# Control socket\n\n%s\n\n| Request | Body | What it does |\n|---|---|---|\n",
                           weir_manual_find("page:Control socket", ""));
    good = weir_file_write_all(fd, line);
    json_array_foreach(json_object_get(rows, "resources"), i, row) {
        const char *body = json_string_value(json_object_get(row, "body"));
        const char *mark = body != NULL ? "`" : "";

        line = weir_str_printf(&arena, "| `%s %s` | %s%s%s | %s |\n", json_string_value(json_object_get(row, "method")),
                               json_string_value(json_object_get(row, "path")), mark, body != NULL ? body : "-", mark,
                               json_string_value(json_object_get(row, "help")));
        good = good && weir_file_write_all(fd, line);        /* what cannot be written is lost */
    }
    json_decref(rows);
    weir_arena_fini(&arena);
}
