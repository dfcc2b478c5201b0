/*
 * outcome.c - see outcome.h.  Runs in tools; allocates nothing.
 */
#include "tool/outcome.h"

#include "tool/attach.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define OUTCOME_POLL_MS 20
#define OUTCOME_WAIT_MS 120000

typedef struct { weir_outcome_of_t kind; weir_outcome_row_t *seen; bool found; } outcome_look_t;

static void
outcome_on_zone(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory)
{
    outcome_look_t       *look = data;
    const weir_outcome_row_t *its = memory;

    if (kind != &weir_outcomes_zone || head->size < WEIR_OUTCOMES_BYTES) {
        return;
    }
    its += look->kind;
    look->seen->ended = __atomic_load_n(&its->ended, __ATOMIC_ACQUIRE);
    look->seen->begun = __atomic_load_n(&its->begun, __ATOMIC_ACQUIRE);
    look->seen->good = its->good;
    memcpy(look->seen->text, its->text, sizeof(its->text));
    look->seen->text[sizeof(its->text) - 1] = '\0';
    look->found = true;
}

bool
weir_outcome_look(pid_t pid, weir_outcome_of_t kind, weir_outcome_row_t *seen, weir_error_t *error)
{
    outcome_look_t look = { .kind = kind, .seen = seen };

    return weir_attach_zones(pid, outcome_on_zone, &look, error)
           && (look.found || weir_error_set(error,
                                            "process %d does not report results: it is another version of Weir, or "
                                            "it is ending", (int) pid));
}

bool
weir_outcome_wait(pid_t pid, weir_outcome_of_t kind, const weir_outcome_row_t *before, weir_outcome_row_t *seen,
                  weir_error_t *error)
{
    const struct timespec pause = { .tv_nsec = OUTCOME_POLL_MS * 1000000L };

    for (unsigned waited_ms = 0; waited_ms < OUTCOME_WAIT_MS; waited_ms += OUTCOME_POLL_MS) {
        if (!weir_outcome_look(pid, kind, seen, error)) {
            return false;
        }
        if (seen->ended > before->begun) {
            return true;
        }
        (void) nanosleep(&pause, NULL);
    }
    return weir_error_set(error, "no result came within %u s: the error log may say why", OUTCOME_WAIT_MS / 1000);
}

int
weir_outcome_print(const weir_outcome_row_t *seen)
{
    FILE *to = seen->good ? stdout : stderr;

    (void) fputs("weir: ", to);
    for (const char *at = seen->text; *at != '\0'; at++) {
        (void) fputc((unsigned char) *at < 0x20 || *at == 0x7f ? '?' : *at, to);
    }
    (void) fputc('\n', to);
    return seen->good ? 0 : 1;
}
