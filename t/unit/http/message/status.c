/* Statuses have the names of RFC 9110, and the built-in page is short HTML that holds nothing but them. */
#define _GNU_SOURCE 1
#include "http/message/status.h"

#include "tap.h"

static void
reasons(void)
{
    is_str(weir_status_reason(200), "OK", "200");
    is_str(weir_status_reason(302), "Found", "302");
    is_str(weir_status_reason(413), "Content Too Large", "413");
    is_str(weir_status_reason(431), "Request Header Fields Too Large", "431");
    is_str(weir_status_reason(511), "Network Authentication Required", "511");
    is_str(weir_status_reason(418), "", "one without a name");
    is_str(weir_status_reason(0), "", "below the first");
    is_str(weir_status_reason(99), "", "just below the first");
    is_str(weir_status_reason(599), "", "the last of the table");
    is_str(weir_status_reason(600), "", "above the table");
    is_str(weir_status_reason(65535), "", "far above");
}

static bool
has(weir_str_t page, const char *text)
{
    return memmem(page.at, page.len, text, strlen(text)) != NULL;
}

static void
pages(void)
{
    weir_arena_t arena;
    weir_str_t page, long_token;
    char token[4096];

    weir_arena_init(&arena, 4096);
    page = weir_status_page(404, false, WEIR_STR("weir/1.2"), WEIR_STR_NONE, &arena);
    ok(has(page, "<title>404 Not Found</title>"), "the title");
    ok(has(page, "<h1>404 Not Found</h1>"), "the heading");
    ok(has(page, "<center>weir/1.2</center>"), "who answers");
    ok(weir_str_ends(page, WEIR_STR("</html>\n")), "it is complete");
    ok(!has(page, "request"), "a request without an id");
    page = weir_status_page(503, true, WEIR_STR("weir"), WEIR_STR_NONE, &arena);
    ok(strstr(weir_str_to_z(&arena, page), "<title>503 Service Temporarily Unavailable</title>") != NULL,
       "as nginx calls it");
    is_str(weir_status_reason_nginx(302, false), "Moved Temporarily", "302 in a status line");
    is_str(weir_status_reason_nginx(302, true), "Found", "and on a page");
    is_str(weir_status_reason_nginx(404, false), "Not Found", "most are the same");
    page = weir_status_page(599, false, WEIR_STR("weir"), WEIR_STR("0123abc"), &arena);
    ok(has(page, "<title>599</title>"), "a status without a name");
    ok(has(page, "<center>request 0123abc</center>"), "a request with one");
    memset(token, 'x', sizeof(token));
    long_token = weir_str(token, sizeof(token));
    ok(weir_status_page(500, true, long_token, WEIR_STR_NONE, &arena).len <= 512, "a page has an end");
    weir_arena_fini(&arena);
}

int
main(void)
{
    reasons();
    pages();
    return done();
}
