/*
 * mirror.c - a copy of each request goes to another place too, whose answer is dropped.
 *
 * The copies are subrequests that live on their own: the request waits for none of them, and none can harm it.  With
 * mirror_request_body its body is read before any peer gets it, so that all get the same.  Runs in workers.
 */
#include "http/module.h"

#include "http/filter/read_ahead.h"
#include "http/sub.h"
#include "http/vars/uri_text.h"

typedef struct { const weir_template_t **at; size_t n; } mirror_places_t;
typedef struct { mirror_places_t places; bool is_off; } mirror_list_t;
typedef struct { mirror_list_t list; weir_flag_t with_body; } mirror_conf_t;

extern const size_t weir_http_mirror_index;

static void
mirror_send(weir_request_t *req, const mirror_conf_t *conf)
{
    weir_assert(!req->is_sub);     /* no mirror is mirrored */
    for (size_t i = 0; i < conf->list.places.n; i++) {
        weir_str_t path, query;
        bool has_query = weir_uri_text_split(req, conf->list.places.at[i], &path, &query);
        weir_sub_spec_t spec = {
            .path = path, .query = has_query ? query : req->query, .method = req->head.method_name,
            .body = conf->with_body.on ? req->body : NULL,
            .is_detached = true, .is_exempt = true,
        };

        if (weir_sub_start(req, &spec) == NULL) {
            weir_log(WEIR_LOG_WARN, &req->log, 0, "too many mirrored requests are under way: one was not sent");
        }
    }
}

static void
mirror_on_body(weir_request_t *req)
{
    mirror_send(req, weir_request_conf(req, http_mirror, mirror_conf_t));
    weir_request_resume(req);
}

static weir_step_t
mirror_precontent(weir_request_t *req, const void *conf_)
{
    const mirror_conf_t *conf = conf_;
    weir_step_t step = WEIR_NEXT;

    if (req->is_sub || weir_request_kept(req, weir_http_mirror_index) != NULL) {
        return WEIR_NEXT;                          /* once, wherever it is redirected inside */
    }
    weir_request_keep(req, weir_http_mirror_index, req);
    if (conf->with_body.on) {
        step = weir_read_ahead(req, mirror_on_body);
    }
    if (step == WEIR_NEXT) {
        mirror_send(req, conf);
    }
    return step;
}

static bool
mirror_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const mirror_conf_t *) conf)->list.places.n != 0;
}

/* -- directives -- */

static bool
mirror_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    mirror_list_t *list = field;
    weir_str_t text = words->at[1].text;
    const weir_template_t *uri;

    (void) row;
    if (list->is_off || (weir_str_eq(text, WEIR_STR("off")) && list->places.n != 0)) {
        return weir_conf_error(cf, 1, "\"mirror off\" cannot stand beside others");
    }
    if (weir_str_eq(text, WEIR_STR("off"))) {
        list->is_off = true;
        return true;
    }
    uri = weir_conf_template(cf, 1, text);
    if (uri == NULL) {
        return false;
    }
    *(const weir_template_t **) weir_conf_list_push(cf, &list->places, sizeof(uri)) = uri;
    return true;
}

static const weir_conf_type_t mirror_type = {
    .name = "uri | off", .size = sizeof(mirror_list_t), .min_args = 1, .max_args = 1, .repeats = true,
    .parse = mirror_parse,
};

static const weir_directive_t mirror_directives[] = {
    WEIR_DIRECTIVE_OF(mirror_conf_t, list, "mirror", &mirror_type, .where = WEIR_IN_ANY,
                      .help = "Sends a copy of each request to another location, whose answers are dropped."),
    WEIR_DIRECTIVE(mirror_conf_t, with_body, "mirror_request_body", .where = WEIR_IN_ANY, .dflt = "on",
                   .help = "Sends the body with the copies; it is read ahead for that."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_mirror = {
    .name = "http_mirror",
    .area = "Proxying",
    .conf_size = sizeof(mirror_conf_t),
    .directives = mirror_directives,
    .on = { [WEIR_PHASE_PRECONTENT] = mirror_precontent },
    .enabled = mirror_enabled,
    .after = "http_auth_signature http_json_body http_form_body",
};
