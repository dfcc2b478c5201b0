/*
 * report.h - a long answer made from what is in memory, a piece a turn of the loop, so that no other client waits for
 * it.
 *
 *     typedef struct { weir_report_t report; … } mine_t;     // in the request's arena
 *     return weir_report_start(req, &mine->report, WEIR_STR("application/json"), step);
 */
#ifndef WEIR_HTTP_REPORT_H
#define WEIR_HTTP_REPORT_H

#include "base/buf.h"
#include "http/request.h"

#define WEIR_REPORT_PIECE 65536              /* bytes that a step may write */

typedef struct weir_report weir_report_t;

struct weir_report {
    weir_holder_t     hold;
    weir_request_t *req;
    /* Writes the next piece: false when that was the last one. A piece that does not fit is lost: a step does
     * little. */
    bool          (*step)(weir_report_t *report, weir_buf_t *out);
    weir_timer_t    timer;
    char           *room;
    bool            done;
};

/* GET and HEAD; others get 405.  A content handler returns what this does. */
weir_step_t weir_report_start(weir_request_t *req, weir_report_t *report, weir_str_t content_type,
                              bool (*step)(weir_report_t *report, weir_buf_t *out));

/* Within quotes, as JSON and Prometheus want it: \" \\ \n, and \u00xx for other controls; what is no UTF-8 becomes
 * '?'. */
void weir_report_add_quoted(weir_buf_t *out, weir_str_t text);

#endif
