/*
 * exchange.c - a request of the control socket: which resource it is of, what the master is asked, and its answer.
 *
 * Errors are application/problem+json (RFC 9457).
 */
#include "proc/control/client.h"

#include "base/json.h"
#include "base/mem.h"
#include "http/h1/emit.h"
#include "http/message/status.h"
#include "os/clock.h"

#include <stdlib.h>

#define EXCHANGE_ARENA  4096
#define EXCHANGE_HEAD   (1024 + 3 * 8192)

/* Of a body: a fragment's tree may be large, but not what makes it a thousand times its size in memory. */
static const weir_json_limits_t exchange_limits = { .depth = 100, .values = 400000 };

weir_control_exchange_t *
weir_control_exchange_new(weir_client_t *client)
{
    weir_control_exchange_t *exchange = weir_mem_try(sizeof(*exchange));

    if (exchange == NULL) {
        return NULL;
    }
    memset(exchange, 0, sizeof(*exchange));
    exchange->client = client;
    weir_arena_init(&exchange->arena, EXCHANGE_ARENA);
    weir_list_append(&client->exchanges, &exchange->link);
    client->n++;
    return exchange;
}

static void
exchange_drop_body(weir_control_exchange_t *exchange)
{
    if (exchange->body != NULL) {
        weir_mem_wipe(exchange->body, exchange->body_len);
        weir_mem_free(exchange->body);
        weir_server_give_body(exchange->body_cap);
        exchange->body = NULL;
        exchange->body_len = exchange->body_cap = 0;
    }
}

void
weir_control_exchange_free(weir_control_exchange_t *exchange)
{
    weir_client_t *client = exchange->client;

    weir_server_forget(exchange);
    exchange_drop_body(exchange);
    weir_mem_free(exchange->answer);
    weir_arena_fini(&exchange->arena);
    weir_list_remove(&exchange->link);
    weir_assert(client->n > 0);
    client->n--;
    client->n_long -= exchange->is_long;
    if (client->reading == exchange) {
        client->reading = NULL;
    }
    weir_mem_free(exchange);
}

/* -- answers -- */

static bool
exchange_keep(weir_control_exchange_t *exchange, weir_str_t text)
{
    exchange->answer = weir_mem_try(text.len + 1);
    if (exchange->answer == NULL) {
        exchange->status = 503;
        return false;
    }
    memcpy(exchange->answer, text.at, text.len);
    exchange->answer_len = text.len;
    return true;
}

/* fields: what else is known of it; taken over; may be NULL. */
static void
exchange_put_problem(weir_control_exchange_t *exchange, unsigned status, const char *detail, json_t *fields)
{
    weir_str_t title = weir_status_reason((uint16_t) status);
    json_t    *problem = json_object(), *said = json_string(detail);
    char      *text;

    exchange->status = status;
    exchange->is_problem = true;
    (void) json_object_set_new(problem, "title", json_stringn(title.at, title.len));
    (void) json_object_set_new(problem, "status", json_integer((json_int_t) status));
    said = said != NULL ? said : json_string("what was sent is no UTF-8");
    (void) json_object_set_new(problem, "detail", said);
    if (fields != NULL) {
        (void) json_object_del(fields, "error");
        (void) json_object_update_missing(problem, fields);
        json_decref(fields);
    }
    text = json_dumps(problem, JSON_COMPACT);
    json_decref(problem);
    if (text != NULL) {
        (void) exchange_keep(exchange, weir_str_from_z(text));
    }
    free(text);
}

void
weir_control_exchange_refuse(weir_control_exchange_t *exchange, unsigned status, const char *detail)
{
    weir_assert(exchange->status == 0 && status >= 400);
    exchange_drop_body(exchange);
    exchange_put_problem(exchange, status, detail, NULL);
    weir_server_look_again();
}

