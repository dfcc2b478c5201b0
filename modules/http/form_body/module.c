/*
 * module.c - form_body: a request's body must be a form, well-formed and within limits, before any peer gets it.
 *
 * The body is read ahead, when the request was let in and before mirrors and the peer see it, and judged in pieces: one
 * in gzip or deflate (form_encoded) as it is when it is decoded.  What takes long is done over several turns of the
 * loop.  It goes on as it came: a peer that does not decode it would read a form that was not judged, for anything
 * can stand in the head of gzip.
 *
 * Runs in workers; memory: a piece, room for a part's head, and what zlib takes, for the time of judging.
 */
#include "http/module.h"

#include "form.h"
#include "http/filter/body_decode.h"
#include "http/filter/read_ahead.h"
#include "http/guard/dry_run.h"
#include "http/record/story.h"

#define MODULE_PIECE  16384
#define MODULE_ROUNDS 8                          /* pieces a turn, then others get theirs */

enum { KIND_URLENCODED = 1, KIND_MULTIPART = 2 };

typedef struct {
    uint32_t            kinds;                   /* 0: off */
    uint32_t            max_fields, max_files;
    weir_bytes_t        max_size, max_name, max_value, max_file_size, max_part_header;
    weir_media_ranges_t file_types;
    weir_flag_t         encoded;
} form_conf_t;

/* What is wrong with a body; NONE: nothing. */
typedef struct { weir_cause_t cause; const char *why; } module_verdict_t;

/* A body while it is judged. */
typedef struct {
    weir_holder_t       hold;
    weir_request_t     *req;
    const form_conf_t  *conf;
    form_limits_t       limits;
    weir_body_decoder_t decoder;
    weir_task_t         task;
    char               *piece;
    bool                is_multipart;
    form_urlencoded_t   urlencoded;
    form_multipart_t    multipart;
} judging_t;

extern const size_t weir_http_form_body_index;

/* -- a verdict -- */

static module_verdict_t
judging_wrong(weir_cause_t cause, const char *why)
{
    return (module_verdict_t) { cause, why };
}

static module_verdict_t
judging_of(form_verdict_t said)
{
    static const weir_cause_t causes[] = {
        [FORM_GOOD] = WEIR_CAUSE_NONE,
        [FORM_MALFORMED] = WEIR_CAUSE_FORM_MALFORMED,
        [FORM_LIMIT] = WEIR_CAUSE_FORM_LIMIT,
        [FORM_FILENAME] = WEIR_CAUSE_FORM_FILENAME,
        [FORM_FILE_TYPE] = WEIR_CAUSE_FORM_FILE_TYPE,
    };

    return judging_wrong(causes[said.fault], said.why);
}

static module_verdict_t
judging_lost(weir_body_fault_t fault)
{
    switch (fault) {
    case WEIR_BODY_CODING: return judging_wrong(WEIR_CAUSE_FORM_ENCODING, NULL);
    case WEIR_BODY_BROKEN: return judging_wrong(WEIR_CAUSE_FORM_MALFORMED, "its Content-Encoding is broken");
    case WEIR_BODY_TOO_LARGE: return judging_wrong(WEIR_CAUSE_FORM_LIMIT, "form_max_size");
    default: return judging_wrong(WEIR_CAUSE_INTERNAL_IO, NULL);
    }
}

static weir_step_t
judging_decide(weir_request_t *req, module_verdict_t verdict)
{
    bool        is_good = verdict.cause == WEIR_CAUSE_NONE;
    bool        is_rehearsal = weir_dry_run_is_on(req, WEIR_DRY_RUN_AS_PLACE);
    const char *why = verdict.why != NULL || is_good ? verdict.why : weir_cause_row(verdict.cause)->help;

    weir_http_story_judged(req, "form_body", WEIR_STR_NONE, weir_dry_run_verdict(!is_good, is_rehearsal));
    if (is_good) {
        return WEIR_NEXT;
    }
    weir_request_keep(req, weir_http_form_body_index, (void *) (uintptr_t) why);
    if (is_rehearsal) {
        weir_request_log(req, WEIR_LOG_INFO, verdict.cause, "the form would be refused (dry run): %s", why);
        return weir_dry_run_ends(req);
    }
    return weir_request_fail(req, verdict.cause, verdict.why);
}

