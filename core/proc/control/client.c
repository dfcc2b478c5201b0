/*
 * client.c - a client's connection to the control socket: bytes become requests, answers leave in their order.
 *
 * One function drives it (weir_client_go_on), called by the loop, its timer and the server's task; nothing that it
 * calls calls back.
 */
#include "proc/control/client.h"

#include "base/mem.h"
#include "os/clock.h"

#include <errno.h>

#define CLIENT_OUT     8192
#define CLIENT_KEPT    65536                 /* bytes of room for answers that are kept while there is none */
#define CLIENT_BODY    16384
#define CLIENT_STEPS   256                   /* requests and reads of one turn */
#define CLIENT_PATIENT 2000                  /* ms that a head or a body may be incomplete before others come first */

/* ms of each phase; 0: no limit (the server has one for what is asked) */
static const uint64_t client_limits[] = {
    [WEIR_CLIENT_IDLE] = 75000, [WEIR_CLIENT_HEAD] = 10000, [WEIR_CLIENT_READING] = 60000, [WEIR_CLIENT_BUSY] = 0,
    [WEIR_CLIENT_WRITING] = 20000, [WEIR_CLIENT_LINGER] = 2000,
};

static const weir_h1_limits_t client_head = { .max_line = 8192, .max_field = 8192, .max_head = WEIR_CLIENT_ROOM - 2,
                                              .max_fields = 64 };

static void
client_on_ready(weir_watch_t *watch)
{
    weir_client_go_on(weir_container_of(watch, weir_client_t, watch));
}

weir_client_t *
weir_client_new(int fd)
{
    weir_client_t *client = weir_mem_try(sizeof(*client));

    if (client == NULL) {
        return NULL;
    }
    memset(client, 0, offsetof(weir_client_t, in));
    weir_list_init(&client->exchanges);
    client->since = weir_clock_now();
    if (!weir_loop_watch(weir_server_loop(), &client->watch, fd, client_on_ready)) {
        weir_mem_free(client);
        return NULL;
    }
    client->watch.readable = client->watch.writable = true;
    return client;
}

void
weir_client_free(weir_client_t *client)
{
    int fd = client->watch.fd;

    while (!weir_list_empty(&client->exchanges)) {
        weir_control_exchange_free(weir_list_entry(client->exchanges.next, weir_control_exchange_t, link));
    }
    weir_timer_drop(&client->timer);
    weir_loop_unwatch(weir_server_loop(), &client->watch);
    (void) weir_sys_close(fd);
    weir_list_remove(&client->link);
    weir_mem_free(client->out);
    weir_mem_free(client);
    weir_server_left();
}

bool
weir_client_is_spare(const weir_client_t *client)
{
    switch (client->phase) {
    case WEIR_CLIENT_IDLE:
    case WEIR_CLIENT_LINGER:
        return true;
    case WEIR_CLIENT_HEAD:
    case WEIR_CLIENT_READING:
    case WEIR_CLIENT_WRITING:
        return weir_clock_now().ms - client->since.ms >= CLIENT_PATIENT;
    default:
        return false;
    }
}

/* -- answers -- */

bool
weir_client_put(weir_client_t *client, weir_str_t bytes)
{
    if (client->out_len + bytes.len > client->out_cap) {
        size_t cap = weir_max(weir_max(client->out_cap * 2, client->out_len + bytes.len), (size_t) CLIENT_OUT);
        char  *grown = weir_mem_try_resize(client->out, cap);

        if (grown == NULL) {
            return false;
        }
        client->out = grown;
        client->out_cap = cap;
    }
    memcpy(client->out + client->out_len, bytes.at, bytes.len);
    client->out_len += bytes.len;
    return true;
}

static size_t
client_unsent(const weir_client_t *client)
{
    return client->out_len - client->out_at;
}