void
weir_control_exchange_answer(weir_control_exchange_t *exchange, unsigned status, weir_str_t text)
{
    const weir_resource_t *row = exchange->match.row;

    weir_assert(exchange->status == 0 && row != NULL);
    if (status < 200 || status > 599) {
        weir_control_exchange_refuse(exchange, 502, "the master's answer cannot be understood");
        return;
    }
    if (status < 400) {
        exchange->status = status == 200 && row->located != NULL ? 201 : status;
        (void) exchange_keep(exchange, text);
    } else {
        json_t     *said = json_loadb(text.at, text.len, 0, NULL);
        const char *why = json_string_value(json_object_get(said, "error"));
        char       *copy = why != NULL ? strdup(why) : NULL;

        exchange_put_problem(exchange, status, copy != NULL ? copy : "the request was refused",
                             json_is_object(said) ? json_incref(said) : NULL);
        json_decref(said);
        free(copy);
    }
    weir_server_look_again();
}

bool
weir_control_exchange_write(weir_control_exchange_t *exchange)
{
    char       room[EXCHANGE_HEAD];
    weir_buf_t b;
    bool       is_head = exchange->head.method == WEIR_METHOD_HEAD;

    weir_assert(exchange->status != 0);
    weir_buf_init(&b, room, sizeof(room));
    weir_emit_status(&b, (uint16_t) exchange->status, WEIR_STR(""));
    weir_buf_printf(&b, "Server: weir\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
                    exchange->is_problem ? "application/problem+json" : "application/json", exchange->answer_len + 1);
    if (exchange->allow.len != 0) {
        weir_emit_field(&b, WEIR_STR("Allow"), exchange->allow);
    }
    if (exchange->status == 201 && exchange->located.len != 0) {
        weir_emit_field(&b, WEIR_STR("Location"), exchange->located);
    }
    if (exchange->status == 503) {
        weir_emit_field(&b, WEIR_STR("Retry-After"), WEIR_STR("1"));
    }
    if (!exchange->keep_alive) {
        weir_emit_field(&b, WEIR_STR("Connection"), WEIR_STR("close"));
    } else if (exchange->head.minor == 0) {
        weir_emit_field(&b, WEIR_STR("Connection"), WEIR_STR("keep-alive"));
    }
    weir_buf_add_lit(&b, "\r\n");
    if (b.full || !weir_client_put(exchange->client, weir_buf_str(&b))) {
        return false;
    }
    if (!is_head && exchange->answer_len != 0
        && !weir_client_put(exchange->client, weir_str(exchange->answer, exchange->answer_len)))
    {
        return false;
    }
    return is_head || weir_client_put(exchange->client, WEIR_STR("\n"));
}

/* -- requests -- */

static void
exchange_refuse_and_end(weir_control_exchange_t *exchange, unsigned status, const char *detail)
{
    exchange->keep_alive = false;
    exchange->client->ends = true;
    weir_control_exchange_refuse(exchange, status, detail);
}

void
weir_control_exchange_begin(weir_control_exchange_t *exchange)
{
    const weir_request_head_t *head = &exchange->head;
    bool                       has_body = head->chunked || (head->content_length != WEIR_LENGTH_NONE
                                                            && head->content_length != 0);
    bool                       can_be_read = weir_resource_find(&exchange->match, head->method, head->path,
                                                                &exchange->arena);
    const weir_resource_t     *row = exchange->match.row;

    exchange->keep_alive = head->keep_alive;
    exchange->body_left = head->chunked ? 0 : has_body ? head->content_length : 0;
    if (head->expect_unknown) {
        exchange_refuse_and_end(exchange, 417, "the expectation is not known");
    } else if (head->content_length != WEIR_LENGTH_NONE && head->content_length > WEIR_CONTROL_BODY) {
        exchange_refuse_and_end(exchange, 413, "the body is larger than 4 MiB");
    } else if (!can_be_read) {
        exchange_refuse_and_end(exchange, 400, "the path cannot be read");
    } else if (has_body) {
        exchange->client->reading = exchange;        /* what is wrong with the rest is said behind the body */
    } else {
        exchange->is_long = row != NULL && row->is_long;
        exchange->client->n_long += exchange->is_long;
        weir_control_exchange_run(exchange);
    }
}

