/* error.c - the first error stays, and one that is too long is cut. */
#include "base/error.h"

#include "tap.h"

int
main(void)
{
    weir_error_t error = { .text = "" };

    ok(!weir_error_is_set(&error), "none yet");
    ok(!weir_error_set(&error, "unknown directive \"%s\"", "foo") && weir_error_is_set(&error), "set is false");
    ok(!weir_error_set(&error, "another"), "set again");
    is_str(weir_str_from_z(error.text), "unknown directive \"foo\"", "the first one stays");
    error = (weir_error_t) { .text = "" };
    ok(!weir_error_set(&error, "%05000d", 1) && strlen(error.text) == sizeof(error.text) - 1, "a long one is cut");
    return done();
}
