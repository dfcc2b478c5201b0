/*
 * http.h - http as the processes see it: what to listen on, and the runtime of a worker.
 */
#ifndef WEIR_HTTP_HTTP_H
#define WEIR_HTTP_HTTP_H

#include "conf/life.h"
#include "event/loop.h"
#include "os/sock.h"

typedef struct weir_http weir_http_t;

/* The addresses a generation listens on: what the master must hold sockets for. */
typedef struct { const weir_addr_t *addr; weir_str_t text; const weir_listen_options_t *options; } weir_http_address_t;
size_t weir_http_addresses(const weir_generation_t *generation, weir_arena_t *arena, weir_http_address_t **list);

/* A process's http; takes its own reference of the generation, which its modules adopt.  max_connections:
 * worker_connections. */
weir_http_t *weir_http_create(weir_life_t *life, weir_generation_t *generation, uint32_t max_connections);
/* For a process that ends now.  What is open is closed; the loop is turned.  Then its modules may end (weir_life_end),
 * and then it goes itself; the loop is turned again. */
void         weir_http_stop(weir_http_t *http);
void         weir_http_destroy(weir_http_t *http);
/* Accepts on fd (taken over; closed by remove or destroy). shared: several processes accept on it (unix sockets). */
bool         weir_http_listen_on(weir_http_t *http, const weir_addr_t *addr, int fd, bool shared) WEIR_MUST_USE;
/* Every connection that is accepted adds one there. */
void         weir_http_count_taken(weir_http_t *http, uint64_t *taken);
/* Accepts on fd (taken over) for worker `of`, which is down, until weir_http_keep_end; without a word when the
 * generation has no such address. */
void         weir_http_keep(weir_http_t *http, const weir_addr_t *addr, int fd, uint32_t of);
void         weir_http_keep_end(weir_http_t *http, uint32_t of);
/* Swaps the generation: connections use the new one at their next request.  Sockets of addresses it does not listen on
 * are drained (accepted until empty, on the old generation) and closed. */
void         weir_http_use(weir_http_t *http, weir_generation_t *generation);
/* Takes what is queued and accepts no more; connections end politely; after `limit` (0: none) they are cut. */
void         weir_http_quit(weir_http_t *http, weir_msec_t limit);
size_t       weir_http_connections(const weir_http_t *http);      /* open client connections, tunnels included; and mirrors under way */
/* USR1: access logs. */
void         weir_http_reopen_logs(weir_http_t *http);

#endif