/* NULL: it is refused. */
static json_t *
exchange_read_body(weir_control_exchange_t *exchange)
{
    const weir_json_t *tree;
    json_t            *body;
    weir_arena_t       arena;
    weir_json_result_t result;
    json_error_t       why;

    weir_arena_init(&arena, 16384);
    result = weir_json_parse(&arena, weir_str(exchange->body, exchange->body_len), exchange_limits, &tree);
    weir_arena_fini(&arena);
    if (result != WEIR_JSON_GOOD) {
        weir_control_exchange_refuse(exchange, result == WEIR_JSON_TOO_LARGE ? 413 : 400,
                             result == WEIR_JSON_TOO_LARGE ? "the body has too many values, or nests too deeply"
                             : result == WEIR_JSON_DUPLICATE ? "the body has two members of one name"
                                                             : "the body is to be JSON");
        return NULL;
    }
    body = json_loadb(exchange->body, exchange->body_len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (body == NULL) {
        weir_control_exchange_refuse(exchange, 400, why.text);
    }
    return body;
}

static void
exchange_locate(weir_control_exchange_t *exchange, const json_t *words)
{
    const char *name = exchange->match.row->located != NULL
                       ? json_string_value(json_object_get(words, exchange->match.row->located)) : NULL;
    weir_str_t  path = exchange->head.path;
    size_t      room;
    weir_buf_t  b;

    if (name == NULL || strlen(name) > 1024 || path.len > 4096) {
        return;
    }
    room = path.len + 1 + 3 * strlen(name);
    weir_buf_init(&b, weir_alloc_bytes(&exchange->arena, room), room);
    weir_buf_add_str(&b, path.at[path.len - 1] == '/' ? weir_str(path.at, path.len - 1) : path);
    weir_buf_add_char(&b, '/');
    weir_buf_add_percent(&b, weir_str_from_z(name));
    exchange->located = weir_buf_str(&b);
}

static void
exchange_ask(weir_control_exchange_t *exchange, json_t *body)
{
    const char *why = "there is no memory";
    json_t     *words = weir_resource_words(&exchange->match, body, exchange->head.query, &exchange->arena, &why);
    char       *text;

    if (words == NULL) {
        weir_control_exchange_refuse(exchange, 400, why);
        return;
    }
    exchange_locate(exchange, words);
    text = json_dumps(words, JSON_COMPACT);
    json_decref(words);
    exchange_drop_body(exchange);
    if (text == NULL || strlen(text) > WEIR_FRAME_MAX_REQUEST) {
        weir_control_exchange_refuse(exchange, 413, "the body is larger than 4 MiB");
    } else if (!weir_server_ask(exchange, weir_str_from_z(text))) {
        weir_control_exchange_refuse(exchange, 503, "the master process has gone: the instance is shutting down");
    }
    free(text);
}

void
weir_control_exchange_run(weir_control_exchange_t *exchange)
{
    const weir_resource_match_t *match = &exchange->match;
    json_t                      *body = NULL, *rows;
    char                        *text;

    if (match->row == NULL) {
        exchange->allow = weir_resource_allow(match->methods, &exchange->arena);
        weir_control_exchange_refuse(exchange, match->methods != 0 ? 405 : 404,
                             match->methods != 0 ? "this resource does not have that method"
                                                 : "there is no such resource: GET /v1 lists them");
        return;
    }
    if (match->row->takes_body && exchange->body_len == 0) {
        weir_control_exchange_refuse(exchange, 400, "this resource wants a body of JSON");
        return;
    }
    if (!match->row->takes_body && exchange->body_len != 0) {
        weir_control_exchange_refuse(exchange, 400, "this resource takes no body");
        return;
    }
    if (match->row->command == NULL) {
        rows = weir_resources_tell();
        text = json_dumps(rows, JSON_COMPACT);
        json_decref(rows);
        weir_control_exchange_answer(exchange, text != NULL ? 200 : 500, weir_str_from_z(text != NULL ? text : "{}"));
        free(text);
        return;
    }
    if (exchange->body_len != 0 && (body = exchange_read_body(exchange)) == NULL) {
        return;
    }
    exchange_ask(exchange, body);
    json_decref(body);
}