/* -- judging -- */

static bool
judging_feed(judging_t *j, weir_str_t bytes)
{
    return j->is_multipart ? form_multipart_feed(&j->multipart, bytes) : form_urlencoded_feed(&j->urlencoded, bytes);
}

static bool
judging_end(judging_t *j)
{
    return j->is_multipart ? form_multipart_end(&j->multipart) : form_urlencoded_end(&j->urlencoded);
}

/* Some pieces.  false: there are more. */
static bool
judging_some(judging_t *j, module_verdict_t *verdict)
{
    weir_str_t bytes;
    bool       is_good = true;

    for (int round = 0; round < MODULE_ROUNDS && is_good; round++) {
        switch (weir_body_decode_next(&j->decoder, j->piece, MODULE_PIECE, &bytes)) {
        case WEIR_OK:
            is_good = judging_feed(j, bytes);
            continue;
        case WEIR_EOF:
            (void) judging_end(j);
            *verdict = judging_of(j->is_multipart ? j->multipart.verdict : j->urlencoded.verdict);
            return true;
        default:
            *verdict = judging_lost(j->decoder.fault);
            return true;
        }
    }
    *verdict = judging_of(j->is_multipart ? j->multipart.verdict : j->urlencoded.verdict);
    return !is_good;
}

static void
judging_on_cancel(weir_holder_t *hold)
{
    judging_t *j = weir_container_of(hold, judging_t, hold);

    weir_task_cancel(&j->task);
    weir_body_decode_end(&j->decoder);
}

static const weir_holder_ops_t judging_hold = { .on_cancel = judging_on_cancel };

