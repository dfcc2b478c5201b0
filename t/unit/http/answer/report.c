/*
 * report.c - a long answer goes on after each pause, whether an edge tells that the client has taken what was pending or
 * it all went while it was flushed.
 */
#include "../filter_driver.h"

#include "http/answer/report.h"

#include "tap.h"

#define PIECES 5
#define TURNS  200                           /* more than it takes */

typedef struct { weir_report_t report; int made; } counted_t;

static bool
step(weir_report_t *report, weir_buf_t *out)
{
    counted_t *counted = weir_container_of(report, counted_t, report);

    for (int i = 0; i < 2000; i++) {         /* more than the wire has room for */
        weir_buf_add_char(out, (char) ('a' + counted->made));
    }
    return ++counted->made < PIECES;
}

/* How many bytes have left when it ended, or when nothing more happens. */
static long
run(bool goes_at_flush)
{
    weir_request_t *req = driver_begin();
    counted_t *counted = weir_new(&req->arena, counted_t);
    long left;

    wire.goes_at_flush = goes_at_flush;
    (void) weir_report_start(req, &counted->report, WEIR_STR("text/plain"), step);
    for (int i = 0; !req->is_ended && i < TURNS; i++) {
        if (!goes_at_flush && wire.queued != 0) {
            wire_takes(req);
        }
        if (!req->is_ended) {
            weir_loop_turn(driver_http.loop, (weir_msec_t) { 1 });
        }
    }
    left = (long) wire.n;
    if (!req->is_ended) {
        weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
    }
    driver_end(req);
    return left;
}

int
main(void)
{
    driver_http.loop = weir_loop_create(4);
    weir_assert(driver_http.loop != NULL);
    is_int(run(false), 2000 * PIECES, "a client that takes bytes when it is told gets all of them");
    is_int(run(true), 2000 * PIECES, "so does one that takes them while they are flushed");
    weir_loop_destroy(driver_http.loop);
    return done();
}
