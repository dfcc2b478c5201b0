/*
 * respond.h - the last step of an answer's body before its codec; inside core/http only.
 */
#ifndef WEIR_HTTP_RESPOND_H
#define WEIR_HTTP_RESPOND_H

#include "http/request.h"

/* Bytes as they are to arrive: nothing looks at them any more.  Counts them. */
weir_io_t weir_wire_body(weir_request_t *req, weir_str_t bytes);

#endif
