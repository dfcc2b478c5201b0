/*
 * answered.c - see answered.h.  A request that no client has sent lives for the time of a call, and no client gets its
 * answer.
 */
#include "http/answered.h"

#include "http/serve/runtime.h"

#include <string.h>

static void
answered_look(void *data, const weir_var_ref_t *source)
{
    const weir_variable_t *row = source->row;
    const char           **lacks = data;

    if (row->subject != WEIR_OF_NONE && row != &weir_http_slot_row && strncmp(row->name, "upstream_", 9) != 0
        && *lacks == NULL)
    {
        *lacks = row == &weir_http_capture_row ? "1" : row->name;
    }
}

const char *
weir_answered_lacks(const weir_vars_t *vars, const weir_template_t *template)
{
    const char *lacks = NULL;

    for (size_t i = 0; i < template->n; i++) {
        if (template->parts[i].ref.row != NULL) {
            weir_vars_each_source(vars, &template->parts[i].ref, answered_look, &lacks);
        }
    }
    return lacks;
}

size_t
weir_answered_judge(weir_http_t *http, weir_generation_t *generation, const weir_answered_t *answered,
                    const weir_template_t *const *texts, size_t n)
{
    const weir_http_conf_t *conf = weir_http_conf_of(generation);
    weir_http_listen_t      listen = { .default_server = NULL };
    weir_client_t           nobody = { .fd = -1 };
    weir_attempt_t          attempt = *answered->attempt;
    weir_request_t         *req = weir_request_take(http);
    size_t                  i = 0;

    weir_assert(conf != NULL && conf->n_servers != 0 && attempt.has_header);
    if (req == NULL) {
        return n + 1;
    }
    listen.default_server = conf->servers[0];
    weir_request_begin(req, &nobody, &listen, generation);
    req->attempts = &attempt;
    req->n_attempts = req->cap_attempts = 1;
    req->upstream_head = answered->head;
    req->upstream_trailers = *answered->trailers;
    for (; i < n; i++) {
        weir_str_t value = weir_request_eval(req, texts[i]);

        if (value.len == 0 || weir_str_eq(value, WEIR_STR("0")) || req->failed_value != WEIR_CAUSE_NONE) {
            break;
        }
    }
    weir_request_give_back(req);
    return i;
}
