/*
 * The words of the manual: found by module and directive, and complained of when they are about nothing.
 */
#define _GNU_SOURCE 1

#include "conf/manual.h"
#include "reading.h"

#include <sys/mman.h>
#include <unistd.h>

static const weir_directive_t     manual_rows[] = { { .name = "limit_req" }, WEIR_DIRECTIVES_END };
static const weir_module_t        manual_limits = { .name = "http_limit_req", .area = "Limits",
                                                    .directives = manual_rows };
static const weir_module_t *const manual_table[] = { &weir_core, &manual_limits, NULL };

int
main(void)
{
    char    text[60000] = "";
    int     fd = memfd_create("text", 0);
    ssize_t n;

    ok(weir_manual_check(fd), "all words are about rows and pages that there are");
    ok(weir_manual_find("page:Limits", "") != NULL, "a page has an introduction");
    ok(weir_manual_find("http_limit_req", "limit_req_zone") != NULL, "a directive has words");
    ok(weir_manual_find("http_limit_req", "limit_conn") == NULL, "another module's directive is not found");
    weir_modules_in_use = manual_table;
    ok(!weir_manual_check(fd), "words about rows that a module does not have are complained of");
    n = pread(fd, text, sizeof(text) - 1, 0);
    ok(n > 0 && strstr(text, "\"limit_req_zone\" of \"http_limit_req\"") != NULL, "and named");
    ok(strstr(text, "\"limit_req\" of") == NULL, "those that are about a row are not");
    ok(strstr(text, "\"page:Variables\"") != NULL || weir_manual_find("page:Variables", "") == NULL,
       "pages without a module are named");
    close(fd);
    return done();
}
