/*
 * return.c - `return code [text]`, `return code URL` and `return URL`: an answer without further ado.
 *
 * In a server it comes before a location is looked for, in a location first of all; it is not inherited.  Runs in
 * workers; texts are evaluated in the request's arena.
 */
#include "http/module.h"

#include <string.h>

#define RETURN_CLOSE 444          /* the connection is closed without an answer */

typedef struct {
    uint16_t               status;   /* 0: there is no `return` here */
    const weir_template_t *text;     /* a body; the target of a redirect; NULL: neither */
} return_answer_t;

typedef struct { return_answer_t answer; } return_conf_t;

static bool
return_is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool
return_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    return_answer_t *answer = field;
    weir_str_t first = words->at[1].text;
    uint32_t status;

    (void) row;
    if (weir_conf_read_u32(first, &status)) {
        if (status < 200 || status > 999) {
            return weir_conf_invalid(cf, 1, "a status from 200 to 999");
        }
        answer->status = (uint16_t) status;
        answer->text = words->n == 3 ? weir_conf_template(cf, 2, words->at[2].text) : NULL;
        return words->n == 2 || answer->text != NULL;
    }
    if (words->n == 3 || !(weir_str_starts(first, WEIR_STR("http://")) || weir_str_starts(first, WEIR_STR("https://"))
                           || weir_str_starts(first, WEIR_STR("$scheme"))))
    {
        return weir_conf_invalid(cf, 1, "a status, or an address that begins with http://, https:// or $scheme");
    }
    answer->status = 302;
    answer->text = weir_conf_template(cf, 1, first);
    return answer->text != NULL;
}

static const weir_conf_type_t return_type = {
    .name = "code [text | URL] | URL", .size = sizeof(return_answer_t), .min_args = 1, .max_args = 2,
    .parse = return_parse,
};

static weir_step_t
return_nothing(weir_request_t *req)
{
    req->res.status = RETURN_CLOSE;
    req->cause = WEIR_CAUSE_ROUTE_RETURN;
    req->keep_alive = false;
    weir_request_finish(req);
    return WEIR_DONE;
}

static weir_step_t
return_run(weir_request_t *req, const void *conf)
{
    const return_answer_t *answer = &((const return_conf_t *) conf)->answer;
    weir_str_t text = WEIR_STR("");

    if (answer->status == RETURN_CLOSE) {
        return return_nothing(req);
    }
    if (answer->text == NULL && answer->status >= 300 && answer->status != 304) {
        return weir_request_fail_status(req, WEIR_CAUSE_ROUTE_RETURN, answer->status, NULL);
    }
    if (answer->text != NULL) {
        text = weir_template_eval(answer->text, req, &req->arena);
    }
    if (return_is_redirect(answer->status)) {
        return weir_request_redirect_client(req, answer->status, text);
    }
    if (answer->status >= 400 && req->cause == WEIR_CAUSE_NONE) {
        req->cause = WEIR_CAUSE_ROUTE_RETURN;
    }
    return weir_request_reply(req, answer->status, WEIR_STR(""), text);
}

static bool
return_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const return_conf_t *) conf)->answer.status != 0;
}

static const weir_directive_t return_directives[] = {
    WEIR_DIRECTIVE_OF(return_conf_t, answer, "return", &return_type, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .help = "Answers with a status and a text or a redirect; 444 closes the connection without an "
                              "answer."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_return = {
    .name = "http_return",
    .conf_size = sizeof(return_conf_t),
    .directives = return_directives,
    .on = { [WEIR_PHASE_REWRITE] = return_run },
    .enabled = return_enabled,
};
