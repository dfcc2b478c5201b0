/* str_distance.c - how far two names are apart, for "did you mean". */
#include "base/str.h"

#include "tap.h"

static void
is_far(const char *a, const char *b, size_t ceiling, size_t want)
{
    char what[300];

    snprintf(what, sizeof(what), "%.100s, %.100s up to %zu", a, b, ceiling);
    is_int(weir_str_distance(weir_str_from_z(a), weir_str_from_z(b), ceiling), want, what);
    is_int(weir_str_distance(weir_str_from_z(b), weir_str_from_z(a), ceiling), want, "and the other way");
}

int
main(void)
{
    char long_name[200];

    memset(long_name, 'x', sizeof(long_name));
    long_name[199] = '\0';

    is_far("proxy_pass", "proxy_pass", 3, 0);
    is_far("proxy_pas", "proxy_pass", 3, 1);
    is_far("porxy_pass", "proxy_pass", 3, 1);
    is_far("proxy_passs", "proxy_pass", 3, 1);
    is_far("prixy_pass", "proxy_pass", 3, 1);
    is_far("listne", "listen", 3, 1);
    is_far("kitten", "sitting", 9, 3);
    is_far("kitten", "sitting", 3, 3);
    is_far("kitten", "sitting", 2, 3);
    is_far("abcdef", "uvwxyz", 2, 3);
    is_far("", "abc", 9, 3);
    is_far("", "", 0, 0);
    is_far("a", "b", 0, 1);
    is_far("abcd", "badc", 5, 2);
    is_far(long_name, "x", 4, 5);
    is_far(long_name, long_name, 4, 0);
    is_far("kitten", "sitting", SIZE_MAX, 3);
    long_name[127] = '\0';
    is_far(long_name, "", 200, 127);
    return done();
}
