/*
 * upstream_changes.c - fuzz target: commands that change groups' peers (upstream/changes.h), and files of `state`.
 *
 * An input that begins with '{' is lines of commands; any other is a file.  Oracles: what is refused is refused with
 * words; a command that is read says the same when it is written and read again; what is remembered, told as lines and
 * loaded again is the same lines; words of a file are pieces of it.
 */
#include "base/buf.h"
#include "upstream/changes.h"
#include "upstream/state_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct { char *at; size_t len; } told_t;

static void
tell(void *data, const char *line)
{
    told_t *told = data;
    size_t  len = strlen(line);

    told->at = realloc(told->at, told->len + len + 1);
    memcpy(told->at + told->len, line, len);
    told->len += len;
    told->at[told->len++] = '\n';
}

static void
forget(void *data, weir_str_t group)
{
    (void) data;
    weir_changes_forget(group, UINT64_MAX);
}

static void
fuzz_command(weir_str_t line)
{
    json_t       *command = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL), *written, *again;
    weir_error_t  error = { .text = "" };
    weir_change_t change, same;

    if (command == NULL) {
        return;
    }
    if (!weir_change_read(&change, command, &error)) {
        weir_assert(error.text[0] != '\0');
        json_decref(command);
        return;
    }
    written = weir_change_write(&change);
    weir_assert(weir_change_read(&same, written, &error));
    again = weir_change_write(&same);
    weir_assert(json_equal(written, again));
    weir_assert(weir_changes_put(weir_changes_number() + 1, &change));
    weir_assert((weir_changes_find(change.group, change.peer.text) == NULL) == change.forgets);
    json_decref(again);
    json_decref(written);
    json_decref(command);
}

static bool
look(void *data, const weir_str_t *words, size_t n, weir_error_t *error)
{
    const weir_str_t *text = data;

    (void) error;
    for (size_t i = 0; i < n; i++) {
        weir_assert(words[i].len != 0 && words[i].at >= text->at && words[i].at + words[i].len <= text->at + text->len);
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t   text = weir_str((const char *) data, size), line;
    weir_error_t error = { .text = "" };
    told_t       before = { NULL, 0 }, after = { NULL, 0 };

    if (size == 0 || data[0] != '{') {
        weir_assert(weir_state_file_read(text, look, &text, &error) || error.text[0] != '\0');
        return 0;
    }
    while (weir_str_cut(text, '\n', &line, &text)) {
        fuzz_command(line);
    }
    weir_changes_each_line(tell, &before);
    weir_changes_each_group(forget, NULL);
    weir_assert(weir_changes_count() == 0 && weir_changes_load(weir_str(before.at, before.len)));
    weir_changes_each_line(tell, &after);
    weir_assert(before.len == after.len && (before.len == 0 || memcmp(before.at, after.at, before.len) == 0));
    weir_changes_each_group(forget, NULL);
    free(before.at);
    free(after.at);
    return 0;
}