static void
judging_on_task(weir_task_t *task)
{
    judging_t       *j = weir_container_of(task, judging_t, task);
    weir_request_t  *req = j->req;
    module_verdict_t verdict;

    weir_assert(j->hold.req == req);
    if (!judging_some(j, &verdict)) {
        weir_task_post_later(weir_request_loop(req), &j->task, judging_on_task);
        return;
    }
    weir_body_decode_end(&j->decoder);
    weir_request_let_go(&j->hold);
    if (judging_decide(req, verdict) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

/* Of which kind the form is, by its Content-Type: WEIR_CAUSE_NONE, or what is wrong with that. */
static module_verdict_t
judging_kind(weir_request_t *req, const form_conf_t *conf, bool *is_multipart, weir_str_t *boundary)
{
    weir_str_t        value, name, text;
    weir_media_type_t media;

    if (!weir_media_type_field(&req->head.fields, &value) || !weir_media_type_read(value, &media)) {
        return judging_wrong(WEIR_CAUSE_FORM_TYPE, NULL);
    }
    if ((conf->kinds & KIND_MULTIPART) && weir_str_eq_fold(media.type, WEIR_STR("multipart/form-data"))) {
        *is_multipart = true;
        return form_multipart_boundary(media.parameters, boundary)
                 ? judging_wrong(WEIR_CAUSE_NONE, NULL)
                 : judging_wrong(WEIR_CAUSE_FORM_MALFORMED, "its Content-Type has no boundary, or one that is none");
    }
    *is_multipart = false;
    if (!(conf->kinds & KIND_URLENCODED)
        || !weir_str_eq_fold(media.type, WEIR_STR("application/x-www-form-urlencoded")))
    {
        return judging_wrong(WEIR_CAUSE_FORM_TYPE, NULL);
    }
    while (weir_media_type_next(&media.parameters, &name, &text) == WEIR_OK) {
        if (weir_str_eq_fold(name, WEIR_STR("charset")) && !weir_str_eq_fold(text, WEIR_STR("utf-8"))) {
            return judging_wrong(WEIR_CAUSE_FORM_TYPE, "it has another charset than UTF-8");
        }
    }
    return judging_wrong(WEIR_CAUSE_NONE, NULL);
}

static judging_t *
judging_new(weir_request_t *req, const form_conf_t *conf)
{
    judging_t *j = weir_new(&req->arena, judging_t);

    j->req = req;
    j->conf = conf;
    j->limits = (form_limits_t) { .max_fields = conf->max_fields, .max_files = conf->max_files,
                                  .max_name = conf->max_name.n, .max_value = conf->max_value.n,
                                  .max_file = conf->max_file_size.n != 0 ? conf->max_file_size.n : UINT64_MAX / 2,
                                  .max_head = conf->max_part_header.n, .types = conf->file_types };
    return j;
}

/* The body is there. */
static weir_step_t
judging_begin(weir_request_t *req, const form_conf_t *conf)
{
    judging_t       *j = judging_new(req, conf);
    weir_str_t       boundary;
    char            *head = NULL;
    module_verdict_t verdict = judging_kind(req, conf, &j->is_multipart, &boundary);

    if (verdict.cause != WEIR_CAUSE_NONE || req->body == NULL) {
        return judging_decide(req, verdict);
    }
    j->piece = weir_try_alloc(&req->arena, MODULE_PIECE);
    if (j->is_multipart) {
        head = weir_try_alloc(&req->arena, (size_t) conf->max_part_header.n);
    }
    if (j->piece == NULL || (j->is_multipart && head == NULL)) {
        return judging_decide(req, judging_wrong(WEIR_CAUSE_INTERNAL_MEMORY, NULL));
    }
    if (j->is_multipart) {
        form_multipart_begin(&j->multipart, &j->limits, boundary, head);
    } else {
        form_urlencoded_begin(&j->urlencoded, &j->limits);
    }
    if (!weir_body_decode_begin(&j->decoder, req, conf->max_size.n)) {
        verdict = judging_lost(j->decoder.fault);
        weir_body_decode_end(&j->decoder);
        return judging_decide(req, verdict);
    }
    if (judging_some(j, &verdict)) {
        weir_body_decode_end(&j->decoder);
        return judging_decide(req, verdict);
    }
    weir_request_hold(req, &j->hold, &judging_hold);
    weir_task_post_later(weir_request_loop(req), &j->task, judging_on_task);
    return WEIR_PARK;
}

/* -- a request -- */

static void
module_on_body(weir_request_t *req)
{
    if (judging_begin(req, weir_request_conf(req, http_form_body, form_conf_t)) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static bool
module_is_encoded(weir_request_t *req)
{
    weir_str_t coding = weir_fields_join(&req->head.fields, WEIR_STR("content-encoding"), &req->arena);

    return coding.len != 0 && !weir_str_eq_fold(coding, WEIR_STR("identity"));
}

/* What the head alone tells is refused before the body is read. */
static module_verdict_t
module_judge_head(weir_request_t *req, const form_conf_t *conf)
{
    weir_str_t boundary;
    bool       is_multipart, is_long = req->head.content_length != WEIR_LENGTH_NONE
                                    && req->head.content_length > conf->max_size.n;

    if (!conf->encoded.on && module_is_encoded(req)) {
        return judging_wrong(WEIR_CAUSE_FORM_ENCODING, NULL);
    }
    return is_long ? judging_wrong(WEIR_CAUSE_FORM_LIMIT, "form_max_size")
                   : judging_kind(req, conf, &is_multipart, &boundary);
}

static weir_step_t
module_precontent(weir_request_t *req, const void *conf_)
{
    const form_conf_t *conf = conf_;
    weir_policy_t      policy;
    module_verdict_t   verdict;
    weir_step_t        step;

    if (req->is_sub || req->body_dropped || !weir_request_has_body(req)) {
        return WEIR_NEXT;                            /* no body of the client's goes on from here */
    }
    policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);
    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    verdict = module_judge_head(req, conf);
    if (verdict.cause != WEIR_CAUSE_NONE) {
        return judging_decide(req, verdict);
    }
    step = weir_read_ahead(req, module_on_body);
    return step == WEIR_NEXT ? judging_begin(req, conf) : step;
}

static bool
module_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const form_conf_t *) conf)->kinds != 0;
}

/* -- directives -- */