/* Those at the front that are answered.  false: the connection has failed. */
static bool
client_write(weir_client_t *client)
{
    while (!weir_list_empty(&client->exchanges) && client_unsent(client) < WEIR_CLIENT_UNREAD) {
        weir_control_exchange_t *exchange = weir_list_entry(client->exchanges.next, weir_control_exchange_t, link);

        if (exchange->status == 0) {
            break;
        }
        if (exchange == client->reading) {
            exchange->keep_alive = false;    /* it was refused in the middle of its body */
        }
        client->ends = client->ends || !exchange->keep_alive;
        if (!weir_control_exchange_write(exchange)) {
            return false;
        }
        if (!exchange->keep_alive) {
            while (!weir_list_empty(&client->exchanges)) {
                weir_control_exchange_free(weir_list_entry(client->exchanges.next, weir_control_exchange_t, link));
            }
        } else {
            weir_control_exchange_free(exchange);
        }
    }
    return true;
}

static bool
client_send(weir_client_t *client)
{
    while (client_unsent(client) != 0 && client->watch.writable) {
        ssize_t n = weir_sys_send(client->watch.fd, client->out + client->out_at, client_unsent(client), 0);

        if (n < 0 && errno == EAGAIN) {
            client->watch.writable = false;
        } else if (n <= 0) {
            return false;
        } else {
            client->out_at += (size_t) n;
            client->since = weir_clock_now();
        }
    }
    if (client_unsent(client) == 0) {
        client->out_at = client->out_len = 0;
        if (client->out_cap > CLIENT_KEPT) {
            weir_mem_free(client->out);
            client->out = NULL;
            client->out_cap = 0;
        }
    }
    return true;
}

/* -- requests -- */

/* May another head be taken? */
static bool
client_may_take(const weir_client_t *client)
{
    return !client->ends && client->n < WEIR_CLIENT_ASKED && client->n_long == 0
        && client_unsent(client) < WEIR_CLIENT_UNREAD && weir_server_may_ask();
}

static void
client_drop_in(weir_client_t *client, size_t n)
{
    weir_assert(n <= client->in_len);
    client->in_len -= n;
    memmove(client->in, client->in + n, client->in_len);
}

/* What is no request is answered, and the connection ends. */
static void
client_refuse(weir_client_t *client, unsigned status, const char *detail)
{
    weir_control_exchange_t *exchange = weir_control_exchange_new(client);

    client->ends = true;
    client->in_len = 0;
    if (exchange != NULL) {
        weir_control_exchange_refuse(exchange, status, detail);
    }
}

void
weir_client_turn_away(weir_client_t *client, unsigned status, const char *detail)
{
    client_refuse(client, status, detail);
}

static unsigned
client_status(weir_h1_reason_t reason)
{
    switch (reason) {
    case WEIR_H1_VERSION_UNSUPPORTED:
        return 505;
    case WEIR_H1_UNKNOWN_TRANSFER_CODING:
        return 501;
    case WEIR_H1_TOO_MANY_FIELDS:
        return 431;
    case WEIR_H1_NO_MEMORY:
        return 503;
    default:
        return 400;
    }
}

