/*
 * accept.c - the quality that an Accept gives a media type: the closest range counts, malformed ones do not.
 */
#include "http/answer/accept.h"

#include "tap.h"

static unsigned
of(const char *accept, const char *type)
{
    return weir_accept_quality(weir_str_from_z(accept), weir_str_from_z(type));
}

int
main(void)
{
    is_int(weir_accept_quality(WEIR_STR_NONE, WEIR_STR("text/html")), 1000, "without an Accept all is well");
    is_int(of("", "text/html"), 0, "with an empty one nothing is asked for");
    is_int(of("text/html", "text/html"), 1000, "named");
    is_int(of("TEXT/Html", "text/html"), 1000, "in any case");
    is_int(of("text/html", "application/json"), 0, "another is not wanted");
    is_int(of("*/*;q=0.8", "application/json"), 800, "any, with a quality");
    is_int(of("text/*;q=0.3, */*;q=0.8", "text/html"), 300, "a kind is closer than any");
    is_int(of("*/*, text/*;q=0.3, text/html;q=0", "text/html"), 0, "the type itself is the closest");
    is_int(of("text/html;level=1;q=0.25", "text/html"), 250, "a quality stands behind parameters");
    is_int(of("text/html ; q=0.125", "text/html"), 125, "with spaces");
    is_int(of("text/html;q=1.000", "text/html"), 1000, "one");
    is_int(of("text/html;q=1.001", "text/html"), 0, "more than one is none");
    is_int(of("text/html;q=0.1234", "text/html"), 0, "four digits are none");
    is_int(of("text/html;q=", "text/html"), 0, "an empty one is none");
    is_int(of("text/html;q=x, */*;q=0.1", "text/html"), 100, "a malformed range is no range");
    is_int(of("*", "text/html"), 0, "a star alone is no range");
    is_int(of(",,;,/,*/,/*", "text/html"), 0, "nonsense");
    return done();
}
