/*
 * manual.c - finds the words of the manual, and what they are about.  Runs in the program that a person typed;
 * allocates nothing.
 */
#include "conf/manual.h"

#include "conf/module.h"

#include "os/file.h"

#include <stdio.h>
#include <string.h>

typedef struct { const char *module, *name, *words; } manual_record_t;

/* The record at `at`; where the next one begins. */
static const char *
manual_read(const char *at, manual_record_t *record)
{
    record->module = at;
    record->name = at + strlen(at) + 1;
    record->words = record->name + strlen(record->name) + 1;
    return record->words + strlen(record->words) + 1;
}

const char *
weir_manual_find(const char *module, const char *directive)
{
    const char     *at = weir_manual_texts;
    manual_record_t record;

    while (at[0] != '\0') {
        at = manual_read(at, &record);
        if (strcmp(record.module, module) == 0 && strcmp(record.name, directive) == 0) {
            return record.words;
        }
    }
    return NULL;
}

static bool
manual_has_row(const weir_module_t *module, const char *name)
{
    const weir_directive_t *row;

    for (row = module->directives; row != NULL && row->name != NULL; row++) {
        if (strcmp(row->name, name) == 0) {
            return true;
        }
    }
    return name[0] == '\0';
}

/* Pages that no module is on: -M makes them itself. */
static bool
manual_has_page(const char *page)
{
    bool found = strcmp(page, "Causes") == 0 || strcmp(page, "Control socket") == 0
                 || strcmp(page, "nginx") == 0;

    for (size_t m = 0; !found && weir_modules_in_use[m] != NULL; m++) {
        found = weir_modules_in_use[m]->area != NULL && strcmp(weir_modules_in_use[m]->area, page) == 0;
    }
    return found;
}

bool
weir_manual_check(int fd)
{
    const char     *at = weir_manual_texts;
    manual_record_t record;
    bool            good = true;

    while (at[0] != '\0') {
        bool known = true;

        at = manual_read(at, &record);
        if (strncmp(record.module, "page:", 5) == 0) {
            known = manual_has_page(record.module + 5);
        }
        for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
            if (strcmp(weir_modules_in_use[m]->name, record.module) == 0) {
                known = manual_has_row(weir_modules_in_use[m], record.name);
            }
        }
        if (!known) {
            char line[300];

            (void) snprintf(line, sizeof(line),
                            "weir: the manual has words about \"%s\" of \"%s\", which is not there\n", record.name,
                            record.module);
            (void) !weir_file_write_all(fd, weir_str_from_z(line));       /* a message that cannot be written is lost */
            good = false;
        }
    }
    return good;
}
