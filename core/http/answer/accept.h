/*
 * accept.h - what a client would rather have (RFC 9110 §12.5.1).
 */
#ifndef WEIR_HTTP_ACCEPT_H
#define WEIR_HTTP_ACCEPT_H

#include "base/str.h"

/* How much a client that sent this Accept wants a media type, in thousandths: of the ranges that fit it the most
 * specific one counts ("text/html" before "text/" and a star before the star alone).  1000: also without an Accept (at
 * == NULL); 0: not at all.  A range that is malformed is no range. */
unsigned weir_accept_quality(weir_str_t accept, weir_str_t type);

#endif
