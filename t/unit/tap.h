/*
 * tap.h - the unit tests' whole framework: ok, is, done.  Each test is a program that prints TAP.
 */
#ifndef WEIR_T_TAP_H
#define WEIR_T_TAP_H

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failed;

static inline bool
tap_ok(bool passed, const char *file, int line, const char *what)
{
    printf("%sok %d - %s\n", passed ? "" : "not ", ++tap_count, what);
    if (!passed) {
        tap_failed++;
        printf("# failed at %s:%d\n", file, line);
    }
    fflush(stdout);
    return passed;
}

static inline bool
tap_is_str(weir_str_t got, weir_str_t want, const char *file, int line, const char *what)
{
    bool same = weir_str_eq(got, want);

    tap_ok(same, file, line, what);
    if (!same) {
        printf("#   got: '%.*s'\n#  want: '%.*s'\n", WEIR_STR_ARG(got), WEIR_STR_ARG(want));
    }
    return same;
}

static inline bool
tap_is_int(long long got, long long want, const char *file, int line, const char *what)
{
    tap_ok(got == want, file, line, what);
    if (got != want) {
        printf("#   got: %lld\n#  want: %lld\n", got, want);
    }
    return got == want;
}

#define ok(cond, what)           tap_ok((cond), __FILE__, __LINE__, (what))
#define is_str(got, want, what)  tap_is_str((got), weir_str_from_z(want), __FILE__, __LINE__, (what))
#define is_int(got, want, what)  tap_is_int((long long) (got), (long long) (want), __FILE__, __LINE__, (what))

static inline int
done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}

#endif
