/*
 * return.c - what `return` says: an answer without further ado.
 *
 * Read at load; given in workers, texts in the request's arena.
 */
#include "http/answer/return.h"

#include "http/request.h"
#include "http/vars/uri_text.h"

#define RETURN_CLOSE 444          /* the connection is closed without an answer */
#define RETURN_GONE  499          /* the same, as if the client had gone: without a text */

static bool
return_is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool
weir_http_is_address(weir_str_t text)
{
    return weir_str_starts(text, WEIR_STR("http://")) || weir_str_starts(text, WEIR_STR("https://"))
        || weir_str_starts(text, WEIR_STR("$scheme"));
}

bool
weir_http_return_read(weir_conf_t *cf, const weir_conf_words_t *words, weir_http_return_t *answer)
{
    weir_str_t first = words->at[1].text;
    uint32_t status;

    if (weir_conf_read_u32(first, &status)) {
        if (status < 200 || status > 999) {
            return weir_conf_invalid(cf, 1, "a status from 200 to 999");
        }
        answer->status = (uint16_t) status;
        answer->text = words->n == 3 ? weir_conf_template(cf, 2, words->at[2].text) : NULL;
        return words->n == 2 || answer->text != NULL;
    }
    if (words->n == 3 || !weir_http_is_address(first)) {
        return weir_conf_invalid(cf, 1, "a status, or an address that begins with http://, https:// or $scheme");
    }
    answer->status = 302;
    answer->text = weir_conf_template(cf, 1, first);
    return answer->text != NULL;
}

weir_step_t
weir_http_return_nothing(weir_request_t *req, uint16_t status, weir_cause_t cause)
{
    weir_assert(!req->res.head_given);
    req->res.status = status;
    req->cause = cause;
    req->keep_alive = false;
    weir_request_finish(req);
    return WEIR_DONE;
}

weir_step_t
weir_http_return(weir_request_t *req, const weir_http_return_t *answer)
{
    weir_str_t text = WEIR_STR("");

    weir_assert(answer->status >= 200 && answer->status <= 999);
    if (answer->status == RETURN_CLOSE || (answer->status == RETURN_GONE && answer->text == NULL)) {
        return weir_http_return_nothing(req, answer->status, WEIR_CAUSE_ROUTE_RETURN);
    }
    if (answer->text == NULL && answer->status >= 300 && answer->status != 304) {
        return weir_request_fail_status(req, WEIR_CAUSE_ROUTE_RETURN, answer->status, NULL);
    }
    if (answer->text != NULL && return_is_redirect(answer->status)) {
        return weir_request_redirect_client(req, answer->status, weir_uri_text(req, answer->text, WEIR_URI_REFERENCE));
    }
    if (answer->text != NULL) {
        /* $status in the text is the answer's */
        req->res.status = req->error_status != 0 ? req->error_status : answer->status;
        text = weir_request_eval(req, answer->text);
    }
    if (answer->status >= 400 && req->cause == WEIR_CAUSE_NONE) {
        req->cause = WEIR_CAUSE_ROUTE_RETURN;
    }
    return weir_request_reply(req, answer->status, WEIR_STR(""), text);
}