static void
client_begin(weir_client_t *client, size_t len)
{
    static const weir_h1_options_t options = { .underscores = true, .max_fields = 64 };
    weir_control_exchange_t *exchange = weir_control_exchange_new(client);
    weir_h1_reason_t reason;
    weir_str_t       head;

    if (exchange == NULL) {
        client->ends = true;
        return;
    }
    head = weir_str_dup(&exchange->arena, weir_str(client->in, len));
    client_drop_in(client, len);
    client->scan = (weir_h1_scan_t) { 0 };
    reason = weir_h1_parse_request(&exchange->head, &options, head, &exchange->arena);
    if (reason != WEIR_H1_OK) {
        client->ends = true;
        client->in_len = 0;
        exchange->head.method = WEIR_METHOD_OTHER;
        weir_control_exchange_refuse(exchange, client_status(reason), weir_h1_reason_text(reason));
        return;
    }
    weir_control_exchange_begin(exchange);
    if (client->reading == exchange && exchange->head.expect_continue && client->in_len == 0
        && client->exchanges.next == &exchange->link)
    {
        (void) weir_client_put(client, WEIR_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

/* false: there is no whole head. */
static bool
client_take_head(weir_client_t *client)
{
    size_t skip = 0, len;

    while (client->scan.at == 0 && client->in_len - skip >= 2 && memcmp(client->in + skip, "\r\n", 2) == 0) {
        skip += 2;
    }
    client_drop_in(client, skip);
    if (client->in_len == 0) {
        return false;
    }
    switch (weir_h1_scan(&client->scan, &client_head, client->in, client->in_len, &len)) {
    case WEIR_H1_DONE:
        client_begin(client, len);
        return true;
    case WEIR_H1_MORE:
        return false;
    case WEIR_H1_LINE_TOO_LONG:
        client_refuse(client, 414, "the request line is longer than 8 KiB");
        return true;
    case WEIR_H1_FIELD_TOO_LONG:
        client_refuse(client, 431, "the head is larger than 16 KiB, or has more than 64 fields");
        return true;
    default:
        client_refuse(client, 400, "this is no HTTP/1.1");
        return true;
    }
}

/* false: it is refused. */
static bool
client_keep_body(weir_client_t *client, const char *bytes, size_t len)
{
    weir_control_exchange_t *exchange = client->reading;
    size_t           need = exchange->body_len + len, cap;
    char            *grown;

    if (len == 0) {
        return true;
    }
    if (need > WEIR_CONTROL_BODY) {
        weir_control_exchange_refuse(exchange, 413, "the body is larger than 4 MiB");
        return false;
    }
    if (need > exchange->body_cap) {
        cap = weir_min(weir_max(weir_max(exchange->body_cap * 2, need), (size_t) CLIENT_BODY),
                       (size_t) WEIR_CONTROL_BODY);
        grown = weir_server_take_body(cap - exchange->body_cap) ? weir_mem_try_resize(exchange->body, cap) : NULL;
        if (grown == NULL) {
            weir_control_exchange_refuse(exchange, 503, "there is no room for so many bodies at one time");
            return false;
        }
        exchange->body = grown;
        exchange->body_cap = cap;
    }
    memcpy(exchange->body + exchange->body_len, bytes, len);
    exchange->body_len = need;
    return true;
}

/* Behind the body. */
static void
client_run(weir_client_t *client)
{
    weir_control_exchange_t *exchange = client->reading;

    client->reading = NULL;
    weir_control_exchange_run(exchange);
}

static bool
client_take_chunks(weir_client_t *client)
{
    weir_control_exchange_t      *exchange = client->reading;
    size_t                consumed = 0, produced = 0;
    weir_chunked_result_t result = weir_chunked_decode(&exchange->chunked, client->in, client->in_len, &consumed,
                                                       &produced, &exchange->arena);

    if (result == WEIR_CHUNKED_BAD || result == WEIR_CHUNKED_NO_MEMORY) {
        weir_control_exchange_refuse(exchange, result == WEIR_CHUNKED_BAD ? 400 : 503,
                                     "the chunks of the body are broken");
        return true;
    }
    if (!client_keep_body(client, client->in, produced)) {
        return true;
    }
    client_drop_in(client, consumed);
    if (result == WEIR_CHUNKED_DONE) {
        client_run(client);
        return true;
    }
    return false;
}

/* false: more of it is to come. */
static bool
client_take_body(weir_client_t *client)
{
    weir_control_exchange_t *exchange = client->reading;
    size_t           n;

    if (exchange->status != 0) {             /* refused already */
        client->ends = true;
        client->in_len = 0;
        return false;
    }
    if (exchange->head.chunked) {
        return client->in_len != 0 && client_take_chunks(client);
    }
    n = weir_min(exchange->body_left, client->in_len);
    if (!client_keep_body(client, client->in, n)) {
        return true;
    }
    client_drop_in(client, n);
    exchange->body_left -= n;
    if (exchange->body_left != 0) {
        return false;
    }
    client_run(client);
    return true;
}

/* true: something was taken. */
static bool
client_take(weir_client_t *client)
{
    if (client->reading != NULL) {
        return client_take_body(client);
    }
    return client_may_take(client) && client_take_head(client);
}

/* true: something came.  *failed: the connection has. */
static bool
client_receive(weir_client_t *client, bool *failed)
{
    char    waste[4096];
    bool    wastes = client->ends;
    ssize_t n;

    if (!client->watch.readable || client->is_eof
        || (wastes ? !client->is_shut : client->in_len == sizeof(client->in)
            || (client->reading == NULL && !client_may_take(client))))
    {
        return false;
    }
    n = weir_sys_recv(client->watch.fd, wastes ? waste : client->in + client->in_len,
                      wastes ? sizeof(waste) : sizeof(client->in) - client->in_len, 0);
    if (n < 0 && errno == EAGAIN) {
        client->watch.readable = false;
        return false;
    }
    if (n <= 0) {
        client->is_eof = true;
        *failed = n < 0;
        return true;
    }
    client->in_len += wastes ? 0 : (size_t) n;
    return true;
}

/* -- life -- */

static weir_client_phase_t
client_find_phase(const weir_client_t *client)
{
    if (client_unsent(client) != 0) {
        return WEIR_CLIENT_WRITING;
    }
    if (client->is_shut) {
        return WEIR_CLIENT_LINGER;
    }
    if (client->reading != NULL && client->n == 1) {
        return WEIR_CLIENT_READING;
    }
    if (client->n != 0) {
        return WEIR_CLIENT_BUSY;
    }
    return client->in_len != 0 ? WEIR_CLIENT_HEAD : WEIR_CLIENT_IDLE;
}

static void
client_on_timer(weir_timer_t *timer)
{
    weir_client_t *client = weir_container_of(timer, weir_client_t, timer);

    switch (client->phase) {
    case WEIR_CLIENT_HEAD:
        client_refuse(client, 408, "the head did not come in time");
        weir_client_go_on(client);
        break;
    case WEIR_CLIENT_READING:
        client->ends = true;
        weir_control_exchange_refuse(client->reading, 408, "the body did not come in time");
        weir_client_go_on(client);
        break;
    default:
        weir_client_free(client);
        break;
    }
}

static void
client_note_phase(weir_client_t *client)
{
    weir_client_phase_t phase = client_find_phase(client);
    uint64_t            limit = client_limits[phase], gone;

    if (phase != client->phase) {
        client->phase = phase;
        client->since = weir_clock_now();
    }
    if (limit == 0) {
        weir_timer_clear(&client->timer);
        return;
    }
    gone = weir_clock_now().ms - client->since.ms;
    weir_timer_set(weir_server_loop(), &client->timer, (weir_msec_t) { limit > gone ? limit - gone : 0 },
                   client_on_timer);
}

/* All was said: true: it is to be freed. */
static bool
client_has_ended(weir_client_t *client)
{
    if (client->n != 0 || client_unsent(client) != 0) {
        return false;
    }
    if (client->is_eof || (weir_server_is_leaving() && client->in_len == 0 && !client->is_shut)) {
        return true;
    }
    if (client->ends && !client->is_shut) {
        client->is_shut = true;
        (void) weir_sys_shutdown(client->watch.fd, SHUT_WR);
        weir_server_look_again();            /* what came is thrown away */
    }
    return false;
}

/* What is left of a client that says no more can be no request. */
static void
client_note_eof(weir_client_t *client)
{
    if (client->is_eof && client->reading != NULL) {
        weir_control_exchange_free(client->reading);
    }
    if (client->is_eof && (client->ends || client_may_take(client))) {
        client->in_len = 0;
    }
}

void
weir_client_go_on(weir_client_t *client)
{
    bool failed = false, moved = true;

    for (unsigned steps = 0; moved && !failed; steps++) {
        if (steps == CLIENT_STEPS) {
            weir_server_look_again();
            break;
        }
        moved = client_take(client);
        if (!moved && client->is_eof) {
            client_note_eof(client);
        }
        if (!moved && client_receive(client, &failed)) {
            moved = true;
        }
        if (!failed && (!client_write(client) || !client_send(client))) {
            failed = true;
        }
    }
    if (failed || client_has_ended(client)) {
        weir_client_free(client);
    } else {
        client_note_phase(client);
    }
}
