/*
 * error.c - what a configuration's author reads: the sentence, where it is, and the nearest name.
 *
 * Runs where configurations are read; allocates nothing.
 */
#include "conf/read.h"

#include <stdio.h>

#define ERROR_TEXT  640            /* of the sentence: the position behind it must not be cut off */
#define ERROR_NEAR  4              /* edits that are no slip any more */

#define ERROR_PLACE 300            /* of a place, in a sentence */
#define ERROR_POINT 200            /* of a pointer into a file, in a sentence */

/* Where something stands. */
typedef struct {
    const char *file, *fragment;   /* fragment: NULL: it is of none */
    uint32_t    line, column;
    char        pointer[ERROR_POINT];
    bool        has_pointer;
} error_place_t;

/* "FILE:LINE" or "FILE#POINTER" as it stands behind "in"; the command line has no lines. */
static void
error_place_text(char *out, size_t size, const error_place_t *place)
{
    if (place->has_pointer) {
        (void) snprintf(out, size, "%.*s#%s", (int) (size - ERROR_POINT - 1), place->file, place->pointer);
    } else if (place->line == 0 || strcmp(place->file, WEIR_LEX_COMMAND_LINE) == 0) {
        (void) snprintf(out, size, "%.250s", place->file);
    } else {
        (void) snprintf(out, size, "%.250s:%u", place->file, place->line);
    }
}

/* Of a word of the statement; where there is no such word: of the statement. */
static error_place_t
error_place_of(const weir_conf_words_t *words, size_t word)
{
    error_place_t place = { .file = words->file != NULL ? words->file : "the configuration", .line = words->line,
                            .fragment = words->fragment };

    if (words->pointer != NULL) {
        place.has_pointer = true;
        place.line = 0;
        if (word != 0 && word < words->n) {
            (void) snprintf(place.pointer, sizeof(place.pointer), "%s/args/%zu", words->pointer, word - 1);
        } else {
            (void) snprintf(place.pointer, sizeof(place.pointer), "%s", words->pointer);
        }
    } else if (word < words->n) {
        place.line = word != 0 ? words->at[word].line : words->line;
        place.column = words->at[word].column;
    }
    return place;
}

const char *
weir_conf_place(weir_arena_t *arena, const weir_conf_words_t *words)
{
    error_place_t place = error_place_of(words, 0);
    char          text[ERROR_PLACE];

    error_place_text(text, sizeof(text), &place);
    return weir_str_to_z(arena, weir_str_from_z(text));
}

const char *
weir_conf_word_pointer(weir_arena_t *arena, const weir_conf_words_t *words, size_t word)
{
    error_place_t place = error_place_of(words, word);

    return place.has_pointer ? weir_str_to_z(arena, weir_str_from_z(place.pointer)) : NULL;
}

static bool
error_vset(weir_error_t *error, const error_place_t *place, const char *after, const char *fmt, va_list args)
{
    char text[ERROR_TEXT], at[ERROR_PLACE];

    if (weir_error_is_set(error)) {
        return false;
    }
    (void) vsnprintf(text, sizeof(text), fmt, args);
    (void) snprintf(error->file, sizeof(error->file), "%s", place->file);
    (void) snprintf(error->pointer, sizeof(error->pointer), "%s", place->pointer);
    (void) snprintf(error->fragment, sizeof(error->fragment), "%s", place->fragment != NULL ? place->fragment : "");
    error->line = place->line;
    error->column = place->column;
    error_place_text(at, sizeof(at), place);
    return weir_error_set(error, "%s in %s%.80s", text, at, after);
}

bool
weir_conf_vfail_at(weir_error_t *error, const weir_conf_words_t *words, size_t word, const char *after,
                   const char *fmt, va_list args)
{
    error_place_t place = error_place_of(words, word);

    return error_vset(error, &place, after, fmt, args);
}

bool
weir_conf_fail(weir_error_t *error, const char *file, uint32_t line, uint32_t column, const char *after,
               const char *fmt, ...)
{
    error_place_t place = { .file = file, .line = line, .column = column };
    va_list       args;

    va_start(args, fmt);
    (void) error_vset(error, &place, after, fmt, args);
    va_end(args);
    return false;
}

bool
weir_conf_error(weir_conf_t *cf, size_t word, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void) weir_conf_vfail_at(cf->error, cf->words, word, "", fmt, args);
    va_end(args);
    return false;
}

bool
weir_conf_error_at(weir_conf_t *cf, const weir_conf_words_t *words, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void) weir_conf_vfail_at(cf->error, words, 0, "", fmt, args);
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
    error_place_t place = error_place_of(cf->words, word);
    char          text[ERROR_TEXT], at[ERROR_PLACE];
    va_list       args;

    if (weir_bundle_is_replay(cf->bundle)) {
        return;
    }
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    error_place_text(at, sizeof(at), &place);
    weir_log(WEIR_LOG_WARN, NULL, 0, "%s in %s", text, at);
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
