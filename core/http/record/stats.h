/*
 * stats.h - what http counts (shm/stats.h): connections, handshakes, and each request where it went.
 */
#ifndef WEIR_HTTP_STATS_H
#define WEIR_HTTP_STATS_H

#include "http/request.h"

void weir_http_stats_connection(bool opened);
void weir_http_stats_idle(int by);
void weir_http_stats_handshake(bool done, bool resumed);
/* Its server is known: it is under way there. */
void weir_http_stats_begin(weir_request_t *req);
/* One peer that was asked, when that is over: at the peer and its group. */
void weir_http_stats_attempt(const weir_attempt_t *attempt);
/* When it is over: in a row beside those of below. */
void weir_http_stats_add(uint32_t index, const weir_request_t *req);
/* Once, when it is over: in the process, its server, its location, each peer it was sent to and that one's group. */
void weir_http_stats_end(weir_request_t *req);

#endif
