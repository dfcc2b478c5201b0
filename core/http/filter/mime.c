/*
 * mime.c - see mime.h.  Read at load; asked in workers.
 */
#include "http/filter/mime.h"

bool
weir_mime_is_listed(const weir_mime_types_t *types, weir_str_t value)
{
    weir_str_t type, rest;

    (void) weir_str_cut(value, ';', &type, &rest);
    type = weir_str_trim(type);
    if (type.len == 0) {
        return false;
    }
    if (weir_str_eq_fold(type, WEIR_STR("text/html"))) {
        return true;
    }
    for (size_t i = 0; i < types->n; i++) {
        if (weir_str_eq_fold(types->at[i], type) || weir_str_eq(types->at[i], WEIR_STR("*"))) {
            return true;
        }
    }
    return false;
}

static bool
mime_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    (void) row;
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t type = words->at[i].text;

        if (!weir_str_eq(type, WEIR_STR("*")) && weir_str_find(type, '/') == NULL) {
            return weir_conf_invalid(cf, i, "a type such as text/css, or \"*\"");
        }
        if (weir_str_eq_fold(type, WEIR_STR("text/html"))) {
            weir_conf_warn(cf, i, "duplicate MIME type \"%.*s\"", WEIR_STR_ARG(type));
        }
        *(weir_str_t *) weir_conf_list_push(cf, list, sizeof(type)) = type;
    }
    return true;
}

const weir_conf_type_t weir_type_mime_types = {
    .name = "type...",
    .size = sizeof(weir_mime_types_t),
    .min_args = 1,
    .max_args = 255,
    .repeats = true,
    .parse = mime_parse,
    .item = sizeof(weir_str_t),
};
