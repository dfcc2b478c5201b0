/*
 * request_origin.c - what a request knows of where it came from, and its own number; found out when asked.
 *
 * Runs in workers.
 */
#include "http/request.h"
#include "os/sys.h"

weir_addr_t
weir_request_local(weir_request_t *req)
{
    weir_client_t *client = req->client;
    /* as good as it gets when the connection is gone; of a unix socket, all there is */
    weir_addr_t    addr = req->listen->base.addr;

    if (client->local.family == 0) {
        if (client->fd >= 0 && weir_addr_is_wildcard(&addr) && !weir_sock_local(client->fd, &addr)) {
            addr = req->listen->base.addr;
        }
        client->local = weir_addr_to_endpoint(&addr);
    }
    return weir_addr_is_unix(&addr) ? addr : weir_addr_from_endpoint(&client->local);
}

static void
origin_hex(char *out, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 15; i >= 0; i--, value >>= 4) {
        out[i] = digits[value & 15];
    }
}

weir_str_t
weir_request_id(weir_request_t *req)
{
    char *text;

    weir_assert(req->main != NULL && req->main->main == req->main);
    if (req->main != req) {
        return weir_request_id(req->main);           /* one name for all that is done for it */
    }
    if (req->id_text != NULL) {
        return weir_str(req->id_text, WEIR_REQUEST_ID_DIGITS);
    }
    if (weir_sys_random(req->id, sizeof(req->id)) != 0) {
        req->id[0] = req->started_wall_ms;           /* no randomness: still its own in this worker */
        req->id[1] = req->client->number << 32 | req->client->requests;
    }
    text = weir_alloc_bytes(&req->arena, WEIR_REQUEST_ID_DIGITS);
    origin_hex(text, req->id[0]);
    origin_hex(text + WEIR_REQUEST_ID_DIGITS / 2, req->id[1]);
    req->id_text = text;
    return weir_str(text, WEIR_REQUEST_ID_DIGITS);
}