static bool
module_parse_types(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                   void *field)
{
    weir_media_ranges_t *types = field;

    *types = (weir_media_ranges_t) { .n = 0 };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("all"))) {
        return true;
    }
    types->at = weir_new_n(cf->arena, weir_media_range_t, words->n - 1);
    for (size_t i = 1; i < words->n; i++) {
        if (!weir_media_range_read(weir_str_dup(cf->arena, words->at[i].text), &types->at[types->n++])) {
            return weir_conf_invalid(cf, i, "a type such as image/png, image/* or +xml, without parameters; or "
                                     "\"all\"");
        }
    }
    return true;
}

static const weir_conf_type_t module_type_types = {
    .name = "type ... | all", .size = sizeof(weir_media_ranges_t), .min_args = 1, .max_args = 64,
    .parse = module_parse_types,
};

static const weir_conf_enum_t module_kinds[] = {
    { "off", 0 }, { "on", KIND_URLENCODED | KIND_MULTIPART }, { "urlencoded", KIND_URLENCODED },
    { "multipart", KIND_MULTIPART }, { NULL, 0 },
};

static bool
module_get_error(void *subject, weir_arena_t *arena WEIR_UNUSED, const weir_var_ref_t *ref WEIR_UNUSED,
                 weir_str_t *value)
{
    *value = weir_str_from_z(weir_request_kept(subject, weir_http_form_body_index));
    return value->at != NULL;
}

static const weir_variable_t module_variables[] = {
    { "form_error", .subject = WEIR_OF_REQUEST, .get = module_get_error,
      .help = "What is wrong with the form, where form_body refuses it." },
    WEIR_VARIABLES_END
};

static const weir_directive_t module_directives[] = {
    WEIR_DIRECTIVE_OF(form_conf_t, kinds, "form_body", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "off",
                      .values = module_kinds, .args = "on | urlencoded | multipart | off",
                      .help = "Refuses a request whose body is not a form, before any peer gets it."),
    WEIR_DIRECTIVE(form_conf_t, max_size, "form_max_size", .where = WEIR_IN_ANY, .dflt = "1m", .min = "1",
                   .max = "16g",
                   .help = "Limits the size of a body that must be a form, as it is when it is decoded."),
    WEIR_DIRECTIVE(form_conf_t, max_fields, "form_max_fields", .where = WEIR_IN_ANY, .dflt = "256", .min = "1",
                   .max = "1000000", .help = "Limits how many fields a form has, files among them."),
    WEIR_DIRECTIVE(form_conf_t, max_files, "form_max_files", .where = WEIR_IN_ANY, .dflt = "16", .max = "1000000",
                   .help = "Limits how many files a form has."),
    WEIR_DIRECTIVE(form_conf_t, max_name, "form_max_name", .where = WEIR_IN_ANY, .dflt = "128", .min = "1",
                   .max = "64k", .help = "Limits the length of a field's name, decoded."),
    WEIR_DIRECTIVE(form_conf_t, max_value, "form_max_value", .where = WEIR_IN_ANY, .dflt = "64k", .max = "1g",
                   .help = "Limits the length of a field's value, decoded, that is not a file."),
    WEIR_DIRECTIVE(form_conf_t, max_file_size, "form_max_file_size", .where = WEIR_IN_ANY, .dflt = "0", .max = "16g",
                   .help = "Limits the size of each file; 0 sets no limit but that of the form."),
    WEIR_DIRECTIVE(form_conf_t, max_part_header, "form_max_part_header", .where = WEIR_IN_ANY, .dflt = "2k",
                   .min = "64", .max = "64k", .help = "Limits the head of each part of multipart/form-data."),
    WEIR_DIRECTIVE(form_conf_t, encoded, "form_encoded", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Takes forms in gzip or deflate, too: where the peer decodes them."),
    WEIR_DIRECTIVE_OF(form_conf_t, file_types, "form_file_types", &module_type_types, .where = WEIR_IN_ANY,
                      .help = "Lists the types of files that a form may have."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_form_body = {
    .name = "http_form_body",
    .area = "Guards",
    .conf_size = sizeof(form_conf_t),
    .directives = module_directives,
    .variables = module_variables,
    .on = { [WEIR_PHASE_PRECONTENT] = module_precontent },
    .enabled = module_enabled,
};
