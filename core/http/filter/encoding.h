/*
 * encoding.h - which requests get a compressed answer, by gzip_http_version, gzip_proxied, gzip_disable and gzip_vary.
 */
#ifndef WEIR_HTTP_ENCODING_H
#define WEIR_HTTP_ENCODING_H

#include "http/request.h"

/* Does the client take gzip, and do the directives let it have some?  Looks at the fields that the answer has so
 * far. */
bool weir_encoding_is_wanted(weir_request_t *req);
/* Vary: Accept-Encoding, when gzip_vary says so. */
void weir_encoding_say_vary(weir_request_t *req);
bool weir_encoding_says_vary(const weir_request_t *req);

#endif
