/*
 * accept.c - see accept.h.  Allocates nothing; the list is a client's, of bounded length.
 */
#include "http/answer/accept.h"

#include "http/message/syntax.h"

#define ACCEPT_ANY 1000

/* "0.5", "1.000" (RFC 9110 §12.4.2), in thousandths; -1: no quality. */
static int
accept_read_quality(weir_str_t text)
{
    int value, place = 100;

    if (text.len == 0 || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1')
        || (text.len > 1 && text.at[1] != '.'))
    {
        return -1;
    }
    value = (text.at[0] - '0') * 1000;
    for (size_t i = 2; i < text.len; i++, place /= 10) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return -1;
        }
        value += (text.at[i] - '0') * place;
    }
    return value <= 1000 ? value : -1;
}

/* The quality that a range's parameters give it; -1: they are malformed. */
static int
accept_parameters(weir_str_t parameters)
{
    weir_str_t parameter, name, value;
    bool       more = parameters.len != 0;

    while (more) {
        more = weir_str_cut(parameters, ';', &parameter, &parameters);
        if (weir_str_cut(weir_str_trim(parameter), '=', &name, &value) && weir_str_eq_fold(name, WEIR_STR("q"))) {
            return accept_read_quality(value);
        }
    }
    return ACCEPT_ANY;
}

/* How closely a range fits a type: 3: it is it, 2: its kind, 1: any; 0: it does not. */
static unsigned
accept_fits(weir_str_t range, weir_str_t type)
{
    weir_str_t kind, rest, kind_of_type, ignored;

    if (weir_str_eq_fold(range, type)) {
        return 3;
    }
    if (weir_str_eq(range, WEIR_STR("*/*"))) {
        return 1;
    }
    return weir_str_cut(range, '/', &kind, &rest) && weir_str_eq(rest, WEIR_STR("*"))
                && weir_str_cut(type, '/', &kind_of_type, &ignored) && weir_str_eq_fold(kind, kind_of_type)
             ? 2
             : 0;
}

unsigned
weir_accept_quality(weir_str_t accept, weir_str_t type)
{
    weir_str_t element, range, parameters;
    unsigned   closest = 0;
    int        quality = 0, its;

    if (accept.at == NULL) {
        return ACCEPT_ANY;
    }
    while (weir_syntax_list_next(&accept, &element)) {
        if (!weir_str_cut(element, ';', &range, &parameters)) {
            range = element;
            parameters = WEIR_STR_NONE;
        }
        its = accept_parameters(parameters);
        unsigned fits = accept_fits(weir_str_trim(range), type);
        if (its >= 0 && fits > closest) {
            closest = fits;
            quality = its;
        }
    }
    weir_assert(quality >= 0 && quality <= ACCEPT_ANY);
    return (unsigned) quality;
}
