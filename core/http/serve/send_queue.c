/*
 * send_queue.c - see send_queue.h.
 *
 * Sending and telling are two passes, for the same reason for which there is a queue.
 */
#include "http/serve/send_queue.h"

#include "base/mem.h"
#include "event/slice.h"
#include "http/serve/runtime.h"

#include <errno.h>
#include <string.h>

#define QUEUE_ALIGN 64           /* two pieces share no cache line */

void
weir_send_queue_init(weir_http_t *http)
{
    http->sends.room = weir_mem_need(2 * (size_t) WEIR_TX_BYTES);
    http->tx = http->sends.room;
}

void
weir_send_queue_fini(weir_http_t *http)
{
    weir_task_cancel(&http->sends.task);
    weir_mem_free(http->sends.room);
}

static void
queue_send_one(weir_http_t *http, weir_queued_t *queued)
{
    struct iovec iov = { (void *) (uintptr_t) queued->at, queued->len };
    size_t sent;

    weir_assert(queued->out->size == 0 && queued->len <= WEIR_TX_BYTES);
    queued->io = weir_conn_send(queued->conn, &iov, 1, &sent);
    if (queued->io == WEIR_AGAIN
        && !weir_chain_append(queued->out, &http->blocks, weir_str(queued->at + sent, queued->len - sent)))
    {
        queued->conn->error = ENOMEM;
        queued->io = WEIR_ERROR;
    }
}

/* All that is queued; the buffer is free again, but for a connection that holds something at its present place. */
static void
queue_send(weir_http_t *http)
{
    weir_send_queue_t *queue = &http->sends;

    for (; queue->n_sent < queue->n; queue->n_sent++) {
        if (queue->at[queue->n_sent].conn != NULL) {
            queue_send_one(http, &queue->at[queue->n_sent]);
        }
    }
    if (http->tx_owner == NULL) {
        http->tx = queue->room;
    }
}

/* In the middle of one connection's work: the buffer is not that one's alone. */
static void
queue_send_between(weir_http_t *http)
{
    uint64_t began = weir_slice_now();

    queue_send(http);
    weir_slice_for_all(began);
}

/* What is queued from within on_sent waits for the next round of tasks. */
static void
queue_run(weir_task_t *task)
{
    weir_send_queue_t *queue = weir_container_of(task, weir_send_queue_t, task);
    weir_http_t *http = weir_container_of(queue, weir_http_t, sends);
    size_t n;

    queue_send(http);
    n = queue->n;
    for (size_t i = 0; i < n; i++) {
        weir_queued_t *queued = &queue->at[i];
        weir_conn_t *conn = queued->conn;

        if (conn != NULL) {
            queued->conn = NULL;
            queued->on_sent(conn, queued->io);
        }
    }
    weir_assert(n <= queue->n_sent && queue->n_sent <= queue->n);
    queue->n -= n;
    queue->n_sent -= n;
    if (queue->n != 0) {
        memmove(queue->at, queue->at + n, queue->n * sizeof(queue->at[0]));
    }
}

void
weir_send_queue_drain(weir_http_t *http)
{
    weir_task_cancel(&http->sends.task);
    queue_run(&http->sends.task);
    if (http->sends.n != 0) {
        weir_task_post(http->loop, &http->sends.task, queue_run);
    }
}

bool
weir_send_later(weir_http_t *http, weir_conn_t *conn, weir_chain_t *out, size_t len, weir_on_sent_t on_sent)
{
    weir_send_queue_t *queue = &http->sends;

    weir_assert(http->tx_owner == NULL && out->size == 0 && len <= WEIR_TX_BYTES);
    if (queue->n == WEIR_SENDS_MAX) {
        return false;
    }
    queue->at[queue->n++] = (weir_queued_t) {
            .conn = conn, .out = out, .on_sent = on_sent, .at = http->tx, .len = len
        };
    http->tx += (len + QUEUE_ALIGN - 1) / QUEUE_ALIGN * QUEUE_ALIGN;
    if (queue->n - queue->n_sent == WEIR_SENDS_BURST || http->tx > queue->room + WEIR_TX_BYTES) {
        queue_send_between(http);
    }
    weir_task_post(http->loop, &queue->task, queue_run);
    return true;
}

void
weir_send_cancel(weir_http_t *http, const weir_conn_t *conn)
{
    weir_send_queue_t *queue = &http->sends;

    for (size_t i = 0; i < queue->n; i++) {
        if (queue->at[i].conn == conn) {
            queue->at[i].conn = NULL;
        }
    }
}
