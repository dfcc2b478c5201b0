/*
 * client.h - a client of the control socket and its requests; inside this folder only.
 *
 *     (bytes) --head--> reading its body --> asked of the master --> answered --> bytes --> freed
 *                 |                             (in its client's list, in the order of requests)
 *                 +--> refused: answered at once; the connection ends behind the answer where the rest cannot be read
 */
#ifndef WEIR_PROC_CONTROL_CLIENT_H
#define WEIR_PROC_CONTROL_CLIENT_H

#include "http/h1/chunked.h"
#include "http/h1/parse.h"
#include "proc/common/frames.h"
#include "proc/control/resources.h"
#include "proc/control/server.h"

#define WEIR_CLIENT_ROOM    16384            /* bytes that were received and not taken */
#define WEIR_CLIENT_ASKED   64               /* its requests that are not answered */
#define WEIR_CLIENT_UNREAD  (256 * 1024)     /* bytes of answers, beyond which nothing is taken */

typedef struct weir_client weir_client_t;

typedef struct {
    weir_list_t           link;              /* of its client */
    weir_list_t           asked;             /* of what the master has; linked while `id` is not 0 */
    weir_client_t        *client;
    uint64_t              id;
    weir_instant_t        since;             /* it is asked */
    weir_arena_t          arena;
    weir_request_head_t   head;
    weir_resource_match_t match;
    weir_chunked_t        chunked;
    uint64_t              body_left;
    char                 *body;              /* heap */
    size_t                body_len, body_cap;
    unsigned              status;            /* 0: not answered */
    char                 *answer;            /* heap; may be NULL */
    size_t                answer_len;
    weir_str_t            located, allow;
    bool                  keep_alive, is_problem, is_long;
} weir_control_exchange_t;

typedef enum {
    WEIR_CLIENT_IDLE, WEIR_CLIENT_HEAD, WEIR_CLIENT_READING, WEIR_CLIENT_BUSY, WEIR_CLIENT_WRITING, WEIR_CLIENT_LINGER
} weir_client_phase_t;

struct weir_client {
    weir_list_t         link;                /* of the server's, the one that came first at the front */
    weir_watch_t        watch;
    weir_timer_t        timer;
    weir_client_phase_t phase;
    weir_instant_t      since;               /* of the phase; of the last progress while it writes */
    weir_list_t         exchanges;
    size_t              n, n_long;
    weir_control_exchange_t    *reading;             /* the last of them, whose body is not there yet */
    weir_h1_scan_t      scan;
    bool                ends;                /* takes no further request */
    bool                is_eof;              /* the client says no more */
    bool                is_shut;             /* all was sent: what still comes is thrown away */
    size_t              in_len;
    char               *out;                 /* heap */
    size_t              out_at, out_len, out_cap;
    char                in[WEIR_CLIENT_ROOM];
};

/* -- server.c -- */
bool         weir_server_may_ask(void);                      /* requests under way are fewer than there may be */
bool         weir_server_take_body(size_t bytes);            /* of all bodies; false: there are too many */
void         weir_server_give_body(size_t bytes);
weir_loop_t *weir_server_loop(void);
/* To the master.  false: it is not there. */
bool         weir_server_ask(weir_control_exchange_t *exchange, weir_str_t words);
void         weir_server_forget(weir_control_exchange_t *exchange);  /* its answer is not waited for */
bool         weir_server_is_leaving(void);
void         weir_server_left(void);                         /* a client: its memory goes */
/* Some client may go on now; at the end of the turn. */
void         weir_server_look_again(void);

/* -- client.c -- */
/* NULL: there is no memory. */
weir_client_t *weir_client_new(int fd);
void           weir_client_go_on(weir_client_t *client);     /* may free it */
void           weir_client_free(weir_client_t *client);
/* Whatever it says: this is its answer. */
void           weir_client_turn_away(weir_client_t *client, unsigned status, const char *detail);
/* Waits for nothing, or has not said what it wants for a while: it may be sent away for another one. */
bool           weir_client_is_spare(const weir_client_t *client);

/* -- exchange.c -- */
weir_control_exchange_t *weir_control_exchange_new(weir_client_t *client);
void             weir_control_exchange_free(weir_control_exchange_t *exchange);
/* The head is read: refused, or asked for its body. */
void             weir_control_exchange_begin(weir_control_exchange_t *exchange);
/* Its body is there. */
void             weir_control_exchange_run(weir_control_exchange_t *exchange);
void             weir_control_exchange_refuse(weir_control_exchange_t *exchange, unsigned status, const char *detail);
/* What the master says; text is copied. */
void             weir_control_exchange_answer(weir_control_exchange_t *exchange, unsigned status, weir_str_t text);
/* Head and body of the answer, behind what the client has to read.  false: there is no memory. */
bool             weir_control_exchange_write(weir_control_exchange_t *exchange);
bool             weir_client_put(weir_client_t *client, weir_str_t bytes);

#endif
