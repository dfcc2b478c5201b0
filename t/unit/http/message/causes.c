/* Every cause has a word of its own, a status that means what it says, a help line, and a row in the manual. */
#define _GNU_SOURCE 1
#include "http/message/cause.h"

#include "tap.h"
#include "tmp.h"

#include <fcntl.h>

static bool
word_is_well_formed(weir_str_t word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        bool between = c == '.' || c == '_';

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && i != 0) || between)
            || (between && (i == 0 || i + 1 == word.len)))
        {
            return false;
        }
    }
    return word.len != 0 && weir_str_find(word, '.') != NULL;
}

static bool
word_is_its_own(unsigned cause)
{
    for (unsigned other = WEIR_CAUSE_NONE + 1; other < WEIR_CAUSE_MAX; other++) {
        if (other != cause && weir_str_eq(weir_cause_row(other)->word, weir_cause_row(cause)->word)) {
            return false;
        }
    }
    return true;
}

static void
each_row(void)
{
    bool words = true, own = true, statuses = true, helps = true, levels = true;

    for (unsigned cause = WEIR_CAUSE_NONE + 1; cause < WEIR_CAUSE_MAX; cause++) {
        const weir_cause_row_t *row = weir_cause_row(cause);

        words = words && word_is_well_formed(row->word);
        own = own && word_is_its_own(cause);
        statuses = statuses && (row->status == 0 || (row->status >= 400 && row->status <= 599));
        helps = helps && row->help != NULL && row->help[0] != '\0';
        levels = levels && row->level <= WEIR_LOG_DEBUG && (row->status < 500 || row->level <= WEIR_LOG_INFO);
    }
    ok(words, "words are lower case and digits, in parts");
    ok(own, "no two causes share a word");
    ok(statuses, "a status is an error's, or 0");
    ok(helps, "each has a help line");
    ok(levels, "what is our side's fault is logged at info or above");
    is_str(weir_cause_row(WEIR_CAUSE_NONE)->word, "", "no cause has no word");
    is_str(weir_cause_row(WEIR_CAUSE_UPSTREAM_CONNECT_REFUSED)->word, "upstream.connect.refused",
           "words stay as they are");
}

static void
manual(void)
{
    const char *path = tmp_path("causes.md"), *text;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    unsigned found = 0;
    char row[128];

    weir_cause_print_manual(fd);
    close(fd);
    text = tmp_text(path);
    for (unsigned cause = WEIR_CAUSE_NONE + 1; cause < WEIR_CAUSE_MAX; cause++) {
        snprintf(row, sizeof(row), "| `%.*s` |", WEIR_STR_ARG(weir_cause_row(cause)->word));
        found += strstr(text, row) != NULL;
    }
    is_int(found, WEIR_CAUSE_MAX - 1, "the manual has a row for each");
    weir_cause_print_manual(-1);
    ok(true, "a manual that cannot be written is given up");
}

int
main(void)
{
    each_row();
    manual();
    return done();
}
