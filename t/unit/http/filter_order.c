/*
 * filter_order.c - modules' filters come by their place, and of one place behind those that .filter_after names; those
 * that are to come behind one another are refused.
 */
#include "http/filter/order.h"

#include "log/log.h"
#include "tap.h"

#include <fcntl.h>
#include <string.h>

static weir_step_t
head(weir_request_t *req, const void *conf)
{
    (void) req;
    (void) conf;
    return WEIR_NEXT;
}

#define FILTER(n, place, after) { .name = n, .filter_head = head, .filter_place = place, .filter_after = after }

/* Their names in the order that is made; NULL: they are refused. */
static const char *
order_of(const weir_http_module_t *modules, size_t n)
{
    static char               names[64];
    const weir_http_module_t *row[8];
    const size_t             *order;
    weir_arena_t              arena;

    weir_arena_init(&arena, 1024);
    for (size_t i = 0; i < n; i++) {
        row[i] = modules[i].name != NULL ? &modules[i] : NULL;
    }
    order = weir_filters_order_of(&arena, row, n);
    names[0] = '\0';
    for (size_t i = 0; order != NULL && order[i] != SIZE_MAX; i++) {
        strcat(names, row[order[i]]->name);
    }
    weir_arena_fini(&arena);
    return order != NULL ? names : NULL;
}

#define is_order(modules, want, what) is_str(weir_str_from_z(order_of((modules), weir_countof(modules))), (want), (what))

int
main(void)
{
    static weir_log_sink_t sink = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_INFO };
    const weir_http_module_t
        places[] = { FILTER("a", WEIR_FILTER_PACE, NULL), { .name = "none" }, FILTER("b", WEIR_FILTER_FIELDS, "a"),
                     { .name = NULL }, FILTER("c", WEIR_FILTER_ENCODE, NULL) },
        after[] = { FILTER("a", WEIR_FILTER_FIELDS, "b c"), FILTER("b", WEIR_FILTER_FIELDS, "c nobody"),
                    FILTER("c", WEIR_FILTER_FIELDS, "c"), FILTER("d", WEIR_FILTER_FIELDS, NULL) },
        two[] = { FILTER("a", WEIR_FILTER_FIELDS, "b"), FILTER("b", WEIR_FILTER_FIELDS, "a"),
                  FILTER("c", WEIR_FILTER_FIELDS, NULL) },
        three[] = { FILTER("a", WEIR_FILTER_ENCODE, "c"), FILTER("b", WEIR_FILTER_ENCODE, "a"),
                    FILTER("c", WEIR_FILTER_ENCODE, "b"), FILTER("d", WEIR_FILTER_FIELDS, NULL) },
        apart[] = { FILTER("a", WEIR_FILTER_FIELDS, "b"), FILTER("b", WEIR_FILTER_ENCODE, "a") };

    sink.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    weir_log_use(&sink);
    is_order(places, "bca", "by their place, those that filter");
    is_order(after, "cbad", "of one place, behind those that are named");
    ok(order_of(two, weir_countof(two)) == NULL, "two behind one another are refused");
    ok(order_of(three, weir_countof(three)) == NULL, "a circle of three, too");
    is_order(apart, "ab", "names of other places say nothing: their places do");
    return done();
}
