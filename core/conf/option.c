/*
 * option.c - options of a directive: words such as "percent=10" or "dry_run", in any order, each once.
 *
 * Load time.
 */
#include "conf/module.h"

#include <string.h>

/* The row of the option that the word is; n: there is none. */
static size_t
option_find(const weir_conf_option_t *options, size_t n, weir_str_t word, weir_str_t *value)
{
    weir_str_t name;
    bool       has_value = weir_str_cut(word, '=', &name, value);

    for (size_t i = 0; i < n; i++) {
        if (weir_str_eq(name, weir_str_from_z(options[i].name)) && options[i].is_bare != has_value) {
            return i;
        }
    }
    return n;
}

bool
weir_conf_read_options(weir_conf_t *cf, const weir_conf_words_t *words, size_t first,
                       const weir_conf_option_t *options, size_t n, const char *expected, void *data)
{
    uint64_t seen = 0;

    weir_assert(n <= 64 && first >= 1);
    for (size_t i = first; i < words->n; i++) {
        weir_str_t value;
        size_t     k = option_find(options, n, words->at[i].text, &value);

        if (k == n) {
            return weir_conf_invalid(cf, i, expected);
        }
        if (seen >> k & 1) {
            return weir_conf_error(cf, i, "\"%s%s\" stands twice in \"%.*s\"", options[k].name,
                                   options[k].is_bare ? "" : "=", WEIR_STR_ARG(words->at[0].text));
        }
        seen |= UINT64_C(1) << k;
        if (!options[k].read(cf, i, value, data)) {
            return false;
        }
    }
    return true;
}
