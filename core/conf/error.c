/*
 * error.c - what a configuration's author reads: the sentence, where it is, and the nearest name.
 *
 * Runs where configurations are read; allocates nothing.
 */
#include "conf/read.h"

#include <stdio.h>

#define ERROR_TEXT  640            /* of the sentence: the position behind it must not be cut off */
#define ERROR_NEAR  4              /* edits that are no slip any more */

/* "FILE:LINE" as it stands behind "in"; the command line has no lines. */
static void
error_place(char *out, size_t size, const char *file, uint32_t line)
{
    if (line == 0 || strcmp(file, WEIR_LEX_COMMAND_LINE) == 0) {
        (void) snprintf(out, size, "%.250s", file);
    } else {
        (void) snprintf(out, size, "%.250s:%u", file, line);
    }
}

bool
weir_conf_vfail(weir_error_t *error, const char *file, uint32_t line, uint32_t column, const char *after,
                const char *fmt,
                va_list args)
{
    char text[ERROR_TEXT], place[300];

    if (weir_error_is_set(error)) {
        return false;
    }
    (void) vsnprintf(text, sizeof(text), fmt, args);
    (void) snprintf(error->file, sizeof(error->file), "%s", file);
    error->line = line;
    error->column = column;
    error_place(place, sizeof(place), file, line);
    return weir_error_set(error, "%s in %s%.80s", text, place, after);
}

bool
weir_conf_fail(weir_error_t *error, const char *file, uint32_t line, uint32_t column, const char *after,
               const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void) weir_conf_vfail(error, file, line, column, after, fmt, args);
    va_end(args);
    return false;
}

static const char *
error_file(const weir_conf_words_t *words)
{
    return words->file != NULL ? words->file : "the configuration";
}

bool
weir_conf_error(weir_conf_t *cf, size_t word, const char *fmt, ...)
{
    const weir_conf_words_t *words = cf->words;
    uint32_t                 line = words->line, column = 0;
    va_list                  args;

    if (word < words->n) {
        line = words->at[word].line;
        column = words->at[word].column;
    }
    va_start(args, fmt);
    (void) weir_conf_vfail(cf->error, error_file(words), line, column, "", fmt, args);
    va_end(args);
    return false;
}

bool
weir_conf_error_at(weir_conf_t *cf, const weir_conf_words_t *words, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void) weir_conf_vfail(cf->error, error_file(words), words->line, words->n != 0 ? words->at[0].column : 0, "", fmt,
                           args);
    va_end(args);
    return false;
}

bool
weir_conf_invalid(weir_conf_t *cf, size_t word, const char *expected)
{
    const weir_conf_words_t *words = cf->words;

    weir_assert(word < words->n);
    return weir_conf_error(cf, word, "invalid value \"%.*s\" in \"%.*s\" directive: expected %s",
                           (int) weir_min(words->at[word].text.len, 100), words->at[word].text.at,
                           WEIR_STR_ARG(words->at[0].text), expected);
}

void
weir_conf_warn(weir_conf_t *cf, size_t word, const char *fmt, ...)
{
    const weir_conf_words_t *words = cf->words;
    char                     text[ERROR_TEXT], place[300];
    va_list                  args;

    if (weir_bundle_is_replay(cf->bundle)) {
        return;
    }
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    error_place(place, sizeof(place), error_file(words), word < words->n ? words->at[word].line : words->line);
    weir_log(WEIR_LOG_WARN, NULL, 0, "%s in %s", text, place);
}

const char *
weir_conf_nearest(weir_str_t got, const char *const *names, size_t n)
{
    size_t      ceiling = weir_min(got.len / 3 + 1, ERROR_NEAR), distance, i;
    const char *best = NULL;

    for (i = 0; i < n; i++) {
        distance = weir_str_distance(got, weir_str_from_z(names[i]), ceiling);
        if (distance < ceiling) {
            best = names[i];
            ceiling = distance;
        }
    }
    return best;
}
