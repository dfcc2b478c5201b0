/*
 * unknown.c - a directive that is in no row: one of nginx's that is taken without an effect, or an error that tells
 * what is near.
 *
 * Runs where configurations are read.
 */
#include "conf/nginx_names.h"
#include "conf/read.h"

#include "base/array.h"

#include <stdio.h>

/* --- of nginx, and without an effect here --- */

static bool
unknown_was_told(const reader_t *reader, weir_str_t name)
{
    for (size_t i = 0; i < reader->warned.n; i++) {
        if (weir_str_eq(reader->warned.at[i], name)) {
            return true;
        }
    }
    return false;
}

/* One warning for each name, however often it stands there. */
static bool
unknown_take(reader_t *reader, const nginx_group_t *group, const weir_conf_words_t *words)
{
    weir_str_t name = words->at[0].text;

    if (group->fate == NGINX_TAKEN && !unknown_was_told(reader, name)) {
        *(weir_str_t *) weir_conf_list_push(&reader->cf, &reader->warned, sizeof(weir_str_t)) = name;
        weir_conf_warn(&reader->cf, 0, "directive \"%.*s\" of nginx is accepted and has no effect (%s)",
                       WEIR_STR_ARG(name), group->note);
    }
    return true;
}

static bool
unknown_asks_for_nothing(const nginx_group_t *group, const weir_conf_words_t *words)
{
    return group->only != NULL && words->n == 2 && weir_str_eq(words->at[1].text, weir_str_from_z(group->only));
}

/* --- not here --- */

static bool
unknown_not_here(reader_t *reader, const weir_conf_words_t *words, unsigned contexts)
{
    char text[60], after[80];

    (void) weir_conf_contexts_text(contexts, text, sizeof(text));
    (void) snprintf(after, sizeof(after), " (allowed in %s)", text);
    return weir_conf_refuse(reader, words, after, "\"%.*s\" directive is not allowed here",
                            WEIR_STR_ARG(words->at[0].text));
}

static bool
unknown_name(reader_t *reader, const weir_conf_words_t *words)
{
    weir_str_t  name = words->at[0].text;
    const char *near;

    name.len = (size_t) weir_min(name.len, 200);
    near = weir_conf_nearest_row(name, reader->cf.block->context);
    if (near != NULL) {
        return weir_conf_refuse(reader, words, "", "unknown directive \"%.*s\", did you mean \"%s\"?",
                                WEIR_STR_ARG(name), near);
    }
    return weir_conf_refuse(reader, words, "", "unknown directive \"%.*s\"", WEIR_STR_ARG(name));
}

bool
weir_conf_take_unknown(reader_t *reader, weir_lex_kind_t kind, const weir_conf_words_t *words, unsigned elsewhere)
{
    unsigned             context = reader->cf.block->context;
    const nginx_group_t *group;

    if (elsewhere != 0) {
        return unknown_not_here(reader, words, elsewhere);
    }
    context |= context & (WEIR_IN_PART | WEIR_IN_ROUTE) ? WEIR_IN_LOCATION : 0;
    group = weir_conf_nginx_find(words->at[0].text, context);
    if (group == NULL) {
        return unknown_name(reader, words);
    }
    if (kind == WEIR_LEX_SIMPLE && (group->where & context)) {
        if (group->fate == NGINX_TAKEN && words->n < 2) {
            return weir_conf_refuse(reader, words, "", "invalid number of arguments in \"%.*s\" directive",
                                    WEIR_STR_ARG(words->at[0].text));
        }
        if (group->fate == NGINX_TAKEN || unknown_asks_for_nothing(group, words)) {
            return unknown_take(reader, group, words);
        }
    }
    if (group->fate == NGINX_TAKEN && !(group->where & context)) {
        return unknown_not_here(reader, words, group->where);
    }
    return weir_conf_refuse(reader, words, group->fate == NGINX_PLANNED ? " (planned)" : "",
                        "directive \"%.*s\" is not supported by this version of weir", WEIR_STR_ARG(words->at[0].text));
}
