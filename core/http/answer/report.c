/*
 * report.c - see report.h.  Runs in workers; one buffer in the request's arena.
 */
#include "http/answer/report.h"

#include "os/sys.h"

#define REPORT_TURN  100                     /* microseconds, and the step that is over it */
#define REPORT_PAUSE ((weir_msec_t) { 1 })

static void report_go_on(weir_report_t *report);

static void
report_on_timer(weir_timer_t *timer)
{
    report_go_on(weir_container_of(timer, weir_report_t, timer));
}

static weir_report_t *report_of(weir_holder_t *hold) { return weir_container_of(hold, weir_report_t, hold); }

static void
report_on_writable(weir_holder_t *hold)
{
    report_go_on(report_of(hold));
}

static void
report_on_cancel(weir_holder_t *hold)
{
    weir_timer_drop(&report_of(hold)->timer);
}

static const weir_holder_ops_t report_hold = { .on_writable = report_on_writable, .on_cancel = report_on_cancel };

static void
report_let_go(weir_report_t *report)
{
    weir_timer_drop(&report->timer);
    weir_request_let_go(&report->hold);
}

static void
report_lost(weir_report_t *report)
{
    report_let_go(report);
    weir_response_lost(report->req);
}

static void
report_end(weir_report_t *report)
{
    report_let_go(report);
    (void) weir_response_end(report->req);
    weir_request_finish(report->req);
}

static void
report_go_on(weir_report_t *report)
{
    weir_request_t *req = report->req;
    uint64_t        until = weir_sys_clock_us() + REPORT_TURN;
    weir_io_t       io = WEIR_OK;
    weir_buf_t      out;

    weir_assert(report->hold.req == req && !report->done);
    weir_timer_clear(&report->timer);
    do {
        weir_buf_init(&out, report->room, WEIR_REPORT_PIECE);
        report->done = !report->step(report, &out);
        io = weir_response_body(req, weir_buf_str(&out));
    } while (io == WEIR_OK && !report->done && weir_sys_clock_us() < until);
    if (io == WEIR_ERROR) {
        report_lost(report);
        return;
    }
    if (report->done) {
        report_end(report);
        return;
    }
    if (weir_response_flush(req) == WEIR_ERROR) {
        report_lost(report);
        return;
    }
    if (!weir_response_pending(req)) {             /* also when it all went in the flush: no edge will tell */
        weir_timer_set(weir_request_loop(req), &report->timer, REPORT_PAUSE, report_on_timer);
    }
}

weir_step_t
weir_report_start(weir_request_t *req, weir_report_t *report, weir_str_t content_type,
                  bool (*step)(weir_report_t *report, weir_buf_t *out))
{
    weir_assert(!req->res.head_given);
    if (req->head.method != WEIR_METHOD_GET && req->head.method != WEIR_METHOD_HEAD) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_METHOD, NULL);
    }
    *report = (weir_report_t) { .req = req, .step = step, .room = weir_alloc(&req->arena, WEIR_REPORT_PIECE) };
    req->res.status = 200;
    req->res.length = WEIR_LENGTH_NONE;
    weir_response_add(req, WEIR_HEADER_CONTENT_TYPE, content_type);
    weir_request_hold(req, &report->hold, &report_hold);
    if (weir_response_head(req) == WEIR_ERROR) {
        report_lost(report);
        return WEIR_DONE;
    }
    if (req->head.method == WEIR_METHOD_HEAD) {
        report_end(report);
    } else {
        report_go_on(report);
    }
    return WEIR_DONE;
}

/* Bytes of the UTF-8 sequence that begins here; 0: it is none. */
static size_t
report_utf8(weir_str_t text)
{
    uint8_t first = (uint8_t) text.at[0];
    size_t n = first < 0x80                  ? 1
             : first >= 0xc2 && first < 0xe0 ? 2
             : first >= 0xe0 && first < 0xf0 ? 3
             : first >= 0xf0 && first < 0xf5 ? 4
                                             : 0;

    if (n == 0 || n > text.len) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if (((uint8_t) text.at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

void
weir_report_add_quoted(weir_buf_t *out, weir_str_t text)
{
    size_t n;

    weir_buf_add_char(out, '"');
    for (; text.len != 0; text = weir_str_skip(text, weir_max(n, 1))) {
        char c = text.at[0];

        n = report_utf8(text);
        if (n == 0) {
            weir_buf_add_char(out, '?');
        } else if (n > 1) {
            weir_buf_add(out, text.at, n);
        } else if (c == '"' || c == '\\') {
            weir_buf_add_char(out, '\\');
            weir_buf_add_char(out, c);
        } else if (c == '\n') {
            weir_buf_add_lit(out, "\\n");
        } else if ((uint8_t) c < 0x20 || c == 0x7f) {
            weir_buf_printf(out, "\\u%04x", (unsigned) c);
        } else {
            weir_buf_add_char(out, c);
        }
    }
    weir_buf_add_char(out, '"');
}
